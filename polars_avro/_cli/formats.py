"""File formats of `convert`, which file extensions determine."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any, NamedTuple

import click
import polars as pl
from polars.exceptions import PolarsError
from polars.io.plugins import register_io_source

import polars_avro
from polars_avro._cli import printable
from polars_avro._cli.json_lines import json_columns
from polars_avro._cli.rows import Frames
from polars_avro._sources import stores
from polars_avro._writer import AvroWriter

#: Text formats.
_TEXT = ("csv", "ndjson")
#: Extensions of compressed text files.
_COMPRESSED = {".gz": "gzip", ".zst": "zstd"}
#: Extensions of Avro files that are compressed as a whole, which are decompressed by their first bytes.
_COMPRESSED_AVRO = (".avro.gz", ".avro.zst", ".avro.bz2")


class Table(NamedTuple):
    """Columns, and a function that reads their rows from the start."""

    schema: pl.Schema
    frames: Callable[[], Frames]

    def lazy(self) -> pl.LazyFrame:
        """Return a query of all rows, which are read on a thread of Polars."""

        def read(
            with_columns: list[str] | None, predicate: pl.Expr | None, n_rows: int | None, batch_size: int | None
        ) -> Iterator[pl.DataFrame]:
            del with_columns, predicate, n_rows, batch_size
            with closing(self.frames()) as frames:
                yield from frames

        return register_io_source(read, schema=self.schema)


@dataclass(frozen=True)
class Format:
    """A file format: its name and extensions, and the functions that read and write it."""

    name: str
    endings: tuple[str, ...]
    compressions: tuple[str, ...]
    scan: Callable[..., pl.LazyFrame]
    write: Callable[..., object]


def _write_avro(table: Table, target: Any, **options: Any) -> None:
    with AvroWriter(target, table.schema, **options) as writer, closing(table.frames()) as frames:
        for df in frames:
            writer.write(df)


def _write_binary(sink: Callable[..., object]) -> Callable[..., object]:
    return lambda table, target, **options: sink(table.lazy(), target, **options)


def _write_text(sink: Callable[..., object]) -> Callable[..., object]:
    def write(table: Table, target: Any, compression: str | None = None, **more: Any) -> None:
        parameters = inspect.signature(sink).parameters
        if compression is not None and "compression" not in parameters:
            msg = f"Polars {pl.__version__} cannot compress text files"
            raise NotImplementedError(msg)
        options = more if compression is None else {"compression": compression, **more}
        printable_rows = table._replace(frames=lambda: printable.checked(table.frames(), table.schema))
        lf = printable_rows.lazy()
        lf = lf.with_columns(json_columns(table.schema)) if sink is pl.LazyFrame.sink_ndjson else lf
        # The temporary file has another extension.
        sink(lf, target, **options, **({"check_extension": False} if "check_extension" in parameters else {}))

    return write


FORMATS = (
    Format(
        "avro",
        (".avro",),
        ("uncompressed", "deflate", "snappy", "zstandard", "bzip2", "xz"),
        polars_avro.scan_avro,
        _write_avro,
    ),
    Format(
        "parquet",
        (".parquet", ".pq"),
        ("uncompressed", "snappy", "gzip", "brotli", "lz4", "zstd"),
        pl.scan_parquet,
        _write_binary(pl.LazyFrame.sink_parquet),
    ),
    Format(
        "ipc",
        (".arrow", ".ipc", ".feather"),
        ("uncompressed", "lz4", "zstd"),
        pl.scan_ipc,
        _write_binary(pl.LazyFrame.sink_ipc),
    ),
    Format("csv", (".csv",), ("uncompressed", *_COMPRESSED.values()), pl.scan_csv, _write_text(pl.LazyFrame.sink_csv)),
    Format(
        "ndjson",
        (".ndjson", ".jsonl"),
        ("uncompressed", *_COMPRESSED.values()),
        pl.scan_ndjson,
        _write_text(pl.LazyFrame.sink_ndjson),
    ),
)
AVRO = FORMATS[0]
BY_NAME = {form.name: form for form in FORMATS}
#: The levels of compressions; others have none.
_LEVELS = {
    "deflate": (0, 12),
    "gzip": (0, 9),
    "brotli": (0, 11),
    "bzip2": (1, 9),
    "xz": (0, 9),
    "zstd": (1, 22),
    "zstandard": (-131072, 22),
}
#: The compression without an option.
_DEFAULTS = {"avro": "snappy", "parquet": "zstd"}
#: Synonyms of compressions, whose names differ between formats.
_SYNONYMS = ({"uncompressed", "null", "none"}, {"zstd", "zstandard"}, {"gzip", "gz"}, {"bzip2", "bz2"})


def refuse_columns(form: Format, schema: pl.Schema) -> None:
    """Raise an error that names the first column that cannot be written as CSV."""
    if form.name != "csv":
        return
    for name, dtype in schema.items():
        try:
            pl.DataFrame({"": pl.Series([None], dtype=dtype)}).write_csv()
        except PolarsError:
            what = "nested data" if dtype.is_nested() else "such data"
            msg = (
                f"column {name!r} is {dtype}, and CSV does not support {what}: leave it out with --columns, "
                "or convert to .ndjson"
            )
            raise click.ClickException(msg) from None


def format_of(name: str, option: str, *, is_source: bool = False) -> tuple[Format, str | None]:
    """Return the format and the compression of a file name; the compression is None if the extension has none."""
    shown = stores.shown(name)
    path = shown.lower()
    if is_source and path.endswith(_COMPRESSED_AVRO):
        return AVRO, None
    compression = next((compression for ending, compression in _COMPRESSED.items() if path.endswith(ending)), None)
    inner = path.rpartition(".")[0] if compression else path
    for form in FORMATS:
        if inner.endswith(form.endings) and (compression is None or form.name in _TEXT):
            return form, compression
    endings = " ".join(ending for form in FORMATS for ending in form.endings)
    msg = f"cannot determine the format of {shown!r}: expected one of the endings {endings}, or {option}"
    if inner.endswith(".json"):
        msg += "; JSON lines are .ndjson, and `tojson` and `fromjson` convert Avro's JSON encoding"
    raise click.UsageError(msg)


def refuse_others(target: str, command: str) -> None:
    """Raise an error if the name of a target of Avro has the ending of another format."""
    path = stores.shown(target).lower()
    other = next((form.name for form in FORMATS if form is not AVRO and path.endswith(form.endings)), None)
    if other is not None:
        msg = f"{command} writes Avro, got {stores.shown(target)}: `convert` writes {other}"
        raise click.UsageError(msg)


def checked_compression(form: Format, compression: str | None, level: int | None) -> str | None:
    """Return the name of a compression in a format, and raise an error if it does not have this level."""
    name = compression_of(form, compression)
    if level is None:
        return name
    leveled = _DEFAULTS.get(form.name, "uncompressed") if name is None else name
    if leveled not in _LEVELS:
        default = f"; it is the default of {form.name}: add --compression" if name is None else ""
        msg = f"--level: {leveled} has no levels{default}"
        raise click.UsageError(msg)
    first, last = _LEVELS[leveled]
    if not first <= level <= last:
        msg = f"--level: {leveled} has the levels {first} to {last}, got {level}"
        raise click.UsageError(msg)
    return name


def complete_codec(ctx: click.Context, option: click.Parameter, incomplete: str) -> list[str]:
    """Return the codecs of Avro that begin with this text, for shells."""
    return [name for name in AVRO.compressions if name.startswith(incomplete)]


def complete_compression(ctx: click.Context, option: click.Parameter, incomplete: str) -> list[str]:
    """Return the compressions of all formats that begin with this text, for shells."""
    names = dict.fromkeys(name for form in FORMATS for name in form.compressions)
    return [name for name in names if name.startswith(incomplete)]


def compression_of(form: Format, compression: str | None) -> str | None:
    """Return the name of a compression in a format."""
    if compression is None:
        return None
    names = next((names for names in _SYNONYMS if compression.lower() in names), {compression.lower()})
    for name in form.compressions:
        if name in names:
            return name
    msg = f"{form.name} has no compression {compression!r}: expected one of {', '.join(form.compressions)}"
    if form is AVRO and "gzip" in names:
        msg += "; use deflate, which is the same compression without gzip's header"
    raise click.UsageError(msg)
