"""What serves nothing is not done, and what serves something stays."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from models.plan.decisions import Plan, Verdict
from models.plan.reasons import list_actions
from optimizer.verbs.tidy import IDLE, without_idle
from tests.models.plans import Case, keep_all, ready, rows


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
    idle = actions[actions["reason_key"] == IDLE]
    assert set(idle["action"]) == {"purchase"} and len(idle) == 2
    found = without_idle(plan, verdict, actions, case.judge)
    assert found.dropped == 2 and found.plan.purchases.empty
    assert found.plan.hires[["school_id", "cat_id", "heads"]].to_numpy().tolist() == [["B1", "arts", 1]]
    assert found.verdict.accepted
    again = actions_of(case, found.plan, found.verdict)
    assert IDLE not in set(again["reason_key"])


def test_nothing_is_left_out_where_the_referee_does_not_agree() -> None:
    case = ready()
    plan = replace(keep_all(case), purchases=rows("purchases", ("A2", "pri", "equip_value", 3.0)))
    verdict = case.judge(plan)
    worse = replace(verdict, goals=verdict.goals.assign(plan=verdict.goals["plan"] + 1.0))
    found = without_idle(plan, verdict, actions_of(case, plan, verdict), lambda _: worse)
    assert found.dropped == 0 and found.plan == plan
