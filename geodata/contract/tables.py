"""The contract of every input table: columns, units, ranges, English and Chinese headers.

One place says what a county's tables hold (sources.md 3.4, T1-T19). Reading, validation, the template
workbook and the documentation are all made from these records.
"""

from __future__ import annotations

from dataclasses import replace

from geodata.contract.columns import Column, Table

STAGES, BANDS = ("pri", "jun"), ("g1_3", "g4_6", "g7_9")
POINT_TABLES = ("schools", "villages")
"""Tables whose rows have a name and a point."""
"""The default's; `geodata.contract.declared` puts those of a county's standards in their place."""
CRS_NAMES = ("wgs84", "gcj02", "bd09", "cgcs2000")
SCHOOL_KINDS = (
    "primary", "point", "junior", "nine_year", "twelve_year", "complete_secondary", "special",
    "private_primary", "private_junior", "private_nine_year",
)  # fmt: skip
TRAVEL_MODES = ("walk", "walk_young", "ebike", "bus", "car")
EARMARKS = ("building", "device", "teacher", "transport", "any")


def _text(name: str, zh: str, required: bool = True, default: object = None) -> Column:
    return Column(name, zh, "text", required, default=default)


def _spare(name: str, zh: str) -> Column:
    return Column(name, zh, "text", required=False, default="", spare=True)


def _whole(
    name: str, zh: str, low: float, high: float, unit: str = "", required: bool = True, default: object = None
) -> Column:
    return Column(name, zh, "whole", required, low, high, unit, default=default)


def _number(
    name: str, zh: str, low: float, high: float, unit: str = "", required: bool = True, default: object = None
) -> Column:
    return Column(name, zh, "number", required, low, high, unit, default=default)


def _measured(column: Column) -> Column:
    """A column whose cells may be unknown."""
    return replace(column, measure=True)


def _flag(name: str, zh: str, required: bool = True, default: object = None) -> Column:
    return Column(name, zh, "flag", required, default=default)


def _choice(
    name: str, zh: str, choices: tuple[str, ...], required: bool = True, default: object = None
) -> Column:
    return Column(name, zh, "choice", required, choices=choices, default=default)


_PLACE = (
    _number("lon", "经度", -180, 180, "degrees"),
    _number("lat", "纬度", -90, 90, "degrees"),
    _choice("crs", "坐标系", CRS_NAMES),
)

SCHOOLS = Table(
    "schools", "学校", "T1",
    (
        _text("school_id", "学校标识码"),
        _text("name", "学校名称"),
        _choice("kind", "办学类型", SCHOOL_KINDS),
        _text("township", "乡镇"),
        _choice("zone", "城乡类型", ("seat", "town", "rural")),
        *_PLACE,
        _text("parent_id", "中心校标识码", False, ""),
        _flag("counted", "是否计校数", False, True),
        _flag("public", "是否公办"),
        _whole("built_year", "建校年份", 1900, 2035, "year", False),
        _choice("status", "状态", ("open", "suspended", "closing", "planned")),
        _text("protected", "保护类型", False, "none"),  # none, lock_open, lock_until(year), donor, ethnic, border, new_asset
        _text("grades_served", "服务年级"),  # 1-3, 1-6, 7-9, 1-9, K-5
        _whole("pupils_above", "高中学生数", 0, 10_000, "pupils", False, 0),
        _number("land_area", "占地面积", 0, 400_000, "m2", False),
        _flag("has_boarding", "是否寄宿", False, False),
        _number("dorm_area", "宿舍面积", 0, 60_000, "m2", False),
        _number("dining_area", "食堂面积", 0, 20_000, "m2", False),
        _whole("beds", "床位数", 0, 5000, "beds", False, 0),
        _choice("road_class", "门前道路等级", ("village", "township", "county", "national"), False),
        _text("note", "备注", False, ""),
        _spare("name_en", "英文校名"),
    ),
    ("school_id",),
)  # fmt: skip

