"""polars-avro, whose module is named as this project's is."""

import polars as pl

import polars_avro
from engines.frames import ask

# Its default of 1,024 rows a batch costs it much and is not what Polars asks an IO source for.
BATCH = 100_000


def start(threads: int) -> None:
    """Nothing to set: it decodes on one thread."""


def run(paths: list[str], query: dict) -> pl.DataFrame:
    """Read with `read_avro` where the scenario is eager, else with `scan_avro`."""
    if query["eager"]:
        return polars_avro.read_avro(paths, columns=list(query["columns"]) or None, batch_size=BATCH)
    return ask(polars_avro.scan_avro(paths, batch_size=BATCH), query)
