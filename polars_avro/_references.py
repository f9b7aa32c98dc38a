"""Schema references: a registry stores the types that a schema refers to as separate schemas."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable

References: TypeAlias = "Sequence[Mapping[str, str | int]]"
"""References of a schema: each has ``"name"``, ``"subject"`` and ``"version"``."""

_KEYS = {"name": str, "subject": str, "version": int}
_NAMED = ("record", "error", "enum", "fixed")
_PRIMITIVES = ("null", "boolean", "int", "long", "float", "double", "bytes", "string")


def check(references: Any) -> list[dict[str, Any]]:
    """Check the argument `references`, and return it as objects of JSON."""
    if references is None:
        return []
    if isinstance(references, (str, bytes, Mapping)) or not isinstance(references, Sequence):
        msg = f"`references` must be a list of mappings, got {type(references).__name__!r}"
        raise TypeError(msg)
    for i, reference in enumerate(references):
        if not isinstance(reference, Mapping):
            msg = f"`references[{i}]` must be a mapping, got {type(reference).__name__!r}"
            raise TypeError(msg)
        if reference.keys() != _KEYS.keys():
            msg = f"`references[{i}]` must have the keys {', '.join(map(repr, _KEYS))}, got {list(reference)}"
            raise ValueError(msg)
        for key, kind in _KEYS.items():
            if not isinstance(reference[key], kind) or isinstance(reference[key], bool):
                msg = f"`references[{i}][{key!r}]` must be {kind.__name__}, got {reference[key]!r}"
                raise TypeError(msg)
    return [dict(reference) for reference in references]


def inline(schema: Any, referenced: Iterable[Any]) -> Any:
    """Define the named types of the referenced schemas at their first use."""
    definitions: dict[str, tuple[Any, str]] = {}
    for other in referenced:
        _collect(other, "", definitions)
    return _Inliner(definitions).walk(schema, "")


def _full_name(schema: dict[str, Any], namespace: str) -> tuple[str, str]:
    """Return the full name of a named type, and the namespace inside it."""
    name = schema["name"]
    if "." in name:
        return name, name.rpartition(".")[0]
    namespace = schema.get("namespace", namespace) or ""
    return _qualified(name, namespace), namespace


def _qualified(name: str, namespace: str) -> str:
    return f"{namespace}.{name}" if namespace and "." not in name else name


def _collect(schema: Any, namespace: str, definitions: dict[str, tuple[Any, str]]) -> None:
    """Add every named type of a schema to `definitions`, with its enclosing namespace."""
    if isinstance(schema, list):
        for branch in schema:
            _collect(branch, namespace, definitions)
    elif isinstance(schema, dict):
        if schema.get("type") in _NAMED:
            name, inside = _full_name(schema, namespace)
            definitions.setdefault(name, (schema, namespace))
            for field in schema.get("fields", []):
                _collect(field["type"], inside, definitions)
        else:
            for key in ("type", "items", "values"):
                _collect(schema.get(key), namespace, definitions)


class _Inliner:
    def __init__(self, definitions: dict[str, tuple[Any, str]]) -> None:
        self.definitions = definitions
        self.defined: set[str] = set()

    def walk(self, schema: Any, namespace: str) -> Any:
        """Return the schema with every named type defined at its first use, under its full name."""
        if isinstance(schema, list):
            return [self.walk(branch, namespace) for branch in schema]
        if isinstance(schema, str):
            return self.use(schema, namespace)
        if not isinstance(schema, dict):
            return schema
        if schema.get("type") in _NAMED:
            return self.define(schema, namespace)
        walked = {key: self.walk(schema[key], namespace) for key in ("type", "items", "values") if key in schema}
        return {**schema, **walked}

    def use(self, name: str, namespace: str) -> Any:
        full = _qualified(name, namespace)
        if name in _PRIMITIVES or full in self.defined or full not in self.definitions:
            return name
        definition, around = self.definitions[full]
        return self.define(definition, around)

    def define(self, schema: dict[str, Any], namespace: str) -> Any:
        full, inside = _full_name(schema, namespace)
        if full in self.defined:
            return full
        self.defined.add(full)
        # The enclosing namespace may differ from the one that the type was defined in.
        defined = {**schema, "name": full.rpartition(".")[2], "namespace": full.rpartition(".")[0]}
        if "fields" in schema:
            defined["fields"] = [{**field, "type": self.walk(field["type"], inside)} for field in schema["fields"]]
        return defined
