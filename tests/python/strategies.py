"""Random schemas, rows and container files, for hypothesis.

Shapes (schema, codec, block size, number of rows) are drawn, so that hypothesis can shrink them. Values come from a
generator with a drawn seed, because thousands of draws per file would take too long.
"""

from __future__ import annotations

import io
import random
import string
import struct
import uuid
from dataclasses import dataclass, field
from typing import Any

import expected
import fastavro
from expected import Node
from hypothesis import strategies as st

CODECS = ("null", "deflate", "snappy", "zstandard", "bzip2", "xz")
PRIMITIVES = tuple(expected.PRIMITIVES)
UNITS = ("millis", "micros", "nanos")
LOGICAL_TYPES = (
    {"type": "int", "logicalType": "date"},
    {"type": "int", "logicalType": "time-millis"},
    {"type": "long", "logicalType": "time-micros"},
    {"type": "string", "logicalType": "uuid"},
    {"type": "bytes", "logicalType": "big-decimal"},
    *({"type": "long", "logicalType": f"timestamp-{unit}"} for unit in UNITS),
    *({"type": "long", "logicalType": f"local-timestamp-{unit}"} for unit in UNITS),
)
#: Logical types that a reader must ignore: unknown ones, or on the wrong base type. fastavro refuses invalid decimals.
IGNORED_LOGICAL_TYPES = (
    {"type": "string", "logicalType": "no-such-type"},
    {"type": "long", "logicalType": "date"},
    {"type": "int", "logicalType": "timestamp-millis"},
    {"type": "bytes", "logicalType": "uuid"},
)
MAX_DEPTH = 3


@dataclass
class File:
    """A container file and its rows."""

    schema: Any
    data: bytes
    rows: int

    def __repr__(self) -> str:
        return f"File(schema={self.schema!r}, rows={self.rows}, data={self.data!r})"


@dataclass
class Scope:
    """The named types that may be referenced."""

    draw: Any
    count: int = 0
    closed: list[str] = field(default_factory=list)
    open: list[str] = field(default_factory=list)

    def declare(self, namespace: str) -> tuple[dict[str, Any], str, str]:
        """A new name: its attributes, its full name and the namespace inside it."""
        self.count += 1
        # There are few short names, so that they repeat in several namespaces.
        short = f"T{self.count % 3}" if self.draw(st.booleans()) else f"T{self.count}"
        spelling = self.draw(st.sampled_from(("inherit", "attribute", "dotted")))
        if spelling != "inherit":
            namespace = f"n{self.count}" if self.draw(st.booleans()) else f"n.m{self.count}"
        full = f"{namespace}.{short}" if namespace else short
        if full in (*self.closed, *self.open):
            short, full = f"T{self.count}x", f"{full.rpartition('.')[0]}.T{self.count}x".lstrip(".")
        if spelling == "dotted":
            return {"name": full}, full, namespace
        attributes = {"name": short} | ({"namespace": namespace} if spelling == "attribute" else {})
        return attributes, full, namespace


def reference(full: str, namespace: str) -> str | None:
    """The reference to `full` inside `namespace`. A name without a namespace cannot be referenced inside one."""
    if "." not in full:
        return None if namespace else full
    prefix, _, short = full.rpartition(".")
    return short if prefix == namespace else full


def any_type(scope: Scope, namespace: str, depth: int, *, in_union: bool = False) -> Any:  # noqa: PLR0911  (one return a kind)
    """One schema of any kind."""
    kinds = ["primitive", "primitive", "logical", "ignored", "enum", "fixed", "named"]
    if depth < MAX_DEPTH:
        kinds += ["array", "map", "record", "recursive"] + ([] if in_union else ["nullable", "nullable", "union"])
    kind = scope.draw(st.sampled_from(kinds))
    if kind == "logical":
        return dict(scope.draw(st.sampled_from(LOGICAL_TYPES)))
    if kind == "ignored":
        return dict(scope.draw(st.sampled_from(IGNORED_LOGICAL_TYPES)))
    if kind in ("array", "map"):
        return {"type": kind, "items" if kind == "array" else "values": any_type(scope, namespace, depth + 1)}
    if kind == "record":
        return record(scope, namespace, depth)
    if kind == "enum":
        return enumeration(scope, namespace)
    if kind == "fixed":
        return fixed(scope, namespace)
    if kind in ("nullable", "union"):
        return union(scope, namespace, depth, kind)
    known = [name for full in scope.closed if (name := reference(full, namespace))]
    if kind == "named" and known:
        return scope.draw(st.sampled_from(known))
    above = [name for full in scope.open if (name := reference(full, namespace))]
    if kind == "recursive" and above:
        return finite(scope.draw(st.sampled_from(above)), scope.draw(st.integers(0, 3)), in_union=in_union)
    primitive = scope.draw(st.sampled_from(PRIMITIVES))
    return {"type": primitive} if scope.draw(st.booleans()) else primitive


