"""The files of a scan, read as one: what is known of each without opening it, and their rows."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import polars as pl

from polars_avro import _options
from polars_avro._core import ContainerFile, FileSet
from polars_avro._engine import predicate
from polars_avro._engine.frames import frames_of_query

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from polars_avro._options import ReaderOptions
    from polars_avro._schemas import ReadSchema
    from polars_avro._sources.hive import Hive

#: Column of file numbers between the core and here.
_NUMBER = "(number of the file)"
#: Rows of a frame that holds nothing but what is known of files.
_ROWS = 100_000


@dataclass(frozen=True)
class Files:
    """Files and what they are read as. Opens nothing."""

    sources: tuple[str | bytes, ...]
    read_schema: ReadSchema
    hive: Hive | None = None
    path_column: str | None = None

    @property
    def key(self) -> tuple[object, ...]:
        """What tells these files from others. Bytes are the same where they are the same object."""
        of_paths = isinstance(self.sources[0], str)
        sources = self.sources if of_paths else tuple(map(id, self.sources))
        return sources, self.read_schema, self.hive, self.path_column

    @property
    def label(self) -> str:
        """Name the files in query plans."""
        first = self.sources[0] if isinstance(self.sources[0], str) else "in-mem"
        others = len(self.sources) - 1
        return f"{first}, ... {others} other file{'s' if others > 1 else ''}" if others else first

    @cached_property
    def file_columns(self) -> pl.DataFrame | None:
        """What is known of each file: a row a file; None where it is nothing."""
        if self.hive is None and self.path_column is None:
            return None
        paths = [source if isinstance(source, str) else "in-mem" for source in self.sources]
        columns = {} if self.hive is None else self.hive.columns(paths)
        if self.path_column is not None:
            _options.new_column("include_file_paths", self.path_column, columns)
            columns[self.path_column] = pl.Series(paths, dtype=pl.String)
        return pl.DataFrame(columns) if columns else None

    def schema(self, of_file: pl.Schema) -> pl.Schema:
        """Add the columns that are known to those in the files, whose places they take where names are the same."""
        if self.file_columns is None:
            return of_file
        _options.new_column("include_file_paths", self.path_column, of_file)
        return pl.Schema({**of_file, **self.file_columns.schema})

    def open(self) -> OpenFiles:
        """Make ready for reading."""
        if len(self.sources) > 1 or self.file_columns is not None:
            return OpenFiles(FileSet(self.sources, self.read_schema.core_opener()), self.file_columns)
        return OpenFiles(ContainerFile(self.sources[0], self.read_schema.core_opener()), None)


class OpenFiles:
    """Reads files. Those of a `FileSet` are opened when their turn comes."""

    def __init__(self, core: ContainerFile | FileSet, file_columns: pl.DataFrame | None) -> None:
        self.core = core
        self.file_columns = file_columns

    def count_rows(self, limit: int | None = None, *, sound: bool = False) -> int:
        """Count from block headers, unless these may be those of damaged blocks and only `sound` ones count."""
        return self.core.count_readable_rows(limit) if sound else self.core.count_rows(limit)

    def frames(
        self,
        *,
        columns: Sequence[str],
        row_index: tuple[str, int] | None = None,
        pre_slice: tuple[int, int | None] | None = None,
        filters: Sequence[pl.Expr] = (),
        reader: ReaderOptions,
    ) -> Iterator[pl.DataFrame]:
        """Read rows of these columns; filters leave out files, and no rows of the others."""
        core = self.core
        known = [] if self.file_columns is None else [name for name in columns if name in self.file_columns.columns]
        if row_index is None and pre_slice is None:
            core = self._matching(filters)
        sound = reader.ignore_errors
        core, offset, length = _resolve_slice(core, pre_slice, numbered=row_index is not None, sound=sound)
        own = [name for name in columns if name not in known]
        if not own and row_index is None and not sound:
            return self._file_columns_alone(core, known, offset, length)
        numbered = own if row_index is None else [row_index[0], *own]
        options = _options.core_options(
            columns=own,
            row_index=row_index,
            file_index=_NUMBER if known else None,
            offset=offset,
            length=length,
            row_filter=predicate.core_filter(filters, numbered),
            reader=reader,
        )
        # A query may need few rows: its first batch is small, unless its user has said how many rows there shall be.
        found = core.batches(options, join_first=reader.batch_size is not None, interruptible=False)
        batches = frames_of_query(found, reader.bad_block_log())
        return (self._with_file_columns(df, known) for df in batches) if known else batches

    def _matching(self, filters: Sequence[pl.Expr]) -> ContainerFile | FileSet:
        """Leave out the files of which no row can pass, by what is known of them."""
        if self.file_columns is None or isinstance(self.core, ContainerFile):
            return self.core
        told = [term for term in filters if predicate.is_evaluable(term, self.file_columns.columns)]
        if not told:
            return self.core
        kept = self.file_columns.with_row_index(_NUMBER).filter(told)
        return self.core.select(kept[_NUMBER].to_list())

    def _with_file_columns(self, df: pl.DataFrame, names: list[str]) -> pl.DataFrame:
        numbers = df.get_column(_NUMBER)
        assert self.file_columns is not None
        return df.drop(_NUMBER).hstack(self.file_columns.select(names)[numbers])

    def _file_columns_alone(
        self, core: ContainerFile | FileSet, names: list[str], offset: int, length: int | None
    ) -> Iterator[pl.DataFrame]:
        """Give rows that nothing is decoded for."""
        limit = None if length is None else offset + length
        if not names or isinstance(core, ContainerFile):
            height = max(0, core.count_rows(limit) - offset)
            yield pl.DataFrame(height=height if length is None else min(height, length))
            return
        assert self.file_columns is not None
        known = self.file_columns.select(names)
        for runs in _runs(core.count_rows_by_file(limit), offset, length):
            rows = pl.DataFrame(runs, schema={"number": pl.UInt32, "rows": pl.Int64}, orient="row")
            # The run of each row, without `explode`, which not every Polars understands in the same way.
            every = pl.int_range(int(rows["rows"].sum()), eager=True)
            run = rows["rows"].cum_sum().search_sorted(every, side="right")
            yield known[rows["number"][run]]


def _runs(counts: list[tuple[int, int]], offset: int, length: int | None) -> Iterator[list[tuple[int, int]]]:
    """Cut the rows of files, given as (number, rows), into frames."""
    run: list[tuple[int, int]] = []
    room = _ROWS
    for number, rows in counts:
        skipped = min(rows, offset)
        offset -= skipped
        left = rows - skipped if length is None else min(rows - skipped, length)
        length = None if length is None else length - left
        while left:
            taken = min(left, room)
            run.append((number, taken))
            left, room = left - taken, room - taken
            if not room:
                yield run
                run, room = [], _ROWS
    if run:
        yield run


def _resolve_slice(
    core: ContainerFile | FileSet, pre_slice: tuple[int, int | None] | None, *, numbered: bool, sound: bool
) -> tuple[ContainerFile | FileSet, int, int | None]:
    """Count a slice from the first row of some of the files; where rows are numbered, of all."""
    offset, length = (0, None) if pre_slice is None else pre_slice
    if offset >= 0:
        return core, offset, length
    if sound:
        rows = core.count_readable_rows()
    elif numbered or isinstance(core, ContainerFile):
        rows = core.count_rows()
    else:
        files, rows = core.count_rows_from_end(-offset)
        core = core.select(list(range(len(core) - files, len(core))))
    start = rows + offset
    if length is not None and start < 0:
        length = max(0, start + length)
    return core, max(0, start), length
