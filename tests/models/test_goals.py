"""Goals: the model's value at a whole plan is the referee's; nothing is gained at the assessment threshold."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd
import pytest

from geodata.contract.county import County
from models.formulation.solution import unpack
from models.plan.decisions import Plan, Verdict
from models.problem.building import build_instance
from models.problem.request import GOALS, Request
from optimizer.search.search import Search
from optimizer.search.start import all_but, columns_in, todays
from optimizer.search.steps import find_plan
from optimizer.search.task import Target, Task
from optimizer.solver.limits import Limits
from tests.models.plans import RICH, Case, classes, close, keep_all, ready, send
from tests.samples import small_county

DECIDED = ("open", "attend", "classes", "grade_classes", "out", "into", "hire", "flow", "buy", "got")
STRAIGHT = ("over_cap", "failing", "cells", "shortfall", "beyond_limit", "travel", "disruption", "cost")
"""Goals that need no tangents."""


@cache
def todays_search() -> tuple[Case, Search]:
    case = ready()
    inst = build_instance(case.county, case.standards, Request(budget={}, goals=GOALS), case.times)
    return case, Search(inst, Task((Target("failing"),)))


def with_todays_classes(search: Search) -> np.ndarray:
    """Today's arrangement with today's classes, grade by grade."""
    values, grades = todays(search), search.instance.grades["classes"]
    bands = grades.groupby(level=["school_id", "band"]).sum()
    for component, counts in (("grade_classes", grades), ("classes", bands)):
        for key, column in search.bridge.at(component).items():
            values[column] = float(counts[key])
    return values


@pytest.mark.parametrize("goal", STRAIGHT)
def test_the_model_values_today_as_the_referee_does(goal: str) -> None:
    case, search = todays_search()
    part = search.bridge.part(all_but(search, columns_in(search, DECIDED)), with_todays_classes(search))
    found = part.engine.solve(goal, Limits(gap=0.0))
    assert found.values is not None
    value = search.exact(goal, part.whole_solution(found.values))
    told = case.judge(keep_all(case), Request(budget={})).goals.set_index("goal")["plan"]
    assert value == pytest.approx(told[goal], abs=1e-6)


def values(verdict: Verdict) -> pd.Series:
    return verdict.goals.set_index("goal")["plan"]


def at_the_threshold(pupils: int) -> tuple[Case, Plan]:
    """Point A3 with so many pupils of V3, which fail as a unit, and the plan that closes it."""
    county: County = small_county()
    going, demand, stage = county.attendance, county.demand, county.school_stage
    going.loc[(going["school_id"] == "A3"), "pupils"] = pupils
    demand.loc[(demand["village_id"] == "V3") & (demand["band"] == "g1_3"), "pupils_base"] = pupils
    stage.loc[stage["school_id"] == "A3", "pupils"] = pupils
    case = ready(replace(county, attendance=going, demand=demand, school_stage=stage))
    return case, close(case, keep_all(case), "A3", "A1")


@pytest.mark.parametrize("pupils", [49, 50])
def test_one_more_pupil_never_makes_closing_a_school_pay(pupils: int) -> None:
    """49 pupils are not assessed, 50 are and fail: closing earns nothing in either county."""
    case, closed = at_the_threshold(pupils)
    before, after = values(case.judge(keep_all(case))), values(case.judge(closed, Request(budget=RICH)))
    assert case.judge(keep_all(case)).indicators.query("unit_id == 'A3/pri'")["assessed_today"].all() == (
        pupils >= 50
    )
    assert after["failing"] >= before["failing"]
    assert after["cells"] >= before["cells"]


def far_by_choice() -> Case:
    """Five small children of V4, whose school A2 is beside them, ride to A3 by choice; a ride may take ten minutes, as nobody's own does."""
    county = small_county()
    more = pd.DataFrame([{"village_id": "V4", "band": "g1_3", "school_id": "A3", "pupils": 5}])
    going = pd.concat([county.attendance, more]).sort_values(["village_id", "school_id", "band"])
    demand, stage = county.demand.copy(), county.school_stage.copy()
    demand.loc[(demand["village_id"] == "V4") & (demand["band"] == "g1_3"), "pupils_base"] = 65
    stage.loc[stage["school_id"] == "A3", "pupils"] = 17
    going = going.reset_index(drop=True)
    return ready(replace(county, attendance=going, demand=demand, school_stage=stage)).with_rules(
        travel_bus_g1_3=10
    )


@pytest.mark.parametrize("goal", ["beyond_limit", "travel"])
def test_closing_a_school_that_was_chosen_brings_nobody_nearer(goal: str) -> None:
    """Without A3 the five would go to A2, at home: their families chose otherwise. V3's twelve have a ride beyond the limit, and that counts."""
    case = far_by_choice()
    closed = send(close(case, keep_all(case), "A3", "A1"), "V4", "g1_3", "A2", "walk")
    today, shut = (case.judge(p, Request(budget=RICH)) for p in (keep_all(case), closed))
    ways = shut.travel.query("changed").set_index("village_id")
    assert ways.at["V4", "minutes"] < ways.at["V4", "minutes_today"] - 10
    added = 12 * (ways.at["V3", "minutes"] - ways.at["V3", "minutes_today"])
    more = added / shut.travel["pupils"].sum() if goal == "travel" else 12.0
    assert values(shut)[goal] == pytest.approx(values(today)[goal] + more)
    request = Request(budget=RICH, goals=(goal,))
    inst = build_instance(case.county, case.standards, request, case.times)
    found = find_plan(inst, Task((Target(goal),), Limits(gap=1e-6, seconds=60)))
    verdict = case.judge(unpack(found.final.loaded(), found.final.instance, case.times.towns), request)
    assert found.decided.goals[0].bound == pytest.approx(values(verdict)[goal], abs=1e-6)
    assert verdict.measures.set_index("measure").at["closures", "plan"] == 0


def test_half_of_a_school_with_the_teachers_of_the_whole_is_no_progress() -> None:
    """A2's 120 pupils lack a fifth of a backbone teacher and a tenth of one of arts; its lower sixty would have enough."""
    case = ready().binding(travel_increase="off", past_nearer_school="off")
    less = classes(send(keep_all(case), "V4", "g4_6", "A1", "bus"), "A2", "g4_6", 0, False)
    today, plan = case.judge(keep_all(case)), case.judge(less, Request(budget=RICH))
    assert plan.units.set_index("unit_id").at["A2/pri", "passes_plan"]
    assert not today.units.set_index("unit_id").at["A2/pri", "passes_plan"]
    others = (plan.units["passes_plan"] < plan.units["passes_today"]).sum()
    assert values(plan)["failing"] == values(today)["failing"] + others
    request = Request(budget=dict.fromkeys(RICH, 50_000.0), goals=("failing",))
    inst = build_instance(case.county, case.standards, request, case.times)
    found = find_plan(inst, Task((Target("failing"),), Limits(gap=1e-6, seconds=60)))
    verdict = case.judge(unpack(found.final.loaded(), found.final.instance, case.times.towns), request)
    assert found.decided.goals[0].bound == pytest.approx(values(verdict)["failing"], abs=1e-6)
