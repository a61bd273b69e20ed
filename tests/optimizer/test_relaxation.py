"""The relaxation settles means, bounds every plan and, rounded, gives a network; its clock is its own."""

from __future__ import annotations

import time
from dataclasses import fields, replace

import numpy as np
import pandas as pd
import pytest
from highspy import MatrixFormat
from scipy.sparse import csc_array, csr_array

import optimizer.search.steps as steps
from optimizer.scenario import Scenario
from optimizer.search.integration import solve_joint
from optimizer.search.method import Method
from optimizer.search.relaxation import among, near_pairs, relaxed_county, settled
from optimizer.search.restriction import rounded, solve_narrow
from optimizer.search.search import Search
from optimizer.search.solved import NoPlan
from optimizer.search.split import solve_split
from optimizer.search.task import IMBALANCE, Target, Task
from optimizer.solver.limits import Limits
from optimizer.verbs.plan import plan
from tests.models.plans import ready
from tests.optimizer.test_planning import EXACT, instance
from tests.samples import riding_county, small_county

TASK = Task()
BY_STEPS = Scenario(preset="balance_first", method=Method(joint_units=3))
"""The small county by the steps of large ones."""


def test_means_settle_on_amounts_that_the_budget_allows() -> None:
    inst = instance(ready(small_county()))
    about, clock = settled(inst, TASK, Limits())
    assert not clock
    assert set(about.centres) == set(inst.centres)
    assert all(m > 0 for m in about.centres.values())
    items = [k for k in inst.centres if k[1] == "equip_value"]
    assert all(about.centres[k] >= inst.centres[k] * 0.99 for k in items)  # equipment is bought, not lost
    same, _ = settled(inst, TASK, Limits())
    assert same.centres == about.centres


def test_a_search_that_gives_its_start_up_never_ends_with_a_worse_plan(monkeypatch) -> None:
    """300 sites: HiGHS gave the split's plan up unseen and ended with one of a higher imbalance."""
    county = relaxed_county(instance(ready(small_county())), TASK, Limits())
    answer = county.minimise("imbalance", Limits())
    assert answer.values is not None
    best = county.spreads.settled(answer.values)
    assert county.bridge.value("imbalance", best) == pytest.approx(county.exact("imbalance", answer.values))
    real, worse = county.bridge.solve, best.copy()
    worse[county.spreads.amount] *= 1.5
    assert county.exact("imbalance", worse) > county.exact("imbalance", best)
    monkeypatch.setattr(county.bridge, "solve", lambda *a, **k: replace(real(*a, **k), values=worse))
    again = county.minimise("imbalance", Limits(), start=best)
    assert again.values is best and again.objective == pytest.approx(county.exact("imbalance", best))


def test_a_plan_of_fewer_pairs_is_one_of_all_pairs() -> None:
    """Which of two schools sends is a column where both may; among fewer pairs it is none, and was carried over as no."""
    given = riding_county()
    tables = {f.name: getattr(given, f.name) for f in fields(given)}
    renamed = {n: t.replace("A3", "A0") for n, t in tables.items() if isinstance(t, pd.DataFrame)}
    inst = instance(ready(replace(given, **renamed)))
    sent = inst.groups["today_school_id"].reindex(inst.pairs["g"]).to_numpy()
    moved, two = inst.pairs["changed"], ("A0", "A1", "g1_3")
    few = Search(among(inst, set(inst.pairs.index[~(moved & (inst.pairs["school_id"] == "A0"))])), TASK)
    (leaves,) = inst.pairs.index[moved & (sent == "A0") & (inst.pairs["band"] == "g1_3")]
    few.bridge.fix({few.bridge.at("attend")[leaves]: 1.0})
    plan_of_few = few.bridge.solve("imbalance", Limits()).values
    county = Search(inst, TASK)
    assert two in county.model.sends and two not in few.model.sends
    assert most_broken(county, county.spreads.settled(county.carried(few, plan_of_few))) == pytest.approx(1.0)
    start = county.spreads.settled(county.start_from(few, plan_of_few, "imbalance"))
    assert most_broken(county, start) < 1e-6
    assert county.exact("imbalance", start) == pytest.approx(few.exact("imbalance", plan_of_few))


