from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from geodata.checks.crosschecks import unit_sanity
from geodata.checks.places import _close_pairs
from geodata.contract.validation.placed import Placed
from geodata.folder.reading import check
from geodata.standards.reading import merge, parse
from tests.damage import bad, cells, put, write
from tests.samples import small_county

CAP = """
[[rule]]
id = "class_cap_pri"
stage = "pri"
quantity = "pupils a class"
operator = "<="
value = 51.5
unit = "pupils"
kind = "hard"
"""


def only(folder, severity="error"):
    return [f for f in check(folder) if f.severity == severity]


@pytest.mark.parametrize(
    ("table", "column", "target"),
    [
        ("school_stage", "school_id", "schools.csv"), ("enrolment_by_grade", "school_id", "schools.csv"),
        ("attendance", "school_id", "schools.csv"), ("attendance", "village_id", "villages.csv"),
        ("demand", "village_id", "villages.csv"), ("staff_stock", "school_id", "schools.csv"),
        ("staff_stock", "cat_id", "staff_category.csv"),
    ],
)  # fmt: skip
def test_an_id_that_another_table_lacks_is_named_with_its_row(county_folder, table, column, target):
    put(county_folder, table, 9, column, "X999")
    found = [f for f in only(county_folder) if f.key == "tables.unknown_id"]
    assert [(f.file, f.row, f.column, f.value) for f in found] == [(f"{table}.csv", 9, column, "X999")]
    for language in ("zh", "en"):
        assert target in found[0].text(language) and "X999" in found[0].text(language)


@pytest.mark.parametrize(
    ("table", "column", "value", "key"),
    [
        ("school_stage", "area_indoor_sport", "29999", "tables.indoor_more"),
        ("school_stage", "boarders", "5999", "tables.more_boarders"),
        ("school_stage", "rooms_multimedia_working", "299", "tables.more_working"),
        ("school_stage", "classes", "0", "tables.no_classes"),
        ("schools", "grades_served", "6-1", "tables.grades"), ("schools", "grades_served", "1到6", "tables.grades"),
        ("schools", "grades_served", "1-3,", "tables.grades"), ("schools", "protected", "lockopen", "tables.protected"),
        ("schools", "protected", "lock_until(soon)", "tables.protected"),
        ("schools", "lon", "116.1", "tables.far_away"),
        ("villages", "lat", "33.1", "tables.far_away"),
    ],
)  # fmt: skip
def test_a_value_that_contradicts_another_is_an_error_at_its_cell(county_folder, table, column, value, key):
    put(county_folder, table, 4, column, value)
    (one,) = only(county_folder)
    assert (one.key, one.file, one.row) == (key, f"{table}.csv", 4)
    assert column in one.column and value in one.value
    assert value in one.text("zh") and value in one.text("en")


@pytest.mark.parametrize(
    ("table", "column", "value", "key"),
    [
        ("school_stage", "equip_value", "300", "tables.wan_yuan"),
        ("school_stage", "classes", "2", "tables.big_classes"),
        ("school_stage", "capacity_pupils", "10", "tables.over_capacity"),
    ],
)
def test_what_is_only_unlikely_is_a_warning(county_folder, table, column, value, key):
    put(county_folder, table, 3, column, value)
    found = [f for f in check(county_folder) if f.row == 3]
    assert [(f.severity, f.key, f.value.removesuffix(".0")) for f in found] == [("warning", key, value)]


def test_the_cap_of_classes_is_the_standards_own():
    """The message said 45 and 50 whatever a county's standards say."""
    stage = small_county().school_stage
    stage["classes"] = stage["classes"].mask(stage["school_id"] == "B1", 5)  # of 260 pupils
    rows = pd.Series(range(2, len(stage) + 2), index=stage.index)
    norms = merge(("cn_layout", "./ours.toml"), {"./ours.toml": parse(CAP, "ours.toml")})
    (one,) = unit_sanity({"school_stage": Placed(stage, "school_stage.csv", rows, "school_stage")}, norms)
    assert (one.key, one.value, one.fields["cap"]) == ("tables.big_classes", "5", "51.5")
    assert "51.5" in one.text("en") and "51.5" in one.text("zh")


@pytest.mark.parametrize(
    "protected", ["none", "lock_open", "lock_until(2030)", "donor", "ethnic", "border", ""]
)
def test_every_protection_of_the_contract_is_accepted(county_folder, protected):
    put(county_folder, "schools", 4, "protected", protected)
    assert not only(county_folder)


def test_swapped_axes_are_told_from_far_points(county_folder):
    place = cells(county_folder, "villages").loc[7]
    put(county_folder, "villages", 9, "lon", place["lat"])
    put(county_folder, "villages", 9, "lat", place["lon"])
    (one,) = only(county_folder)
    assert (one.key, one.file, one.row) == ("tables.swapped", "villages.csv", 9)


def test_two_schools_at_one_place_are_a_question(county_folder):
    schools = cells(county_folder, "schools")
    for column in ("lon", "lat"):
        put(county_folder, "schools", 60, column, schools.loc[20, column])
    names = {schools.loc[58, "name"], schools.loc[20, "name"]}
    asked = [f for f in only(county_folder, "warning") if f.key == "tables.close_schools"]
    assert names in [{f.value, f.fields["other"]} for f in asked]


