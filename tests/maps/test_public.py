"""The public edition: nothing in any file tells a count of pupils below five."""

from __future__ import annotations

import io
import re
import zipfile
from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import openpyxl
import pandas as pd
import pytest

from maps.dossier.dossier import save_plan, write_public
from maps.dossier.public import FEW, pooled, public_result
from maps.dossier.workbook import write_workbook
from maps.layers import school_layer
from maps.web.payload import build_payload
from maps.web.proposal import write_map
from models.plan.decisions import PlanResult
from models.plan.reasons.actions import list_actions
from models.referee.verdict import judge
from models.standards.norms import load_standards

PLANTED = ("V07", "V08")
"""Two villages whose pupils of grades 1 to 3 go the same way."""


def planted(result: PlanResult, few: int) -> PlanResult:
    """The plan with ``few`` pupils of one village's lowest band, and the rest of them in another village."""
    table = result.plan.attendance
    first, second = (table.index[(table["village_id"] == v) & (table["band"] == "g1_3")][0] for v in PLANTED)
    both = table.at[first, "pupils"] + table.at[second, "pupils"]
    pupils = table["pupils"].copy()
    pupils[first], pupils[second] = few, both - few
    plan = replace(result.plan, attendance=table.assign(pupils=pupils).drop(columns="row_id"))
    homes = {v: pupils[i] for v, i in zip(PLANTED, (first, second), strict=True)}
    demand = result.county.demand.copy()
    for village, many in homes.items():
        demand.loc[(demand["village_id"] == village) & (demand["band"] == "g1_3"), "pupils_base"] = many
    result = replace(result, county=replace(result.county, demand=demand))
    verdict = judge(result.county, load_standards(result.county), plan, result.times)
    return replace(result, plan=plan, verdict=verdict, actions=list_actions(result.county, plan, verdict))


def parts_of(folder: Path) -> dict[str, bytes]:
    """Every file, packages unpacked, without what names the plan."""
    found: dict[str, bytes] = {}
    for file in sorted(folder.iterdir()):
        content = file.read_bytes()
        if file.suffix in (".xlsx", ".docx"):
            with zipfile.ZipFile(io.BytesIO(content)) as package:
                found |= {f"{file.name}/{n}": package.read(n) for n in package.namelist()}
        elif file.suffix != ".gpkg":
            found[file.name] = content
    return found


@pytest.fixture(scope="module")
def few(sample_result: PlanResult) -> dict[int, PlanResult]:
    """The plan with two pupils of that village, and with three."""
    return {n: planted(sample_result, n) for n in (2, 3)}


@pytest.fixture(scope="module")
def editions(few: dict[int, PlanResult], tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("public")
    two, three = (write_public(result, folder / str(n), "zh") for n, result in few.items())
    return two, three


def test_nobody_can_tell_two_children_from_three(editions: tuple[Path, Path]) -> None:
    """Two plans that differ in a small count only have the same public edition, file by file, byte by byte."""
    two, three = (parts_of(e) for e in editions)
    assert (
        len(two) > 40 and {n for n in two if two[n] != three.get(n)} == set() and two.keys() == three.keys()
    )
    for layer in ("schools", "villages", "attendance"):
        pd.testing.assert_frame_equal(
            *(pd.DataFrame(gpd.read_file(e / "plan.gpkg", layer=layer)) for e in editions)
        )


def test_the_bureau_s_own_edition_does_tell_them_apart(few: dict[int, PlanResult], tmp_path: Path) -> None:
    for n, result in few.items():
        folder = save_plan(result, tmp_path / str(n), "zh")
        write_workbook(result, folder / "plan.xlsx", "zh")
        write_map(result, folder / "map.html", "zh")
    two, three = (parts_of(tmp_path / str(n)) for n in few)
    differ = {n.split("/")[0] for n in two if two[n] != three.get(n)}
    assert differ == {"map.html", "plan.xlsx", "plan.csv", "run.json"}


def test_no_layer_sheet_or_payload_has_a_count_below_five(
    editions: tuple[Path, Path], few: dict[int, PlanResult]
) -> None:
    folder = editions[0]
    assert {"plan.csv", "unfinished.txt"}.isdisjoint(f.name for f in folder.iterdir())
    for layer in ("villages", "attendance"):
        assert not gpd.read_file(folder / "plan.gpkg", layer=layer)["pupils"].between(1, FEW - 1).any()
    book = openpyxl.load_workbook(folder / "plan.xlsx")
    for page in book.worksheets[1:]:
        head = [str(c.value) for c in page[3]]
        for c in (i for i, h in enumerate(head) if h.startswith("学生")):
            cells = [row[c].value for row in page.iter_rows(min_row=4)]
            assert not [v for v in cells if isinstance(v, (int, float)) and 0 < abs(v) < FEW], page.title
    payload = build_payload(public_result(few[2], "zh"), "zh")
    counts = [g["pupils"] for v in payload["villages"] for g in v["groups"]]
    counts += [f["pupils"] for f in payload["flows"]] + [s["arrivals"] for s in payload["schools"]]
    counts += [n for s in payload["schools"] for u in s["units"] for n in u["pupils"]]
    assert counts and not [n for n in counts if n is not None and 0 < n < FEW]


def test_totals_stay_and_others_are_named(few: dict[int, PlanResult]) -> None:
    travel = few[2].verdict.travel
    told = pooled(travel, "zh")
    assert told["pupils"].sum() == travel["pupils"].sum() and len(told) == len(travel) - 1
    for column in ("school_id", "today_school_id"):
        assert told.groupby(column)["pupils"].sum().equals(travel.groupby(column)["pupils"].sum())
    assert sum(told["village"].str.endswith("等")) == 1


def test_a_lone_small_unit_has_no_number_and_no_ratio(sample_result: PlanResult) -> None:
    units = sample_result.verdict.units
    small = units.assign(pupils_today=units["pupils_today"].where(units["unit_id"] != "S6/pri", 3))
    told = public_result(replace(sample_result, verdict=replace(sample_result.verdict, units=small)), "zh")
    unit = told.verdict.units.set_index("unit_id").loc["S6/pri"]
    rows = told.verdict.indicators[told.verdict.indicators["unit_id"] == "S6/pri"]
    assert pd.isna(unit["pupils_today"]) and rows[["ratio_today", "gap_plan", "pupils_plan"]].isna().all(
        axis=None
    )


def test_a_site_whose_small_unit_is_not_told_has_no_sum_in_the_layers(sample_result: PlanResult) -> None:
    units = sample_result.verdict.units
    small = units.assign(pupils_today=units["pupils_today"].where(units["unit_id"] != "S5/jun", 3))
    told = public_result(replace(sample_result, verdict=replace(sample_result.verdict, units=small)), "zh")
    sums = school_layer(told).set_index("school_id")["pupils_today"]
    assert pd.isna(sums["S5"]) and sums.drop("S5").notna().any() and not (sums == 0).any()


def test_every_page_says_that_it_is_the_public_edition(editions: tuple[Path, Path]) -> None:
    folder = editions[0]
    assert '"public":true' in (folder / "map.html").read_text("utf-8")
    for page in ("index.html", "schools.html", "villages.html", "reports.html"):
        text = (folder / page).read_text("utf-8")
        assert "公开版" in text and not re.search(r"plan\.csv", text)
