"""What is not known is neither zero nor met: known answers of audit and referee, one gap after another."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd
import pytest

from geodata.contract.findings import InputProblems
from geodata.contract.tables import IDLE
from geodata.folder.reading import check, read_county
from geodata.folder.sharing import split_shared
from geodata.travel.times import travel_times
from models.plan.arrangement import today_as_plan
from models.problem.baseline import planning_demand
from models.problem.building import build_instance
from models.problem.request import Request
from models.problem.spread import official_cv
from models.referee.audit import audit
from models.referee.verdict import judge
from models.standards.norms import load_standards
from tests.models.unknown import MEASURES, TABLES_THAT_MAY_LACK, county_whole, emptied, without, written

CELLS = ["unit_id", "indicator"]
UNIT = 3  # A9/jun, an assessed unit that passes


@pytest.fixture(scope="module")
def whole():
    return audit(county_whole())


@cache
def way():
    """Minutes of the county, which no gap changes."""
    return travel_times(county_whole())


@cache
def same_as_today():
    """Everybody stays: the same plan whatever is not known."""
    return today_as_plan(county_whole(), load_standards(county_whole()), way())


def stay(county):
    """The referee's word on today as a plan."""
    return judge(county, load_standards(county), same_as_today(), way())


def cells(found):
    return found.indicators.set_index(CELLS).sort_index()


def same_but(found, whole, gone: pd.Series) -> None:
    """Cells that are gone are not assessed, and every other one is as in the whole county."""
    now, before = cells(found), cells(whole)
    gone = gone.reindex(now.index)
    assert gone.any() and now.loc[gone, ["amount_today", "ratio_today", "gap_today", "met_today"]].isna().all(
        axis=None
    )
    pd.testing.assert_frame_equal(now[~gone], before[~gone])


@pytest.mark.parametrize("table", ["staff_stock", "staff_category"])
def test_without_staff_what_is_counted_in_staff_is_not_assessed(whole, table):
    county = without(table)
    found = audit(county)
    staff = cells(whole)["resource"].isin(load_standards(county).heads)
    same_but(found, whole, staff)
    assert found.units["passes_today"].isna().all() and found.stages["passes"].isna().all()
    gone = found.cv["indicator"].isin(
        whole.indicators.loc[whole.indicators["resource"].isin(load_standards(county).heads), "indicator"]
    )
    assert found.cv.loc[gone, ["cv_today", "mean_today", "ok_today"]].isna().all(axis=None)
    pd.testing.assert_frame_equal(found.cv[~gone], whole.cv[~gone])
    verdict = stay(county)
    assert verdict.accepted and verdict.rules["ok"].all()
    measures = verdict.measures.set_index("measure")
    assert measures.loc["staff", ["today", "plan"]].isna().all()
    assert measures.loc[["units_passing", "units_assessed"], "plan"].tolist() == [0, 0]
    assert verdict.goals.set_index("goal").loc["failing", ["today", "plan"]].tolist() == [0, 0]


@pytest.mark.parametrize("table", ["attendance", "unit_costs", "budget"])
def test_tables_that_measure_nothing_change_no_audit(whole, table):
    county = without(table)
    pd.testing.assert_frame_equal(audit(county).indicators, whole.indicators)
    verdict = stay(county)
    assert verdict.accepted and verdict.rules.loc[verdict.rules["kind"] == "hard", "ok"].all()


