"""
A scan as Polars' engine runs its own: through the external reader of Polars 2.

The only module that knows these names, which Polars calls unstable. Importing it fails where they are missing.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

import polars as pl
from polars._plr import PyLazyFrame  # type: ignore[import-not-found, unused-ignore]
from polars._utils.wrap import wrap_ldf
from polars.io._expand_paths import _expand_paths
from polars.io.external_reader import FileReader, FileReaderBuilder, ReaderCapabilities
from polars.io.scan_options._options import ScanOptions as PolarsScanOptions

from polars_avro import _options, _predicate
from polars_avro._errors import AvroSchemaError
from polars_avro._frame import frames_of_query
from polars_avro._options import ReaderOptions, ScanOptions

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from polars._typing import SchemaDict
    from polars.lazyframe.resolver import FilterExpr

if not hasattr(PyLazyFrame, "new_from_external_reader_builder"):
    raise ImportError("this Polars has no external readers")


def scan(
    sources: list[str] | list[bytes],
    schema_json: str,
    schema: pl.Schema,
    options: ScanOptions,
) -> pl.LazyFrame:
    """Make the scan; the schemas are those of the first source, and every file must have its columns."""
    lf = PyLazyFrame.new_from_external_reader_builder(
        sources=sources,
        reader_builder=intern_builder(schema_json, schema, options.reader),
        schema=schema,
        scan_options=PolarsScanOptions(
            row_index=options.row_index,
            pre_slice=None if options.n_rows is None else (0, options.n_rows),
            include_file_paths=options.include_file_paths,
            # The sources are expanded: the first file's schema was needed to get here.
            glob=False,
            expand_paths=False,
        ),
    )
    return wrap_ldf(lf)


def expand(paths: list[str], *, glob: bool, hidden_file_prefix: Sequence[str] | None) -> list[str]:
    """List the files that patterns and directories stand for, as Polars' own scans do."""
    files = _expand_paths(paths, glob=glob, hidden_file_prefix=hidden_file_prefix).collect()
    return files.to_series().to_list()


class AvroReaderBuilder(FileReaderBuilder):
    """Makes the reader of each file of a scan. Holds no sources, so that equal scans can share one."""

    def __init__(self, schema_json: str, schema: pl.Schema, options: ReaderOptions) -> None:
        self.schema_json = schema_json
        self.schema = schema
        self.options = options

    def __reduce__(self) -> tuple[Any, ...]:
        return intern_builder, (self.schema_json, self.schema, self.options)

    def reader_capabilities(self) -> ReaderCapabilities:
        """Say what the reader does itself; Polars does the rest."""
        return ReaderCapabilities(row_index=True, pre_slice=True, negative_pre_slice=True, supported_filter="partial")

    def build_file_reader(self, source: str | bytes, multi_scan_context: dict[Any, Any]) -> AvroFileReader:
        """Make the reader of one file, which opens nothing yet."""
        return AvroFileReader(source, self)

    def explain_properties(self) -> dict[str, str]:
        """Name the format in query plans."""
        defaults = vars(ReaderOptions())
        given = {name: str(value) for name, value in vars(self.options).items() if value != defaults[name]}
        return {"format": "Avro", **given}


class AvroFileReader(FileReader):
    """Reads one file of a scan."""

    def __init__(self, source: str | bytes, builder: AvroReaderBuilder) -> None:
        self.source = source
        self.builder = builder

    def fetch_metadata(self) -> None:
        """Open the file; Polars calls this first, for several files at once."""
        self.file = self.builder.options.open(self.source)
        if self.file.schema_json == self.builder.schema_json:
            return
        schema = pl.Schema(self.file)
        # By name: Polars puts the columns of every file into the scan's order.
        if dict(schema) != dict(self.builder.schema):
            name = self.source if isinstance(self.source, str) else "<bytes>"
            error = AvroSchemaError(f"{name}: {_difference(schema, self.builder.schema)}")
            error.file = name
            raise error

    def schema(self) -> SchemaDict:
        """Give the scan's schema, which the file has been checked against."""
        return self.builder.schema

    def n_rows_in_file(self, limit: int | None = None) -> int:
        """Count without decoding, where that is possible."""
        return self.builder.options.count_rows(self.file, limit)

    def collect_batches(
        self,
        *,
        columns: Sequence[str],
        row_index: tuple[str, int] | None,
        pre_slice: tuple[int, int] | None,
        filters: Sequence[FilterExpr],
        num_pipelines: int,
    ) -> Iterator[pl.DataFrame]:
        """Read what the query asks for."""
        reader = self.builder.options
        offset, length = (0, None) if pre_slice is None else self._absolute(*pre_slice)
        if not columns and row_index is None and not reader.ignore_errors:
            height = self.file.count_rows(None if length is None else offset + length) - offset
            height = max(0, height if length is None else min(height, length))
            return iter([pl.DataFrame(height=height)])
        known = set(columns) if row_index is None else {row_index[0], *columns}
        options = _options.for_core(
            columns=columns,
            row_index=row_index,
            offset=offset,
            length=length,
            row_filter=_predicate.for_core((term.expr for term in filters), known),
            reader=reader,
        )
        return frames_of_query(self.file.batches(options), reader.damage())

    def _absolute(self, offset: int, length: int) -> tuple[int, int]:
        """Count a slice from the file's first row."""
        if offset >= 0:
            return offset, length
        start = self.builder.options.count_rows(self.file) + offset
        return max(0, start), max(0, start + length - max(0, start))


_builders: WeakValueDictionary[tuple[str, ReaderOptions], AvroReaderBuilder] = WeakValueDictionary()
_lock = threading.Lock()


def intern_builder(schema_json: str, schema: pl.Schema, options: ReaderOptions) -> AvroReaderBuilder:
    """Give the same object for the same options: Polars reads a file once for two scans that share their builder."""
    key = (schema_json, options)
    with _lock:
        builder = _builders.get(key)
        if builder is None:
            builder = _builders[key] = AvroReaderBuilder(schema_json, schema, options)
        return builder


def _difference(found: pl.Schema, expected: pl.Schema) -> str:
    """Name the first difference: wide schemas do not fit a message."""
    for name, dtype in expected.items():
        if name not in found:
            return f"the file has no column {name!r}, which the first file of the scan has"
        if found[name] != dtype:
            return f"column {name!r} is {found[name]}, but {dtype} in the first file of the scan"
    extra = next(name for name in found if name not in expected)
    return f"the file has a column {extra!r}, which the first file of the scan does not have"
