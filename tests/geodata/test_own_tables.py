"""Tables in our own form, as people save them: what spreadsheets add to cells is taken or named, never lost."""

from __future__ import annotations

from pathlib import Path

import openpyxl
import pytest

from geodata.contract.findings import InputProblems
from geodata.folder.own_tables import read_csv, read_workbook
from geodata.folder.reading import check, read_county
from tests.geodata.test_cases import TOML, keys
from tests.samples import small_county


@pytest.fixture
def book(tmp_path: Path):
    """The sound county as one workbook; gives the workbook and a function that saves it and reads the county."""
    made = openpyxl.Workbook()
    made.remove(made.active)
    for name, table in small_county().tables().items():
        if len(table):
            page = made.create_sheet(name)
            page.append(list(table.columns))
            for row in table.astype(object).where(table.notna(), None).itertuples(index=False):
                page.append([str(v) if isinstance(v, bool) else v for v in row])
    (tmp_path / "county.toml").write_text(TOML + 'workbook = "tables.xlsx"\n', encoding="utf-8")

    def saved() -> Path:
        made.save(tmp_path / "tables.xlsx")
        return tmp_path

    return made, saved


def place(page, row: int, column: str):
    """The cell of a row, as the spreadsheet numbers it, under a heading."""
    headings = [c.value for c in page[1]]
    return page.cell(row, headings.index(column) + 1)


def said(found, key: str) -> list[tuple[str, int | None, str]]:
    return [(f.table, f.row, f.column) for f in found if f.key == key]


def test_the_sound_county_reads_from_one_workbook(book):
    assert keys(check(book[1]())) == []


@pytest.mark.parametrize(
    ("table", "column"), [("schools", "protected"), ("schools", "counted"), ("demand", "pupils_base")]
)
def test_a_formula_without_a_stored_result_is_an_error_at_its_cell(book, table, column):
    made, saved = book
    place(made[table], 3, column).value = "=1+1"
    found = check(saved())
    wrong = [(f.key, f.table, f.row, f.column) for f in found if f.severity == "error"]
    assert wrong == [("bureau.formula", table, 3, column)]


def test_cells_merged_over_rows_count_for_each_with_a_note(book):
    made, saved = book
    page = made["schools"]
    top, last = place(page, 2, "township"), place(page, 5, "township")
    page.merge_cells(f"{top.coordinate}:{last.coordinate}")
    folder = saved()
    found = check(folder)
    assert keys(found) == [] and said(found, "bureau.filled_down") == [("schools", 2, "township")]
    assert read_county(folder).schools["township"].tolist()[:4] == ["甲镇"] * 4


def test_cells_merged_over_columns_are_refused(book):
    made, saved = book
    page = made["schools"]
    name = place(page, 2, "name")
    page.merge_cells(start_row=2, end_row=2, start_column=name.column, end_column=name.column + 1)
    found = check(saved())
    assert ("schools", 2, "name") in said(found, "tables.merged_across")


def test_merges_that_hold_nothing_are_nothing(book):
    made, saved = book
    made["schools"].merge_cells("A500:C900")
    made["demand"].merge_cells("ZA1:ZB3")
    assert keys(check(saved())) == []


def test_hidden_rows_and_sheets_are_read_and_said(book):
    made, saved = book
    made["demand"].row_dimensions[4].hidden = True
    made["budget"].sheet_state = "hidden"
    made["schools"].sheet_state = "veryHidden"
    found = check(saved())
    assert keys(found) == []
    assert said(found, "bureau.hidden_row") == [("demand", 4, "")]
    assert {t for t, _, _ in said(found, "tables.hidden_sheet")} == {"budget", "schools"}


@pytest.mark.parametrize("blank", ["\u3000", " ", "\u200b", "\xa0", "\ufeff\u3000"])
def test_rows_that_look_blank_are_left_out(book, blank):
    made, saved = book
    for _ in range(300):
        made["villages"].append([blank, None, blank])
    folder = saved()
    assert keys(check(folder)) == [] and len(read_county(folder).villages) == 7


@pytest.mark.parametrize("sep", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8-sig", "gb18030"])
def test_the_line_that_names_the_separator_is_no_header(tmp_path, sep, encoding):
    file = tmp_path / "t.csv"
    file.write_bytes(f"sep={sep}\r\na{sep}名\r\n1{sep}甲\r\n".encode(encoding))
    raw = read_csv(file)
    assert raw.frame.columns.tolist() == ["a", "名"] and raw.frame.to_numpy().tolist() == [["1", "甲"]]


@pytest.mark.parametrize("end", ["\x1a", "\r\n\x1a", "\r\n\x1a\r\n", "\r\n\r\n"])
def test_the_end_sign_of_dos_is_no_cell(tmp_path, end):
    file = tmp_path / "t.csv"
    file.write_bytes(f'a,b\r\n1,"two\r\nlines"{end}'.encode())
    assert read_csv(file).frame.to_numpy().tolist() == [["1", "two\r\nlines"]]


def test_a_row_longer_than_the_header_is_named_with_its_number(tmp_path):
    file = tmp_path / "t.csv"
    file.write_text("a,b\n1,2\n1,2,3\n", encoding="utf-8")
    raw = read_csv(file)
    (told,) = raw.told
    assert (told.severity, told.key, told.row, told.value) == ("error", "tables.not_a_table", 3, "3")
    assert "3" in told.sentence("en") and len(raw.frame) == 2


def test_a_file_that_is_no_workbook_is_said(tmp_path):
    file = tmp_path / "tables.xlsx"
    file.write_bytes(b"PK no")
    with pytest.raises(InputProblems):
        read_workbook(file)


@pytest.mark.parametrize("ending", [".xls", ".ods", ".xlsb", ".ODS"])
def test_workbooks_of_other_programs_are_refused_with_the_fix(tmp_path, ending):
    file = tmp_path / f"tables{ending}"
    file.write_bytes(b"something else")
    with pytest.raises(InputProblems) as problem:
        read_workbook(file)
    (one,) = problem.value.findings
    assert (
        one.key == "bureau.old_excel"
        and ".xlsx" in one.sentence("en")
        and ending.lower() in one.sentence("zh")
    )


def test_what_stands_beside_the_table_is_named_and_no_row(book):
    made, saved = book
    page = made["budget"]
    page.cell(3, 9).value = "remember the bus"
    page.cell(60, 9).value = "checked"
    found = check(saved())
    assert keys(found) == [] and said(found, "tables.extra_column") == [("budget", None, "I")]
