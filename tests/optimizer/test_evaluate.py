"""Plans edited by hand: read back, judged, every edit listed; compared and made again."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import openpyxl
import pandas as pd
import pytest

import optimizer.cli.edits as edits_said
from geodata.contract.findings import InputProblems
from geodata.messages import LANGUAGES, say
from maps.dossier.workbook import write_workbook
from models.plan.decisions import PlanResult, Verdict
from models.plan.differences.edits import new_violations
from models.plan.ledger import LEDGER_COLUMNS
from models.plan.reasons.actions import _buses, _closures
from models.plan.sheets import read_edited, sheet_titles
from models.referee.verdict import judge
from models.standards.norms import load_standards
from optimizer.verbs.evaluate import Evaluation, _own_budgets, evaluate
from tests.maps.conftest import make_county, make_result

BANDS, GOING, HIRES, BUYS = "bands", "attendance", "hires", "purchases"


@pytest.fixture(scope="module")
def made() -> PlanResult:
    return make_result(make_county())


@pytest.fixture(scope="module")
def books(made: PlanResult, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The plan's workbook by language; not to be changed."""
    place = tmp_path_factory.mktemp("evaluate")
    return {one: write_workbook(made, place / f"{one}.xlsx", one) for one in LANGUAGES}


def edited(
    made: PlanResult,
    books: dict[str, Path],
    folder: Path,
    *cells: tuple[str, str, object],
    language: str = "en",
) -> Evaluation:
    path = folder / "plan.xlsx"
    book = openpyxl.load_workbook(books[language])
    for sheet, cell, value in cells:
        book[sheet_titles(sheet)[language]][cell] = value
    book.save(path)
    return evaluate(made.county, path, times=made.times)


@pytest.mark.parametrize("language", LANGUAGES)
def test_untouched_it_is_the_same_plan_with_the_same_verdict(
    made: PlanResult, books: dict[str, Path], tmp_path: Path, language: str
) -> None:
    found = edited(made, books, tmp_path, language=language)
    assert found.original == found.result.plan == made.plan
    assert found.edits.empty and found.violations.empty and not found.findings
    assert found.result.verdict.measures.equals(made.verdict.measures)


def test_every_edit_is_a_line_with_what_breaks_there(
    made: PlanResult, books: dict[str, Path], tmp_path: Path
) -> None:
    found = edited(made, books, tmp_path, (BANDS, "E2", 50), (GOING, "F2", "S2"))
    lines = found.edits[["action", "edit", "column", "before", "after"]].values.tolist()
    assert lines == [["band", "changed", "quantity", 3.0, 50.0], ["attend", "changed", "to_id", "S1", "S2"]]
    rooms = found.violations.set_index("rule").loc["rooms"]
    assert (rooms["place_id"], rooms["amount"]) == ("S1/pri", 53.0)
    at = found.edits["broken"].iloc[0]
    assert "rooms" in set(found.violations["rule"].iloc[at])
    assert not found.accepted
    assert found.result.solve.status == "edited"


def test_rows_are_added_and_names_are_taken(made: PlanResult, books: dict[str, Path], tmp_path: Path) -> None:
    name = str(made.county.schools.set_index("school_id").at["S1", "name"])
    row = [(HIRES, f"{c}3", v) for c, v in zip("ABCD", (name, "小学", "arts", 2), strict=True)]
    found = edited(made, books, tmp_path, *row)
    (line,) = found.edits.to_dict("records")
    assert (line["edit"], line["school_id"], line["stage"], line["after"]) == ("added", "S1", "pri", 2.0)


