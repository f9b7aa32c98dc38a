"""Grids of parameters, of which the default run takes a pairwise cover."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from typing import Any

import pytest

ENGINES = ["in-memory", "streaming"]

Row = dict[int, int]
Pair = tuple[int, int, int, int]


def grid(*axes: Iterable[Any]) -> list[Any]:
    """Return every combination, those outside a pairwise cover with the mark `slow`.

    A fault that needs one value, or two values together, shows in the cover. Its size is about the product of the two
    longest axes.
    """
    lists = [list(axis) for axis in axes]
    chosen = cover([len(values) for values in lists])
    cases = []
    for indices in itertools.product(*(range(len(values)) for values in lists)):
        marks = () if indices in chosen else pytest.mark.slow
        cases.append(pytest.param(*(values[i] for values, i in zip(lists, indices, strict=True)), marks=marks))
    return cases


def cover(lengths: Sequence[int]) -> set[tuple[int, ...]]:
    """Return combinations of indices in which every pair of indices of two axes occurs.

    Starts with the product of the two longest axes and adds one axis at a time. Each row takes the index that covers
    most of the missing pairs, and rows are added for the pairs that are left.
    """
    first, second, *others = sorted(range(len(lengths)), key=lambda axis: -lengths[axis])
    rows: list[Row] = [{first: i, second: j} for i in range(lengths[first]) for j in range(lengths[second])]
    placed = [first, second]
    for axis in others:
        missing = {(a, i, axis, j) for a in placed for i in range(lengths[a]) for j in range(lengths[axis])}
        uses = [0] * lengths[axis]
        for row in rows:
            options = [new_pairs(row, placed, axis, j) for j in range(lengths[axis])]
            row[axis] = max(range(lengths[axis]), key=lambda j: (len(missing & options[j]), -uses[j]))
            uses[row[axis]] += 1
            missing -= options[row[axis]]
        rows += [{**dict.fromkeys(placed, 0), a: i, axis: j} for a, i, _, j in sorted(missing)]
        placed.append(axis)
    return {tuple(row[axis] for axis in range(len(lengths))) for row in rows}


def new_pairs(row: Row, placed: Sequence[int], axis: int, index: int) -> set[Pair]:
    """Return the pairs of a new index with those that a row has."""
    return {(other, row[other], axis, index) for other in placed}
