"""Who loses, what a meeting would reject, how sure each goal is: on plans small enough to reckon by hand."""

from __future__ import annotations

import math
from dataclasses import replace

import pandas as pd
import pytest

from models.impact.certainty import certainty
from models.impact.checks import BROKEN, CHECKS, OK, PERSON, UNASSESSED, Check, rejection_checks
from models.impact.losses import (
    longer_ways,
    losing_units,
    staff_changes,
    unit_changes,
    unknown_ways,
    zone_balance,
)
from models.plan.decisions import GoalRecord, Plan, PlanResult, SolveRecord
from models.plan.reasons.actions import list_actions
from tests.models.plans import Case, closing, keep_all, moved, ready, rows, send
from tests.models.test_quality import placed, result_of
from tests.samples import small_county


def checks_of(case: Case, plan: Plan) -> dict[str, Check]:
    return {c.id: c for c in rejection_checks(result_of(case, plan))}


def with_schools(**columns: dict[str, object]) -> Case:
    """The small county with other cells for some schools."""
    schools = small_county().schools.copy()
    for column, values in columns.items():
        schools[column] = [
            values.get(i, v) for i, v in zip(schools["school_id"], schools[column], strict=True)
        ]
    return ready(replace(small_county(), schools=schools))


def with_disabled(pupils: int) -> Case:
    stage = small_county().school_stage
    return ready(replace(small_county(), school_stage=stage.assign(disabled=pupils)))


def test_a_group_that_goes_farther_is_told_with_its_minutes() -> None:
    case = ready()
    travel = case.judge(closing(case)).travel
    (row,) = longer_ways(travel).to_dict("records")
    assert (row["village_id"], row["band"], row["pupils"], row["school_id"]) == ("V3", "g1_3", 12, "A1")
    assert row["added"] == pytest.approx(row["minutes"] - row["minutes_today"]) and row["added"] > 5
    assert not row["beyond"]  # 15 minutes on a bus, 30 allowed
    (far,) = longer_ways(case.judge(send(keep_all(case), "V1", "g1_3", "A2", "walk")).travel).to_dict(
        "records"
    )
    assert far["beyond"] and far["pupils"] == 90


def test_a_way_that_nobody_knows_is_neither_longer_nor_shorter() -> None:
    travel = ready().judge(closing(ready())).travel.copy()
    here = travel["changed"].astype(bool)
    travel.loc[here, "minutes"] = float("nan")
    assert longer_ways(travel).empty
    assert unknown_ways(travel)["pupils"].tolist() == [12]


def test_who_loses_a_teacher_and_what_kind() -> None:
    case = ready()
    plan = moved(keep_all(case), ("A1", "pri", "B1", "pri", "backbone", 2))
    plan = replace(plan, hires=rows("hires", ("A1", "pri", "arts", 1)))
    table = staff_changes(case.county, plan)
    assert table.loc[("A1/pri", "all")].tolist() == [2, 0, 1, -1]
    assert table.loc[("A1/pri", "b")].tolist() == [2, 0, 0, -2]  # a backbone teacher counts as q, too
    assert table.loc[("A1/pri", "q")].tolist() == [2, 0, 1, -1]
    assert table.loc[("A1/pri", "a")].tolist() == [0, 0, 1, 1]
    assert table.loc[("B1/pri", "b"), "net"] == 2
    assert set(table.index.get_level_values("unit_id")) == {"A1/pri", "B1/pri"}


def test_who_changes_and_who_loses() -> None:
    case = ready()
    table = unit_changes(result_of(case, closing(case))).set_index("unit_id")
    changed = table[table["changes"]]
    assert set(changed.index) == {"A1/pri", "A3/pri"}
    a1, a3 = changed.loc["A1/pri"], changed.loc["A3/pri"]
    assert (a1["come"], a1["leave"], a1["pupils"], a1["net"], a1["classes"]) == (12, 0, 12, 3, 1)
    assert (a3["come"], a3["leave"], a3["pupils"], a3["net"], a3["open_plan"]) == (0, 12, -12, -3, False)
    # 12 pupils by bus 2,993 and transition 800 each, 3 teachers 9,000 each, two rooms and 28,800 yuan of equipment moved
    assert a1["money"] == pytest.approx(12 * (2993 + 800) + 3 * 9000 + 2 * 2000 + 0.02 * 28800)
    assert losing_units(table.reset_index())["unit_id"].tolist() == ["A3/pri"]


