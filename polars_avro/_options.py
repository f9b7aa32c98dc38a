"""Validation of arguments that several functions share."""

from __future__ import annotations

import math
import operator
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from numbers import Real
from typing import Any, NamedTuple

import polars as pl
from polars.exceptions import DuplicateError

from polars_avro._bad_blocks import BadBlock, BadBlockLog, hashable
from polars_avro._core import Batch, ReadOptions
from polars_avro._limits import Limits

# Names that other modules use as members of this one.

#: The core counts in 64 bits.
MOST = 2**64 - 1


class ReaderOptions(NamedTuple):
    """Options of the reader of each file. Hashable, so equal scans can share a reader."""

    ignore_errors: bool = False
    on_bad_block: Callable[[BadBlock], object] | None = None
    strict: bool = False
    batch_size: int | None = None
    n_threads: int | None = None

    def bad_block_log(self, *, keep: bool = False) -> BadBlockLog | None:
        """Return a log of dropped and irregular blocks, or None if both kinds raise."""
        return BadBlockLog(self.on_bad_block, keep=keep) if self.ignore_errors or not self.strict else None


class ScanOptions(NamedTuple):
    """Checked options of a scan, the same for both engines."""

    n_rows: int | None = None
    row_index: tuple[str, int] | None = None
    cache: bool = True
    reader: ReaderOptions = ReaderOptions()


def check(**arguments: Any) -> None:
    """Raise a TypeError for the first argument of the wrong type."""
    for name, value in arguments.items():
        accepts, expected = _CHECKS[name]
        if not accepts(value):
            kind = repr(type(value).__name__)
            shown = kind if name in _SECRET else f"{value!r} of type {kind}"
            msg = f"`{name}` must be {expected}, got {shown}"
            raise TypeError(msg)


def _is_flag(value: Any) -> bool:
    # NumPy's `bool` is not a subclass of `bool`.
    return isinstance(value, bool) or type(value).__name__ in {"bool_", "bool"}


def _is_schema(value: Any) -> bool:
    return isinstance(value, Mapping) and not isinstance(value.get("type"), str)


def _is_index(value: Any) -> bool:
    # Before Python 3.12 isinstance(value, SupportsIndex) takes microseconds.
    return hasattr(value, "__index__")


def _is_texts(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, bytes) and all(isinstance(item, str) for item in value)


def _is_annotations(value: Any) -> bool:
    def is_pair(key: Any) -> bool:
        return isinstance(key, tuple) and len(key) == 2 and all(isinstance(part, str) for part in key)

    def is_meaning(meant: Any) -> bool:
        is_class = isinstance(meant, type) and issubclass(meant, pl.DataType)
        return is_class or isinstance(meant, (str, pl.DataType))

    return isinstance(value, Mapping) and all(is_pair(key) and is_meaning(meant) for key, meant in value.items())


def _is_options(value: Any) -> bool:
    return isinstance(value, Mapping) and all(isinstance(key, str) for key in value)


def _is_headers(value: Any) -> bool:
    return isinstance(value, Mapping) and all(isinstance(text, str) for item in value.items() for text in item)


def _is_provider(value: Any) -> bool:
    # Polars passes its own builders.
    return value is None or value == "auto" or callable(value) or hasattr(value, "build_credential_provider")


def _is_auth(value: Any) -> bool:
    return isinstance(value, (tuple, list)) and len(value) == 2 and all(isinstance(part, str) for part in value)


