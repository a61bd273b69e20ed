"""The county after a plan, recomputed from the raw tables and the plan alone; no solver, no model."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from geodata.contract.county import County
from geodata.contract.tables import BAND_STAGE
from geodata.travel.times import TravelTimes
from models.plan.decisions import Plan
from models.problem.baseline import FAR_MINUTES, scaled_minutes, site_bands, sites, today_groups
from models.problem.indicators import RESOURCES, counted_staff, unit_table
from models.problem.request import Request, budgets
from models.standards.norms import Standards

ITEM_KINDS = ("rooms_multimedia", "equip_value", "area_teaching", "area_sport")


@dataclass(frozen=True)
class After:
    """Everything the rules, costs and measures are computed from.

    Parameters
    ----------
    units : DataFrame
        Index unit_id, today (as `unit_table`), taking part only.
    new : DataFrame
        The same columns after the plan, plus ``open`` and ``junior``; closed units have zeros.
    bands : DataFrame
        Index (school_id, band): ``full, grades, unit_id, open, classes, pupils``.
    travel : DataFrame
        See `models.plan.decisions.Verdict.travel`.
    heads : DataFrame
        Index (unit_id, cat_id): ``today, out, into, hired, heads, near``.
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
    budget: dict[str, float]

    @property
    def site_open(self) -> pd.Series:
        """Whether a site keeps any band, by school_id."""
        return self.bands.groupby(level="school_id")["open"].any()


def unit_of(school_id: pd.Series, stage: pd.Series) -> pd.Series:
    """unit_id from its two parts."""
    return school_id.astype(str) + "/" + stage.astype(str)


def _bands(county: County, plan: Plan) -> pd.DataFrame:
    # rows given twice, missing or fractional are violations of their own (known_ids, whole_numbers)
    said = plan.bands.drop_duplicates(["school_id", "band"])[["school_id", "band", "open", "classes"]]
    table = site_bands(county).merge(said, on=["school_id", "band"], how="left")
    table["open"] = table["open"].eq(True)
    table["classes"] = table["classes"].fillna(0).astype(int)
    table["unit_id"] = unit_of(table["school_id"], table["band"].map(BAND_STAGE))
    pupils = plan.attendance.groupby(["school_id", "band"])["pupils"].sum().rename("pupils").reset_index()
    table = table.merge(pupils, on=["school_id", "band"], how="left").fillna({"pupils": 0})
    return table.set_index(["school_id", "band"]).sort_index()


def _travel(
    county: County, standards: Standards, times: TravelTimes, plan: Plan, groups: pd.DataFrame
) -> pd.DataFrame:
    """Each group's way before and after, with its limit."""
    minutes = scaled_minutes(times, standards)
    rows = plan.attendance.merge(minutes, on=["village_id", "school_id", "band", "mode"], how="left")
    key = ["village_id", "band", "group", "today_school_id"]
    rows = rows.merge(groups[[*key, "today_mode", "today_minutes"]], on=key, how="left")
    rows = rows.rename(columns={"today_minutes": "minutes_today"})
    rows["changed"] = rows["school_id"] != rows["today_school_id"]
    same = ~rows["changed"] & (rows["mode"] == rows["today_mode"])
    rows["minutes"] = rows["minutes"].where(~same, rows["minutes_today"])
    limits = {(b, m): standards.value(f"travel_{m}_{b}") for b in BAND_STAGE for m in ("walk", "bus")}
    rows["limit"] = [limits.get((b, m), np.nan) for b, m in zip(rows["band"], rows["mode"], strict=True)]
    rows["grandfathered"] = (rows["minutes"] > rows["limit"]) & (rows["minutes"] <= rows["minutes_today"])
    village = county.villages.set_index("village_id")
    name = county.schools.set_index("school_id")["name"]
    rows["village"] = rows["village_id"].map(village["name"])
    rows["township"] = rows["village_id"].map(village["township"])
    rows["school"] = rows["school_id"].map(name)
    rows["today_school"] = rows["today_school_id"].map(name)
    return rows


