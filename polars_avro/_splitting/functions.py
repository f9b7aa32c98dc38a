"""Planning of splits, and lazy reading of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from polars_avro import _options, _schema_request, _schemas, _selection
from polars_avro._conversions import conversions
from polars_avro._errors import AvroError
from polars_avro._scan import engine
from polars_avro._sources import expansion, inputs, stores
from polars_avro._splitting import tiling
from polars_avro._splitting.plan import SplitPlan
from polars_avro._splitting.split import Split

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import polars as pl
    from polars._typing import SchemaDict

    from polars_avro._bad_blocks import BadBlock
    from polars_avro._conversions import Annotations, InvalidValues
    from polars_avro._core import ContainerFile
    from polars_avro._engine.file_parts import FilePart
    from polars_avro._limits import Limits
    from polars_avro._schemas import AvroSchema, ExtraColumns, FieldMatching, MissingColumns, SchemaMode
    from polars_avro._sources.inputs import Contents, Sources
    from polars_avro._sources.stores import CredentialProvider, StorageOptions


def plan_splits(
    source: Sources,
    *,
    columns: Sequence[str] | Sequence[int] | str | int | None = None,
    target_bytes: int = 128 << 20,
    ignore_errors: bool = False,
    strict: bool = False,
    hive_partitioning: bool | None = None,
    glob: bool = True,
    hidden_file_prefix: str | Sequence[str] | None = None,
    schema: SchemaDict | None = None,
    reader_schema: AvroSchema | None = None,
    schema_mode: SchemaMode = "first",
    hive_schema: SchemaDict | None = None,
    try_parse_hive_dates: bool = True,
    include_file_paths: str | None = None,
    missing_columns: MissingColumns = "raise",
    extra_columns: ExtraColumns = "raise",
    field_matching: FieldMatching = "name",
    cast_options: pl.ScanCastOptions | None = None,
    annotations: Annotations | None = None,
    recursion_depth: int | None = None,
    invalid_values: InvalidValues = "raise",
    storage_options: StorageOptions | None = None,
    credential_provider: CredentialProvider = "auto",
    limits: Limits | None = None,
) -> list[Split]:
    """
    Divide the rows of Avro files among tasks that read them on other machines.

    This call lists files and reads the header of the first one, but no data. Files are cut by their sizes, and the task
    that reads a range finds the blocks in it by their sync markers. The same files yield the same splits.

    Parameters
    ----------
    source
        Path(s) or URL(s) of files or directories, or glob patterns, which the tasks must be able to read as well.
    columns
        Columns to read, by name or by index counted from 0, in the order wanted. ``"a.b"`` reads only the field ``b``
        of the struct ``a``, also in lists and maps of structs, unless a column has that very name. ``"^temp_.*$"``
        stands for the columns that match this regular expression, and ``"*"`` for all.
    target_bytes
        The approximate number of file bytes in a split. Larger files are cut into ranges of equal size. Consecutive
        smaller files are packed into one split, at most 1,024 of them.
    ignore_errors
        Drop damaged blocks, and continue after them, as in :func:`read_avro`.
    strict
        Treat irregular blocks as damaged: blocks that have all of their rows and then more bytes, or whose compressed
        stream does not end with the block. By default they are read, as other readers do, and a warning counts them.
    hive_partitioning
        Turn ``key=value`` directories in the paths into columns, as in :func:`scan_avro`. Their dtypes are inferred
        from all paths.
    glob
        Treat a path with ``*``, ``?`` or ``[`` as a pattern. A name with brackets is no pattern if a file or directory
        has that very name.
    hidden_file_prefix
        Skip files of directories and patterns whose names begin with one of these.
    schema
        Names and dtypes of the columns, in the order wanted, as in :func:`scan_avro`. Excludes `reader_schema`.
    reader_schema
        The Avro schema to read as, instead of the first file's: JSON text, the same as Python objects, or the path of
        an ``.avsc`` file. Avro's rules of schema resolution hold, names included. Fields match by name or alias, and
        numbers are widened. A field that a file lacks has its default, a field that the schema lacks is skipped.
    schema_mode : {'first', 'union'}
        The schema to read as: that of the first file, or the union of all. The union has the columns of all files, in
        types that all files promote to, such as Float64 for long and double. This call reads every header then, and
        columns that a file lacks are null. `schema` selects from the union. Excludes `reader_schema`.
    hive_schema
        The names and dtypes of the columns in the paths. By default a column that the files have too takes its dtype
        from `schema` or the files; the others are inferred.
    try_parse_hive_dates
        Infer dates and datetimes in paths too.
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
        allow casts of integers, floats and datetimes, and of enums to strings. Lossless promotions need no option.
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
    storage_options
        Options of the stores that hold the files, as in :func:`scan_avro`. Splits keep them in this process. Pickles of
        splits contain the address of the store and no credentials.
    credential_provider
        The source of credentials for the stores, as in :func:`scan_avro`. Pickles of splits do not contain it.
    limits
        Bounds on what reading a file may cost.

    Returns
    -------
    list of Split
        The splits in the order of the files. Read one after the other, they have the rows of :func:`read_avro`.

    Raises
    ------
    AvroError
        If the first file is damaged or cannot be read as Avro.
    FileNotFoundError
        If no file is found.
    TypeError
        If `source` is not a path or a list of paths, because splits contain no data.
    ValueError
        If `target_bytes` is less than 1.

    See Also
    --------
    scan_splits : Read splits lazily.
    polars_avro.ray.read_avro : Read into a dataset of Ray Data.
    polars_avro.dask.read_avro : Read into a dataframe of Dask.

    Examples
    --------
    >>> import polars_avro
    >>> splits = polars_avro.plan_splits("docs/sample.avro", target_bytes=2_000)
    >>> [split.parts[0].byte_range for split in splits]
    [(0, 1425), (1425, 2851), (2851, None)]
    >>> [split.read().height for split in splits]
    [120, 121, 59]
    """
    target = _options.integer("target_bytes", target_bytes, least=1)
    _options.check(
        ignore_errors=ignore_errors,
        strict=strict,
        hive_partitioning=hive_partitioning,
        glob=glob,
        hidden_file_prefix=hidden_file_prefix,
        schema=schema,
        hive_schema=hive_schema,
        try_parse_hive_dates=try_parse_hive_dates,
        include_file_paths=include_file_paths,
        limits=limits,
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
    hive = expansion.hive(named, partitioning=hive_partitioning, schema=hive_schema, parse_dates=try_parse_hive_dates)
    in_stores = stores.stores(named, storage_options, credential_provider, "plan_splits")
    listed = expansion.expand(
        named, engine.expand, glob=glob, hidden_file_prefix=hidden_file_prefix, in_stores=in_stores
    )
    paths = _paths(listed)
    if not paths:
        raise expansion.no_files(named, glob=glob)
    request = request.below(hive, paths[0])
    read_schema, first = request.resolve(in_stores.files(paths))
    hive = request.partitions(hive, read_schema)
    if hive is not None:
        hive = hive.with_dtypes(paths)
    refused = request.refused(read_schema)
    plan = SplitPlan(
        read_schema,
        evolution,
        hive,
        include_file_paths,
        request.dtypes,
        refused,
        bool(ignore_errors),
        bool(strict),
        first.codec,
        None,
        in_stores,
    )
    if columns is not None:
        every = plan.files(paths, read_schema, in_stores).schema_of_all()
        plan = replace(plan, columns=tuple(_selection.selection(columns, every)))
    # Raises for duplicate column names.
    plan.files(paths, read_schema, in_stores).schema()
    sizes = in_stores.sizes(paths)
    rows_per_byte = _rows_per_byte(first)
    return [
        _split(parts, rows_per_byte, first.header_size, plan)
        for parts in tiling.tile(zip(paths, sizes, strict=True), target)
    ]


def scan_splits(
    splits: Iterable[Split],
    *,
    reader_schema: AvroSchema | None = None,
    on_bad_block: Callable[[BadBlock], object] | None = None,
    batch_size: int | None = None,
    n_threads: int | None = None,
    storage_options: StorageOptions | None = None,
    credential_provider: CredentialProvider = "auto",
) -> pl.LazyFrame:
    """
    Lazily read splits, one after the other.

    Adjacent ranges of a file are joined, so all splits of a plan are a scan of its files.

    Parameters
    ----------
    splits
        Splits of one plan, in any order.
    reader_schema
        The Avro schema to read as, instead of that of the plan.
    on_bad_block
        Called with a :class:`BadBlock` for each block that is dropped or irregular.
    batch_size
        The number of rows in a batch: about 100,000 by default, fewer if rows are large.
    n_threads
        The number of threads that decode, by default as many as Polars uses. 1 decodes on the calling thread.
    storage_options
        Options of the stores that hold the files, as in :func:`scan_avro`. Needed if the process that planned had
        others, or if the splits come from another process.
    credential_provider
        The source of credentials for the stores, as in :func:`scan_avro`.

    Returns
    -------
    LazyFrame

    Raises
    ------
    TypeError
        If `splits` contains other objects than splits.
    ValueError
        If `splits` is empty, or has splits of plans with different options.

    See Also
    --------
    plan_splits : Plan splits.

    Examples
    --------
    >>> import polars as pl
    >>> import polars_avro
    >>> splits = polars_avro.plan_splits("docs/sample.avro", target_bytes=2_000)
    >>> polars_avro.scan_splits(splits[1:]).select(pl.len()).collect().item()
    180
    """
    if not isinstance(splits, Iterable):
        msg = f"`splits` must hold splits, got {type(splits).__name__!r}: pass a list of them"
        raise TypeError(msg)
    splits = list(splits)
    return _plan_of(splits).scan(
        [part for split in splits for part in split.parts],
        "scan_splits",
        reader_schema=reader_schema,
        on_bad_block=on_bad_block,
        batch_size=batch_size,
        n_threads=n_threads,
        storage_options=storage_options,
        credential_provider=credential_provider,
    )


def _rows_per_byte(file: ContainerFile) -> float | None:
    """Return the rows per byte of the first block; None if there is no block, or it is damaged."""
    try:
        block = file.first_block()
    except AvroError:
        return None
    return block[0] / block[1] if block is not None and block[0] > 0 else None


def _paths(sources: Sequence[str | Contents]) -> list[str]:
    paths = [source for source in sources if isinstance(source, str)]
    if len(paths) < len(sources):
        msg = "splits need paths: bytes and file-likes would be sent with every task"
        raise TypeError(msg)
    return paths


def _split(parts: tuple[FilePart, ...], rows_per_byte: float | None, header_size: int, plan: SplitPlan) -> Split:
    n_bytes = sum(part.n_bytes for part in parts)
    headers = header_size * sum(part.byte_range[0] == 0 for part in parts)
    # The size of what a compressed file holds is not known.
    if any(part.file.lower().endswith(inputs.COMPRESSED) for part in parts):
        rows_per_byte = None
    rows = None if rows_per_byte is None else round(max(0, n_bytes - headers) * rows_per_byte)
    return Split(parts, rows, n_bytes, plan)


def _plan_of(splits: Sequence[Split]) -> SplitPlan:
    objects: Iterable[object] = splits
    for split in objects:
        if not isinstance(split, Split):
            msg = f"`splits` must hold splits, got {type(split).__name__!r}"
            raise TypeError(msg)
    if not splits:
        msg = "expected at least one split, got none"
        raise ValueError(msg)
    plan = splits[0]._plan
    if any(split._plan != plan for split in splits):
        msg = "the splits belong to plans with different schemas or options"
        raise ValueError(msg)
    return plan
