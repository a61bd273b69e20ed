"""Nobody passes through a school or is sent away from where as many are hired, unless the referee or the planner says so."""

from __future__ import annotations

from dataclasses import replace

import pytest

import optimizer.verbs.plan as planning
from models.formulation.solution import unpack
from models.plan.decisions import Plan
from models.plan.keeping import Held, held_of
from models.referee.verdict import Trial
from optimizer.scenario import Goal, Scenario
from optimizer.verbs.finishing.straight import Straightened, straightened
from tests.models.plans import Case, keep_all, moved, ready, rows
from tests.samples import small_county

Move = tuple[str, str, str, str, str, object]


def goes(a: str, b: str, category: str, heads: int) -> Move:
    """A transfer of primary teachers."""
    return a, "pri", b, "pri", category, heads


CHAIN = (goes("A1", "B1", "plain_q", 1), goes("B1", "A2", "plain_q", 1))
HIRE = rows("hires", ("A1", "pri", "arts", 2))


def straight(case: Case, plan: Plan, held: Held | None = None) -> Straightened:
    trial = case.tried(plan)
    assert trial.broken() is None
    found = straightened(plan, trial.verdict(), trial, Held() if held is None else held)
    assert found.verdict.accepted and found.verdict.goals.equals(case.judge(found.plan).goals)
    return found


def moves(plan: Plan) -> list[list[object]]:
    return plan.staff_moves.drop(columns=["row_id", "from_stage", "to_stage"]).to_numpy().tolist()


def hires(plan: Plan) -> list[list[object]]:
    return plan.hires[["school_id", "cat_id", "heads"]].to_numpy().tolist()


@pytest.mark.parametrize(
    ("asked", "left", "joined"),
    [
        (CHAIN, [["A1", "A2", "plain_q", 1]], 1),
        (
            (goes("A1", "A2", "plain_q", 3), goes("A2", "A3", "plain_q", 1)),
            [["A1", "A2", "plain_q", 2], ["A1", "A3", "plain_q", 1]],
            1,
        ),
        (
            (
                goes("A1", "A2", "plain_q", 1),
                goes("A2", "B1", "plain_q", 1),
                goes("B1", "A1", "plain_q", 1),
            ),
            [],
            1,
        ),
    ],
    ids=["through", "part", "ring"],
)
def test_nobody_passes_through_a_school(asked: tuple[Move, ...], left: list[object], joined: int) -> None:
    case = ready()
    plan = moved(keep_all(case), *asked)
    found = straight(case, plan)
    assert moves(found.plan) == left and (found.joined, found.hired) == (joined, 0)
    assert found.plan.staff_moves["row_id"].is_unique
    assert [f.key for f in found.notes()] == ["reasons.joined"]
    old, new = (case.tried(p).after.heads["heads"] for p in (plan, found.plan))
    assert old.equals(new)  # every school ends with the heads that it had


def test_heads_are_hired_where_a_transfer_would_have_ended() -> None:
    """A1 sends one PE or arts teacher to A2 and hires two: it hires one, and A2 the other."""
    case = ready()
    plan = replace(moved(keep_all(case), goes("A1", "A2", "arts", 1)), hires=HIRE)
    found = straight(case, plan)
    assert moves(found.plan) == [] and hires(found.plan) == [["A1", "arts", 1], ["A2", "arts", 1]]
    assert (found.joined, found.hired) == (0, 1)
    assert [f.key for f in found.notes()] == ["reasons.hired_there"]
    cost = [v.goals.set_index("goal").at["cost", "plan"] for v in (case.judge(plan), found.verdict)]
    assert cost[0] - cost[1] == pytest.approx(0.9)  # the subsidy of one transfer, in 10,000 yuan


def test_a_school_of_another_stage_hires_for_itself() -> None:
    """Junior A9 in the county seat sends one PE or arts teacher to primary A2 and hires two."""
    schools = small_county().schools
    schools.loc[schools["school_id"] == "A9", "zone"] = "seat"
    case = ready().but(schools=schools)
    plan = moved(keep_all(case), ("A9", "jun", "A2", "pri", "arts", 1))
    plan = replace(plan, hires=rows("hires", ("A9", "jun", "arts", 2)))
    found = straight(case, plan)
    assert moves(found.plan) == [] and found.hired == 1
    assert found.plan.hires[["school_id", "stage", "heads"]].to_numpy().tolist() == [
        ["A2", "pri", 1], ["A9", "jun", 1],
    ]  # fmt: skip


