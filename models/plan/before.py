"""What no plan changes in a county: today's groups, units, cells, bands and grades, reckoned once for all its plans."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from math import isfinite
from typing import TypeAlias, TypeVar

import numpy as np
import pandas as pd

from geodata.arrays import Floats, Ints
from geodata.contract.county import County
from geodata.travel.times import TravelTimes
from models.problem.baseline import grades, require_pupils, site_bands, sites, today_groups
from models.problem.building import lower_categories
from models.problem.content import content_numbers, once_by_content
from models.problem.indicators import assess, category_flags, merged_units, unit_table, verdicts
from models.problem.minutes import KnownWays, all_ways
from models.problem.spread import cv_table
from models.standards.norms import Standards

Lower: TypeAlias = dict[tuple[str, str], tuple[tuple[str, str], ...]]
"""Where heads of a stage and category may also work."""
Key = TypeVar("Key")
WAY = ["village_id", "school_id", "band", "mode"]


def unit_of(school_id: pd.Series, stage: pd.Series) -> pd.Series:
    """unit_id from its two parts."""
    return school_id.astype(str) + "/" + stage.astype(str)


def target_category(down: Lower, moves: pd.DataFrame) -> list[str]:
    """Category at the receiving stage: the same, or in a lower stage the movable one with the same flags."""
    return [
        str(r.cat_id) if r.from_stage == r.to_stage
        else str(dict(down.get((r.from_stage, r.cat_id), ())).get(r.to_stage, r.cat_id))
        for r in moves.itertuples()
    ]  # fmt: skip


def total_by(keys: Iterable[Key], amounts: Iterable[float]) -> dict[Key, float]:
    """Sums by key; what is not known, or no number of anything, is left out."""
    total: dict[Key, float] = {}
    for key, n in zip(keys, amounts, strict=True):
        if isfinite(n):
            total[key] = total.get(key, 0) + n
    return total


def site_pupils(units: pd.DataFrame) -> Floats:
    """Pupils of each site, in the order of school_id."""
    at = np.unique(units["school_id"].to_numpy(object), return_inverse=True)[1]
    return np.bincount(at, units["pupils"].to_numpy(float)).astype(float)


def _bands_today(
    county: County, groups: pd.DataFrame, units: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Every band a site may teach with today's pupils and classes, and the same by grade."""
    table, rows = (t.copy() for t in _taught(county))
    here: dict[tuple[str, str], int] = {}
    for j, b, n in zip(*(groups[c].tolist() for c in ("today_school_id", "band", "pupils")), strict=True):
        here[j, b] = here.get((j, b), 0) + n
    keys = zip(table["school_id"], table["band"], strict=True)
    table["pupils_today"] = np.array([here.get(k, 0) for k in keys], dtype=int)
    band = rows["row"].to_numpy()
    rows["band_today"] = table["pupils_today"].to_numpy()[band]
    rows["pupils_today"] = rows["share"] * rows["band_today"]
    classes = units["classes"].to_dict()
    of_unit = np.array([classes.get(u, 0) for u in rows["unit_id"]], dtype=float)
    of_unit = np.nan_to_num(of_unit).astype(int)
    many, nth = rows["many"].to_numpy(), rows["nth"].to_numpy()
    dealt = of_unit // many + (nth < of_unit % many)
    told = rows["told_sum"].to_numpy() == of_unit
    rows["classes_today"] = np.where(told, np.nan_to_num(rows["told_classes"]), dealt).astype(int)
    table["classes_today"] = np.bincount(band, rows["classes_today"], minlength=len(table)).astype(int)
    return table, rows


