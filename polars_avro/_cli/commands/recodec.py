"""``polars-avro recodec``: a file in another codec."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import click

from polars_avro._cli import formats, targets
from polars_avro._cli import sources as sources_
from polars_avro._cli.command import Command
from polars_avro._cli.options import codec_option, level_option

if TYPE_CHECKING:
    from typing import Any


@click.command(cls=Command)
@click.argument("source", type=sources_.PATH)
@click.argument("target", type=sources_.PATH)
@sources_.storage_option
@codec_option("Codec of the blocks of TARGET, such as zstd.", required=True)
@level_option
def recodec(source: str, target: str, storage_options: dict[str, Any] | None, codec: str, level: int | None) -> None:
    """
    Copy an Avro file to another codec.

    Rows, schema and metadata stay the same. Rows are decoded, so damage is an error. TARGET is replaced at success
    only, and may be SOURCE.
    """
    from polars_avro._cli import plain_rows

    compression = formats.checked_compression(formats.AVRO, codec, level)
    opened = sources_.standard_input() if source == sources_.STDIN else source
    file = plain_rows.PlainFile.open(opened, storage_options)
    with (
        targets.opened_file(target, "recodec") as out,
        plain_rows.writer(out, file.schema, metadata=file.metadata, compression=compression, level=level) as writer,
        closing(file.frames()) as frames,
    ):
        for df in frames:
            writer.write(df)
