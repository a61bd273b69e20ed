"""The dossier: workbook, GeoPackage, front page, run record; nothing lost, same bytes for the same plan."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import openpyxl
import pytest

from geodata.contract.findings import InputProblems
from geodata.messages import LANGUAGES
from maps.dossier.dossier import write_dossier
from maps.dossier.notices import notices
from maps.dossier.tables import all_sheets
from models.plan.decisions import GoalRecord, PlanResult
from models.plan.sheets import EDIT_SHEETS

FILES = {
    "index.html",
    "schools.html",
    "villages.html",
    "map.html",
    "plan.xlsx",
    "plan.gpkg",
    "plan.csv",
    "run.json",
}


@pytest.fixture
def result(sample_result: PlanResult) -> PlanResult:
    return sample_result


@pytest.fixture(scope="module")
def dossier(sample_result: PlanResult, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_dossier(sample_result, tmp_path_factory.mktemp("out") / "plan", "zh")


def digests(folder: Path) -> dict[str, str]:
    return {f.name: hashlib.sha256(f.read_bytes()).hexdigest() for f in sorted(folder.iterdir())}


def test_every_file_is_there(dossier: Path) -> None:
    assert {f.name for f in dossier.iterdir()} == FILES
    assert not [f for f in dossier.parent.iterdir() if f.name.startswith(".")]


def test_same_plan_same_bytes(result: PlanResult, dossier: Path, tmp_path: Path) -> None:
    again = write_dossier(result, tmp_path / "again", "zh")
    assert digests(again) == digests(dossier)


@pytest.mark.parametrize("language", LANGUAGES)
def test_workbook_holds_the_plan(result: PlanResult, tmp_path: Path, language: str) -> None:
    book = openpyxl.load_workbook(write_dossier(result, tmp_path / "d", language) / "plan.xlsx")
    sheets = all_sheets(result, language)
    assert len(book.sheetnames) == len(sheets) + 1 + len(EDIT_SHEETS) + 2  # cover, editable, ledger, names
    for page, sheet in zip(book.worksheets[1:], sheets, strict=False):
        assert [c.value for c in page[1]] == list(sheet.table.columns)
        assert page.max_row == 1 + len(sheet.table)
    front = [r[0].value for r in book.worksheets[0].iter_rows()]
    for sentence in notices(result, language):
        assert sentence in front


def test_a_goal_without_a_bound_costs_no_workbook(result: PlanResult, tmp_path: Path) -> None:
    """A solve that the clock ends leaves goals with no bound at all: -inf, which Excel has no number for."""
    goal = GoalRecord("cost", 800.0, float("-inf"), float("inf"), 3.0, 0, "stopped", 0.0)
    stopped = replace(result, solve=replace(result.solve, goals=(goal,)))
    page = openpyxl.load_workbook(write_dossier(stopped, tmp_path / "d") / "plan.xlsx")["得与失"]
    values = [c.value for c in next(page.iter_cols(min_col=3, max_col=3)) if c.value is not None]
    assert values.count("–") == 2
    assert 800.0 in values


def test_attendance_sheet_places_every_pupil(result: PlanResult, dossier: Path) -> None:
    page = openpyxl.load_workbook(dossier / "plan.xlsx")["各村就读"]
    head = [c.value for c in page[1]]
    pupils = [r[head.index("学生数")].value for r in page.iter_rows(min_row=2)]
    assert sum(pupils) == int(result.plan.attendance["pupils"].sum())


def test_costs_sheet_adds_up_to_the_measure(result: PlanResult, dossier: Path) -> None:
    page = openpyxl.load_workbook(dossier / "plan.xlsx")["购置与费用"]
    head = [c.value for c in page[1]]
    rows = [[c.value for c in r] for r in page.iter_rows(min_row=2)]
    charged = sum(r[head.index("费用（万元）")] for r in rows if r[head.index("计入预算")] == "是")
    cost = result.verdict.measures.set_index("measure").at["cost", "plan"]
    assert charged == pytest.approx(cost / 10_000, abs=1e-6)


def test_formulas_in_names_stay_text(crow_fly_result: PlanResult, tmp_path: Path) -> None:
    plain = crow_fly_result
    schools = plain.county.schools.copy()
    schools["name"] = '=HYPERLINK("http://example.org","x")'
    hostile = replace(plain, county=replace(plain.county, schools=schools))
    page = openpyxl.load_workbook(write_dossier(hostile, tmp_path / "d") / "plan.xlsx")["教师交流"]
    cells = [c for r in page.iter_rows(min_row=2) for c in r]
    assert cells
    assert all(c.data_type != "f" and c.hyperlink is None for c in cells)


def test_layers(result: PlanResult, dossier: Path) -> None:
    path = dossier / "plan.gpkg"
    names = set(gpd.list_layers(path)["name"])
    assert {"schools", "villages", "attendance"} <= names
    schools = gpd.read_file(path, layer="schools")
    assert len(schools) == len(result.county.schools)
    assert schools.crs.to_epsg() == 4326
    lines = gpd.read_file(path, layer="attendance")
    assert int(lines["pupils"].sum()) == int(result.plan.attendance["pupils"].sum())
    assert (lines.geometry.geom_type == "LineString").all()


def test_front_page_asks_nothing_of_the_network(dossier: Path) -> None:
    text = (dossier / "index.html").read_text(encoding="utf-8")
    assert "http://" not in text
    assert "https://" not in text
    assert "default-src 'none'" in text
    for file in FILES - {"index.html"}:
        assert f'href="{file}"' in text


def test_run_record_can_be_repeated(result: PlanResult, dossier: Path) -> None:
    record = json.loads((dossier / "run.json").read_text(encoding="utf-8"))
    assert record["plan_id"] == result.plan.plan_id
    assert record["input_hash"] == result.county.content_hash
    assert (record["objective"], record["bound"], record["gap"]) == (
        result.solve.objective, result.solve.bound, result.solve.gap,
    )  # fmt: skip
    assert {"pyomo", "highspy", "solver"} <= set(record["versions"])
    assert record["measures"]["imbalance"]["plan"] == pytest.approx(
        result.verdict.measures.set_index("measure").at["imbalance", "plan"]
    )


def test_nothing_is_overwritten_unasked(result: PlanResult, tmp_path: Path) -> None:
    folder = write_dossier(result, tmp_path / "plan")
    before = digests(folder)
    with pytest.raises(InputProblems):
        write_dossier(result, folder)
    assert digests(folder) == before
    (folder / "minutes.docx").write_text("what the meeting said")
    (folder / "map.html").write_text("old")
    write_dossier(result, folder, overwrite=True)
    assert (folder / "minutes.docx").read_text() == "what the meeting said"
    assert digests(folder)["map.html"] == before["map.html"]


def test_a_folder_that_is_no_dossier_is_never_replaced(result: PlanResult, tmp_path: Path) -> None:
    (tmp_path / "thesis.docx").write_text("years of work")
    with pytest.raises(InputProblems):
        write_dossier(result, tmp_path, overwrite=True)
    assert (tmp_path / "thesis.docx").read_text() == "years of work"


def test_what_must_be_said_is_said(crow_fly_result: PlanResult) -> None:
    plain = crow_fly_result
    county = replace(plain.county, fictional=True, modelled=("enrolment", "staff"))
    stopped = replace(plain, county=county, solve=replace(plain.solve, status="stopped"))
    told = " ".join(notices(stopped, "en"))
    for part in ("Fictional", "enrolment, staff", "crow-fly", "not proven", "at most"):
        assert part in told
