"""``polars-avro count``: the number of rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from polars_avro._cli import escapes
from polars_avro._cli import sources as sources_
from polars_avro._cli.command import Command
from polars_avro._cli.rows import Reading, where_option
from polars_avro._core import FileOpener, FileSet
from polars_avro._reader import AvroReader

if TYPE_CHECKING:
    from collections.abc import Iterator

    from polars_avro._cli.sources import Sources

#: Files that are counted at a time. Ctrl-C is handled between them.
_FILES = 256


@click.command(cls=Command)
@sources_.argument
@click.option("--by-file", is_flag=True, help="Print the rows of each file before the sum.")
@click.option("--ignore-errors", is_flag=True, help="Decode everything, and count only rows of sound blocks.")
@where_option
def count(sources: Sources, by_file: bool, ignore_errors: bool, where: str | None) -> None:
    """
    Print the number of rows of all sources.

    Reads block headers and decodes nothing, so it does not detect damage inside blocks; see `check`. With --where the
    columns of the condition are decoded.
    """
    if where is not None:
        if by_file:
            msg = "--where counts the rows of all files together: leave out --by-file"
            raise click.UsageError(msg)
        # The schemas of the files may differ.
        reading = Reading(None, where, ignore_errors, "union", None, "raise")
        click.echo(str(reading.rows(sources).count_matching()))
        return
    total = 0
    for name, rows in _readable(sources) if ignore_errors else _counted(sources):
        total += rows
        if by_file:
            click.echo(f"{rows}\t{escapes.text(name)}")
    click.echo(f"{total}\ttotal" if by_file else str(total))


def _counted(sources: Sources) -> Iterator[tuple[str, int]]:
    named = sources.normalized()
    in_stores = sources.stores(named)
    files = sources.list_files(named, in_stores)
    # The schemas of the files may differ, so each is opened with its own.
    opener = FileOpener(None)
    for first in range(0, len(files), _FILES):
        group = files[first : first + _FILES]
        # A single file is opened at once, which recognizes a compressed stream without a name.
        counts: dict[int, int] = dict(FileSet(in_stores.files(group), opener, eager=True).count_rows_by_file())
        for number, file in enumerate(group):
            yield sources_.name_of(file), counts.get(number, 0)


def _readable(sources: Sources) -> Iterator[tuple[str, int]]:
    options: dict[str, Any] = {"columns": [], "ignore_errors": True, "storage_options": sources.storage_options}
    for file in sources.files():
        with AvroReader(file, **options) as reader:
            yield sources_.name_of(file), sum(df.height for df in reader)
