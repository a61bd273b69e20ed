"""One workbook from start to end: template, check, audit, plan, evaluate, without TOML."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

import openpyxl
import pandas as pd
import pytest
from typer.testing import CliRunner

import optimizer.cli.main as cli
import optimizer.cli.planning as planning
from geodata.contract.county import County
from geodata.contract.findings import InputProblems
from geodata.contract.tables import TABLES
from geodata.folder.reading import read_county
from geodata.folder.template import sheet_name, typed
from geodata.messages import LANGUAGES
from geodata.workbook.forms import Row
from optimizer.cli.asking import asked_county
from optimizer.cli.console import BAD_INPUT, NO_PLAN
from optimizer.outcomes import StoppedWithoutPlan
from optimizer.scenario import Requirement, Scenario
from optimizer.scenario_sheet import sheet_scenario
from optimizer.verbs.template import write_template
from tests.samples import small_county

QUICK = [("目标", "平均上学时间", None)]
"""A goal that takes a second on the hand-sized county."""
SAME_QUICK = '[[goals]]\nname = "travel"\n'
SHEET = {"zh": "方案要求", "en": "scenario"}


def run(*arguments: object, language: str = "en") -> tuple[int, str]:
    """Exit code and output on one wide line."""
    result = CliRunner().invoke(cli.app, [*map(str, arguments), "--lang", language], env={"COLUMNS": "2000"})
    assert result.exception is None or isinstance(result.exception, SystemExit), repr(result.exception)
    return result.exit_code, re.sub(r"\s+", " ", result.output)


def ask(path: Path, rows: Iterable[tuple[str, str | None, object]], language: str = "zh") -> dict[int, int]:
    """Write rows of the scenario sheet at its end; where each of them stands."""
    book = openpyxl.load_workbook(path)
    page, at = book[SHEET[language]], {}
    last = max(r for r in range(1, page.max_row + 1) if page.cell(r, 1).value)
    for k, row in enumerate(rows):
        at[k] = last + 1 + k
        for c, value in enumerate(row, 1):
            page.cell(at[k], c).value = value
    book.save(path)
    return at


def say(path: Path, item: str, what: str, value: object = None, language: str = "zh") -> int:
    """Fill in the first row of an item (and name) that is there; which row it is."""
    book = openpyxl.load_workbook(path)
    page = book[SHEET[language]]
    for r in range(2, page.max_row + 1):
        if page.cell(r, 1).value == item and page.cell(r, 2).value in (None, what):
            page.cell(r, 2).value = what or None
            page.cell(r, 3).value = value
            book.save(path)
            return r
    raise KeyError(item)


def type_in(path: Path, county: County, language: str) -> None:
    """The tables of a county typed into an empty template, settings too, as a person would."""
    book = openpyxl.load_workbook(path)
    for name, frame in county.tables().items():
        if name in ("standards", "unit_costs") or frame.empty:
            continue
        page = book[sheet_name(TABLES[name], language)]
        for at, column in enumerate(TABLES[name].columns, 1):
            for row, value in enumerate(frame.get(column.name, ()), 2):
                if pd.isna(value) or value == "":
                    continue
                number = column.kind in ("whole", "number")
                page.cell(row, at).value = float(value) if number else typed(column, value, language)
    page = book[sheet_name(TABLES["unit_costs"], language)]
    price = county.unit_costs.set_index("item")["base"]
    for row in range(2, page.max_row + 1):
        if (item := page.cell(row, 1).value) in price.index:
            for c in (3, 4, 5):
                page.cell(row, c).value = float(price[item])
    settings = book[{"zh": "县情设置", "en": "settings"}[language]]
    said = {"县名": county.name, "name": county.name, "规划年份": county.year, "planning year": county.year}
    for r in range(2, settings.max_row + 1):
        if settings.cell(r, 1).value in said:
            settings.cell(r, 2).value = said[settings.cell(r, 1).value]
    book.save(path)


def as_folder(county: County, folder: Path, scenario: str) -> Path:
    """The same county as a folder, with a scenario beside it."""
    folder.mkdir()
    for name, table in county.tables().items():
        if len(table):
            table.to_csv(folder / f"{name}.csv", index=False)
    (folder / "county.toml").write_text(f'name = "{county.name}"\nyear = {county.year}\n', encoding="utf-8")
    (folder / "asked.toml").write_text(scenario, encoding="utf-8")
    return folder


@pytest.fixture(autouse=True)
def undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """The plan is saved; pages and maps, which take longest, are tested elsewhere."""
    monkeypatch.setattr(planning, "draw_plan", lambda *_: [])
    monkeypatch.setattr(planning, "rehearse", lambda _: [])


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The hand-sized county as a workbook; not to be changed."""
    return write_template(tmp_path_factory.mktemp("workbook") / "mycounty.xlsx", "zh", small_county())


