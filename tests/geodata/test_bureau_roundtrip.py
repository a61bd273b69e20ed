"""Nanpu in the forms a bureau keeps comes out as from the plain CSV."""

from __future__ import annotations

import pandas as pd
import pytest

from geodata.contract.findings import errors
from geodata.folder.reading import check, read_county
from tests.geodata.bureau_files import bind, example, tables, write_bureau, write_grades, zero_led


@pytest.fixture
def bureau(county_folder):
    """The bureau's folder with the mapping of the documentation, and the county as it should be."""
    zero_led(county_folder)
    wanted = read_county(county_folder)
    write_bureau(county_folder)
    return bind(county_folder, example()), wanted


def assert_same(county, wanted) -> None:
    for name, table in wanted.tables().items():
        pd.testing.assert_frame_equal(county.tables()[name], table, check_exact=True, obj=name)


def test_worked_example_reads_the_same_county(bureau):
    folder, wanted = bureau
    found = check(folder)
    assert not errors(found), [f.sentence() for f in errors(found)]
    assert_same(read_county(folder), wanted)


def test_one_mapped_table_among_our_own(county_folder):
    wanted = read_county(county_folder)
    plain = tables(county_folder)
    (county_folder / "enrolment_by_grade.csv").unlink()
    write_grades(county_folder / "分年级学生数.xlsx", plain, {})
    part = next(p for p in example().split("[[source]]") if "enrolment_by_grade" in p)
    bind(county_folder, "[[source]]" + part)
    assert_same(read_county(county_folder), wanted)


def test_ids_cut_off_by_a_number_format_are_guessed_with_a_warning_where_one_fits(bureau):
    folder, wanted = bureau
    path = folder / "教师.csv"
    text = path.read_text(encoding="gbk")
    path.write_text(text.replace("418000085,", "4.18000085E+08,"), encoding="gbk")
    assert_same(read_county(folder), wanted)
    path.write_text(text.replace("418000085,", "4.18E+08,"), encoding="gbk")
    faults = errors(check(folder))
    assert {f.key for f in faults} >= {"bureau.id_ambiguous"}
    first = next(f for f in faults if f.key == "bureau.id_ambiguous")
    assert (first.file, first.column, first.value) == ("教师.csv", "学校标识码", "4.18E+08")