def test_a_receiver_that_loses_indicators_stands_first_among_the_losers() -> None:
    case = ready()
    table = unit_changes(result_of(case, send(keep_all(case), "V1", "g1_3", "A2", "walk")))
    losers = losing_units(table)
    assert losers["unit_id"].tolist() == ["A2/pri", "A1/pri"]
    assert losers["lost"].tolist() == [("q", "sp", "sf", "eq", "mm"), ()]


def test_today_changes_nothing_for_anybody() -> None:
    result = result_of(ready(), keep_all(ready()))
    assert not unit_changes(result)["changes"].any()
    assert losing_units(unit_changes(result)).empty
    assert (zone_balance(result)["net"] == 0).all()


def test_zones_win_what_others_lose() -> None:
    case = placed({"A1": "seat"})
    plan = moved(
        keep_all(case), ("A1", "pri", "B1", "pri", "backbone", 2), ("B1", "pri", "A1", "pri", "arts", 1)
    )
    table = zone_balance(result_of(case, plan)).set_index(["zone", "kind"])
    assert table.loc[("seat", "all")].tolist() == [2, 1, -1]
    assert table.loc[("rural", "b")].tolist() == [0, 2, 2]
    assert table.loc[("rural", "a")].tolist() == [1, 0, -1]
    assert table.groupby("kind")["net"].sum().eq(0).all()


def test_today_passes_what_tables_can_answer() -> None:
    found = checks_of(ready(), keep_all(ready()))
    assert tuple(found) == CHECKS and len(CHECKS) == 15
    assert {i for i, c in found.items() if c.verdict != OK} == {"statistics", "filing"}


def test_a_closing_leaves_to_people_what_people_decide() -> None:
    found = checks_of(ready(), closing(ready()))
    told = {i: c.verdict for i, c in found.items()}
    people = ("order", "hearing", "protected", "teachers", "earmarks", "statistics", "filing", "reuse")
    assert {i for i, v in told.items() if v == PERSON} == set(people)
    assert told["disabled"] == UNASSESSED  # the column is empty
    assert found["reuse"].places == ("甲镇A3",)
    assert found["earmarks"].fields["yuan"] == pytest.approx(12 * 2993 + 3 * 9000)


def test_a_bad_move_breaks_what_it_breaks() -> None:
    found = checks_of(ready(), send(keep_all(ready()), "V1", "g1_3", "A2", "walk"))
    assert {i for i, c in found.items() if c.verdict == BROKEN} == {
        "early_travel",
        "receiver_caps",
        "receiver_indicators",
    }
    assert found["early_travel"].fields["pupils"] == 90 and found["early_travel"].places == ("甲镇V1村",)
    assert found["receiver_indicators"].fields["cells"] == 5
    older = checks_of(ready(), send(keep_all(ready()), "V1", "g4_6", "A2", "walk"))
    assert older["early_travel"].verdict == OK  # about the youngest alone


def test_caps_that_are_not_looked_at_are_not_said_to_hold() -> None:
    case = ready()
    result = result_of(case, closing(case))
    off = result.verdict.rules[
        ~result.verdict.rules["rule"].isin(["class_size", "school_size", "capacity", "budget"])
    ]
    blind = replace(result, verdict=replace(result.verdict, rules=off))
    found = {c.id: c.verdict for c in rejection_checks(blind)}
    assert (found["receiver_caps"], found["earmarks"]) == (UNASSESSED, UNASSESSED)


def test_a_cap_that_was_broken_before_goes_to_a_person() -> None:
    case = ready()
    result = result_of(case, closing(case))
    over = pd.DataFrame([("capacity", "", "hard", "A1/pri", "甲镇A1", 312.0, 300.0, "pupils", True)], columns=result.verdict.violations.columns)  # fmt: skip
    found = {
        c.id: c for c in rejection_checks(replace(result, verdict=replace(result.verdict, violations=over)))
    }
    assert (found["receiver_caps"].verdict, found["receiver_caps"].places) == (PERSON, ("甲镇A1",))
    elsewhere = over.assign(place_id="B1/pri")
    found = {
        c.id: c
        for c in rejection_checks(replace(result, verdict=replace(result.verdict, violations=elsewhere)))
    }
    assert found["receiver_caps"].verdict == OK


def test_a_protected_site_and_a_township_without_its_junior_school() -> None:
    case = with_schools(protected={"A3": "donor"})
    found = checks_of(case, closing(case))
    assert (found["protected"].verdict, found["protected"].places) == (BROKEN, ("甲镇A3",))
    case = ready()
    result = result_of(case, closing(case))
    units = result.verdict.units
    gone = units.assign(open_plan=units["open_plan"] & (units["unit_id"] != "B9/jun"))
    found = {c.id: c for c in rejection_checks(replace(result, verdict=replace(result.verdict, units=gone)))}
    assert (found["township_junior"].verdict, found["township_junior"].places) == (BROKEN, ("乙镇",))


