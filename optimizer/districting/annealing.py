"""Good contiguous plans without a solver: units on borders change sites, overfull sites at a price.

Simulated annealing on the *reduced costs* of the relaxation rather than on costs: these carry what the
relaxation knows of scarce room, so that a unit is drawn from a full corner to room far away. Plain costs
leave hundreds of pupils too many on tight instances (`benchmarks/results/service_areas.md`).

Every state is contiguous: a unit goes to a neighbour's site, and what hung on it goes along. The states on
the way are kept: their catchments combine to better plans than any of them (`optimizer.districting.catchments`).
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from models.districting.contiguity import Adjacency, stray
from models.districting.single_source import SingleSource

if TYPE_CHECKING:
    from optimizer.solver.compiled import Ground

HOT, WARM, COLD = 0.3, 0.05, 0.01
"""First temperatures, from nothing and near a plan, and the last, in mean price differences at the borders."""
FINES = (0.3, 1.0, 3.0)
"""Price of a pupil too many, in mean costs of a pupil, from one search to the next."""
STATES = 500
"""States kept of each search."""
PER_BORDER = 2000
OUTSIDE = 1e5
"""A pair that is not allowed costs this many times the dearest: the first plan may need some."""


@dataclass(frozen=True)
class Areas:
    """A problem in numbers, and a first state.

    Parameters
    ----------
    units, sites : list
        Ids in the order of the numbers.
    ground : Ground
    cost, price : ndarray of float (units, sites)
        ``price`` guides the search, ``cost`` says what the plan is worth.
    limit : float
        The cost of a pair that is not allowed, above that of any plan.
    at : ndarray of int
        Site by unit.
    """

    units: list[Any]
    sites: list[Any]
    ground: Ground
    cost: np.ndarray
    price: np.ndarray
    limit: float
    at: np.ndarray

    def served_by(self, at: np.ndarray) -> dict[Any, Any]:
        """A state in ids."""
        return {u: self.sites[j] for u, j in zip(self.units, at, strict=True)}

    def edges(self) -> np.ndarray:
        """Units that may change sites, with each of their neighbours."""
        start, near = self.ground.start, self.ground.near
        ends = np.column_stack([np.repeat(np.arange(len(start) - 1), np.diff(start)), near])
        return np.ascontiguousarray(ends[~np.isin(ends[:, 0], self.ground.home)])


@dataclass(frozen=True)
class Cooled:
    """What a search came across: the best plan within room, its cost (infinite without one), states."""

    cost: float
    plan: np.ndarray
    states: np.ndarray


def grown(
    price: Mapping[tuple[Any, Any], float], graph: Adjacency, served: Mapping[Any, Any]
) -> dict[Any, Any]:
    """Catchments grown from the units served already, cheapest pair first; room is not looked at."""
    now = dict(served)
    ahead = [(price.get((v, j), np.inf), v, j) for u, j in now.items() for v in graph.neighbours[u]]
    heapq.heapify(ahead)
    while ahead:
        _, u, j = heapq.heappop(ahead)
        if u not in now:
            now[u] = j
            for v in graph.neighbours[u]:
                heapq.heappush(ahead, (price.get((v, j), np.inf), v, j))
    return now


def areas(
    problem: SingleSource, graph: Adjacency, price: np.ndarray, served: Mapping[Any, Any] | None = None
) -> Areas | None:
    """The first state: the contiguous part of a plan, grown; None where some unit hangs on no site.

    Parameters
    ----------
    served : mapping of unit to site, or None
        None begins from the sites alone.
    """
    from optimizer.solver.compiled import numbered

    pairs, home = problem.pairs, problem.sites["home"].to_dict()
    keep = {h: j for j, h in home.items()}
    if served is not None:
        cut_off = {u for _, piece in stray(served, home, graph) for u in piece}
        keep |= {u: j for u, j in served.items() if u not in cut_off}
    known = dict(zip(zip(pairs["unit"], pairs["site"], strict=True), price, strict=True))
    first = grown(known, graph, keep)
    units, sites = list(problem.demand.index), list(problem.sites.index)
    if set(units) - set(first) or len(set(home.values())) < len(home):
        return None
    u_at, j_at = {u: k for k, u in enumerate(units)}, {j: k for k, j in enumerate(sites)}
    where = pairs["unit"].map(u_at).to_numpy(), pairs["site"].map(j_at).to_numpy()
    limits, tables = [], []
    for values in (pairs["cost"].to_numpy(float), price):
        limits.append(OUTSIDE * max(1e-6, float(np.abs(values).max())))
        tables.append(np.full((len(units), len(sites)), limits[-1]))
        tables[-1][where] = values
    at = np.array([j_at[first[u]] for u in units])
    return Areas(units, sites, numbered(problem, graph), tables[0], tables[1], limits[0], at)


def scales(state: Areas, edges: np.ndarray) -> tuple[float, float]:
    """A mean step in price at the borders, and the mean cost of a unit of demand."""
    u, here, there = edges[:, 0], state.at[edges[:, 0]], state.at[edges[:, 1]]
    allowed = np.maximum(state.cost[u, here], state.cost[u, there]) < state.limit
    steps = np.abs(state.price[u, there] - state.price[u, here])[allowed]
    steps = steps[steps > 0]
    least = float(state.cost.min(axis=1).sum())
    mean = max(least, 1e-9) / max(float(state.ground.demand.sum()), 1e-9)
    return float(steps.mean()) if len(steps) else 1.0, mean


def cooled(state: Areas, steps: int, seeds: list[int], hot: float = HOT) -> Iterator[Cooled]:
    """One search after the other from the same state.

    Parameters
    ----------
    steps : int
        Borders looked at by each; fewer where there are few borders, `PER_BORDER` for each.
    seeds : list of int
    hot : float
        First temperature, in mean price differences at the first state's borders.
    """
    from optimizer.districting.annealing_steps import anneal

    edges = state.edges()
    step, mean = scales(state, edges)
    turns = min(steps, PER_BORDER * len(edges))
    for k, seed in enumerate(seeds):
        states = np.zeros((STATES, len(state.units)), np.int64)
        cost, plan = anneal(
            state.at.copy(), state.ground, state.cost, state.price, state.limit, edges, turns, seed,
            hot * step, COLD * step, FINES[k % len(FINES)] * mean, states,
        )  # fmt: skip
        yield Cooled(cost, plan, states)


def annealed(
    problem: SingleSource,
    graph: Adjacency,
    price: np.ndarray,
    steps: int,
    seeds: list[int],
    served: Mapping[Any, Any] | None = None,
) -> dict[Any, Any]:
    """The best of several searches; empty where none came across a plan.

    Parameters
    ----------
    problem : SingleSource
        Every site open.
    graph : Adjacency
    price : ndarray
        By row of ``problem.pairs``: the reduced costs of a relaxation.
    steps : int
        Of each search (`cooled`).
    seeds : list of int
    served : mapping of unit to site, or None
        A plan to stay near, contiguous or not. None begins from nothing and hot.
    """
    state = areas(problem, graph, price, served)
    if state is None:
        return {}
    found = min(cooled(state, steps, seeds, HOT if served is None else WARM), key=lambda c: c.cost)
    return state.served_by(found.plan) if np.isfinite(found.cost) else {}
