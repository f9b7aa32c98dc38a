"""``polars-avro tail``: the last rows as a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from polars_avro._cli import sources as sources_
from polars_avro._cli.command import Command
from polars_avro._cli.rows import reading_options
from polars_avro._cli.tables import collect, full_option, print_table

if TYPE_CHECKING:
    from polars_avro._cli.rows import Reading
    from polars_avro._cli.sources import Sources


@click.command(cls=Command)
@sources_.argument
@click.option("-n", "--rows", type=sources_.NUMBER, default=10, show_default=True, help="Number of rows.")
@full_option
@reading_options
def tail(sources: Sources, rows: int, full: bool, reading: Reading) -> None:
    """
    Print the last rows as a table.

    Earlier blocks are not decoded, unless --where is used.
    """
    opened = reading.rows(sources)
    print_table(collect(opened.last(rows), opened.schema), full=full)
