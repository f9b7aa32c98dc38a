"""
Apache Avro files as Polars frames, decoded on all cores, lazily or eagerly.

Reading
    scan_avro, read_avro, AvroReader, read_avro_schema, read_avro_metadata, AvroMetadata, CDC_TYPES, Limits

Writing
    write_avro, sink_avro, AvroWriter

Avro datums in columns
    decode, encode, SchemaRegistry, RegisteredSchema, GlueSchemaRegistry, GlueSchemaVersion

Schemas
    check_compatibility, Incompatibility

Several machines
    plan_splits, scan_splits, Split, FilePart, the modules polars_avro.ray and polars_avro.dask

Damage
    AvroWarning, BadBlock, AvroError, AvroDataError, AvroSchemaError, AvroColumnNotFoundError, AvroSchemaNotFoundError,
    AvroLimitError, AvroUnsupportedError
"""

# Imported first, so that the command handles Ctrl-C during the other imports.
from polars_avro import _interrupts as _interrupts

# isort: split
import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

import polars as pl

# `_source.py` belongs to the distribution `polars-avro`, which installs the same package.
if os.path.exists(os.path.join(os.path.dirname(__file__), "_source.py")):
    from polars_avro import _clash

    _clash.warn()

try:
    from polars_avro._core import __version__
except ModuleNotFoundError as _error:
    if _error.name != "polars_avro._core":
        raise
    raise ModuleNotFoundError(
        "polars_avro is imported from its sources, which have no extension module yet: run `maturin develop` in the "
        "root of the repository, or import the installed package from another directory",
        name=_error.name,
    ) from None
from polars_avro._bad_blocks import AvroWarning, BadBlock
from polars_avro._conversions import CDC_TYPES
from polars_avro._datums import decode
from polars_avro._encoding import encode
from polars_avro._errors import (
    AvroColumnNotFoundError,
    AvroDataError,
    AvroError,
    AvroLimitError,
    AvroSchemaError,
    AvroSchemaNotFoundError,
    AvroUnsupportedError,
)
from polars_avro._limits import Limits
from polars_avro._namespaces import register
from polars_avro._read import read_avro
from polars_avro._registered_schema import RegisteredSchema
from polars_avro._registry import SchemaRegistry
from polars_avro._scan import scan_avro
from polars_avro._sink import sink_avro
from polars_avro._write import write_avro

if TYPE_CHECKING:
    from polars_avro._compatibility import Incompatibility, check_compatibility
    from polars_avro._engine.file_parts import FilePart
    from polars_avro._glue import GlueSchemaRegistry
    from polars_avro._glue_versions import GlueSchemaVersion
    from polars_avro._metadata import AvroMetadata, read_avro_metadata, read_avro_schema
    from polars_avro._reader import AvroReader
    from polars_avro._splitting.functions import plan_splits, scan_splits
    from polars_avro._splitting.split import Split
    from polars_avro._writer import AvroWriter

__all__ = [
    "CDC_TYPES",
    "AvroColumnNotFoundError",
    "AvroDataError",
    "AvroError",
    "AvroLimitError",
    "AvroMetadata",
    "AvroReader",
    "AvroSchemaError",
    "AvroSchemaNotFoundError",
    "AvroUnsupportedError",
    "AvroWarning",
    "AvroWriter",
    "BadBlock",
    "FilePart",
    "GlueSchemaRegistry",
    "GlueSchemaVersion",
    "Incompatibility",
    "Limits",
    "RegisteredSchema",
    "SchemaRegistry",
    "Split",
    "__version__",
    "check_compatibility",
    "decode",
    "encode",
    "plan_splits",
    "read_avro",
    "read_avro_metadata",
    "read_avro_schema",
    "scan_avro",
    "scan_splits",
    "sink_avro",
    "write_avro",
]

#: Modules that are imported when one of their names is first used, because most programs need none of them.
_ON_USE = {
    "AvroMetadata": "_metadata",
    "AvroReader": "_reader",
    "AvroWriter": "_writer",
    "FilePart": "_engine.file_parts",
    "GlueSchemaRegistry": "_glue",
    "GlueSchemaVersion": "_glue_versions",
    "Incompatibility": "_compatibility",
    "Split": "_splitting.split",
    "check_compatibility": "_compatibility",
    "plan_splits": "_splitting.functions",
    "read_avro_metadata": "_metadata",
    "read_avro_schema": "_metadata",
    "scan_splits": "_splitting.functions",
}

#: Modules with functions for other engines, which need an extra.
_MODULES = ("dask", "ray")


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return import_module(f"{__name__}.{name}")
    if name not in _ON_USE:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    value = globals()[name] = getattr(import_module(f"{__name__}.{_ON_USE[name]}"), name)
    return value


def __dir__() -> list[str]:
    return sorted({*(name for name in globals() if name.startswith("__")), *__all__})


# A later Polars may define it.
if not hasattr(pl, "scan_avro"):
    setattr(pl, "scan_avro", scan_avro)  # noqa: B010
register()
