"""From a plan's tables to the county after it: bands, ways, heads, units; from the raw tables, without solver or model."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from geodata.arrays import Flags, Floats, Ints
from geodata.contract.county import County
from geodata.travel.times import TravelTimes
from models.plan.before import WAY, Before, before, target_category, total_by
from models.plan.decisions import Plan
from models.plan.outcome import After
from models.problem.indicators import assess, assessed, lent_as_today, merged_units
from models.problem.minutes import travel_limits
from models.problem.request import Request, budgets
from models.standards.norms import Standards


def settle(
    county: County,
    standards: Standards,
    plan: Plan,
    times: TravelTimes,
    request: Request,
    like: After | None = None,
    today: Before | None = None,
) -> After:
    """Recompute the county after a plan.

    Parameters
    ----------
    like : After or None
        Of another plan of the same county, standards, times and request: where both have the same bands and ways, they
        are not reckoned again.
    today : Before or None
        What no plan changes there, where it is at hand.
    """
    today = today or before(county, standards, times)
    if like is not None and not _same_network(plan, like.plan):
        like = None
    bands = _bands(today, plan) if like is None else like.bands
    heads = _heads(today, plan)
    new = _units(today, plan, bands, heads)
    return After(
        county, standards, request, plan, times, today, new, bands, _travel(today, plan) if like is None else like.travel,
        heads, budgets(county, request), assess(merged_units(new, standards), standards),
        {} if like is None else like.network,
    )  # fmt: skip


def _same_network(one: Plan, other: Plan) -> bool:
    return bool(one.bands.equals(other.bands) and one.attendance.equals(other.attendance))


def _bands(today: Before, plan: Plan) -> pd.DataFrame:
    """Today's bands with what the plan says of each, and its pupils."""
    # rows given twice, missing or fractional are violations of their own (known_ids, whole_numbers)
    said: dict[tuple[str, str], tuple[bool, float]] = {}
    for j, b, is_open, n in zip(
        *(plan.bands[c] for c in ("school_id", "band", "open", "classes")), strict=True
    ):
        said.setdefault((j, b), (bool(is_open), n))
    going = plan.attendance
    pupils = total_by(zip(going["school_id"], going["band"], strict=True), going["pupils"])
    table = today.bands.copy()
    table["open"] = np.array([said.get(k, (False, 0))[0] for k in today.band], dtype=bool)
    classes = pd.Series([said.get(k, (False, 0))[1] for k in today.band], dtype=plan.bands["classes"].dtype)
    table["classes"] = classes.where(np.isfinite(classes), 0).astype(int)
    table["pupils"] = [pupils.get(k, 0) for k in today.band]
    return table.set_index(["school_id", "band"])


def _at(values: pd.Series, rows: Ints) -> Any:
    """Values by row; -1 is not known."""
    return values.array.take(rows, allow_fill=True)


def _travel(today: Before, plan: Plan) -> pd.DataFrame:
    """Each group's way before and after, with its limit."""
    rows = plan.attendance.copy()
    row = today.ways.row
    way = np.array(
        [row.get(k, -1) for k in zip(*(rows[c].tolist() for c in WAY), strict=True)], dtype=np.int64
    )
    keys = zip(*(rows[c] for c in ("village_id", "band", "group", "today_school_id")), strict=True)
    group = np.array([today.group.get(k, -1) for k in keys], dtype=np.int64)
    rows["minutes"], rows["km"] = (
        np.asarray(_at(today.minutes[c], way), dtype=float) for c in ("minutes", "km")
    )
    rows["today_mode"] = _at(today.groups["today_mode"], group)
    rows["minutes_today"] = _at(today.groups["today_minutes"], group)
    band, mode, today_mode = (rows[c].to_numpy(object) for c in ("band", "mode", "today_mode"))
    rows["changed"] = rows["school_id"].to_numpy(object) != rows["today_school_id"].to_numpy(object)
    same = ~rows["changed"].to_numpy(bool) & (mode == today_mode)
    rows["minutes"] = np.where(same, rows["minutes_today"], rows["minutes"])
    rows["limit"], rows["limit_today"] = (travel_limits(today.standards, m, band) for m in (mode, today_mode))
    rows["grandfathered"] = (rows["minutes"] > rows["limit"]) & (rows["minutes"] <= rows["minutes_today"])
    village = today.villages.index.get_indexer(rows["village_id"])
    rows["village"], rows["township"] = (_at(today.villages[c], village) for c in ("name", "township"))
    for told, of in (("school", "school_id"), ("today_school", "today_school_id")):
        rows[told] = _at(today.schools["name"], today.schools.index.get_indexer(rows[of]))
    return rows


