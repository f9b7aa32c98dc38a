"""``polars-avro convert``: files of one format as a file of another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import click
import polars as pl
import polars.selectors as cs

import polars_avro
from polars_avro._cli import formats, progress, targets
from polars_avro._cli import sources as sources_
from polars_avro._cli.formats import AVRO, Format

if TYPE_CHECKING:
    from collections.abc import Sequence

_FORMATS = click.Choice(list(formats.BY_NAME))


@click.command()
@sources_.argument
@click.argument("target")
@click.option(
    "-C", "--compression", metavar="NAME", help="Codec or compression of TARGET; by default its format's own."
)
@click.option("--from", "from_", type=_FORMATS, help="Format of the sources, where their names do not tell.")
@click.option("--to", type=_FORMATS, help="Format of TARGET, where its name does not tell.")
@sources_.reading_options
def convert(
    sources: Sequence[str],
    target: str,
    compression: str | None,
    from_: str | None,
    to: str | None,
    columns: str | None,
    ignore_errors: bool,
    schema_mode: Literal["first", "union"],
    storage_options: dict[str, Any] | None,
) -> None:
    """
    Convert files from one format to another.

    The formats are Avro, Parquet, Arrow IPC, CSV and NDJSON, by the endings .avro .parquet .arrow .csv .ndjson and
    their like; - is standard input or output. Several sources become one file. Avro to Avro changes the codec, and
    with --ignore-errors drops the damaged blocks of a file. TARGET is replaced at success only.
    """
    source_format = _source_format(sources, from_)
    target_format, packed = (formats.BY_NAME[to], None) if to else _target_format(target)
    if source_format is not AVRO and (ignore_errors or schema_mode != "first"):
        msg = "--ignore-errors and --schema-mode are for Avro sources"
        raise click.UsageError(msg)
    options: dict[str, Any] = {"ignore_errors": ignore_errors, "schema_mode": schema_mode}
    opened = sources_.open_sources(sources)
    store = {} if storage_options is None else {"storage_options": storage_options}
    lf = source_format.scan(opened, **(options if source_format is AVRO else {}), **store)
    names = sources_.split_names(columns)
    lf = lf if names is None else lf.select(cs.by_name(*names))
    written = {} if names or source_format is not target_format else _as_before(sources, opened, lf, schema_mode, store)
    if target != sources_.STDIN:
        written |= store
    chosen = formats.compression_of(target_format, compression or packed)
    if chosen is not None:
        written["compression"] = chosen
    total = None if ignore_errors or source_format is not AVRO or not progress.is_shown() else _rows(lf)
    with progress.Progress(target, total) as bar:
        _write(_watched(lf, bar) if progress.is_shown() else lf, target, target_format, written)


def _source_format(sources: Sequence[str], given: str | None) -> Format:
    if given is not None:
        return formats.BY_NAME[given]
    if list(sources) == [sources_.STDIN]:
        return AVRO
    found = {form.name for form, _ in (formats.format_of(_last_part(source), "--from") for source in sources)}
    if len(found) > 1:
        msg = f"the sources are of several formats: {', '.join(sorted(found))}"
        raise click.UsageError(msg)
    return formats.BY_NAME[found.pop()]


def _last_part(source: str) -> str:
    """Return the name that tells a source's format; directories are taken to hold Avro."""
    return source if "." in source.replace("\\", "/").rstrip("/").rpartition("/")[2] else f"{source}.avro"


def _target_format(target: str) -> tuple[Format, str | None]:
    if target == sources_.STDIN:
        msg = "writing to standard output (-) needs --to"
        raise click.UsageError(msg)
    return formats.format_of(target, "--to")


def _as_before(
    sources: Sequence[str], opened: list[str] | bytes, lf: pl.LazyFrame, schema_mode: str, store: dict[str, Any]
) -> dict[str, Any]:
    """Return what Avro to Avro keeps: the schema of the first file, and its writer's metadata."""
    if schema_mode != "first":
        return {}
    first: Any = opened if isinstance(opened, bytes) else sources_.list_files(sources, **store)[0]
    metadata = polars_avro.read_avro_metadata(first, **store)
    if lf.collect_schema() != polars_avro.read_avro_schema(first, **store):
        # Partitions in paths have become columns.
        return {}
    return {"avro_schema": metadata.avro_schema, "metadata": metadata.metadata}


def _rows(lf: pl.LazyFrame) -> int:
    return int(lf.select(pl.len()).collect().item())


def _watched(lf: pl.LazyFrame, bar: progress.Progress) -> pl.LazyFrame:
    def count(df: pl.DataFrame) -> pl.DataFrame:
        bar.advance(df.height)
        return df

    return lf.map_batches(count, streamable=True, validate_output_schema=False)


def _write(lf: pl.LazyFrame, target: str, form: Format, options: dict[str, Any]) -> None:
    if target == sources_.STDIN:
        stdout = targets.standard_output()
        form.sink(lf, stdout, **options)
        stdout.flush()
        return
    with targets.replacing(target) as path:
        form.sink(lf, path, **options)
