"""Ends of roads that lie on another road without being joined to it: a fault of drawing, or a wall."""

from __future__ import annotations

import numpy as np
import shapely

from geodata.contract.findings import Finding
from geodata.roads.snapping import Streets

TOUCH_M = 1.0
"""An end this near to another road touches it for the eye [A]."""
MOST_PLACES = 5
"""Places written out in a finding that says how many there are."""


def touching_ends(streets: Streets) -> list[tuple[float, float]]:
    """Longitude and latitude of every dead end within `TOUCH_M` of a street that it is not joined to, landings of ferries included.

    Two ends that face each other over the gap are one place.
    """
    degree = np.bincount(streets.tail, minlength=streets.node_count)
    degree += np.bincount(streets.head, minlength=streets.node_count)
    solid = np.flatnonzero(~streets.ferry)
    first = [(int(e), 0) for e in np.flatnonzero(degree[streets.tail] == 1)]
    last = [(int(e), -1) for e in np.flatnonzero(degree[streets.head] == 1)]
    ends = first + last
    if not ends:
        return []
    points = np.array([shapely.get_point(streets.metric[e], k) for e, k in ends], dtype=object)
    end, near = shapely.STRtree(streets.metric[solid]).query(points, predicate="dwithin", distance=TOUCH_M)
    apart = np.unique(end[solid[near] != np.array([e for e, _ in ends])[end]])
    one, other = shapely.STRtree(points[apart]).query(points[apart], predicate="dwithin", distance=TOUCH_M)
    kept = np.delete(apart, one[other < one])
    places = [
        shapely.get_coordinates(shapely.get_point(streets.lines[ends[i][0]], ends[i][1]))[0] for i in kept
    ]
    return sorted((float(lon), float(lat)) for lon, lat in places)


def places_named(places: list[tuple[float, float]]) -> str:
    """The first places of a list, as a message writes them."""
    more = " ..." if len(places) > MOST_PLACES else ""
    return "; ".join(f"{lon:.6f}, {lat:.6f}" for lon, lat in places[:MOST_PLACES]) + more


def end_findings(joined: list[tuple[float, float]], streets: Streets) -> list[Finding]:
    """Ends joined while reading, and those that only touch."""
    found = []
    if joined:
        found.append(
            Finding("note", "roads.ends_joined", {"count": len(joined), "places": places_named(joined)})
        )
    if touching := touching_ends(streets):
        fields: dict[str, object] = {
            "count": len(touching),
            "places": places_named(touching),
            "metres": f"{TOUCH_M:g}",
        }
        found.append(Finding("warning", "roads.ends_touch", fields))
    return found
