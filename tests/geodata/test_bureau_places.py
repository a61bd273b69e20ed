"""Whatever is wrong is said about the bureau's own file, sheet, row and heading; marked there when asked."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import openpyxl
import pytest
from typer.testing import CliRunner

from geodata.contract.findings import InputProblems
from geodata.folder.annotated import write_marked
from geodata.folder.reading import check, read_county
from optimizer.cli.main import app
from tests.damage import settings
from tests.geodata.bureau_files import ROOT, SCHOOL_COLUMNS, bind, example, write_bureau, zero_led

BOOK = "学校基本情况.xlsx"
COLUMN = {name: at for at, (name, _, _) in enumerate(SCHOOL_COLUMNS, 1)}


@pytest.fixture(scope="module")
def written(nanpu, tmp_path_factory):
    """The worked example without its roads, which take longest to read; not to be changed."""
    folder = Path(shutil.copytree(nanpu, tmp_path_factory.mktemp("bureau") / "county"))
    settings(folder, 'roads = "roads.graphml"\n', "")
    (folder / "roads.graphml").unlink()
    write_bureau(zero_led(folder))
    return bind(folder, example())


@pytest.fixture
def folder(written, tmp_path):
    """A copy of the worked example, to be damaged."""
    return Path(shutil.copytree(written, tmp_path / "county"))


def edit(folder, changes, sheet="小学", book=BOOK) -> None:
    opened = openpyxl.load_workbook(folder / book)
    for (row, column), value in changes.items():
        opened[sheet].cell(row, COLUMN.get(column, column)).value = value
    opened.save(folder / book)


def remap(folder, old: str, new: str) -> None:
    path = folder / "mapping.toml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def errors_of(folder) -> list[tuple[str, str, int | None, str, str]]:
    return [(f.key, f.file, f.row, f.column, f.value) for f in check(folder) if f.severity == "error"]


def test_cells_are_named_where_the_bureau_wrote_them(folder):
    edit(
        folder,
        {
            (8, "classes"): "很多",
            (9, "kind"): "小学校",
            (10, "equip_value"): 12_500_000,
            (11, "classes"): None,
        },
    )
    place = f"{BOOK} [小学]"
    assert set(errors_of(folder)) == {
        ("tables.not_whole", place, 8, "班级情况/班级数", "很多"),
        ("tables.not_a_choice", place, 9, "办学类型", "小学校"),
        ("tables.out_of_range", place, 10, "设备/教学仪器设备值(万元)", "12500000 万元 = 125000000000"),
        ("tables.empty", place, 11, "班级情况/班级数", ""),
    }


def test_cross_checks_are_named_where_the_bureau_wrote_them(folder):
    edit(folder, {(8, "area_indoor_sport"): 70_000}, sheet="初中")
    edit(folder, {(7, "rooms_multimedia_working"): 299})
    assert {e[:4] for e in errors_of(folder)} >= {
        ("tables.out_of_range", f"{BOOK} [初中]", 8, "占地与校舍/室内体育用房(m2)"),
    }
    edit(folder, {(8, "area_indoor_sport"): 29_000}, sheet="初中")
    assert {e[:4] for e in errors_of(folder)} == {
        ("tables.indoor_more", f"{BOOK} [初中]", 8, "占地与校舍/室内体育用房(m2)"),
        ("tables.more_working", f"{BOOK} [小学]", 7, "设备/其中:可用"),
    }


def test_joined_columns_are_named_in_their_own_file(folder):
    import geopandas as gpd
    from shapely import Point

    points = gpd.read_file(folder / "学校点位.gpkg")
    points.loc[20, "geometry"] = Point(10, 50)
    (folder / "学校点位.gpkg").unlink()
    points.to_file(folder / "学校点位.gpkg", layer="学校")
    (fault,) = errors_of(folder)
    assert fault[:4] == ("tables.far_away", "学校点位.gpkg [学校]", 21, "@lon, @lat")


def test_an_unknown_name_is_an_error_with_the_nearest(folder):
    edit(folder, {(4, 1): "南浦县第九小学", (5, 1): "第三小学"}, sheet="分年级", book="分年级学生数.xlsx")
    faults = check(folder)
    (unknown,) = [f for f in faults if f.severity == "error"]
    assert (unknown.key, unknown.row, unknown.column) == ("bureau.name_unknown", 4, "学校名称")
    (doubt,) = [f for f in faults if f.key == "bureau.name_matched"]
    assert (doubt.severity, doubt.row, doubt.fields["name"]) == ("warning", 5, "南浦县第三小学")


def test_a_join_never_chooses_between_two_rows(folder):
    import geopandas as gpd

    points = gpd.read_file(folder / "学校点位.gpkg")
    points.loc[87, "名称"] = "第一小学"  # beside 南浦县第一小学
    (folder / "学校点位.gpkg").unlink()
    points.to_file(folder / "学校点位.gpkg", layer="学校")
    (fault,) = [f for f in check(folder) if f.severity == "error"]
    assert (fault.key, fault.row, fault.value) == ("bureau.join_twice", 88, "0418000001")


def test_a_row_without_partner_is_named(folder):
    import geopandas as gpd

    points = gpd.read_file(folder / "学校点位.gpkg").drop(index=[3])
    (folder / "学校点位.gpkg").unlink()
    points.to_file(folder / "学校点位.gpkg", layer="学校")
    found = check(folder)
    (missing,) = [f for f in found if f.key == "bureau.join_missing"]
    assert (missing.file, missing.fields["names"]) == ("学校点位.gpkg [学校]", "0418000004")
    row = next(r for r in range(6, 90) if cell(folder, r, "school_id") == 418000004)
    empty = [f for f in found if f.severity == "error"]
    place = ("bureau.no_point", f"{BOOK} [小学]", row, "lon, lat")
    assert [(f.key, f.file, f.row, f.column) for f in empty] == [place]


def cell(folder, row, name):
    return openpyxl.load_workbook(folder / BOOK)["小学"].cell(row, COLUMN[name]).value


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ('classes = "班级数"', 'classes = "班数"', "bureau.no_heading"),
        ('rooms_multimedia_working = "设备/其中：可用"', 'rooms_multimedia_working = "在校生数"', "bureau.no_heading"),
        ('heading = "教学仪器设备值（万元）", unit = "万元"', 'heading = "教学仪器设备值（万元）"', "bureau.unit_contradiction"),
        ('heading = "占地面积（亩）", unit = "亩"', 'heading = "占地面积（亩）", unit = "万元"', "bureau.unit"),
        ('table = "school_stage"', 'table = "school_stages"', "tables.unknown_table"),
        ('public = "是否公办"', 'publick = "是否公办"', "bureau.unknown_column"),
        ('zeros = [', 'zeroes = [', "settings.unknown_key"),
        ('layer = "学校"', 'layer = "点位"', "bureau.no_layer"),
        ('"其他学校" = {}', '"别的" = {}', "bureau.no_sheet"),
        ('file = "村庄.shp"', 'file = "村庄.dwg"', "tables.no_file"),
        ('join = true', 'join = false', "bureau.by_name"),
        ('[source.values.kind]', 'crs = "wgs84"\n[source.constants]\nstatus = "open"\n[source.values.kind]', "bureau.column_and_constant"),
        ('name = "学校名称"', 'name = { heading = "学校名称", by = "name" }', "bureau.by_name"),
    ],
)  # fmt: skip
def test_a_faulty_mapping_is_said(folder, old, new, key):
    remap(folder, old, new)
    keys = {e[0] for e in errors_of(folder)}
    assert key in keys


def test_a_missing_heading_names_those_like_it(folder):
    remap(folder, 'classes = "班级数"', 'classes = "班数"')
    (fault,) = [f for f in check(folder) if f.key == "bureau.no_heading" and "小学" in f.file]
    assert "班级情况/班级数" in fault.text("zh") and fault.column == "班数"


def test_a_table_given_twice_is_refused(folder):
    (folder / "villages.csv").write_text("village_id\nC001\n", encoding="utf-8")
    assert ("bureau.bound_twice", "villages.csv", None, "", "") in errors_of(folder)


def test_a_source_cannot_change_what_another_said(folder):
    remap(
        folder,
        'school_id = { heading = "名称", by = "name" }',
        'school_id = { heading = "名称", by = "name" }\nname = "名称"',
    )
    assert not errors_of(folder)  # the same names word for word
    edit(folder, {(6, "name"): "云岭中心完小"})
    assert "bureau.join_conflict" in {e[0] for e in errors_of(folder)}


def test_marked_workbook_colours_the_bureaus_cells(folder, tmp_path):
    edit(folder, {(8, "classes"): "很多", (9, "kind"): "=1+1"})
    before = (folder / BOOK).read_bytes()
    found = check(folder)
    path = write_marked(folder, found, tmp_path / "问题.xlsx", "zh")
    assert (folder / BOOK).read_bytes() == before
    book = openpyxl.load_workbook(path)
    page = book["小学"]
    bad = page.cell(8, COLUMN["classes"])
    assert (bad.value, bad.fill.fgColor.rgb) == ("很多", "00FFC7CE")
    assert "不是整数" in bad.comment.text
    assert page["A1"].value == "南浦县2025年小学办学基本情况表"
    assert "A3:A4" in {str(m) for m in page.merged_cells.ranges}
    coloured = {c.coordinate for row in page for c in row if c.comment is not None}
    assert page.cell(10, COLUMN["classes"]).coordinate not in coloured
    assert "没有保存计算结果" in page.cell(9, COLUMN["kind"]).comment.text
    assert (
        len([f for f in found if f.severity == "error"]) == 2
    )  # nothing follows from what could not be read
    listing = book["问题清单"]
    assert listing.max_row == len(found) + 1
    line = next(r for r in listing.iter_rows(min_row=2) if r[4].value == "很多")
    assert [c.value for c in line[:4]] == ["错误", f"{BOOK} [小学]", 8, "班级情况/班级数"]
    assert line[2].hyperlink.location == f"'小学'!{bad.coordinate}"


def test_marked_layers_and_plain_tables_have_their_cells_too(folder, tmp_path):
    import geopandas as gpd

    villages = gpd.read_file(folder / "村庄.shp", encoding="gb18030")
    villages.loc[4, "地形"] = "山地"
    villages.to_file(folder / "村庄.shp", encoding="gb18030")
    text = (folder / "budget.csv").read_text(encoding="utf-8-sig")
    (folder / "budget.csv").write_text(text.replace("2500000", '"=cmd|x"', 1), encoding="utf-8-sig")
    path = write_marked(folder, check(folder), tmp_path / "p.xlsx", "en")
    book = openpyxl.load_workbook(path)
    layer = book["村庄"]
    at = [c.value for c in layer[1]].index("地形") + 1
    assert layer.cell(6, at).value == "山地" and layer.cell(6, at).comment is not None
    money = book["budget"]["D2"]
    assert (money.value, money.data_type) == ("=cmd|x", "s")
    assert "not a number" in money.comment.text


def test_command_line_marks_when_asked_and_overwrites_nothing(folder, tmp_path):
    edit(folder, {(8, "classes"): "很多"})
    path = tmp_path / "p.xlsx"
    run = CliRunner().invoke(app, ["check", str(folder), "--marked", str(path), "--lang", "en"])
    assert run.exit_code == 2 and "The marked workbook is" in " ".join(run.output.split())
    before = path.read_bytes()
    run = CliRunner().invoke(app, ["check", str(folder), "--marked", str(path), "--lang", "en"])
    assert run.exit_code == 2 and "the file exists" in " ".join(run.output.split())
    assert path.read_bytes() == before


def test_command_line_writes_the_template(tmp_path):
    run = CliRunner().invoke(app, ["template", str(tmp_path / "t.xlsx")])
    assert run.exit_code == 0 and (tmp_path / "t.xlsx").is_file()
    run = CliRunner().invoke(app, ["template", str(tmp_path / "t.xlsx")])
    assert run.exit_code == 2


def test_the_same_findings_under_any_hash_seed(folder):
    edit(folder, {(8, "classes"): "很多"})
    code = (
        "import json, sys; from geodata.folder.reading import check; "
        "print(json.dumps([f.sentence('zh') for f in check(sys.argv[1])]))"
    )
    other = subprocess.run(
        [sys.executable, "-c", code, str(folder)], capture_output=True, text=True, check=True, cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": "1"},
    )  # fmt: skip
    here = [f.sentence("zh") for f in check(folder)]
    assert json.loads(other.stdout) == here and len(here) > 50


def test_reading_raises_with_the_same_findings(folder):
    edit(folder, {(8, "classes"): "很多"})
    with pytest.raises(InputProblems) as problem:
        read_county(folder)
    assert f"{BOOK} [小学], row 8" in str(problem.value)
