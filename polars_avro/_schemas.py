"""The schema that files are read as, and the differences from it that are allowed."""

from __future__ import annotations

import json
import os
from collections.abc import Collection
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

import polars as pl

from polars_avro import _options, _schema_dtypes
from polars_avro._core import ContainerFile, FileOpener, FileSet
from polars_avro._errors import AvroDataError, AvroLimitError, AvroSchemaError
from polars_avro._limits import DEFAULT_LIMITS, Limits
from polars_avro._sources import hidden

if TYPE_CHECKING:
    from collections.abc import Sequence

    from polars._typing import SchemaDict

    from polars_avro._core import OpenFile, StoreFile
    from polars_avro._sources.hive import Hive

AvroSchema: TypeAlias = "str | dict[str, Any] | list[Any] | os.PathLike[str]"
"""An Avro schema: JSON text, the same as Python objects, or the path of an ``.avsc`` file."""
MissingColumns: TypeAlias = Literal["insert", "raise"]
"""Insert nulls for columns that a file lacks, or raise an error."""
ExtraColumns: TypeAlias = Literal["ignore", "raise"]
"""Skip columns that only later files have, or raise an error."""
SchemaMode: TypeAlias = Literal["first", "union"]
"""Read several files as the schema of the first, or as the union of all schemas."""

#: The options that allow casts, and their values.
_CASTS = {
    "integer_cast": ("upcast", "allow-float", "forbid"),
    "float_cast": ("upcast", "downcast", "forbid"),
    "datetime_cast": (
        "nanosecond-downcast",
        "microsecond-downcast",
        "microsecond-upcast",
        "millisecond-upcast",
        "downcast",
        "upcast",
        "convert-timezone",
        "forbid",
    ),
    "categorical_to_string": ("allow", "forbid"),
}
#: The casts that reading as the union of several schemas needs.
_OF_UNION = ("integer allow-float", "datetime upcast", "categorical allow", "string to-bytes")

_PRIMITIVES = ("null", "boolean", "int", "long", "float", "double", "bytes", "string")


class ReadSchema(NamedTuple):
    """One schema for all files. Hashable, so equal scans can share a reader."""

    schema_json: str
    #: Insert nulls for columns, and for fields of nested records, that a file lacks.
    insert_missing_columns: bool = False
    insert_missing_fields: bool = False
    #: Raise an error for columns, and for fields of nested records, that the schema lacks.
    refuse_extra_columns: bool = False
    refuse_extra_fields: bool = False
    #: Match types by the columns that they become, ignore names of records, and keep nulls.
    by_columns: bool = False
    #: The casts that are allowed.
    casts: tuple[str, ...] = ()
    limits: Limits = DEFAULT_LIMITS

    def core_opener(self) -> FileOpener:
        """Return an opener of files that are read as this schema."""
        return _open_as(self)

    def schema(self) -> pl.Schema:
        """Return the columns of the files."""
        return _schema_of(self)


# Resolving a schema takes longer than reading the first rows of a file, and a program has few distinct schemas.
@lru_cache(maxsize=16)
def _open_as(read_schema: ReadSchema) -> FileOpener:
    return FileOpener(
        read_schema.schema_json,
        limits=read_schema.limits,
        insert_missing_columns=read_schema.insert_missing_columns,
        insert_missing_fields=read_schema.insert_missing_fields,
        refuse_extra_columns=read_schema.refuse_extra_columns,
        refuse_extra_fields=read_schema.refuse_extra_fields,
        by_columns=read_schema.by_columns,
        casts=list(read_schema.casts),
    )


@lru_cache(maxsize=16)
def _schema_of(read_schema: ReadSchema) -> pl.Schema:
    return pl.Schema(_open_as(read_schema))


@lru_cache(maxsize=16)
def as_written(limits: Limits) -> FileOpener:
    """Return an opener of files that are read as the schema in their header."""
    return FileOpener(None, limits=limits)


