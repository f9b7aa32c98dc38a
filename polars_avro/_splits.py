"""Files as splits: shares of a read for the tasks of a distributed engine."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import polars as pl

from polars_avro import _options, _schemas, _tiling
from polars_avro._engine.file_parts import FilePart, FileParts
from polars_avro._engine.files import Files
from polars_avro._errors import AvroError
from polars_avro._limits import DEFAULT_LIMITS, Limits
from polars_avro._options import ReaderOptions, ScanOptions
from polars_avro._scan import engine
from polars_avro._schemas import AvroSchema, ExtraColumns, MissingColumns, ReadSchema, SchemaEvolution, SchemaMode
from polars_avro._sources import expansion, inputs, stores
from polars_avro._sources.inputs import Contents, Sources
from polars_avro._sources.stores import CredentialProvider, StorageOptions, Stores

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from polars._typing import SchemaDict

    from polars_avro._bad_blocks import BadBlock
    from polars_avro._core import ContainerFile
    from polars_avro._sources.hive import Hive


@dataclass(frozen=True)
class SplitPlan:
    """What all splits of a plan are read as."""

    read_schema: ReadSchema
    evolution: SchemaEvolution
    hive: Hive | None
    path_column: str | None
    dtypes: tuple[tuple[str, pl.DataType], ...] | None
    refused: tuple[str, ...]
    ignore_errors: bool
    codec: str
    stores: Stores = field(default_factory=Stores, compare=False, repr=False)

    def __getstate__(self) -> dict[str, object]:
        return {**self.__dict__, "stores": self.stores.bare()}

    def files(self, paths: Sequence[str], read_schema: ReadSchema, in_stores: Stores) -> Files:
        """Give whole files as the plan reads them."""
        own = read_schema is self.read_schema
        dtypes, refused = (self.dtypes, self.refused) if own else (None, ())
        return Files(tuple(paths), read_schema, self.hive, self.path_column, dtypes, refused, stores=in_stores)

    def read_as(self, reader_schema: AvroSchema | None) -> ReadSchema:
        """Give the schema to read as: the plan's, or one that is given later."""
        if reader_schema is None:
            return self.read_schema
        schema = _schemas.schema_json(reader_schema)
        return self.evolution.read_schema(schema, self.read_schema.limits, given=True)


@dataclass(frozen=True)
class Split:
    """
    A share of the rows of some Avro files: a range of a large file, or several small files.

    :func:`plan_splits` makes the splits of a source, which have every row once. A split pickles to a few kilobytes. It
    holds paths, ranges and the schema to read as, and no data, credentials or open files: of options of stores, a
    pickle holds where the store is.

    Attributes
    ----------
    parts : tuple of FilePart
        The files of the split, and of each the range of its bytes.
    estimated_rows : int or None
        About how many rows the split has, going by the first block of the first file; None if that has no block.
    estimated_bytes : int
        The bytes of files that the split covers. Blocks are read whole, so a task may read a few more or fewer.

    See Also
    --------
    plan_splits : Make splits.
    scan_splits : Read splits lazily.
    """

    parts: tuple[FilePart, ...]
    estimated_rows: int | None
    estimated_bytes: int
    _plan: SplitPlan = field(repr=False)

    @property
    def files(self) -> list[str]:
        """The paths of the files."""
        return [part.file for part in self.parts]

    def read(
        self,
        *,
        columns: Sequence[str] | Sequence[int] | str | int | None = None,
        reader_schema: AvroSchema | None = None,
        predicate: pl.Expr | None = None,
        on_bad_block: Callable[[BadBlock], object] | None = None,
        n_threads: int | None = None,
        storage_options: StorageOptions | None = None,
        credential_provider: CredentialProvider = "auto",
    ) -> pl.DataFrame:
        """
        Read the rows of the split.

        Parameters
        ----------
        columns
            Columns to read, by name or by position counted from 0, in the order wanted.
        reader_schema
            The Avro schema to read as, instead of that of the plan.
        predicate
            Keep the rows that pass this filter. It may use columns that are not among `columns`.
        on_bad_block
            Called with a :class:`BadBlock` for each block that ``ignore_errors`` leaves out.
        n_threads
            How many threads decode: as many as Polars uses by default. 1 suits engines that run a task per core.
        storage_options
            Options of the store that the files are in, as in :func:`read_avro`, where the process that planned had
            others or the split has come from another process.
        credential_provider
            Where credentials of the store come from, as in :func:`read_avro`.

        Returns
        -------
        DataFrame

        Raises
        ------
        AvroError
            If a file is damaged or cannot be read, or a file that was cut has another size than when it was listed.
        FileNotFoundError
            If a file is gone.
        polars.exceptions.ColumnNotFoundError
            If `columns` or `predicate` name what is not there.

        Examples
        --------
        >>> import polars as pl
        >>> import polars_avro
        >>> *others, last = polars_avro.plan_splits("docs/sample.avro", target_bytes=2_000)
        >>> last.read(columns=["station"], predicate=pl.col("celsius") > 34)
        shape: (1, 1)
        ┌─────────┐
        │ station │
        │ ---     │
        │ str     │
        ╞═════════╡
        │ Perth   │
        └─────────┘
        """
        lf = scan_splits(
            [self],
            reader_schema=reader_schema,
            on_bad_block=on_bad_block,
            n_threads=n_threads,
            storage_options=storage_options,
            credential_provider=credential_provider,
        )
        schema = lf.collect_schema()
        if predicate is not None:
            lf = lf.filter(predicate)
        if columns is not None:
            selected = _options.selection(columns, schema)
            if not set(selected) <= set(schema):
                msg = "fields of structs cannot be read from splits: read the columns, then select from them"
                raise ValueError(msg)
            if not selected:
                # Selecting nothing gives no rows either.
                return pl.DataFrame(height=lf.select(pl.len()).collect().item())
            lf = lf.select(selected)
        return lf.collect()

    def _frames(
        self,
        columns: Sequence[str],
        predicate: pl.Expr | None = None,
        *,
        n_threads: int | None = None,
        storage_options: StorageOptions | None = None,
        credential_provider: CredentialProvider = "auto",
    ) -> Iterator[pl.DataFrame]:
        """
        Read batch by batch, without a query plan.

        Rows that fail the predicate may be among them. On one thread the batches are the same every time.
        """
        in_stores = self._plan.stores.given(self.files, storage_options, credential_provider, "Split.read")
        files = _files([self], self._plan.read_schema, in_stores)
        filters = [] if predicate is None else [predicate]
        return files.open().frames(
            columns=columns,
            filters=filters,
            reader=ReaderOptions(ignore_errors=self._plan.ignore_errors, n_threads=n_threads),
        )


