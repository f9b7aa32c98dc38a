"""``polars-avro cat``: rows as JSON lines."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import click

from polars_avro._cli import sources as sources_
from polars_avro._cli import targets, text
from polars_avro._cli.rows import offset_option, reading_options

if TYPE_CHECKING:
    from polars_avro._cli.rows import Reading
    from polars_avro._cli.sources import Sources


@click.command()
@sources_.argument
@click.option("-n", "--rows", type=click.IntRange(min=0), help="Stop after this many rows.")
@click.option("--pretty", is_flag=True, help="Print each field on a line of its own.")
@offset_option
@reading_options
def cat(sources: Sources, rows: int | None, offset: int, pretty: bool, reading: Reading) -> None:
    """
    Print rows as JSON, one per line.

    Bytes become Base64; decimals, dates and keys of maps text; NaN and infinities null. Memory stays bounded.
    """
    opened = reading.rows(sources)
    with closing(opened.frames(offset, rows)) as frames, targets.opened(sources_.STDIN) as stdout:
        text.write_json_lines(frames, opened.schema, stdout, indent=2 if pretty else None)
