"""What files are read as: a reader's schema, and how far files may differ from it."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import polars as pl

from polars_avro import _union
from polars_avro._core import ContainerFile, FileOpener, FileSet
from polars_avro._errors import AvroSchemaError, AvroUnsupportedError
from polars_avro._limits import DEFAULT_LIMITS, Limits

if TYPE_CHECKING:
    from collections.abc import Sequence

#: The JSON text of an Avro schema, the same as Python objects, or the path of a file that has it.
AvroSchema: TypeAlias = "str | dict[str, Any] | list[Any] | os.PathLike[str]"
MissingColumns: TypeAlias = Literal["insert", "raise"]
ExtraColumns: TypeAlias = Literal["ignore", "raise"]
SchemaMode: TypeAlias = Literal["first", "union"]

_PRIMITIVES = ("null", "boolean", "int", "long", "float", "double", "bytes", "string")


@dataclass(frozen=True)
class ReadSchema:
    """One schema for all files. Hashable, so that equal scans can share what they make."""

    schema_json: str
    #: Columns, and fields of nested records, that a file lacks become null.
    insert_missing_columns: bool = False
    insert_missing_fields: bool = False
    #: Columns, and fields of nested records, that the schema lacks are an error.
    refuse_extra_columns: bool = False
    refuse_extra_fields: bool = False
    #: Whether only the columns count that the schema becomes: names of records do not matter then, and nulls are kept.
    as_polars: bool = False
    limits: Limits = DEFAULT_LIMITS

    def core_opener(self) -> FileOpener:
        """Say how to open a file."""
        return _open_as(self)

    def schema(self) -> pl.Schema:
        """Give the columns that the files become."""
        return _schema_of(self)


# What is made of a schema takes longer than the first rows of a file, and a program's files have few of them.
@lru_cache(maxsize=16)
def _open_as(read_schema: ReadSchema) -> FileOpener:
    return FileOpener(
        read_schema.schema_json,
        limits=read_schema.limits,
        insert_missing_columns=read_schema.insert_missing_columns,
        insert_missing_fields=read_schema.insert_missing_fields,
        refuse_extra_columns=read_schema.refuse_extra_columns,
        refuse_extra_fields=read_schema.refuse_extra_fields,
        as_polars=read_schema.as_polars,
    )


@lru_cache(maxsize=16)
def _schema_of(read_schema: ReadSchema) -> pl.Schema:
    return pl.Schema(_open_as(read_schema))


@lru_cache(maxsize=16)
def as_written(limits: Limits) -> FileOpener:
    """Say how to open a file that is read as the schema it was written with."""
    return FileOpener(None, limits=limits)


@dataclass(frozen=True)
class SchemaEvolution:
    """How files may differ from the schema they are read as, as a user says it."""

    missing_columns: MissingColumns = "raise"
    extra_columns: ExtraColumns = "raise"
    missing_fields: MissingColumns = "raise"
    extra_fields: ExtraColumns = "raise"

    def read_schema(self, schema_json: str, limits: Limits, *, given: bool) -> ReadSchema:
        """Read files as a schema that was given, or that is a file's own."""
        return ReadSchema(
            schema_json,
            insert_missing_columns=self.missing_columns == "insert",
            insert_missing_fields=self.missing_fields == "insert",
            # A schema that was given chooses from the files' columns.
            refuse_extra_columns=not given and self.extra_columns == "raise",
            refuse_extra_fields=not given and self.extra_fields == "raise",
            as_polars=not given,
            limits=limits,
        )


def schema_evolution(
    missing_columns: MissingColumns, extra_columns: ExtraColumns, cast_options: pl.ScanCastOptions | None
) -> SchemaEvolution:
    """Check the options that say what happens where files differ."""
    _one_of("missing_columns", missing_columns, ("insert", "raise"))
    _one_of("extra_columns", extra_columns, ("ignore", "raise"))
    if cast_options is None:
        return SchemaEvolution(missing_columns, extra_columns)
    for name in ("integer_cast", "float_cast", "datetime_cast", "categorical_to_string"):
        casts = getattr(cast_options, name)
        # Numbers are widened in any case.
        upcasts = {"forbid", "upcast"} if name in {"integer_cast", "float_cast"} else {"forbid"}
        if not {*([casts] if isinstance(casts, str) else casts)} <= upcasts:
            msg = f"`cast_options`: {name}={casts!r} is not supported: Avro's schema resolution widens numbers only"
            raise AvroUnsupportedError(msg)
    missing, extra = cast_options.missing_struct_fields, cast_options.extra_struct_fields
    return SchemaEvolution(missing_columns, extra_columns, missing, extra)


def resolve_read_schema(
    sources: Sequence[str | bytes],
    given: AvroSchema | None,
    mode: SchemaMode,
    evolution: SchemaEvolution,
    limits: Limits,
) -> tuple[ReadSchema, ContainerFile]:
    """Say what files are read as, and open the first of them."""
    _one_of("schema_mode", mode, ("first", "union"))
    if given is not None:
        read_schema = evolution.read_schema(schema_json(given), limits, given=True)
    elif mode == "union" and len(sources) > 1:
        schemas = FileSet(sources, as_written(limits)).schemas()
        merged = schemas[0] if len(schemas) == 1 else _union.union(schemas)
        read_schema = ReadSchema(
            merged,
            insert_missing_columns=True,
            insert_missing_fields=True,
            as_polars=True,
            limits=limits,
        )
    else:
        first = ContainerFile(sources[0], as_written(limits))
        return evolution.read_schema(first.schema_json, limits, given=False), first
    return read_schema, ContainerFile(sources[0], read_schema.core_opener())


def schema_json(schema: AvroSchema, option: str = "reader_schema") -> str:
    """Give the JSON text of a schema that a user passes as this argument."""
    if isinstance(schema, os.PathLike) or (isinstance(schema, str) and schema.endswith(".avsc")):
        return Path(schema).read_text(encoding="utf-8")
    if isinstance(schema, (dict, list)) or schema in _PRIMITIVES:
        return json.dumps(schema)
    if not isinstance(schema, str):
        msg = f"`{option}` must be JSON text, a dict, a list or the path of a file, got {type(schema).__name__!r}"
        raise TypeError(msg)
    try:
        json.loads(schema)
    except ValueError as error:
        msg = f"`{option}` is neither JSON nor the path of an .avsc file: {error}"
        raise AvroSchemaError(msg) from None
    return schema


def _one_of(option: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        msg = f"`{option}` must be one of {allowed}, got {value!r}"
        raise ValueError(msg)
