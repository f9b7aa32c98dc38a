"""``polars-avro sample``: random rows as a table."""

from __future__ import annotations

import math
from contextlib import closing
from random import Random
from typing import TYPE_CHECKING

import click
import polars as pl

from polars_avro._cli import sources as sources_
from polars_avro._cli.rows import reading_options
from polars_avro._cli.tables import print_table

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from polars_avro._cli.rows import Reading
    from polars_avro._cli.sources import Sources


@click.command()
@sources_.argument
@click.option("-n", "--rows", type=click.IntRange(min=0), default=10, show_default=True, help="Number of rows.")
@click.option("--seed", type=int, help="Seed of the choice. The same seed chooses the same rows.")
@reading_options
def sample(sources: Sources, rows: int, seed: int | None, reading: Reading) -> None:
    """
    Print random rows as a table, in the order of the files.

    All rows are read, and each is chosen with the same probability.
    """
    opened = reading.rows(sources)
    with closing(opened.frames()) as frames:
        chosen = _chosen(frames, rows, Random(seed)) if rows else []
    print_table(pl.concat(chosen) if chosen else pl.DataFrame(schema=opened.schema))


def _chosen(frames: Iterable[pl.DataFrame], rows: int, random: Random) -> list[pl.DataFrame]:
    """Return the chosen rows, one per frame."""
    candidates = _candidates(rows, random)
    index, slot = next(candidates)
    kept: dict[int, tuple[int, pl.DataFrame]] = {}
    first = 0
    for df in frames:
        while index < first + df.height:
            kept[slot] = index, df[[index - first]]
            index, slot = next(candidates)
        first += df.height
    return [row for _, row in sorted(kept.values(), key=lambda numbered: numbered[0])]


def _candidates(rows: int, random: Random) -> Iterator[tuple[int, int]]:
    """
    Yield the row numbers that enter a reservoir of an endless table, and the slots that they replace.

    Once the reservoir is full, the gap to the next row is drawn instead of a number for each row (Li's Algorithm L).
    """
    yield from ((row, row) for row in range(rows))
    row, weight = rows - 1, 1.0
    while True:
        weight *= _uniform(random) ** (1 / rows)
        row += math.floor(math.log(_uniform(random)) / math.log1p(-weight)) + 1
        yield row, random.randrange(rows)


def _uniform(random: Random) -> float:
    """Return a random number between 0 and 1, excluding both."""
    return random.uniform(2**-53, 1 - 2**-53)
