"""Are the points where places can be? Shift against roads, water, damaged decimals: warned of, never corrected."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import networkx as nx
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from geodata.arrays import Floats
from geodata.checks.places import middle
from geodata.contract.findings import Finding
from geodata.contract.tables import POINT_TABLES
from geodata.contract.validation.placed import Placed, Tables
from geodata.layers.coordinates import from_wgs84, to_wgs84

KINDS = ("wgs84", "gcj02", "bd09")
FEWEST = 8
"""Fewer places say nothing about a shift."""
SHIFT_M, SHARE_OF_METRES, SHARE_OF_PLACES = 50.0, 0.4, 2 / 3
"""A shift is suspected when the median distance to a road is beyond the first and another system makes it
less than the second share of it, with at least the third share of the places nearer [A]."""
STREAM_M = 5.0
"""A point this near the centre line of a river stands in it [A]."""
COARSE_DECIMALS = 2
"""Degrees with two decimals tell a place to a kilometre; real surveys have five or more."""
NAMED = 5


def implausible(
    declared: Tables, tables: Tables, roads: nx.MultiDiGraph[Any] | None, waters: gpd.GeoDataFrame | None
) -> list[Finding]:
    """Warnings about points that are unlikely as declared.

    Parameters
    ----------
    declared, tables : dict of str to Placed
        The place tables as declared and in WGS-84, rows in the same order.
    roads : networkx.MultiDiGraph or None
    waters : GeoDataFrame or None

    Returns
    -------
    list of Finding
    """
    found: list[Finding] = []
    for name in POINT_TABLES:
        if name in tables and len(tables[name].frame):
            found += [*damaged(name, declared[name]), *repeated(name, tables[name])]
            if waters is not None:
                found += on_water(name, tables[name], waters)
    return found + ([] if roads is None else shifted(declared, tables, roads))


def _names(frame: pd.DataFrame, where: npt.NDArray[np.bool_] | pd.Series) -> dict[str, object]:
    """How many places, and the first of their names."""
    names = frame.loc[np.asarray(where), "name"].astype(str).tolist()
    return {"count": len(names), "names": ", ".join(names[:NAMED]) + (" ..." if len(names) > NAMED else "")}


def damaged(name: str, declared: Placed) -> list[Finding]:
    """Places whose longitude and latitude both have two decimals or fewer: rounded, as spreadsheets do."""
    frame = declared.frame
    coarse = np.ones(len(frame), dtype=np.bool_)
    for column in ("lon", "lat"):
        values = frame[column].to_numpy(float)
        coarse &= values == np.round(values, COARSE_DECIMALS)
    if coarse.sum() < 2:  # one may be chance
        return []
    first = int(np.flatnonzero(coarse)[0])
    value = f"{frame['lon'].iloc[first]:g}, {frame['lat'].iloc[first]:g}"
    row = int(declared.rows.iloc[first])
    fields = _names(frame, coarse) | {"all": len(frame)}
    return [Finding("warning", "tables.coarse_points", fields, declared.file, name, row, "lon, lat", value)]


def repeated(name: str, placed: Placed) -> list[Finding]:
    """Places of different names at exactly the same point."""
    frame = placed.frame
    found = []
    for _, same in frame.groupby(["lon", "lat"], sort=True):
        if same["name"].nunique() > 1:
            row = int(placed.rows.iloc[int(same.index[1])])
            value = f"{same['lon'].iloc[0]:.6f}, {same['lat'].iloc[0]:.6f}"
            fields = _names(frame, frame.index.isin(same.index))
            found.append(
                Finding("warning", "tables.same_point", fields, placed.file, name, row, "lon, lat", value)
            )
    return found


def on_water(name: str, placed: Placed, waters: gpd.GeoDataFrame) -> list[Finding]:
    """Places inside a water polygon or on the line of a river."""
    frame = placed.frame
    metres = _scale(frame["lon"].to_numpy(), frame["lat"].to_numpy())
    points = shapely.points(metres(np.column_stack([frame["lon"], frame["lat"]])))
    shapes = shapely.transform(np.asarray(waters.geometry.dropna().values), metres)
    if not len(shapes):
        return []
    near = shapely.STRtree(shapes).query(points, predicate="dwithin", distance=STREAM_M)
    # the bank of a lake is no water: of polygons only the inside counts
    flat = shapely.get_dimensions(shapes[near[1]]) == 2
    wet = ~flat | shapely.contains_properly(shapes[near[1]], points[near[0]])
    return [
        Finding(
            "warning", "tables.on_water", {"name": frame["name"].iloc[i]}, placed.file, name,
            int(placed.rows.iloc[i]), "lon, lat", str(frame[name[:-1] + "_id"].iloc[i]),
        )
        for i in np.unique(near[0][wet])
    ]  # fmt: skip


def shifted(declared: Tables, tables: Tables, roads: nx.MultiDiGraph[Any]) -> list[Finding]:
    """Files and systems whose points would lie much nearer to roads under another system."""
    groups = [
        (name, str(crs), rows.index)
        for name in POINT_TABLES
        if name in tables
        for crs, rows in declared[name].frame.groupby("crs")
        if len(rows) >= FEWEST
    ]
    if not groups:
        return []
    lon0, lat0 = (
        np.concatenate([tables[n].frame[c].to_numpy() for n, _, _ in groups]) for c in ("lon", "lat")
    )
    metres = _scale(lon0, lat0)
    tree = shapely.STRtree(shapely.transform(_lines(roads), metres))
    found = []
    for name, crs, index in groups:
        rows = tables[name].frame.loc[index]
        here = _from_roads(tree, metres, rows["lon"].to_numpy(), rows["lat"].to_numpy())
        finding = _better_system(tree, metres, rows, crs, here)
        if finding is not None:
            key, fields = finding
            found.append(Finding("warning", key, fields, declared[name].file, name, column="crs", value=crs))
    return found


def _better_system(
    tree: shapely.STRtree, metres: Any, rows: pd.DataFrame, crs: str, here: Floats
) -> tuple[str, dict[str, object]] | None:
    """The system under which the places lie much nearer to roads, if there is one."""
    if np.median(here) <= SHIFT_M:
        return None
    written = from_wgs84(rows["lon"].to_numpy(), rows["lat"].to_numpy(), crs)
    best: tuple[float, str, Floats] | None = None
    for kind in KINDS:
        if kind == ("wgs84" if crs == "cgcs2000" else crs):
            continue
        there = _from_roads(tree, metres, *to_wgs84(*written, kind))
        if best is None or np.median(there) < best[0]:
            best = float(np.median(there)), kind, there
    assert best is not None
    median, kind, there = best
    nearer = there < here
    if median >= SHARE_OF_METRES * np.median(here) or nearer.mean() < SHARE_OF_PLACES:
        return None
    fields = {
        "kind": kind,
        "metres": round(float(np.median(here))),
        "better": round(median),
        "all": len(rows),
    }
    return "tables.looks_like", fields | _names(rows, nearer)


def _scale(lon: Floats, lat: Floats) -> Any:
    """A function from degrees to metres around the middle of the points; good enough for a county."""
    origin = np.array(middle(pd.Series(lon), pd.Series(lat)))
    factor = np.array([111_320.0 * max(np.cos(np.radians(origin[1])), 1e-6), 110_900.0])

    def metres(degrees: Floats) -> Floats:
        away = np.asarray(degrees, dtype=float)[:, :2] - origin
        away[:, 0] = (away[:, 0] + 180) % 360 - 180  # the shorter way round the globe
        return np.asarray(away * factor, dtype=np.float64)

    return metres


def _lines(roads: nx.MultiDiGraph[Any]) -> npt.NDArray[np.object_]:
    places = {node: (data["x"], data["y"]) for node, data in roads.nodes(data=True)}
    lines = [
        data.get("geometry") or shapely.LineString([places[u], places[v]])
        for u, v, data in roads.edges(data=True)
    ]
    return np.array(lines, dtype=object)


def _from_roads(tree: shapely.STRtree, metres: Any, lon: Floats, lat: Floats) -> Floats:
    """Metres from each point to the nearest road."""
    points = shapely.points(metres(np.column_stack([lon, lat])))
    (which, _), distance = tree.query_nearest(points, return_distance=True, all_matches=False)
    away = np.full(len(lon), np.inf)
    away[which] = distance
    return away
