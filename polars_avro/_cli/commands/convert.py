"""``polars-avro convert``: converts files from one format to another."""

from __future__ import annotations

import re
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

import click

from polars_avro._cli import formats, others, progress, schema_files, targets
from polars_avro._cli import sources as sources_
from polars_avro._cli.command import Command
from polars_avro._cli.formats import AVRO, Format, Table
from polars_avro._cli.rows import reading_options
from polars_avro._errors import AvroSchemaError
from polars_avro._sources import stores

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from polars_avro._cli.rows import Frames, Reading
    from polars_avro._cli.sources import Sources

_FORMATS = click.Choice(list(formats.BY_NAME))


def _separator(ctx: click.Context, option: click.Parameter, value: str | None) -> str | None:
    """Check the separator. A shell makes it hard to pass a tab, so its escape is accepted."""
    separator = "\t" if value in ("\\t", "tab") else value
    if separator is not None and len(separator.encode()) != 1:
        msg = f"--separator must be one ASCII character, or \\t for a tab, got {value!r}"
        raise click.UsageError(msg, ctx)
    return separator


@click.command(cls=Command)
@sources_.argument
@click.argument("target", type=sources_.PATH)
@click.option(
    "-C",
    "--compression",
    "--codec",
    "compression",
    metavar="NAME",
    shell_complete=formats.complete_compression,
    help="Codec or compression of TARGET; by default that of its format.",
)
@click.option("--level", type=int, help="Level of the compression.")
@click.option("--from", "from_", type=_FORMATS, help="Format of the sources, if their names do not determine it.")
@click.option("--to", type=_FORMATS, help="Format of TARGET, if its name does not determine it.")
@click.option(
    "--schema",
    metavar="SCHEMA",
    type=sources_.PATH,
    help="Schema of an Avro TARGET and of CSV and NDJSON: an .avsc file or JSON. For these also NAME=DTYPE,...",
)
@click.option(
    "--infer-rows",
    metavar="N",
    help="Infer columns and dtypes of CSV and NDJSON from this many rows; by default 100 of CSV and `all` of NDJSON.",
)
@click.option(
    "--separator", metavar="CHAR", callback=_separator, help="Separator of CSV sources and targets; by default a comma."
)
@click.option("--overwrite", is_flag=True, help="Replace an existing TARGET also if there are several sources.")
@reading_options
def convert(
    sources: Sources,
    target: str,
    compression: str | None,
    level: int | None,
    from_: str | None,
    to: str | None,
    schema: str | None,
    infer_rows: str | None,
    separator: str | None,
    overwrite: bool,
    reading: Reading,
) -> None:
    """
    Convert files from one format to another, or to another compression.

    The formats are Avro, Parquet, Arrow IPC, CSV and NDJSON, with extensions such as .avro .parquet .arrow .csv
    .ndjson; - is standard input or output. Several sources become one file. Avro to Avro keeps the schema, and with
    --ignore-errors drops damaged blocks. TARGET is replaced only on success.
    """
    if len(sources.names) > 1 and not overwrite:
        targets.refuse_existing(target, sources.storage_options)
    source_format = _source_format(sources.names, from_)
    target_format, of_name = (formats.BY_NAME[to], None) if to else _target_format(target)
    options = _compression(target_format, of_name, compression, level)
    if separator is not None:
        if "csv" not in (source_format.name, target_format.name):
            msg = "--separator is for CSV sources and targets"
            raise click.UsageError(msg)
        options |= {"separator": separator} if target_format.name == "csv" else {}
    if target != sources_.STDIN and sources.storage_options is not None:
        options["storage_options"] = sources.storage_options
    others.check_schema(source_format, target_format, schema, infer_rows)
    count = None
    if source_format is AVRO:
        rows = reading.rows(sources)
        table, count = Table(rows.schema, rows.frames), rows.count
        header = rows.header
    else:
        table = others.table(source_format, sources, reading, schema, infer_rows, separator)
        header = {}
    if target_format is AVRO:
        options |= header
        options |= {"avro_schema": schema_files.parse(schema)} if schema_files.is_avro(schema) else {}
    formats.refuse_columns(target_format, table.schema)
    is_copy = source_format is AVRO and target_format is AVRO and schema is None
    with _recursion_explained() if is_copy else nullcontext(), targets.opened(target) as opened:
        if progress.is_shown():
            with progress.Progress(stores.shown(target), count() if count else None) as bar:
                target_format.write(_watched(table, bar), opened, **options)
        else:
            target_format.write(table, opened, **options)


@contextmanager
def _recursion_explained() -> Iterator[None]:
    """Name the command that copies recursive types, which are read as text here."""
    try:
        yield
    except AvroSchemaError as error:
        # Of types with others inside, only recursive ones are read as text.
        if re.search("the dtype String cannot be written as the Avro type (record|array|map)", str(error)):
            text = str(error).partition(": pass ")[0].partition(": convert ")[0]
            error.args = (f"{text}: values of recursive types are text here; `concat` copies them",)
        raise


def _compression(form: Format, of_name: str | None, compression: str | None, level: int | None) -> dict[str, Any]:
    """Return the options of the target for its compression, which its name may determine."""
    if level is not None and form.name == "ipc":
        msg = "--level is for other formats: Arrow IPC has no levels of compression"
        raise click.UsageError(msg)
    chosen = formats.checked_compression(form, of_name if compression is None else compression, level)
    if of_name not in (None, chosen):
        msg = f"the name of the target says {of_name}, and --compression says {compression}"
        raise click.UsageError(msg)
    options: dict[str, Any] = {} if chosen is None else {"compression": chosen}
    return options if level is None else {**options, "compression_level": level}


def _source_format(sources: Sequence[str], option: str | None) -> Format:
    if option is not None:
        return formats.BY_NAME[option]
    if list(sources) == [sources_.STDIN]:
        return AVRO
    found = [formats.format_of(_last_part(source), "--from", is_source=True) for source in sources]
    names = {form.name for form, _ in found}
    if len(names) > 1:
        msg = f"the sources have several formats: {', '.join(sorted(names))}"
        raise click.UsageError(msg)
    return formats.BY_NAME[names.pop()]


def _last_part(source: str) -> str:
    """Return the name that determines a source's format. Directories are assumed to contain Avro."""
    shown = stores.shown(source)
    return shown if "." in shown.replace("\\", "/").rstrip("/").rpartition("/")[2] else f"{shown}.avro"


def _target_format(target: str) -> tuple[Format, str | None]:
    if target == sources_.STDIN:
        msg = "writing to standard output (-) needs --to"
        raise click.UsageError(msg)
    return formats.format_of(target, "--to")


def _watched(table: Table, bar: progress.Progress) -> Table:
    def frames() -> Frames:
        for df in table.frames():
            yield df
            bar.advance(df.height)

    return Table(table.schema, frames)