SCHOOL_STAGE = Table(
    "school_stage", "学段情况", "T2",
    (
        _text("school_id", "学校标识码"),
        _choice("stage", "学段", STAGES),
        _measured(_whole("pupils", "在校生数", 0, 6000, "pupils")),
        _whole("classes", "班级数", 0, 150, "classes"),
        _whole("boarders", "寄宿生数", 0, 6000, "pupils", False, 0),
        _whole("max_class", "最大班额", 0, 120, "pupils", False),
        _whole("migrants", "随迁子女数", 0, 6000, "pupils", False),
        _whole("left_behind", "留守儿童数", 0, 6000, "pupils", False),
        _whole("disabled", "随班就读数", 0, 500, "pupils", False),
        _measured(_number("area_teaching", "教学及辅助用房面积", 0, 80_000, "m2")),
        _measured(_number("area_indoor_sport", "室内体育用房面积", 0, 30_000, "m2")),
        _measured(_number("area_sport_ground", "体育运动场地面积", 0, 120_000, "m2")),
        _measured(_number("equip_value", "教学仪器设备值", 0, 60_000_000, "yuan")),
        _measured(_whole("rooms_multimedia", "网络多媒体教室数", 0, 300, "rooms")),
        _whole("rooms_multimedia_working", "可用多媒体教室数", 0, 300, "rooms", False),
        _whole("computers_student", "学生计算机数", 0, 5000, "sets", False),
        _whole("computers_teacher", "教师计算机数", 0, 1000, "sets", False),
        _number("bandwidth_mbps", "网络带宽", 0, 10_000, "Mbit/s", False),
        _whole("rooms_music", "音乐教室数", 0, 50, "rooms", False),
        _whole("rooms_art", "美术教室数", 0, 50, "rooms", False),
        _measured(_whole("capacity_pupils", "可容纳学生数", 0, 8000, "pupils")),
        _number("public_funds", "公用经费", 0, 50_000_000, "yuan", False),
        _flag("shared_assets", "资产为全校合计", False, False),
        _number("arts_shared", "体艺走教兼职教师数", 0, 100, "heads", False, 0),
        _spare("groups", "招收群体"),
    ),
    ("school_id", "stage"),
    refers=(("school_id", "schools", "school_id"),),
)  # fmt: skip

ENROLMENT = Table(
    "enrolment_by_grade", "分年级学生数", "T3",
    (
        _text("school_id", "学校标识码"),
        _whole("grade", "年级", 1, 9),
        _whole("pupils", "学生数", 0, 1500, "pupils"),
        _whole("classes", "班级数", 0, 40, "classes"),
        _whole("boarders", "寄宿生数", 0, 1500, "pupils", False, 0),
        _whole("in_zone_pupils", "学区内学生数", 0, 1500, "pupils", False),
    ),
    ("school_id", "grade"),
    required=False,
    refers=(("school_id", "schools", "school_id"),),
)  # fmt: skip

VILLAGES = Table(
    "villages", "村和社区", "T4",
    (
        _text("village_id", "村编号"),
        _text("name", "村名"),
        _text("township", "乡镇"),
        *_PLACE,
        _whole("population", "常住人口", 0, 200_000, "persons", False),
        _choice("road_access", "通路情况", ("paved", "gravel", "track", "none"), False),
        _choice("terrain", "地形", ("plain", "polder", "hill", "mountain"), False),
        _flag("island_or_dyke", "岛屿或圩堤", False, False),
        _spare("name_en", "英文村名"),
    ),
    ("village_id",),
)  # fmt: skip

DEMAND = Table(
    "demand", "学龄人口", "T5",
    (
        _text("village_id", "村编号"),
        _choice("band", "年级段", BANDS),
        _whole("year", "年份", 2000, 2060, "year"),
        _whole("pupils_low", "学生数（低）", 0, 20_000, "pupils", False),
        _whole("pupils_base", "学生数（中）", 0, 20_000, "pupils"),
        _whole("pupils_high", "学生数（高）", 0, 20_000, "pupils", False),
        _choice("source", "来源", ("register", "births", "estimated"), False, "estimated"),
    ),
    ("village_id", "band", "year"),
    refers=(("village_id", "villages", "village_id"),),
)  # fmt: skip

