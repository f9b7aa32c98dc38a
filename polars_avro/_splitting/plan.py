"""The state that all splits of a plan share."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from polars_avro import _options, _schemas
from polars_avro._engine.file_parts import FilePart, FileParts
from polars_avro._engine.files import Files
from polars_avro._options import ScanOptions
from polars_avro._scan import engine
from polars_avro._sources.stores import Stores
from polars_avro._splitting import tiling

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    import polars as pl

    from polars_avro._bad_blocks import BadBlock
    from polars_avro._schemas import AvroSchema, ReadSchema, SchemaEvolution
    from polars_avro._sources.hive import Hive
    from polars_avro._sources.stores import CredentialProvider, StorageOptions


@dataclass(frozen=True)
class SplitPlan:
    """The schema and options that all splits of a plan share."""

    read_schema: ReadSchema
    evolution: SchemaEvolution
    hive: Hive | None
    path_column: str | None
    dtypes: tuple[tuple[str, pl.DataType], ...] | None
    refused: tuple[str, ...]
    ignore_errors: bool
    strict: bool
    codec: str
    #: The names and paths that were selected when the splits were planned.
    columns: tuple[str, ...] | None
    stores: Stores = field(default_factory=Stores, compare=False, repr=False)

    def __getstate__(self) -> dict[str, object]:
        return {**self.__dict__, "stores": self.stores.bare()}

    def files_of(self, parts: Iterable[FilePart], read_schema: ReadSchema, in_stores: Stores) -> Files:
        """Return the files of these parts. Parts that cover whole files become whole files."""
        merged = tiling.merge(parts)
        files = self.files([part.file for part in merged], read_schema, in_stores)
        return files if all(part.is_whole for part in merged) else FileParts.of(files, merged)

    def files(self, paths: Sequence[str], read_schema: ReadSchema, in_stores: Stores) -> Files:
        """Return whole files with the options of the plan."""
        is_planned = read_schema is self.read_schema
        dtypes, refused = (self.dtypes, self.refused) if is_planned else (None, ())
        files = Files(tuple(paths), read_schema, self.hive, self.path_column, dtypes, refused, stores=in_stores)
        files.columns = self.columns
        return files

    def scan(
        self,
        parts: Sequence[FilePart],
        caller: str,
        *,
        reader_schema: AvroSchema | None,
        on_bad_block: Callable[[BadBlock], object] | None,
        batch_size: int | None = None,
        n_threads: int | None,
        storage_options: StorageOptions | None,
        credential_provider: CredentialProvider,
    ) -> pl.LazyFrame:
        """Scan these parts."""
        reader = _options.reader_options(
            ignore_errors=self.ignore_errors,
            on_bad_block=on_bad_block,
            strict=self.strict,
            batch_size=batch_size,
            n_threads=n_threads,
        )
        paths = [part.file for part in parts]
        in_stores = self.stores.overridden(paths, storage_options, credential_provider, caller)
        files = self.files_of(parts, self.read_as(reader_schema), in_stores)
        return engine.scan(files, files.schema(), ScanOptions(reader=reader), codec=self.codec)

    def read_as(self, reader_schema: AvroSchema | None) -> ReadSchema:
        """Return the schema to read as: `reader_schema`, or that of the plan."""
        if reader_schema is None:
            return self.read_schema
        schema = _schemas.schema_json(reader_schema)
        return self.evolution.read_schema(schema, self.read_schema.limits, explicit=True)
