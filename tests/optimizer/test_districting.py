from __future__ import annotations

import importlib.util
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import optimizer.districting.districting as districting
import optimizer.districting.held_cuts as held_cuts
from models.districting.contiguity import Adjacency, adjacency, catchment_flow, stray
from models.districting.single_source import SingleSource, cost_of, faults, single_source
from optimizer.districting.branch_and_cut import Node, Tree
from optimizer.districting.districting import border_lengths, possible_pairs, serve, surrogate_plan
from optimizer.districting.districts_model import tree_of
from optimizer.solver.bridge import Bridge
from optimizer.solver.limits import Limits

ROOT = Path(__file__).parents[2]
DATA = ROOT.parent / "shared" / "data"
needs_data = pytest.mark.skipif(
    not (DATA / "gongyi").is_dir() or not (ROOT / "benchmarks").is_dir() or importlib.util.find_spec("benchmarks") is None,
    reason="the published instances are not on this machine",
)  # fmt: skip
EXACT = Limits(gap=1e-6, seconds=600)


def grid(rows: int, columns: int) -> Adjacency:
    at = np.arange(rows * columns).reshape(rows, columns)
    beside = zip(at[:, :-1].ravel(), at[:, 1:].ravel(), strict=True)
    below = zip(at[:-1].ravel(), at[1:].ravel(), strict=True)
    return adjacency(range(at.size), [(int(a), int(b)) for a, b in [*beside, *below]])


def task(
    demand: list[int], costs: np.ndarray, room: list[int], home: list[int], fixed: float = 0.0
) -> SingleSource:
    n, m = costs.shape
    pairs = pd.DataFrame(
        {"unit": np.repeat(np.arange(n), m), "site": np.tile(np.arange(m), n), "cost": costs.ravel()}
    )
    sites = pd.DataFrame({"room": np.array(room, dtype=float), "fixed": fixed, "home": home})
    return SingleSource(pd.Series(demand, dtype=float), sites, pairs)


def enumerated(problem: SingleSource, graph: Adjacency | None) -> float:
    """Least cost of all plans that keep the rules, tried from the cheapest on; infinite if there is none."""
    n, m = len(problem.demand), len(problem.sites)
    plans = np.array(list(product(range(m), repeat=n)))
    demand, fixed = problem.demand.to_numpy(), problem.sites["fixed"].to_numpy()
    cost = problem.pairs.pivot(index="unit", columns="site", values="cost").to_numpy()
    load = np.stack([(plans == j) @ demand for j in range(m)], axis=1)
    used = np.stack([(plans == j).any(axis=1) for j in range(m)], axis=1)
    total = cost[np.arange(n), plans].sum(axis=1) + used @ fixed
    fits = (load <= problem.sites["room"].to_numpy()).all(axis=1)
    home = problem.sites["home"].to_dict()
    for k in np.argsort(np.where(fits, total, np.inf))[: fits.sum()]:
        plan = dict(enumerate(plans[k].tolist()))
        opened = set(plan.values()) if problem.located else set(home)
        if graph is None or (all(plan[home[j]] == j for j in opened) and not stray(plan, home, graph)):
            assert not faults(problem, plan, graph)
            return float(total[k])
    return float("inf")


@settings(max_examples=12)
@given(st.integers(0, 10**6), st.booleans(), st.booleans())
@example(122911, True, False)  # cheapest with a site that serves nobody, which open sites may not
def test_contiguous_optimum_is_that_of_all_plans(seed: int, three: bool, located: bool) -> None:
    rng = np.random.default_rng(seed)
    graph, m = (grid(2, 4), 3) if three else (grid(3, 3), 2)
    n = len(graph.neighbours)
    demand = rng.integers(0, 9, n).tolist()
    home = rng.permutation(n)[:m].tolist()
    room = (rng.uniform(0.9, 1.7, m) * max(1, sum(demand)) / m).astype(int).tolist()
    fixed = float(rng.uniform(1, 20)) if located else 0.0
    problem = task(demand, rng.uniform(0, 10, (n, m)), room, home, fixed)
    best = enumerated(problem, graph)
    done = serve(problem, graph, limits=EXACT)
    if best == np.inf:
        assert done.answer.status == "infeasible"
        assert done.served_by == {}
        return
    assert done.answer.status == "proven"
    assert not faults(problem, done.served_by, graph)
    assert cost_of(problem, done.served_by) == pytest.approx(best, rel=1e-5)
    assert done.answer.bound <= best + 1e-6


