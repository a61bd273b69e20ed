"""OSM extracts of any kind and size, cut down to the usable roads of one county while they are read.

pyosmium reads .osm, .osm.gz, .osm.bz2 and .osm.pbf in one pass. Of a province only the ways with a
node inside the county's box are kept; the places of all its nodes go into pyosmium's own index, in
memory for small files and in a temporary file for large ones.
"""

from __future__ import annotations

import bz2
import gzip
import re
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import osmium

from geodata.roads.scratch import scratch_folder

OSM_ENDINGS = (".osm", ".osm.gz", ".osm.bz2", ".osm.pbf", ".pbf")
KEPT_TAGS = (
    "access", "bridge", "flood_prone", "foot", "ford", "highway", "ice_road", "junction", "motor_vehicle",
    "motorcar", "name", "oneway", "ref", "route", "service", "surface", "tunnel", "winter_road",
    "winter_service",
)  # fmt: skip
FERRY = "ferry"
LARGE_BYTES = 64_000_000
"""From this size of file the places of nodes are kept on disk (16 bytes each), not in memory."""
MARGIN_KM = 10.0
"""Roads this far outside the county are read too: cutting at the border lengthens or breaks ways."""
KM_PER_DEGREE = 111.2

Place = tuple[float, float]
Way = tuple[int, list[int], dict[str, str]]


@dataclass(frozen=True)
class Box:
    """Degrees of longitude and latitude, WGS-84."""

    west: float
    south: float
    east: float
    north: float

    def holds(self, place: Place) -> bool:
        """Whether a longitude and latitude lie inside."""
        if not self.south <= place[1] <= self.north:
            return False
        # a box may reach across 180 degrees, to either side
        return any(self.west <= place[0] + turn <= self.east for turn in (0, 360, -360))

    def meets(self, west: float, south: float, east: float, north: float) -> bool:
        """Whether another box, in degrees, has ground in common with this one."""
        apart = min(abs((west + east) / 2 - (self.west + self.east) / 2 - turn) for turn in (-360, 0, 360))
        wide = (east - west + self.east - self.west) / 2
        return apart <= wide and south <= self.north and north >= self.south


def box_around(lon: Any, lat: Any, margin_km: float = MARGIN_KM) -> Box:
    """The box of places, wider by a margin on every side.

    Parameters
    ----------
    lon, lat : array-like of float, shape (P,)
        At least one place.
    margin_km : float
    """
    lon = np.asarray(lon, dtype=float)
    if np.ptp(lon) > 180:
        lon = lon % 360
    north = margin_km / KM_PER_DEGREE
    widest = max(abs(float(np.min(lat))), abs(float(np.max(lat)))) + north
    east = north / max(np.cos(np.radians(widest)), 0.01)
    return Box(
        float(np.min(lon)) - east, float(np.min(lat)) - north, float(np.max(lon)) + east, float(np.max(lat)) + north
    )  # fmt: skip


@dataclass(frozen=True)
class Extract:
    """The usable roads of a file.

    Parameters
    ----------
    ways : list of (id, node ids, tags)
        Complete ways, and the complete pieces of ways that lack nodes.
    places : dict
        Longitude and latitude of their nodes.
    left_out : Counter
        Ways by highway class that are no roads one can use.
    cut : int
        Ways that lack nodes.
    outside : int
        Roads wholly outside the box.
    ferries : int
        Ferry lines that were left aside because they were not asked for.
    deleted : int
        Roads that the file itself marks as deleted or invisible.
    joined : tuple of (longitude, latitude)
        Where ends of roads lay at the very same place under two ids and were joined.
    """

    ways: list[Way] = field(default_factory=list)
    places: dict[int, Place] = field(default_factory=dict)
    left_out: Counter[str] = field(default_factory=Counter)
    cut: int = 0
    outside: int = 0
    ferries: int = 0
    deleted: int = 0
    joined: tuple[Place, ...] = ()


