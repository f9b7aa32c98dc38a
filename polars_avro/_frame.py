"""Batches of the core as frames."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Iterator

    from polars_avro._core import Batch, Batches, BatchReader

_logger = logging.getLogger("polars_avro")


def frame(batch: Batch | Batches) -> pl.DataFrame:
    """Import rows without a copy."""
    df = pl.DataFrame(batch)
    # Arrow has no place for the height of no columns; the batch has given its columns away, not its height.
    return df if df.width else pl.DataFrame(height=batch.height)


def frames(batches: BatchReader) -> Iterator[pl.DataFrame]:
    """Import batches as they are asked for; at the end, log what was done."""
    try:
        for batch in batches:
            yield frame(batch)
    finally:
        if _logger.isEnabledFor(logging.DEBUG):
            stats = batches.stats
            _logger.debug("read: %s", ", ".join(f"{name} {value}" for name, value in stats.items()), extra=stats)
