from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geodata.contract.columns import Column, Table
from geodata.contract.tables import TABLES
from geodata.contract.validation.headers import Raw, rename
from geodata.contract.validation.placing import empty, validate
from geodata.contract.validation.values import coerce
from tests.damage import bad

PLOTS = Table(
    "plots", "地块", "T0",
    (
        Column("id", "编号", "text"), Column("year", "年份", "whole", low=2000, high=2060),
        Column("area", "面积", "number", low=0, high=5000, unit="m2"),
        Column("kind", "种类", "choice", choices=("field", "wood")),
        Column("ours", "自有", "flag"), Column("beds", "床位", "whole", False, 0, 50, default=0),
        Column("note", "备注", "text", False, default=""), Column("height", "高度", "number", False, -10, 10),
    ),
    ("id", "year"),
)  # fmt: skip
GOOD = [["a", "2025", "12.5", "field", "true", "3", "", "1.5"], ["b", "2025", "0", "wood", "否", "", "x", ""]]
HEADER = ["id", "year", "area", "kind", "ours", "beds", "note", "height"]


def raw(rows=GOOD, header=HEADER) -> Raw:
    return Raw(pd.DataFrame([list(r) for r in rows], columns=header, dtype=object), "plots.csv")


def with_cell(column: str, value: str, row: int = 0) -> Raw:
    rows = [list(r) for r in GOOD]
    rows[row][HEADER.index(column)] = value
    return raw(rows)


def test_a_good_table_has_the_contract_types_and_the_rows_it_came_from():
    frame, found, rows = validate(PLOTS, raw(GOOD[::-1]))
    assert not found
    assert frame["id"].tolist() == ["a", "b"]  # sorted by key
    assert rows.tolist() == [3, 2]  # and the rows follow
    assert [str(frame[c].dtype) for c in ("year", "area", "ours", "beds")] == [
        "int64",
        "float64",
        "bool",
        "int64",
    ]
    assert frame["ours"].tolist() == [True, False]
    assert frame["beds"].tolist() == [3, 0]
    assert frame["height"].isna().tolist() == [False, True]


def test_chinese_headers_full_width_text_and_thousands_are_read():
    header = [" ＩＤ ", "年份", "面积", "种类", "自有", "床位", "备注", "高度"]
    frame, found, _ = validate(
        PLOTS, raw([["ａ", "２０２５", "1,250.5", "field", "有", "１２", "", "-3"]], header)
    )
    assert not found
    row = frame.iloc[0]
    assert (row["id"], row["year"], row["area"], row["beds"], row["height"]) == ("a", 2025, 1250.5, 12, -3.0)
    assert row["ours"]


