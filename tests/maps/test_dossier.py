"""The dossier: workbook, GeoPackage, front page, run record; nothing lost, same bytes for the same plan."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import openpyxl
import pandas as pd
import pytest

from geodata.contract.findings import InputProblems
from geodata.messages import LANGUAGES
from geodata.travel.times import travel_times
from maps.dossier.dossier import run_record, write_dossier
from maps.dossier.notices import notices
from maps.dossier.tables import Sheet, all_sheets, summary
from maps.dossier.workbook import write_told, write_workbook
from maps.layers import places_in
from models.plan.arrangement import today_as_plan
from models.plan.decisions import GoalRecord, PlanResult
from models.plan.record import read_record
from models.plan.sheets import EDIT_SHEETS, LEDGER_SHEET, sheet_titles
from models.standards.norms import load_standards
from optimizer.scenario import Scenario
from optimizer.verbs.told import result_of
from tests.samples import small_county

HEAD = 3
"""Row of the headings: a title and a line about the plan stand above."""
FILES = {
    "index.html", "schools.html", "villages.html", "reports.html", "reports.xlsx", "reports.docx", "map.html", "plan.xlsx", "plan.gpkg",
    "plan.csv", "run.json", "atlas.pdf", "map-layout.png", "map-teachers.png", "map-travel.png",
}  # fmt: skip


@pytest.fixture
def result(sample_result: PlanResult) -> PlanResult:
    return sample_result


@pytest.fixture(scope="module")
def dossier(sample_result: PlanResult, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_dossier(sample_result, tmp_path_factory.mktemp("out") / "plan", "zh")


@pytest.fixture(scope="module")
def books(
    sample_result: PlanResult, dossier: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Path]:
    """The dossier's workbook by language."""
    english = tmp_path_factory.mktemp("english") / "plan.xlsx"
    return {"zh": dossier / "plan.xlsx", "en": write_workbook(sample_result, english, "en")}


def digests(folder: Path) -> dict[str, str]:
    return {f.name: hashlib.sha256(f.read_bytes()).hexdigest() for f in sorted(folder.iterdir())}


def test_every_file_is_there(dossier: Path) -> None:
    assert {f.name for f in dossier.iterdir()} == FILES
    assert not [f for f in dossier.parent.iterdir() if f.name.startswith(".")]


def test_same_plan_same_bytes(result: PlanResult, dossier: Path, tmp_path: Path) -> None:
    again = write_dossier(result, tmp_path / "again", "zh")
    assert digests(again) == digests(dossier)


@pytest.mark.parametrize("language", LANGUAGES)
def test_workbook_holds_the_plan(result: PlanResult, books: dict[str, Path], language: str) -> None:
    book = openpyxl.load_workbook(books[language])
    sheets = all_sheets(result, language)
    assert len(book.sheetnames) == len(sheets) + 1 + len(EDIT_SHEETS) + 2  # cover, editable, ledger, names
    for page, sheet in zip(book.worksheets[1:], sheets, strict=False):
        assert [c.value for c in page[HEAD]] == list(sheet.table.columns)
        assert page.max_row == HEAD + len(sheet.table) + bool(sheet.totals)
    front = [r[0].value for r in book.worksheets[0].iter_rows()]
    for sentence in notices(result, language):
        assert sentence in front


def test_a_goal_without_a_bound_costs_no_workbook(result: PlanResult, tmp_path: Path) -> None:
    """A solve that the clock ends leaves goals with no bound at all: -inf, which Excel has no number for."""
    goal = GoalRecord("cost", 800.0, float("-inf"), float("inf"), 3.0, 0, "stopped", 0.0)
    stopped = replace(result, solve=replace(result.solve, goals=(goal,)))
    page = openpyxl.load_workbook(write_workbook(stopped, tmp_path / "plan.xlsx"))["得与失"]
    values = [c.value for c in next(page.iter_cols(min_col=3, max_col=3)) if c.value is not None]
    assert values.count("–") == 2
    assert 800.0 in values


