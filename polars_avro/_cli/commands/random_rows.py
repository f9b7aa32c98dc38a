"""``polars-avro random``: rows of a schema."""

from __future__ import annotations

import random

import click

from polars_avro._cli import formats, targets
from polars_avro._cli import sources as sources_
from polars_avro._cli.command import Command
from polars_avro._cli.options import codec_option, level_option, schema_option


@click.command("random", cls=Command)
@click.argument("target", type=sources_.PATH)
@schema_option
@click.option("-n", "--count", type=sources_.NUMBER, required=True, help="Number of rows.")
@click.option("--seed", type=int, help="Equal seeds give equal files.")
@codec_option("Codec of the blocks; by default snappy.")
@level_option
def random_rows(target: str, schema: str, count: int, seed: int | None, codec: str | None, level: int | None) -> None:
    """
    Write random rows of a schema to an Avro file.

    Values are valid for their logical types, so times are between 1900 and 2099. TARGET is replaced at success only.
    """
    from polars_avro._cli import json_decoding, plain_rows, schema_files
    from polars_avro._cli.random_values import random_value

    plain = plain_rows.PlainSchema(schema_files.to_write(schema))
    compression = formats.checked_compression(formats.AVRO, codec, level)
    convert = json_decoding.from_json(plain.root, plain.dtype)
    source = random.Random(seed)
    with (
        targets.opened_file(target, "random") as out,
        plain_rows.writer(
            out, plain, metadata={}, sync_marker=source.randbytes(16), compression=compression, level=level
        ) as writer,
    ):
        for first in range(0, count, plain_rows.BATCH_ROWS):
            rows = range(min(plain_rows.BATCH_ROWS, count - first))
            writer.write(plain.frame([convert(random_value(plain.root, source)) for _ in rows]))
