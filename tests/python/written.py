"""Short constructors of files and types."""

import io
from typing import Any

import fastavro
import polars as pl


def avro(rows: list[Any], **fields: Any) -> bytes:
    out = io.BytesIO()
    listed = [{"name": name, "type": schema} for name, schema in fields.items()]
    fastavro.writer(out, {"type": "record", "name": "Row", "fields": listed}, rows)
    return out.getvalue()


def record(name: str, **fields: Any) -> dict[str, Any]:
    return {
        "type": "record",
        "name": name,
        "fields": [{"name": field, "type": schema} for field, schema in fields.items()],
    }


def enum(name: str, *symbols: str) -> dict[str, Any]:
    return {"type": "enum", "name": name, "symbols": list(symbols)}


def logical(base: str, name: str, **attributes: Any) -> dict[str, Any]:
    return {"type": base, "logicalType": name, **attributes}


def polars_written(frame: pl.DataFrame) -> bytes:
    out = io.BytesIO()
    frame.write_avro(out)
    return out.getvalue()


AROUND = {
    "plain": (lambda schema: schema, lambda value: value),
    "nullable": (lambda schema: ["null", schema], lambda value: value),
    "array": (lambda schema: {"type": "array", "items": ["null", schema]}, lambda value: [value, None]),
    "map": (lambda schema: {"type": "map", "values": [schema, "null"]}, lambda value: {"k": value}),
    "nested": (lambda schema: record("Out", i=["null", schema]), lambda value: {"i": value}),
}
