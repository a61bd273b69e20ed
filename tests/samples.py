"""Hand-sized counties for tests: fictional, small enough to reckon by hand."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd

from geodata.contract.county import County
from geodata.contract.tables import TABLES

LON0, LAT0 = 118.30, 30.90
KM_LON, KM_LAT = 1 / 95.5, 1 / 110.9  # degrees a kilometre at this latitude


def frame(name: str, rows: list[dict[str, object]]) -> pd.DataFrame:
    """A table with the contract's columns, types and order; optional ones take their default."""
    contract = TABLES[name]
    types = {"text": "str", "choice": "str", "whole": "int64", "number": "float64", "flag": "bool"}
    table = pd.DataFrame(rows)
    contract = contract.having({c.name for c in contract.columns if c.spare and c.name in table})
    for c in contract.columns:
        default = c.default if c.default is not None else ("" if c.kind in ("text", "choice") else None)
        cells = table[c.name] if c.name in table else pd.Series([None] * len(table), index=table.index)
        cells = cells.astype("object")
        cells = cells.where(cells.notna(), default)
        if cells.isna().any():
            table[c.name] = cells.astype("float64") if c.kind == "number" else cells.astype("Int64")
        else:
            table[c.name] = cells.astype(types[c.kind])
    return table[[c.name for c in contract.columns]].sort_values(list(contract.key)).reset_index(drop=True)


def school(
    school_id: str, x: float, y: float, kind: str, township: str, grades: str, **more: object
) -> dict[str, object]:
    """A row of T1 at x, y kilometres from the origin."""
    return {
        "school_id": school_id, "name": more.pop("name", f"{township}{school_id}"), "kind": kind, "township": township,
        "zone": "rural", "lon": LON0 + x * KM_LON, "lat": LAT0 + y * KM_LAT, "crs": "wgs84", "public": True,
        "status": "open", "grades_served": grades, "built_year": 2000, "land_area": 20000.0, **more,
    }  # fmt: skip


