"""Printing of frames as tables that fit the terminal."""

from __future__ import annotations

import bisect
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
#: Characters to which the shortest texts are cut.
_SHORTEST = 20
#: Rows that are printed to find the number of columns.
_MEASURED = 200
#: More characters than a line of most tables has. Polars has 16 bits for the width.
_UNLIMITED = 60_000


def width() -> int:
    """Return the maximum number of characters in a line."""
    return max(shutil.get_terminal_size((_WIDTH, 24)).columns, 20)


def collect(frames: Frames, schema: pl.Schema) -> pl.DataFrame:
    """Collect all rows and close the read."""
    with closing(frames):
        return pl.concat([pl.DataFrame(schema=schema), *frames])


#: The option of commands that print tables.
full_option = click.option("--full", is_flag=True, help="Print all columns and whole values, however wide.")


def print_table(df: pl.DataFrame, *, full: bool = False) -> None:
    """Print all rows and as many columns as fit, or all. Dates outside of the calendar are printed as numbers."""
    df = escapes.frame(printable.with_numbers(df))
    text = _text(df, width_limit=_UNLIMITED, columns=-1, characters=2**31, items=-1) if full else _fitted(df)
    click.echo(text)
    click.echo(f"{_number(df.height, 'row')}, {_number(df.width, 'column')}")


def _text(df: pl.DataFrame, *, width_limit: int, columns: int, characters: int, items: int = 3) -> str:
    """Return a table of at most this width. Cells that are too wide for it are wrapped."""
    with pl.Config(
        tbl_formatting="UTF8_FULL_CONDENSED" if _can_show("│┌═…") else "ASCII_FULL_CONDENSED",
        tbl_width_chars=width_limit,
        tbl_rows=-1,
        tbl_cols=columns,
        fmt_str_lengths=characters,
        fmt_table_cell_list_len=items,
        tbl_hide_dataframe_shape=True,
    ):
        return str(df)


def _fitted(df: pl.DataFrame) -> str:
    """Return a table that fits the terminal, with as many columns and as long texts as it has room for."""
    available = width()
    columns = max(available // _NARROWEST, 1)
    if shape := _unwrapped(df.head(_MEASURED), available, min(columns, df.width)):
        text = _text(df, width_limit=_UNLIMITED, columns=shape[0], characters=shape[1])
        if _is_within(text, available):
            return text
    characters = max(available // 3, _SHORTEST)
    while True:
        text = _text(df, width_limit=available, columns=columns, characters=characters)
        if columns == 1 or _is_within(text, available):
            return text
        columns -= 1


def _unwrapped(df: pl.DataFrame, available: int, least: int) -> tuple[int, int] | None:
    """Return the most columns, at least `least`, and then the longest texts that fit without wrapping."""

    def fits(columns: int, characters: int) -> bool:
        return _is_within(_text(df, width_limit=_UNLIMITED, columns=columns, characters=characters), available)

    # A column has at least four characters with its border.
    most = min(df.width, available // 4)
    columns = next((columns for columns in range(most, least - 1, -1) if fits(columns, _SHORTEST)), 0)
    if not columns:
        return None
    longest = bisect.bisect_left(range(_SHORTEST + 1, available + 1), True, key=lambda n: not fits(columns, n))
    return columns, _SHORTEST + longest


def _is_within(text: str, available: int) -> bool:
    return all(len(line) <= available for line in text.splitlines())


def _number(count: int, noun: str) -> str:
    return f"1 {noun}" if count == 1 else f"{count:,} {noun}s"


def _can_show(text: str) -> bool:
    try:
        text.encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        return False
    return True