@pytest.fixture
def book(filled: Path, tmp_path: Path) -> Path:
    """A copy to be edited."""
    path = tmp_path / "mycounty.xlsx"
    path.write_bytes(filled.read_bytes())
    return path


def ledger(dossier: Path) -> str:
    return (dossier / "plan.csv").read_text(encoding="utf-8-sig")


def test_a_template_filled_by_hand_plans_as_the_folder_does(tmp_path: Path) -> None:
    path = tmp_path / "mycounty.xlsx"
    assert run("template", path)[0] == 0
    type_in(path, small_county(), "en")
    ask(path, [("goal", "travel", None)], "en")
    code, output = run("check", path)
    assert code == 0, output
    code, output = run("plan", path, "--out", tmp_path / "one")
    assert code == 0, output
    folder = as_folder(small_county(), tmp_path / "folder", SAME_QUICK)
    code, output = run("plan", folder, "--scenario", folder / "asked.toml", "--out", tmp_path / "two")
    assert code == 0, output
    assert ledger(tmp_path / "one") == ledger(tmp_path / "two")
    record = json.loads((tmp_path / "one" / "run.json").read_text(encoding="utf-8"))
    assert record["county_folder"] == "../mycounty.xlsx"


def test_the_norms_and_prices_of_the_template_change_nothing(filled: Path) -> None:
    county, wanted = read_county(filled), small_county()
    assert (county.name, county.year, county.fictional) == (wanted.name, wanted.year, True)
    for name, table in wanted.tables().items():
        if name != "standards":
            pd.testing.assert_frame_equal(county.tables()[name], table, obj=name)
    norms = county.norms.rules
    assert len(county.standards) == len(norms)
    assert all(
        norms[r.id].value == r.value and norms[r.id].kind == r.kind for r in county.standards.itertuples()
    )


def test_what_is_asked_on_the_sheet_reaches_the_plan(book: Path, tmp_path: Path) -> None:
    ask(book, QUICK)
    say(book, "撤并学校", "甲镇A3")
    say(book, "预算", "教师", 120)
    say(book, "预算", "不限用途", 80)
    pages = openpyxl.load_workbook(book)  # 5 per cent of seven schools are none
    page = pages["标准"]
    kind = [c.value for c in page[1]].index("性质") + 1
    row = next(r for r in range(2, page.max_row + 1) if page.cell(r, 1).value == "closures_share")
    page.cell(row, kind).value = typed(TABLES["standards"].column("kind"), "off", "zh")
    pages.save(book)
    code, output = run("plan", book, "--out", tmp_path / "plan")
    assert code == 0, output
    table = pd.read_csv(tmp_path / "plan" / "plan.csv", dtype=str, encoding="utf-8-sig")
    closed = table[(table["action"] == "band") & (table["state"] == "closed")]["school_id"]
    assert set(closed) == {"A3"}
    record = json.loads((tmp_path / "plan" / "run.json").read_text(encoding="utf-8"))
    asked = record["scenario"]
    assert (asked["close"], asked["budget"]) == (["A3"], {"teacher": 1_200_000.0, "any": 800_000.0})
    assert [g["name"] for g in asked["goals"]] == ["travel"]
    notes = " ".join(f["text"] for f in record["findings"])
    assert "have nothing" in notes and "does not count" in notes