def most_broken(search: Search, values: np.ndarray) -> float:
    """By how much a solution misses the row that it misses most."""
    lp = search.bridge.highs.getLp()
    kind = csc_array if lp.a_matrix_.format_ == MatrixFormat.kColwise else csr_array
    terms = (lp.a_matrix_.value_, lp.a_matrix_.index_, lp.a_matrix_.start_)
    sums = kind(terms, shape=(lp.num_row_, lp.num_col_)) @ values
    return float(np.maximum(np.array(lp.row_lower_) - sums, sums - np.array(lp.row_upper_)).max())


def test_means_that_the_clock_leaves_no_time_for_are_todays() -> None:
    inst = instance(ready(small_county()))
    about, clock = settled(inst, TASK, Limits(seconds=1e-9))
    assert clock
    assert about.centres == inst.centres


def test_no_money_for_what_the_rules_ask_is_infeasible_and_not_merely_stopped() -> None:
    inst = instance(ready(small_county()))
    most = inst.units.assign(most=1, capacity=1)
    with pytest.raises(NoPlan) as stop:
        relaxed_county(replace(inst, units=most), TASK, Limits())
    assert stop.value.status == "infeasible"


def test_the_steps_go_down_to_the_bound() -> None:
    """Relaxation <= joint's bound <= joint's plan <= the split that it starts from."""
    inst = instance(ready(small_county()))
    county = relaxed_county(inst, TASK, Limits())
    assert {int(p) for p in inst.pairs.index[inst.pairs["stay"]]} <= set(county.near)
    network = solve_narrow(county, EXACT)
    split = solve_split(network, IMBALANCE, EXACT)
    value = split.search.exact("imbalance", split.values)
    joint = solve_joint(county, split, IMBALANCE, EXACT)
    goal = joint.goals[0]
    assert county.relaxed.objective <= goal.bound + 1e-9
    assert goal.bound <= goal.objective + 1e-7
    assert goal.objective <= value + 1e-6


def test_a_joint_search_that_comes_too_late_keeps_its_start_and_says_so() -> None:
    inst = instance(ready(small_county()))
    county = relaxed_county(inst, TASK, Limits())
    county.seconds = 1e9
    split = solve_split(solve_narrow(county, EXACT), IMBALANCE, EXACT)
    joint = solve_joint(county, split, (*IMBALANCE, Target("travel")), replace(EXACT, gap=1e-9))
    assert joint.clock
    assert [g.goal for g in joint.goals] == ["imbalance"]
    assert joint.goals[0].status == "stopped"
    assert joint.goals[0].bound == county.relaxed.objective
    assert joint.goals[0].objective == pytest.approx(split.search.exact("imbalance", split.values), abs=1e-6)


def test_the_joint_step_is_begun_with_less_time_than_the_relaxation_took() -> None:
    """300 sites: 157 s were left, the relaxation had taken 170 to 230 s, and a root that takes 23 s was left out."""
    inst = instance(ready(small_county()))
    county = relaxed_county(inst, TASK, Limits())
    split = solve_split(solve_narrow(county, EXACT), IMBALANCE, EXACT)
    county.seconds = EXACT.seconds
    joint = solve_joint(county, split, IMBALANCE, replace(EXACT, gap=1e-9))
    assert joint.goals[0].bound > county.relaxed.objective + 1e-6


def test_a_last_split_that_comes_to_no_plan_keeps_the_joint_steps(monkeypatch) -> None:
    """300 sites: the clock ended the last split without a plan, and the run said that there was none."""
    inst = instance(ready(small_county()))
    county = relaxed_county(inst, Task(method=Method(joint_units=3)), Limits())
    real, calls = steps.solve_split, []

    def late(*asked, **more):
        calls.append(more.get("whole", False))
        if len(calls) == 2:
            raise NoPlan("no_plan", inst)
        return real(*asked, **more)

    monkeypatch.setattr(steps, "solve_split", late)
    found = steps.imbalance_first(county, time.monotonic())
    assert calls == [False, True]
    assert found.final.clock and found.final.values is found.decided.values
    assert found.final.goals[0].bound <= found.final.goals[0].objective + 1e-9


