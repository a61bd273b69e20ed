"""OSM extracts of any kind and size, cut down to the usable roads of one county while they are read.

pyosmium reads .osm, .osm.gz, .osm.bz2 and .osm.pbf in one pass. Of a province only the ways with a
node inside the county's box are kept; the places of all its nodes go into pyosmium's own index, in
memory for small files and in a temporary file for large ones.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import osmium

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
        east = place[0] if place[0] >= self.west else place[0] + 360  # a box may reach across 180 degrees
        return east <= self.east and self.south <= place[1] <= self.north

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
    """

    ways: list[Way] = field(default_factory=list)
    places: dict[int, Place] = field(default_factory=dict)
    left_out: Counter[str] = field(default_factory=Counter)
    cut: int = 0
    outside: int = 0
    ferries: int = 0


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
    with tempfile.TemporaryDirectory() as folder:
        large = path.stat().st_size >= LARGE_BYTES
        index = f"sparse_file_array,{Path(folder) / 'places'}" if large else "flex_mem"
        return _read(path, index, usable, box, ferries)


def _read(path: Path, index: str, usable: frozenset[str], box: Box | None, ferries: bool) -> Extract:
    ways: list[Way] = []
    places: dict[int, Place] = {}
    left_out: Counter[str] = Counter()
    cut = outside = skipped = 0
    reader = osmium.FileProcessor(str(path), osmium.osm.NODE | osmium.osm.WAY).with_locations(index)
    reader = reader.with_filter(osmium.filter.EntityFilter(osmium.osm.WAY))
    for way in reader.with_filter(osmium.filter.KeyFilter("highway", "route")):
        tags = {tag: way.tags[tag] for tag in KEPT_TAGS if tag in way.tags}
        is_ferry = "highway" not in tags
        if is_ferry and tags["route"] != FERRY:
            continue
        there = {n.ref: (n.lon, n.lat) for n in way.nodes if n.location.valid()}
        if box is not None and there and not any(box.holds(place) for place in there.values()):
            outside += not is_ferry and tags["highway"] in usable
            continue
        if is_ferry and not ferries:
            skipped += 1
            continue
        highway = FERRY if is_ferry else tags["highway"]
        if highway not in usable:
            left_out[highway] += 1
            continue
        refs = [n.ref for n in way.nodes]
        whole = len(there) == len(set(refs))
        cut += not whole
        places |= there
        pieces = [refs] if whole else _whole_pieces(refs, there)
        for number, piece in enumerate(pieces):
            if len(piece) > 1:
                # pieces get negative ids, as OSM editors give to what is not in OSM
                ways.append(
                    (way.id if whole else -(way.id * 1000 + number), piece, tags | {"highway": highway})
                )
    return Extract(ways, places, left_out, cut, outside, skipped)


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
