"""Files that a scan leaves out because they cannot be opened."""

from __future__ import annotations

import warnings
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from polars_avro._bad_blocks import AvroWarning, BadBlock
from polars_avro._core import ContainerFile
from polars_avro._counted import were
from polars_avro._errors import AvroError
from polars_avro._schemas import as_written
from polars_avro._sources import stores

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from polars_avro._limits import Limits

#: The kind of the report on a file.
KIND = "file"
#: The number of headers in stores that are requested at once.
_REQUESTS = 16


def readable(
    sources: Sequence[Any], opened: Sequence[Any], limits: Limits, on_bad_block: Callable[[BadBlock], object] | None
) -> list[int]:
    """
    Read all headers and return the numbers of the files that can be opened; the others are reported.

    Raises
    ------
    AvroError
        If no file can be opened.
    """
    opener = as_written(limits)

    def error_of(source: Any) -> AvroError | None:
        try:
            ContainerFile(source, opener)
        except AvroError as error:
            return error
        return None

    if any(isinstance(source, str) and stores.is_remote(source) for source in sources):
        with ThreadPoolExecutor(_REQUESTS) as pool:
            errors = list(pool.map(error_of, opened))
    else:
        errors = [error_of(source) for source in opened]
    found = [error for error in errors if error is not None]
    if len(found) == len(errors):
        raise found[0]
    if on_bad_block is not None:
        for error in found:
            on_bad_block(BadBlock(error.file or "", 0, error.offset or 0, None, KIND, str(error)))
    if found:
        warnings.warn(
            f"{were(len(found), 'file')} left out of {len(errors)}; the first: {found[0]}", AvroWarning, stacklevel=4
        )
    return [number for number, error in enumerate(errors) if error is None]