def finite(name: str, shape: int, *, in_union: bool) -> Any:
    """A reference to an enclosing record, in a type that allows finite values."""
    shapes = [{"type": "array", "items": name}, {"type": "map", "values": name}]
    if not in_union:
        shapes += [["null", name], [name, "null", "int"]]
    return shapes[shape % len(shapes)]


def record(scope: Scope, namespace: str, depth: int) -> Any:
    """A record of zero to five fields."""
    attributes, full, inside = scope.declare(namespace)
    scope.open.append(full)
    count = scope.draw(st.integers(0, 5))
    fields = [{"name": f"f{i}", "type": any_type(scope, inside, depth + 1)} for i in range(count)]
    scope.open.remove(full)
    scope.closed.append(full)
    return {"type": "record", **attributes, "fields": fields}


def enumeration(scope: Scope, namespace: str) -> Any:
    """An enum of one to four symbols, or of more than fit a byte."""
    attributes, full, _ = scope.declare(namespace)
    scope.closed.append(full)
    count = scope.draw(st.sampled_from((1, 2, 4, 300)))
    return {"type": "enum", **attributes, "symbols": [f"s{i}" for i in range(count)]}


def fixed(scope: Scope, namespace: str) -> Any:
    """A fixed, optionally with a logical type."""
    attributes, full, _ = scope.declare(namespace)
    scope.closed.append(full)
    decimal = {"logicalType": "decimal", "scale": 3}
    variants = (
        {"size": 0},
        {"size": 5},
        {"size": 40},
        {"size": 12, "logicalType": "duration"},
        {"size": 11, "logicalType": "duration"},
        {"size": 16, "logicalType": "uuid"},
        {"size": 4, **decimal, "precision": 9},
        {"size": 16, **decimal, "precision": 38},
        {"size": 20, **decimal, "precision": 30},
        {"size": 32, **decimal, "precision": 76},
    )
    return {"type": "fixed", **attributes, **scope.draw(st.sampled_from(variants))}


def union(scope: Scope, namespace: str, depth: int, kind: str) -> Any:
    """A union: nullable in either order, of one branch, or of several."""
    wanted = 1 if kind == "nullable" else scope.draw(st.integers(1, 4))
    branches: list[Any] = ["null"] if kind == "nullable" or scope.draw(st.booleans()) else []
    keys = {branch_key(branch, namespace) for branch in branches}
    for _ in range(wanted):
        declared = list(scope.closed)
        branch = any_type(scope, namespace, depth + 1, in_union=True)
        if (key := branch_key(branch, namespace)) in keys:
            scope.closed = declared
            continue
        keys.add(key)
        branches.append(branch)
    # A type must be declared before it is referenced, so only the null may move.
    if "null" in branches:
        branches.remove("null")
        branches.insert(scope.draw(st.integers(0, len(branches))), "null")
    return branches


def branch_key(branch: Any, namespace: str) -> str:
    """Return the key by which the branches of a union must differ."""
    if isinstance(branch, str):
        return branch if branch in PRIMITIVES or "." in branch or not namespace else f"{namespace}.{branch}"
    if "name" not in branch:
        return branch["type"]
    if "." in branch["name"]:
        return branch["name"]
    return f"{branch.get('namespace', namespace)}.{branch['name']}".lstrip(".")


@st.composite
def schemas(draw: Any, *, record_root: bool = False) -> Any:
    """A schema, whose root is usually a record and sometimes another type."""
    scope = Scope(draw)
    if record_root or draw(st.integers(0, 5)) > 0:
        return record(scope, "", 0)
    return any_type(scope, "", 1)


@st.composite
def decimals(draw: Any) -> Any:
    """A decimal on bytes of any precision."""
    precision = draw(st.integers(1, 60))
    scale = draw(st.integers(0, precision))
    return {"type": "bytes", "logicalType": "decimal", "precision": precision, "scale": scale}


@st.composite
def files(draw: Any, *, record_root: bool = False) -> File:
    """A container file, written by fastavro."""
    schema = draw(schemas(record_root=record_root))
    if isinstance(schema, dict) and schema.get("fields"):
        for i in range(draw(st.integers(0, 2))):
            schema["fields"].append({"name": f"d{i}", "type": draw(decimals())})
    node = expected.parse(schema)
    values = Values(random.Random(draw(st.integers(0, 2**32))))
    rows = [values.of(node) for _ in range(draw(st.sampled_from((0, 1, 2, 7, 40, 200))))]
    out = io.BytesIO()
    fastavro.writer(
        out,
        fastavro.parse_schema(schema),
        rows,
        codec=draw(st.sampled_from(CODECS)),
        sync_interval=draw(st.sampled_from((0, 1, 50, 400, 16_000))),
        metadata=draw(st.sampled_from(({}, {"user": "metadata"}))),
    )
    return File(schema, out.getvalue(), len(rows))


