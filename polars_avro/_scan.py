"""Lazy reading."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from polars_avro import _options, _schemas
from polars_avro._engine.files import Files

try:
    from polars_avro._engine import external as engine
except ImportError:
    from polars_avro._engine import io_source as engine  # type: ignore[no-redef]
from polars_avro._limits import DEFAULT_LIMITS, Limits
from polars_avro._options import ReaderOptions, ScanOptions
from polars_avro._schemas import AvroSchema, ExtraColumns, MissingColumns, SchemaMode
from polars_avro._sources import expansion, inputs, stores
from polars_avro._sources.inputs import Sources
from polars_avro._sources.stores import CredentialProvider, StorageOptions, Stores

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from polars._typing import SchemaDict

    from polars_avro._bad_blocks import BadBlock
    from polars_avro._schemas import SchemaEvolution
    from polars_avro._sources.hive import Hive


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
    reader_schema: AvroSchema | None = None,
    schema_mode: SchemaMode = "first",
    hive_schema: SchemaDict | None = None,
    try_parse_hive_dates: bool = True,
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
        opened for reading bytes, any object whose ``read()`` returns bytes. File-likes are read to their end by this
        call. Empty files are left out where a directory or a pattern names them.
    n_rows
        Stop after this many rows.
    row_index_name
        If not None, a row index of this name becomes the first column.
    row_index_offset
        The index of the first row.
    ignore_errors
        Leave damaged blocks out, and read on behind them. Each is reported, and a warning sums up; a damaged header is
        an error all the same. All columns are decoded then, also to count rows, so that every query has the same
        rows; a row index counts those that come out.
    on_bad_block
        Called with a :class:`BadBlock` for each block that is left out, in file order. What it raises ends the read.
    hive_partitioning
        Whether ``key=value`` directories in the paths become columns, behind those of the files. They do by default if
        `source` is a single directory, from there on; otherwise whole paths are looked at. Files of which no row can
        pass a filter are not opened then.
    glob
        Whether ``*``, ``?`` and ``[`` in a path make it a pattern.
    hidden_file_prefix
        Leave out files of directories and patterns whose names begin with one of these.
    reader_schema
        The Avro schema to read as, instead of the first file's: JSON text, the same as Python objects, or the path of
        an ``.avsc`` file. The rules of Avro's schema resolution hold, names included: fields are matched by name or
        alias, numbers are widened, what a file lacks is the default, what the schema lacks is passed over.
    schema_mode : {'first', 'union'}
        What the files are read as where `reader_schema` is not given: as the schema of the first file, or as one that
        has the columns of all files, in types that hold the values of all. The latter gives what
        ``pl.concat(how="diagonal_relaxed")`` would: every header is read by this call, and what a file lacks is null.
    hive_schema
        The names and dtypes of the columns in the paths; by default they are inferred.
    try_parse_hive_dates
        Whether dates and datetimes are inferred too.
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
        What becomes of columns that only later files have. With `reader_schema` they are passed over in any case.
    cast_options
        Its `missing_struct_fields` and `extra_struct_fields` say the same of fields of nested records. Numbers are
        widened in any case; other casts are not supported.
    batch_size
        About how many rows a batch has: 100,000 by default, and fewer where rows are large. Small blocks are not split,
        so that batches end where blocks do.
    n_threads
        How many threads decode: as many as Polars uses by default; 1 decodes on the thread that asks for rows.
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
    _options.check(n_rows=n_rows, row_index_offset=row_index_offset, batch_size=batch_size, n_threads=n_threads)
    reader = ReaderOptions(
        ignore_errors=ignore_errors,
        on_bad_block=on_bad_block,
        batch_size=batch_size,
        n_threads=n_threads,
    )
    evolution = _schemas.schema_evolution(missing_columns, extra_columns, cast_options)
    named = inputs.normalize_sources(source)
    plan = ScanPlan(
        tuple(named),
        stores.stores(named, storage_options, credential_provider, "scan_avro"),
        hive=expansion.hive(
            named, partitioning=hive_partitioning, schema=hive_schema, parse_dates=try_parse_hive_dates
        ),
        glob=glob,
        hidden_file_prefix=hidden_file_prefix,
        reader_schema=reader_schema,
        schema_mode=schema_mode,
        evolution=evolution,
        include_file_paths=include_file_paths,
        row_index=None if row_index_name is None else (row_index_name, row_index_offset),
        n_rows=n_rows,
        cache=cache,
        reader=reader,
        limits=limits or DEFAULT_LIMITS,
    )
    remote = any(isinstance(path, str) and stores.is_remote(path) for path in named)
    return engine.defer(plan) if remote else plan()


@dataclass(frozen=True)
class ScanPlan:
    """All that a scan is told. Calling it lists files, reads the schema and makes the scan."""

    named: tuple[str | bytes, ...]
    stores: Stores
    hive: Hive | None
    glob: bool
    hidden_file_prefix: str | Sequence[str] | None
    reader_schema: AvroSchema | None
    schema_mode: SchemaMode
    evolution: SchemaEvolution
    include_file_paths: str | None
    row_index: tuple[str, int] | None
    n_rows: int | None
    cache: bool
    reader: ReaderOptions
    limits: Limits

    def __call__(self) -> pl.LazyFrame:
        """Make the scan."""
        sources = expansion.expand(
            list(self.named),  # type: ignore[arg-type]
            engine.expand,
            glob=self.glob,
            hidden_file_prefix=self.hidden_file_prefix,
            in_stores=self.stores,
        )
        opened = self.stores.files(sources)
        read_schema, first = _schemas.resolve_read_schema(
            opened, self.reader_schema, self.schema_mode, self.evolution, self.limits
        )
        files = Files(tuple(sources), read_schema, self.hive, self.include_file_paths, self.stores, [opened])
        schema = files.schema(read_schema.schema())
        row_index = None if self.row_index is None else _options.row_index(*self.row_index, schema)
        options = ScanOptions(n_rows=self.n_rows, row_index=row_index, cache=self.cache, reader=self.reader)
        return engine.scan(files, schema, options, codec=first.codec)
