"""The referee: each rule has a plan that breaks it and nothing else; how binding rules are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from models.plan.decisions import Plan
from models.problem.request import Request
from models.rules.registry import every_rule
from tests.models.plans import (
    RICH,
    Case,
    bands_apart,
    broken_rules,
    classes,
    close,
    closing,
    keep_all,
    moved,
    ready,
    rows,
    send,
    three_midway,
)
from tests.samples import small_county

RULES = [r.id for r in every_rule()]
Broken = tuple[Case, Plan] | tuple[Case, Plan, Request]
RULES_OF_BANDS = {"bands_together": "off", "past_own_school": "off", "travel_increase": "off"}


def with_stock(unit: str, stage: str, category: str, **values: int) -> Case:
    """The small county with other numbers for one category of one unit; the row is added where there is none."""
    stock = small_county().staff_stock
    here = (stock["school_id"] == unit) & (stock["stage"] == stage) & (stock["cat_id"] == category)
    if not here.any():
        new = stock.iloc[:1].assign(school_id=unit, stage=stage, cat_id=category, heads=0)
        stock = pd.concat([stock, new], ignore_index=True)
        here = here.reindex(stock.index, fill_value=True)
    for column, value in values.items():
        stock.loc[here, column] = value
    return ready().but(staff_stock=stock)


def whole_village(case: Case) -> Plan:
    """V2's 102 primary pupils ride five kilometres past A1 to A2."""
    return send(send(keep_all(case), "V2", "g1_3", "A2", "bus"), "V2", "g4_6", "A2", "bus")


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
    return case, replace(plan, attendance=plan.attendance.query("village_id != 'V2' or band != 'g1_3'"))


def open_band() -> Broken:
    """Point A3 is next door and teaches grades 1-3 only."""
    case = ready()
    return case, send(keep_all(case), "V3", "g4_6", "A3", "walk")


def bands_together() -> Broken:
    case = ready().binding(past_own_school="off", travel_increase="off", met_kept="off")
    return case, send(keep_all(case), "V2", "g4_6", "A2", "bus")


def no_exchange() -> Broken:
    """A1 sends 90 to A2 and gets 60 from there."""
    case = ready().binding(moved_share="off", met_kept="off", **RULES_OF_BANDS)
    plan = send(send(keep_all(case), "V1", "g4_6", "A2", "bus"), "V4", "g4_6", "A1", "bus")
    return case, plan, Request(budget=RICH)


def no_ring() -> Broken:
    """Four children of A1 go to A2, four of A2 to A3, four of A3 to A1."""
    case = ready(three_midway(small_county()))
    plan = keep_all(case)
    for village, school in (("X1", "A2"), ("X2", "A3"), ("X3", "A1")):
        plan = send(plan, village, "g1_3", school, "bus")
    return case, plan


def no_swap() -> Broken:
    """V7's small children leave A2 for A1, its others A1 for A2."""
    case = ready(bands_apart(small_county()))
    plan = send(send(keep_all(case), "V7", "g1_3", "A1", "bus"), "V7", "g4_6", "A2", "bus")
    return case, classes(plan, "A1", "g1_3", 6), Request(budget=RICH)


def travel_limit() -> Broken:
    case = ready().binding(
        travel_increase="off", past_nearer_school="off"
    )  # a far school lies past a near one
    plan = closing(case)
    return case, replace(
        plan, attendance=plan.attendance.assign(mode="walk")
    )  # 37 minutes for small children


def travel_increase() -> Broken:
    case = ready().with_rules(travel_increase=10)
    return case, closing(case)  # 3 minutes on foot become 15 by bus


def past_own_school() -> Broken:
    case = ready().with_rules(travel_bus_g1_3=60).binding(travel_increase="off", met_kept="off")
    return case, whole_village(case), Request(budget=RICH)


def past_nearer_school() -> Broken:
    """A3 closes and its pupils ride past A1 to A2."""
    case = ready().binding(travel_increase="off")
    return case, close(case, keep_all(case), "A3", "A2")


def group_access() -> Broken:
    """A3, which closes, and its pupils are of one group, A1 and everybody else of another."""
    county = small_county()
    stage, going = county.school_stage, county.attendance
    takes = np.where(stage["school_id"] == "A3", "one", "other")
    of = np.where(going["school_id"] == "A3", "one", "other")
    case = ready(replace(county, school_stage=stage.assign(groups=takes), attendance=going.assign(group=of)))
    return case, closing(case)


def bands_from_top() -> Broken:
    case = ready().binding(bands_together="off", travel_increase="off", met_kept="off")
    plan = send(keep_all(case), "V4", "g1_3", "A1", "bus")
    return case, classes(classes(plan, "A2", "g1_3", 0, is_open=False), "A1", "g1_3", 6)


def protected() -> Broken:
    case = ready()
    return case, close(case, keep_all(case), "B3", "B1")  # given by a donor


