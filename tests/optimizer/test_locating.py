from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import optimizer.districting.locating as locating
from models.districting.single_source import SingleSource, cost_of, faults
from optimizer.districting.districting import serve, stated
from optimizer.districting.dividing import STRIDE, Division, divided
from optimizer.districting.locating import step_of
from tests.optimizer.test_districting import EXACT, enumerated, needs_data, task


def any_task(seed: int, whole: bool) -> SingleSource:
    """Six units and three sites, tight; costs in whole numbers or not, a unit without demand, pairs left out."""
    rng = np.random.default_rng(seed)
    demand = rng.integers(0, 9, 6).tolist()
    room = (rng.uniform(0.5, 1.2, 3) * sum(demand) / 2).astype(int).tolist()
    costs = rng.uniform(0, 10, (6, 3))
    fixed = float(rng.uniform(1, 20))
    if whole:
        costs, fixed = costs.round(), round(fixed)
    return task(demand, costs, room, [-1] * 3, fixed)


@settings(max_examples=60)
@given(st.integers(0, 10**6), st.booleans())
def test_optimum_is_that_of_all_plans(seed: int, whole: bool) -> None:
    problem = any_task(seed, whole)
    best = enumerated(problem, None)
    done = serve(problem, limits=EXACT)
    if best == np.inf:
        assert done.answer.status == "infeasible"
        assert done.served_by == {}
        return
    assert done.answer.status == "proven"
    assert not faults(problem, done.served_by)
    assert cost_of(problem, done.served_by) == pytest.approx(best, rel=1e-5)
    assert done.answer.bound <= best + 1e-6


@settings(max_examples=30)
@given(st.integers(0, 10**6))
def test_leaves_are_solved_where_division_finds_nothing(seed: int) -> None:
    problem = any_task(seed, whole=True)
    best = enumerated(problem, None)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(locating.Sites, "divide", lambda *a: None)
        done = serve(problem, limits=EXACT)
    assert done.answer.objective == pytest.approx(best)
    assert done.answer.status == ("infeasible" if best == np.inf else "proven")


def left_to_leaves(seed: int, monkeypatch: pytest.MonkeyPatch) -> SingleSource:
    """Eighteen units, seven sites of which about four are opened; plans are hardly looked for outside the leaves."""
    rng, n, m = np.random.default_rng(seed), 18, 7
    demand = rng.integers(5, 40, n)
    place, site = rng.uniform(0, 10, (n, 2)), rng.uniform(0, 10, (m, 2))
    costs = np.linalg.norm(place[:, None] - site, axis=2) * demand[:, None] / 10
    room = (rng.uniform(0.8, 1.2, m) * demand.sum() / 3.15).round()
    problem = task(demand.tolist(), costs, room.astype(int).tolist(), [-1] * m, 0.0)
    for name, few in (("SHORT", 1), ("LONG", 1), ("STARTS", 1), ("EXTRA", 0)):
        monkeypatch.setattr(locating, name, few)
    return replace(problem, sites=problem.sites.assign(fixed=rng.uniform(10, 40, m)))


