"""Arrow streams and arrays as input of `AvroWriter`: streams without batches, refused types."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pytest
from arrow_streams import Rows, Stream, written
from polars.testing import assert_frame_equal

from polars_avro import AvroReader, AvroSchemaError, AvroUnsupportedError, AvroWriter, write_avro

EMPTY = pa.table({"a": pa.array([], pa.int64()), "b": pa.array([], pa.list_(pa.string()))})


@pytest.mark.parametrize("wrap", [lambda table: table, Stream])
def test_a_stream_without_batches_has_its_columns(wrap: Any) -> None:
    expected = pl.DataFrame(schema={"a": pl.Int64, "b": pl.List(pl.String)})
    assert not EMPTY.to_batches()
    assert_frame_equal(written(wrap(EMPTY)), expected)
    full = pl.DataFrame({"a": [1], "b": [["x"]]})
    assert_frame_equal(written(wrap(EMPTY), full), full)
    assert_frame_equal(written(full, wrap(EMPTY)), full)
    for first, second in ((full.select("a"), wrap(EMPTY)), (wrap(EMPTY), full.select("a"))):
        with pytest.raises(AvroSchemaError, match="every frame of a file must have the columns"):
            written(first, second)


def test_a_stream_without_batches_keeps_dtypes_that_polars_alone_has(tmp_path: Path) -> None:
    df = pl.DataFrame(schema={"e": pl.Enum(["x"]), "c": pl.Categorical, "m": pl.Map(pl.String, pl.Int8)})
    assert_frame_equal(written(Stream(df.to_arrow().slice(0, 0))), written(df))
    write_avro(df, tmp_path / "a.avro")
    assert_frame_equal(written(AvroReader(tmp_path / "a.avro")), df)


def union() -> pa.Array:
    return pa.UnionArray.from_sparse(pa.array([0], pa.int8()), [pa.array([1])])


REFUSED = [
    (pa.array([100], pa.decimal32(5, -2)), "c", r"decimal32\(5, -2\)", "no negative scale"),
    (pa.array([1], pa.decimal256(50, 2)), "c", r"decimal256\(50, 2\)", "at most 38 digits"),
    (pa.array([100], pa.decimal128(5, -2)), "c", r"decimal128\(5, -2\)", "no negative scale"),
    (pa.array([[1]], pa.list_(pa.decimal256(50, 2))), r"c\[\]", r"decimal256\(50, 2\)", "decimal128"),
    (pa.array([{"a": 1}], pa.struct([("a", pa.decimal256(50, 2))])), r"c\.a", r"decimal256\(50, 2\)", "decimal128"),
    (pa.array([b""], pa.binary(0)), "c", "fixed-size binary of size 0", "binary"),
    (pa.array([(1, 2, 3)], pa.month_day_nano_interval()), "c", "interval", "duration"),
    (union(), "c", "union", "struct"),
    (pa.RunEndEncodedArray.from_arrays([1], pa.array([5])), "c", "run-end encoded", "values"),
    (pa.array([[1]], pa.list_view(pa.int64())), "c", "list view", "list"),
    (pa.array([[]], pa.list_(pa.int64(), 0)), "c", "fixed-size list of size 0", "list"),
]


@pytest.mark.parametrize(("array", "path", "kind", "instead"), REFUSED)
def test_types_that_polars_cannot_import_are_refused_by_name(
    tmp_path: Path, array: pa.Array, path: str, kind: str, instead: str
) -> None:
    table = pa.table({"a": [1], "c": array})
    for data in (table, Stream(table), Stream(table.slice(0, 0)), Rows(table.to_batches()[0])):
        message = f"field `{path}`: the Arrow type {kind} cannot be written to Avro: cast it to .*{instead}"
        with pytest.raises(AvroUnsupportedError, match=message), AvroWriter(tmp_path / "a.avro") as writer:
            writer.write(data)
        assert not list(tmp_path.iterdir())


def test_a_stream_that_fails_says_why() -> None:
    def batches() -> Any:
        yield pa.record_batch({"a": [1]})
        msg = "the source has gone"
        raise RuntimeError(msg)

    reader = pa.RecordBatchReader.from_batches(pa.schema({"a": pa.int64()}), batches())
    with pytest.raises(ValueError, match="the source has gone"):
        written(reader)
    assert_frame_equal(written(Rows(pa.record_batch({"a": [1]}))), pl.DataFrame({"a": [1]}))