def closure_max_pupils() -> Broken:
    case = ready().with_rules(closure_max_pupils=12)
    return case, closing(case)


def open_has_pupils() -> Broken:
    case = ready().binding(past_own_school="off")
    return case, classes(send(keep_all(case), "V3", "g1_3", "A1", "bus"), "A1", "g1_3", 6)


def assessed_floor() -> Broken:
    """A1 keeps 198 of 300."""
    case = ready().with_rules(travel_bus_g1_3=60, assessed_floor=250)
    case = case.binding(past_own_school="off", travel_increase="off", met_kept="off")
    return case, whole_village(case), Request(budget=RICH)


def junior_per_township() -> Broken:
    case = ready().with_rules(moved_share=0.2, travel_bus_g7_9=60, class_cap_jun=60)
    case = case.binding(
        travel_increase="off", met_kept="off", outflow_township_q="off", outflow_township_b="off", outflow_township_a="off"
    )  # fmt: skip
    return case, close(case, keep_all(case), "B9", "A9", "jun"), Request(budget=RICH)


def closures_township() -> Broken:
    case = ready().with_rules(closures_township=0)
    return case, closing(case)


def closures_share() -> Broken:
    case = ready().with_rules(closures_share=0.1)
    return case, closing(case)  # one of seven


def moved_share() -> Broken:
    case = ready().with_rules(moved_share=0.01)
    return case, closing(case)  # 12 of 1070


def capacity() -> Broken:
    stage = small_county().school_stage
    stage.loc[stage["school_id"] == "A1", "capacity_pupils"] = 305
    case = ready().but(school_stage=stage).with_rules(class_cap_pri=60)
    return case, classes(closing(case), "A1", "g1_3", 5)  # 312


def school_size() -> Broken:
    case = ready().with_rules(school_cap_relief=305)
    return case, closing(case)


def class_size() -> Broken:
    case = ready().binding(classes_kept="off")
    return case, classes(keep_all(case), "A1", "g1_3", 3)  # 47 in a class


def rooms_() -> Broken:
    case = ready()
    return case, classes(keep_all(case), "A1", "g1_3", 8)  # 11 classes, 450 places: 10 rooms


def min_classes() -> Broken:
    case = ready().binding(classes_kept="off", class_cap_pri="off")
    return case, classes(keep_all(case), "A2", "g1_3", 2)


def classes_kept() -> Broken:
    case = ready().with_rules(class_cap_pri=60)
    return case, classes(keep_all(case), "A1", "g1_3", 4)


def staff_balance() -> Broken:
    case = ready()
    return case, moved(closing(case))  # A3 closes and keeps its staff


def staff_pairs() -> Broken:
    case = ready()
    return case, moved(keep_all(case), ("A1", "pri", "A2", "pri", "near_ret", 1))


def eligible_moves() -> Broken:
    case = with_stock("A1", "pri", "plain", eligible_rotation=1)
    return case, moved(keep_all(case), ("A1", "pri", "A2", "pri", "plain", 2))


def near_retirement_stays() -> Broken:
    """A3 closes and its oldest teacher is to work in the other township."""
    case = with_stock("A3", "pri", "near_ret", heads=1)
    plan = closing(case)
    here = plan.staff_moves["cat_id"] == "near_ret"
    there = plan.staff_moves["to_school_id"].mask(here, "B1")
    return case, replace(plan, staff_moves=plan.staff_moves.assign(to_school_id=there))


def floor_class() -> Broken:
    case = ready()
    return case, moved(keep_all(case), ("A3", "pri", "A1", "pri", "plain", 1))  # two classes, two heads


def floor_backbone() -> Broken:
    case = ready().binding(outflow_township_b="off", outflow_township_q="off", short_gives_none="off")
    return case, moved(keep_all(case), ("B1", "pri", "A1", "pri", "backbone", 1))


def floor_arts() -> Broken:
    """Three in the township, two schools need one each, the third visits the point."""
    case = ready().binding(outflow_township_a="off", outflow_township_q="off", short_gives_none="off")
    return case, moved(keep_all(case), ("B1", "pri", "A1", "pri", "arts", 1))


def met_kept() -> Broken:
    case = ready().binding(short_gives_none="off")
    return case, moved(keep_all(case), ("A1", "pri", "A2", "pri", "backbone", 3))  # 2 for 300 pupils


def outflow_rural() -> Broken:
    """A1 is in the county seat: what it gets leaves the villages."""
    schools = small_county().schools
    schools.loc[schools["school_id"] == "A1", "zone"] = "seat"
    case = ready().but(schools=schools).binding(outflow_township_q="off", floor_no_outflow_q="off")
    return case, moved(keep_all(case), ("A2", "pri", "A1", "pri", "plain_q", 1))