def read_extract(
    path: Path, usable: frozenset[str], box: Box | None = None, ferries: bool = False
) -> Extract:
    """Read the usable roads of an OSM file.

    Parameters
    ----------
    path : Path
    usable : frozenset of str
        Highway classes that some mode may use.
    box : Box, optional
        Ways without a node inside are left out.
    ferries : bool
        Ferry lines (``route=ferry``) become ways of class ``ferry``.

    Raises
    ------
    RuntimeError, OSError, ValueError
        If pyosmium cannot read the file.
    """
    with scratch_folder() as folder:
        large = path.stat().st_size >= LARGE_BYTES
        index = f"sparse_file_array,{folder / 'places'}" if large else "flex_mem"
        return _read(path, index, usable, box, ferries)


@dataclass(frozen=True)
class _Candidate:
    """A way as read: its node ids and the places known of them."""

    number: int
    refs: list[int]
    tags: dict[str, str]
    there: dict[int, Place]


def _read(path: Path, index: str, usable: frozenset[str], box: Box | None, ferries: bool) -> Extract:
    left_out: Counter[str] = Counter()
    outside = skipped = deleted = cut = 0
    gone = deleted_in_editor(path)
    found = []
    for way in _candidates(path, index, gone["node"]):
        highway = way.tags.get("highway", FERRY)
        known = len(way.there) == len(set(way.refs))
        if box is not None and known and not any(box.holds(place) for place in way.there.values()):
            outside += "highway" in way.tags and highway in usable
        elif way.number in gone["way"] or way.tags.pop("deleted", ""):
            deleted += highway in usable
        elif highway == FERRY and "highway" not in way.tags and not ferries:
            skipped += 1
        elif highway not in usable:
            left_out[highway] += 1
        else:
            found.append(_Candidate(way.number, way.refs, way.tags | {"highway": highway}, way.there))
    lacking = {ref for way in found for ref in way.refs if ref not in way.there} - gone["node"]
    late = _late_places(path, lacking) if lacking else {}
    places: dict[int, Place] = {}
    kept: list[tuple[int, list[int], dict[str, str]]] = []
    numbers: set[int] = set()
    lowest = min((way.number for way in found), default=0)
    for way in found:
        there = way.there | {ref: late[ref] for ref in way.refs if ref in late}
        if box is not None and there and not any(box.holds(place) for place in there.values()):
            outside += way.tags["highway"] != FERRY
            continue
        whole = len(there) == len(set(way.refs))
        cut += not whole
        places |= there
        for piece in [way.refs] if whole else _whole_pieces(way.refs, there):
            if len(piece) > 1:
                # pieces, and ways whose number is taken, get negative ids that no way of the file has
                own = whole and way.number not in numbers
                number = way.number if own else (lowest := min(lowest, 0) - 1)
                numbers.add(number)
                kept.append((number, piece, way.tags))
    ways, joined = _joined(kept, places)
    return Extract(ways, places, left_out, cut, outside, skipped, deleted, joined)


def _candidates(path: Path, index: str, gone: set[int]) -> Iterator[_Candidate]:
    """Every way that is a road or a ferry; those that the file marks as deleted carry the tag ``deleted``."""
    reader = osmium.FileProcessor(str(path), osmium.osm.NODE | osmium.osm.WAY).with_locations(index)
    reader = reader.with_filter(osmium.filter.EntityFilter(osmium.osm.WAY))
    for way in reader.with_filter(osmium.filter.KeyFilter("highway", "route")):
        tags = {tag: way.tags[tag] for tag in KEPT_TAGS if tag in way.tags}
        if "highway" not in tags and tags.get("route") != FERRY:
            continue
        if way.deleted or not way.visible:
            tags["deleted"] = "yes"
        refs = [n.ref for n in way.nodes]
        there = {n.ref: (n.lon, n.lat) for n in way.nodes if n.location.valid() and n.ref not in gone}
        yield _Candidate(way.id, refs, tags, there)


