"""What hands and spreadsheets do to tables: every fault is named with its place and its cure, and none hides another."""

from __future__ import annotations

import zipfile
from pathlib import Path

import openpyxl
import pandas as pd
import pytest
from shapely.geometry import box

from geodata.bureau.kinds import OLE
from geodata.folder.reading import check, read_county
from geodata.messages import LANGUAGES
from tests.damage import bad, cells, lines, put, settings, write, write_lines
from tests.geodata.test_cases import base, column, keys, layer  # noqa: F401
from tests.samples import KM_LAT, KM_LON, LAT0, LON0

LONG = {"A1": "34180000011234567", "A2": "34180000021234567"}


def said(folder: Path, severity: str) -> list[tuple[str, str, int | None]]:
    return [(f.key, f.table, f.row) for f in check(folder) if f.severity == severity]


def renamed(folder: Path, ids: dict[str, str], *tables: str) -> None:
    """School ids written otherwise in some tables."""
    for table in tables or ("schools", "school_stage", "attendance", "staff_stock"):
        frame = cells(folder, table)
        write(folder, table, frame.assign(school_id=frame["school_id"].replace(ids)))


# ---- one fault hides none of the others


def test_every_fault_of_one_row_is_named(base):  # noqa: F811
    wrong = {"zone": "x", "built_year": "old", "grades_served": "6-1", "protected": "locked", "lon": "128.3"}
    for name, value in wrong.items():
        put(base, "schools", 2, name, value)
    assert set(said(base, "error")) == {
        (f"tables.{key}", "schools", 2) for key in ("not_a_choice", "not_whole", "grades", "protected", "far_away")
    }  # fmt: skip


def test_a_fault_of_one_unit_hides_nothing_of_its_other_cells(base):  # noqa: F811
    for name, value in {"classes": "x", "boarders": "900", "area_indoor_sport": "29999"}.items():
        put(base, "school_stage", 2, name, value)
    assert {k for k, _, _ in said(base, "error")} == {
        "tables.not_whole", "tables.more_boarders", "tables.indoor_more",
    }  # fmt: skip


def test_a_column_that_is_missing_hides_no_fault_of_the_others(base):  # noqa: F811
    write(base, "schools", cells(base, "schools").drop(columns="zone"))
    put(base, "schools", 3, "grades_served", "6-1")
    write(base, "demand", cells(base, "demand").assign(year="2031"))
    put(base, "demand", 2, "pupils_base", "x")
    assert {(k, t) for k, t, _ in said(base, "error")} == {
        ("tables.missing_column", "schools"), ("tables.grades", "schools"), ("tables.not_whole", "demand"),
        ("tables.no_year_demand", "demand"),
    }  # fmt: skip


def test_sums_are_compared_wherever_no_row_was_left_out(base):  # noqa: F811
    put(base, "attendance", 2, "pupils", "x")
    frame = cells(base, "attendance")
    other = frame.index[frame["school_id"].ne(frame["school_id"].iloc[0])][0]
    put(base, "attendance", int(other) + 2, "pupils", "1")
    sums = [f for f in check(base) if f.key == "tables.attendance_sum"]
    assert [f.fields["school"] for f in sums] == [frame["school_id"].loc[other]]


def test_what_is_unknown_is_said_though_another_table_has_a_fault(base):  # noqa: F811
    (base / "budget.csv").unlink()
    put(base, "unit_costs", 2, "base", "dear")
    assert {k for k, _, _ in said(base, "warning")} >= {"tables.lacks_budget"}
    assert keys(check(base)) == ["tables.not_number"]


def test_a_table_that_cannot_be_read_is_not_called_absent(base):  # noqa: F811
    (base / "staff_stock.csv").write_bytes(b"")
    found = check(base)
    assert [(f.key, f.table) for f in found if f.severity == "error"] == [
        ("tables.not_a_table", "staff_stock")
    ]
    assert "tables.lacks_staff_stock" not in {f.key for f in found}


def test_attendance_that_is_not_there_is_named(base):  # noqa: F811
    (base / "attendance.csv").unlink()
    assert ("tables.lacks_attendance", "attendance", None) in said(base, "warning")


# ---- ids


@pytest.mark.parametrize("form", ["'{}", '="{}"', "{}.0", '"{}"'])
def test_what_programs_add_to_an_id_is_left_out_with_a_note(base, form):  # noqa: F811
    renamed(base, {"A1": "3418"})
    renamed(base, {"3418": form.format("3418")}, "schools", "attendance")
    assert keys(check(base)) == []
    assert {(k, t) for k, t, _ in said(base, "note") if k == "tables.id_form"} == {
        ("tables.id_form", "schools"), ("tables.id_form", "attendance"),
    }  # fmt: skip
    assert "3418" in set(read_county(base).schools["school_id"])


