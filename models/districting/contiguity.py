"""Contiguous catchments: every school's units hang together and contain the school's own unit.

Exact in two ways, as a flow or as separators, and a surrogate that is safe but not exact. All of them are
stated for ``take[unit, site]``, any linear expression that is 1 where the site serves the unit, so that
they join any assignment model.

| symbol | is | here |
|---|---|---|
| G = (U, E) | units and pairs of units with a common border | `Adjacency` |
| x[u,j] | site j serves unit u | ``take[u, j]`` |
| h(j) | the unit in which site j stands | ``home[j]`` |
| f[j,u,v] | flow of site j's commodity from u to its neighbour v | ``model.flow`` |
"""

from __future__ import annotations

import heapq
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import pyomo.environ as pyo
from scipy.sparse import csr_array
from scipy.sparse.csgraph import maximum_flow

Unit: TypeAlias = Any  # any hashable id
Site: TypeAlias = Any
Take: TypeAlias = Mapping[tuple[Unit, Site], Any]
Model: TypeAlias = Any  # Pyomo has no types
SCALE = 1_000_000
"""Values are whole millionths where a cut is sought: the flow routine counts in whole numbers."""


@dataclass(frozen=True)
class Adjacency:
    """Which units border on which.

    Parameters
    ----------
    neighbours : dict of unit to tuple of units
        Every unit is a key, one without neighbours too; sorted, symmetric, without the unit itself.
    """

    neighbours: dict[Unit, tuple[Unit, ...]]

    def within(self, units: Iterable[Unit]) -> Adjacency:
        """The same borders among some of the units only."""
        keep = set(units)
        return Adjacency(
            {u: tuple(v for v in near if v in keep) for u, near in self.neighbours.items() if u in keep}
        )


def adjacency(units: Iterable[Unit], borders: Iterable[tuple[Unit, Unit]]) -> Adjacency:
    """Borders in either or both directions turned into an `Adjacency`.

    Raises
    ------
    KeyError
        A border of a unit that is not among the units.
    """
    near: dict[Unit, set[Unit]] = {u: set() for u in units}
    for u, v in borders:
        if u != v:
            near[u].add(v)
            near[v].add(u)
    return Adjacency({u: tuple(sorted(vs)) for u, vs in near.items()})


def reached(start: Unit, graph: Adjacency, among: set[Unit]) -> set[Unit]:
    """Units of ``among`` that can be walked to from ``start`` without leaving ``among``."""
    seen = {start} & among
    ahead = list(seen)
    while ahead:
        for v in graph.neighbours[ahead.pop()]:
            if v in among and v not in seen:
                seen.add(v)
                ahead.append(v)
    return seen


def pieces(units: Iterable[Unit], graph: Adjacency) -> list[set[Unit]]:
    """Connected pieces of a set of units, in the order of their first unit."""
    left = set(units)
    found = []
    for u in sorted(left):
        if u in left:
            piece = reached(u, graph, left)
            left -= piece
            found.append(piece)
    return found


def stray(
    served_by: Mapping[Unit, Site], home: Mapping[Site, Unit], graph: Adjacency
) -> list[tuple[Site, set[Unit]]]:
    """Pieces of catchments cut off from their school's own unit; empty when all are contiguous.

    Solver-free: the referee of every rule of this module.
    """
    units: dict[Site, set[Unit]] = {}
    for u, j in served_by.items():
        units.setdefault(j, set()).add(u)
    return [(j, piece) for j in sorted(units) for piece in pieces(units[j], graph) if home[j] not in piece]


def cut_row(take: Take, unit: Unit, site: Site, ring: Iterable[Unit]) -> Any:
    """Separator inequality (Carvajal et al. 2013): x[u,j] <= sum_{s in S} x[s,j].

    Valid for every u-h(j) separator S: a contiguous catchment with u and h(j) crosses S. Units of S that
    the site may not serve are left out.
    """
    return sum(take[s, site] for s in sorted(ring) if (s, site) in take) >= take[unit, site]


def widest(home: Unit, value: Mapping[Unit, float], graph: Adjacency) -> dict[Unit, float]:
    """The value of the weakest unit on the best way from home to each unit with a positive value."""
    best = {home: 1.0}
    ahead = [(-1.0, home)]
    while ahead:
        level, u = heapq.heappop(ahead)
        if -level < best[u]:
            continue
        for v in graph.neighbours[u]:
            through = min(-level, value.get(v, 0.0))
            if through > best.get(v, 0.0):
                best[v] = through
                heapq.heappush(ahead, (-through, v))
    return best


