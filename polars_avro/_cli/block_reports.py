"""Lines about damaged and irregular blocks, and a summary of each file."""

from __future__ import annotations

import click

from polars_avro._bad_blocks import IRREGULAR, BadBlock
from polars_avro._cli import escapes, failures


class BlockReports:
    """Prints a line for each block that is reported, and counts them."""

    def __init__(self, name: str, *, to_stderr: bool = False) -> None:
        self._name = name
        self._to_stderr = to_stderr
        self._blocks: list[BadBlock] = []

    def __call__(self, bad: BadBlock) -> None:
        """Print a block with its index, its offset and its rows."""
        self._blocks.append(bad)
        # The message names file, block and offset.
        rows = "" if bad.rows_lost is None or bad.kind == IRREGULAR else f" ({_rows(bad.rows_lost)})"
        self._print(failures.one_line(bad.message) + rows)

    def summarize(self, rows: int, verb: str, *, quiet: bool = False) -> int:
        """Print the number of blocks and rows and return the exit status."""
        if not self._blocks:
            if not quiet:
                self._print(f"{self._name}: ok, {_rows(rows)}")
            return 0
        irregular = sum(bad.kind == IRREGULAR for bad in self._blocks)
        kinds = [(len(self._blocks) - irregular, "damaged"), (irregular, "irregular")]
        blocks = " and ".join(
            f"1 {kind} block" if count == 1 else f"{count:,} {kind} blocks" for count, kind in kinds if count
        )
        self._print(f"{self._name}: {blocks}, {self._rows_lost()} lost, {_rows(rows)} {verb}")
        return failures.FOUND

    def _rows_lost(self) -> str:
        known = sum(bad.rows_lost or 0 for bad in self._blocks)
        if all(bad.rows_lost is not None for bad in self._blocks):
            return _rows(known)
        return f"{_rows(known)} or more" if known else "an unknown number of rows"

    def _print(self, line: str) -> None:
        click.echo(escapes.text(line), err=self._to_stderr)


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count:,} rows"
