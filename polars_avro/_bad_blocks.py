"""Reports of dropped and irregular blocks, and the warning that counts them."""

from __future__ import annotations

import warnings
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from polars_avro._counted import counted, were

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

#: The kind of an irregular block, all of whose rows are present.
IRREGULAR = "framing"


@dataclass(frozen=True)
class BadBlock:
    """
    A block of an Avro file that ``ignore_errors`` dropped, or an irregular block, whose rows were all read.

    If no block header is readable, it is the part of the file up to the next readable block.

    Attributes
    ----------
    file : str
        The path of the file, ``<bytes>`` for a file in memory.
    block_index : int
        Index of the block in the file, counted from 0. A part without a readable header counts as one block. Reads of a
        `byte_range`, or after `seek`, number blocks in the same way, so reports of several parts can be joined.
    offset : int
        Offset of the block in the file, in bytes.
    rows_lost : int or None
        Number of rows according to the block's header; None if the header is damaged; 0 for an irregular block.
    kind : str
        The kind of fault: ``data`` for damage, ``limit`` for an exceeded limit, ``unsupported``; ``framing`` for an
        irregular block, which has bytes after its rows, or whose compressed stream does not end with it; ``value`` for
        a block with values that became null or text; ``file`` for a file that
        `skip_unreadable_files` left out.
    message : str
        The fault, and its position in the block.
    values_replaced : int
        Number of values of the block that became null or text, by the options `recursion_depth` and `invalid_values`.
    """

    file: str
    block_index: int
    offset: int
    rows_lost: int | None
    kind: str
    message: str
    values_replaced: int = 0


class AvroWarning(UserWarning):
    """Warns that ``ignore_errors`` has dropped rows, that a block is irregular, or that values became null or text."""

    __module__ = "polars_avro"


class BadBlockLog:
    """The blocks that a read has dropped so far, and irregular ones."""

    def __init__(self, on_bad_block: Callable[[BadBlock], object] | None, *, keep: bool = False) -> None:
        self.on_bad_block = on_bad_block
        self.kept: list[BadBlock] | None = [] if keep else None
        self.first_dropped: BadBlock | None = None
        self.first_irregular: BadBlock | None = None
        self.first_replaced: BadBlock | None = None
        self.dropped = 0
        self.irregular = 0
        self.rows = 0
        self.values = 0
        self._unreported: deque[BadBlock] = deque()

    def report(self, reports: Iterable[tuple[str, int, int, int | None, str, str, int]]) -> None:
        """Report blocks to the caller, in file order."""
        self._unreported.extend(BadBlock(*fields) for fields in reports)
        # If the callback raises, the remaining blocks are reported by the next call.
        while self._unreported:
            bad = self._unreported.popleft()
            if bad.kind == IRREGULAR:
                self.first_irregular = self.first_irregular or bad
                self.irregular += 1
            elif bad.values_replaced:
                self.first_replaced = self.first_replaced or bad
                self.values += bad.values_replaced
            else:
                self.first_dropped = self.first_dropped or bad
                self.dropped += 1
                self.rows += bad.rows_lost or 0
            if self.kept is not None:
                self.kept.append(bad)
            if self.on_bad_block is not None:
                self.on_bad_block(bad)

    def warn(self, stacklevel: int = 1) -> None:
        """Warn once if anything was dropped or irregular."""
        dropped, self.first_dropped = self.first_dropped, None
        irregular, self.first_irregular = self.first_irregular, None
        replaced, self.first_replaced = self.first_replaced, None
        parts = []
        if dropped is not None:
            blocks = were(self.dropped, "damaged block")
            rows = f"{counted(self.rows, 'row')} or more" if self.rows else "an unknown number of rows"
            parts.append(f"{blocks} dropped, with {rows}; the first: {dropped.message}")
        if irregular is not None:
            blocks = counted(self.irregular, "irregular block")
            parts.append(f"all rows of {blocks} were read (`strict=True` refuses them); the first: {irregular.message}")
        if replaced is not None:
            values = counted(self.values, "value")
            parts.append(f"{values} became null or text; the first block of them: {replaced.message}")
        if parts:
            warnings.warn("; ".join(parts), AvroWarning, stacklevel=stacklevel + 1)


def hashable(on_bad_block: Callable[[BadBlock], object]) -> Callable[[BadBlock], object]:
    """Return a callable that is hashable, because the options of a scan are compared."""
    try:
        hash(on_bad_block)
    except TypeError:
        return _Callback(on_bad_block)
    return on_bad_block


class _Callback:
    """Wraps a callable that is not hashable, and hashes by its identity."""

    def __init__(self, call: Callable[[BadBlock], object]) -> None:
        self.call = call

    def __call__(self, bad: BadBlock) -> object:
        """Forward a report."""
        return self.call(bad)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Callback) and other.call is self.call

    def __hash__(self) -> int:
        return id(self.call)
