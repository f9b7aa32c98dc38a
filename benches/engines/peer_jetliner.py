"""jetliner."""

import jetliner
import polars as pl

from engines.frames import ask


def start(threads: int) -> None:
    """Nothing to set: it has no option for threads."""


def run(paths: list[str], query: dict) -> pl.DataFrame:
    """Read with `read_avro` if the scenario is eager, else with `scan_avro`."""
    if query["eager"]:
        return jetliner.read_avro(paths, columns=list(query["columns"]) or None)
    return ask(jetliner.scan_avro(paths), query)
