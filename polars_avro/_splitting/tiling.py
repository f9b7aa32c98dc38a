"""Tiling of files into splits: large files are cut, and small ones are packed together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from polars_avro._engine.file_parts import FilePart
from polars_avro._sources.inputs import COMPRESSED

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

#: The maximum number of files in a split, because opening a file has a fixed cost.
MAX_FILES = 1024


def tile(files: Iterable[tuple[str, int]], target_bytes: int) -> Iterator[tuple[FilePart, ...]]:
    """
    Yield the parts of each split for files, which are tuples of path and size.

    The splits cover the files in order. Each has about `target_bytes`, and at most `MAX_FILES` files.
    """
    split: list[FilePart] = []
    n_bytes = 0
    for part in _cut(files, target_bytes):
        if split and (n_bytes + part.n_bytes > target_bytes or len(split) == MAX_FILES):
            yield tuple(split)
            split, n_bytes = [], 0
        split.append(part)
        n_bytes += part.n_bytes
    if split:
        yield tuple(split)


def merge(parts: Iterable[FilePart]) -> tuple[FilePart, ...]:
    """Join adjacent ranges of a file. All ranges of a file become the whole file."""
    merged: list[FilePart] = []
    for part in parts:
        last = merged[-1] if merged else None
        if last is not None and last.file == part.file and last.byte_range[1] == part.byte_range[0]:
            merged[-1] = FilePart(part.file, (last.byte_range[0], part.byte_range[1]), part.file_bytes)
        else:
            merged.append(part)
    return tuple(merged)


def _cut(files: Iterable[tuple[str, int]], target_bytes: int) -> Iterator[FilePart]:
    """Cut files into parts of equal size, none of which is larger than the target."""
    for file, size in files:
        # A file that is compressed as a whole cannot be cut.
        n = 1 if file.lower().endswith(COMPRESSED) else -(-size // target_bytes) or 1
        for i in range(n):
            # The last range has no end, so that a whole file is always the range (0, None).
            yield FilePart(file, (size * i // n, size * (i + 1) // n if i + 1 < n else None), size)
