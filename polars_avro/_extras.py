"""Optional dependencies."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import polars as pl

from polars_avro._errors import AvroUnsupportedError
from polars_avro._writing.frames import dtypes_inside


def require(extra: str, *modules: str, caller: str) -> list[Any]:
    """Import the modules of an extra, or raise an error that says how to install it."""
    try:
        return [import_module(module) for module in modules]
    except ModuleNotFoundError as error:
        msg = f"{caller} needs {error.name}: pip install 'polars-avro-plugin[{extra}]'"
        raise ModuleNotFoundError(msg, name=error.name) from error


def arrow_table(df: pl.DataFrame) -> Any:
    """Return a frame as a table of PyArrow, in the types that other programs know."""
    for name, dtype in df.schema.items():
        if any(inner in (pl.Int128, pl.UInt128) for _, inner in dtypes_inside(name, dtype)):
            msg = f"column {name!r} is {dtype}, and Arrow has no integers of 128 bits: choose others with `columns`"
            raise AvroUnsupportedError(msg)
    return df.to_arrow(compat_level=pl.CompatLevel.oldest())