def rows(*cells: tuple[str, str, str]) -> tuple[Row, ...]:
    """Rows of a scenario sheet as they are read."""
    return tuple(Row(*c, number, "book.xlsx [scenario]") for number, c in enumerate(cells, 2))


def test_every_item_of_the_sheet_is_read() -> None:
    county = replace(
        small_county(),
        asked=rows(
            ("preset", "均衡优先", ""), ("保留学校", "A1", ""), ("keep open", "甲镇A2", ""), ("预算", "any", "1,250"), ("price level", "高", ""),
            ("gap", "", "2"), ("计算时限", "", "90"), ("nodes", "", "50"), ("seed", "", "7"), ("require at most", "CV limits", ""),
            ("要求不少于", "failing", "3"), ("goal", "", ""),
        ),
    )  # fmt: skip
    scenario, _ = sheet_scenario(county)
    assert scenario == Scenario(
        preset="balance_first", keep_open=("A1", "A2"), budget={"any": 12_500_000.0}, cost_level="high", gap=0.02,
        seconds=90, nodes=50, seed=7, require=(Requirement(goal="cv_excess", at_most=0.0), Requirement(goal="failing", at_least=3)),
    )  # fmt: skip
    assert sheet_scenario(small_county()) == (None, [])


WRONG = (
    ("目标", "出名", None, "内容", "failing"), ("预算", "教师", 3_000_000, "数值", "write 300."),
    ("预算", "设备", 0.004, "数值", "write 40;"), ("预算", "校舍", "很多", "数值", "120"),
    ("撤并学校", "无名小学", None, "内容", "A1"), ("保留学校", "甲镇A1", 3, "数值", "takes no value"),
    ("计算时限", None, -5, "项目", "already"), ("目的", "达标", None, "项目", "目标"),
    ("要求不少于", "平均上学时间", 3, "内容", "failing"), ("要求不超过", "达标", None, "内容", "passing"),
    ("方案类型", "省钱优先", None, "项目", "already"), ("撤并学校", None, 3, "项目", "must name"),
)  # fmt: skip


def test_what_is_not_understood_is_said_with_its_cell(book: Path) -> None:
    later = [WRONG[1], WRONG[2]]  # amounts are judged once the rest is understood
    at = ask(book, [w[:3] for w in WRONG if w not in later])
    code, output = run("check", book)
    assert code == BAD_INPUT
    for number, (_, _, _, column, said) in zip(
        at.values(), (w for w in WRONG if w not in later), strict=True
    ):
        (line,) = re.findall(
            rf"ERROR mycounty.xlsx \[方案要求\], row {number}, column '{column}': (.*?)(?= ERROR | WARNING | note |$)",
            output,
        )
        assert said in line
    for item, what, value, _, said in later:
        county = replace(small_county(), asked=rows((item, what, str(value))))
        with pytest.raises(InputProblems) as caught:
            sheet_scenario(county)
        (finding,) = [f for f in caught.value.findings if f.severity == "error"]
        assert (finding.row, finding.column, finding.value) == (2, "value", str(value))
        assert said in finding.text("en")


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (("gap", "", "200"), "< 1"),
        (("seed", "", "1.5"), "whole"),
        (("close", "A1", ""), "to stay open and to close"),
    ],
)
def test_values_that_a_scenario_refuses_are_said_with_their_cell(
    row: tuple[str, str, str], said: str
) -> None:
    county = replace(small_county(), asked=rows(("keep_open", "A1", ""), row))
    with pytest.raises(InputProblems) as caught:
        sheet_scenario(county)
    (finding,) = caught.value.findings
    assert (finding.row, finding.file) == (3, "book.xlsx [scenario]") and said in finding.text("en")


