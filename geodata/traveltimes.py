"""Minutes from demand points to schools by mode; snapping, unreachable pairs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import cast

import numpy as np
import pandas as pd
from pyproj import Geod
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from geodata.county import County
from geodata.findings import Finding, Severity
from geodata.roads import mode_network, read_speeds, roads_findings
from geodata.snapping import AT_END_M, Floats, Ints, Net, Snaps, snap, streets_of

CHUNK = 32  # schools searched at once: bounds the memory to 32 x nodes
FLOOR = 1e-3  # no arc costs less (1 ms, or 1 mm): whether a stored zero is an arc is up to the routine
MARGIN = 1e-6  # the limit is inclusive whatever the order of adding
WALK_KMH = 4.0  # domain.md 3.2 [A]
WALK_PACE = 3.6 / WALK_KMH  # seconds per metre, also for the way from a point to the road
BUS_WAIT_MIN = 10.0  # domain.md 3.2 [A]: waiting and stops
FAR_M = 500.0  # a point further from the road is flagged
OFFSET_M = 200  # a median beyond this suggests an undeclared coordinate system
DETOUR, CROW_BUS_KMH, CROW_CAR_KMH = 1.35, 25.0, 30.0  # domain.md 3.2 [A]; car [A]
PAIR_KEY = ["village_id", "school_id", "mode"]


@dataclass(frozen=True)
class TravelTimes:
    """Travel times of one county.

    Parameters
    ----------
    pairs : DataFrame
        ``village_id, school_id, mode`` (walk, bus), ``minutes`` (float), ``km`` (float): only pairs
        inside the search limit, sorted by key; a pair that is absent is out of reach.
    towns : DataFrame
        ``from_township, to_township, minutes``: by car between the townships' staff-weighted centre
        schools, both directions; the commuting rule for staff uses it.
    points : DataFrame
        ``point_id, point_kind`` (village, school), ``name, snap_m`` (metres walked to the road),
        ``status`` (ok, far_snap, fragment, no_road, crow_fly): every point keeps a row.
    source : str
        ``roads`` or ``crow_fly``; the latter is flagged in every output.
    findings : tuple of Finding
        Far snaps, fragments, unreachable pairs, assumed speeds: by name.
    """

    pairs: pd.DataFrame
    towns: pd.DataFrame
    points: pd.DataFrame
    source: str
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True)
class _Mode:
    """One mode's network with the points snapped to it."""

    net: Net
    villages: Snaps
    schools: Snaps


def matrix(
    net: Net, origins: Snaps, destinations: Snaps, limit: float = np.inf, access_pace: float = 0.0
) -> tuple[Ints, Ints, Floats]:
    """Cheapest way from every origin to every destination within a limit.

    Searches the reversed graph from the destinations, `CHUNK` at a time. Of parallel streets the
    cheapest counts. ``T = access + part of a street + path + part of a street + access``; on one
    street also straight along it, where its direction allows.

    Parameters
    ----------
    net : Net
        Costs in seconds, or metres when its pace is 1.
    origins, destinations : Snaps, of O and D points
    limit : float
        Inclusive, in the net's unit, access included.
    access_pace : float
        Cost per metre of access at both ends; 0 leaves it out.

    Returns
    -------
    origin, destination : array of int, shape (K,)
        Pairs within the limit, sorted by origin and destination.
    cost : array of float, shape (K,)
    """
    start = np.flatnonzero(origins.street >= 0)
    goal = np.flatnonzero(destinations.street >= 0)
    parts = [(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0))]
    if len(start) and len(goal) and limit >= 0:
        graph = _reversed_graph(net, destinations, goal)
        street = origins.street[start]
        ends = net.streets.tail[street], net.streets.head[street]
        leave = _end_costs(net, origins, start, leaving=True)
        for first in range(0, len(goal), CHUNK):
            some = goal[first : first + CHUNK]
            numbers = net.streets.node_count + first + np.arange(len(some))
            # the margin keeps sums that equal the limit up to rounding; the exact test follows
            reach = dijkstra(graph, directed=True, indices=numbers, limit=limit + MARGIN)
            through = np.minimum(leave[0] + reach[:, ends[0]], leave[1] + reach[:, ends[1]])
            cost = np.minimum(through, _along(net, origins, start, destinations, some))
            cost += access_pace * (origins.access[start] + destinations.access[some][:, None])
            row, column = np.nonzero((cost <= limit + MARGIN) & np.isfinite(cost))
            parts.append((start[column], some[row], cost[row, column]))
    origin, destination, total = (np.concatenate(column) for column in zip(*parts, strict=True))
    order = np.lexsort((destination, origin))
    return origin[order], destination[order], total[order]


