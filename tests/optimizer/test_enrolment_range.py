"""The range of a unit's pupils holds every plan that the model admits; a part of a model is that model."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyomo.environ as pyo
import pytest

from benchmarks.generated import generated_county
from geodata.travel.times import travel_times
from models.formulation.model import build_model
from models.problem.building import build_instance
from models.problem.enrolment import reach_of
from models.problem.request import Request
from models.standards.norms import load_standards
from optimizer.search.search import Search
from optimizer.search.task import Task
from optimizer.solver.bridge import Bridge
from optimizer.solver.limits import Limits
from tests.models.plans import ready
from tests.optimizer.test_planning import EXACT, instance
from tests.samples import small_county


@pytest.mark.parametrize("past", ["hard", "report"])
@pytest.mark.parametrize("kind", ["hard", "soft", "report"])
def test_no_plan_leaves_the_range(kind: str, past: str) -> None:
    """Where an own school within a walk keeps its pupils, no school of this county can be sent more than its places."""
    inst = instance(ready(small_county()).binding(capacity=kind, past_own_school=past))
    low, high = reach_of(inst).range(np.ones(len(inst.pairs), dtype=bool))
    within = (high <= inst.units["most"]).all()
    assert within == (kind == "hard" or past == "hard"), "where places do not bind, they are no range"
    model = build_model(inst)
    model.end = pyo.Objective(expr=sum(model.pupils[u] for u in inst.units.index))
    bridge = Bridge(model, {"end": model.end})
    for i, u in enumerate(inst.units.index):
        column = bridge.column("pupils", u)
        bridge.bound(bridge.column("unit_open", u), 1.0, 1.0)
        for sign, end in ((1.0, low[i]), (-1.0, high[i])):
            cost = np.zeros(len(bridge.columns))
            cost[column] = sign
            bridge.costs["end"] = (cost, 0.0)
            answer = bridge.solve("end", Limits(gap=1e-6))
            assert sign * (abs(answer.objective) - end) >= -1e-6
        bridge.bound(bridge.column("unit_open", u), 0.0, 1.0)


def test_pupils_who_pass_their_villages_school_are_counted_once_where_one_way_is_left() -> None:
    """A network that is settled: they were counted as staying and as forced, and planes over that range cut off every plan."""
    county = generated_county(12, 24, seed=1, budget=1e6)
    inst = build_instance(county, load_standards(county), Request(), travel_times(county))
    passing = inst.groups.index[~inst.groups["main"].astype(bool)]
    stays = inst.pairs[inst.pairs["stay"]]
    assert stays["g"].isin(passing).any()
    settled = replace(inst, pairs=stays, past=inst.past.iloc[:0])
    low, high = reach_of(settled).range(np.ones(len(stays), dtype=bool))
    today = inst.units["pupils"].to_numpy(float)
    assert (low <= today).all() and (today <= high).all()


def test_a_pair_ruled_out_narrows_the_range() -> None:
    inst = instance(ready(small_county()))
    reach = reach_of(inst)
    possible = np.ones(len(inst.pairs), dtype=bool)
    low, high = reach.range(possible)
    several = inst.pairs.groupby("g")["school_id"].transform("nunique") > 1
    assert several.any()
    for p in np.flatnonzero(several):
        possible[p] = False
        less_low, less_high = reach.range(possible)
        assert (less_low >= low).all()
        assert (less_high <= high).all()
        possible[p] = True


def test_the_relaxation_with_planes_of_whole_heads_never_passes_the_best_whole_plan() -> None:
    inst = instance(ready(small_county()))
    search = Search(inst, Task())
    bridge = search.bridge
    relaxed = search.relax(20, Limits())
    plain = Search(inst, Task()).bridge  # first tangents only: its optimum is a lower bound too
    best = plain.solve("imbalance", EXACT)
    again = bridge.solve("imbalance", EXACT)
    assert again.objective >= best.objective - 1e-7
    assert relaxed.objective <= again.objective + 1e-7


def test_a_part_of_a_model_is_the_model_with_the_rest_fixed() -> None:
    inst = instance(ready(small_county()))
    bridge = Search(inst, Task()).bridge
    best = bridge.solve("imbalance", EXACT)
    assert best.values is not None
    network = [i for i, (name, _) in enumerate(bridge.keys) if name in ("attend", "open")]
    free = np.setdiff1d(np.arange(len(bridge.columns)), network)
    part = bridge.part(free, best.values)
    assert int(part.engine.highs.getNumRow()) < bridge.rows
    answer = part.engine.solve("imbalance", EXACT)
    assert answer.values is not None
    assert answer.objective == pytest.approx(best.objective, abs=1e-6)
    assert bridge.value("imbalance", part.whole_solution(answer.values)) == pytest.approx(
        best.objective, abs=1e-6
    )