def test_attendance_sheet_places_every_pupil(result: PlanResult, dossier: Path) -> None:
    page = openpyxl.load_workbook(dossier / "plan.xlsx")["各村就读"]
    head = [c.value for c in page[HEAD]]
    *pupils, total = [r[head.index("学生数")].value for r in page.iter_rows(min_row=HEAD + 1)]
    assert sum(pupils) == total == int(result.plan.attendance["pupils"].sum())


def test_costs_sheet_adds_up_to_the_measure(result: PlanResult, dossier: Path) -> None:
    page = openpyxl.load_workbook(dossier / "plan.xlsx")["购置与费用"]
    head = [c.value for c in page[HEAD]]
    *rows, total = [[c.value for c in r] for r in page.iter_rows(min_row=HEAD + 1)]
    charged = sum(r[head.index("费用（万元）")] for r in rows if r[head.index("计入预算")] == "是")
    cost = result.verdict.measures.set_index("measure").at["cost", "plan"]
    assert charged == pytest.approx(cost / 10_000, abs=1e-6)
    assert total[head.index("费用（万元）")] == pytest.approx(charged)


def test_sheets_are_printed_as_bureaus_print_them(result: PlanResult, dossier: Path) -> None:
    book = openpyxl.load_workbook(dossier / "plan.xlsx")
    for page in book.worksheets[1 : 1 + len(all_sheets(result, "zh"))]:
        assert page["A1"].value == f"示例县义务教育资源配置方案：{page.title}"
        assert page.print_title_rows == f"$1:${HEAD}" and page.print_area and page.freeze_panes
        assert page.sheet_properties.pageSetUpPr.fitToPage and page.page_setup.orientation == "landscape"
        assert page[f"A{HEAD}"].border.left.style == "thin"
    units = book["学校"]
    head = [c.value for c in units[HEAD]]
    assert units.cell(HEAD + 1, head.index("学生数 现状") + 1).number_format == "#,##0"
    assert units.cell(units.max_row, 1).value == "合计"
    assert {
        r.formula[0] for rules in units.conditional_formatting for r in rules.rules if r.type == "expression"
    }
    assert "AND(ISNUMBER" in str([r.formula for rules in units.conditional_formatting for r in rules.rules])


def test_every_number_is_printed_in_its_own_unit(result: PlanResult, dossier: Path) -> None:
    page = openpyxl.load_workbook(dossier / "plan.xlsx")["概要"]
    rows = {r[0].value: r for r in page.iter_rows(min_row=HEAD + 1)}
    money, way, ratio = rows["计入预算的支出"], rows["平均路途时间"], rows["不均衡度"]
    cost = result.verdict.measures.set_index("measure").at["cost", "plan"]
    assert (money[1].value, money[3].number_format) == ("万元", "#,##0.0") and money[
        3
    ].value == pytest.approx(cost / 1e4)
    assert (way[3].number_format, ratio[3].number_format) == ("0", "#,##0.00")
    assert (
        rows["调整学校的学生"][3].number_format == "#,##0"
    )  # "#,##0.##" leaves a point behind whole numbers


def test_a_sheet_too_wide_to_be_read_takes_several_pages_across(tmp_path: Path) -> None:
    wide = Sheet("x", pd.DataFrame({f"一个不短的列标题{i}": [1.5] for i in range(30)}), {})
    narrow = Sheet("y", pd.DataFrame({"甲": [1.0]}), {})
    write_told(tmp_path / "wide.xlsx", "县", "zh", ("说明", ["题目"]), [("宽", wide), ("窄", narrow)])
    book = openpyxl.load_workbook(tmp_path / "wide.xlsx")
    assert book["宽"].page_setup.fitToWidth > 1 and book["宽"].print_title_cols == "$A:$A"
    assert book["窄"].page_setup.fitToWidth in (None, 1) and not book["窄"].print_title_cols


