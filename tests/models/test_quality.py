"""What a plan wins and loses, on plans small enough to reckon by hand."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.plan.decisions import GoalRecord, Plan, PlanResult, SolveRecord
from models.plan.quality import plan_quality
from tests.models.plans import Case, closing, keep_all, moved, ready, send
from tests.samples import small_county

GOALS = (
    GoalRecord("failing", 3.0, 2.0, 1 / 3, 4.0, 7, "stopped", 0.0),
    GoalRecord("cost", 1e4, 1e4, 0.0, 1.0, 1, "proven", 0.0),
)
SOLVE = SolveRecord(3.0, 2.0, 1 / 3, 5.0, "stopped", "by hand", 0, GOALS)


def result_of(case: Case, plan: Plan) -> PlanResult:
    return PlanResult(case.county, {}, plan, case.judge(plan), SOLVE, case.times, pd.DataFrame(), ())


def values(result: PlanResult) -> dict[str, float]:
    """Values by ``measure`` or ``measure about``."""
    table = plan_quality(result)
    keys = [f"{m} {a}".strip() for m, a in zip(table["measure"], table["about"], strict=True)]
    assert len(set(keys)) == len(keys)
    return dict(zip(keys, table["value"], strict=True))


def quality_of(case: Case, plan: Plan) -> dict[str, float]:
    return values(result_of(case, plan))


def placed(zones: dict[str, str]) -> Case:
    """The small county with some schools in other zones."""
    county = small_county()
    zone = county.schools["school_id"].map(zones).fillna(county.schools["zone"])
    return ready(replace(county, schools=county.schools.assign(zone=zone)))


def test_today_as_a_plan_wins_and_loses_nothing():
    found = quality_of(ready(), keep_all(ready()))
    for measure in ("units", "cells"):
        assert found[f"{measure}_won"] == found[f"{measure}_lost"] == found[f"{measure}_gone"] == 0
    assert found["cells_met today"] == found["cells_met plan"] > 0
    assert found["units_assessed today"] == found["units_assessed plan"] == 5  # two points are below 50
    assert found["cells_assessed today"] == 35 and found["cv_assessed plan"] == 14
    moves = (
        "pupils_longer 0",
        "pupils_newly_beyond all",
        "groups_past_own",
        "exchanges",
        "pupils_changed",
    )
    assert [found[m] for m in moves] == [0.0] * len(moves)
    assert pd.isna(found["minutes_longer mean"]) and pd.isna(found["minutes_longer most"])
    assert (found["classes_cut"], found["units_cut"]) == (0, 0)


def test_a_class_cut_for_the_same_pupils_is_counted():
    stay = keep_all(ready())
    bands = stay.bands
    bands.loc[bands["school_id"] == "B3", "classes"] -= 1
    found = quality_of(ready(), replace(stay, bands=bands))
    assert (found["classes_cut"], found["units_cut"]) == (1, 1)


def test_a_class_cut_because_pupils_left_has_its_cause():
    found = quality_of(ready(), closing(ready()))
    assert (found["classes_cut"], found["units_cut"]) == (0, 0)  # A3 closes, the others keep their classes
    assert (found["sites_closed"], found["bands_closed"], found["pupils_changed"]) == (1, 1, 12)
    assert (found["teachers_moved"], found["teachers_hired"]) == (3, 0)
    assert found["teachers_flow rural>rural"] == 3 and found["teachers_net rural:all"] == 0
    assert found["teachers_net small:all"] == 0  # A3 does not stay, A1 is not small
    assert found["pupils_flow rural>rural"] == 12
    assert found["groups_past_own"] == 0  # their own school is gone


def test_who_goes_past_the_own_school_and_who_only_changes_places():
    case = ready()
    plan = send(send(keep_all(case), "V1", "g1_3", "A2", "walk"), "V4", "g1_3", "A1", "walk")
    found = quality_of(case, plan)
    assert (found["exchanges"], found["pupils_exchanged"]) == (1, 60)
    assert (found["groups_past_own"], found["pupils_past_own"], found["pupils_past_full"]) == (2, 150, 0)
    assert found["pupils_longer 0"] == found["pupils_longer 15"] == 150
    assert found["pupils_newly_beyond all"] == found["pupils_newly_beyond g1_3"] == 150
    assert found["pupils_newly_beyond g7_9"] == 0
    ways = case.judge(plan).travel.query("changed")
    grown = ways["minutes"] - ways["minutes_today"]
    assert found["minutes_longer most"] == pytest.approx(grown.max())
    assert found["minutes_longer mean"] == pytest.approx((grown * ways["pupils"]).sum() / 150)


def test_a_school_over_its_places_may_send_pupils_on():
    county = small_county()
    full = county.school_stage["school_id"].eq("A1")
    stage = county.school_stage.assign(capacity_pupils=county.school_stage["capacity_pupils"].mask(full, 250))
    case = ready(replace(county, school_stage=stage))
    found = quality_of(case, send(keep_all(case), "V1", "g1_3", "A2", "walk"))
    assert (found["groups_past_own"], found["pupils_past_own"], found["pupils_past_full"]) == (0, 0, 90)


def test_cells_won_and_lost_are_never_netted():
    """Three of A1's five backbone teachers go to B1: A1 has 2 where 3 are asked, B1 has 4 of 3."""
    case = placed({"A1": "seat"})
    found = quality_of(case, moved(keep_all(case), ("A1", "pri", "B1", "pri", "backbone", 3)))
    assert (found["cells_won"], found["cells_lost"], found["units_losing"]) == (1, 1, 1)
    assert found["cells_met today"] == found["cells_met plan"]
    nets = {k: found[f"teachers_net {k}"] for k in ("seat:b", "rural:b", "seat:a", "small:b", "rural:all")}
    assert nets == {"seat:b": -3, "rural:b": 3, "seat:a": 0, "small:b": 0, "rural:all": 3}
    assert found["teachers_flow seat>rural"] == 3


