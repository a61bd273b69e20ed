"""The referee: each rule has a plan that breaks it and nothing else; costs and measures by hand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from geodata.tables import EARMARKS
from models.plan import Plan, make_plan
from models.referee import MEASURES
from models.request import Request
from models.rulebook import PUPIL_RULES
from models.rulebook_means import MEANS_RULES
from tests.models.plans import RICH, Case, broken_rules, classes, close, keep_all, ready, rows, send
from tests.samples import small_county

RULES = [check.__name__ for check in (*PUPIL_RULES, *MEANS_RULES)]
Broken = tuple[Case, Plan] | tuple[Case, Plan, Request]


def closing(case: Case) -> Plan:
    """Point A3 closes; its 12 pupils ride to A1 with its staff and equipment."""
    return close(case, keep_all(case), "A3", "A1")


def with_stock(unit: str, stage: str, category: str, heads: int) -> Case:
    county = small_county()
    stock = county.staff_stock.copy()
    here = (stock["school_id"] == unit) & (stock["stage"] == stage) & (stock["cat_id"] == category)
    assert here.any()
    stock.loc[here, "heads"] = heads
    return ready(replace(county, staff_stock=stock))


def moved(plan: Plan, *moves: tuple[str, str, str, str, str, object]) -> Plan:
    return replace(plan, staff_moves=rows("staff_moves", *moves))


# one plan for every rule -------------------------------------------------------------------------


def known_ids() -> Broken:
    """The list of closures is made from was_open: a row that denies it would hide one."""
    case = ready()
    plan = closing(case)
    return case, replace(plan, bands=plan.bands.assign(was_open=plan.bands["school_id"] != "A3"))


def whole_numbers() -> Broken:
    case = ready()
    return case, replace(keep_all(case), hires=rows("hires", ("A1", "pri", "plain_q", 0.5)))


def assignment() -> Broken:
    case = ready()
    plan = keep_all(case)
    return case, replace(plan, attendance=plan.attendance.query("village_id != 'V3' or band != 'g1_3'"))


def open_band() -> Broken:
    """Point A3 is next door and teaches grades 1-3 only."""
    case = ready()
    return case, send(keep_all(case), "V3", "g4_6", "A3", "walk")


def bands_from_top() -> Broken:
    case = ready().with_rules(travel_increase=25)
    plan = send(keep_all(case), "V4", "g1_3", "A1", "bus")
    return case, classes(classes(plan, "A2", "g1_3", 0, is_open=False), "A1", "g1_3", 5)


def protected() -> Broken:
    case = ready()
    return case, classes(close(case, keep_all(case), "B3", "B1"), "B1", "g1_3", 4)  # given by a donor


def access() -> Broken:
    case = ready()
    return case, send(keep_all(case), "V3", "g1_3", "A1", "walk")  # 37 minutes for small children


def bus_past_school() -> Broken:
    case = ready()
    return case, send(keep_all(case), "V3", "g1_3", "A1", "bus")  # past A3, which stays


def school_size() -> Broken:
    case = ready().with_rules(school_cap_relief=299)
    return case, keep_all(case)


def capacity() -> Broken:
    county = small_county()
    stage = county.school_stage.copy()
    stage.loc[stage["school_id"] == "A1", "capacity_pupils"] = 299
    case = ready(replace(county, school_stage=stage))
    return case, keep_all(case)


def class_size() -> Broken:
    case = ready()
    return case, classes(keep_all(case), "A1", "g1_3", 3)  # 140 pupils


def rooms() -> Broken:
    case = ready()
    return case, classes(keep_all(case), "A1", "g1_3", 7)  # 11 classes, 450 places: 10 rooms


def min_classes() -> Broken:
    case = ready()
    return case, classes(keep_all(case), "A2", "g1_3", 2)


def assessed_floor() -> Broken:
    case = ready().with_rules(assessed_floor=121)
    return case, keep_all(case)  # A2 has 120


def junior_per_township() -> Broken:
    case = ready().with_rules(moved_share=0.2, travel_bus_g7_9=60, travel_increase=60)
    plan = classes(close(case, keep_all(case), "B9", "A9", "jun"), "A9", "g7_9", 8)
    return case, plan, Request(budget=RICH)


def closures_township() -> Broken:
    case = ready().with_rules(closures_township=0)
    return case, closing(case)


def closures_share() -> Broken:
    case = ready().with_rules(closures_share=0.1)
    return case, closing(case)  # one of seven


def moved_share() -> Broken:
    case = ready().with_rules(moved_share=0.01)
    return case, closing(case)  # 12 of 1070


def staff_balance() -> Broken:
    case = ready()
    return case, moved(closing(case))  # A3 closes and keeps its staff


def staff_pairs() -> Broken:
    case = ready()
    return case, moved(keep_all(case), ("A1", "pri", "A2", "pri", "near_ret", 1))


def floor_class() -> Broken:
    case = ready()
    return case, classes(keep_all(case), "A3", "g1_3", 2)  # 1.7 x 2 classes need 4 heads, A3 has 3


def floor_backbone() -> Broken:
    case = ready()
    return case, moved(keep_all(case), ("B1", "pri", "A1", "pri", "backbone", 1))


def floor_arts() -> Broken:
    """Three in the township, two schools need one each, the third visits the point."""
    case = ready()
    return case, moved(keep_all(case), ("B1", "pri", "A1", "pri", "arts", 1))


def floor_no_outflow_b() -> Broken:
    case = with_stock("A2", "pri", "backbone", 2)
    return case, moved(
        keep_all(case), ("A2", "pri", "A1", "pri", "backbone", 1), ("A1", "pri", "A2", "pri", "plain_q", 1)
    )


def floor_no_outflow_q() -> Broken:
    case = ready()
    return case, moved(keep_all(case), ("A2", "pri", "A1", "pri", "plain_q", 1))


def items() -> Broken:
    """A room is lost on the way."""
    case = ready()
    plan = closing(case)
    one = plan.item_moves.assign(quantity=plan.item_moves["quantity"].replace(2.0, 1.0))
    return case, replace(plan, item_moves=one)


def budget() -> Broken:
    case = ready()
    return case, replace(keep_all(case), purchases=rows("purchases", ("A1", "pri", "equip_value", 1e6)))


BREAKING: dict[str, Callable[[], Broken]] = {
    f.__name__: f
    for f in (
        known_ids, whole_numbers, assignment, open_band, bands_from_top, protected, access, bus_past_school,
        school_size, capacity, class_size, rooms, min_classes, assessed_floor, junior_per_township,
        closures_township, closures_share, moved_share, staff_balance, staff_pairs, floor_class, floor_backbone,
        floor_arts, floor_no_outflow_b, floor_no_outflow_q, items, budget,
    )
}  # fmt: skip


def test_every_rule_has_a_plan_that_breaks_it() -> None:
    assert list(BREAKING) == RULES


@pytest.mark.parametrize("rule", RULES)
def test_a_plan_that_breaks_exactly_this_rule(rule: str) -> None:
    verdict = (lambda case, plan, *asked: case.judge(plan, *asked))(*BREAKING[rule]())
    assert broken_rules(verdict) == [rule]
    assert not verdict.accepted
    places = verdict.violations[~verdict.violations["grandfathered"].astype(bool)]
    assert set(places["rule"]) == {rule}
    assert verdict.rules.set_index("rule").at[rule, "broken"] == len(places) > 0


@pytest.mark.parametrize("make", [keep_all, closing])
def test_good_plans_are_accepted(make: Callable[[Case], Plan]) -> None:
    case = ready()
    verdict = case.judge(make(case))
    assert verdict.accepted
    assert broken_rules(verdict) == []
    assert verdict.rules["rule"].tolist() == RULES


# how binding -------------------------------------------------------------------------------------


def test_a_soft_rule_is_reported_and_does_not_reject() -> None:
    case, plan = closures_township()[:2]
    verdict = case.binding(closures_township="soft").judge(plan)
    assert broken_rules(verdict) == ["closures_township"]
    assert verdict.accepted


def test_a_rule_that_is_off_is_not_checked() -> None:
    case, plan = closures_township()[:2]
    verdict = case.binding(closures_township="off").judge(plan)
    assert "closures_township" not in set(verdict.rules["rule"])
    assert verdict.accepted


def test_a_rule_under_another_id_is_as_binding_as_its_number() -> None:
    case, plan = floor_backbone()[:2]
    verdict = case.binding(floor_backbone_pupils="soft").judge(plan)
    assert broken_rules(verdict) == ["floor_backbone"]
    assert verdict.accepted
    case, plan = floor_class()[:2]
    assert not case.binding(floor_heads="soft").judge(plan).accepted  # its other numbers are still hard


def test_protection_and_sums_cannot_be_switched_off() -> None:
    """No standard speaks of them: always hard."""
    case = ready()
    kinds = case.judge(keep_all(case)).rules.set_index("rule")["kind"]
    assert {"protected", "assignment", "staff_balance", "items", "budget"} <= set(
        kinds.index[kinds == "hard"]
    )


# grandfathering, locks, requests -----------------------------------------------------------------


def test_long_ways_of_today_are_listed_and_allowed() -> None:
    """V4's juniors walk 77 minutes today; W3's 41: beyond 40 and no worse than today."""
    case = ready()
    eased = case.judge(keep_all(case)).violations
    assert eased["grandfathered"].all()
    assert set(eased["place_id"]) == {"V4", "W3"}
    assert eased["amount"].max() == pytest.approx(77.14)


def test_a_site_that_the_scenario_keeps() -> None:
    case = ready()
    assert broken_rules(case.judge(closing(case), Request(keep_open=("A3",)))) == ["protected"]


def test_a_site_that_the_scenario_closes() -> None:
    case = ready()
    assert broken_rules(case.judge(keep_all(case), Request(close=("A3",)))) == ["protected"]
    assert case.judge(closing(case), Request(close=("A3",))).accepted


@pytest.mark.parametrize(("until", "fine"), [(2024, True), (2025, False), (2030, False)])
def test_locks_until_a_year(until: int, fine: bool) -> None:
    county = small_county()
    schools = county.schools.copy()
    schools.loc[schools["school_id"] == "A3", "protected"] = f"lock_until({until})"
    case = ready(replace(county, schools=schools))
    assert case.judge(closing(case)).accepted == fine


def test_two_hundred_pupils_are_too_many_to_close() -> None:
    case = ready().with_rules(closure_max_pupils=12)
    assert broken_rules(case.judge(closing(case))) == ["protected"]


def test_a_budget_of_one_run_replaces_the_countys() -> None:
    case = ready()
    none_left = Request(budget=dict.fromkeys(EARMARKS, 0.0))
    verdict = case.judge(keep_all(case), none_left)
    assert broken_rules(verdict) == ["budget"]  # the visiting teachers of two townships
    assert verdict.violations.query("rule == 'budget'")["place_id"].tolist() == ["teacher"]


def test_any_money_covers_what_an_earmark_lacks() -> None:
    case, plan = budget()[:2]
    enough = Request(budget={"teacher": 20_000.0, "device": 900_000.0, "any": 100_000.0})
    verdict = case.judge(plan, enough)
    assert verdict.accepted
    left = verdict.budget.set_index("earmark")
    assert left.loc["any"].tolist() == [100_000.0, 100_000.0, 0.0]
    short = Request(budget={"teacher": 20_000.0, "device": 900_000.0, "any": 99_000.0})
    assert broken_rules(case.judge(plan, short)) == ["budget"]


# more ways to go wrong ---------------------------------------------------------------------------


def _wrong_transfers() -> list[tuple[object, ...]]:
    return [
        ("A1", "pri", "A9", "jun", "plain_q", 1),  # a primary certificate does not teach junior
        ("A3", "pri", "A1", "pri", "near_ret", 0),
        ("A1", "pri", "A2", "pri", "near_ret", 1),
    ]


@pytest.mark.parametrize("move", [_wrong_transfers()[0], _wrong_transfers()[2]])
def test_transfers_that_are_not_allowed(move: tuple[str, str, str, str, str, object]) -> None:
    case = ready()
    assert broken_rules(case.judge(moved(keep_all(case), move))) == ["staff_pairs"]


def test_junior_teachers_may_teach_primary() -> None:
    case = ready()
    plan = moved(keep_all(case), ("A9", "jun", "A1", "pri", "plain_q", 1))
    verdict = case.judge(plan)
    assert verdict.accepted
    q = verdict.indicators.set_index(["unit_id", "indicator"])["amount_plan"]
    assert (q["A9/jun", "q"], q["A1/pri", "q"]) == (17, 20)


def test_transfers_stay_within_the_commute() -> None:
    case = ready()
    plan = moved(keep_all(case), ("B1", "pri", "A2", "pri", "plain", 1))
    assert case.judge(plan).accepted  # 32 minutes between the townships
    assert broken_rules(case.with_rules(commute_minutes=30).judge(plan)) == ["staff_pairs"]


def test_near_retirement_heads_stay_in_a_movable_category() -> None:
    county = small_county()
    stock = county.staff_stock.copy()
    here = (stock["school_id"] == "A1") & (stock["cat_id"] == "plain")
    stock.loc[here, "near_retirement"] = 3  # of four
    case = ready(replace(county, staff_stock=stock))
    assert case.judge(moved(keep_all(case), ("A1", "pri", "A2", "pri", "plain", 1))).accepted
    two = moved(keep_all(case), ("A1", "pri", "A2", "pri", "plain", 2))
    assert broken_rules(case.judge(two)) == ["staff_pairs"]


def test_more_heads_than_there_are_cannot_move() -> None:
    case = ready()
    plan = moved(keep_all(case), ("A1", "pri", "A2", "pri", "plain", 5))
    assert "staff_balance" in broken_rules(case.judge(plan))


def test_hires_are_of_hireable_categories() -> None:
    case = ready()
    plan = replace(keep_all(case), hires=rows("hires", ("A1", "pri", "backbone", 1)))
    assert broken_rules(case.judge(plan)) == ["staff_pairs"]


@pytest.mark.parametrize(
    "bought",
    [
        [("A1", "pri", "rooms_multimedia", 1.5)],
        [("A3", "pri", "area_sport", 260.0)],  # of 508: beyond half
        [("A3", "pri", "area_sport", 130.0), ("A3", "pri", "area_sport", 130.0)],  # the same in two rows
        [("A1", "pri", "gold", 1.0)],
        [("A1", "pri", "q", 1.0)],
    ],
)
def test_purchases_that_are_not_allowed(bought: list[tuple[object, ...]]) -> None:
    case = ready()
    plan = replace(keep_all(case), purchases=rows("purchases", *bought))
    assert broken_rules(case.judge(plan, Request(budget=RICH))) == ["items"]


def test_nothing_is_bought_for_a_closed_school() -> None:
    case = ready()
    plan = replace(closing(case), purchases=rows("purchases", ("A3", "pri", "equip_value", 10.0)))
    assert broken_rules(case.judge(plan)) == ["items"]


@pytest.mark.parametrize(
    "things",
    [
        [("rooms_multimedia", "A1", 3.0)],  # one too many
        [("rooms_multimedia", "A1", 1.0)],  # one lost
        [("rooms_multimedia", "A1", 1.5), ("rooms_multimedia", "A2", 0.5)],  # a room in two halves
        [],  # left behind
        [("rooms_multimedia", "A1", 2.0), ("area_teaching", "A1", 50.0)],  # buildings do not move
    ],
)
def test_what_closing_frees_is_placed_exactly(things: list[tuple[str, str, float]]) -> None:
    case = ready()
    moves = [("A3", "pri", to, "pri", kind, quantity) for kind, to, quantity in things]
    plan = replace(
        closing(case),
        item_moves=rows("item_moves", ("A3", "pri", "A1", "pri", "equip_value", 28_800.0), *moves),
    )
    assert broken_rules(case.judge(plan)) == ["items"]


def test_open_schools_keep_their_equipment() -> None:
    case = ready()
    plan = replace(
        keep_all(case), item_moves=rows("item_moves", ("A1", "pri", "A2", "pri", "equip_value", 100.0))
    )
    assert broken_rules(case.judge(plan)) == ["items"]


def _without(plan: Plan, table: str) -> Plan:
    return replace(plan, **{table: getattr(plan, table).iloc[:0]})


STRANGE: dict[str, tuple[str, Callable[[Plan], Plan]]] = {
    "a school nobody knows": ("known_ids", lambda p: replace(p, attendance=p.attendance.assign(school_id="ZZ"))),
    "a village nobody knows": ("assignment", lambda p: replace(p, attendance=p.attendance.assign(village_id="ZZ"))),
    "a way of going nobody knows": ("known_ids", lambda p: replace(p, attendance=p.attendance.assign(mode="fly"))),
    "a band twice": ("known_ids", lambda p: replace(p, bands=pd.concat([p.bands, p.bands.iloc[:1]]))),
    "a band both open and closed": (
        "known_ids", lambda p: replace(p, bands=pd.concat([p.bands, p.bands.iloc[:1].assign(open=False)])),
    ),
    "a band left out": ("known_ids", lambda p: replace(p, bands=p.bands.iloc[1:])),
    "a band that is not taught": (
        "known_ids", lambda p: replace(p, bands=pd.concat([p.bands, p.bands.iloc[:1].assign(band="g7_9")])),
    ),
    "pupils twice": ("assignment", lambda p: replace(p, attendance=pd.concat([p.attendance, p.attendance.iloc[:1]]))),
    "pupils unknown": ("whole_numbers", lambda p: replace(p, attendance=p.attendance.assign(pupils=np.nan))),
    "classes unknown": ("whole_numbers", lambda p: replace(p, bands=p.bands.assign(classes=np.nan))),
    "half classes": ("whole_numbers", lambda p: replace(p, bands=p.bands.assign(classes=p.bands["classes"] + 0.5))),
    "heads unknown": ("whole_numbers", lambda p: replace(p, hires=rows("hires", ("A1", "pri", "plain_q", np.nan)))),
    "heads negative": ("staff_pairs", lambda p: replace(p, hires=rows("hires", ("A1", "pri", "plain_q", -1)))),
    "half a transfer": ("whole_numbers", lambda p: moved(p, ("A1", "pri", "A2", "pri", "plain", 0.5))),
    "a sender nobody knows": ("known_ids", lambda p: moved(p, ("ZZ", "pri", "A1", "pri", "plain", 1))),
    "a receiver nobody knows": ("known_ids", lambda p: moved(p, ("A1", "pri", "ZZ", "pri", "plain", 1))),
    "a category nobody knows": ("staff_pairs", lambda p: replace(p, hires=rows("hires", ("A1", "pri", "wizard", 1)))),
    "a stage that a school lacks": (
        "known_ids", lambda p: replace(p, purchases=rows("purchases", ("A1", "jun", "equip_value", 1.0))),
    ),
    "a purchase unknown": ("items", lambda p: replace(p, purchases=rows("purchases", ("A1", "pri", "equip_value", np.nan)))),
    "a purchase negative": ("items", lambda p: replace(p, purchases=rows("purchases", ("A1", "pri", "equip_value", -1.0)))),
    "no pupils": ("assignment", lambda p: _without(p, "attendance")),
    "no bands": ("known_ids", lambda p: _without(p, "bands")),
    "nothing at all": ("assignment", lambda p: make_plan()),
}  # fmt: skip


@pytest.mark.parametrize("name", list(STRANGE))
def test_strange_plans_are_violations_not_errors(name: str) -> None:
    case = ready()
    rule, spoil = STRANGE[name]
    verdict = case.judge(spoil(keep_all(case)))
    assert rule in broken_rules(verdict)
    assert not verdict.accepted


# costs and measures ------------------------------------------------------------------------------


def test_costs_of_a_closure_by_hand() -> None:
    case = ready()
    costs = case.judge(closing(case)).costs
    charged = costs[costs["charged"]].groupby("action")["yuan"].sum().to_dict()
    assert charged == {
        "bus": 12 * 2993, "transition": 12 * 800, "closure": 60_000, "transfer": 3 * 9000,
        "item_move": 2 * 2000 + 28_800 * 0.02, "itinerant": 10_000,
    }  # fmt: skip
    apart = costs[~costs["charged"]].groupby("action")["yuan"].sum().to_dict()
    assert apart == {"running": -100_000, "public_funds": (100 - 12) * 720}


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


def test_measures_of_a_closure_by_hand() -> None:
    case = ready()
    verdict = case.judge(closing(case))
    m = verdict.measures.set_index("measure")
    assert m.index.tolist() == [name for name, _, _ in MEASURES]
    plan = m["plan"]
    assert (plan["sites"], plan["closures"], plan["bands_closed"]) == (6, 1, 1)
    assert (plan["pupils_changed"], plan["riders"] - m.at["riders", "today"]) == (12, 12)
    assert (plan["staff_moved"], plan["hires"], plan["staff"]) == (3, 0, m.at["staff", "today"])
    assert plan["cost"] == verdict.costs.loc[verdict.costs["charged"], "yuan"].sum()
    assert m.at["pupils_over_limit", "today"] == plan["pupils_over_limit"] == 45 + 22 + 12


def test_imbalance_from_the_raw_tables() -> None:
    """The sum over the 14 of N sum(x^2 / P) / X^2 - 1, written out anew."""
    case = ready()
    verdict = case.judge(closing(case))
    for end in ("today", "plan"):
        rows_ = verdict.indicators[verdict.indicators[f"assessed_{end}"]]
        total = 0.0
        for _, cell in rows_.groupby(["stage", "indicator"]):
            x, p = cell[f"amount_{end}"].to_numpy(float), cell[f"pupils_{end}"].to_numpy(float)
            total += p.sum() * (x**2 / p).sum() / x.sum() ** 2 - 1
        assert verdict.measures.set_index("measure").at["imbalance", end] == pytest.approx(total)


def test_a_closed_unit_counts_for_nothing_and_its_receiver_gains() -> None:
    case = ready()
    verdict = case.judge(closing(case))
    shut = verdict.units.set_index("unit_id").loc["A3/pri"]
    assert (shut["open_plan"], shut["pupils_plan"], shut["staff_plan"], shut["classes_plan"]) == (
        False,
        0,
        0,
        0,
    )
    after = verdict.indicators.set_index(["unit_id", "indicator"])["amount_plan"]
    assert after["A3/pri"].sum() == 0
    assert (after["A1/pri", "q"], after["A1/pri", "mm"], after["A1/pri", "eq"]) == (20, 10, 748_800)
    assert after["A1/pri", "sp"] == 2000  # buildings stay behind


def test_pupils_and_heads_neither_appear_nor_vanish() -> None:
    case = ready()
    units = case.judge(closing(case)).units
    assert units["pupils_plan"].sum() == units["pupils_today"].sum() == 1070
    assert units["staff_plan"].sum() == units["staff_today"].sum()


def test_travel_before_and_after() -> None:
    case = ready()
    travel = case.judge(closing(case)).travel
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
