"""The county after a plan, recomputed from the raw tables and the plan alone; no solver, no model."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import TypeAlias

import numpy as np
import pandas as pd

from geodata.contract.county import County
from geodata.travel.times import TravelTimes
from models.plan.decisions import Plan
from models.problem.baseline import (
    grades,
    require_pupils,
    scaled_minutes,
    site_bands,
    sites,
    today_groups,
)
from models.problem.content import content_numbers
from models.problem.indicators import assess, assessed, counted_staff, merged_units, unit_table, verdicts
from models.problem.instance import lower_categories
from models.problem.request import Request, budgets
from models.standards.norms import Standards

Lower: TypeAlias = dict[tuple[str, str], tuple[tuple[str, str], ...]]
"""Where heads of a stage and category may also work."""


@dataclass(frozen=True, eq=False)
class After:
    """Everything the rules, costs and measures are computed from.

    Parameters
    ----------
    units : DataFrame
        Index unit_id, today (as `unit_table`), taking part only.
    new : DataFrame
        The same columns after the plan, plus ``open`` and ``junior``; closed units have zeros, and what is not
        known (NaN) stays so.
    bands : DataFrame
        Index (school_id, band): ``full, grades, unit_id, open, classes, pupils``.
    travel : DataFrame
        See `models.plan.decisions.Verdict.travel`.
    heads : DataFrame
        Index (unit_id, cat_id): ``today, out, into, hired, heads, near, fixed`` (may leave only if the unit
        closes), ``eligible`` (NaN where the table does not say).
    grades_today : DataFrame
        By band and grade, whatever the plan: ``share, band_today, pupils_today, classes_today``.
    minutes : DataFrame
        `models.problem.baseline.scaled_minutes`.
    down : dict
        `models.problem.instance.lower_categories`.
    site_cap, size_norm : Series
        Largest allowed size by school_id (infinite without a norm), and the norm's id.
    network : dict
        What rules found that look at bands and ways to school alone, by rule id, as far as they were asked: plans with
        the same bands and ways share it.
    """

    county: County
    standards: Standards
    request: Request
    plan: Plan
    times: TravelTimes
    units: pd.DataFrame
    new: pd.DataFrame
    bands: pd.DataFrame
    travel: pd.DataFrame
    heads: pd.DataFrame
    groups: pd.DataFrame
    grades_today: pd.DataFrame
    budget: dict[str, float]
    site_cap: pd.Series
    size_norm: pd.Series
    cells_today: pd.DataFrame
    cells_plan: pd.DataFrame
    minutes: pd.DataFrame
    down: Lower
    network: dict[str, pd.DataFrame] = field(default_factory=dict)

    def number(self, norm: str) -> float:
        """A norm's number, infinite where the standards have none or it is off."""
        return self.standards.limit(norm, float("inf"))

    @cached_property
    def combined(self) -> pd.Series:
        """Whether grades are taught together today, by unit_id: fewer classes than grades."""
        grades = self.bands.groupby("unit_id")["grades"].sum()
        return self.units["classes"] < grades.reindex(self.units.index).fillna(0)

    @cached_property
    def over(self) -> pd.Series:
        """Whether a unit is above a cap today (places, class size, site size), by unit_id."""
        units = self.units
        cap = units["stage"].map({s: self.number(f"class_cap_{s}") for s in units["stage"].unique()})
        site = units.groupby("school_id")["pupils"].transform("sum")
        above = (units["pupils"] > units["capacity"]) | (site > units["school_id"].map(self.site_cap))
        return above | (units["pupils"] > cap * units["classes"].clip(lower=1))

    @cached_property
    def band_rows(self) -> pd.DataFrame:
        """``bands`` with school name and the unit's kind, zone, today's pupils and classes."""
        rows = self.bands.reset_index()
        rows["name"] = rows["school_id"].map(self.county.schools.set_index("school_id")["name"])
        unit = self.units[["stage", "kind", "zone", "pupils"]].rename(columns={"pupils": "unit_pupils"})
        return rows.merge(unit, left_on="unit_id", right_index=True, how="left")

    @cached_property
    def open_units(self) -> pd.DataFrame:
        """Rows of ``new`` that stay open, with unit_id as a column."""
        return self.new[self.new["open"]].reset_index()

    @cached_property
    def grades(self) -> pd.DataFrame:
        """By band and grade: ``pupils`` in the plan (today's share of those who stay, an equal part of those who come),
        ``pupils_today, classes_today``, and of the band ``open, classes, stage, unit_id, name``.
        """
        told = ["open", "classes"]
        rows = self.grades_today.merge(self.bands[told], left_on=["school_id", "band"], right_index=True)
        moved = self.travel[self.travel["changed"]]
        key = ["school_id", "band"]
        come = moved.groupby(key)["pupils"].sum().rename("come").reset_index()
        gone = moved.groupby(["today_school_id", "band"])["pupils"].sum().rename("gone")
        gone = gone.rename_axis(key).reset_index()
        rows = rows.merge(come, on=key, how="left").merge(gone, on=key, how="left")
        rows[["come", "gone"]] = rows[["come", "gone"]].fillna(0.0)
        stay = rows["share"] * (rows["band_today"] - rows["gone"])
        rows["pupils"] = stay + rows["come"] / rows["grades"].clip(lower=1)
        rows["name"] = rows["school_id"].map(self.county.schools.set_index("school_id")["name"])
        return rows

    def staff_links(self) -> set[tuple[str, str]]:
        """Townships between which staff may move; all of them where the norm does not bind."""
        rule = self.standards.rules.get("commute_minutes")
        most = float("inf") if rule is None or rule.kind not in ("hard", "soft") else rule.value
        near = self.times.towns[self.times.towns["minutes"] <= most]
        return set(zip(near["from_township"], near["to_township"], strict=True))

    def transfers_fit(self) -> np.ndarray:
        """By staff move: within a stage, or to a lower one that has a category with the same flags."""
        moves = self.plan.staff_moves
        down = self.down
        target = target_category(down, moves)
        fits = [
            (r.from_stage, r.cat_id) in down
            and (r.from_stage == r.to_stage or (r.to_stage, c) in down[r.from_stage, r.cat_id])
            for r, c in zip(moves.itertuples(), target, strict=True)
        ]
        return np.array(fits, dtype=bool)

    def purchases(self) -> pd.DataFrame:
        """Purchases with ``unit_id``."""
        rows = self.plan.purchases
        return rows.assign(unit_id=unit_of(rows["school_id"], rows["stage"]))

    def item_moves(self) -> pd.DataFrame:
        """Moves of equipment with ``unit_id`` (sender) and ``to_unit``."""
        rows = self.plan.item_moves
        return rows.assign(
            unit_id=unit_of(rows["from_school_id"], rows["from_stage"]), to_unit=unit_of(rows["to_school_id"], rows["to_stage"])
        )  # fmt: skip

    @property
    def assessed_today(self) -> pd.DataFrame:
        """`units` as they are assessed: places that do not count stand with their parent."""
        return merged_units(self.units, self.standards)

    @property
    def assessed_plan(self) -> pd.DataFrame:
        """`new`, likewise."""
        return merged_units(self.new, self.standards)

    @cached_property
    def said_today(self) -> pd.DataFrame:
        """Whether each unit passes today (`models.problem.indicators.verdicts`)."""
        return verdicts(self.cells_today, self.standards)

    @cached_property
    def said_plan(self) -> pd.DataFrame:
        """Whether each unit passes in the plan, likewise."""
        return verdicts(self.cells_plan, self.standards)

    @cached_property
    def site_open(self) -> pd.Series:
        """Whether a site keeps any band, by school_id."""
        return self.bands.groupby(level="school_id")["open"].any()


