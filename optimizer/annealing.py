"""A good contiguous plan without a solver: units on borders change sites, overfull sites at a price.

Simulated annealing on the *reduced costs* of the relaxation rather than on costs: these carry what the
relaxation knows of scarce room, so that a unit is drawn from a full corner to room far away. Plain costs
leave hundreds of pupils too many on tight instances (`benchmarks/results/service_areas.md`).

Every state is contiguous: a unit goes to a neighbour's site, and what hung on it goes along.
"""

from __future__ import annotations

import heapq
import math
import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from models.contiguity import Adjacency, stray
from models.single_source import SingleSource

HOT, WARM, COLD = 0.2, 0.03, 0.002
"""First temperatures, from nothing and near a plan, and the last, in mean price differences at the borders."""
FINE, FINE_STEP = 0.3, 1.003
"""First price of a pupil too many, in mean costs of a pupil, and its factor from one window to the next."""
FITTING = 0.2, 0.6
"""Share of states within room below which that price rises and above which it falls."""
WINDOWS = 1000
PER_BORDER = 1000
OUTSIDE = 1e5
"""A pair that is not allowed costs this many times the dearest: the first plan may need some."""


@dataclass
class Areas:
    """A plan in numbers, and what a change of it costs.

    Parameters
    ----------
    cost, price : list of list of float
        By unit and site; ``price`` guides the search, ``cost`` says what the plan is worth.
    near : list of list of int
    home : list of int
        Unit by site.
    limit : float
        The cost of a pair that is not allowed, above that of any plan.
    at : list of int
        Site by unit.
    """

    cost: list[list[float]]
    price: list[list[float]]
    demand: list[float]
    room: list[float]
    near: list[list[int]]
    home: list[int]
    limit: float
    at: list[int]
    close: list[set[int]] = field(init=False)

    def __post_init__(self) -> None:
        self.close = [set(n) for n in self.near]

    def hung_on(self, u: int) -> list[int]:
        """Units of u's catchment that lose the way to their site when u leaves."""
        at, near = self.at, self.near
        j = at[u]
        some = {v for v in near[u] if at[v] == j}
        if len(some) < 2:
            return []
        left = set(some)
        ahead = [left.pop()]
        while ahead and left:  # mostly the neighbours hold each other
            hit = left & self.close[ahead.pop()]
            left -= hit
            ahead += hit
        if not left:
            return []
        left = self._spread([self.home[j]], {u, self.home[j]}, j, some - {self.home[j]})
        lost = set(left)
        self._spread(sorted(left), lost | {u}, j, set(), lost)
        return sorted(lost)

    def _spread(
        self, ahead: list[int], seen: set[int], j: int, want: set[int], found: set[int] | None = None
    ) -> set[int]:
        """Walk through catchment j; what of ``want`` is not come across."""
        while ahead and (want or found is not None):
            for v in self.near[ahead.pop()]:
                if self.at[v] == j and v not in seen:
                    seen.add(v)
                    ahead.append(v)
                    want.discard(v)
                    if found is not None:
                        found.add(v)
        return want


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
    problem: SingleSource, graph: Adjacency, price: np.ndarray, served: Mapping[Any, Any]
) -> Areas | None:
    """The first state: a contiguous part of a plan, grown; None where some unit hangs on no site."""
    pairs, home = problem.pairs, problem.sites["home"].to_dict()
    known = dict(zip(zip(pairs["unit"], pairs["site"], strict=True), price, strict=True))
    first = grown(known, graph, served)
    units, sites = list(problem.demand.index), list(problem.sites.index)
    if set(units) - set(first) or len(set(home.values())) < len(home):
        return None
    u_at, j_at = {u: k for k, u in enumerate(units)}, {j: k for k, j in enumerate(sites)}
    where = pairs["unit"].map(u_at).to_numpy(), pairs["site"].map(j_at).to_numpy()
    cost = pairs["cost"].to_numpy(float)
    limit = OUTSIDE * max(1e-6, float(np.abs(cost).max()))
    tables: list[list[list[float]]] = []
    for values, outside in ((cost, limit), (price, OUTSIDE * max(1e-6, float(np.abs(price).max())))):
        table = np.full((len(units), len(sites)), outside)
        table[where] = values
        tables.append(table.tolist())
    return Areas(
        cost=tables[0], price=tables[1], demand=problem.demand.tolist(), room=problem.sites["room"].tolist(),
        near=[[u_at[v] for v in graph.neighbours[u]] for u in units],
        home=[u_at[home[j]] for j in sites], limit=limit, at=[j_at[first[u]] for u in units],
    )  # fmt: skip


