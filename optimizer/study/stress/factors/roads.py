"""Roads and places: coordinates that are off, winter, bridges that are down, roads that are closed, slower classes of road.

After each of them times are computed again, so they come before what only scales times (`ways`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import networkx as nx
import numpy as np
import pandas as pd

from geodata.contract.county import County
from geodata.roads.joined import parted
from geodata.roads.snapping import highway_label
from geodata.travel.tables import places, town_schools
from geodata.travel.times import TravelTimes, travel_times
from optimizer.study.stress.factors.record import Case, Factor

METRES = 111_320.0
"""Metres of a degree of latitude."""


def shift(case: Case, value: float, of: str) -> Case:
    """All villages lie so many metres elsewhere, in one direction: a coordinate system that nobody declared.

    The direction is the seed's. Times are computed again.
    """
    if value <= 0:
        return case
    angle = case.chance("shift").uniform(0.0, 2.0 * math.pi)
    villages = case.county.villages
    lat = villages["lat"].astype(float)
    moved = villages.assign(
        lon=villages["lon"] + value * math.cos(angle) / (METRES * np.cos(np.radians(lat))),
        lat=lat + value * math.sin(angle) / METRES,
    )
    return retimed(case.but(villages=moved))


def _own_matrix(case: Case, of: str) -> str | None:
    return "cannot_own_times" if len(case.county.travel_matrix) else None


def retimed(case: Case, cached: bool = False) -> Case:
    """The case with times computed again over its roads as they are now."""
    times = travel_times(case.county, cached=cached, class_shares=case.class_shares)
    if case.whole_roads is not None:
        times = _no_way_across(times, case.county, case.whole_roads)
    return replace(case, times=times)


def winter(case: Case, value: float, of: str) -> Case:
    """With 1 the roads are those of winter (seasons.csv and the county's slowed areas). Times are computed again."""
    if value < 0.5:
        return case
    return retimed(case.but(travel=case.county.travel.model_copy(update={"season": "winter"})), cached=True)


def _no_roads(case: Case, of: str) -> str | None:
    return "cannot_no_roads" if case.county.roads is None else _own_matrix(case, of)


Edge = tuple[Any, Any, int]


@dataclass(frozen=True)
class Street:
    """A street of the county's roads with all of its edges: both directions, and what it is called.

    Parameters
    ----------
    edges : tuple of Edge
    names : frozenset of str
        Its name and the OSM ids of its ways, as far as the road file tells them.
    bridge : bool
        A part of it is a bridge.
    """

    edges: tuple[Edge, ...]
    names: frozenset[str]
    bridge: bool


def _words(value: object) -> set[str]:
    """The words of a tag; several values of one street are a list."""
    parts = value if isinstance(value, list | tuple | set) else [value]
    return set(highway_label([str(p) for p in parts if p is not None and p == p]).split(";")) - {""}


def streets(case: Case) -> list[Street]:
    """Every street once, in an order that hangs on the road file alone."""
    assert case.county.roads is not None
    found: dict[tuple[frozenset[Any], frozenset[str]], list[tuple[Edge, dict[str, Any]]]] = {}
    for u, v, k, data in case.county.roads.edges(keys=True, data=True):
        ids = frozenset(_words(data.get("osmid")))
        found.setdefault((frozenset((u, v)), ids), []).append(((u, v, k), data))
    return [
        Street(
            tuple(edge for edge, _ in some),
            ids.union(*(_words(data.get("name")) for _, data in some)),
            any(_words(data.get("bridge")) - {"no"} for _, data in some),
        )
        for (_, ids), some in found.items()
    ]


def _without(case: Case, cut: list[Street]) -> Case:
    """The case without some streets."""
    if not cut:
        return case
    assert case.county.roads is not None
    roads = case.county.roads.copy()
    for street in cut:
        for u, v, k in street.edges:
            roads.remove_edge(u, v, k)
    whole = case.whole_roads if case.whole_roads is not None else case.county.roads
    return retimed(replace(case.but(roads=roads), whole_roads=whole))


def _no_way_across(times: TravelTimes, county: County, whole: nx.MultiDiGraph[Any]) -> TravelTimes:
    """Times without ways between places that only streets now cut joined: nobody walks straight over the river."""
    assert county.roads is not None
    rows, towns = places(county), town_schools(county)[0]
    ids = [*rows["point_id"], *towns["township"]]
    kinds = [*rows["point_kind"], *["town"] * len(towns)]
    lon, lat = (np.concatenate([rows[c], towns[c]]).astype(float) for c in ("lon", "lat"))
    apart = parted(whole, county.roads, lon, lat)
    at = {k: i for i, k in enumerate(zip(kinds, ids, strict=True))}

    def joined(table: pd.DataFrame, start: tuple[str, str], end: tuple[str, str]) -> pd.DataFrame:
        first, last = ([at[kind, x] for x in table[column]] for kind, column in (start, end))
        return table[~apart[first, last]].reset_index(drop=True)

    pairs = joined(times.pairs, ("village", "village_id"), ("school", "school_id"))
    links = joined(times.towns, ("town", "from_township"), ("town", "to_township"))
    return replace(times, pairs=pairs, towns=links)


def _bridges(case: Case, of: str = "") -> list[Street]:
    return [s for s in streets(case) if s.bridge and (not of or of in s.names)]


def bridges(case: Case, value: float, of: str) -> Case:
    """A part of the bridges is down, which ones is drawn by lot: those down at 0.2 are among those down at 0.5.

    A street with a bridge is cut from junction to junction.
    """
    some = _bridges(case, of)
    down = case.chance("bridges").permutation(len(some))[: int(np.floor(value * len(some) + 0.5))]
    return _without(case, [some[i] for i in sorted(down.tolist())])


def _bridge_names(case: Case) -> tuple[str, ...]:
    return () if case.county.roads is None else _names(_bridges(case))


def _names(some: list[Street]) -> tuple[str, ...]:
    """What they are called: names first, then OSM ids."""
    every = frozenset[str]().union(*(s.names for s in some))
    return tuple(sorted(every, key=lambda name: (name.isdigit(), name)))


def _no_bridges(case: Case, of: str) -> str | None:
    return _no_roads(case, of) or (None if _bridges(case, of) else "cannot_no_bridges")


def closed_road(case: Case, value: float, of: str) -> Case:
    """With 1 the streets of a name, or of an OSM id, are closed."""
    return _without(case, [s for s in streets(case) if of in s.names]) if value >= 0.5 else case


def _street_names(case: Case) -> tuple[str, ...]:
    return () if case.county.roads is None else _names(streets(case))


def road_speed(case: Case, value: float, of: str) -> Case:
    """Vehicles keep this share of their speed on roads of a class, on all roads without ``of``; walking is as it was."""
    some = (of,) if of else _classes(case)
    shares = {c: case.class_shares.get(c, 1.0) * value for c in some}
    return retimed(replace(case, class_shares={**case.class_shares, **shares}))


def _classes(case: Case) -> tuple[str, ...]:
    """Classes of the county's roads."""
    if case.county.roads is None:
        return ()
    every = (_words(data.get("highway")) for _, _, data in case.county.roads.edges(data=True))
    return tuple(sorted(set().union(*every)))


FACTORS = (
    Factor("shift", "metres", 0.0, 2000.0, 0.0, shift, cannot=_own_matrix),
    Factor("winter", "flag", 0.0, 1.0, 0.0, winter, cannot=_no_roads),
    Factor("bridges", "part", 0.0, 1.0, 0.0, bridges, _bridge_names, _no_bridges),
    Factor("closed_road", "flag", 0.0, 1.0, 0.0, closed_road, _street_names, _no_roads, asks_of=True),
    Factor("road_speed", "share", 0.2, 1.0, 1.0, road_speed, _classes, _no_roads),
)
