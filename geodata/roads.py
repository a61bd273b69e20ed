"""Road files (OSM, GraphML) to an OSMnx graph, and speeds by road class and mode.

OSM files of every kind are first cut down to usable roads by pyosmium (which reads .pbf too), so that
rivers and borders never become roads and extracts with missing nodes do no harm; OSMnx then builds
and simplifies the graph. Junctions are kept where the road class changes: every edge has one class,
so times from classes are the same before and after simplifying. Access tags are kept, not judged.
"""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib.resources import files
from itertools import groupby
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import ParseError

import geopandas as gpd
import networkx as nx
import numpy as np
import osmium
import osmnx as ox
import pandas as pd

from geodata.findings import Finding, InputProblems
from geodata.snapping import Floats, Net, Streets, components, network, streets_of

OSM_ENDINGS = (".osm", ".osm.gz", ".osm.bz2", ".osm.pbf", ".pbf")
KEPT_TAGS = (
    "access", "bridge", "foot", "highway", "junction", "motor_vehicle", "motorcar", "name", "oneway",
    "ref", "service", "surface", "tunnel",
)  # fmt: skip
MODES = ("walk", "bus", "car")
FALLBACK = "*"
NOT_GRAPHML = (
    ParseError, nx.NetworkXError, KeyError, ValueError, TypeError, AttributeError, OSError, SyntaxError,
)  # fmt: skip


@cache
def read_speeds() -> pd.DataFrame:
    """Speeds by mode and road class (geodata/speeds.csv).

    Returns
    -------
    DataFrame
        ``mode, highway, kmh`` (free flow, 0 = not allowed), ``congestion`` (times are multiplied by
        it), ``tag``, ``source``. Row ``*`` serves classes the table does not know. Do not change it
        in place: it is shared.
    """
    text = files("geodata") / "speeds.csv"
    with text.open(encoding="utf-8") as file:
        return pd.read_csv(file, dtype={"kmh": float, "congestion": float}, keep_default_na=False)


def paces(highway: np.ndarray[Any, Any], mode: str, speeds: pd.DataFrame | None = None) -> Floats:
    """Seconds per metre of each street for a mode.

    Parameters
    ----------
    highway : array of str, shape (E,)
        Classes; of several joined by ``;`` the slowest counts, closed ones included.
    mode : {"walk", "bus", "car"}
    speeds : DataFrame, optional
        Another table in the form of `read_speeds`.

    Returns
    -------
    array of float, shape (E,)
        ``3.6 * congestion / kmh``; infinite where the mode is not allowed.

    Raises
    ------
    ValueError
        For a mode the table lacks or one without a fallback row.
    """
    table = read_speeds() if speeds is None else speeds
    rows = table[table["mode"] == mode]
    speed = (rows["kmh"] / rows["congestion"]).tolist()
    by_class: dict[str, float] = dict(zip(rows["highway"].tolist(), speed, strict=True))
    if FALLBACK not in by_class:
        raise ValueError(f"the speed table has no row {FALLBACK!r} for mode {mode!r}")
    labels, where = np.unique(highway, return_inverse=True)
    slowest = [
        min(by_class.get(c, by_class[FALLBACK]) for c in label.split(";")) for label in labels.tolist()
    ]
    kmh = np.array(slowest, dtype=np.float64)
    pace = np.divide(3.6, kmh, out=np.full(len(kmh), np.inf), where=kmh > 0)
    return np.asarray(pace[where], dtype=np.float64)


def mode_network(streets: Streets, mode: str, speeds: pd.DataFrame | None = None) -> Net:
    """The network of a mode with paces in seconds per metre; walking ignores one-ways."""
    return network(streets, paces(streets.highway, mode, speeds), on_foot=mode == "walk")


