"""Read tasks of Ray Data, one per split."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa
from ray.data.block import BlockMetadata
from ray.data.datasource import Datasource, ReadTask

from polars_avro._plan_options import LOCAL, StoreOptions
from polars_avro.ray._blocks import block, block_schema, select
from polars_avro.ray._predicate import columns_of, hint

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl
    from ray.data.context import DataContext
    from ray.data.expressions import Expr

    from polars_avro._splitting.split import Split

#: The approximate bytes in memory of a value without a fixed width.
_VALUE_BYTES = 24


class AvroDatasource(Datasource):
    """The splits of a plan. Ray pushes projections and predicates into it."""

    def __init__(
        self,
        splits: Sequence[Split],
        schema: pl.Schema,
        n_threads: int,
        stores: StoreOptions = LOCAL,
    ) -> None:
        super().__init__()
        self._stores = stores
        self._splits = splits
        self._schema = schema
        self._n_threads = n_threads
        # Ray keeps the projection here.
        self._projection_map = None

    def get_name(self) -> str:
        """Name the read tasks."""
        return "Avro"

    def supports_projection_pushdown(self) -> bool:
        """Read only the columns that are used."""
        return True

    def supports_predicate_pushdown(self) -> bool:
        """Filter while reading."""
        return True

    def apply_predicate(self, predicate_expr: Expr) -> AvroDatasource:
        """Take over a filter if Arrow can evaluate it on these columns. Otherwise Ray applies it."""
        columns = columns_of(predicate_expr)
        if columns is None or not set(columns) <= set(self._schema):
            return self
        try:
            predicate_expr.to_pyarrow()
        except (TypeError, ValueError, NotImplementedError, pa.ArrowException):
            return self
        filtered: AvroDatasource = super().apply_predicate(predicate_expr)
        return filtered

    def estimate_inmemory_data_size(self) -> int:
        """Estimate from rows and dtypes, or from the size of the files if rows are unknown."""
        return sum(map(self._bytes_in_memory, self._splits))

    def get_read_tasks(
        self, parallelism: int, per_task_row_limit: int | None = None, data_context: DataContext | None = None
    ) -> list[ReadTask]:
        """Return one task per split. The parallelism is ignored, because the plan determines the splits."""
        del parallelism, data_context
        columns = self._columns()
        predicate = self.get_current_predicate()
        schema = block_schema(type(self._schema)({name: self._schema[name] for name in columns}))
        return [
            ReadTask(
                ReadSplit(split, columns, predicate, self._schema, self._n_threads, self._stores),
                BlockMetadata(
                    num_rows=None,
                    size_bytes=None if predicate is not None else self._bytes_in_memory(split),
                    exec_stats=None,
                    input_files=tuple(split.files),
                ),
                schema=schema,
                per_task_row_limit=per_task_row_limit,
            )
            for split in self._splits
        ]

    def _columns(self) -> list[str]:
        columns = self._get_data_columns()
        return list(self._schema) if columns is None else columns

    def _bytes_in_memory(self, split: Split) -> int:
        if split.estimated_rows is None:
            return split.estimated_bytes
        dtypes = [self._schema[name] for name in self._columns()]
        width = sum(8 if dtype.is_numeric() or dtype.is_temporal() else _VALUE_BYTES for dtype in dtypes)
        return split.estimated_rows * width


@dataclass(frozen=True)
class ReadSplit:
    """The work of a task. On one thread its batches are deterministic, so a repeated task yields the same blocks."""

    split: Split
    columns: list[str]
    predicate: Expr | None
    schema: pl.Schema
    n_threads: int
    stores: StoreOptions = LOCAL

    #: Ray uses this name in warnings about large tasks.
    __name__ = "read_avro"

    def __call__(self) -> Iterator[pa.Table]:
        """Read, filter and select, batch by batch."""
        if self.predicate is None:
            yield from map(block, self._frames(self.columns))
            return
        condition = self.predicate.to_pyarrow()
        used = columns_of(self.predicate) or []
        columns = [*self.columns, *(name for name in used if name not in self.columns)]
        likely = hint(self.predicate, self.schema)
        for df in self._frames(columns, likely):
            # Ray filters with Arrow, so nulls and NaN are compared in the same way.
            yield select(block(df).filter(condition), self.columns)

    def _frames(self, columns: Sequence[str], likely: pl.Expr | None = None) -> Iterator[pl.DataFrame]:
        return self.split._frames(columns, likely, n_threads=self.n_threads, **self.stores.arguments)
