"""``polars-avro tojson``: rows in Avro's JSON encoding."""

from __future__ import annotations

import json
from contextlib import closing
from typing import IO, TYPE_CHECKING

import click

from polars_avro._cli import sources as sources_
from polars_avro._cli import targets
from polars_avro._cli.command import Command
from polars_avro._cli.rows import offset_option

if TYPE_CHECKING:
    from polars_avro._cli.plain_rows import PlainFile
    from polars_avro._cli.sources import Sources


@click.command(cls=Command)
@sources_.argument
@click.option("-n", "--rows", type=sources_.NUMBER, help="Stop after this many rows of all files.")
@offset_option
@click.option("-c", "--columns", metavar="NAMES", multiple=True, help="Print only these columns, separated by commas.")
@click.option("--pretty", is_flag=True, help="Print each field on a line of its own.")
def tojson(sources: Sources, rows: int | None, offset: int, columns: tuple[str, ...], pretty: bool) -> None:
    """
    Print rows in Avro's JSON encoding, one per line.

    A value of a union that is not null is an object with the name of its type. Bytes are text of code points up to 255.
    A logical type is printed as the type that it annotates. `cat` prints values without tags, and dates as text.
    """
    from polars_avro._cli.plain_rows import PlainFile

    names = sources_.split_names(columns)
    files = sources.files()
    with targets.opened(sources_.STDIN) as stdout:
        for source in files:
            file = PlainFile.open(source, sources.storage_options)
            file = file if names is None else file._replace(schema=file.schema.select(names))
            read, printed = _print(file, stdout, offset, rows, indent=2 if pretty else None)
            offset = max(0, offset - read)
            rows = None if rows is None else rows - printed


def _print(file: PlainFile, stdout: IO[bytes], offset: int, rows: int | None, *, indent: int | None) -> tuple[int, int]:
    """Print rows after the first ones, and return how many were read and printed."""
    from polars_avro._cli import json_encoding, plain_rows

    schema = file.schema
    convert = json_encoding.to_json(schema.root, schema.dtype) or (lambda value: value)
    separators = (",", ":") if indent is None else None
    encode = json.JSONEncoder(ensure_ascii=False, indent=indent, separators=separators).encode
    read, printed = 0, 0
    with closing(file.frames(None if rows is None else offset + rows)) as frames:
        for df in frames:
            kept = df.slice(min(df.height, max(0, offset - read)))
            for piece in kept.iter_slices(plain_rows.BATCH_ROWS):
                lines = [f"{encode(convert(value))}\n" for value in schema.values(piece)]
                stdout.write("".join(lines).encode())
            read += df.height
            printed += kept.height
    return read, printed
