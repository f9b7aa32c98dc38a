"""Printing of frames as tables that fit the terminal."""

from __future__ import annotations

import shutil
import sys
from contextlib import closing
from typing import TYPE_CHECKING

import click
import polars as pl

from polars_avro._cli import escapes, printable

if TYPE_CHECKING:
    from polars_avro._cli.rows import Frames

#: Minimum width of a column in characters.
_NARROWEST = 11
#: Width if the output is not a terminal. ``COLUMNS`` overrides it.
_WIDTH = 120


def width() -> int:
    """Return the maximum number of characters in a line."""
    return max(shutil.get_terminal_size((_WIDTH, 24)).columns, 20)


def collect(frames: Frames, schema: pl.Schema) -> pl.DataFrame:
    """Collect all rows and close the read."""
    with closing(frames):
        return pl.concat([pl.DataFrame(schema=schema), *frames])


def print_table(df: pl.DataFrame) -> None:
    """Print all rows and as many columns as fit. Dates outside of the calendar are printed as numbers."""
    df = escapes.frame(printable.with_numbers(df))
    available = width()
    formatting = "UTF8_FULL_CONDENSED" if _can_show("│┌═…") else "ASCII_FULL_CONDENSED"
    columns = max(available // _NARROWEST, 1)
    while True:
        with pl.Config(
            tbl_formatting=formatting,
            tbl_width_chars=available,
            tbl_rows=-1,
            tbl_cols=columns,
            fmt_str_lengths=max(available // 3, 20),
            tbl_hide_dataframe_shape=True,
        ):
            text = str(df)
        if columns == 1 or all(len(line) <= available for line in text.splitlines()):
            break
        columns -= 1
    click.echo(text)
    click.echo(f"{_number(df.height, 'row')}, {_number(df.width, 'column')}")


def _number(count: int, noun: str) -> str:
    return f"1 {noun}" if count == 1 else f"{count:,} {noun}s"


def _can_show(text: str) -> bool:
    try:
        text.encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        return False
    return True