def unit(
    school_id: str, stage: str, pupils: int, classes: int, capacity: int, **more: object
) -> dict[str, object]:
    """A row of T2 with resources in proportion to size unless given."""
    return {
        "school_id": school_id, "stage": stage, "pupils": pupils, "classes": classes, "capacity_pupils": capacity,
        "area_teaching": 6.0 * pupils + 200, "area_indoor_sport": 0.0, "area_sport_ground": 9.0 * pupils + 400,
        "equip_value": 2400.0 * pupils, "rooms_multimedia": max(2, pupils // 35), **more,
    }  # fmt: skip


CATEGORIES = [
    {"cat_id": c, "stage": s, "counts_q": q, "counts_b": b, "counts_a": a, "subject_group": g, "movable": m,
     "annual_cost": 130000.0, "hireable": h}
    for s in ("pri", "jun")
    for c, q, b, a, g, m, h in (
        ("plain", 0, 0, 0, "general", True, False),
        ("plain_q", 1, 0, 0, "general", True, True),
        ("backbone", 1, 1, 0, "language", True, False),
        ("arts", 1, 0, 1, "pe_arts", True, True),
        ("near_ret", 0, 0, 0, "general", False, False),
    )
]  # fmt: skip

COSTS = {
    "rotation_subsidy": 9000, "itinerant": 10000, "multimedia_room": 30000, "teaching_building": 3000,
    "sports_court": 200, "land": 180, "move_room": 2000, "move_equipment": 0.02, "bus_pupil": 2993,
    "transition_grant": 800, "mothball": 60000, "site_running": 100000, "public_funds_pri": 720,
    "public_funds_jun": 940,
}  # fmt: skip


def staff(rows: dict[tuple[str, str], dict[str, int]]) -> pd.DataFrame:
    """T9 from heads by (school, stage) and category."""
    return frame(
        "staff_stock",
        [
            {"school_id": j, "stage": s, "cat_id": c, "heads": n}
            for (j, s), cats in rows.items()
            for c, n in cats.items()
        ],
    )


def small_county(budget: float = 3_000_000.0) -> County:
    """Two townships, a central primary and a village school each, two points, one junior school each.

    Point A3 has 12 pupils 1.5 km from central A1 and may close; point B3 is a donated school.
    """
    known = _written_once(budget)
    return replace(known, **{name: table.copy() for name, table in known.tables().items()})


def riding_county() -> County:
    """The small county with buses away from a walk only reported: V3's upper grades may ride from A1 to A2."""
    norm = {
        "id": "past_own_school",
        "quantity": "q",
        "operator": "<=",
        "value": 5.0,
        "unit": "minutes",
        "kind": "report",
        "source": "test",
    }
    return replace(small_county(), standards=frame("standards", [norm]))


@cache
def _written_once(budget: float) -> County:
    schools = [
        school("A1", 0, 0, "primary", "甲镇", "1-6"), school("A2", 4, 0, "primary", "甲镇", "1-6"),
        school("A3", 0, 1.5, "point", "甲镇", "1-3"), school("A9", 0.3, 0, "junior", "甲镇", "7-9"),
        school("B1", 12, 0, "primary", "乙镇", "1-6"), school("B3", 12, 1.8, "point", "乙镇", "1-3", protected="donor"),
        school("B9", 12.3, 0, "junior", "乙镇", "7-9"),
    ]  # fmt: skip
    units = [
        unit("A1", "pri", 300, 8, 450), unit("A2", "pri", 120, 6, 270), unit("A3", "pri", 12, 2, 60),
        unit("A9", "jun", 210, 6, 400), unit("B1", "pri", 260, 7, 405), unit("B3", "pri", 18, 2, 60),
        unit("B9", "jun", 150, 4, 300),
    ]  # fmt: skip
    heads = staff(
        {
            ("A1", "pri"): {"plain": 4, "plain_q": 10, "backbone": 5, "arts": 4, "near_ret": 1},
            ("A2", "pri"): {"plain": 3, "plain_q": 6, "backbone": 1, "arts": 1, "near_ret": 1},
            ("A3", "pri"): {"plain": 2, "plain_q": 1},
            ("A9", "jun"): {"plain": 2, "plain_q": 11, "backbone": 4, "arts": 3},
            ("B1", "pri"): {"plain": 4, "plain_q": 9, "backbone": 1, "arts": 2, "near_ret": 2},
            ("B3", "pri"): {"plain": 2, "plain_q": 1, "near_ret": 1},
            ("B9", "jun"): {"plain": 2, "plain_q": 8, "backbone": 1, "arts": 1},
        }
    )
    where = {
        "V1": ("甲镇", 0.2, 0.3), "V2": ("甲镇", -1.0, 0.2), "V3": ("甲镇", 0.1, 1.6), "V4": ("甲镇", 4.1, 0.2),
        "W1": ("乙镇", 12.1, 0.2), "W2": ("乙镇", 11.0, -0.5), "W3": ("乙镇", 12.0, 2.0),
    }  # fmt: skip
    villages = [
        {
            "village_id": v,
            "name": f"{t}{v}村",
            "township": t,
            "lon": LON0 + x * KM_LON,
            "lat": LAT0 + y * KM_LAT,
            "crs": "wgs84",
        }
        for v, (t, x, y) in where.items()
    ]
    going = [
        ("V1", "A1", "g1_3", 90), ("V1", "A1", "g4_6", 90), ("V1", "A9", "g7_9", 90),
        ("V2", "A1", "g1_3", 50), ("V2", "A1", "g4_6", 52), ("V2", "A9", "g7_9", 60),
        ("V3", "A3", "g1_3", 12), ("V3", "A1", "g4_6", 18), ("V3", "A9", "g7_9", 15),
        ("V4", "A2", "g1_3", 60), ("V4", "A2", "g4_6", 60), ("V4", "A9", "g7_9", 45),
        ("W1", "B1", "g1_3", 90), ("W1", "B1", "g4_6", 85), ("W1", "B9", "g7_9", 100),
        ("W2", "B1", "g1_3", 30), ("W2", "B1", "g4_6", 33), ("W2", "B9", "g7_9", 38),
        ("W3", "B3", "g1_3", 18), ("W3", "B1", "g4_6", 22), ("W3", "B9", "g7_9", 12),
    ]  # fmt: skip
    attendance = frame(
        "attendance", [{"village_id": v, "school_id": j, "band": b, "pupils": n} for v, j, b, n in going]
    )
    demand = attendance.groupby(["village_id", "band"], as_index=False)["pupils"].sum()
    demand = frame(
        "demand",
        [
            {"village_id": r.village_id, "band": r.band, "year": 2025, "pupils_base": r.pupils}
            for r in demand.itertuples()
        ],
    )
    shares = {"teacher": 0.4, "device": 0.3, "building": 0.2, "transport": 0.1, "any": 0.0}
    return County(
        name="试县", name_en="Test county", year=2025, fictional=True,
        schools=frame("schools", schools), school_stage=frame("school_stage", units), villages=frame("villages", villages),
        demand=demand, staff_category=frame("staff_category", CATEGORIES), staff_stock=heads,
        unit_costs=frame("unit_costs", [{"item": i, "unit": "yuan", "low": c, "base": c, "high": c, "year": 2024, "source": "test"} for i, c in COSTS.items()]),
        budget=frame("budget", [{"year": 2025, "source": "county", "earmark": e, "amount": budget * s} for e, s in shares.items()]),
        enrolment_by_grade=frame("enrolment_by_grade", []), attendance=attendance, standards=frame("standards", []),
    )  # fmt: skip


def relabelled(county: County, prefix: str = "Z") -> County:
    """The same county with other ids in another order of rows."""
    change = {}
    for name, table in county.tables().items():
        table = table.copy()
        for column in ("school_id", "village_id"):
            if column in table:
                table[column] = prefix + table[column].str[::-1]
        keys = list(TABLES[name].key)
        change[name] = table.sort_values(keys).reset_index(drop=True) if len(table) else table
    return replace(county, **change)


__all__ = ["np", "relabelled", "small_county"]
