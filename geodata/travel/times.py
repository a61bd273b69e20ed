"""Minutes from villages to schools by mode: over roads, from the user's matrix, or in straight lines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import cast

import numpy as np
import pandas as pd

from geodata.arrays import Floats, Ints
from geodata.contract.county import County
from geodata.contract.findings import Finding, Severity
from geodata.roads.cache import (
    Entry,
    digest,
    file_digest,
    findings_as_notes,
    findings_of_notes,
    graph_digest,
)
from geodata.roads.graph import roads_findings
from geodata.roads.shortest_paths import Pairs, Small, blocks, in_order, matrix
from geodata.roads.slope import raster_heights, slope_findings, street_slopes
from geodata.roads.snapping import Net, Snaps, Streets, snap, streets_of, with_pieces
from geodata.roads.speeds import (
    ALL_MODES,
    ON_FOOT,
    Conditions,
    area_shares,
    mode_network,
    read_seasons,
    read_speeds,
    read_surfaces,
)
from geodata.roads.store import open_cache
from geodata.travel.crowfly import crow_fly, farthest
from geodata.travel.observed import from_matrix, with_observed
from geodata.travel.tables import (
    BUS_WAIT_MIN,
    PAIR_KEY,
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
from geodata.travel.today import beyond_findings, lacking_today, with_more, without_way_findings

__all__ = ["TravelTimes", "travel_times"]

WALK_PACE = 3.6 / WALK_KMH  # seconds per metre, also for the way from a point to the road
YOUNG_PACE = 3.6 / 3.5  # sources.md 3.2 [A]: grades 1-3
WALK_LIMIT, BUS_LIMIT = 90.0, 60.0
"""Minutes beyond which no way is looked for, unless asked; ways that pupils go today are looked for without limit."""
FAR_M = 500.0  # a point further from the road is flagged
OFFSET_M = 200  # a median beyond this suggests an undeclared coordinate system


MOST_NAMES = 5
"""Places of a piece that are written out."""


@dataclass(frozen=True)
class _Mode:
    """One mode's network with the points snapped to it."""

    net: Net
    villages: Snaps
    schools: Snaps


def travel_times(
    county: County,
    walk_limit: float = WALK_LIMIT,
    bus_limit: float = BUS_LIMIT,
    *,
    modes: tuple[str, ...] = ("walk", "bus"),
    cached: bool = True,
    class_shares: Mapping[str, float] | None = None,
) -> TravelTimes:
    """Minutes and kilometres from every village to every school, whatever the school's status.

    Speeds are those of `geodata.roads.speeds` under the county's ``[travel]`` settings. A bus is driving
    time plus 10 minutes of waiting (sources.md 3.2); the way to and from the road is walked and
    counted for all modes. ``km`` is the *shortest* distance for the mode, which may be a little less
    than the fastest way's; on foot with access, otherwise without. A `travel_matrix` of the county
    replaces all this, and observed minutes (`travel_times`) win over everything.

    Parameters
    ----------
    county : County
    walk_limit, bus_limit : float
        Minutes in all, access and waiting included; pairs beyond are left out, but for those that pupils go
        today (`geodata.travel.today`). The second serves all modes that are not on foot.
    modes : tuple of str
        Of `geodata.roads.speeds.ALL_MODES`.
    cached : bool
        Use the county's cache folder, if it has one. Results are the same without it.
    class_shares : mapping of str to float, optional
        Share of their speed that vehicles keep on streets of a class, as winter leaves it; never cached.

    Returns
    -------
    TravelTimes
        Without roads: geodesic distance x 1.35 and flagged. ``snap_m`` of a point is the largest of
        those for the modes.

    Raises
    ------
    ValueError
        For a mode that does not exist.
    InputProblems
        If the height raster cannot be used.
    """
    unknown = [mode for mode in modes if mode not in ALL_MODES]
    if unknown or not modes:
        raise ValueError(f"modes are {', '.join(ALL_MODES)}; not {', '.join(unknown) or 'none at all'}")
    shares = dict(class_shares or {})
    store, _ = open_cache(county.folder, county.travel.cache) if cached and not shares else (None, [])
    if store is None:
        return _computed(county, walk_limit, bus_limit, modes, shares)
    key = _key(county, walk_limit, bus_limit, modes)
    kept = store.get("times", key)
    if kept is not None:
        t = kept.tables
        return TravelTimes(
            t["pairs"], t["towns"], t["points"], kept.notes["source"],
            tuple(findings_of_notes(kept.notes["findings"])),
        )  # fmt: skip
    times = _computed(county, walk_limit, bus_limit, modes, shares)
    tables = {"pairs": times.pairs, "towns": times.towns, "points": times.points}
    notes = {"source": times.source, "findings": findings_as_notes(times.findings)}
    store.put("times", key, Entry(tables, notes))
    return replace(times, findings=(*times.findings, *store.said()))


