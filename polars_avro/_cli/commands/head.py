"""``polars-avro head``: the first rows as a table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import click
import polars.selectors as cs

from polars_avro._cli import sources as sources_
from polars_avro._cli.tables import print_table
from polars_avro._scan import scan_avro

if TYPE_CHECKING:
    from collections.abc import Sequence


@click.command()
@sources_.argument
@click.option("-n", "--rows", type=click.IntRange(min=0), default=10, show_default=True, help="How many rows.")
@sources_.reading_options
def head(
    sources: Sequence[str],
    rows: int,
    columns: str | None,
    ignore_errors: bool,
    schema_mode: Literal["first", "union"],
    storage_options: dict[str, Any] | None,
) -> None:
    """
    Print the first rows as a table.

    Columns that do not fit the terminal are elided in the middle; choose some with --columns.
    """
    lf = scan_avro(
        sources_.open_sources(sources),
        ignore_errors=ignore_errors,
        schema_mode=schema_mode,
        storage_options=storage_options,
    )
    names = sources_.split_names(columns)
    print_table((lf if names is None else lf.select(cs.by_name(*names))).head(rows).collect())
