"""``pl.col(..).avro`` and ``Series.avro``; all namespaces are registered here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from polars_avro import _datums, _encoding
from polars_avro._frame_namespaces import DataFrameNamespace, LazyFrameNamespace

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from polars_avro._datums import Framing, Schemas
    from polars_avro._encoding import WrittenFraming
    from polars_avro._limits import Limits
    from polars_avro._registry import SchemaRegistry
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

    def encode(
        self,
        schema: AvroSchema | None = None,
        *,
        framing: WrittenFraming = "datum",
        schema_id: int | None = None,
        registry: SchemaRegistry | None = None,
        name: str = "",
        namespace: str | None = None,
    ) -> pl.Expr:
        """Encode values; see :func:`polars_avro.encode`, which takes the same arguments."""
        _forget(self._expr)
        return _encoding.encode(
            self._expr,
            schema,
            framing=framing,
            schema_id=schema_id,
            registry=registry,
            name=name,
            namespace=namespace,
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

    def encode(
        self,
        schema: AvroSchema | None = None,
        *,
        framing: WrittenFraming = "datum",
        schema_id: int | None = None,
        registry: SchemaRegistry | None = None,
        name: str = "",
        namespace: str | None = None,
    ) -> pl.Series:
        """Encode values; see :func:`polars_avro.encode`, which takes the same arguments."""
        _forget(self._series)
        encoder = _encoding.Encoder.of(
            schema, framing=framing, schema_id=schema_id, registry=registry, name=name, namespace=namespace
        )
        return encoder([self._series])


def _forget(instance: pl.Expr | pl.Series) -> None:
    """Break the cycle of a namespace and its object, so that reference counting frees both."""
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
