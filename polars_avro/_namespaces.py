"""The namespaces ``pl.col(..).avro`` and ``Series.avro``, and the registration of all namespaces."""

from __future__ import annotations

import inspect
from functools import wraps
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec

import polars as pl

from polars_avro._datums import decode
from polars_avro._decoder import Decoder
from polars_avro._encoding import Encoder, encode
from polars_avro._frame_namespaces import DataFrameNamespace, LazyFrameNamespace

if TYPE_CHECKING:
    from collections.abc import Callable

_P = ParamSpec("_P")
_NAME = "avro"


def _of_expr(
    function: Callable[Concatenate[pl.Expr | str, _P], pl.Expr],
) -> Callable[Concatenate[ExprNamespace, _P], pl.Expr]:
    """Turn a function into a method with the same arguments, defaults and docstring."""

    @wraps(function)
    def method(namespace: ExprNamespace, /, *args: _P.args, **kwargs: _P.kwargs) -> pl.Expr:
        _forget(namespace._expr)
        return function(namespace._expr, *args, **kwargs)

    return method


def _of_series(
    function: Callable[Concatenate[pl.Expr | str, _P], pl.Expr],
    make_evaluator: Callable[..., Callable[[list[pl.Series]], pl.Series]],
) -> Callable[Concatenate[SeriesNamespace, _P], pl.Series]:
    """Turn a function of expressions into a method that computes a series."""
    signature = inspect.signature(function)

    @wraps(function)
    def method(namespace: SeriesNamespace, /, *args: _P.args, **kwargs: _P.kwargs) -> pl.Series:
        _forget(namespace._series)
        bound = signature.bind(namespace._series, *args, **kwargs)
        bound.apply_defaults()
        _, *positional = bound.args
        # `schema_id` of `encode` is not a series.
        others = [value for value in bound.kwargs.values() if isinstance(value, pl.Series)]
        return make_evaluator(*positional, **bound.kwargs)([namespace._series, *others])

    method.__annotations__ = {**function.__annotations__, "return": "pl.Series"}
    return method


class ExprNamespace:
    """Methods of expressions, ``pl.col("value").avro``."""

    def __init__(self, expr: pl.Expr) -> None:
        self._expr = expr

    decode = _of_expr(decode)
    encode = _of_expr(encode)


class SeriesNamespace:
    """Methods of series, ``series.avro``."""

    def __init__(self, series: pl.Series) -> None:
        self._series = series

    decode = _of_series(decode, Decoder.of)
    encode = _of_series(encode, Encoder.of)


def _forget(instance: pl.Expr | pl.Series) -> None:
    """Break the reference cycle of a namespace and its object, so that reference counting frees both."""
    instance.__dict__.pop(_NAME, None)


def register() -> None:
    """Register the namespaces, unless Polars defines them."""
    namespaces: list[tuple[type, Callable[[str], Callable[[type], type]], type[Any]]] = [
        (pl.Expr, pl.api.register_expr_namespace, ExprNamespace),
        (pl.Series, pl.api.register_series_namespace, SeriesNamespace),
        (pl.DataFrame, pl.api.register_dataframe_namespace, DataFrameNamespace),
        (pl.LazyFrame, pl.api.register_lazyframe_namespace, LazyFrameNamespace),
    ]
    for owner, register_as, namespace in namespaces:
        if not hasattr(owner, _NAME):
            register_as(_NAME)(namespace)
