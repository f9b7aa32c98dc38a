"""Columns of dtype Null with a schema of other types, and frames that differ from the first."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import fastavro
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from polars_avro import AvroDataError, AvroSchemaError, AvroWriter, encode, read_avro, sink_avro, write_avro

KINDS: list[Any] = [
    "boolean",
    "int",
    "long",
    "float",
    "double",
    "bytes",
    "string",
    {"type": "fixed", "name": "F", "size": 2},
    {"type": "enum", "name": "E", "symbols": ["A"]},
    {"type": "array", "items": "int"},
    {"type": "map", "values": "int"},
    {"type": "record", "name": "S", "fields": [{"name": "x", "type": "int"}]},
    {"type": "int", "logicalType": "date"},
    {"type": "long", "logicalType": "timestamp-micros"},
    {"type": "bytes", "logicalType": "decimal", "precision": 5, "scale": 2},
    {"type": "string", "logicalType": "uuid"},
    {"type": "int", "polars.dtype": "Int8"},
    ["null", "int"],
    ["int", "string"],
    ["null", "int", "string"],
]


def schema_of(kind: Any) -> dict[str, Any]:
    return {"type": "record", "name": "R", "fields": [{"name": "f", "type": kind}]}


def everywhere(df: pl.DataFrame, schema: Any, directory: Path) -> list[list[dict[str, Any]]]:
    """Write a frame in all ways, and return the rows that fastavro reads."""
    paths = [directory / f"{name}.avro" for name in ("write", "sink", "writer", "append")]
    write_avro(df, paths[0], avro_schema=schema)
    sink_avro(df.lazy(), paths[1], avro_schema=schema)
    with AvroWriter(paths[2], avro_schema=schema) as writer:
        writer.write(df)
    write_avro(df.clear(), paths[3], avro_schema=schema)
    write_avro(df, paths[3], append=True)
    read = []
    for path in paths:
        with path.open("rb") as file:
            read.append(list(fastavro.reader(file)))
    return read


@pytest.mark.parametrize("kind", KINDS)
def test_nulls_that_are_not_written_fit_every_type(tmp_path: Path, kind: Any) -> None:
    null = pl.Series([None], dtype=pl.Null)
    record = {"type": "record", "name": "I", "fields": [{"name": "x", "type": kind}]}
    cases: list[tuple[Any, pl.Series, list[Any]]] = [
        (kind, null.clear(), []),
        ({"type": "array", "items": kind}, pl.Series([[], []], dtype=pl.List(pl.Null)), [[], []]),
        ({"type": "map", "values": kind}, pl.Series([{}], dtype=pl.Map(pl.String, pl.Null)), [{}]),
        (["null", record], pl.Series([None], dtype=pl.Struct({"x": pl.Null})), [None]),
        ({"type": "array", "items": record}, pl.Series([[]], dtype=pl.List(pl.Struct({"x": pl.Null}))), [[]]),
        (["null", {"type": "array", "items": kind}], pl.Series([None], dtype=pl.Array(pl.Null, 2)), [None]),
        (["null", {"type": "array", "items": kind}], pl.Series([None, []], dtype=pl.List(pl.Null)), [None, []]),
    ]
    for number, (whole, series, expected) in enumerate(cases):
        directory = tmp_path / str(number)
        directory.mkdir()
        for rows in everywhere(pl.DataFrame({"f": series}), schema_of(whole), directory):
            assert [row["f"] for row in rows] == expected


def test_branches_that_are_not_set_may_be_null() -> None:
    kind = ["null", "int", {"type": "array", "items": "string"}, "string"]
    dtype = pl.Struct({"int": pl.Null, "array": pl.Null, "string": pl.String})
    df = pl.DataFrame({"f": pl.Series([{"string": "x"}, None], dtype=dtype)})
    target = io.BytesIO()
    write_avro(df, target, avro_schema=schema_of(kind))
    assert [row["f"] for row in fastavro.reader(io.BytesIO(target.getvalue()))] == ["x", None]


@pytest.mark.parametrize("kind", [kind for kind in KINDS if "null" not in kind])
def test_a_null_that_would_be_written_is_refused(tmp_path: Path, kind: Any) -> None:
    path = tmp_path / "a.avro"
    with pytest.raises(AvroSchemaError, match="field `f`: the dtype Null cannot be written as"):
        write_avro(pl.DataFrame({"f": [None]}), path, avro_schema=schema_of(kind))
    with pytest.raises(AvroDataError, match=r"field `f\[\]`: a null, which the Avro schema does not allow here"):
        write_avro(pl.DataFrame({"f": [[None]]}), path, avro_schema=schema_of({"type": "array", "items": kind}))
    assert list(tmp_path.iterdir()) == []


def test_nulls_are_encoded_by_every_type() -> None:
    for kind in KINDS:
        schema = {"type": "array", "items": kind}
        df = pl.DataFrame({"a": [[], None]}, schema={"a": pl.List(pl.Null)})
        assert df.select(encode("a", schema))["a"].to_list() == [b"\0", None]
        assert pl.DataFrame({"a": [None]}).select(encode("a", schema_of(kind)))["a"].to_list() == [None]


FIELDS = [
    {"name": "a", "type": ["null", "long"]},
    {"name": "b", "type": ["null", {"type": "array", "items": "double"}]},
    {"name": "c", "type": "string", "default": "none"},
]
SCHEMA = {"type": "record", "name": "R", "fields": FIELDS}
FIRST = pl.DataFrame({"a": [2**40], "b": [[1.5]], "c": ["x"]})
LATER = [
    FIRST.select("c", "b", "a"),
    FIRST.with_columns(a=pl.lit(7, dtype=pl.Int8)),
    FIRST.with_columns(a=pl.lit(None, dtype=pl.Null), b=pl.lit([], dtype=pl.List(pl.Null))),
    FIRST.with_columns(b=pl.lit([1.5], dtype=pl.List(pl.Float32))),
    FIRST.with_columns(c=pl.lit("x", dtype=pl.Categorical)),
    FIRST.clear().with_columns(c=pl.lit(None, dtype=pl.Null)),
]


@pytest.mark.parametrize("append", [False, True])
def test_later_frames_may_have_any_columns_that_fit_the_schema(tmp_path: Path, append: bool) -> None:
    path = tmp_path / "a.avro"
    if append:
        write_avro(FIRST.clear(), path, avro_schema=SCHEMA)
    for order in (LATER, LATER[::-1]):
        path = path if append else tmp_path / "b.avro"
        with AvroWriter(path, append=append, **({} if append else {"avro_schema": SCHEMA})) as writer:
            for df in (FIRST, *order, FIRST):
                writer.write(df)
            assert writer.rows_written == 7
    expected = pl.DataFrame({"a": [2**40, 7, None], "b": [[1.5], [1.5], []], "c": ["x"] * 3})
    df = read_avro(path)
    assert df.height == (14 if append else 7)
    assert df.schema == FIRST.schema
    assert_frame_equal(df.unique(), expected, check_row_order=False)


def test_columns_that_have_a_default_may_be_missing_in_any_frame(tmp_path: Path) -> None:
    with AvroWriter(tmp_path / "a.avro", avro_schema=SCHEMA) as writer:
        for df in (FIRST, FIRST.drop("c"), FIRST):
            writer.write(df)
    assert read_avro(tmp_path / "a.avro")["c"].to_list() == ["x", "none", "x"]


def test_later_frames_that_do_not_fit_discard_the_file(tmp_path: Path) -> None:
    for bad in (FIRST.with_columns(d=1), FIRST.drop("a"), FIRST.with_columns(c=1), FIRST.with_columns(c=None)):
        writer = AvroWriter(tmp_path / "a.avro", avro_schema=SCHEMA)
        writer.write(FIRST)
        with pytest.raises(AvroSchemaError):
            writer.write(bad)
        assert list(tmp_path.iterdir()) == []
    # Without a schema, the first frame determines it.
    writer = AvroWriter(tmp_path / "a.avro")
    writer.write(FIRST)
    with pytest.raises(AvroSchemaError, match="every frame of a file must have the columns"):
        writer.write(LATER[0])
    assert list(tmp_path.iterdir()) == []
