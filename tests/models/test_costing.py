"""Costs, measures and the tables of a verdict, reckoned by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from models.plan.decisions import Verdict
from models.problem.request import Request
from models.referee.verdict import MEASURES
from tests.models.plans import (
    classes,
    closing,
    keep_all,
    ready,
    rows,
)
from tests.samples import small_county


@pytest.fixture(scope="module")
def shut() -> Verdict:
    """Point A3 closed, its pupils, staff and equipment at A1."""
    case = ready()
    return case.judge(closing(case))


def test_costs_of_a_closure_by_hand(shut: Verdict) -> None:
    costs = shut.costs
    charged = costs[costs["charged"]].groupby("action")["yuan"].sum().to_dict()
    assert charged == {
        "bus": 12 * 2993, "transition": 12 * 800, "closure": 60_000, "transfer": 3 * 9000,
        "item_move": 2 * 2000 + 28_800 * 0.02,
    }  # fmt: skip
    apart = costs[~costs["charged"]].groupby("action")["yuan"].sum().to_dict()
    assert apart == {"running": -100_000, "public_funds": (100 - 12) * 720, "itinerant": 10_000}


def test_prices_of_the_level_asked_for() -> None:
    county = small_county()
    prices = county.unit_costs.assign(low=lambda t: t["base"] / 2, high=lambda t: t["base"] * 2)
    case = ready(replace(county, unit_costs=prices))
    cost = {
        level: case.judge(closing(case), Request(cost_level=level)).measures
        for level in ("low", "base", "high")
    }
    yuan = {level: m.set_index("measure").at["cost", "plan"] for level, m in cost.items()}
    assert yuan["low"] * 2 == yuan["base"] == yuan["high"] / 2


def test_purchases_are_charged_to_their_earmark() -> None:
    case = ready()
    bought = [
        ("A1", "pri", "rooms_multimedia", 2.0), ("A1", "pri", "equip_value", 500.0),
        ("A1", "pri", "area_teaching", 10.0), ("A1", "pri", "area_sport", 10.0),
    ]  # fmt: skip
    verdict = case.judge(replace(keep_all(case), purchases=rows("purchases", *bought)))
    assert verdict.accepted
    spent = verdict.budget.set_index("earmark")["spent"]
    assert spent["device"] == 2 * 30_000 + 500
    assert spent["building"] == 10 * 3000 + 10 * (200 + 180)
    after = verdict.indicators.query("unit_id == 'A1/pri'").set_index("indicator")["amount_plan"]
    assert after[["mm", "eq", "sp", "sf"]].tolist() == [10, 720_500, 2010, 3110]


def test_hires_cost_their_category() -> None:
    case = ready()
    verdict = case.judge(replace(keep_all(case), hires=rows("hires", ("A1", "pri", "arts", 2))))
    assert verdict.costs.query("action == 'hire'")["yuan"].tolist() == [260_000]


def test_measures_of_a_closure_by_hand(shut: Verdict) -> None:
    m = shut.measures.set_index("measure")
    assert m.index.tolist() == [name for name, _, _ in MEASURES]
    plan = m["plan"]
    assert (plan["sites"], plan["closures"], plan["bands_closed"]) == (6, 1, 1)
    assert (plan["pupils_changed"], plan["riders"] - m.at["riders", "today"]) == (12, 12)
    assert (plan["staff_moved"], plan["hires"], plan["staff"]) == (3, 0, m.at["staff", "today"])
    assert plan["cost"] == shut.costs.loc[shut.costs["charged"], "yuan"].sum()
    assert m.at["pupils_over_limit", "today"] == plan["pupils_over_limit"] == 0  # by the best way that exists


def test_imbalance_from_the_raw_tables(shut: Verdict) -> None:
    """The sum over the 14 of N sum(x^2 / P) / X^2 - 1, written out anew."""
    for end in ("today", "plan"):
        rows_ = shut.indicators[shut.indicators[f"assessed_{end}"]]
        total = 0.0
        for _, cell in rows_.groupby(["stage", "indicator"]):
            x, p = cell[f"amount_{end}"].to_numpy(float), cell[f"pupils_{end}"].to_numpy(float)
            total += p.sum() * (x**2 / p).sum() / x.sum() ** 2 - 1
        assert shut.measures.set_index("measure").at["imbalance", end] == pytest.approx(total)


def test_a_closed_unit_counts_for_nothing_and_its_receiver_gains(shut: Verdict) -> None:
    unit = shut.units.set_index("unit_id").loc["A3/pri"]
    assert (unit["open_plan"], unit["pupils_plan"], unit["staff_plan"], unit["classes_plan"]) == (
        False,
        0,
        0,
        0,
    )
    after = shut.indicators.set_index(["unit_id", "indicator"])["amount_plan"]
    assert after["A3/pri"].sum() == 0
    assert (after["A1/pri", "q"], after["A1/pri", "mm"], after["A1/pri", "eq"]) == (20, 10, 748_800)
    assert after["A1/pri", "sp"] == 2000  # buildings stay behind


def test_pupils_and_heads_neither_appear_nor_vanish(shut: Verdict) -> None:
    units = shut.units
    assert units["pupils_plan"].sum() == units["pupils_today"].sum() == 1070
    assert units["staff_plan"].sum() == units["staff_today"].sum()


def test_travel_before_and_after(shut: Verdict) -> None:
    travel = shut.travel
    one = travel.query("village_id == 'V3' and band == 'g1_3'").iloc[0]
    assert (one["today_mode"], one["mode"], one["changed"], one["limit"]) == ("walk", "bus", True, 30)
    assert (one["minutes_today"], one["minutes"]) == (pytest.approx(3.27), pytest.approx(15.19))
    assert not travel.loc[travel["village_id"] != "V3", "changed"].any()


def test_the_worst_place_is_named_first() -> None:
    case = ready()
    plan = classes(classes(keep_all(case), "A1", "g1_3", 3), "A9", "g7_9", 3)  # 140 of 135, 210 of 150
    worst = case.judge(plan).rules.set_index("rule")["worst"]
    assert worst["class_size"].startswith("甲镇A9")
    assert worst["rooms"] == ""
    assert worst["class_size"].endswith("classes")
