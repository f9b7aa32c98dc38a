"""The schema of an `AvroWriter`, and its file after an error."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from polars_avro import (
    AvroDataError,
    AvroError,
    AvroSchemaError,
    AvroUnsupportedError,
    AvroWriter,
    read_avro,
    read_avro_metadata,
    write_avro,
)

FINE = pl.DataFrame({"t": pl.Series([1, None]).cast(pl.Time)})
COARSE = pl.DataFrame({"t": pl.Series([1000, None]).cast(pl.Time)})
INT = {"type": "record", "name": "R", "fields": [{"name": "a", "type": "int"}]}
OLD = pl.DataFrame({"old": [1]})
ONE = pl.DataFrame({"a": [1]})


@pytest.mark.parametrize("df", [FINE, COARSE, ONE, FINE.select(pl.struct("t")), COARSE.select(pl.col("t").implode())])
@pytest.mark.parametrize("given", [True, False])
def test_the_schema_is_that_of_the_file(tmp_path: Path, df: pl.DataFrame, given: bool) -> None:
    path = tmp_path / "a.avro"
    with AvroWriter(path, df.schema if given else None, name="Mine") as writer:
        before = writer.avro_schema
        writer.write(df)
        during = writer.avro_schema
    written = read_avro_metadata(path).avro_schema
    assert during == writer.avro_schema == written
    assert before in (None, written)
    assert (before is not None) == (given and df is ONE)
    assert_frame_equal(read_avro(path), df)
    assert AvroWriter(io.BytesIO(), avro_schema=written).avro_schema == written


def test_a_name_is_not_taken_for_a_type() -> None:
    assert AvroWriter(io.BytesIO(), {"time-micros": pl.Int64}).avro_schema is not None


def test_the_schema_of_a_file_without_rows(tmp_path: Path) -> None:
    with AvroWriter(tmp_path / "a.avro", {"t": pl.Time}) as writer:
        assert writer.avro_schema is None
    assert writer.avro_schema == read_avro_metadata(tmp_path / "a.avro").avro_schema


def test_the_schema_of_a_file_that_grows_is_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "a.avro"
    write_avro(pl.DataFrame({"a": [1], "b": [2]}), path, name="Mine")
    expected = read_avro_metadata(path).avro_schema
    with AvroWriter(path, append=True) as writer:
        assert writer.avro_schema == expected
        writer.write(pl.DataFrame({"b": [1], "a": [2]}))
        assert writer.avro_schema == expected
    assert writer.avro_schema == expected == read_avro_metadata(path).avro_schema
    assert read_avro(path).rows() == [(1, 2), (2, 1)]


REFUSED: list[tuple[Any, dict[str, Any], type[Exception]]] = [
    (pl.DataFrame({"a": [object()]}, schema={"a": pl.Object}), {}, AvroUnsupportedError),
    (pl.DataFrame({"b": [1]}), {"schema": ONE.schema}, AvroSchemaError),
    (pl.DataFrame({"a": ["x"]}), {"avro_schema": INT}, AvroSchemaError),
    (5, {}, TypeError),
    (ONE.lazy(), {}, TypeError),
]


@pytest.mark.parametrize(("bad", "options", "error"), REFUSED)
def test_a_frame_may_follow_one_that_was_refused_first(
    tmp_path: Path, bad: Any, options: dict[str, Any], error: type[Exception]
) -> None:
    path = tmp_path / "a.avro"
    write_avro(OLD, path)
    with AvroWriter(path, **options) as writer:
        with pytest.raises(error):
            writer.write(bad)
        assert writer.schema == options.get("schema")
        assert writer.rows_written == 0
        writer.write(ONE)
    assert_frame_equal(read_avro(path).cast(pl.Int64), ONE)


FATAL: list[tuple[Any, dict[str, Any], type[Exception]]] = [
    *((bad, {}, error) for bad, _, error in REFUSED if error is not AvroSchemaError),
    (pl.DataFrame({"b": [1]}), {}, AvroSchemaError),
    (pl.DataFrame({"a": [2**40]}), {"avro_schema": INT}, AvroDataError),
]


def write_and_close(writer: AvroWriter, data: Any) -> None:
    writer.write(data)
    # Rows are buffered for blocks, so a bad value may be detected only now.
    writer.close()


@pytest.mark.parametrize(("bad", "options", "error"), FATAL)
def test_an_error_after_the_first_frame_is_for_good(
    tmp_path: Path, bad: Any, options: dict[str, Any], error: type[Exception]
) -> None:
    path = tmp_path / "a.avro"
    write_avro(OLD, path)
    with pytest.raises(ValueError, match="an earlier call failed"), AvroWriter(path, **options) as writer:  # noqa: PT012
        writer.write(ONE)
        with pytest.raises((error, AvroError)):
            write_and_close(writer, bad)
        with pytest.raises(ValueError, match="an earlier call failed"):
            writer.write(ONE)
    assert_frame_equal(read_avro(path), OLD)
    assert [found.name for found in tmp_path.iterdir()] == ["a.avro"]


def test_what_is_left_by_an_error_may_be_aborted_and_closed() -> None:
    target = io.BytesIO()
    writer = AvroWriter(target)
    writer.write(ONE)
    with pytest.raises(AvroSchemaError):
        writer.write(OLD)
    writer.abort()
    with pytest.raises(ValueError, match="the file was discarded"):
        writer.close()
    assert target.getvalue() == b""
    other = AvroWriter(target)
    other.write(ONE)
    other.abort()
    other.close()
    assert target.getvalue() == b""


def test_a_writer_with_a_schema_and_no_frame_leaves_an_empty_file(tmp_path: Path) -> None:
    nullable = ["null", {"type": "long", "logicalType": "timestamp-micros"}]
    schema = {
        "type": "record",
        "name": "R",
        "fields": [
            {"name": "a", "type": "long"},
            {"name": "t", "type": nullable},
            {"name": "u", "type": ["int", "string"]},
        ],
    }
    with AvroWriter(tmp_path / "a.avro", avro_schema=schema):
        pass
    df = read_avro(tmp_path / "a.avro")
    assert df.height == 0
    assert df.columns == ["a", "t", "u"]
    assert json.loads(read_avro_metadata(tmp_path / "a.avro").avro_schema) == schema


class Echo:
    """A target that uses the writer that writes to it."""

    def __init__(self, use: str) -> None:
        self.use, self.writer = use, None

    def write(self, data: Any) -> int:
        if self.writer is not None:
            writer, self.writer = self.writer, None
            writer.close() if self.use == "close" else writer.write(pl.DataFrame({"a": [1]}))
        return len(data)


@pytest.mark.parametrize("use", ["close", "write"])
def test_a_target_must_not_use_its_own_writer(use: str) -> None:
    target: Any = Echo(use)
    writer = AvroWriter(target, compression="null")
    writer.write(pl.DataFrame({"a": range(10)}))
    target.writer = writer
    with pytest.raises(ValueError, match="the target of an AvroWriter must not write to it or close it"):
        writer.write(pl.DataFrame({"a": range(1_000_000)}))


def test_a_negative_number_of_written_bytes_is_an_error() -> None:
    class Negative(io.BytesIO):
        def write(self, data: Any) -> int:
            return -1

    with pytest.raises(OSError, match=r"write\(\) returned -1 for \d+ bytes"):
        write_avro(pl.DataFrame({"a": [1]}), Negative())
