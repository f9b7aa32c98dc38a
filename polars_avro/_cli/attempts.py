"""Files that are read one after the other, although some may fail."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from polars_avro._cli import failures
from polars_avro._interrupts import interrupts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

_Result = TypeVar("_Result")


class Attempts:
    """Reads files and reports each failure. `status` becomes the exit status of the last one."""

    def __init__(self) -> None:
        self.status = 0

    def results(self, files: Iterable[Any], read: Callable[[Any], _Result]) -> Iterator[tuple[Any, _Result]]:
        """Yield the files that can be read, and what was read."""
        for file in files:
            try:
                result = read(file)
            except failures.EXPECTED as error:
                if interrupts.happened:
                    # Polars turns a KeyboardInterrupt into errors of other types.
                    raise
                self.status = failures.report(error)
            else:
                yield file, result
