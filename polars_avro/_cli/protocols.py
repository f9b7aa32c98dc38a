"""Schemas of the types that an Avro protocol defines (specification, "Protocol Declaration")."""

from __future__ import annotations

import copy
from typing import Any

from polars_avro._errors import AvroSchemaError


def schemas(protocol: Any) -> dict[str, Any]:
    """Return the schemas of a protocol by their full names. Each schema contains the definitions that it needs."""
    if not isinstance(protocol, dict) or "protocol" not in protocol:
        msg = "this is no protocol: it has no attribute `protocol`"
        raise AvroSchemaError(msg)
    types = protocol.get("types", [])
    if not isinstance(types, list) or not all(isinstance(each, dict) and "name" in each for each in types):
        msg = "`types` of the protocol must be a list of named types"
        raise AvroSchemaError(msg)
    in_name, _, _ = str(protocol["protocol"]).rpartition(".")
    namespace = in_name or protocol.get("namespace", "")
    definitions: dict[str, Any] = {}
    for each in types:
        _collect(each, namespace, definitions)
    return {_full_name(each, namespace): _written_out(each, namespace, definitions, set()) for each in types}


def _full_name(named: dict[str, Any], namespace: str) -> str:
    name = str(named["name"])
    if "." in name:
        return name
    namespace = named.get("namespace", namespace)
    return f"{namespace}.{name}" if namespace else name


def _collect(schema: Any, namespace: str, definitions: dict[str, Any]) -> None:
    """Find the definitions of all named types, also those inside others."""
    if isinstance(schema, list):
        for branch in schema:
            _collect(branch, namespace, definitions)
    elif isinstance(schema, dict):
        if "name" in schema:
            full_name = _full_name(schema, namespace)
            definitions[full_name] = (schema, namespace)
            namespace = full_name.rpartition(".")[0]
        for inner in _inner(schema):
            _collect(inner, namespace, definitions)


def _inner(schema: dict[str, Any]) -> list[Any]:
    """Return the types inside a type."""
    inner = [field["type"] for field in schema.get("fields", [])]
    inner += [schema[key] for key in ("items", "values") if key in schema]
    return inner + ([schema["type"]] if isinstance(schema.get("type"), (dict, list)) else [])


def _written_out(schema: Any, namespace: str, definitions: dict[str, Any], written: set[str]) -> Any:
    """Return a type in which the first reference to each named type is replaced by its definition."""
    if isinstance(schema, list):
        return [_written_out(branch, namespace, definitions, written) for branch in schema]
    if isinstance(schema, str):
        inside = f"{namespace}.{schema}" if namespace and "." not in schema else schema
        full_name = inside if inside in definitions else schema
        if full_name not in definitions or full_name in written:
            return full_name
        definition, around = definitions[full_name]
        return _written_out(definition, around, definitions, written)
    schema = copy.copy(schema)
    if "name" in schema:
        full_name = _full_name(schema, namespace)
        if full_name in written:
            return full_name
        written.add(full_name)
        namespace, _, schema["name"] = full_name.rpartition(".")
        # Written even if empty, because the definition may be inside another namespace.
        schema["namespace"] = namespace
    if "fields" in schema:
        fields = schema["fields"]
        schema["fields"] = [
            {**field, "type": _written_out(field["type"], namespace, definitions, written)} for field in fields
        ]
    for key in ("items", "values"):
        if key in schema:
            schema[key] = _written_out(schema[key], namespace, definitions, written)
    if isinstance(schema.get("type"), (dict, list)):
        schema["type"] = _written_out(schema["type"], namespace, definitions, written)
    return schema
