"""Random choice of rows from any number of frames, in bounded memory."""

from __future__ import annotations

import math
from random import Random
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import polars as pl

#: The option of commands that choose rows.
seed_option = click.option("--seed", type=int, help="Seed of the choice. The same seed chooses the same rows.")


def chosen(frames: Iterable[pl.DataFrame], rows: int, random: Random) -> list[pl.DataFrame]:
    """Return randomly chosen rows in their order, one per frame."""
    if rows == 0:
        return []
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
