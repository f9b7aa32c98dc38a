"""Progress bars on standard error: only on a terminal, and only for work that takes long."""

from __future__ import annotations

import sys
import threading
import time
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from types import TracebackType

    from click._termui_impl import ProgressBar
    from typing_extensions import Self

#: Seconds of work before a bar appears.
_PATIENCE = 0.5
#: Characters of a name before the bar.
_LABEL = 24


def is_shown() -> bool:
    """Return whether bars would appear."""
    return sys.stderr.isatty()


class Progress:
    """A progress bar that several threads may advance. With a total of None it has no end."""

    def __init__(self, label: str, total: int | None) -> None:
        name = label.replace("\\", "/").rstrip("/").rpartition("/")[2]
        self.label = name if len(name) <= _LABEL else f"{name[: _LABEL - 1]}…"
        self.total = total
        self.done = 0
        self._lock = threading.Lock()
        self._due = time.monotonic() + _PATIENCE
        self._bar: ProgressBar[int] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.__exit__(kind, error, trace)

    def advance_to(self, done: int) -> None:
        """Set how much is done."""
        with self._lock:
            if done > self.done:
                self._advance(done - self.done)

    def advance(self, amount: int) -> None:
        """Add to what is done."""
        with self._lock:
            self._advance(amount)

    def _advance(self, amount: int) -> None:
        self.done += amount
        if self._bar is not None:
            self._bar.update(amount)
        elif is_shown() and time.monotonic() >= self._due:
            # Without a total the bar shows only the position.
            has_total = self.total is not None
            self._bar = click.progressbar(
                length=self.total or 0, label=self.label, file=sys.stderr, show_pos=not has_total, show_eta=has_total
            )
            self._bar.__enter__()
            self._bar.update(self.done)
