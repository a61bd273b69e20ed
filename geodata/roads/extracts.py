"""OSM extracts of any kind and size, cut down to the usable roads of one county while they are read.

pyosmium reads .osm, .osm.gz, .osm.bz2 and .osm.pbf in one pass. Of a province only the ways with a
node inside the county's box are kept; the places of all its nodes go into pyosmium's own index, in
memory for small files and in a temporary file for large ones.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import osmium

from geodata.roads.osm_files import BZIP2, PBF, XML, as_osmium, deleted_in_editor, packing_of, unpacked
from geodata.roads.scratch import scratch_folder

OSM_ENDINGS = (".osm", ".osm.gz", ".osm.bz2", ".osm.pbf", ".pbf")
KEPT_TAGS = (
    "access", "bridge", "flood_prone", "foot", "ford", "highway", "ice_road", "junction", "motor_vehicle",
    "motorcar", "name", "oneway", "ref", "route", "service", "surface", "tunnel", "winter_road",
    "winter_service",
)  # fmt: skip
JUDGED_NOT = ("access", "foot", "motor_vehicle", "motorcar")
CLOSED = frozenset(
    ("no", "private", "military", "agricultural", "forestry", "customers", "delivery", "permit")
)
"""Tags by which a road may be closed to some, and what they then say: kept and counted, not judged."""
OPEN_BARRIERS = frozenset(
    ("kerb", "entrance", "toll_booth", "border_control", "cattle_grid", "height_restrictor", "no")
)
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
    superseded : int
        Older versions of roads that the file has as well.
    twice : tuple of (longitude, latitude)
        Nodes of roads that stand twice in the file, at different places: the place that counts, the later one.
    unjudged : Counter
        Roads by what they say that times do not heed: ``access=private``, ``maxspeed``, ``barrier=gate``, ``restriction``.
    """

    ways: list[Way] = field(default_factory=list)
    places: dict[int, Place] = field(default_factory=dict)
    left_out: Counter[str] = field(default_factory=Counter)
    cut: int = 0
    outside: int = 0
    ferries: int = 0
    deleted: int = 0
    joined: tuple[Place, ...] = ()
    superseded: int = 0
    twice: tuple[Place, ...] = ()
    unjudged: Counter[str] = field(default_factory=Counter)


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
    kind = packing_of(path)
    if kind is None:
        raise ValueError("neither OSM XML nor PBF")
    with scratch_folder() as folder:
        large = path.stat().st_size >= LARGE_BYTES
        index = f"sparse_file_array,{folder / 'places'}" if large else "flex_mem"
        try:
            return _read(OsmFile(path, kind, index, large), usable, box, ferries)
        except RuntimeError as problem:
            if kind != BZIP2:
                raise
            try:
                plain = unpacked(path, folder)
            except (OSError, EOFError, ValueError):
                raise problem from None
            return _read(OsmFile(plain, XML, index, large), usable, box, ferries)


@dataclass(frozen=True)
class OsmFile:
    """A file, how it is packed, where osmium keeps the places of its nodes, and whether it is large."""

    path: Path
    kind: str
    index: str
    large: bool

    def read(self, what: Any) -> Any:
        """A processor of some of its objects."""
        return osmium.FileProcessor(as_osmium(self.path, self.kind), what)


@dataclass(frozen=True)
class _Candidate:
    """A way as read: its node ids and the places known of them."""

    number: int
    version: int
    refs: list[int]
    tags: dict[str, str]
    there: dict[int, Place]

    def outside(self, box: Box | None) -> bool:
        """Whether all of it is known and none of it inside."""
        whole = len(self.there) == len(set(self.refs))
        return box is not None and whole and not any(box.holds(place) for place in self.there.values())


@dataclass
class _Beside:
    """Barriers by node and the ways of turn restrictions, as they are met while ways are read."""

    barriers: dict[int, str] = field(default_factory=dict)
    restrictions: list[set[int]] = field(default_factory=list)


def _read(file: OsmFile, usable: frozenset[str], box: Box | None, ferries: bool) -> Extract:
    left_out: Counter[str] = Counter()
    outside = skipped = 0
    gone = deleted_in_editor(file.path, file.kind)
    found, dead, newest, beside = [], [], dict[int, int](), _Beside()
    for way in _candidates(file, gone["node"], beside, box):
        highway = way.tags.get("highway", FERRY)
        if way.outside(box):
            outside += "highway" in way.tags and highway in usable
            continue
        newest[way.number] = max(way.version, newest.get(way.number, 0))
        if way.number in gone["way"] or way.tags.pop("deleted", ""):
            dead += [way] if highway in usable else []
        elif highway == FERRY and "highway" not in way.tags and not ferries:
            skipped += 1
        elif highway not in usable:
            left_out[highway] += 1
        else:
            found.append(replace(way, tags=way.tags | {"highway": highway}))
    now = [way for way in found if way.version >= newest[way.number]]
    places, twice = _places_of(file, now, gone["node"])
    kept, cut, more = _kept(now, places, box)
    ways, joined = _joined(kept, places)
    return Extract(
        ways, {ref: places[ref] for _, refs, _ in kept for ref in refs}, left_out, cut, outside + more, skipped, len(dead), joined,
        len(found) - len(now), twice, _unjudged(now, beside),
    )  # fmt: skip


