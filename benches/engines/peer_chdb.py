"""chdb (in-process ClickHouse), with results converted to Polars frames."""

from pathlib import Path

import chdb
import polars as pl

from engines.sql import select

# Its caches would speed up the second run.
SETTINGS = {"max_threads": 1, "use_cache_for_count_from_files": 0, "schema_inference_use_cache_for_file": 0}


def start(threads: int) -> None:
    """Store the number of threads, which is part of every query."""
    SETTINGS["max_threads"] = threads


def run(paths: list[str], query: dict) -> pl.DataFrame:
    """Run the query as SQL; many files are named by their folder's glob."""
    pattern = paths[0] if len(paths) == 1 else str(Path(paths[0]).parent / "*.avro")
    settings = ", ".join(f"{name} = {value}" for name, value in SETTINGS.items())
    statement = select(f"file('{pattern}', 'Avro')", query)
    return pl.from_arrow(chdb.query(f"{statement} SETTINGS {settings}", "ArrowTable"))