def test_an_id_without_its_last_digits_is_said_once_where_it_stands(base):  # noqa: F811
    renamed(base, {"A1": "34180000001"})
    renamed(base, {"34180000001": "3.418E+10"}, "schools")
    assert said(base, "error") == [("tables.id_rounded", "schools", 2)]


def test_a_date_made_of_an_id_is_said(base):  # noqa: F811
    put(base, "attendance", 2, "school_id", "2025-03-01 00:00:00")
    assert said(base, "error") == [("tables.id_dated", "attendance", 2)]


@pytest.mark.parametrize(
    ("here", "there", "shown"),
    [("A1", "a1", "a U+0061"), ("0341", "341", "0 U+0030"), ("A 1", "A1", "U+0020")],
)
def test_an_id_in_another_form_is_shown_beside_the_one_it_looks_like(base, here, there, shown):  # noqa: F811
    renamed(base, {"A1": here})
    put(base, "staff_stock", 2, "school_id", there)
    (one,) = [f for f in check(base) if f.severity == "error"]
    assert (one.key, one.row) == ("tables.looks_like_id", 2) and shown in str(one.fields["codes"])


def test_of_a_long_id_the_spreadsheet_keeps_fifteen_digits(base):  # noqa: F811
    renamed(base, LONG)
    renamed(base, {v: v[:15] + "00" for v in LONG.values()}, "attendance")
    assert {(f.key, f.value, f.fields["other"]) for f in check(base) if f.severity == "error"} == {
        ("tables.looks_like_id", v[:15] + "00", v) for v in LONG.values()
    }


def test_a_central_school_that_does_not_exist_is_named(base):  # noqa: F811
    put(base, "schools", 4, "parent_id", "A77")
    assert ("tables.unknown_parent", "schools", 4) in said(base, "warning")


def test_an_error_of_the_spreadsheet_in_an_id_is_one_fault(base):  # noqa: F811
    put(base, "attendance", 2, "school_id", "#REF!")
    assert said(base, "error") == [("tables.error_value", "attendance", 2)]


# ---- grades, numbers, words for nothing


@pytest.mark.parametrize("grades", ["1 - 6", "1–6", "1—6", "1～6", "1-3、4-6"])
def test_grades_are_read_however_the_dash_is_drawn(base, grades):  # noqa: F811
    put(base, "schools", 2, "grades_served", grades)
    assert keys(check(base)) == []
    assert set(read_county(base).schools["grades_served"]) <= {"1-6", "1-3", "7-9", "1-3,4-6"}


@pytest.mark.parametrize("grades", ["6-Jan", "1月6日", "2025-01-06 00:00:00", "2025/1/6"])
def test_a_date_made_of_grades_is_said_and_nothing_follows_from_it(base, grades):  # noqa: F811
    put(base, "schools", 2, "grades_served", grades)
    assert [f.key for f in check(base) if f.severity != "note" and f.table in ("schools", "attendance")] == [
        "tables.grades_dated"
    ]


@pytest.mark.parametrize(("cell", "key"), [("—", "none_or_unknown"), ("无", "none_or_unknown"), ("720000,5", "decimal_comma"), ("7.2万", "not_number")])  # fmt: skip
def test_a_cell_that_is_no_number_is_told_what_to_write(base, cell, key):  # noqa: F811
    put(base, "school_stage", 2, "equip_value", cell)
    assert said(base, "error") == [(f"tables.{key}", "school_stage", 2)]


@pytest.mark.parametrize("word", ["NA", "<NA>", "N/A", "nan"])
def test_what_programs_write_for_an_empty_cell_is_unknown_and_said(base, word):  # noqa: F811
    put(base, "school_stage", 2, "equip_value", word)
    found = check(base)
    assert keys(found) == [] and "tables.unknown_measure" in keys(found, "warning")
    assert [(f.table, f.row) for f in found if f.key == "tables.empty_words"] == [("school_stage", 2)]
    assert read_county(base).school_stage["equip_value"].isna().sum() == 1


# ---- rows that are no records, headers that are not in their place