def _end_costs(net: Net, points: Snaps, which: Ints, *, leaving: bool) -> tuple[Floats, Floats]:
    """Cost between points and the tail and head of their street; infinite against a one-way."""
    street, offset = points.street[which], points.offset[which]
    rest = np.maximum(net.streets.metres[street] - offset, 0.0)
    to_tail, to_head = (net.backward, net.forward) if leaving else (net.forward, net.backward)
    tail_open = to_tail[street] | (offset <= AT_END_M)
    head_open = to_head[street] | (rest <= AT_END_M)
    pace = net.pace[street]
    return np.where(tail_open, offset * pace, np.inf), np.where(head_open, rest * pace, np.inf)


def _reversed_graph(net: Net, destinations: Snaps, goal: Ints) -> csr_array:
    """Arcs turned round, and a node for every destination from which the search starts.

    The cheapest of parallel arcs is taken here because a sparse matrix would add them up. Costs are
    at least `FLOOR`, so that nothing depends on how a stored zero is read.
    """
    start, end, cost = net.arcs()
    street = destinations.street[goal]
    enter = _end_costs(net, destinations, goal, leaving=False)
    extra = net.streets.node_count + np.arange(len(goal))
    size = net.streets.node_count + len(goal)
    row = np.concatenate([end, extra, extra])
    column = np.concatenate([start, net.streets.tail[street], net.streets.head[street]])
    value = np.maximum(np.concatenate([cost, *enter]), FLOOR)
    keep = np.isfinite(value) & (row != column)
    row, column, value = row[keep], column[keep], value[keep]
    order = np.lexsort((value, column, row))
    row, column, value = row[order], column[order], value[order]
    first = np.ones(len(row), dtype=np.bool_)
    first[1:] = (row[1:] != row[:-1]) | (column[1:] != column[:-1])
    return csr_array((value[first], (row[first], column[first])), shape=(size, size))


def _along(net: Net, origins: Snaps, start: Ints, destinations: Snaps, goal: Ints) -> Floats:
    """Cost straight along a shared street, shape (destinations, origins); infinite elsewhere."""
    street = origins.street[start]
    same = destinations.street[goal][:, None] == street
    ahead = destinations.offset[goal][:, None] - origins.offset[start]
    allowed = same & np.where(ahead > 0, net.forward[street], (ahead == 0) | net.backward[street])
    return np.where(allowed, np.abs(ahead) * net.pace[street], np.inf)


def travel_times(county: County, walk_limit: float = 90.0, bus_limit: float = 60.0) -> TravelTimes:
    """Minutes and kilometres from every village to every school, whatever the school's status.

    Walking is at 4 km/h on every street that may be walked. A bus is driving time at the bus speeds
    of `geodata.roads.read_speeds` plus 10 minutes of waiting (domain.md 3.2); the way to and from the
    road is walked and counted for both. ``km`` on foot is minutes x speed; by bus it is the *shortest*
    driving distance without access, which may be a little less than the fastest way's.

    Parameters
    ----------
    county : County
    walk_limit, bus_limit : float
        Minutes in all, access and waiting included; pairs beyond are left out.

    Returns
    -------
    TravelTimes
        Without roads: geodesic distance x 1.35 and flagged. ``snap_m`` of a point is the larger of
        those for walking and for the bus.
    """
    places = _places(county)
    limits = {"walk": walk_limit, "bus": bus_limit}
    if county.roads is None:
        return _crow_fly(county, places, limits)
    streets = streets_of(county.roads)
    modes = {mode: _snapped(mode_network(streets, mode), places) for mode in ("walk", "bus")}
    pairs = _sorted_pairs(
        [_walk_pairs(modes["walk"], walk_limit), _bus_pairs(modes["bus"], bus_limit)], county
    )
    towns, town_findings = _towns(county, mode_network(streets, "car"))
    points, point_findings = _points(places, modes, walk_limit)
    findings = [
        *roads_findings(county.roads), *_bus_assumption(), *point_findings,
        *_unreachable(places, pairs, limits), *town_findings,
    ]  # fmt: skip
    return TravelTimes(pairs, towns, points, "roads", tuple(findings))


def _places(county: County) -> pd.DataFrame:
    """Villages, then schools: ``point_id, point_kind, name, lon, lat``, each in the order of its table."""
    columns = ["point_id", "point_kind", "name", "lon", "lat"]
    villages = county.villages.rename(columns={"village_id": "point_id"}).assign(point_kind="village")
    schools = county.schools.rename(columns={"school_id": "point_id"}).assign(point_kind="school")
    return pd.concat([villages[columns], schools[columns]], ignore_index=True)


