"""The county's own village polygons, matched to its villages by id or by containment."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from geodata.areas.tessellation import tile
from geodata.arrays import Ints, Shapes
from geodata.contract.county import County
from geodata.contract.findings import Finding

GAP_M = 10.0
"""Enclosed gaps between polygons narrower than this are drawing faults and are closed [A]."""


def own_polygons(county: County, layer: gpd.GeoDataFrame, village: Shapes) -> tuple[Shapes, list[Finding]]:
    """A shape for every village from a layer of polygons.

    Parameters
    ----------
    county : County
    layer : GeoDataFrame
        Metric. With a column ``village_id`` polygons go to that village; a village that none names
        goes to the polygon it lies in.
    village : array of Point, shape (V,)

    Returns
    -------
    shapes : array, shape (V,)
        A coverage; empty where a village has no polygon.
    findings : list of Finding
        Villages without a polygon or outside theirs, polygons without a village or with an id that
        does not exist, faults of drawing that were mended.
    """
    polygons, found = _clean(layer)
    by_id, problems = _by_id(county, layer)
    found += problems
    within = _by_place(polygons, village, by_id)
    lost = (within < 0) & ~np.isin(np.arange(len(village)), by_id)
    found += _named(county, "zones.no_polygon", lost)
    shapes = np.full(len(village), shapely.Polygon(), dtype=object)
    for number in np.unique(by_id[by_id >= 0]):
        shapes[number] = shapely.union_all(polygons[by_id == number])
    for polygon in np.unique(within[within >= 0]):
        inside = np.flatnonzero(within == polygon)
        shapes[inside] = tile(
            shapely.get_coordinates(village[inside]), np.arange(len(inside)), polygons[polygon]
        )
        if len(inside) > 1:
            names = ", ".join(county.villages["name"].iloc[inside])
            found.append(Finding("note", "zones.shared_polygon", {"names": names}, table="zones"))
    there = ~shapely.is_empty(shapes)
    if not shapely.coverage_is_valid(shapes[there]):  # new corners of divided polygons, on both sides
        shapes[there] = shapely.coverage_clean(shapes[there])
    empty = (by_id < 0) & ~np.isin(np.arange(len(polygons)), within)
    if empty.any():
        fields: dict[str, object] = {"count": int(empty.sum())}
        found.append(Finding("warning", "zones.no_village", fields, table="zones"))
    away = ~shapely.is_empty(shapes) & ~shapely.intersects(shapes, village)
    return shapes, [*found, *_named(county, "zones.outside_own", away)]


def _clean(layer: gpd.GeoDataFrame) -> tuple[Shapes, list[Finding]]:
    """Valid polygons without overlaps or hairline gaps, one for each row of the layer."""
    shapes = np.asarray(layer.geometry.values, dtype=object)
    bad = ~shapely.is_valid(shapes)
    shapes = np.where(bad, shapely.buffer(shapely.make_valid(shapes), 0), shapes)
    mended = bad.any() or not shapely.coverage_is_valid(shapes, gap_width=GAP_M)
    if mended:
        before = float(shapely.area(shapes).sum())
        shapes = np.asarray(shapely.coverage_clean(shapes, gap_width=GAP_M), dtype=object)
        changed = abs(float(shapely.area(shapes).sum()) - before) / 10_000
        fields: dict[str, object] = {"count": int(bad.sum()), "hectares": f"{changed:.2f}"}
        return shapes, [Finding("note", "zones.mended", fields, table="zones")]
    return shapes, []


def _by_id(county: County, layer: gpd.GeoDataFrame) -> tuple[Ints, list[Finding]]:
    """Village row that each polygon names, -1 where none, and ids that do not exist."""
    if "village_id" not in layer:
        return np.full(len(layer), -1, dtype=np.int64), []
    ids = layer["village_id"].fillna("").astype(str).str.strip()
    row = pd.Index(county.villages["village_id"]).get_indexer(ids).astype(np.int64)
    unknown = sorted(set(ids[(row < 0) & (ids != "")]))
    return row, [
        Finding("warning", "zones.unknown_id", table="zones", column="village_id", value=i) for i in unknown
    ]


def _by_place(polygons: Shapes, village: Shapes, by_id: Ints) -> Ints:
    """Polygon that each village lies in, if no polygon names the village or is named; -1 otherwise."""
    within = np.full(len(village), -1, dtype=np.int64)
    point, polygon = shapely.STRtree(polygons).query(village, predicate="intersects")
    free = (by_id[polygon] < 0) & ~np.isin(point, by_id)
    within[point[free][::-1]] = polygon[free][::-1]  # on a border the first polygon counts
    return within


def _named(county: County, key: str, where: npt.NDArray[np.bool_]) -> list[Finding]:
    table = county.villages
    return [
        Finding("warning", key, {"name": table["name"].iloc[i]}, table="villages", value=table["village_id"].iloc[i])
        for i in np.flatnonzero(where)
    ]  # fmt: skip
