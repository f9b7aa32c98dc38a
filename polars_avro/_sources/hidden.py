"""Files that Spark and Hadoop write beside data, such as markers and checksums, in error messages."""

from __future__ import annotations

import ntpath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from polars_avro._errors import AvroError

_PREFIXES = ("_", ".")
_NOT_AVRO = "not an Avro object container file"


def is_hidden(path: str) -> bool:
    """Return whether the name of a file begins like those of markers and checksums."""
    # Splits at slashes too, so it suits the paths of all systems, and URLs.
    return ntpath.basename(path).startswith(_PREFIXES)


def hint(paths: Iterable[str]) -> str:
    """Return the end of a message about files of a directory if any is hidden."""
    found = next(filter(is_hidden, paths), None)
    return (
        "" if found is None else f"; hidden_file_prefix={list(_PREFIXES)} skips {ntpath.basename(found)!r} and the like"
    )


def explain(error: AvroError) -> None:
    """Add to the error of a hidden file which option skips such files."""
    if error.file is not None and is_hidden(error.file) and _NOT_AVRO in str(error):
        advice = f"; hidden_file_prefix={list(_PREFIXES)} skips such files of directories and patterns"
        if advice not in str(error):
            error.args = (f"{error}{advice}",)
