"""The travel-time engine: many origins, many destinations, one limit.

scipy's Dijkstra searches the reversed graph from a few destinations at a time. Memory holds one block
of distances and the pairs inside the limit, never all pairs: a million demand points and ten thousand
schools fit.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from geodata.arrays import Flags, Floats, Ints
from geodata.roads.snapping import AT_END_M, Net, Snaps

Small = npt.NDArray[np.int32]
Pairs = tuple[Small, Small, Floats]

CHUNK = 32  # destinations searched at once: bounds the memory to 32 x nodes
FLOOR = 1e-3  # no arc costs less (1 ms, or 1 mm): whether a stored zero is an arc is up to the routine
MARGIN = 1e-6  # the limit is inclusive whatever the order of adding


@dataclass(frozen=True)
class _Origins:
    """Origins grouped by street, so that only those on streets within reach are looked at."""

    number: Ints  # of each origin with a street, sorted by street
    street: Ints
    offset: Floats
    leave: tuple[Floats, Floats]
    access: Floats
    used: Ints  # streets that have origins
    first: Ints  # position of the first origin of each used street
    count: Ints


def matrix(
    net: Net, origins: Snaps, destinations: Snaps, limit: float = np.inf, access_pace: float = 0.0
) -> Pairs:
    """Cheapest way from every origin to every destination within a limit.

    Searches the reversed graph from the destinations, `CHUNK` at a time. Of parallel streets the
    cheapest counts. ``T = access + part of a street + path + part of a street + access``; on one
    street also straight along it, where its direction allows.

    Parameters
    ----------
    net : Net
        Costs in seconds, or metres when its pace is 1.
    origins, destinations : Snaps, of O and D points
    limit : float
        Inclusive, in the net's unit, access included.
    access_pace : float
        Cost per metre of access at both ends; 0 leaves it out.

    Returns
    -------
    origin, destination : array of int, shape (K,)
        Pairs within the limit, sorted by origin and destination.
    cost : array of float, shape (K,)
    """
    origin, destination, cost = in_order(blocks(net, origins, destinations, limit, access_pace))
    return origin, destination, cost


def in_order(parts: Iterable[tuple[npt.NDArray[Any], ...]], columns: int = 3) -> tuple[npt.NDArray[Any], ...]:
    """Blocks of origins, destinations and values joined, sorted by origin and destination."""
    empty = (np.empty(0, np.int32), np.empty(0, np.int32), *[np.empty(0)] * (columns - 2))
    joined = [np.concatenate(column) for column in zip(empty, *parts, strict=True)]
    order = np.lexsort((joined[1], joined[0]))
    return tuple(column[order] for column in joined)


def blocks(
    net: Net, origins: Snaps, destinations: Snaps, limit: float = np.inf, access_pace: float = 0.0
) -> Iterator[Pairs]:
    """`matrix`, `CHUNK` destinations at a time; the same destinations whatever net and limit."""
    goal = np.flatnonzero(destinations.street >= 0)
    grouped = _grouped(net, origins)
    graph = _reversed_graph(net, destinations, goal)
    for begin in range(0, len(goal), CHUNK):
        some = goal[begin : begin + CHUNK]
        numbers = net.streets.node_count + begin + np.arange(len(some))
        if limit < 0 or not len(grouped.number):
            yield np.empty(0, np.int32), np.empty(0, np.int32), np.empty(0)
            continue
        # the margin keeps sums that equal the limit up to rounding; the exact test follows
        reach = np.atleast_2d(dijkstra(graph, directed=True, indices=numbers, limit=limit + MARGIN))
        row, place = _within_reach(net, grouped, reach, destinations.street[some])
        cost = _costs(net, grouped, reach, destinations, some, (row, place))
        cost += access_pace * (grouped.access[place] + destinations.access[some][row])
        keep = (cost <= limit + MARGIN) & np.isfinite(cost)
        yield (
            grouped.number[place[keep]].astype(np.int32),
            some[row[keep]].astype(np.int32),
            cost[keep],
        )


def _grouped(net: Net, origins: Snaps) -> _Origins:
    found = np.flatnonzero(origins.street >= 0)
    number = found[np.argsort(origins.street[found], kind="stable")]
    street = origins.street[number]
    used, first, count = np.unique(street, return_index=True, return_counts=True)
    return _Origins(
        number, street, origins.offset[number], _end_costs(net, origins, number, leaving=True),
        origins.access[number], used, first.astype(np.int64), count.astype(np.int64),
    )  # fmt: skip


def _within_reach(net: Net, origins: _Origins, reach: Floats, goals: Ints) -> tuple[Ints, Ints]:
    """Rows (destinations) and places (origins) whose street has an end within reach, or is the same."""
    tail, head = net.streets.tail[origins.used], net.streets.head[origins.used]
    near: Flags = np.isfinite(reach[:, tail]) | np.isfinite(reach[:, head])
    at = np.minimum(np.searchsorted(origins.used, goals), len(origins.used) - 1)
    same = origins.used[at] == goals
    near[np.flatnonzero(same), at[same]] = True
    row, street = np.nonzero(near)
    count = origins.count[street]
    within = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    return np.repeat(row, count), np.repeat(origins.first[street], count) + within


def _costs(
    net: Net, origins: _Origins, reach: Floats, destinations: Snaps, some: Ints, pair: tuple[Ints, Ints]
) -> Floats:
    """Cost of each pair without access: over either end of the street, or straight along it."""
    row, place = pair
    street = origins.street[place]
    to_tail = origins.leave[0][place] + reach[row, net.streets.tail[street]]
    to_head = origins.leave[1][place] + reach[row, net.streets.head[street]]
    cost: Floats = np.minimum(to_tail, to_head)
    same = np.flatnonzero(destinations.street[some][row] == street)
    line = street[same]
    ahead = destinations.offset[some][row[same]] - origins.offset[place[same]]
    allowed = np.where(ahead > 0, net.forward[line], (ahead == 0) | net.backward[line])
    along = np.where(allowed, np.abs(ahead) * net.pace[line], np.inf)
    cost[same] = np.minimum(cost[same], along)
    return cost


def _end_costs(net: Net, points: Snaps, which: Ints, *, leaving: bool) -> tuple[Floats, Floats]:
    """Cost between points and the tail and head of their street; infinite against a one-way."""
    street, offset = points.street[which], points.offset[which]
    rest = np.maximum(net.streets.metres[street] - offset, 0.0)
    to_tail, to_head = (net.backward, net.forward) if leaving else (net.forward, net.backward)
    tail_open = to_tail[street] | (offset <= AT_END_M)
    head_open = to_head[street] | (rest <= AT_END_M)
    pace = net.pace[street]
    return np.where(tail_open, offset * pace, np.inf), np.where(head_open, rest * pace, np.inf)


def _reversed_graph(net: Net, destinations: Snaps, goal: Ints) -> csr_array:
    """Arcs turned round, and a node for every destination from which the search starts.

    The cheapest of parallel arcs is taken here because a sparse matrix would add them up. Costs are
    at least `FLOOR`, so that nothing depends on how a stored zero is read.
    """
    start, end, cost = net.arcs()
    street = destinations.street[goal]
    enter = _end_costs(net, destinations, goal, leaving=False)
    extra = net.streets.node_count + np.arange(len(goal))
    size = net.streets.node_count + len(goal)
    row = np.concatenate([end, extra, extra])
    column = np.concatenate([start, net.streets.tail[street], net.streets.head[street]])
    return cheapest_arcs(row, column, np.concatenate([cost, *enter]), size)


def cheapest_arcs(row: Ints, column: Ints, value: Floats, size: int) -> csr_array:
    """Arcs as a sparse matrix: of parallel ones the cheapest, none below `FLOOR`, no loops."""
    value = np.maximum(value, FLOOR)
    keep = np.isfinite(value) & (row != column)
    row, column, value = row[keep], column[keep], value[keep]
    order = np.lexsort((value, column, row))
    row, column, value = row[order], column[order], value[order]
    first = np.ones(len(row), dtype=np.bool_)
    first[1:] = (row[1:] != row[:-1]) | (column[1:] != column[:-1])
    return csr_array((value[first], (row[first], column[first])), shape=(size, size))
