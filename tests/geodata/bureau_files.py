"""Nanpu's tables rewritten as a bureau keeps them: what the import must survive (sources.md 3.3)."""

from __future__ import annotations

import re
from pathlib import Path

import geopandas as gpd
import pandas as pd
from openpyxl import Workbook
from openpyxl.worksheet.worksheet import Worksheet

ROOT = Path(__file__).parents[2]
KINDS = {
    "primary": "小学", "point": "教学点", "junior": "初中", "nine_year": "九年一贯制学校", "special": "特殊教育学校",
    "twelve_year": "十二年一贯制学校", "complete_secondary": "完全中学", "private_primary": "民办小学",
    "private_junior": "民办初中", "private_nine_year": "民办九年一贯制学校",
}  # fmt: skip
ZONES = {"seat": "县城", "town": "镇区", "rural": "乡村"}
# our column, group in the header's first row, heading in its second
SCHOOL_COLUMNS = (
    ("school_id", "学校标识码", ""), ("name", "学校名称", ""), ("kind", "办学类型", ""), ("township", "乡镇", ""),
    ("zone", "城乡类型", ""), ("parent_id", "中心校标识码", ""), ("built_year", "建校年份", ""),
    ("grades_served", "服务年级", ""), ("protected", "保护", ""), ("road_class", "门前道路", ""),
    ("public", "是否公办", ""), ("counted", "是否计校数", ""), ("status", "状态", ""),
    ("pupils", "在校生数", "合计"), ("boarders", "在校生数", "其中：寄宿生"), ("classes", "班级情况", "班级数"),
    ("max_class", "班级情况", "最大班额"), ("land_area", "占地与校舍", "占地面积（亩）"),
    ("area_teaching", "占地与校舍", "教学及辅助用房（㎡）"), ("area_indoor_sport", "占地与校舍", "室内体育用房（㎡）"),
    ("area_sport_ground", "占地与校舍", "运动场地（㎡）"), ("equip_value", "设备", "教学仪器设备值\n（万元）"),
    ("rooms_multimedia", "设备", "网络多媒体教室（间）"), ("rooms_multimedia_working", "设备", "其中：可用"),
    ("computers_student", "设备", "学生计算机（台）"), ("bandwidth_mbps", "设备", "带宽"),
    ("capacity_pupils", "可容纳学生数", ""), ("shared_assets", "资产为全校合计", ""), ("note", "备注", ""),
)  # fmt: skip
NUMBERS = ("一", "二", "三", "四", "五", "六", "七", "八", "九")


def tables(folder: Path) -> dict[str, pd.DataFrame]:
    """The plain CSV tables as text."""
    return {
        p.stem: pd.read_csv(p, dtype=str, keep_default_na=False, encoding="utf-8-sig")
        for p in sorted(folder.glob("*.csv"))
    }


def zero_led(folder: Path) -> Path:
    """The county with ids that begin with a nought, which a spreadsheet drops."""
    for path in folder.glob("*.csv"):
        text = path.read_text(encoding="utf-8-sig")
        path.write_text(re.sub(r"\b3418(\d{6})\b", r"0418\1", text), encoding="utf-8-sig")
    return folder


def _number(text: str) -> object:
    if not re.fullmatch(r"-?\d+(\.\d+)?", text):
        return text or None
    value = float(text)
    return int(value) if value.is_integer() else value


def _scaled(text: str, factor: float) -> object:
    return round(float(text) * factor, 6) if text else None


def _cell(name: str, text: str) -> object:
    """A cell as the bureau writes it."""
    if name == "land_area":
        return _scaled(text, 3 / 2000)
    if name == "equip_value":
        return _scaled(text, 1 / 10_000)
    if name in ("public", "counted", "shared_assets"):
        return {"True": "是", "False": "否", "": None}[text]
    if name == "built_year":
        return f"{text}年"
    if name == "kind":
        return KINDS[text]
    if name == "zone":
        return ZONES[text]
    if name == "boarders" and text == "0":
        return "无"
    if name in ("grades_served", "note", "name"):
        return text or None
    return _number(text)  # ids become numbers, as they do in Excel


def _header(page: Worksheet, title: str) -> None:
    width = len(SCHOOL_COLUMNS)
    page.cell(1, 1, title)
    page.merge_cells(start_row=1, start_column=1, end_row=1, end_column=width)
    page.cell(2, 1, "填报单位：南浦县教育局")
    page.cell(2, width - 1, "2025年9月1日")
    column = 1
    while column <= width:
        _, group, part = SCHOOL_COLUMNS[column - 1]
        page.cell(3, column, group)
        if not part:
            page.merge_cells(start_row=3, start_column=column, end_row=4, end_column=column)
            column += 1
            continue
        last = column
        while last <= width and SCHOOL_COLUMNS[last - 1][1] == group:
            page.cell(4, last, SCHOOL_COLUMNS[last - 1][2])
            last += 1
        page.merge_cells(start_row=3, start_column=column, end_row=3, end_column=last - 1)
        column = last
    for c in range(1, width + 1):
        page.cell(5, c, c)  # the row of column numbers (栏次)