ATTENDANCE = Table(
    "attendance", "就读去向", "T6",
    (
        _text("village_id", "村编号"),
        _text("school_id", "学校标识码"),
        _choice("band", "年级段", BANDS),
        _whole("pupils", "学生数", 0, 20_000, "pupils"),
        _choice("mode", "上学方式", ("walk", "bus"), False),
        _spare("group", "学生群体"),
    ),
    ("village_id", "school_id", "band"),
    required=False,
    refers=(("village_id", "villages", "village_id"), ("school_id", "schools", "school_id")),
    finer=("group",),
)  # fmt: skip

STAFF_CATEGORY = Table(
    "staff_category", "教师类别", "T8",
    (
        _text("cat_id", "类别编号"),
        _choice("stage", "学段", STAGES),
        _whole("counts_q", "计高于规定学历", 0, 1),
        _whole("counts_b", "计县级以上骨干", 0, 1),
        _whole("counts_a", "计体育艺术专任", 0, 1),
        _choice("subject_group", "学科组", ("general", "language", "maths_science", "english_it", "pe_arts")),
        _flag("movable", "可交流"),
        _number("annual_cost", "年人均成本", 0, 1_000_000, "yuan/year"),
        _flag("hireable", "可新招", False, False),
        _spare("name", "类别名称"),
        _spare("name_en", "英文类别名称"),
    ),
    ("cat_id", "stage"),
    required=False,
)  # fmt: skip

STAFF_STOCK = Table(
    "staff_stock", "教师现状", "T9",
    (
        _text("school_id", "学校标识码"),
        _choice("stage", "学段", STAGES),
        _text("cat_id", "类别编号"),
        _measured(_whole("heads", "人数", 0, 1000, "heads")),
        _whole("eligible_rotation", "符合交流条件人数", 0, 1000, "heads", False),
        _whole("vacancies", "空编数", 0, 1000, "heads", False),
        _whole("near_retirement", "临近退休人数", 0, 1000, "heads", False, 0),
    ),
    ("school_id", "stage", "cat_id"),
    required=False,
    refers=(("school_id", "schools", "school_id"), ("cat_id", "staff_category", "cat_id")),
)  # fmt: skip

UNIT_COSTS = Table(
    "unit_costs", "单价", "T12",
    (
        _text("item", "项目"),
        _text("unit", "单位"),
        _number("low", "低", 0, 100_000_000, "yuan"),
        _number("base", "中", 0, 100_000_000, "yuan"),
        _number("high", "高", 0, 100_000_000, "yuan"),
        _whole("year", "价格年份", 2000, 2060, "year"),
        _text("source", "来源"),
    ),
    ("item",),
    required=False,
)  # fmt: skip

BUDGET = Table(
    "budget", "预算", "T13",
    (
        _whole("year", "年份", 2000, 2060, "year"),
        _choice("source", "资金来源", ("central", "province", "county", "self", "donation")),
        _choice("earmark", "用途", EARMARKS),
        _number("amount", "金额", 0, 10_000_000_000, "yuan"),
        _flag("carry_over", "可结转", False, False),
        _flag("one_off", "一次性资金", False, False),
    ),
    ("year", "source", "earmark"),
    required=False,
)  # fmt: skip

