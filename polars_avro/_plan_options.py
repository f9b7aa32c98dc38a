"""Options that functions for other engines pass on to `plan_splits`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypedDict

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl
    from polars._typing import SchemaDict

    from polars_avro._conversions import Annotations, InvalidValues
    from polars_avro._limits import Limits
    from polars_avro._schemas import AvroSchema, ExtraColumns, FieldMatching, MissingColumns, SchemaMode
    from polars_avro._sources.stores import CredentialProvider, StorageOptions


class PlanOptions(TypedDict, total=False):
    """The options of :func:`plan_splits` except the source, the columns and the size of a split."""

    ignore_errors: bool
    strict: bool
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
    field_matching: FieldMatching
    cast_options: pl.ScanCastOptions | None
    annotations: Annotations | None
    recursion_depth: int | None
    invalid_values: InvalidValues
    storage_options: StorageOptions | None
    credential_provider: CredentialProvider
    limits: Limits | None


class StoreArguments(TypedDict, total=False):
    """The store arguments of all functions that read and write."""

    storage_options: StorageOptions | None
    credential_provider: CredentialProvider


@dataclass(frozen=True)
class StoreOptions:
    """Store arguments that are sent to workers. The repr hides them, because they may be secret."""

    arguments: StoreArguments = field(default_factory=StoreArguments, repr=False)

    @classmethod
    def of(cls, options: PlanOptions) -> StoreOptions:
        """Return the store arguments among the options of a plan."""
        arguments = StoreArguments()
        if "storage_options" in options:
            arguments["storage_options"] = options["storage_options"]
        if "credential_provider" in options:
            arguments["credential_provider"] = options["credential_provider"]
        return cls(arguments)


#: No store arguments.
LOCAL = StoreOptions()
