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
from models.plan.decisions import Plan, Verdict
from models.problem.building import build_instance
from models.problem.request import Request
from optimizer.search.search import NoPlan
from optimizer.search.steps import find_plan
from optimizer.search.task import Target, Task
from optimizer.solver.limits import Limits
from tests.models.plans import RICH, Case, broken_rules, classes, close, keep_all, ready, send
from tests.samples import small_county

PAIR = (49, 50)


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
