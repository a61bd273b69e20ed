from __future__ import annotations

from dataclasses import replace

import pytest

from geodata.contract.county import County
from geodata.contract.findings import Finding
from geodata.travel.times import travel_times
from models.plan.decisions import PlanResult, SolveRecord, make_plan
from models.problem.baseline import site_bands, today_findings, today_groups
from models.problem.completeness import completeness, pupils_balance
from models.standards.norms import load_standards
from tests.maps.conftest import make_county


def stay(county: County) -> PlanResult:
    """The plan that leaves everybody where they are; only what completeness reads is filled in."""
    times = travel_times(county, walk_limit=600, bus_limit=600)
    groups = today_groups(county, load_standards(county), times)
    bands = site_bands(county)[["school_id", "band"]].assign(was_open=True, open=True, classes=1)
    attendance = groups.assign(school_id=groups["today_school_id"], mode=groups["today_mode"])
    plan = make_plan(county.year, bands=bands, attendance=attendance)
    found = (*county.findings, *times.findings, *today_findings(county, groups))
    solve = SolveRecord(0.0, 0.0, 0.0, 0.0, "proven", "HiGHS", 0, ())
    return PlanResult(county, {}, plan, None, solve, times, None, found)


def balance(result: PlanResult):
    return pupils_balance(result.county, result.plan, result.findings)


def names(result: PlanResult, kind: str) -> list[str]:
    table = completeness(result)
    return table.loc[table["kind"] == kind, "name"].tolist()


def without(county: County, village: str) -> County:
    """The county without the observed attendance of a village."""
    going = county.attendance
    return replace(county, attendance=going[going["village_id"] != village].reset_index(drop=True))


def moved(county: County, village: str, lon: float, lat: float) -> County:
    """The county with a village elsewhere."""
    places = county.villages.copy()
    places.loc[places["village_id"] == village, ["lon", "lat"]] = [lon, lat]
    return replace(county, villages=places)


def test_all_pupils_of_a_whole_county_are_assigned():
    sums = balance(stay(make_county()))
    assert sums.holds and sums.listed == 0
    assert sums.demand == sums.assigned == 3 * 356


def test_an_unreachable_village_without_attendance_is_listed_with_its_pupils():
    county = moved(without(make_county(), "V10"), "V10", 121.0, 33.0)
    result = stay(county)
    sums = balance(result)
    assert sums.holds and sums.listed == 3 * 14
    assert set(names(result, "left_out")) == {"姚家岭村"}
    assert "姚家岭村" in names(result, "unreachable") and "姚家岭村" in names(result, "far")
    forgotten = tuple(f for f in result.findings if f.key != "reasons.unplaced")
    assert not balance(replace(result, findings=forgotten)).holds


def test_attendance_at_a_school_that_takes_no_part_is_named_and_loses_nobody():
    county = make_county()
    going = county.attendance.copy()
    at = (going["village_id"] == "V02") & (going["band"] == "g1_3")
    going.loc[at, "school_id"] = "S7"  # private
    result = stay(replace(county, attendance=going))
    sums = balance(result)
    assert sums.holds and sums.listed == 0
    (found,) = [f for f in result.findings if f.key == "reasons.attendance_elsewhere"]
    assert (found.value, found.fields["pupils"], found.fields["villages"]) == ("S7", 80, "武家坝村")
    assert {"武家坝村", "育才学校"} <= set(names(result, "imputed"))


def test_a_village_outside_the_county_is_named_and_loses_nobody():
    county = make_county()
    lon, lat = county.villages.loc[county.villages["village_id"] == "V10", ["lon", "lat"]].iloc[0]
    result = stay(moved(county, "V10", lon, lat + 0.1))
    assert names(result, "outside") == ["姚家岭村"]
    assert balance(result).holds
    assert names(stay(county), "outside") == []


@pytest.mark.parametrize("change", [-1, 1])
def test_a_pupil_lost_or_doubled_breaks_the_balance(change):
    result = stay(make_county())
    rows = result.plan.attendance.copy()
    rows.loc[0, "pupils"] += change
    assert not balance(replace(result, plan=replace(result.plan, attendance=rows))).holds


def test_findings_of_reading_are_named_under_their_kind():
    result = stay(make_county())
    said = (
        Finding("warning", "tables.close_schools", {"other": "甲"}, "schools.csv", "schools", 3, "lon", "乙"),
        Finding("note", "tables.shared_split", {}, "school_stage", value="S5"),
        Finding("note", "tables.default_used", {"default": 0}, "schools.csv", "schools", column="beds"),
    )
    more = replace(result, findings=(*result.findings, *said))
    assert names(more, "duplicated") == ["乙"]
    assert {"青石乡九年一贯制学校", "beds"} <= set(names(more, "imputed"))
