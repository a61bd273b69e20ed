"""The county of `tests.samples` under other standards: one stage, seven primary grades, England, West Virginia."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from geodata.contract.county import County
from geodata.standards.reading import parse
from tests.samples import frame, small_county

TABLES_OF_STAGES = ("school_stage", "staff_stock", "staff_category")
AMOUNTS = (
    "pupils", "classes", "capacity_pupils", "area_teaching", "area_sport_ground", "equip_value", "rooms_multimedia",
)  # fmt: skip


def with_file(county: County, text: str, names: tuple[str, ...] = ("cn_layout", "./ours.toml")) -> County:
    """The county under standards of its own."""
    return replace(county, standard_files=names, own_standards={"./ours.toml": parse(text, "ours.toml")})


def primary_only(county: County) -> County:
    """The county without its junior schools."""
    schools = county.schools[county.schools["kind"] != "junior"]
    kept = {t: getattr(county, t)[lambda f: f["stage"] == "pri"] for t in TABLES_OF_STAGES}
    kept |= {t: getattr(county, t)[lambda f: f["band"] != "g7_9"] for t in ("demand", "attendance")}
    tables = {"schools": schools, **kept}
    return replace(county, **{t: f.reset_index(drop=True) for t, f in tables.items()})


def renamed(county: County, stages: dict[str, str], bands: dict[str, str], grades: dict[str, str]) -> County:
    """The county with other ids of stages and bands and other grades; prices of a stage go with it."""
    tables = {t: getattr(county, t).replace({"stage": stages}) for t in TABLES_OF_STAGES}
    tables |= {t: getattr(county, t).replace({"band": bands}) for t in ("demand", "attendance")}
    prices = county.unit_costs.replace(
        {"item": {f"public_funds_{a}": f"public_funds_{b}" for a, b in stages.items()}}
    )
    schools = county.schools.replace({"grades_served": grades})
    return replace(county, schools=schools, unit_costs=prices, **tables)


def split_off(table: pd.DataFrame, column: str, old: str, new: str, *numbers: str) -> pd.DataFrame:
    """A table in which a third of what one stage or band has is another's."""
    mine = table[table[column] == old]
    part = mine.assign(**{column: new}, **{n: mine[n] // 3 for n in numbers})
    rest = mine.assign(**{n: mine[n] - mine[n] // 3 for n in numbers})
    both = pd.concat([table[table[column] != old], rest, part], ignore_index=True)
    return both[(both[list(numbers)] > 0).any(axis=1)].reset_index(drop=True)


def american(top: str = "9-12") -> County:
    """K-5, 6-8 and the grades above: points teach all of K-5, the schools of grades 7-9 are middle and high in one."""
    bands = {"g1_3": "k_5", "g4_6": "k_5", "g7_9": "g6_8"}
    last = top.split("-")[-1]
    county = renamed(
        small_county(), {"pri": "elem", "jun": "mid"}, bands, {"1-6": "K-5", "1-3": "K-5", "7-9": f"6-{last}"}
    )
    high = "g" + top.replace("-", "_")
    going = split_off(county.attendance, "band", "g6_8", high, "pupils")
    going = going.groupby(["village_id", "school_id", "band"], as_index=False)["pupils"].sum()
    demand = going.groupby(["village_id", "band"], as_index=False)["pupils"].sum()
    rows = [{**r, "year": 2025, "pupils_base": r["pupils"]} for r in demand.to_dict("records")]
    kinds = county.staff_category
    kinds = pd.concat([kinds, kinds[kinds["stage"] == "mid"].assign(stage="high")], ignore_index=True)
    price = county.unit_costs[county.unit_costs["item"] == "public_funds_mid"].assign(
        item="public_funds_high"
    )
    return replace(
        county,
        school_stage=split_off(county.school_stage, "stage", "mid", "high", *AMOUNTS),
        staff_stock=split_off(county.staff_stock, "stage", "mid", "high", "heads"),
        staff_category=kinds,
        unit_costs=pd.concat([county.unit_costs, price], ignore_index=True),
        attendance=frame("attendance", going.to_dict("records")),
        demand=frame("demand", rows),
    )


def english() -> County:
    """Reception to year 6, years 7 to 11."""
    bands = {"g1_3": "under_8", "g4_6": "y3_6", "g7_9": "y7_11"}
    grades = {"1-6": "0-6", "1-3": "0-2", "1-2": "0-1", "7-9": "7-11"}
    return renamed(small_county(), {"pri": "prim", "jun": "sec"}, bands, grades)


BUNDLED = {
    ("cn_2017_quality", "cn_layout"): small_county, ("cn_2012_basic", "cn_layout"): small_county,
    ("uk_england", "cn_layout"): english, ("us_wv", "cn_layout"): american,
}  # fmt: skip
"""A county for every standards file that comes with the program; the layout's guard rails go with each."""


def bundled_county(names: tuple[str, ...]) -> County:
    """The hand-sized county under those standards, with the columns that they count."""
    county = BUNDLED[names]()
    if "cn_2012_basic" in names:
        stage = county.school_stage.assign(books=county.school_stage["pupils"] * 20, computers_student=30)
        category = county.staff_category.assign(counts_mid=county.staff_category["counts_b"])
        county = replace(county, school_stage=stage, staff_category=category)
    return replace(county, standard_files=names)
