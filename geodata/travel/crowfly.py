"""Straight-line times for a county without roads."""

from __future__ import annotations

import numpy as np
import pandas as pd
from pyproj import Geod

from geodata.arrays import Floats
from geodata.contract.county import County
from geodata.contract.findings import Finding
from geodata.travel.tables import (
    BUS_WAIT_MIN,
    WALK_KMH,
    ModePairs,
    TravelTimes,
    all_points,
    limit_of,
    places,
    sorted_pairs,
    town_schools,
    town_table,
    unreachable,
)
from geodata.travel.today import beyond_findings, lacking_today, with_more

DETOUR = 1.35  # sources.md 3.2 [A]
KMH = {
    "walk": WALK_KMH,
    "walk_young": 3.5,
    "ebike": 20.0,
    "bus": 25.0,
    "car": 30.0,
}  # sources.md 3.2 [A]; car [A]


def geodesic_km(start: pd.DataFrame, end: pd.DataFrame) -> Floats:
    """Kilometres x detour between all points, shape (start, end)."""
    shape = len(start), len(end)
    lon1, lat1 = (np.broadcast_to(start[c].to_numpy(float)[:, None], shape) for c in ("lon", "lat"))
    lon2, lat2 = (np.broadcast_to(end[c].to_numpy(float)[None, :], shape) for c in ("lon", "lat"))
    metres = Geod(ellps="WGS84").inv(lon1.copy(), lat1.copy(), lon2.copy(), lat2.copy())[2]
    return np.asarray(metres, dtype=np.float64) * DETOUR / 1000


def crow_fly(county: County, walk_limit: float, bus_limit: float, modes: tuple[str, ...]) -> TravelTimes:
    """Geodesic distance x 1.35 at one speed for each mode, flagged."""
    km = geodesic_km(county.villages, county.schools)
    parts: list[ModePairs] = []
    for mode in modes:
        minutes = _minutes(mode, km)
        v, s = np.nonzero(minutes <= limit_of(mode, walk_limit, bus_limit))
        parts.append((mode, (v.astype(np.int32), s.astype(np.int32), minutes[v, s]), km[v, s]))
    pairs = sorted_pairs(parts, county)
    beyond = _beyond(county, km, lacking_today(county, pairs, modes))
    pairs = with_more(pairs, beyond)
    towns, town_findings = crow_fly_towns(county)
    rows = places(county)
    speeds: dict[str, object] = {mode: f"{KMH[mode]:g}" for mode in ("walk", "bus", "car")}
    about = {"detour": f"{DETOUR:g}", "wait": f"{BUS_WAIT_MIN:g}", **speeds}
    warning = Finding("warning", "roads.crow_fly", about | farthest(walk_limit, bus_limit))
    limits = {"walk": walk_limit, "bus": bus_limit}
    lost = [*unreachable(rows, pairs, limits), *beyond_findings(county, beyond, limits)]
    points = all_points(rows, np.zeros(len(rows)), "crow_fly")
    return TravelTimes(pairs, towns, points, "crow_fly", (warning, *lost, *town_findings))


def _minutes(mode: str, km: Floats) -> Floats:
    return km / KMH[mode] * 60 + (BUS_WAIT_MIN if mode == "bus" else 0.0)


def _beyond(county: County, km: Floats, lacking: pd.DataFrame) -> pd.DataFrame:
    """Rows of `TravelTimes.pairs` for ways of today, whatever they take."""
    v = pd.Index(county.villages["village_id"]).get_indexer(lacking["village_id"]).astype(np.int32)
    s = pd.Index(county.schools["school_id"]).get_indexer(lacking["school_id"]).astype(np.int32)
    parts: list[ModePairs] = []
    for mode in lacking["mode"].unique():
        of = (lacking["mode"] == mode).to_numpy()
        length = km[v[of], s[of]]
        parts.append((str(mode), (v[of], s[of], _minutes(mode, length)), length))
    return sorted_pairs(parts, county) if parts else lacking.assign(minutes=0.0, km=0.0)


def farthest(walk_limit: float, bus_limit: float) -> dict[str, object]:
    """Where straight-line times end: minutes, and kilometres as the crow flies, as fields of a message."""
    ridden = max(0.0, bus_limit - BUS_WAIT_MIN)
    km = {"walk": walk_limit / 60 * KMH["walk"] / DETOUR, "bus": ridden / 60 * KMH["bus"] / DETOUR}
    return {
        "walk_limit": f"{walk_limit:g}", "bus_limit": f"{bus_limit:g}",
        "walk_km": f"{km['walk']:.1f}", "bus_km": f"{km['bus']:.1f}",
    }  # fmt: skip


def crow_fly_towns(county: County) -> tuple[pd.DataFrame, list[Finding]]:
    """`TravelTimes.towns` in straight lines."""
    chosen, found = town_schools(county)
    minutes = geodesic_km(chosen, chosen) / KMH["car"] * 60
    return town_table(chosen["township"].astype(str).tolist(), minutes), found


def crow_km(county: County, villages: pd.Series, schools: pd.Series) -> Floats:
    """Geodesic kilometres x 1.35 of pairs given by their ids, shape (K,)."""
    start = county.villages.set_index("village_id").loc[villages, ["lon", "lat"]].to_numpy(dtype=float)
    end = county.schools.set_index("school_id").loc[schools, ["lon", "lat"]].to_numpy(dtype=float)
    metres = Geod(ellps="WGS84").inv(start[:, 0], start[:, 1], end[:, 0], end[:, 1])[2]
    return np.asarray(np.asarray(metres, dtype=np.float64) * DETOUR / 1000, dtype=np.float64).round(3)
