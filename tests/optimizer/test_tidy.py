"""What serves nothing is not done, and what serves something stays."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pandas as pd
import pytest

from maps.wording import reason
from models.impact.checks import NO_EFFECT
from models.plan.decisions import Plan, Verdict
from models.plan.reasons.actions import list_actions
from models.referee.verdict import Trial
from models.rules.registry import NETWORK_FAMILIES, every_rule
from optimizer.verbs.finishing.received import receivers_explained
from optimizer.verbs.finishing.tidy import loss, told_apart, without_idle, without_trifles
from tests.models.plans import Case, closing, keep_all, moved, ready, rows, same_verdict, send
from tests.samples import small_county


def actions_of(case: Case, plan: Plan, verdict: Verdict) -> pd.DataFrame:
    return list_actions(case.county, plan, verdict, case.standards, lambda one: case.judge(one).violations)


def test_an_idle_purchase_is_left_out_and_a_useful_one_kept() -> None:
    """A1 and A2 have the equipment that the standard asks for; three yuan more change no number that is shown."""
    case = ready()
    useful = ("B1", "pri", "arts", 1)  # 2 for 260 pupils: 0.9 per 100 needs 3
    plan = replace(
        keep_all(case),
        hires=rows("hires", useful),
        purchases=rows("purchases", ("A2", "pri", "equip_value", 3.0), ("A1", "pri", "equip_value", 3.0)),
    )
    verdict = case.judge(plan)
    actions = actions_of(case, plan, verdict)
    idle = actions[actions["reason_key"] == NO_EFFECT]
    assert set(idle["action"]) == {"purchase"} and len(idle) == 2
    found = without_idle(plan, verdict, actions, case.tried)
    assert found.dropped == 2 and found.plan.purchases.empty
    assert found.plan.hires[["school_id", "cat_id", "heads"]].to_numpy().tolist() == [["B1", "arts", 1]]
    assert found.verdict.accepted
    again = actions_of(case, found.plan, found.verdict)
    assert NO_EFFECT not in set(again["reason_key"])


def test_what_stays_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    """The referee finds a goal worse without the row: it stays, with that goal and both numbers as its reason."""
    case, worth = ready(), Trial.worth
    plan = replace(keep_all(case), purchases=rows("purchases", ("A2", "pri", "equip_value", 3.0)))
    verdict = case.judge(plan)
    actions = actions_of(case, plan, verdict)
    monkeypatch.setattr(Trial, "worth", lambda self: worth(self) + 0.0625 * (worth(self).index == "travel"))
    found = without_idle(plan, verdict, actions, case.tried)
    assert found.dropped == 0 and found.plan == plan
    (told,) = (
        found.explained(actions)
        .query("action == 'purchase'")[["reason_key", "reason_fields"]]
        .to_numpy()
        .tolist()
    )
    minutes = verdict.goals.set_index("goal").at["travel", "plan"]
    assert told[0] == "reasons.serves_goal" and told[1]["goal"] == "travel"
    assert told[1]["without"] - told[1]["value"] == pytest.approx(0.0625, abs=0.01)
    assert told[1]["value"] == pytest.approx(minutes, abs=0.01)
    assert "mean way to school" in reason(told[0], told[1], "en")


@pytest.mark.parametrize(("tolerance", "left"), [(0.02, ["B9"]), (0.0, ["A1", "A9", "B9"])])
def test_trifles_are_left_out_as_far_as_later_goals_may_take(tolerance: float, left: list[str]) -> None:
    """B9's 15,000 yuan meet a standard; 53 yuan of the 21,000 that A9 lacks, or 20 m2 where the standard is met, nobody would sign."""
    case = ready()
    bought = (
        ("A9", "jun", "equip_value", 53.0), ("A1", "pri", "area_teaching", 20.0), ("B9", "jun", "equip_value", 15_000.0),
    )  # fmt: skip
    plan = replace(keep_all(case), purchases=rows("purchases", *bought))
    verdict = case.judge(plan)
    actions = actions_of(case, plan, verdict)
    found = without_trifles(
        plan, verdict, actions, case.tried, case.standards, {"failing": 0.0, "deficit": tolerance}
    )
    assert sorted(found.plan.purchases["school_id"]) == left
    assert found.verdict.accepted and found.dropped == 3 - len(left)
    old, new = (v.goals.set_index("goal")["plan"] for v in (verdict, found.verdict))
    assert old["deficit"] <= new["deficit"] <= old["deficit"] * (1 + 0.1 * tolerance)


@pytest.mark.parametrize(("tolerance", "left"), [(0.02, []), (0.0, ["A2"])])
def test_what_is_beyond_the_standard_is_not_bought_for_next_to_nothing(
    tolerance: float, left: list[str]
) -> None:
    """A2 has three rooms for 120 pupils, 2.76 are asked for, and the county's mean is higher: a fourth would only bring it nearer."""
    case = ready()
    plan = replace(keep_all(case), purchases=rows("purchases", ("A2", "pri", "rooms_multimedia", 1.0)))
    verdict = case.judge(plan)
    actions = actions_of(case, plan, verdict)
    assert actions.query("action == 'purchase'")["reason_key"].tolist() == ["reasons.serves_deficit"]
    found = without_trifles(
        plan, verdict, actions, case.tried, case.standards, {"failing": 0.0, "deficit": tolerance}
    )
    assert found.plan.purchases["school_id"].tolist() == left


