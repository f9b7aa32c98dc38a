"""
The end of the program: work on other threads ends before the interpreter does.

Polars iterates over the batches of an external reader on a Python thread, calls the reader from native threads, and
leaves both running when a query ends early. At exit such a thread may wait for room that nobody makes any more, so that
the interpreter waits for ever, or take the GIL while the interpreter finalizes, which ends the process by a signal. So
every reader and every sink is counted here from its making to its end. Two handlers run at exit:

1. before the interpreter joins its threads: if no other thread of the program can take rows, all reads are stopped, and
   the iterators of `collect_batches` that are left are closed;
2. after that: what daemon threads do is stopped, and native threads of this package can call Python no more.
"""

from __future__ import annotations

import atexit
import gc
import os
import sys
import threading
import time
from _thread import allocate_lock, get_ident
from concurrent.futures import thread as _executors
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from polars_avro import _core

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import CodeType, FrameType

_NEVER = 1e6
#: Seconds to wait for work that was told to stop: callbacks of the user may be slow.
PATIENCE = 10.0
_INTERVAL = 0.001
#: Seconds that Polars may take to plan a query that has begun, and to end one that was stopped.
_PLANNING = 0.1
_ENDING = 1.0

_IDLE_WORKER: CodeType = _executors._worker.__code__


class Work:
    """Something that runs on other threads."""

    #: When it began to wait for a consumer, by the monotonic clock; None while it works.
    waits_since: float | None = None


