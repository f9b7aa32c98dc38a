"""Container files: construction by hand, and reading by fastavro without interpretation.

fastavro converts logical types into Python objects, except nanoseconds, and does not return the branch of a union. So
`raw_rows` makes it read the same bytes with a schema of the same encoding: without logical types, and with each branch
of a union wrapped in a record of one field, which adds no byte and identifies the branch.
"""

from __future__ import annotations

import io
import json
from typing import Any

import expected
import fastavro
from expected import Node
from fastavro._read_common import HEADER_SCHEMA

SYNC = bytes(range(16))


def long(value: int) -> bytes:
    """One number in Avro's zig-zag encoding."""
    value = (value << 1) ^ (value >> 63)
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


def text(value: str | bytes) -> bytes:
    """One string (or bytes) in Avro's encoding."""
    data = value.encode() if isinstance(value, str) else value
    return long(len(data)) + data


def block(count: int, data: bytes, sync: bytes = SYNC) -> bytes:
    """One block of a file."""
    return long(count) + long(len(data)) + data + sync


def header(schema: Any, codec: str | None = "null", **metadata: bytes) -> bytes:
    """A file's header."""
    entries = {"avro.schema": json.dumps(schema).encode()} | metadata
    if codec is not None:
        entries["avro.codec"] = codec.encode()
    meta = b"".join(text(key) + text(value) for key, value in entries.items())
    return b"Obj\x01" + long(len(entries)) + meta + b"\x00" + SYNC


def container(schema: Any, *blocks: tuple[int, bytes], codec: str | None = "null") -> bytes:
    """A whole file of blocks, which are tuples of row count and encoded rows."""
    return header(schema, codec) + b"".join(block(count, data) for count, data in blocks)


def written(schema: Any, rows: list[Any], **options: Any) -> bytes:
    """A whole file, written by fastavro."""
    out = io.BytesIO()
    fastavro.writer(out, fastavro.parse_schema(schema), rows, **options)
    return out.getvalue()


def schema_of(data: bytes) -> Any:
    """The Avro schema in a file's header."""
    return json.loads(fastavro.schemaless_reader(io.BytesIO(data), HEADER_SCHEMA)["meta"]["avro.schema"])


def raw_rows(data: bytes) -> tuple[Node, list[Any]]:
    """A file's schema and rows: records as lists, union values as (index, value), logical types as their base."""
    source = io.BytesIO(data)
    head = fastavro.schemaless_reader(source, HEADER_SCHEMA)
    node = expected.parse(json.loads(head["meta"]["avro.schema"]))
    codec = {key: value for key, value in head["meta"].items() if key == "avro.codec"}
    head["meta"] = codec | {"avro.schema": json.dumps(plain(node, {})).encode()}
    target = io.BytesIO()
    fastavro.schemaless_writer(target, HEADER_SCHEMA, head)
    target.write(source.read())
    target.seek(0)
    return node, [raw_value(node, row) for row in fastavro.reader(target, return_record_name=True)]


def plain(node: Node, seen: dict[Node, str]) -> Any:  # noqa: PLR0911  (one return a kind)
    """A schema of the same encoding as `node`; see the docstring of this module."""
    if node in seen:
        return seen[node]
    if node.kind in expected.PRIMITIVES:
        return node.kind
    if node.kind == "array":
        return {"type": "array", "items": plain(node.inner[0], seen)}
    if node.kind == "map":
        return {"type": "map", "values": plain(node.inner[0], seen)}
    name = f"t{len(seen)}"
    seen[node] = name
    if node.kind == "enum":
        return {"type": "enum", "name": name, "symbols": node.symbols}
    if node.kind == "fixed":
        return {"type": "fixed", "name": name, "size": node.size}
    if node.kind == "record":
        fields = [{"name": f"f{i}", "type": plain(inner, seen)} for i, (_, inner) in enumerate(node.fields)]
        return {"type": "record", "name": name, "fields": fields}
    del seen[node]
    return [_branch(f"u{id(node)}_{i}", inner, seen) for i, inner in enumerate(node.inner)]


def _branch(name: str, inner: Node, seen: dict[Node, str]) -> Any:
    branch = Node("record", name=name)
    seen[branch] = name
    return {"type": "record", "name": name, "fields": [{"name": "value", "type": plain(inner, seen)}]}


def raw_value(node: Node, value: Any) -> Any:
    """Undo `plain` in a value."""
    if node.kind == "union":
        if isinstance(value, dict):
            return 0, raw_value(node.inner[0], value["value"])
        index = int(value[0].rpartition("_")[2])
        return index, raw_value(node.inner[index], value[1]["value"])
    if node.kind == "array":
        return [raw_value(node.inner[0], item) for item in value]
    if node.kind == "map":
        return {key: raw_value(node.inner[0], item) for key, item in value.items()}
    if node.kind == "record":
        return [raw_value(inner, value[f"f{i}"]) for i, (_, inner) in enumerate(node.fields)]
    return value


def expected_frame(data: bytes) -> tuple[Any, dict[str, list[Any]], int]:
    """The expected schema, physical columns and height of a file."""
    node, rows = raw_rows(data)
    schema, columns = expected.frame_of(node, rows)
    return schema, columns, len(rows)
