"""The output of a write: one file, or the files of partitions."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, NamedTuple

import polars as pl

from polars_avro._writing.files import FileWriter, write_batches
from polars_avro._writing.frames import check_schema, core_frame, empty_frame
from polars_avro._writing.partitioning import Partitioning
from polars_avro._writing.partitions import NO_PATH, PartitionWriter, WrittenFile
from polars_avro._writing.targets import file_options, normalize_target, open_target, stores_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from polars_avro._core import WriteOptions
    from polars_avro._sources.stores import Stores
    from polars_avro._writing.options import FileOptions, SyncOnClose


class Output(NamedTuple):
    """One file, or the files of partitions. It opens nothing before rows are written."""

    target: str | Any | Partitioning
    in_stores: Stores
    files: FileOptions
    #: Whether objects are refused as targets, because they have no path to report.
    needs_paths: bool = False

    @classmethod
    def of(
        cls,
        target: Any,
        *,
        storage_options: dict[str, Any] | None,
        credential_provider: Any,
        caller: str,
        append: bool,
        mkdir: bool,
        sync_on_close: SyncOnClose | None,
        renames: bool,
        needs_paths: bool = False,
    ) -> Output:
        """Check the target and its options."""
        if isinstance(target, pl.PartitionBy):
            if append:
                msg = "`append` needs the path of one file, not a `PartitionBy`"
                raise ValueError(msg)
            place: Any = Partitioning.of(target)
            in_stores = stores_of(place.base_path, storage_options, credential_provider, caller)
        else:
            place = normalize_target(target)
            in_stores = stores_of(place, storage_options, credential_provider, caller)
            if needs_paths and not isinstance(place, str):
                raise pl.exceptions.ComputeError(NO_PATH)
        files = file_options(place, append=append, mkdir=mkdir, sync_on_close=sync_on_close, renames=renames)
        return cls(place, in_stores, files, needs_paths)

    def check(self, schema: pl.Schema, options: WriteOptions) -> None:
        """Raise if rows of these columns cannot be written, before the target is opened."""
        check_schema(schema)
        columns = self.target.columns(schema) if isinstance(self.target, Partitioning) else schema
        grows = self.files.append and isinstance(self.target, str) and os.path.exists(self.target)
        options.check(empty_frame(columns), append=grows)

    def schema_of_all(self, df: pl.DataFrame, options: WriteOptions) -> str | None:
        """Return one schema for all files of partitions if their rows could lead to different ones, otherwise None."""
        if not isinstance(self.target, Partitioning):
            return None
        rows = self.target.rows(df)
        schema = options.schema_of(core_frame(rows))
        return None if schema == options.schema_of(empty_frame(rows.schema)) else schema

    def write(self, batches: Iterable[pl.DataFrame], schema: pl.Schema, options: WriteOptions) -> list[WrittenFile]:
        """Write all rows and return the files."""
        if isinstance(self.target, Partitioning):
            files = PartitionWriter(self.target, options, self.files, self.in_stores, self.needs_paths)
            return files.write_all(batches, schema)
        writer = FileWriter(open_target(self.target, self.in_stores), options, self.files)
        rows, n_bytes = write_batches(writer, batches, schema)
        return [WrittenFile(self.target if isinstance(self.target, str) else "", rows, n_bytes)]