class Shutdown:
    """Work that must end before the interpreter does."""

    def __init__(self) -> None:
        self.is_stopping = False
        #: Readers of running queries, and sinks that run.
        self.work: set[Work] = set()
        #: Ends of readers that Polars dropped on the main thread.
        self.postponed: list[Callable[[], None]] = []
        #: Thread pools of Polars, one for each scan that may not be over.
        self.pools: list[Any] = []
        #: Whether a scan was made that was not read yet; its query may have begun.
        self.awaits_reader: Callable[[], bool] = bool
        #: Whether a scan may be read in this process, and whether one was.
        self.has_readers: Callable[[], bool] = bool
        self.has_read = False
        #: Threads of queries that began too late.
        self.held = 0
        self.main_thread = threading.main_thread().ident

    def check(self) -> None:
        """Raise if the interpreter is shutting down."""
        if self.is_stopping:
            msg = "the query was stopped: the interpreter is shutting down"
            raise RuntimeError(msg)

    def hold(self) -> None:
        """
        Keep a native thread for good if it begins to read while the interpreter shuts down.

        The query is that of a daemon thread. If it went on, both threads could take the GIL while the interpreter
        finalizes. A query of the main thread, in a handler of its own, gets an error instead.
        """
        self.has_read = True
        if not self.is_stopping:
            return
        if get_ident() == self.main_thread or self.main_thread in _threads_in_polars():
            self.check()
        self.held += 1
        lock = allocate_lock()
        with lock:
            lock.acquire()

    @contextmanager
    def counted(self) -> Iterator[None]:
        """Count what runs inside."""
        work = Work()
        self.work.add(work)
        try:
            yield
        finally:
            self.work.discard(work)

    def on_drop(self, finish: Callable[[], None]) -> Callable[[], None]:
        """Make what Polars calls when it drops a reader."""
        return _core.OnDrop(finish, get_ident, self.main_thread or 0, self.postponed.append)

    def tidy(self) -> None:
        """Finish what was dropped on the main thread, and let go of pools that Polars has let go of."""
        if get_ident() == self.main_thread:
            return
        self.finish_postponed()
        # Referred to by this list, and by the variable and the argument of the test.
        unused = 3
        self.pools[:] = [pool for pool in self.pools if sys.getrefcount(pool) > unused]

    def finish_postponed(self) -> None:
        """Finish what was dropped on the main thread."""
        while self.postponed:
            try:
                finish = self.postponed.pop()
            except IndexError:
                # Another thread was faster.
                return
            finish()

    def keep_pool(self) -> None:
        """
        Keep the thread pool that runs the caller, as long as Polars may drop it on the main thread.

        The end of a pool runs Python code, in which a pending `KeyboardInterrupt` would be raised, and lost.
        """
        frame: FrameType | None = sys._getframe()
        while frame is not None and frame.f_code is not _IDLE_WORKER:
            frame = frame.f_back
        if frame is None:
            return
        variables = frame.f_locals
        pool = variables["executor_reference"]()
        if sys.version_info < (3, 13):
            # A copy, which would keep the arguments of the call until the worker ends.
            variables.clear()
        if pool is not None and not any(pool is kept for kept in self.pools):
            self.pools.append(pool)

    def before_threads_are_joined(self) -> None:
        """End queries whose rows nobody can take any more."""
        while not self._is_abandoned() and _others_run():
            time.sleep(_INTERVAL * 10)
        if self.work or self.awaits_reader():
            self._stop()

    def _is_abandoned(self) -> bool:
        """Return whether all work has waited for a consumer for long."""
        long_ago = time.monotonic() - PATIENCE
        return all(work.waits_since is not None and work.waits_since < long_ago for work in list(self.work))

    def at_exit(self) -> None:
        """End everything."""
        self._stop()
        _core.close_interpreter(PATIENCE)
        if self.has_read or self.has_readers():
            # Daemon threads come back from queries that were stopped, or are held. They do not get the GIL any more.
            self._wait(_ENDING, lambda: len(_threads_in_polars()) > self.held)
            sys.setswitchinterval(_NEVER)

    def _stop(self) -> None:
        self.is_stopping = True
        _core.stop_reads()
        if (self.work or self.awaits_reader()) and _close_batches():
            self._wait(_PLANNING, self.awaits_reader)
        self._wait(PATIENCE, lambda: bool(self.work))

    def _wait(self, seconds: float, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + seconds
        while condition() and time.monotonic() < deadline:
            self.finish_postponed()
            time.sleep(_INTERVAL)

    def after_fork(self) -> None:
        """Forget the work of threads that the forked process does not have."""
        awaits_reader, has_readers = self.awaits_reader, self.has_readers
        self.__init__()  # type: ignore[misc]
        self.awaits_reader, self.has_readers = awaits_reader, has_readers
        _core.reopen_interpreter()


def _others_run() -> bool:
    """Return whether a thread of the program runs that the interpreter would wait for."""
    frames = sys._current_frames()
    try:
        others = [each for each in threading.enumerate() if not each.daemon and each.ident != get_ident()]
        running = [frames[each.ident] for each in others if each.ident in frames]
        return any(frame.f_code is not _IDLE_WORKER and not _feeds_a_query(frame) for frame in running)
    finally:
        # It refers to the frame of this function. Together they would keep the variables of all other threads.
        frames.clear()


def _threads_in_polars() -> list[int]:
    """Return the threads that are inside of a call of Polars."""
    frames = sys._current_frames()
    try:
        return [ident for ident, frame in frames.items() if any(name.startswith("polars.") for name in _modules(frame))]
    finally:
        frames.clear()


def _feeds_a_query(frame: FrameType) -> bool:
    """Return whether a thread iterates over the batches of a reader for Polars."""
    return "polars.io.external_reader._external_reader" in _modules(frame)


def _modules(frame: FrameType) -> Iterator[str]:
    """Yield the modules of a frame and of its callers."""
    caller: FrameType | None = frame
    while caller is not None:
        yield str(caller.f_globals.get("__name__"))
        caller = caller.f_back


class _Closed:
    """What is left of an iterator of batches."""

    def __next__(self) -> Any:
        shutdown.check()

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> Any:
        shutdown.check()


def _close_batches() -> bool:
    """
    Close the iterators of `collect_batches` that are left, and return whether there were any.

    A query waits for ever if nobody takes its rows.
    """
    found = [each for each in gc.get_objects() if type(each).__name__ == "_CollectBatches"]
    for batches in found:
        batches._inner = _Closed()
    return bool(found)


shutdown = Shutdown()
# Handlers run in the reverse order of their registration: this one before that of the pools, which joins their threads.
threading._register_atexit(shutdown.before_threads_are_joined)  # type: ignore[attr-defined]
atexit.register(shutdown.at_exit)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=shutdown.after_fork)
