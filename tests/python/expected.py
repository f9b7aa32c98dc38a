"""The expected frame of a container file, derived from the type table alone.

This module does not use the package under test. Values are in Polars' *physical* form (``Series.to_physical``), because
Python's dates and times have a smaller range than Avro's and no nanoseconds.
"""

from __future__ import annotations

import json
import math
import struct
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import polars as pl

PRIMITIVES = {
    "null": pl.Null(),
    "boolean": pl.Boolean(),
    "int": pl.Int32(),
    "long": pl.Int64(),
    "float": pl.Float32(),
    "double": pl.Float64(),
    "bytes": pl.Binary(),
    "string": pl.String(),
}
DURATION = pl.Struct({"months": pl.UInt32(), "days": pl.UInt32(), "milliseconds": pl.UInt32()})
MAX_PRECISION = 38


@dataclass(eq=False)
class Node:
    """One Avro type. A named type that is used twice is a single node."""

    kind: str
    logical: str | None = None
    name: str | None = None
    fields: list[tuple[str, Node]] = field(default_factory=list)
    inner: list[Node] = field(default_factory=list)
    symbols: list[str] = field(default_factory=list)
    size: int = 0
    precision: int = 0
    scale: int = 0

    @property
    def branch_name(self) -> str:
        """The name of this type as a union branch in Avro's JSON encoding."""
        return self.name or self.kind


def parse(schema: Any, names: dict[str, Node] | None = None, namespace: str = "") -> Node:  # noqa: PLR0911  (one return a kind)
    """Convert an Avro schema (parsed JSON) into a graph of nodes."""
    names = {} if names is None else names
    if isinstance(schema, list):
        return Node("union", inner=[parse(branch, names, namespace) for branch in schema])
    if isinstance(schema, str):
        if schema in PRIMITIVES:
            return Node(schema)
        qualified = f"{namespace}.{schema}" if namespace and "." not in schema else schema
        return names[qualified] if qualified in names else names[schema]
    kind = schema["type"]
    if not isinstance(kind, str):
        return parse(kind, names, namespace)
    if kind in ("array", "map"):
        return Node(kind, inner=[parse(schema["items" if kind == "array" else "values"], names, namespace)])
    if kind in ("record", "error", "enum", "fixed"):
        return _parse_named(schema, names, namespace)
    if kind in PRIMITIVES:
        return _with_logical(Node(kind), schema)
    return parse(kind, names, namespace)


def _parse_named(schema: dict[str, Any], names: dict[str, Node], namespace: str) -> Node:
    name = schema["name"]
    if "." in name:
        namespace = name.rpartition(".")[0]
    else:
        namespace = schema.get("namespace", namespace)
        name = f"{namespace}.{name}" if namespace else name
    kind = "record" if schema["type"] == "error" else schema["type"]
    node = names[name] = Node(kind, name=name)
    if kind == "enum":
        node.symbols = schema["symbols"]
    elif kind == "fixed":
        node.size = schema["size"]
        return _with_logical(node, schema)
    else:
        node.fields = [(f["name"], parse(f["type"], names, namespace)) for f in schema["fields"]]
    return node


def _with_logical(node: Node, schema: dict[str, Any]) -> Node:
    logical = schema.get("logicalType")
    if logical == "decimal":
        precision, scale = schema.get("precision", 0), schema.get("scale", 0)
        fits = node.kind == "bytes" or (node.kind == "fixed" and 10**precision - 1 < 2 ** (8 * node.size - 1))
        valid = precision > 0 and 0 <= scale <= precision and fits
        node.precision, node.scale = precision, scale
    else:
        valid = (logical, node.kind) in LOGICAL_TYPES or (logical, node.kind, node.size) in LOGICAL_TYPES
    node.logical = logical if valid else None
    return node


def _datetimes() -> dict[tuple[Any, ...], pl.DataType]:
    units = {"millis": "ms", "micros": "us", "nanos": "ns"}
    utc = {(f"timestamp-{word}", "long"): pl.Datetime(unit, "UTC") for word, unit in units.items()}
    local = {(f"local-timestamp-{word}", "long"): pl.Datetime(unit) for word, unit in units.items()}
    return utc | local


#: Maps logical type and base type (and size, if it matters) to the dtype.
LOGICAL_TYPES: dict[tuple[Any, ...], pl.DataType] = {
    ("date", "int"): pl.Date(),
    ("time-millis", "int"): pl.Time(),
    ("time-micros", "long"): pl.Time(),
    ("big-decimal", "bytes"): pl.String(),
    ("uuid", "string"): pl.String(),
    ("uuid", "fixed", 16): pl.String(),
    ("duration", "fixed", 12): DURATION,
} | _datetimes()

