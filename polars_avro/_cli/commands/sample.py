"""``polars-avro sample``: random rows as a table."""

from __future__ import annotations

from contextlib import closing
from random import Random
from typing import TYPE_CHECKING

import click
import polars as pl

from polars_avro._cli import sources as sources_
from polars_avro._cli.command import Command
from polars_avro._cli.rows import reading_options
from polars_avro._cli.sampling import chosen, seed_option
from polars_avro._cli.tables import full_option, print_table

if TYPE_CHECKING:
    from polars_avro._cli.rows import Reading
    from polars_avro._cli.sources import Sources


@click.command(cls=Command)
@sources_.argument
@click.option("-n", "--rows", type=sources_.NUMBER, default=10, show_default=True, help="Number of rows.")
@seed_option
@full_option
@reading_options
def sample(sources: Sources, rows: int, seed: int | None, full: bool, reading: Reading) -> None:
    """
    Print random rows as a table, in the order of the files.

    All rows are read, and each is chosen with the same probability.
    """
    opened = reading.rows(sources)
    with closing(opened.frames()) as frames:
        sampled = chosen(frames, rows, Random(seed))
    print_table(pl.concat(sampled) if sampled else pl.DataFrame(schema=opened.schema), full=full)
