"""One schema for files of several: every field that one of them has, of a type that holds the values of all."""

from __future__ import annotations

import json
from typing import Any

from polars_avro._errors import AvroSchemaError

_NAMED = ("record", "error", "enum", "fixed")
#: What two different primitive types are both read as.
_WIDER = {
    frozenset(pair): wider
    for *pair, wider in (
        ("int", "long", "long"),
        ("int", "float", "double"),
        ("int", "double", "double"),
        ("long", "float", "double"),
        ("long", "double", "double"),
        ("float", "double", "double"),
        ("string", "bytes", "bytes"),
    )
}


def union(schemas: list[str]) -> str:
    """
    Merge schemas given as JSON text.

    Fields come in the order in which they are met first. Defaults and aliases are left out: what a file does not have
    is null, as in ``polars.concat(how="diagonal_relaxed")``.
    """
    first, *others = (_Types().parse(json.loads(schema), "") for schema in schemas)
    for other in others:
        first = _Merge().types(first, other, "")
    return json.dumps(_Writer().write(first))


class _Type:
    """A type with its references followed; recursive ones are cycles."""

    def __init__(self, kind: str, name: str = "", **inner: Any) -> None:
        self.kind = kind
        self.name = name
        #: Names of fields and their types, where there are any: fields, items, values, branches.
        self.inner: dict[str, _Type] = {}
        #: Everything else that makes the type what it is: symbols, size, logical type.
        self.attributes: dict[str, Any] = inner


class _Types:
    """The named types of one schema."""

    def __init__(self) -> None:
        self.named: dict[str, _Type] = {}

    def parse(self, schema: Any, namespace: str) -> _Type:
        if isinstance(schema, str):
            return self.named.get(_fullname(schema, namespace)) or self.named.get(schema) or _Type(schema)
        if isinstance(schema, list):
            return self._with_inner(_Type("union"), dict(enumerate(schema)), namespace)
        kind = schema["type"]
        if kind in ("array", "map"):
            step, key = ("[]", "items") if kind == "array" else ("{}", "values")
            return self._with_inner(_Type(kind), {step: schema[key]}, namespace)
        if kind not in _NAMED:
            parsed = self.parse(kind, namespace)
            attributes = {key: schema[key] for key in ("logicalType", "precision", "scale") if key in schema}
            return _Type(parsed.kind, **attributes) if attributes and not parsed.name and not parsed.inner else parsed
        name = _fullname(schema["name"], schema.get("namespace", namespace))
        namespace = name.rpartition(".")[0]
        wanted = ("symbols", "size", "logicalType", "precision", "scale")
        named = _Type(kind.replace("error", "record"), name, **{key: schema[key] for key in wanted if key in schema})
        self.named[name] = named
        return self._with_inner(named, {field["name"]: field["type"] for field in schema.get("fields", ())}, namespace)

    def _with_inner(self, parent: _Type, inner: dict[Any, Any], namespace: str) -> _Type:
        parent.inner = {str(key): self.parse(schema, namespace) for key, schema in inner.items()}
        return parent


class _Merge:
    """Two schemas becoming one."""

    def __init__(self) -> None:
        #: Pairs of named types that were met, for those that refer to themselves.
        self.met: dict[tuple[int, int], _Type] = {}

    def types(self, one: _Type, other: _Type, path: str) -> _Type:
        if "union" in (one.kind, other.kind) or "null" in (one.kind, other.kind):
            return self._unions(_branches(one), _branches(other), path)
        if one.kind != other.kind:
            wider = _WIDER.get(frozenset((one.kind, other.kind)))
            if wider is None or one.attributes or other.attributes:
                raise _differ(one, other, path)
            return _Type(wider)
        met = self.met.get((id(one), id(other)))
        if met is not None:
            return met
        merged = _Type(one.kind, one.name, **one.attributes)
        if one.kind == "enum":
            symbols = [*one.attributes["symbols"], *other.attributes["symbols"]]
            merged.attributes = {"symbols": list(dict.fromkeys(symbols))}
        elif one.attributes != other.attributes:
            raise _differ(one, other, path)
        if one.name:
            self.met[id(one), id(other)] = merged
        for name in dict.fromkeys((*one.inner, *other.inner)):
            mine, theirs = one.inner.get(name), other.inner.get(name)
            step = name if not path or name in {"[]", "{}"} else f".{name}"
            both = self.types(mine, theirs, path + step) if mine and theirs else None
            merged.inner[name] = both or mine or theirs  # type: ignore[assignment]
        return merged

    def _unions(self, one: list[_Type], other: list[_Type], path: str) -> _Type:
        mine = [branch for branch in one if branch.kind != "null"]
        theirs = [branch for branch in other if branch.kind != "null"]
        if len(mine) == len(theirs) == 1:
            merged = [self.types(mine[0], theirs[0], path)]
        else:
            merged = list(mine)
            for branch in theirs:
                same = next((i for i, known in enumerate(merged) if _word(known) == _word(branch)), None)
                if same is None:
                    merged.append(branch)
                else:
                    merged[same] = self.types(merged[same], branch, path)
        # A null was left out above.
        if len(mine) + len(theirs) < len(one) + len(other):
            merged = [_Type("null"), *merged]
        union = _Type("union")
        union.inner = {str(i): branch for i, branch in enumerate(merged)}
        return union


class _Writer:
    """A schema as JSON again. Types that have the same name but differ get names of their own."""

    def __init__(self) -> None:
        self.names: dict[int, str] = {}

    def write(self, schema: _Type) -> Any:
        if schema.kind == "union":
            return [self.write(branch) for branch in schema.inner.values()]
        if id(schema) in self.names:
            return self.names[id(schema)]
        written: dict[str, Any] = {"type": schema.kind, **schema.attributes}
        if schema.kind == "array":
            written["items"] = self.write(schema.inner["[]"])
        elif schema.kind == "map":
            written["values"] = self.write(schema.inner["{}"])
        elif schema.kind in _NAMED:
            name, number = schema.name, 2
            while name in self.names.values():
                name, number = f"{schema.name}_{number}", number + 1
            self.names[id(schema)] = name
            # Without a namespace the name would be read in the one around it.
            written |= {"name": name} if "." in name else {"name": name, "namespace": ""}
            if schema.kind == "record":
                written["fields"] = [{"name": key, "type": self.write(inner)} for key, inner in schema.inner.items()]
        return written if len(written) > 1 else schema.kind


def _branches(schema: _Type) -> list[_Type]:
    return list(schema.inner.values()) if schema.kind == "union" else [schema]


def _fullname(name: str, namespace: str) -> str:
    return name if "." in name or not namespace else f"{namespace}.{name}"


def _word(schema: _Type) -> str:
    return schema.name or schema.kind


def _differ(one: _Type, other: _Type, path: str) -> AvroSchemaError:
    def text(schema: _Type) -> str:
        words = [schema.kind, schema.name, *(f"{value}" for value in schema.attributes.values())]
        return " ".join(word for word in words if word)

    error = AvroSchemaError(
        f"field `{path}` is {text(one)} in one file and {text(other)} in another: no type holds both"
    )
    error.field = path
    return error
