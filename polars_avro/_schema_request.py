"""The choice of the schema to read as, from the arguments of a scan and the headers of its files."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from polars_avro import _options, _schema_dtypes
from polars_avro._core import ContainerFile, FileSet
from polars_avro._errors import AvroDataError, AvroSchemaError
from polars_avro._limits import DEFAULT_LIMITS, Limits
from polars_avro._schemas import (
    CASTS_OF_UNION,
    AvroSchema,
    ReadSchema,
    SchemaEvolution,
    SchemaMode,
    as_written,
    schema_json,
)
from polars_avro._sources import hidden

if TYPE_CHECKING:
    from collections.abc import Sequence

    from polars._typing import SchemaDict

    from polars_avro._core import OpenFile, StoreFile
    from polars_avro._sources.hive import Hive


class SchemaRequest(NamedTuple):
    """The arguments that determine the schema to read as, before any file is opened."""

    #: The columns of `schema`.
    dtypes: tuple[tuple[str, pl.DataType], ...] | None = None
    reader_schema: AvroSchema | None = None
    mode: SchemaMode = "first"
    evolution: SchemaEvolution = SchemaEvolution()
    limits: Limits = DEFAULT_LIMITS
    #: Columns whose values come from paths. Columns of these names in files are ignored.
    in_paths: tuple[str, ...] = ()

    def schema_of_no_files(self) -> pl.Schema | None:
        """Return the columns of a scan without files, or None without a schema."""
        if self.reader_schema is not None:
            return self.evolution.read_schema(schema_json(self.reader_schema), self.limits, explicit=True).schema()
        return None if self.dtypes is None else pl.Schema(self.dtypes)

    def resolve(self, sources: Sequence[str | bytes | OpenFile | StoreFile]) -> tuple[ReadSchema, ContainerFile]:
        """Choose the schema to read as, and open the first file."""
        try:
            return self._resolve(sources)
        except AvroDataError as error:
            hidden.explain(error)
            raise

    def _resolve(self, sources: Sequence[str | bytes | OpenFile | StoreFile]) -> tuple[ReadSchema, ContainerFile]:
        if self.reader_schema is not None:
            read_schema = self.evolution.read_schema(schema_json(self.reader_schema), self.limits, explicit=True)
            return read_schema, self._first(sources, read_schema)
        if self.mode == "union" and len(sources) > 1:
            resolved = self._union(sources)
        else:
            resolved = self._as_first(sources)
            if self.dtypes is not None and len(sources) > 1 and self._needs_other_files(resolved[0]):
                resolved = self._all_columns(sources)
        if self.dtypes is None:
            return resolved
        read_schema, file = resolved
        read_schema = self._cast(read_schema)
        self._check(read_schema)
        return read_schema, file

    def below(self, hive: Hive | None, first: str | bytes | OpenFile) -> SchemaRequest:
        """Return the request for files whose paths have the columns of the first path."""
        if hive is None or not isinstance(first, str):
            return self
        return self._replace(in_paths=tuple(hive.names(first)))

    def partitions(self, hive: Hive | None, read_schema: ReadSchema) -> Hive | None:
        """Return the reader of columns in paths. Their dtypes are those of `schema`, or else those of the files."""
        if hive is None:
            return None
        dtypes = read_schema.schema() if self.dtypes is None else dict(self.dtypes)
        return hive._replace(of_files=tuple((name, dtypes[name]) for name in self.in_paths if name in dtypes))

    def missing(self, read_schema: ReadSchema) -> tuple[str, ...]:
        """Return the columns of `schema` that the files lack."""
        file_schema = read_schema.schema()
        return tuple(name for name, _ in self.dtypes or () if name not in file_schema and name not in self.in_paths)

    def refused(self, read_schema: ReadSchema) -> tuple[str, ...]:
        """Return the columns that raise in a query, because a file lacks them."""
        return self.missing(read_schema) if self.evolution.missing_columns == "raise" else ()

    def _needs_other_files(self, read_schema: ReadSchema) -> bool:
        """Return whether the first file lacks columns of `schema`, or has them as Null, so that others decide."""
        file_schema = read_schema.schema()
        has_nulls = any(file_schema.get(name) == pl.Null and dtype != pl.Null for name, dtype in self.dtypes or ())
        return has_nulls or bool(self.missing(read_schema))

    def _as_first(self, sources: Sequence[str | bytes | OpenFile | StoreFile]) -> tuple[ReadSchema, ContainerFile]:
        """Read as the first file. With `schema`, files without rows that differ from it are passed over."""
        options = as_written(self.limits, self.evolution.conversions)
        for source in sources:
            file = ContainerFile(source, options)
            read_schema = self.evolution.read_schema(file.schema_json, self.limits, explicit=False)
            if self.dtypes is None or not self._extra(read_schema) or file.count_rows(1) > 0:
                break
        self._check_extra(read_schema)
        return read_schema, file if source is sources[0] else self._first(sources, read_schema)

    def _extra(self, read_schema: ReadSchema) -> list[str]:
        """Return the columns that `schema` lacks."""
        expected = {*dict(self.dtypes or ()), *self.in_paths}
        return [] if self.dtypes is None else [name for name in read_schema.schema() if name not in expected]

    def _all_columns(self, sources: Sequence[str | bytes | OpenFile | StoreFile]) -> tuple[ReadSchema, ContainerFile]:
        """Read as the columns of `schema` that any file has, each as in the first file that has it."""
        names = list(dict.fromkeys([*dict(self.dtypes or ()), *self.in_paths]))
        schema = FileSet(sources, as_written(self.limits, self.evolution.conversions)).all_columns_schema(names)
        read_schema = self.evolution.read_schema(schema, self.limits, explicit=False)
        return read_schema, self._first(sources, read_schema)

    def _union(self, sources: Sequence[str | bytes | OpenFile | StoreFile]) -> tuple[ReadSchema, ContainerFile]:
        read_schema = ReadSchema(
            FileSet(sources, as_written(self.limits, self.evolution.conversions)).union_schema(),
            insert_missing_columns=True,
            insert_missing_fields=True,
            # The union has all columns. If one is missing, values would be lost.
            refuse_extra_columns=True,
            refuse_extra_fields=True,
            by_columns=True,
            casts=CASTS_OF_UNION,
            limits=self.limits,
            conversions=self.evolution.conversions,
        )
        return read_schema, self._first(sources, read_schema)

    def _first(self, sources: Sequence[str | bytes | OpenFile | StoreFile], read_schema: ReadSchema) -> ContainerFile:
        """Open the first file. One of several fits every schema if it has no rows."""
        return ContainerFile(sources[0], read_schema.core_opener(), in_set=len(sources) > 1)

    def _cast(self, read_schema: ReadSchema) -> ReadSchema:
        """Read columns as the dtypes of `schema`. Null columns fit any dtype, and others need a cast option."""
        file_schema = read_schema.schema()
        if self.mode == "first":
            # An explicit Float16 allows integers. Between files they are never narrowed that far.
            to_half = ("integer to-half",) if "integer allow-float" in read_schema.casts else ()
            read_schema = read_schema._replace(exact=True, casts=(*read_schema.casts, *to_half))
        other = {
            name: dtype
            for name, dtype in self.dtypes or ()
            if name in file_schema and name not in self.in_paths and file_schema[name] != dtype
        }
        if self.mode == "union" and any(
            _schema_dtypes.filled(file_schema[name], dtype) != dtype for name, dtype in other.items()
        ):
            return read_schema
        changed = _schema_dtypes.with_dtypes(read_schema.schema_json, other) if other else None
        if changed is None:
            return read_schema
        # Columns that differ are an error of the queries that read them.
        return read_schema._replace(schema_json=changed)

    def _check(self, read_schema: ReadSchema) -> None:
        """Raise if a column of the files differs from `schema`."""
        file_schema = read_schema.schema()
        for name, dtype in self.dtypes or ():
            if name not in file_schema or name in self.in_paths:
                continue
            if _schema_dtypes.filled(file_schema[name], dtype) != dtype:
                msg = f"column {name!r} is {file_schema[name]} in the files and {dtype} in `schema`"
                raise AvroSchemaError(msg)
        self._check_extra(read_schema)

    def _check_extra(self, read_schema: ReadSchema) -> None:
        """Raise if the files have a column that `schema` lacks."""
        extra = self._extra(read_schema)
        if extra and self.evolution.extra_columns == "raise":
            msg = (
                f"`schema` lacks the column {extra[0]!r} of the files; "
                "add it to `schema`, or pass extra_columns='ignore' to discard it"
            )
            raise AvroSchemaError(msg)


def schema_request(
    schema: SchemaDict | None,
    reader_schema: AvroSchema | None,
    mode: SchemaMode,
    evolution: SchemaEvolution,
    limits: Limits | None,
) -> SchemaRequest:
    """Check the arguments that determine the schema to read as."""
    _options.one_of("schema_mode", mode, ("first", "union"))
    if schema is not None and reader_schema is not None:
        msg = "`schema` and `reader_schema` exclude one another: pass one of them"
        raise ValueError(msg)
    if reader_schema is not None and mode == "union":
        msg = "`reader_schema` and schema_mode='union' exclude one another: pass one of them"
        raise ValueError(msg)
    if evolution.field_matching != "name" and (schema is not None or mode == "union"):
        msg = "`field_matching` needs one schema to match with: `reader_schema`, or that of the first file"
        raise ValueError(msg)
    dtypes = None if schema is None else _options.dtypes("schema", schema)
    return SchemaRequest(dtypes, reader_schema, mode, evolution, limits or DEFAULT_LIMITS)
