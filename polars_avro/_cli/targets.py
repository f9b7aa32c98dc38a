"""Files that a command writes."""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


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
