"""The smallest published case, solved to its known optimum and by an oracle of its own."""

from __future__ import annotations

from itertools import chain, combinations

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment

from models.districting.single_source import cost_of, faults
from optimizer.districting.districting import serve
from optimizer.solver.limits import Limits
from tests.warehouse import MAINTENANCE, OPTIMUM, ROOM, SUPPLY, warehouses


def least_of_all_sets() -> float:
    """Each of the 31 sets of warehouses, its stores placed in it at least cost (one column per place)."""
    cost, sites = np.array(SUPPLY), range(len(ROOM))
    best = float("inf")
    for chosen in chain.from_iterable(combinations(sites, k) for k in range(1, len(ROOM) + 1)):
        places = np.repeat(np.array(chosen), [ROOM[j] for j in chosen])
        if len(places) >= len(cost):
            rows, columns = linear_sum_assignment(cost[:, places])
            best = min(best, float(cost[rows, places[columns]].sum()) + MAINTENANCE * len(chosen))
    return best


def test_the_known_optimum_is_proven_and_passes_the_referee() -> None:
    problem = warehouses()
    done = serve(problem, limits=Limits(gap=1e-6))
    assert done.answer.status == "proven"
    assert done.answer.bound == pytest.approx(OPTIMUM, abs=1e-3)
    assert not faults(problem, done.served_by)
    assert cost_of(problem, done.served_by) == OPTIMUM


def test_the_known_optimum_is_that_of_all_sets_of_warehouses() -> None:
    assert least_of_all_sets() == OPTIMUM


def test_stores_beyond_the_room_are_named() -> None:
    everyone_to_the_largest = dict.fromkeys(range(len(SUPPLY)), 1)
    assert faults(warehouses(), everyone_to_the_largest).over == ((1, 6.0),)
