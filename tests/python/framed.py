"""Datums for tests, encoded by fastavro, with any framing."""

from __future__ import annotations

import io
import struct
import uuid
from typing import Any

import fastavro
import polars as pl

SCHEMA = {
    "type": "record",
    "name": "Event",
    "namespace": "shop",
    "fields": [
        {"name": "id", "type": "long"},
        {"name": "name", "type": "string"},
        {"name": "score", "type": ["null", "double"]},
        {"name": "tags", "type": {"type": "array", "items": "string"}},
    ],
}
DTYPE = pl.Struct({"id": pl.Int64, "name": pl.String, "score": pl.Float64, "tags": pl.List(pl.String)})
FRAMINGS = ("datum", "single_object", "confluent", "apicurio", "glue")
ID = 258
GLUE_ID = uuid.UUID("00112233-4455-6677-8899-aabbccddeeff")


def datum(value: Any, schema: Any = SCHEMA) -> bytes:
    """One value without a header."""
    out = io.BytesIO()
    fastavro.schemaless_writer(out, fastavro.parse_schema(schema), value)
    return out.getvalue()


def fingerprint(schema: Any = SCHEMA) -> bytes:
    """The fingerprint in the header of a single object."""
    return bytes.fromhex(fastavro.schema.fingerprint(fastavro.schema.to_parsing_canonical_form(schema), "CRC-64-AVRO"))


def header(framing: str, schema: Any = SCHEMA, schema_id: int = ID) -> bytes:
    """Return the header of a datum."""
    return {
        "datum": b"",
        "single_object": b"\xc3\x01" + fingerprint(schema),
        "confluent": b"\x00" + struct.pack(">I", schema_id % 2**32),
        "apicurio": b"\x00" + struct.pack(">Q", schema_id),
        "glue": b"\x03\x00" + GLUE_ID.bytes,
    }[framing]


def events(n: int, first: int = 0) -> list[dict[str, Any]]:
    """Values of `SCHEMA`."""
    return [
        {"id": i, "name": f"name {i}" * (i % 4), "score": None if i % 7 == 3 else i / 4, "tags": ["tag"] * (i % 3)}
        for i in range(first, first + n)
    ]


def column(values: list[Any], framing: str = "datum", schema: Any = SCHEMA, schema_id: int = ID) -> pl.Series:
    """Framed datums of these values; None is null."""
    front = header(framing, schema, schema_id)
    return pl.Series("v", [None if v is None else front + datum(v, schema) for v in values], dtype=pl.Binary)


def expected(values: list[Any]) -> pl.Series:
    """The decoded values of `column`."""
    return pl.Series("v", values, dtype=DTYPE)
