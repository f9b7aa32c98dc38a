"""A scan for a Polars without external readers, where fewer things reach the reader."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
from polars.io.plugins import register_io_source

from polars_avro._engine.files import Files
from polars_avro._engine.shutdown import Work, shutdown
from polars_avro._options import ReaderOptions, ScanOptions
from polars_avro._sources import listing

if TYPE_CHECKING:
    from collections.abc import Generator

    from typing_extensions import Self


def scan(files: Files, schema: pl.Schema, options: ScanOptions, *, codec: str) -> pl.LazyFrame:
    """Make the scan of files that have this schema; query plans have no room for the codec."""
    del codec
    # Polars drops a `head` after an unselected row index if another `head` follows.
    frames_of = FramesOf(files, schema, options.reader, options.n_rows)
    lf = register_io_source(frames_of, schema=schema, is_pure=options.cache)
    return lf if options.row_index is None else lf.with_row_index(*options.row_index)


expand = listing.expand


class FramesOf:
    """Called by Polars for the rows of a query. It can be pickled, unlike a closure."""

    def __init__(self, files: Files, schema: pl.Schema, options: ReaderOptions, n_rows: int | None = None) -> None:
        self.files = files
        self.schema = schema
        self.options = options
        self.n_rows = n_rows

    def __call__(
        self,
        with_columns: list[str] | None,
        predicate: pl.Expr | None,
        n_rows: int | None,
        batch_size: int | None,
    ) -> RunningScan:
        """Return the rows of all files; `n_rows` counts before the predicate does."""
        shutdown.finish_postponed()
        return RunningScan(self._frames(with_columns, predicate, n_rows, batch_size))

    def _frames(
        self,
        with_columns: list[str] | None,
        predicate: pl.Expr | None,
        n_rows: int | None,
        batch_size: int | None,
    ) -> Generator[pl.DataFrame]:
        columns = list(self.schema) if with_columns is None else with_columns
        reader = self.options
        if reader.batch_size is None:
            reader = reader._replace(batch_size=batch_size)
        limits = [limit for limit in (n_rows, self.n_rows) if limit is not None]
        found = self.files.open().frames(
            columns=columns,
            pre_slice=(0, min(limits)) if limits else None,
            filters=[] if predicate is None else [predicate],
            reader=reader,
        )
        for df in found:
            # Selecting nothing would lose the height.
            rows = df[columns] if columns else df
            yield rows if predicate is None else rows.filter(predicate)


class RunningScan(Work):
    """The frames of one query until Polars drops them, which ends the read."""

    def __init__(self, frames: Generator[pl.DataFrame]) -> None:
        self._frames = frames
        # Polars may drop them on the main thread, where a generator that is freed could lose an interrupt.
        self._on_drop = shutdown.on_drop(frames.close)

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> pl.DataFrame:
        shutdown.hold()
        shutdown.work.add(self)
        try:
            return next(self._frames)
        finally:
            shutdown.work.discard(self)
