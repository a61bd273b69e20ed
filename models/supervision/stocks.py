"""What the tables of two years say about how much came to a unit and how much left it, as far as a net change can say it.

    delta = stock now - stock then;  A, D = what the plan wanted to come and to leave;  R = heads near retirement then

| case | came | left |
|---|---|---|
| only A | A where delta >= A; else between delta and delta + R; anything where delta < 0 | |
| only D | | D where -delta >= D; else between -delta - R and -delta |
| both | all where delta = A - D, else anything | likewise |
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import pandas as pd

from geodata.contract.county import County
from geodata.contract.unknown import unknown_staff
from models.problem.indicators import unit_table
from models.standards.norms import Standards

SAME = 1e-6
Key = tuple[str, str, str]
"""School, stage (empty: the school's stages together), staff category or resource."""


@dataclass(frozen=True)
class Happened:
    """How much of something planned happened: between two parts of it.

    Parameters
    ----------
    least, most : float
        Parts of what was planned.
    why : str
        Why they differ: unknown_amount, gone, fell, retirement, both_ways, no_category, no_thing, no_attendance, no_village, still_pupils.
    """

    least: float
    most: float
    why: str = ""

    @property
    def status(self) -> str:
        """done, part, slipped, or unknown: what the tables cannot tell is never taken for done."""
        if self.least >= 1.0 - SAME:
            return "done"
        if self.most <= SAME:
            return "slipped"
        return "part" if self.least > SAME and self.most < 1.0 - SAME else "unknown"


ANYTHING = (0.0, 1.0)
"""What is known of a part when nothing is."""


class Stocks:
    """Heads and things of every unit in one year.

    Parameters
    ----------
    county : County
    standards : Standards
    lumped : set of str
        Schools whose things are told for all their stages together.
    """

    def __init__(self, county: County, standards: Standards, lumped: set[str]):
        self.lumped = lumped
        units = unit_table(county, standards)
        self.stages = set(zip(units["school_id"], units["stage"], strict=True))
        open_now = county.schools["status"].eq("open")
        self.schools = set(county.schools.loc[open_now, "school_id"])
        self.things = set(standards.resources) - set(standards.heads)
        kept = [r for r in units.columns if r in self.things]
        by = units.assign(stage=units["stage"].where(~units["school_id"].isin(lumped), ""))
        summed = by.groupby(["school_id", "stage"])[kept].agg(lambda s: s.sum(skipna=False))
        self._things = {(j, s, k): float(v) for (j, s), row in summed.iterrows() for k, v in row.items()}
        self.categories = set(
            zip(county.staff_category["stage"], county.staff_category["cat_id"], strict=True)
        )
        lost = unknown_staff(county.school_stage, county.staff_stock, county.staff_category)
        self._nobody_knows = set(lost.index[lost.to_numpy(bool)])
        stock = county.staff_stock.set_index(["school_id", "stage", "cat_id"])
        self._heads = stock["heads"].astype(float).to_dict()
        self._near = stock["near_retirement"].fillna(0).astype(float).to_dict() if "near_retirement" in stock else {}  # fmt: skip

    def key(self, school: str, stage: str, item: str) -> Key:
        """Under which a thing is counted."""
        return (school, "" if item in self.things and school in self.lumped else stage, item)

    def amount(self, key: Key) -> float:
        """Heads or an amount; NaN where it is not known, 0 where there is no such unit."""
        school, stage, item = key
        if item in self.things:
            there = any(j == school and stage in ("", s) for j, s in self.stages)
            return self._things.get(key, math.nan if there else 0.0)
        if f"{school}/{stage}" in self._nobody_knows:
            return math.nan
        return float(self._heads.get(key, 0.0))

    def near(self, key: Key) -> float:
        """Heads near retirement."""
        return 0.0 if key[2] in self.things else float(self._near.get(key, 0.0))


@dataclass(frozen=True)
class Flow:
    """What a plan wants to come to and to leave one stock."""

    come: float = 0.0
    leave: float = 0.0


def planned_flows(rows: Iterable[tuple[Key | None, Key | None, float]]) -> dict[Key, Flow]:
    """The sums by stock of ``(from, to, quantity)``."""
    done: dict[Key, Flow] = {}
    for start, end, quantity in rows:
        if start is not None:
            old = done.get(start, Flow())
            done[start] = Flow(old.come, old.leave + quantity)
        if end is not None:
            old = done.get(end, Flow())
            done[end] = Flow(old.come + quantity, old.leave)
    return done


def came(then: Stocks, now: Stocks, key: Key, flow: Flow) -> Happened:
    """How much of what was to come has come."""
    if key[0] not in now.schools:
        return Happened(*ANYTHING, "gone")
    delta = now.amount(key) - then.amount(key)
    if math.isnan(delta):
        return Happened(*ANYTHING, "unknown_amount")
    if flow.leave > 0:
        return _both(delta, flow)
    if delta < -SAME:
        return Happened(*ANYTHING, "fell")
    least, most = min(delta, flow.come), min(delta + then.near(key), flow.come)
    return Happened(least / flow.come, most / flow.come, "retirement" if most > least else "")


def left(then: Stocks, now: Stocks, key: Key, flow: Flow) -> Happened:
    """How much of what was to leave has left."""
    if key[0] not in now.schools:
        return Happened(1.0, 1.0)
    drop = then.amount(key) - now.amount(key)
    if math.isnan(drop):
        return Happened(*ANYTHING, "unknown_amount")
    if flow.come > 0:
        return _both(-drop, flow)
    most = min(max(drop, 0.0), flow.leave)
    least = min(max(drop - then.near(key), 0.0), flow.leave)
    return Happened(least / flow.leave, most / flow.leave, "retirement" if most > least else "")


def _both(delta: float, flow: Flow) -> Happened:
    if abs(delta - (flow.come - flow.leave)) <= SAME:
        return Happened(1.0, 1.0)
    return Happened(*ANYTHING, "both_ways")


def together(end: Happened, start: Happened) -> Happened:
    """A move: what came at one end counts, as far as the other end does not contradict it."""
    least, most = min(end.least, start.most), min(end.most, start.most)
    return Happened(least, most, (end.why or start.why) if most > least else "")


def lumped_schools(*counties: County) -> set[str]:
    """Schools whose assets any of the years tells for the whole school."""
    found: set[str] = set()
    for county in counties:
        stage = county.school_stage
        shared = stage["shared_assets"].fillna(False).astype(bool)
        found |= set(stage.loc[shared, "school_id"])
    return found


def resource_units(standards: Standards) -> pd.Series:
    """Unit by resource."""
    return pd.Series({k: one.unit for k, one in standards.resources.items()}, dtype=object)