STANDARDS = Table(
    "standards", "标准", "T14",
    (
        _text("id", "编号"),
        _text("country", "国家", False, "CN"),
        _text("edition", "版本", False, ""),
        _choice("stage", "学段", (*STAGES, "all"), False, "all"),
        _whole("grade_min", "最低年级", 1, 9, "", False),
        _whole("grade_max", "最高年级", 1, 9, "", False),
        _text("quantity", "指标量"),
        _choice("operator", "比较", (">=", "<=", "=")),
        _number("value", "数值", 0, 100_000_000),
        _text("unit", "单位"),
        _choice("applies_to", "适用", ("urban", "town", "rural", "all", "assessed", "county"), False, "all"),
        _choice("kind", "性质", ("hard", "soft", "report", "procedure", "off", "indicator")),
        _flag("grandfather", "不劣于现状即可", False, False),
        _text("source", "来源"),
        _text("note", "备注", False, ""),
    ),
    ("id",),
    required=False,
)  # fmt: skip

_MINUTES = (
    _text("village_id", "村编号"),
    _text("school_id", "学校标识码"),
    _choice("mode", "出行方式", TRAVEL_MODES),
    _number("minutes", "分钟", 0, 1440, "minutes"),
    _number("km", "公里", 0, 1000, "km", False),
    _text("source", "来源", False, ""),
)
_PLACES_MET = (("village_id", "villages", "village_id"), ("school_id", "schools", "school_id"))

TRAVEL_TIMES = Table(
    "travel_times", "实测时间", "T16", _MINUTES, ("village_id", "school_id", "mode"),
    required=False, refers=_PLACES_MET,
)  # fmt: skip

TRAVEL_MATRIX = Table(
    "travel_matrix", "自备时间表", "T16", _MINUTES, ("village_id", "school_id", "mode"),
    required=False, refers=_PLACES_MET,
)  # fmt: skip

TABLES: dict[str, Table] = {
    table.name: table
    for table in (
        SCHOOLS, SCHOOL_STAGE, ENROLMENT, VILLAGES, DEMAND, ATTENDANCE, STAFF_CATEGORY, STAFF_STOCK,
        UNIT_COSTS, BUDGET, STANDARDS, TRAVEL_TIMES, TRAVEL_MATRIX,
    )
}  # fmt: skip
UNKNOWN_WITHOUT = ("staff_category", "staff_stock", "unit_costs", "budget")
"""Tables without which something is not known, and left out, rather than zero."""
IDLE = {
    "schools": ("land_area", "has_boarding", "dorm_area", "dining_area", "beds", "road_class"),
    "school_stage": (
        "boarders", "max_class", "rooms_multimedia_working", "computers_teacher", "bandwidth_mbps", "rooms_music", "rooms_art",
    ),
    "enrolment_by_grade": ("in_zone_pupils",),
    "villages": ("road_access", "terrain", "island_or_dyke"),
    "demand": ("pupils_low", "pupils_high"),
    "staff_category": ("subject_group",),
    "staff_stock": ("vacancies",),
    "budget": ("carry_over",),
}  # fmt: skip
"""Columns that are read and checked and change no plan today; one of them may be what a county's own standards count."""


def idle_columns(table: Table) -> tuple[str, ...]:
    """Those of `IDLE` that a county's own standards do not ask for: what they count is asked for."""
    usual = TABLES.get(table.name, table)
    asked = {c.name for c in table.columns if c.required} - {c.name for c in usual.columns if c.required}
    return tuple(c for c in IDLE.get(table.name, ()) if c not in asked)


def column_words(table: str, written: str, language: str) -> str:
    """A column as it is written in a file, for a reader of the other language with the contract's word beside it.

    Parameters
    ----------
    table : str
        The table's name in the contract; another one leaves the column as it is.
    written : str
        The header in the file, English or Chinese.
    language : {"zh", "en"}

    Returns
    -------
    str
        Such as ``班级数（classes）`` in Chinese for a file with English headers.
    """
    known = TABLES.get(table)
    column = next((c for c in known.columns if written in (c.name, c.zh)), None) if known else None
    if column is None or written == (column.zh if language == "zh" else column.name):
        return written
    return f"{column.zh}（{written}）" if language == "zh" else f"{column.name} ({written})"
