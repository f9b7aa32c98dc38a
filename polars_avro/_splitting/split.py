"""A share of a read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl
import polars.selectors as cs

from polars_avro import _selection
from polars_avro._options import ReaderOptions
from polars_avro._sources.stores import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from polars_avro._bad_blocks import BadBlock
    from polars_avro._engine.file_parts import FilePart
    from polars_avro._schemas import AvroSchema
    from polars_avro._sources.stores import CredentialProvider, StorageOptions
    from polars_avro._splitting.plan import SplitPlan


@dataclass(frozen=True, repr=False)
class Split:
    """
    A share of the rows of some Avro files: a range of a large file, or several small files.

    :func:`plan_splits` makes the splits of a source, which together have every row once. Pickled, a split has a few
    kilobytes: paths, ranges, the schema to read as and the location of the store. It contains no data, credentials or
    open files.

    Attributes
    ----------
    parts : tuple of FilePart
        The files of the split and their byte ranges.
    estimated_rows : int or None
        The approximate number of rows, extrapolated from the first block of the first file; None if it has no block.
    estimated_bytes : int
        The number of file bytes that the split covers. Blocks are read whole, so a task may read a few more or fewer.

    See Also
    --------
    plan_splits : Plan splits.
    scan_splits : Read splits lazily.
    """

    parts: tuple[FilePart, ...]
    estimated_rows: int | None
    estimated_bytes: int
    _plan: SplitPlan

    def __repr__(self) -> str:
        first, others = self.parts[0], len(self.parts) - 1
        if others:
            covered = f"and {others:,} other part{'s' if others > 1 else ''}"
        else:
            covered = f"byte_range={first.byte_range}"
        estimates = f"estimated_rows={self.estimated_rows}, estimated_bytes={self.estimated_bytes}"
        return f"Split({shown(first.file)!r}, {covered}, {estimates})"

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
            A filter for rows. It may use columns that are not among `columns`.
        on_bad_block
            Called with a :class:`BadBlock` for each block that is dropped or irregular.
        n_threads
            The number of threads that decode, by default as many as Polars uses. 1 suits engines that run a task per
            core.
        storage_options
            Options of the store that holds the files, as in :func:`read_avro`. Needed if the process that planned had
            others, or if the split comes from another process.
        credential_provider
            The source of credentials for the store, as in :func:`read_avro`.

        Returns
        -------
        DataFrame

        Raises
        ------
        AvroError
            If a file is damaged or cannot be read, or if the size of a divided file has changed since planning.
        FileNotFoundError
            If a file does not exist any more.
        polars.exceptions.ColumnNotFoundError
            If `columns` or `predicate` name a column that does not exist.

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
        lf = self._plan.scan(
            self.parts,
            "Split.read",
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
            selected = _selection.selection(columns, schema, owner="split")
            if not set(selected) <= set(schema):
                msg = "fields of structs are selected when splits are planned: pass `columns` to `plan_splits`"
                raise ValueError(msg)
            if not selected:
                # A selection of no columns would have no height.
                return pl.DataFrame(height=lf.select(pl.len()).collect().item())
            # `select` would treat names such as "^x$" as patterns.
            lf = lf.select(cs.by_name(*selected))
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

        The predicate is a hint, so rows that fail it may be returned. On one thread the batches are deterministic.
        """
        in_stores = self._plan.stores.overridden(self.files, storage_options, credential_provider, "Split.read")
        files = self._plan.files_of(self.parts, self._plan.read_schema, in_stores)
        filters = [] if predicate is None else [predicate]
        return files.open().frames(
            columns=columns,
            filters=filters,
            reader=ReaderOptions(ignore_errors=self._plan.ignore_errors, strict=self._plan.strict, n_threads=n_threads),
        )
