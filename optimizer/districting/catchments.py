"""Good plans put together from catchments: a pool of them, and the cheapest choice that covers every unit.

min  Σ c[A] z[A]    subject to   Σ_{A holds u} z[A] = 1 for every unit u,   Σ_{A of j} z[A] <= 1 for every site j

A pool begins with what annealing came across. The prices π[u] and σ[j] of the relaxation tell which other
catchments would pay, c[A] < Σ_{u in A} π[u] + σ[j]; a search per site finds some (column generation; for
districts Mehrotra, Johnson & Nemhauser 1998). HiGHS then chooses in whole numbers. No proof comes of it: a
search gives up early. The proof is the tree's (`optimizer.districting.districting`).
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace

import highspy
import numpy as np
from scipy.sparse import csc_array

from optimizer.districting.annealing import WARM, Areas, Cooled, cooled
from optimizer.solver.engine import Engine
from optimizer.solver.limits import Limits

WORTH = 0.01
"""A catchment joins the pool if its reduced costs are below this share of a plan's cost."""
JOIN = 36_000
"""Catchments that join from all annealings, the least in reduced costs: twice as many take minutes to price on 600 units."""
ROUNDS, IDLE, SMOOTH = 8, 2, 0.6
"""Rounds of prices, how many in a row may not help, and how much of the last prices remains: prices jump less so (Wentges 1997)."""
NODES = 20_000
"""How far a site's search is taken."""
NEW, CLOSE_BY, REACH = 8, 100, 0.002
"""Catchments a site gets in a round and after the last, those within this share of a plan's cost."""
FEW, MOST, CHOICE_NODES = 4000, 16_000, 500
"""Catchments to choose from, at first and where that makes no plan; how far a choice is taken."""

Seen = dict[tuple[int, bytes], tuple[float, np.ndarray]]
"""By site and units: reduced costs above 0, units."""


@dataclass
class Pool:
    """Catchments by site and units.

    Parameters
    ----------
    state : Areas
    """

    state: Areas
    known: dict[tuple[int, bytes], int] = field(default_factory=dict)
    site: list[int] = field(default_factory=list)
    units: list[np.ndarray] = field(default_factory=list)
    cost: list[float] = field(default_factory=list)

    def add(self, site: int, units: np.ndarray) -> bool:
        """A catchment, contiguous and within room; False if it was there."""
        key = (site, units.tobytes())
        if key in self.known:
            return False
        self.known[key] = len(self.site)
        self.site.append(site)
        self.units.append(units)
        self.cost.append(float(self.state.cost[units, site].sum()))
        return True

    def seen(self, search: Cooled) -> Seen:
        """The new catchments within room of a search's states and plan: reduced costs, units."""
        s, sites = self.state, np.arange(len(self.state.sites))
        u = np.arange(len(s.units))
        least = float(s.cost.min(axis=1).sum())
        states = np.unique(search.states, axis=0)
        new: Seen = {}
        for at in [*states, search.plan]:
            load = np.bincount(at, s.ground.demand, len(sites))
            dear = np.bincount(at, np.maximum(s.price[u, at], 0.0), len(sites))
            for j in np.flatnonzero((load <= s.ground.room + 1e-9) & (dear < WORTH * least)):
                units = np.flatnonzero(at == j)
                if (key := (int(j), units.tobytes())) not in self.known:
                    new[key] = float(dear[j]), units
        return new

    def take(self, new: Seen) -> None:
        """Those of the catchments seen that are least in reduced costs, at most `JOIN` and ties."""
        last = sorted(reduced for reduced, _ in new.values())[:JOIN][-1:]
        for (site, _), (reduced, units) in new.items():
            if reduced <= last[0]:
                self.add(site, units)

    def rows(self, some: np.ndarray) -> csc_array:
        """Units, then sites, by catchment."""
        index = [np.append(self.units[k], len(self.state.units) + self.site[k]) for k in some]
        start = np.cumsum([0, *map(len, index)])
        shape = (len(self.state.units) + len(self.state.sites), len(some))
        return csc_array((np.ones(start[-1]), np.concatenate(index), start), shape=shape)


class Prices:
    """The relaxation over a pool that grows: what each unit pays, and each site.

    A unit left over costs more than any way to serve it.
    """

    def __init__(self, pool: Pool):
        self.pool, self.stated = pool, 0
        s = pool.state
        self.split = len(s.units)
        allowed = s.cost < s.limit
        none, over = np.zeros(0, np.int32), 10 * float(s.cost[allowed].max())
        self.highs = highspy.Highs()
        for name, value in (("output_flag", False), ("threads", 1)):
            self.highs.setOptionValue(name, value)
        for k in range(self.split + len(s.sites)):
            self.highs.addRow(float(k < self.split), 1.0, 0, none, np.zeros(0))
        for k in range(self.split):
            self.highs.addCol(over, 0.0, 1.0, 1, np.array([k], np.int32), np.ones(1))

    def solve(self) -> tuple[float, np.ndarray, np.ndarray]:
        """Value of the relaxation, prices of the units, prices of the sites (none above 0)."""
        new = np.arange(self.stated, len(self.pool.site))
        if len(new):
            rows = self.pool.rows(new)
            self.highs.addCols(
                len(new), np.array(self.pool.cost)[new], np.zeros(len(new)), np.ones(len(new)), rows.nnz,
                rows.indptr[:-1].astype(np.int32), rows.indices.astype(np.int32), rows.data,
            )  # fmt: skip
        self.stated = len(self.pool.site)
        self.highs.run()
        prices = np.array(self.highs.getSolution().row_dual)
        return self.highs.getInfo().objective_function_value, prices[: self.split], prices[self.split :]