def test_sums_that_disagree_are_named_with_both_numbers(county_folder):
    old = int(put(county_folder, "school_stage", 6, "pupils", "1800"))
    school = cells(county_folder, "school_stage").loc[4, "school_id"]
    said = {f.key: f for f in only(county_folder, "warning") if f.key.endswith("_sum")}
    assert set(said) == {"tables.grades_sum", "tables.attendance_sum"}
    for f in said.values():
        assert (f.fields["school"], f.fields["have"], f.fields["want"]) == (school, old, 1800)


def test_demand_that_differs_from_attendance_is_counted_with_an_example(county_folder):
    demand = cells(county_folder, "demand")
    rows = demand.index[demand["year"] == "2025"][:3]
    demand.loc[rows, "pupils_base"] = "999"
    write(county_folder, "demand", demand)
    (one,) = [f for f in only(county_folder, "warning") if f.key == "tables.demand_sum"]
    assert (one.fields["count"], one.fields["want"]) == (3, 999)


def test_a_planning_year_without_demand_is_an_error_and_without_budget_a_warning(county_folder):
    frame = cells(county_folder, "demand")
    write(county_folder, "demand", frame[frame["year"] != "2025"])
    write(county_folder, "budget", cells(county_folder, "budget").assign(year="2031"))
    assert [f.key for f in only(county_folder)] == ["tables.no_year_demand"]
    assert "tables.no_year_budget" in {f.key for f in only(county_folder, "warning")}


def test_every_unit_cost_a_plan_needs_must_be_there(county_folder):
    costs = cells(county_folder, "unit_costs")
    write(county_folder, "unit_costs", costs[~costs["item"].isin(["bus_pupil", "land"])])
    assert sorted(str(f.fields["item"]) for f in only(county_folder)) == ["bus_pupil", "land"]


def test_staff_of_a_stage_the_school_or_category_does_not_have(county_folder):
    staff = cells(county_folder, "staff_stock")
    primary = staff.index[staff["school_id"] == "3418000001"][0]
    staff.loc[primary, "stage"] = "jun"
    write(county_folder, "staff_stock", staff)
    found = only(county_folder)
    assert [(f.key, f.row, f.value) for f in found] == [("tables.no_unit", primary + 2, "3418000001")]


def test_shared_assets_must_agree_and_stand_on_every_row(county_folder):
    stages = cells(county_folder, "school_stage")
    at = stages.index[stages["shared_assets"] == "True"]
    school = stages.loc[at[0], "school_id"]
    put(county_folder, "school_stage", at[0] + 2, "area_teaching", "9000")
    (one,) = only(county_folder)
    assert (one.key, one.value, one.fields["columns"]) == ("tables.shared_disagree", school, "area_teaching")
    write(county_folder, "school_stage", stages)
    put(county_folder, "school_stage", at[0] + 2, "shared_assets", "false")
    (one,) = only(county_folder)
    assert (one.key, one.value, one.fields["columns"]) == ("tables.shared_disagree", school, "shared_assets")


def test_faults_in_five_tables_are_reported_together(county_folder):
    stages = cells(county_folder, "school_stage")
    write(county_folder, "school_stage", stages.drop(columns=["classes"]))
    put(county_folder, "attendance", 8, "village_id", "V999")
    put(county_folder, "villages", 5, "lon", "121.9")
    put(county_folder, "schools", 6, "grades_served", "6-1")
    put(county_folder, "budget", 3, "amount", "250万")
    staff = cells(county_folder, "staff_stock")
    write(county_folder, "staff_stock", staff.loc[[*staff.index, 11]])
    assert {f[:4] for f in bad(check(county_folder))} == {
        ("tables.missing_column", "school_stage.csv", None, "classes"),
        ("tables.unknown_id", "attendance.csv", 8, "village_id"),
        ("tables.far_away", "villages.csv", 5, "lon, lat"),
        ("tables.grades", "schools.csv", 6, "grades_served"),
        ("tables.not_number", "budget.csv", 3, "amount"),
        ("tables.duplicate", "staff_stock.csv", len(staff) + 2, "school_id + stage + cat_id"),
    }


def test_many_schools_at_one_place_are_one_pair_each(monkeypatch):
    """A table that held one school 150,000 times asked for ten thousand million pairs and ended in a traceback."""
    some = np.array(
        [[0.0, 0.0], [100.0, 0.0], [0.0, 0.0], [900.0, 0.0], [1000.0, 0.0], [0.0, 5000.0], [0.0, 0.0]]
    )
    assert _close_pairs(some) == [(0, 1), (0, 2), (0, 6), (3, 4)]
    monkeypatch.setattr("geodata.checks.places.MOST_CLOSE", -1)
    assert _close_pairs(some) == [(0, 1), (0, 2), (0, 6), (3, 4)]
    assert len(_close_pairs(np.zeros((150_000, 2)))) == 149_999
    assert len(_close_pairs(np.random.default_rng(1).random((20_000, 2)) * 100)) < 20_000
    assert _close_pairs(some[3:4]) == []