@pytest.mark.parametrize(
    ("sheet", "cell", "value", "key"),
    [
        (GOING, "F2", "no such school", "plan.cell_unknown"), (BANDS, "E2", "many", "plan.cell_number"),
        (BANDS, "E2", 1.5, "tables.not_whole"), (BANDS, "D2", "perhaps", "plan.cell_flag"), (HIRES, "A3", "S1", "plan.cell_empty"),
        (BUYS, "D2", "1,5", "plan.cell_number"),
        (GOING, "G2", "ebike", "plan.cell_unknown"), (BUYS, "E2", "万元", "plan.cell_unit"), (BUYS, "D2", "=1+1", "bureau.formula"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_said_with_its_place(
    made: PlanResult, books: dict[str, Path], tmp_path: Path, sheet: str, cell: str, value: object, key: str
) -> None:
    with pytest.raises(InputProblems) as caught:
        edited(made, books, tmp_path, (sheet, cell, value))
    finding = caught.value.findings[0]
    assert (finding.key, finding.row) == (key, int(cell[1:]))
    assert sheet_titles(sheet)["en"] in finding.file
    assert all(finding.sentence(language) for language in LANGUAGES)


def changed_book(books: dict[str, Path], folder: Path, sheet: str, *cells: tuple[str, object]) -> Path:
    path = folder / "plan.xlsx"
    book = openpyxl.load_workbook(books["en"])
    for cell, value in cells:
        book[sheet_titles(sheet)["en"]][cell] = value
    book.save(path)
    return path


@pytest.mark.parametrize(("column", "value"), [("quantity", 99), ("state", "closed"), ("row_id", "zz")])
def test_the_sheet_with_the_ledger_is_the_plan_as_it_was_made(
    made: PlanResult, books: dict[str, Path], tmp_path: Path, column: str, value: object
) -> None:
    """Changed there, every edit was told as one from a plan that nobody made."""
    cell = f"{chr(65 + LEDGER_COLUMNS.index(column))}2"
    with pytest.raises(InputProblems) as caught:
        read_edited(changed_book(books, tmp_path, "ledger", (cell, value)), made.county)
    (found,) = caught.value.findings
    assert found.key == ("plan.other_row_id" if column == "row_id" else "plan.ledger_changed")
    assert all(found.sentence(language) for language in LANGUAGES)


def test_a_second_column_of_one_heading_is_refused_and_any_other_is_said_not_to_count(
    made: PlanResult, books: dict[str, Path], tmp_path: Path
) -> None:
    heading = openpyxl.load_workbook(books["en"])[sheet_titles(GOING)["en"]]["G1"].value
    twice = changed_book(books, tmp_path, GOING, ("I1", heading), ("I2", "bus"))
    with pytest.raises(InputProblems) as caught:
        read_edited(twice, made.county)
    assert [(f.key, f.column) for f in caught.value.findings] == [("plan.heading_twice", heading)]
    for head, column in (("remark", "remark"), (None, "I")):
        read = read_edited(changed_book(books, tmp_path, GOING, ("I1", head), ("I3", "S2")), made.county)
        assert read.plan == made.plan
        assert [(f.key, f.row, f.column, f.value) for f in read.findings] == [
            ("plan.beside", 3, column, "S2")
        ]


def test_a_workbook_without_its_sheets_is_refused(made: PlanResult, tmp_path: Path) -> None:
    openpyxl.Workbook().save(tmp_path / "other.xlsx")
    with pytest.raises(InputProblems, match="Ledger"):
        evaluate(made.county, tmp_path / "other.xlsx", times=made.times)


def test_a_budget_that_an_edit_breaks_by_itself_stands_at_the_edit(
    made: PlanResult, books: dict[str, Path], tmp_path: Path
) -> None:
    found = edited(made, books, tmp_path, (BUYS, "D2", 20_000), (BANDS, "E2", 4))
    by_edit = {
        r["action"]: {found.violations["rule"].iloc[i] for i in r["broken"]}
        for r in found.edits.to_dict("records")
    }
    assert "budget" in by_edit["buy"] and "budget" not in by_edit["band"]


def test_what_breaks_names_its_place_and_thing(
    made: PlanResult, books: dict[str, Path], tmp_path: Path
) -> None:
    new = [(HIRES, f"{c}3", v) for c, v in zip("ABCD", ("S1", "junior", "arts", 1), strict=True)]
    found = edited(made, books, tmp_path, (BUYS, "D2", 1.5), (GOING, "D2", 39), *new)
    places = {(r.rule, r.place, r.unit) for r in found.violations.itertuples()}
    assert ("items", "河口镇中心小学 rooms_multimedia", "rooms") in places
    assert ("assignment", "郑家湾村 g1_3", "pupils") in places
    assert ("known_ids", "河口镇中心小学", "rows") in places
    assert not found.violations.duplicated(["rule", "place", "amount", "limit"]).any()


def test_a_copied_sheet_is_said_to_count_nowhere(
    made: PlanResult, books: dict[str, Path], tmp_path: Path
) -> None:
    path = tmp_path / "plan.xlsx"
    book = openpyxl.load_workbook(books["en"])
    book.copy_worksheet(book[sheet_titles(HIRES)["en"]])
    book.save(path)
    found = evaluate(made.county, path, times=made.times)
    assert [(f.severity, f.key) for f in found.findings] == [("warning", "plan.copied_sheet")]


def test_an_earmark_that_spends_as_before_is_not_blamed(made: PlanResult) -> None:
    budget = made.verdict.budget.assign(spent=[7.0] * len(made.verdict.budget))
    before = replace(made.verdict, budget=budget)
    rows = [("budget", "teacher", 7.0), ("budget", "transport", 9.0), ("rooms", "S1/pri", 7.0)]
    broken = pd.DataFrame(rows, columns=["rule", "place_id", "amount"])
    assert _own_budgets(broken, before)["place_id"].tolist() == ["transport", "S1/pri"]
    assert len(_own_budgets(broken.iloc[[0]], before)) == 1  # nothing else can be named


def test_a_school_without_a_known_way_is_judged_and_said(
    made: PlanResult, books: dict[str, Path], tmp_path: Path
) -> None:
    found = edited(made, books, tmp_path, (GOING, "F2", "S6"), (GOING, "G2", "bus"))
    travel = found.result.verdict.travel.assign(minutes=float("nan"))
    for key in ("bus", "close"):
        acts = {"bus": _buses, "close": lambda v: _closures(found.result.plan, v)}[key](
            replace(found.result.verdict, travel=travel)
        )
        for act in acts:  # no figure is made up, and none fails
            assert act.reason in (
                "reasons.bus_unknown",
                "reasons.close_no_way",
                "reasons.reduce_no_way",
                "reasons.close_empty",
                "reasons.reduce_empty",
            )
            assert all("{" not in say(act.reason, language, **act.fields) for language in LANGUAGES)


def breaches(made: PlanResult, *rows: tuple[str, str, float]) -> Verdict:
    """A verdict with these breaches: place, what about it, minutes of thirty."""
    columns = ["rule", "kind", "place_id", "place", "amount", "limit", "unit", "grandfathered"]
    told = [("travel_limit", "hard", i, p, m, 30.0, "minutes", False) for i, p, m in rows]
    return replace(made.verdict, violations=pd.DataFrame(told, columns=columns))


@pytest.mark.parametrize(
    ("before", "after", "listed"),
    [
        ([40.0], [50.0], [(50.0, 40.0)]),  # worse
        ([50.0], [40.0], []),
        ([40.0], [40.0, 35.0], [(35.0, None)]),  # once more at the place
        ([50.0, 35.0], [45.0], []),
        ([40.0], [math.nan], [(None, 40.0)]),  # minutes that are not known are no better
        ([math.nan], [math.nan], []),
        ([math.nan], [math.nan, math.nan], [(None, None)]),
    ],
)
def test_what_an_edit_makes_worse_at_a_place_is_listed(
    made: PlanResult,
    before: list[float],
    after: list[float],
    listed: list[tuple[float | None, float | None]],
) -> None:
    old, new = (breaches(made, *(("V01", "郑家湾村", m) for m in one)) for one in (before, after))
    found = new_violations(old, new)
    told = found[["amount", "before"]].astype(object).where(found[["amount", "before"]].notna(), None)
    assert list(told.itertuples(index=False, name=None)) == listed
    bands = [breaches(made, ("V01", f"郑家湾村 {b}", 40.0)) for b in ("g1_3", "g4_6")]
    assert new_violations(*bands).empty  # the same by another band is no worse


@pytest.mark.parametrize("language", LANGUAGES)
def test_made_worse_is_said_with_the_amount_before(made: PlanResult, language: str) -> None:
    def said(was: float, now: float) -> str:
        (row,) = new_violations(
            breaches(made, ("V01", "郑家湾村", was)), breaches(made, ("V01", "郑家湾村", now))
        ).to_dict("records")
        return edits_said.broken_said(row, made.county.norms, language)

    worse = {
        "en": "made worse, 50 against 30 minutes; 40 before",
        "zh": "更加超出，50，限值 30 分钟；修改前为 40",
    }
    assert worse[language] in said(40.0, 50.0)
    assert "40.10" in said(40.1, 40.3) and "40.30" in said(40.1, 40.3)


def test_a_way_on_foot_that_is_not_known_is_listed_where_the_village_had_one_before(made: PlanResult) -> None:
    """V09's younger pupils are sent on foot where no minutes are known, then the older ones, too."""
    standards, going = load_standards(made.county), made.plan.attendance

    def sent(*bands: str) -> Verdict:
        mine = (going["village_id"] == "V09") & going["band"].isin(bands)
        table = going.assign(
            school_id=going["school_id"].where(~mine, "S1"), mode=going["mode"].where(~mine, "walk")
        )
        return judge(made.county, standards, replace(made.plan, attendance=table), made.times)

    found = new_violations(sent("g1_3"), sent("g1_3", "g4_6")).query("rule == 'travel_limit'")
    assert found["place_id"].tolist() == ["V09"] and found["amount"].isna().all()
    assert new_violations(sent("g1_3"), sent("g1_3")).empty


def test_a_breach_where_something_was_as_today_before_is_new(made: PlanResult) -> None:
    columns = ["rule", "kind", "place_id", "place", "amount", "limit", "unit", "grandfathered"]
    row = ("travel_limit", "hard", "V01", "郑家湾村", 90.0, 30.0, "minutes")
    eased, worse = (
        replace(made.verdict, violations=pd.DataFrame([(*row, g)], columns=columns)) for g in (True, False)
    )
    assert len(new_violations(eased, worse)) == 1
    assert new_violations(worse, worse).empty and new_violations(worse, eased).empty
