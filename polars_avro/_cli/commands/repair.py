"""``polars-avro repair``: the sound blocks of a damaged file."""

from __future__ import annotations

import warnings
from contextlib import closing
from typing import TYPE_CHECKING

import click

from polars_avro._bad_blocks import AvroWarning
from polars_avro._cli import formats, targets
from polars_avro._cli import sources as sources_
from polars_avro._cli.block_reports import BlockReports
from polars_avro._cli.command import Command

if TYPE_CHECKING:
    from typing import Any


@click.command(cls=Command)
@click.argument("source", type=sources_.PATH)
@click.argument("target", type=sources_.PATH)
@sources_.storage_option
@click.option("-q", "--quiet", is_flag=True, help="Print damage only.")
@click.pass_context
def repair(ctx: click.Context, source: str, target: str, storage_options: dict[str, Any] | None, quiet: bool) -> None:
    """
    Copy the sound blocks of a damaged Avro file.

    Codec, schema and metadata stay the same. Each damaged block is a line, as `check` prints it. The exit status is 1
    if there is such a block, 0 if there is none, and 3 if the header is damaged, because nothing can be read then.
    TARGET is replaced at success only, and may be SOURCE.
    """
    from polars_avro._cli import plain_rows

    opened = sources_.standard_input() if source == sources_.STDIN else source
    file = plain_rows.PlainFile.open(opened, storage_options)
    compression = formats.compression_of(formats.AVRO, file.codec)
    reports = BlockReports(sources_.name_of(opened), to_stderr=targets.is_standard_output(target))
    with warnings.catch_warnings():
        # The summary below says the same.
        warnings.simplefilter("ignore", AvroWarning)
        with (
            targets.opened_file(target, "repair") as out,
            plain_rows.writer(out, file.schema, metadata=file.metadata, compression=compression) as writer,
            closing(file.frames(on_bad_block=reports)) as frames,
        ):
            for df in frames:
                writer.write(df)
    ctx.exit(reports.summarize(writer.rows_written, "written", quiet=quiet))
