"""A correction sheet goes out, comes back, and makes a corrected county with a trail; what is wrong in it ends in words."""

from __future__ import annotations

import datetime
import hashlib
import re
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

import openpyxl
import pandas as pd
import pytest
from openpyxl.worksheet.worksheet import Worksheet
from typer.testing import CliRunner

import optimizer.cli.console as console
import optimizer.cli.main as cli
from geodata.contract.findings import InputProblems
from geodata.corrections.cells import used_cells
from geodata.corrections.copying import correct
from geodata.corrections.reading import read_corrections
from geodata.corrections.sheet import SHEET_COLUMNS, title_of, write_correction_sheet
from geodata.corrections.trail import TRAIL, read_trail
from geodata.folder.reading import check, read_county
from geodata.travel.times import travel_times
from maps.dossier.dossier import run_record
from models.plan.arrangement import today_as_plan
from models.standards.norms import load_standards
from optimizer.scenario import Scenario
from optimizer.verbs.template import write_template
from optimizer.verbs.told import result_of
from tests.samples import small_county

GOOD = {"reason": "miscounted", "evidence": "visit", "who": "王", "date": "2025-03-01"}
PLACES = '["school_stage", {"school_id": "A3", "stage": "pri"}, "capacity_pupils"]'
WAY = '["travel_times", {"mode": "bus", "school_id": "A1", "village_id": "V3"}, "minutes"]'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    county = small_county()
    place = tmp_path / "county"
    place.mkdir()
    for name, table in county.tables().items():
        if len(table):
            table.to_csv(place / f"{name}.csv", index=False)
    head = f'name = "{county.name}"\nname_en = "Test"\nyear = 2025\nfictional = true\n'
    (place / "county.toml").write_text(head, encoding="utf-8")
    (place / "notes.txt").write_text("mine", encoding="utf-8")
    return place


@cache
def blank(language: str) -> bytes:
    """The sheet of A3 and V3 as it goes out."""
    county = small_county()
    pairs = travel_times(county).pairs
    ways = pairs[(pairs["village_id"] == "V3") & pairs["school_id"].isin(["A1", "A3"])]
    path = Path(tempfile.mkdtemp()) / "sheet.xlsx"
    write_correction_sheet(path, county, used_cells(county, ways, ["A3"], ["V3"]), language, "plan 1234")
    return path.read_bytes()


Fill = Callable[[Worksheet, dict[str, int], dict[str, int]], None]


def filled(path: Path, fill: Fill, language: str = "en") -> Path:
    """A sheet after somebody has written into it: columns by name, rows by address."""
    path.write_bytes(blank(language))
    book = openpyxl.load_workbook(path)
    page = book.worksheets[0]
    titles = {title_of(c, language): c for c in SHEET_COLUMNS}
    columns = {titles[str(cell.value)]: cell.column for cell in page[1]}
    rows = {str(page.cell(r, columns["address"]).value): r for r in range(2, page.max_row + 1)}
    fill(page, columns, rows)
    book.save(path)
    return path


def writing(row: str, /, **values: object) -> Fill:
    def fill(page: Worksheet, columns: dict[str, int], rows: dict[str, int]) -> None:
        for name, value in values.items():
            page.cell(rows[row], columns[name]).value = value  # type: ignore[assignment]

    return fill


def both(*fills: Fill) -> Fill:
    def fill(page: Worksheet, columns: dict[str, int], rows: dict[str, int]) -> None:
        for one in fills:
            one(page, columns, rows)

    return fill


def contents(folder: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in sorted(folder.iterdir()) if p.is_file()}


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_sheet_makes_a_round_trip(folder: Path, tmp_path: Path, language: str) -> None:
    day = datetime.date(2025, 3, 1)  # as Excel keeps it
    fill = both(writing(PLACES, should=90, **{**GOOD, "date": day}), writing(WAY, should=20.5, **GOOD))
    sheet = filled(tmp_path / "back.xlsx", fill, language)
    if language == "en":  # what is written does not depend on the language of the headings
        assert [c.new for c in read_corrections(sheet, small_county()).corrections] == ["90", "20.5"]
        return
    before = contents(folder)
    done, found = correct(folder, sheet, tmp_path / "new")
    assert contents(folder) == before  # the original is what it was
    assert [(c.table, c.column, c.old, c.new, c.when, c.who) for c in done] == [
        ("school_stage", "capacity_pupils", "60", "90", "2025-03-01", "王"),
        ("travel_times", "minutes", "15.2", "20.5", "2025-03-01", "王"),
    ]
    assert {c.source_sha256 for c in done} == {hashlib.sha256(sheet.read_bytes()).hexdigest()}
    new, old = read_county(tmp_path / "new"), read_county(folder)
    assert new.corrections == done and old.corrections == ()
    for name, table in old.tables().items():
        if name not in ("school_stage", "travel_times"):
            pd.testing.assert_frame_equal(table, new.tables()[name])
    changed = old.school_stage.compare(new.school_stage)
    assert changed.columns.get_level_values(0).unique().tolist() == ["capacity_pupils"] and len(changed) == 1
    pairs = travel_times(new).pairs.set_index(["village_id", "school_id", "mode"])["minutes"]
    assert pairs["V3", "A1", "bus"] == 20.5
    assert (tmp_path / "new" / "notes.txt").read_text(encoding="utf-8") == "mine"
    assert [f.key for f in found if f.key == "corrections.made"] == ["corrections.made"] * 2


