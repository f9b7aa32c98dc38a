"""Filters of a query, which Polars evaluates while a file is read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from polars_avro._engine.frames import frame

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    import polars as pl

    from polars_avro._core import Batch


def core_filter(
    terms: Iterable[pl.Expr], columns: Collection[str]
) -> tuple[list[str], Callable[[Batch], pl.Series]] | None:
    """
    Combine the terms that can be evaluated on these columns of a file into one filter; None if there are none.

    Rows that pass are a superset of the rows that pass all terms: Polars filters again.
    """
    predicate: pl.Expr | None = None
    roots: list[str] = []
    for term in terms:
        if is_evaluable(term, columns):
            predicate = term if predicate is None else predicate & term
            roots.extend(term.meta.root_names())
    return None if predicate is None else (list(dict.fromkeys(roots)), Evaluation(predicate))


def is_evaluable(term: pl.Expr, columns: Collection[str]) -> bool:
    """Return whether a term can be evaluated on these columns alone."""
    roots = set(term.meta.root_names())
    # What a top-k query adds while it runs cannot be evaluated outside of the engine.
    return bool(roots) and roots.issubset(columns) and "dynamic_pred" not in str(term)


class Evaluation:
    """A filter that the core calls on its own threads."""

    def __init__(self, predicate: pl.Expr) -> None:
        self.predicate = predicate.alias("passes")

    def __call__(self, batch: Batch) -> pl.Series:
        """Return which rows of a batch pass; a value that is the same for all rows is repeated."""
        return frame(batch).with_columns(self.predicate).get_column("passes")
