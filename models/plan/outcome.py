"""The county after a plan, recomputed from the raw tables and the plan alone; no solver, no model."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
import pandas as pd

from geodata.arrays import Flags, Floats, Ints
from geodata.contract.county import County
from geodata.travel.times import TravelTimes
from models.plan.before import WAY, Before, Lower, before, site_pupils, unit_of
from models.plan.decisions import Plan
from models.problem.baseline import sites
from models.problem.indicators import assess, assessed, lent_as_today, merged_units, verdicts
from models.problem.minutes import travel_limits
from models.problem.request import Request, budgets
from models.problem.spread import cv_table
from models.standards.norms import Standards

Key = TypeVar("Key")


@dataclass(frozen=True, eq=False)
class After:
    """Everything the rules, costs and measures are computed from.

    Parameters
    ----------
    today : Before
        What no plan changes.
    new : DataFrame
        The columns of today's units after the plan, plus ``open`` and ``junior``; closed units have zeros, and what is not
        known (NaN) stays so.
    bands : DataFrame
        Index (school_id, band): ``full, grades, unit_id, open, classes, pupils``.
    travel : DataFrame
        See `models.plan.decisions.Verdict.travel`.
    heads : DataFrame
        Index (unit_id, cat_id): ``today, out, into, hired, heads, near, fixed`` (may leave only if the unit
        closes), ``eligible`` (NaN where the table does not say).
    network : dict
        What rules found that look at bands and ways to school alone, by rule id, as far as they were asked: plans with
        the same bands and ways share it.
    """

    county: County
    standards: Standards
    request: Request
    plan: Plan
    times: TravelTimes
    today: Before
    new: pd.DataFrame
    bands: pd.DataFrame
    travel: pd.DataFrame
    heads: pd.DataFrame
    budget: dict[str, float]
    cells_plan: pd.DataFrame
    network: dict[str, pd.DataFrame] = field(default_factory=dict)

    @property
    def units(self) -> pd.DataFrame:
        """Today's units."""
        return self.today.units

    @property
    def groups(self) -> pd.DataFrame:
        """Today's groups."""
        return self.today.groups

    @property
    def cells_today(self) -> pd.DataFrame:
        """Today's cells."""
        return self.today.cells

    @property
    def minutes(self) -> pd.DataFrame:
        """Ways to school."""
        return self.today.minutes

    @property
    def site_cap(self) -> pd.Series:
        """Largest allowed size by school_id, infinite without a norm."""
        return self.today.caps["cap"]

    @property
    def size_norm(self) -> pd.Series:
        """The norm that says it."""
        return self.today.caps["norm"]

    @property
    def combined(self) -> pd.Series:
        """Whether grades are taught together today, by unit_id."""
        return self.today.combined

    def number(self, norm: str) -> float:
        """A norm's number, infinite where the standards have none or it is off."""
        return self.standards.limit(norm, float("inf"))

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
        at, unit = self.today.unit_of_band, self.units
        rows["name"] = rows["school_id"].map(self.today.schools["name"])
        for column in ("stage", "kind", "zone"):
            rows[column] = unit[column].array.take(at, allow_fill=True)
        rows["unit_pupils"] = unit["pupils"].reindex(rows["unit_id"]).to_numpy()
        return rows

    @cached_property
    def open_of(self) -> dict[tuple[str, str], bool]:
        """Whether a band is open, by school_id and band."""
        return dict(zip(self.today.band, self.bands["open"].tolist(), strict=True))

    @cached_property
    def unit_of_head(self) -> Ints:
        """Row of the unit by row of ``heads``; -1 where there is no such unit."""
        return np.array([self.today.place.get(u, -1) for u, _ in self.heads.index], dtype=np.int64)

    @cached_property
    def head_stays(self) -> Flags:
        """Whether the unit stays open, by row of ``heads``."""
        stays: Flags = np.append(self.new["open"].to_numpy(bool), False)[self.unit_of_head]
        return stays

    @cached_property
    def open_units(self) -> pd.DataFrame:
        """Rows of ``new`` that stay open, with unit_id as a column."""
        return self.new[self.new["open"]].reset_index()

    @cached_property
    def grades(self) -> pd.DataFrame:
        """By band and grade: ``pupils`` in the plan (today's share of those who stay, an equal part of those who come),
        ``pupils_today, classes_today``, and of the band ``open, classes, stage, unit_id, name``.
        """
        at = self.today.band_of_grade
        rows = self.today.grades.assign(
            **{c: self.bands[c].to_numpy()[at] for c in ("open", "classes")},
            come=self.moved[0][at],
            gone=self.moved[1][at],
        )
        stay = rows["share"] * (rows["band_today"] - rows["gone"])
        rows["pupils"] = stay + rows["come"] / rows["grades"].clip(lower=1)
        return rows

    @cached_property
    def moved(self) -> tuple[Floats, Floats]:
        """Pupils who come to each band, and who leave it."""
        rows, found = self.travel[self.travel["changed"]], []
        for end in ("school_id", "today_school_id"):
            many = _added(zip(rows[end], rows["band"], strict=True), rows["pupils"])
            found.append(np.array([many.get(k, 0.0) for k in self.today.band], dtype=float))
        return found[0], found[1]

    @cached_property
    def moved_pupils(self) -> float:
        """Pupils whose school changes."""
        return float(self.travel.loc[self.travel["changed"], "pupils"].sum())

    def staff_links(self) -> set[tuple[str, str]]:
        """Townships between which staff may move; all of them where the norm does not bind."""
        rule = self.standards.rules.get("commute_minutes")
        most = float("inf") if rule is None or rule.kind not in ("hard", "soft") else rule.value
        near = self.times.towns[self.times.towns["minutes"] <= most]
        return set(zip(near["from_township"], near["to_township"], strict=True))

    def transfers_fit(self) -> np.ndarray:
        """By staff move: within a stage, or to a lower one that has a category with the same flags."""
        moves = self.plan.staff_moves
        down = self.today.down
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

    @cached_property
    def assessed_plan(self) -> pd.DataFrame:
        """`new` as it is assessed: places that do not count stand with their parent."""
        return merged_units(self.new, self.standards)

    @property
    def said_today(self) -> pd.DataFrame:
        """Whether each unit passes today."""
        return self.today.said

    @cached_property
    def said_plan(self) -> pd.DataFrame:
        """Whether each unit passes in the plan, likewise."""
        return verdicts(self.cells_plan, self.standards)

    @cached_property
    def cvs(self) -> pd.DataFrame:
        """`models.problem.spread.cv_table` of the plan."""
        return cv_table(self.assessed_plan, self.standards, self.new["assessed"])

    @cached_property
    def site_open(self) -> pd.Series:
        """Whether a site keeps any band, by school_id."""
        return self.bands.groupby(level="school_id")["open"].any()


