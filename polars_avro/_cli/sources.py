"""Sources named on the command line."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, TypeVar

import click

from polars_avro._sources import expansion, inputs, stores

try:
    from polars_avro._engine.external import expand as list_paths
except ImportError:
    from polars_avro._engine.io_source import expand as list_paths

_Command = TypeVar("_Command", bound=Callable[..., Any])

STDIN = "-"

#: Options of stores that are numbers.
_NUMERIC = re.compile(r"max_retries|file_cache_ttl|(retry|rate)_[a-z_]+", re.IGNORECASE)


def argument(command: _Command) -> _Command:
    """Add one or more sources, and how the stores are reached that they are in."""
    return click.argument("sources", metavar="SOURCE...", nargs=-1, required=True)(storage_option(command))


def storage_option(command: _Command) -> _Command:
    """Add how stores are reached."""
    return click.option(
        "--storage-option",
        "storage_options",
        metavar="KEY=VALUE",
        multiple=True,
        callback=_storage_options,
        help="An option of the store, such as endpoint_url=http://localhost:9000; may be repeated.",
    )(command)


def _storage_options(ctx: click.Context, option: click.Parameter, given: Sequence[str]) -> dict[str, Any] | None:
    """Take options apart. Values are not shown: they may be secret."""
    options: dict[str, Any] = {}
    for each in given:
        key, equals, value = each.partition("=")
        if not equals or not key:
            msg = f"expected KEY=VALUE, got {key!r} without a value"
            raise click.BadParameter(msg)
        options[key] = _number(value) if _NUMERIC.fullmatch(key) else value
    return options or None


def _number(value: str) -> Any:
    for kind in (int, float):
        with suppress(ValueError):
            return kind(value)
    return value


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


def list_files(sources: Sequence[str], storage_options: dict[str, Any] | None = None) -> list[str | bytes]:
    """List the single files that the sources stand for."""
    opened = open_sources(sources)
    if isinstance(opened, bytes):
        return [opened]
    named = inputs.normalize_sources(opened)
    in_stores = stores.stores(named, storage_options, "auto", "polars-avro")
    files = expansion.expand(named, list_paths, glob=True, hidden_file_prefix=None, in_stores=in_stores)
    return [file for file in files if isinstance(file, str)]


def name_of(file: str | bytes) -> str:
    """Name a file in output."""
    return stores.shown(file) if isinstance(file, str) else "<stdin>"


def split_names(columns: str | None) -> list[str] | None:
    """Split names separated by commas."""
    if columns is None:
        return None
    names = [name.strip() for name in columns.split(",")]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        msg = f"--columns names {twice!r} twice"
        raise click.UsageError(msg)
    return names