@pytest.mark.parametrize(
    ("column", "value", "key"),
    [
        ("area", "12 m2", "tables.not_number"), ("area", "900平方米", "tables.not_number"),
        ("area", "1,5", "tables.decimal_comma"), ("area", "12,34", "tables.decimal_comma"),
        ("area", "1,2345", "tables.decimal_comma"), ("area", "inf", "tables.not_number"),
        ("area", "12..5", "tables.not_number"), ("area", "-0.5", "tables.out_of_range"),
        ("area", "5000.01", "tables.out_of_range"), ("area", "", "tables.empty"), ("area", "NaN", "tables.empty"),
        ("year", "2025年", "tables.not_whole"), ("year", "2025.5", "tables.not_whole"),
        ("year", "1999", "tables.out_of_range"), ("kind", "Field", "tables.not_a_choice"),
        ("kind", "", "tables.empty"), ("ours", "maybe", "tables.not_flag"), ("ours", "2", "tables.not_flag"),
        ("ours", "", "tables.empty"), ("id", "  ", "tables.empty"), ("beds", "-1", "tables.out_of_range"),
        ("beds", "three", "tables.not_whole"), ("height", "11", "tables.out_of_range"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("row", [0, 1])
def test_a_bad_cell_is_named_once_with_its_place_and_text(column, value, key, row):
    frame, found, rows = validate(PLOTS, with_cell(column, value, row))
    assert frame is None and rows is None
    (one,) = [f for f in found if f.severity == "error"]
    assert (one.key, one.file, one.row, one.column) == (key, "plots.csv", row + 2, column)
    assert one.value == ("" if key == "tables.empty" else value)
    for language in ("zh", "en"):
        assert key == "tables.empty" or value in one.sentence(language)


@pytest.mark.parametrize("value", ["0", "5000", "5,000", "4,999.99", "1e3", "+7"])
def test_the_ends_of_a_range_and_plain_ways_of_writing_are_good(value):
    frame, found, _ = validate(PLOTS, with_cell("area", value))
    assert not found
    assert frame["area"].iloc[0] == float(value.replace(",", ""))


def test_every_fault_of_a_table_is_reported_not_only_the_first():
    rows = [
        ["a", "2025", "much", "field", "true", "3", "", ""],
        ["b", "1900", "1", "marsh", "true", "99", "", ""],
        ["", "2025", "1", "field", "perhaps", "3", "", ""],
        ["c", "2025", "1", "wood", "true", "3", "", ""],
        ["c", "2025", "2", "wood", "true", "3", "", ""],
    ]
    _, found, _ = validate(PLOTS, raw(rows))
    assert {(key.split(".")[1], row, column) for key, _, row, column, _ in bad(found)} == {
        ("not_number", 2, "area"), ("out_of_range", 3, "year"), ("not_a_choice", 3, "kind"),
        ("out_of_range", 3, "beds"), ("empty", 4, "id"), ("not_flag", 4, "ours"), ("duplicate", 6, "id + year"),
    }  # fmt: skip


def test_a_duplicate_names_its_key_and_row_in_the_words_of_the_file():
    rows = [GOOD[0], GOOD[1], GOOD[0], GOOD[0]]
    header = ["编号", "年份", *HEADER[2:]]
    _, found, _ = validate(PLOTS, raw(rows, header))
    assert bad(found) == [
        ("tables.duplicate", "plots.csv", 4, "编号 + 年份", "a / 2025"),
        ("tables.duplicate", "plots.csv", 5, "编号 + 年份", "a / 2025"),
    ]


def test_unreadable_or_missing_keys_are_not_called_duplicates():
    rows = [["a", "last year", *GOOD[0][2:]], ["a", "this year", *GOOD[0][2:]]]
    assert [f[0] for f in bad(validate(PLOTS, raw(rows))[1])] == ["tables.not_whole"] * 2
    rows = [["", "2025", *GOOD[0][2:]], ["", "2025", *GOOD[0][2:]]]
    assert [f[0] for f in bad(validate(PLOTS, raw(rows))[1])] == ["tables.empty"] * 2
    without_year = [["a", *GOOD[0][2:]], ["a", *GOOD[0][2:]]]
    found = validate(PLOTS, raw(without_year, ["id", *HEADER[2:]]))[1]
    assert [(f[0], f[3]) for f in bad(found)] == [("tables.missing_column", "year")]


def test_a_missing_column_does_not_hide_the_faults_of_the_others():
    table = with_cell("area", "much")
    table = Raw(table.frame.drop(columns=["kind"]), table.file)
    found = validate(PLOTS, table)[1]
    assert [(f[0], f[2], f[3]) for f in bad(found)] == [
        ("tables.missing_column", None, "kind"), ("tables.not_number", 2, "area"),
    ]  # fmt: skip
    assert "种类" in found[0].sentence("zh")


def test_two_columns_of_one_meaning_are_an_error_also_with_the_same_header():
    for again in ("area", "面积", " AREA"):
        table = raw([[*r, "7"] for r in GOOD], [*HEADER, again])
        assert [(f[0], f[3]) for f in bad(validate(PLOTS, table)[1])] == [("tables.twice", again)]


def test_what_is_not_read_and_what_is_filled_in_is_noted():
    table = raw([[*r[:5], "7"] for r in GOOD], [*HEADER[:5], "colour"])
    frame, found, _ = validate(PLOTS, table)
    assert [(f.severity, f.key, f.column) for f in found] == [
        ("note", "tables.extra_column", "colour"), ("note", "tables.default_used", "beds"),
        ("note", "tables.left_empty", "note"), ("note", "tables.left_empty", "height"),
    ]  # fmt: skip
    assert "'0'" in found[1].text("en")
    assert frame["beds"].tolist() == [0, 0]
    assert frame["height"].isna().all()


def test_rows_are_counted_as_the_spreadsheet_shows_them_where_blank_ones_were_left_out():
    frame = raw([GOOD[0], GOOD[1], ["c", "2025", "-1", "wood", "true", "", "", ""]]).frame
    frame.index = [0, 4, 9]
    found = validate(PLOTS, Raw(frame, "plots.csv"))[1]
    assert bad(found) == [("tables.out_of_range", "plots.csv", 11, "area", "-1")]


def test_a_required_table_of_no_rows_is_an_error():
    frame, found, _ = validate(PLOTS, raw([]))
    assert frame is None
    assert [f[0] for f in bad(found)] == ["tables.no_rows"]
    frame, found, _ = validate(
        TABLES["budget"], Raw(pd.DataFrame(columns=[c.name for c in TABLES["budget"].columns]), "b")
    )
    assert not bad(found) and len(frame) == 0


def test_a_latitude_of_118_is_called_a_swap_and_of_200_out_of_range():
    village = ["V1", "前塘村", "南浦镇", "30.9", "118.3", "wgs84"]
    header = ["village_id", "name", "township", "lon", "lat", "crs"]
    found = validate(TABLES["villages"], Raw(pd.DataFrame([village], columns=header), "villages.csv"))[1]
    assert bad(found) == [("tables.swapped", "villages.csv", 2, "lat", "118.3")]
    village[4] = "200"
    found = validate(TABLES["villages"], Raw(pd.DataFrame([village], columns=header), "villages.csv"))[1]
    assert bad(found) == [("tables.out_of_range", "villages.csv", 2, "lat", "200")]


def test_an_undeclared_coordinate_system_says_which_can_be_declared():
    village = ["V1", "前塘村", "南浦镇", "118.3", "30.9", ""]
    header = ["village_id", "name", "township", "lon", "lat", "crs"]
    found = validate(TABLES["villages"], Raw(pd.DataFrame([village], columns=header), "villages.csv"))[1]
    (one,) = [f for f in found if f.severity == "error"]
    assert (one.key, one.row, one.column) == ("tables.empty_crs", 2, "crs")
    for language in ("zh", "en"):
        assert all(c in one.text(language) for c in ("wgs84", "gcj02", "bd09", "cgcs2000"))


@settings(max_examples=80)
@given(st.text(max_size=12))
def test_any_text_in_a_number_cell_is_a_number_or_a_finding(text):
    number = Column("area", "面积", "number", low=0, high=10)
    value, wrong = coerce(number, pd.Series([text], dtype=object))
    assert wrong[0] or pd.isna(value[0]) or abs(float(value[0])) < float("inf")
    found = validate(PLOTS, with_cell("area", text))[1]
    assert len(bad(found)) <= 1
    assert all(f.sentence("zh") and f.sentence("en") for f in found)


@pytest.mark.parametrize("table", TABLES.values(), ids=lambda t: t.name)
def test_contracts_hold_together(table):
    names = [c.name for c in table.columns]
    assert len(set(names)) == len(names) and len({c.zh for c in table.columns}) == len(names)
    assert set(table.key) <= {c.name for c in table.columns if c.required}
    for column, target, key in table.refers:
        assert column in names
        assert TABLES[target].column(key).required
    for c in table.columns:
        assert (c.low is not None and c.high is not None) == (c.kind in ("whole", "number"))
        assert bool(c.choices) == (c.kind == "choice")
        assert not (c.required and c.default is not None)
    assert list(empty(table).columns) == [c.name for c in table.columns if not c.spare]


def test_headers_are_found_in_both_languages_for_every_table():
    for table in TABLES.values():
        for headers in ([c.name for c in table.columns], [c.zh for c in table.columns]):
            frame, written, found = rename(table, Raw(pd.DataFrame(columns=headers), "x.csv"))
            assert list(frame.columns) == [c.name for c in table.columns]
            assert list(written.values()) == headers
            assert not found


def test_a_table_without_that_column_says_so():
    with pytest.raises(KeyError, match=r"villages\.colour"):
        TABLES["villages"].column("colour")