def _snapped(net: Net, places: pd.DataFrame) -> _Mode:
    village, school = (places[places["point_kind"] == kind] for kind in ("village", "school"))
    return _Mode(
        net,
        snap(net, village["lon"].to_numpy(), village["lat"].to_numpy()),
        snap(net, school["lon"].to_numpy(), school["lat"].to_numpy()),
    )


Pairs = tuple[str, Ints, Ints, Floats, Floats]


def _walk_pairs(mode: _Mode, limit: float) -> Pairs:
    village, school, seconds = matrix(mode.net, mode.villages, mode.schools, limit * 60, WALK_PACE)
    return "walk", village, school, seconds / 60, seconds / WALK_PACE / 1000


def _bus_pairs(mode: _Mode, limit: float) -> Pairs:
    """Pairs by time; kilometres from a search by length.

    The shortest way is never longer than the fastest, and that is at most top speed x time, so a
    search by length with that limit finds every pair.
    """
    net, budget = mode.net, (limit - BUS_WAIT_MIN) * 60
    village, school, seconds = matrix(net, mode.villages, mode.schools, budget, WALK_PACE)
    if not len(seconds):
        return "bus", village, school, seconds, seconds
    farthest = budget / float(net.pace[net.passable].min()) + 1
    by_length = replace(net, pace=np.where(net.passable, 1.0, np.inf))
    v, s, metres = matrix(by_length, mode.villages, mode.schools, farthest)
    width = len(mode.schools.street)
    km = metres[np.searchsorted(v * width + s, village * width + school)] / 1000
    return "bus", village, school, seconds / 60 + BUS_WAIT_MIN, km


def _sorted_pairs(parts: list[Pairs], county: County) -> pd.DataFrame:
    villages, schools = county.villages["village_id"], county.schools["school_id"]
    frames = [
        pd.DataFrame(
            {
                "village_id": villages.iloc[v].to_numpy(),
                "school_id": schools.iloc[s].to_numpy(),
                "mode": mode,
                "minutes": minutes.round(2),
                "km": km.round(3),
            }
        )
        for mode, v, s, minutes, km in parts
    ]
    return pd.concat(frames, ignore_index=True).sort_values(PAIR_KEY, ignore_index=True)


def _points(
    places: pd.DataFrame, modes: dict[str, _Mode], limit: float
) -> tuple[pd.DataFrame, list[Finding]]:
    """Every point with its snap and status, and a finding for each that lies badly."""
    access = {m: np.concatenate([x.villages.access, x.schools.access]) for m, x in modes.items()}
    fragment = {m: np.concatenate([x.villages.fragment, x.schools.fragment]) for m, x in modes.items()}
    worst = np.maximum(access["walk"], access["bus"])
    status = np.select(
        [access["walk"] > limit * 60 / WALK_PACE, fragment["walk"] | fragment["bus"], worst > FAR_M],
        ["no_road", "fragment", "far_snap"],
        "ok",
    )
    points = places[["point_id", "point_kind", "name"]].assign(snap_m=worst.round(1), status=status)
    kind = places["point_kind"].map({"village": "villages", "school": "schools"})
    found: list[Finding] = []
    for mode in modes:
        finite = np.isfinite(access[mode])
        for severity, key, where in (
            ("warning", f"roads.far_snap_{mode}", finite & (access[mode] > FAR_M)),
            ("note", f"roads.fragment_{mode}", finite & fragment[mode]),
        ):
            found += [
                Finding(
                    cast(Severity, severity),
                    key,
                    {"name": places["name"].iloc[i], "metres": round(float(access[mode][i]))},
                    table=kind.iloc[i],
                    value=str(places["point_id"].iloc[i]),
                )
                for i in np.flatnonzero(where)
            ]
    if len(worst) and np.median(access["walk"]) > OFFSET_M:
        found.insert(0, Finding("warning", "roads.offset_suspected", {"metres": OFFSET_M}))
    return points.sort_values(["point_kind", "point_id"], ignore_index=True), found


def _unreachable(places: pd.DataFrame, pairs: pd.DataFrame, limits: dict[str, float]) -> list[Finding]:
    shown = {mode: f"{minutes:g}" for mode, minutes in limits.items()}
    found: list[Finding] = []
    for kind in ("village", "school"):
        rows = places[places["point_kind"] == kind]
        lost = rows[~rows["point_id"].isin(pairs[f"{kind}_id"])]
        found += [
            Finding(
                "warning",
                f"roads.{kind}_unreachable",
                {"name": name, **shown},
                table=f"{kind}s",
                value=str(point),
            )
            for point, name in zip(lost["point_id"], lost["name"], strict=True)
        ]
    return found


