"""A new bus to a school within walking is no remedy, to the own school or another: model and referee say the same.

V1 lives 350 m from A1 and V2 one kilometre; both walk. Who rides there today, as the table of attendance says, goes on riding.
"""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest

from models.problem.building import build_instance
from models.problem.instance import Instance
from models.problem.request import Request
from tests.models.plans import Case, broken_rules, keep_all, ready, send
from tests.samples import small_county

NORM = "travel_walk_g1_3"


def ways(case: Case, village: str, school: str) -> pd.DataFrame:
    inst = instance(case)
    pairs = inst.pairs[(inst.pairs["village_id"] == village) & (inst.pairs["band"] == "g1_3")]
    return pairs[pairs["school_id"] == school]


def instance(case: Case) -> Instance:
    return build_instance(case.county, case.standards, Request(goals=("cost",)), case.times)


def riding_today(village: str) -> Case:
    going = small_county().attendance
    here = (going["village_id"] == village) & (going["band"] == "g1_3")
    return ready().but(
        attendance=going.assign(mode=going.get("mode", "")).assign(mode=lambda t: t["mode"].mask(here, "bus"))
    )


def walking_to_a2() -> Case:
    """V2's small children go to A2 today, five kilometres off, and have A1 within a walk."""
    plain = small_county()
    going, stage = plain.attendance.copy(), plain.school_stage.copy()
    here = (going["village_id"] == "V2") & (going["band"] == "g1_3")
    going.loc[here, "school_id"] = "A2"
    stage.loc[stage["school_id"] == "A2", "pupils"] += 50
    stage.loc[stage["school_id"] == "A1", "pupils"] -= 50
    going = going.sort_values(["village_id", "school_id", "band"]).reset_index(drop=True)
    return ready(replace(plain, attendance=going, school_stage=stage)).binding(bands_together="off")


def test_to_the_own_school() -> None:
    """Ten minutes by bus instead of 24 on foot: nobody may newly ride it, nobody is offered it."""
    case = ready()
    assert ways(case, "V2", "A1")["mode"].tolist() == ["walk"]
    verdict = case.judge(send(keep_all(case), "V2", "g1_3", "A1", "bus"))
    assert broken_rules(verdict) == ["travel_limit"]
    wrong = verdict.violations.query("rule == 'travel_limit' and not grandfathered")
    assert wrong[["place_id", "norm"]].to_numpy().tolist() == [["V2", NORM]]


def test_to_another_school() -> None:
    case = walking_to_a2()
    assert ways(case, "V2", "A1")["mode"].tolist() == ["walk"]
    told = {
        mode: broken_rules(case.judge(send(keep_all(case), "V2", "g1_3", "A1", mode)))
        for mode in ("walk", "bus")
    }
    assert "travel_limit" not in told["walk"]
    assert set(told["bus"]) - set(told["walk"]) == {"travel_limit"}


def test_who_rides_today_may_go_on_or_walk() -> None:
    """A ride of today's is data, not a remedy."""
    case = riding_today("V2")
    assert broken_rules(case.judge(keep_all(case))) == []
    assert case.judge(send(keep_all(case), "V2", "g1_3", "A1", "walk")).accepted
    assert ways(case, "V2", "A1").query("stay")["mode"].tolist() == ["bus"]


@pytest.mark.parametrize(
    ("kind", "offered"), [("hard", False), ("soft", True), ("report", True), ("off", True)]
)
def test_the_walking_limit_says_how_binding_it_is(kind: str, offered: bool) -> None:
    """Priced where it is soft, told where it is reported, nothing where there is no limit."""
    case = ready().binding(**{NORM: kind})
    inst = instance(case)
    rides = ways(case, "V2", "A1").query("mode == 'bus'")
    assert len(rides) == offered
    priced = inst.softened[inst.softened["p"].isin(rides.index)]
    assert priced[["rule", "norm"]].to_numpy().tolist() == (
        [["travel_limit", NORM]] if kind == "soft" else []
    )
    verdict = case.judge(send(keep_all(case), "V2", "g1_3", "A1", "bus"))
    told = verdict.violations.query("rule == 'travel_limit' and place_id == 'V2'")
    assert told["kind"].tolist() == ([kind] if kind != "off" else [])
    assert verdict.accepted == (kind != "hard")


def test_nobody_rides_away_from_an_own_school_within_a_walk() -> None:
    """V3's grades 4-6 walk 33 of 40 minutes to A1; the bus to A2, four kilometres on, takes 24: saved by riding, not by being nearer."""
    case = ready().binding(met_kept="off")
    away = send(keep_all(case), "V3", "g4_6", "A2", "bus")
    verdict = case.judge(away)
    assert broken_rules(verdict) == ["past_own_school"]
    wrong = verdict.violations.query("rule == 'past_own_school'")[["place_id", "amount", "limit"]]
    assert wrong.round(0).to_numpy().tolist() == [["V3", 24, 0]]
    inst = instance(case)
    mine = inst.barred.query("village_id == 'V3' and band == 'g4_6' and school_id == 'A2' and mode == 'bus'")
    assert mine["rule"].tolist() == ["past_own_school"]


def test_who_walks_to_an_overfull_school_may_ride_to_the_next() -> None:
    """A1 has a pupil more than places."""
    stage = small_county().school_stage
    stage.loc[stage["school_id"] == "A1", "capacity_pupils"] = 299
    case = ready().but(school_stage=stage).binding(met_kept="off")
    assert case.judge(send(keep_all(case), "V3", "g4_6", "A2", "bus")).accepted
