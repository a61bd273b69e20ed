"""Service areas as the search sees them: pairs that can be of use, the model, its cuts and its tree."""

from __future__ import annotations

import heapq
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from models.districting.contiguity import Adjacency, fractional_cuts, splits
from models.districting.knapsack import Room
from models.districting.single_source import SingleSource, single_source
from optimizer.districting.branch_and_cut import Tree
from optimizer.districting.catchment_cuts import Catchment
from optimizer.districting.held_cuts import Cut
from optimizer.solver.bridge import Bridge


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


FEW = 3
"""Other cuts up to which whole catchments are cut as well."""
LEAST, LEAST_BELOW, LEAST_CATCHMENT = 0.01, 0.05, 0.002
"""Violation asked for, at the root and below; by how much for whole catchments."""


class Separator:
    """Finds the cuts of one problem: separators of catchments, cuts of each site's room, of its catchments.

    Parameters
    ----------
    problem : SingleSource
        Demands in whole numbers, or the cuts of the room are left to the room's own row.
    graph : Adjacency or None
        None asks for no contiguity.
    column : Series
        Column of the bridge by pair p.
    opened : mapping of site to column, empty where every site is open

    Attributes
    ----------
    deep : bool
        Whole catchments are cut too: for what the other cuts leave open, they take a search each.
    """

    def __init__(
        self, problem: SingleSource, graph: Adjacency | None, column: pd.Series, opened: Mapping[Any, int]
    ):
        self.graph, self.opened = graph, opened
        self.home = problem.sites["home"].to_dict()
        pairs = problem.pairs
        self.columns = column.loc[pairs.index].to_numpy(np.int32)
        self.unit, self.site = pairs["unit"].to_numpy(), pairs["site"].to_numpy()
        self.of = {(u, j): k for k, (u, j) in enumerate(zip(self.unit, self.site, strict=True))}
        self.rows = {j: np.flatnonzero(self.site == j) for j in problem.sites.index}
        self.allowed = {j: set(self.unit[k]) for j, k in self.rows.items()}
        self.nets = {} if graph is None else {j: splits(graph, units) for j, units in self.allowed.items()}
        self.rooms: dict[Any, Room] = {}
        demand = problem.demand
        if (demand % 1 == 0).all():
            for j, k in self.rows.items():
                need = demand.loc[self.unit[k]].to_numpy(np.int64)
                self.rooms[j] = Room(need, int(problem.sites.at[j, "room"]))
        self.whole = {} if graph is None else _catchments(problem, graph, self.unit, self.rows)
        self.deep = False

    def __call__(self, values: np.ndarray, root: bool) -> list[Cut]:
        """Cuts that these values of all columns violate.

        Rooms and catchments are cut at the root only: below it that takes most of the time and hardly moves a
        bound. The dearer ones wait until the others find little.
        """
        x = values[self.columns]
        cuts = [] if self.graph is None else self._contiguity(x, LEAST if root else LEAST_BELOW)
        if root and (len(cuts) <= FEW or not self.deep):
            cuts += self._by_site(self.rooms, values, LEAST)
        if root and len(cuts) <= FEW and self.deep:
            cuts += self._by_site(self.whole, values, LEAST_CATCHMENT)
        return cuts

    def _by_site(
        self, cutters: Mapping[Any, Room | Catchment], values: np.ndarray, least: float
    ) -> list[Cut]:
        """The cut a v <= 1 of each site that these values violate, on columns."""
        cuts, x = [], values[self.columns]
        for j, cutter in cutters.items():
            k = self.rows[j]
            level = float(values[self.opened[j]]) if self.opened else 1.0
            a = cutter.cut(x[k] / level, least) if level > 1e-6 else None
            if a is None:
                continue
            columns, weights = self.columns[k[a > 0]], a[a > 0]
            if self.opened:
                columns, weights = np.append(columns, self.opened[j]), np.append(weights, -1.0)
            cuts.append(Cut(columns, weights, -np.inf, 0.0 if self.opened else 1.0))
        return cuts

    def broken(self, values: np.ndarray) -> list[Cut]:
        """Separators that a whole solution breaks."""
        return [] if self.graph is None else self._contiguity(np.round(values[self.columns]), 0.5)

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


def _catchments(
    problem: SingleSource, graph: Adjacency, unit: np.ndarray, rows: Mapping[Any, np.ndarray]
) -> dict[Any, Catchment]:
    """The catchments of each site, on the units of its pairs."""
    from optimizer.solver.compiled import numbered

    ground, at = numbered(problem, graph), problem.demand.index
    return {
        j: Catchment(ground, problem.sites.index.get_loc(j), at.get_indexer(unit[k]))
        for j, k in rows.items()
        if problem.sites.at[j, "home"] in set(unit[k])
    }


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
                values[self.bridge.column_of(var)] = 1.0
        for j in set(served_by.values()) & set(self.opened):
            values[self.opened[j]] = 1.0
        return values


def stated(problem: SingleSource, own: bool = False) -> Stated:
    """State a problem (`models.districting.single_source.single_source`) and hand it over."""
    model = single_source(problem, own)
    bridge = Bridge(model, {"cost": model.goal_cost})
    pairs = problem.pairs
    take = {
        (u, j): model.attend[p] for p, u, j in zip(pairs.index, pairs["unit"], pairs["site"], strict=True)
    }
    column = pd.Series([bridge.column("attend", p) for p in pairs.index], index=pairs.index)
    opened = {j: bridge.column("open", j) for j in problem.sites.index} if problem.located else {}
    return Stated(model, bridge, take, column, opened)


@dataclass(frozen=True)
class DistrictSearch:
    """The exact search of a problem, ready to go: its pairs and borders, the model, the tree and what cuts it."""

    problem: SingleSource
    graph: Adjacency
    state: Stated
    tree: Tree
    see: Separator


def tree_of(problem: SingleSource, graph: Adjacency) -> DistrictSearch:
    """State a problem with contiguous catchments, and all that it takes to solve it."""
    state = stated(problem, own=True)
    see = Separator(problem, graph, state.column, state.opened)
    weight = np.ones(len(state.bridge.columns))
    size = problem.demand.loc[see.unit].to_numpy(float)
    weight[see.columns] = np.sqrt(np.maximum(size, 1.0) / max(float(size.mean()), 1.0))
    weight[list(state.opened.values())] = 10.0
    return DistrictSearch(problem, graph, state, Tree(state.bridge, "cost", see, weight, lasting=True), see)
