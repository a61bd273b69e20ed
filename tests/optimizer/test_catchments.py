from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.districting.contiguity import stray
from models.districting.single_source import cost_of, faults
from optimizer.districting.annealing import Areas, areas, cooled
from optimizer.districting.catchment_search import valuable
from optimizer.districting.catchments import Pool, Prices, composed, grow
from tests.optimizer.test_annealing import grid, task
from tests.optimizer.test_catchment_cuts import catchments


def state_of(seed: int, side: int, sites: int) -> Areas:
    problem = task(seed, side, sites)
    state = areas(problem, grid(side), problem.pairs["cost"].to_numpy())
    assert state is not None
    return state


@settings(max_examples=30)
@given(st.integers(0, 10**6), st.floats(0, 8))
def test_catchments_found_are_all_that_gain_enough(seed: int, above: float) -> None:
    state = state_of(seed, 3, 2)
    gain = np.random.default_rng(seed).uniform(-3, 5, 9)
    gain[state.ground.home[1]] = -1
    allowed = np.arange(9) != state.ground.home[1]
    found, value = np.zeros((512, 9), bool), np.zeros(512)
    n = valuable(0, gain, allowed, state.ground, above, 0.0, 10**6, found, value)
    every = catchments(state.ground, 3, allowed)
    expected = {some.tobytes() for some in every if gain[some].sum() > above}
    assert {some.tobytes() for some in found[:n]} == expected
    assert n == len(expected)
    assert value[:n] == pytest.approx([gain[some].sum() for some in found[:n]])


@settings(max_examples=20)
@given(st.integers(0, 10**6))
def test_a_pool_holds_what_a_site_may_serve(seed: int) -> None:
    state, graph = state_of(seed, 4, 3), grid(4)
    pool = Pool(state)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("optimizer.districting.catchments.WORTH", np.inf)  # plain costs are not reduced ones
        for search in cooled(state, 2000, [seed]):
            pool.take(pool.seen(search))
    assert pool.site
    grow(pool, Prices(pool), 3)
    home = dict(enumerate(state.ground.home.tolist()))
    for j, units, cost in zip(pool.site, pool.units, pool.cost, strict=True):
        assert state.ground.demand[units].sum() <= state.ground.room[j]
        assert not stray(dict.fromkeys(units.tolist(), j), {j: home[j]}, graph)
        assert cost == pytest.approx(state.cost[units, j].sum())


def test_a_pool_takes_the_cheapest_of_a_search_where_it_saw_many(monkeypatch: pytest.MonkeyPatch) -> None:
    state = state_of(4, 4, 3)
    search = next(cooled(state, 2000, [4]))
    monkeypatch.setattr("optimizer.districting.catchments.WORTH", np.inf)  # plain costs are not reduced ones
    every, few = Pool(state), Pool(state)
    every.take(every.seen(search))
    monkeypatch.setattr("optimizer.districting.catchments.JOIN", 5)
    few.take(few.seen(search))
    reduced = {
        key: sum(max(state.price[u, key[0]], 0.0) for u in every.units[k]) for key, k in every.known.items()
    }
    bar = sorted(reduced.values())[4]
    assert len(reduced) > 5
    assert set(few.known) == {key for key, value in reduced.items() if value <= bar + 1e-9}


@settings(max_examples=10)
@given(st.integers(0, 10**6))
def test_composed_plans_keep_every_rule_and_come_out_the_same_twice(seed: int) -> None:
    problem, graph = task(seed, 4, 3), grid(4)
    state = state_of(seed, 4, 3)
    plan = composed(state, 5000, [0, 1], 10, 1e-6)
    again = composed(state, 5000, [0, 1], 10, 1e-6)
    assert (plan is None) == (again is None)
    if plan is not None and again is not None:
        assert (plan == again).all()
        served_by = state.served_by(plan)
        assert not faults(problem, served_by, graph)
        assert cost_of(problem, served_by) <= min(s.cost for s in cooled(state, 5000, [0, 1])) + 1e-9
