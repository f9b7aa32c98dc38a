"""Polars' own `read_avro`, which takes one file and supports neither scans nor filters."""

import polars as pl

from engines.frames import ask, is_plain


def start(threads: int) -> None:
    """Nothing to set: it decodes on one thread."""


def run(paths: list[str], query: dict) -> pl.DataFrame:
    """Read, and do the rest of the query in Polars."""
    columns = list(query["columns"]) if is_plain(query) else []
    frames = [pl.read_avro(path, columns=columns or None, n_rows=query["head"]) for path in paths]
    frame = frames[0] if len(frames) == 1 else pl.concat(frames, rechunk=False)
    return frame if query["eager"] else ask(frame.lazy(), query)
