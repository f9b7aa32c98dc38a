"""Lazy reading."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from polars_avro import _options, _sources

try:
    from polars_avro import _external as engine
except ImportError:
    from polars_avro import _io_source as engine  # type: ignore[no-redef]
from polars_avro._limits import DEFAULT_LIMITS, Limits
from polars_avro._options import ReaderOptions, ScanOptions
from polars_avro._sources import Sources

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from polars_avro._damage import BadBlock


def scan_avro(
    source: Sources,
    *,
    n_rows: int | None = None,
    row_index_name: str | None = None,
    row_index_offset: int = 0,
    ignore_errors: bool = False,
    on_bad_block: Callable[[BadBlock], object] | None = None,
    glob: bool = True,
    hidden_file_prefix: str | Sequence[str] | None = None,
    include_file_paths: str | None = None,
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
    glob
        Whether ``*``, ``?`` and ``[`` in a path make it a pattern.
    hidden_file_prefix
        Leave out files of directories and patterns whose names begin with one of these.
    include_file_paths
        If not None, a column of this name says which file a row came from.
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
        opened when the query runs, and raise then. All must have the columns of the first.
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
    sources = _sources.several(source)
    if isinstance(sources[0], str):
        sources = _expand(sources, glob=glob, hidden_file_prefix=hidden_file_prefix)
    reader = ReaderOptions(
        ignore_errors=ignore_errors,
        on_bad_block=on_bad_block,
        batch_size=batch_size,
        n_threads=n_threads,
        limits=limits or DEFAULT_LIMITS,
    )
    file = reader.open(sources[0])
    schema = pl.Schema(file)
    _options.new_column("include_file_paths", include_file_paths, [*schema, row_index_name])
    options = ScanOptions(
        n_rows=n_rows,
        row_index=_options.row_index(row_index_name, row_index_offset, schema),
        include_file_paths=include_file_paths,
        reader=reader,
    )
    return engine.scan(sources, file.schema_json, schema, options)


def _expand(paths: list[str], *, glob: bool, hidden_file_prefix: str | Sequence[str] | None) -> list[str]:
    if isinstance(hidden_file_prefix, str):
        hidden_file_prefix = [hidden_file_prefix]
    files: list[str] = []
    for path in paths:
        many = _sources.stands_for_many(path, glob=glob)
        # Polars leaves empty files out.
        files += engine.expand([path], glob=glob, hidden_file_prefix=hidden_file_prefix) if many else [path]
    if not files:
        msg = f"no file found for {', '.join(paths)}, or only empty ones"
        raise FileNotFoundError(msg)
    return files
