"""polars-avro, whose module has the same name as this project's."""

import polars as pl

import polars_avro
from engines.frames import ask

# Its default of 1,024 rows per batch is slower, and differs from what Polars requests of an IO source.
BATCH = 100_000


def start(threads: int) -> None:
    """Nothing to set: it decodes on one thread."""


def run(paths: list[str], query: dict) -> pl.DataFrame:
    """Read with `read_avro` if the scenario is eager, else with `scan_avro`."""
    if query["eager"]:
        return polars_avro.read_avro(paths, columns=list(query["columns"]) or None, batch_size=BATCH)
    return ask(polars_avro.scan_avro(paths, batch_size=BATCH), query)
