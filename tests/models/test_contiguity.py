from __future__ import annotations

import numpy as np
import pandas as pd
import pyomo.environ as pyo
import pytest

from models.districting.contiguity import (
    adjacency,
    catchment_flow,
    closer_rows,
    fractional_cuts,
    least_cut,
    pieces,
    splits,
    stray,
    ways,
)
from models.districting.single_source import SingleSource, cost_of, faults, single_source
from optimizer.solver.bridge import Bridge
from optimizer.solver.limits import Limits

# 0 - 1 - 2 - 3 - 4 in a row, and 5 under 1 and 3:  1 - 5 - 3
ROW = adjacency(range(6), [(0, 1), (1, 2), (3, 2), (3, 4), (1, 5), (5, 3), (2, 2)])


def problem(costs: list[list[float]], room: list[float], home: list[int]) -> SingleSource:
    n = len(costs)
    m = len(room)
    pairs = pd.DataFrame(
        {
            "unit": np.repeat(np.arange(n), m),
            "site": np.tile(np.arange(m), n),
            "cost": np.ravel(costs).astype(float),
        }
    )
    sites = pd.DataFrame({"room": room, "fixed": 0.0, "home": home})
    return SingleSource(pd.Series(1.0, index=range(n)), sites, pairs)


def test_borders_are_symmetric_and_sorted() -> None:
    assert ROW.neighbours[1] == (0, 2, 5)
    assert ROW.neighbours[2] == (1, 3)
    assert ROW.within([0, 1, 3]).neighbours == {0: (1,), 1: (0,), 3: ()}
    with pytest.raises(KeyError):
        adjacency([1], [(1, 2)])


def test_pieces_and_stray_units() -> None:
    assert pieces([0, 1, 3, 4], ROW) == [{0, 1}, {3, 4}]
    served = {0: "A", 1: "A", 2: "B", 3: "A", 4: "A", 5: "B"}
    assert stray(served, {"A": 0, "B": 2}, ROW) == [("A", {3, 4}), ("B", {5})]
    assert stray(served | {2: "A", 5: "A"}, {"A": 0, "B": 2}, ROW) == []


def test_a_catchment_without_its_own_unit_is_stray() -> None:
    assert stray({0: "A", 1: "A", 2: "B"}, {"A": 2, "B": 2}, ROW) == [("A", {0, 1})]


def test_least_cut_takes_the_cheaper_side() -> None:
    net = splits(ROW, set(range(6)))
    flow, rings = least_cut(net, 0, 4, {0: 1.0, 1: 1.0, 2: 0.2, 5: 0.1, 3: 0.9, 4: 1.0})
    assert flow == pytest.approx(0.3, abs=1e-5)
    assert rings == {frozenset({2, 5})}


def test_units_the_site_may_not_serve_carry_nothing() -> None:
    net = splits(ROW, {0, 1, 2, 3, 4})
    assert least_cut(net, 0, 4, {1: 1.0, 2: 0.4, 3: 1.0, 5: 1.0})[1] == {frozenset({2})}


def test_fractional_cuts_only_where_broken() -> None:
    nets = {"A": splits(ROW, set(range(6)))}
    whole = {"A": {0: 1.0, 1: 1.0, 3: 1.0}}
    cuts = fractional_cuts(whole, {"A": 0}, ROW, nets)
    assert ((3, "A", frozenset({2, 5}))) in cuts
    assert all(u == 3 for u, _, _ in cuts)
    shared = {"A": {0: 1.0, 1: 1.0, 2: 0.5, 5: 0.5, 3: 1.0}}  # two half ways make a whole one
    assert fractional_cuts(shared, {"A": 0}, ROW, nets) == []


def test_ways_and_closer_neighbours() -> None:
    length = {(u, v): 1.0 for u, near in ROW.neighbours.items() for v in near}
    away = ways({"A": 0}, ROW, length)
    assert [away[u, "A"] for u in range(6)] == [0, 1, 2, 3, 4, 2]
    model = pyo.ConcreteModel()
    model.x = pyo.Var(range(6), domain=pyo.Binary)
    rows = closer_rows({(u, "A"): model.x[u] for u in range(6)}, {"A": 0}, ROW, away)
    for u, value in enumerate([1, 1, 0, 1, 0, 1]):
        model.x[u].set_value(value)
    assert [bool(pyo.value(r)) for r in rows] == [True, True, True, True, True]
    model.x[5].set_value(0)  # 3 is left without either way
    assert [bool(pyo.value(r)) for r in rows] == [True, True, False, True, True]


def test_flow_needs_a_way() -> None:
    # serving 3 and 4 from site 0 is cheap, serving what lies between is not
    costs = [[0, 9], [9, 0], [9, 0], [0, 9], [0, 9], [9, 0]]
    task = problem(costs, [6, 6], [0, 2])
    model = single_source(task)
    take = {(u, j): model.attend[p] for p, u, j in task.pairs[["unit", "site"]].itertuples()}
    catchment_flow(model, take, {0: 0, 1: 2}, ROW, {0: 6, 1: 6})
    bridge = Bridge(model, {"cost": model.goal_cost})
    bridge.load(bridge.solve("cost", Limits(gap=0.0)).values)
    served = {u: j for (u, j), x in take.items() if pyo.value(x) > 0.5}
    assert not faults(task, served, ROW)
    # 0, 1 to A so that B keeps 2..5 in one piece costs 27; A over 1 and 5 to 3 and 4 costs 18
    assert cost_of(task, served) == pytest.approx(18)


def test_every_fault_is_found() -> None:
    task = problem([[1, 1]] * 6, [2, 6], [0, 2])
    task = SingleSource(task.demand, task.sites, task.pairs.drop(index=1))
    wrong = faults(task, {0: 1, 1: 0, 2: 1, 3: 0, 4: 0}, ROW)
    assert wrong.unserved == (5,)
    assert wrong.forbidden == ((0, 1),)
    assert wrong.over == ((0, 1.0),)
    assert {(j, frozenset(p)) for j, p in wrong.cut_off} == {
        (0, frozenset({1})), (0, frozenset({3, 4})), (1, frozenset({0})),
    }  # fmt: skip
    assert not faults(task, {0: 0, 1: 0, 2: 1, 3: 1, 4: 1, 5: 1}, ROW)