def test_a_small_unit_that_gives_a_teacher_away_shows():
    case = ready()
    found = quality_of(case, moved(keep_all(case), ("A2", "pri", "A1", "pri", "backbone", 1)))
    assert (found["teachers_net small:b"], found["teachers_net small:q"]) == (-1, -1)
    assert found["teachers_net rural:b"] == 0


def test_goals_keep_their_gap_beside_their_bound():
    result = result_of(ready(), keep_all(ready()))
    found = values(result)
    assert (found["objective failing"], found["bound failing"]) == (3, 2)
    assert found["gap failing"] == pytest.approx(1 / 3) and found["gap cost"] == 0 and found["seconds"] == 5
    assert found["rules_broken hard"] == (~result.verdict.rules.query("kind == 'hard'")["ok"]).sum()
    assert found["yuan_left all"] + found["yuan all"] == result.verdict.budget["available"].sum()


SIDE = st.tuples(st.booleans(), st.booleans(), st.booleans())  # assessed, met, passes


@cache
def kept() -> PlanResult:
    """Today as a plan, judged once."""
    return result_of(ready(), keep_all(ready()))


@settings(max_examples=60)
@given(st.lists(st.tuples(SIDE, SIDE, st.booleans()), min_size=5, max_size=5))
def test_what_is_met_changes_by_what_is_won_lost_gone_and_new(drawn):
    """For any verdict: after = before - lost - gone + won + new; each counted here one by one."""
    result = kept()
    units = result.verdict.units.head(5).copy()
    cells = result.verdict.indicators
    cells = cells[cells["unit_id"].isin(units["unit_id"]) & (cells["indicator"] == "q")].copy()
    cells = cells.sort_values("unit_id")
    assert list(cells["unit_id"]) == list(units["unit_id"])
    for i, side in enumerate(("today", "plan")):
        cells[f"assessed_{side}"] = [d[i][0] for d in drawn]
        cells[f"met_{side}"] = [d[i][1] for d in drawn]
        units[f"passes_{side}"] = [d[i][2] and d[i][0] for d in drawn]
    units["open_plan"] = [d[2] for d in drawn]
    found = values(replace(result, verdict=replace(result.verdict, units=units, indicators=cells)))
    before = [a and m for (a, m, _), _, _ in drawn]
    counts = [a and stays for _, (a, _, _), stays in drawn]
    after = [c and m for c, (_, (_, m, _), _) in zip(counts, drawn, strict=True)]
    assert (found["cells_met today"], found["cells_met plan"]) == (sum(before), sum(after))
    lost = [b and c and not x for b, c, x in zip(before, counts, after, strict=True)]
    assert (found["cells_lost"], found["units_losing"]) == (sum(lost), sum(lost))
    assert found["cells_gone"] == sum(b and not c for b, c in zip(before, counts, strict=True))
    change = found["cells_won"] + found["cells_new"] - found["cells_lost"] - found["cells_gone"]
    assert found["cells_met plan"] == found["cells_met today"] + change
