"""Service areas: least cost, whole units, room and contiguous catchments, proven.

Surrogate plan (HiGHS, a closer neighbour goes along) -> start -> one tree in which separators and the
cuts of each site's room come into force where they are broken (`optimizer.branch_and_cut`).
"""

from __future__ import annotations

import heapq
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from models.contiguity import Adjacency, closer_rows, fractional_cuts, splits, ways
from models.knapsack import Room
from models.single_source import SingleSource, cost_of, single_source
from optimizer.branch_and_cut import Cut, Tree
from optimizer.highs import Answer, Bridge, Limits, Progress
from optimizer.locating import Narrow, Sites, locate

GUESSES = (0.25, 0.4, 0.6)
"""Guesses of the optimum, as shares of the way from the root's bound to the start."""
WORTH = 1e-3
"""Share of the cost that the rooms' cuts must add at the root to be sought in the whole tree."""
SURROGATE_GAP, SURROGATE_NODES = 0.03, 20
"""How far the surrogate plan is taken: it is improved by other means."""
NEIGHBOURS = (4, 7)
"""Sites whose areas are improved together, first few, then more."""
PART_GAP, PART_NODES = 1e-3, 30
"""How far each such improvement is taken."""


@dataclass(frozen=True)
class Served:
    """Who serves whom, and what is known about it.

    Parameters
    ----------
    answer : Answer
        Status, cost, proven bound, gap, seconds, nodes.
    served_by : dict of unit to site
        Empty without a plan.
    start : float
        Cost of the surrogate plan; NaN without one.
    seconds : float
        Of everything, statement of the model included.
    """

    answer: Answer
    served_by: dict[Any, Any]
    start: float
    seconds: float


def lightest_ways(home: Any, demand: Mapping[Any, float], graph: Adjacency) -> dict[Any, float]:
    """Least total demand of a connected set with home and each unit: the units on the lightest way."""
    best = {home: demand[home]}
    ahead = [(demand[home], home)]
    while ahead:
        d, u = heapq.heappop(ahead)
        if d > best[u]:
            continue
        for v in graph.neighbours[u]:
            if d + demand[v] < best.get(v, np.inf):
                best[v] = d + demand[v]
                heapq.heappush(ahead, (best[v], v))
    return best


def possible_pairs(problem: SingleSource, graph: Adjacency) -> SingleSource:
    """The problem without pairs that no contiguous plan within room can use.

    An open site serves the unit it stands in. Where every site is open it reaches a unit only through
    units that do not hold another site; and in any case only if the lightest way fits its room.
    """
    home = problem.sites["home"].to_dict()
    demand = problem.demand.to_dict()
    owner = {} if problem.located else {h: j for j, h in home.items()}
    light = {
        j: lightest_ways(h, demand, graph.within(set(demand) - (set(owner) - {h}))) for j, h in home.items()
    }
    room = problem.sites["room"].to_dict()
    keep = [
        owner.get(u, j) == j and light[j].get(u, np.inf) <= room[j] + 1e-9
        for u, j in zip(problem.pairs["unit"], problem.pairs["site"], strict=True)
    ]
    return problem.only(np.array(keep, dtype=bool))


