"""Queries whose rows this package takes, batch by batch."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from polars_avro._engine.shutdown import shutdown

if TYPE_CHECKING:
    from collections.abc import Iterator

    import polars as pl
    from typing_extensions import Self


class QueryBatches:
    """The batches of a running query. Closing them ends the query, whoever still refers to them."""

    def __init__(self, batches: Iterator[pl.DataFrame]) -> None:
        self._batches: Iterator[pl.DataFrame] | None = batches

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> pl.DataFrame:
        shutdown.check()
        if self._batches is None:
            msg = "the batches of the query are closed"
            raise ValueError(msg)
        return next(self._batches)

    def close(self) -> None:
        """Let go of the batches. Without a consumer the query ends."""
        self._batches = None


@contextmanager
def collect_batches(lf: pl.LazyFrame, **options: Any) -> Iterator[QueryBatches]:
    """Run a query until the end of the block, which leaves nothing that waits for its rows to be taken."""
    with shutdown.counted():
        batches = QueryBatches(lf.collect_batches(**options))
        try:
            yield batches
        finally:
            batches.close()