class Values:
    """Random values of a type as fastavro accepts them. A value of a union is a pair of branch and value."""

    def __init__(self, source: random.Random) -> None:
        self.random = source
        self.depth = 0

    def of(self, node: Node) -> Any:
        """One value."""
        if node.logical in LOGICAL_VALUES:
            return LOGICAL_VALUES[node.logical](self.random, node)
        if node.kind in SCALARS:
            return SCALARS[node.kind](self.random, node)
        self.depth += 1
        try:
            return self.nested(node)
        finally:
            self.depth -= 1

    def nested(self, node: Node) -> Any:
        """One value of a complex type."""
        longest = 0 if self.depth > 8 else self.random.choice((0, 1, 3, 5))
        if node.kind == "array":
            return [self.of(node.inner[0]) for _ in range(longest)]
        if node.kind == "map":
            return {text(self.random, node): self.of(node.inner[0]) for _ in range(longest)}
        if node.kind == "record":
            return {name: self.of(inner) for name, inner in node.fields}
        nulls = [branch for branch in node.inner if branch.kind == "null"]
        branch = nulls[0] if nulls and self.depth > 8 else self.random.choice(node.inner)
        return None if branch.kind == "null" else (branch.name or branch.kind, self.of(branch))


def integer(bits: int) -> Any:
    """Signed numbers of any length in bytes, including the extremes."""

    def draw(source: random.Random, _: Node) -> int:
        size = source.randint(1, bits)
        extremes = (-(2 ** (size - 1)), 2 ** (size - 1) - 1)
        return source.choice((0, -1, *extremes, source.randint(*extremes)))

    return draw


def floating(code: str) -> Any:
    """Any bit pattern of a float, with a bias to special ones."""

    def draw(source: random.Random, _: Node) -> float:
        special = (0.0, -0.0, 0.1, float("nan"), float("inf"), float("-inf"))
        bits = source.choice((source.randbytes(struct.calcsize(code)), struct.pack(code, source.choice(special))))
        return struct.unpack(code, bits)[0]

    return draw


def text(source: random.Random, _: Node) -> str:
    """Texts of about twelve bytes, which fit into a string view, and some much longer ones."""
    alphabet = source.choice((string.ascii_letters, 'aé€😀\u0000"\\\n', "0"))
    return "".join(source.choices(alphabet, k=source.choice((0, 1, 5, 11, 12, 13, 40, 300))))


def binary(source: random.Random, node: Node) -> bytes:
    """Any bytes."""
    return source.randbytes(node.size if node.kind == "fixed" else source.choice((0, 1, 12, 13, 100)))


def decimal(source: random.Random, node: Node) -> bytes:
    """An unscaled value of the precision, sign-extended by any number of bytes."""
    digits = source.randint(1, node.precision)
    value = source.choice((1, -1)) * source.choice((0, 10**digits - 1, source.randrange(10**digits)))
    size = node.size or value.bit_length() // 8 + 1 + source.choice((0, 0, 1, 20))
    return b"" if value == 0 and not node.size and source.random() < 0.5 else value.to_bytes(size, "big", signed=True)


def big_decimal(source: random.Random, _: Node) -> bytes:
    """An unscaled value and a scale, as bytes inside bytes."""
    value, scale = source.randint(-(10**50), 10**50) // 10 ** source.randint(0, 50), source.randint(0, 60)
    size = value.bit_length() // 8 + 1
    return bytes([size * 2]) + value.to_bytes(size, "big", signed=True) + bytes([*varint(scale)])


def varint(value: int) -> list[int]:
    """A non-negative number in zig-zag encoding."""
    value *= 2
    return [value] if value < 128 else [value & 127 | 128, value >> 7]


def identifier(source: random.Random, node: Node) -> str | bytes:
    """A UUID in one of the spellings of its standard."""
    value = uuid.UUID(bytes=source.randbytes(16))
    return value.bytes if node.kind == "fixed" else source.choice((str(value), str(value).upper()))


SCALARS = {
    "null": lambda _source, _node: None,
    "boolean": lambda source, _node: source.random() < 0.5,
    "int": integer(32),
    "long": integer(64),
    "float": floating("<f"),
    "double": floating("<d"),
    "bytes": binary,
    "string": text,
    "fixed": binary,
    "enum": lambda source, node: source.choice(node.symbols),
}
LOGICAL_VALUES = {
    "time-millis": lambda source, _node: source.randrange(86_400_000),
    "time-micros": lambda source, _node: source.randrange(86_400_000_000),
    "decimal": decimal,
    "big-decimal": big_decimal,
    "uuid": identifier,
}