def _heads(county: County, units: pd.DataFrame, plan: Plan) -> pd.DataFrame:
    stock = county.staff_stock.assign(
        unit_id=unit_of(county.staff_stock["school_id"], county.staff_stock["stage"])
    )
    stock = stock[stock["unit_id"].isin(units.index)]
    table = stock.groupby(["unit_id", "cat_id"])[["heads", "near_retirement"]].sum()
    table = table.rename(columns={"heads": "today", "near_retirement": "near"})
    moves, hires = plan.staff_moves, plan.hires
    out = moves.assign(unit_id=unit_of(moves["from_school_id"], moves["from_stage"]))
    into = moves.assign(unit_id=unit_of(moves["to_school_id"], moves["to_stage"]))
    into["cat_id"] = target_category(county, moves)
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
    return table.sort_index()


def target_category(county: County, moves: pd.DataFrame) -> list[str]:
    """Category at the receiving stage: the same, or for junior to primary the movable one with the same flags."""
    flags = ["counts_q", "counts_b", "counts_a"]
    primary = county.staff_category[(county.staff_category["stage"] == "pri")].sort_values(
        ["movable", "cat_id"], kind="stable"
    )
    match = {tuple(r[flags]): str(r["cat_id"]) for _, r in primary.iterrows()}
    junior = county.staff_category[county.staff_category["stage"] == "jun"].set_index("cat_id")[flags]
    return [
        str(r.cat_id) if r.from_stage == r.to_stage or r.cat_id not in junior.index
        else match.get(tuple(junior.loc[r.cat_id]), str(r.cat_id))
        for r in moves.itertuples()
    ]  # fmt: skip


def _items(units: pd.DataFrame, plan: Plan, is_open: pd.Series) -> pd.DataFrame:
    """Items after: today's while open, plus bought, plus received; a closed unit keeps nothing."""
    table = units[list(ITEM_KINDS)].astype(float).mul(is_open.astype(float), axis=0)
    buy = plan.purchases.assign(unit_id=unit_of(plan.purchases["school_id"], plan.purchases["stage"]))
    got = plan.item_moves.assign(
        unit_id=unit_of(plan.item_moves["to_school_id"], plan.item_moves["to_stage"])
    )
    for rows in (buy, got):
        wide = rows.pivot_table(index="unit_id", columns="kind", values="quantity", aggfunc="sum")
        table = table.add(wide.reindex(index=table.index, columns=table.columns).fillna(0.0))
    return table


def settle(county: County, standards: Standards, plan: Plan, times: TravelTimes, request: Request) -> After:
    """Recompute the county after a plan."""
    units = unit_table(county, standards)
    units = units[units["taking_part"]]
    groups = today_groups(county, standards, times)
    bands = _bands(county, plan)
    heads = _heads(county, units, plan)
    new = units.copy()
    by_unit = bands.groupby("unit_id")
    new["open"] = by_unit["open"].any().reindex(new.index, fill_value=False)
    new["pupils"] = by_unit["pupils"].sum().reindex(new.index).fillna(0).astype(int)
    new["classes"] = by_unit["classes"].sum().reindex(new.index).fillna(0).astype(int)
    long = heads.reset_index().merge(units[["stage"]], left_on="unit_id", right_index=True, how="left")
    staff = counted_staff(county, long[["unit_id", "stage", "cat_id", "heads"]]).reindex(new.index).fillna(0)
    new[["staff", "q", "b", "a"]] = staff[["staff", "q", "b", "a"]]
    new[list(ITEM_KINDS)] = _items(units, plan, new["open"])
    counted = county.schools.set_index("school_id")["counted"].fillna(True).astype(bool)
    new["assessed"] = new["school_id"].map(counted) & (new["pupils"] >= standards.value("assessed_min"))
    travel = _travel(county, standards, times, plan, groups)
    return After(
        county, standards, request, plan, times, units, new, bands, travel, heads, groups, budgets(county, request)
    )  # fmt: skip


__all__ = ["FAR_MINUTES", "ITEM_KINDS", "RESOURCES", "After", "settle", "sites", "target_category", "unit_of"]
