"""File formats that `convert` reads and writes, known by the endings of names."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import click
import polars as pl

import polars_avro
from polars_avro._cli.json_lines import json_columns

#: Formats that are text.
_TEXT = ("csv", "ndjson")
#: Endings that a text format may have behind its own.
_PACKED = {".gz": "gzip", ".zst": "zstd"}


@dataclass(frozen=True)
class Format:
    """A file format: how it is called, and how Polars reads and writes it."""

    name: str
    endings: tuple[str, ...]
    compressions: tuple[str, ...]
    scan: Callable[..., pl.LazyFrame]
    sink: Callable[..., object]


def _sink_avro(lf: pl.LazyFrame, target: Any, **options: Any) -> None:
    sink = getattr(polars_avro, "sink_avro", None)
    if sink is None:
        msg = "this version of polars_avro cannot write Avro"
        raise NotImplementedError(msg)
    sink(lf, target, **options)


def _sink_text(sink: Callable[..., object]) -> Callable[..., object]:
    def write(lf: pl.LazyFrame, target: Any, compression: str | None = None, **more: Any) -> None:
        known = inspect.signature(sink).parameters
        if compression is not None and "compression" not in known:
            msg = f"Polars {pl.__version__} cannot compress text files"
            raise NotImplementedError(msg)
        options = more if compression is None else {"compression": compression, **more}
        # A temporary name has another ending.
        sink(lf, target, **options, **({"check_extension": False} if "check_extension" in known else {}))

    return write


def _sink_ndjson(lf: pl.LazyFrame, target: Any, **options: Any) -> None:
    _sink_text(pl.LazyFrame.sink_ndjson)(lf.with_columns(json_columns(lf.collect_schema())), target, **options)


def _scan_csv(source: Any, **options: Any) -> pl.LazyFrame:
    return pl.scan_csv(source, try_parse_dates=True, **options)


AVRO = Format(
    "avro",
    (".avro",),
    ("uncompressed", "deflate", "snappy", "zstandard", "bzip2", "xz"),
    polars_avro.scan_avro,
    _sink_avro,
)
FORMATS = (
    AVRO,
    Format(
        "parquet",
        (".parquet", ".pq"),
        ("uncompressed", "snappy", "gzip", "brotli", "lz4", "zstd"),
        pl.scan_parquet,
        pl.LazyFrame.sink_parquet,
    ),
    Format("ipc", (".arrow", ".ipc", ".feather"), ("uncompressed", "lz4", "zstd"), pl.scan_ipc, pl.LazyFrame.sink_ipc),
    Format("csv", (".csv",), ("uncompressed", *_PACKED.values()), _scan_csv, _sink_text(pl.LazyFrame.sink_csv)),
    Format("ndjson", (".ndjson", ".jsonl"), ("uncompressed", *_PACKED.values()), pl.scan_ndjson, _sink_ndjson),
)
BY_NAME = {form.name: form for form in FORMATS}
#: Other names of compressions, which each format calls its own way.
_SAME = ({"uncompressed", "null", "none"}, {"zstd", "zstandard"}, {"gzip", "gz"}, {"bzip2", "bz2"})


def format_of(name: str, option: str) -> tuple[Format, str | None]:
    """Return the format that a name's ending stands for, and the compression if the ending tells it."""
    path = name.lower()
    packed = next((compression for ending, compression in _PACKED.items() if path.endswith(ending)), None)
    inner = path.rpartition(".")[0] if packed else path
    for form in FORMATS:
        if inner.endswith(form.endings) and (packed is None or form.name in _TEXT):
            return form, packed
    endings = " ".join(ending for form in FORMATS for ending in form.endings)
    msg = f"cannot tell the format of {name!r}: expected one of the endings {endings}, or {option}"
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
    raise click.UsageError(msg)
