"""Columns of other dtypes than the files': `schema` together with `cast_options`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import polars as pl

from polars_avro._core import WriteOptions
from polars_avro._writing.frames import empty_frame

if TYPE_CHECKING:
    from collections.abc import Mapping

    from polars._typing import PolarsDataType


#: The dtype of maps, which Polars 1 lacks.
_MAP: Any = getattr(pl, "Map", None)


def with_dtypes(schema_json: str, dtypes: Mapping[str, pl.DataType]) -> str | None:
    """Give the schema of a record with columns of these dtypes in the place of its own, None for another schema."""
    schema = json.loads(schema_json)
    if not isinstance(schema, dict) or schema.get("type") != "record":
        return None
    for field in schema["fields"]:
        # A name that Avro does not allow is noted beside the one that it is written as.
        column = field.get("polars.name", field["name"])
        if column in dtypes:
            dtype = dtypes[column]
            # The default is of the old type, and only a file's own schema has fields that no file lacks.
            field.pop("default", None)
            field["type"] = _avro_type(column, dtype)
    return json.dumps(schema)


def _avro_type(name: str, dtype: pl.DataType) -> Any:
    # Records inside are named below the column; names must not meet those of the files.
    options = WriteOptions(codec="null", name="Row", namespace=f"polars.schema.{name}" if name.isidentifier() else None)
    column = json.loads(options.schema_of(empty_frame({"column": dtype})))["fields"][0]
    return _without_defaults(column["type"])


def _without_defaults(schema: Any) -> Any:
    """Leave out what would stand for fields that a file lacks."""
    if isinstance(schema, list):
        return [_without_defaults(branch) for branch in schema]
    if not isinstance(schema, dict):
        return schema
    inner = ("fields", "items", "values", "type")
    return {
        key: _without_defaults(value) if key in inner else value for key, value in schema.items() if key != "default"
    }


def filled(own: pl.DataType, wanted: pl.DataType) -> pl.DataType:
    """Give a dtype with what is wanted in the places where it is Null: nulls are values of every dtype."""
    if own == pl.Null:
        return wanted
    if isinstance(own, pl.Struct) and isinstance(wanted, pl.Struct):
        fields = {field.name: _instance(field.dtype) for field in wanted.fields}
        inner = {field.name: _instance(field.dtype) for field in own.fields}
        return pl.Struct({name: filled(dtype, fields.get(name, dtype)) for name, dtype in inner.items()})
    if isinstance(own, pl.List) and isinstance(wanted, pl.List):
        return pl.List(filled(_instance(own.inner), _instance(wanted.inner)))
    if isinstance(own, pl.Array) and isinstance(wanted, pl.Array):
        return pl.Array(filled(_instance(own.inner), _instance(wanted.inner)), own.size)
    if _MAP and isinstance(own, _MAP) and isinstance(wanted, _MAP):
        filled_map: pl.DataType = _MAP(own.key, filled(_instance(own.value), _instance(wanted.value)))
        return filled_map
    return own


def widened(own: pl.DataType, wanted: pl.DataType) -> set[tuple[str, str]]:
    """Give the casts, of those that need no leave among files, that lead to another dtype."""
    if isinstance(own, pl.Struct) and isinstance(wanted, pl.Struct):
        fields = {field.name: _instance(field.dtype) for field in wanted.fields}
        both = [(_instance(field.dtype), fields[field.name]) for field in own.fields if field.name in fields]
        return set().union(*(widened(*pair) for pair in both))
    inner, wanted_inner = _items(own), _items(wanted)
    if inner is not None and wanted_inner is not None:
        return widened(inner, wanted_inner)
    if own == wanted:
        return set()
    if own.is_integer() and wanted.is_integer():
        return {("integer_cast", "upcast")}
    if own.is_integer() and wanted.is_float():
        return {("integer_cast", "allow-float")}
    floats = (pl.Float16, pl.Float32, pl.Float64)
    is_upcast = own in floats and wanted in floats and floats.index(own) < floats.index(wanted)
    return {("float_cast", "upcast")} if is_upcast else set()


def _items(dtype: pl.DataType) -> pl.DataType | None:
    """Give the dtype of the items of a list or an array, or of the values of a map."""
    if isinstance(dtype, (pl.List, pl.Array)):
        return _instance(dtype.inner)
    return _instance(dtype.value) if _MAP and isinstance(dtype, _MAP) else None


def _instance(dtype: PolarsDataType) -> pl.DataType:
    return dtype if isinstance(dtype, pl.DataType) else dtype()
