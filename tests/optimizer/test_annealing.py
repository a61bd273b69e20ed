from __future__ import annotations

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from models.districting.contiguity import Adjacency, adjacency, stray
from models.districting.single_source import SingleSource, faults
from optimizer.districting.annealing import annealed, areas, cooled
from optimizer.districting.annealing_steps import hung_on


def grid(side: int) -> Adjacency:
    at = np.arange(side * side).reshape(side, side)
    beside = zip(at[:, :-1].ravel(), at[:, 1:].ravel(), strict=True)
    below = zip(at[:-1].ravel(), at[1:].ravel(), strict=True)
    return adjacency(range(at.size), [(int(a), int(b)) for a, b in [*beside, *below]])


def task(seed: int, side: int, sites: int) -> SingleSource:
    rng = np.random.default_rng(seed)
    n = side * side
    home = rng.permutation(n)[:sites]
    pairs = pd.DataFrame(
        {"unit": np.repeat(np.arange(n), sites), "site": np.tile(np.arange(sites), n),
         "cost": rng.uniform(0, 10, n * sites)}
    )  # fmt: skip
    demand = pd.Series(rng.integers(1, 9, n).astype(float))
    room = np.full(sites, np.ceil(1.3 * demand.sum() / sites))
    return SingleSource(demand, pd.DataFrame({"room": room, "fixed": 0.0, "home": home}), pairs)


@settings(max_examples=25)
@given(st.integers(0, 10**6), st.integers(2, 4))
def test_annealed_plans_keep_every_rule_and_come_out_the_same_twice(seed: int, sites: int) -> None:
    problem, graph = task(seed, 5, sites), grid(5)
    price = problem.pairs["cost"].to_numpy()
    plan = annealed(problem, graph, price, 200, [seed])
    assert plan == annealed(problem, graph, price, 200, [seed])
    assert not plan or not faults(problem, plan, graph)


@settings(max_examples=25)
@given(st.integers(0, 10**6))
def test_a_plan_in_pieces_is_mended(seed: int) -> None:
    problem, graph = task(seed, 5, 3), grid(5)
    rng = np.random.default_rng(seed)
    broken = {u: int(rng.integers(0, 3)) for u in problem.demand.index}
    broken |= {int(h): j for j, h in problem.sites["home"].items()}
    plan = annealed(problem, graph, problem.pairs["cost"].to_numpy(), 200, [0], broken)
    assert not plan or not faults(problem, plan, graph)


@settings(max_examples=40)
@given(st.integers(0, 10**6))
def test_what_hangs_on_a_unit_is_what_would_be_cut_off(seed: int) -> None:
    problem, graph = task(seed, 5, 3), grid(5)
    home = {j: int(h) for j, h in problem.sites["home"].items()}
    state = areas(problem, graph, problem.pairs["cost"].to_numpy())
    assert state is not None
    mark, goes = np.zeros(25, np.int64), np.zeros(26, np.int64)
    for u in set(problem.demand.index) - set(home.values()):
        rest = {v: j for v, j in enumerate(state.at.tolist()) if v != u}
        n = hung_on(u, state.at, state.ground, mark, 1 + 3 * u, goes)
        assert goes[0] == u
        assert set(goes[1:n].tolist()) == {v for _, piece in stray(rest, home, graph) for v in piece}


def test_every_state_on_the_way_is_contiguous() -> None:
    problem, graph = task(7, 5, 3), grid(5)
    state = areas(problem, graph, problem.pairs["cost"].to_numpy())
    assert state is not None
    home = problem.sites["home"].to_dict()
    for search in cooled(state, 20_000, [1, 2]):
        for at in search.states:
            assert not stray(state.served_by(at), home, graph)


def test_nothing_to_change_leaves_the_plan_at_hand() -> None:
    problem = task(3, 2, 4)
    plan = annealed(problem, grid(2), problem.pairs["cost"].to_numpy(), 10, [0])
    assert plan == {int(h): j for j, h in problem.sites["home"].items()}


def test_a_unit_that_hangs_on_no_site_has_no_plan() -> None:
    problem = task(1, 2, 2)
    assert annealed(problem, adjacency(range(4), []), problem.pairs["cost"].to_numpy(), 10, [0]) == {}
