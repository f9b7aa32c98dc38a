"""The files of a scan, read as one: what is known of each without opening it, and their rows."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar, Protocol

import polars as pl

from polars_avro import _options, _selection, _suggestions
from polars_avro._core import FileSet, OpenFile
from polars_avro._engine import predicate
from polars_avro._engine.frames import frames, warn_at_end
from polars_avro._engine.parts import Part, resolve_slice, resolve_slice_of
from polars_avro._errors import AvroColumnNotFoundError, AvroError
from polars_avro._sources import hidden, stores
from polars_avro._sources.inputs import FileIdentity, identify, label
from polars_avro._sources.stores import Stores

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from polars_avro._bad_blocks import BadBlockLog
    from polars_avro._core import StoreFile
    from polars_avro._options import ReaderOptions
    from polars_avro._schemas import ReadSchema
    from polars_avro._sources.hive import Hive

#: Column of file numbers between the core and here.
_NUMBER = "(number of the file)"
#: Rows of a frame that holds nothing but what is known of files.
_ROWS = 100_000


# Files are told apart by their `key`; methods to compare and to freeze them cost every import a millisecond.
@dataclass(eq=False, repr=False)
class Files:
    """Files and the schema that they are read as. Opens nothing."""

    sources: tuple[str | bytes | OpenFile, ...]
    read_schema: ReadSchema
    hive: Hive | None = None
    path_column: str | None = None
    #: Names and dtypes of the columns, if the user gives them; columns that no file has are null.
    dtypes: tuple[tuple[str, pl.DataType], ...] | None = None
    #: Columns of `dtypes` that no query may use, because a file lacks them.
    refused: tuple[str, ...] = ()
    #: Identity of the first file when its header was read.
    first: FileIdentity | None = None
    stores: Stores = field(default_factory=Stores)
    #: Files of stores whose first bytes are fetched, for the first query.
    opened: list[list[str | bytes | OpenFile | StoreFile]] = field(default_factory=list)
    #: Tells scans of stores apart: their objects may be replaced, and what one has fetched is not the other's.
    scan_id: bytes | None = None
    #: Columns to read, and paths to fields of structs; None: all columns. The column of paths is the last if not named.
    columns: tuple[str, ...] | None = None

    def __getstate__(self) -> dict[str, object]:
        if any(isinstance(source, OpenFile) for source in self.sources):
            msg = "a scan of an open file cannot be serialised: scan its path, or its bytes"
            raise TypeError(msg)
        return {**self.__dict__, "opened": []}

    #: Whether rows can be counted from block headers, as slices and row numbers need.
    counts_by_header: ClassVar[bool] = True

    @property
    def key(self) -> tuple[object, ...]:
        """A key that identifies these files. Bytes are identified as objects."""
        if not isinstance(self.sources[0], str):
            sources: tuple[object, ...] = tuple(map(id, self.sources))
        else:
            sources = self.sources if self.path_column is None else tuple(map(label, self.sources))
        paths = (self.hive, self.path_column, self.dtypes, self.refused)
        return sources, self.read_schema, *paths, self.first, self.stores.key, self.scan_id, self.columns

    @property
    def label(self) -> str:
        """Name the files in query plans."""
        first = stores.shown(label(self.sources[0]))
        others = len(self.sources) - 1
        return f"{first}, ... {others} other file{'s' if others > 1 else ''}" if others else first

    @cached_property
    def file_columns(self) -> pl.DataFrame | None:
        """Columns with one value per file, as a frame with one row per file; None if there are none."""
        own = self.read_schema.schema()
        missing = {name: dtype for name, dtype in self.dtypes or () if name not in own}
        if self.hive is None and self.path_column is None and not missing:
            return None
        height = len(self.sources)
        columns = {name: pl.Series(name, [None] * height, dtype=dtype) for name, dtype in missing.items()}
        if self.hive is not None:
            columns |= self.hive.columns([source if isinstance(source, str) else "in-mem" for source in self.sources])
        if self.path_column is not None:
            _options.new_column("include_file_paths", self.path_column, columns)
            columns[self.path_column] = pl.Series([label(source) for source in self.sources], dtype=pl.String)
        return pl.DataFrame(columns) if columns else None

    def schema(self) -> pl.Schema:
        """Return the columns of the files, then those of their paths; equal names stay where the file has them."""
        every = self.schema_of_all()
        if self.columns is None:
            return every
        path_column = {} if self.path_column is None else {self.path_column: every[self.path_column]}
        return pl.Schema({**_selection.project(every, self.columns), **path_column})

    def schema_of_all(self) -> pl.Schema:
        """Return the columns that a selection chooses from, and the column of paths."""
        of_files = self.read_schema.schema() if self.dtypes is None else pl.Schema(self.dtypes)
        if self.file_columns is None:
            return of_files
        _options.new_column("include_file_paths", self.path_column, of_files)
        return pl.Schema({**of_files, **self.file_columns.schema})

    @cached_property
    def fields_read(self) -> dict[str, list[str]]:
        """Columns of structs that are read in part, and the paths to their fields."""
        every, paths = self.schema_of_all(), self.columns or ()
        fields: dict[str, list[str]] = {}
        for path in paths:
            name = _selection.top_level(every, path)
            if name is not None and name != path:
                fields.setdefault(name, []).append(path)
        return fields

    def open(self) -> OpenRows:
        """Open the files for a query."""
        return self.open_files()

    def open_files(self) -> OpenFiles:
        """Open the set of files."""
        with self.changes_explained():
            try:
                sources = self.opened.pop()
            except IndexError:
                sources = self.stores.files(self.sources)
            # A single file that no filter can drop is opened once for the whole query. With `schema`, columns that the
            # query does not read may differ, which is not known before it is read.
            single = len(sources) == 1 and self.file_columns is None and self.dtypes is None
            return OpenFiles(self, FileSet(sources, self.read_schema.core_opener(), eager=single))

    @contextmanager
    def changes_explained(self) -> Iterator[None]:
        """Add to errors of the first file that it has changed since its schema was read, if so."""
        try:
            yield
        except AvroError as error:
            first = self.sources[0]
            if isinstance(first, str) and error.file == first and self.first not in (None, identify(first)):
                error.args = (f"{error}; the file has changed since it was scanned: scan it again",)
            if len(self.sources) > 1:
                hidden.explain(error)
            raise


class OpenRows(Protocol):
    """Rows that an engine asks for."""

    def count_rows(self, limit: int | None = None, *, sound: bool = False) -> int:
        """Count rows, or `limit` of them."""

    def frames(
        self,
        *,
        columns: Sequence[str],
        row_index: tuple[str, int] | None = None,
        pre_slice: tuple[int, int | None] | None = None,
        filters: Sequence[pl.Expr] = (),
        reader: ReaderOptions,
    ) -> Iterator[pl.DataFrame]:
        """Read rows."""


class OpenFiles:
    """Reads files. A `FileSet` opens each when it is reached."""

    def __init__(self, files: Files, core: FileSet, byte_range: tuple[int, int | None] | None = None) -> None:
        self.files = files
        self.core = core
        self.byte_range = byte_range
        self.file_columns = files.file_columns

    def count_rows(self, limit: int | None = None, *, sound: bool = False) -> int:
        """Count rows from block headers, or by decoding if only readable blocks count (`sound`)."""
        with self.files.changes_explained():
            return self.core.count_readable_rows(limit) if sound else self.core.count_rows(limit)

    def frames(
        self,
        *,
        columns: Sequence[str],
        row_index: tuple[str, int] | None = None,
        pre_slice: tuple[int, int | None] | None = None,
        filters: Sequence[pl.Expr] = (),
        reader: ReaderOptions,
        interruptible: bool = False,
    ) -> Iterator[pl.DataFrame]:
        """
        Read rows of these columns; filters drop whole files, and rows as a hint.

        If they are read `interruptible`, a signal ends the wait for the next ones. Only the main thread sees signals.
        """
        log = reader.bad_block_log()
        found = self.frames_of_scan(
            columns=columns,
            row_index=row_index,
            pre_slice=pre_slice,
            filters=filters,
            reader=reader,
            log=log,
            interruptible=interruptible,
        )
        return warn_at_end(found, log)

    def frames_of_scan(
        self,
        *,
        columns: Sequence[str],
        row_index: tuple[str, int] | None = None,
        pre_slice: tuple[int, int | None] | None = None,
        filters: Sequence[pl.Expr] = (),
        reader: ReaderOptions,
        log: BadBlockLog | None,
        interruptible: bool = False,
    ) -> Iterator[pl.DataFrame]:
        """Read rows for a scan that has its own log of damage."""
        lacking = next((name for name in self.files.refused if name in columns), None)
        # Files without rows fit every schema.
        if lacking is not None and self.count_rows(1) > 0:
            near = _suggestions.nearest(lacking, self.files.read_schema.schema())
            meant = f"; did you mean {near[0]!r}?" if near else "; pass missing_columns='insert' to read it as null"
            msg = f"{self.files.label}: no column {lacking!r}{meant}"
            raise AvroColumnNotFoundError(msg)
        with self.files.changes_explained():
            known = [] if self.file_columns is None else [name for name in columns if name in self.file_columns.columns]
            part = self._part(row_index, pre_slice, filters, sound=reader.ignore_errors)
            own = [name for name in columns if name not in known]
            if not own and row_index is None and self.byte_range is None and not reader.ignore_errors:
                yield from self._file_columns_alone(part, known)
                return
            in_part = self.files.fields_read
            # A filter needs whole values, also of structs that are read in part.
            whole = [name for name in own if name not in in_part]
            numbered = whole if row_index is None or part.skipped is not None else [row_index[0], *whole]
            number = None
            if known or part.skipped is not None:
                number = _number_beside([*self.files.read_schema.schema(), *numbered])
            options = _options.core_options(
                columns=[path for name in own for path in in_part.get(name, [name])],
                row_index=row_index,
                file_index=number,
                offset=part.offset,
                length=part.length,
                byte_range=self.byte_range,
                row_filter=predicate.core_filter(filters, numbered),
                reader=reader,
            )
            # A query may need few rows: its first batch is small, unless its user has said how many rows it has.
            found = part.core.batches(options, join_first=reader.batch_size is not None, interruptible=interruptible)
            for df in frames(found, log):
                yield df if number is None else self._completed(df, number, known, row_index, part.skipped)

    def _part(
        self,
        row_index: tuple[str, int] | None,
        pre_slice: tuple[int, int | None] | None,
        filters: Sequence[pl.Expr],
        *,
        sound: bool,
    ) -> Part:
        """Find the files and the rows to read."""
        kept = matching(self.file_columns, filters)
        if kept is None or self.byte_range is not None:
            return resolve_slice(self.core, pre_slice, numbered=row_index is not None, sound=sound)
        if row_index is None and pre_slice is None:
            return Part(self.core.select(kept))
        if sound:
            # Which rows are readable is known only after reading all.
            return resolve_slice(self.core, pre_slice, numbered=row_index is not None, sound=sound)
        return resolve_slice_of(self.core, kept, pre_slice, numbered=row_index is not None)

    def _completed(
        self,
        df: pl.DataFrame,
        number: str,
        names: list[str],
        row_index: tuple[str, int] | None,
        skipped: pl.Series | None,
    ) -> pl.DataFrame:
        """Add columns with one value per file, and add the rows of skipped files to a row index."""
        numbers = df.get_column(number)
        width, df = df.width, df.drop(number)
        if row_index is not None and skipped is not None:
            df = df.with_columns(df.get_column(row_index[0]) + skipped.gather(numbers))
        if names:
            assert self.file_columns is not None
            known = self.file_columns[names][numbers]
            # Before Polars 2 a frame of no columns has no height.
            df = df.hstack(known) if width > 1 else known
        return df

    def _file_columns_alone(self, part: Part, names: list[str]) -> Iterator[pl.DataFrame]:
        """Yield rows that need no decoding: counts, and columns of paths."""
        core, offset, length = part.core, part.offset, part.length
        limit = None if length is None else offset + length
        if not names:
            height = max(0, sum(count for _, count in core.count_rows_by_file(limit)) - offset)
            yield pl.DataFrame(height=height if length is None else min(height, length))
            return
        assert self.file_columns is not None
        known = self.file_columns[names]
        for runs in _runs(core.count_rows_by_file(limit), offset, length):
            rows = pl.DataFrame(runs, schema={"number": pl.UInt32, "rows": pl.Int64}, orient="row")
            # The run of each row, without `explode`, which not every Polars understands in the same way.
            every = pl.int_range(int(rows["rows"].sum()), eager=True)
            run = rows["rows"].cum_sum().search_sorted(every, side="right")
            yield known[rows["number"][run]]


def _number_beside(names: Iterable[str]) -> str:
    """Return a name for file numbers that no column has."""
    taken, name = set(names), _NUMBER
    while name in taken:
        name += "'"
    return name


def matching(file_columns: pl.DataFrame | None, filters: Sequence[pl.Expr]) -> list[int] | None:
    """Return the files that can have matching rows, by the columns with one value per file; None: all."""
    if file_columns is None:
        return None
    told = [term for term in filters if predicate.is_evaluable(term, file_columns.columns)]
    if not told:
        return None
    number = _number_beside(file_columns.columns)
    kept: list[int] = file_columns.with_row_index(number).filter(told)[number].to_list()
    return kept


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
