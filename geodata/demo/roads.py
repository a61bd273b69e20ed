"""Roads of the fictional county Nanpu: an OSM-style graph that OSMnx loads."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import minimum_spanning_tree
from scipy.spatial import Delaunay
from shapely import LineString

from geodata.arrays import Floats
from geodata.demo.places import CENTRES, KM_LAT, KM_LON, LAT0, LON0, TOWNSHIPS, Places

GRID_KM = 0.3
"""Spacing of the seat's streets."""


@dataclass
class _Drawing:
    """The graph being drawn; node ids count up from one."""

    rng: np.random.Generator
    graph: nx.MultiDiGraph[Any] = field(
        default_factory=lambda: nx.MultiDiGraph(crs="epsg:4326", simplified=True)
    )
    points: list[Floats] = field(default_factory=list)
    ways: int = 0

    def node(self, p: Floats) -> int:
        self.points.append(np.asarray(p, dtype=float))
        n = len(self.points)
        self.graph.add_node(
            n, x=round(LON0 + p[0] * KM_LON, 7), y=round(LAT0 + p[1] * KM_LAT, 7), street_count=3
        )
        return n

    def road(self, a: int, b: int, highway: str, winding: float, oneway: bool = False) -> None:
        """A road between two nodes, winding by random bends; both directions unless one-way."""
        p, q = self.points[a - 1], self.points[b - 1]
        gap = float(np.hypot(*(q - p)))
        bends = max(0, int(gap / 0.6)) if winding else 0
        steps = np.linspace(0, 1, bends + 2)[:, None]
        line = p + (q - p) * steps
        across = np.array([-(q - p)[1], (q - p)[0]]) / max(gap, 1e-9)
        sway = self.rng.normal(0, winding * 0.6, bends)
        line[1:-1] += across * sway[:, None]
        metres = 1000 * float(np.hypot(*np.diff(line, axis=0).T).sum())
        self.ways += 1
        degrees = np.column_stack([LON0 + line[:, 0] * KM_LON, LAT0 + line[:, 1] * KM_LAT]).round(7)
        shape = LineString(degrees)
        data: dict[str, Any] = {
            "osmid": self.ways,
            "highway": highway,
            "oneway": oneway,
            "length": round(max(metres, 1.0), 2),
        }
        self.graph.add_edge(a, b, **data, reversed=False, geometry=shape)
        if not oneway:
            self.graph.add_edge(b, a, **data, reversed=True, geometry=shape.reverse())


def _seat(draw: _Drawing) -> dict[tuple[int, int], int]:
    """A grid of streets around the county seat; a few are one-way."""
    nodes = {}
    for i in range(-6, 7):
        for j in range(-6, 7):
            bend = draw.rng.normal(0, 0.02, 2)
            nodes[i, j] = draw.node(CENTRES[0] + GRID_KM * np.array([i, j]) + bend)
    for (i, j), n in nodes.items():
        for k, (di, dj) in enumerate(((1, 0), (0, 1))):
            if (i + di, j + dj) in nodes:
                main = (j if k == 0 else i) == 0
                highway = (
                    "secondary" if main else "tertiary" if (j if k == 0 else i) % 3 == 0 else "residential"
                )
                one = not main and k == 0 and j in (-2, 2)
                if one and j == 2:
                    draw.road(nodes[i + di, j + dj], n, highway, 0.0, True)
                else:
                    draw.road(n, nodes[i + di, j + dj], highway, 0.0, one)
    return nodes


