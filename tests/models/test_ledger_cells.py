"""Every cell of the ledger changed: the same plan, a named error, or a plan that the referee rejects by the right rule."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from geodata.contract.findings import Finding, InputProblems
from geodata.contract.validation.headers import Raw
from models.plan.before import before
from models.plan.decisions import Plan
from models.plan.ledger import ACTION, ACTIONS, LEDGER_COLUMNS
from models.plan.record import ledger_text, plan_from
from models.problem.request import Request
from models.referee.verdict import try_plan
from models.rules.integrity import _odd_cells as odd_cells
from models.rules.integrity import check_whole_numbers
from tests.models.plans import RICH, closing, ready, rows

ASKED = Request(budget=RICH)
TEXTS = [c for c in LEDGER_COLUMNS if c not in ("row_id", "year", "action", "quantity")]


@cache
def whole_plan() -> Plan:
    """One closure with every kind of decision."""
    plan = closing(ready())
    bought = rows("purchases", ("B9", "jun", "equip_value", 5000.0), ("A1", "pri", "rooms_multimedia", 1.0))
    return replace(plan, hires=rows("hires", ("A1", "pri", "arts", 2)), purchases=bought)


@cache
def today() -> object:
    case = ready()
    return before(case.county, case.standards, case.times)


def broken(plan: Plan) -> set[str]:
    """Hard rules that a plan breaks."""
    case = ready()
    found = try_plan(case.county, case.standards, plan, case.times, ASKED, today=today()).violations()
    return set(found[(found["kind"] == "hard") & ~found["grandfathered"].astype(bool)]["rule"])


def row_of(action: str) -> int:
    """A row of an action; of bands and pupils one that closes and one that moves."""
    table = whole_plan().ledger
    mine = table["action"] == action
    if action == "band":
        mine &= table["state"] == "closed"
    if action == "attend":
        mine &= table["from_id"] != table["to_id"]
    return int(np.flatnonzero(mine)[0])


def spoiled(of: str, **cells: object) -> pd.DataFrame:
    table = ledger_text(whole_plan()).astype(object)
    for column, value in cells.items():
        table.loc[row_of(of), column] = value
    return table


def read(table: pd.DataFrame) -> Plan:
    return plan_from(Raw(table, "plan.csv"), ready().county)[0]


def faults(table: pd.DataFrame) -> list[Finding]:
    with pytest.raises(InputProblems) as caught:
        read(table)
    assert all(f.sentence(lang) for f in caught.value.findings for lang in ("zh", "en"))
    return caught.value.findings


def test_the_plan_at_hand_is_accepted() -> None:
    assert broken(whole_plan()) == set()
    assert read(ledger_text(whole_plan())) == whole_plan()


@pytest.mark.parametrize("action", [a.name for a in ACTIONS])
def test_a_cell_is_what_its_action_has_or_is_named(action: str) -> None:
    """Blank where it is needed, unknown, or filled in where the action has none: one error with its place."""
    has = set(ACTION[action].columns.values())
    for column in TEXTS:
        for value in ("", "zz") if column in has else ("zz",):
            found = faults(spoiled(action, **{column: value}))
            here = [f for f in found if f.row == row_of(action) + 2 and f.column == column]
            assert {f.value for f in here} == {value}, (column, value)
            if not value:
                assert [f.key for f in here] == ["plan.needed"]
            elif column in ("group", "was", "state", "mode"):
                assert [f.key for f in here] == ["tables.not_a_choice"]
            else:
                assert ("plan.not_needed" in {f.key for f in here}) == (column not in has)


@pytest.mark.parametrize("action", [a.name for a in ACTIONS])
@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("quantity", ("", "many", "-1", "nan", "inf", "1e12")), ("year", ("", "x", "2031", "2025.5", "20250")),
        ("action", ("", "teleport")), ("row_id", ("zz",)),
    ],
)  # fmt: skip
def test_numbers_years_actions_and_ids_of_rows_are_named(
    action: str, column: str, values: tuple[str, ...]
) -> None:
    for value in values:
        found = faults(spoiled(action, **{column: value}))
        assert (row_of(action) + 2, column) in {(f.row, f.column) for f in found}, value


@pytest.mark.parametrize("action", [a.name for a in ACTIONS if a.whole])
def test_what_is_counted_is_whole(action: str) -> None:
    (found,) = faults(spoiled(action, quantity="1.5"))
    assert (found.key, found.row, found.value) == ("tables.not_whole", row_of(action) + 2, "1.5")


@pytest.mark.parametrize("action", [a.name for a in ACTIONS])
def test_an_action_made_another_has_other_cells(action: str) -> None:
    for other in (a.name for a in ACTIONS if a.columns != ACTION[action].columns):
        assert faults(spoiled(action, action=other)), other


@pytest.mark.parametrize(
    ("action", "cells", "rule"),
    [
        ("band", {"school_id": "A2"}, "known_ids"), ("band", {"band": "g4_6"}, "known_ids"), ("band", {"was": "closed"}, "known_ids"),
        ("band", {"state": "open"}, "open_has_pupils"), ("attend", {"village_id": "V1"}, "assignment"), ("attend", {"band": "g4_6"}, "assignment"),
        ("attend", {"group": "choice"}, "assignment"), ("attend", {"from_id": "A2"}, "assignment"), ("attend", {"to_id": "A3"}, "open_band"),
        ("attend", {"to_id": "B1"}, "travel_limit"), ("attend", {"to_id": "A9"}, "open_band"), ("attend", {"mode": "walk"}, "travel_limit"),
        ("attend", {"quantity": "11"}, "assignment"), ("attend", {"quantity": "0"}, "assignment"),
        ("transfer", {"from_id": "A1", "to_id": "A3"}, "staff_balance"), ("transfer", {"to_id": "A3"}, "staff_pairs"), ("transfer", {"quantity": "1"}, "staff_balance"),
        ("transfer", {"quantity": "0"}, "staff_pairs"), ("transfer", {"quantity": "3"}, "staff_balance"), ("transfer", {"item": "backbone"}, "staff_balance"),
        ("transfer", {"to_stage": "jun"}, "known_ids"), ("transfer", {"from_stage": "jun"}, "known_ids"),
        ("hire", {"item": "backbone"}, "staff_pairs"), ("hire", {"school_id": "A3"}, "staff_balance"), ("hire", {"quantity": "0"}, "staff_pairs"),
        ("hire", {"stage": "jun"}, "known_ids"), ("hire", {"quantity": "1000000"}, "budget"),
        ("buy", {"quantity": "0"}, "items"), ("buy", {"quantity": "1.5"}, "items"), ("buy", {"quantity": "60"}, "useful_rooms"), ("buy", {"school_id": "A3"}, "items"),
        ("buy", {"item": "area_teaching", "quantity": "5000"}, "build_share"), ("buy", {"stage": "jun"}, "known_ids"),
        ("move_item", {"from_id": "A2"}, "items"), ("move_item", {"to_id": "A3"}, "items"), ("move_item", {"quantity": "28799"}, None),
        ("move_item", {"quantity": "28000"}, "items"), ("move_item", {"quantity": "0"}, "items"), ("move_item", {"item": "area_teaching"}, "items"),
        ("move_item", {"to_stage": "jun"}, "known_ids"),
    ],
)  # fmt: skip
def test_another_decision_is_judged_by_its_rule(action: str, cells: dict[str, str], rule: str | None) -> None:
    """Without its id: the row is about something else, or about as much of it as nobody may decide."""
    found = broken(read(spoiled(action, row_id="", **cells)))
    assert rule in found if rule else not found


@pytest.mark.parametrize(
    ("action", "rule"),
    [("band", "known_ids"), ("attend", "assignment"), ("transfer", "staff_balance"), ("hire", None), ("buy", None), ("move_item", "items")],
)  # fmt: skip
def test_a_row_twice_and_a_row_gone(action: str, rule: str | None) -> None:
    """Given twice a hire or purchase is as much more; without it less is decided, which may be."""
    table = ledger_text(whole_plan()).astype(object)
    again = table.iloc[[row_of(action)]]
    (found,) = faults(pd.concat([table, again], ignore_index=True))
    assert (found.key, found.column) == ("tables.duplicate", "row_id")
    more = read(pd.concat([table, again.assign(row_id="")], ignore_index=True))
    less = read(table.drop(index=row_of(action)))
    for plan in (more, less):
        assert plan != whole_plan()
        assert rule in broken(plan) if rule else not broken(plan)


def made(**cells: object) -> Plan:
    """By the front door in Python, which has no contract: a row of each action with these cells."""
    action = str(cells.pop("of", "band"))
    table = whole_plan().ledger.astype(object)
    for column, value in cells.items():
        table.loc[row_of(action), column] = value
    return Plan(table, (2025,))


@pytest.mark.parametrize("action", [a.name for a in ACTIONS])
def test_made_in_python_a_row_has_its_own_cells_and_the_countys_year(action: str) -> None:
    """The rule alone, which needs no more of the plan than its ledger."""
    has, county = set(ACTION[action].columns.values()), ready().county
    cells = (
        [{c: "zz"} for c in TEXTS if c not in has] + [{c: ""} for c in TEXTS if c in has] + [{"year": 1999}]
    )
    for one in cells:
        plan = made(of=action, **one)
        told = odd_cells(SimpleNamespace(plan=plan, county=county))
        assert told["place"].tolist() == [plan.ledger["row_id"][i] for i in changed(plan)], one
    assert odd_cells(SimpleNamespace(plan=whole_plan(), county=county)).empty


def changed(plan: Plan) -> list[int]:
    known = {tuple(r[1:]) for r in whole_plan().ledger.itertuples(index=False)}
    return [i for i, r in enumerate(plan.ledger.itertuples(index=False)) if tuple(r[1:]) not in known]


def test_a_year_that_is_not_the_countys_is_judged() -> None:
    ledger = whole_plan().ledger
    assert "known_ids" in broken(Plan(ledger.assign(year=2024), (2024,)))


@pytest.mark.parametrize("action", [a.name for a in ACTIONS])
@pytest.mark.parametrize("value", [float("nan"), float("inf"), -1.0])
def test_made_in_python_a_quantity_is_a_number(action: str, value: float) -> None:
    assert len(check_whole_numbers(SimpleNamespace(plan=made(of=action, quantity=value)))) == 1


@pytest.mark.parametrize("action", ["band", "attend", "buy"])
def test_a_quantity_without_end_is_judged(action: str) -> None:
    """Of classes it ended in a traceback."""
    assert "whole_numbers" in broken(made(of=action, quantity=float("inf")))


@pytest.mark.parametrize("said", ["zz", None, ""])
def test_a_band_is_open_or_closed(said: str | None) -> None:
    """Anything else was taken for closed."""
    bands = whole_plan().bands.astype(object)
    bands.loc[bands["school_id"] == "A3", "open"] = said
    assert "known_ids" in broken(replace(whole_plan(), bands=bands))


def test_an_action_that_a_plan_does_not_have_is_not_left_out() -> None:
    with pytest.raises(KeyError, match="teleport"):
        made(action="teleport")


def test_a_plan_with_columns_that_nobody_reads_says_so() -> None:
    table = ledger_text(whole_plan()).astype(object).assign(remark="x")
    plan, told = plan_from(Raw(table, "plan.csv"), ready().county)
    assert plan == whole_plan()
    assert [(f.key, f.column) for f in told] == [("tables.extra_column", "remark")]