class SchemaEvolution(NamedTuple):
    """The differences that are allowed between files and the schema that they are read as."""

    missing_columns: MissingColumns = "raise"
    extra_columns: ExtraColumns = "raise"
    missing_fields: MissingColumns = "raise"
    extra_fields: ExtraColumns = "raise"
    casts: tuple[str, ...] = ()
    #: The options that allow widening to the dtypes of `schema`; None without `cast_options`. Between files, widening
    #: needs no option.
    widening: frozenset[tuple[str, str]] | None = None

    def read_schema(self, schema_json: str, limits: Limits, *, explicit: bool) -> ReadSchema:
        """Return the schema to read as: an explicit one, or that of the first file."""
        return ReadSchema(
            schema_json,
            insert_missing_columns=self.missing_columns == "insert",
            insert_missing_fields=self.missing_fields == "insert",
            # An explicit schema selects from the columns of the files.
            refuse_extra_columns=not explicit and self.extra_columns == "raise",
            refuse_extra_fields=not explicit and self.extra_fields == "raise",
            by_columns=not explicit,
            casts=self.casts,
            limits=limits,
        )


def schema_evolution(
    missing_columns: MissingColumns, extra_columns: ExtraColumns, cast_options: pl.ScanCastOptions | None
) -> SchemaEvolution:
    """Check the options for files with different schemas."""
    _one_of("missing_columns", missing_columns, ("insert", "raise"))
    _one_of("extra_columns", extra_columns, ("ignore", "raise"))
    _options.check(cast_options=cast_options)
    if cast_options is None:
        return SchemaEvolution(missing_columns, extra_columns)
    casts = tuple(
        f"{name.partition('_')[0]} {word}"
        for name in _CASTS
        for word in _words(name, getattr(cast_options, name))
        # Integers and floats are widened without an option.
        if word != "forbid" and (word != "upcast" or name == "datetime_cast")
    )
    missing, extra = cast_options.missing_struct_fields, cast_options.extra_struct_fields
    checked: tuple[tuple[str, object, tuple[str, ...]], ...] = (
        ("missing_struct_fields", missing, ("insert", "raise")),
        ("extra_struct_fields", extra, ("ignore", "raise")),
    )
    for name, word, allowed in checked:
        if word not in allowed:
            msg = f"`cast_options`: `{name}` must be one of {allowed}, got {word!r}"
            raise TypeError(msg)
    widening = frozenset((name, word) for name in _CASTS for word in _words(name, getattr(cast_options, name)))
    return SchemaEvolution(missing_columns, extra_columns, missing, extra, casts, widening)


def _words(option: str, value: object) -> Collection[str]:
    """Return the values of an option that may have one or several."""
    words = [value] if isinstance(value, str) else value
    allowed = _CASTS[option]
    if not isinstance(words, Collection) or not all(word in allowed for word in words):
        msg = f"`cast_options`: `{option}` must be one or several of {allowed}, got {value!r}"
        raise TypeError(msg)
    return words


