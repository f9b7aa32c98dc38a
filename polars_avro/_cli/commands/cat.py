"""``polars-avro cat``: rows as JSON lines."""

from __future__ import annotations

from contextlib import closing
from random import Random
from typing import TYPE_CHECKING

import click

from polars_avro._cli import sources as sources_
from polars_avro._cli import targets, text
from polars_avro._cli.command import Command
from polars_avro._cli.rows import offset_option, reading_options
from polars_avro._cli.sampling import chosen, seed_option

if TYPE_CHECKING:
    from polars_avro._cli.rows import Reading
    from polars_avro._cli.sources import Sources


@click.command(cls=Command)
@sources_.argument
@click.option("-n", "--rows", type=sources_.NUMBER, help="Stop after this many rows.")
@click.option("--sample", "size", metavar="N", type=sources_.NUMBER, help="Print only N randomly chosen rows.")
@seed_option
@click.option("--pretty", is_flag=True, help="Print each field on a line of its own.")
@offset_option
@reading_options
def cat(
    sources: Sources,
    rows: int | None,
    size: int | None,
    seed: int | None,
    offset: int,
    pretty: bool,
    reading: Reading,
) -> None:
    """
    Print rows as JSON, one per line.

    Bytes become Base64; decimals, dates and keys of maps text; NaN and infinities null. Memory stays bounded.
    """
    if seed is not None and size is None:
        msg = "--seed needs --sample"
        raise click.UsageError(msg)
    opened = reading.rows(sources)
    with closing(opened.frames(offset, rows)) as frames, targets.opened(sources_.STDIN) as stdout:
        printed = frames if size is None else chosen(frames, size, Random(seed))
        text.write_json_lines(printed, opened.schema, stdout, indent=2 if pretty else None)