class Separator:
    """Finds the cuts of one problem: separators of catchments, and cuts of each site's room.

    Parameters
    ----------
    problem : SingleSource
        Demands in whole numbers, or the cuts of the room are left to the room's own row.
    graph : Adjacency or None
        None asks for no contiguity.
    column : Series
        Column of the bridge by pair p.
    opened : mapping of site to column, empty where every site is open
    cost : ndarray
        Objective by column.
    """

    def __init__(
        self, problem: SingleSource, graph: Adjacency | None, column: pd.Series, opened: Mapping[Any, int],
        cost: np.ndarray,
    ):  # fmt: skip
        self.graph, self.opened, self.cost = graph, opened, cost
        self.without, self.gained = float("nan"), 0.0
        self.home = problem.sites["home"].to_dict()
        pairs = problem.pairs
        self.columns = column.loc[pairs.index].to_numpy(np.int32)
        self.unit, self.site = pairs["unit"].to_numpy(), pairs["site"].to_numpy()
        self.of = {(u, j): k for k, (u, j) in enumerate(zip(self.unit, self.site, strict=True))}
        self.rows = {j: np.flatnonzero(self.site == j) for j in problem.sites.index}
        self.allowed = {j: set(self.unit[k]) for j, k in self.rows.items()}
        self.nets = {} if graph is None else {j: splits(graph, units) for j, units in self.allowed.items()}
        self.rooms = {}
        demand = problem.demand
        if (demand % 1 == 0).all():
            for j, k in self.rows.items():
                need = demand.loc[self.unit[k]].to_numpy(np.int64)
                self.rooms[j] = Room(need, int(problem.sites.at[j, "room"]))

    def __call__(self, values: np.ndarray, root: bool) -> list[Cut]:
        """Cuts that these values of all columns violate.

        At the root separators come first and the rooms' cuts once no separator is left, so that what the
        latter bring is known; where that is little they are not sought again below.
        """
        least = 0.01 if root else 0.05
        x = values[self.columns]
        cuts = [] if self.graph is None else self._contiguity(x, least)
        if root and cuts and np.isnan(self.without):
            return cuts
        if root:
            cost = float(self.cost @ values)
            self.without = cost if np.isnan(self.without) else self.without
            self.gained = cost - self.without
        elif self.gained < WORTH * abs(self.without):
            return cuts
        return cuts + self._rooms(values, x, least)

    def _rooms(self, values: np.ndarray, x: np.ndarray, least: float) -> list[Cut]:
        cuts = []
        for j, room in self.rooms.items():
            k = self.rows[j]
            level = float(values[self.opened[j]]) if self.opened else 1.0
            a = room.cut(x[k] / level, least) if level > 1e-6 else None
            if a is None:
                continue
            columns, weights = self.columns[k[a > 0]], a[a > 0]
            if self.opened:
                columns, weights = np.append(columns, self.opened[j]), np.append(weights, -1.0)
            cuts.append(Cut(columns, weights, -np.inf, 0.0 if self.opened else 1.0))
        return cuts

    def _contiguity(self, x: np.ndarray, least: float) -> list[Cut]:
        assert self.graph is not None
        values: dict[Any, dict[Any, float]] = {}
        for k in np.flatnonzero(x > 1e-6):
            values.setdefault(self.site[k], {})[self.unit[k]] = float(x[k])
        found = fractional_cuts(values, self.home, self.graph, self.nets, least)
        return [self.cut(u, j, ring) for u, j, ring in found]

    def cut(self, unit: Any, site: Any, ring: frozenset[Any]) -> Cut:
        """`contiguity.cut_row` on columns."""
        ks = [self.of[s, site] for s in sorted(ring) if (s, site) in self.of] + [self.of[unit, site]]
        weights = np.ones(len(ks))
        weights[-1] = -1.0
        return Cut(self.columns[ks], weights, 0.0, np.inf)


@dataclass(frozen=True)
class Stated:
    """A problem stated and handed to HiGHS."""

    model: Any
    bridge: Bridge
    take: dict[tuple[Any, Any], Any]
    column: pd.Series
    opened: dict[Any, int]

    def served_by(self, problem: SingleSource, values: np.ndarray) -> dict[Any, Any]:
        """The assignment of a solution in whole numbers."""
        on = values[self.column.loc[problem.pairs.index].to_numpy()] > 0.5
        rows = problem.pairs[on]
        return dict(zip(rows["unit"], rows["site"], strict=True))

    def values(self, problem: SingleSource, served_by: Mapping[Any, Any]) -> np.ndarray:
        """The columns of an assignment."""
        values = np.zeros(len(self.bridge.columns))
        for (u, j), var in self.take.items():
            if served_by.get(u) == j:
                values[self.bridge.position[id(var)]] = 1.0
        for j in set(served_by.values()) & set(self.opened):
            values[self.opened[j]] = 1.0
        return values


def stated(problem: SingleSource, own: bool = False) -> Stated:
    """State a problem (`models.single_source.single_source`) and hand it over."""
    model = single_source(problem, own)
    bridge = Bridge(model, {"cost": model.goal_cost})
    pairs = problem.pairs
    take = {
        (u, j): model.attend[p] for p, u, j in zip(pairs.index, pairs["unit"], pairs["site"], strict=True)
    }
    column = pd.Series([bridge.position[id(model.attend[p])] for p in pairs.index], index=pairs.index)
    opened = {j: bridge.position[id(model.open[j])] for j in problem.sites.index} if problem.located else {}
    return Stated(model, bridge, take, column, opened)


