"""``polars-avro count``: the number of rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click
import polars as pl

from polars_avro._cli import sources as sources_
from polars_avro._scan import scan_avro

if TYPE_CHECKING:
    from collections.abc import Sequence


@click.command()
@sources_.argument
@click.option("--by-file", is_flag=True, help="Print the rows of each file before the sum.")
@click.option("--ignore-errors", is_flag=True, help="Decode everything, and count the rows of sound blocks only.")
def count(sources: Sequence[str], by_file: bool, ignore_errors: bool, storage_options: dict[str, Any] | None) -> None:
    """
    Print the number of rows of all sources.

    Block headers are read and nothing is decoded, so damage inside blocks is not noticed: see `check`.
    """
    total = 0
    for file in sources_.list_files(sources, storage_options):
        lf = scan_avro(
            file, glob=False, hive_partitioning=False, ignore_errors=ignore_errors, storage_options=storage_options
        )
        rows = int(lf.select(pl.len()).collect().item())
        total += rows
        if by_file:
            click.echo(f"{rows}\t{sources_.name_of(file)}")
    click.echo(f"{total}\ttotal" if by_file else str(total))
