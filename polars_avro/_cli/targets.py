"""Targets of commands that write."""

from __future__ import annotations

import errno
import os
import re
import shutil
import sys
from contextlib import contextmanager, suppress
from typing import IO, TYPE_CHECKING, Any, cast

import click

from polars_avro._interrupts import interrupts
from polars_avro._sources import inputs, stores

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Names of open descriptors. Opening them again would truncate a file, or lose its position.
_DESCRIPTOR = re.compile(r"/dev/stdout|(?:/dev/fd|/proc/self/fd)/([0-9]+)")


#: Ends of the names of directories.
_SEPARATORS = tuple(filter(None, (os.sep, os.altsep)))

STDOUT = "standard output"


class ClosedPipeError(Exception):
    """The reader of standard output or a pipe has closed it."""


class Output:
    """
    Wraps an open file in an object that Polars writes to.

    Polars before 2.0 uses the descriptor of an open file, and fails to sync a pipe.
    """

    def __init__(self, file: IO[bytes], name: str) -> None:
        self._file = file
        self._name = name
        #: The exception of a failed write, which Polars' sinks replace by their own.
        self.error: OSError | None = None

    def write(self, data: Any) -> int:
        """Write all of the data."""
        try:
            return self._file.write(data)
        except OSError as error:
            error.filename = self._name
            self.error = error
            raise

    def flush(self) -> None:
        """Flush the buffer."""
        try:
            self._file.flush()
        except OSError as error:
            error.filename = self._name
            self.error = error
            raise


def standard_output() -> IO[bytes]:
    """Return standard output as a file of bytes."""
    return cast("IO[bytes]", sys.stdout.buffer)


def is_standard_output(target: str) -> bool:
    """Return whether a target is standard output."""
    descriptor = _DESCRIPTOR.fullmatch(target)
    return target == "-" or (descriptor is not None and descriptor[1] in (None, "1"))


def refuse_existing(target: str, storage_options: dict[str, Any] | None = None) -> None:
    """
    Raise an error if a target is a regular file, or an object of a store, that exists.

    If TARGET is forgotten after several sources, the last of them takes its place and would be lost.
    """
    if _DESCRIPTOR.fullmatch(target):
        return
    if stores.is_remote(target):
        exists = _is_object(target, storage_options)
    else:
        exists = os.path.isfile(inputs.local_path(target))
    if exists:
        msg = f"{stores.shown(target)} exists: the last argument is TARGET; pass --overwrite to replace it"
        raise click.ClickException(msg)


def _is_object(url: str, storage_options: dict[str, Any] | None) -> bool:
    try:
        stores.stores([url], storage_options, "auto", "polars-avro").sizes([url])
    except FileNotFoundError:
        return False
    return True


@contextmanager
def opened(target: str) -> Iterator[Any]:
    """
    Yield the target to write to: a path, a URL, or an open file for standard output, pipes and devices.

    A local file is written to a temporary file in the same directory and replaced on success. A failure leaves an
    existing file unchanged.
    """
    descriptor = _DESCRIPTOR.fullmatch(target)
    if is_standard_output(target):
        with _reported(standard_output(), STDOUT) as output:
            yield output
    elif descriptor:
        with _closed(os.fdopen(os.dup(int(descriptor[1])), "wb"), target) as output:
            yield output
    elif stores.is_remote(target):
        yield target
    elif target.endswith(_SEPARATORS) and not os.path.isdir(target):
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), target)
    elif os.path.exists(target) and not os.path.isfile(target):
        # Opening a directory raises.
        with _closed(open(target, "wb"), target) as output:
            yield output
    else:
        with _replacing(target) as path:
            yield path


@contextmanager
def opened_file(target: str, command: str) -> Iterator[Any]:
    """Give an open file of Avro for a local path, standard output, pipes and devices; other formats and URLs raise."""
    from polars_avro._cli import formats

    formats.refuse_others(target, command)
    if stores.is_remote(target):
        msg = f"{command} writes local files, got {stores.shown(target)}: `convert` writes to stores"
        raise click.UsageError(msg)
    with opened(target) as path:
        if isinstance(path, str):
            with open(path, "wb") as file:
                yield file
        else:
            yield path


@contextmanager
def _reported(file: IO[bytes], name: str) -> Iterator[Output]:
    """Raise the original exception of a failed write instead of that of the sink."""
    output = Output(file, name)
    try:
        yield output
        output.flush()
    except Exception:
        if isinstance(output.error, BrokenPipeError):
            raise ClosedPipeError from None
        if output.error is not None:
            raise output.error from None
        raise


@contextmanager
def _closed(file: IO[bytes], name: str) -> Iterator[Output]:
    try:
        with _reported(file, name) as output:
            yield output
    except BaseException:
        # Flushing the buffer may fail again.
        with suppress(OSError):
            file.close()
        raise
    file.close()


@contextmanager
def _replacing(target: str) -> Iterator[str]:
    final = os.path.realpath(inputs.local_path(target))
    directory, name = os.path.split(final)
    if not os.path.isdir(directory):
        raise FileNotFoundError(errno.ENOENT, "the directory of the target does not exist", directory)
    temporary = os.path.join(directory, f".{name}.{os.getpid()}.part")
    interrupts.temporary.add(temporary)
    try:
        yield temporary
        if os.path.exists(final):
            shutil.copymode(final, temporary)
        os.replace(temporary, final)
    except Exception as error:
        if isinstance(error, OSError) and error.filename == temporary:
            error.filename = final
        error.args = tuple(arg.replace(temporary, final) if isinstance(arg, str) else arg for arg in error.args)
        raise
    finally:
        if os.path.exists(temporary):
            os.remove(temporary)
        interrupts.temporary.discard(temporary)
