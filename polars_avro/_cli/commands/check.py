"""``polars-avro check``: decodes files and reports damage."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import click

from polars_avro._bad_blocks import AvroWarning
from polars_avro._cli import ending, escapes, failures
from polars_avro._cli import sources as sources_
from polars_avro._cli.attempts import Attempts
from polars_avro._cli.block_reports import BlockReports
from polars_avro._cli.command import Command
from polars_avro._cli.progress import Progress
from polars_avro._errors import AvroError
from polars_avro._reader import AvroReader

if TYPE_CHECKING:
    from polars_avro._cli.sources import Sources


@click.command(cls=Command)
@sources_.argument
@click.option("-q", "--quiet", is_flag=True, help="Print damage only.")
@click.pass_context
def check(ctx: click.Context, sources: Sources, quiet: bool) -> None:
    """
    Decode every value of the files and report damaged blocks.

    Prints a line for each damaged block, with its index, its offset in bytes and its number of rows, and for each
    irregular block, which has bytes after its rows or a deflate stream without an end. The exit status is 1 if a file
    has such blocks, and 3 if a file cannot be opened.
    """
    attempts = Attempts()
    status = 0

    def opened(file: Any) -> tuple[BlockReports, AvroReader]:
        reports = BlockReports(sources_.name_of(file))
        options: dict[str, Any] = {"storage_options": sources.storage_options}
        return reports, AvroReader(file, ignore_errors=True, on_bad_block=reports, **options)

    for file, (reports, reader) in attempts.results(sources.files(), opened):
        status = max(status, _check(reader, sources_.name_of(file), reports, quiet=quiet))
    ctx.exit(max(status, attempts.status))


def _check(reader: AvroReader, name: str, reports: BlockReports, *, quiet: bool) -> int:
    try:
        with warnings.catch_warnings():
            # The summary below has the same counts.
            warnings.simplefilter("ignore", AvroWarning)
            rows = _read(reader, name)
    except (AvroError, UnicodeError) as error:
        click.echo(f"{escapes.text(name)}: {failures.describe(error).removeprefix(f'{escapes.text(name)}: ')}")
        return failures.FOUND
    except OSError as error:
        if ending.is_closed_pipe(error):
            # Printing failed, not reading.
            raise
        click.echo(f"polars-avro: error: {failures.describe(error)}", err=True)
        return failures.FAILED
    return reports.summarize(rows, "can be read", quiet=quiet)


def _read(reader: AvroReader, name: str) -> int:
    """Decode everything and return the number of rows."""
    with reader:
        with Progress(name, reader.total_bytes) as progress:
            for _ in reader:
                progress.advance_to(reader.bytes_read)
            progress.advance_to(reader.total_bytes)
        return reader.rows_read
