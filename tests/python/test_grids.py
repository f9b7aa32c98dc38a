"""Tests of the module `grids`."""

import itertools

import pytest
from grids import cover, grid


@pytest.mark.parametrize("lengths", [(2, 2), (1, 5), (3, 4, 20, 2, 2), (8, 21, 2, 2), (3, 3, 3, 3), (2, 2, 2, 2, 2)])
def test_a_cover_has_every_pair_of_values(lengths):
    chosen = cover(lengths)
    for one, other in itertools.combinations(range(len(lengths)), 2):
        pairs = {(indices[one], indices[other]) for indices in chosen}
        assert pairs == set(itertools.product(range(lengths[one]), range(lengths[other])))
    longest, second, *_ = sorted(lengths, reverse=True)
    assert len(chosen) <= longest * second * 2


def test_combinations_outside_the_cover_are_slow():
    cases = grid("abc", [1, 2], [None, True])
    assert [case.values for case in cases] == list(itertools.product("abc", [1, 2], [None, True]))
    assert sum(not case.marks for case in cases) == 6
    assert {mark.name for case in cases for mark in case.marks} == {"slow"}
