"""Rows of a file as plain types: numbers, bytes and text without the meaning of logical types."""

from __future__ import annotations

import copy
import io
import os
from contextlib import contextmanager
from dataclasses import replace
from typing import IO, TYPE_CHECKING, Any, NamedTuple

import polars as pl

from polars_avro import _metadata
from polars_avro._cli import avro_types, containers, progress
from polars_avro._cli.sources import name_of
from polars_avro._cli.where import unknown_column
from polars_avro._core import FileOpener
from polars_avro._reader import AvroReader
from polars_avro._writer import AvroWriter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from polars_avro._bad_blocks import BadBlock
    from polars_avro._cli.rows import Frames

#: Rows that are Python objects at a time.
BATCH_ROWS = 4096


class PlainSchema:
    """
    A schema, and the schema of the same encoding without logical types.

    Polars' dates, decimals and so on do not have all values of Avro; the plain types do. The encoding of a value does
    not depend on its logical type, so a file of one schema can be read and written with the other.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self._set_root(avro_types.parse(text))

    def _set_root(self, root: avro_types.AvroType) -> None:
        self.root = root
        self.plain = avro_types.plain_schema(self.root)
        self.columns = pl.Schema(FileOpener(self.plain))
        self._is_record = self.root.kind == "record"
        #: The dtype of one row.
        self.dtype: Any = pl.Struct(self.columns) if self._is_record else self.columns["value"]

    def select(self, names: list[str]) -> PlainSchema:
        """Return the schema of these columns, to read with."""
        fields = dict(self.root.fields)
        for name in names:
            if name not in fields:
                raise unknown_column(name, self.columns)
        selected = copy.copy(self)
        selected._set_root(replace(self.root, fields=[(name, fields[name]) for name in names]))
        return selected

    def values(self, df: pl.DataFrame) -> list[Any]:
        """Return the rows as Python objects."""
        if not self._is_record:
            return df.get_column("value").to_list()
        return df.to_dicts() if df.width else [{} for _ in range(df.height)]

    def frame(self, values: list[Any]) -> pl.DataFrame:
        """Return a frame of rows that are Python objects."""
        if not self.columns:
            return pl.DataFrame(height=len(values))
        rows = values if self._is_record else [{"value": value} for value in values]
        return pl.DataFrame(rows, schema=self.columns)


class PlainFile(NamedTuple):
    """A file, and what a copy keeps of its header."""

    source: Any
    storage_options: dict[str, Any] | None
    schema: PlainSchema
    codec: str
    metadata: dict[str, bytes]

    @classmethod
    def open(cls, source: Any, storage_options: dict[str, Any] | None) -> PlainFile:
        """Read the header of a file."""
        file = _metadata.open_file(source, storage_options, "auto", "polars-avro", None)
        metadata = {key: value for key, value in file.metadata.items() if not key.startswith("avro.")}
        return cls(source, storage_options, PlainSchema(file.schema_json), file.codec, metadata)

    def frames(self, n_rows: int | None = None, on_bad_block: Callable[[BadBlock], object] | None = None) -> Frames:
        """Read the rows. With a callback, damaged blocks are dropped."""
        options: dict[str, Any] = {"storage_options": self.storage_options, "n_rows": n_rows}
        if on_bad_block is not None:
            options |= {"ignore_errors": True, "on_bad_block": on_bad_block}
        with (
            AvroReader(
                self.source, reader_schema=avro_types.plain_schema(self.schema.root, aliases=True), **options
            ) as reader,
            progress.Progress(name_of(self.source), reader.total_bytes) as bar,
        ):
            for df in reader:
                yield df
                bar.advance_to(reader.bytes_read)


@contextmanager
def writer(
    target: IO[bytes],
    schema: PlainSchema,
    *,
    metadata: Mapping[str, bytes],
    sync_marker: bytes | None = None,
    compression: str | None = None,
    level: int | None = None,
) -> Iterator[AvroWriter]:
    """Write rows of plain types to a file of the schema."""
    out: Any = _WithSchema(target, schema.text, metadata)
    with AvroWriter(
        out,
        schema.columns,
        avro_schema=schema.plain,
        sync_marker=sync_marker or os.urandom(16),
        compression=compression,
        compression_level=level,
    ) as opened:
        yield opened
    out.flush()


class _WithSchema:
    """A file that replaces the schema in the header of what is written to it."""

    def __init__(self, target: IO[bytes], schema: str, metadata: Mapping[str, bytes]) -> None:
        self._target = target
        self._entries = {"avro.schema": schema.encode(), **metadata}
        #: What was written before the header was complete.
        self._start: bytes | None = b""

    def write(self, data: Any) -> int:
        """Write all of the data."""
        if self._start is None:
            return self._target.write(data)
        self._start += bytes(data)
        start = io.BytesIO(self._start)
        try:
            header = containers.read_header(start, "header")
        except containers.TruncatedError:
            # The rest follows with the next call.
            return len(data)
        self._target.write(containers.encode_header(header.metadata | self._entries, header.sync_marker))
        self._target.write(start.read())
        self._start = None
        return len(data)

    def flush(self) -> None:
        """Pass on what is buffered."""
        self._target.flush()