def searched(
    pool: Pool, guide: np.ndarray, unit: np.ndarray, least: np.ndarray, share: float, most: int
) -> int:
    """Let each site look for catchments, guided by smoothed prices or the prices themselves; how many are new.

    Parameters
    ----------
    guide, unit : ndarray
        Prices by unit; a catchment gains what its units pay less what it costs.
    least : ndarray
        By site: what a catchment must gain under ``unit``.
    share : float
        Of the best gain found under ``guide``, that others must reach.
    most : int
        Catchments to keep of a site, the best.
    """
    from optimizer.districting.catchment_search import valuable

    s, new = pool.state, 0
    found = np.zeros((2000, len(s.units)), bool)
    value = np.zeros(len(found))
    for j in range(len(s.sites)):
        allowed = s.cost[:, j] < s.limit
        gain = np.where(allowed, guide - s.cost[:, j], 0.0)
        above = float(least[j]) if guide is unit else 0.0  # no level is known under smoothed prices
        n = min(len(found), valuable(j, gain, allowed, s.ground, above, share, NODES, found, value))
        for k in np.argsort(-value[:n], kind="stable")[:most]:
            some = np.flatnonzero(found[k])
            if unit[some].sum() - s.cost[some, j].sum() > least[j]:
                new += pool.add(j, some)
    return new


def grow(pool: Pool, relaxed: Prices, rounds: int, until: float = np.inf) -> None:
    """Add catchments that pay under the relaxation's prices, round by round, then those that nearly do."""
    value, unit, site = relaxed.solve()
    smooth, idle = unit, 0
    while rounds > 0 and idle < IDLE and time.monotonic() < until:
        pays = 1e-7 - site
        if not (searched(pool, smooth, unit, pays, 0.97, NEW) or searched(pool, unit, unit, pays, 0.97, NEW)):
            break
        last, (value, unit, site) = value, relaxed.solve()
        smooth = SMOOTH * smooth + (1 - SMOOTH) * unit
        rounds, idle = rounds - 1, 0 if value < last - 1e-5 * abs(last) else idle + 1
    searched(pool, unit, unit, -site - REACH * abs(value), 0.0, CLOSE_BY)


def chosen(
    pool: Pool, relaxed: Prices, most: int, best: float, start: np.ndarray | None, limits: Limits
) -> np.ndarray | None:
    """The cheapest plan of the pool's ``most`` most promising catchments, or None where none is found below ``best``.

    Catchments whose reduced cost alone lifts the relaxation above ``best`` are left out.
    """
    value, unit, site = relaxed.solve()
    cost, rows = np.array(pool.cost), pool.rows(np.arange(len(pool.site)))
    dear = cost - rows.T @ np.concatenate([unit, site])
    some = np.argsort(dear, kind="stable")[:most]
    some = some[value + dear[some] < best] if np.isfinite(best) else some
    if not len(some):
        return None
    split, m = len(unit), len(some)
    low = np.concatenate([np.ones(split), np.zeros(len(site))])
    engine = Engine(
        rows[:, some].tocsc(), low, np.ones(len(low)), np.zeros(m), np.ones(m), np.ones(m, bool),
        {"cost": (cost[some], 0.0)},
    )  # fmt: skip
    first = None
    if start is not None:
        had = [pool.known.get((j, np.flatnonzero(start == j).tobytes()), -1) for j in range(len(site))]
        first = np.isin(some, had).astype(float)
    answer = engine.solve("cost", limits, start=first)
    if answer.values is None or answer.objective >= best:
        return None
    plan = np.zeros(split, np.int64)
    for k in some[answer.values > 0.5]:
        plan[pool.units[k]] = pool.site[k]
    return plan


def composed(
    state: Areas,
    steps: int,
    seeds: list[int],
    seconds: float,
    gap: float,
    until: float = np.inf,
    enough: float = -np.inf,
) -> np.ndarray | None:
    """A good plan: annealed, put together anew, annealed from there and put together once more.

    Parameters
    ----------
    state : Areas
    steps : int
        Of each annealing.
    seeds : list of int
        Of the annealings from nothing; the first third also near the plan that came of these.
    seconds : float
        Of clock, for each choice.
    gap : float
        Relative gap to which a choice is taken.
    until : float
        `time.monotonic` after which neither a search nor a round of prices begins.
    enough : float
        Cost at which a plan is good enough.

    Returns
    -------
    ndarray or None
        Site by unit.
    """
    pool, limits = Pool(state), Limits(gap=gap, seconds=seconds, nodes=CHOICE_NODES)
    relaxed, best, plan = Prices(pool), np.inf, None
    searches = cooled(state, steps, seeds)
    for rounds in (ROUNDS, ROUNDS // 4):
        seen: Seen = {}
        for search in searches:
            seen |= pool.seen(search)
            if search.cost < best:
                best, plan = search.cost, search.plan
            if time.monotonic() > until or best <= enough:
                break
        if best <= enough:
            break
        pool.take(seen)
        grow(pool, relaxed, rounds, until)
        for most in (FEW, MOST):
            better = chosen(pool, relaxed, most, best, plan, limits)
            if better is not None:
                plan = better
                best = float(state.cost[np.arange(len(plan)), plan].sum())
            if plan is not None:
                break
        if plan is None or time.monotonic() > until:
            break
        searches = cooled(replace(state, at=plan), steps, seeds[: -(-len(seeds) // 3)], WARM)
    return plan
