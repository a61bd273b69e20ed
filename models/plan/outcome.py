"""The county after a plan, recomputed from the raw tables and the plan alone; no solver, no model."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd

from geodata.arrays import Flags, Floats, Ints
from geodata.contract.county import County
from geodata.travel.times import TravelTimes
from models.plan.before import Before, target_category, total_by, unit_of
from models.plan.decisions import Plan
from models.problem.indicators import merged_units, verdicts
from models.problem.request import Request
from models.problem.spread import cv_table
from models.standards.norms import Standards


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
            many = total_by(zip(rows[end], rows["band"], strict=True), rows["pupils"])
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
