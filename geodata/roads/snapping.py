"""From a road graph to arrays: streets, one mode's network, and points snapped to streets.

Points are snapped to *edges*: snapping to the nearest node is off by minutes and changes the nearest
school of several points in a hundred.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import geopandas as gpd
import networkx as nx
import numpy as np
import numpy.typing as npt
import shapely
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from geodata.arrays import Flags, Floats, Ints

AT_END_M = 0.01  # a point this close to a junction stands on it: one-ways of the street do not bind it
APART_M = 500.0
"""A piece of which every place is this near to the main component is a fault of drawing [A]."""
PIECE_M = 1_000.0
"""A piece without both a village and a school counts from this length on [A]."""
HALF_TURN = 180.0
UTM_SOUTH, UTM_NORTH = -80.0, 84.0
"""Latitudes between which UTM is defined."""
SAME_LINE_DIGITS = 7  # degrees: about 1 cm; the two directions of a street share their vertices


@dataclass(frozen=True)
class Streets:
    """Every street once, whichever directions it may be driven.

    Parameters
    ----------
    node_count : int
        Number of graph nodes N; nodes are numbered in the graph's own order.
    tail, head : array of int, shape (E,)
        Node numbers of the two ends; the line runs from tail to head.
    metres : array of float, shape (E,)
        Lengths as the graph gives them.
    forward, backward : array of bool, shape (E,)
        Vehicles may go tail to head, head to tail.
    highway : array of str, shape (E,)
        OSM class; several classes on one street are joined by ``;``.
    surface : array of str, shape (E,)
        OSM surface in the same form, empty where unknown.
    flags : array of str, shape (E,)
        ``ferry``, ``winter_only``, ``winter_closed``, ``flood``, joined by ``;``; mostly empty.
    lines, metric : array of LineString, shape (E,)
        The lines in EPSG:4326 and in `crs`.
    crs : str
        The UTM zone of the network, for distances in metres (scale within 0.04 % at its centre).
    """

    node_count: int
    tail: Ints
    head: Ints
    metres: Floats
    forward: Flags
    backward: Flags
    highway: npt.NDArray[np.str_]
    surface: npt.NDArray[np.str_]
    flags: npt.NDArray[np.str_]
    lines: npt.NDArray[np.object_]
    metric: npt.NDArray[np.object_]
    crs: str

    @property
    def ferry(self) -> Flags:
        """Ferry lines, shape (E,): part of the network, but nobody boards between the landings."""
        return np.asarray(np.char.find(self.flags, "ferry") >= 0, dtype=np.bool_)


@dataclass(frozen=True)
class Net:
    """The network of one mode.

    Parameters
    ----------
    streets : Streets
    pace : array of float, shape (E,)
        Cost per metre (seconds, or 1 for distances); infinite where the mode is not allowed.
    forward, backward : array of bool, shape (E,)
        Directions the mode may take; on foot both.
    main : array of bool, shape (E,)
        Streets of the main component: the one with most metres in which every node reaches every other.
    apart : array of bool, shape (E,), optional
        Streets of other pieces that hold places of their own (`with_pieces`): islands, parts cut off.
    """

    streets: Streets
    pace: Floats
    forward: Flags
    backward: Flags
    main: Flags
    apart: Flags | None = None

    @property
    def passable(self) -> Flags:
        """Streets the mode may use at all, shape (E,)."""
        return np.asarray(np.isfinite(self.pace), dtype=np.bool_)

    @property
    def joinable(self) -> Flags:
        """Streets that points may be snapped to, shape (E,): of the main component and of pieces apart."""
        kept = self.main if self.apart is None else self.main | self.apart
        return np.asarray(kept & ~self.streets.ferry, dtype=np.bool_)

    def arcs(self) -> tuple[Ints, Ints, Floats]:
        """Directed arcs (from, to, cost) of the passable streets, both directions where allowed."""
        s = self.streets
        ahead, back = self.passable & self.forward, self.passable & self.backward
        cost = s.metres[ahead] * self.pace[ahead], s.metres[back] * self.pace[back]
        return (
            np.concatenate([s.tail[ahead], s.head[back]]),
            np.concatenate([s.head[ahead], s.tail[back]]),
            np.concatenate(cost),
        )


@dataclass(frozen=True)
class Snaps:
    """Where points meet the network of a mode.

    Parameters
    ----------
    street : array of int, shape (P,)
        Street number, -1 where the mode has no network.
    offset : array of float, shape (P,)
        Metres along the street from its tail.
    access : array of float, shape (P,)
        Metres walked in a straight line to the street; infinite without a network.
    fragment : array of bool, shape (P,)
        A street outside the main component is nearer; the point uses the main one.
    """

    street: Ints
    offset: Floats
    access: Floats
    fragment: Flags

    def some(self, which: Ints) -> Snaps:
        """The snaps of some of the points, by number."""
        return Snaps(self.street[which], self.offset[which], self.access[which], self.fragment[which])


def streets_of(graph: nx.MultiDiGraph[Any]) -> Streets:
    """Every street of an OSMnx graph once, with the directions it may be driven.

    Two directed edges are one street when they join the same nodes along the same line; parallel
    streets with lines of their own stay apart.
    """
    index = {node: i for i, node in enumerate(graph.nodes)}
    xy = [(float(x), float(y)) for x, y in zip(_values(graph, "x"), _values(graph, "y"), strict=True)]
    seen: dict[tuple[Any, ...], int] = {}
    rows: list[list[Any]] = []
    lines: list[shapely.LineString] = []
    for u, v, data in graph.edges(data=True):
        i, j = index[u], index[v]
        line = _line(data, xy[i], xy[j])
        ends = [tuple(c) for c in np.round(shapely.get_coordinates(line), SAME_LINE_DIGITS).tolist()]
        turned = (j, ends[::-1]) < (i, ends)
        key = (j, i, tuple(ends[::-1])) if turned else (i, j, tuple(ends))
        if key not in seen:
            seen[key] = len(rows)
            names = highway_label(data.get("highway")), highway_label(data.get("surface")), _flags(data)
            rows.append([key[0], key[1], float(data["length"]), False, False, *names])
            lines.append(shapely.reverse(line) if turned else line)
        row = rows[seen[key]]
        row[2] = min(row[2], float(data["length"]))
        row[4 if turned else 3] = True
    return _as_arrays(len(index), rows, lines)


def _values(graph: nx.MultiDiGraph[Any], name: str) -> list[Any]:
    return [data[name] for _, data in graph.nodes(data=True)]


def _line(data: dict[str, Any], start: tuple[float, float], end: tuple[float, float]) -> shapely.LineString:
    """The edge's line, running from its first node to its second."""
    line = data.get("geometry")
    if line is None:
        return shapely.LineString([start, end])
    first = np.asarray(line.coords[0][:2])
    nearer_end = np.hypot(*(first - end)) < np.hypot(*(first - start))
    return shapely.reverse(line) if nearer_end else line