@pytest.mark.parametrize("column", MEASURES)
def test_one_empty_cell_is_one_gap(whole, column):
    county = emptied(county_whole(), "school_stage", column, UNIT)
    resources = load_standards(county).resources
    counting = {r for r, one in resources.items() if any(c == column for c, _ in getattr(one, "terms", ()))}
    found, before = audit(county), cells(whole)
    verdict = stay(county)
    assert verdict.accepted
    if not counting or not before["resource"].isin(counting).any():  # the places count for no indicator
        assert column == "capacity_pupils"
        pd.testing.assert_frame_equal(found.indicators, whole.indicators)
        assert np.isnan(verdict.units.set_index("unit_id").at["A9/jun", "capacity"])
        return
    gone = before["resource"].isin(counting) & (before.index.get_level_values("unit_id") == "A9/jun")
    same_but(found, whole, gone)
    now, old = (f.units.set_index("unit_id")["passes_today"] for f in (found, whole))
    assert bool(old["A9/jun"]) and pd.isna(now["A9/jun"])
    pd.testing.assert_series_equal(now.drop("A9/jun"), old.drop("A9/jun"))
    assert found.stages.set_index("stage")["units"].to_dict() == {"pri": 3, "jun": 1}
    # the coefficient of variation is that of the units which are known, and no word on its limit
    for resource in counting:
        some = before[
            (before["resource"] == resource) & before["assessed_today"] & (before["stage"] == "jun") & ~gone
        ]
        row = found.cv[
            (found.cv["stage"] == "jun")
            & found.cv["indicator"].isin(some.index.get_level_values("indicator"))
        ].iloc[0]
        assert row["cv_today"] == pytest.approx(
            official_cv(some["amount_today"].to_numpy(float), some["pupils_today"].to_numpy(float))
        )
        assert pd.isna(row["ok_today"])
    counted = verdict.measures.set_index("measure")["plan"]
    assert counted["units_assessed"] == 4 and counted["cells_assessed"] == 35 - int(gone.sum())


def test_a_gap_of_a_unit_that_fails_takes_its_failing_with_it():
    before, after = (stay(c).goals.set_index("goal")["plan"] for c in (
        county_whole(), emptied(county_whole(), "school_stage", "area_teaching", 6)))  # fmt: skip
    assert before["failing"] - after["failing"] == 1
    assert before["over_cap"] == after["over_cap"] and before["travel"] == after["travel"]


@pytest.mark.parametrize("column", ["area_teaching", "rooms_multimedia"])
def test_cells_not_met_are_counted_where_some_are_not_known(column):
    """They once were taken for numbers there, whose complements are all true: 22 of 13 were said not to be met."""
    verdict = stay(emptied(county_whole(), "school_stage", column, 1))
    table = verdict.indicators[verdict.indicators["assessed_plan"]]
    unmet = sum(met is False for met in table["met_plan"].astype(object))
    goals = verdict.goals.set_index("goal").loc["cells"]
    assert goals["plan"] == goals["today"] == unmet > 0


def test_unknown_heads_make_the_staff_of_their_unit_unknown(whole):
    county = county_whole()
    row = int(
        np.flatnonzero((county.staff_stock["school_id"] == "A9") & (county.staff_stock["cat_id"] == "arts"))[
            0
        ]
    )
    county = emptied(county, "staff_stock", "heads", row)
    before = cells(whole)
    gone = before["resource"].isin(load_standards(county).heads) & (
        before.index.get_level_values("unit_id") == "A9/jun"
    )
    same_but(audit(county), whole, gone)
    inst = build_instance(county, load_standards(county), Request(), way())
    assert inst.unstaffed == {"A9/jun"} and inst.stock.loc["A9/jun", "heads"].sum() == 0
    measures = stay(county).measures.set_index("measure")
    assert measures.loc["staff", "today"] == 93 - 20


def test_places_that_are_not_known_hold_nobody_more():
    inst = build_instance(emptied(county_whole(), "school_stage", "capacity_pupils", 0), *ready())
    assert (
        inst.units.at["A1/pri", "most"] == inst.units.at["A1/pri", "pupils"]
        and inst.units.at["A1/pri", "free"] == 0
    )


def ready():
    county = county_whole()
    return load_standards(county), Request(), way()


def test_guests_that_are_not_known_are_gaps_of_their_host(whole):
    county = county_whole()
    schools = county.schools.copy()
    at = schools["school_id"] == "A3"
    schools.loc[at, ["counted", "parent_id"]] = [False, "A1"]
    county = emptied(replace(county, schools=schools), "school_stage", "equip_value", 2)
    found = cells(audit(county))
    unit = found.loc["A1/pri"]
    assert unit.loc[unit["resource"] == "equip_value", "met_today"].isna().all()
    assert unit.loc[unit["resource"] != "equip_value", "met_today"].notna().all()


def test_without_prices_no_cost_is_taken_for_zero():
    county = without("unit_costs")
    inst = build_instance(county, load_standards(county), Request(), way())
    assert inst.unpriced == {r for r in inst.items if inst.standards.resources[r].price} and inst.hires
    less = build_instance(without("budget"), load_standards(county), Request(), way())
    assert less.unpriced == set(less.items) and not less.hires
    asked = build_instance(without("budget"), load_standards(county), Request(budget={"any": 5.0}), way())
    assert asked.unpriced == frozenset() and asked.hires and asked.budget["any"] == 5.0