def _or_none(accepts: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: value is None or accepts(value)


def _is_a(kind: type | tuple[type, ...]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, kind)


_FLAG = (_is_flag, "a bool")
_TEXT = (_or_none(_is_a(str)), "a str or None")
_FILE = (_or_none(_is_a((str, os.PathLike))), "the path of a file, or None")
_SCHEMA = (
    _or_none(_is_schema),
    "a mapping of column names to dtypes, or None (Avro schemas are passed as `reader_schema` or `avro_schema`)",
)
#: The check of each parameter, and the text of its error.
_CHECKS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "annotations": (_or_none(_is_annotations), "a dict of pairs of str to dtypes or names of logical types, or None"),
    "append": _FLAG,
    "auth": (_or_none(_is_auth), "a tuple of user and password, or None"),
    "auto_register": _FLAG,
    "ca_file": _FILE,
    "cache": _FLAG,
    "cast_options": (_or_none(_is_a(pl.ScanCastOptions)), "a polars.ScanCastOptions or None"),
    "cert_file": _FILE,
    "credential_provider": (_is_provider, "callable, 'auto' or None"),
    "doc": _TEXT,
    "glob": _FLAG,
    "headers": (_or_none(_is_headers), "a dict of str to str, or None"),
    "hidden_file_prefix": (_or_none(_is_texts), "a str, a list of str, or None"),
    "hive_partitioning": (_or_none(_is_flag), "a bool or None"),
    "hive_schema": _SCHEMA,
    "ignore_errors": _FLAG,
    "include_file_paths": _TEXT,
    "key_file": _FILE,
    "lazy": _FLAG,
    "limits": (_or_none(_is_a(Limits)), "a polars_avro.Limits or None"),
    "low_memory": _FLAG,
    "maintain_order": _FLAG,
    "mkdir": _FLAG,
    "name": _TEXT,
    "namespace": _TEXT,
    "on_bad_block": (_or_none(callable), "callable or None"),
    "optimizations": (_or_none(_is_a(pl.QueryOptFlags)), "a polars.QueryOptFlags or None"),
    "partition_by": (_or_none(_is_texts), "a str, a list of str, or None"),
    "rechunk": _FLAG,
    "row_index_name": _TEXT,
    "schema": _SCHEMA,
    "schema_name": _TEXT,
    "skip_unreadable_files": _FLAG,
    "strict": _FLAG,
    "sinked_paths_callback": (_or_none(callable), "callable or None"),
    "storage_options": (_or_none(_is_options), "a dict with keys of str, or None"),
    "subject": _TEXT,
    "token": _TEXT,
    "try_parse_hive_dates": _FLAG,
}
#: Parameters whose values are secret, so messages omit them.
_SECRET = ("auth", "credential_provider", "headers", "storage_options", "token")


def integer(name: str, value: Any, *, least: int = 0, most: int = MOST) -> int:
    """Return a Python int within bounds; NumPy integers are converted."""
    if not _is_index(value) or _is_flag(value):
        msg = f"`{name}` must be an int, got {value!r} of type {type(value).__name__!r}"
        raise TypeError(msg)
    number = operator.index(value)
    if number < least:
        shown = f"a negative number, {number}" if number < 0 <= least else f"{number}"
        msg = f"`{name}` must be at least {least}, got {shown}"
        raise ValueError(msg)
    if number > most:
        msg = f"`{name}` must be at most {most}, got {number}"
        raise ValueError(msg)
    return number


def optional_integer(name: str, value: Any, *, least: int = 0) -> int | None:
    """Return an int within bounds, or None."""
    return None if value is None else integer(name, value, least=least)


def seconds(name: str, value: Any, *, zero: bool = False) -> float:
    """Return a finite number of seconds that is positive, or zero if that is allowed."""
    if _is_flag(value) or not isinstance(value, Real):
        msg = f"`{name}` must be a number of seconds, got {value!r} of type {type(value).__name__!r}"
        raise TypeError(msg)
    number = float(value)
    if not (0 < number < math.inf or (zero and number == 0)):
        msg = f"`{name}` must be a {'number of' if zero else 'positive number of'} seconds, got {value}"
        raise ValueError(msg)
    return number


def one_of(option: str, value: Any, allowed: tuple[str, ...]) -> None:
    """Raise if a text is none of those that an option accepts."""
    if not isinstance(value, str):
        msg = f"`{option}` must be one of {allowed}, got {value!r} of type {type(value).__name__!r}"
        raise TypeError(msg)
    if value not in allowed:
        msg = f"`{option}` must be one of {allowed}, got {value!r}"
        raise ValueError(msg)


