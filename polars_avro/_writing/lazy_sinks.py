"""Lazy sinks, which write when they are collected."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Callable


class LazySink(pl.LazyFrame):
    """A query that writes when it is collected. Queries derived from it have the same class."""

    @classmethod
    def of(cls, write: Callable[[], pl.DataFrame]) -> LazySink:
        """Return a query without columns that calls `write`."""
        sink = cls.__new__(cls)
        sink._ldf = pl.defer(write, schema={})._ldf
        return sink


def refuse_sink(lf: pl.LazyFrame) -> None:
    """Raise if a query is a sink, as Polars does."""
    if isinstance(lf, LazySink):
        msg = "cannot create a sink on top of another sink"
        raise pl.exceptions.InvalidOperationError(msg)


def _refused(self: LazySink, *_args: Any, **_options: Any) -> NoReturn:
    refuse_sink(self)
    raise AssertionError


for _name in dir(pl.LazyFrame):
    if _name.startswith("sink_"):
        setattr(LazySink, _name, _refused)
