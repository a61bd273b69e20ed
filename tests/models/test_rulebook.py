"""More ways in which a plan goes wrong, and what is allowed: locks, requests, staff, items, odd plans."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from geodata.contract.tables import EARMARKS
from models.plan.decisions import Plan, make_plan
from models.problem.request import Request
from models.problem.ways import _past_nearer
from tests.models.plans import (
    RICH,
    broken_rules,
    by_choice,
    classes,
    closing,
    keep_all,
    moved,
    ready,
    rows,
)
from tests.samples import small_county


def test_long_ways_of_today_are_listed_and_allowed() -> None:
    """V4's juniors walk 77 minutes today, as their table says: beyond 40 and no worse than today."""
    going = small_county().attendance
    going["mode"] = going["mode"].mask((going["village_id"] == "V4") & (going["band"] == "g7_9"), "walk")
    case = ready().but(attendance=going)
    eased = case.judge(keep_all(case)).violations.query("rule == 'travel_limit'")
    assert eased["grandfathered"].all()
    assert eased["place_id"].tolist() == ["V4"]
    assert eased["amount"].max() == pytest.approx(77.14)


def test_an_assumed_walk_excuses_no_long_way() -> None:
    """Without a mode in the table the best way that exists is today's: the bus."""
    case = ready()
    today = case.judge(keep_all(case)).travel.query("village_id == 'V4' and band == 'g7_9'").iloc[0]
    assert today["today_mode"] == "bus"
    assert today["minutes_today"] < 40


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
    assert broken_rules(case.judge(closing(case))) == ["closure_max_pupils"]


def test_a_budget_of_one_run_replaces_the_countys() -> None:
    case = ready()
    none_left = Request(budget=dict.fromkeys(EARMARKS, 0.0))
    assert case.judge(keep_all(case), none_left).accepted  # visiting teachers are on the payroll today
    verdict = case.judge(closing(case), none_left)
    assert broken_rules(verdict) == ["budget"]
    short = set(verdict.violations.query("rule == 'budget'")["place_id"])
    assert short == {"teacher", "device", "building", "transport"}


def test_any_money_covers_what_an_earmark_lacks() -> None:
    case = ready()
    plan = replace(keep_all(case), purchases=rows("purchases", ("A1", "pri", "equip_value", 1e6)))
    enough = Request(budget={"teacher": 20_000.0, "device": 900_000.0, "any": 100_000.0})
    verdict = case.judge(plan, enough)
    assert verdict.accepted
    left = verdict.budget.set_index("earmark")
    assert left.loc["any"].tolist() == [100_000.0, 100_000.0, 0.0]
    short = Request(budget={"teacher": 20_000.0, "device": 900_000.0, "any": 99_000.0})
    assert broken_rules(case.judge(plan, short)) == ["budget"]


def _wrong_transfers() -> list[tuple[object, ...]]:
    return [
        ("A1", "pri", "A9", "jun", "plain_q", 1),  # a primary certificate does not teach junior
        ("A3", "pri", "A1", "pri", "near_ret", 0),
        ("A1", "pri", "A2", "pri", "near_ret", 1),
    ]


@pytest.mark.parametrize("move", [_wrong_transfers()[0], _wrong_transfers()[2]])
def test_transfers_that_are_not_allowed(move: tuple[str, str, str, str, str, object]) -> None:
    case = ready()
    assert "staff_pairs" in broken_rules(case.judge(moved(keep_all(case), move)))


def test_junior_teachers_may_teach_primary() -> None:
    case = ready().binding(outflow_rural_q="report", outflow_township_q="report")
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
        [("A1", "pri", "gold", 1.0)],
        [("A1", "pri", "q", 1.0)],
    ],
)
def test_purchases_that_are_not_allowed(bought: list[tuple[object, ...]]) -> None:
    case = ready()
    plan = replace(keep_all(case), purchases=rows("purchases", *bought))
    assert broken_rules(case.judge(plan, Request(budget=RICH))) == ["items"]