def read_roads(path: Path) -> nx.MultiDiGraph[Any]:
    """Read a road file.

    Parameters
    ----------
    path : Path
        ``.graphml`` as OSMnx saves it, or OSM data: ``.osm``, ``.osm.gz``, ``.osm.bz2``, ``.osm.pbf``.

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
        graph = _read_osm(path)
    else:
        raise _problem("roads.unknown_kind", path)
    if graph.number_of_edges() == 0:
        raise _problem("roads.no_roads", path)
    return graph


def _problem(key: str, path: Path, **fields: object) -> InputProblems:
    return InputProblems([Finding("error", key, fields, file=path.name)])


def _read_graphml(path: Path) -> nx.MultiDiGraph[Any]:
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
    simple: nx.MultiDiGraph[Any] = ox.simplify_graph(graph, edge_attrs_differ=["highway"])
    return simple


def _read_osm(path: Path) -> nx.MultiDiGraph[Any]:
    try:
        roads, left_out = _osm_ways(path)
        places = _osm_places(path, {ref for _, refs, _ in roads for ref in refs})
    except (RuntimeError, OSError, ValueError) as e:
        raise _problem("roads.unreadable", path, reason=_reason(e)) from None
    pieces, cut = _whole_pieces(roads, places)
    if not pieces:
        raise _problem("roads.no_whole_roads" if cut else "roads.no_roads", path, count=cut)
    with tempfile.TemporaryDirectory() as folder, _tags():
        file = Path(folder) / "roads.osm"
        _write_osm(file, pieces, places)
        graph = _simplified(ox.graph_from_xml(file, simplify=False, retain_all=True))
    graph.graph.pop("created_date", None)  # the same file gives the same graph
    graph.graph["ways_cut"] = cut
    graph.graph["ways_left_out"] = json.dumps(dict(sorted(left_out.items())), ensure_ascii=False)
    return graph


Way = tuple[int, list[int], dict[str, str]]


def _osm_ways(path: Path) -> tuple[list[Way], Counter[str]]:
    """Ways of a class that some mode may use, and how many others there are by class."""
    table = read_speeds()
    usable = set(table.loc[(table["kmh"] > 0) & (table["highway"] != FALLBACK), "highway"])
    ways: list[Way] = []
    left_out: Counter[str] = Counter()
    reader = osmium.FileProcessor(str(path), osmium.osm.WAY).with_filter(osmium.filter.KeyFilter("highway"))
    for way in reader:
        highway = way.tags["highway"]
        if highway in usable:
            tags = {tag: way.tags[tag] for tag in KEPT_TAGS if tag in way.tags}
            ways.append((way.id, [node.ref for node in way.nodes], tags))
        else:
            left_out[highway] += 1
    return ways, left_out


def _osm_places(path: Path, wanted: set[int]) -> dict[int, tuple[float, float]]:
    """Longitude and latitude of the wanted nodes that the file holds."""
    if not wanted:
        return {}
    reader = osmium.FileProcessor(str(path), osmium.osm.NODE).with_filter(osmium.filter.IdFilter(wanted))
    return {node.id: (node.lon, node.lat) for node in reader if node.location.valid()}


def _whole_pieces(ways: list[Way], places: dict[int, tuple[float, float]]) -> tuple[list[Way], int]:
    """Ways cut at nodes that the extract lacks, and how many ways were cut or lost.

    The rest of a road that leaves the extract is kept: dropping it whole would cut off the villages
    along it. Pieces get negative ids, as OSM editors give to what is not in OSM.
    """
    pieces: list[Way] = []
    cut, new_id = 0, 0
    for number, refs, tags in ways:
        if all(ref in places for ref in refs):
            pieces += [(number, refs, tags)] if len(refs) > 1 else []
            continue
        cut += 1
        for there, run in groupby(refs, key=places.__contains__):
            kept = list(run)
            if there and len(kept) > 1:
                new_id -= 1
                pieces.append((new_id, kept, tags))
    return pieces, cut


def _write_osm(file: Path, ways: list[Way], places: dict[int, tuple[float, float]]) -> None:
    used = sorted({ref for _, refs, _ in ways for ref in refs})
    with osmium.SimpleWriter(str(file)) as out:
        for ref in used:
            out.add_node(osmium.osm.mutable.Node(id=ref, location=places[ref], version=1))
        for number, refs, tags in ways:
            out.add_way(osmium.osm.mutable.Way(id=number, nodes=refs, tags=tags, version=1))


@contextmanager
def _tags() -> Iterator[None]:
    """OSMnx keeps the tags we need while a file is read; its settings are global."""
    before = ox.settings.useful_tags_way
    ox.settings.useful_tags_way = sorted(KEPT_TAGS)
    try:
        yield
    finally:
        ox.settings.useful_tags_way = before


def roads_findings(graph: nx.MultiDiGraph[Any]) -> list[Finding]:
    """What a planner should know about a road graph, recomputed from the graph.

    Ways cut at the border of the extract, classes left out or unknown (by class), streets with
    several classes, and parts that the main network does not reach, by mode.
    """
    found: list[Finding] = []
    cut = int(graph.graph.get("ways_cut", 0))
    if cut:
        found.append(Finding("warning", "roads.ways_cut", {"count": cut}))
    left_out: dict[str, int] = json.loads(graph.graph.get("ways_left_out", "{}"))
    found += [
        Finding("note", "roads.left_out", {"count": n}, column="highway", value=c)
        for c, n in sorted(left_out.items())
    ]
    streets = streets_of(graph)
    found += _class_findings(streets)
    for mode in MODES:
        found += _fragment_findings(mode_network(streets, mode), mode)
    return found


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
