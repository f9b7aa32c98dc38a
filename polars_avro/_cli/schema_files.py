"""Schemas that are named on the command line."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import IO, TypeGuard

import click

from polars_avro._cli.containers import encode_header
from polars_avro._core import FileOpener, check_written_schema
from polars_avro._errors import AvroError
from polars_avro._schemas import schema_json
from polars_avro._sources import stores

_PRIMITIVES = ("null", "boolean", "int", "long", "float", "double", "bytes", "string")


def is_avro(source: str | None) -> TypeGuard[str]:
    """Return whether an argument is the name of an .avsc file or JSON."""
    return source is not None and (source.endswith((".avsc", ".json")) or source.lstrip().startswith(("{", "[", '"')))


def parse(source: str, *, any_name: bool = False) -> str:
    """
    Return the schema of an .avsc file, or of JSON text, as text that is known to be a schema.

    With `any_name` a file needs no extension.
    """
    if stores.is_remote(source):
        msg = f"{stores.shown(source)}: schemas are read from local files: download it, or pass an Avro file with it"
        raise click.UsageError(msg)
    is_json = source.lstrip().startswith(("{", "[", '"')) or source in _PRIMITIVES
    is_file = not is_json and (any_name or source.endswith((".avsc", ".json")))
    try:
        text = schema_json(Path(source) if is_file else source, "schema")
        FileOpener(text)
    except AvroError as error:
        if is_file:
            error.args = (f"{source}: {error}",)
        raise
    return text


def to_write(source: str) -> str:
    """Return the schema of a file of any name, or of JSON text, after checking that it may be written."""
    text = parse(source, any_name=True)
    check_written_schema(text)
    return text


def of_stream(stream: IO[bytes]) -> IO[bytes]:
    """Return a stream that can seek; if it holds a schema as JSON, a file without rows of that schema."""
    start = stream.tell()
    first = stream.read(256).lstrip()[:1]
    stream.seek(start)
    return BytesIO(empty_file(parse(stream.read().decode()))) if first in (b"{", b"[", b'"') else stream


def empty_file(schema: str) -> bytes:
    """Return a file without rows that was written with this schema."""
    return encode_header({"avro.schema": schema.encode()}, bytes(16))
