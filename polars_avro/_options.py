"""Arguments that several functions take: checked once, here."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl
from polars.exceptions import ColumnNotFoundError, DuplicateError

from polars_avro._bad_blocks import BadBlock, BadBlockLog
from polars_avro._core import Batch, ReadOptions


@dataclass(frozen=True)
class ReaderOptions:
    """What the reader of every file of a scan is told. Hashable, so that equal scans can share what they make."""

    ignore_errors: bool = False
    on_bad_block: Callable[[BadBlock], object] | None = None
    batch_size: int | None = None
    n_threads: int | None = None

    def __post_init__(self) -> None:
        if self.on_bad_block is not None and not self.ignore_errors:
            msg = "`on_bad_block` is never called without `ignore_errors=True`"
            raise ValueError(msg)

    def bad_block_log(self, *, keep: bool = False) -> BadBlockLog | None:
        """Give what takes reports of damaged blocks, if there can be any."""
        return BadBlockLog(self.on_bad_block, keep=keep) if self.ignore_errors else None


@dataclass(frozen=True)
class ScanOptions:
    """What a scan is told beyond its sources: checked, and the same for both engines."""

    n_rows: int | None = None
    row_index: tuple[str, int] | None = None
    cache: bool = True
    reader: ReaderOptions = ReaderOptions()


def check(
    *,
    n_rows: int | None,
    row_index_offset: int,
    batch_size: int | None,
    n_threads: int | None,
) -> None:
    """Refuse numbers that mean nothing, before they reach Polars or the core."""
    for name, value, least in (
        ("n_rows", n_rows, 0),
        ("row_index_offset", row_index_offset, 0),
        ("batch_size", batch_size, 1),
        ("n_threads", n_threads, 1),
    ):
        if value is None:
            continue
        if not isinstance(value, int):
            msg = f"`{name}` must be an int, got {type(value).__name__!r}"
            raise TypeError(msg)
        if value < least:
            msg = f"`{name}` must be at least {least}, got {value}"
            raise ValueError(msg)


def check_byte_range(byte_range: Any) -> None:
    """Refuse what is no range of a file's bytes."""
    if byte_range is None:
        return
    if not isinstance(byte_range, tuple) or len(byte_range) != 2:
        msg = f"`byte_range` must be a tuple of two offsets, got {byte_range!r}"
        raise TypeError(msg)
    start, stop = byte_range
    for offset in (start, start if stop is None else stop):
        if not isinstance(offset, int):
            msg = f"`byte_range` must hold ints, got {type(offset).__name__!r}"
            raise TypeError(msg)
    if start < 0 or (stop is not None and stop < start):
        msg = f"`byte_range` must not be negative or end before it begins, got {byte_range}"
        raise ValueError(msg)


def new_column(option: str, name: str | None, columns: Iterable[str | None]) -> None:
    """Refuse to add a column whose name is taken."""
    if name is not None and name in columns:
        msg = f"`{option}` cannot be {name!r}: there is a column of that name"
        raise DuplicateError(msg)


def row_index(name: str | None, offset: int, columns: Iterable[str]) -> tuple[str, int] | None:
    """Give the row index as Polars and the core want it."""
    new_column("row_index_name", name, columns)
    return None if name is None else (name, offset)


def selection(columns: Sequence[str] | Sequence[int] | str | int, schema: pl.Schema) -> list[str]:
    """Give the columns to read, in the order asked for: names, and paths to fields of structs."""
    names = schema.names()
    if isinstance(columns, (str, int)):
        columns = [columns]  # type: ignore[assignment]
    selected = []
    for column in columns:  # type: ignore[union-attr]
        if isinstance(column, int):
            if not -len(names) <= column < len(names):
                msg = f"column {column} of a file that has {len(names)}"
                raise ColumnNotFoundError(msg)
            selected.append(names[column])
        elif not isinstance(column, str):
            msg = f"`columns` must be names or positions, got {type(column).__name__!r}"
            raise TypeError(msg)
        elif not _has(schema, column):
            msg = f"{column!r} is none of the file's columns, nor a field of one: {', '.join(names)}"
            raise ColumnNotFoundError(msg)
        else:
            selected.append(column)
    if len(set(selected)) != len(selected):
        msg = f"`columns` names a column twice: {selected}"
        raise ValueError(msg)
    return selected


def _has(fields: Mapping[str, Any], path: str) -> bool:
    """Tell whether a path leads to one of these fields, or to a field inside of one."""
    if path in fields:
        return True
    # The longest of the names that it can begin with is the one that is meant.
    for name in sorted(fields, key=len, reverse=True):
        if path.startswith(f"{name}."):
            return _has(_fields(fields[name]), path[len(name) + 1 :])
    return False


def _fields(dtype: Any) -> Mapping[str, Any]:
    """Give the fields of a struct, also of one in lists or maps."""
    if isinstance(dtype, pl.Struct):
        return {field.name: field.dtype for field in dtype.fields}
    inside = getattr(dtype, "value", None) or getattr(dtype, "inner", None)
    return {} if inside is None else _fields(inside)


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
    """Say what to read: `columns` in this order, all where it is None, between the row index and the file's number."""
    return ReadOptions(
        columns=None if columns is None else list(columns),
        row_index=None if row_index is None else (*row_index, pl.get_index_type() == pl.UInt64),
        file_index=file_index,
        byte_range=byte_range,
        offset=offset,
        length=length,
        ignore_errors=reader.ignore_errors,
        row_filter=row_filter,
        batch_size=reader.batch_size,
        n_threads=reader.n_threads,
    )