def _late_places(path: Path, wanted: set[int]) -> dict[int, Place]:
    """Places of nodes that stand after the ways, or have negative ids, which osmium's index does not keep."""
    reader = osmium.FileProcessor(str(path), osmium.osm.NODE)
    if min(wanted) >= 0:
        reader = reader.with_filter(osmium.filter.IdFilter(wanted))
    return {
        node.id: (node.lon, node.lat)
        for node in reader
        if node.id in wanted and node.location.valid() and node.visible and not node.deleted
    }


def deleted_in_editor(path: Path) -> dict[str, set[int]]:
    """Ids of nodes and ways that an editor marked with ``action='delete'`` and has not uploaded yet."""
    gone: dict[str, set[int]] = {"node": set(), "way": set()}
    openers: dict[str, Callable[[Path, str], Any]] = {".gz": gzip.open, ".bz2": bz2.open, ".osm": open}
    if path.suffix.lower() not in openers:
        return gone
    try:
        with openers[path.suffix.lower()](path, "rb") as file:
            rest = b""
            while chunk := file.read(1 << 20):
                text = rest + chunk
                last = max(text.rfind(b"<"), 0)
                rest = text[last:][-MOST_TAG:]
                for kind, attributes in DELETED.findall(text[:last] if len(chunk) == 1 << 20 else text):
                    number = OWN_ID.search(attributes)
                    if number:
                        gone[kind.decode()].add(int(number[1]))
    except (OSError, EOFError, zlib.error):
        pass  # the reader says what is wrong with the file
    return gone


DELETED = re.compile(rb"<(node|way)\b([^>]*\baction\s*=\s*['\"]delete['\"][^>]*)>")
OWN_ID = re.compile(rb"\bid\s*=\s*['\"](-?[0-9]+)['\"]")
MOST_TAG = 1 << 16


def _joined(ways: list[Way], places: dict[int, Place]) -> tuple[list[Way], tuple[Place, ...]]:
    """Ways whose ends lie at the very same place as a node with another id are joined to it."""
    ends = {ref for _, refs, _ in ways for ref in (refs[0], refs[-1])}
    at: dict[Place, list[int]] = {}
    for ref in dict.fromkeys(ref for _, refs, _ in ways for ref in refs):
        lon, lat = places[ref]
        at.setdefault((round(lon, 7), round(lat, 7)), []).append(ref)
    same = {p: refs for p, refs in at.items() if len(refs) > 1 and ends & set(refs)}
    if not same:
        return ways, ()
    to = {ref: refs[0] for refs in same.values() for ref in refs}
    done = []
    for number, refs, tags in ways:
        turned = [to.get(ref, ref) for ref in refs]
        kept = [ref for i, ref in enumerate(turned) if i == 0 or ref != turned[i - 1]]
        if len(kept) > 1:
            done.append((number, kept, tags))
    return done, tuple(sorted(same))


def _whole_pieces(refs: list[int], there: dict[int, Place]) -> list[list[int]]:
    """A way cut at the nodes that the extract lacks.

    The rest of a road that leaves the extract is kept: dropping it whole would cut off the villages
    along it.
    """
    return [list(run) for known, run in groupby(refs, key=there.__contains__) if known]


def write_osm(file: Path, extract: Extract) -> None:
    """Write the ways and their nodes as a plain OSM file, for OSMnx to read."""
    used = sorted({ref for _, refs, _ in extract.ways for ref in refs})
    with osmium.SimpleWriter(str(file)) as out:
        for ref in used:
            out.add_node(osmium.osm.mutable.Node(id=ref, location=extract.places[ref], version=1))
        for number, refs, tags in extract.ways:
            out.add_way(osmium.osm.mutable.Way(id=number, nodes=refs, tags=tags, version=1))