def _key(county: County, walk_limit: float, bus_limit: float, modes: tuple[str, ...]) -> str:
    """Hash of everything that `_computed` reads."""
    schools = ["school_id", "name", "township", "lon", "lat", "status"]
    areas = county.road_areas
    dem = county.travel.dem
    return digest(
        "times", walk_limit, bus_limit, modes, county.travel.season, dem,
        file_digest(county.folder / dem) if county.folder and dem else None,
        None if county.roads is None else graph_digest(county.roads),
        read_speeds(), read_surfaces(), read_seasons(),
        county.villages[["village_id", "name", "township", "lon", "lat"]], county.schools[schools],
        county.school_stage[["school_id", "pupils"]], county.attendance, county.travel_times,
        county.travel_matrix,
        None if areas is None else [areas[["season", "share"]], *areas.geometry.to_wkb().tolist()],
    )  # fmt: skip


def _computed(
    county: County, walk_limit: float, bus_limit: float, modes: tuple[str, ...], shares: dict[str, float]
) -> TravelTimes:
    streets = None if county.roads is None else streets_of(county.roads)
    if len(county.travel_matrix):
        towns = None
        if streets is not None:
            conditions = replace(conditions_of(county, streets)[0], classes=shares)
            net, _ = with_places(mode_network(streets, "car", conditions=conditions), places(county))
            towns = _towns(county, net)
        times = from_matrix(county, towns, walk_limit, bus_limit, modes)
    elif streets is None:
        times = crow_fly(county, walk_limit, bus_limit, modes)
    else:
        times = _over_roads(county, streets, walk_limit, bus_limit, modes, shares)
    times = with_observed(times, county, modes)
    return replace(times, findings=(*times.findings, *without_way_findings(county, times.pairs)))


def _over_roads(
    county: County,
    streets: Streets,
    walk_limit: float,
    bus_limit: float,
    modes: tuple[str, ...],
    shares: dict[str, float],
) -> TravelTimes:
    assert county.roads is not None
    conditions, found = conditions_of(county, streets)
    conditions = replace(conditions, classes=shares)
    rows = places(county)
    nets = {m: with_places(mode_network(streets, m, conditions=conditions), rows) for m in modes}
    snapped = {m: _snapped(net, rows) for m, (net, _) in nets.items()}
    first = "walk" if "walk" in modes else next(iter(modes))
    found = [*found, *pieces_named(nets[first][1], rows)]
    parts = [_mode_pairs(m, x, limit_of(m, walk_limit, bus_limit)) for m, x in snapped.items()]
    pairs = sorted_pairs(parts, county)
    beyond = _beyond(county, snapped, lacking_today(county, pairs, modes))
    pairs = with_more(pairs, beyond)
    towns, town_findings = _towns(
        county, with_places(mode_network(streets, "car", conditions=conditions), rows)[0]
    )
    points, point_findings = _points(rows, snapped, walk_limit)
    limits = {"walk": walk_limit, "bus": bus_limit}
    findings = [
        *roads_findings(county.roads, streets), *found, *(_bus_assumption() if "bus" in modes else []),
        *point_findings, *unreachable(rows, pairs, limits), *beyond_findings(county, beyond, limits), *town_findings,
    ]  # fmt: skip
    return TravelTimes(pairs, towns, points, "roads", tuple(findings))


