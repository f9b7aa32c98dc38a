"""File formats that `convert` reads and writes, known by the endings of names."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any, NamedTuple

import click
import polars as pl
from polars.io.plugins import register_io_source

import polars_avro
from polars_avro._cli import printable
from polars_avro._cli.json_lines import json_columns
from polars_avro._cli.rows import Frames
from polars_avro._sources import stores
from polars_avro._writer import AvroWriter

#: Formats that are text.
_TEXT = ("csv", "ndjson")
#: Endings that a text format may have behind its own.
_PACKED = {".gz": "gzip", ".zst": "zstd"}


class Table(NamedTuple):
    """Columns, and what reads their rows from the first one on."""

    schema: pl.Schema
    frames: Callable[[], Frames]

    def lazy(self) -> pl.LazyFrame:
        """Return a query of all rows. Its rows are read on a thread of Polars'."""

        def read(
            with_columns: list[str] | None, predicate: pl.Expr | None, n_rows: int | None, batch_size: int | None
        ) -> Iterator[pl.DataFrame]:
            del with_columns, predicate, n_rows, batch_size
            with closing(self.frames()) as frames:
                yield from frames

        return register_io_source(read, schema=self.schema)


@dataclass(frozen=True)
class Format:
    """A file format: how it is called, and how it is read and written."""

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
        known = inspect.signature(sink).parameters
        if compression is not None and "compression" not in known:
            msg = f"Polars {pl.__version__} cannot compress text files"
            raise NotImplementedError(msg)
        options = more if compression is None else {"compression": compression, **more}
        printable_rows = table._replace(frames=lambda: printable.checked(table.frames(), table.schema))
        lf = printable_rows.lazy()
        lf = lf.with_columns(json_columns(table.schema)) if sink is pl.LazyFrame.sink_ndjson else lf
        # A temporary name has another ending.
        sink(lf, target, **options, **({"check_extension": False} if "check_extension" in known else {}))

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
    Format("csv", (".csv",), ("uncompressed", *_PACKED.values()), pl.scan_csv, _write_text(pl.LazyFrame.sink_csv)),
    Format(
        "ndjson",
        (".ndjson", ".jsonl"),
        ("uncompressed", *_PACKED.values()),
        pl.scan_ndjson,
        _write_text(pl.LazyFrame.sink_ndjson),
    ),
)
AVRO = FORMATS[0]
BY_NAME = {form.name: form for form in FORMATS}
#: Other names of compressions, which each format calls its own way.
_SAME = ({"uncompressed", "null", "none"}, {"zstd", "zstandard"}, {"gzip", "gz"}, {"bzip2", "bz2"})


def format_of(name: str, option: str) -> tuple[Format, str | None]:
    """Return the format that a name's ending stands for, and the compression if the ending tells it."""
    shown = stores.shown(name)
    path = shown.lower()
    packed = next((compression for ending, compression in _PACKED.items() if path.endswith(ending)), None)
    inner = path.rpartition(".")[0] if packed else path
    for form in FORMATS:
        if inner.endswith(form.endings) and (packed is None or form.name in _TEXT):
            return form, packed
    endings = " ".join(ending for form in FORMATS for ending in form.endings)
    msg = f"cannot tell the format of {shown!r}: expected one of the endings {endings}, or {option}"
    raise click.UsageError(msg)


def compression_of(form: Format, given: str | None) -> str | None:
    """Return what the format calls a compression."""
    if given is None:
        return None
    names = next((names for names in _SAME if given.lower() in names), {given.lower()})
    for name in form.compressions:
        if name in names:
            return name
    msg = f"{form.name} has no compression {given!r}: expected one of {', '.join(form.compressions)}"
    if form is AVRO and "gzip" in names:
        msg += "; use deflate, which is the same compression without gzip's header"
    raise click.UsageError(msg)
