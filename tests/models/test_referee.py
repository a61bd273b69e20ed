"""The referee: each rule has a plan that breaks it and nothing else; how binding rules are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from models.referee.means import MEANS_RULES
from models.referee.pupils import PUPIL_RULES

from models.plan.decisions import Plan
from models.problem.request import Request
from models.referee.verdict import REPORTED
from tests.models.plans import (
    RICH,
    Case,
    broken_rules,
    by_choice,
    classes,
    close,
    closing,
    keep_all,
    moved,
    ready,
    rows,
    send,
)
from tests.samples import small_county

RULES = [check.__name__ for check in (*PUPIL_RULES, *MEANS_RULES)]
Broken = tuple[Case, Plan] | tuple[Case, Plan, Request]


def with_stock(unit: str, stage: str, category: str, heads: int) -> Case:
    county = small_county()
    stock = county.staff_stock.copy()
    here = (stock["school_id"] == unit) & (stock["stage"] == stage) & (stock["cat_id"] == category)
    assert here.any()
    stock.loc[here, "heads"] = heads
    return ready(replace(county, staff_stock=stock))


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


def access_following() -> Broken:
    """Five children live next to A3; it closes and they follow their village to A1 on foot."""
    case = by_choice("A3", 5)
    plan = closing(case)
    return case, replace(plan, attendance=plan.attendance.assign(mode="walk"))


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
        known_ids, whole_numbers, assignment, open_band, bands_from_top, protected, access, access_following,
        bus_past_school, school_size, capacity, class_size, rooms, min_classes, assessed_floor, junior_per_township,
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
    assert verdict.accepted == (rule in REPORTED)
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