def reader_options(
    *,
    ignore_errors: bool,
    on_bad_block: Callable[[BadBlock], object] | None,
    strict: bool = False,
    low_memory: bool = False,
    batch_size: int | None,
    n_threads: int | None,
) -> ReaderOptions:
    """Check the options of the reader of each file."""
    check(ignore_errors=ignore_errors, on_bad_block=on_bad_block, strict=strict, low_memory=low_memory)
    if on_bad_block is not None and strict and not ignore_errors:
        msg = "`on_bad_block` is never called with `strict=True` and without `ignore_errors=True`"
        raise ValueError(msg)
    threads = optional_integer("n_threads", n_threads, least=1)
    return ReaderOptions(
        ignore_errors=bool(ignore_errors),
        on_bad_block=None if on_bad_block is None else hashable(on_bad_block),
        strict=bool(strict),
        batch_size=optional_integer("batch_size", batch_size, least=1),
        # A single thread has one batch in memory at a time.
        n_threads=1 if low_memory and threads is None else threads,
    )


def dtypes(option: str, schema: Mapping[str, Any]) -> tuple[tuple[str, pl.DataType], ...]:
    """Return the names and dtypes of columns, classes of dtypes as their instances."""
    columns: list[tuple[str, pl.DataType]] = []
    for name, dtype in schema.items():
        try:
            columns += pl.DataFrame(schema={name: dtype}).schema.items()
        except TypeError as error:
            msg = f"`{option}`: the dtype of column {name!r}: {error}"
            raise TypeError(msg) from None
    return tuple(columns)


def byte_range(value: Any) -> tuple[int, int | None] | None:
    """Check the argument `byte_range`."""
    if value is None:
        return None
    is_pair = isinstance(value, tuple) and len(value) == 2
    if not is_pair or not _is_index(value[0]) or not (value[1] is None or _is_index(value[1])):
        msg = f"`byte_range` must be a tuple of two offsets, of which the second may be None, got {value!r}"
        raise TypeError(msg)
    start = integer("byte_range", value[0])
    end = optional_integer("byte_range", value[1])
    if end is not None and end < start:
        msg = f"`byte_range` must not end before it begins, got {value!r}"
        raise ValueError(msg)
    return start, end


def new_column(option: str, name: str | None, columns: Iterable[str | None]) -> None:
    """Raise if the name of an added column is taken."""
    if name is not None and name in columns:
        msg = f"`{option}` cannot be {name!r}: there is a column of that name"
        raise DuplicateError(msg)


@cache
def max_row_index() -> int:
    """Return the largest row index that Polars' index type holds."""
    return 2**64 - 1 if pl.get_index_type() == pl.UInt64 else 2**32 - 1


def row_index(name: str | None, offset: Any, columns: Iterable[str]) -> tuple[str, int] | None:
    """Return the checked name and offset of the row index, or None."""
    check(row_index_name=name)
    is_small = type(offset) is int and offset < 2**32
    number = integer("row_index_offset", offset, most=MOST if is_small else max_row_index())
    new_column("row_index_name", name, columns)
    return None if name is None else (name, number)


def core_options(
    *,
    columns: Sequence[str] | None,
    row_index: tuple[str, int] | None = None,
    file_index: str | None = None,
    offset: int = 0,
    length: int | None = None,
    byte_range: tuple[int, int | None] | None = None,
    row_filter: tuple[list[str], Callable[[Batch], object]] | None = None,
    reader: ReaderOptions,
) -> ReadOptions:
    """Make the options of a read whose columns are the row index, `columns` (None: all), and the file number."""
    return ReadOptions(
        columns=None if columns is None else list(columns),
        row_index=None if row_index is None else (*row_index, pl.get_index_type() == pl.UInt64),
        file_index=file_index,
        byte_range=byte_range,
        offset=offset,
        length=length,
        ignore_errors=reader.ignore_errors,
        strict=reader.strict,
        row_filter=row_filter,
        batch_size=reader.batch_size,
        n_threads=reader.n_threads,
    )