def unit_of(school_id: pd.Series, stage: pd.Series) -> pd.Series:
    """unit_id from its two parts."""
    return school_id.astype(str) + "/" + stage.astype(str)


def _bands(today: pd.DataFrame, plan: Plan) -> pd.DataFrame:
    # rows given twice, missing or fractional are violations of their own (known_ids, whole_numbers)
    said = plan.bands.drop_duplicates(["school_id", "band"])[["school_id", "band", "open", "classes"]]
    table = today.merge(said, on=["school_id", "band"], how="left")
    table["open"] = table["open"].eq(True)
    table["classes"] = table["classes"].fillna(0).astype(int)
    pupils = plan.attendance.groupby(["school_id", "band"])["pupils"].sum().rename("pupils").reset_index()
    table = table.merge(pupils, on=["school_id", "band"], how="left").fillna({"pupils": 0})
    return table.set_index(["school_id", "band"]).sort_index()


def _bands_today(
    county: County, groups: pd.DataFrame, units: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Every band a site may teach with today's pupils and classes, and the same by grade."""
    table = site_bands(county)
    table["unit_id"] = unit_of(table["school_id"], table["band"].map(county.scheme.band_stage))
    here = groups.groupby(["today_school_id", "band"])["pupils"].sum().rename("pupils_today")
    table = table.merge(
        here.rename_axis(["school_id", "band"]).reset_index(), on=["school_id", "band"], how="left"
    )
    table["pupils_today"] = table["pupils_today"].fillna(0).astype(int)
    grades = _grades_today(county, table, units)
    classes = grades.groupby(["school_id", "band"])["classes_today"].sum().reset_index()
    table = table.merge(classes, on=["school_id", "band"], how="left").fillna({"classes_today": 0})
    table["classes_today"] = table["classes_today"].astype(int)
    return table, grades


def _grades_today(county: County, bands: pd.DataFrame, units: pd.DataFrame) -> pd.DataFrame:
    """Bands by grade with today's share of pupils and classes: T3's where it tells all, else spread evenly."""
    taught = {r.school_id: grades(r.grades_served) for r in sites(county).itertuples()}
    of = county.scheme.band_grades
    rows = bands.assign(
        grade=[sorted(taught[j] & set(of[b])) for j, b in zip(bands["school_id"], bands["band"], strict=True)]
    )
    rows = rows.explode("grade").dropna(subset="grade").astype({"grade": int})
    told = county.enrolment_by_grade[["school_id", "grade", "pupils", "classes"]]
    told = told.rename(columns={"pupils": "told_pupils", "classes": "told_classes"}).astype({"grade": int})
    rows = rows.merge(told, on=["school_id", "grade"], how="left")
    rows["told_pupils"], rows["told_classes"] = (
        rows["told_pupils"].astype(float),
        rows["told_classes"].astype(float),
    )
    by_band = rows.groupby(["school_id", "band"])["told_pupils"]
    told_all = by_band.transform("count") == by_band.transform("size")
    whole = by_band.transform("sum").where(told_all, 0.0)
    rows["share"] = np.where(
        whole > 0, rows["told_pupils"] / whole.where(whole > 0, 1.0), 1.0 / rows["grades"]
    )
    of_unit = rows["unit_id"].map(units["classes"]).fillna(0).astype(int)
    by_unit = rows.groupby("unit_id")["told_classes"]
    sums = by_unit.transform("sum").where(by_unit.transform("count") == by_unit.transform("size"), -1)
    nth, many = rows.groupby("unit_id").cumcount(), rows.groupby("unit_id")["grade"].transform("size")
    dealt = of_unit // many + (nth < of_unit % many)
    rows["classes_today"] = rows["told_classes"].where(sums == of_unit, dealt).astype(int)
    rows["band_today"] = rows["pupils_today"]
    rows["pupils_today"] = rows["share"] * rows["band_today"]
    rows["stage"] = rows["band"].map(county.scheme.band_stage)
    return rows


def _site_caps(county: County, standards: Standards) -> pd.DataFrame:
    """``cap, norm`` by school_id: the size cap of a site, with relief for old or migrant-heavy schools."""
    schools = county.schools.set_index("school_id")
    stage = county.school_stage.groupby("school_id")[["migrants", "pupils"]].sum()
    migrants = (stage["migrants"].astype(float) / stage["pupils"].clip(lower=1)).reindex(schools.index)
    relief = schools["built_year"].astype(float).fillna(9999).le(2010) | migrants.gt(0.5)
    nine = schools["kind"].isin(["nine_year", "twelve_year"])
    names = {
        (False, False): "school_cap",
        (False, True): "school_cap_relief",
        (True, False): "school_cap_nine",
        (True, True): "school_cap_nine_relief",
    }
    norm = [names[bool(n), bool(r)] for n, r in zip(nine, relief, strict=True)]
    cap = [standards.limit(n, float("inf")) for n in norm]
    return pd.DataFrame({"cap": cap, "norm": norm}, index=schools.index)


def _travel(
    county: County, standards: Standards, minutes: pd.DataFrame, plan: Plan, groups: pd.DataFrame
) -> pd.DataFrame:
    """Each group's way before and after, with its limit."""
    rows = plan.attendance.merge(minutes, on=["village_id", "school_id", "band", "mode"], how="left")
    key = ["village_id", "band", "group", "today_school_id"]
    rows = rows.merge(groups[[*key, "today_mode", "today_minutes"]], on=key, how="left")
    rows = rows.rename(columns={"today_minutes": "minutes_today"})
    rows["changed"] = rows["school_id"] != rows["today_school_id"]
    same = ~rows["changed"] & (rows["mode"] == rows["today_mode"])
    rows["minutes"] = rows["minutes"].where(~same, rows["minutes_today"])
    known = {n: r.value for n, r in standards.rules.items() if r.kind != "off"}
    norm = "travel_" + rows["mode"].astype(str) + "_" + rows["band"].astype(str)
    rows["limit"] = norm.map(known).astype(float)
    today = "travel_" + rows["today_mode"].astype(str) + "_" + rows["band"].astype(str)
    rows["limit_today"] = today.map(known).astype(float)
    rows["grandfathered"] = (rows["minutes"] > rows["limit"]) & (rows["minutes"] <= rows["minutes_today"])
    village = county.villages.set_index("village_id")
    name = county.schools.set_index("school_id")["name"]
    rows["village"] = rows["village_id"].map(village["name"])
    rows["township"] = rows["village_id"].map(village["township"])
    rows["school"] = rows["school_id"].map(name)
    rows["today_school"] = rows["today_school_id"].map(name)
    return rows


def _heads(county: County, down: Lower, units: pd.DataFrame, plan: Plan) -> pd.DataFrame:
    stock = county.staff_stock.assign(
        unit_id=unit_of(county.staff_stock["school_id"], county.staff_stock["stage"])
    )
    known = units.index[units["staff"].notna()]  # of the others nobody says who is there
    stock = stock[stock["unit_id"].isin(known)].astype({"heads": int})
    by = stock.groupby(["unit_id", "cat_id"])
    table = by[["heads", "near_retirement"]].sum()
    table = table.rename(columns={"heads": "today", "near_retirement": "near"})
    eligible = by["eligible_rotation"].sum(min_count=1).astype(float)
    moves, hires = plan.staff_moves, plan.hires
    out = moves.assign(unit_id=unit_of(moves["from_school_id"], moves["from_stage"]))
    into = moves.assign(unit_id=unit_of(moves["to_school_id"], moves["to_stage"]))
    into["cat_id"] = target_category(down, moves)
    parts = {
        "out": out.groupby(["unit_id", "cat_id"])["heads"].sum(),
        "into": into.groupby(["unit_id", "cat_id"])["heads"].sum(),
        "hired": hires.assign(unit_id=unit_of(hires["school_id"], hires["stage"]))
        .groupby(["unit_id", "cat_id"])["heads"]
        .sum(),
    }
    table = table.join(pd.DataFrame(parts), how="outer").fillna(0)
    table.index = table.index.set_names(["unit_id", "cat_id"])
    table["heads"] = table["today"] - table["out"] + table["into"] + table["hired"]
    movable = county.staff_category.set_index(["stage", "cat_id"])["movable"]
    can = [bool(movable.get((units["stage"].get(u), c), False)) for u, c in table.index]
    table["fixed"] = np.where(can, np.minimum(table["near"], table["today"]), table["today"])
    table["eligible"] = eligible.reindex(table.index)
    return table.sort_index()


def target_category(down: Lower, moves: pd.DataFrame) -> list[str]:
    """Category at the receiving stage: the same, or in a lower stage the movable one with the same flags."""
    return [
        str(r.cat_id) if r.from_stage == r.to_stage
        else str(dict(down.get((r.from_stage, r.cat_id), ())).get(r.to_stage, r.cat_id))
        for r in moves.itertuples()
    ]  # fmt: skip


def _items(units: pd.DataFrame, standards: Standards, plan: Plan, is_open: pd.Series) -> pd.DataFrame:
    """Items after: today's while open, plus bought, plus received; a closed unit keeps nothing."""
    table = units[list(standards.items)].astype(float).mul(is_open.astype(float), axis=0)
    table.loc[~is_open.to_numpy(bool)] = 0.0  # also of what is not known
    buy = plan.purchases.assign(unit_id=unit_of(plan.purchases["school_id"], plan.purchases["stage"]))
    got = plan.item_moves.assign(
        unit_id=unit_of(plan.item_moves["to_school_id"], plan.item_moves["to_stage"])
    )
    for rows in (buy, got):
        wide = rows.pivot_table(index="unit_id", columns="kind", values="quantity", aggfunc="sum")
        table = table.add(wide.reindex(index=table.index, columns=table.columns).fillna(0.0))
    return table


@dataclass(frozen=True, eq=False)
class Before:
    """What no plan changes: today's groups, units, cells, bands and grades, size caps of sites, ways, lower categories."""

    groups: pd.DataFrame
    units: pd.DataFrame
    cells: pd.DataFrame
    caps: pd.DataFrame
    bands: pd.DataFrame
    grades: pd.DataFrame
    minutes: pd.DataFrame
    down: Lower


@lru_cache(maxsize=4)
def _before(county: County, standards: Standards, times: TravelTimes, told: tuple[int, ...]) -> Before:
    """Reckoned once for all plans of a county that are judged in a row; its tables are only read."""
    require_pupils(county)
    groups = today_groups(county, standards, times)
    here = groups.groupby(["today_school_id", "band"])["pupils"].sum()
    units = unit_table(county, standards, here)
    units = units[units["taking_part"]]
    cells = assess(merged_units(units, standards), standards)
    bands, grades = _bands_today(county, groups, units)
    minutes, down = scaled_minutes(times, standards), lower_categories(county, standards).to_dict()
    return Before(groups, units, cells, _site_caps(county, standards), bands, grades, minutes, down)


def before(county: County, standards: Standards, times: TravelTimes) -> Before:
    """What no plan changes in a county; reckoned once while one county is judged in a row."""
    return _before(county, standards, times, content_numbers(county))


def _same_network(one: Plan, other: Plan) -> bool:
    return bool(one.bands.equals(other.bands) and one.attendance.equals(other.attendance))


def settle(
    county: County,
    standards: Standards,
    plan: Plan,
    times: TravelTimes,
    request: Request,
    like: After | None = None,
) -> After:
    """Recompute the county after a plan.

    Parameters
    ----------
    like : After or None
        Of another plan of the same county, standards, times and request: where both have the same bands and ways, they
        are not reckoned again.
    """
    today = before(county, standards, times)
    groups, units, caps = today.groups, today.units, today.caps
    if like is not None and not _same_network(plan, like.plan):
        like = None
    bands = _bands(today.bands, plan) if like is None else like.bands
    heads = _heads(county, today.down, units, plan)
    new = units.copy()
    by_unit = bands.groupby("unit_id")
    new["open"] = by_unit["open"].any().reindex(new.index, fill_value=False)
    new["pupils"] = by_unit["pupils"].sum().reindex(new.index).fillna(0).astype(int)
    new["classes"] = by_unit["classes"].sum().reindex(new.index).fillna(0).astype(int)
    long = heads.reset_index().merge(units[["stage"]], left_on="unit_id", right_index=True, how="left")
    staff = counted_staff(county, standards, long[["unit_id", "stage", "cat_id", "heads"]])
    staff = staff.reindex(new.index).fillna(0).astype(float)
    staff.loc[units["staff"].isna() & new["open"]] = np.nan
    new[list(staff)] = staff
    new[list(standards.items)] = _items(units, standards, plan, new["open"])
    new["assessed"] = assessed(new, standards)
    travel = _travel(county, standards, today.minutes, plan, groups) if like is None else like.travel
    return After(
        county, standards, request, plan, times, units, new, bands, travel, heads, groups, today.grades, budgets(county, request),
        caps["cap"], caps["norm"], today.cells, assess(merged_units(new, standards), standards),
        today.minutes, today.down, {} if like is None else like.network,
    )  # fmt: skip


__all__ = ["After", "settle", "sites", "target_category", "unit_of"]
