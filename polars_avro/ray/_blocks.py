"""Conversion of frames into Ray's blocks, which are Arrow tables."""

from __future__ import annotations

from typing import Any

import polars as pl
import pyarrow as pa

from polars_avro._extras import arrow_table

try:
    from ray.data._internal.arrow_block import _BATCH_SIZE_PRESERVING_STUB_COL_NAME as _STUB
except ImportError:
    _STUB = "__bsp_stub"


def block(df: pl.DataFrame) -> pa.Table:
    """
    Convert a frame into a table of types by which Ray can sort, group and join.

    Enums become strings, as in Ray's own reader.
    """
    if not df.width:
        return _without_columns(df.height)
    plain = pl.Schema({name: _plain(dtype) for name, dtype in df.schema.items()})
    return arrow_table(df.cast(plain))


def select(table: pa.Table, columns: list[str]) -> pa.Table:
    """Return the table with these columns. Without columns it keeps its height."""
    return table.select(columns) if columns else _without_columns(table.num_rows)


def block_schema(schema: pl.Schema) -> pa.Schema:
    """Return the schema of blocks of these columns."""
    return block(pl.DataFrame(schema=schema)).schema if schema else pa.schema([])


def _without_columns(height: int) -> pa.Table:
    """Return a table without columns. Ray represents its height by a hidden column."""
    return pa.table({_STUB: pa.nulls(height)})


def _plain(dtype: Any) -> Any:
    """Replace enums by strings, also in lists and structs."""
    if isinstance(dtype, pl.Enum):
        return pl.String()
    if isinstance(dtype, pl.List):
        return pl.List(_plain(dtype.inner))
    if isinstance(dtype, pl.Struct):
        return pl.Struct({field.name: _plain(field.dtype) for field in dtype.fields})
    return dtype
