"""Conversion of columns into types that JSON has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl
import polars.selectors as cs

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Polars 1 has no maps.
_MAP: Any = getattr(pl, "Map", ())


def json_columns(schema: Mapping[str, pl.DataType]) -> list[pl.Expr]:
    """
    Return expressions that convert the columns for which JSON has no type.

    Bytes become Base64 text, and keys of maps become text. Maps with nested keys become lists of entries.
    """
    return [_encode(cs.by_name(name).as_expr(), dtype) for name, dtype in schema.items() if _is_encoded(dtype)]


def _is_encoded(dtype: Any) -> bool:
    if isinstance(dtype, pl.Struct):
        return any(_is_encoded(field.dtype) for field in dtype.fields)
    if _MAP and isinstance(dtype, _MAP):
        return dtype.key != pl.String or _is_encoded(dtype.value)
    if isinstance(dtype, (pl.List, pl.Array)):
        return _is_encoded(dtype.inner)
    return dtype == pl.Binary  # type: ignore[no-any-return]


def _encode(values: pl.Expr, dtype: Any) -> pl.Expr:
    if not _is_encoded(dtype):
        return values
    if isinstance(dtype, pl.Struct):
        fields = [_encode(pl.field(field.name), field.dtype) for field in dtype.fields if _is_encoded(field.dtype)]
        return values.struct.with_fields(fields)
    if _MAP and isinstance(dtype, _MAP):
        return _encode_map(values, dtype)
    if isinstance(dtype, pl.Array):
        return _encode(values.arr.to_list(), pl.List(dtype.inner))
    if isinstance(dtype, pl.List):
        return values.list.eval(_encode(pl.element(), dtype.inner))
    return values.bin.encode("base64")


def _encode_map(values: pl.Expr, dtype: Any) -> pl.Expr:
    entries = values.cast(pl.List(pl.Struct({"key": dtype.key, "value": dtype.value})))
    key, value = _encode(pl.field("key"), dtype.key), _encode(pl.field("value"), dtype.value)
    is_nested = dtype.key.is_nested()
    if not is_nested:
        key = key.dt.to_string() if isinstance(dtype.key, pl.Duration) else key.cast(pl.String)
    encoded = entries.list.eval(pl.element().struct.with_fields([key, value]))
    return encoded if is_nested else encoded.cast(_text(dtype))


def _text(dtype: Any) -> Any:
    """Return the dtype of encoded values."""
    if isinstance(dtype, pl.Struct):
        return pl.Struct({field.name: _text(field.dtype) for field in dtype.fields})
    if _MAP and isinstance(dtype, _MAP):
        if dtype.key.is_nested():
            return pl.List(pl.Struct({"key": _text(dtype.key), "value": _text(dtype.value)}))
        return _MAP(pl.String, _text(dtype.value))
    if isinstance(dtype, (pl.List, pl.Array)) and _is_encoded(dtype):
        return pl.List(_text(dtype.inner))
    return pl.String if dtype == pl.Binary else dtype
