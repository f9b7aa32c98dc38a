"""Lazy reading."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from polars_avro import _options, _schemas
from polars_avro._engine.files import Files

try:
    from polars_avro._engine import external as engine
except ImportError:
    from polars_avro._engine import io_source as engine  # type: ignore[no-redef]
from polars_avro._limits import DEFAULT_LIMITS, Limits
from polars_avro._options import ScanOptions
from polars_avro._schemas import AvroSchema, ExtraColumns, MissingColumns, SchemaMode
from polars_avro._sources import expansion, inputs, stores
from polars_avro._sources.inputs import Sources
from polars_avro._sources.stores import CredentialProvider, StorageOptions, Stores

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from polars._typing import SchemaDict

    from polars_avro._bad_blocks import BadBlock
    from polars_avro._core import OpenFile
    from polars_avro._options import ReaderOptions
    from polars_avro._schemas import SchemaRequest
    from polars_avro._sources.hive import Hive

__all__ = ["engine", "scan_avro"]


def scan_avro(
    source: Sources,
    *,
    n_rows: int | None = None,
    row_index_name: str | None = None,
    row_index_offset: int = 0,
    ignore_errors: bool = False,
    on_bad_block: Callable[[BadBlock], object] | None = None,
    hive_partitioning: bool | None = None,
    glob: bool = True,
    hidden_file_prefix: str | Sequence[str] | None = None,
    schema: SchemaDict | None = None,
    reader_schema: AvroSchema | None = None,
    schema_mode: SchemaMode = "first",
    hive_schema: SchemaDict | None = None,
    try_parse_hive_dates: bool = True,
    low_memory: bool = False,
    cache: bool = True,
    storage_options: StorageOptions | None = None,
    credential_provider: CredentialProvider = "auto",
    include_file_paths: str | None = None,
    missing_columns: MissingColumns = "raise",
    extra_columns: ExtraColumns = "raise",
    cast_options: pl.ScanCastOptions | None = None,
    batch_size: int | None = None,
    n_threads: int | None = None,
    limits: Limits | None = None,
) -> pl.LazyFrame:
    """
    Lazily read from Avro files.

    Only the columns that a query uses are decoded, and only the blocks that its slice touches are decompressed;
    ``select(pl.len())`` reads block headers alone. Importing the package makes this ``pl.scan_avro`` as well.

    Parameters
    ----------
    source
        Path(s) to files or directories, glob patterns, the ``bytes`` of a file, or file-likes: a ``BytesIO``, a file
        opened for reading bytes, any object whose ``read()`` returns bytes. Those that can seek are read by ranges,
        from their position on; others are read to their end by this call. Empty files are skipped in directories and
        patterns.
    n_rows
        Stop after this many rows.
    row_index_name
        If not None, a row index of this name becomes the first column.
    row_index_offset
        The index of the first row.
    ignore_errors
        Drop damaged blocks, and read on after them. Each is reported, and a warning sums up; a damaged header is an
        error all the same. All columns are decoded then, also to count rows, so that every query has the same rows; a
        row index counts the rows that are returned.
    on_bad_block
        Called with a :class:`BadBlock` for each block that is dropped, in file order. What it raises ends the read.
    hive_partitioning
        Whether ``key=value`` directories in the paths become columns, after those of the files. They do by default if
        `source` is a single directory, from there on; otherwise whole paths are looked at. Files of which no row can
        pass a filter are not decoded then, and not opened unless their rows have to be counted.
    glob
        Whether ``*``, ``?`` and ``[`` in a path make it a pattern. A name with brackets is no pattern if there is a
        file or directory of that name.
    hidden_file_prefix
        Skip files of directories and patterns whose names begin with one of these.
    schema
        Names and dtypes of the columns, in the order wanted; the files must have these dtypes. Columns that no file
        has follow `missing_columns`, columns that are not named here follow `extra_columns`. With a schema, no files
        are an empty frame. Not together with `reader_schema`.
    reader_schema
        The Avro schema to read as, instead of the first file's: JSON text, the same as Python objects, or the path of
        an ``.avsc`` file. The rules of Avro's schema resolution hold, names included: fields are matched by name or
        alias, numbers are widened, a field that a file lacks has its default, a field that the schema lacks is skipped.
    schema_mode : {'first', 'union'}
        What the files are read as if neither `schema` nor `reader_schema` is given: as the schema of the first file,
        or as one that has the columns of all files, in types that hold the values of all. The latter gives what
        ``pl.concat(how="diagonal_relaxed")`` would: every header is read by this call, and what a file lacks is null.
    hive_schema
        The names and dtypes of the columns in the paths; by default they are inferred.
    try_parse_hive_dates
        Whether dates and datetimes are inferred too.
    low_memory
        Decode one batch at a time, on one thread unless `n_threads` is given: less memory, more time.
    cache
        Whether a query that scans the same files twice reads them once.
    storage_options
        Options of the store that holds the files, by the names that Polars' own scans take: keys, region, endpoint and
        so on as ``str``, ``max_retries`` and the retry times as numbers. An unknown name is an error.
    credential_provider
        What brings credentials for the store, as in Polars' own scans: ``"auto"`` asks the cloud's Python package if it
        is installed, a provider or a callable that returns ``(dict, expiry)`` is called before they expire, and None
        leaves the store to `storage_options` and the environment.
    include_file_paths
        If not None, a column of this name says which file a row came from.
    missing_columns : {'raise', 'insert'}
        What becomes of columns that a file lacks and that have no default in the schema: an error, or null. A default
        is the value of the missing column in any case.
    extra_columns : {'raise', 'ignore'}
        What becomes of columns that only later files have. With `reader_schema` they are skipped in any case.
    cast_options
        Its `missing_struct_fields` and `extra_struct_fields` say the same of fields of nested records. Its other
        options allow casts of integers, floats and datetimes, and of enums to strings. Lossless promotions need none.
    batch_size
        About how many rows a batch, or a chunk of the result, has at least: 100,000 by default, and fewer if rows are
        large. Small blocks are not split, so that batches end where blocks do.
    n_threads
        How many threads decode: as many as Polars uses by default; 1 decodes on the calling thread.
    limits
        What a file may ask for before it is refused.

    Returns
    -------
    LazyFrame

    Raises
    ------
    AvroError
        If the first file is damaged or cannot be read as Avro; the subclass says by whose fault. Other files are
        opened when the query runs, and raise then: also where they cannot be read as the schema of the scan.
    FileNotFoundError
        If there is no such file.
    TypeError
        If `source` is nothing that can be read.

    See Also
    --------
    read_avro : Read eagerly.
    AvroReader : Read batch by batch.

    Notes
    -----
    The header of the first file is read by this call, for its schema, and patterns and directories are listed; data is
    read when the query runs.

    Examples
    --------
    >>> import polars as pl
    >>> import polars_avro
    >>> lf = polars_avro.scan_avro("docs/sample.avro")
    >>> lf.filter(pl.col("sky") == "RAIN").group_by("station").agg(pl.col("celsius").max()).sort("station").collect()
    shape: (5, 2)
    ┌─────────┬─────────┐
    │ station ┆ celsius │
    │ ---     ┆ ---     │
    │ str     ┆ f64     │
    ╞═════════╪═════════╡
    │ Bergen  ┆ 28.0    │
    │ Cusco   ┆ 27.7    │
    │ Da Nang ┆ 30.6    │
    │ Oran    ┆ 28.1    │
    │ Perth   ┆ 35.9    │
    └─────────┴─────────┘
    >>> lf.select(pl.len()).collect().item()
    300
    """
    _options.check(
        hive_partitioning=hive_partitioning,
        glob=glob,
        hidden_file_prefix=hidden_file_prefix,
        schema=schema,
        hive_schema=hive_schema,
        try_parse_hive_dates=try_parse_hive_dates,
        cache=cache,
        include_file_paths=include_file_paths,
        limits=limits,
    )
    rows = _options.optional_integer("n_rows", n_rows)
    reader = _options.reader_options(
        ignore_errors=ignore_errors,
        on_bad_block=on_bad_block,
        low_memory=low_memory,
        batch_size=batch_size,
        n_threads=n_threads,
    )
    evolution = _schemas.schema_evolution(missing_columns, extra_columns, cast_options)
    request = _schemas.SchemaRequest(schema, reader_schema, schema_mode, evolution, limits or DEFAULT_LIMITS)
    named = inputs.normalize_sources(source)
    plan = ScanPlan(
        tuple(named),
        stores.stores(named, storage_options, credential_provider, "scan_avro"),
        request,
        hive=expansion.hive(
            named, partitioning=hive_partitioning, schema=hive_schema, parse_dates=try_parse_hive_dates
        ),
        hive_schema=hive_schema,
        glob=glob,
        hidden_file_prefix=hidden_file_prefix,
        include_file_paths=include_file_paths,
        row_index=(row_index_name, row_index_offset),
        n_rows=rows,
        cache=bool(cache),
        reader=reader,
    )
    remote = any(isinstance(path, str) and stores.is_remote(path) for path in named)
    return engine.defer(plan) if remote else plan()


@dataclass(frozen=True)
class ScanPlan:
    """All that a scan is told. Calling it lists files, reads the schema and makes the scan."""

    named: tuple[str | bytes | OpenFile, ...]
    stores: Stores
    request: SchemaRequest
    hive: Hive | None
    hive_schema: SchemaDict | None
    glob: bool
    hidden_file_prefix: str | Sequence[str] | None
    include_file_paths: str | None
    row_index: tuple[str | None, int]
    n_rows: int | None
    cache: bool
    reader: ReaderOptions

    def __call__(self) -> pl.LazyFrame:
        """Make the scan."""
        named: Any = list(self.named)
        sources = expansion.expand(
            named,
            engine.expand,
            glob=self.glob,
            hidden_file_prefix=self.hidden_file_prefix,
            in_stores=self.stores,
        )
        if not sources:
            return self._no_files(named)
        first = inputs.identify(sources[0])
        opened = self.stores.files(sources)
        read_schema, file = self.request.resolve(opened)
        files = Files(
            tuple(sources),
            read_schema,
            self.hive,
            self.include_file_paths,
            self.request.dtypes,
            self.request.refused(read_schema),
            first,
            self.stores,
            [opened],
        )
        columns = files.schema()
        row_index = _options.row_index(*self.row_index, columns)
        options = ScanOptions(n_rows=self.n_rows, row_index=row_index, cache=self.cache, reader=self.reader)
        return engine.scan(files, columns, options, codec=file.codec)

    def _no_files(self, named: Any) -> pl.LazyFrame:
        of_files = self.request.schema_of_no_files()
        if of_files is None:
            raise expansion.no_files(named, glob=self.glob)
        in_paths = {} if self.include_file_paths is None else {self.include_file_paths: pl.String}
        empty = pl.LazyFrame(schema={**of_files, **dict(pl.Schema(self.hive_schema or {})), **in_paths})
        index = _options.row_index(*self.row_index, empty.collect_schema())
        return empty if index is None else empty.with_row_index(*index)
