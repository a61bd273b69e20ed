"""Where things stand: points that are far from all others, swapped, or one school twice (sources.md 3.4)."""

from __future__ import annotations

import numpy as np
import pandas as pd

from geodata.contract.findings import Finding
from geodata.contract.validation.placed import Tables

FAR_KM = 150.0
"""A point this far from the median of the others is not in the same county."""
CLOSE_M = 150.0
"""Two schools nearer than this may be one school entered twice."""
MOST_CLOSE = 100_000
"""Pairs of close schools beyond which one a school is enough."""


def kilometres(lon: pd.Series, lat: pd.Series, lon0: float, lat0: float) -> np.ndarray:
    """Rough distance to a point, good enough to tell counties apart."""
    across = (np.asarray(lon, dtype=float) - lon0 + 180) % 360 - 180  # the shorter way round the globe
    east, north = across * 111.3 * np.cos(np.radians(lat0)), (np.asarray(lat, dtype=float) - lat0) * 110.9
    return np.asarray(np.hypot(east, north), dtype=float)


def middle(lon: pd.Series, lat: pd.Series) -> tuple[float, float]:
    """The median place; longitudes on both sides of 180 degrees are one neighbourhood."""
    east = np.asarray(lon, dtype=float)
    if np.ptp(east) > 180:
        east = east % 360
    return (float(np.median(east)) + 180) % 360 - 180, float(np.median(np.asarray(lat, dtype=float)))


def positions(tables: Tables) -> list[Finding]:
    """Swapped longitude and latitude, points far from all others."""
    parts = [
        tables[n].all_rows().frame[["lon", "lat"]].dropna() for n in ("schools", "villages") if n in tables
    ]
    points = pd.concat(parts) if parts else pd.DataFrame()
    if points.empty:
        return []
    lon0, lat0 = middle(points["lon"], points["lat"])
    found = []
    for name in ("schools", "villages"):
        if name not in tables:
            continue
        placed = tables[name].all_rows()
        frame = placed.frame
        far = kilometres(frame["lon"], frame["lat"], lon0, lat0)
        swapped = kilometres(frame["lat"], frame["lon"], lon0, lat0)
        for i in np.flatnonzero(far > FAR_KM):
            value = f"{frame['lon'].iloc[i]}, {frame['lat'].iloc[i]}"
            key = "tables.swapped" if swapped[i] <= FAR_KM else "tables.far_away"
            at = placed.at(name, int(i), "lon, lat", value)
            found.append(Finding("error", key, {"km": round(float(far[i]))}, **at))
    return found


def _close_pairs(points: np.ndarray) -> list[tuple[int, int]]:
    """Pairs of points nearer than `CLOSE_M`, the lower number first; of points that many are near, one pair each.

    A table that holds a school 150,000 times has ten thousand million pairs.
    """
    from scipy.spatial import cKDTree

    first, place = np.unique(points, axis=0, return_index=True, return_inverse=True)[1:]
    same = {(int(first[p]), j) for j, p in enumerate(place.ravel()) if first[p] != j}
    tree = cKDTree(points[first])
    if tree.count_neighbors(tree, CLOSE_M) <= len(first) + MOST_CLOSE:
        near = tree.query_pairs(CLOSE_M, output_type="ndarray")
    else:
        away, other = tree.query(points[first], k=2, distance_upper_bound=CLOSE_M)
        some = np.flatnonzero(np.isfinite(away[:, 1]))
        near = np.column_stack([some, other[some, 1]])
    both = np.sort(first[near], axis=1)
    return sorted(same | {(int(i), int(j)) for i, j in both})


def close_schools(tables: Tables) -> list[Finding]:
    """Schools less than 150 m apart."""
    placed = tables["schools"].all_rows()
    frame = placed.frame
    known = np.flatnonzero(frame["lon"].notna() & frame["lat"].notna())
    if not len(known):
        return []
    frame = frame.iloc[known]
    lon0, lat0 = middle(frame["lon"], frame["lat"])
    x = ((frame["lon"].to_numpy() - lon0 + 180) % 360 - 180) * 111_300 * np.cos(np.radians(lat0))
    y = frame["lat"].to_numpy() * 110_900
    pairs = _close_pairs(np.column_stack([x, y]))
    found = []
    for i, j in pairs:
        at = placed.at("schools", int(known[j]), "lon, lat", frame["name"].iloc[j])
        found.append(Finding("warning", "tables.close_schools", {"other": frame["name"].iloc[i]}, **at))
    return found