class SchemaRequest(NamedTuple):
    """The arguments that determine the schema to read as, before any file is opened."""

    schema: SchemaDict | None = None
    reader_schema: AvroSchema | None = None
    mode: SchemaMode = "first"
    evolution: SchemaEvolution = SchemaEvolution()
    limits: Limits = DEFAULT_LIMITS
    #: Columns whose values come from paths. Columns of these names in files are ignored.
    in_paths: tuple[str, ...] = ()

    @property
    def dtypes(self) -> tuple[tuple[str, pl.DataType], ...] | None:
        """The columns of `schema`."""
        return None if self.schema is None else tuple(pl.DataFrame(schema=self.schema).schema.items())

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
            return read_schema, ContainerFile(sources[0], read_schema.core_opener())
        if self.mode == "union" and len(sources) > 1:
            resolved = self._union(sources)
        else:
            file = ContainerFile(sources[0], as_written(self.limits))
            resolved = self.evolution.read_schema(file.schema_json, self.limits, explicit=False), file
            if self.schema is not None and len(sources) > 1 and self._needs_other_files(resolved[0]):
                resolved = self._all_columns(sources)
        if self.schema is None:
            return resolved
        resolved = self._cast(*resolved, sources[0])
        self._check(resolved[0].schema())
        return resolved

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
        return has_nulls or (self.evolution.missing_columns == "insert" and bool(self.missing(read_schema)))

    def _all_columns(self, sources: Sequence[str | bytes | OpenFile | StoreFile]) -> tuple[ReadSchema, ContainerFile]:
        """Read as the first file's schema plus columns of later files, each as in the first file that has it."""
        schema = FileSet(sources, as_written(self.limits)).all_columns_schema()
        read_schema = self.evolution.read_schema(schema, self.limits, explicit=False)
        return read_schema, ContainerFile(sources[0], read_schema.core_opener())

    def _union(self, sources: Sequence[str | bytes | OpenFile | StoreFile]) -> tuple[ReadSchema, ContainerFile]:
        read_schema = ReadSchema(
            FileSet(sources, as_written(self.limits)).union_schema(),
            insert_missing_columns=True,
            insert_missing_fields=True,
            # The union has all columns. If one is missing, values would be lost.
            refuse_extra_columns=True,
            refuse_extra_fields=True,
            by_columns=True,
            casts=_OF_UNION,
            limits=self.limits,
        )
        return read_schema, ContainerFile(sources[0], read_schema.core_opener())

    def _cast(
        self, read_schema: ReadSchema, file: ContainerFile, source: str | bytes | OpenFile | StoreFile
    ) -> tuple[ReadSchema, ContainerFile]:
        """Read columns as the dtypes of `schema`. Null columns fit any dtype, and others need a cast option."""
        file_schema, widening = read_schema.schema(), self.evolution.widening
        other = {
            name: dtype
            for name, dtype in self.dtypes or ()
            if name in file_schema and name not in self.in_paths and file_schema[name] != dtype
        }
        for name, dtype in other.items():
            filled = _schema_dtypes.filled(file_schema[name], dtype)
            if filled != dtype and (widening is None or not _schema_dtypes.widened(filled, dtype) <= widening):
                return read_schema, file
        changed = _schema_dtypes.with_dtypes(read_schema.schema_json, other) if other else None
        if changed is None:
            return read_schema, file
        # An explicit Float16 allows integers. Between files they are never narrowed that far.
        to_half = ("integer to-half",) if "integer allow-float" in read_schema.casts else ()
        recast = read_schema._replace(schema_json=changed, casts=(*read_schema.casts, *to_half))
        try:
            return recast, ContainerFile(source, recast.core_opener())
        except AvroSchemaError as error:
            self._check(file_schema, error)
            raise

    def _check(self, file_schema: pl.Schema, cause: Exception | None = None) -> None:
        """Raise if a column of the files differs from `schema`."""
        if self.dtypes is None:
            return
        for name, dtype in self.dtypes:
            if name not in file_schema or name in self.in_paths:
                continue
            if _schema_dtypes.filled(file_schema[name], dtype) != dtype:
                msg = f"column {name!r} is {file_schema[name]} in the files and {dtype} in `schema`"
                raise AvroSchemaError(msg) from cause
        extra = [name for name in file_schema if name not in dict(self.dtypes) and name not in self.in_paths]
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
    _one_of("schema_mode", mode, ("first", "union"))
    if schema is not None and reader_schema is not None:
        msg = "`schema` and `reader_schema` exclude one another: pass one of them"
        raise ValueError(msg)
    return SchemaRequest(schema, reader_schema, mode, evolution, limits or DEFAULT_LIMITS)


def schema_json(schema: AvroSchema, option: str = "reader_schema") -> str:
    """Return the JSON text of a schema argument."""
    if isinstance(schema, os.PathLike) or (isinstance(schema, str) and schema.endswith(".avsc")):
        return Path(schema).read_text(encoding="utf-8")
    if isinstance(schema, (dict, list)) or schema in _PRIMITIVES:
        return _json_of(schema, option)
    if not isinstance(schema, str):
        msg = f"`{option}` must be JSON text, a dict, a list or the path of a file, got {type(schema).__name__!r}"
        raise TypeError(msg)
    try:
        json.loads(schema)
    except RecursionError:
        # The core has its own limit.
        return schema
    except ValueError as error:
        msg = f"`{option}` is neither JSON nor the path of an .avsc file: {error}"
        raise AvroSchemaError(msg) from None
    return schema


def _json_of(schema: Any, option: str) -> str:
    try:
        return json.dumps(schema)
    except RecursionError:
        msg = f"`{option}` nests too deep for Python's JSON; pass it as text (limit `schema_depth`)"
        raise AvroLimitError(msg) from None
    except ValueError as error:
        msg = f"`{option}` is not a schema: {error}"
        raise AvroSchemaError(msg) from None
    except TypeError as error:
        msg = f"`{option}` must contain only types that JSON has: {error}"
        raise TypeError(msg) from None


def _one_of(option: str, value: Any, allowed: tuple[str, ...]) -> None:
    if not isinstance(value, str):
        msg = f"`{option}` must be one of {allowed}, got {value!r} of type {type(value).__name__!r}"
        raise TypeError(msg)
    if value not in allowed:
        msg = f"`{option}` must be one of {allowed}, got {value!r}"
        raise ValueError(msg)
