"""``polars-avro cat``: rows as JSON lines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import click
import polars.selectors as cs

from polars_avro._cli import sources as sources_
from polars_avro._cli.json_lines import json_columns
from polars_avro._cli.targets import standard_output
from polars_avro._scan import scan_avro

if TYPE_CHECKING:
    from collections.abc import Sequence


@click.command()
@sources_.argument
@click.option("-n", "--rows", type=click.IntRange(min=0), help="Stop after this many rows.")
@sources_.reading_options
def cat(
    sources: Sequence[str],
    rows: int | None,
    columns: str | None,
    ignore_errors: bool,
    schema_mode: Literal["first", "union"],
    storage_options: dict[str, Any] | None,
) -> None:
    """
    Print rows as JSON, one per line.

    Bytes become Base64, decimals and dates text, NaN and infinities null. Memory stays bounded.
    """
    opened = sources_.open_sources(sources)
    lf = scan_avro(
        opened, n_rows=rows, ignore_errors=ignore_errors, schema_mode=schema_mode, storage_options=storage_options
    )
    names = sources_.split_names(columns)
    lf = lf if names is None else lf.select(cs.by_name(*names))
    lf = lf.with_columns(json_columns(lf.collect_schema()))
    stdout = standard_output()
    lf.sink_ndjson(stdout)
    stdout.flush()
