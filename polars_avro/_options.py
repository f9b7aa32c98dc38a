"""Arguments that several functions take: checked once, here."""

from __future__ import annotations

from collections.abc import Sequence

from polars.exceptions import ColumnNotFoundError, DuplicateError


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


def row_index(name: str | None, offset: int, columns: Sequence[str]) -> tuple[str, int] | None:
    """Give the row index as Polars' internals want it."""
    if name is None:
        return None
    if name in columns:
        msg = f"the row index cannot be named {name!r}: the file has a column of that name"
        raise DuplicateError(msg)
    return name, offset


def selection(columns: Sequence[str] | Sequence[int] | str | int, names: Sequence[str]) -> list[str]:
    """Give the names of the columns to read, in the order asked for."""
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
        elif column not in names:
            msg = f"{column!r} is none of the file's columns: {', '.join(names)}"
            raise ColumnNotFoundError(msg)
        else:
            selected.append(column)
    if len(set(selected)) != len(selected):
        msg = f"`columns` names a column twice: {selected}"
        raise ValueError(msg)
    return selected
