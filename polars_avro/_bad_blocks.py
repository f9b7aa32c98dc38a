"""Damaged blocks that were dropped: reported one by one, and counted in one warning."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


@dataclass(frozen=True)
class BadBlock:
    """
    A block of an Avro file that ``ignore_errors`` dropped.

    If no block was found at all, it is the part of the file up to the next readable block.

    Attributes
    ----------
    file : str
        The path of the file, ``<bytes>`` for one in memory.
    block_index : int
        Index of the block in the file, counted from 0. A part without a block counts as one. Reads of a `byte_range`,
        or after `seek`, number blocks in the same way, so reports of several parts can be joined.
    offset : int
        Offset of the block in the file, in bytes.
    rows_lost : int or None
        Number of rows by the block's own header; None if the header is damaged too.
    kind : str
        The kind of fault: ``data`` for damage, ``limit`` for an exceeded limit, ``unsupported``.
    message : str
        The fault, and its position in the block.
    """

    file: str
    block_index: int
    offset: int
    rows_lost: int | None
    kind: str
    message: str


class AvroWarning(UserWarning):
    """Rows of an Avro file are missing from the result, as ``ignore_errors`` allows."""

    __module__ = "polars_avro"


class BadBlockLog:
    """Blocks that a read has dropped so far."""

    def __init__(self, on_bad_block: Callable[[BadBlock], object] | None, *, keep: bool = False) -> None:
        self.on_bad_block = on_bad_block
        self.kept: list[BadBlock] | None = [] if keep else None
        self.first: BadBlock | None = None
        self.blocks = 0
        self.rows = 0
        self._unreported: list[BadBlock] = []

    def report(self, found: Iterable[tuple[str, int, int, int | None, str, str]]) -> None:
        """Report dropped blocks to the caller, in file order."""
        self._unreported.extend(BadBlock(*what) for what in found)
        # An error of the callback leaves the others for the next time.
        while self._unreported:
            bad = self._unreported.pop(0)
            self.first = self.first or bad
            self.blocks += 1
            self.rows += bad.rows_lost or 0
            if self.kept is not None:
                self.kept.append(bad)
            if self.on_bad_block is not None:
                self.on_bad_block(bad)

    def warn(self, stacklevel: int = 1) -> None:
        """Warn once if anything was dropped."""
        first, self.first = self.first, None
        if first is not None:
            blocks = "1 damaged block was" if self.blocks == 1 else f"{self.blocks} damaged blocks were"
            rows = f"{self.rows} rows or more" if self.rows else "an unknown number of rows"
            msg = f"{blocks} dropped, with {rows}; the first: {first.message}"
            warnings.warn(msg, AvroWarning, stacklevel=stacklevel + 1)