Convert = Callable[[Any], Any]


@dataclass(eq=False)
class JsonText:
    """A text that is compared by its parsed JSON. Objects are tuples of pairs, because their order counts."""

    tree: Any


def mapped(node: Node, above: tuple[Node, ...] = ()) -> tuple[pl.DataType, Convert]:  # noqa: PLR0911  (one return a kind)
    """The dtype of a type, and a function that converts its raw values into Polars' physical values."""
    if node.logical:
        return _mapped_logical(node)
    if node.kind in PRIMITIVES:
        return PRIMITIVES[node.kind], lambda raw: raw
    if node.kind == "fixed":
        return pl.Binary(), lambda raw: raw
    if node.kind == "enum":
        return pl.Enum(node.symbols), node.symbols.index
    if node.kind == "array":
        dtype, convert = mapped(node.inner[0], above)
        return pl.List(dtype), lambda raw: [convert(item) for item in raw]
    if node.kind == "map":
        dtype, convert = mapped(node.inner[0], above)
        entries = lambda raw: [{"key": key, "value": convert(value)} for key, value in raw.items()]  # noqa: E731
        return pl.Map(pl.String, dtype), entries
    if node.kind == "union":
        return _mapped_union(node, above)
    if node in above:
        return pl.String(), lambda raw: JsonText(json_tree(node, raw))
    columns = [(name, *mapped(inner, (*above, node))) for name, inner in node.fields]
    dtype = pl.Struct({name: dtype for name, dtype, _ in columns})
    return dtype, lambda raw: {name: convert(value) for (name, _, convert), value in zip(columns, raw, strict=True)}


def _mapped_union(node: Node, above: tuple[Node, ...]) -> tuple[pl.DataType, Convert]:
    branches = [(index, branch) for index, branch in enumerate(node.inner) if branch.kind != "null"]
    if not branches:
        return pl.Null(), lambda _raw: None
    if len(branches) == 1:
        only, branch = branches[0]
        dtype, convert = mapped(branch, above)
        return dtype, lambda raw: convert(raw[1]) if raw[0] == only else None
    shorts = [branch.branch_name.rpartition(".")[2] for _, branch in branches]
    names = [s if shorts.count(s) == 1 else b.branch_name for s, (_, b) in zip(shorts, branches, strict=True)]
    columns = {i: (name, *mapped(branch, above)) for name, (i, branch) in zip(names, branches, strict=True)}

    def convert_union(raw: tuple[int, Any]) -> Any:
        if raw[0] not in columns:
            return None
        name, _, convert = columns[raw[0]]
        return dict.fromkeys(names) | {name: convert(raw[1])}

    return pl.Struct({name: dtype for name, dtype, _ in columns.values()}), convert_union


def _mapped_logical(node: Node) -> tuple[pl.DataType, Convert]:
    if node.logical == "decimal":
        if node.precision > MAX_PRECISION:
            return pl.String(), lambda raw: decimal_text(int.from_bytes(raw, "big", signed=True), node.scale)
        return pl.Decimal(node.precision, node.scale), lambda raw: int.from_bytes(raw, "big", signed=True)
    key = (node.logical, node.kind)
    dtype = LOGICAL_TYPES[key if key in LOGICAL_TYPES else (*key, node.size)]
    convert: dict[str | None, Convert] = {
        "time-millis": lambda raw: raw * 1_000_000,
        "time-micros": lambda raw: raw * 1_000,
        "big-decimal": big_decimal_text,
        "uuid": lambda raw: str(uuid.UUID(bytes=raw) if isinstance(raw, bytes) else uuid.UUID(raw)),
        "duration": lambda raw: dict(zip(("months", "days", "milliseconds"), struct.unpack("<III", raw), strict=True)),
    }
    return dtype, convert.get(node.logical, lambda raw: raw)


def decimal_text(unscaled: int, scale: int) -> str:
    """All digits, with `scale` of them after the point."""
    digits = tuple(int(digit) for digit in str(abs(unscaled)))
    return format(Decimal((int(unscaled < 0), digits, -scale)), "f")


def varint(data: bytes, pos: int) -> tuple[int, int]:
    """Read one zig-zag number, and return it and the position after it."""
    value = shift = 0
    while True:
        byte = data[pos]
        pos, value, shift = pos + 1, value | (byte & 127) << shift, shift + 7
        if byte < 128:
            return (value >> 1) ^ -(value & 1), pos


