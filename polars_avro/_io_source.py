"""A scan for a Polars without external readers: fewer things reach the reader, and what cannot be done is refused."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import polars as pl
from polars.io.plugins import register_io_source

from polars_avro import _options, _predicate
from polars_avro._errors import AvroSchemaError, AvroUnsupportedError
from polars_avro._frame import frames_of_query
from polars_avro._options import ReaderOptions, ScanOptions

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from polars_avro._core import ContainerFile


def scan(
    sources: list[str] | list[bytes],
    schema_json: str,
    schema: pl.Schema,
    options: ScanOptions,
) -> pl.LazyFrame:
    """Make the scan; the schemas are those of the first source, and every file must have its columns."""
    if options.include_file_paths is not None:
        raise _needs_newer_polars("include_file_paths")
    lf = register_io_source(Frames(sources, schema, options.reader), schema=schema, is_pure=True)
    if options.n_rows is not None:
        lf = lf.head(options.n_rows)
    return lf if options.row_index is None else lf.with_row_index(*options.row_index)


def expand(paths: list[str], *, glob: bool, hidden_file_prefix: Sequence[str] | None) -> list[str]:
    """Refuse patterns and directories."""
    raise _needs_newer_polars("a pattern or a directory as a source")


class Frames:
    """What Polars calls to get rows; picklable, unlike a closure."""

    def __init__(self, sources: list[str] | list[bytes], schema: pl.Schema, options: ReaderOptions) -> None:
        self.sources = sources
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
        left = n_rows
        for source in self.sources:
            if left == 0:
                return
            # Rows that the core leaves out would not count.
            terms = [] if predicate is None or left is not None else [predicate]
            wanted = _predicate.for_core(terms, columns)
            options = _options.for_core(columns=columns, length=left, row_filter=wanted, reader=reader)
            for df in frames_of_query(self._open(source).batches(options), reader.damage()):
                left = None if left is None else left - df.height
                yield df if predicate is None else df.filter(predicate)

    def _open(self, source: str | bytes) -> ContainerFile:
        file = self.options.open(source)
        if pl.Schema(file) != self.schema:
            name = source if isinstance(source, str) else "<bytes>"
            msg = f"{name}: the columns differ from those of the first file of the scan"
            error = AvroSchemaError(msg)
            error.file = name
            raise error
        return file


def _needs_newer_polars(what: str) -> AvroUnsupportedError:
    return AvroUnsupportedError(f"{what} needs Polars 2.0 or a later 2.x; this is Polars {pl.__version__}")
