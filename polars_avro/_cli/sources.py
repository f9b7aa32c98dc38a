"""Sources named on the command line."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import click

from polars_avro._sources import expansion, inputs

try:
    from polars_avro._engine.external import expand as list_paths
except ImportError:
    from polars_avro._engine.io_source import expand as list_paths

_Command = TypeVar("_Command", bound=Callable[..., Any])

STDIN = "-"

#: One or more sources.
argument = click.argument("sources", metavar="SOURCE...", nargs=-1, required=True)


def reading_options(command: _Command) -> _Command:
    """Add the options of commands that read rows."""
    for option in (
        click.option(
            "--schema-mode",
            type=click.Choice(["first", "union"]),
            default="first",
            show_default=True,
            help="Read several files as the schema of the first, or as one with the columns of all.",
        ),
        click.option("--ignore-errors", is_flag=True, help="Skip damaged blocks; a warning sums up what was lost."),
        click.option("-c", "--columns", metavar="NAMES", help="Read only these columns: names separated by commas."),
    ):
        command = option(command)
    return command


def open_sources(sources: Sequence[str]) -> list[str] | bytes:
    """Return the sources for a scan: paths and URLs as they are, or the bytes of standard input."""
    if STDIN not in sources:
        return list(sources)
    if len(sources) > 1:
        msg = "standard input (-) cannot be read together with other sources"
        raise click.UsageError(msg)
    return sys.stdin.buffer.read()


def list_files(sources: Sequence[str]) -> list[str | bytes]:
    """List the single files that the sources stand for."""
    opened = open_sources(sources)
    named = inputs.normalize_sources(opened)
    return list(expansion.expand(named, list_paths, glob=True, hidden_file_prefix=None))


def name_of(file: str | bytes) -> str:
    """Name a file in output."""
    return file if isinstance(file, str) else "<stdin>"


def split_names(columns: str | None) -> list[str] | None:
    """Split names separated by commas."""
    return None if columns is None else [name.strip() for name in columns.split(",")]
