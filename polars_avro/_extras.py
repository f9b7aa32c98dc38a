"""Optional dependencies."""

from __future__ import annotations

from importlib import import_module
from typing import Any


def require(extra: str, *modules: str, caller: str) -> list[Any]:
    """Import the modules of an extra, or raise an error that says how to install it."""
    try:
        return [import_module(module) for module in modules]
    except ModuleNotFoundError as error:
        msg = f"{caller} needs {error.name}: pip install 'polars-avro-plugin[{extra}]'"
        raise ModuleNotFoundError(msg, name=error.name) from error
