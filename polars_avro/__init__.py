"""Apache Avro files as Polars frames: decoded on all cores, lazily where wanted."""

import polars as pl

from polars_avro._bad_blocks import AvroWarning, BadBlock
from polars_avro._core import __version__
from polars_avro._datums import decode
from polars_avro._errors import (
    AvroDataError,
    AvroError,
    AvroLimitError,
    AvroSchemaError,
    AvroSchemaNotFoundError,
    AvroUnsupportedError,
)
from polars_avro._limits import Limits
from polars_avro._metadata import AvroMetadata, read_avro_metadata, read_avro_schema
from polars_avro._namespaces import register
from polars_avro._read import read_avro
from polars_avro._reader import AvroReader
from polars_avro._registry import RegisteredSchema, SchemaRegistry
from polars_avro._scan import scan_avro
from polars_avro._write import sink_avro, write_avro
from polars_avro._writer import AvroWriter

__all__ = [
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
    "Limits",
    "RegisteredSchema",
    "SchemaRegistry",
    "__version__",
    "decode",
    "read_avro",
    "read_avro_metadata",
    "read_avro_schema",
    "scan_avro",
    "sink_avro",
    "write_avro",
]

# A Polars that has its own keeps it.
if not hasattr(pl, "scan_avro"):
    setattr(pl, "scan_avro", scan_avro)  # noqa: B010
register()
