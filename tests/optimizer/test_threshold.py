"""Nothing gained around the assessment threshold: two counties in which one pupil makes a school count, or not.

Point A3 has 49 pupils in one county and 50 in the other, and fails as soon as it is assessed. Closing it, filling it or emptying it
brings no goal of the standards forward in either, in the referee's reckoning and in the search's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache

import pytest

from models.formulation.model import build_model
from models.formulation.solution import unpack
from models.plan.decisions import Plan, Verdict
from models.problem.building import build_instance
from models.problem.request import Request
from optimizer.search.solved import NoPlan
from optimizer.search.steps import find_plan
from optimizer.search.task import Target, Task
from optimizer.solver.limits import Limits
from tests.models.plans import RICH, Case, broken_rules, classes, close, keep_all, ready, send, with_village
from tests.samples import small_county

PAIR = (49, 50)
KEPT = ("area_teaching", "area_sport", "rooms_multimedia")
"""What A3 meets today."""


@cache
def county(pupils: int) -> Case:
    """V2 sends its twenty small children to A3, V3 the others; A1, where V2's went, has fewer. On foot 20 minutes are the limit."""
    plain = small_county()
    going, demand, stage = plain.attendance.copy(), plain.demand.copy(), plain.school_stage.copy()
    for village, many in (("V2", 20), ("V3", pupils - 20)):
        here = (going["village_id"] == village) & (going["band"] == "g1_3")
        going.loc[here, ["school_id", "pupils"]] = ["A3", many]
        demand.loc[(demand["village_id"] == village) & (demand["band"] == "g1_3"), "pupils_base"] = many
    stage.loc[stage["school_id"] == "A3", ["pupils", "capacity_pupils"]] = [pupils, 120]
    stage.loc[stage["school_id"] == "A1", "pupils"] = 250
    going = going.sort_values(["village_id", "school_id", "band"]).reset_index(drop=True)
    return ready(replace(plain, attendance=going, demand=demand, school_stage=stage)).with_rules(
        travel_walk_g1_3=20
    )


def emptied(case: Case) -> Plan:
    """V2's twenty go to A1, which is nearer to them."""
    return send(keep_all(case), "V2", "g1_3", "A1", "bus")


def filled(case: Case) -> Plan:
    """A village of sixty comes to A3."""
    return send(keep_all(case), "V4", "g1_3", "A3", "bus")


def closed(case: Case) -> Plan:
    return classes(close(case, keep_all(case), "A3", "A1"), "A1", "g1_3", 6)


@cache
def judged(pupils: int, change: Callable[[Case], Plan]) -> Verdict:
    case = county(pupils)
    return case.judge(change(case), Request(budget=RICH))


def failing(verdict: Verdict) -> tuple[float, int]:
    """The goal's value, and the units besides A3 that fail."""
    units = verdict.units.query("unit_id != 'A3/pri' and open_plan")
    others = int((~units["passes_plan"].fillna(True).astype(bool)).sum())
    return float(verdict.goals.set_index("goal").at["failing", "plan"]), others


@pytest.mark.parametrize("pupils", PAIR)
@pytest.mark.parametrize(
    ("change", "costs"), [(keep_all, (0, 1)), (closed, (0, 1)), (emptied, (0, 1)), (filled, (1, 1))]
)
def test_the_school_costs_what_it_costs_today(
    pupils: int, change: Callable[[Case], Plan], costs: tuple[int, int]
) -> None:
    """In `failing` A3 stands for nothing with 49 pupils and for one with 50, closed or emptied or not; filled it costs one in both."""
    goal, others = failing(judged(pupils, change))
    assert goal - others == costs[PAIR.index(pupils)]


def test_emptying_is_rejected_by_exactly_its_rule() -> None:
    """From 50 to 30 the school would leave the count, which the official number of failing schools would show as progress."""
    verdict = judged(50, emptied)
    assert broken_rules(verdict) == ["assessed_floor"]
    count = verdict.measures.set_index("measure").loc["units_assessed"]
    assert count["plan"] == count["today"] - 1
    wrong = verdict.violations.query("rule == 'assessed_floor'")
    assert wrong[["place_id", "amount", "limit"]].to_numpy().tolist() == [["A3/pri", 30, 50]]
    assert broken_rules(judged(49, emptied)) == []


@pytest.mark.parametrize("pupils", PAIR)
def test_filling_takes_nothing_that_the_school_has(pupils: int) -> None:
    """A3 has what its pupils need of rooms and equipment, not what sixty more need: nobody fills it up to be counted so."""
    verdict = judged(pupils, filled)
    assert "met_kept" in broken_rules(verdict)
    wrong = verdict.violations.query("rule == 'met_kept'")
    assert set(wrong["place_id"]) == {"A3/pri"}
    case = county(pupils)
    inst = build_instance(case.county, case.standards, Request(budget=RICH), case.times)
    model = build_model(inst)
    assert {k for k in model.met_kept if k[0] == "A3/pri"} == {("A3/pri", r) for r in KEPT}