@pytest.mark.parametrize("seed", [1497, 1663, 1786])
def test_what_the_root_fixed_stays_fixed_at_a_leaf(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    # a column held at 0 may have a price far below 0: that says nothing about it at 1
    problem = left_to_leaves(seed, monkeypatch)
    found = serve(problem, limits=EXACT).answer
    best = stated(problem).bridge.solve("cost", EXACT)
    assert found.status == best.status == "proven"
    assert found.objective == pytest.approx(best.objective, rel=1e-5)


@pytest.mark.parametrize(("where", "calls"), [("divide", 0), ("divide", 1), ("_visit", 3), ("solve", 0)])
def test_ctrl_c_keeps_the_best_plan_and_a_bound_that_holds(
    where: str, calls: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    problem = left_to_leaves(1786, monkeypatch)
    best = stated(problem).bridge.solve("cost", EXACT).objective
    seen, whole = [0], getattr(locating.Sites, where)

    def press(tree: locating.Sites, *asked: object) -> object:
        seen[0] += 1
        if seen[0] == calls + 1:
            raise KeyboardInterrupt
        return whole(tree, *asked)

    monkeypatch.setattr(locating.Sites, where, press)
    done = serve(problem, limits=EXACT)
    assert seen[0] > calls
    assert done.answer.interrupted
    assert done.answer.status == ("stopped" if done.served_by else "no_plan")
    assert done.answer.bound <= best + 1e-6
    assert not done.served_by or not faults(problem, done.served_by)


@settings(max_examples=30)
@given(st.integers(0, 10**6), st.booleans())
def test_guesses_far_too_low_lose_nothing(seed: int, whole: bool) -> None:
    problem = any_task(seed, whole)
    best = enumerated(problem, None)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(locating, "GUESSES", (1e-4, 1e-3, 0.01, 0.03, 0.1, np.inf))
        patch.setattr(locating.Sites, "begin", lambda self: None)
        done = serve(problem, limits=EXACT)
    assert done.answer.objective == pytest.approx(best, rel=1e-5)
    assert done.answer.status == ("infeasible" if best == np.inf else "proven")


def test_costs_in_whole_numbers_leave_nothing_between_two_plans() -> None:
    assert step_of(np.array([3.0, 0.0, 12.0])) == 1.0
    assert step_of(np.array([3.0, 0.5])) == 0.0


@settings(max_examples=50)
@given(st.integers(0, 10**6))
def test_divisions_of_two_sites_are_all_there(seed: int) -> None:
    rng = np.random.default_rng(seed)
    gain, demand = rng.normal(size=7), rng.integers(0, 5, 7)
    total = int(demand.sum())
    table = divided(gain, demand, total)
    choices = (np.arange(2**7)[:, None] >> np.arange(7)) & 1
    for many, row in enumerate(table):
        some = choices[~choices[:, many:].any(axis=1)]
        for load in range(total + 1):
            fits = some[some @ demand == load]
            assert row[load] == pytest.approx((fits @ gain).min() if len(fits) else np.inf)
    assert divided(gain, demand, total // 2).tolist() == table[:, : total // 2 + 1].tolist()


def test_division_fills_rooms_to_the_last_place() -> None:
    rng = np.random.default_rng(1)
    demand = rng.integers(5, 40, 60)
    place = rng.integers(0, 4, 60)
    room = np.bincount(place, weights=demand, minlength=4).astype(np.int64) + 1  # hardly a place to spare
    cost = rng.uniform(0, 10, (60, 4))
    search = Division(cost, demand, room, cost.argmin(axis=1), 0)
    found = search.search(100, 0.0)
    assert found < cost[np.arange(60), place].sum()
    assert (np.bincount(search.plan, weights=demand, minlength=4) <= room).all()
    again, other = (Division(cost, demand, room, cost.argmin(axis=1), seed) for seed in (0, 1))
    for _ in range(5):  # two searches in turns do not meddle with each other
        other.search(STRIDE, 0.0)
        again.search(STRIDE, 0.0)
    assert again.best == found
    assert again.plan.tolist() == search.plan.tolist()


def test_compiled_code_waits_until_it_is_needed() -> None:
    script = "import sys, pkgutil; from optimizer.cli.main import VERBS; [pkgutil.resolve_name(f'optimizer.cli.{v}') for v, _ in VERBS.values()]; sys.exit('numba' in sys.modules)"
    subprocess.run([sys.executable, "-c", script], check=True)


def test_division_keeps_to_the_pairs_there_are() -> None:
    cost = np.array([[1.0, 5.0], [np.inf, 2.0], [1.0, 9.0]])
    search = Division(cost, np.array([2, 2, 2]), np.array([4, 4]), np.zeros(3, dtype=int), 0)
    assert search.search(20, 0.0) == 4.0
    assert search.plan.tolist() == [0, 1, 0]
    none = Division(np.array([[np.inf, 5.0], [np.inf, 2.0]]), np.array([2, 2]), np.array([4, 3]), np.zeros(2, dtype=int), 0)  # fmt: skip
    assert none.search(20, 0.0) == np.inf


def test_every_site_open_is_one_leaf() -> None:
    rng = np.random.default_rng(5)
    problem = task([3, 4, 2, 5, 4, 3], rng.uniform(0, 10, (6, 2)), [11, 11], [-1, -1])
    done = serve(problem, limits=EXACT)
    assert done.answer.status == "proven"
    assert done.answer.objective == pytest.approx(enumerated(problem, None))


def test_rooms_and_demands_need_not_be_whole() -> None:
    rng = np.random.default_rng(6)
    problem = task([3, 4, 2, 5, 4, 3], rng.uniform(0, 10, (6, 3)), [9, 9, 9], [-1] * 3, fixed=4.0)
    half = SingleSource(
        problem.demand / 2, problem.sites.assign(room=problem.sites["room"] / 2 + 0.25), problem.pairs
    )
    done = serve(half, limits=EXACT)
    assert done.answer.status == "proven"
    assert isinstance(problem.demand, pd.Series)
    assert done.answer.objective == pytest.approx(enumerated(half, None))


@needs_data
@pytest.mark.parametrize(
    ("family", "number"),
    [("holmberg", 4), ("holmberg", 24)],
)
def test_published_optima(family: str, number: int) -> None:
    from benchmarks.instances import facility

    problem, optimum = facility(family, number)
    done = serve(problem, limits=EXACT)
    assert done.answer.status == "proven"
    assert not faults(problem, done.served_by)
    assert cost_of(problem, done.served_by) == optimum == done.answer.bound