def _unit_ids(rows: pd.DataFrame, end: str) -> list[str]:
    return [f"{j}/{s}" for j, s in zip(rows[f"{end}school_id"], rows[f"{end}stage"], strict=True)]


def _heads(today: Before, plan: Plan) -> pd.DataFrame:
    """Heads by unit and category, before and after."""
    moves, hires = plan.staff_moves, plan.hires
    parts = {
        "out": total_by(zip(_unit_ids(moves, "from_"), moves["cat_id"], strict=True), moves["heads"]),
        "into": total_by(zip(_unit_ids(moves, "to_"), target_category(today.down, moves), strict=True), moves["heads"]),
        "hired": total_by(zip(_unit_ids(hires, ""), hires["cat_id"], strict=True), hires["heads"]),
    }  # fmt: skip
    table = today.stock
    more = set().union(*parts.values()).difference(table.index) if any(parts.values()) else set()
    if more:
        index = pd.MultiIndex.from_tuples(sorted({*table.index, *more}), names=table.index.names)
        table = table.reindex(index).fillna({"today": 0.0, "near": 0.0, "fixed": 0.0})
    for name, part in parts.items():
        column = np.array([part.get(k, 0.0) for k in table.index], dtype=float) if part else 0.0
        table = table.assign(**{name: column})
    return table.assign(heads=table["today"] - table["out"] + table["into"] + table["hired"])


def _staff(today: Before, heads: pd.DataFrame) -> Floats:
    """All heads of each unit, and those that count for each of the standards' kinds: an array (units, 1 + kinds)."""
    kinds = today.standards.heads
    table = np.zeros((len(today.units), 1 + len(kinds)))
    stage, none = today.units["stage"].tolist(), (0,) * len(kinds)
    for (u, c), n in zip(heads.index, heads["heads"].tolist(), strict=True):
        at = today.place.get(u)
        if at is not None:
            table[at] += np.multiply(n, (1, *today.counts.get((stage[at], c), none)))
    return table


def _items(today: Before, plan: Plan, is_open: Flags) -> Floats:
    """Items after, an array (units, items): today's while open, bought, received; a closed unit keeps nothing."""
    names = today.standards.items
    column = {k: i for i, k in enumerate(names)}
    have: Floats = today.units[list(names)].to_numpy(float, copy=True)
    have[~is_open] = 0.0  # also of what is not known
    for rows, end in ((plan.purchases, ""), (plan.item_moves, "to_")):
        come = total_by(zip(_unit_ids(rows, end), rows["kind"], strict=True), rows["quantity"])
        for (unit, kind), n in come.items():
            if unit in today.place and kind in column:
                have[today.place[unit], column[kind]] += n
    return have


def _units(today: Before, plan: Plan, bands: pd.DataFrame, heads: pd.DataFrame) -> pd.DataFrame:
    """Units after the plan."""
    standards, many = today.standards, len(today.units)
    has = today.unit_of_band >= 0
    at = today.unit_of_band[has]

    def total(column: str) -> Floats:
        return np.bincount(at, bands[column].to_numpy(float)[has], minlength=many).astype(float)

    new = today.units.copy()
    new["open"] = total("open") > 0
    new["pupils"], new["classes"] = total("pupils").astype(int), total("classes").astype(int)
    is_open = new["open"].to_numpy(bool)
    staff = _staff(today, heads)
    staff[today.units["staff"].isna().to_numpy(bool) & is_open] = np.nan
    new[["staff", *standards.heads]] = staff
    new[list(standards.items)] = _items(today, plan, is_open)
    new = lent_as_today(new, today.units, standards)
    new["assessed"] = assessed(new, standards)
    return new
