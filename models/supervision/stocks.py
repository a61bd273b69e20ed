"""What the tables of two years say about how much came to a unit and how much left it, as far as a net change can say it.

    delta = stock now - stock then;  A, D = what the plan wanted to come and to leave;  R = heads near retirement then

| case | came | left at most |
|---|---|---|
| only A | A where delta >= A; else between delta and delta + R; anything where delta < 0 | |
| only D | | D where -delta >= D; else -delta |
| both | all where delta = A - D, else anything | all |

Decisions that share a stock share what came and left: each is between

    most(i)  <= left(from) - sum of least(k), came(to) - sum of least(k)        over the others k that share it
    least(i) >= came(to) - sum of most(k)

which is repeated until nothing becomes narrower.
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
        Why they differ: unknown_amount, gone, fell, retirement, both_ways, several, ends_differ, no_category, no_thing, no_attendance,
        no_village, still_pupils.
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


@dataclass(frozen=True)
class Span:
    """Between how much and how much came to a stock, or left it; and why that is not one number."""

    least: float
    most: float
    why: str = ""


def came(then: Stocks, now: Stocks, key: Key, flow: Flow) -> Span:
    """How much of what was to come has come."""
    delta = now.amount(key) - then.amount(key)
    if key[0] not in now.schools or math.isnan(delta):
        return Span(0.0, flow.come, "unknown_amount" if key[0] in now.schools else "gone")
    if flow.leave > 0:
        whole = abs(delta - (flow.come - flow.leave)) <= SAME
        return Span(flow.come, flow.come) if whole else Span(0.0, flow.come, "both_ways")
    if delta < -SAME:
        return Span(0.0, flow.come, "fell")
    least, most = min(delta, flow.come), min(delta + then.near(key), flow.come)
    return Span(least, most, "retirement" if most > least else "")


def left(then: Stocks, now: Stocks, key: Key, flow: Flow) -> Span:
    """How much of what was to leave can have left: that somebody left does not say where to."""
    drop = then.amount(key) - now.amount(key)
    if key[0] not in now.schools or math.isnan(drop) or flow.come > 0:
        return Span(0.0, flow.leave)
    return Span(0.0, min(max(drop, 0.0), flow.leave))


@dataclass(frozen=True)
class Move:
    """One decision about stocks: how much goes from one, if any, to another."""

    start: Key | None
    end: Key
    quantity: float


def settled(moves: list[Move], ends: dict[Key, Span], starts: dict[Key, Span]) -> list[Happened]:
    """How much of each decision happened, as narrow as the sums at both of its ends make it.

    Where the ends contradict each other (more came than can have left) it is between what either says.

    Parameters
    ----------
    moves : list of Move
    ends, starts : dict
        What came to and what left each stock, by `came` and `left`.
    """
    least, most = [0.0] * len(moves), [m.quantity for m in moves]
    at_end, at_start = _sharing(m.end for m in moves), _sharing(m.start for m in moves)
    for _ in range(len(moves) + 1):
        before = (*least, *most)
        for key, span, mine in [
            *((k, ends[k], at_end[k]) for k in ends),
            *((k, starts[k], at_start[k]) for k in starts),
        ]:
            for i in mine:
                others = [k for k in mine if k != i]
                most[i] = min(most[i], max(0.0, span.most - sum(least[k] for k in others)))
                if key in ends and i in at_end.get(key, ()):
                    least[i] = min(max(least[i], span.least - sum(most[k] for k in others)), most[i])
        if before == (*least, *most):
            break
    return [_happened(m, least[i], most[i], ends, at_end, most) for i, m in enumerate(moves)]


def _happened(
    move: Move,
    least: float,
    most: float,
    ends: dict[Key, Span],
    at_end: dict[Key, list[int]],
    every: list[float],
) -> Happened:
    span, mine = ends[move.end], at_end[move.end]
    excess = span.least - sum(every[k] for k in mine)
    if excess > SAME:  # more came than left where it was to come from
        wide = min(move.quantity, most + excess)
        return Happened(least / move.quantity, wide / move.quantity, "ends_differ" if wide > least else "")
    why = span.why or ("several" if len(mine) > 1 else "ends_differ")
    return Happened(least / move.quantity, most / move.quantity, why if most > least + SAME else "")


def _sharing(keys: Iterable[Key | None]) -> dict[Key, list[int]]:
    """Positions of the decisions that share a stock."""
    done: dict[Key, list[int]] = {}
    for i, key in enumerate(keys):
        if key is not None:
            done.setdefault(key, []).append(i)
    return done


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
