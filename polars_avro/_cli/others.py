"""Reading of formats other than Avro by Polars."""

from __future__ import annotations

import inspect
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click
import polars as pl
import polars.selectors as cs
from polars.exceptions import ColumnNotFoundError, ComputeError, PolarsError, SchemaError

from polars_avro._cli import dtypes as dtypes_
from polars_avro._cli import failures, ndjson_dtypes, where
from polars_avro._cli.formats import AVRO, Format, Table
from polars_avro._cli.schema_files import is_avro, parse
from polars_avro._cli.sources import name_of, standard_input
from polars_avro._core import FileOpener

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from polars_avro._cli.rows import Frames, Reading
    from polars_avro._cli.sources import Sources

#: Formats whose dtypes are inferred.
_INFERRED = ("csv", "ndjson")
_ALL = "all"
_HINT = "; dtypes are inferred from the first rows: name this one in --schema, or pass more rows by --infer-rows"


def table(
    form: Format,
    sources: Sources,
    reading: Reading,
    schema: str | None,
    infer_rows: str | None,
    separator: str | None = None,
) -> Table:
    """Return the rows."""
    is_default = reading.schema_mode == "first" and reading.hive is None and reading.invalid_values == "raise"
    is_default = is_default and reading.field_matching == "name"
    if reading.ignore_errors or not is_default:
        msg = "--ignore-errors, --invalid-values, --schema-mode, --field-matching and --hive are for Avro sources"
        raise click.UsageError(msg)
    label = name_of(sources.names[0]) if not sources.is_stdin else "<stdin>"
    if len(sources.names) > 1:
        label += f", ... {len(sources.names) - 1} more"
    store = {} if sources.storage_options is None else {"storage_options": sources.storage_options}
    source: Any = standard_input().read() if sources.is_stdin else list(sources.names)
    dtypes = _dtypes(schema)

    def scan(**more: Any) -> pl.LazyFrame:
        return form.scan(source, **more, **store)

    options: dict[str, Any] = {}
    scan_as: Callable[..., pl.LazyFrame] = scan
    if sources.hidden_file_prefix:
        if "hidden_file_prefix" not in inspect.signature(form.scan).parameters:
            msg = f"Polars {pl.__version__} does not support --hidden-file-prefix for {form.name}"
            raise NotImplementedError(msg)
        options["hidden_file_prefix"] = list(sources.hidden_file_prefix)
    if form.name in _INFERRED:
        options["infer_schema_length"] = _number_of_rows(infer_rows, form)
    if form.name == "csv":
        options["try_parse_dates"] = True
        options |= {} if separator is None else {"separator": separator}
    with _naming(label):
        if dtypes and form.name in _INFERRED:
            try:
                file_columns = scan(**options).collect_schema()
            except ComputeError as error:
                if "empty reader" not in str(error):
                    raise
                # NDJSON without rows has no columns.
                empty = _selected(pl.LazyFrame(schema=dtypes), reading).collect()
                return Table(empty.schema, lambda: (empty for _ in range(1)))
            if not is_avro(schema) and (unknown := [name for name in dtypes if name not in file_columns]):
                msg = f"--schema names the column {unknown[0]!r}, which is not one of {', '.join(file_columns)}"
                raise SchemaError(msg)
            overrides = {name: dtype for name, dtype in dtypes.items() if name in file_columns}
            options["schema_overrides"] = overrides
            scan_as = ndjson_dtypes.scan(scan) if form.name == "ndjson" else scan
        lf = _selected(scan_as(**options), reading)
        columns = lf.collect_schema()
        if form.name == "csv" and (unread := next((name for name in columns if "\ufffd" in name), None)):
            msg = f"the column {unread!r}: its name is not UTF-8"
            raise ComputeError(msg)

    def frames() -> Frames:
        with _naming(label, _HINT if form.name in _INFERRED and schema is None else ""):
            yield from lf.collect_batches(maintain_order=True)

    return Table(columns, frames)


def check_schema(source: Format, target: Format, schema: str | None, infer_rows: str | None) -> None:
    """Refuse dtypes for formats that have their own, except an Avro schema to write with."""
    is_written = schema is None or (target is AVRO and is_avro(schema))
    if source.name not in _INFERRED and (infer_rows is not None or not is_written):
        msg = "--schema and --infer-rows are for CSV and NDJSON sources; an Avro schema is also for Avro targets"
        raise click.UsageError(msg)


@contextmanager
def _naming(label: str, hint: str = "") -> Iterator[None]:
    """Add the names of the sources to errors of Polars."""
    try:
        yield
    except PolarsError as error:
        message = failures.one_line(str(error))
        # No dtype helps a row of CSV that is too long, or text in another encoding.
        hint = "" if re.search("found more fields than defined|invalid utf-8", message) else hint
        message = message.partition("; try setting `strict=false`")[0].partition(" try setting `strict=false`")[0]
        message += ": the file must be in UTF-8" if message.endswith("invalid utf-8 sequence") else ""
        if "empty reader" in message:
            message = "the file is empty: pass --schema for its columns"
        msg = message if message.startswith(label) else f"{label}: {message}"
        raise ComputeError(msg + hint) from None
    except OSError as error:
        if error.filename is not None or label in str(error):
            raise
        msg = f"{label}: {error}"
        raise OSError(msg) from None


def _selected(lf: pl.LazyFrame, reading: Reading) -> pl.LazyFrame:
    if reading.where is not None:
        lf = lf.filter(where.parse(reading.where, lf.collect_schema()))
    if reading.columns is None:
        return lf
    known = lf.collect_schema()
    if unknown := next((name for name in reading.columns if name not in known), None):
        error = where.unknown_column(unknown, known)
        raise ColumnNotFoundError(f"--columns: {error}")
    return lf.select(cs.by_name(*reading.columns))


def _number_of_rows(text: str | None, form: Format) -> int | None:
    if text is None:
        # A field of NDJSON that is first met in a later row would be dropped.
        return 100 if form.name == "csv" else None
    if text == _ALL:
        return None
    if not text.isdecimal() or int(text) == 0:
        msg = f"--infer-rows must be a number of rows or {_ALL!r}, got {text!r}"
        raise click.UsageError(msg)
    return int(text)


def _dtypes(schema: str | None) -> dict[str, Any]:
    """Return the dtypes of columns in an Avro schema or a list."""
    if schema is None:
        return {}
    return dict(pl.Schema(FileOpener(parse(schema)))) if is_avro(schema) else dtypes_.parse(schema)
