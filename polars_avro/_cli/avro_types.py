"""Avro schemas as trees, for commands that convert single values."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from polars_avro._errors import AvroUnsupportedError

PRIMITIVES = ("null", "boolean", "int", "long", "float", "double", "bytes", "string")
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


def plain_schema(root: AvroType) -> str:
    """
    Return a schema of the same encoding without logical types, defaults and other attributes.

    Polars' values of dates, decimals and so on do not have all values of Avro; those of the plain types do.
    """
    return json.dumps(_plain(root, set()))


def _plain(node: AvroType, defined: set[str]) -> Any:  # noqa: PLR0911  (one return a kind)
    if node.kind == "union":
        return [_plain(branch, defined) for branch in node.inner]
    if node.kind == "array":
        return {"type": "array", "items": _plain(node.inner[0], defined)}
    if node.kind == "map":
        return {"type": "map", "values": _plain(node.inner[0], defined)}
    if node.kind in PRIMITIVES or node.name in defined:
        return node.name
    defined.add(node.name)
    named: dict[str, Any] = {"type": node.kind, "name": node.name}
    if "." not in node.name:
        # Otherwise the namespace around it would apply.
        named["namespace"] = ""
    if node.kind == "enum":
        return named | {"symbols": node.symbols}
    if node.kind == "fixed":
        return named | {"size": node.size}
    return named | {"fields": [{"name": name, "type": _plain(inner, defined)} for name, inner in node.fields]}


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
