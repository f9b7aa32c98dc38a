"""A scan for a Polars without external readers: fewer things reach the reader, and what cannot be done is refused."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import polars as pl
from polars.io.plugins import register_io_source

from polars_avro._errors import AvroUnsupportedError
from polars_avro._files import Files
from polars_avro._options import ReaderOptions, ScanOptions

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


def scan(files: Files, schema: pl.Schema, options: ScanOptions) -> pl.LazyFrame:
    """Make the scan of files that have this schema."""
    lf = register_io_source(Frames(files, schema, options.reader), schema=schema, is_pure=options.cache)
    if options.n_rows is not None:
        lf = lf.head(options.n_rows)
    return lf if options.row_index is None else lf.with_row_index(*options.row_index)


def expand(paths: list[str], *, glob: bool, hidden_file_prefix: Sequence[str] | None) -> list[str]:
    """Refuse patterns and directories."""
    raise _needs_newer_polars("a pattern or a directory as a source")


class Frames:
    """What Polars calls to get rows; picklable, unlike a closure."""

    def __init__(self, files: Files, schema: pl.Schema, options: ReaderOptions) -> None:
        self.files = files
        self.schema = schema
        self.options = options

    def __call__(
        self,
        with_columns: list[str] | None,
        predicate: pl.Expr | None,
        n_rows: int | None,
        batch_size: int | None,
    ) -> Iterator[pl.DataFrame]:
        """Give the rows of all files; `n_rows` counts before the predicate does."""
        columns = list(self.schema) if with_columns is None else with_columns
        reader = self.options
        if reader.batch_size is None:
            reader = replace(reader, batch_size=batch_size)
        found = self.files.open().frames(
            columns=columns,
            pre_slice=None if n_rows is None else (0, n_rows),
            filters=[] if predicate is None else [predicate],
            reader=reader,
        )
        for df in found:
            yield df.select(columns) if predicate is None else df.select(columns).filter(predicate)


def _needs_newer_polars(what: str) -> AvroUnsupportedError:
    return AvroUnsupportedError(f"{what} needs Polars 2.0 or a later 2.x; this is Polars {pl.__version__}")
