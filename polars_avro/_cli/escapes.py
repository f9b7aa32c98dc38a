"""Escapes of control characters, so that data cannot send escape sequences to a terminal or break rows of tables."""

from __future__ import annotations

from typing import Any

import polars as pl

from polars_avro._cli.dtypes import MAP, changed

#: C0, DEL and C1.
_CONTROLS = [chr(code) for code in (*range(32), *range(127, 160))]
_ESCAPED = [control.encode("unicode_escape").decode() for control in _CONTROLS]
_TABLE = str.maketrans(dict(zip(_CONTROLS, _ESCAPED, strict=True)))


def text(value: str) -> str:
    r"""Return a text with control characters as ``\n`` or ``\x1b``."""
    return value.translate(_TABLE)


def frame(df: pl.DataFrame) -> pl.DataFrame:
    """Return a frame without control characters in text, also in nested text and in names."""
    df = df.with_columns(_escape(pl.nth(i), dtype) for i, dtype in enumerate(df.dtypes) if _has_text(dtype))
    names = [text(name) for name in df.columns]
    if len(set(names)) < len(names):
        pairs = enumerate(zip(names, df.columns, strict=True))
        names = [name if name == original else f"{name} ({i})" for i, (name, original) in pairs]
    df.columns = names
    return df


def _has_text(dtype: Any) -> bool:
    if isinstance(dtype, pl.Struct):
        return any(_has_text(field.dtype) for field in dtype.fields)
    if MAP and isinstance(dtype, MAP):
        return _has_text(dtype.key) or _has_text(dtype.value)
    if isinstance(dtype, (pl.List, pl.Array)):
        return _has_text(dtype.inner)
    if isinstance(dtype, pl.Enum):
        return any(text(category) != category for category in dtype.categories)
    return isinstance(dtype, (pl.String, pl.Categorical))


def _escape(values: pl.Expr, dtype: Any) -> pl.Expr:
    if isinstance(dtype, pl.Struct):
        fields = [_escape(pl.field(field.name), field.dtype) for field in dtype.fields if _has_text(field.dtype)]
        return values.struct.with_fields(fields)
    if MAP and isinstance(dtype, MAP):
        entries = pl.Struct({"key": dtype.key, "value": dtype.value})
        return _escape(values.cast(pl.List(entries)), pl.List(entries)).cast(_shown(dtype))
    if isinstance(dtype, pl.Array):
        return _escape(values.arr.to_list(), pl.List(dtype.inner)).cast(_shown(dtype))
    if isinstance(dtype, pl.List):
        return values.list.eval(_escape(pl.element(), dtype.inner))
    return values.cast(pl.String).str.replace_many(_CONTROLS, _ESCAPED).cast(_shown(dtype))


def _shown(dtype: Any) -> Any:
    """Return the dtype of escaped values: the same, except that an Enum has other categories."""
    return changed(dtype, lambda inner: _escaped_enum(inner) if isinstance(inner, pl.Enum) else inner)


def _escaped_enum(dtype: pl.Enum) -> Any:
    categories = [text(category) for category in dtype.categories]
    return pl.Enum(categories) if len(set(categories)) == len(categories) else pl.String
