"""What lies around a county's tables: roads (read once, then cached), background, slowed areas."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import networkx as nx
import numpy as np

from geodata.contract.findings import Finding, InputProblems
from geodata.layers.drivers import heard, open_layer, refuse_raster
from geodata.layers.shapes import checked, named_townships
from geodata.roads.cache import digest, file_digest, graph_as_entry, graph_of_entry
from geodata.roads.extracts import OSM_ENDINGS, Box
from geodata.roads.graph import read_roads
from geodata.roads.speeds import SEASONS, usable_classes
from geodata.roads.store import Cache, open_cache
from geodata.travel.settings import Travel


@dataclass(frozen=True)
class Layers:
    """Roads and layers with their findings; None where there is none or it could not be read."""

    roads: nx.MultiDiGraph[Any] | None = None
    roads_source: str = ""
    townships: gpd.GeoDataFrame | None = None
    waters: gpd.GeoDataFrame | None = None
    zones: gpd.GeoDataFrame | None = None
    road_areas: gpd.GeoDataFrame | None = None
    findings: tuple[Finding, ...] = ()


def read_layers(
    folder: Path, files: dict[str, str | None], travel: Travel, box: Box | None,
    declared: Mapping[str, str] | None = None, townships_known: Collection[str] = (),
) -> Layers:  # fmt: skip
    """Read the files that county.toml names.

    Parameters
    ----------
    folder : Path
    files : dict
        File names of ``roads``, ``townships``, ``waters``, ``zones``; None where there is none.
    travel : Travel
    box : Box or None
        OSM roads are read in it only; without it they are not read, for the file may be a province.
    declared : mapping of str to str
        Systems of layers that do not state their own, by name of the layer.
    townships_known : collection of str
        Townships of the tables, to compare the layer's names with.
    """
    found: list[Finding] = []
    names = {**files, "areas": travel.areas}
    layers = {
        table: _layer(folder, names.get(table), table, found, (declared or {}).get(table, ""), box)
        for table in ("townships", "waters", "zones", "areas")
    }
    townships, waters, zones = (layers[n] for n in ("townships", "waters", "zones"))
    if townships is not None:
        townships, notes = named_townships(townships, names["townships"] or "", townships_known)
        found += notes
    if waters is not None and "name" in waters:
        waters["name"] = waters["name"].fillna("").astype(str)
    areas = _areas(layers["areas"], travel.areas or "", found)
    if travel.dem is not None:
        found += _no_raster(folder, travel.dem)
    roads, source = None, ""
    file = files["roads"]
    if file is None:
        found.append(Finding("warning", "tables.no_roads", file="county.toml"))
    elif not (folder / file).is_file():
        found.append(Finding("error", "tables.no_file", file=file, table="roads"))
    elif box is None and file.lower().endswith(OSM_ENDINGS):
        found.append(Finding("note", "roads.not_read", file=file))
    else:
        try:
            store, notes = open_cache(folder, travel.cache)
            found += notes
            roads, source = cached_roads(folder / file, box, travel.ferries, store, travel.consolidate_m)
            found += store.said() if store else []
        except InputProblems as problem:
            found += problem.findings
    return Layers(roads, source, townships, waters, zones, areas, tuple(found))


def cached_roads(
    path: Path,
    box: Box | None = None,
    ferries: bool = False,
    store: Cache | None = None,
    consolidate_m: float = 0.0,
) -> tuple[nx.MultiDiGraph[Any], str]:
    """`geodata.roads.graph.read_roads`, or the same graph from the cache, and the hash of the file's bytes.

    The entry is found by the file's bytes, its kind, the box, the settings and the classes that are
    roads: a change of any of them reads the file again.

    Raises
    ------
    InputProblems
        As `read_roads`.
    """
    if store is None or not path.is_file():
        return read_roads(path, box, ferries, consolidate_m), file_digest(path)
    source = file_digest(path)
    corners = None if box is None else (box.west, box.south, box.east, box.north)
    kind = "".join(path.suffixes[-2:]).lower()
    key = digest("roads", source, kind, corners, ferries, consolidate_m, sorted(usable_classes(ferries)))
    kept = store.get("roads", key)
    if kept is not None:
        return graph_of_entry(kept), source
    graph = read_roads(path, box, ferries, consolidate_m)
    store.put("roads", key, graph_as_entry(graph))
    return graph, source


def _layer(
    folder: Path, file: str | None, table: str, found: list[Finding], declared: str, box: Box | None
) -> gpd.GeoDataFrame | None:
    if file is None:
        return None
    if not (folder / file).is_file():
        found.append(Finding("error", "tables.no_file", file=file, table=table))
        return None
    try:
        with heard(file) as said:
            layer, notes = checked(open_layer(folder / file, file), table, file, declared, box)
        found += [*said, *notes]
        return layer
    except InputProblems as problem:
        found += problem.findings
    except Exception as problem:  # PROJ and GEOS raise many kinds
        found.append(Finding("error", "tables.bad_layer", {"why": str(problem)[:200]}, file=file))
    return None


def _no_raster(folder: Path, file: str) -> list[Finding]:
    """What keeps the height raster from being read."""
    if not (folder / file).is_file():
        return [Finding("error", "tables.no_file", file=file, table="dem")]
    try:
        refuse_raster(folder / file, file)
    except InputProblems as problem:
        return problem.findings
    return []


def _areas(layer: gpd.GeoDataFrame | None, file: str, found: list[Finding]) -> gpd.GeoDataFrame | None:
    """Slowed areas in their form, or None and an error."""
    if layer is None:
        return None
    missing = [c for c in ("season", "share") if c not in layer]
    bad: list[str] = []
    if not missing:
        bad = sorted({str(s) for s in layer["season"]} - {*SEASONS, "always"})
        numbers = layer["share"].map(
            lambda x: isinstance(x, int | float | np.number) and not isinstance(x, bool) and 0 <= x <= 1
        )
        bad += [str(x) for x in layer.loc[~numbers, "share"]]
    if missing or bad:
        reason: dict[str, object] = {"reason": ", ".join([*missing, *bad])}
        found.append(Finding("error", "roads.bad_areas", reason, file=file))
        return None
    return layer[["season", "share", "geometry"]]
