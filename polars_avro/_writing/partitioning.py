"""Division of rows among files by their keys, with the file names that Polars uses."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any, NamedTuple

import polars as pl
import polars.selectors as cs
from polars.io.partition import FileProviderArgs

from polars_avro import _options
from polars_avro._errors import AvroUnsupportedError
from polars_avro._writing.targets import join, normalize_path, path_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_NULL = "__HIVE_DEFAULT_PARTITION__"

#: ASCII characters that are percent-encoded in directory names, as in Polars. The asterisk is added, because
#: directories whose names contain one are not read as partitions. Control and non-ASCII characters are encoded too.
_ENCODED = frozenset(b" %/:=\x7f*")

#: Characters that would end a column name in the name of a directory.
_ENDS = frozenset("/\\=")

#: A partition: the text of each key.
Key = tuple[str, ...]


class Partitioning(NamedTuple):
    """The options of a :class:`polars.PartitionBy`."""

    base_path: str
    provider: Callable[[FileProviderArgs], Any] | None
    keys: list[pl.Expr]
    include_key: bool
    max_rows: int | None
    max_bytes: int

    @classmethod
    def of(cls, partition_by: pl.PartitionBy) -> Partitioning:
        """Read the private attributes of a `PartitionBy`, which may change between versions of Polars."""
        try:
            inner = partition_by._pl_partition_by
            keys = [pl.Expr._from_pyexpr(key) for key in inner.key or ()]
            provider, max_bytes = inner.file_path_provider, inner.approximate_bytes_per_file
            include_key = inner.include_key is not False
            base_path, max_rows = inner.base_path, inner.max_rows_per_file
        except AttributeError as error:
            msg = f"this version of Polars describes `PartitionBy` in another way: {error}"
            raise AvroUnsupportedError(msg) from None
        # In Polars 0 means no limit.
        max_rows = None if max_rows is None else _options.integer("max_rows_per_file", max_rows) or None
        max_bytes = _options.integer("approximate_bytes_per_file", max_bytes) or _options.MOST
        if provider is not None and not callable(provider):
            msg = f"a `file_path_provider` of {type(provider).__name__!r} is not supported: pass a function"
            raise AvroUnsupportedError(msg)
        return cls(normalize_path(str(base_path)), provider, keys, include_key, max_rows, max_bytes)

    def split(self, df: pl.DataFrame) -> Iterator[tuple[Key, pl.DataFrame, pl.DataFrame]]:
        """Yield each partition: its key as texts, its key as a frame, its rows."""
        if not self.keys:
            yield (), pl.DataFrame(), df
            return
        names = df.select(self.keys).columns
        for rows in df.with_columns(self.keys).partition_by(names, maintain_order=True):
            keys = rows.head(1)[names]
            texts = tuple(_text(keys.to_series(i)) for i in range(keys.width))
            yield texts, keys, rows if self.include_key else rows.drop(cs.by_name(*names))

    def target(self, key: Key, keys: pl.DataFrame, index: int) -> Any:
        """Return the path of a partition's file, or the object that a provider returns."""
        if self.provider is None:
            directories = [f"{name}={text}" for name, text in zip(keys.columns, key, strict=True)]
            return join(self.base_path, *directories, f"{index:08x}.avro")
        provided = self.provider(FileProviderArgs(index_in_partition=index, partition_keys=keys))
        target = path_of(provided, "the path of a `file_path_provider`")
        if isinstance(target, (str, os.PathLike)):
            return self._below(os.fspath(target))
        return target

    def _below(self, provided: str) -> str:
        """Join the path of a provider with the base path, and raise if the result is not below it."""
        path = join(self.base_path, normalize_path(provided))
        if ".." in re.split(r"[/\\]", provided) or not path.startswith(join(self.base_path, "")):
            msg = f"`file_path_provider` must return paths below the base path {self.base_path!r}, got {provided!r}"
            raise ValueError(msg)
        return path

    def columns(self, schema: pl.Schema) -> pl.Schema:
        """Return the columns of the files, after checking the keys."""
        self._check_keys(schema)
        empty = pl.DataFrame(schema=schema)
        for name, dtype in empty.select(self.keys).schema.items():
            if self.provider is None and not _ENDS.isdisjoint(name):
                msg = f"cannot partition by {name!r}: the name of a column must have no '/', '\\\\' or '=': rename it"
                raise ValueError(msg)
            if dtype.is_nested() or dtype in (pl.Binary, pl.Duration) or isinstance(dtype, pl.BaseExtension):
                msg = f"cannot partition by {name!r} of dtype {dtype}: cast it to a dtype that has a text"
                raise AvroUnsupportedError(msg)
        return self.rows(empty).schema

    def _check_keys(self, schema: pl.Schema) -> None:
        """Raise if a key depends on other rows. Polars decides, in the plan of a Parquet sink."""
        if not self.keys:
            return
        plan = pl.LazyFrame(schema=schema).sink_parquet(pl.PartitionBy("", key=self.keys), lazy=True)
        try:
            plan.explain()
        except pl.exceptions.InvalidOperationError as error:
            raise pl.exceptions.InvalidOperationError(str(error).partition("\n")[0]) from None

    def rows(self, df: pl.DataFrame) -> pl.DataFrame:
        """Return the rows with the columns of the files."""
        if not self.keys:
            return df
        keyed = df.with_columns(self.keys)
        return keyed if self.include_key else keyed.drop(cs.by_name(*df.select(self.keys).columns))


def _text(key: pl.Series) -> str:
    """Return a key as it is written in the name of a directory."""
    text = _exact(key)[0]
    if text is None:
        return _NULL
    if text == _NULL:
        # Otherwise the text would be read back as null.
        return f"%{ord(text[0]):02X}{text[1:]}"
    encode = (f"%{byte:02X}" if byte < 32 or byte > 127 or byte in _ENCODED else chr(byte) for byte in text.encode())
    return "".join(encode)


def _exact(key: pl.Series) -> pl.Series:
    """Convert a key to a text that is read back as the same value."""
    if key.dtype == pl.Time:
        # A cast drops fractional seconds.
        return key.dt.to_string("%H:%M:%S%.f")
    if isinstance(key.dtype, pl.Datetime) and key.dtype.time_zone is not None:
        offset = key.dt.to_string("%::z")[0]
        if offset is not None and not offset.endswith(":00"):
            # A cast drops the seconds of the offset, which zones had before their standard time.
            key = key.dt.convert_time_zone("UTC")
    text: pl.Series = key.cast(pl.String)
    return text
