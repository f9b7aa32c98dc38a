"""``polars-avro fromjson``: rows in Avro's JSON encoding as an Avro file."""

from __future__ import annotations

from contextlib import contextmanager
from itertools import islice
from typing import IO, TYPE_CHECKING, Any

import click

from polars_avro._cli import formats, targets
from polars_avro._cli import sources as sources_
from polars_avro._cli.command import Command
from polars_avro._cli.options import codec_option, level_option, schema_option

if TYPE_CHECKING:
    from collections.abc import Iterator

    from polars_avro._cli.plain_rows import PlainSchema


@click.command(cls=Command)
@click.argument("source", type=sources_.PATH)
@click.argument("target", type=sources_.PATH)
@schema_option
@codec_option("Codec of the blocks; by default snappy.")
@level_option
def fromjson(source: str, target: str, schema: str, codec: str | None, level: int | None) -> None:
    """
    Write rows in Avro's JSON encoding to an Avro file.

    SOURCE is a file, or - for standard input, with a JSON value for each row, as `tojson` prints them. `convert` reads
    JSON without the tags of unions. TARGET is replaced at success only.
    """
    from polars_avro._cli import plain_rows, schema_files

    plain = plain_rows.PlainSchema(schema_files.to_write(schema))
    compression = formats.checked_compression(formats.AVRO, codec, level)
    with (
        _opened(source) as stream,
        targets.opened_file(target, "fromjson") as out,
        plain_rows.writer(out, plain, metadata={}, compression=compression, level=level) as writer,
    ):
        rows = _rows(stream, "<stdin>" if source == sources_.STDIN else source, plain)
        while values := list(islice(rows, plain_rows.BATCH_ROWS)):
            writer.write(plain.frame(values))


def _rows(stream: IO[bytes], name: str, plain: PlainSchema) -> Iterator[Any]:
    """Yield the values of rows; an error names the line."""
    from polars_avro._cli import json_decoding, json_values
    from polars_avro._errors import AvroDataError

    convert = json_decoding.from_json(plain.root, plain.dtype)
    for line, value in json_values.values(stream, name):
        try:
            yield convert(value)
        except json_decoding.MismatchError as error:
            msg = f"{name}, line {line}: {error}"
            raise AvroDataError(msg) from None


@contextmanager
def _opened(source: str) -> Iterator[IO[bytes]]:
    if source == sources_.STDIN:
        yield sources_.standard_input()
        return
    with open(source, "rb") as file:
        yield file
