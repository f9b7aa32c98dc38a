"""DuckDB with its avro extension, with results converted to Polars frames."""

from pathlib import Path

import duckdb
import duckdb_extension_avro
import polars as pl

from engines.sql import select

CONNECTION = duckdb.connect(config={"allow_unsigned_extensions": "true"})


def start(threads: int) -> None:
    """Load the extension of its package, and set the number of threads."""
    (extension,) = Path(duckdb_extension_avro.__file__).parent.rglob("avro.duckdb_extension")
    CONNECTION.execute(f"LOAD '{extension}'")
    CONNECTION.execute(f"SET threads = {threads}")


def run(paths: list[str], query: dict) -> pl.DataFrame:
    """Run the query as SQL."""
    return CONNECTION.execute(select(f"read_avro({paths!r})", query)).pl()
