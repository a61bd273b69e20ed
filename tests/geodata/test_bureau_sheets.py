"""Sheets with titles, merged headers, totals, remarks; conversions of cells."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook

from geodata.bureau.conversion import _degrees, _year, convert, scaled, wanted
from geodata.bureau.grids import Grid, csv_grid, open_book, xlsx_grid
from geodata.bureau.mapping import Bound, Source
from geodata.bureau.workbooks import columns_of, find_header, read_sheet
from geodata.contract.findings import InputProblems

STAFF = [
    ["南浦县教职工情况", "", "", "", ""],
    ["单位：人", "", "", "2025年", ""],
    ["学校名称", "教职工数", "", "", "备注"],
    ["", "合计", "其中：专任教师", "", ""],
    ["", "", "小计", "其中：骨干", ""],
    ["甲", "1", "2", "3", "4"],
    ["东塘小学", "30", "28", "6", ""],
    ["西塘小学", "20", "19", "2", "合并办学"],
    ["", "", "", "", ""],
    ["合  计", "50", "47", "9", ""],
    ["学校名称", "教职工数", "", "", "备注"],
    ["", "", "小计", "其中：骨干", ""],
    ["注：1. 骨干指县级以上", "", "", "", ""],
    ["审核：", "张三", "", "填表人：", "李四"],
]
MERGES = ((0, 0, 0, 4), (2, 0, 4, 0), (2, 1, 2, 3), (3, 1, 4, 1), (3, 2, 3, 3), (2, 4, 4, 4))


def grid(cells=None, **keys) -> Grid:
    return Grid("教职工.xlsx [小学]", cells or STAFF, keys.pop("merges", MERGES), **keys)


def test_header_of_three_merged_rows_is_found():
    top, bottom, headings = find_header(grid(), ["学校名称", "其中：骨干"])
    assert (top, bottom) == (2, 4)
    assert headings == (
        "学校名称", "教职工数/合计", "教职工数/其中:专任教师/小计", "教职工数/其中:专任教师/其中:骨干", "备注",
    )  # fmt: skip


def test_only_records_are_kept_and_every_other_row_is_named():
    sheet = read_sheet(grid(), ["学校名称", "教职工数/合计"])
    assert list(sheet.frame.index) == [7, 8]
    assert {f.row: f.key for f in sheet.findings} == {
        6: "bureau.counting_row", 10: "bureau.total_row", 11: "bureau.header_again", 12: "bureau.header_again",
        13: "bureau.remark_row", 14: "bureau.remark_row",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("row", "merges", "record"),
    [
        (["丁小学", "", ""], (), True),  # a school without figures is a fault to report, not a remark
        (["一、城区小学", "", ""], (), False),
        (["以上数据由各校上报。", "", ""], (), False),
        (["城区小学", "", ""], ((2, 0, 2, 2),), False),
        (["", "", "待核"], (), False),
        (["南浦镇", "小计", "10"], (), False),
        (["全县合计", "", "10"], (), False),
        (["合计小学", "双河镇", "10"], (), True),
    ],
)
def test_what_is_a_record(row, merges, record):
    cells = [["学校", "乡镇", "备注"], ["甲小学", "南浦镇", "10"], row]
    sheet = read_sheet(grid(cells, merges=merges), ["学校", "乡镇"])
    assert (3 in sheet.frame.index) is record
    assert bool(sheet.findings) is not record


def test_totals_that_do_not_add_up_are_a_warning_with_both_figures():
    cells = [list(r) for r in STAFF]
    cells[9][1] = "51"
    sheet = read_sheet(grid(cells), ["学校名称", "教职工数/合计"])
    (fault,) = [f for f in sheet.findings if f.severity == "warning"]
    assert (fault.key, fault.row, fault.column, fault.value) == (
        "bureau.total_differs",
        10,
        "教职工数/合计",
        "51",
    )
    assert fault.fields["sum"] == "50"


def test_stated_header_rows_win():
    sheet = read_sheet(grid(), ["学校名称"], header=(3, 4))
    assert sheet.headings[2] == "教职工数/其中:专任教师"
    for header in ((3, 40), (0, 0), (4, 3)):
        with pytest.raises(InputProblems) as problem:
            read_sheet(grid(), ["学校名称"], header=header)
        assert problem.value.findings[0].key == "bureau.header_rows"


@pytest.mark.parametrize("cells", [[["", ""], [" ", ""]], [[]]])
def test_an_empty_sheet_is_said(cells):
    with pytest.raises(InputProblems) as problem:
        read_sheet(grid(cells, merges=()), ["学校"])
    assert problem.value.findings[0].key == "bureau.empty_sheet"


@pytest.mark.parametrize(
    ("wanted", "at"),
    [
        ("教职工数/其中：专任教师/其中：骨干", [3]), ("其中:骨干", [3]), (" 学校 名称 ", [0]), ("合计", [1]), ("教师", []),
    ],
)  # fmt: skip
def test_a_heading_is_found_whole_or_by_its_last_parts(wanted, at):
    assert columns_of(wanted, find_header(grid(), ["学校名称", "备注"])[2]) == at


def test_the_whole_heading_goes_before_its_last_part():
    assert columns_of("合计", ("在校生数/合计", "合计")) == [1]
    assert columns_of("合计", ("在校生数/合计", "班级/合计")) == [0, 1]


def test_of_headings_that_differ_in_case_or_blanks_the_one_written_just_so_is_meant():
    headings = ("De ref", "DE ref", "Total", "Total/Deref")
    assert [columns_of(w, headings) for w in ("De ref", "DE ref", "de ref", "Deref")] == [
        [0],
        [1],
        [0, 1],
        [0, 1],
    ]


def test_headings_are_shown_as_they_are_written_but_for_the_layout_of_chinese():
    header = [["Urban/ Rural", "总 建筑\n面积", "De  ref", "面积 (m2)"]]
    assert find_header(Grid("a.csv", header), ["deref"])[2] == (
        "Urban/ Rural",
        "总建筑面积",
        "De ref",
        "面积(m2)",
    )


def test_cells_merged_downwards_are_filled_and_named():
    cells = [["学校", "乡镇"], ["甲小学", "南浦镇"], ["乙小学", ""], ["丙小学", "双河镇"]]
    sheet = read_sheet(grid(cells, merges=((1, 1, 2, 1),)), ["学校", "乡镇"])
    assert list(sheet.frame[1]) == ["南浦镇", "南浦镇", "双河镇"]
    (note,) = sheet.findings
    assert (note.key, note.fields["ranges"]) == ("bureau.filled_down", "南浦镇 (2-3)")


def test_hidden_rows_and_unsaved_formulas_of_a_real_workbook(tmp_path):
    book = Workbook()
    page = book.active
    page.title = "表"
    for row in (["学校", "学生数"], ["甲小学", 10], ["乙小学", "=B2*2"], ["丙小学", 7.0]):
        page.append(row)
    page.row_dimensions[4].hidden = True
    book.save(tmp_path / "a.xlsx")
    opened = open_book(tmp_path / "a.xlsx", "a.xlsx")
    sheet = read_sheet(xlsx_grid(opened, "表", "a.xlsx [表]"), ["学校", "学生数"])
    assert [(f.severity, f.key, f.row) for f in sheet.findings] == [
        ("warning", "bureau.hidden_row", 4), ("error", "bureau.formula", 3),
    ]  # fmt: skip
    assert list(sheet.frame[1]) == ["10", "", "7"]


def test_old_excel_is_told_what_to_do(tmp_path):
    (tmp_path / "a.xls").write_bytes(bytes.fromhex("d0cf11e0a1b11ae1") + bytes(600))
    with pytest.raises(InputProblems) as problem:
        open_book(tmp_path / "a.xls", "a.xls")
    assert problem.value.findings[0].key == "bureau.old_excel"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "gb18030"])
def test_csv_in_every_encoding(tmp_path, encoding):
    (tmp_path / "a.csv").write_bytes("学校,人数\r\n甲小学,3\r\n".encode(encoding))
    assert csv_grid(tmp_path / "a.csv", "a.csv").cells == [["学校", "人数"], ["甲小学", "3"]]


def test_csv_in_another_encoding_is_refused(tmp_path):
    (tmp_path / "a.csv").write_bytes("学校".encode("utf-16"))
    with pytest.raises(InputProblems):
        csv_grid(tmp_path / "a.csv", "a.csv")


@pytest.mark.parametrize(
    ("text", "factor", "done"),
    [
        ("660.15", 10_000, "6601500"), ("１２.５", 10_000, "125000"), ("1,250", 10_000, "12500000"),
        ("30,91", 10_000, "30,91"), ("无数据", 10_000, "无数据"), ("", 10_000, ""), ("nan", 10_000, "nan"),
        ("65.85", Fraction(2000, 3), "43900"), ("1", Fraction(2000, 3), "666.666666667"),
    ],
)  # fmt: skip
def test_units_are_converted_exactly_or_not_at_all(text, factor, done):
    assert scaled(text, Fraction(factor)) == done


@given(st.integers(0, 10**11))
def test_yuan_to_wan_yuan_and_back_is_exact(yuan):
    written = f"{yuan // 10_000}.{yuan % 10_000:04d}"
    assert int(scaled(written, Fraction(10_000))) == yuan


@pytest.mark.parametrize(
    ("text", "year"),
    [("1990年", "1990"), ("2016.9", "2016"), ("2016年9月", "2016"), ("2016", "2016"), ("2016-09-01 00:00:00", "2016"),
     ("90年", "90年"), ("约1990年", "约1990年")],
)  # fmt: skip
def test_years_in_the_ways_they_are_written(text, year):
    assert _year(text) == year


@pytest.mark.parametrize(
    ("text", "degrees"),
    [("118°17'40.5\"", 118.294583333), ("118°17′40.5″E", 118.294583333), ("30度54分12秒", 30.903333333)],
)
def test_degrees_minutes_seconds(text, degrees):
    assert float(_degrees(text)) == pytest.approx(degrees, abs=1e-9)
    assert _degrees("118.29") == "118.29"


def converted(above, heading, bound):
    cells = [["经费情况", ""], [above, ""], ["学校标识码", heading], ["1", "12.5"], ["2", "3"]]
    source = Source(
        table="school_stage", file="a.xlsx", columns={"school_id": "学校标识码", "equip_value": bound},
        constants={"stage": "pri"},
    )  # fmt: skip
    pieces, found = convert(source, read_sheet(grid(cells, merges=()), wanted(source)), {})
    return [list(p.frame["equip_value"]) for p in pieces], {(f.severity, f.key) for f in found}


WAN = Bound(heading="设备值", unit="万元")


@pytest.mark.parametrize(
    ("above", "heading", "bound", "cells", "said"),
    [
        ("单位：万元、亩", "设备值", WAN, ["125000", "30000"], {("note", "bureau.unit_converted")}),
        ("填报单位：教育局", "设备值", "设备值", ["12.5", "3"], set()),
        ("计量单位：万元", "设备值", "设备值", ["12.5", "3"], {("warning", "bureau.unit_above")}),
        ("单位：万元", "设备值（元）", "设备值（元）", ["12.5", "3"], set()),
        ("单位：亩", "设备值", "设备值", ["12.5", "3"], set()),
        ("", "设备值（万元）", "设备值（万元）", None, {("error", "bureau.unit_contradiction")}),
        ("", "设备值（元）", Bound(heading="设备值（元）", unit="万元"), None, {("error", "bureau.unit_contradiction")}),
    ],
)  # fmt: skip
def test_units_stated_on_the_sheet_are_never_overruled_in_silence(above, heading, bound, cells, said):
    frames, found = converted(above, heading, bound)
    assert frames == ([] if cells is None else [cells])
    assert {f for f in found if "unit" in f[1]} >= said
    assert {f for f in found if f[0] != "note"} == {f for f in said if f[0] != "note"}