def write_schools(path: Path, plain: dict[str, pd.DataFrame]) -> None:
    """One workbook, a sheet per stage, merged titles and headers, totals, remarks, towns merged downwards."""
    book = Workbook()
    book.remove(book.active)
    stages = plain["school_stage"]
    for stage, sheet in (("pri", "小学"), ("jun", "初中"), ("", "其他学校")):
        page = book.create_sheet(sheet)
        _header(page, f"南浦县2025年{sheet}办学基本情况表")
        rows = stages[stages["stage"] == stage].merge(plain["schools"], on="school_id")
        if not stage:  # special and private schools, without a stage of ours
            others = ~plain["schools"]["school_id"].isin(stages["school_id"])
            rows = plain["schools"][others].reindex(columns=rows.columns, fill_value="")
        rows = rows.sort_values("township", kind="stable").reset_index(drop=True)
        for i, row in rows.iterrows():
            for c, (name, _, _) in enumerate(SCHOOL_COLUMNS, 1):
                page.cell(6 + i, c, _cell(name, row[name]))
        town = next(c for c, s in enumerate(SCHOOL_COLUMNS, 1) if s[0] == "township")
        for _, same in rows.groupby("township"):
            if len(same) > 1:
                page.merge_cells(
                    start_row=6 + same.index[0],
                    end_row=6 + same.index[-1],
                    start_column=town,
                    end_column=town,
                )
        end = 6 + len(rows)
        page.cell(end, 1, "合 计")
        for c, (name, _, _) in enumerate(SCHOOL_COLUMNS, 1):
            if stage and name in ("pupils", "classes"):
                page.cell(end, c, int(rows[name].astype(int).sum()))
        page.cell(end + 1, 1, "备注：1.本表数据截至2025年9月1日；2.设备值为原值。")
        page.merge_cells(start_row=end + 1, start_column=1, end_row=end + 1, end_column=len(SCHOOL_COLUMNS))
        page.cell(end + 2, 1, "填表人：")
        page.cell(end + 2, 4, "审核：")
    book.save(path)


def write_grades(path: Path, plain: dict[str, pd.DataFrame], renamed: dict[str, str]) -> None:
    """Pupils by grade, one row a school, known by its name only."""
    grades = plain["enrolment_by_grade"]
    book = Workbook()
    page = book.active
    page.title = "分年级"
    page.cell(1, 1, "学校名称")
    page.merge_cells("A1:A2")
    for g, word in enumerate(NUMBERS):
        page.cell(1, 2 + 2 * g, f"{word}年级")
        page.merge_cells(start_row=1, end_row=1, start_column=2 + 2 * g, end_column=3 + 2 * g)
        page.cell(2, 2 + 2 * g, "学生数")
        page.cell(2, 3 + 2 * g, "班数")
    names = plain["schools"].set_index("school_id")["name"]
    for i, (school, rows) in enumerate(grades.groupby("school_id", sort=False)):
        page.cell(3 + i, 1, renamed.get(names[school], names[school]))
        for row in rows.itertuples():
            page.cell(3 + i, 2 * int(row.grade), int(row.pupils))
            page.cell(3 + i, 1 + 2 * int(row.grade), int(row.classes))
    book.save(path)


def write_staff(path: Path, plain: dict[str, pd.DataFrame]) -> None:
    """Teachers as a CSV saved by Excel in GBK."""
    staff = plain["staff_stock"]
    frame = pd.DataFrame(
        {
            "学校标识码": staff["school_id"].str.lstrip("0"), "学段": staff["stage"].map({"pri": "小学", "jun": "初中"}),
            "教师类别": staff["cat_id"], "人数": staff["heads"], "符合交流条件": staff["eligible_rotation"],
            "临近退休": staff["near_retirement"],
        }
    )  # fmt: skip
    frame.to_csv(path, index=False, encoding="gbk")


def village_points(plain: dict[str, pd.DataFrame]) -> gpd.GeoDataFrame:
    """Villages with the land bureau's headings and system; five characters a heading at most."""
    v = plain["villages"]
    points = gpd.points_from_xy(v["lon"].astype(float), v["lat"].astype(float), crs="EPSG:4490")
    data = {
        "村编号": v["village_id"], "村名": v["name"], "所在乡镇": v["township"], "通路": v["road_access"],
        "地形": v["terrain"], "圩堤": v["island_or_dyke"].map({"True": "是", "False": "否"}),
    }  # fmt: skip
    return gpd.GeoDataFrame(data, geometry=points)


def school_points(plain: dict[str, pd.DataFrame]) -> gpd.GeoDataFrame:
    """Where the schools are, by name, with a kindergarten that is none of ours."""
    s = plain["schools"]
    points = list(gpd.points_from_xy(s["lon"].astype(float), s["lat"].astype(float)))
    names = [*s["name"], "蓝天幼儿园"]
    return gpd.GeoDataFrame({"名称": names}, geometry=[*points, points[0]], crs="EPSG:4490")


def write_bureau(folder: Path) -> dict[str, pd.DataFrame]:
    """Replace a county's CSV tables by the bureau's files; returns the tables as they were."""
    plain = tables(folder)
    for name in ("schools", "school_stage", "enrolment_by_grade", "staff_stock", "villages"):
        (folder / f"{name}.csv").unlink()
    write_schools(folder / "学校基本情况.xlsx", plain)
    write_grades(folder / "分年级学生数.xlsx", plain, {"南浦县实验学校": "实验学校"})
    write_staff(folder / "教师.csv", plain)
    village_points(plain).to_file(folder / "村庄.shp", encoding="GBK")
    (folder / "村庄.cpg").unlink()
    school_points(plain).to_file(folder / "学校点位.gpkg", layer="学校")
    return plain


def bind(folder: Path, mapping: str) -> Path:
    """The mapping file beside county.toml, named in it."""
    (folder / "mapping.toml").write_text(mapping, encoding="utf-8")
    head = folder / "county.toml"
    head.write_text('mapping = "mapping.toml"\n' + head.read_text(encoding="utf-8"), encoding="utf-8")
    return folder


def example() -> str:
    """The mapping printed in the documentation."""
    page = (ROOT / "docs" / "bureau-tables.md").read_text(encoding="utf-8")
    return next(b for b in re.findall(r"```toml\n(.*?)```", page, re.S) if "[[source]]" in b)