def relaxed_network():
    """The small county's network model, its relaxation, and the columns of its pairs."""
    inst = instance(ready(small_county()))
    search = Search(inst, TASK, whole=False)
    answer = search.relax(10, Limits())
    assert answer.values is not None
    attend = [search.bridge.column("attend", p) for p in inst.pairs.index]
    return search, answer, attend


def test_a_rounded_relaxation_is_a_network_or_nothing() -> None:
    search, answer, attend = relaxed_network()
    found = rounded(search, answer.values, Limits())
    assert found is not None
    assert found.values is not None
    assert found.objective >= answer.objective - 1e-9
    assert np.allclose(found.values[attend], np.round(found.values[attend]))
    again = search.bridge.solve("imbalance", EXACT)  # the columns have their own bounds back
    assert again.objective <= found.objective + 1e-7
    nobody = answer.values.copy()
    nobody[attend] = 0.0  # then every group goes to its first pair, and that is past what there is room for
    search.bridge.highs.changeRowBounds(0, 1e6, 1e6)
    assert rounded(search, nobody, Limits()) is None


def test_near_pairs_hold_those_in_use() -> None:
    search, answer, attend = relaxed_network()
    used = search.instance.pairs.index[answer.values[attend] > 1e-4]
    assert set(used) <= set(near_pairs(search, answer))
    assert near_pairs(search, replace(answer, values=None)) == ()


def test_a_relaxation_is_not_charged_for_the_time_of_earlier_ones() -> None:
    bridge = Search(instance(ready(small_county())), TASK, whole=False).bridge
    bridge.relax(True)
    while bridge.highs.getRunTime() < 0.5:
        bridge.highs.clearSolver()
        assert bridge.solve("imbalance", Limits()).status == "proven"
    late = bridge.solve("cost", Limits(seconds=0.4))
    assert late.status == "proven"
    assert not late.clock


def test_a_stop_before_a_network_gives_the_first_plan_and_begins_nothing_more(monkeypatch) -> None:
    def stopped(county: Search, *_: object) -> None:
        raise NoPlan("no_plan", county.instance, interrupted=True)

    def never(*_: object) -> None:
        raise AssertionError("another search was begun")

    monkeypatch.setattr(steps, "solve_narrow", stopped)
    monkeypatch.setattr(steps, "_in_one_model", never)
    result = plan(small_county(), BY_STEPS)
    assert result.verdict.accepted
    assert 0 < result.solve.bound <= result.solve.objective


def test_a_stop_in_the_relaxation_gives_the_first_plan_and_its_bound(monkeypatch) -> None:
    def pressed(*asked: object) -> Search:
        county = relaxed_county(*asked)
        county.task.stop.set()
        return county

    def never(*_: object) -> None:
        raise AssertionError("the joint search was begun")

    monkeypatch.setattr(steps, "relaxed_county", pressed)
    monkeypatch.setattr(steps, "solve_joint", never)
    result = plan(small_county(), BY_STEPS)
    assert result.verdict.accepted
    assert ("reasons.goal_left", "travel") in {(f.key, f.fields.get("goal")) for f in result.findings}
    assert 0 < result.solve.bound <= result.solve.objective + 1e-7


def test_a_relaxation_that_the_clock_ended_says_so_and_keeps_its_bound() -> None:
    inst = instance(ready(small_county()))
    free = Search(inst, TASK, whole=False).relax(20, Limits(), hulls=True)
    search = Search(inst, TASK, whole=False)
    first = search.bridge.solve
    calls = []

    def slow(*asked: object, **more: object):
        calls.append(asked)
        answer = first(*asked, **more)
        return answer if len(calls) < 3 else replace(answer, status="no_plan", values=None, clock=True)

    search.bridge.solve = slow
    late = search.relax(20, Limits(), hulls=True)
    assert late.clock
    assert not free.clock
    assert late.status == "proven"
    assert late.objective <= free.objective + 1e-9
