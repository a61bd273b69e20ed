"""Road files (OSM, GraphML) to an OSMnx graph, and what a planner should know about it.

OSM files of every kind are first cut down to usable roads (`geodata.roads.extracts`), so that rivers and
borders never become roads and extracts with missing nodes do no harm; OSMnx then builds and
simplifies the graph. Junctions are kept where class, surface or season flags change: times are the
same before and after simplifying. Access tags are kept, not judged.

OSMnx brings matplotlib and takes seconds to import, so it is imported only where a file is read: a run
that meets its roads in the cache never needs it.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import ParseError

import geopandas as gpd
import networkx as nx
import numpy as np
from pyproj import CRS
from pyproj.exceptions import CRSError

from geodata.contract.findings import Finding, InputProblems, Severity
from geodata.roads.ends import end_findings, places_named
from geodata.roads.extracts import KEPT_TAGS, OSM_ENDINGS, Box, read_extract, write_osm
from geodata.roads.scratch import scratch_folder
from geodata.roads.snapping import Net, Streets, components, streets_of
from geodata.roads.speeds import (
    FALLBACK,
    MODES,
    kmh_by_class,
    mode_network,
    paces,
    read_speeds,
    read_surfaces,
    usable_classes,
)

TIMED_TAGS = (
    "highway", "surface", "route", "flood_prone", "ford", "winter_road", "ice_road", "winter_service",
)  # fmt: skip
"""Tags that times depend on: simplifying keeps the junctions where they change."""
NOT_GRAPHML = (
    ParseError, nx.NetworkXError, KeyError, ValueError, TypeError, AttributeError, OSError, SyntaxError,
)  # fmt: skip


def read_roads(
    path: Path, box: Box | None = None, ferries: bool = False, consolidate_m: float = 0.0
) -> nx.MultiDiGraph[Any]:
    """Read a road file.

    Parameters
    ----------
    path : Path
        ``.graphml`` as OSMnx saves it, or OSM data: ``.osm``, ``.osm.gz``, ``.osm.bz2``, ``.osm.pbf``.
    box : Box, optional
        Of OSM data only ways with a node inside are read; GraphML is taken as it is.
    ferries : bool
        Ferry lines of OSM data become edges of class ``ferry``.
    consolidate_m : float
        Junctions within this many metres of each other along the streets that join them become one,
        as `osmnx.consolidate_intersections` does it; 0 leaves them apart.

    Returns
    -------
    networkx.MultiDiGraph
        In EPSG:4326, simplified, with ``length`` (m) and ``highway`` on every edge. What was left out
        is told by `roads_findings`.

    Raises
    ------
    InputProblems
        If the file cannot be read, is of another kind or holds no road.
    """
    if not path.is_file():
        raise _problem("roads.missing_file", path)
    name = path.name.lower()
    if name.endswith(".graphml"):
        graph = _read_graphml(path)
    elif name.endswith(OSM_ENDINGS):
        graph = _read_osm(path, box, ferries)
    else:
        raise _problem("roads.unknown_kind", path)
    if graph.number_of_edges() == 0:
        raise _problem("roads.no_roads", path)
    return consolidated(graph, consolidate_m) if consolidate_m > 0 else graph


def consolidated(graph: nx.MultiDiGraph[Any], metres: float) -> nx.MultiDiGraph[Any]:
    """Junctions that lie together (crossings of dual carriageways, roundabouts) merged into one.

    Only junctions that streets join within the distance are merged, so a bridge is not joined to the
    road below it. Lengths change by up to the distance at each junction: it is never done unasked.
    """
    import osmnx as ox

    flat = ox.project_graph(graph)
    merged = ox.consolidate_intersections(
        flat, tolerance=metres / 2, rebuild_graph=True, dead_ends=True, reconnect_edges=True
    )
    back: nx.MultiDiGraph[Any] = ox.project_graph(merged, to_crs="EPSG:4326")
    for _, _, data in back.edges(data=True):
        data.pop("u_original", None)
        data.pop("v_original", None)
    back.graph["crs"] = "epsg:4326"
    back.graph["junctions_merged"] = len(graph) - len(back)
    return back


def _problem(key: str, path: Path, **fields: object) -> InputProblems:
    return InputProblems([Finding("error", key, fields, file=path.name)])


def _read_graphml(path: Path) -> nx.MultiDiGraph[Any]:
    import osmnx as ox

    try:
        graph: nx.MultiDiGraph[Any] = ox.load_graphml(path)
    except NOT_GRAPHML as e:
        raise _problem("roads.unreadable", path, reason=_reason(e)) from None
    if graph.number_of_edges() == 0:
        raise _problem("roads.no_roads", path)
    if not graph.is_directed():
        graph = nx.MultiDiGraph(graph)  # both directions of every street
    if "crs" not in graph.graph:
        raise _problem("roads.no_crs", path)
    _check_nodes(graph, path, np.inf, np.inf)
    try:
        CRS.from_user_input(graph.graph["crs"])
    except CRSError:
        raise InputProblems(
            [Finding("error", "roads.unknown_system", file=path.name, value=str(graph.graph["crs"])[:60])]
        ) from None
    if str(graph.graph["crs"]).lower() != "epsg:4326":
        graph = ox.project_graph(graph, to_crs="EPSG:4326")
    _check_nodes(graph, path, 180, 90)
    _check_lengths(graph, path)
    if not graph.graph.get("simplified", False):
        graph = _simplified(graph)
    return graph


def _check_nodes(graph: nx.MultiDiGraph[Any], path: Path, x: float, y: float) -> None:
    for axis, largest in (("x", x), ("y", y)):
        places: list[Any] = [data.get(axis) for _, data in graph.nodes(data=True)]
        bad = sum(not _is_number(place) or abs(place) > largest for place in places)
        if bad:
            raise _problem("roads.no_place", path, count=bad, axis=axis)


def _check_lengths(graph: nx.MultiDiGraph[Any], path: Path) -> None:
    lengths: list[Any] = [data.get("length") for _, _, data in graph.edges(data=True)]
    bad = sum(not _is_number(length) or length < 0 for length in lengths)
    if bad:
        raise _problem("roads.no_length", path, count=bad)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and bool(np.isfinite(value))


def _reason(error: Exception) -> str:
    lines = str(error).splitlines()
    return (lines[0] if lines else type(error).__name__)[:200]


def _simplified(graph: nx.MultiDiGraph[Any]) -> nx.MultiDiGraph[Any]:
    import osmnx as ox

    simple: nx.MultiDiGraph[Any] = ox.simplify_graph(
        graph, edge_attrs_differ=list(TIMED_TAGS), remove_rings=False
    )
    return simple


COUNTED: tuple[tuple[Severity, str, str], ...] = (
    ("warning", "roads.ways_cut", "ways_cut"),
    ("note", "roads.outside", "ways_outside"),
    ("note", "roads.ferries_unused", "ferries_unused"),
    ("note", "roads.junctions_merged", "junctions_merged"),
    ("note", "roads.deleted", "ways_deleted"),
    ("note", "roads.superseded", "ways_superseded"),
)
"""Severity and message of the counts that reading leaves in the graph."""


def _read_osm(path: Path, box: Box | None, ferries: bool) -> nx.MultiDiGraph[Any]:
    import osmnx as ox

    try:
        extract = read_extract(path, usable_classes(ferries), box, ferries)
    except (RuntimeError, OSError, ValueError) as e:
        raise _problem("roads.unreadable", path, reason=_reason(e)) from None
    if not extract.ways:
        if extract.outside:
            raise _problem("roads.elsewhere", path, count=extract.outside)
        raise _problem("roads.no_whole_roads" if extract.cut else "roads.no_roads", path, count=extract.cut)
    with scratch_folder() as folder, _tags():
        file = folder / "roads.osm"
        write_osm(file, extract)
        graph = _simplified(ox.graph_from_xml(file, simplify=False, retain_all=True))
    graph.graph.pop("created_date", None)  # the same file gives the same graph
    graph.graph["ways_cut"] = extract.cut
    graph.graph["ways_outside"] = extract.outside
    graph.graph["ferries_unused"] = extract.ferries
    graph.graph["ways_deleted"] = extract.deleted
    graph.graph["ways_superseded"] = extract.superseded
    graph.graph["ends_joined"] = json.dumps(extract.joined)
    graph.graph["nodes_twice"] = json.dumps(extract.twice)
    graph.graph["unjudged"] = json.dumps(dict(sorted(extract.unjudged.items())), ensure_ascii=False)
    graph.graph["ways_left_out"] = json.dumps(dict(sorted(extract.left_out.items())), ensure_ascii=False)
    return graph


@contextmanager
def _tags() -> Iterator[None]:
    """OSMnx keeps the tags we need while a file is read; its settings are global."""
    import osmnx as ox

    before = ox.settings.useful_tags_way
    ox.settings.useful_tags_way = sorted(KEPT_TAGS)
    try:
        yield
    finally:
        ox.settings.useful_tags_way = before


def roads_findings(graph: nx.MultiDiGraph[Any], streets: Streets | None = None) -> list[Finding]:
    """What a planner should know about a road graph, recomputed from the graph.

    Ends joined or only touching, nodes that stand twice, tags that times do not heed, ways cut at the border of the extract, roads outside the county's box, classes left out or unknown
    (by class), streets with several classes, speeds assumed by class, surfaces that are unknown,
    streets with season flags, and parts that the main network does not reach, by mode.
    """
    found = [
        Finding(severity, key, {"count": int(graph.graph[name])})
        for severity, key, name in COUNTED
        if int(graph.graph.get(name, 0))
    ]
    left_out: dict[str, int] = json.loads(graph.graph.get("ways_left_out", "{}"))
    found += [
        Finding("note", "roads.left_out", {"count": n}, column="highway", value=c)
        for c, n in sorted(left_out.items())
    ]
    streets = streets_of(graph) if streets is None else streets
    found += end_findings(_places(graph, "ends_joined"), streets)
    if twice := _places(graph, "nodes_twice"):
        fields: dict[str, object] = {"count": len(twice), "places": places_named(twice)}
        found.append(Finding("warning", "roads.nodes_twice", fields))
    found += _unjudged_findings(json.loads(graph.graph.get("unjudged", "{}")))
    found += [*_class_findings(streets), *_speed_findings(streets), *_tag_findings(streets)]
    for mode in MODES:
        found += _fragment_findings(mode_network(streets, mode), mode)
    return found


def _places(graph: nx.MultiDiGraph[Any], name: str) -> list[tuple[float, float]]:
    return [(lon, lat) for lon, lat in json.loads(graph.graph.get(name, "[]"))]


def _unjudged_findings(counts: dict[str, int]) -> list[Finding]:
    """What the roads say of access, speed limits, barriers and turns, and that times do not heed it."""
    kinds: dict[str, dict[str, int]] = {}
    for name, count in counts.items():
        kind = next((k for k in ("maxspeed", "restriction", "barrier") if name.startswith(k)), "access")
        kinds.setdefault(kind, {})[name.removeprefix("barrier=")] = count
    return [
        Finding(
            "note", f"roads.unjudged_{kind}",
            {"count": sum(some.values()), "which": ", ".join(f"{n} {c}" for n, c in some.items())},
        )
        for kind, some in sorted(kinds.items())
    ]  # fmt: skip


def _class_findings(streets: Streets) -> list[Finding]:
    known = set(read_speeds()["highway"])
    labels, counts = np.unique(streets.highway, return_counts=True)
    unknown: Counter[str] = Counter()
    several = 0
    for label, count in zip(labels.tolist(), counts.tolist(), strict=True):
        classes = label.split(";")
        several += count if len(classes) > 1 else 0
        unknown.update({c: count for c in classes if c not in known or c == FALLBACK})
    found = [
        Finding("warning", "roads.unknown_class", {"count": n}, column="highway", value=c or "-")
        for c, n in sorted(unknown.items())
    ]
    return found + ([Finding("note", "roads.several_classes", {"count": several})] if several else [])


def _speed_findings(streets: Streets) -> list[Finding]:
    """Every speed is assumed by class: how many streets and kilometres, and at what speed."""
    if not len(streets.metres):
        return []
    labels, where = np.unique(streets.highway, return_inverse=True)
    count, km = np.bincount(where), np.bincount(where, weights=streets.metres) / 1000
    kmh = {mode: 3.6 / paces(labels, mode) for mode in ("bus", "car")}  # 0 where not allowed
    parts = [
        f"{labels[i] or '-'} {count[i]} ({km[i]:.1f} km; {kmh['bus'][i]:.0f}, {kmh['car'][i]:.0f})"
        for i in np.argsort(-km, kind="stable")
    ]
    walk = kmh_by_class("walk")[FALLBACK]
    fields: dict[str, object] = {"count": len(where), "walk": f"{walk:g}", "classes": "; ".join(parts)}
    return [Finding("note", "roads.speeds_assumed", fields)]


def _tag_findings(streets: Streets) -> list[Finding]:
    """Unknown surfaces by name, streets without one, and streets with flags."""
    known = set(read_surfaces()["surface"])
    names = Counter(n for label in streets.surface.tolist() for n in label.split(";"))
    untold = names.pop("", 0)
    found = [
        Finding("note", "roads.unknown_surface", {"count": n}, column="surface", value=s)
        for s, n in sorted(names.items())
        if s not in known
    ]
    if untold:
        found.append(Finding("note", "roads.no_surface", {"count": untold, "all": len(streets.metres)}))
    flags = Counter(f for label in streets.flags.tolist() if label for f in label.split(";"))
    return found + [Finding("note", f"roads.flag_{flag}", {"count": n}) for flag, n in sorted(flags.items())]


def _fragment_findings(net: Net, mode: str) -> list[Finding]:
    if not net.passable.any():
        return [Finding("warning", f"roads.no_network_{mode}")]
    outside = net.passable & ~net.main
    if not outside.any():
        return []
    _, count = components(net)
    km = float(net.streets.metres[outside].sum()) / 1000
    return [Finding("note", f"roads.fragments_{mode}", {"count": count - 1, "km": f"{km:.1f}"})]


def road_lines(graph: nx.MultiDiGraph[Any]) -> gpd.GeoDataFrame:
    """One line per street (not per direction) for maps: ``highway, geometry`` in EPSG:4326."""
    streets = streets_of(graph)
    return gpd.GeoDataFrame(
        {"highway": streets.highway.astype(object)}, geometry=list(streets.lines), crs="EPSG:4326"
    )
