"""What the objects show of themselves in a notebook: a short line, a table, and nothing of a table's text as markup."""

from __future__ import annotations

import math
from dataclasses import is_dataclass, replace

import pandas as pd

import junheng
from models.plan.arrangement import today_as_plan
from models.plan.decisions import GoalRecord, PlanResult, SolveRecord
from models.referee.audit import audit
from models.standards.norms import load_standards
from models.study.analysis import Alternative, Alternatives, Frontier, FrontierPoint
from tests.models.plans import keep_all, ready
from tests.samples import small_county

GOAL = GoalRecord("travel", 21.0, 20.0, 1 / 21, 1.0, 3, "stopped", 0.0)


def a_result() -> PlanResult:
    case = ready()
    made = today_as_plan(case.county, case.standards, case.times)
    fields = dict.fromkeys(SolveRecord.__dataclass_fields__, "") | {"goals": (GOAL,)}
    return PlanResult(
        case.county, {}, made, case.judge(made), SolveRecord(**fields), case.times, pd.DataFrame(), ()
    )


def test_a_line_is_short_and_says_what_it_is() -> None:
    county = small_county()
    result = a_result()
    frontier = Frontier(county, {}, "all", (), 1.0, 1.0, 0, False, 0.0, "", ())
    more = (result.plan, result.verdict, result.times, load_standards(county))
    shown = [repr(x) for x in (county, audit(county), result, frontier, *more)]
    assert all(len(line) < 250 and "\n" not in line for line in shown)
    assert f"{len(county.schools)} schools" in shown[0]
    stages = audit(county).stages
    assert f"{stages['units_passing'].sum():.0f} of {stages['units'].sum():.0f} units pass" in shown[1]
    assert result.plan.plan_id in shown[2] and "travel 21 (bound 20)" in shown[2]


def test_whatever_a_verb_returns_has_a_short_line_of_its_own() -> None:
    returned = [
        c for name in junheng.__all__ if isinstance(c := getattr(junheng, name), type) and is_dataclass(c)
    ]
    long = {c.__name__ for c in returned if c.__repr__.__qualname__ != f"{c.__name__}.__repr__"}
    # a finding, a job and its futures are a few words each
    assert long - {"Finding", "Futures", "Job"} == set()


def test_goals_stand_with_today_and_their_bounds() -> None:
    result = a_result()
    (row,) = result.goals.to_dict("records")
    today = result.verdict.goals.set_index("goal").at["travel", "today"]
    assert (row["goal"], row["plan"], row["bound"], row["today"]) == ("travel", 21.0, 20.0, today)
    assert "travel" in result._repr_html_() and "units_passing" in result._repr_html_()


def test_names_are_no_markup() -> None:
    county = replace(small_county(), name="<b>x</b>")
    assert "<b>x</b>" not in county._repr_html_()
    assert "<b>x</b>" not in replace(a_result(), county=county)._repr_html_()


def test_studies_are_tables() -> None:
    case = ready()
    plan, verdict = keep_all(case), case.judge(keep_all(case))
    none = pd.DataFrame()
    point = FrontierPoint(
        0.5, {"any": 10.0, "device": 5.0}, "plan", 2.0, 1.0, 0.5, False, plan, verdict, none
    )
    frontier = Frontier(case.county, {}, "all", (point,), 0.5, 0.5, 1, False, 0.0, "", ())
    assert frontier.table.iloc[0][["share", "yuan", "objective"]].tolist() == [0.5, 15.0, 2.0]
    one = Alternative(plan, verdict, 2.0, 0.0, 0, 0, 0, none)
    plans = Alternatives(case.county, {}, 0.01, math.nan, (one,), none, False, False, False, 0.0, "", ())
    assert plans.table["plan_id"].tolist() == [plan.plan_id]
    assert "1 plans within 1.0%" in repr(plans) and "<table" in plans._repr_html_()