@once_by_content("schools", "enrolment_by_grade")
def _taught(county: County) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Bands of sites, and the same by grade with the share of the band's pupils: T3's where it tells all, else even."""
    table = site_bands(county)
    table["unit_id"] = unit_of(table["school_id"], table["band"].map(county.scheme.band_stage))
    taught = {r.school_id: grades(r.grades_served) for r in sites(county).itertuples()}
    of = county.scheme.band_grades
    rows = table.assign(
        row=np.arange(len(table)),
        grade=[
            sorted(taught[j] & set(of[b])) for j, b in zip(table["school_id"], table["band"], strict=True)
        ],
    )
    rows = rows.explode("grade").dropna(subset="grade").astype({"grade": int})
    told = county.enrolment_by_grade[["school_id", "grade", "pupils", "classes"]]
    told = told.rename(columns={"pupils": "told_pupils", "classes": "told_classes"}).astype({"grade": int})
    rows = rows.merge(told, on=["school_id", "grade"], how="left")
    rows = rows.astype({"told_pupils": float, "told_classes": float})
    by_band = rows.groupby(["school_id", "band"])["told_pupils"]
    told_all = by_band.transform("count") == by_band.transform("size")
    whole = by_band.transform("sum").where(told_all, 0.0)
    rows["share"] = np.where(
        whole > 0, rows["told_pupils"] / whole.where(whole > 0, 1.0), 1.0 / rows["grades"]
    )
    by_unit = rows.groupby("unit_id")["told_classes"]
    rows["told_sum"] = by_unit.transform("sum").where(
        by_unit.transform("count") == by_unit.transform("size"), -1
    )
    rows["nth"], rows["many"] = (
        rows.groupby("unit_id").cumcount(),
        rows.groupby("unit_id")["grade"].transform("size"),
    )
    rows["stage"] = rows["band"].map(county.scheme.band_stage)
    return table, rows


def _site_caps(county: County, standards: Standards) -> pd.DataFrame:
    """``cap, norm`` by school_id: the size cap of a site, with relief for old or migrant-heavy schools."""
    schools = county.schools.set_index("school_id")
    stage = county.school_stage.groupby("school_id")[["migrants", "pupils"]].sum()
    migrants = (stage["migrants"].astype(float) / stage["pupils"].clip(lower=1)).reindex(schools.index)
    built, half = standards.get("relief_built"), standards.get("relief_migrants")
    old = [built is not None and y <= built.value for y in schools["built_year"].astype(float)]
    full = [half is not None and m > half.value for m in migrants]
    nine = schools["kind"].isin(["nine_year", "twelve_year"])
    told = {
        (False, False): ("school_cap",),
        (False, True): ("school_cap_relief", "school_cap"),
        (True, False): ("school_cap_nine", "school_cap"),
        (True, True): ("school_cap_nine_relief", "school_cap_nine", "school_cap_relief", "school_cap"),
    }
    ways = [told[bool(n), bool(o or f)] for n, o, f in zip(nine, old, full, strict=True)]
    norm = [next((n for n in names if n in standards.rules), "school_cap") for names in ways]
    cap = [standards.limit(n, float("inf")) for n in norm]
    return pd.DataFrame({"cap": cap, "norm": norm}, index=schools.index)


def _stock(county: County, units: pd.DataFrame) -> pd.DataFrame:
    """Heads by unit and category: ``today, near, fixed`` (may leave only if the unit closes), ``eligible``."""
    stock = county.staff_stock.assign(
        unit_id=unit_of(county.staff_stock["school_id"], county.staff_stock["stage"])
    )
    known = units.index[units["staff"].notna()]  # of the others nobody says who is there
    stock = stock[stock["unit_id"].isin(known)].astype({"heads": int})
    by = stock.groupby(["unit_id", "cat_id"])
    table = by[["heads", "near_retirement"]].sum().astype(float)
    table = table.rename(columns={"heads": "today", "near_retirement": "near"})
    movable = county.staff_category.set_index(["stage", "cat_id"])["movable"].to_dict()
    stage = units["stage"].to_dict()
    can = np.array([bool(movable.get((stage.get(u), c), False)) for u, c in table.index], dtype=bool)
    table["fixed"] = np.where(can, np.minimum(table["near"], table["today"]), table["today"])
    table["eligible"] = by["eligible_rotation"].sum(min_count=1).astype(float)
    return table.sort_index()


@dataclass(frozen=True, eq=False)
class Before:
    """What no plan changes; its tables are only read.

    Parameters
    ----------
    standards : Standards
    groups : DataFrame
        `models.problem.baseline.today_groups`.
    units : DataFrame
        Index unit_id, today (as `unit_table`), taking part only.
    cells : DataFrame
        `models.problem.indicators.assess` of today's units.
    caps : DataFrame
        ``cap, norm`` by school_id: largest allowed size (infinite without a norm), and the norm's id.
    bands : DataFrame
        In the order of school_id and band: ``full, grades, unit_id, pupils_today, classes_today``.
    grades : DataFrame
        By band and grade: ``share, band_today, pupils_today, classes_today, stage, name``.
    ways : KnownWays
        Every way to school.
    down : dict
        `models.problem.building.lower_categories`.
    stock : DataFrame
        Heads by unit and category.
    counts : dict
        By stage and category which of the standards' heads it counts for.
    schools, villages : DataFrame
        ``name, township`` by id.
    """

    standards: Standards
    groups: pd.DataFrame
    units: pd.DataFrame
    cells: pd.DataFrame
    caps: pd.DataFrame
    bands: pd.DataFrame
    grades: pd.DataFrame
    ways: KnownWays
    down: Lower
    stock: pd.DataFrame
    counts: dict[tuple[str, str], tuple[int, ...]]
    schools: pd.DataFrame
    villages: pd.DataFrame

    @cached_property
    def place(self) -> dict[str, int]:
        """Row of each unit."""
        return {str(u): i for i, u in enumerate(self.units.index)}

    @cached_property
    def band(self) -> dict[tuple[str, str], int]:
        """Row of each band."""
        return {k: i for i, k in enumerate(zip(self.bands["school_id"], self.bands["band"], strict=True))}

    @cached_property
    def unit_of_band(self) -> Ints:
        """Row of the unit by band; -1 where it has none."""
        return np.array([self.place.get(u, -1) for u in self.bands["unit_id"]], dtype=np.int64)

    @cached_property
    def band_of_grade(self) -> Ints:
        """Row of the band by grade."""
        keys = zip(self.grades["school_id"], self.grades["band"], strict=True)
        return np.array([self.band[k] for k in keys], dtype=np.int64)

    @cached_property
    def unit_of_cell(self) -> Ints:
        """Row of the unit by row of ``cells``; a plan's cells stand in the same order."""
        return np.array([self.place[u] for u in self.cells["unit_id"]], dtype=np.int64)

    @cached_property
    def group(self) -> dict[tuple[str, str, str, str], int]:
        """Row of each group by village, band, group and today's school."""
        keys = zip(*(self.groups[c] for c in ("village_id", "band", "group", "today_school_id")), strict=True)
        return {k: i for i, k in enumerate(keys)}

    @property
    def minutes(self) -> pd.DataFrame:
        """`models.problem.minutes.scaled_minutes`."""
        return self.ways.table

    @cached_property
    def cap_of_site(self) -> Floats:
        """Largest allowed size of each site, in the order of `site_pupils`."""
        caps: Floats = self.caps["cap"].reindex(sorted(set(self.units["school_id"]))).to_numpy(float)
        return caps

    @cached_property
    def combined(self) -> pd.Series:
        """Whether grades are taught together today, by unit_id: fewer classes than grades."""
        grades = self.bands.groupby("unit_id")["grades"].sum()
        return self.units["classes"] < grades.reindex(self.units.index).fillna(0)

    @cached_property
    def said(self) -> pd.DataFrame:
        """Whether each unit passes (`models.problem.indicators.verdicts`)."""
        return verdicts(self.cells, self.standards)

    @cached_property
    def cvs(self) -> pd.DataFrame:
        """`models.problem.spread.cv_table` of today."""
        return cv_table(merged_units(self.units, self.standards), self.standards, self.units["assessed"])


