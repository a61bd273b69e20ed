from __future__ import annotations

from dataclasses import replace
from functools import cache
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

import optimizer.districting.catchment_cuts as catchment_cuts
from models.districting.contiguity import stray
from models.districting.single_source import cost_of, faults
from optimizer.districting.catchment_cuts import Catchment
from optimizer.districting.catchment_search import heaviest
from optimizer.districting.districts_model import possible_pairs, tree_of
from optimizer.solver.compiled import Ground, numbered
from optimizer.solver.limits import Limits
from tests.optimizer.test_annealing import grid, task
from tests.optimizer.test_districting import enumerated
from tests.optimizer.test_districting import grid as oblong
from tests.optimizer.test_districting import task as priced


def ground_of(seed: int, side: int) -> Ground:
    """Site 0 of two, on a square; every other time some units are without demand and rooms are soon full."""
    problem = task(seed, side, 2)
    if seed % 2:
        demand = (problem.demand - 5).clip(lower=0)
        room = problem.sites["room"].where(problem.sites.index > 0, seed // 2 % 9)
        problem = replace(problem, demand=demand, sites=problem.sites.assign(room=room))
    return numbered(problem, grid(side))


@cache
def in_one_piece(side: int, home: int) -> np.ndarray:
    """All sets of units of a square that hang together and hold a unit, one in a row; not to be changed."""
    every = np.array(list(product([False, True], repeat=side * side)))
    every, graph = every[every[:, home]], grid(side)
    return every[[not stray({int(u): 0 for u in np.flatnonzero(some)}, {0: home}, graph) for some in every]]


def catchments(ground: Ground, side: int, allowed: np.ndarray) -> np.ndarray:
    """All of site 0, one in a row."""
    every = in_one_piece(side, int(ground.home[0]))
    every = every[~every[:, ~allowed].any(axis=1)]
    return every[every @ ground.demand <= ground.room[0]]


def place(seed: int) -> tuple[np.random.Generator, Ground, np.ndarray]:
    """Where site 0 may serve most of nine units, among them all those on which it may stand."""
    rng, ground = np.random.default_rng(seed), ground_of(seed, 3)
    allowed = rng.random(9) < 0.9
    allowed[ground.home] = True, False
    return rng, ground, allowed


@settings(max_examples=100)
@given(st.integers(0, 10**6))
def test_the_heaviest_catchment_is_that_of_all(seed: int) -> None:
    rng, ground, allowed = place(seed)
    gain = np.where(rng.random(9) < 0.6, rng.uniform(0, 1, 9), 0.0)
    held = np.zeros(9, dtype=bool)
    most, done = heaviest(0, gain, allowed, ground, 0.0, 10**6, held)
    every = catchments(ground, 3, allowed)
    best = float((every @ gain).max()) if len(every) else 0.0
    assert most == pytest.approx(best)
    if best > 1e-6:
        assert held.tobytes() in {some.tobytes() for some in every}
        assert gain[held].sum() == pytest.approx(best)
    assert done or best > 0  # once it has found one, it does not look for ever


@settings(max_examples=160)
@given(st.integers(0, 10**6))
def test_cuts_are_valid_and_none_is_missed(seed: int) -> None:
    rng, ground, allowed = place(seed)
    units, home = np.flatnonzero(allowed), ground.home[0]
    point = np.where(rng.random(len(units)) < 0.6, rng.integers(0, 21, len(units)) / 20, 0.0)
    point[units == home] = 1.0
    every = catchments(ground, 3, allowed)[:, units].astype(float)
    cut = Catchment(ground, 0, units).cut(point)
    if cut is not None:
        assert cut @ point >= 1.01 - 1e-9
        assert (every @ cut).max(initial=0.0) <= 1 + 1e-6
        return
    # no cut is due: what may lie in a catchment and is not whole is within 1.01 of a mixture of them
    shown = (point > 0) & (units != home)
    if len(every) and ((point > 0) & (point < 1) & shown).any() and every.max(axis=0)[shown].all():
        mixed = linprog(np.ones(len(every)), A_ub=-every.T[shown], b_ub=-point[shown], method="highs")
        assert mixed.fun <= 1.01 + 1e-6


def test_units_on_two_sides_do_not_fit_with_what_lies_between() -> None:
    # five units in a row, the site in the middle, room for three: both ends fit, but not with their ways
    start, near = np.array([0, 1, 3, 5, 7, 8]), np.array([1, 0, 2, 1, 3, 2, 4, 3])
    ground = Ground(start, near, np.array([2]), np.ones(5), np.array([3.0]))
    point = np.array([0.6, 0.5, 1.0, 0.3, 0.6])
    assert point.sum() <= 3
    cut = Catchment(ground, 0, np.arange(5)).cut(point)
    assert cut == pytest.approx(np.array([1.0, 0.0, 0.0, 0.0, 1.0]), abs=1e-6)


def test_a_full_room_still_takes_units_without_demand() -> None:
    # three units in a row, the site in the middle; the third does not fit, the first asks for nothing
    start, near = np.array([0, 1, 3, 4]), np.array([1, 0, 2, 1])
    ground = Ground(start, near, np.array([1]), np.array([0.0, 3.0, 5.0]), np.array([3.0]))
    held = np.zeros(3, dtype=bool)
    most, done = heaviest(0, np.array([0.8, 0.3, 0.7]), np.ones(3, bool), ground, 0.0, 100, held)
    assert most == pytest.approx(1.1)
    assert done
    assert held.tolist() == [True, True, False]


def test_a_search_that_gives_up_cuts_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catchment_cuts, "MOST", 9)
    monkeypatch.setattr(catchment_cuts, "FEWEST", 9)
    ground = numbered(task(1, 3, 2), grid(3))
    units = np.flatnonzero(np.arange(9) != ground.home[1])
    site = Catchment(ground, 0, units)
    assert site.nodes == 1
    assert site.cut(np.where(units == ground.home[0], 1.0, 0.9)) is None


@settings(max_examples=10)
@given(st.integers(0, 10**6))
def test_the_tree_cut_by_catchments_finds_the_optimum(seed: int) -> None:
    rng, graph, m = np.random.default_rng(seed), oblong(2, 4), 3
    demand = rng.integers(0, 9, 8).tolist()
    room = (rng.uniform(0.9, 1.4, m) * sum(demand) / m).astype(int).tolist()
    problem = priced(demand, rng.uniform(0, 10, (8, m)), room, rng.permutation(8)[:m].tolist())
    best = enumerated(problem, graph)
    allowed = possible_pairs(problem, graph)
    if set(problem.demand.index) - set(allowed.pairs["unit"]):
        assert best == np.inf
        return
    search = tree_of(allowed, graph)
    search.see.deep = True
    done = search.tree.search(replace(Limits(gap=1e-6, seconds=60), threads=1))
    if best == np.inf:
        assert done.status == "infeasible"
        return
    plan = search.state.served_by(allowed, done.values)
    assert not faults(problem, plan, graph)
    assert cost_of(problem, plan) == pytest.approx(best, rel=1e-5)


def test_whole_catchments_lift_the_root() -> None:
    rng, graph, home = np.random.default_rng(5), oblong(6, 6), [0, 5, 21, 33]
    problem = priced(rng.integers(5, 30, 36).tolist(), rng.uniform(0, 10, (36, 4)), [160] * 4, home)
    roots = []
    for deep in (False, True):
        search = tree_of(possible_pairs(problem, graph), graph)
        search.see.deep = deep
        roots.append(search.tree.search(Limits(gap=1e-6, seconds=60, nodes=1, threads=1)).bound)
    assert roots[1] > roots[0] + 1e-3