def _main_roads(draw: _Drawing, seat: dict[tuple[int, int], int]) -> dict[str, int]:
    """Seat to every township seat, and neighbouring township seats to each other."""
    hubs = {TOWNSHIPS[0]: seat[0, 0]}
    for name, p in zip(TOWNSHIPS[1:], CENTRES[1:], strict=True):
        hubs[name] = draw.node(p)
    edge = {(i, j): n for (i, j), n in seat.items() if max(abs(i), abs(j)) == 6}
    pairs = set()
    for simplex in Delaunay(CENTRES).simplices:
        for a, b in ((0, 1), (1, 2), (0, 2)):
            pairs.add((int(min(simplex[a], simplex[b])), int(max(simplex[a], simplex[b]))))
    for a, b in sorted(pairs):
        if np.hypot(*(CENTRES[a] - CENTRES[b])) > 16:
            continue
        if a == 0:
            gate = min(edge.values(), key=lambda n: float(np.hypot(*(draw.points[n - 1] - CENTRES[b]))))
            draw.road(gate, hubs[TOWNSHIPS[b]], "primary", 0.12)
        else:
            draw.road(hubs[TOWNSHIPS[a]], hubs[TOWNSHIPS[b]], "secondary", 0.16)
    return hubs


def _village_roads(draw: _Drawing, places: Places, hubs: dict[str, int]) -> None:
    """Each township: a tree of minor roads over its villages and sites, plus some short links."""
    edges = {n for n in range(1, 170) if n <= 169}
    rural = places.villages[~places.villages["seat"]]
    for t, name in enumerate(TOWNSHIPS):
        here = rural[rural["township"] == name]
        start = (
            [hubs[name]]
            if t
            else [
                min(edges, key=lambda n: (-float(draw.points[n - 1][0]), n)),
                min(edges, key=lambda n: (float(draw.points[n - 1][0]), n)),
            ]
        )
        nodes = [*start, *(draw.node(p) for p in here[["x", "y"]].to_numpy())]
        track = [False] * len(start) + list(here["track"])
        p = np.array([draw.points[n - 1] for n in nodes])
        gap = np.hypot(p[:, None, 0] - p[None, :, 0], p[:, None, 1] - p[None, :, 1])
        # a track is a dead end: nothing else is reached through it
        cost = gap + 50.0 * (np.array(track)[:, None] & np.array(track)[None, :])
        cost = np.where(np.array(track)[:, None] | np.array(track)[None, :], cost + 20.0, cost)
        if len(start) == 2:
            cost[0, 1] = cost[1, 0] = 1e-6
        tree = minimum_spanning_tree(csr_array(cost)).tocoo()
        pairs = {(int(min(a, b)), int(max(a, b))) for a, b in zip(tree.row, tree.col, strict=True)}
        if len(p) > 3:
            for s in Delaunay(p).simplices:
                for a, b in ((0, 1), (1, 2), (0, 2)):
                    one, two = int(min(s[a], s[b])), int(max(s[a], s[b]))
                    if gap[one, two] < 2.6 and not track[one] and not track[two]:
                        pairs.add((one, two))
        for a, b in sorted(pairs):
            if len(start) == 2 and (a, b) == (0, 1):
                continue
            on_track = track[a] or track[b]
            near = min(a, b) < len(start)
            highway = "track" if on_track else "tertiary" if near else "unclassified"
            draw.road(nodes[a], nodes[b], highway, 0.3 if on_track else 0.22)


def make_roads(rng: np.random.Generator, places: Places) -> nx.MultiDiGraph[Any]:
    """The county's road graph.

    Returns
    -------
    networkx.MultiDiGraph
        As `osmnx.load_graphml` gives it: ``x, y`` in degrees; ``osmid, highway, oneway, length`` (m),
        ``reversed, geometry`` on edges. Connected; villages stand at nodes, seat communities and
        schools near streets.
    """
    draw = _Drawing(rng)
    seat = _seat(draw)
    hubs = _main_roads(draw, seat)
    _village_roads(draw, places, hubs)
    return draw.graph


def save_roads(graph: nx.MultiDiGraph[Any], path: Path) -> None:
    """Write GraphML; the same graph gives the same bytes."""
    import osmnx as ox  # slow to import: see geodata.roads.graph

    ox.save_graphml(graph, path)
