"""Maps whose keys are not strings, on the command line."""

import datetime as dt
import json
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import polars_avro

pytestmark = pytest.mark.skipif(not hasattr(pl, "Map"), reason="Polars 1 has no maps")


def file(tmp_path, name, values, dtype):
    frame = pl.DataFrame({name: pl.Series(values, dtype=dtype)})
    polars_avro.write_avro(frame, tmp_path / "a.avro")
    return frame, tmp_path / "a.avro"


@pytest.fixture
def map_type() -> Any:
    return pl.Map  # type: ignore[attr-defined, unused-ignore]


def test_keys_that_are_durations_are_text(cli, tmp_path, map_type):
    values = [{dt.timedelta(hours=1): 5, dt.timedelta(microseconds=7): None}, None, {}]
    _, path = file(tmp_path, "m", values, map_type(pl.Duration("us"), pl.Int64))
    rows = [json.loads(line)["m"] for line in cli.good("cat", path)]
    assert rows == [{"PT1H": 5, "PT0.000007S": None}, None, {}]
    cli.good("convert", path, tmp_path / "a.ndjson")
    assert pl.read_ndjson(tmp_path / "a.ndjson").height == 3


@pytest.mark.parametrize("command", ["head", "tail", "sample"])
@pytest.mark.parametrize("wrap", [lambda dtype: dtype, pl.List, lambda dtype: pl.Struct({"x": dtype})])
def test_keys_outside_of_the_calendar_are_numbers(cli, tmp_path, map_type, command, wrap):
    beyond, time = 9223372036825200000, pl.Datetime("us", "UTC")

    def entries(key, value):
        return wrap(pl.List(pl.Struct({"key": key, "value": value})))

    value: Any = [{"key": beyond, "value": 1}]
    value = {pl.List: [value], pl.Struct: {"x": value}}.get(type(wrap(pl.Int64)), value)
    column = pl.Series("m", [value], dtype=entries(pl.Int64, pl.Int64)).cast(entries(time, pl.Int64))
    polars_avro.write_avro(column.cast(wrap(map_type(time, pl.Int64))).to_frame(), tmp_path / "a.avro")
    assert str(beyond) in "".join(cli.good(command, tmp_path / "a.avro"))
    assert "column 'm', row 0" in cli.refused("cat", tmp_path / "a.avro", status=3)


def test_maps_are_read_from_ndjson_as_they_were_written(cli, tmp_path, map_type):
    inner = pl.List(map_type(pl.Int64, pl.String))
    dtypes = {
        "i": map_type(pl.Int64, pl.Date),
        "f": map_type(pl.Int8, pl.Float64),
        "s": pl.Struct({"m": map_type(pl.Int32, inner)}),
    }
    frame = pl.DataFrame(
        {
            "i": [{1: dt.date(2024, 1, 1)}, {-5: None}, None],
            "f": [{3: 1.5}, {}, {4: None}],
            "s": [{"m": {2: [{3: "x"}]}}, None, {"m": None}],
        },
        schema=dtypes,
    )
    polars_avro.write_avro(frame, tmp_path / "a.avro")
    cli.good("convert", tmp_path / "a.avro", tmp_path / "a.ndjson")
    schema = "i=Map(Int64, Date), f=Map(Int8, Float64), s=Struct({'m': Map(Int32, List(Map(Int64, String)))})"
    cli.good("convert", "--schema", schema, tmp_path / "a.ndjson", tmp_path / "b.avro")
    assert_frame_equal(polars_avro.read_avro(tmp_path / "b.avro"), frame)
    refused = cli.refused(
        "convert", "--schema", "i=Map(Date, Int64)", tmp_path / "a.ndjson", tmp_path / "c.avro", status=2
    )
    assert "column 'i' is Map(Date, Int64), and keys of Date cannot be read from NDJSON" in refused
