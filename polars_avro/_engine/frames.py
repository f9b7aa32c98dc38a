"""Batches of the core as frames."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Iterator

    from polars_avro._bad_blocks import BadBlockLog
    from polars_avro._core import Batch, Batches, BatchReader

_logger = logging.getLogger("polars_avro")


def frame(batch: Batch | Batches) -> pl.DataFrame:
    """Import rows without a copy."""
    df = pl.DataFrame(batch)
    # Arrow has no place for the height of no columns; the batch has given its columns away, not its height.
    return df if df.width else pl.DataFrame(height=batch.height)


def frames(batches: BatchReader, log: BadBlockLog | None) -> Iterator[pl.DataFrame]:
    """Import batches on demand; blocks dropped before a batch are reported before it."""
    try:
        for batch in batches:
            if log is not None:
                log.report(batches.take_bad_blocks())
            yield frame(batch)
        if log is not None:
            log.report(batches.take_bad_blocks())
    finally:
        if _logger.isEnabledFor(logging.DEBUG):
            stats = batches.stats
            _logger.debug("read: %s", ", ".join(f"{name} {value}" for name, value in stats.items()), extra=stats)


def warn_at_end(found: Iterator[pl.DataFrame], log: BadBlockLog | None) -> Iterator[pl.DataFrame]:
    """Yield the frames of a query, and warn at the end about dropped blocks."""
    try:
        yield from found
    finally:
        if log is not None:
            log.warn()
