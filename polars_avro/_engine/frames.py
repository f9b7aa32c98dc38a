"""Batches of the core as frames."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import polars as pl

from polars_avro._core import Batches

if TYPE_CHECKING:
    from collections.abc import Iterator

    from typing_extensions import Self

    from polars_avro._bad_blocks import BadBlockLog
    from polars_avro._core import Batch, BatchReader

_logger = logging.getLogger("polars_avro")

# So many batches are imported column by column: Polars keeps 1.0 kB for each array of a batch, 0.4 for one of a
# column. If they are few, a call for each column takes longer.
MANY_BATCHES = 8


def frame(batch: Batch | Batches) -> pl.DataFrame:
    """Import rows without a copy."""
    if isinstance(batch, Batches) and batch.n_batches >= MANY_BATCHES:
        columns = [pl.Series(column) for column in batch.columns()]
        df = columns[0].to_frame().hstack(columns[1:]) if columns else pl.DataFrame()
    else:
        # The way that `pl.DataFrame(batch)` takes after it has looked for every other kind of data.
        df = pl.Series(batch).struct.unnest()
    # Arrow has no place for the height of no columns; the batch has given its columns away, not its height.
    return df if df.width else pl.DataFrame(height=batch.height)


class Frames:
    """
    Batches as frames, on demand; blocks dropped before a batch are reported before it.

    No generator, which would be over after Ctrl-C or an error of whoever takes the reports: the next call goes on.
    """

    def __init__(self, batches: BatchReader, log: BadBlockLog | None) -> None:
        self._batches = batches
        self._log = log
        self._waiting: Batch | Batches | None = None
        self._is_closed = False

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> pl.DataFrame:
        if self._waiting is None:
            self._waiting = next(self._batches, None)
        if self._log is not None:
            self._log.report(self._batches.take_bad_blocks())
        if self._waiting is None:
            self.close()
            raise StopIteration
        df = frame(self._waiting)
        self._waiting = None
        return df

    def give_back(self) -> None:
        """Put rows that wait for a report back in front of those that have not come."""
        if self._waiting is not None:
            self._batches.give_back(self._waiting)
            self._waiting = None

    def close(self) -> None:
        """Log what the read has cost."""
        if not self._is_closed and _logger.isEnabledFor(logging.DEBUG):
            stats = self._batches.stats
            _logger.debug("read: %s", ", ".join(f"{name} {value}" for name, value in stats.items()), extra=stats)
        self._is_closed = True


def frames(batches: BatchReader, log: BadBlockLog | None) -> Iterator[pl.DataFrame]:
    """Import batches on demand, for a query, which ends with the first error."""
    found = Frames(batches, log)
    try:
        yield from found
    finally:
        found.close()


def warn_at_end(found: Iterator[pl.DataFrame], log: BadBlockLog | None) -> Iterator[pl.DataFrame]:
    """Yield the frames of a query, and warn at the end about dropped blocks."""
    try:
        yield from found
    finally:
        if log is not None:
            log.warn()
