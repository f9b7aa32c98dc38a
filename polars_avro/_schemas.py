"""The schema that files are read as, and the differences from it that are allowed."""

from __future__ import annotations

import json
import os
from collections.abc import Collection
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeAlias, get_args

import polars as pl

from polars_avro import _options
from polars_avro._conversions import NO_CONVERSIONS, Conversions
from polars_avro._core import ContainerFile, FileOpener
from polars_avro._errors import AvroLimitError, AvroSchemaError
from polars_avro._limits import DEFAULT_LIMITS, Limits

AvroSchema: TypeAlias = "str | dict[str, Any] | list[Any] | os.PathLike[str]"
"""An Avro schema: JSON text, the same as Python objects, or the path of an ``.avsc`` or Avro file."""
MissingColumns: TypeAlias = Literal["insert", "raise"]
"""Insert nulls for columns that a file lacks, or raise an error."""
ExtraColumns: TypeAlias = Literal["ignore", "raise"]
"""Skip columns that only later files have, or raise an error."""
FieldMatching: TypeAlias = Literal["name", "case_insensitive", "position"]
"""Match fields of records by name, by name without case, or by position."""
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
CASTS_OF_UNION = ("integer allow-float", "datetime upcast", "categorical allow", "string to-bytes")

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
    #: Numbers are not widened without a cast, and a field is missing even if it has a default.
    exact: bool = False
    #: The casts that are allowed.
    casts: tuple[str, ...] = ()
    limits: Limits = DEFAULT_LIMITS
    field_matching: FieldMatching = "name"
    conversions: Conversions = NO_CONVERSIONS

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
        exact=read_schema.exact,
        casts=list(read_schema.casts),
        field_matching=read_schema.field_matching,
        **_of_core(read_schema.conversions),
    )


@lru_cache(maxsize=16)
def _schema_of(read_schema: ReadSchema) -> pl.Schema:
    return pl.Schema(_open_as(read_schema))


@lru_cache(maxsize=16)
def as_written(limits: Limits, conversions: Conversions = NO_CONVERSIONS) -> FileOpener:
    """Return an opener of files that are read as the schema in their header."""
    return FileOpener(None, limits=limits, **_of_core(conversions))


def _of_core(conversions: Conversions) -> dict[str, Any]:
    """Return the conversions as arguments of the core."""
    return {} if conversions == NO_CONVERSIONS else conversions._asdict()


class SchemaEvolution(NamedTuple):
    """The differences that are allowed between files and the schema that they are read as."""

    missing_columns: MissingColumns = "raise"
    extra_columns: ExtraColumns = "raise"
    missing_fields: MissingColumns = "raise"
    extra_fields: ExtraColumns = "raise"
    casts: tuple[str, ...] = ()
    field_matching: FieldMatching = "name"
    conversions: Conversions = NO_CONVERSIONS

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
            field_matching=self.field_matching,
            conversions=self.conversions,
        )


def schema_evolution(
    missing_columns: MissingColumns,
    extra_columns: ExtraColumns,
    cast_options: pl.ScanCastOptions | None,
    field_matching: FieldMatching = "name",
    conversions: Conversions = NO_CONVERSIONS,
) -> SchemaEvolution:
    """Check the options for files with different schemas."""
    _options.one_of("missing_columns", missing_columns, ("insert", "raise"))
    _options.one_of("extra_columns", extra_columns, ("ignore", "raise"))
    _options.one_of("field_matching", field_matching, get_args(FieldMatching))
    _options.check(cast_options=cast_options)
    if cast_options is None:
        return SchemaEvolution(missing_columns, extra_columns, field_matching=field_matching, conversions=conversions)
    casts = tuple(
        f"{name.partition('_')[0]} {word}"
        for name in _CASTS
        for word in _words(name, getattr(cast_options, name))
        if word != "forbid"
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
    return SchemaEvolution(missing_columns, extra_columns, missing, extra, casts, field_matching, conversions)


def _words(option: str, value: object) -> Collection[str]:
    """Return the values of an option that may have one or several."""
    words = [value] if isinstance(value, str) else value
    allowed = _CASTS[option]
    if not isinstance(words, Collection) or not all(word in allowed for word in words):
        msg = f"`cast_options`: `{option}` must be one or several of {allowed}, got {value!r}"
        raise TypeError(msg)
    return words


def schema_json(schema: AvroSchema, option: str = "reader_schema") -> str:
    """Return the JSON text of a schema argument."""
    if isinstance(schema, os.PathLike) or (isinstance(schema, str) and _is_file_name(schema)):
        return _of_file(schema, option)
    if isinstance(schema, (pl.Schema, dict, list)) or schema in _PRIMITIVES:
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
        if os.path.exists(schema):
            return _of_file(schema, option)
        msg = f"`{option}` is neither JSON nor the path of a file: {error}"
        raise AvroSchemaError(msg) from None
    return schema


def _of_file(path: str | os.PathLike[str], option: str) -> str:
    """Return the text of a file of JSON, or the schema of an Avro file."""
    data = Path(path).read_bytes()
    if data.startswith(b"Obj\x01"):
        return ContainerFile(os.fspath(path), as_written(DEFAULT_LIMITS)).schema_json
    try:
        # Editors of Windows begin files with a byte order mark.
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        msg = f"`{option}`: {os.fspath(path)} is neither JSON nor an Avro file"
        raise AvroSchemaError(msg) from None


def _is_file_name(name: object) -> bool:
    return isinstance(name, os.PathLike) or (isinstance(name, str) and name.endswith((".avsc", ".avro")))


def _is_dtype(value: object) -> bool:
    return isinstance(value, pl.DataType) or (isinstance(value, type) and issubclass(value, pl.DataType))


def _json_of(schema: Any, option: str) -> str:
    if isinstance(schema, list) and schema and all(_is_file_name(name) for name in schema):
        msg = f"`{option}` must be one schema, got a list of files: pass {schema[0]!r} and the like one by one"
        raise TypeError(msg)
    if isinstance(schema, pl.Schema) or (isinstance(schema, dict) and any(map(_is_dtype, schema.values()))):
        instead = {
            "reader_schema": "; `scan_avro` and `read_avro` take dtypes as `schema`",
            "avro_schema": "; cast the frame to its dtypes instead",
        }
        msg = f"`{option}` must be an Avro schema, got dtypes of Polars{instead.get(option, '')}"
        raise TypeError(msg)
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
