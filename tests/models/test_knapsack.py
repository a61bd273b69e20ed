from __future__ import annotations

from itertools import product

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from models.districting.knapsack import Room, fill

NUMBERS = st.lists(st.integers(1, 12), min_size=2, max_size=7)


def fillings(demand: np.ndarray, room: int) -> np.ndarray:
    every = np.array(list(product([0, 1], repeat=len(demand))))
    return every[every @ demand <= room]


@settings(max_examples=60)
@given(NUMBERS, st.integers(1, 30), st.randoms(use_true_random=False))
def test_fill_is_the_best_of_all(need, room, random):
    demand = np.array(need)
    gain = np.array([random.random() for _ in need])
    most, chosen = fill(gain, demand, room)
    assert demand[chosen].sum() <= room
    assert np.isclose(most, gain[chosen].sum())
    assert np.isclose(most, (fillings(demand, room) @ gain).max())


UNITS = st.lists(st.tuples(st.integers(1, 12), st.integers(0, 20)), min_size=2, max_size=7)


@settings(max_examples=100)
@given(UNITS, st.integers(3, 30))
def test_cuts_are_valid_and_none_is_missed(units, room):
    demand, point = np.array([d for d, _ in units]), np.array([x for _, x in units]) / 20
    every = fillings(demand, room)
    cut = Room(demand, room).cut(point)
    if cut is not None:
        assert cut @ point >= 1.01 - 1e-9
        assert (every @ cut).max() <= 1 + 1e-6
        return
    # no cut is due: what fits and is not whole lies within 1.01 of a mixture of fillings
    shown = (point > 0) & (demand <= room)
    if ((point > 0) & (point < 1) & shown).any():
        weights = np.ones(len(every))
        mixed = linprog(weights, A_ub=-every.T[shown], b_ub=-point[shown], method="highs")
        assert mixed.fun <= 1.01 + 1e-6


def test_units_that_do_not_show_are_lifted():
    # any two of the three fit, all three do not: x1 + x2 + x3 <= 2
    cut = Room(np.array([4, 4, 4, 4]), 9).cut(np.array([0.9, 0.9, 0.9, 0.0]))
    assert cut is not None
    assert np.allclose(cut, 0.5)
