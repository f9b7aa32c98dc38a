"""SQL conditions on rows."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import click
import polars as pl
from polars.exceptions import ColumnNotFoundError, PolarsError
from polars.io.plugins import register_io_source

from polars_avro import _suggestions
from polars_avro._cli import failures

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


def parse(text: str, schema: Mapping[str, pl.DataType]) -> pl.Expr:
    """
    Parse a condition into an expression on these columns.

    Polars pushes a filter into a source only if it is evaluated row by row, so a probe query tells if the condition is.
    """
    predicates: list[pl.Expr | None] = []

    def source(
        with_columns: list[str] | None, predicate: pl.Expr | None, n_rows: int | None, batch_size: int | None
    ) -> Iterator[pl.DataFrame]:
        del with_columns, n_rows, batch_size
        predicates.append(predicate)
        yield pl.DataFrame(schema=schema)

    rows = register_io_source(source, schema=pl.Schema(schema))
    try:
        query = pl.SQLContext(rows=rows).execute(f"SELECT * FROM rows WHERE ({text})", eager=False)
        is_scan = query.explain().startswith("PYTHON")
        query.collect()
    except ColumnNotFoundError as error:
        match = re.match(r'unable to find column "([^"]*)"', str(error))
        raise (unknown_column(match[1], schema) if match else error) from None
    except PolarsError as error:
        msg = f"--where: {failures.one_line(str(error))}"
        raise click.UsageError(msg) from None
    condition = predicates[0] if len(predicates) == 1 and is_scan else None
    if condition is None:
        msg = f"--where: {text!r} must not depend on other rows"
        raise click.UsageError(msg)
    return condition


def unknown_column(name: str, schema: Mapping[str, pl.DataType]) -> ColumnNotFoundError:
    """Return the error for a column that does not exist, with the names that are like it."""
    return ColumnNotFoundError(f"no column {name!r}{_suggestions.hint(name, schema, 'columns')}")