def big_decimal_text(raw: bytes) -> str:
    """The bytes contain the unscaled value, encoded as bytes, and the scale."""
    size, pos = varint(raw, 0)
    scale, _ = varint(raw, pos + size)
    return decimal_text(int.from_bytes(raw[pos : pos + size], "big", signed=True), scale)


def json_tree(node: Node, raw: Any) -> Any:  # noqa: PLR0911  (one return a kind)
    """A value as plain JSON: unions untagged, bytes as code points, logical types ignored."""
    if node.kind == "union":
        return json_tree(node.inner[raw[0]], raw[1])
    if node.kind in ("bytes", "fixed"):
        return raw.decode("latin-1")
    if node.kind in ("float", "double") and not math.isfinite(raw):
        return "NaN" if math.isnan(raw) else "Infinity" if raw > 0 else "-Infinity"
    if node.kind == "array":
        return [json_tree(node.inner[0], item) for item in raw]
    if node.kind == "map":
        return tuple((key, json_tree(node.inner[0], value)) for key, value in raw.items())
    if node.kind == "record":
        return tuple((name, json_tree(inner, value)) for (name, inner), value in zip(node.fields, raw, strict=True))
    return raw


def frame_of(node: Node, rows: list[Any]) -> tuple[pl.Schema, dict[str, list[Any]]]:
    """The schema of the whole frame and its columns' physical values."""
    if node.kind != "record":
        dtype, convert = mapped(node)
        return pl.Schema({"value": dtype}), {"value": [convert(row) for row in rows]}
    columns = [(name, *mapped(inner, (node,))) for name, inner in node.fields]
    values = {name: [convert(row[i]) for row in rows] for i, (name, _, convert) in enumerate(columns)}
    return pl.Schema({name: dtype for name, dtype, _ in columns}), values


def difference(actual: Any, expected: Any, path: str = "") -> str | None:
    """Describe the difference of two physical values. NaN is equal to NaN, and 0.0 is not equal to -0.0."""
    if isinstance(expected, JsonText):
        tree = json.loads(actual, object_pairs_hook=tuple) if isinstance(actual, str) else actual
        return _json_difference(tree, expected.tree, f"{path}<json>")
    if isinstance(expected, list) and isinstance(actual, list):
        if len(actual) != len(expected):
            return f"{path}: {len(actual)} items instead of {len(expected)}"
        found = (difference(a, e, f"{path}[{i}]") for i, (a, e) in enumerate(zip(actual, expected, strict=True)))
    elif isinstance(expected, dict) and isinstance(actual, dict):
        if list(actual) != list(expected):
            return f"{path}: fields {list(actual)} instead of {list(expected)}"
        found = (difference(actual[name], expected[name], f"{path}.{name}") for name in expected)
    else:
        return None if _same_scalar(actual, expected) else f"{path}: {actual!r} instead of {expected!r}"
    return next((text for text in found if text), None)


def _same_scalar(actual: Any, expected: Any) -> bool:
    if type(actual) is not type(expected):
        return False
    if isinstance(expected, float):
        return struct.pack("<d", actual) == struct.pack("<d", expected) or (math.isnan(actual) and math.isnan(expected))
    return actual == expected


def _json_difference(actual: Any, expected: Any, path: str) -> str | None:
    if isinstance(expected, (list, tuple)) and type(actual) is type(expected):
        if len(actual) != len(expected):
            return f"{path}: {len(actual)} entries instead of {len(expected)}"
        found = (_json_difference(a, e, f"{path}[{i}]") for i, (a, e) in enumerate(zip(actual, expected, strict=True)))
        return next((text for text in found if text), None)
    if isinstance(expected, float) and isinstance(actual, (int, float)):
        # The shortest text of a float32 rounds to it, but is not equal to it as a double.
        same = actual == expected or struct.pack("<f", actual) == struct.pack("<f", expected)
    else:
        same = type(actual) is type(expected) and actual == expected
    return None if same else f"{path}: {actual!r} instead of {expected!r}"


def assert_frame(actual: pl.DataFrame, schema: pl.Schema, columns: dict[str, list[Any]], height: int) -> None:
    """Compare dtypes, names, order, height and every value."""
    assert list(actual.schema.items()) == list(schema.items())
    assert actual.height == height
    for name, values in columns.items():
        found = difference(actual[name].to_physical().to_list(), values, name)
        assert found is None, found
