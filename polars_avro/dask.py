"""Avro files as dataframes of Dask, one split per partition. Dask is imported when the function is called."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from polars_avro._extras import arrow_table, require
from polars_avro._plan_options import StoreOptions
from polars_avro._splitting.functions import plan_splits, scan_splits
from polars_avro._splitting.split import Split

if TYPE_CHECKING:
    from collections.abc import Sequence

    import dask.dataframe
    import pandas as pd
    from typing_extensions import Unpack

    from polars_avro._plan_options import PlanOptions
    from polars_avro._sources.inputs import Sources

__all__ = ["read_avro"]


def read_avro(
    paths: Sources,
    *,
    columns: Sequence[str] | Sequence[int] | str | int | None = None,
    target_bytes: int = 128 << 20,
    n_threads: int | None = 1,
    **options: Unpack[PlanOptions],
) -> dask.dataframe.DataFrame:
    """
    Read Avro files into a dataframe of Dask, one partition per split.

    This call plans the files as :func:`polars_avro.plan_splits` does, and partitions are read when Dask runs them. Only
    the columns that the computation uses are decoded. Dtypes are pandas' ``ArrowDtype``, which is nullable for every
    type, so they do not depend on the data; Dask converts text into its own string dtype unless its option
    ``dataframe.convert-string`` is off. Divisions are unknown.

    Parameters
    ----------
    paths
        Path(s) to files or directories, or glob patterns, which every worker must be able to read.
    columns
        Columns to read, by name or by index counted from 0, in the order wanted. ``"a.b"`` reads only the field ``b``
        of the struct ``a``, also in lists and maps of structs, unless a column has that very name. ``"^temp_.*$"``
        stands for the columns that match this regular expression, and ``"*"`` for all.
    target_bytes
        The approximate number of file bytes in a partition. Larger files are cut, and smaller ones are packed together.
    n_threads
        The number of threads that decode a partition. The default of 1 suits Dask, which reads one partition per core.
        None means as many as Polars uses.
    **options
        The other options of :func:`polars_avro.plan_splits`. `storage_options` and `credential_provider` are sent to
        the workers with the splits.

    Returns
    -------
    dask.dataframe.DataFrame

    Raises
    ------
    ModuleNotFoundError
        If Dask, pandas or PyArrow is not installed: ``pip install 'polars-avro-plugin[dask]'``.
    AvroError
        If the first file is damaged or cannot be read as Avro. Partitions raise for the others.
    FileNotFoundError
        If the file does not exist.
    polars.exceptions.ColumnNotFoundError
        If `columns` names a column that does not exist.

    See Also
    --------
    polars_avro.plan_splits : Plan splits for other engines.

    Examples
    --------
    >>> import polars_avro.dask
    >>> frame = polars_avro.dask.read_avro("docs/sample.avro", target_bytes=2_000)  # doctest: +SKIP
    >>> frame.npartitions, len(frame)  # doctest: +SKIP
    (3, 300)
    """
    dataframe, *_ = require("dask", "dask.dataframe", "pandas", "pyarrow", caller="polars_avro.dask.read_avro")
    splits = plan_splits(paths, columns=columns, target_bytes=target_bytes, **options)
    schema = scan_splits(splits[:1]).collect_schema()
    read = ReadPartition(schema, n_threads, StoreOptions.of(options))
    frame: dask.dataframe.DataFrame = dataframe.from_map(
        read, splits, meta=read.meta(), enforce_metadata=False, label="read-avro"
    )
    return frame


class ReadPartition:
    """Reads a split as a pandas frame. Dask passes the columns that a computation needs."""

    def __init__(self, schema: pl.Schema, n_threads: int | None, stores: StoreOptions) -> None:
        self.schema = schema
        self.n_threads = n_threads
        self.stores = stores

    def __call__(self, split: Split, columns: Sequence[str] | str | None = None) -> pd.DataFrame:
        """Read the partition."""
        names = list(self.schema) if columns is None else [columns] if isinstance(columns, str) else list(columns)
        return _pandas(split.read(columns=names, n_threads=self.n_threads, **self.stores.arguments))

    def meta(self) -> pd.DataFrame:
        """Return a frame of these columns without rows."""
        return _pandas(pl.DataFrame(schema=self.schema))


def _pandas(df: pl.DataFrame) -> Any:
    """Convert a frame to pandas with Arrow dtypes, which do not depend on whether a partition has nulls."""
    import pandas as pd

    if not df.width:
        return pd.DataFrame(index=pd.RangeIndex(df.height))
    return arrow_table(df).to_pandas(types_mapper=pd.ArrowDtype)