def test_check_shows_the_trail_and_the_record_names_it(folder: Path, tmp_path: Path) -> None:
    sheet = filled(tmp_path / "back.xlsx", writing(PLACES, should=90, **GOOD))
    correct(folder, sheet, tmp_path / "new")
    told = [f for f in check(tmp_path / "new") if f.key == "corrections.made"]
    assert len(told) == 1 and all(
        w in told[0].text("en") for w in ("60", "90", "王", "2025-03-01", "back.xlsx")
    )
    assert "更正" in told[0].text("zh")
    county = read_county(tmp_path / "new")
    standards, times = load_standards(county), travel_times(county)
    result = result_of(county, today_as_plan(county, standards, times), Scenario(), times)
    (kept,) = run_record(result)["corrections"]
    assert (kept["old"], kept["new"], kept["source"]) == ("60", "90", "back.xlsx")


def test_corrections_follow_corrections(folder: Path, tmp_path: Path) -> None:
    correct(folder, filled(tmp_path / "one.xlsx", writing(PLACES, should=90, **GOOD)), tmp_path / "new")
    again = both(writing(PLACES, used=90, should=80, **{**GOOD, "who": "李"}))
    correct(tmp_path / "new", filled(tmp_path / "two.xlsx", again), tmp_path / "newer")
    trail, _ = read_trail(tmp_path / "newer")
    assert [(c.old, c.new, c.who, c.source) for c in trail] == [
        ("60", "90", "王", "one.xlsx"),
        ("90", "80", "李", "two.xlsx"),
    ]
    (tmp_path / "newer" / TRAIL).write_bytes(b"\xff\xfe\x00")
    told = {f.key for f in check(tmp_path / "newer")}
    assert {"corrections.trail_lost", "settings.encoding"} <= told  # what is lost, and why