@lru_cache(maxsize=4)
def _before(county: County, standards: Standards, times: TravelTimes, told: tuple[int, ...]) -> Before:
    """Reckoned once for all plans of a county that are judged in a row."""
    require_pupils(county)
    groups = today_groups(county, standards, times)
    here = groups.groupby(["today_school_id", "band"])["pupils"].sum()
    units = unit_table(county, standards, here)
    units = units[units["taking_part"]]
    cells = assess(merged_units(units, standards), standards)
    bands, grades = _bands_today(county, groups, units)
    schools, villages = (
        table.set_index(key)[["name", "township"]]
        for table, key in ((county.schools, "school_id"), (county.villages, "village_id"))
    )
    grades["name"] = grades["school_id"].map(schools["name"])
    flags = category_flags(county.staff_category, standards)
    return Before(
        standards, groups, units, cells, _site_caps(county, standards), bands, grades, all_ways(times, standards),
        lower_categories(county, standards).to_dict(), _stock(county, units),
        dict(zip(flags.index, map(tuple, flags.to_numpy().tolist()), strict=True)), schools, villages,
    )  # fmt: skip


def before(county: County, standards: Standards, times: TravelTimes) -> Before:
    """What no plan changes in a county; reckoned once while one county is judged in a row."""
    return _before(county, standards, times, content_numbers(county))
