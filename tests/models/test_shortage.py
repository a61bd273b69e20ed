"""Schools short of a kind of teachers give none of it up: told by the county's own standards, stated where a county asks."""

from __future__ import annotations

from dataclasses import replace

import pyomo.environ as pyo
import pytest

from maps.front.headline import alarms
from models.formulation.model import build_model
from models.plan.decisions import Plan, PlanResult, SolveRecord, Verdict
from models.plan.reasons.actions import list_actions
from models.problem.building import build_instance
from models.problem.instance import Instance
from models.problem.request import Request
from optimizer.cli.showing import norms_table
from tests.models.plans import RICH, Case, broken_rules, close, keep_all, moved, ready, rows
from tests.samples import small_county

NORM = "short_gives_none"
LOOSE = ("floor_", "outflow_", "met_kept")
"""Norms of other rules that the moves below break as well."""


def alone(case: Case, kind: str = "hard") -> Case:
    off = {n: "off" for n in case.standards.rules if n.startswith(LOOSE)}
    return case.binding(**off, **{NORM: kind})


def told(verdict: Verdict) -> list[tuple[str, str, float, float]]:
    found = verdict.violations.query("rule == @NORM")
    return list(zip(found["place_id"], found["place"], found["amount"], found["limit"], strict=True))


BACKBONE = ("B1", "pri", "A1", "pri", "backbone", 1)
"""B1 has 1 backbone teacher for 260 pupils, who is one of its twelve qualified ones: 10.92 are asked for."""


def test_it_is_told_by_place_and_amount() -> None:
    case = alone(ready(), "report")
    verdict = case.judge(moved(keep_all(case), BACKBONE))
    assert verdict.accepted and broken_rules(verdict) == [NORM]
    assert told(verdict) == [("B1/pri", "乙镇B1 b", 0.0, 1.0)]  # eleven qualified teachers are still enough
    assert told(case.judge(keep_all(case))) == []


@pytest.mark.parametrize(
    ("move", "bought", "places"),
    [
        (
            ("A1", "pri", "B1", "pri", "backbone", 2),
            (),
            [],
        ),  # 3 are left for 300 pupils: as many as asked for
        (("A1", "pri", "B1", "pri", "backbone", 3), (), ["A1/pri"]),
        (
            ("A1", "pri", "B1", "pri", "backbone", 3),
            (("A1", "pri", "backbone", 1),),
            [],
        ),  # one is hired: enough
        (
            ("B1", "pri", "A1", "pri", "arts", 1),
            (("B1", "pri", "arts", 1),),
            ["B1/pri"],
        ),  # hired: still short of 3
        (("A3", "pri", "A1", "pri", "plain_q", 1), (), []),  # a point of 12 pupils is not assessed
    ],
)
def test_who_is_short(
    move: tuple[str, str, str, str, str, object], bought: tuple[tuple[object, ...], ...], places: list[str]
) -> None:
    case = alone(ready())
    plan = replace(moved(keep_all(case), move), hires=rows("hires", *bought))
    assert [p for p, *_ in told(case.judge(plan, Request(budget=RICH)))] == places


def test_a_school_that_closes_sends_everybody() -> None:
    """A2 is short of PE and arts teachers: 1 for 120 pupils is under 0.9 for a hundred."""
    case = alone(ready())
    assert told(case.judge(close(case, keep_all(case), "A2", "A1"))) == []


def test_pupils_who_come_make_a_school_short() -> None:
    """A1 has enough PE and arts teachers for its 300 pupils and not for 350."""
    case = alone(ready())
    one = moved(keep_all(case), ("A1", "pri", "B1", "pri", "arts", 1))
    assert told(case.judge(one)) == []
    going = one.attendance
    more = going.assign(pupils=going["pupils"].where(going["school_id"] != "A1", going["pupils"] + 10))
    assert told(case.judge(replace(one, attendance=more))) == [("A1/pri", "甲镇A1 a", 3.0, 4.0)]


