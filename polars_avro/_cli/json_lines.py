"""Columns as JSON can have them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl
import polars.selectors as cs

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Maps came with Polars 2.
_MAP: Any = getattr(pl, "Map", ())


def json_columns(schema: Mapping[str, pl.DataType]) -> list[pl.Expr]:
    """Return expressions for the columns that hold bytes: JSON has none, so they become text in Base64."""
    return [_encode(cs.by_name(name).as_expr(), dtype) for name, dtype in schema.items() if _has_bytes(dtype)]


def _has_bytes(dtype: Any) -> bool:
    if isinstance(dtype, pl.Struct):
        return any(_has_bytes(field.dtype) for field in dtype.fields)
    if _MAP and isinstance(dtype, _MAP):
        return _has_bytes(dtype.key) or _has_bytes(dtype.value)
    if isinstance(dtype, (pl.List, pl.Array)):
        return _has_bytes(dtype.inner)
    return dtype == pl.Binary  # type: ignore[no-any-return]


def _encode(values: pl.Expr, dtype: Any) -> pl.Expr:
    if not _has_bytes(dtype):
        return values
    if isinstance(dtype, pl.Struct):
        fields = [_encode(pl.field(field.name), field.dtype) for field in dtype.fields if _has_bytes(field.dtype)]
        return values.struct.with_fields(fields)
    if _MAP and isinstance(dtype, _MAP):
        entries = pl.List(pl.Struct({"key": dtype.key, "value": dtype.value}))
        return _encode(values.cast(entries), entries).cast(_text(dtype))
    if isinstance(dtype, pl.Array):
        return _encode(values.arr.to_list(), pl.List(dtype.inner))
    if isinstance(dtype, pl.List):
        return values.list.eval(_encode(pl.element(), dtype.inner))
    return values.bin.encode("base64")


def _text(dtype: Any) -> Any:
    """Return the dtype with text for bytes."""
    if isinstance(dtype, pl.Struct):
        return pl.Struct({field.name: _text(field.dtype) for field in dtype.fields})
    if _MAP and isinstance(dtype, _MAP):
        return _MAP(_text(dtype.key), _text(dtype.value))
    if isinstance(dtype, (pl.List, pl.Array)):
        return pl.List(_text(dtype.inner))
    return pl.String if dtype == pl.Binary else dtype
