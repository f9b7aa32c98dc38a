"""Options of `plan_splits` that functions for other engines pass on."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl
    from polars._typing import SchemaDict

    from polars_avro._limits import Limits
    from polars_avro._schemas import AvroSchema, ExtraColumns, MissingColumns, SchemaMode


class PlanOptions(TypedDict, total=False):
    """What `plan_splits` takes besides the source and the size of a split."""

    ignore_errors: bool
    hive_partitioning: bool | None
    glob: bool
    hidden_file_prefix: str | Sequence[str] | None
    schema: SchemaDict | None
    reader_schema: AvroSchema | None
    schema_mode: SchemaMode
    hive_schema: SchemaDict | None
    try_parse_hive_dates: bool
    include_file_paths: str | None
    missing_columns: MissingColumns
    extra_columns: ExtraColumns
    cast_options: pl.ScanCastOptions | None
    limits: Limits | None
