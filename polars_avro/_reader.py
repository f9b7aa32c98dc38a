"""Reading batch by batch."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from polars_avro import _options, _sources
from polars_avro._frame import frames
from polars_avro._limits import Limits
from polars_avro._options import ReaderOptions
from polars_avro._sources import Source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from types import TracebackType

    from typing_extensions import Self

    from polars_avro._damage import BadBlock


class AvroReader:
    """
    Read one Avro file batch by batch, as an iterator over DataFrames.

    Batches are decoded ahead on all cores; memory stays bounded whatever the file's size. A reader is its own context:
    leaving the ``with`` block, or :meth:`close`, stops the decoding and lets go of the file.

    Parameters
    ----------
    source
        A path, the ``bytes`` of a file, or a file-like, which is read to its end.
    columns
        Columns to read, by name or by position counted from 0, in the order wanted.
    n_rows
        Stop after this many rows.
    row_index_name
        If not None, a row index of this name becomes the first column.
    row_index_offset
        The index of the first row.
    ignore_errors
        Leave damaged blocks out, and read on behind them. Each is reported, and a warning sums up; a damaged header is
        an error all the same. All columns are decoded then, also to count rows, so that every query has the same
        rows; a row index counts those that come out.
    on_bad_block
        Called with a :class:`BadBlock` for each block that is left out, in file order. What it raises ends the read.
    batch_size
        About how many rows a batch has: 100,000 by default, and fewer where rows are large. Small blocks are not split,
        so that batches end where blocks do.
    n_threads
        How many threads decode: as many as Polars uses by default; 1 leaves everything to the calling thread.
    limits
        What the file may ask for before it is refused.

    Raises
    ------
    AvroError
        If the file is damaged or cannot be read as Avro; iterating raises it where the damage comes later.
    FileNotFoundError
        If there is no such file.

    See Also
    --------
    scan_avro : Read lazily, and only what a query needs.

    Examples
    --------
    >>> import polars_avro
    >>> with polars_avro.AvroReader("docs/sample.avro", columns=["celsius"], batch_size=100) as reader:
    ...     [batch.height for batch in reader]
    [120, 121, 59]
    """

    def __init__(
        self,
        source: Source,
        *,
        columns: Sequence[str] | Sequence[int] | str | int | None = None,
        n_rows: int | None = None,
        row_index_name: str | None = None,
        row_index_offset: int = 0,
        ignore_errors: bool = False,
        on_bad_block: Callable[[BadBlock], object] | None = None,
        batch_size: int | None = None,
        n_threads: int | None = None,
        limits: Limits | None = None,
    ) -> None:
        _options.check(n_rows=n_rows, row_index_offset=row_index_offset, batch_size=batch_size, n_threads=n_threads)
        reader = ReaderOptions(
            ignore_errors=ignore_errors,
            on_bad_block=on_bad_block,
            batch_size=batch_size,
            n_threads=n_threads,
            limits=limits or Limits(),
        )
        file = reader.open(_sources.one(source))
        schema = pl.Schema(file)
        selected = schema.names() if columns is None else _options.selection(columns, schema.names())
        index = _options.row_index(row_index_name, row_index_offset, selected)
        options = _options.for_core(columns=selected, row_index=index, length=n_rows, reader=reader)
        self._batches = file.batches(options)
        self._damage = reader.damage(keep=True)
        self._frames: Iterator[pl.DataFrame] = frames(self._batches, self._damage)
        self._stats: dict[str, int] | None = None
        self._rows_read = 0
        self._total_bytes = file.size
        self._avro_schema = file.schema_json
        dtypes = {name: schema[name] for name in selected}
        self._schema = pl.Schema(dtypes if index is None else {index[0]: pl.get_index_type(), **dtypes})

    @property
    def schema(self) -> pl.Schema:
        """The names and dtypes of the batches."""
        return self._schema

    @property
    def avro_schema(self) -> str:
        """The schema that the file was written with, as the JSON text in its header."""
        return self._avro_schema

    @property
    def bad_blocks(self) -> list[BadBlock]:
        """The blocks that ``ignore_errors`` left out so far, in file order."""
        return [] if self._damage is None else list(self._damage.kept or ())

    @property
    def rows_read(self) -> int:
        """How many rows have been handed out."""
        return self._rows_read

    @property
    def bytes_read(self) -> int:
        """How many bytes of the file have been read; decoding is ahead of what has been handed out."""
        return self.stats["bytes_read"]

    @property
    def total_bytes(self) -> int:
        """The size of the file."""
        return self._total_bytes

    @property
    def stats(self) -> dict[str, int]:
        """What has been done so far: blocks, bytes and rows, under names that say so."""
        return self._batches.stats if self._stats is None else self._stats

    def close(self) -> None:
        """Stop decoding and let go of the file; iterating ends here. Closing twice is fine."""
        if self._stats is None:
            self._stats = self._batches.stats
            if self._damage is not None:
                self._damage.warn(stacklevel=2)
            self._frames = iter(())
            del self._batches

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> pl.DataFrame:
        df = next(self._frames)
        self._rows_read += df.height
        return df

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
