"""The end of the process: closed pipes, failed flushes of standard output, and the exit status."""

from __future__ import annotations

import errno
import io
import os
import select
import sys
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, NoReturn

from polars_avro._cli.targets import STDOUT, ClosedPipeError
from polars_avro._interrupts import interrupts

if TYPE_CHECKING:
    from collections.abc import Iterator


class _Closed(io.RawIOBase):
    """Standard output that was closed when the process started."""

    def writable(self) -> bool:
        return True

    def write(self, _: object) -> int:
        raise OSError(errno.EBADF, "is closed", STDOUT)


class _StandardOutput(io.TextIOWrapper):
    """Standard output whose failures name it, as those of a target do."""

    def write(self, text: str) -> int:
        with _named():
            return super().write(text)

    def flush(self) -> None:
        with _named():
            super().flush()


@contextmanager
def _named() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        error.filename = error.filename or STDOUT
        raise


def prepare_streams() -> None:
    """Make closed streams fail if they are used, and escape characters that a terminal cannot encode."""
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            # Otherwise the next opened file would get the descriptor of the stream.
            os.open(os.devnull, os.O_RDONLY if descriptor else os.O_WRONLY)
    if sys.stdout is None:
        sys.stdout = io.TextIOWrapper(_Closed(), write_through=True)
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w")  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        # A character that the terminal cannot encode is no error.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    if type(sys.stdout) is io.TextIOWrapper:
        named = _StandardOutput(
            sys.stdout.buffer, sys.stdout.encoding, sys.stdout.errors, line_buffering=sys.stdout.line_buffering
        )
        # The old wrapper would close the descriptor.
        sys.stdout.detach()
        # The size of the terminal is read from the second.
        sys.stdout = sys.__stdout__ = named  # type: ignore[misc]


def is_closed_pipe(error: BaseException) -> bool:
    """Return whether an error means that the reader of standard output has closed it."""
    if isinstance(error, ClosedPipeError):
        return True
    # Errors of Polars' sinks have no type for closed pipes.
    if not isinstance(error, BrokenPipeError) and "Broken pipe" not in str(error):
        return False
    try:
        descriptor = sys.stdout.fileno()
    except (OSError, ValueError):
        return isinstance(error, BrokenPipeError)
    if not hasattr(select, "poll"):
        return isinstance(error, BrokenPipeError)
    # A broken connection to a store raises the same error, so standard output itself is polled.
    poll = select.poll()
    poll.register(descriptor, select.POLLOUT)
    return any(event & (select.POLLERR | select.POLLHUP) for _, event in poll.poll(0))


def leave(status: int) -> NoReturn:
    """End the process with this status, without waiting for threads."""
    with suppress(Exception):
        sys.stderr.flush()
    interrupts.leave(status)
