"""Selection of columns, and of fields of structs by their paths."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Mapping
from typing import Any

import polars as pl
from polars.exceptions import ColumnNotFoundError, InvalidOperationError

from polars_avro import _suggestions


def selection(columns: Any, schema: pl.Schema, *, option: str = "columns", owner: str = "file") -> list[str]:
    """Return the selected columns in order, as names and paths to fields of structs."""
    if isinstance(columns, Mapping):
        msg = f"`{option}` must be a name, an index or a list of them, got {type(columns).__name__!r}"
        raise TypeError(msg)
    is_single = isinstance(columns, (str, bytes, bool)) or not isinstance(columns, Iterable)
    columns = [columns] if is_single else columns
    selected = [name for column in columns for name in _selected(column, schema, option, owner)]
    if len(set(selected)) != len(selected):
        msg = f"`{option}` names a {option[:-1]} twice: {selected}"
        raise ValueError(msg)
    return selected


def _selected(column: Any, schema: pl.Schema, option: str, owner: str) -> list[str]:
    if isinstance(column, str):
        if _has(schema, column):
            return [column]
        if column == "*" or (column.startswith("^") and column.endswith("$")):
            return _matching(column, schema, option)
        pattern = "; a pattern begins with ^ and ends with $" if column.startswith("^") else ""
        hint = pattern or _hint(schema, column, option)
        msg = f"`{option}`: {column!r} is none of the {owner}'s {option}, nor a field of one{hint}"
        raise ColumnNotFoundError(msg)
    if isinstance(column, bool) or not hasattr(column, "__index__"):
        msg = f"`{option}` must hold names or indices, got {column!r} of type {type(column).__name__!r}"
        raise TypeError(msg)
    index, names = operator.index(column), schema.names()
    if not 0 <= index < len(names):
        msg = f"`{option}`: index {index} is out of range; the {owner} has {len(names)} {option}, counted from 0"
        raise ColumnNotFoundError(msg)
    return [names[index]]


def _matching(pattern: str, schema: pl.Schema, option: str) -> list[str]:
    """Return the columns that a pattern stands for, which Polars expands without a query."""
    try:
        return pl.LazyFrame(schema=schema).select(pattern).collect_schema().names()
    except InvalidOperationError as error:
        msg = f"`{option}`: {pattern!r} is not a valid pattern: {str(error).partition(chr(10))[0]}"
        raise ValueError(msg) from None


def top_level(fields: Mapping[str, Any], path: str) -> str | None:
    """Return the field that a path begins with; if several match, the one with the longest name."""
    if path in fields:
        return path
    return max((name for name in fields if path.startswith(f"{name}.")), key=len, default=None)


def _has(fields: Mapping[str, Any], path: str) -> bool:
    """Return whether a path leads to one of these fields or to a nested field."""
    name = top_level(fields, path)
    return name is not None and (name == path or _has(_fields(fields[name]), path[len(name) + 1 :]))


def project(fields: Mapping[str, Any], paths: Iterable[str]) -> dict[str, Any]:
    """Return the dtypes that a selection has: of structs only the fields that its paths lead into."""
    subpaths: dict[str, list[str]] = {}
    for path in paths:
        name = top_level(fields, path)
        assert name is not None
        subpaths.setdefault(name, []).append(path[len(name) + 1 :])
    return {name: _project(fields[name], inside) for name, inside in subpaths.items()}


def _project(dtype: Any, paths: list[str]) -> Any:
    if "" in paths:
        if len(paths) > 1:
            msg = f"`columns` names a struct and a field of it: {paths[-1] or paths[0]!r}"
            raise ValueError(msg)
        return dtype
    if isinstance(dtype, pl.Struct):
        return pl.Struct(project(_fields(dtype), paths))
    if isinstance(dtype, pl.List):
        return pl.List(_project(dtype.inner, paths))
    return type(dtype)(dtype.key, _project(dtype.value, paths))


def _hint(fields: Mapping[str, Any], path: str, option: str, prefix: str = "") -> str:
    """Return what a path that leads nowhere may have meant: names in place of its first part that does not exist."""
    name = top_level(fields, path)
    inner = {} if name is None else _fields(fields[name])
    if not inner:
        return _suggestions.hint(path, fields, option, prefix=prefix)
    return _hint(inner, path[len(f"{name}.") :], option, f"{prefix}{name}.")


def _fields(dtype: Any) -> Mapping[str, Any]:
    """Return the fields of a struct, or of the struct inside lists or maps."""
    if isinstance(dtype, pl.Struct):
        return {field.name: field.dtype for field in dtype.fields}
    inside = getattr(dtype, "value", None) or getattr(dtype, "inner", None)
    return {} if inside is None else _fields(inside)
