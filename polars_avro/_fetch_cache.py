"""A cache of fetched values: one thread fetches a value while the others wait for it."""

from __future__ import annotations

import threading
import time
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, TypeVar

from polars_avro._errors import AvroSchemaNotFoundError

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

_T = TypeVar("_T")
#: Seconds for which a missing schema is not requested again.
_REMEMBER_MISSING = 10.0


class FetchCache:
    """Fetched values by their keys. Failures are not cached, except for missing schemas."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._fetched: dict[Hashable, Future[Any]] = {}
        self._missing: dict[Hashable, tuple[float, str]] = {}

    def get(self, key: Hashable, fetch: Callable[[], _T], *, remember_missing: bool = True) -> _T:
        """Return a cached value, or fetch it."""
        with self._lock:
            until, message = self._missing.get(key, (0.0, ""))
            if until > time.monotonic():
                raise AvroSchemaNotFoundError(message)
            future = self._fetched.get(key)
            if is_first := future is None:
                future = self._fetched[key] = Future()
        if is_first:
            try:
                future.set_result(fetch())
            except BaseException as error:
                with self._lock:
                    del self._fetched[key]
                    is_missing = isinstance(error, AvroSchemaNotFoundError) and not error._is_referenced
                    if remember_missing and is_missing:
                        self._missing[key] = time.monotonic() + _REMEMBER_MISSING, str(error)
                future.set_exception(error)
        result: _T = future.result()
        return result
