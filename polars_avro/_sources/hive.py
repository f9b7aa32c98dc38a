"""Columns from ``key=value`` directories in paths."""

from __future__ import annotations

import io
import os
import re
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import unquote_to_bytes

import polars as pl
from polars.exceptions import ComputeError, PolarsError, SchemaFieldNotFoundError

if TYPE_CHECKING:
    from collections.abc import Sequence

_NULL = "__HIVE_DEFAULT_PARTITION__"
#: A separator that occurs only in text values.
_SEPARATOR = "\x01"
#: Dtypes for which an empty text is a value.
_TEXTS = (pl.String, pl.Categorical, pl.Enum, pl.Binary)
#: Dtypes that Polars' CSV reader does not support, or whose empty texts it reads as null.
_CAST = (pl.Categorical, pl.Enum, pl.Binary, pl.Duration, pl.Null)
_SEPARATORS = re.compile(r"[\\/]" if os.sep == "\\" else "/")


class Hive(NamedTuple):
    """Options for reading partitions from paths. Hashable."""

    #: Index in a path before which directories are above the scanned ones.
    start: int
    dtypes: tuple[tuple[str, pl.DataType | type[pl.DataType]], ...] | None
    parse_dates: bool
    #: Dtypes of columns of these names in `schema` or in the files.
    of_files: tuple[tuple[str, pl.DataType], ...] = ()

    def names(self, path: str) -> list[str]:
        """Return the columns of a path."""
        return [name for name, _ in self._parts(path, {})]

    def with_dtypes(self, paths: Sequence[str]) -> Hive:
        """Infer the dtypes from these paths and fix them, so that subsets of the paths have the same dtypes."""
        dtypes = {name: column.dtype for name, column in self.columns(paths).items()}
        return self._replace(dtypes=tuple(dtypes.items()))

    def columns(self, paths: Sequence[str]) -> dict[str, pl.Series]:
        """Read the columns of all files, with one value per file."""
        values: dict[str, list[str | None]] = {name: [] for name, _ in self._parts(paths[0], {})}
        if not values:
            return {}
        cache: dict[str, list[tuple[str, str | None]]] = {}
        for path in paths:
            parts = self._parts(path, cache)
            if [name for name, _ in parts] != list(values):
                self._check(path, parts, values)
            for name, value in parts:
                values[name].append(value)
        dtypes: dict[str, pl.DataType | type[pl.DataType]] = dict(self.of_files)
        for name in values:
            if self.dtypes is not None and name not in dict(self.dtypes):
                msg = f"path contains column not present in the given Hive schema: {name!r}, path = {paths[0]!r}"
                raise SchemaFieldNotFoundError(msg)
        dtypes |= dict(self.dtypes or ())
        return {name: self._series(name, texts, dtypes.get(name)) for name, texts in values.items()}

    def _parts(self, path: str, cache: dict[str, list[tuple[str, str | None]]]) -> list[tuple[str, str | None]]:
        directory = os.path.dirname(path)
        if directory not in cache:
            parts = (_part(part) for part in _SEPARATORS.split(directory[self.start :]))
            cache[directory] = [part for part in parts if part is not None]
        return cache[directory]

    def _check(self, path: str, parts: list[tuple[str, str | None]], expected: dict[str, list[str | None]]) -> None:
        names = [name for name, _ in parts]
        for name in names:
            if name not in expected or names.count(name) > 1:
                msg = (
                    f"path contains a column that the first path lacks, or that is repeated: {name!r}, path = {path!r}"
                )
                raise SchemaFieldNotFoundError(msg)
        for name in expected:
            if name not in names:
                msg = f"path lacks the column {name!r}, which the path of the first file has, path = {path!r}"
                raise SchemaFieldNotFoundError(msg)

    def _series(self, name: str, texts: list[str | None], dtype: pl.DataType | type[pl.DataType] | None) -> pl.Series:
        # For dtypes other than text, an empty text is null.
        distinct = sorted({text for text in texts if text or (text == "" and dtype in _TEXTS)})
        try:
            parsed = pl.Series(distinct, dtype=pl.String) if dtype == pl.String else self._parse(distinct, dtype)
        except PolarsError as error:
            if dtype is None:
                raise
            shown = ", ".join(map(repr, distinct[:3])) + (", ..." if len(distinct) > 3 else "")
            subject = f"`hive_schema`: column {name!r} is {dtype}" if self.dtypes else f"column {name!r} is {dtype}"
            hint = "" if self.dtypes else "; pass `hive_schema`, or hive_partitioning=False to read the files' column"
            # Further lines suggest options for CSV files.
            reason = str(error).partition("\n")[0]
            msg = f"{subject}, but the paths have {shown}: {reason}{hint}"
            raise ComputeError(msg) from None
        if parsed.dtype == pl.String:
            return pl.Series(name, texts, dtype=pl.String)
        positions = {text: position for position, text in enumerate(distinct)}
        index = pl.Series([None if text is None else positions.get(text) for text in texts], dtype=pl.UInt32)
        return parsed.gather(index).alias(name)

    def _parse(self, texts: list[str], dtype: pl.DataType | type[pl.DataType] | None) -> pl.Series:
        """Parse texts with the CSV reader, as Polars does for partitions."""
        plain = not any(_SEPARATOR in text or "\n" in text or "\r" in text for text in texts)
        if not texts or (dtype is None and not plain):
            return pl.Series(texts, dtype=dtype or pl.String)
        if dtype == pl.Time:
            return pl.Series(texts, dtype=pl.String).str.to_time("%H:%M:%S%.f")
        if not plain or dtype in _CAST or (dtype is not None and dtype.is_nested()):
            cast: pl.Series = pl.Series(texts, dtype=pl.String).cast(dtype or pl.String)
            return cast
        parsed = pl.read_csv(
            io.BytesIO("\n".join(texts).encode()),
            has_header=False,
            separator=_SEPARATOR,
            quote_char=None,
            schema=None if dtype is None else {"": dtype},
            infer_schema_length=None,
            try_parse_dates=self.parse_dates,
        ).to_series()
        return pl.Series(texts, dtype=pl.String) if dtype is None and parsed.dtype == pl.Time else parsed


def start(roots: Sequence[str], *, directories: Sequence[bool]) -> int:
    """Return the index in paths at which partitions may begin: after a directory, or 0 for patterns and files."""
    starts = [len(root.rstrip("/" + os.sep)) if isdir else 0 for root, isdir in zip(roots, directories, strict=True)]
    for before, after, first, second in zip(starts, starts[1:], roots, roots[1:], strict=False):
        if before != after and os.path.dirname(first) != os.path.dirname(second):
            levels = f"first path: {first}, second path: {second}"
            msg = f"attempted to read from different directory levels with hive partitioning enabled: {levels}"
            raise pl.exceptions.InvalidOperationError(msg)
    return min(starts)


def _part(part: str) -> tuple[str, str | None] | None:
    name, equals, value = part.partition("=")
    if not equals or "=" in value or "*" in value:
        return None
    if value == _NULL:
        return name, None
    try:
        return name, unquote_to_bytes(value).decode()
    except UnicodeDecodeError:
        return None
