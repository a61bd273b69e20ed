"""Which places roads still join after some of them were cut: a bridge that is down leaves no way straight across the river."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import geopandas as gpd
import networkx as nx
import numpy as np
import shapely

from geodata.arrays import Flags, Floats
from geodata.roads.snapping import streets_of

Graph = nx.MultiDiGraph


def home_junctions(graph: Graph[Any], lon: Floats, lat: Floats) -> list[Hashable]:
    """The junction of each place: the nearer end of the street next to it.

    Parameters
    ----------
    graph : MultiDiGraph
        With at least one edge.
    lon, lat : array of float, shape (P,)
        Degrees.
    """
    streets, nodes = streets_of(graph), list(graph.nodes)
    points = np.asarray(
        gpd.GeoSeries(gpd.points_from_xy(lon, lat), crs="EPSG:4326").to_crs(streets.crs).values
    )
    street = shapely.STRtree(streets.metric).nearest(points)
    lines = streets.metric[street]
    first = shapely.line_locate_point(lines, points) <= shapely.length(lines) / 2
    ends = np.where(first, streets.tail[street], streets.head[street])
    return [nodes[i] for i in ends.tolist()]


def parted(whole: Graph[Any], cut: Graph[Any], lon: Floats, lat: Floats) -> Flags:
    """Which places were joined by roads, whatever their direction, and no longer are, shape (P, P).

    Parameters
    ----------
    whole : MultiDiGraph
        The roads before.
    cut : MultiDiGraph
        The same nodes with fewer edges.
    lon, lat : array of float, shape (P,)
    """
    home = home_junctions(whole, lon, lat)
    before, after = (_pieces(graph, home) for graph in (whole, cut))
    lost: Flags = (before[:, None] == before[None, :]) & (after[:, None] != after[None, :])
    return lost


def _pieces(graph: Graph[Any], home: list[Hashable]) -> np.ndarray[Any, Any]:
    """Number of the piece of the network of each place."""
    number = {node: i for i, some in enumerate(nx.weakly_connected_components(graph)) for node in some}
    return np.array([number[node] for node in home], dtype=np.int64)