@pytest.mark.parametrize(("pupils", "verdict"), [(0, OK), (2, PERSON)])
def test_pupils_with_disabilities_are_counted_where_the_table_tells(pupils: int, verdict: str) -> None:
    case = with_disabled(pupils)
    found = checks_of(case, closing(case))["disabled"]
    assert found.verdict == verdict
    assert found.fields.get("pupils", 0) == pupils  # one unit loses pupils


def test_an_action_without_a_cause_is_a_fault_of_the_plan() -> None:
    case = ready()
    plan = moved(
        keep_all(case), ("A2", "pri", "B3", "pri", "plain", 1)
    )  # B3 is not assessed, nobody needs it
    result = result_of(case, plan)
    result = replace(result, actions=list_actions(case.county, plan, result.verdict, case.standards))
    found = {c.id: c for c in rejection_checks(result)}["explained"]
    assert (found.verdict, found.fields, found.places) == (BROKEN, {"actions": 1, "of": 1}, ("乙镇B3",))


def solved(*goals: GoalRecord, status: str = "stopped") -> PlanResult:
    result = result_of(ready(), keep_all(ready()))
    return replace(result, solve=SolveRecord(1.0, 1.0, 0.0, 1.0, status, "by hand", 0, goals))


def test_what_recurs_is_not_paid_from_one_off_money() -> None:
    """12 riders and three rotations cost 62,916 yuan a year; transport has 300,000, teachers 1,200,000."""
    budget = small_county().budget
    once = budget.assign(one_off=budget["earmark"].isin(["transport"]))
    first = ready(replace(small_county(), budget=once))
    found = checks_of(first, closing(first))["earmarks"]
    assert (found.verdict, found.note) == (BROKEN, "recurrent_short")
    assert found.fields["yuan"] == pytest.approx(12 * 2993)  # the buses; the teachers' money lasts
    spare = once.assign(amount=once["amount"].where(once["earmark"] != "any", 50_000.0))
    case = ready(replace(small_county(), budget=spare))
    assert (
        checks_of(case, closing(case))["earmarks"].verdict == PERSON
    )  # money for any purpose pays the buses


def goal(name: str, value: float, bound: float) -> GoalRecord:
    return GoalRecord(name, value, bound, 0.0, 1.0, 0, "stopped", 0.0)


def test_how_sure_each_goal_is() -> None:
    table = certainty(
        solved(
            goal("failing", 10.0, 8.2), goal("travel", 20.0, 19.9), goal("deficit", 100.0, 50.0), goal("cost", 800.0, -math.inf),
            goal("cv_excess", 0.2, 0.0), goal("cells", 0.0, 0.0),
        )
    ).set_index("goal")  # fmt: skip
    assert table["sure"].to_dict() == {
        "failing": "near", "travel": "proven", "deficit": "far", "cost": "none", "cv_excess": "none", "cells": "proven",
    }  # fmt: skip
    assert table.loc["failing", "bound"] == 9.0  # no plan fails at 8.2 units
    assert table.loc["failing", "gap"] == pytest.approx(0.1)
    assert table.loc["deficit", "gap"] == pytest.approx(0.5)
    assert math.isnan(table.loc["cost", "bound"]) and math.isnan(table.loc["cost", "gap"])


def test_the_bound_of_these_catchments_is_told_beside_a_loose_one_only() -> None:
    loose = replace(goal("deficit", 600.0, 450.0), settled=594.0)
    table = certainty(
        solved(loose, replace(goal("travel", 20.0, 19.9), settled=19.95), replace(goal("cost", 800.0, 700.0), settled=650.0),
               replace(goal("failing", 10.0, 8.0), settled=8.4))
    ).set_index("goal")  # fmt: skip
    assert table.loc["deficit", ["bound", "settled"]].tolist() == [450.0, 594.0]
    assert table.loc["deficit", "settled_gap"] == pytest.approx(0.01)
    assert math.isnan(table.loc["travel", "settled"])  # proven over all plans
    assert math.isnan(table.loc["cost", "settled"])  # says less than the bound
    assert table.loc["failing", "settled"] == 9.0


def test_a_plan_edited_by_hand_has_no_bounds() -> None:
    assert certainty(solved(goal("failing", 10.0, 9.0), status="edited")).empty
