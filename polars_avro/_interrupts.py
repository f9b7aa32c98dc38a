"""Ctrl-C while the package runs as the command ``polars-avro``. Other programs keep their own handler."""

from __future__ import annotations

# Ctrl-C is a traceback until these are imported, so they are built into Python; `signal` would import `enum`.
import _signal  # type: ignore[import-not-found]
import os
import sys
from itertools import pairwise

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn

#: Exit status of a command that Ctrl-C has ended.
STATUS = 130

_PROGRAMS = ("polars-avro", "polars-avro.exe", "polars-avro-script.py")


class Interrupts:
    """
    A handler of SIGINT for a process that is one command from start to end.

    While modules are imported, Ctrl-C ends the process at once: a KeyboardInterrupt would be a traceback of imports.
    Then it is raised once, so that the command cleans up. A second Ctrl-C does not wait for that.
    """

    def __init__(self) -> None:
        self.has_begun = False
        self.has_ended = False
        self.happened = False
        #: Files to remove if the process ends before the command has done so.
        self.temporary: set[str] = set()

    def __call__(self, *_: Any) -> None:
        """Handle one signal."""
        if self.has_ended:
            return
        if self.happened or not self.has_begun:
            self.leave(STATUS)
        self.happened = True
        raise KeyboardInterrupt

    def begin(self) -> None:
        """Raise KeyboardInterrupt from now on."""
        if hasattr(_signal, "siginterrupt"):
            # Polars' own handler makes a wait for input go on.
            _signal.siginterrupt(_signal.SIGINT, True)
        self.has_begun = True
        sys.unraisablehook = self._unraisable

    def end(self) -> None:
        """Ignore Ctrl-C from now on: the work is done."""
        self.has_ended = True

    def leave(self, status: int) -> NoReturn:
        """
        End the process without finalizing the interpreter.

        Native threads of Polars may still wait for Python, and crash a process that finalizes.
        """
        for path in tuple(self.temporary):
            _remove(path)
        os._exit(status)

    def _unraisable(self, unraisable: Any) -> None:
        """End the process if Python would swallow the interrupt, in a callback or a finalizer."""
        if issubclass(unraisable.exc_type, KeyboardInterrupt):
            self.leave(STATUS)
        if not self.happened:
            sys.__unraisablehook__(unraisable)


def _remove(path: str) -> None:
    """Remove a temporary file, and the one that the core makes beside it for a file of this name."""
    directory, name = os.path.split(path)
    try:
        for found in os.listdir(directory):
            if found == name or found.startswith(f".{name}."):
                os.remove(os.path.join(directory, found))
    except OSError:
        return


#: The handler of this process.
interrupts = Interrupts()


def install() -> None:
    """Handle Ctrl-C, unless it is ignored or the process has its own handler."""
    if _signal.getsignal(_signal.SIGINT) is _signal.default_int_handler:
        try:
            _signal.signal(_signal.SIGINT, interrupts)
        except ValueError:
            # Only the main thread can.
            return


def _is_command() -> bool:
    arguments = getattr(sys, "argv", None) or [""]
    if arguments[0] == "-m":
        # Python looks for the module to run, which imports this package first.
        given = sys.orig_argv
        return "-mpolars_avro" in given or ("-m", "polars_avro") in pairwise(given)
    return os.path.basename(arguments[0]) in _PROGRAMS


# Most imports of the command are still to come.
if _is_command():
    install()
