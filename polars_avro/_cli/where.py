"""SQL conditions on rows."""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click
import polars as pl
from polars.exceptions import ColumnNotFoundError, PolarsError, StructFieldNotFoundError
from polars.io.plugins import register_io_source

from polars_avro import _suggestions
from polars_avro._cli import failures
from polars_avro._errors import AvroError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_SYNTAX = re.compile(
    r"sql parser error: (?:Expected: (?P<expected>.*), found: (?P<found>.*?)|(?P<other>.*?))"
    r"(?: at Line: (?P<line>[0-9]+), Column: (?P<column>[0-9]+))?"
)
#: The error of a function of text for an Enum or a Categorical.
_NOT_TEXT = re.compile(r"expected:? `?String\b.* got:? `?(?:enum|cat)\b")
#: Text and quoted names.
_QUOTED = re.compile(r"""'(?:[^']|'')*'|"[^"]*\"""")
#: Conditions that SQL accepts, and that never mean what they look like.
_MISTAKES = (
    (
        re.compile(r"(?<![\w.-])[0-9]{4}-[0-9]{2}-[0-9]{2}(?![\w.-])"),
        "{found} is a subtraction: write the date in single quotes, '{found}'",
    ),
    (re.compile(r"(?:=|<>|!=)\s*null\b", re.IGNORECASE), "nothing equals NULL: write IS NULL or IS NOT NULL"),
)


def parse(text: str, schema: Mapping[str, pl.DataType]) -> pl.Expr:
    """
    Parse a condition into an expression on these columns.

    Polars pushes a filter into a source only if it is evaluated row by row, so a probe query tells if the condition is.
    """
    _refuse_mistakes(text)
    predicates: list[pl.Expr | None] = []

    def source(
        with_columns: list[str] | None, predicate: pl.Expr | None, n_rows: int | None, batch_size: int | None
    ) -> Iterator[pl.DataFrame]:
        del with_columns, n_rows, batch_size
        predicates.append(predicate)
        yield pl.DataFrame(schema=schema)

    rows = register_io_source(source, schema=pl.Schema(schema))
    try:
        # On lines of its own, the text may end in a comment, and columns in messages are those of the text.
        query = pl.SQLContext(rows=rows).execute(f"SELECT * FROM rows WHERE (\n{text}\n)", eager=False)
        is_scan = query.explain().startswith("PYTHON")
        query.collect()
        if predicates and predicates[0] is not None:
            # The probe does not evaluate it, and errors of types appear only then.
            pl.DataFrame(schema=schema).filter(predicates[0])
    except PolarsError as error:
        raise _error(error, text, schema) from None
    condition = predicates[0] if len(predicates) == 1 and is_scan else None
    if condition is None:
        msg = f"--where: {text!r} must not depend on other rows, and must not contain a query"
        raise click.UsageError(msg)
    return condition


def _refuse_mistakes(text: str) -> None:
    unquoted = _QUOTED.sub("''", text)
    for pattern, message in _MISTAKES:
        if match := pattern.search(unquoted):
            msg = f"--where: {message.format(found=match[0])}"
            raise click.UsageError(msg)


@contextmanager
def evaluated() -> Iterator[None]:
    """Turn errors of the evaluation, such as a failed cast of a value, into errors of the option."""
    try:
        yield
    except AvroError:
        raise
    except PolarsError as error:
        msg = f"--where: {failures.one_line(str(error))}"
        raise click.UsageError(msg) from None


def _error(error: PolarsError, text: str, schema: Mapping[str, pl.DataType]) -> click.UsageError:
    """Return the error of a condition that Polars does not accept."""
    if isinstance(error, StructFieldNotFoundError):
        return click.UsageError(f"--where: no struct has the field {failures.one_line(str(error))!r}")
    unknown = re.match(r'unable to find column "([^"]*)"', str(error))
    if not isinstance(error, ColumnNotFoundError) or unknown is None:
        message = _syntax(failures.one_line(str(error)), text)
        cast = "; CAST(column AS TEXT) is its text" if _NOT_TEXT.search(message) else ""
        return click.UsageError(f"--where: {message}{cast}")
    name = unknown[1]
    msg = f"--where: {unknown_column(name, schema)}"
    if f'"{name}"' in text or not _suggestions.nearest(name, schema):
        msg += f"; text is written in single quotes: '{name}'"
    return click.UsageError(msg)


def _syntax(message: str, text: str) -> str:
    """Rewrite an error of the SQL parser. Its positions are those in the query, where the text begins on line 2."""
    match = _SYNTAX.fullmatch(message)
    if match is None:
        return message
    expected, found, line, column = match["expected"], match["found"], match["line"], match["column"]
    place = "" if line is None else f" at line {int(line) - 1}, column {column}"
    if expected is None:
        return match["other"].replace("before EOF.", "before the end").replace("Unterminated", "unterminated") + place
    if found == "EOF" or (line is not None and int(line) > text.count("\n") + 2):
        return "a ) without a (" if expected == "end of statement" else f"expected {expected}, found the end"
    if expected == ")" and text.count("(") == text.count(")"):
        # The parenthesis would be that of the query.
        expected = "the end"
    return f"expected {expected}, found {found}{place}"


def unknown_column(name: str, schema: Mapping[str, pl.DataType]) -> ColumnNotFoundError:
    """Return the error for a column that does not exist, with the names that are like it."""
    return ColumnNotFoundError(f"no column {name!r}{_suggestions.hint(name, schema, 'columns')}")
