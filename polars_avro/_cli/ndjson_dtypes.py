"""Dtypes that Polars does not read from NDJSON: it panics, or does not read what it has written."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click
import polars as pl

from polars_avro._cli.dtypes import MAP, changed, entries

if TYPE_CHECKING:
    from collections.abc import Mapping

_READ_AS: dict[Any, Any] = {
    pl.Int8: pl.Int64,
    pl.Int16: pl.Int64,
    pl.UInt8: pl.Int64,
    pl.UInt16: pl.Int64,
    pl.Time: pl.String,
    pl.Binary: pl.String,
    pl.Decimal: pl.String,
}
#: Conversions of what Polars writes.
_OF_TEXT: dict[Any, Callable[[Any], pl.Expr]] = {
    pl.Binary: lambda text: text.decode("base64"),
    pl.Time: lambda text: text.to_time("%H:%M:%S%.f"),
}


def scan(source: Callable[..., pl.LazyFrame]) -> Callable[..., pl.LazyFrame]:
    """Return a scan that reads columns as dtypes that Polars reads, and converts them."""

    def scan_as(schema_overrides: Mapping[str, Any], **options: Any) -> pl.LazyFrame:
        read_as = {name: _read_as(name, dtype) for name, dtype in schema_overrides.items()}
        lf = source(schema_overrides=read_as, **options)
        return lf.with_columns(
            _converted(name, dtype) for name, dtype in schema_overrides.items() if read_as[name] != dtype
        )

    return scan_as


def _read_as(name: str, dtype: Any) -> Any:
    def change(inner: Any) -> Any:
        if inner == pl.Duration:
            msg = f"--schema: column {name!r} is {dtype}, and {inner} cannot be read from NDJSON"
            raise click.UsageError(msg)
        return _READ_AS.get(inner.base_type(), inner)

    def make_map(key: Any, value: Any) -> Any:
        # The keys of JSON objects are texts.
        if not (key.is_numeric() or key in (pl.String, pl.Enum, pl.Categorical)):
            msg = f"--schema: column {name!r} is {dtype}, and keys of {key} cannot be read from NDJSON"
            raise click.UsageError(msg)
        return MAP(pl.String, value)

    return changed(dtype, change, make_map)


def _converted(name: str, dtype: Any) -> pl.Expr:
    of_entries = changed(dtype, lambda inner: inner, entries)
    return _of_text(pl.col(name), dtype).cast(of_entries).cast(dtype)


def _of_text(values: pl.Expr, dtype: Any) -> pl.Expr:
    """Convert the texts inside of some values. Maps become lists of entries, which Polars can evaluate."""
    if isinstance(dtype, pl.Struct):
        fields = [_of_text(pl.field(field.name), field.dtype) for field in dtype.fields if _has_text(field.dtype)]
        return values.struct.with_fields(fields) if fields else values
    if not _has_text(dtype):
        return values
    if MAP and isinstance(dtype, MAP):
        entry = pl.Struct({"key": pl.String, "value": dtype.value})
        texts = changed(pl.List(entry), lambda inner: _READ_AS.get(inner.base_type(), inner))
        return _of_text(values.cast(texts), pl.List(entry))
    if isinstance(dtype, pl.Array):
        return _of_text(values.arr.to_list(), pl.List(dtype.inner))
    if isinstance(dtype, pl.List):
        return values.list.eval(_of_text(pl.element(), dtype.inner))
    return _OF_TEXT[dtype](values.str)


def _has_text(dtype: Any) -> bool:
    """Return whether a dtype has one of those inside that are converted from text."""
    return changed(dtype, lambda inner: pl.String if inner in _OF_TEXT else inner) != dtype  # type: ignore[no-any-return]