def plan_splits(
    source: Sources,
    *,
    target_bytes: int = 128 << 20,
    ignore_errors: bool = False,
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
    cast_options: pl.ScanCastOptions | None = None,
    storage_options: StorageOptions | None = None,
    credential_provider: CredentialProvider = "auto",
    limits: Limits | None = None,
) -> list[Split]:
    """
    Share out the rows of Avro files, for tasks that read them on other machines.

    Files are listed, and the header of the first one is read, but no data. Sizes tell where to cut, and the task that
    reads a range finds the blocks in it by their sync markers. The same files give the same splits.

    Parameters
    ----------
    source
        Path(s) to files or directories, or glob patterns, or URLs of these in stores, which the tasks must be able to
        read as well.
    target_bytes
        About how many bytes of files a split has. Larger files are cut into ranges of equal size; neighbouring smaller
        ones are packed together, at most 1,024 into a split.
    ignore_errors
        Leave damaged blocks out, as in :func:`read_avro`.
    hive_partitioning
        Whether ``key=value`` directories in the paths become columns, as in :func:`scan_avro`. Their dtypes are
        inferred from all paths.
    glob
        Whether ``*``, ``?`` and ``[`` in a path make it a pattern.
    hidden_file_prefix
        Leave out files of directories and patterns whose names begin with one of these.
    schema
        Names and dtypes of the columns, in the order wanted, as in :func:`scan_avro`. Not together with
        `reader_schema`.
    reader_schema
        The Avro schema to read as, instead of the first file's: JSON text, the same as Python objects, or the path of
        an ``.avsc`` file.
    schema_mode : {'first', 'union'}
        What the files are read as if neither `schema` nor `reader_schema` is given: as the schema of the first file,
        or as one that has the columns of all files. The latter reads every header.
    hive_schema
        The names and dtypes of the columns in the paths. By default a column that the files have too takes its dtype
        from `schema` or the files; the others are inferred.
    try_parse_hive_dates
        Whether dates and datetimes are inferred too.
    include_file_paths
        If not None, a column of this name says which file a row came from.
    missing_columns : {'raise', 'insert'}
        What becomes of columns that a file lacks and that have no default in the schema: an error, or null.
    extra_columns : {'raise', 'ignore'}
        What becomes of columns that only later files have.
    cast_options
        The casts that are allowed where dtypes differ, as in :func:`scan_avro`.
    storage_options
        Options of the stores that the files are in, as in :func:`scan_avro`. Splits keep them in this process; when
        they are pickled, they take along where the store is and leave out credentials.
    credential_provider
        Where credentials of the stores come from, as in :func:`scan_avro`. Splits that are pickled leave it out.
    limits
        What a file may ask for before it is refused.

    Returns
    -------
    list of Split
        In the order of the files: read one after the other, they give what :func:`read_avro` does.

    Raises
    ------
    AvroError
        If the first file is damaged or cannot be read as Avro.
    FileNotFoundError
        If there is no such file.
    TypeError
        If `source` is not a path or a list of them: a split has to be small.
    ValueError
        If `target_bytes` is less than 1.

    See Also
    --------
    scan_splits : Read splits lazily.
    polars_avro.ray.read_avro : A dataset of Ray's.
    polars_avro.dask.read_avro : A dataframe of Dask's.

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
        hive_partitioning=hive_partitioning,
        glob=glob,
        hidden_file_prefix=hidden_file_prefix,
        schema=schema,
        hive_schema=hive_schema,
        try_parse_hive_dates=try_parse_hive_dates,
        include_file_paths=include_file_paths,
        limits=limits,
    )
    evolution = _schemas.schema_evolution(missing_columns, extra_columns, cast_options)
    request = _schemas.SchemaRequest(schema, reader_schema, schema_mode, evolution, limits or DEFAULT_LIMITS)
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
        first.codec,
        in_stores,
    )
    # Refuses columns that have the same name.
    plan.files(paths, read_schema, in_stores).schema()
    sizes = in_stores.sizes(paths)
    rows_per_byte = _rows_per_byte(first)
    return [
        _split(parts, rows_per_byte, first.header_size, plan)
        for parts in _tiling.tile(zip(paths, sizes, strict=True), target)
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

    Neighbouring ranges of a file are read as one, so that all splits of a plan are the scan of its files.

    Parameters
    ----------
    splits
        Splits of one plan, in any order.
    reader_schema
        The Avro schema to read as, instead of that of the plan.
    on_bad_block
        Called with a :class:`BadBlock` for each block that ``ignore_errors`` leaves out.
    batch_size
        About how many rows a batch has.
    n_threads
        How many threads decode: as many as Polars uses by default; 1 decodes on the thread that asks for rows.
    storage_options
        Options of the stores that the files are in, as in :func:`scan_avro`, where the process that planned had others
        or the splits have come from another process.
    credential_provider
        Where credentials of the stores come from, as in :func:`scan_avro`.

    Returns
    -------
    LazyFrame

    Raises
    ------
    TypeError
        If `splits` holds anything but splits.
    ValueError
        If there is no split, or they are of plans with different options.

    See Also
    --------
    plan_splits : Make splits.

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
    plan = _plan_of(splits)
    reader = _options.reader_options(
        ignore_errors=plan.ignore_errors,
        on_bad_block=on_bad_block,
        low_memory=False,
        batch_size=batch_size,
        n_threads=n_threads,
    )
    paths = [part.file for split in splits for part in split.parts]
    in_stores = plan.stores.given(paths, storage_options, credential_provider, "scan_splits")
    files = _files(splits, plan.read_as(reader_schema), in_stores)
    return engine.scan(files, files.schema(), ScanOptions(reader=reader), codec=plan.codec)


def _files(splits: Sequence[Split], read_schema: ReadSchema, in_stores: Stores) -> Files:
    """Give the files of splits of one plan, whole where they are."""
    parts = _tiling.merge(part for split in splits for part in split.parts)
    files = splits[0]._plan.files([part.file for part in parts], read_schema, in_stores)
    if all(part.is_whole for part in parts):
        return files
    return FileParts.of(files, parts)


def _rows_per_byte(file: ContainerFile) -> float | None:
    """Give the rows of the first block by its bytes; None if there is no block, or it is damaged."""
    try:
        found = file.first_block()
    except AvroError:
        return None
    return found[0] / found[1] if found is not None and found[0] > 0 else None


def _paths(sources: Sequence[str | Contents]) -> list[str]:
    paths = [source for source in sources if isinstance(source, str)]
    if len(paths) < len(sources):
        msg = "splits are made of paths: bytes and file-likes would travel with every task"
        raise TypeError(msg)
    return paths


def _split(parts: tuple[FilePart, ...], rows_per_byte: float | None, header_size: int, plan: SplitPlan) -> Split:
    n_bytes = sum(part.n_bytes for part in parts)
    headers = header_size * sum(part.byte_range[0] == 0 for part in parts)
    rows = None if rows_per_byte is None else round(max(0, n_bytes - headers) * rows_per_byte)
    return Split(parts, rows, n_bytes, plan)


def _plan_of(splits: Sequence[Split]) -> SplitPlan:
    others: Iterable[object] = splits
    for split in others:
        if not isinstance(split, Split):
            msg = f"`splits` must hold splits, got {type(split).__name__!r}"
            raise TypeError(msg)
    if not splits:
        msg = "expected at least one split, got none"
        raise ValueError(msg)
    plan = splits[0]._plan
    if any(split._plan != plan for split in splits):
        msg = "the splits are of plans with different schemas or options"
        raise ValueError(msg)
    return plan