def test_nothing_changes_where_the_referee_refuses() -> None:
    """A2 sends a qualified teacher to A1 and gets one for it: who is hired makes up for nobody at a small school."""
    case = ready()
    plan = moved(keep_all(case), goes("A1", "A2", "arts", 1), goes("A2", "A1", "plain_q", 1))
    plan = replace(plan, hires=HIRE)
    there = moved(keep_all(case), goes("A2", "A1", "plain_q", 1))
    there = replace(there, hires=rows("hires", ("A1", "pri", "arts", 1), ("A2", "pri", "arts", 1)))
    broken = case.tried(there).broken()
    assert broken is not None and "A2" in broken[1]
    found = straight(case, plan)
    assert found.plan == plan and not found.notes()


def test_nothing_changes_where_a_goal_gets_worse(monkeypatch: pytest.MonkeyPatch) -> None:
    case, worth = ready(), Trial.worth
    plan = moved(keep_all(case), *CHAIN)
    monkeypatch.setattr(Trial, "worth", lambda self: worth(self) + 0.0625 * (worth(self).index == "travel"))
    assert straight(case, plan).plan == plan


def test_townships_that_are_not_linked_are_not_joined() -> None:
    """A1 and B1 are 32 minutes apart, A2 lies between them in a township of its own: 22 minutes is the limit."""
    case = ready()
    schools, villages = case.county.schools.copy(), case.county.villages.copy()
    schools.loc[schools["school_id"] == "A2", "township"] = "丙镇"
    villages.loc[villages["village_id"] == "V4", "township"] = "丙镇"
    case = case.but(schools=schools, villages=villages)
    plan = moved(keep_all(case), goes("A1", "A2", "plain_q", 1), goes("A2", "B1", "plain_q", 1))
    norms = {str(n) for n in case.judge(plan).violations.query("rule == 'outflow_township'")["norm"]}
    assert norms == {"outflow_township_q"}
    case = case.binding(**dict.fromkeys(norms, "off")).with_rules(commute_minutes=22)
    assert straight(case, plan).plan == plan
    assert moves(straight(case.with_rules(commute_minutes=40), plan).plan) == [["A1", "B1", "plain_q", 1]]


@pytest.mark.parametrize("kept", [0, 1])
def test_what_was_decided_by_hand_stays(kept: int) -> None:
    """A held leg of a chain is not joined."""
    case = ready()
    original = moved(keep_all(case), CHAIN[1 - kept])
    plan = moved(keep_all(case), *CHAIN)
    held = held_of(original, plan)
    assert len(held.rows) == 1
    assert straight(case, plan, held).plan == plan


def test_a_direct_transfer_that_was_taken_out_by_hand_does_not_come_back() -> None:
    case = ready()
    direct = (goes("A1", "A2", "plain_q", 1),)
    plan = moved(keep_all(case), *CHAIN)
    held = held_of(moved(keep_all(case), *direct, *CHAIN), plan)
    assert held.rows["quantity"].tolist() == [0.0]
    assert straight(case, plan, held).plan == plan


def test_a_plan_that_is_made_is_straight(monkeypatch: pytest.MonkeyPatch) -> None:
    """The verb leaves the chain out, says so, and its actions and costs name the rows that the plan has."""
    monkeypatch.setattr(
        planning, "unpack", lambda *given: replace(unpack(*given), staff_moves=rows("staff_moves", *CHAIN))
    )
    county = small_county()
    result = planning.plan(county, Scenario(goals=(Goal(name="travel"),)))
    assert "reasons.joined" in [f.key for f in result.solve.notes]
    assert moves(result.plan) in ([["A1", "A2", "plain_q", 1]], [])  # idle ones are left out after
    have = set(result.plan.ledger["row_id"])
    assert {r for rows_ in result.actions["rows"] for r in rows_} <= have
    assert set(result.verdict.costs["row_id"]) - {""} <= have