@dataclass(frozen=True)
class Splits:
    """The units a site may serve as a network of in- and out-halves, for minimum unit cuts.

    The out-half of unit k is node 2 k + 1, its in-half node 2 k; the arc between them carries x[k,j]. Every arc
    stands with its way back, so that what is left of a flow has the same arcs.

    Parameters
    ----------
    units : tuple of units
    at : dict
        Number of each unit.
    start, heads : ndarray of int
        Node v's arcs go to ``heads[start[v]:start[v + 1]]``.
    own : ndarray of int
        The arc between the halves of each unit.
    back : ndarray of int
        The way back of each arc.
    free : ndarray of int
        Capacity of each arc besides the own ones: unlimited between units, none on the way back.
    """

    units: tuple[Unit, ...]
    at: dict[Unit, int]
    start: np.ndarray
    heads: np.ndarray
    own: np.ndarray
    back: np.ndarray
    free: np.ndarray


def splits(graph: Adjacency, allowed: set[Unit]) -> Splits:
    """The network of `least_cut` for one site."""
    units = tuple(sorted(allowed))
    n, at = len(units), {u: k for k, u in enumerate(units)}
    arcs = [(2 * k, 2 * k + 1) for k in range(n)]
    arcs += [(2 * at[u] + 1, 2 * at[v]) for u in units for v in graph.neighbours[u] if v in at]
    ends = np.array(arcs, dtype=np.int32).reshape(-1, 2)
    tail, head = np.concatenate([ends[:, 0], ends[:, 1]]), np.concatenate([ends[:, 1], ends[:, 0]])
    order = np.lexsort((head, tail))
    place = np.argsort(order)
    back = np.empty(len(order), dtype=int)
    back[place] = np.roll(place, len(arcs))  # the second half are the first half's ways back
    free = np.zeros(len(order), dtype=np.int32)
    free[place[n : len(arcs)]] = 2**30
    start = np.searchsorted(tail[order], np.arange(2 * n + 1)).astype(np.int32)
    return Splits(units, at, start, head[order], place[:n], back, free)


def capacities(net: Splits, value: Mapping[Unit, float]) -> np.ndarray:
    """Room of every arc in millionths.

    Values are raised by a millionth, so that of equal cuts one with few units comes out.
    """
    room = net.free.copy()
    room[net.own] = [round(SCALE * max(0.0, value.get(u, 0.0))) + 1 for u in net.units]
    return room


def least_cut(
    net: Splits, home: Unit, unit: Unit, value: Mapping[Unit, float]
) -> tuple[float, set[frozenset[Unit]]]:
    """Least total value of a separator between home and a unit, with one at either end."""
    return _least_cut(net, home, unit, capacities(net, value))


def _least_cut(net: Splits, home: Unit, unit: Unit, room: np.ndarray) -> tuple[float, set[frozenset[Unit]]]:
    size = 2 * len(net.units)
    source, sink = 2 * net.at[home] + 1, 2 * net.at[unit]
    result = maximum_flow(csr_array((room, net.heads, net.start), shape=(size, size)), source, sink)
    left = room - result.flow.data > 0
    rings = set()
    for arcs, begin, ahead in ((left, source, True), (left[net.back], sink, False)):
        seen = _walked(net, arcs.tolist(), begin)
        cut = seen[0::2] & ~seen[1::2] if ahead else seen[1::2] & ~seen[0::2]
        rings.add(frozenset(net.units[k] for k in np.flatnonzero(cut)))
    return result.flow_value / SCALE, rings


def _walked(net: Splits, passable: list[bool], begin: int) -> np.ndarray:
    """Which nodes can be walked to over some of the arcs."""
    start, heads = net.start.tolist(), net.heads.tolist()
    seen = np.zeros(len(start) - 1, dtype=bool).tolist()
    seen[begin] = True
    ahead = [begin]
    while ahead:
        v = ahead.pop()
        for a in range(start[v], start[v + 1]):
            if passable[a] and not seen[heads[a]]:
                seen[heads[a]] = True
                ahead.append(heads[a])
    return np.array(seen)


