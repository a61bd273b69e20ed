"""What a map shows: the whole county, and the part of it where schools stand too close to be told apart."""

from __future__ import annotations

import numpy as np

from geodata.contract.county import County
from models.plan.decisions import PlanResult

Extent = tuple[float, float, float, float]
"""West, south, east, north in degrees."""
INSET = 0.3
"""An enlarged part is drawn where the seat's schools take less than this share of the county's width."""


def county_extent(county: County) -> Extent:
    """Everything of a county: its townships, schools and villages."""
    parts = [t[["lon", "lat"]].to_numpy(dtype=float) for t in (county.schools, county.villages)]
    if county.townships is not None and len(county.townships):
        parts.append(np.reshape(county.townships.total_bounds, (2, 2)))
    points = np.vstack(parts)
    (west, south), (east, north) = points.min(axis=0), points.max(axis=0)
    return float(west), float(south), float(east), float(north)


def crowded_part(result: PlanResult, extent: Extent) -> Extent | None:
    """The seat, where three schools or more lie on a small part of the county; nothing otherwise."""
    at = result.county.schools
    at = at[(at["zone"] == "seat") & at["school_id"].isin(result.verdict.units["school_id"])][["lon", "lat"]]
    if len(at) < 3:
        return None
    middle = at.median()
    near = at[(at - middle).abs().max(axis=1) <= (extent[2] - extent[0]) * INSET / 2]
    ends = [*near.min(), *near.max()]
    west, south, east, north = (float(x) for x in ends)
    if len(near) < 3 or east - west >= (extent[2] - extent[0]) * INSET:
        return None
    spare = 0.15 * max(east - west, north - south, 1e-3)
    return west - spare, south - spare, east + spare, north + spare


def overlap(a: tuple[float, float, float, float], b: tuple[float, float, float, float]) -> float:
    """The area that two boxes share."""
    wide, high = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    return wide * high if wide > 0 and high > 0 else 0.0