def least(pupils: int, goal: str, close_it: bool) -> tuple[float, float]:
    """Best value and bound of a goal with A3 kept or closed, whatever the money."""
    case = county(pupils)
    asked = {"close": ("A3",)} if close_it else {"keep_open": ("A3",)}
    request = Request(budget=RICH, goals=(goal,), **asked)
    inst = build_instance(case.county, case.standards, request, case.times)
    try:
        found = find_plan(inst, Task((Target(goal),), Limits(gap=1e-6, seconds=60)))
    except NoPlan:
        return float("inf"), float("inf")
    one = found.decided.goals[0]
    return one.objective, one.bound


@pytest.mark.parametrize("pupils", PAIR)
def test_one_more_pupil_does_not_close_the_school(pupils: int) -> None:
    """In neither county is there a plan without A3 that is better than the best with it."""
    kept, gone = least(pupils, "failing", False), least(pupils, "failing", True)
    assert kept[0] <= gone[1] + 1e-6


@pytest.mark.parametrize("pupils", PAIR)
def test_the_model_has_the_floor_where_the_school_counts(pupils: int) -> None:
    """Open with fewer than fifty is no plan of the model where it counts today; where it does not, it may have fewer."""
    case = county(pupils)
    model = build_model(build_instance(case.county, case.standards, Request(budget=RICH), case.times))
    assert ("A3/pri" in model.assessed_floor) == (pupils >= 50)
    assert ("A3/pri" in model.counted) == (pupils < 50)  # a binary of its own: whether it comes to count


# ---- the other threshold: a concession lends PE and arts teachers to rural units of 50 to 99 pupils


@cache
def lent(pupils: int) -> Case:
    """A2 has no PE or arts teacher of its own, and one whom it shares counts there up to 99 pupils; eight of V6 could go to A1."""
    plain = small_county()
    going, demand = plain.attendance.copy(), plain.demand.copy()
    parts = {"g1_3": pupils // 2, "g4_6": pupils - pupils // 2 - 8}
    for band, many in parts.items():
        here = (going["village_id"] == "V4") & (going["band"] == band)
        going.loc[here, "pupils"], demand.loc[here, "pupils_base"] = many, many
    stage = plain.school_stage.assign(arts_shared=(plain.school_stage["school_id"] == "A2").astype(float))
    stage.loc[stage["school_id"] == "A2", "pupils"] = pupils
    stock = plain.staff_stock.query("school_id != 'A2' or cat_id != 'arts'").reset_index(drop=True)
    county = replace(plain, attendance=going, demand=demand, school_stage=stage, staff_stock=stock)
    return ready(with_village(county, "V6", 2.0, 0.1, ("A2", "g4_6", 8))).binding(moved_share="off")


def cell(verdict: Verdict) -> list[bool]:
    rows = verdict.indicators.query("unit_id == 'A2/pri' and indicator == 'a'")
    return rows[["met_today", "met_plan"]].iloc[0].tolist()


def test_a_school_brought_down_to_the_concession_gains_nothing() -> None:
    """Eight fewer of 104: the shared teacher would count, and no plan may earn that."""
    case = lent(104)
    fewer = case.judge(send(keep_all(case), "V6", "g4_6", "A1", "bus"))
    assert cell(fewer) == [False, False]
    assert cell(lent(99).judge(keep_all(lent(99)))) == [True, True]


def test_a_school_filled_beyond_the_concession_loses_what_it_met() -> None:
    """From 96 to 148 pupils the shared teacher counts no more."""
    case = lent(96).binding(past_own_school="off", travel_increase="off", past_nearer_school="off")
    more = case.judge(send(keep_all(case), "V2", "g4_6", "A2", "bus"), Request(budget=RICH))
    assert cell(more) == [True, False] and "met_kept" in broken_rules(more)


@pytest.mark.parametrize("pupils", [99, 104])
@pytest.mark.parametrize("goal", ["failing", "cells", "shortfall"])
def test_the_model_counts_whom_the_referee_counts(pupils: int, goal: str) -> None:
    """A bound above the referee's value ended every plan of a county with shared teachers as a defect."""
    case = lent(pupils)
    request = Request(budget=dict.fromkeys(RICH, 0.0), goals=(goal,))
    inst = build_instance(case.county, case.standards, request, case.times)
    found = find_plan(inst, Task((Target(goal),), Limits(gap=1e-6, seconds=60)))
    verdict = case.judge(unpack(found.final.loaded(), found.final.instance, case.times.towns), request)
    value = float(verdict.goals.set_index("goal").at[goal, "plan"])
    assert found.decided.goals[0].bound == pytest.approx(value, abs=1e-6) and verdict.accepted
