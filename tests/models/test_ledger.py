"""The ledger: every decision one row with an id of its own; views, costs and actions hang on it."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest

from models.plan.ledger import ACTIONS, LEDGER, LEDGER_COLUMNS
from models.plan.reasons.actions import list_actions
from tests.models.plans import Case, by_choice, closing, keep_all, moved, ready, rows


def test_one_long_table_with_a_contract() -> None:
    plan = closing(ready())
    assert list(plan.ledger.columns) == LEDGER_COLUMNS == [c.name for c in LEDGER.columns]
    assert plan.ledger["year"].unique().tolist() == [2025]
    assert plan.years == (2025,)
    assert set(plan.ledger["action"]) == {"band", "attend", "transfer", "move_item"}


def test_an_action_fills_in_its_own_columns_and_no_others() -> None:
    case = ready()
    plan = replace(
        closing(case),
        hires=rows("hires", ("A1", "pri", "arts", 2)),
        purchases=rows("purchases", ("A1", "pri", "equip_value", 500.0)),
    )
    for action in ACTIONS:
        own = plan.ledger[plan.ledger["action"] == action.name]
        filled = {c for c in LEDGER_COLUMNS if own[c].ne("").all() and own[c].notna().all()}
        empty = {c for c in LEDGER_COLUMNS if own[c].eq("").all()}
        assert filled == {"row_id", "year", "action", *action.columns.values()}
        assert filled | empty == set(LEDGER_COLUMNS)


def test_ids_are_one_a_row_and_stay_where_a_decision_is_edited() -> None:
    case = ready()
    plan = closing(case)
    assert plan.ledger["row_id"].is_unique
    going = plan.attendance.assign(mode="bus")
    more = moved(plan, *[(*r[1:-1], r[-1] + 1) for r in plan.staff_moves.itertuples(index=False)])
    for other in (replace(plan, attendance=going), more):
        assert list(other.ledger["row_id"]) == list(plan.ledger["row_id"])
        assert other.plan_id != plan.plan_id


def test_a_decision_given_twice_has_two_ids() -> None:
    plan = keep_all(ready())
    twice = replace(plan, bands=pd.concat([plan.bands, plan.bands.iloc[:1]]))
    assert twice.ledger["row_id"].is_unique
    assert set(twice.ledger["row_id"]) - set(plan.ledger["row_id"]) == {plan.bands["row_id"].iloc[0] + "-2"}


def test_order_of_rows_does_not_matter() -> None:
    plan = closing(ready())
    mixed = replace(plan, **{k: t.sample(frac=1, random_state=1) for k, t in plan.tables().items()})
    assert mixed == plan
    assert mixed.plan_id == plan.plan_id


def test_a_plan_has_no_other_tables() -> None:
    with pytest.raises(KeyError, match="lunches"):
        replace(keep_all(ready()), lunches=pd.DataFrame())


def _acted(case: Case, plan) -> tuple[pd.DataFrame, object]:
    verdict = case.judge(plan)
    return list_actions(
        case.county, plan, verdict, case.standards, lambda p: case.judge(p).violations
    ), verdict


def test_every_cost_hangs_on_a_row_and_every_action_adds_up() -> None:
    case = ready()
    plan = replace(
        closing(case),
        hires=rows("hires", ("A1", "pri", "arts", 2)),
        purchases=rows(
            "purchases", ("A1", "pri", "rooms_multimedia", 1.0), ("A2", "pri", "equip_value", 10.0)
        ),
    )
    actions, verdict = _acted(case, plan)
    known = set(plan.ledger["row_id"])
    hung = verdict.costs[verdict.costs["action"] != "itinerant"]
    assert set(hung["row_id"]) <= known
    charged = verdict.costs[verdict.costs["charged"]]
    assert actions["yuan"].sum() == pytest.approx(charged["yuan"].sum())
    assert actions["id"].is_unique
    assert {r for many in actions["rows"] for r in many} <= known
    bought = actions[actions["action"] == "purchase"].set_index("school_id")
    assert bought["yuan"].to_dict() == {"A1": 30_000, "A2": 10}
    assert (bought["stage"] == "pri").all()


def test_an_action_names_the_earmark_that_pays_it() -> None:
    """Rooms are bought with device money and area with building money, in one plan."""
    case = ready()
    bought = [("A1", "pri", "area_teaching", 60.0), ("A2", "pri", "rooms_multimedia", 1.0)]
    plan = replace(closing(case), purchases=rows("purchases", *bought))
    actions, verdict = _acted(case, plan)
    paid = actions[actions["action"] == "purchase"].set_index("what")["earmark"].to_dict()
    assert paid == {"area_teaching": "building", "rooms_multimedia": "device"}
    charged = verdict.costs[verdict.costs["charged"]].groupby("earmark")["yuan"].sum().to_dict()
    assert actions[actions["yuan"] > 0].groupby("earmark")["yuan"].sum().to_dict() == charged


def reason_of(case: Case, plan, action: str) -> tuple[str, dict[str, object]]:
    actions, _ = _acted(case, plan)
    (row,) = actions[actions["action"] == action].to_dict("records")
    return row["reason_key"].removeprefix("reasons."), row["reason_fields"]


def test_a_reason_says_what_is_newly_met() -> None:
    """B1 has 260 pupils and two PE/arts teachers: 0.77 of 0.9 per 100; the third makes 1.15."""
    case = ready()
    plan = replace(keep_all(case), hires=rows("hires", ("B1", "pri", "arts", 1)))
    key, told = reason_of(case, plan, "hire")
    assert key == "serves_meets"
    assert told == {"indicator": "a", "without": 0.77, "with_it": 1.15, "threshold": 0.9}


def test_a_reason_says_how_much_is_still_short() -> None:
    """B9 lacks equipment of 15,000 yuan; 5,000 leave 10,000."""
    case = ready()
    plan = replace(keep_all(case), purchases=rows("purchases", ("B9", "jun", "equip_value", 5000.0)))
    key, told = reason_of(case, plan, "purchase")
    assert (key, told["indicator"], told["before"], told["short"]) == ("serves_narrows", "eq", 15_000, 10_000)


def test_a_reason_says_what_less_is_lacking_of_the_target() -> None:
    """A small purchase that no indicator passes by is judged by what schools lack, as the referee reckons it."""
    case = ready()
    plan = replace(keep_all(case), hires=rows("hires", ("A3", "pri", "arts", 1)))
    key, told = reason_of(case, plan, "hire")
    worth = [case.judge(p).goals.set_index("goal").at["deficit", "plan"] for p in (plan, keep_all(case))]
    assert key == "serves_deficit"
    assert [float(told[k]) for k in ("with_it", "without")] == pytest.approx(worth, abs=6e-3)


def test_a_purchase_that_serves_nothing_says_so() -> None:
    """A2 has all the equipment the standard asks for; three yuan more change no number that is shown."""
    case = ready()
    plan = replace(keep_all(case), purchases=rows("purchases", ("A2", "pri", "equip_value", 3.0)))
    assert reason_of(case, plan, "purchase") == ("serves_nothing", {})


def test_a_move_out_of_a_closed_school_keeps_the_rule_that_places_everything() -> None:
    case = ready()
    actions, _ = _acted(case, closing(case))
    moves = actions[actions["action"] == "item_move"]
    assert set(moves["reason_key"]) <= {
        "reasons.serves_rule",
        "reasons.serves_deficit",
        "reasons.serves_imbalance",
        "reasons.serves_meets",
        "reasons.serves_keeps",
    }
    ruled = moves[moves["reason_key"] == "reasons.serves_rule"]["reason_fields"]
    assert {f["rule"] for f in ruled} <= {"items"}


@pytest.mark.parametrize(
    "make", [lambda: (ready(), closing(ready())), lambda: (by_choice("A3", 5), closing(by_choice("A3", 5)))]
)
def test_what_a_reason_claims_is_so_without_the_row(make) -> None:
    """Each claim about indicators and imbalance is tried: the plan less the row, judged anew."""
    case, plan = make()
    actions, verdict = _acted(case, plan)
    cells = verdict.indicators.set_index(["unit_id", "indicator"])
    tried = 0
    for act in actions[actions["action"].isin(["transfer", "hire", "purchase", "item_move"])].to_dict(
        "records"
    ):
        less = case.judge(replace(plan, ledger=plan.ledger[~plan.ledger["row_id"].isin(act["rows"])]))
        key, told = act["reason_key"].removeprefix("reasons."), act["reason_fields"]
        at = f"{act['school_id']}/{act['stage']}"
        if key in ("serves_meets", "serves_keeps"):
            other = less.indicators.set_index(["unit_id", "indicator"]).loc[at, told["indicator"]]
            assert cells.loc[(at, told["indicator"]), "met_plan"] and not other["met_plan"]
            assert told["without"] == pytest.approx(other["ratio_plan"], abs=0.006)
        elif key == "serves_narrows":
            other = less.indicators.set_index(["unit_id", "indicator"]).loc[at, told["indicator"]]
            assert told["before"] == pytest.approx(other["gap_plan"], abs=0.51)
            assert told["short"] < told["before"]
        elif key == "serves_rule":
            assert not less.rules.set_index("rule").at[told["rule"], "ok"]
        elif key == "serves_deficit":
            lacking = less.goals.set_index("goal").at["deficit", "plan"]
            assert float(told["without"]) == pytest.approx(lacking, abs=6e-3)
            assert float(told["with_it"]) < float(told["without"])
        elif key == "serves_imbalance":
            measure = less.measures.set_index("measure").at["imbalance", "plan"]
            assert float(told["without"]) == pytest.approx(measure, abs=6e-5)
        tried += 1
    assert tried >= 3