def tree_of(problem: SingleSource, graph: Adjacency | None) -> tuple[Stated, Tree]:
    """The exact search of a problem, ready to go."""
    state = stated(problem, own=graph is not None)
    see = Separator(problem, graph, state.column, state.opened, state.bridge.costs["cost"][0])
    weight = np.ones(len(state.bridge.columns))
    size = problem.demand.loc[see.unit].to_numpy(float)
    weight[see.columns] = np.sqrt(np.maximum(size, 1.0) / max(float(size.mean()), 1.0))
    weight[list(state.opened.values())] = 10.0
    return state, Tree(state.bridge, "cost", see, weight)


def surrogate_plan(
    problem: SingleSource, graph: Adjacency, length: Mapping[tuple[Any, Any], float], limits: Limits
) -> dict[Any, Any]:
    """A contiguous plan by HiGHS: a closer neighbour, by the way over common borders, goes along.

    Empty where HiGHS finds none within its limits, or where none exists: the surrogate is not exact.
    """
    state = stated(problem, own=True)
    home = problem.sites["home"].to_dict()
    state.bridge.add_rows(closer_rows(state.take, home, graph, ways(home, graph, length)))
    answer = state.bridge.solve("cost", limits)
    return {} if answer.values is None else state.served_by(problem, answer.values)


def neighbourhood(
    problem: SingleSource, graph: Adjacency, served_by: Mapping[Any, Any], site: Any, size: int
) -> list[Any]:
    """A site and those whose catchments border on its own, on theirs and so on."""
    touch: dict[Any, set[Any]] = {j: set() for j in problem.sites.index}
    for u, near in graph.neighbours.items():
        for v in near:
            if served_by[u] != served_by[v]:
                touch[served_by[u]].add(served_by[v])
    chosen, ahead = [site], [site]
    while ahead and len(chosen) < size:
        j = ahead.pop(0)
        new = [k for k in sorted(touch[j]) if k not in chosen][: size - len(chosen)]
        chosen += new
        ahead += new
    return chosen


def improve(
    problem: SingleSource,
    graph: Adjacency,
    served_by: dict[Any, Any],
    size: int,
    limits: Limits,
    until: float,
) -> dict[Any, Any]:
    """Solve the problem of a few neighbouring sites and their units, around every site, until none helps.

    Parameters
    ----------
    size : int
        Sites solved together.
    limits : Limits
        Of each such problem.
    until : float
        `time.monotonic` at which to stop.
    """
    where = problem.pairs["unit"], problem.pairs["site"]
    cost = cost_of(problem, served_by)
    tried: set[frozenset[tuple[Any, Any]]] = set()
    again = True
    while again:
        again = False
        for j in sorted(set(served_by.values())):
            some = neighbourhood(problem, graph, served_by, j, size)
            units = {u for u, k in served_by.items() if k in some}
            key = frozenset((u, served_by[u]) for u in units)
            if key in tried or time.monotonic() > until:
                continue
            tried.add(key)
            keep = where[0].isin(units) & where[1].isin(some)
            part = replace(
                problem.only(keep.to_numpy()), demand=problem.demand[problem.demand.index.isin(units)],
                sites=problem.sites.loc[some],
            )  # fmt: skip
            near = graph.within(units)
            part = possible_pairs(part, near)
            state, tree = tree_of(part, near)
            now = {u: served_by[u] for u in units}
            tree.offer(state.values(part, now), cost_of(part, now))
            answer = tree.search(limits)
            assert answer.values is not None
            better = served_by | state.served_by(part, answer.values)
            if cost_of(problem, better) < cost - 1e-6:
                served_by, cost, again = better, cost_of(problem, better), True
    return served_by


def border_lengths(
    graph: Adjacency, place: Mapping[Any, tuple[float, float]]
) -> dict[tuple[Any, Any], float]:
    """Straight lines between the middles of bordering units, in the unit of ``place``."""
    return {
        (u, v): float(np.hypot(place[u][0] - place[v][0], place[u][1] - place[v][1])) + 1e-9
        for u, near in graph.neighbours.items()
        for v in near
    }


