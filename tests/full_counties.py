"""Counties of three and four sites for the second statement, each with its tables and its changed norms."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

from tests import tiny
from tests.full_milp import Tables, norms
from tests.models.plans import Case, bands_apart, ready, three_midway
from tests.samples import KM_LAT, KM_LON, LAT0, LON0, frame, small_county

SITES = ("A1", "A2", "A3", "A9")
GOING = (
    ("V1", "A1", "g1_3", 90), ("V1", "A1", "g4_6", 90), ("V1", "A9", "g7_9", 90), ("V2", "A1", "g1_3", 50), ("V2", "A1", "g4_6", 52),
    ("V2", "A9", "g7_9", 60), ("V3", "A3", "g1_3", 12), ("V3", "A1", "g1_3", 4), ("V3", "A1", "g4_6", 18), ("V3", "A9", "g7_9", 15),
    ("V4", "A2", "g1_3", 60), ("V4", "A2", "g4_6", 60), ("V4", "A9", "g7_9", 45), ("V5", "A3", "g1_3", 6), ("V5", "A1", "g4_6", 6),
    ("V5", "A9", "g7_9", 15), ("V6", "A2", "g1_3", 8), ("V6", "A2", "g4_6", 8),
)  # fmt: skip
WHERE = {
    "V1": (0.2, 0.3),
    "V2": (-1.0, 0.2),
    "V3": (0.1, 1.6),
    "V4": (4.1, 0.2),
    "V5": (0.9, 0.8),
    "V6": (2.1, 0.1),
}
FOUR = {"closures_share": 0.25, "moved_share": 0.15}
THREE = {"closures_share": 0.4, "moved_share": 0.25} | dict.fromkeys(
    (f"floor_no_outflow_{k}" for k in "qba"), float(tiny.SMALL)
)


@cache
def four() -> Case:
    """A1 has ten pupils more than places, point A3 may close, four pass it by; money for some things, hires and rides."""
    plain = small_county(400_000.0)
    table = {name: t[t["school_id"].isin(SITES)].reset_index(drop=True) for name, t in plain.tables().items()
             if name in ("schools", "school_stage", "staff_stock")}  # fmt: skip
    going = frame(
        "attendance", [{"village_id": v, "school_id": j, "band": b, "pupils": n} for v, j, b, n in GOING]
    )
    stage = table["school_stage"].set_index("school_id")
    stage["pupils"] = (
        going.groupby("school_id")["pupils"].sum().reindex(stage.index).astype(stage["pupils"].dtype)
    )
    for j, column, value in (("A1", "capacity_pupils", 300), ("A2", "rooms_multimedia", 2), ("A2", "equip_value", 230_000.0),
                             ("A9", "rooms_multimedia", 5)):  # fmt: skip
        stage.loc[j, column] = value
    stock = table["staff_stock"]
    stock.loc[(stock["school_id"] == "A1") & (stock["cat_id"] == "backbone"), "eligible_rotation"] = 2
    stock.loc[(stock["school_id"] == "A3") & (stock["cat_id"] == "plain"), "near_retirement"] = 1
    many = going.groupby(["village_id", "band"], as_index=False)["pupils"].sum()
    demand = [
        {"village_id": r.village_id, "band": r.band, "year": plain.year, "pupils_base": r.pupils}
        for r in many.itertuples()
    ]
    villages = [{"village_id": v, "name": v, "township": "甲镇", "lon": LON0 + x * KM_LON, "lat": LAT0 + y * KM_LAT, "crs": "wgs84"}
                for v, (x, y) in WHERE.items()]  # fmt: skip
    county = replace(
        plain, schools=table["schools"], school_stage=stage.reset_index()[list(plain.school_stage)], staff_stock=stock,
        attendance=going, demand=frame("demand", demand), villages=frame("villages", villages),
    )  # fmt: skip
    return ready(county).with_rules(**FOUR)


@cache
def midway() -> Case:
    """And villages as far from one school as from others: one whose bands go to two, three that could pass pupils round. Money enough."""
    county = three_midway(bands_apart(four().county))
    return ready(replace(county, budget=county.budget.assign(amount=1e9))).with_rules(**FOUR)


def poor(device: float) -> Case:
    """One multimedia room in the whole county, so that the mean says nothing of what passing needs; money for devices alone."""
    county = four().county
    stage = county.school_stage.assign(
        rooms_multimedia=(county.school_stage["school_id"] == "A1").astype(int)
    )
    money = county.budget.assign(amount=county.budget["earmark"].map({"device": device}).fillna(0.0))
    return ready(replace(county, school_stage=stage, budget=money)).with_rules(**FOUR)


@cache
def rich_in_devices() -> Case:
    return poor(2_000_000.0)


@cache
def two_rooms() -> Case:
    """The price of two multimedia rooms, and not a yuan more."""
    return poor(60_000.0)


COUNTIES = {
    "poor": (rich_in_devices, FOUR),
    "two rooms": (two_rooms, FOUR),
    "three": (tiny.case, THREE),
    "four": (four, FOUR),
    "midway": (midway, FOUR),
}


def case_of(name: str, *off: str) -> Case:
    return COUNTIES[name][0]().binding(**dict.fromkeys(off, "off"))


def tables_of(name: str, *off: str) -> Tables:
    """What the second statement reads of a county, some norms off."""
    case, changed = COUNTIES[name][0](), COUNTIES[name][1]
    given: dict[str, float | str] = {**changed, **dict.fromkeys(off, "off")}
    return Tables(case.county.tables(), case.county.year, case.times.pairs, case.times.towns, norms(**given))
