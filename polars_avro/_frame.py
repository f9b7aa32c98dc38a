"""Batches of the core as frames."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Iterator

    from polars_avro._core import Batch, Batches, BatchReader


def frame(batch: Batch | Batches, columns: list[str] | None, row_index: tuple[str, int] | None) -> pl.DataFrame:
    """
    Import one batch, without a copy.

    `columns` is the selection that the batch was read with; ``None`` stands for all.
    """
    if columns is not None and not columns and row_index is None:
        # Arrow has no place for the height of no columns.
        return pl.DataFrame(height=batch.height)
    df = pl.DataFrame(batch)
    if row_index is not None and df.schema[row_index[0]] != (dtype := pl.get_index_type()):
        df = df.with_columns(pl.col(row_index[0]).cast(dtype))
    return df


def frames(
    batches: BatchReader, columns: list[str] | None, row_index: tuple[str, int] | None
) -> Iterator[pl.DataFrame]:
    """Import batches as they are asked for."""
    for batch in batches:
        yield frame(batch, columns, row_index)
