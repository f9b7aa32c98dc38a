"""Parts of files, read one after the other."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any

from polars_avro._core import FileSet
from polars_avro._engine.files import Files, OpenFiles, matching
from polars_avro._engine.frames import warn_at_end
from polars_avro._errors import AvroDataError, AvroUnsupportedError
from polars_avro._options import ReaderOptions
from polars_avro._sources.stores import shown

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    import polars as pl

    from polars_avro._bad_blocks import BadBlockLog


@dataclass(frozen=True, repr=False)
class FilePart:
    """
    A range of one file's bytes, which stands for the blocks whose sync markers begin in it.

    Attributes
    ----------
    file : str
        The path of the file, or its URL in a store.
    byte_range : tuple of int and (int or None)
        Where the range begins and ends, as in ``read_avro``; ``(0, None)`` is the whole file.
    file_bytes : int
        The size of the whole file when it was listed.
    """

    file: str
    byte_range: tuple[int, int | None]
    file_bytes: int

    def __repr__(self) -> str:
        return f"FilePart({shown(self.file)!r}, byte_range={self.byte_range}, file_bytes={self.file_bytes})"

    @property
    def is_whole(self) -> bool:
        """Return whether the range is the whole file."""
        return self.byte_range == (0, None)

    @property
    def n_bytes(self) -> int:
        """The length of the range."""
        start, stop = self.byte_range
        return (self.file_bytes if stop is None else stop) - start


@dataclass(eq=False, repr=False)
class FileParts(Files):
    """Files of which some are read in part: as many parts as sources."""

    parts: tuple[FilePart, ...] = ()

    #: Rows of a part are not counted by their block headers, so slices and row numbers are left to Polars.
    counts_by_header = False

    @classmethod
    def of(cls, files: Files, parts: tuple[FilePart, ...]) -> FileParts:
        """Read these parts of files, one of each source."""
        return cls(**_fields(files), parts=parts)

    @property
    def key(self) -> tuple[object, ...]:
        """A key that identifies these parts."""
        return (*super().key, self.parts)

    @property
    def label(self) -> str:
        """Name the parts in query plans."""
        start, stop = self.parts[0].byte_range
        first = f"{shown(self.parts[0].file)}[{start}:{'' if stop is None else stop}]"
        others = len(self.parts) - 1
        return f"{first}, ... {others} other part{'s' if others > 1 else ''}" if others else first

    def open(self) -> OpenParts:
        """Make ready for reading; opens nothing."""
        return OpenParts(self)

    def runs(self, kept: Collection[int]) -> Iterator[Files]:
        """Return whole files that follow each other as one, parts one by one; those that are kept."""
        whole: list[int] = []
        for index, part in enumerate(self.parts):
            if index not in kept:
                continue
            if part.is_whole:
                whole.append(index)
                continue
            if whole:
                yield self._files(whole)
                whole = []
            yield replace(self, sources=(part.file,), parts=(part,))
        if whole:
            yield self._files(whole)

    def _files(self, indices: list[int]) -> Files:
        return Files(**{**_fields(self), "sources": tuple(self.sources[i] for i in indices)})


def _fields(files: Files) -> dict[str, Any]:
    return {each.name: getattr(files, each.name) for each in fields(Files)}


class OpenParts:
    """Reads parts. Each is opened when its turn comes."""

    def __init__(self, files: FileParts) -> None:
        self.files = files

    def count_rows(self, limit: int | None = None, *, sound: bool = False) -> int:
        """Count by reading no column."""
        rows = 0
        for df in self.frames(columns=(), reader=ReaderOptions(ignore_errors=sound)):
            rows += df.height
            if limit is not None and rows >= limit:
                break
        return rows

    def frames(
        self,
        *,
        columns: Sequence[str],
        row_index: tuple[str, int] | None = None,
        pre_slice: tuple[int, int | None] | None = None,
        filters: Sequence[pl.Expr] = (),
        reader: ReaderOptions,
    ) -> Iterator[pl.DataFrame]:
        """Read rows of these columns, as many as a slice from the first row on asks for."""
        offset, length = pre_slice or (0, None)
        if row_index is not None or offset:
            msg = "parts of files have no row numbers"
            raise ValueError(msg)
        log = reader.bad_block_log()
        # A filter is a hint, and a row limit counts rows before they are filtered.
        filters = filters if length is None else ()
        found = self._frames(columns, filters, reader, log)
        return warn_at_end(found if length is None else _head(found, length), log)

    def _frames(
        self, columns: Sequence[str], filters: Sequence[pl.Expr], reader: ReaderOptions, log: BadBlockLog | None
    ) -> Iterator[pl.DataFrame]:
        kept = matching(self.files.file_columns, filters)
        for run in self.files.runs(range(len(self.files.parts)) if kept is None else set(kept)):
            yield from _open(run).frames_of_scan(columns=columns, filters=filters, reader=reader, log=log)


def _open(files: Files) -> OpenFiles:
    """Open whole files, or the file of a single part."""
    if not isinstance(files, FileParts):
        return files.open_files()
    (part,) = files.parts
    (source,) = files.stores.files([part.file])
    opened = FileSet([source], files.read_schema.core_opener(), eager=True)
    size = opened.first_size()
    if size is None:
        msg = (
            f"{shown(part.file)}: the file is compressed as a whole, so it cannot be divided: end its name in .gz, "
            ".zst or .bz2, and plan the splits again"
        )
        raise AvroUnsupportedError(msg)
    if size != part.file_bytes:
        # Ranges of two different files would not fit together.
        error = AvroDataError(
            f"{shown(part.file)}: the file has {size} bytes and had {part.file_bytes} when its splits were "
            "planned: plan them again"
        )
        error.file = shown(part.file)
        raise error
    return OpenFiles(files, opened, part.byte_range)


def _head(frames: Iterator[pl.DataFrame], length: int) -> Iterator[pl.DataFrame]:
    for df in frames:
        if length <= 0:
            return
        yield df.head(length)
        length -= df.height