def outflow_township() -> Broken:
    case = ready()
    return case, moved(keep_all(case), ("B1", "pri", "A1", "pri", "plain_q", 1))


def floor_no_outflow() -> Broken:
    case = ready()
    return case, moved(keep_all(case), ("A2", "pri", "A1", "pri", "plain_q", 1))


def no_sink() -> Broken:
    """Five heads for two classes; the county has 61 for 25."""
    case = ready()
    return case, moved(keep_all(case), ("A1", "pri", "A3", "pri", "plain", 2))


def items() -> Broken:
    """A room is lost on the way."""
    case = ready()
    plan = closing(case)
    one = plan.item_moves.assign(quantity=plan.item_moves["quantity"].replace(2.0, 1.0))
    return case, replace(plan, item_moves=one)


def build_share() -> Broken:
    case = ready()
    bought = rows("purchases", ("A3", "pri", "area_sport", 260.0))  # of 508
    return case, replace(keep_all(case), purchases=bought), Request(budget=RICH)


def useful_rooms() -> Broken:
    """Eight classes fill twelve rooms and two function rooms; eight are there."""
    case = ready()
    return case, replace(keep_all(case), purchases=rows("purchases", ("A1", "pri", "rooms_multimedia", 7.0)))


def budget() -> Broken:
    case = ready()
    return case, replace(keep_all(case), purchases=rows("purchases", ("A1", "pri", "equip_value", 1e6)))


def recurrent_lasting() -> Broken:
    """Twelve new riders, and the money for buses comes once."""
    money = small_county().budget
    case = ready().but(budget=money.assign(one_off=money["earmark"] == "transport"))
    return case, closing(case)


def short_gives_none() -> Broken:
    """A2 has one PE or arts teacher for 120 pupils, who goes to A1."""
    case = ready().binding(short_gives_none="hard", floor_arts_point_share="off", floor_no_outflow_a="off")
    return case.binding(floor_no_outflow_q="off"), moved(
        keep_all(case), ("A2", "pri", "A1", "pri", "arts", 1)
    )


BREAKING: dict[str, Callable[[], Broken]] = {
    f.__name__.rstrip("_"): f
    for f in (
        known_ids, whole_numbers, assignment, open_band, bands_together, no_exchange, no_ring, no_swap, travel_limit, travel_increase,
        past_own_school, past_nearer_school, group_access, bands_from_top, protected, closure_max_pupils, open_has_pupils,
        assessed_floor, junior_per_township, closures_township, closures_share, moved_share, capacity, school_size,
        class_size, rooms_, min_classes, classes_kept, staff_balance, staff_pairs, eligible_moves,
        near_retirement_stays, floor_class, floor_backbone, floor_arts, met_kept, outflow_rural, outflow_township,
        floor_no_outflow, no_sink, items, build_share, useful_rooms, budget, recurrent_lasting,
        short_gives_none,
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
    assert verdict.rules["rule"].tolist() == [r for r in RULES if r != "group_access"]  # nobody told apart


def test_a_school_may_deal_its_classes_out_anew_among_its_grades() -> None:
    """Five and three classes may be four and four: a small year needs fewer, a large one more."""
    case = ready().with_rules(class_cap_pri=60)
    plan = keep_all(case)
    today = plan.bands.set_index(["school_id", "band"])["classes"]
    anew = classes(classes(plan, "A1", "g1_3", 4), "A1", "g4_6", int(today["A1", "g4_6"]) + 1)
    assert int(today["A1", "g1_3"]) > 4
    assert broken_rules(case.judge(anew)) == []


def hired_instead(rule: str) -> Broken:
    """The plan that draws a qualified teacher away, and a beginner hired where the teacher left."""
    case, plan = BREAKING[rule]()[:2]
    left = plan.staff_moves["from_school_id"].iloc[0]
    return case, replace(plan, hires=rows("hires", (left, "pri", "plain_q", 1))), Request(budget=RICH)


DRAINED = ("outflow_rural", "outflow_township", "floor_no_outflow")


@pytest.mark.parametrize("rule", DRAINED)
def test_who_is_hired_makes_up_for_nobody_who_is_drawn_away(rule: str) -> None:
    verdict = (lambda case, plan, *asked: case.judge(plan, *asked))(*hired_instead(rule))
    assert broken_rules(verdict) == [rule]


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


def test_a_table_changed_in_place_is_seen() -> None:
    """What is kept from one verdict to the next is today's county, not what it was when first judged."""
    case = ready(small_county())
    plan = keep_all(case)
    assert case.judge(plan).accepted
    places = case.county.school_stage
    places.loc[places["school_id"] == "A1", "pupils"] = 1
    places.loc[places["school_id"] == "A1", "rooms_multimedia"] = 0
    again = case.judge(plan).indicators.query("unit_id == 'A1/pri' and resource == 'rooms_multimedia'")
    assert again["amount_today"].tolist() == [0.0]
