"""Which figures moved between two years and why: pupils, staff, equipment, network, norms (docs/supervision.md).

Every figure is reckoned for each of the 2^5 mixtures of the two years' drivers; `models.supervision.shapley` gives each driver its part.

| driver | what it is |
|---|---|
| pupils | how many there are in each unit |
| staff | heads by kind, lent ones included |
| equipment | what money buys: rooms, areas, values |
| network | which units there are, where they belong, how they are assessed |
| norms | thresholds, limits, what counts |
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from geodata.contract.county import County
from models.problem.indicators import LENT, assess, assessed, merged_units, unit_table, verdicts
from models.problem.spread import cv_table
from models.standards.norms import Standards, load_standards
from models.supervision.shapley import shapley

DRIVERS = ("pupils", "staff", "equipment", "network", "norms")
NETWORK = ("school_id", "name", "township", "zone", "kind", "stage", "taking_part", "assessed_as")
MOVED_COLUMNS = ["measure", "stage", "indicator", "unit_id", "before", "after", "change", *DRIVERS]
MEASURES_MOVED = ("mean", "cv", "passing", "cells", "imbalance", "ratio", "passes")
"""County figures first (the last two are of single units)."""
Figure = tuple[str, str, str, str]
"""Measure, stage, indicator, unit."""


@dataclass(frozen=True, eq=False)
class Years:
    """Two years of a county under the same ids.

    Parameters
    ----------
    before, after : County
    """

    before: County
    after: County

    @cached_property
    def standards(self) -> tuple[Standards, Standards]:
        """Of either year."""
        return load_standards(self.before), load_standards(self.after)

    @cached_property
    def other_norms(self) -> bool:
        """Whether the norms differ between the years."""
        told = [_numbers(s) for s in self.standards]
        same = set(told[0]) == set(told[1]) and all(_equal(v, told[1][k]) for k, v in told[0].items())
        return not (same and self.standards[0].resources == self.standards[1].resources)

    @cached_property
    def units(self) -> dict[tuple[int, int], pd.DataFrame]:
        """Units by (year of the tables, year of the norms), on one index; what a year does not have is empty there."""
        raw = {
            (y, z): unit_table(county, self.standards[z])
            for y, county in enumerate((self.before, self.after))
            for z in ((0, 1) if self.other_norms else (0,))
        }
        index = raw[0, 0].index.union(raw[1, 0].index)
        done = {}
        for (y, z), table in raw.items():
            other = raw[1 - y, z].reindex(index)
            mine = table.reindex(index)
            absent = ~index.isin(table.index)
            for column in mine.columns:
                if column in NETWORK:
                    mine[column] = mine[column].where(~absent, other[column])
                else:
                    mine[column] = mine[column].astype(object).where(~absent, 0)
            mine["taking_part"] = mine["taking_part"].astype(bool) & ~absent
            mine["assessed_as"] = mine["assessed_as"].where(~absent, "")
            done[y, z] = mine
        return done if self.other_norms else done | {(y, 1): done[y, 0] for y in (0, 1)}

    def columns(self, driver: str, norms: int) -> list[str]:
        """Columns of the units' table that a driver is about, under either year's norms."""
        standards = self.standards[norms]
        every = list(self.units[0, norms].columns)
        heads = [c for c in every if c in standards.heads or c == "staff" or c.endswith(LENT)]
        return {
            "pupils": ["pupils"], "staff": heads, "network": list(NETWORK),
            "equipment": [c for c in every if c in standards.resources and c not in heads],
        }.get(driver, [])  # fmt: skip

    @cached_property
    def differing(self) -> tuple[str, ...]:
        """Drivers that differ at all between the years; the part of any other is nothing."""
        norms = (0, 1) if self.other_norms else (0,)
        found = [
            d
            for d in DRIVERS[:-1]
            if any(not _alike(self.units[0, z], self.units[1, z], self.columns(d, z)) for z in norms)
        ]
        return (*found, *(("norms",) if len(norms) == 2 else ()))

    def mixed(self, changed: frozenset[str]) -> dict[Figure, float]:
        """All figures when some drivers are this year's and the others last year's."""
        at = {d: int(d in changed) for d in DRIVERS}
        norms = at["norms"]
        standards = self.standards[norms]
        source = {d: self.units[at[d], norms] for d in DRIVERS if d != "norms"}
        table = source["network"][list(NETWORK)].copy()
        for driver in ("pupils", "staff", "equipment"):
            columns = self.columns(driver, norms)
            table[columns] = source[driver][columns].astype(float)
        return _figures(table[table["taking_part"].astype(bool)], standards)


def _alike(a: pd.DataFrame, b: pd.DataFrame, columns: list[str]) -> bool:
    """Whether two tables say the same in some columns; unknown is unknown in both."""
    return all(((a[c] == b[c]) | (a[c].isna() & b[c].isna())).all() for c in columns)


def _figures(units: pd.DataFrame, standards: Standards) -> dict[Figure, float]:
    """What an audit says of units, as numbers."""
    units = units.assign(assessed=assessed(units, standards))
    merged = merged_units(units, standards)
    cells = assess(merged, standards)
    said = verdicts(cells, standards).reindex(units.index)
    cvs = cv_table(merged, standards, units["assessed"])
    counts = units["assessed"].astype(bool)
    met = cells["met"].where(cells["unit_id"].map(counts))
    done: dict[Figure, float] = {}
    for row in cvs.itertuples():
        done["mean", row.stage, row.indicator, ""] = float(row.mean)
        done["cv", row.stage, row.indicator, ""] = float(row.cv)
    for stage in standards.scheme.stage_ids:
        mine = (units["stage"] == stage) & counts
        done["passing", stage, "", ""] = float(said.loc[mine, "passes"].sum())
        done["cells", stage, "", ""] = float(met[cells["stage"] == stage].sum())
    done["imbalance", "", "", ""] = float((cvs["cv"] ** 2).sum(min_count=1))
    for row in cells.itertuples():
        done["ratio", row.stage, row.indicator, row.unit_id] = float(row.ratio)
    passes = said["passes"].where(counts)
    for unit, stage, one in zip(units.index, units["stage"], passes, strict=True):
        done["passes", stage, "", unit] = math.nan if pd.isna(one) else float(one)
    return done


def moved(years: Years) -> pd.DataFrame:
    """Every figure of either year with the part of each driver in its change.

    Returns
    -------
    DataFrame
        ``measure`` (mean and cv of an indicator; passing units, cells met by stage; imbalance; ratio and passes of a unit), ``stage,
        indicator, unit_id, before, after, change`` and a column a driver: they add up to ``change``. NaN where a figure is not
        known in a year, or has no meaning in a mixture (a unit that one year does not have).
    """
    worlds: dict[frozenset[str], dict[Figure, float]] = {}

    def world(changed: frozenset[str]) -> dict[Figure, float]:
        worlds[changed] = worlds.get(changed) or years.mixed(changed)
        return worlds[changed]

    parts = shapley(world, years.differing)
    first, last = world(frozenset()), world(frozenset(years.differing))
    rows = []
    for figure in dict.fromkeys([*first, *last]):
        before, after = first.get(figure, math.nan), last.get(figure, math.nan)
        mine = parts.get(figure)
        told = [math.nan] * len(DRIVERS) if mine is None else [float(mine.get(d, 0)) for d in DRIVERS]
        rows.append((*figure[:3], figure[3], before, after, after - before, *told))
    table = pd.DataFrame(rows, columns=MOVED_COLUMNS)
    order = table["measure"].map({m: i for i, m in enumerate(MEASURES_MOVED)})
    return (
        table.assign(order=order)
        .sort_values("order", kind="stable")
        .drop(columns="order")
        .reset_index(drop=True)
    )


def units_passing(years: Years, table: pd.DataFrame) -> pd.DataFrame:
    """Every unit of either year: whether it passed and passes.

    Parameters
    ----------
    years : Years
    table : DataFrame
        Of `moved`.

    Returns
    -------
    DataFrame
        ``unit_id, school_id, name, township, stage, before, after`` (1, 0, NaN: not assessed), ``state`` (gained, lost, passes, fails,
        new, gone, unknown) and the drivers' parts.
    """
    mine = table[table["measure"] == "passes"].set_index("unit_id")
    then, now = years.units[0, 0], years.units[1, 1]
    there = [t["taking_part"].astype(bool) for t in (then, now)]
    units = now[["school_id", "name", "township", "stage"]][there[0] | there[1]].copy()
    units[["before", "after", *DRIVERS]] = mine[["before", "after", *DRIVERS]].reindex(units.index)
    was, is_now = there[0].reindex(units.index), there[1].reindex(units.index)
    known = units["before"].notna() & units["after"].notna()
    rose, fell = units["after"] > units["before"], units["after"] < units["before"]
    state = np.select(
        [~was, ~is_now, ~known, rose, fell, units["after"] > 0], ["new", "gone", "unknown", "gained", "lost", "passes"], "fails"
    )  # fmt: skip
    return units.assign(state=state).rename_axis("unit_id").reset_index()


def norm_changes(years: Years) -> pd.DataFrame:
    """Numbers of the norms that differ between the years: ``norm, what, before, after``."""
    told = [_numbers(s) for s in years.standards]
    nan = math.nan
    rows = [
        (*key, told[0].get(key, nan), told[1].get(key, nan))
        for key in dict.fromkeys([*told[0], *told[1]])
        if not _equal(told[0].get(key, nan), told[1].get(key, nan))
    ]
    return pd.DataFrame(rows, columns=["norm", "what", "before", "after"])


def _numbers(standards: Standards) -> dict[tuple[str, str], float]:
    done = {(r, "value"): float(one.value) for r, one in standards.rules.items() if one.kind != "off"}
    for i in standards.indicators:
        for what in ("threshold", "tolerance", "cv_limit", "scale"):
            done[f"{i.stage}/{i.id}", what] = float(getattr(i, what))
    return done


def _equal(a: float, b: float) -> bool:
    return a == b or (a != a and b != b)
