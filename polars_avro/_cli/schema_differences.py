"""The first difference of two schemas that are compared as JSON."""

from __future__ import annotations

import json
from typing import Any

#: Attributes that contain types. They are compared first, because they matter more than docs and defaults.
_TYPES = ("fields", "type", "items", "values")
#: Characters of a value in a message.
_SHOWN = 40


def first_difference(schemas: tuple[Any, Any], files: tuple[str, str], field: str = "") -> str | None:
    """Return a clause about the first difference of two schemas, or None if they are equal."""
    one, two = schemas
    owner = f"field `{field}`" if field else "the schema"
    if isinstance(one, dict) and isinstance(two, dict):
        keys = dict.fromkeys([*one, *two])
        differences = (
            _difference(key, schemas, files, field, owner) for key in sorted(keys, key=lambda key: key not in _TYPES)
        )
        return next(filter(None, differences), None)
    if isinstance(one, list) and isinstance(two, list) and len(one) == len(two):
        branches = (first_difference(pair, files, field) for pair in zip(one, two, strict=True))
        return next(filter(None, branches), None)
    return None if _is_same(one, two) else _unequal(f"the type of {owner}", schemas, files)


def _difference(key: str, schemas: tuple[Any, Any], files: tuple[str, str], field: str, owner: str) -> str | None:
    one, two = schemas
    for has, lacks, file in ((one, two, files[1]), (two, one, files[0])):
        if key in has and key not in lacks:
            return f"`{key}` of {owner} is missing in {file}"
    values = one[key], two[key]
    if key == "fields" and all(isinstance(value, list) for value in values):
        return _fields(values, files, field)
    if key in _TYPES:
        return first_difference(values, files, field)
    return None if _is_same(*values) else _unequal(f"`{key}` of {owner}", values, files)


def _fields(lists: tuple[list[Any], list[Any]], files: tuple[str, str], outer: str) -> str | None:
    prefix = f"{outer}." if outer else ""
    one, two = ({field["name"]: field for field in fields} for fields in lists)
    for has, lacks, file in ((one, two, files[1]), (two, one, files[0])):
        for name in has:
            if name not in lacks:
                return f"field `{prefix}{name}` is missing in {file}"
    if list(one) != list(two):
        return f"the fields of {f'field `{outer}`' if outer else 'the schema'} have another order"
    pairs = (first_difference((one[name], two[name]), files, f"{prefix}{name}") for name in one)
    return next(filter(None, pairs), None)


def _is_same(one: Any, two: Any) -> bool:
    # True is equal to 1 in Python.
    return json.dumps(one, sort_keys=True) == json.dumps(two, sort_keys=True)


def _unequal(subject: str, values: tuple[Any, Any], files: tuple[str, str]) -> str:
    texts = (json.dumps(value, ensure_ascii=False) for value in values)
    one, two = (text if len(text) <= _SHOWN else f"{text[: _SHOWN - 3]}..." for text in texts)
    return f"{subject} is {one} in {files[0]} and {two} in {files[1]}"