def test_a_school_that_takes_pupils_says_what_for() -> None:
    """Grades 4-6 of A1 have 160 pupils in three classes: 18 who leave for A2 bring 31.7 pupils over a cap down to 13.7."""
    case = ready()
    plan = send(keep_all(case), "V3", "g4_6", "A2", "bus")
    verdict = case.judge(plan)
    told = receivers_explained(actions_of(case, plan, verdict), plan, verdict, case.tried)
    (key, fields) = told.query("action == 'receive'")[["reason_key", "reason_fields"]].to_numpy().tolist()[0]
    assert key == "reasons.receive_relief"
    assert {k: fields[k] for k in ("pupils", "left", "home", "value", "without")} == {
        "pupils": 18, "left": 18, "home": ["甲镇A1"], "value": 14, "without": 32,
    }  # fmt: skip
    assert "18" in reason(key, fields, "zh") and "甲镇A1" in reason(key, fields, "en")


def test_who_takes_the_pupils_of_a_closed_school_needs_no_other_reason() -> None:
    case = ready()
    plan = closing(case)
    verdict = case.judge(plan)
    told = receivers_explained(actions_of(case, plan, verdict), plan, verdict, case.tried)
    assert told.query("action == 'receive'")["reason_key"].tolist() == ["reasons.receive"]


def test_what_reaches_the_share_that_a_pass_needs_says_so() -> None:
    """A9 meets all but equipment, at 2,000 a pupil of 2,500: with 26,250 yuan it is at 85 % and passes."""
    stage = small_county().school_stage
    stage.loc[stage["school_id"] == "A9", "equip_value"] = 420_000.0
    case = ready().but(school_stage=stage)
    plan = replace(keep_all(case), purchases=rows("purchases", ("A9", "jun", "equip_value", 26_250.0)))
    verdict = case.judge(plan)
    told = actions_of(case, plan, verdict).query("action == 'purchase'")
    assert told["reason_key"].tolist() == ["reasons.serves_near"]
    fields = told["reason_fields"].iloc[0]
    assert (fields["share"], fields["with_it"], fields["without"]) == (85, 2125.0, 2000.0)


def test_a_row_that_holds_a_rule_says_so() -> None:
    case = ready()
    plan = replace(keep_all(case), purchases=rows("purchases", ("A2", "pri", "equip_value", 3.0)))
    verdict = case.judge(plan)
    broken = case.tried(moved(keep_all(case), ("A3", "pri", "A1", "pri", "plain", 1)))
    assert loss(verdict, broken) == ("reasons.serves_rule", {"rule": "floor_class", "place": "甲镇A3"})


def test_a_trial_says_what_the_verdict_says() -> None:
    """The same first rule and place, goals and imbalance, without reckoning the rest."""
    case = ready()
    for plan in (keep_all(case), moved(keep_all(case), ("A3", "pri", "A1", "pri", "plain", 1))):
        verdict, trial = case.judge(plan), case.tried(plan)
        hard = verdict.violations.query("kind == 'hard' and not grandfathered")[["rule", "place"]]
        assert trial.broken() == (tuple(hard.iloc[0]) if len(hard) else None)
        imbalance = verdict.measures.set_index("measure").loc[["imbalance"], "plan"]
        pd.testing.assert_series_equal(
            trial.worth(), pd.concat([verdict.goals.set_index("goal")["plan"], imbalance]), check_names=False
        )


def test_a_plan_like_another_has_the_verdict_that_it_has_by_itself() -> None:
    case = ready()
    trial = case.tried(closing(case))
    hired = replace(closing(case), hires=rows("hires", ("B1", "pri", "arts", 1)))
    unmoved = moved(closing(case), ("A3", "pri", "A1", "pri", "plain", 1))
    for plan in (hired, unmoved, keep_all(case)):  # the last has other bands and ways
        assert same_verdict(trial.but(plan).verdict(), case.judge(plan))
        assert trial.but(plan).violations().equals(case.judge(plan).violations)


def test_rules_of_the_network_look_at_nothing_else() -> None:
    """They find the same in a county that has neither staff, things nor money."""
    case = ready().with_rules(closures_share=0.1, travel_increase=1, class_cap_pri=20)
    after = case.tried(closing(case)).after
    counted = ["staff", *case.standards.heads, *case.standards.items]
    bare: Any = {"plan": None, "heads": None, "budget": None, "cells_plan": None}
    today: Any = {"cells": None, "stock": None}
    bare["today"] = replace(after.today, **today)
    network = replace(after, new=after.new.drop(columns=counted), network={}, **bare)
    some = [r for r in every_rule() if r.family in NETWORK_FAMILIES]
    assert {r.family for r in some} == set(NETWORK_FAMILIES)
    assert all(r.check(network).equals(r.check(after)) for r in some)
    assert sum(len(r.check(after)) > 0 for r in some) >= 3


def test_numbers_are_told_apart() -> None:
    assert told_apart(603.4984, 603.5266) == (603.5, 603.53)
    assert told_apart(1.65001, 1.65008) == (1.65, 1.6501)
    assert told_apart(2.0, 2.0) == (2.0, 2.0)
