"""
Avro's JSON encoding: Polars' values as JSON, by their schema.

A value of a union is tagged with the name of its type. Bytes are text whose code points are the bytes.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

import polars as pl

if TYPE_CHECKING:
    from polars_avro._cli.avro_types import AvroType

Convert: TypeAlias = Callable[[Any], Any]

#: The least double that is no float: the largest float and half of its last digit.
MAX_FLOAT = 3.4028235677973366e38
_MIN_NORMAL = 2.0**-126


def to_json(node: AvroType, dtype: Any) -> Convert | None:  # noqa: PLR0911  (one return a kind)
    """Return the conversion of Polars' values to JSON; None if values stay as they are."""
    if node.kind in ("bytes", "fixed"):
        return lambda value: value.decode("latin-1")
    if node.kind == "float":
        return _shortest
    if node.kind == "record":
        return _record_to_json([(name, to_json(inner, field_dtype(dtype, name))) for name, inner in node.fields])
    if node.kind == "union":
        return _union_to_json(node, dtype)
    if node.kind == "array":
        item = to_json(node.inner[0], dtype.inner)
        return None if item is None else lambda value: [item(each) for each in value]
    if node.kind == "map":
        return _map_to_json(to_json(node.inner[0], value_dtype(dtype)), is_list=has_entries(dtype))
    return None


def field_dtype(dtype: Any, name: str) -> Any:
    """Return the dtype of a field of a struct."""
    return next(field.dtype for field in dtype.fields if field.name == name)


def has_entries(dtype: Any) -> bool:
    """Return whether a map is a list of entries: `pl.Map` came with Polars 2."""
    return isinstance(dtype, pl.List)


def value_dtype(dtype: Any) -> Any:
    """Return the dtype of the values of a map."""
    return field_dtype(dtype.inner, "value") if has_entries(dtype) else dtype.value


def _shortest(value: float) -> float:
    """Return the float of fewest digits that is nearest to the same float of 32 bits."""
    if not math.isfinite(value):
        return value
    # Any 6 digits survive in a normal float. Subnormal floats have fewer.
    for digits in range(6 if abs(value) >= _MIN_NORMAL else 1, 9):
        shorter = float(f"{value:.{digits}g}")
        if abs(shorter) < MAX_FLOAT and struct.pack("<f", shorter) == struct.pack("<f", value):
            return shorter
    return float(f"{value:.9g}")


def _record_to_json(fields: list[tuple[str, Convert | None]]) -> Convert | None:
    conversions = [(name, convert) for name, convert in fields if convert is not None]
    if not conversions:
        return None

    def convert_record(value: dict[str, Any]) -> dict[str, Any]:
        for name, convert in conversions:
            value[name] = convert(value[name])
        return value

    return convert_record


def _map_to_json(convert: Convert | None, *, is_list: bool) -> Convert | None:
    if not is_list:
        return None if convert is None else lambda value: {key: convert(each) for key, each in value.items()}
    inner: Convert = convert or (lambda value: value)
    return lambda value: {each["key"]: inner(each["value"]) for each in value}


def _union_to_json(node: AvroType, dtype: Any) -> Convert | None:
    branches = node.branches
    if not branches:
        return None
    if len(branches) == 1:
        tag, convert = branches[0].name, to_json(branches[0], dtype) or (lambda value: value)
        return lambda value: None if value is None else {tag: convert(value)}
    # The fields of the struct are the branches, in their order.
    tags = {
        field.name: (branch.name, to_json(branch, field.dtype) or (lambda value: value))
        for field, branch in zip(dtype.fields, branches, strict=True)
    }

    def convert_union(value: dict[str, Any] | None) -> Any:
        if value is None:
            return None
        for name, each in value.items():
            if each is not None:
                tag, convert = tags[name]
                return {tag: convert(each)}
        return None

    return convert_union
