"""This project."""

import polars as pl

import polars_avro
from engines.frames import ask


def start(threads: int) -> None:
    """Nothing to set: the reader takes as many threads as Polars was given."""


def run(paths: list[str], query: dict) -> pl.DataFrame:
    """Read with `read_avro` where the scenario is eager, else with `scan_avro`."""
    source = paths if len(paths) > 1 else paths[0]
    if query["eager"]:
        return polars_avro.read_avro(source, columns=list(query["columns"]) or None)
    return ask(polars_avro.scan_avro(source), query)