def test_a_purchase_in_two_rows_is_one_purchase() -> None:
    case = ready()
    half = ("A3", "pri", "area_sport", 130.0)  # of 508: together beyond half
    plan = replace(keep_all(case), purchases=rows("purchases", half, half))
    assert broken_rules(case.judge(plan, Request(budget=RICH))) == ["build_share"]


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
    "a transfer of nobody": ("staff_pairs", lambda p: moved(p, ("A1", "pri", "A2", "pri", "plain", 0))),
    "a transfer to itself": ("staff_pairs", lambda p: moved(p, ("A1", "pri", "A1", "pri", "plain", 1))),
    "there and back": (
        "staff_pairs", lambda p: moved(p, ("A1", "pri", "A2", "pri", "plain", 1), ("A2", "pri", "A1", "pri", "plain", 1)),
    ),
    "a closed band with classes": ("min_classes", lambda p: classes(p, "A2", "g4_6", 3, is_open=False)),
    "rooms beyond any use": (
        "useful_rooms", lambda p: replace(p, purchases=rows("purchases", ("A3", "pri", "rooms_multimedia", 50.0))),
    ),
    "items between open schools": (
        "items", lambda p: replace(p, item_moves=rows("item_moves", ("A1", "pri", "B1", "pri", "equip_value", 9.0))),
    ),
    "items to another stage": (
        "items", lambda p: replace(p, item_moves=rows("item_moves", ("A3", "pri", "A9", "jun", "equip_value", 9.0))),
    ),
    "a purchase unknown": ("items", lambda p: replace(p, purchases=rows("purchases", ("A1", "pri", "equip_value", np.nan)))),
    "a purchase negative": ("items", lambda p: replace(p, purchases=rows("purchases", ("A1", "pri", "equip_value", -1.0)))),
    "equipment from nowhere": (
        "items", lambda p: replace(p, item_moves=rows("item_moves", ("ZZ", "pri", "A1", "pri", "equip_value", 9.0))),
    ),
    "no pupils": ("assignment", lambda p: _without(p, "attendance")),
    "no bands": ("known_ids", lambda p: _without(p, "bands")),
    "nothing at all": ("assignment", lambda p: make_plan(2025)),
}  # fmt: skip


@pytest.mark.parametrize("name", list(STRANGE))
def test_strange_plans_are_violations_not_errors(name: str) -> None:
    case = ready()
    rule, spoil = STRANGE[name]
    verdict = case.judge(spoil(keep_all(case)))
    assert rule in broken_rules(verdict)
    assert not verdict.accepted


@pytest.mark.parametrize("asked", [Request(close=("ZZ",)), Request(keep_open=("ZZ",))])
def test_a_request_about_a_school_nobody_knows(asked: Request) -> None:
    case = ready()
    verdict = case.judge(keep_all(case), asked)
    assert broken_rules(verdict) == ["known_ids"]
    assert verdict.violations.query("rule == 'known_ids'")["place_id"].tolist() == ["ZZ"]


def test_choice_pupils_stay_while_their_school_stays() -> None:
    case = by_choice("A3", 5)
    plan = keep_all(case)
    assert case.judge(plan).accepted
    going = plan.attendance.copy()
    going.loc[(going["group"] == "choice"), ["school_id", "mode"]] = ["A1", "walk"]
    assert "assignment" in broken_rules(case.judge(replace(plan, attendance=going)))


@pytest.mark.parametrize(
    ("school", "mode", "rules"),
    [
        ("A1", "bus", []), ("A1", "walk", ["travel_limit", "travel_increase", "past_nearer_school"]),
        ("A2", "bus", ["travel_increase", "past_nearer_school"]),
    ],
)  # fmt: skip
def test_choice_pupils_keep_limit_and_increase_when_their_school_closes(
    school: str, mode: str, rules: list[str]
) -> None:
    case = by_choice("A3", 5)
    plan = closing(case)
    going = plan.attendance.copy()
    going.loc[going["group"] == "choice", ["school_id", "mode"]] = [school, mode]
    assert broken_rules(case.judge(replace(plan, attendance=going))) == rules


def _ways(dice: np.random.Generator, schools: int = 4) -> pd.DataFrame:
    """Ways of one group to some schools with places, by foot and by bus, in minutes at random."""
    rows = [
        ("g", "g1_3", f"S{s}", mode, float(dice.integers(1, most)), limit, True, 99, 10)
        for s in range(schools)
        for mode, most, limit in (("walk", 60, 30.0), ("bus", 60, 45.0))
        if dice.random() < 0.8
    ]
    columns = ["g", "band", "school_id", "mode", "minutes", "limit", "changed", "free", "pupils"]
    ways = pd.DataFrame(rows, columns=columns).assign(taken=True)
    walked = ways.loc[(ways["mode"] == "walk") & (ways["minutes"] <= ways["limit"]), "school_id"]
    return ways.assign(idle_ride=(ways["mode"] == "bus") & ways["school_id"].isin(walked))


@pytest.mark.parametrize("seed", range(60))
def test_one_way_within_the_limit_goes_past_nobody(seed: int) -> None:
    """A walk barred by a ride and that ride by the walk would leave a closing school's pupils nowhere to go."""
    ways = _ways(np.random.default_rng(seed))
    barred = _past_nearer(ways, ways.rename_axis("row").reset_index(), 5.0)
    within = ways.index[ways["minutes"] <= ways["limit"]]
    assert len(within) == 0 or set(within) - set(barred["row"])


def test_pupils_are_not_swapped_between_groups() -> None:
    """The village's sum is right and still two children go elsewhere."""
    case = by_choice("A3", 5)
    plan = keep_all(case)
    going = plan.attendance.copy()
    here = (going["village_id"] == "V3") & (going["band"] == "g1_3")
    going.loc[here, "pupils"] += going.loc[here, "group"].map({"zone": 2, "choice": -2})
    assert broken_rules(case.judge(replace(plan, attendance=going))) == ["assignment"]
