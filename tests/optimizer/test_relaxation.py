"""The relaxation settles means, bounds every plan and, rounded, gives a network; its clock is its own."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from models.formulation.model import build_model
from optimizer.search.integration import solve_joint
from optimizer.search.relaxation import (
    NoPlan,
    Relaxed,
    bridge_of,
    near_pairs,
    relax_and_cut,
    relaxed_county,
    settled,
)
from optimizer.search.restriction import rounded, solve_narrow
from optimizer.search.split import exact_value, solve_split
from optimizer.solver.bridge import Limits
from optimizer.verbs import plan as planning
from tests.models.plans import ready
from tests.optimizer.test_planning import EXACT, instance
from tests.samples import small_county


def test_means_settle_on_amounts_that_the_budget_allows() -> None:
    inst = instance(ready(small_county()))
    about, clock = settled(inst, Limits())
    assert not clock
    assert set(about.centres) == set(inst.centres)
    assert all(m > 0 for m in about.centres.values())
    items = [k for k in inst.centres if k[1] == "equip_value"]
    assert all(about.centres[k] >= inst.centres[k] * 0.99 for k in items)  # equipment is bought, not lost
    same, _ = settled(inst, Limits())
    assert same.centres == about.centres


def test_no_money_for_what_the_rules_ask_is_infeasible_and_not_merely_stopped() -> None:
    inst = instance(ready(small_county()))
    most = inst.units.assign(most=1, capacity=1)
    with pytest.raises(NoPlan) as stop:
        relaxed_county(replace(inst, units=most), Limits())
    assert stop.value.status == "infeasible"


def test_the_steps_go_down_to_the_bound() -> None:
    """Relaxation <= joint's bound <= joint's plan <= the split that it starts from."""
    inst = instance(ready(small_county()))
    relaxed = relaxed_county(inst, Limits())
    assert {int(p) for p in inst.pairs.index[inst.pairs["stay"]]} <= set(relaxed.near)
    network = solve_narrow(relaxed, EXACT)
    split = solve_split(network, [("imbalance", 0.0)], EXACT)
    value = exact_value(split.model, split.instance)
    joint = solve_joint(relaxed, split, [("imbalance", 0.0)], EXACT)
    goal = joint.goals[0]
    assert relaxed.answer.objective <= goal.bound + 1e-9
    assert goal.bound <= goal.objective + 1e-7
    assert goal.objective <= value + 1e-6


def test_a_joint_search_that_comes_too_late_keeps_its_start_and_says_so() -> None:
    inst = instance(ready(small_county()))
    relaxed = replace(relaxed_county(inst, Limits()), seconds=1e9)
    split = solve_split(solve_narrow(relaxed, EXACT), [("imbalance", 0.0)], EXACT)
    joint = solve_joint(relaxed, split, [("imbalance", 0.0), ("travel", 0.0)], replace(EXACT, gap=1e-9))
    assert joint.clock
    assert [g.goal for g in joint.goals] == ["imbalance"]
    assert joint.goals[0].status == "stopped"
    assert joint.goals[0].bound == relaxed.answer.objective
    assert joint.goals[0].objective == pytest.approx(exact_value(split.model, split.instance), abs=1e-6)


def relaxed_network():
    """The small county's network model, its relaxation, and the columns of its pairs."""
    inst = instance(ready(small_county()))
    model = build_model(inst)
    bridge = bridge_of(model)
    answer = relax_and_cut(bridge, model, inst, 10, Limits())
    assert answer.values is not None
    attend = [bridge.position[id(model.attend[p])] for p in inst.pairs.index]
    return inst, model, bridge, answer, attend


def test_a_rounded_relaxation_is_a_network_or_nothing() -> None:
    inst, model, bridge, answer, attend = relaxed_network()
    found = rounded(bridge, model, inst, answer.values, Limits())
    assert found is not None
    assert found.values is not None
    assert found.objective >= answer.objective - 1e-9
    assert np.allclose(found.values[attend], np.round(found.values[attend]))
    again = bridge.solve("imbalance", EXACT)  # the columns have their own bounds back
    assert again.objective <= found.objective + 1e-7
    nobody = answer.values.copy()
    nobody[attend] = 0.0  # then every group goes to its first pair, and that is past what there is room for
    bridge.highs.changeRowBounds(0, 1e6, 1e6)
    assert rounded(bridge, model, inst, nobody, Limits()) is None


def test_near_pairs_hold_those_in_use() -> None:
    inst, model, bridge, answer, attend = relaxed_network()
    used = inst.pairs.index[answer.values[attend] > 1e-4]
    assert set(used) <= set(near_pairs(bridge, model, inst, answer))
    assert near_pairs(bridge, model, inst, replace(answer, values=None)) == ()


def test_a_relaxation_is_not_charged_for_the_time_of_earlier_ones() -> None:
    inst = instance(ready(small_county()))
    model = build_model(inst)
    bridge = bridge_of(model)
    bridge.relax(True)
    while bridge.highs.getRunTime() < 0.5:
        bridge.highs.clearSolver()
        assert bridge.solve("imbalance", Limits()).status == "proven"
    late = bridge.solve("cost", Limits(seconds=0.4))
    assert late.status == "proven"
    assert not late.clock


def test_ctrl_c_before_a_network_ends_without_a_plan_and_begins_nothing_more(monkeypatch) -> None:
    def stopped(relaxed, *_: object) -> None:
        raise NoPlan("no_plan", relaxed.instance, interrupted=True)

    def never(*_: object) -> None:
        raise AssertionError("another search was begun")

    monkeypatch.setattr(planning, "JOINT_UNITS", 3)
    monkeypatch.setattr(planning, "solve_narrow", stopped)
    monkeypatch.setattr(planning, "solved", never)
    with pytest.raises(planning.StoppedWithoutPlan):
        planning.plan(small_county())


def test_ctrl_c_in_the_relaxation_gives_the_first_plan_and_its_bound(monkeypatch) -> None:
    def pressed(*asked: object) -> Relaxed:
        relaxed = relaxed_county(*asked)
        relaxed.bridge.interrupt()
        return relaxed

    def never(*_: object) -> None:
        raise AssertionError("the joint search was begun")

    monkeypatch.setattr(planning, "JOINT_UNITS", 3)
    monkeypatch.setattr(planning, "relaxed_county", pressed)
    monkeypatch.setattr(planning, "solve_joint", never)
    result = planning.plan(small_county())
    assert result.verdict.accepted
    assert "reasons.goal_left_travel" in {f.key for f in result.findings}
    assert 0 < result.solve.bound <= result.solve.objective + 1e-7


def test_a_relaxation_that_the_clock_ended_says_so_and_keeps_its_bound() -> None:
    inst = instance(ready(small_county()))
    model = build_model(inst)
    free = relax_and_cut(bridge_of(model), model, inst, 20, Limits(), hulls=True)
    bridge = bridge_of(model)
    first = bridge.solve
    calls = []

    def slow(*asked: object, **more: object):
        calls.append(asked)
        answer = first(*asked, **more)
        return answer if len(calls) < 3 else replace(answer, status="no_plan", values=None, clock=True)

    bridge.solve = slow
    late = relax_and_cut(bridge, model, inst, 20, Limits(), hulls=True)
    assert late.clock
    assert not free.clock
    assert late.status == "proven"
    assert late.objective <= free.objective + 1e-9
