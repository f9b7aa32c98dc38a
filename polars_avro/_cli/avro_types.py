"""Avro schemas as trees, for commands that convert single values."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any

from polars_avro._errors import AvroUnsupportedError

PRIMITIVES = ("null", "boolean", "int", "long", "float", "double", "bytes", "string")
_FULL_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*")
_NAMED = ("record", "error", "enum", "fixed")


@dataclass(eq=False)
class AvroType:
    """
    One type of a schema.

    `name` is the full name of a named type, otherwise the name of the type. `inner` has the branches of a union, the
    items of an array or the values of a map.
    """

    kind: str
    name: str
    inner: list[AvroType] = field(default_factory=list)
    fields: list[tuple[str, AvroType]] = field(default_factory=list)
    symbols: list[str] = field(default_factory=list)
    size: int = 0
    attributes: dict[str, Any] = field(default_factory=dict)

    @property
    def branches(self) -> list[AvroType]:
        """The branches of a union except null."""
        return [branch for branch in self.inner if branch.kind != "null"]


def parse(schema: str) -> AvroType:
    """Return the tree of a valid schema. A type inside itself is an error that names the field."""
    return _Parser().parse(json.loads(schema), "", "")


def plain_schema(root: AvroType, *, aliases: bool = False) -> str:
    """
    Return a schema of the same encoding without logical types, defaults and other attributes.

    Polars' values of dates, decimals and so on do not have all values of Avro; those of the plain types do. Names that
    are not valid, such as those of Java's inner classes, cannot be written, so they are replaced. With `aliases` the
    schema reads files of the original names.
    """
    return json.dumps(_PlainSchema(aliases=aliases).of(root))


class _PlainSchema:
    """Converts types to plain ones. A named type is defined once."""

    def __init__(self, *, aliases: bool) -> None:
        self.aliases = aliases
        self.names: dict[str, str] = {}

    def of(self, node: AvroType) -> Any:
        if node.kind == "union":
            return [self.of(branch) for branch in node.inner]
        if node.kind == "array":
            return {"type": "array", "items": self.of(node.inner[0])}
        if node.kind == "map":
            return {"type": "map", "values": self.of(node.inner[0])}
        if node.kind in PRIMITIVES:
            return node.kind
        return self.names[node.name] if node.name in self.names else self._define(node)

    def _define(self, node: AvroType) -> dict[str, Any]:
        is_valid = _FULL_NAME.fullmatch(node.name) is not None
        name = self.names[node.name] = node.name if is_valid else f"renamed.Type{len(self.names)}"
        named: dict[str, Any] = {"type": node.kind, "name": name}
        if "." not in name:
            # Otherwise the namespace around it would apply.
            named["namespace"] = ""
        if self.aliases and not is_valid:
            named["aliases"] = [node.name]
        if node.kind == "enum":
            return named | {"symbols": node.symbols}
        if node.kind == "fixed":
            return named | {"size": node.size}
        return named | {"fields": [{"name": field, "type": self.of(inner)} for field, inner in node.fields]}


class _Parser:
    """Resolves the names of a schema."""

    def __init__(self) -> None:
        self.names: dict[str, AvroType] = {}
        self.open: list[str] = []

    def parse(self, schema: Any, namespace: str, place: str) -> AvroType:
        if isinstance(schema, list):
            return AvroType("union", "union", [self.parse(branch, namespace, place) for branch in schema])
        if isinstance(schema, str):
            return AvroType(schema, schema) if schema in PRIMITIVES else self._reference(schema, namespace, place)
        kind = schema["type"]
        if kind in ("array", "map"):
            inner = schema["items" if kind == "array" else "values"]
            return AvroType(kind, kind, [self.parse(inner, namespace, place)], attributes=schema)
        if kind in _NAMED:
            return self._define(schema, namespace, place)
        if kind in PRIMITIVES:
            return AvroType(kind, kind, attributes=schema)
        return self.parse(kind, namespace, place)

    def _reference(self, name: str, namespace: str, place: str) -> AvroType:
        qualified = f"{namespace}.{name}" if namespace and "." not in name else name
        found = self.names[qualified if qualified in self.names else name]
        if found.name in self.open:
            msg = f"field `{place}`: `{found.name}` contains itself; this command does not support recursive types"
            raise AvroUnsupportedError(msg)
        return found

    def _define(self, schema: dict[str, Any], namespace: str, place: str) -> AvroType:
        name = schema["name"]
        if "." in name:
            namespace = name.rpartition(".")[0]
        else:
            namespace = schema.get("namespace") or "" if "namespace" in schema else namespace
            name = f"{namespace}.{name}" if namespace else name
        kind = "record" if schema["type"] == "error" else schema["type"]
        node = self.names[name] = AvroType(kind, name, attributes=schema)
        node.symbols, node.size = schema.get("symbols", []), schema.get("size", 0)
        self.open.append(name)
        for each in schema.get("fields", ()):
            inner = f"{place}.{each['name']}" if place else each["name"]
            node.fields.append((each["name"], self.parse(each["type"], namespace, inner)))
        self.open.remove(name)
        return node
