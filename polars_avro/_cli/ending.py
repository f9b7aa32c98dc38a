"""The end of the process: closed pipes, full disks behind standard output, and the exit status."""

from __future__ import annotations

import errno
import io
import os
import select
import sys
from contextlib import suppress
from typing import NoReturn

from polars_avro._cli.targets import ClosedPipeError
from polars_avro._interrupts import interrupts


class _Closed(io.RawIOBase):
    """Standard output that was closed before the process began."""

    def writable(self) -> bool:
        return True

    def write(self, _: object) -> int:
        raise OSError(errno.EBADF, "is closed", "standard output")


def prepare_streams() -> None:
    """Make streams that are closed fail if they are used, and let terminals lack characters."""
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            # Otherwise the next file that is opened takes the place of the stream.
            os.open(os.devnull, os.O_RDONLY if descriptor else os.O_WRONLY)
    if sys.stdout is None:
        sys.stdout = io.TextIOWrapper(_Closed(), write_through=True)
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w")  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        # A terminal that cannot show a character is no reason to stop.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def is_closed_pipe(error: BaseException) -> bool:
    """Return whether an error says that the reader of standard output has gone."""
    if isinstance(error, ClosedPipeError):
        return True
    # Polars' sinks have no type for it.
    if not isinstance(error, BrokenPipeError) and "Broken pipe" not in str(error):
        return False
    try:
        descriptor = sys.stdout.fileno()
    except (OSError, ValueError):
        return isinstance(error, BrokenPipeError)
    if not hasattr(select, "poll"):
        return isinstance(error, BrokenPipeError)
    # Connections to stores break as well.
    poll = select.poll()
    poll.register(descriptor, select.POLLOUT)
    return any(event & (select.POLLERR | select.POLLHUP) for _, event in poll.poll(0))


def leave(status: int) -> NoReturn:
    """End the process with this status, whatever threads are left."""
    with suppress(Exception):
        sys.stderr.flush()
    interrupts.leave(status)
