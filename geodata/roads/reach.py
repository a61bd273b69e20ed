"""Walking over streets cut at every point that meets them: who is nearest, and how far one gets.

Costs at both ends of a section tell all that happens between them, so meeting points and limits fall
on the street itself, not on the next junction.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import shapely
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra
from shapely.ops import substring

from geodata.arrays import Floats, Ints
from geodata.roads.shortest_paths import MARGIN, cheapest_arcs
from geodata.roads.snapping import Net, Snaps, Streets

Lines = npt.NDArray[np.object_]


@dataclass(frozen=True)
class Sections:
    """The streets of a walking network, cut where points meet them.

    Parameters
    ----------
    net : Net
        On foot: every street goes both ways.
    street : array of int, shape (S,)
    start, end : array of float, shape (S,)
        Metres along the street from its tail.
    first, last : array of int, shape (S,)
        Nodes at start and end; point p is node ``node_count + p``.
    starts : array of int, shape (P,)
        Node from which a search from point p begins, its access walk included; -1 without a street.
    access : array of float, shape (P,)
        Cost of each point's access walk.
    graph : csr_array
        Costs between nodes.
    """

    net: Net
    street: Ints
    start: Floats
    end: Floats
    first: Ints
    last: Ints
    starts: Ints
    access: Floats
    graph: csr_array

    @property
    def pace(self) -> Floats:
        """Cost per metre, shape (S,)."""
        return self.net.pace[self.street]

    @property
    def lived_at(self) -> npt.NDArray[np.bool_]:
        """Sections that people reach and live along: of the main network, no ferry lines."""
        return self.net.joinable[self.street]


@dataclass(frozen=True)
class Pieces:
    """Parts of streets: ``street``, ``start`` and ``end`` (metres from the tail), ``owner``; shape (K,) each."""

    street: Ints
    start: Floats
    end: Floats
    owner: Ints


def sections(net: Net, points: Snaps, access_pace: float) -> Sections:
    """Cut the streets of a walking network at the points.

    Parameters
    ----------
    net : Net
    points : Snaps, of P points
    access_pace : float
        Cost per metre of the way from a point to its street.
    """
    s, count = net.streets, net.streets.node_count
    used, met = np.flatnonzero(net.passable), np.flatnonzero(points.street >= 0)
    street = np.concatenate([used, points.street[met], used])
    offset = np.concatenate([np.zeros(len(used)), points.offset[met], s.metres[used]])
    node = np.concatenate([s.tail[used], count + met, s.head[used]])
    kind = np.repeat([0, 1, 2], [len(used), len(met), len(used)])
    order = np.lexsort((node, offset, kind == 2, kind > 0, street))
    street, offset, node = street[order], offset[order], node[order]
    follows = np.flatnonzero(street[:-1] == street[1:])
    street, start, end = street[follows], offset[follows], offset[follows + 1]
    first, last = node[follows], node[follows + 1]
    cost = (end - start) * net.pace[street]
    starts = np.full(len(points.street), -1, dtype=np.int64)
    starts[met] = count + len(starts) + met
    access = points.access * access_pace
    graph = cheapest_arcs(
        np.concatenate([first, last, starts[met]]),
        np.concatenate([last, first, count + met]),
        np.concatenate([cost, cost, access[met]]),
        count + 2 * len(starts),
    )
    return Sections(net, street, start, end, first, last, starts, access, graph)


def nearest(cut: Sections, points: Ints) -> Pieces:
    """Every part of a street with the point that reaches it first, split where two points meet.

    Parameters
    ----------
    cut : Sections
    points : array of int, shape (V,)
        Numbers of the points that compete; access is part of their way.

    Returns
    -------
    Pieces
        ``owner`` is the number of a point. Streets outside the main network have none and are left out.
    """
    able = points[cut.starts[points] >= 0]
    if not len(able):
        none = np.empty(0)
        return Pieces(none.astype(np.int64), none, none, none.astype(np.int64))
    cost, _, source = dijkstra(
        cut.graph, directed=True, indices=cut.starts[able], min_only=True, return_predecessors=True
    )
    owner = source.astype(np.int64) - (len(cost) - len(cut.starts))
    keep = cut.lived_at & np.isfinite(cost[cut.first]) & np.isfinite(cost[cut.last])
    street, start, end = cut.street[keep], cut.start[keep], cut.end[keep]
    first, last = cut.first[keep], cut.last[keep]
    mine, theirs = owner[first], owner[last]
    lead = (cost[last] - cost[first]) / cut.pace[keep]
    meet = np.where(mine == theirs, end, start + np.clip((end - start + lead) / 2, 0.0, end - start))
    pieces = Pieces(
        np.concatenate([street, street]), np.concatenate([start, meet]), np.concatenate([meet, end]),
        np.concatenate([mine, theirs]),
    )  # fmt: skip
    order = np.lexsort((pieces.start, pieces.street))
    order = order[pieces.end[order] > pieces.start[order]]
    return Pieces(pieces.street[order], pieces.start[order], pieces.end[order], pieces.owner[order])


def costs_from(cut: Sections, points: Ints, limit: float) -> Floats:
    """Cost from points to all nodes within a limit, infinite beyond, shape (V, nodes)."""
    found = dijkstra(cut.graph, directed=True, indices=cut.starts[points], limit=limit + MARGIN)
    return np.atleast_2d(found)


def within_limit(cut: Sections, cost: Floats, limit: float) -> tuple[Ints, Pieces]:
    """Parts of streets within a limit of one point.

    Parameters
    ----------
    cut : Sections
    cost : array of float, shape (nodes,)
        A row of `costs_from`.
    limit : float

    Returns
    -------
    whole : array of int
        Sections that are reached from end to end.
    parts : Pieces
        The reached parts of the others; ``owner`` is the section.
    """
    rows = np.flatnonzero(cut.lived_at & (np.minimum(cost[cut.first], cost[cut.last]) <= limit))
    length, pace = cut.end[rows] - cut.start[rows], cut.pace[rows]
    ahead, back = (np.clip((limit - cost[n[rows]]) / pace, 0.0, length) for n in (cut.first, cut.last))
    full = ahead + back >= length
    some, ahead, back = rows[~full], ahead[~full], back[~full]
    start, end = cut.start[some], cut.end[some]
    parts = Pieces(
        np.concatenate([cut.street[some]] * 2), np.concatenate([start, end - back]),
        np.concatenate([start + ahead, end]), np.concatenate([some, some]),
    )  # fmt: skip
    kept = parts.end > parts.start
    return rows[full], Pieces(parts.street[kept], parts.start[kept], parts.end[kept], parts.owner[kept])


def drawn(streets: Streets, street: Ints, start: Floats, end: Floats) -> Lines:
    """Parts of streets as lines in the streets' metric system, shape (K,)."""
    lines = streets.metric[street]
    scale = np.divide(
        shapely.length(lines),
        streets.metres[street],
        out=np.zeros(len(street)),
        where=streets.metres[street] > 0,
    )
    whole = (start <= 0) & (end >= streets.metres[street])
    done = lines.copy()
    for i in np.flatnonzero(~whole):  # no library cuts arrays of lines
        done[i] = substring(lines[i], start[i] * scale[i], end[i] * scale[i])
    return done


def along(streets: Streets, street: Ints, offset: Floats) -> Lines:
    """Points at offsets (metres from the tail) along streets, shape (K,)."""
    metres = streets.metres[street]
    share = np.divide(offset, metres, out=np.zeros(len(offset)), where=metres > 0)
    return np.asarray(shapely.line_interpolate_point(streets.metric[street], share, normalized=True))