def merged() -> Case:
    """A3 does not count as a school and stands with B1, which is short of backbone teachers; A3 has one of them too."""
    county = small_county()
    schools, stock = county.schools.copy(), county.staff_stock.copy()
    here = schools["school_id"] == "A3"
    schools.loc[here, "counted"], schools.loc[here, "parent_id"] = False, "B1"
    stock.loc[(stock["school_id"] == "A3") & (stock["cat_id"] == "plain_q"), "cat_id"] = "backbone"
    return alone(ready(replace(county, schools=schools, staff_stock=stock)))


def test_a_place_that_does_not_count_stands_with_its_parent() -> None:
    case = merged()
    within = moved(keep_all(case), ("A3", "pri", "B1", "pri", "backbone", 1))
    assert told(case.judge(within)) == []
    away = moved(keep_all(case), ("A3", "pri", "A1", "pri", "backbone", 1))
    assert told(case.judge(away)) == [("B1/pri", "乙镇B1 b", 1.0, 2.0)]


def stated(case: Case) -> tuple[pyo.ConcreteModel, Instance]:
    inst = build_instance(case.county, case.standards, Request(goals=("cost",)), case.times)
    return build_model(inst), inst


def test_rows_of_the_model() -> None:
    model, inst = stated(alone(ready()))
    kept, met = (getattr(model, f"{NORM}__{part}") for part in ("kept", "met"))
    assert set(kept) == set(met) == set(model.short_gives_none__enough)
    assert {u for u, _ in kept} == {"A1/pri", "A2/pri", "A9/jun", "B1/pri", "B9/jun"}
    key = ("B1/pri", "b")
    model.unit_open["B1/pri"].value = 1.0
    model.pupils["B1/pri"].value, model.amount[key].value = 260.0, 0.0
    for columns in (model.out, model.into):
        for k in columns:
            columns[k].value = 0.0
    model.out["B1/pri", "backbone"].value = 1.0
    for enough, fine in ((0.0, (False, True)), (1.0, (True, False))):
        model.short_gives_none__enough[key].value = enough
        assert tuple(r[key].lslack() >= -1e-9 and r[key].uslack() >= -1e-9 for r in (kept, met)) == fine
    # one for each hundred pupils, in pupil-equivalents of the county's mean
    model.amount[key].value = 2.6 / inst.centres["pri", "b"]
    assert met[key].lslack() >= -1e-9


@pytest.mark.parametrize("kind", ["report", "off"])
def test_told_only_it_states_nothing(kind: str) -> None:
    model, _ = stated(ready().binding(**{NORM: kind}))
    assert not [c for c in model.component_objects() if c.local_name.startswith(NORM)]


def as_result(case: Case, plan: Plan) -> PlanResult:
    verdict = case.judge(plan)
    solve = SolveRecord(1.0, 0.0, 1.0, 1.0, "stopped", "none", 0, ())
    actions = list_actions(case.county, plan, verdict, case.standards)
    return PlanResult(case.county, {}, plan, verdict, solve, case.times, actions, ())


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("zh", ("缺什么教师不调出什么教师", "报告")),
        ("en", ("Schools short of teachers give none up", "report")),
    ],
)
def test_pages_show_it_first_among_what_does_not_hold(language: str, words: tuple[str, str]) -> None:
    case = alone(ready(), "report")
    shown = alarms(as_result(case, moved(keep_all(case), BACKBONE)), language)
    assert [(a.rule, a.kind) for a in shown] == [words] and "乙镇B1" in shown[0].worst


@pytest.mark.parametrize(
    ("language", "words"),
    [("zh", "缺什么教师不调出什么教师"), ("en", "Schools short of teachers give none up")],
)
def test_the_norms_in_force_name_it(language: str, words: str) -> None:
    table = norms_table(small_county(), language)
    assert table.loc[table.iloc[:, 1] == NORM].iloc[0, 0] == words
