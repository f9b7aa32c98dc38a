"""Conversion of frames for the core."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from polars_avro._core import Frame
from polars_avro._errors import AvroUnsupportedError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


def core_frame(df: pl.DataFrame) -> Frame:
    """Pass a frame to the core without a copy."""
    check_schema(df.schema)
    return Frame(df, df.height, checked=_has_extension_of_categories(df.schema))


def empty_frame(schema: Mapping[str, Any]) -> Frame:
    """Pass the columns of a schema to the core, without rows."""
    return core_frame(pl.DataFrame(schema=schema))


def check_schema(schema: Mapping[str, Any]) -> None:
    """Raise for dtypes that cannot be written."""
    for name, dtype in schema.items():
        for path, inner in dtypes_inside(name, dtype):
            _check_dtype(path, inner)


def has_time(schema: Mapping[str, Any]) -> bool:
    """Return whether a schema has Time columns. The values of times determine their Avro type."""
    return any(inner == pl.Time for name, dtype in schema.items() for _, inner in dtypes_inside(name, dtype))


def _has_extension_of_categories(schema: Mapping[str, Any]) -> bool:
    """Return whether Polars exports a schema that lacks the dictionaries of its arrays."""
    inner = (inner for name, dtype in schema.items() for _, inner in dtypes_inside(name, dtype))
    return any(isinstance(each, pl.BaseExtension) and each.ext_storage() in (pl.Categorical, pl.Enum) for each in inner)


def _check_dtype(path: str, dtype: Any) -> None:
    if "\0" in path:
        # Exporting such a name to Arrow would abort the process.
        msg = f"field {path!r}: a name with a NUL character cannot be written to Avro: rename it"
        raise AvroUnsupportedError(msg)
    if dtype == pl.Object:
        msg = f"field `{path}`: the dtype {dtype} cannot be written to Avro, and Polars cannot cast it: drop it"
        raise AvroUnsupportedError(msg)
    if isinstance(dtype, pl.Array) and dtype.size == 0:
        # Polars cannot import such arrays from Arrow either.
        msg = f"field `{path}`: the dtype {dtype} cannot be written to Avro: cast it to `pl.List({dtype.inner})`"
        raise AvroUnsupportedError(msg)


def dtypes_inside(path: str, dtype: Any) -> Iterator[tuple[str, Any]]:
    """Yield a dtype and those inside it, with their paths."""
    yield path, dtype
    if isinstance(dtype, pl.BaseExtension):
        yield from dtypes_inside(path, dtype.ext_storage())
    if isinstance(dtype, pl.Struct):
        for field in dtype.fields:
            yield from dtypes_inside(f"{path}.{field.name}", field.dtype)
    inner = getattr(dtype, "inner", None) or getattr(dtype, "value", None)
    if inner is not None:
        yield from dtypes_inside(f"{path}[]", inner)


def instead(data: Any, *, lazy: bool = False) -> str:
    """Return the end of the message about an argument that must be a frame, lazy or not, and is none."""
    of_it = "`.lazy()` of it" if lazy else "it"
    if isinstance(data, pl.LazyFrame):
        return ": use `sink_avro`, or write the frame that `collect()` returns"
    if isinstance(data, pl.DataFrame):
        return ": use `write_avro`"
    if isinstance(data, pl.Series):
        return f": make a frame with `to_frame()`, and pass {of_it}"
    if type(data).__module__.partition(".")[0] == "pandas":
        return f" of pandas: make a frame with `pl.from_pandas(...)`, and pass {of_it}"
    if hasattr(data, "__arrow_c_stream__") or hasattr(data, "__arrow_c_array__"):
        return ": use `AvroWriter`, which takes Arrow data, or pass `pl.DataFrame(...)` of it"
    return ""
