"""Dataframes of Dask have the rows of a single read."""

import pickle

import polars as pl
import pytest
from polars.testing import assert_frame_equal
from rows import make_rows, write

import polars_avro
import polars_avro.dask

pytest.importorskip("dask.dataframe")
pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    return write(tmp_path_factory.mktemp("rows") / "rows.avro", make_rows(3000), sync_interval=1000)


def polars_of(frame):
    return pl.from_pandas(frame.reset_index(drop=True))


@pytest.mark.parametrize("scheduler", ["synchronous", "threads", pytest.param("processes", marks=pytest.mark.slow)])
def test_rows_order_and_types(rows, scheduler):
    frame = polars_avro.dask.read_avro(rows, target_bytes=4000)
    assert frame.npartitions > 4
    computed = frame.compute(scheduler=scheduler)
    assert list(computed.dtypes) == list(frame.dtypes)
    assert_frame_equal(polars_of(computed), polars_avro.read_avro(rows))


def test_every_partition_has_the_dtypes_that_are_known_ahead(tmp_path):
    schema = {
        "type": "record",
        "name": "Row",
        "fields": [
            {"name": "i", "type": ["null", "int"]},
            {"name": "b", "type": ["null", "boolean"]},
            {"name": "t", "type": ["null", {"type": "long", "logicalType": "timestamp-millis"}]},
            {"name": "e", "type": ["null", {"type": "enum", "name": "E", "symbols": ["x", "y"]}]},
            {"name": "l", "type": {"type": "array", "items": "string"}},
            {"name": "r", "type": {"type": "record", "name": "R", "fields": [{"name": "a", "type": "float"}]}},
        ],
    }
    full = [{"i": 1, "b": True, "t": 5, "e": "x", "l": ["a"], "r": {"a": 0.5}}] * 50
    nulls = [{"i": None, "b": None, "t": None, "e": None, "l": [], "r": {"a": 1.5}}] * 50
    path = write(tmp_path / "a.avro", full + nulls, schema, sync_interval=50)
    frame = polars_avro.dask.read_avro(path, target_bytes=200)
    parts = [frame.get_partition(i).compute(scheduler="synchronous") for i in range(frame.npartitions)]
    assert len(parts) > 3
    assert all(list(part.dtypes) == list(frame.dtypes) for part in parts)
    assert sum(map(len, parts)) == 100


def test_columns_are_pushed_into_the_reader(rows, monkeypatch):
    read = []
    original = polars_avro.Split.read

    def spy(split, **options):
        read.append(options["columns"])
        return original(split, **options)

    monkeypatch.setattr(polars_avro.Split, "read", spy)
    frame = polars_avro.dask.read_avro(rows, target_bytes=4000)
    total = frame["id"].sum().compute(scheduler="synchronous")
    assert total == sum(range(3000))
    assert read
    assert all(columns == ["id"] for columns in read)
    assert len(frame[["name", "score"]].compute(scheduler="synchronous").columns) == 2
    assert read[-1] == ["name", "score"]


def test_columns_and_length(rows):
    frame = polars_avro.dask.read_avro(rows, columns=["name", "id"], target_bytes=4000)
    assert list(frame.columns) == ["name", "id"]
    assert len(frame) == 3000
    assert frame[frame["id"] < 17]["id"].max().compute(scheduler="synchronous") == 16
    one = polars_avro.dask.read_avro(rows, columns="id")
    assert list(one.columns) == ["id"]


def test_fields_of_structs_are_columns(tmp_path):
    df = pl.DataFrame({"s": [{"a": i, "b": -i} for i in range(500)], "x": range(500)})
    polars_avro.write_avro(df, tmp_path / "a.avro")
    frame = polars_avro.dask.read_avro(tmp_path / "a.avro", columns=["x", "s.b"], target_bytes=1000)
    assert frame.npartitions > 1
    assert frame.compute(scheduler="synchronous")["s"].to_list() == [{"b": -i} for i in range(500)]


def test_options_of_the_plan(directory):
    frame = polars_avro.dask.read_avro(directory, include_file_paths="file", target_bytes=3000)
    whole = polars_avro.read_avro(directory, include_file_paths="file")
    assert_frame_equal(polars_of(frame.compute(scheduler="synchronous")), whole)


def test_a_partition_is_small(rows):
    splits = polars_avro.plan_splits(rows, target_bytes=4000)
    assert max(len(pickle.dumps(split)) for split in splits) < 2000


def test_unknown_columns_are_refused_at_once(rows):
    with pytest.raises(pl.exceptions.ColumnNotFoundError):
        polars_avro.dask.read_avro(rows, columns=["other"])


def test_files_in_a_store(rows, moto):
    from places import s3_place

    place = s3_place(moto)
    place.put("rows.avro", rows.read_bytes())
    frame = polars_avro.dask.read_avro(f"{place.prefix}*.avro", target_bytes=4000, storage_options=place.options)
    assert frame.npartitions > 4
    assert_frame_equal(polars_of(frame.compute(scheduler="threads")), polars_avro.read_avro(rows))
    assert "topsecret" not in repr(frame) + str(frame.dask)