@pytest.mark.parametrize(
    ("row", "key"),
    [
        ("合计,,2025,,999,,", "bureau.total_row"), ("Grand total,,,,999,,", "bureau.total_row"),
        ("注：数据截至2025年9月,,,,,,", "bureau.remark_row"), ("village_id,band,year,pupils_low,pupils_base,pupils_high,source", "bureau.header_again"),
        ("村编号,年级段,年份,,学生数（中）,,来源", "bureau.header_again"),
    ],
)  # fmt: skip
def test_a_row_that_is_no_record_is_left_out_and_named(base, row, key):  # noqa: F811
    text = lines(base, "demand")
    frame = cells(base, "demand").reindex(
        columns=["village_id", "band", "year", "pupils_low", "pupils_base", "pupils_high", "source"],
        fill_value="",
    )
    write(base, "demand", frame)
    write_lines(base, "demand", [*lines(base, "demand"), row])
    found = check(base)
    assert keys(found) == [] and [(f.table, f.row) for f in found if f.key == key] == [
        ("demand", len(text) + 1)
    ]


@pytest.mark.parametrize("above", ["学龄人口统计表", "学龄人口统计表,,", "\n", "a,b\nc,d,e,f"])
def test_a_header_below_other_rows_is_one_fault_with_its_row(base, above):  # noqa: F811
    write_lines(base, "demand", [*above.split("\n"), *lines(base, "demand")])
    (one,) = [f for f in check(base) if f.severity == "error"]
    assert (one.key, one.row, one.fields["row"]) == ("tables.header_below", 1, 1 + len(above.split("\n")))


def test_a_table_of_something_else_is_one_fault(base):  # noqa: F811
    write_lines(base, "demand", ["<html><body>", "<p>404</p>"])
    (one,) = [f for f in check(base) if f.severity == "error"]
    assert one.key == "tables.no_header" and all(
        "pupils_base" in one.text(language) for language in LANGUAGES
    )


def test_each_row_with_too_many_cells_is_named_and_hides_no_other(base):  # noqa: F811
    text = lines(base, "demand")
    write_lines(base, "demand", [text[0], text[1] + ",9", *text[2:4], text[4] + ",9", *text[5:]])
    put(base, "villages", 2, "population", "many")
    assert {f[:2] + f[2:3] for f in bad(check(base))} == {
        ("tables.not_a_table", "demand.csv", 2), ("tables.not_a_table", "demand.csv", 5), ("tables.not_whole", "villages.csv", 2),
    }  # fmt: skip


def test_an_open_quotation_mark_is_shown_with_its_row(base):  # noqa: F811
    text = lines(base, "demand")
    write_lines(base, "demand", [*text[:3], '"' + text[3], *text[4:]])
    assert [f[:3] for f in bad(check(base))] == [("tables.not_a_table", "demand.csv", 4)]


def test_a_comma_in_a_cell_of_a_bureaus_list_is_named_and_loses_no_row(base):  # noqa: F811
    frame = cells(base, "schools").assign(district="Erne")
    (base / "schools.csv").unlink()
    frame.to_csv(base / "list.csv", index=False)
    text = (base / "list.csv").read_text(encoding="utf-8").splitlines()
    text[3] = text[3].replace("甲镇", "甲,镇", 1)
    (base / "list.csv").write_text("\n".join(text), encoding="utf-8")
    settings(base, "year = 2025", 'year = 2025\nmapping = "mapping.toml"')
    columns = ", ".join(f'{c} = "{c}"' for c in frame.columns if c != "district")
    (base / "mapping.toml").write_text(
        f'[[source]]\ntable = "schools"\nfile = "list.csv"\nkeep = {{ district = ["Erne"] }}\ncolumns = {{ {columns} }}\n',
        encoding="utf-8",
    )
    assert ("tables.not_a_table", "list.csv", 4) in {f[:3] for f in bad(check(base))}


# ---- encodings and kinds of file


def test_a_text_in_two_encodings_is_refused_at_the_line(base):  # noqa: F811
    file = base / "villages.csv"
    parts = file.read_bytes().split(b"\n")
    parts[3] = parts[3].decode().encode("gbk")
    file.write_bytes(b"\n".join(parts))
    assert [f[:3] for f in bad(check(base))] == [("tables.encodings_mixed", "villages.csv", 4)]


@pytest.mark.parametrize(
    ("names", "encoding"), [(("Évian", "Zürich"), "latin-1"), (("甲鎮寶塔", "乙鎮國灣"), "big5")]
)
def test_what_hardly_is_chinese_is_said(base, names, encoding):  # noqa: F811
    frame = cells(base, "villages")
    write(
        base,
        "villages",
        frame.assign(name=[names[i % 2] for i in range(len(frame))], township=names[0]),
        encoding,
    )
    assert ("tables.encoding_doubtful", "", 2) in said(base, "warning")


