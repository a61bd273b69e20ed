"""Demand zones: the ground that belongs to each village, inside the county, and which zones are neighbours.

From the county's own polygons where county.toml names a layer ``zones``; else network Voronoi: ground
belongs to the village that reaches the nearest street first on foot; without roads, to the village
nearest in a straight line.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from geodata.areas.tessellation import MIN_AREA_M2, SAME_PLACE_M, borders, both_ways, tile, without_slivers
from geodata.areas.zone_polygons import own_polygons
from geodata.arrays import Floats, Ints
from geodata.contract.county import County
from geodata.contract.findings import Finding
from geodata.roads.reach import along, nearest, sections
from geodata.roads.snapping import Net, snap, streets_of
from geodata.roads.speeds import mode_network
from geodata.travel.tables import places
from geodata.travel.times import WALK_PACE, conditions_of, with_places

STEP_M = 50.0
"""Streets are sampled this densely: borders between zones are right to about half of it."""
INSET_M = 1.0
"""The outermost samples of a piece: the border crosses the street where two villages meet."""
MARGIN_M = 1_000.0
"""Around the outermost places where no boundary is known [A]."""
TOUCH_M = 1.0
"""Zones that share less border than this meet in a point."""


@dataclass(frozen=True)
class Zones:
    """The zones of a county.

    Parameters
    ----------
    areas : GeoDataFrame
        ``village_id, name, township, geometry`` in metres, one row per village that has ground, in the
        order of `villages`. Without overlaps; neighbours share their vertices.
    villages : array of Point
        Where the village of each row lies, in the same system.
    boundary : Polygon or MultiPolygon
        What the zones tile.
    source : {"polygons", "network", "straight"}
    findings : tuple of Finding
    """

    areas: gpd.GeoDataFrame
    villages: npt.NDArray[np.object_]
    boundary: Any
    source: str
    findings: tuple[Finding, ...] = ()


def walking(county: County) -> Net | None:
    """The walking network under the county's travel settings; None without roads."""
    if county.roads is None:
        return None
    streets = streets_of(county.roads)
    conditions, _ = conditions_of(county, streets)
    net, _ = with_places(mode_network(streets, "walk", conditions=conditions), places(county))
    return net if net.joinable.any() else None


def metric_crs(county: County, net: Net | None) -> str:
    """The UTM zone of the network, or of the villages."""
    return net.streets.crs if net is not None else str(county.points("villages").estimate_utm_crs())


def boundary(county: County, crs: str) -> tuple[Any, list[Finding]]:
    """The county's outline in metres: its townships together, else a margin around its places.

    Parameters
    ----------
    county : County
    crs : str
        Metric.

    Returns
    -------
    Polygon or MultiPolygon, list of Finding
        Gaps between townships below one hectare are filled, and counted.
    """
    frame = county.townships
    if frame is None or frame.empty:
        rows = places(county)
        points = gpd.GeoSeries(gpd.points_from_xy(rows["lon"], rows["lat"]), crs="EPSG:4326").to_crs(crs)
        hull = shapely.buffer(shapely.convex_hull(shapely.multipoints(points.values)), MARGIN_M)
        return hull, [Finding("note", "zones.no_boundary", {"metres": f"{MARGIN_M:g}"})]
    shapes = shapely.make_valid(np.asarray(frame.to_crs(crs).geometry.values, dtype=object))
    parts = shapely.get_parts(shapely.union_all(shapes))
    parts = parts[shapely.get_type_id(parts) == 3]
    rings, part = shapely.get_rings(parts, return_index=True)
    outer = np.unique(part, return_index=True)[1]
    is_hole = ~np.isin(np.arange(len(rings)), outer)
    tiny = is_hole & (shapely.area(shapely.polygons(rings)) < MIN_AREA_M2)
    whole = shapely.union_all([*parts, *shapely.polygons(rings[tiny])])
    found = [Finding("note", "zones.boundary_gaps", {"count": int(tiny.sum())})] if tiny.any() else []
    return whole, found


