"""Lazy reading."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import polars as pl

from polars_avro import _options, _schema_request, _schemas, _selection
from polars_avro._conversions import Annotations, InvalidValues, conversions
from polars_avro._engine.files import Files

try:
    from polars_avro._engine import external as engine
except ImportError:
    from polars_avro._engine import io_source as engine  # type: ignore[no-redef]
from polars_avro._limits import Limits
from polars_avro._options import ScanOptions
from polars_avro._schemas import AvroSchema, ExtraColumns, FieldMatching, MissingColumns, SchemaMode
from polars_avro._sources import expansion, inputs, stores, unreadable
from polars_avro._sources.inputs import Sources
from polars_avro._sources.stores import CredentialProvider, StorageOptions, Stores

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from polars._typing import SchemaDict

    from polars_avro._bad_blocks import BadBlock
    from polars_avro._core import OpenFile, StoreFile
    from polars_avro._schema_request import SchemaRequest
    from polars_avro._sources.hive import Hive

__all__ = ["engine", "scan_avro"]


def scan_avro(
    source: Sources,
    *,
    columns: Sequence[str] | Sequence[int] | str | int | None = None,
    n_rows: int | None = None,
    row_index_name: str | None = None,
    row_index_offset: int = 0,
    ignore_errors: bool = False,
    on_bad_block: Callable[[BadBlock], object] | None = None,
    strict: bool = False,
    skip_unreadable_files: bool = False,
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
    field_matching: FieldMatching = "name",
    cast_options: pl.ScanCastOptions | None = None,
    annotations: Annotations | None = None,
    recursion_depth: int | None = None,
    invalid_values: InvalidValues = "raise",
    batch_size: int | None = None,
    n_threads: int | None = None,
    limits: Limits | None = None,
) -> pl.LazyFrame:
    """
    Lazily read from Avro files.

    A query decodes only the columns that it uses, and decompresses only the blocks that its slice touches.
    ``select(pl.len())`` reads block headers alone. Importing the package also sets ``pl.scan_avro``.

    Parameters
    ----------
    source
        Path(s) or URL(s) of files or directories, glob patterns, the ``bytes`` of a file, or file-likes: a ``BytesIO``,
        a file opened for reading bytes, any object whose ``read()`` returns bytes, a ``UPath``, the result of
        ``fsspec.open``. File-likes that can seek are read by ranges, from their position; others are read to their end
        by this call. Empty files are skipped in directories and patterns.
    columns
        Columns to read, by name or by index counted from 0, in the order wanted. ``"a.b"`` reads only the field ``b``
        of the struct ``a``, also in lists and maps of structs, unless a column has that very name. ``"^temp_.*$"``
        stands for the columns that match this regular expression, and ``"*"`` for all.
    n_rows
        Stop after this many rows.
    row_index_name
        If not None, a row index of this name becomes the first column.
    row_index_offset
        The index of the first row.
    ignore_errors
        Drop damaged blocks, and continue after them. Each is reported, and a warning counts them. A damaged header is
        an error all the same. All columns are decoded then, also to count rows, so that every query has the same rows.
        A row index counts the rows that are returned.
    on_bad_block
        Called with a :class:`BadBlock` for each block that is dropped or irregular, in file order. An exception from it
        ends the read.
    strict
        Treat irregular blocks as damaged: blocks that have all of their rows and then more bytes, or whose compressed
        stream does not end with the block. By default they are read, as other readers do, and a warning counts them.
    skip_unreadable_files
        Leave out files that cannot be opened: their header is damaged, they are empty, cut off in the header, or no
        Avro files. The call then reads the header of every file. Each file is reported to `on_bad_block` with the kind
        ``file``, and a warning counts them. If no file can be opened, the first error is raised. Files that do not
        exist, and failures of a store, are errors all the same.
    hive_partitioning
        Turn ``key=value`` directories in the paths into columns, after those of the files. The default is True if
        `source` is a single directory; only directories below it count then. Otherwise whole paths count. Files are
        skipped if none of their rows can pass a filter on such columns, and not opened unless their rows have to be
        counted.
    glob
        Treat a path with ``*``, ``?`` or ``[`` as a pattern. A name with brackets is no pattern if a file or directory
        has that very name.
    hidden_file_prefix
        Skip files of directories and patterns whose names begin with one of these.
    schema
        Names and dtypes of the columns, in the order wanted. The files must have these dtypes. `missing_columns`
        applies to columns that no file has, `extra_columns` to columns that are not named here. With a schema, no files
        are an empty frame. Excludes `reader_schema`.
    reader_schema
        The Avro schema to read as, instead of the first file's: JSON text, the same as Python objects, or the path of
        an ``.avsc`` or Avro file. Avro's rules of schema resolution hold, names included. Fields match by name or
        alias, and numbers are widened. A field that a file lacks has its default, a field that the schema lacks is
        skipped.
    schema_mode : {'first', 'union'}
        The schema to read as: that of the first file, or the union of all. The union has the columns of all files, in
        types that all files promote to, such as Float64 for long and double. This call reads every header then, and
        columns that a file lacks are null. `schema` selects from the union. Excludes `reader_schema`.
    hive_schema
        The names and dtypes of the columns in the paths. By default a column that the files have too takes its dtype
        from `schema` or the files; the others are inferred.
    try_parse_hive_dates
        Infer dates and datetimes in paths too.
    low_memory
        Decode one batch at a time, on one thread unless `n_threads` is given: less memory, more time.
    cache
        Read files once if a query scans them twice.
    storage_options
        Options of the store that holds the files, under the names that Polars' own scans take. Keys, region, endpoint
        and so on are ``str``; ``max_retries`` and the retry times are numbers. An unknown name is an error.
    credential_provider
        The source of credentials for the store, as in Polars' own scans. ``"auto"`` asks the cloud's Python package if
        it is installed. A provider, or a callable that returns ``(dict, expiry)``, is called before credentials expire.
        None leaves the store to `storage_options` and the environment.
    include_file_paths
        If not None, a column of this name has the path of each row's file. It is the last one, unless `columns` names
        it.
    missing_columns : {'raise', 'insert'}
        Raise an error, or insert nulls, for columns that a file lacks and that have no default in the schema. A default
        is the value of the missing column, except with `schema`, which ignores defaults.
    extra_columns : {'raise', 'ignore'}
        Raise an error for columns that only later files have, or skip them. `reader_schema` skips them in any case.
    field_matching : {'name', 'case_insensitive', 'position'}
        How fields of records are matched with those of `reader_schema`, or of the first file: by name, then by alias;
        then by names that differ in case, where several matches are an error; or the first with the first, and so on.
    cast_options
        `missing_struct_fields` and `extra_struct_fields` are the same for fields of nested records. The other options
        allow casts of integers, floats and datetimes, and of enums to strings. Lossless promotions need no option,
        unless `schema` is given.
    annotations
        Dtypes by attributes that other tools annotate types with, such as :data:`CDC_TYPES` for Debezium, Kafka Connect
        and BigQuery. A key is the name of an attribute and its value, both ``str``. A value is a dtype, or the name of
        a logical type of Avro. ``pl.Time`` stands for nanoseconds. Timestamps may be text in ISO 8601.
    recursion_depth
        How often a recursive type becomes a struct inside itself. Deeper values are null, of dtype Null, and a warning
        counts them. By default a recursive value becomes JSON text.
    invalid_values : {'raise', 'null', 'text'}
        Raise an error, or read null, for a value that its logical type does not allow: a uuid that is none, a time
        outside the day, a decimal of too many digits. With ``"text"`` columns of these types are String, and such a
        value is the text of the plain string or number. A warning counts the values, and `on_bad_block` has their
        blocks.
    batch_size
        The number of rows in a batch, or in a chunk of the result: about 100,000 by default, fewer if rows are large.
        With `ignore_errors` batches end at the ends of blocks, so they may have more.
    n_threads
        The number of threads that decode, by default as many as Polars uses. 1 decodes on the calling thread.
    limits
        Bounds on what reading a file may cost.

    Returns
    -------
    LazyFrame

    Raises
    ------
    AvroError
        If the first file is damaged or cannot be read as Avro; the subclass tells which. Other files are opened when
        the query runs, and raise then, also if they cannot be read as the schema of the scan.
    FileNotFoundError
        If the file does not exist.
    TypeError
        If `source` is of a type that cannot be read.

    See Also
    --------
    read_avro : Read eagerly.
    AvroReader : Read batch by batch.

    Notes
    -----
    This call lists patterns and directories and reads the header of the first file, for its schema, in stores too. Rows
    are read when the query runs.

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
        skip_unreadable_files=skip_unreadable_files,
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
        strict=strict,
        low_memory=low_memory,
        batch_size=batch_size,
        n_threads=n_threads,
    )
    evolution = _schemas.schema_evolution(
        missing_columns,
        extra_columns,
        cast_options,
        field_matching,
        conversions(annotations, recursion_depth, invalid_values),
    )
    request = _schema_request.schema_request(schema, reader_schema, schema_mode, evolution, limits)
    named = inputs.normalize_sources(source)
    in_stores = stores.stores(named, storage_options, credential_provider, "scan_avro")
    hive = expansion.hive(named, partitioning=hive_partitioning, schema=hive_schema, parse_dates=try_parse_hive_dates)
    sources: Any = expansion.expand(
        named,
        engine.expand,
        glob=glob,
        hidden_file_prefix=hidden_file_prefix,
        in_stores=in_stores,
        may_lack_files=schema is not None or reader_schema is not None,
    )
    row_index = (row_index_name, row_index_offset)
    if not sources:
        of_files = request.schema_of_no_files()
        if of_files is None:
            raise expansion.no_files(named, glob=glob, advice="; pass a schema to get an empty frame")
        in_paths = {} if include_file_paths is None else {include_file_paths: pl.String()}
        every = pl.Schema({**of_files, **dict(pl.Schema(hive_schema or {})), **in_paths})
        read = every if columns is None else _selection.project(every, _selection.selection(columns, every))
        return _no_rows({**read, **in_paths}, row_index)
    opened = in_stores.files(sources)
    if skip_unreadable_files:
        kept = unreadable.readable(sources, opened, request.limits, on_bad_block)
        sources, opened = [sources[number] for number in kept], [opened[number] for number in kept]
    files, codec = _open_first(sources, opened, request, hive, include_file_paths, in_stores)
    if columns is not None:
        files.columns = tuple(_selection.selection(columns, files.schema_of_all()))
    read = files.schema()
    options = ScanOptions(n_rows=rows, row_index=_options.row_index(*row_index, read), cache=bool(cache), reader=reader)
    return engine.scan(files, read, options, codec=codec)


def _open_first(
    sources: list[str] | list[bytes | OpenFile],
    opened: list[str | bytes | OpenFile | StoreFile],
    request: SchemaRequest,
    hive: Hive | None,
    include_file_paths: str | None,
    in_stores: Stores,
) -> tuple[Files, str]:
    """Read the headers that the schema of the files needs; return the files and the codec of the first one."""
    first = inputs.identify(sources[0])
    request = request.below(hive, sources[0])
    read_schema, file = request.resolve(opened)
    files = Files(
        tuple(sources),
        read_schema,
        request.partitions(hive, read_schema),
        include_file_paths,
        request.dtypes,
        request.refused(read_schema),
        first,
        in_stores,
        [opened],
        os.urandom(16) if any(isinstance(source, str) and stores.is_remote(source) for source in sources) else None,
    )
    return files, file.codec


def _no_rows(columns: SchemaDict, row_index: tuple[str | None, int]) -> pl.LazyFrame:
    """Make the scan of no files."""
    empty = pl.LazyFrame(schema=columns)
    index = _options.row_index(*row_index, empty.collect_schema())
    return empty if index is None else empty.with_row_index(*index)