def _kept(found: list[_Candidate], places: dict[int, Place], box: Box | None) -> tuple[list[Way], int, int]:
    """Ways inside the box, cut where the file lacks nodes; how many were cut, and how many roads lie outside after all."""
    outside = cut = 0
    kept: list[Way] = []
    numbers: set[int] = set()
    lowest = min((way.number for way in found), default=0)
    for way in found:
        there = {ref: places[ref] for ref in way.refs if ref in places}
        if box is not None and there and not any(box.holds(place) for place in there.values()):
            outside += way.tags["highway"] != FERRY
            continue
        whole = len(there) == len(set(way.refs))
        cut += not whole
        tags = {tag: value for tag, value in way.tags.items() if tag in KEPT_TAGS}
        for piece in [way.refs] if whole else _whole_pieces(way.refs, there):
            if len(piece) > 1:
                # pieces, and ways whose number is taken, get negative ids that no way of the file has
                own = whole and way.number not in numbers
                number = way.number if own else (lowest := min(lowest, 0) - 1)
                numbers.add(number)
                kept.append((number, piece, tags))
    return kept, cut, outside


def _candidates(file: OsmFile, gone: set[int], beside: _Beside, box: Box | None) -> Iterator[_Candidate]:
    """Every way that is a road or a ferry; those that the file marks as deleted carry the tag ``deleted``."""
    reader = file.read(osmium.osm.NODE | osmium.osm.WAY | osmium.osm.RELATION).with_locations(file.index)
    for way in reader.with_filter(osmium.filter.KeyFilter("highway", "route", "barrier", "restriction")):
        if way.is_node():
            barrier = way.tags.get("barrier", "no")
            if barrier not in OPEN_BARRIERS and (box is None or box.holds((way.lon, way.lat))):
                beside.barriers[way.id] = barrier
            continue
        if way.is_relation():
            if "restriction" in way.tags:
                beside.restrictions.append({m.ref for m in way.members if m.type == "w"})
            continue
        tags = {tag: way.tags[tag] for tag in (*KEPT_TAGS, "maxspeed") if tag in way.tags}
        if "highway" not in tags and tags.get("route") != FERRY:
            continue
        if way.deleted or not way.visible:
            tags["deleted"] = "yes"
        refs = [n.ref for n in way.nodes]
        there = {n.ref: (n.lon, n.lat) for n in way.nodes if n.location.valid() and n.ref not in gone}
        yield _Candidate(way.id, way.version, refs, tags, there)


def _unjudged(ways: list[_Candidate], beside: _Beside) -> Counter[str]:
    """What of access, speed limits, barriers and turn restrictions the roads have."""
    told: Counter[str] = Counter()
    for way in ways:
        told.update(f"{t}={way.tags[t]}" for t in JUDGED_NOT if way.tags.get(t) in CLOSED)
        told["maxspeed"] += "maxspeed" in way.tags
    used, numbers = {ref for way in ways for ref in way.refs}, {way.number for way in ways}
    told.update(f"barrier={kind}" for node, kind in beside.barriers.items() if node in used)
    told["restriction"] = sum(bool(members & numbers) for members in beside.restrictions)
    return +told


def _places_of(
    file: OsmFile, ways: list[_Candidate], gone: set[int]
) -> tuple[dict[int, Place], tuple[Place, ...]]:
    """Places of the ways' nodes, and those of nodes that the file has twice.

    Only texts hold nodes twice, deleted or without order: their nodes are looked through once more, unless there are very many.
    """
    places = {ref: place for way in ways for ref, place in way.there.items()}
    wanted = {ref for way in ways for ref in way.refs} - gone
    if file.kind == PBF or file.large:
        lacking = wanted - places.keys()
        late = {n: place for n, (_, place, _) in _nodes(file, lacking).items() if place} if lacking else {}
        return places | late, ()
    found = _nodes(file, wanted)
    twice = sorted(place for _, place, again in found.values() if place and again)
    return {n: place for n, (_, place, _) in found.items() if place}, tuple(twice)


def _nodes(file: OsmFile, wanted: set[int]) -> dict[int, tuple[int, Place | None, bool]]:
    """Version, place (None: deleted or invisible) and whether it stands elsewhere too, of the newest of each node.

    Also of nodes that stand after the ways, or have negative ids, which osmium's index does not keep.
    """
    found: dict[int, tuple[int, Place | None, bool]] = {}
    reader = file.read(osmium.osm.NODE)
    if wanted and min(wanted) >= 0:
        reader = reader.with_filter(osmium.filter.IdFilter(wanted))
    for node in reader:
        if node.id not in wanted or not (node.location.valid() or node.deleted or not node.visible):
            continue
        place = (node.lon, node.lat) if node.location.valid() and node.visible and not node.deleted else None
        version, before, again = found.get(node.id, (-1, None, False))
        if node.version == version:
            found[node.id] = (version, place, again or (before is not None and place != before))
        elif node.version > version:
            found[node.id] = (node.version, place, False)
    return found


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
