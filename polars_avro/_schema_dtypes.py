"""Reading columns as other dtypes than those of the files: `schema` together with `cast_options`."""

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
    """Return a record schema in which columns have these dtypes instead; None if the schema is not a record."""
    schema = json.loads(schema_json)
    if not isinstance(schema, dict) or schema.get("type") != "record":
        return None
    types = avro_types(dtypes)
    for field in schema["fields"]:
        # A column name that Avro does not allow is in a property beside the field name.
        column = field.get("polars.name", field["name"])
        if column in types:
            # The default is a value of the old type.
            field.pop("default", None)
            field["type"] = types[column]
    return json.dumps(schema)


def avro_types(dtypes: Mapping[str, pl.DataType]) -> dict[str, Any]:
    """Return the nullable Avro types that columns are written as, without defaults."""
    record = json.loads(WriteOptions(codec="null", name="Row").schema_of(empty_frame(dtypes)))
    return {name: _apart(field["type"]) for name, field in zip(dtypes, record["fields"], strict=True)}


def _apart(schema: Any) -> Any:
    """Return a schema with names unlike those in files, and without defaults, so that missing fields are errors."""
    if isinstance(schema, list):
        return [_apart(branch) for branch in schema]
    if not isinstance(schema, dict):
        return schema
    inner = ("fields", "items", "values", "type")
    apart = {key: _apart(value) if key in inner else value for key, value in schema.items() if key != "default"}
    return {**apart, "namespace": "polars.schema"} if schema["type"] in ("record", "enum", "fixed") else apart


def filled(file_dtype: pl.DataType, target: pl.DataType) -> pl.DataType:
    """Return a dtype in which each Null is replaced by the target dtype, since nulls are values of every dtype."""
    if file_dtype == pl.Null:
        return target
    if isinstance(file_dtype, pl.Struct) and isinstance(target, pl.Struct):
        fields = {field.name: _instance(field.dtype) for field in target.fields}
        inner = {field.name: _instance(field.dtype) for field in file_dtype.fields}
        return pl.Struct({name: filled(dtype, fields.get(name, dtype)) for name, dtype in inner.items()})
    if isinstance(file_dtype, pl.List) and isinstance(target, pl.List):
        return pl.List(filled(_instance(file_dtype.inner), _instance(target.inner)))
    if isinstance(file_dtype, pl.Array) and isinstance(target, pl.Array):
        return pl.Array(filled(_instance(file_dtype.inner), _instance(target.inner)), file_dtype.size)
    if _MAP and isinstance(file_dtype, _MAP) and isinstance(target, _MAP):
        filled_map: pl.DataType = _MAP(file_dtype.key, filled(_instance(file_dtype.value), _instance(target.value)))
        return filled_map
    return file_dtype


def _instance(dtype: PolarsDataType) -> pl.DataType:
    return dtype if isinstance(dtype, pl.DataType) else dtype()
