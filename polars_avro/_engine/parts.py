"""The rows to read of some files: where a slice begins in those that are read."""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING, NamedTuple

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Sequence

    from polars_avro._core import FileSet


class Part(NamedTuple):
    """Rows of files: `length` rows after the first `offset`."""

    core: FileSet
    offset: int = 0
    length: int | None = None
    #: By the number of a file, how many rows before its own are in files that are not read; None: all are.
    skipped: pl.Series | None = None


def resolve_slice(core: FileSet, pre_slice: tuple[int, int | None] | None, *, numbered: bool, sound: bool) -> Part:
    """Count a slice from the first row of some of the files; if rows are numbered, of all."""
    offset, length = (0, None) if pre_slice is None else pre_slice
    if offset >= 0:
        return Part(core, offset, length)
    if sound:
        rows = core.count_readable_rows()
    elif numbered:
        rows = core.count_rows()
    else:
        files, rows = core.count_rows_from_end(-offset)
        core = core.select(list(range(len(core) - files, len(core))))
    return Part(core, *_from_start(rows, offset, length))


def resolve_slice_of(
    core: FileSet, kept: Sequence[int], pre_slice: tuple[int, int | None] | None, *, numbered: bool
) -> Part:
    """Count a slice of all files in those that are kept. The others have their block headers read, and no more."""
    offset, length = (0, None) if pre_slice is None else pre_slice
    limit = None if length is None or offset < 0 else offset + length
    # Rows after the last kept file matter only if the slice is counted from the end.
    counted = core if offset < 0 else core.select(list(range(kept[-1] + 1 if kept else 0)))
    counts = [rows for _, rows in counted.count_rows_by_file(limit)]
    ends = list(accumulate(counts, initial=0))
    if offset < 0:
        offset, length = _from_start(ends[-1], offset, length)
    stop = None if length is None else offset + length
    before, kept_rows, skipped, files = 0, 0, [0] * len(core), []
    for number in kept:
        if number >= len(counts) or (stop is not None and ends[number] >= stop):
            break
        skipped[number] = ends[number] - kept_rows
        before += min(counts[number], max(0, offset - ends[number]))
        kept_rows += counts[number]
        files.append(number)
    if stop is not None and files:
        kept_rows -= max(0, ends[files[-1] + 1] - stop)
    read = core.select(files)
    rows = None if stop is None else max(0, kept_rows - before)
    return Part(read, before, rows, pl.Series(skipped, dtype=pl.get_index_type()) if numbered else None)


def _from_start(rows: int, offset: int, length: int | None) -> tuple[int, int | None]:
    start = rows + offset
    if length is not None and start < 0:
        length = max(0, start + length)
    return max(0, start), length