def test_a_share_that_excel_stored_is_warned_of() -> None:
    scenario, found = sheet_scenario(replace(small_county(), asked=rows(("gap", "", "0.01"))))
    assert scenario is not None and scenario.gap == pytest.approx(0.0001)
    assert [f.key for f in found] == ["form.share_meant"]


def test_a_name_that_two_schools_bear_is_asked_about(tmp_path: Path) -> None:
    county = small_county()
    schools = county.schools.assign(
        name=county.schools["name"].replace({"甲镇A1": "中心小学", "乙镇B1": "中心小学"})
    )
    path = write_template(tmp_path / "mycounty.xlsx", "en", replace(county, schools=schools))
    row = say(path, "close", "中心小学", language="en")
    code, output = run("plan", path, "--out", tmp_path / "plan")
    assert code == BAD_INPUT
    assert all(word in output for word in (f"row {row}", "'what'", "中心小学", "A1 (甲镇)", "B1 (乙镇)"))
    assert not (tmp_path / "plan").exists()


def test_a_scenario_of_the_command_line_counts_and_that_is_said(
    book: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    say(book, "撤并学校", "A3")
    other = tmp_path / "other.toml"
    other.write_text(SAME_QUICK, encoding="utf-8")
    came: list[tuple[County, Scenario]] = []

    def caught(county: County, asked: Scenario, **_: object) -> NoReturn:
        came.append((county, asked))
        raise StoppedWithoutPlan

    monkeypatch.setattr(planning, "make_plan", caught)
    for more in ([], ["--scenario", other]):
        assert run("plan", book, *more, "--out", tmp_path / "plan")[0] == NO_PLAN
    assert [asked.close for _, asked in came] == [("A3",), ()]
    said = [[f for f in county.findings if f.key == "form.overridden"] for county, _ in came]
    assert said[0] == [] and "other.toml" in said[1][0].text("en") and said[1][0].severity == "warning"


@pytest.mark.parametrize(("amount", "said"), [(40, "400000"), (4e9, "a pupil")])
def test_amounts_of_a_toml_are_looked_at_too(tmp_path: Path, amount: float, said: str) -> None:
    folder = as_folder(small_county(), tmp_path / "mycounty", f"[budget]\nany = {amount}\n")
    code, output = run("plan", folder, "--scenario", folder / "asked.toml", "--out", tmp_path / "plan")
    assert code == BAD_INPUT and "asked.toml" in output and "budget.any" in output and said in output


def test_a_bad_setting_is_said_with_its_cell(book: Path) -> None:
    pages = openpyxl.load_workbook(book)
    page: Any = pages["县情设置"]
    wrong = {"规划年份": "20x5", "坐标系": "火星", "采用标准": "cn_1999", "是否虚构": "也许"}
    at = {}
    for r in range(2, page.max_row + 1):
        if (item := page.cell(r, 1).value) in wrong and item not in at:
            page.cell(r, 2).value, at[item] = wrong[item], r
    pages.save(book)
    code, output = run("check", book)
    assert code == BAD_INPUT
    for item, said in (
        ("规划年份", "whole number"),
        ("坐标系", "gcj02"),
        ("采用标准", "cn_2017_quality"),
        ("是否虚构", "yes"),
    ):
        (line,) = re.findall(rf"\[县情设置\], row {at[item]}, column '内容': (.*?)(?= ERROR |$)", output)
        assert said in line


def test_other_workbooks_and_empty_templates_end_in_words(tmp_path: Path) -> None:
    code, output = run("check", tmp_path / "none.xlsx")
    assert code == BAD_INPUT and "junheng template" in output
    openpyxl.Workbook().save(tmp_path / "other.xlsx")
    code, output = run("check", tmp_path / "other.xlsx")
    assert code == BAD_INPUT and "settings" in output and "junheng template" in output
    write_template(tmp_path / "empty.xlsx", "en")
    code, output = run("check", tmp_path / "empty.xlsx")
    assert code == BAD_INPUT and "name" in output and "year" in output
    (tmp_path / "schools.csv").write_text("school_id\n", encoding="utf-8")  # beside it, and no part of it
    assert "schools.csv" not in run("check", tmp_path / "empty.xlsx")[1]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_table_that_the_workbook_lacks_is_named_as_its_sheet(tmp_path: Path, language: str) -> None:
    path = write_template(tmp_path / "mycounty.xlsx", language, small_county())
    pages = openpyxl.load_workbook(path)
    title = sheet_name(TABLES["budget"], language)
    pages.remove(pages[title])
    pages.save(path)
    code, output = run("check", path, "--marked", tmp_path / "problems.xlsx")
    assert code == 0 and f"mycounty.xlsx [{title}]" in output and "budget.csv" not in output


def test_problems_come_back_as_a_marked_workbook(book: Path, tmp_path: Path) -> None:
    pages = openpyxl.load_workbook(book)
    pages["学段情况"]["C3"].value = "很多"
    pages.save(book)
    code, _ = run("check", book, "--marked", tmp_path / "problems.xlsx")
    assert code == BAD_INPUT
    marked = openpyxl.load_workbook(tmp_path / "problems.xlsx")["学段情况"]["C3"]
    assert marked.comment is not None and "很多" in marked.comment.text


def test_a_workbook_made_from_another_asks_the_same(book: Path, tmp_path: Path) -> None:
    ask(book, [("要求不少于", "不达标单元", 3), ("gap", None, "2%"), ("保留学校", "甲镇A1", None)])
    say(book, "目标", "平均上学时间", 5)
    say(book, "预算", "教师", 120)
    drop = openpyxl.load_workbook(book)
    page = drop["方案要求"]
    first = next(r for r in range(2, page.max_row + 1) if page.cell(r, 1).value == "最优性差距")
    page.cell(first, 3).value = None  # said below, in the other language
    drop.save(book)
    code, output = run("template", tmp_path / "copy.xlsx", "--from", book)
    assert code == 0, output
    wanted, copied = (sheet_scenario(read_county(p))[0] for p in (book, tmp_path / "copy.xlsx"))
    assert copied == wanted and wanted is not None
    assert (wanted.keep_open, wanted.gap, wanted.budget) == (("A1",), 0.02, {"teacher": 1_200_000.0})
    words = {
        c.value for r in openpyxl.load_workbook(tmp_path / "copy.xlsx")["scenario"].iter_rows() for c in r
    }
    assert "mean way to school" in words


def test_files_that_a_workbook_does_not_name_are_said(tmp_path: Path) -> None:
    import geopandas as gpd
    from shapely import box

    from optimizer.verbs.template import left_out

    assert left_out(small_county()) == []
    towns = gpd.GeoDataFrame({"township": ["甲镇"]}, geometry=[box(118, 30, 119, 31)], crs="EPSG:4326")
    (finding,) = left_out(replace(small_county(), townships=towns))
    assert (
        "township file" in finding.text("en")
        and "road file" not in finding.text("en").split(":")[1].split(".")[0]
    )


def test_a_scenario_file_names_schools_too(tmp_path: Path) -> None:
    folder = as_folder(
        small_county(), tmp_path / "mycounty", 'keep_open = ["甲镇A1"]\nclose = ["A3", "乙镇B3学校"]\n'
    )
    county, asked = asked_county(folder, False, None, folder / "asked.toml")
    assert (asked.keep_open, asked.close) == (("A1",), ("A3", "B3"))
    (doubt,) = [f for f in county.findings if f.key == "plan.cell_taken"]
    assert (doubt.severity, doubt.file, doubt.column) == ("warning", "asked.toml", "close")
    (folder / "asked.toml").write_text('close = ["王庄小学"]\n', encoding="utf-8")
    with pytest.raises(InputProblems) as caught:
        asked_county(folder, False, None, folder / "asked.toml")
    (finding,) = caught.value.findings
    assert (finding.file, finding.column, finding.value) == ("asked.toml", "close", "王庄小学")
    assert "0%" not in finding.text("en")
