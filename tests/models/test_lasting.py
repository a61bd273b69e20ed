"""Yearly costs are paid from money that lasts: known answers by hand, in the model, the referee and `explain`."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pyomo.environ as pyo
import pytest

from geodata.contract.county import County
from models.formulation.model import build_model
from models.problem.building import build_instance
from models.problem.request import Request, lasting_money
from optimizer.infeasibility.impossible import explain_request
from optimizer.scenario import Goal, Scenario
from optimizer.verbs.plan import plan
from tests.models.plans import RICH, Case, broken_rules, closing, ready
from tests.samples import frame, small_county

BUS = 12 * 2993
"""A year's bus places of point A3's twelve pupils, who ride to A1 when it closes."""


def with_money(*lines: tuple[str, float, bool]) -> County:
    """The small county with other budget lines: earmark, yuan, one-off; teachers and devices as they are."""
    told = {e for e, _, _ in lines}
    table = small_county().budget
    more = frame(
        "budget",
        [
            {"year": 2025, "source": "central", "earmark": e, "amount": n, "one_off": once}
            for e, n, once in lines
        ],
    )
    return replace(
        small_county(), budget=pd.concat([table[~table["earmark"].isin(told)], more], ignore_index=True)
    )


def closed(county: County, request: Request | None = None) -> list[str]:
    """Rules that the closure of A3 breaks."""
    case = ready(county)
    return broken_rules(case.judge(closing(case), request))


def test_nothing_is_asked_where_nothing_is_marked() -> None:
    assert lasting_money(small_county(), Request()) is None
    assert closed(small_county()) == []


def test_one_off_money_pays_no_bus() -> None:
    county = with_money(("transport", 300_000.0, True))
    case = ready(county)
    verdict = case.judge(closing(case))
    assert broken_rules(verdict) == ["recurrent_lasting"] and not verdict.accepted
    row = verdict.violations.query("rule == 'recurrent_lasting'").iloc[0]
    assert (row["place_id"], row["amount"], row["limit"], row["unit"]) == ("transport", BUS, 0.0, "yuan")
    assert case.binding(recurrent_lasting="report").judge(closing(case)).accepted


@pytest.mark.parametrize(
    ("lines", "broken"),
    [
        # the grant to 12 pupils, 9,600, may be one-off; the buses need 35,916 that last
        ((("transport", 10_000.0, True), ("any", float(BUS), False)), []),
        ((("transport", 10_000.0, True), ("any", BUS - 100.0, False)), ["recurrent_lasting"]),
        ((("transport", 10_000.0, True), ("any", float(BUS), True)), ["recurrent_lasting"]),
        # "any" also lends 60,000 for mothballing: the same yuan does not pay the buses too
        ((("transport", 300_000.0, True), ("building", 0.0, False), ("any", 90_000.0, False)), ["recurrent_lasting"]),
        ((("transport", 300_000.0, True), ("building", 0.0, False), ("any", 96_000.0, False)), []),
    ],
)  # fmt: skip
def test_what_any_lends(lines: tuple[tuple[str, float, bool], ...], broken: list[str]) -> None:
    county = with_money(*lines)
    assert closed(county) == broken
    asked = Scenario(close=("A3",), goals=(Goal(name="cost"),))
    assert explain_request(open_to_closures(county), asked).possible == (broken == [])


def test_a_run_with_its_own_budget_says_nothing_of_what_lasts() -> None:
    assert closed(with_money(("transport", 300_000.0, True)), Request(budget=RICH)) == []


def test_its_rows() -> None:
    case: Case = ready(with_money(("transport", 300_000.0, True), ("any", 20_000.0, False)))
    model = build_model(build_instance(case.county, case.standards, Request(goals=("failing",)), case.times))
    lent = model.recurrent_lasting__lent
    assert sorted(lent) == ["teacher", "transport"]
    for v in model.component_data_objects(pyo.Var):
        v.set_value(0, skip_validation=True)
    a3 = [p for p, r in closing_ways(case).iterrows() if r["mode"] == "bus"]
    for p in a3:
        model.attend[p].set_value(1)
    lent["transport"].set_value(2.0)
    row = model.recurrent_lasting__earmark["transport"]
    assert pyo.value(row.body) - pyo.value(row.upper) == pytest.approx(len(a3) * BUS / 1e4 - 2.0)
    assert pyo.value(model.recurrent_lasting__any["any"].upper) == pytest.approx(2.0)
    within = model.recurrent_lasting__within["transport"]
    assert pyo.value(within.body) == pytest.approx(2.0)  # nothing of "any" is lent as yet


def closing_ways(case: Case) -> pd.DataFrame:
    """Ways of V3's small children to another school."""
    pairs = build_instance(case.county, case.standards, Request(goals=("failing",)), case.times).pairs
    return pairs[(pairs["village_id"] == "V3") & (pairs["band"] == "g1_3") & pairs["changed"]]


def open_to_closures(county: County) -> County:
    """One closure of seven sites is allowed."""
    share = frame("standards", [{"id": "closures_share", "value": 0.2, "kind": "hard"}])
    return replace(county, standards=share)


def test_explain_says_how_much_is_missing() -> None:
    county = open_to_closures(with_money(("transport", 300_000.0, True)))
    asked = Scenario(close=("A3",), goals=(Goal(name="cost"),))
    found = explain_request(county, asked)
    (way,) = (w for w in found.relaxations if w.possible and w.families == ("budget",))
    assert [(f.key, f.fields) for f in way.findings] == [
        ("analysis.lacks_lasting", {"earmark": "transport", "yuan": BUS})
    ]
    assert "35916" in way.findings[0].sentence("en") and "非一次性" in way.findings[0].sentence("zh")


def test_a_plan_keeps_it() -> None:
    """Without lasting money for teachers nobody is hired and nobody rotates."""
    county = with_money(("teacher", 1_200_000.0, True))
    goals = (Goal(name="failing"), Goal(name="deficit"), Goal(name="cost"))
    free, held = (plan(c, Scenario(goals=goals, seconds=30)) for c in (small_county(), county))
    yearly = [r.verdict.costs.query("charged and recurrent")["yuan"].sum() for r in (free, held)]
    assert yearly[0] > 0 and held.verdict.accepted
    assert held.verdict.costs.query("charged and recurrent and earmark == 'teacher'").empty
    assert held.solve.goals[0].objective >= free.solve.goals[0].bound - 1e-6