STRANGER = '["school_stage", {"school_id": "X9", "stage": "pri"}, "capacity_pupils"]'
BAD: dict[str, tuple[Fill, str, str]] = {
    "unknown school": (writing(PLACES, address=STRANGER, should=90, **GOOD), "corrections.unknown_school", "X9"),
    "no such row": (writing(PLACES, address=PLACES.replace("pri", "jun"), should=90, **GOOD), "corrections.no_row", "new sheet"),
    "address changed": (writing(PLACES, address="A3", should=90, **GOOD), "corrections.no_address", "hidden"),
    "not to be corrected": (writing(PLACES, address=PLACES.replace("capacity_pupils", "groups"), should=90, **GOOD), "corrections.no_address", "hidden"),
    "out of range": (writing(PLACES, should=9000, **GOOD), "corrections.range", "8000"),
    "negative": (writing(PLACES, should=-1, **GOOD), "corrections.range", "from 0"),
    "no number": (writing(PLACES, should="many", **GOOD), "plan.cell_number", ""),
    "not whole": (writing(PLACES, should=90.5, **GOOD), "tables.not_whole", ""),
    "no reason": (writing(PLACES, should=90, **{**GOOD, "reason": None}), "corrections.no_reason", "reason"),
    "nobody": (writing(PLACES, should=90, **{**GOOD, "who": " "}), "corrections.no_who", "who"),
    "no date": (writing(PLACES, should=90, **{**GOOD, "date": None}), "corrections.no_date", "date"),
    "bad date": (writing(PLACES, should=90, **{**GOOD, "date": "yesterday"}), "corrections.bad_date", "yesterday"),
    "changed meanwhile": (writing(PLACES, used=61, should=90, **GOOD), "corrections.other_value", "60"),
    "way changed meanwhile": (writing(WAY, used=9.9, should=20, **GOOD), "corrections.other_value", "15.2"),
    "nothing filled in": (lambda page, columns, rows: None, "corrections.nothing", "Should be"),
    "the same number": (writing(PLACES, should=60, **GOOD), "corrections.nothing", "Should be"),
    "a column is gone": (lambda page, columns, rows: page.delete_cols(columns["who"]), "plan.no_column", "Who"),
    "twice": (
        both(writing(PLACES, should=90, **GOOD), writing(WAY, address=PLACES, used=60, should=80, **GOOD)), "corrections.twice", "",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_bad_sheets_are_refused_in_words(folder: Path, tmp_path: Path, case: str) -> None:
    fill, key, word = BAD[case]
    with pytest.raises(InputProblems) as wrong:
        read_corrections(filled(tmp_path / "bad.xlsx", fill), small_county())
    found = next(f for f in wrong.value.findings if f.key == key)
    assert word in found.sentence("en")
    assert "{" not in found.sentence("zh") and found.sentence("zh") != found.sentence("en")
    assert not (tmp_path / "new").exists()


def test_missing_evidence_is_told_and_not_refused() -> None:
    path = Path(tempfile.mkdtemp()) / "sheet.xlsx"
    told = read_corrections(
        filled(path, writing(PLACES, should=90, **{**GOOD, "evidence": None})), small_county()
    )
    assert [f.key for f in told.findings] == ["corrections.no_evidence"] and len(told.corrections) == 1


def test_a_workbook_county_becomes_a_folder_with_the_same_tables(tmp_path: Path) -> None:
    book = write_template(tmp_path / "county.xlsx", "en", small_county())
    before = read_county(book)
    sheet = filled(tmp_path / "back.xlsx", writing(PLACES, should=90, **GOOD))
    correct(book, sheet, tmp_path / "new")
    after = read_county(tmp_path / "new")
    assert (after.name, after.year, after.standard_files) == (before.name, before.year, before.standard_files)
    for name, table in before.tables().items():
        if name != "school_stage":
            pd.testing.assert_frame_equal(table, after.tables()[name], check_dtype=False)
    assert after.school_stage.set_index("school_id").at["A3", "capacity_pupils"] == 90


def test_the_sheet_is_protected_and_the_same_numbers_give_the_same_bytes(tmp_path: Path) -> None:
    path = tmp_path / "sheet.xlsx"
    path.write_bytes(blank("zh"))
    page = openpyxl.load_workbook(path).worksheets[0]
    head = {str(c.value): c.column for c in page[1]}
    assert page.protection.sheet and page.auto_filter.ref
    assert page.cell(2, head["所用数"]).protection.locked and not page.cell(2, head["应为"]).protection.locked
    assert page.column_dimensions["L"].hidden
    kinds = {v.type for v in page.data_validations.dataValidation}
    assert kinds == {"decimal", "list", "date"}
    assert not any("_" in str(page.cell(r, head["数据项"]).value) for r in range(2, page.max_row + 1))
    blank.cache_clear()
    assert blank("zh") == path.read_bytes()


def run(*arguments: object) -> tuple[int, str]:
    result = CliRunner().invoke(
        cli.app, [*map(str, arguments), "--lang", "en"], env={"SHEET_COLUMNS": "2000"}
    )
    assert result.exception is None or isinstance(result.exception, SystemExit), repr(result.exception)
    return result.exit_code, re.sub(r"\s+", " ", result.output)


def test_the_command_never_writes_over_anything(folder: Path, tmp_path: Path) -> None:
    sheet = filled(tmp_path / "back.xlsx", writing(PLACES, should=90, **GOOD))
    before = contents(folder)
    for place in (folder, folder / "new", tmp_path):
        code, said = run("correct", folder, sheet, "--out", place)
        assert code == console.BAD_INPUT, said
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "mine.txt").write_text("mine", encoding="utf-8")
    code, said = run("correct", folder, sheet, "--out", tmp_path / "taken")
    assert code == console.BAD_INPUT and "new folder" in said
    assert contents(folder) == before
    code, said = run("correct", folder, sheet, "--out", tmp_path / "new")
    assert code == 0 and "1 numbers" in said
    code, said = run("correct", folder, tmp_path / "none.xlsx", "--out", tmp_path / "other")
    assert code == console.BAD_INPUT
    code, said = run("correct", folder, folder / "county.toml", "--out", tmp_path / "other")
    assert code == console.BAD_INPUT
