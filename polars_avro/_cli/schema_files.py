"""Schemas that are named on the command line."""

from __future__ import annotations

from polars_avro._core import FileOpener
from polars_avro._errors import AvroError
from polars_avro._schemas import schema_json

_SYNC = bytes(16)


def parse(source: str) -> str:
    """Return the schema of an .avsc file, or of JSON text, as text that is known to be a schema."""
    try:
        text = schema_json(source, "schema")
        FileOpener(text)
    except AvroError as error:
        if source.endswith(".avsc"):
            error.args = (f"{source}: {error}",)
        raise
    return text


def empty_file(schema: str) -> bytes:
    """Return a file without rows that was written with this schema."""
    key, value = b"avro.schema", schema.encode()
    return b"Obj\x01" + _long(1) + _long(len(key)) + key + _long(len(value)) + value + _long(0) + _SYNC


def _long(value: int) -> bytes:
    """Encode a count that is not negative."""
    value <<= 1
    encoded = bytearray()
    while value > 127:
        encoded.append(value & 127 | 128)
        value >>= 7
    return bytes([*encoded, value])