def _beyond(county: County, snapped: dict[str, _Mode], lacking: pd.DataFrame) -> pd.DataFrame:
    """Rows of `TravelTimes.pairs` for ways of today, whatever they take."""
    if lacking.empty:
        return lacking.assign(minutes=0.0, km=0.0)
    villages = np.flatnonzero(county.villages["village_id"].isin(lacking["village_id"]))
    schools = np.flatnonzero(county.schools["school_id"].isin(lacking["school_id"]))
    parts: list[ModePairs] = []
    for mode, given in snapped.items():
        some = _Mode(given.net, given.villages.some(villages), given.schools.some(schools))
        _, (v, s, minutes), km = _mode_pairs(mode, some, np.inf)
        parts.append((mode, (villages[v].astype(np.int32), schools[s].astype(np.int32), minutes), km))
    return sorted_pairs(parts, county).merge(lacking, on=PAIR_KEY)


def conditions_of(county: County, streets: Streets) -> tuple[Conditions, list[Finding]]:
    """Season, areas and slopes of the county, and what they do."""
    travel, found = county.travel, []
    areas = slope = None
    if travel.season != "normal":
        found.append(Finding("note", f"roads.season_{travel.season}"))
    if county.road_areas is not None:
        areas = area_shares(streets, county.road_areas, travel.season)
        counts: dict[str, object] = {
            "closed": int((areas == 0).sum()),
            "slowed": int(((areas > 0) & (areas < 1)).sum()),
        }
        found.append(Finding("note", "roads.areas_used", counts, file=travel.areas or ""))
    if travel.dem and county.folder is not None:
        slopes = street_slopes(streets, raster_heights(county.folder / travel.dem))
        found += slope_findings(slopes, travel.dem)
        slope = slopes.factor
    return Conditions(travel.season, areas, slope), found


def road_quality(county: County) -> list[Finding]:
    """What the roads are like before anything is planned over them: `roads_findings`, pieces that hold places.

    Parameters
    ----------
    county : County

    Returns
    -------
    list of Finding
        Without roads how far straight-line times go, unless the county has a matrix of its own.
    """
    if county.roads is None:
        if not county.travel_matrix.empty:
            return []
        file = "county.toml" if county.workbook is None else county.workbook.name
        return [Finding("note", "roads.crow_fly_limit", farthest(WALK_LIMIT, BUS_LIMIT), file=file)]
    streets = streets_of(county.roads)
    conditions, _ = conditions_of(county, streets)
    rows = places(county)
    _, pieces = with_places(mode_network(streets, "walk", conditions=conditions), rows)
    return [*roads_findings(county.roads, streets), *pieces_named(pieces, rows)]


def with_places(net: Net, rows: pd.DataFrame) -> tuple[Net, list[tuple[float, Ints]]]:
    """`with_pieces` for the places of a county as `places` lists them."""
    is_school = (rows["point_kind"] == "school").to_numpy()
    return with_pieces(net, rows["lon"].to_numpy(float), rows["lat"].to_numpy(float), is_school)


def pieces_named(pieces: list[tuple[float, Ints]], rows: pd.DataFrame) -> list[Finding]:
    """A warning for every separate piece of the network that holds places, with their names."""
    return [
        Finding(
            "warning", "roads.piece_apart",
            {"km": f"{metres / 1000:.1f}", "count": len(held), "names": ", ".join(rows["name"].iloc[held[:MOST_NAMES]].astype(str)) + (" ..." if len(held) > MOST_NAMES else "")},
        )
        for metres, held in pieces
    ]  # fmt: skip


def _snapped(net: Net, rows: pd.DataFrame) -> _Mode:
    village, school = (rows[rows["point_kind"] == kind] for kind in ("village", "school"))
    return _Mode(
        net,
        snap(net, village["lon"].to_numpy(), village["lat"].to_numpy()),
        snap(net, school["lon"].to_numpy(), school["lat"].to_numpy()),
    )