def _bands(today: Before, plan: Plan) -> pd.DataFrame:
    """Today's bands with what the plan says of each, and its pupils."""
    # rows given twice, missing or fractional are violations of their own (known_ids, whole_numbers)
    said: dict[tuple[str, str], tuple[bool, float]] = {}
    for j, b, is_open, n in zip(
        *(plan.bands[c] for c in ("school_id", "band", "open", "classes")), strict=True
    ):
        said.setdefault((j, b), (bool(is_open), n))
    going = plan.attendance
    pupils = _added(zip(going["school_id"], going["band"], strict=True), going["pupils"])
    table = today.bands.copy()
    table["open"] = np.array([said.get(k, (False, 0))[0] for k in today.band], dtype=bool)
    classes = pd.Series([said.get(k, (False, 0))[1] for k in today.band], dtype=plan.bands["classes"].dtype)
    table["classes"] = classes.fillna(0).astype(int)
    table["pupils"] = [pupils.get(k, 0) for k in today.band]
    return table.set_index(["school_id", "band"])


def _added(keys: Iterable[Key], amounts: Iterable[float]) -> dict[Key, float]:
    """Sums by key; what is not known is left out."""
    total: dict[Key, float] = {}
    for key, n in zip(keys, amounts, strict=True):
        if n == n:
            total[key] = total.get(key, 0) + n
    return total


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
        "out": _added(zip(_unit_ids(moves, "from_"), moves["cat_id"], strict=True), moves["heads"]),
        "into": _added(zip(_unit_ids(moves, "to_"), target_category(today.down, moves), strict=True), moves["heads"]),
        "hired": _added(zip(_unit_ids(hires, ""), hires["cat_id"], strict=True), hires["heads"]),
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
        come = _added(zip(_unit_ids(rows, end), rows["kind"], strict=True), rows["quantity"])
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


def target_category(down: Lower, moves: pd.DataFrame) -> list[str]:
    """Category at the receiving stage: the same, or in a lower stage the movable one with the same flags."""
    return [
        str(r.cat_id) if r.from_stage == r.to_stage
        else str(dict(down.get((r.from_stage, r.cat_id), ())).get(r.to_stage, r.cat_id))
        for r in moves.itertuples()
    ]  # fmt: skip


def _same_network(one: Plan, other: Plan) -> bool:
    return bool(one.bands.equals(other.bands) and one.attendance.equals(other.attendance))


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


__all__ = ["After", "settle", "site_pupils", "sites", "target_category", "unit_of"]
