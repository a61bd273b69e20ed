"""Service areas: the ground that lies within 15, 30, 45 minutes on foot of each school."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from geodata.areas.zones import metric_crs, walking
from geodata.arrays import Floats
from geodata.contract.county import County
from geodata.contract.findings import Finding
from geodata.roads.reach import Sections, along, costs_from, drawn, sections, within_limit
from geodata.roads.shortest_paths import CHUNK, MARGIN
from geodata.roads.snapping import Net, snap
from geodata.travel.crowfly import DETOUR
from geodata.travel.tables import WALK_KMH, places
from geodata.travel.times import WALK_PACE

MINUTES = (15, 30, 45)
ACCESS_M = 100.0
"""Ground this near to a reached street counts as reached [A]; at 4 km/h it is 1.5 minutes."""
QUARTER = 4  # segments of a quarter circle: rounded corners are right to 2 % of the access distance


@dataclass(frozen=True)
class ServiceAreas:
    """Service areas of all schools.

    Parameters
    ----------
    areas : GeoDataFrame
        ``school_id, name, minutes, geometry`` in metres, in order of school and minutes; each holds
        the smaller ones of its school.
    findings : tuple of Finding
    """

    areas: gpd.GeoDataFrame
    findings: tuple[Finding, ...] = ()


def service_areas(
    county: County, minutes: tuple[int, ...] = MINUTES, access_m: float = ACCESS_M, net: Net | None = None
) -> ServiceAreas:
    """Ground within walking minutes of each school, whatever the school's status.

    Streets reached within the limit, the last of them in part, with ``access_m`` of ground on both
    sides, and the way from the street to every village or school that is reached. Speeds and access
    are those of `geodata.travel.times.travel_times`.

    Parameters
    ----------
    county : County
    minutes : tuple of int
    access_m : float
        Metres.
    net : Net, optional
        `geodata.areas.zones.walking` of the county, if it is at hand.

    Returns
    -------
    ServiceAreas
        Without roads circles of ``speed x minutes / 1.35``, flagged.
    """
    limits = sorted(minutes)
    net = walking(county) if net is None else net
    crs = metric_crs(county, net)
    rows = places(county)
    points = np.asarray(
        gpd.GeoSeries(gpd.points_from_xy(rows["lon"], rows["lat"]), crs="EPSG:4326").to_crs(crs).values
    )
    found: list[Finding] = []
    if net is None:
        found.append(Finding("warning", "zones.circles", {"detour": f"{DETOUR:g}"}))
        metres = np.array(limits) * WALK_KMH / 0.06 / DETOUR
        shapes = shapely.buffer(points[len(county.villages) :, None], metres[None, :]).ravel()
    else:
        fields: dict[str, object] = {"metres": f"{access_m:g}"}
        found.append(Finding("note", "zones.service_access", fields))
        shapes = np.array(list(_isochrones(county, net, rows, points, limits, access_m)), dtype=object)
    if len(county.travel_times) or len(county.travel_matrix):
        found.append(Finding("note", "zones.minutes_unused"))
    count = len(county.schools)
    table = {
        "school_id": np.repeat(county.schools["school_id"].to_numpy(), len(limits)),
        "name": np.repeat(county.schools["name"].to_numpy(), len(limits)),
        "minutes": np.tile(limits, count),
    }
    return ServiceAreas(gpd.GeoDataFrame(table, geometry=shapes, crs=crs), tuple(found))


def _isochrones(
    county: County, net: Net, rows: pd.DataFrame, points: npt.NDArray[np.object_], limits: list[int], access_m: float
) -> Iterator[object]:  # fmt: skip
    """Shapes by school and limit, each the hull of streets and ways reached."""
    snaps = snap(net, rows["lon"].to_numpy(float), rows["lat"].to_numpy(float))
    cut = sections(net, snaps, WALK_PACE)
    lines = drawn(net.streets, cut.street, cut.start, cut.end)
    met = along(net.streets, snaps.street, snaps.offset)
    ways = shapely.linestrings(
        np.stack([shapely.get_coordinates(points), shapely.get_coordinates(met)], axis=1)
    )
    schools = np.arange(len(county.villages), len(rows))
    for begin in range(0, len(schools), CHUNK):
        some = schools[begin : begin + CHUNK]
        costs = costs_from(cut, some, limits[-1] * 60)
        for school, cost in zip(some, costs, strict=True):
            within = shapely.Polygon()
            for limit in limits:
                streets = _streets_within(cut, lines, cost, limit * 60)
                arrive = cost[net.streets.node_count + np.arange(len(points))] + cut.access
                kept = arrive <= limit * 60 + MARGIN
                kept[school] = True
                every = [*streets, *ways[kept]]
                ground = shapely.union_all(shapely.buffer(every, access_m, quad_segs=QUARTER))
                within = shapely.union(ground, within)  # nested to the last digit
                yield within


def _streets_within(
    cut: Sections, lines: npt.NDArray[np.object_], cost: Floats, limit: float
) -> npt.NDArray[np.object_]:
    whole, parts = within_limit(cut, cost, limit)
    return np.concatenate([lines[whole], drawn(cut.net.streets, parts.street, parts.start, parts.end)])
