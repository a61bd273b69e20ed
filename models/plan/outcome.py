"""The county after a plan, recomputed from the raw tables and the plan alone; no solver, no model."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from geodata.contract.county import County
from geodata.travel.times import TravelTimes
from models.plan.decisions import Plan
from models.problem.baseline import FAR_MINUTES, scaled_minutes, site_bands, sites, today_groups
from models.problem.indicators import assessed, counted_staff, merged_units, unit_table
from models.problem.instance import lower_categories, travel_limits
from models.problem.request import Request, budgets
from models.standards.norms import Standards


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
    def assessed_today(self) -> pd.DataFrame:
        """`units` as they are assessed: places that do not count stand with their parent."""
        return merged_units(self.units, self.standards)

    @property
    def assessed_plan(self) -> pd.DataFrame:
        """`new`, likewise."""
        return merged_units(self.new, self.standards)

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
    table["unit_id"] = unit_of(table["school_id"], table["band"].map(county.scheme.band_stage))
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
    limits = travel_limits(standards)
    rows["limit"] = [limits.get((b, m), np.nan) for b, m in zip(rows["band"], rows["mode"], strict=True)]
    rows["grandfathered"] = (rows["minutes"] > rows["limit"]) & (rows["minutes"] <= rows["minutes_today"])
    village = county.villages.set_index("village_id")
    name = county.schools.set_index("school_id")["name"]
    rows["village"] = rows["village_id"].map(village["name"])
    rows["township"] = rows["village_id"].map(village["township"])
    rows["school"] = rows["school_id"].map(name)
    rows["today_school"] = rows["today_school_id"].map(name)
    return rows


def _heads(county: County, standards: Standards, units: pd.DataFrame, plan: Plan) -> pd.DataFrame:
    stock = county.staff_stock.assign(
        unit_id=unit_of(county.staff_stock["school_id"], county.staff_stock["stage"])
    )
    stock = stock[stock["unit_id"].isin(units.index)]
    table = stock.groupby(["unit_id", "cat_id"])[["heads", "near_retirement"]].sum()
    table = table.rename(columns={"heads": "today", "near_retirement": "near"})
    moves, hires = plan.staff_moves, plan.hires
    out = moves.assign(unit_id=unit_of(moves["from_school_id"], moves["from_stage"]))
    into = moves.assign(unit_id=unit_of(moves["to_school_id"], moves["to_stage"]))
    into["cat_id"] = target_category(county, standards, moves)
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


def target_category(county: County, standards: Standards, moves: pd.DataFrame) -> list[str]:
    """Category at the receiving stage: the same, or in a lower stage the movable one with the same flags."""
    down = {k: dict(v) for k, v in lower_categories(county, standards).items()}
    return [
        str(r.cat_id) if r.from_stage == r.to_stage
        else str(down.get((r.from_stage, r.cat_id), {}).get(r.to_stage, r.cat_id))
        for r in moves.itertuples()
    ]  # fmt: skip


def _items(units: pd.DataFrame, standards: Standards, plan: Plan, is_open: pd.Series) -> pd.DataFrame:
    """Items after: today's while open, plus bought, plus received; a closed unit keeps nothing."""
    table = units[list(standards.items)].astype(float).mul(is_open.astype(float), axis=0)
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
    heads = _heads(county, standards, units, plan)
    new = units.copy()
    by_unit = bands.groupby("unit_id")
    new["open"] = by_unit["open"].any().reindex(new.index, fill_value=False)
    new["pupils"] = by_unit["pupils"].sum().reindex(new.index).fillna(0).astype(int)
    new["classes"] = by_unit["classes"].sum().reindex(new.index).fillna(0).astype(int)
    long = heads.reset_index().merge(units[["stage"]], left_on="unit_id", right_index=True, how="left")
    staff = counted_staff(county, standards, long[["unit_id", "stage", "cat_id", "heads"]])
    staff = staff.reindex(new.index).fillna(0)
    new[list(staff)] = staff
    new[list(standards.items)] = _items(units, standards, plan, new["open"])
    new["assessed"] = assessed(new, standards)
    travel = _travel(county, standards, times, plan, groups)
    return After(
        county, standards, request, plan, times, units, new, bands, travel, heads, groups, budgets(county, request)
    )  # fmt: skip


__all__ = ["FAR_MINUTES", "After", "settle", "sites", "target_category", "unit_of"]