@pytest.mark.parametrize("idle", [1, 10**9])
def test_dropped_cuts_change_no_optimum(idle: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(held_cuts, "IDLE", idle)
    rng, graph, home = np.random.default_rng(5), grid(5, 6), [0, 14, 27]
    problem = task(rng.integers(1, 9, 30).tolist(), rng.uniform(0, 10, (30, 3)), [60, 60, 60], home)
    allowed = possible_pairs(problem, graph)
    search = tree_of(allowed, graph)
    state, tree = search.state, search.tree
    done = tree.search(replace(EXACT, threads=1))
    plan = state.served_by(allowed, done.values)
    assert not faults(problem, plan, graph)
    model = single_source(problem, own=True)
    take = {(u, j): model.attend[p] for p, u, j in problem.pairs[["unit", "site"]].itertuples()}
    catchment_flow(model, take, problem.sites["home"].to_dict(), graph, dict.fromkeys(range(3), 30))
    by_flow = Bridge(model, {"cost": model.goal_cost}).solve("cost", replace(EXACT, threads=1))
    assert done.status == by_flow.status == "proven"
    assert cost_of(problem, plan) == pytest.approx(by_flow.objective, rel=1e-5)
    rows = tree.highs.getNumRow() - tree.cuts.first
    assert (rows < tree.cuts.made) == (idle == 1)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_guesses_lead_from_the_dearest_plan_to_the_cheapest(seed: int) -> None:
    rng, graph, home = np.random.default_rng(seed), grid(5, 6), [0, 14, 27]
    demand, cost = rng.integers(1, 9, 30).tolist(), rng.uniform(0, 10, (30, 3))
    found = []
    for costs in (cost, 10 - cost):
        problem = possible_pairs(task(demand, costs, [60, 60, 60], home), graph)
        search = tree_of(problem, graph)
        found.append(search.state.served_by(problem, search.tree.search(replace(EXACT, threads=1)).values))
    problem = possible_pairs(task(demand, cost, [60, 60, 60], home), graph)
    search, best, worst = tree_of(problem, graph), *(cost_of(problem, plan) for plan in found)
    search.tree.offer(search.state.values(problem, found[1]), worst)
    low, nodes = 0.9 * best, []
    guesses = districting._guesses(worst, low)
    assert low < guesses[0] < guesses[1] < worst
    for guess in (0.95 * best, *guesses, np.inf):
        answer = search.tree.search(replace(EXACT, threads=1), guess=guess)
        nodes.append(answer.nodes)
        assert answer.bound == pytest.approx(min(guess, best), rel=1e-5)
        assert answer.objective == pytest.approx(worst if guess <= best else best, rel=1e-5)
        assert (answer.status == "proven") == (guess > best)
    assert nodes[0] > 0
    assert not districting._guesses(best * 1.001, best)  # close: nothing to gain


def test_the_surrogate_is_safe_and_not_exact() -> None:
    # a ring of 8 round a wall: from site 0 the far units are nearer one way, which costs more
    ring = adjacency(range(8), [(k, (k + 1) % 8) for k in range(8)])
    costs = np.array([[0, 9], [1, 0], [1, 0], [0, 9], [0, 9], [0, 9], [0, 9], [0, 9]], dtype=float)
    costs[1:3, 0] = 20.0
    problem = task([1] * 8, costs, [8, 8], [0, 1])
    length = dict.fromkeys(border_lengths(ring, dict.fromkeys(range(8), (0.0, 0.0))), 1.0)
    plan = surrogate_plan(possible_pairs(problem, ring), ring, length, EXACT)
    exact = serve(problem, ring, length, EXACT)
    assert plan and not faults(problem, plan, ring)
    assert cost_of(problem, plan) > exact.answer.objective + 1
    assert exact.answer.objective == pytest.approx(enumerated(problem, ring))


def test_pairs_that_no_plan_can_use_are_left_out() -> None:
    line = adjacency(range(4), [(0, 1), (1, 2), (2, 3)])
    problem = task([2, 5, 1, 1], np.ones((4, 2)), [6, 9], [0, 3])
    left = possible_pairs(problem, line).pairs
    # site 0 cannot pass unit 1 (2 + 5 > 6); units 0 and 3 belong to the site that stands in them
    assert set(zip(left["unit"], left["site"], strict=True)) == {(0, 0), (1, 1), (2, 1), (3, 1)}


def test_stopped_and_infeasible_are_told_apart() -> None:
    line = adjacency(range(4), [(0, 1), (1, 2), (2, 3)])
    none = task([2, 5, 1, 1], np.ones((4, 2)), [1, 9], [0, 3])
    assert serve(none, line, limits=EXACT).answer.status == "infeasible"


def stubborn() -> tuple[SingleSource, Adjacency]:
    """Tight enough for a tree of some hundred nodes."""
    rng = np.random.default_rng(5)
    problem = task(rng.integers(5, 30, 36).tolist(), rng.uniform(0, 10, (36, 4)), [160] * 4, [0, 5, 21, 33])
    return problem, grid(6, 6)


@pytest.mark.parametrize("visits", [0, 1, 30, 60])
def test_ctrl_c_ends_it_with_the_best_plan(visits: int, monkeypatch: pytest.MonkeyPatch) -> None:
    problem, graph = stubborn()
    seen, visit = [0], Tree._visit

    def stopped(tree: Tree, node: Node) -> list[Node]:
        seen[0] += 1
        if seen[0] == visits + 1:
            raise KeyboardInterrupt
        return visit(tree, node)

    monkeypatch.setattr(Tree, "_visit", stopped)
    done = serve(problem, graph, limits=EXACT)
    assert seen[0] == visits + 1
    assert done.answer.interrupted
    assert done.answer.status == ("stopped" if done.served_by else "no_plan")
    assert done.answer.bound < done.answer.objective
    assert done.answer.gap > 0
    assert np.isfinite(done.answer.bound) == (visits > 0)
    if visits > 1:
        assert not faults(problem, done.served_by, graph)


def test_nodes_are_kept_to_and_reproduce_the_answer() -> None:
    rng, graph = np.random.default_rng(6), grid(4, 4)
    demand, cost = rng.integers(5, 30, 16), rng.uniform(0, 10, (16, 3))
    problem = task(demand.tolist(), cost, [int(demand.sum() / 3 * 1.06)] * 3, [0, 5, 13])
    none = serve(problem, graph, limits=Limits(gap=1e-6, nodes=0, seconds=60))
    one, two = (serve(problem, graph, limits=Limits(gap=1e-6, nodes=3, seconds=60)) for _ in range(2))
    assert none.answer.nodes == 0 and one.answer.nodes == 3
    assert {done.answer.status for done in (none, one, two)} <= {"stopped", "no_plan"}
    assert one.served_by == two.served_by
    assert one.answer.nodes == two.answer.nodes
    assert one.answer.bound == pytest.approx(two.answer.bound, rel=1e-12)
    assert Limits(seconds=60).seconds_for(0.1) == 6
    assert Limits(seconds=60, nodes=7).seconds_for(0.1) == 60


@needs_data
@pytest.mark.parametrize(("family", "number"), [("holmberg", 1), ("holmberg", 17), ("holmberg", 41)])
def test_published_location_optima(family: str, number: int) -> None:
    from benchmarks.instances import facility

    problem, optimum = facility(family, number)
    done = serve(problem, limits=EXACT)
    assert done.answer.status == "proven"
    assert not faults(problem, done.served_by)
    assert cost_of(problem, done.served_by) == pytest.approx(optimum, abs=0.01)


@needs_data
def test_a_published_service_area_is_proven() -> None:
    """To the gap that CPLEX called optimal (1e-4), with every catchment in one piece."""
    from benchmarks.instances import published_service_areas, service_area

    problem, graph, place = service_area("gy2_18b")
    published = float(published_service_areas().at["gy2_18b", "obj"])
    done = serve(problem, graph, border_lengths(graph, place), Limits(gap=1e-4, seconds=300))
    value = cost_of(problem, done.served_by)
    assert done.answer.status == "proven" and not faults(problem, done.served_by, graph)
    assert done.answer.bound <= published + 0.01 and done.answer.bound <= value
    assert value == pytest.approx(published, rel=1e-4) and value - done.answer.bound <= 1e-4 * value