def fractional_cuts(
    values: Mapping[Site, Mapping[Unit, float]],
    home: Mapping[Site, Unit],
    graph: Adjacency,
    nets: Mapping[Site, Splits],
    least: float = 0.05,
) -> list[tuple[Unit, Site, frozenset[Unit]]]:
    """Separators violated by a solution of the relaxation, by at least ``least`` of a unit."""
    cuts = []
    for j, value in values.items():
        way, room = widest(home[j], value, graph), None
        for u, x in sorted(value.items()):
            if x - way.get(u, 0.0) < least or u == home[j] or u in graph.neighbours[home[j]]:
                continue
            room = capacities(nets[j], value) if room is None else room
            flow, rings = _least_cut(nets[j], home[j], u, room)
            if x - flow >= least:
                cuts += [(u, j, ring) for ring in sorted(rings, key=sorted)]
    return cuts


def catchment_flow(
    model: Model, take: Take, home: Mapping[Site, Unit], graph: Adjacency, most: Mapping[Site, int]
) -> None:
    """Exact contiguity by flow (Shirabe 2009): every unit served sends one unit of flow to its school.

    sum_v f[j,u,v] - sum_v f[j,v,u]  = x[u,j]                 u other than h(j)
    sum_v f[j,v,u]                  <= (n[j] - 1) x[u,j]      u other than h(j)

    Flow of j passes served units only, and ends at h(j), so every served unit has a way there.

    Parameters
    ----------
    take : mapping of (unit, site) to expression
        Pairs left out are zero.
    most : mapping of site to int
        n[j], the most units the site can serve besides its own.
    """
    arcs = [(j, u, v) for u, j in take if u != home[j] for v in graph.neighbours[u] if (v, j) in take]
    model.flow = pyo.Var(arcs, domain=pyo.NonNegativeReals)
    into: dict[tuple[Site, Unit], list[Any]] = {}
    out: dict[tuple[Site, Unit], list[Any]] = {}
    for j, u, v in arcs:
        out.setdefault((j, u), []).append(model.flow[j, u, v])
        into.setdefault((j, v), []).append(model.flow[j, u, v])
    keys = [(j, u) for u, j in take if u != home[j]]
    model.flow_kept = pyo.Constraint(
        keys, rule=lambda m, j, u: sum(out.get((j, u), [])) - sum(into.get((j, u), [])) == take[u, j]
    )
    model.flow_served = pyo.Constraint(
        [k for k in keys if k in into],
        rule=lambda m, j, u: sum(into[j, u]) <= (most[j] - 1) * take[u, j],
    )


def closer_rows(
    take: Take, home: Mapping[Site, Unit], graph: Adjacency, away: Mapping[tuple[Unit, Site], float]
) -> list[Any]:
    """Surrogate of contiguity (Zoltners & Sinha 1983): a closer neighbour goes to the same school.

    x[u,j] <= sum_{v in N(u), d[v,j] < d[u,j]} x[v,j]         u other than h(j)

    Enough for contiguity, since distances fall all the way to h(j), but not necessary: a plan that keeps
    them may cost more than the best contiguous one, or not exist although that does.

    Parameters
    ----------
    away : mapping of (unit, site) to float
        d[u,j]; `ways` gives every unit a closer neighbour, straight-line distance may not.
    """
    rows = []
    for u, j in take:
        if u != home[j]:
            ring = [v for v in graph.neighbours[u] if away.get((v, j), np.inf) < away[u, j]]
            rows.append(cut_row(take, u, j, ring))
    return rows


def ways(
    home: Mapping[Site, Hashable], graph: Adjacency, length: Mapping[tuple[Unit, Unit], float]
) -> dict[tuple[Unit, Site], float]:
    """Length of the shortest way over common borders from each unit to each school's unit.

    Parameters
    ----------
    length : mapping of (unit, unit) to float
        Positive length of each border crossing, in both directions.
    """
    found = {}
    for j, start in home.items():
        best = {start: 0.0}
        ahead: list[tuple[float, Any]] = [(0.0, start)]
        while ahead:
            d, u = heapq.heappop(ahead)
            if d > best[u]:
                continue
            for v in graph.neighbours[u]:
                if d + length[u, v] < best.get(v, np.inf):
                    best[v] = d + length[u, v]
                    heapq.heappush(ahead, (best[v], v))
        found.update({(u, j): d for u, d in best.items()})
    return found