def said(folder, severity: str) -> set[tuple[str, str]]:
    return {(f.key, f.column or f.table) for f in check(folder) if f.severity == severity}


def test_check_names_the_tables_that_are_absent(tmp_path):
    assert not said(written(tmp_path / "whole"), "error")
    for table in ("staff_category", "attendance"):
        folder = written(tmp_path / table, (table,))
        lacks = {k for k, _ in said(folder, "warning") if k.startswith("tables.lacks")}
        assert lacks == {f"tables.lacks_{table}"} and not said(folder, "error")
    folder = written(tmp_path / "none", TABLES_THAT_MAY_LACK)
    lacks = {k for k, _ in said(folder, "warning") if k.startswith("tables.lacks")}
    assert lacks == {f"tables.lacks_{t}" for t in ("staff_stock", "unit_costs", "budget", "attendance")}
    county = read_county(folder)
    assert county.lacking == ("staff_category", "staff_stock", "unit_costs", "budget")
    assert stay(county).accepted  # of what there is


@pytest.mark.parametrize(("row", "count"), [(1, 1), (None, 7)])
def test_check_names_cells_and_columns_that_are_empty(tmp_path, row, count):
    blank = (*(("school_stage", c, row) for c in MEASURES), ("staff_stock", "heads", 1 if row else None))
    folder = written(tmp_path / "c", blank=blank)
    found = {f.column: f for f in check(folder) if f.key.startswith("tables.unknown")}
    assert set(found) == {*MEASURES, "heads"} and said(folder, "error") == set()
    assert {found[c].fields["count"] for c in MEASURES} == {count}
    assert ("A2/pri" if row else "A1/pri") in found["area_teaching"].sentence("en")
    county = read_county(folder)
    assert {c for _, c in county.unknown} == set(found)
    assert judge_accepts(county)


def judge_accepts(county) -> bool:
    return bool(stay(county).accepted)


def test_without_enrolment_there_is_an_audit_and_no_plan(tmp_path):
    folder = written(tmp_path / "c", ("staff_stock",), (("school_stage", "pupils", None),))
    assert ("tables.unknown_enrolment", "pupils") in said(folder, "warning") and said(
        folder, "error"
    ) == set()
    county = read_county(folder)
    found = audit(county)
    assert not found.units["assessed_today"].any() and found.indicators["met_today"].isna().all()
    area = found.indicators[found.indicators["resource"] == "area_teaching"].set_index("unit_id")[
        "amount_today"
    ]
    assert area["A2/pri"] == 6.0 * 120 + 200  # what the schools have is told all the same
    assert planning_demand(county)["total"].sum() > 0
    with pytest.raises(InputProblems) as refused:
        build_instance(county, load_standards(county), Request(), way())
    assert [f.key for f in refused.value.findings] == ["tables.audit_only"]


def test_check_names_columns_that_change_nothing(tmp_path):
    folder = written(tmp_path / "c")
    (note,) = (f for f in check(folder) if f.key == "tables.idle_columns" and f.table == "schools")
    assert (
        note.fields["columns"] == {"zh": "占地面积（land_area）", "en": "land_area"}
        and note.severity == "note"
    )
    assert "land_area" in IDLE["schools"]


def test_shared_assets_that_are_not_known_stay_so(tmp_path):
    """A nine-year school whose rooms, or whose pupils, are not known: nothing is divided that is not there."""
    stage = county_whole().school_stage.copy()
    stage.loc[stage["school_id"].isin(["A1", "A9"]), ["school_id", "shared_assets"]] = ["A1", True]
    stage["rooms_multimedia"] = stage["rooms_multimedia"].astype("Int64")
    whole, norms = stage["school_id"] == "A1", county_whole().norms
    gap = stage.copy()
    gap.loc[whole, "rooms_multimedia"] = None
    rows = split_shared(gap, county_whole().schools, norms)[0][whole]
    assert rows["rooms_multimedia"].isna().all() and rows["equip_value"].notna().all()
    alone = stage.assign(pupils=stage["pupils"].astype("Int64"))
    alone.loc[alone.index[whole][0], "pupils"] = None
    rows = split_shared(alone.astype({"rooms_multimedia": int}), county_whole().schools, norms)[0][whole]
    assert rows[["rooms_multimedia", "equip_value"]].isna().all(axis=None)
