"""HTTP objects that several test modules read."""

from __future__ import annotations

import io

import fastavro
import polars as pl
import pytest
from rows import COLUMNS, SCHEMA, make_rows
from servers import Server, serving

#: Options for fast retries.
FAST = {"retry_init_backoff_ms": 1, "retry_max_backoff_ms": 5}


def encode(rows: int, first: int = 0, *, sync_interval: int = 16000, codec: str = "null", text: int = 0) -> bytes:
    out = io.BytesIO()
    values = make_rows(rows, first)
    for value in values:
        value["name"] += "x" * text
    fastavro.writer(out, SCHEMA, values, codec=codec, sync_interval=sync_interval)
    return out.getvalue()


@pytest.fixture
def server():
    with serving() as running:
        yield running


@pytest.fixture
def small(server: Server) -> str:
    return server.put("/small.avro", encode(1000))


@pytest.fixture(scope="session")
def large_bytes() -> bytes:
    """Some 12 MB in blocks of 16 kB."""
    return encode(60_000, text=150)


@pytest.fixture
def large(server: Server, large_bytes: bytes) -> str:
    return server.put("/large.avro", large_bytes)


def frame(rows: int, first: int = 0) -> pl.DataFrame:
    return pl.DataFrame(make_rows(rows, first), schema=COLUMNS)
