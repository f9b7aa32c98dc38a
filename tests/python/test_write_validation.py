"""Schemas that other readers refuse are refused before anything is written."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fastavro
import polars as pl
import pytest
from containers import container
from polars.testing import assert_frame_equal

import polars_avro
from polars_avro import AvroSchemaError, AvroWriter, SchemaRegistry, encode, read_avro, sink_avro, write_avro


def record(*fields: dict[str, Any], **attributes: Any) -> dict[str, Any]:
    return {"type": "record", "name": "R", "fields": list(fields), **attributes}


def field(kind: Any, **attributes: Any) -> dict[str, Any]:
    return record({"name": "a", "type": kind, **attributes})


DECIMAL = {"type": "bytes", "logicalType": "decimal"}
FIXED = {"type": "fixed", "name": "F", "size": 1}
#: A schema, a column for it, and the expected error.
FAULTS = [
    (field("string", default=0), "x", "field a: the default does not fit the type: `0` is no string"),
    (field("long", default=None), 1, "`null` is no long"),
    (field("int", default=2**31), 1, "is no int"),
    (field(["null", "string"], default=1), "x", "of no branch"),
    (field({"type": "array", "items": "int"}, default=[None]), [1], "is no int"),
    (field({"type": "enum", "name": "E", "symbols": ["x y"]}), "x y", "the symbol `x y`"),
    (field({"type": "enum", "name": "E", "symbols": ["1"]}), "1", "the symbol `1`"),
    (field("int", order="upward"), 1, "`order` must be one of"),
    (field("int", order=None), 1, "`order` must be one of"),
    (field("int", aliases=["b c"]), 1, "the alias `b c`"),
    (field(["null", "null"]), None, "`null` twice"),
    (field(["null", "int", "null"]), 1, "`null` twice"),
    (field(["null", DECIMAL | {"precision": 2, "scale": 3}]), None, "the decimal needs"),
    (field(DECIMAL | {"precision": 0}), None, "the decimal needs"),
    (field(["null", FIXED | {"logicalType": "decimal", "precision": 9}]), None, "the decimal needs"),
    (record({"name": "a", "type": FIXED}, {"name": "b", "type": FIXED, "default": "x"}), b"x", "`F` is defined twice"),
    (field("int") | {"name": "my rec"}, 1, "the name `my rec`"),
    (field("int") | {"namespace": "a-b.c"}, 1, "the name `a-b.c.R`"),
    (field("int") | {"name": "x..R"}, 1, "the name `x..R`"),
    (field("int") | {"aliases": ["é"]}, 1, "the alias `é`"),
    (record({"name": "a-b", "type": "int", "default": 0}, {"name": "a", "type": "int"}), 1, "field a-b: the name"),
]


def writes(df: pl.DataFrame, path: Path, schema: Any) -> list[Callable[[], Any]]:
    def by_frames() -> None:
        with AvroWriter(path, avro_schema=schema) as writer:
            writer.write(df)

    return [
        lambda: write_avro(df, path, avro_schema=schema),
        lambda: write_avro(df, path, avro_schema=json.dumps(schema)),
        lambda: sink_avro(df.lazy(), path, avro_schema=schema),
        lambda: sink_avro(df.lazy(), path, avro_schema=schema, lazy=True),
        by_frames,
        lambda: encode("a", schema),
    ]


@pytest.mark.parametrize(("schema", "value", "message"), FAULTS)
def test_what_other_readers_refuse_is_refused_before_the_target_is_touched(
    tmp_path: Path, schema: Any, value: Any, message: str
) -> None:
    path = tmp_path / "a.avro"
    path.write_bytes(b"old")
    for call in writes(pl.DataFrame({"a": [value]}), path, schema):
        with pytest.raises(AvroSchemaError) as error:
            call()
        assert message in str(error.value)
        assert path.read_bytes() == b"old"
        assert list(tmp_path.iterdir()) == [path]


def test_a_schema_is_checked_before_a_registry_is_asked() -> None:
    registry = SchemaRegistry("http://localhost:1", subject="s")
    for schema, _, message in FAULTS:
        with pytest.raises(AvroSchemaError) as error:
            registry.register("s", schema)
        assert message in str(error.value)


VALID = [
    (field(["null", "string"], default="x"), "x"),
    (field(["string", "null"], default=None), "x"),
    (field("long", order="ignore", aliases=["b"], doc="d", unit=[1]), 1),
    (field({"type": "long", "logicalType": "unheard-of"}), 1),
    (field({"type": "string", "logicalType": "decimal", "precision": 2, "scale": 3}), "x"),
    (field({"type": "array", "items": "long"}, default=[1, 2]), [1]),
    (field("double", default="NaN"), 1.5),
    (field("long") | {"name": "_a.B_1", "aliases": ["c.D", "E"]}, 1),
]


@pytest.mark.parametrize(("schema", "value"), VALID)
def test_what_the_specification_allows_is_written(schema: Any, value: Any) -> None:
    df, target = pl.DataFrame({"a": [value]}), io.BytesIO()
    write_avro(df, target, avro_schema=schema)
    assert json.loads(polars_avro.read_avro_metadata(target.getvalue()).avro_schema) == schema
    assert read_avro(target.getvalue())["a"].to_list() == [value]
    if "precision" not in str(schema):
        assert list(fastavro.reader(io.BytesIO(target.getvalue()))) == [{"a": value}]


def test_files_that_break_the_rules_are_read_and_appended_to(tmp_path: Path) -> None:
    path = tmp_path / "a.avro"
    schema = {"type": "record", "name": "R", "fields": [{"name": "a b", "type": "long", "default": "x"}]}
    with path.open("wb") as file:
        fastavro.schemaless_writer(io.BytesIO(), {"type": "long"}, 1)
        marker, block = b"0123456789abcdef", bytes([2, 2, 14])
        text = json.dumps(schema).encode()
        header = b"Obj\x01\x02\x16avro.schema" + _long(len(text)) + text + b"\0" + marker
        file.write(header + block + marker)
    df = pl.DataFrame({"a b": [7]})
    assert_frame_equal(read_avro(path), df)
    write_avro(df, path, append=True)
    assert_frame_equal(read_avro(path), pl.concat([df, df]))


def _long(number: int) -> bytes:
    rest, out = 2 * number, bytearray()
    while rest > 0x7F:
        out.append(rest & 0x7F | 0x80)
        rest >>= 7
    return bytes([*out, rest])


NESTED: list[tuple[Any, Any]] = [
    ({"type": ["null", "long"]}, [1, None]),
    ({"type": {"type": ["null", "long"]}}, [1, None]),
    (["null", {"type": {"type": "long", "logicalType": "timestamp-micros"}}], [None, 5]),
    ({"type": {"type": "array", "items": {"type": {"type": "string"}}}}, [["x"], []]),
    ({"type": {"type": "record", "name": "N", "fields": [{"name": "x", "type": {"type": "int"}}]}}, [{"x": 1}]),
]


@pytest.mark.parametrize(("kind", "values"), NESTED, ids=str)
def test_types_inside_of_types_are_written_as_all_readers_take_them(tmp_path: Path, kind: Any, values: Any) -> None:
    plain = io.BytesIO()
    frame = polars_avro.read_avro(container(field(kind)))
    frame = pl.DataFrame({"a": values}, schema_overrides=frame.schema)
    for schema in (field(kind), {"type": field(kind)}):
        for write in (
            lambda target, schema=schema: write_avro(frame, target, avro_schema=schema),
            lambda target, schema=schema: sink_avro(frame.lazy(), target, avro_schema=schema),
        ):
            write(tmp_path / "a.avro")
            with (tmp_path / "a.avro").open("rb") as file:
                assert len(list(fastavro.reader(file))) == len(values)
            assert_frame_equal(read_avro(tmp_path / "a.avro"), frame)
    # The text of other schemas stays as it is.
    schema = field(["null", "long"], doc="d")
    write_avro(pl.DataFrame({"a": [1]}), plain, avro_schema=json.dumps(schema, indent=3))
    assert json.dumps(schema, indent=3).encode() in plain.getvalue()


@pytest.mark.parametrize("command", ["fromjson", "random"])
def test_commands_that_write_check_their_schemas(cli: Any, tmp_path: Path, command: str) -> None:
    (tmp_path / "rows.json").write_text('{"a": "x"}\n')
    sources = [tmp_path / "rows.json"] if command == "fromjson" else ["-n", 2]
    for schema in (field("string", default=0), field({**DECIMAL, "precision": 2, "scale": 3}), record(name="my rec")):
        refused = cli.refused(command, "--schema", json.dumps(schema), *sources, tmp_path / "o.avro", status=3)
        assert "record" in refused or "decimal" in refused
        assert not (tmp_path / "o.avro").exists()
