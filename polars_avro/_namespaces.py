"""``pl.col(..).avro`` and ``Series.avro``; all namespaces are registered here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from polars_avro import _datums
from polars_avro._frame_namespaces import DataFrameNamespace, LazyFrameNamespace

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from polars_avro._datums import Framing, Schemas
    from polars_avro._limits import Limits
    from polars_avro._schemas import AvroSchema

_NAME = "avro"


class ExprNamespace:
    """Methods of expressions, ``pl.col("value").avro``."""

    def __init__(self, expr: pl.Expr) -> None:
        self._expr = expr

    def decode(
        self,
        schema: AvroSchema | None = None,
        *,
        framing: Framing = "datum",
        schemas: Schemas | None = None,
        reader_schema: AvroSchema | None = None,
        fields: Sequence[str] | None = None,
        ignore_errors: bool = False,
        limits: Limits | None = None,
    ) -> pl.Expr:
        """Decode datums; see :func:`polars_avro.decode`, which takes the same arguments."""
        _forget(self._expr)
        return _datums.decode(
            self._expr,
            schema,
            framing=framing,
            schemas=schemas,
            reader_schema=reader_schema,
            fields=fields,
            ignore_errors=ignore_errors,
            limits=limits,
        )


class SeriesNamespace:
    """Methods of series, ``series.avro``."""

    def __init__(self, series: pl.Series) -> None:
        self._series = series

    def decode(
        self,
        schema: AvroSchema | None = None,
        *,
        framing: Framing = "datum",
        schemas: Schemas | None = None,
        reader_schema: AvroSchema | None = None,
        fields: Sequence[str] | None = None,
        ignore_errors: bool = False,
        limits: Limits | None = None,
    ) -> pl.Series:
        """Decode datums; see :func:`polars_avro.decode`, which takes the same arguments."""
        _forget(self._series)
        decoder = _datums.Decoder.of(
            schema,
            framing=framing,
            schemas=schemas,
            reader_schema=reader_schema,
            fields=fields,
            ignore_errors=ignore_errors,
            limits=limits,
        )
        return decoder([self._series])


def _forget(instance: pl.Expr | pl.Series) -> None:
    """Break the cycle of a namespace and what it is of, so that reference counting frees both."""
    instance.__dict__.pop(_NAME, None)


def register() -> None:
    """Add the namespaces, unless this Polars has its own."""
    namespaces: list[tuple[type, Callable[[str], Callable[[type], type]], type[Any]]] = [
        (pl.Expr, pl.api.register_expr_namespace, ExprNamespace),
        (pl.Series, pl.api.register_series_namespace, SeriesNamespace),
        (pl.DataFrame, pl.api.register_dataframe_namespace, DataFrameNamespace),
        (pl.LazyFrame, pl.api.register_lazyframe_namespace, LazyFrameNamespace),
    ]
    for owner, register_as, namespace in namespaces:
        if not hasattr(owner, _NAME):
            register_as(_NAME)(namespace)