def _bus_assumption() -> list[Finding]:
    bus = read_speeds().query("mode == 'bus' and kmh > 0")
    return [
        Finding(
            "note",
            "roads.bus_assumed",
            {"factor": f"{bus['congestion'].max():g}", "wait": f"{BUS_WAIT_MIN:g}"},
        )
    ]


def _town_schools(county: County) -> tuple[pd.DataFrame, list[Finding]]:
    """The school with most pupils in each township, open ones first, then the lowest id."""
    pupils = county.school_stage.groupby("school_id")["pupils"].sum()
    schools = county.schools.assign(
        pupils=county.schools["school_id"].map(pupils).fillna(0), shut=county.schools["status"] != "open"
    )
    order = schools.sort_values(
        ["township", "shut", "pupils", "school_id"], ascending=[True, True, False, True]
    )
    chosen = order.drop_duplicates("township").reset_index(drop=True)
    without = sorted(set(county.villages["township"]) - set(chosen["township"]))
    return chosen, [
        Finding("note", "roads.town_without_school", {"name": t}, table="villages") for t in without
    ]


def _towns(county: County, net: Net) -> tuple[pd.DataFrame, list[Finding]]:
    chosen, found = _town_schools(county)
    snaps = snap(net, chosen["lon"].to_numpy(), chosen["lat"].to_numpy())
    start, end, seconds = matrix(net, snaps, snaps, access_pace=WALK_PACE)
    minutes = np.full((len(chosen), len(chosen)), np.inf)
    minutes[start, end] = seconds / 60
    names = chosen["township"].astype(str).tolist()
    lost = np.argwhere(~np.isfinite(minutes) & ~np.eye(len(chosen), dtype=bool))
    found += [
        Finding("warning", "roads.towns_unreachable", {"name": names[i], "other": names[j]}) for i, j in lost
    ]
    return _town_table(names, minutes), found


def _town_table(names: list[str], minutes: Floats) -> pd.DataFrame:
    """All pairs that have a way; a township to itself takes no time."""
    minutes = minutes.copy()
    np.fill_diagonal(minutes, 0.0)
    start, end = np.nonzero(np.isfinite(minutes))
    label = np.array(names, dtype=object)
    table = pd.DataFrame({"from_township": label[start], "to_township": label[end]})
    return table.assign(minutes=minutes[start, end].round(2))


def _geodesic_km(start: pd.DataFrame, end: pd.DataFrame) -> Floats:
    """Kilometres x detour between all points, shape (start, end)."""
    shape = len(start), len(end)
    lon1, lat1 = (np.broadcast_to(start[c].to_numpy(float)[:, None], shape) for c in ("lon", "lat"))
    lon2, lat2 = (np.broadcast_to(end[c].to_numpy(float)[None, :], shape) for c in ("lon", "lat"))
    metres = Geod(ellps="WGS84").inv(lon1.copy(), lat1.copy(), lon2.copy(), lat2.copy())[2]
    return np.asarray(metres, dtype=np.float64) * DETOUR / 1000


def _crow_fly(county: County, places: pd.DataFrame, limits: dict[str, float]) -> TravelTimes:
    km = _geodesic_km(county.villages, county.schools)
    minutes = {"walk": km / WALK_KMH * 60, "bus": km / CROW_BUS_KMH * 60 + BUS_WAIT_MIN}
    parts: list[Pairs] = []
    for mode, table in minutes.items():
        v, s = np.nonzero(table <= limits[mode])
        parts.append((mode, v, s, table[v, s], km[v, s]))
    pairs = _sorted_pairs(parts, county)
    chosen, town_findings = _town_schools(county)
    towns = _town_table(
        chosen["township"].astype(str).tolist(), _geodesic_km(chosen, chosen) / CROW_CAR_KMH * 60
    )
    points = places[["point_id", "point_kind", "name"]].assign(snap_m=0.0, status="crow_fly")
    speeds = {"detour": f"{DETOUR:g}", "walk": f"{WALK_KMH:g}", "bus": f"{CROW_BUS_KMH:g}"}
    warning = Finding(
        "warning", "roads.crow_fly", {**speeds, "wait": f"{BUS_WAIT_MIN:g}", "car": f"{CROW_CAR_KMH:g}"}
    )
    return TravelTimes(
        pairs,
        towns,
        points.sort_values(["point_kind", "point_id"], ignore_index=True),
        "crow_fly",
        (warning, *_unreachable(places, pairs, limits), *town_findings),
    )
