"""Detection of dates and times outside Polars' calendar, because Polars panics when it prints them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from polars_avro._cli.dtypes import MAP, changed, entries
from polars_avro._errors import AvroDataError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from polars_avro._cli.rows import Frames

#: Days since 1970 of the first and the last date of Polars' calendar, in the years -262143 and 262142.
_DAYS = (-96_465_292, 95_026_236)
_PER_DAY = {"ms": 86_400_000, "us": 86_400_000_000, "ns": 86_400_000_000_000}


def checked(frames: Iterable[pl.DataFrame], schema: Mapping[str, pl.DataType]) -> Frames:
    """Yield frames, or raise an error with the column and the row of a value that cannot be printed."""
    names = [name for name, dtype in schema.items() if _has_times(dtype)]
    if not names:
        yield from frames
        return
    first = 0
    for df in frames:
        for name in names:
            column = df.get_column(name)
            if _outside(column):
                row = _first_outside(column)
                what = _describe(column.slice(row, 1))
                msg = (
                    f"column {name!r}, row {first + row} (counted from 0) of the output: {what} is outside of the "
                    "calendar and cannot be printed; choose other columns with --columns, another format, or `head` "
                    "or `tojson`, which print numbers"
                )
                raise AvroDataError(msg)
        first += df.height
        yield df


def with_numbers(df: pl.DataFrame) -> pl.DataFrame:
    """Convert columns with values that cannot be printed into numbers."""
    columns = [df.get_column(name) for name, dtype in df.schema.items() if _has_times(dtype)]
    return df.with_columns(_numbers(column) for column in columns if _outside(column))


def _has_times(dtype: Any) -> bool:
    return any(isinstance(leaf, (pl.Date, pl.Datetime, pl.Duration)) for leaf in _leaf_dtypes(dtype))


def _leaf_dtypes(dtype: Any) -> Iterator[Any]:
    if isinstance(dtype, pl.Struct):
        for field in dtype.fields:
            yield from _leaf_dtypes(field.dtype)
    elif MAP and isinstance(dtype, MAP):
        yield from _leaf_dtypes(dtype.key)
        yield from _leaf_dtypes(dtype.value)
    elif isinstance(dtype, (pl.List, pl.Array)):
        yield from _leaf_dtypes(dtype.inner)
    else:
        yield dtype


def _leaves(column: pl.Series) -> Iterator[pl.Series]:
    """Yield the nested dates and times of a column."""
    dtype: Any = column.dtype
    if isinstance(dtype, (pl.Date, pl.Datetime, pl.Duration)):
        yield column
    elif not _has_times(dtype):
        return
    elif isinstance(dtype, pl.Struct):
        for field in dtype.fields:
            yield from _leaves(column.struct.field(field.name))
    elif MAP and isinstance(dtype, MAP):
        yield from _leaves(column.cast(pl.List(pl.Struct({"key": dtype.key, "value": dtype.value}))))
    else:
        yield from _leaves(column.explode())


def _bounds(dtype: Any) -> tuple[int, int]:
    if isinstance(dtype, pl.Date):
        return _DAYS
    if isinstance(dtype, pl.Duration):
        return 1 - 2**63, 2**63 - 1
    # A time zone may shift a value by up to a day.
    margin = 0 if dtype.time_zone in (None, "UTC") else 1
    unit = _PER_DAY[dtype.time_unit]
    return (_DAYS[0] + margin) * unit, (_DAYS[1] + 1 - margin) * unit - 1


def _outside(column: pl.Series) -> bool:
    return next(_values_outside(column), None) is not None


def _values_outside(column: pl.Series) -> Iterator[tuple[pl.DataType, int]]:
    for leaf in _leaves(column):
        numbers = leaf.to_physical()
        least, most = _bounds(leaf.dtype)
        for value in (numbers.min(), numbers.max()):
            if value is not None and not least <= value <= most:  # type: ignore[operator]
                yield leaf.dtype, value  # type: ignore[misc]


def _first_outside(column: pl.Series) -> int:
    """Find the first row outside of the calendar by bisection."""
    row = 0
    while column.len() > 1:
        half = column.len() // 2
        front = column.slice(0, half)
        if _outside(front):
            column = front
        else:
            row, column = row + half, column.slice(half)
    return row


def _describe(column: pl.Series) -> str:
    dtype, value = next(_values_outside(column))
    return f"{value} as {dtype}"


def _numbers(column: pl.Series) -> pl.Series:
    """Return the column with integers for dates and times."""

    def number(inner: Any) -> Any:
        if isinstance(inner, pl.Date):
            return pl.Int32
        return pl.Int64 if isinstance(inner, (pl.Datetime, pl.Duration)) else inner

    numbers: pl.Series = column.cast(changed(column.dtype, number, entries)).cast(changed(column.dtype, number))
    return numbers
