"""Dtypes: their text on the command line, as `polars-avro schema` prints it, and changes of those inside others."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

import click
import polars as pl
from polars.exceptions import PolarsError

from polars_avro._sources import stores

if TYPE_CHECKING:
    from collections.abc import Callable

_PLAIN = (
    *("Int8", "Int16", "Int32", "Int64", "Int128", "UInt8", "UInt16", "UInt32", "UInt64", "UInt128"),
    *("Float16", "Float32", "Float64", "Boolean", "String", "Utf8", "Binary", "Null"),
    *("Date", "Time", "Datetime", "Duration", "Categorical"),
)
#: Dtypes that need parameters.
_NESTED = ("Decimal", "List", "Array", "Struct", "Map", "Enum")
_OPENING, _CLOSING = "([{", ")]}"


#: Polars 1 has no maps.
MAP: Any = getattr(pl, "Map", ())


def changed(dtype: Any, change: Callable[[Any], Any], make_map: Callable[[Any, Any], Any] = MAP) -> Any:
    """Return a dtype with a change of the dtypes inside it that have no others inside."""
    if isinstance(dtype, pl.Struct):
        return pl.Struct({field.name: changed(field.dtype, change, make_map) for field in dtype.fields})
    if MAP and isinstance(dtype, MAP):
        return make_map(changed(dtype.key, change, make_map), changed(dtype.value, change, make_map))
    if isinstance(dtype, pl.Array):
        return pl.Array(changed(dtype.inner, change, make_map), dtype.size)
    if isinstance(dtype, pl.List):
        return pl.List(changed(dtype.inner, change, make_map))
    return change(dtype)


def entries(key: Any, value: Any) -> pl.List:
    """Return the dtype of a map's entries. Polars casts the keys of entries, but not those of a Map."""
    return pl.List(pl.Struct({"key": key, "value": value}))


def parse(text: str) -> dict[str, Any]:
    """Return the dtypes of `NAME=DTYPE,...` by their names."""
    dtypes = {}
    for item in _split(text):
        name, equals, dtype = item.partition("=")
        if not equals or not name.strip() or "://" in name:
            shown = stores.shown(item)
            msg = f"--schema: expected an .avsc file, JSON, or NAME=DTYPE with a dtype such as Int64, got {shown!r}"
            raise click.UsageError(msg)
        dtypes[name.strip()] = _dtype(dtype.strip())
    return dtypes


def _split(text: str) -> list[str]:
    """Split a text at the commas that are outside of parentheses and quotes."""
    items, depth, quote, start = [], 0, "", 0
    for i, character in enumerate(text):
        if quote:
            quote = "" if character == quote else quote
        elif character in "'\"":
            quote = character
        elif character in _OPENING:
            depth += 1
        elif character in _CLOSING:
            depth -= 1
        elif character == "," and depth == 0:
            items.append(text[start:i])
            start = i + 1
    return [*items, text[start:]]


def _dtype(text: str) -> Any:
    try:
        dtype = _value(ast.parse(text, mode="eval").body)
        if dtype is pl.Decimal:
            msg = "a Decimal needs its precision and scale"
            raise ValueError(msg)
        if not isinstance(dtype, pl.DataType):
            # A dtype without parameters is a class, whose defaults make a dtype. Those of nested dtypes are missing.
            dtype = dtype()
    except (SyntaxError, ValueError, TypeError, AttributeError, RecursionError, MemoryError, PolarsError) as error:
        msg = (
            f"--schema: no dtype {text!r}: expected one of {', '.join(filter(_is_known, _PLAIN))}, or with parameters "
            "such as Datetime(time_unit='ms', time_zone='UTC'), Decimal(10, 2), List(Int32), Enum(['a', 'b'])"
        )
        raise click.UsageError(msg) from error
    return dtype


def _is_known(name: str) -> bool:
    return hasattr(pl, name)


def _value(node: ast.expr) -> Any:
    """Evaluate names of dtypes, their calls, literals, and collections of these."""
    if isinstance(node, ast.Call):
        arguments = [_value(argument) for argument in node.args]
        named = {_keyword(keyword): _value(keyword.value) for keyword in node.keywords}
        return _value(node.func)(*arguments, **named)
    if isinstance(node, ast.Name) and node.id in (*_PLAIN, *_NESTED):
        return getattr(pl, node.id)
    if isinstance(node, (ast.List, ast.Tuple)):
        elements = [_value(element) for element in node.elts]
        return elements if isinstance(node, ast.List) else tuple(elements)
    if isinstance(node, ast.Dict):
        return {_value(key): _value(value) for key, value in zip(node.keys, node.values, strict=True) if key}
    if isinstance(node, ast.Constant) and (node.value is None or isinstance(node.value, (int, str))):
        return node.value
    msg = "neither a dtype nor a literal"
    raise ValueError(msg)


def _keyword(keyword: ast.keyword) -> str:
    if keyword.arg is None:
        msg = "`**` is no parameter of a dtype"
        raise ValueError(msg)
    return keyword.arg
