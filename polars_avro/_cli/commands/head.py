"""``polars-avro head``: the first rows as a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from polars_avro._cli import sources as sources_
from polars_avro._cli.command import Command
from polars_avro._cli.rows import offset_option, reading_options
from polars_avro._cli.tables import collect, full_option, print_table

if TYPE_CHECKING:
    from polars_avro._cli.rows import Reading
    from polars_avro._cli.sources import Sources


@click.command(cls=Command)
@sources_.argument
@click.option("-n", "--rows", type=sources_.NUMBER, default=10, show_default=True, help="Number of rows.")
@offset_option
@full_option
@reading_options
def head(sources: Sources, rows: int, offset: int, full: bool, reading: Reading) -> None:
    """
    Print the first rows as a table.

    Columns that do not fit the terminal are elided in the middle; select some with --columns.
    """
    opened = reading.rows(sources)
    print_table(collect(opened.frames(offset, rows), opened.schema), full=full)