def demand_zones(county: County, net: Net | None = None) -> Zones:
    """The ground of every village.

    Parameters
    ----------
    county : County
    net : Net, optional
        `walking` of the county, if it is at hand.

    Returns
    -------
    Zones
        Villages without a zone, outside the boundary or at one place are named in the findings.
    """
    net = walking(county) if net is None else net
    crs = metric_crs(county, net)
    village = np.asarray(county.points("villages").to_crs(crs).geometry.values, dtype=object)
    if county.zones is not None:
        shapes, found = own_polygons(county, county.zones.to_crs(crs), village)
        source, outline = "polygons", shapely.union_all(shapes)
    else:
        outline, found = boundary(county, crs)
        seeds, owner, said = _street_seeds(county, net, village)
        found += said
        source = "straight" if net is None else "network"
        _, first, place = np.unique(
            np.round(shapely.get_coordinates(village) / SAME_PLACE_M),
            axis=0,
            return_index=True,
            return_inverse=True,
        )
        keeper = first[place]  # of villages at one place the first has the ground
        owner = keeper[np.concatenate([np.arange(len(village)), owner])]
        shapes = np.full(len(village), shapely.Polygon(), dtype=object)
        tiles = tile(np.concatenate([shapely.get_coordinates(village), seeds]), owner, outline)
        shapes[: len(tiles)] = tiles
        found += _badly_placed(county, village, keeper, outline)
    shapes, moved = without_slivers(shapes, village, np.arange(len(village)))
    if moved:
        found.append(Finding("note", "zones.slivers", {"count": moved}))
    there = ~shapely.is_empty(shapes)
    several = int((shapely.get_num_geometries(shapes) > 1).sum())
    if several:
        found.append(Finding("note", "zones.several_pieces", {"count": several}))
    rows = county.villages.loc[there, ["village_id", "name", "township"]].reset_index(drop=True)
    areas = gpd.GeoDataFrame(rows, geometry=shapes[there], crs=crs)
    return Zones(areas, village[there], outline, source, tuple(found))


def _street_seeds(
    county: County, net: Net | None, village: npt.NDArray[np.object_]
) -> tuple[Floats, Ints, list[Finding]]:
    """Places along streets, and along the ways from villages to streets, with the village they belong to."""
    if net is None:
        return np.empty((0, 2)), np.empty(0, np.int64), [Finding("warning", "zones.straight")]
    points = snap(net, county.villages["lon"].to_numpy(float), county.villages["lat"].to_numpy(float))
    cut = sections(net, points, WALK_PACE)
    pieces = nearest(cut, np.arange(len(village)))
    piece, offset = spaced(pieces.start, pieces.end)
    on_street = along(net.streets, pieces.street[piece], offset)
    met = along(net.streets, points.street, points.offset)
    ways = shapely.linestrings(
        np.stack([shapely.get_coordinates(village), shapely.get_coordinates(met)], axis=1)
    )
    way, walked = spaced(np.zeros(len(ways)), shapely.length(ways))
    seeds = np.concatenate(
        [
            shapely.get_coordinates(on_street),
            shapely.get_coordinates(shapely.line_interpolate_point(ways[way], walked)),
        ]
    )
    fields: dict[str, object] = {"count": len(seeds), "metres": f"{STEP_M:g}"}
    return seeds, np.concatenate([pieces.owner[piece], way]), [Finding("note", "zones.network", fields)]


def spaced(start: Floats, end: Floats) -> tuple[Ints, Floats]:
    """Places along pieces: both ends, inset a little, and between them at most `STEP_M` apart.

    Returns
    -------
    piece : array of int, shape (K,)
    offset : array of float, shape (K,)
    """
    inset = np.minimum(INSET_M, (end - start) / 4)
    start, end = start + inset, end - inset
    gaps = np.maximum(np.ceil((end - start) / STEP_M), 1).astype(np.int64)
    piece = np.repeat(np.arange(len(start)), gaps + 1)
    step = np.arange(len(piece)) - np.repeat(np.cumsum(gaps + 1) - gaps - 1, gaps + 1)
    return piece, start[piece] + (end - start)[piece] * step / gaps[piece]


def _badly_placed(
    county: County, village: npt.NDArray[np.object_], keeper: Ints, outline: Any
) -> list[Finding]:
    """Villages outside the boundary, and those whose place another village has."""
    table = county.villages
    away = ~shapely.intersects(outline, village)
    lost = keeper != np.arange(len(village))
    return [
        Finding("warning", key, {"name": table["name"].iloc[i]}, table="villages", value=table["village_id"].iloc[i])
        for key, where in (("zones.outside", away), ("zones.same_place", lost))
        for i in np.flatnonzero(where)
    ]  # fmt: skip


def zone_adjacency(zones: Zones, tolerance_m: float = TOUCH_M) -> pd.DataFrame:
    """Zones that share a border.

    Parameters
    ----------
    zones : Zones
    tolerance_m : float
        Metres of border that are needed.

    Returns
    -------
    DataFrame
        ``village_id, neighbour_id, border_m``, every pair from both sides, in key order.
    """
    table = borders(np.asarray(zones.areas.geometry.values, dtype=object))
    table = both_ways(table[table["metres"] > tolerance_m])
    ids = zones.areas["village_id"].to_numpy()
    named = pd.DataFrame(
        {"village_id": ids[table["left"]], "neighbour_id": ids[table["right"]], "border_m": table["metres"]}
    )
    return named.sort_values(["village_id", "neighbour_id"], kind="stable").reset_index(drop=True)