def serve(
    problem: SingleSource,
    graph: Adjacency | None = None,
    length: Mapping[tuple[Any, Any], float] | None = None,
    limits: Limits | None = None,
    report: Callable[[Progress], None] | None = None,
) -> Served:
    """Least-cost whole assignment within room, contiguous where a graph is given.

    Parameters
    ----------
    problem : SingleSource
    graph : Adjacency or None
        Borders of the units: every catchment is connected and holds its site's own unit. None: no such rule.
    length : mapping of (unit, unit) to float or None
        Lengths of border crossings for the surrogate plan; None counts crossings.
    limits : Limits or None
        Default: a gap of a millionth in ten minutes. A quarter of the seconds goes at most to the start.
    report : callable or None
        Progress of the exact search.

    Returns
    -------
    Served
    """
    begun = time.monotonic()
    limits = Limits(gap=1e-6) if limits is None else replace(limits, threads=1)
    if graph is None:
        state = stated(problem)
        rooms = Separator(problem, None, state.column, state.opened, state.bridge.costs["cost"][0])
        rooms.rooms = {j: Narrow(room.demand, room.room) for j, room in rooms.rooms.items()}
        places = Sites(state.bridge, problem, state.column, state.opened, rooms)
        first, answer = locate(places, limits, report, begun)
        plan = {} if answer.values is None else state.served_by(problem, answer.values)
        return Served(answer, plan, first, time.monotonic() - begun)
    allowed = possible_pairs(problem, graph)
    if set(problem.demand.index) - set(allowed.pairs["unit"]):  # a unit that no site can serve
        inf = float("inf")
        nobody = Answer(
            status="infeasible", objective=inf, bound=inf, gap=inf, seconds=0.0, nodes=0, clock=False
        )
        return Served(nobody, {}, float("nan"), time.monotonic() - begun)
    if length is None:
        length = {(u, v): 1.0 for u, near in graph.neighbours.items() for v in near}
    early = replace(limits, gap=SURROGATE_GAP, nodes=SURROGATE_NODES, seconds=limits.seconds / 8)
    start = surrogate_plan(allowed, graph, length, early)
    for size in NEIGHBOURS if start else ():
        part = replace(limits, gap=PART_GAP, nodes=PART_NODES, seconds=limits.seconds / 8)
        start = improve(allowed, graph, start, size, part, begun + limits.seconds / 4)
    state, tree = tree_of(allowed, graph)
    if start:
        tree.offer(state.values(allowed, start), cost_of(allowed, start))
    answer = guessed(tree, limits, begun, report)
    plan = {} if answer.values is None else state.served_by(allowed, answer.values)
    first = cost_of(allowed, start) if start else float("nan")
    return Served(answer, plan, first, time.monotonic() - begun)


def guessed(tree: Tree, limits: Limits, begun: float, report: Callable[[Progress], None] | None) -> Answer:
    """The exact search under guesses of the optimum.

    A good plan makes a tree small, and is hard to find. Searching below a guess needs none: either a plan
    turns up, and is the optimum, or there is none below the guess, which is then a bound.
    """
    root = tree.search(replace(_left(limits, begun), nodes=1), report)
    nodes, low = root.nodes, root.bound
    wide = tree.upper - low if np.isfinite(tree.upper) else 0.01 * abs(low)
    answer = root
    guesses = [low + share * wide for share in GUESSES]
    while answer.status in ("stopped", "no_plan") and not answer.clock and nodes != limits.nodes:
        guess = guesses.pop(0) if guesses else np.inf
        rest = _left(limits, begun)
        rest = rest if limits.nodes is None else replace(rest, nodes=limits.nodes - nodes)
        answer = tree.search(rest, report, guess)
        nodes += answer.nodes
        low = max(low, answer.bound)
    gap = (answer.objective - low) / max(abs(answer.objective), 1e-9)
    return replace(answer, bound=low, gap=gap, nodes=nodes, seconds=time.monotonic() - begun)


def _left(limits: Limits, begun: float) -> Limits:
    return replace(limits, seconds=max(1.0, limits.seconds - (time.monotonic() - begun)))