def test_a_change_of_minutes_that_is_told_is_seen(result: PlanResult) -> None:
    measures = result.verdict.measures.set_index("measure")
    measures.loc["mean_minutes", ["today", "plan"]] = [21.07, 21.15]
    told = replace(result, verdict=replace(result.verdict, measures=measures.reset_index()))
    sheet = summary(told, "zh")
    row = list(sheet.table["指标"]).index("平均路途时间")
    assert sheet.units[row] == "1" and sheet.table["评价"].iloc[row] == "变差"


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_sheet_has_raw_keys(result: PlanResult, books: dict[str, Path], language: str) -> None:
    book = openpyxl.load_workbook(books[language])
    ids = {
        *result.county.scheme.band_ids,
        *result.county.norms.resources,
        "pri",
        "jun",
        "yuan",
        "transport",
        "unmet",
    }
    shown = [
        (page.title, c.value)
        for page in book.worksheets[: 1 + len(all_sheets(result, language))]
        for r in page.iter_rows()
        for c in r
    ]
    words = {(t, w) for t, v in shown if isinstance(v, str) for w in re.findall(r"\w+", v)}
    plain = {"transport", "yuan", "a"} if language == "en" else set()  # English words as well as ids
    assert {(t, w) for t, w in words if w in ids - plain} == set()


def test_formulas_in_names_stay_text(crow_fly_result: PlanResult, tmp_path: Path) -> None:
    plain = crow_fly_result
    schools = plain.county.schools.copy()
    schools["name"] = '=HYPERLINK("http://example.org","x")'
    hostile = replace(plain, county=replace(plain.county, schools=schools))
    page = openpyxl.load_workbook(write_workbook(hostile, tmp_path / "plan.xlsx"))["教师交流"]
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


def test_nothing_is_overwritten_unasked(result: PlanResult, dossier: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(dossier, tmp_path / "plan"))
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


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_text_of_the_workbook_is_cut_and_the_ledger_is_out_of_sight(
    result: PlanResult, books: dict[str, Path], language: str
) -> None:
    book = openpyxl.load_workbook(books[language])
    cover = book.worksheets[0]
    assert cover.print_area and cover.sheet_properties.pageSetUpPr.fitToPage
    for page in book.worksheets[: 1 + len(all_sheets(result, language))]:
        for cell in (c for row in page.iter_rows(min_row=HEAD) for c in row if isinstance(c.value, str)):
            wide = next(d.width for d in page.column_dimensions.values() if d.min <= cell.column <= d.max)
            letters = sum(2 if ord(c) > 0x2E80 else 1 for c in cell.value)
            assert letters <= wide * (page.row_dimensions[cell.row].height or 15) / 15 + 3, (
                page.title,
                cell.coordinate,
            )
    hidden = [p.title for p in book.worksheets if p.sheet_state == "hidden"]
    assert hidden == [sheet_titles(LEDGER_SHEET)[language], "_lists"]


def test_amounts_to_edit_stand_with_their_units(result: PlanResult, books: dict[str, Path]) -> None:
    page = openpyxl.load_workbook(books["zh"])["修改购置"]
    rows = [[c.value for c in row] for row in page.iter_rows(min_row=2) if row[0].value]
    assert page["E1"].value == "单位" and rows and all(r[4] in ("元", "间", "平方米", "人") for r in rows)
    assert {c.number_format for c in page["D"][1 : 1 + len(rows)]} <= {"#,##0", "#,##0.00"}


def test_places_are_called_as_the_layers_of_a_dossier_have_them(
    dossier: Path, result: PlanResult, tmp_path: Path
) -> None:
    called = places_in(dossier)
    assert places_in(dossier / "run.json") == called and places_in(tmp_path) == {}
    for kind, table in (("school", result.county.schools), ("village", result.county.villages)):
        assert {called[kind, i] for i in table[f"{kind}_id"]} == set(table["name"])


def test_a_record_of_a_plan_with_nothing_assessed_can_be_read(tmp_path: Path) -> None:
    """What is not known stood as NaN in it, and nothing could be made of the dossier."""
    county = replace(small_county(), standard_files=("cn_layout",))
    times, asked = travel_times(county), Scenario(budget={})
    result = result_of(county, today_as_plan(county, load_standards(county), times), asked, times)
    text = json.dumps(run_record(result), allow_nan=False, default=str)
    (tmp_path / "run.json").write_text(text, encoding="utf-8")
    assert read_record(tmp_path)["measures"]["imbalance"] == {"today": None, "plan": None, "unit": "1"}