def _mode_pairs(mode: str, given: _Mode, limit: float) -> ModePairs:
    """Pairs of a mode by time; kilometres from a search by length.

    The shortest way is never longer than the fastest, and that is at most top speed x time, so a
    search by length with that limit finds every pair. Both searches go block by block.
    """
    net, wait = given.net, BUS_WAIT_MIN if mode == "bus" else 0.0
    budget, access_pace = (limit - wait) * 60, YOUNG_PACE if mode == "walk_young" else WALK_PACE
    by_time = blocks(net, given.villages, given.schools, budget, access_pace)
    on_foot = mode in ON_FOOT
    open_paces = net.pace[net.passable]
    if on_foot and (not len(open_paces) or (open_paces == access_pace).all()):
        village, school, seconds = in_order(by_time)
        return mode, (village, school, seconds / 60), seconds / access_pace / 1000
    farthest = budget / float(min(open_paces.min(), access_pace)) + 1 if len(open_paces) else 0.0
    by_length = replace(net, pace=np.where(net.passable, 1.0, np.inf))
    metres = blocks(by_length, given.villages, given.schools, farthest, 1.0 if on_foot else 0.0)
    both = (_with_metres(fast, short) for fast, short in zip(by_time, metres, strict=True))
    village, school, seconds, length = in_order(both, 4)
    return mode, (village, school, seconds / 60 + wait), length / 1000


def _with_metres(fast: Pairs, short: Pairs) -> tuple[Small, Small, Floats, Floats]:
    """The pairs found by time with the lengths that the search by length found for them."""
    width = int(max(fast[1].max(initial=0), short[1].max(initial=0))) + 1
    wanted, there = (p[0].astype(np.int64) * width + p[1] for p in (fast, short))
    order = np.argsort(there)
    return *fast, short[2][order[np.searchsorted(there, wanted, sorter=order)]]


def _points(
    rows: pd.DataFrame, modes: dict[str, _Mode], walk_limit: float
) -> tuple[pd.DataFrame, list[Finding]]:
    """Every point with its snap and status, and a finding for each that lies badly."""
    access = {m: np.concatenate([x.villages.access, x.schools.access]) for m, x in modes.items()}
    fragment = {m: np.concatenate([x.villages.fragment, x.schools.fragment]) for m, x in modes.items()}
    first = access["walk" if "walk" in modes else next(iter(modes))]
    worst = np.max(list(access.values()), axis=0)
    status = np.select(
        [first > walk_limit * 60 / WALK_PACE, np.any(list(fragment.values()), axis=0), worst > FAR_M],
        ["no_road", "fragment", "far_snap"],
        "ok",
    )
    kind = rows["point_kind"].map({"village": "villages", "school": "schools"})
    found: list[Finding] = []
    for mode in modes:
        if mode == "walk_young" and "walk" in modes:
            continue  # the same streets
        finite = np.isfinite(access[mode])
        for severity, key, where in (
            ("warning", f"roads.far_snap_{mode}", finite & (access[mode] > FAR_M)),
            ("note", f"roads.fragment_{mode}", finite & fragment[mode]),
        ):
            found += [
                Finding(
                    cast(Severity, severity),
                    key,
                    {"name": rows["name"].iloc[i], "metres": round(float(access[mode][i]))},
                    table=kind.iloc[i],
                    value=str(rows["point_id"].iloc[i]),
                )
                for i in np.flatnonzero(where)
            ]
    if len(worst) and np.median(first) > OFFSET_M:
        found.insert(0, Finding("warning", "roads.offset_suspected", {"metres": OFFSET_M}))
    return all_points(rows, worst, status), found


def _bus_assumption() -> list[Finding]:
    bus = read_speeds().query("mode == 'bus' and kmh > 0")
    fields: dict[str, object] = {"factor": f"{bus['congestion'].max():g}", "wait": f"{BUS_WAIT_MIN:g}"}
    return [Finding("note", "roads.bus_assumed", fields)]


def _towns(county: County, net: Net) -> tuple[pd.DataFrame, list[Finding]]:
    chosen, found = town_schools(county)
    snaps = snap(net, chosen["lon"].to_numpy(), chosen["lat"].to_numpy())
    start, end, seconds = matrix(net, snaps, snaps, access_pace=WALK_PACE)
    minutes = np.full((len(chosen), len(chosen)), np.inf)
    minutes[start, end] = seconds / 60
    names = chosen["township"].astype(str).tolist()
    lost = np.argwhere(~np.isfinite(minutes) & ~np.eye(len(chosen), dtype=bool))
    found += [
        Finding("warning", "roads.towns_unreachable", {"name": names[i], "other": names[j]}) for i, j in lost
    ]
    return town_table(names, minutes), found
