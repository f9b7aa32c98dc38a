"""Files that a command writes."""

from __future__ import annotations

import os
import shutil
import sys
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Iterator


class _Output:
    """
    Standard output as an object that is written to.

    Polars before 2.0 takes the descriptor of an open file, and fails to synchronise a pipe.
    """

    def write(self, data: bytes) -> int:
        """Write all of the data."""
        return sys.stdout.buffer.write(data)

    def flush(self) -> None:
        """Pass on what is buffered."""
        sys.stdout.buffer.flush()


def standard_output() -> IO[bytes]:
    """Return standard output for a sink."""
    return cast("IO[bytes]", _Output())


@contextmanager
def replacing(path: str) -> Iterator[str]:
    """
    Give a name to write under, beside a local file that is replaced at success.

    A failure leaves the old file as it was. URLs, pipes and devices are written as they are.
    """
    if "://" in path or (os.path.exists(path) and not os.path.isfile(path)):
        yield path
        return
    final = os.path.realpath(path)
    temporary = os.path.join(os.path.dirname(final), f".{os.path.basename(final)}.{os.getpid()}.part")
    try:
        yield temporary
        if os.path.exists(final):
            shutil.copymode(final, temporary)
        os.replace(temporary, final)
    finally:
        if os.path.exists(temporary):
            os.remove(temporary)
