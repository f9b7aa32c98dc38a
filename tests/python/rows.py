"""Rows that several test modules write and read."""

from pathlib import Path
from typing import Any

import fastavro
import polars as pl

SCHEMA = {
    "type": "record",
    "name": "Row",
    "fields": [
        {"name": "id", "type": "long"},
        {"name": "name", "type": "string"},
        {"name": "score", "type": ["null", "double"]},
        {"name": "tags", "type": {"type": "array", "items": "string"}},
    ],
}
COLUMNS = {"id": pl.Int64, "name": pl.String, "score": pl.Float64, "tags": pl.List(pl.String)}


def make_rows(n: int, first: int = 0) -> list[dict[str, Any]]:
    return [
        {"id": i, "name": f"name {i}", "score": None if i % 7 == 3 else i / 4, "tags": ["tag"] * (i % 3)}
        for i in range(first, first + n)
    ]


def write(path: Path, rows: list[dict[str, Any]], schema: Any = SCHEMA, **options: Any) -> Path:
    """Write the rows in small blocks by default, because most faults occur at block boundaries."""
    with path.open("wb") as file:
        fastavro.writer(file, schema, rows, **{"codec": "deflate", "sync_interval": 400, **options})
    return path
