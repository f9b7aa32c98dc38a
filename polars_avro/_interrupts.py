"""Handling of Ctrl-C in the command ``polars-avro``. Other programs keep their own handler."""

from __future__ import annotations

# Until the handler is installed, Ctrl-C prints a traceback, so only fast modules are imported: `signal` would import
# `enum`.
import _signal  # type: ignore[import-not-found]
import _thread
import os
import sys
from itertools import pairwise

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn

#: Exit status of a command that Ctrl-C ended.
STATUS = 130

_PROGRAMS = ("polars-avro", "polars-avro.exe", "polars-avro-script.py")


class Interrupts:
    """
    The SIGINT handler of a process that runs a single command.

    While modules are imported, Ctrl-C ends the process at once, because a KeyboardInterrupt would print a traceback of
    imports. After that the first Ctrl-C raises KeyboardInterrupt, so that the command cleans up. A second one ends the
    process without cleanup.
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
        """Raise KeyboardInterrupt from now on, and clean up if another signal ends the process."""
        if _blocked:
            _thread.start_new_thread(lambda: self.leave(128 + _signal.sigwait(_blocked)), ())
        if hasattr(_signal, "siginterrupt"):
            # Polars' handler restarts interrupted system calls.
            _signal.siginterrupt(_signal.SIGINT, True)
        self.has_begun = True
        sys.unraisablehook = self._unraisable

    def end(self) -> None:
        """Ignore Ctrl-C from now on, because the work is done."""
        self.has_ended = True

    def leave(self, status: int) -> NoReturn:
        """
        End the process without finalizing the interpreter.

        Native threads of Polars may still wait for the GIL, and would crash a process that finalizes.
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
    """Remove a temporary file, and the temporary file that the core creates for it."""
    directory, name = os.path.split(path)
    try:
        for entry in os.listdir(directory):
            if entry == name or entry.startswith(f".{name}."):
                os.remove(os.path.join(directory, entry))
    except OSError:
        return


#: The handler of this process.
interrupts = Interrupts()


#: The signals of `kill`, `timeout` and a closed terminal, which a thread waits for: a handler would run only after the
#: call of Polars that the main thread is in.
_blocked: list[int] = []


def install() -> None:
    """Handle Ctrl-C and signals that end the process, unless they are ignored or the process has its own handlers."""
    if hasattr(_signal, "pthread_sigmask") and not _blocked:
        ends = (_signal.SIGTERM, _signal.SIGHUP)
        _blocked.extend(number for number in ends if _signal.getsignal(number) == _signal.SIG_DFL)
        # Threads that start later block them too, so this comes before Polars starts any.
        _signal.pthread_sigmask(_signal.SIG_BLOCK, _blocked)
    if _signal.getsignal(_signal.SIGINT) is _signal.default_int_handler:
        try:
            _signal.signal(_signal.SIGINT, interrupts)
        except ValueError:
            # Only the main thread can.
            return


def _is_command() -> bool:
    arguments = getattr(sys, "argv", None) or [""]
    if arguments[0] == "-m":
        # Python imports this package to find the module that it runs.
        original = sys.orig_argv
        return "-mpolars_avro" in original or ("-m", "polars_avro") in pairwise(original)
    return os.path.basename(arguments[0]) in _PROGRAMS


# Installed here, before the other imports of the command.
if _is_command():
    install()