def scales(state: Areas) -> tuple[float, float]:
    """A mean step in price at the borders, and the mean cost of a unit of demand."""
    usual = [
        abs(state.price[u][state.at[v]] - state.price[u][state.at[u]])
        for u, near in enumerate(state.near)
        for v in near
        if max(state.cost[u][state.at[v]], state.cost[u][state.at[u]]) < state.limit
    ]
    usual = [x for x in usual if x > 0]
    least = sum(min(row) for row in state.cost)
    return float(np.mean(usual or [1.0])) or 1.0, max(least, 1e-9) / max(sum(state.demand), 1e-9)


def anneal(state: Areas, steps: int, seed: int, hot: float) -> tuple[float, list[int]]:
    """Best plan within room come across from a state, and its cost; infinite where there was none.

    Parameters
    ----------
    state : Areas
        Changed on the way.
    steps : int
        Borders looked at.
    seed : int
    hot : float
        First temperature, in mean price differences at the first plan's borders.
    """
    at, demand, room, cost, price = state.at, state.demand, state.room, state.cost, state.price
    homes = set(state.home)
    edges = [(u, v) for u, near in enumerate(state.near) if u not in homes for v in near]
    if not edges:
        return _worth(state), list(at)
    load = [0.0] * len(room)
    for u, j in enumerate(at):
        load[j] += demand[u]
    over = sum(max(0.0, x - r) for x, r in zip(load, room, strict=True))
    total = sum(cost[u][j] for u, j in enumerate(at))
    step, mean = scales(state)
    heat, fine = hot * step, FINE * mean
    window, fitting = max(1, steps // WINDOWS), 0
    draw, count = random.Random(seed).random, len(edges)
    best, plan = _worth(state), list(at)
    for turn in range(steps):
        if turn % window == 0:
            heat *= (COLD / hot) ** (1 / WINDOWS)
            fine *= FINE_STEP if fitting < FITTING[0] * window else 1.0
            fine /= FINE_STEP if fitting > FITTING[1] * window else 1.0
            fitting = 0
        fitting += over <= 1e-6
        u, v = edges[int(draw() * count)]
        j, k = at[u], at[v]
        if j == k or cost[u][k] >= state.limit:
            continue
        more = _more(demand[u], load[j] - room[j], load[k] - room[k])
        change = price[u][k] - price[u][j] + fine * more
        if change > 0 and draw() >= math.exp(-change / heat):
            continue
        goes = [u, *state.hung_on(u)]
        need = demand[u]
        if len(goes) > 1:
            need = sum(demand[w] for w in goes)
            more = _more(need, load[j] - room[j], load[k] - room[k])
            change = sum(price[w][k] - price[w][j] for w in goes) + fine * more
            if any(cost[w][k] >= state.limit for w in goes) or (
                change > 0 and draw() >= math.exp(-change / heat)
            ):
                continue
        for w in goes:
            at[w] = k
            total += cost[w][k] - cost[w][j]
        load[j] -= need
        load[k] += need
        over += more
        if over <= 1e-6 and total < min(best - 1e-9, state.limit):
            best, plan = total, list(at)
    return best, plan


def _more(need: float, here: float, there: float) -> float:
    """How much more is too many when so much goes from a site to another, by what either has too many."""
    return max(0.0, there + need) - max(0.0, there) - max(0.0, here) + max(0.0, here - need)


def _worth(state: Areas) -> float:
    load = [0.0] * len(state.room)
    for u, j in enumerate(state.at):
        load[j] += state.demand[u]
    fits = all(x <= r + 1e-9 for x, r in zip(load, state.room, strict=True))
    total = sum(state.cost[u][j] for u, j in enumerate(state.at))
    return total if fits and total < state.limit else float("inf")


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
        Of each search; fewer where there are few borders, `PER_BORDER` for each.
    seeds : list of int
    served : mapping of unit to site, or None
        A plan to stay near, contiguous or not. None begins from nothing and hot.
    """
    home = problem.sites["home"].to_dict()
    keep = {h: j for j, h in home.items()}
    if served is not None:
        cut_off = {u for _, piece in stray(served, home, graph) for u in piece}
        keep |= {u: j for u, j in served.items() if u not in cut_off}
    units, sites = list(problem.demand.index), list(problem.sites.index)
    best, found = float("inf"), {}
    for seed in seeds:
        state = areas(problem, graph, price, keep)
        if state is None:
            return {}
        turns = min(steps, PER_BORDER * sum(map(len, state.near)))
        cost, plan = anneal(state, turns, seed, HOT if served is None else WARM)
        if cost < best:
            best, found = cost, {units[u]: sites[j] for u, j in enumerate(plan)}
    return found