def test_utf16_without_a_mark_is_refused(base):  # noqa: F811
    file = base / "villages.csv"
    file.write_bytes(file.read_text(encoding="utf-8").encode("utf-16-be"))
    assert [f[:2] for f in bad(check(base))] == [("tables.encoding", "villages.csv")]


def _ods(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")


KINDS = {
    "locked": (
        lambda p: p.write_bytes(OLE + bytes(600) + "EncryptedPackage".encode("utf-16-le")),
        "bureau.locked",
        "",
    ),
    "xls": (lambda p: p.write_bytes(OLE + bytes(600)), "bureau.old_excel", ".xls"),
    "ods": (_ods, "bureau.old_excel", ".ods"),
    "text": (lambda p: p.write_text("a,b\n"), "tables.not_a_workbook", "CSV"),
    "web": (lambda p: p.write_text("<html>"), "tables.not_a_workbook", "web page"),
    "empty": (lambda p: p.write_bytes(b""), "tables.not_a_workbook", "empty"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_workbook_is_known_by_what_it_is(base, kind):  # noqa: F811
    made, key, word = KINDS[kind]
    settings(base, "year = 2025", 'year = 2025\nworkbook = "book.xlsx"')
    made(base / "book.xlsx")
    (one,) = [f for f in check(base) if f.severity == "error"]
    assert one.key == key and word in one.text("en") and ".xlsx" in one.sentence("zh")


def test_a_workbook_under_the_name_of_a_csv_is_told(base):  # noqa: F811
    openpyxl.Workbook().save(base / "demand.xlsx")
    (base / "demand.xlsx").replace(base / "demand.csv")
    assert [f[:2] for f in bad(check(base))] == [("tables.no_text", "demand.csv")]


@pytest.mark.parametrize("name", ["demand.xlsx", "学龄人口.csv", "demand.txt"])
def test_a_file_that_was_probably_meant_is_named(base, name):  # noqa: F811
    (base / "demand.csv").rename(base / name)
    (one,) = [f for f in check(base) if f.severity == "error"]
    assert one.key == "tables.no_table_but" and name in one.sentence("en")


# ---- workbooks


@pytest.fixture
def book(base):  # noqa: F811
    """The table of demand on a sheet; gives the sheet and a function that saves it."""
    made = openpyxl.Workbook()
    page = made.active
    page.title = "Demand"
    frame = cells(base, "demand")
    for row in [list(frame.columns), *frame.to_numpy().tolist()]:
        page.append(row)
    (base / "demand.csv").unlink()
    settings(base, "year = 2025", 'year = 2025\nworkbook = "book.xlsx"')

    def saved() -> Path:
        made.save(base / "book.xlsx")
        return base

    return page, saved


def test_a_sheet_is_found_whatever_its_letters_case(book):
    assert keys(check(book[1]())) == []


def test_a_hidden_column_is_read_and_named(book):
    page, saved = book
    page.column_dimensions["B"].hidden = True
    assert [(f.table, f.column) for f in check(saved()) if f.key == "bureau.hidden_column"] == [
        ("demand", "band")
    ]


def test_a_merged_remark_and_a_total_without_stored_result_below_the_table_are_left_out(book):
    page, saved = book
    last = page.max_row
    page.append(["合计", None, None, "=SUM(D2:D9)"])
    page.append(["注：数据截至2025年9月"])
    page.merge_cells(start_row=last + 2, end_row=last + 2, start_column=1, end_column=4)
    found = check(saved())
    assert keys(found) == []
    assert [(f.key, f.row) for f in found if f.key in ("bureau.total_row", "bureau.remark_row")] == [
        ("bureau.total_row", last + 1), ("bureau.remark_row", last + 2),
    ]  # fmt: skip


def test_a_sheet_that_cannot_be_read_is_not_called_missing(book):
    page, saved = book
    page["XFD1"] = "x"
    assert keys(check(saved())) == ["bureau.too_many_columns"]


# ---- layers


@pytest.mark.parametrize("name", ["townships", "waters"])
def test_a_layer_with_latitude_first_is_told(base, name):  # noqa: F811
    shape = box(LAT0 - KM_LAT, LON0 - KM_LON, LAT0 + KM_LAT, LON0 + KM_LON)
    layer(base, name, [shape], township=["甲镇"])
    assert keys(check(base)) == ["tables.layer_swapped"]


def test_no_finding_of_these_loses_its_words(base):  # noqa: F811
    column(base, "schools", "school_id", "3.4E+10")
    put(base, "demand", 2, "pupils_base", "12,5")
    for f in check(base):
        assert all("{" not in f.sentence(language) for language in LANGUAGES)
    assert pd.DataFrame(bad(check(base))).shape[0] >= 2
