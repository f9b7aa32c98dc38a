"""This project."""

import logging

import polars as pl

import polars_avro
from engines.frames import ask


def start(threads: int) -> None:
    """Nothing to set: the reader uses as many threads as Polars."""


def run(paths: list[str], query: dict) -> pl.DataFrame:
    """Read with `read_avro` if the scenario is eager, else with `scan_avro`."""
    source = paths if len(paths) > 1 else paths[0]
    if query["eager"]:
        return polars_avro.read_avro(source, columns=list(query["columns"]) or None)
    return ask(polars_avro.scan_avro(source), query)


def times(paths: list[str], query: dict) -> dict[str, float]:
    """Return the times of the phases of one more run, in milliseconds, from the reader's statistics."""
    spent: dict[str, float] = {}

    class Account(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            for name, value in vars(record).items():
                if name.endswith("_ns"):
                    name = f"{name.removesuffix('_ns')}_ms"
                    spent[name] = round(spent.get(name, 0.0) + value / 1e6, 3)

    logger, account = logging.getLogger("polars_avro"), Account()
    logger.addHandler(account)
    logger.setLevel(logging.DEBUG)
    try:
        run(paths, query | {"eager": False})
    finally:
        logger.removeHandler(account)
        logger.setLevel(logging.NOTSET)
    return spent