def _as_arrays(node_count: int, rows: list[list[Any]], lines: list[shapely.LineString]) -> Streets:
    columns: list[tuple[Any, ...]] = list(zip(*rows, strict=True)) if rows else [()] * 8
    drawn = gpd.GeoSeries(lines, crs="EPSG:4326")
    crs = metric_system(drawn.get_coordinates().to_numpy()) if lines else "EPSG:32650"
    return Streets(
        node_count=node_count,
        tail=np.array(columns[0], dtype=np.int64),
        head=np.array(columns[1], dtype=np.int64),
        metres=np.array(columns[2], dtype=np.float64),
        forward=np.array(columns[3], dtype=np.bool_),
        backward=np.array(columns[4], dtype=np.bool_),
        highway=np.array(columns[5], dtype=np.str_),
        surface=np.array(columns[6], dtype=np.str_),
        flags=np.array(columns[7], dtype=np.str_),
        lines=np.asarray(drawn.values, dtype=object),
        metric=np.asarray(drawn.to_crs(crs).values, dtype=object),
        crs=crs,
    )


def metric_system(degrees: Floats) -> str:
    """The UTM zone of places in degrees, shape (P, 2); near a pole, where there is none, the polar system.

    Longitudes on both sides of 180 degrees are one neighbourhood.
    """
    lon, lat = degrees[:, 0], degrees[:, 1]
    if np.ptp(lon) > HALF_TURN:
        lon = lon % (2 * HALF_TURN)
    middle, north = float(lon.min() + lon.max()) / 2, float(lat.min() + lat.max()) / 2
    if not UTM_SOUTH <= north <= UTM_NORTH:
        return "EPSG:5041" if north > 0 else "EPSG:5042"
    zone = int((middle + HALF_TURN) % (2 * HALF_TURN) // 6) + 1
    return f"EPSG:{(32600 if north >= 0 else 32700) + zone}"


def _flags(data: dict[str, Any]) -> str:
    """What the tags of an edge say about ferries, winter and floods (seasons.csv)."""

    def says(tag: str, *values: str) -> bool:
        return not set(values).isdisjoint(highway_label(data.get(tag)).split(";"))

    fords = set(highway_label(data.get("ford")).split(";")) - {"", "no"}
    found = {
        "ferry": says("highway", "ferry") or says("route", "ferry"),
        "flood": says("flood_prone", "yes") or bool(fords),
        "winter_closed": says("winter_service", "no"),
        "winter_only": says("winter_road", "yes") or says("ice_road", "yes"),
    }
    return ";".join(flag for flag, there in found.items() if there)


def highway_label(value: object) -> str:
    """One text for a highway or surface tag: lists and ``a;b`` become sorted classes joined by ``;``."""
    parts = value if isinstance(value, list | tuple | set) else [value]
    words = {w.strip() for p in parts if isinstance(p, str) for w in p.split(";") if w.strip()}
    return ";".join(sorted(words))


def network(streets: Streets, pace: Floats, *, on_foot: bool) -> Net:
    """The network of one mode; on foot one-ways are ignored.

    Parameters
    ----------
    streets : Streets
    pace : array of float, shape (E,)
        Cost per metre, infinite where the mode is not allowed.
    on_foot : bool
    """
    forward = np.ones_like(streets.forward) if on_foot else streets.forward
    backward = np.ones_like(streets.backward) if on_foot else streets.backward
    nowhere = np.zeros(len(pace), dtype=np.bool_)
    whole = Net(streets, pace, forward, backward, nowhere)
    labels, _ = components(whole)
    inside = whole.passable & (labels[streets.tail] == labels[streets.head])
    if not inside.any():
        return whole
    metres = np.bincount(labels[streets.tail[inside]], weights=streets.metres[inside])
    main = inside & (labels[streets.tail] == int(np.argmax(metres)))
    return Net(streets, pace, forward, backward, main)


def with_pieces(net: Net, lon: Floats, lat: Floats, is_school: Flags) -> tuple[Net, list[tuple[float, Ints]]]:
    """The network with every separate piece that holds places of its own: times inside it, none across.

    A piece counts where it holds villages and a school, or is longer than `PIECE_M`, and at least one of
    its places is further than `APART_M` from the main component; smaller scraps by a main road are faults
    of drawing, and their places use the main component as before.

    Parameters
    ----------
    net : Net
    lon, lat : array of float, shape (P,)
        Places in WGS-84 degrees.
    is_school : array of bool, shape (P,)

    Returns
    -------
    Net
    pieces : list of (metres, places)
        Length of each piece and the numbers of its places, longest first.
    """
    strong, _ = components(net)
    weak = _weak(net)
    s = net.streets
    inside = net.passable & ~s.ferry & (strong[s.tail] == strong[s.head])
    if not net.main.any() or not len(lon):
        return net, []
    main = int(weak[s.tail[np.flatnonzero(net.main)[0]]])
    other = inside & (weak[s.tail] != main)
    if not other.any():
        return net, []
    points = np.asarray(gpd.GeoSeries(gpd.points_from_xy(lon, lat), crs="EPSG:4326").to_crs(s.crs).values)
    street, _ = _nearest(s.metric, (net.main & ~s.ferry) | other, points)
    _, to_main = _nearest(s.metric, net.main & ~s.ferry, points)
    metres = np.bincount(strong[s.tail[other]], weights=s.metres[other], minlength=s.node_count)
    piece = np.where(street >= 0, np.where(other[street], strong[s.tail[street]], -1), -1)
    apart = np.zeros(len(other), dtype=np.bool_)
    found: list[tuple[float, Ints]] = []
    for label in np.unique(piece[piece >= 0]).tolist():
        held = np.flatnonzero(piece == label)
        both = is_school[held].any() and not is_school[held].all()
        if (both or metres[label] > PIECE_M) and (to_main[held] > APART_M).any():
            apart |= other & (strong[s.tail] == label)
            found.append((float(metres[label]), held.astype(np.int64)))
    if not found:
        return net, []
    return replace(net, apart=apart), sorted(found, key=lambda one: (-one[0], int(one[1][0])))


def _weak(net: Net) -> Ints:
    """Number of the piece of every node, whichever directions its streets may be driven, shape (N,)."""
    start, end, _ = net.arcs()
    count = net.streets.node_count
    matrix = coo_array((np.ones(len(start)), (start, end)), shape=(count, count)).tocsr()
    _, found = connected_components(matrix, directed=False)
    return np.asarray(found).astype(np.int64)


def components(net: Net) -> tuple[Ints, int]:
    """Component number of every node, shape (N,), and how many components have a passable street."""
    start, end, _ = net.arcs()
    count = net.streets.node_count
    matrix = coo_array((np.ones(len(start)), (start, end)), shape=(count, count)).tocsr()
    _, found = connected_components(matrix, directed=True, connection="strong")
    labels: Ints = np.asarray(found).astype(np.int64)
    used = np.unique(labels[np.concatenate([start, end])]) if len(start) else np.array([], dtype=np.int64)
    return labels, len(used)


def snap(net: Net, lon: Floats, lat: Floats) -> Snaps:
    """Snap points to the nearest street of the mode's main component.

    Parameters
    ----------
    net : Net
    lon, lat : array of float, shape (P,)
        WGS-84 degrees.

    Returns
    -------
    Snaps
        Offsets are measured in the UTM zone and scaled to the street's own length.
    """
    points = np.asarray(
        gpd.GeoSeries(gpd.points_from_xy(lon, lat), crs="EPSG:4326").to_crs(net.streets.crs).values
    )
    street, access = _nearest(net.streets.metric, net.joinable, points)
    _, anywhere = _nearest(net.streets.metric, net.passable & ~net.streets.ferry, points)
    offset = np.zeros(len(points))
    found = street >= 0
    lines = net.streets.metric[street[found]]
    drawn = shapely.length(lines)
    along = shapely.line_locate_point(lines, points[found])
    share = np.divide(along, drawn, out=np.zeros_like(along), where=drawn > 0)
    offset[found] = share * net.streets.metres[street[found]]
    return Snaps(street, offset, access, np.asarray(anywhere < access - AT_END_M, dtype=np.bool_))


def _nearest(lines: npt.NDArray[np.object_], usable: Flags, points: npt.NDArray[Any]) -> tuple[Ints, Floats]:
    """Nearest usable line of each point (lowest number among equals) and its distance in metres."""
    chosen = np.full(len(points), -1, dtype=np.int64)
    metres = np.full(len(points), np.inf)
    numbers = np.flatnonzero(usable)
    if len(numbers) and len(points):
        tree = shapely.STRtree(lines[numbers])
        (point, line), distance = tree.query_nearest(points, return_distance=True, all_matches=True)
        order = np.lexsort((line, point))
        first = order[np.unique(point[order], return_index=True)[1]]
        chosen[point[first]] = numbers[line[first]]
        metres[point[first]] = distance[first]
    return chosen, metres
