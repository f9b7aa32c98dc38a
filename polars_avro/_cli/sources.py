"""Sources on the command line."""

from __future__ import annotations

import csv
import errno
import functools
import os
import re
import shutil
import stat
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from io import BytesIO
from typing import IO, TYPE_CHECKING, Any, NamedTuple, TypeVar, cast

import click

from polars_avro._sources import expansion, inputs, stores

try:
    from polars_avro._engine.external import expand as list_paths
except ImportError:
    from polars_avro._engine.io_source import expand as list_paths

if TYPE_CHECKING:
    from polars_avro._sources.inputs import Contents
    from polars_avro._sources.stores import Stores

_Command = TypeVar("_Command", bound=Callable[..., Any])

STDIN = "-"
#: The type of arguments that shells complete as paths.
PATH = click.Path(allow_dash=True)
#: The type of numbers of rows.
NUMBER = click.IntRange(0, 2**63 - 1)

#: A longer pipe is spilled to a temporary file.
_IN_MEMORY = 64 << 20

#: Store options with numeric values.
_NUMERIC = re.compile(r"max_retries|file_cache_ttl|(retry|rate)_[a-z_]+", re.IGNORECASE)


class Sources(NamedTuple):
    """The sources of a command, as arguments, and the options of their stores."""

    names: tuple[str, ...]
    storage_options: dict[str, Any] | None
    hidden_file_prefix: tuple[str, ...]

    @property
    def is_stdin(self) -> bool:
        """Return whether standard input is read."""
        return STDIN in self.names

    def stream(self) -> Any:
        """Return standard input or a pipe as a file-like; None if the sources are paths."""
        if len(self.names) == 1 and _is_pipe(self.names[0]):
            with open(self.names[0], "rb") as pipe:
                return _seekable(pipe, self.names[0])
        if not self.is_stdin:
            return None
        if len(self.names) > 1:
            msg = "standard input (-) cannot be read together with other sources"
            raise click.UsageError(msg)
        return standard_input()

    def normalized(self) -> list[str] | list[Contents]:
        """Return the paths and URLs, or the contents of a stream."""
        stream = self.stream()
        return inputs.normalize_sources(self.names if stream is None else stream)

    def stores(self, named: list[str] | list[Contents]) -> Stores:
        """Check the options of stores."""
        return stores.stores(named, self.storage_options, "auto", "polars-avro")

    def list_files(self, named: list[str] | list[Contents], in_stores: Stores) -> list[str] | list[Contents]:
        """List the files of patterns and directories."""
        files = expansion.expand(
            named, list_paths, glob=True, hidden_file_prefix=self.hidden_file_prefix or None, in_stores=in_stores
        )
        if not files:
            raise expansion.no_files(named, glob=False)
        return files

    def files(self) -> list[Any]:
        """List the files of the sources: paths, URLs, or a stream as a file-like."""
        stream = self.stream()
        if stream is not None:
            return [stream]
        named = self.normalized()
        return [*self.list_files(named, self.stores(named))]


def argument(command: _Command) -> Callable[..., Any]:
    """Add the arguments and options of sources, and pass them as `sources`."""

    @functools.wraps(command)
    def with_sources(
        *arguments: Any,
        sources: tuple[str, ...],
        storage_options: dict[str, Any] | None,
        hidden_file_prefix: tuple[str, ...],
        **options: Any,
    ) -> Any:
        return command(*arguments, sources=Sources(sources, storage_options, hidden_file_prefix), **options)

    hidden = click.option(
        "--hidden-file-prefix",
        metavar="PREFIX",
        multiple=True,
        help="Skip files of directories and patterns whose names begin with PREFIX, such as _; may be repeated.",
    )
    named = click.argument("sources", metavar="SOURCE...", type=PATH, nargs=-1, required=True)
    return named(hidden(storage_option(with_sources)))


def storage_option(command: _Command) -> _Command:
    """Add the option for stores."""
    return click.option(
        "--storage-option",
        "storage_options",
        metavar="KEY=VALUE",
        multiple=True,
        callback=_storage_options,
        help="An option of the store, such as endpoint_url=http://localhost:9000; may be repeated.",
    )(command)


def _storage_options(ctx: click.Context, option: click.Parameter, values: Sequence[str]) -> dict[str, Any] | None:
    """Parse store options. Errors omit values, which may be secret."""
    options: dict[str, Any] = {}
    for item in values:
        key, equals, value = item.partition("=")
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


def standard_input() -> Any:
    """Return standard input as a seekable file."""
    if sys.stdin is None:
        raise OSError(errno.EBADF, "is closed", "standard input")
    stdin = sys.stdin.buffer
    return stdin if stdin.seekable() else _seekable(stdin, "<stdin>")


def _is_pipe(name: str) -> bool:
    try:
        return stat.S_ISFIFO(os.stat(name).st_mode)
    except OSError:
        return False


def _seekable(pipe: IO[bytes], name: str) -> IO[bytes]:
    """Read a pipe to its end, into memory or into a temporary file if it is long."""
    data = pipe.read(_IN_MEMORY)
    if len(data) < _IN_MEMORY:
        return BytesIO(data)
    file: Any = tempfile.TemporaryFile()  # noqa: SIM115
    file.write(data)
    shutil.copyfileobj(pipe, file, 1 << 20)
    file.seek(0)
    # Errors state this name.
    file.raw.name = name
    return cast("IO[bytes]", file)


def check_existence(files: Sequence[Any]) -> None:
    """Raise an error for the first local file that does not exist, although a read may end before it."""
    for file in files:
        if isinstance(file, str) and not stores.is_remote(file) and not os.path.exists(inputs.local_path(file)):
            message = os.strerror(errno.ENOENT)
            hint = f"; did you mean -n {file}?" if file.isdecimal() else ""
            raise FileNotFoundError(errno.ENOENT, message + hint, file)


def name_of(file: Any) -> str:
    """Return the name of a file for output."""
    return stores.shown(file) if isinstance(file, str) else "<stdin>"


def split_names(columns: Sequence[str]) -> list[str] | None:
    """Split names separated by commas. Names with commas are quoted as in CSV."""
    if not columns:
        return None
    text = ",".join(columns)
    names = [name.strip() for name in next(csv.reader([text], skipinitialspace=True), [])]
    # A column without a name is quoted.
    if not names or ("" in names and '""' not in text):
        msg = f"--columns needs names, got {text!r}"
        raise click.UsageError(msg)
    seen: set[str] = set()
    duplicate = next((name for name in names if name in seen or seen.add(name)), None)  # type: ignore[func-returns-value]
    if duplicate is not None:
        msg = f"--columns names {duplicate!r} twice"
        raise click.UsageError(msg)
    return names
