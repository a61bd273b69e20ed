"""Layers are opened by what they contain, with six known drivers, and nothing in them asks the network.

GDAL tries every driver it has on a file, whatever its name: a ``.geojson`` that holds a virtual dataset
or the address of a service made requests. Here the first bytes decide, text formats must be what they
say to the end, and GDAL gets a file only when no other driver could take it.
"""

from __future__ import annotations

import json
import logging
import re
import sqlite3
import warnings
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from xml.parsers import expat

import geopandas as gpd
import pandas as pd
import pyogrio
import pyogrio.errors

from geodata.contract.findings import Finding, input_problem

MOST_BYTES = 1_000_000_000
"""A larger layer is no layer of one county."""
FOREIGN = re.compile(
    rb"<\s*(ogr|gdal|vrt|wms|wfs|ogc_?wfs)|gdal_streamed_alg|opengis\.net/gml|<!doctype|<!entity", re.I
)
"""What makes other drivers of GDAL take a text file for theirs."""
C, R, S = (rf"(?:{a}|\\u00(?:{ord(a):x}|{ord(a.upper()):x}))" for a in "crs")
SYSTEM = re.compile(rf'"{C}{R}{S}"\s*:\s*(?=\{{)'.encode(), re.I)
"""A coordinate system in GeoJSON, however its key is written."""
SYSTEM_NAME = re.compile(r"(?:[\w:.,()+-]| / | ){1,200}")
"""A name without anything that could be an address or the path of a file."""
LINKED_TAB = re.compile(rb"open\s+table|create\s+view|isseamless", re.I)
IN_VIEWS = re.compile(r"\b(ogr_|gdal_|load_extension|readfile|writefile)", re.I)


@contextmanager
def heard(label: str) -> Iterator[list[Finding]]:
    """What the libraries that read a layer say while the block runs, as notes: it is never printed as it comes.

    Parameters
    ----------
    label : str
        Name for messages.
    """
    notes: list[Finding] = []
    lines: list[str] = []
    ear = logging.Handler(logging.WARNING)
    ear.emit = lambda record: lines.append(record.getMessage())  # type: ignore[method-assign]
    log = logging.getLogger("pyogrio")
    passed_on, log.propagate = log.propagate, False
    log.addHandler(ear)
    try:
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            yield notes
    finally:
        log.removeHandler(ear)
        log.propagate = passed_on
    lines += [str(w.message) for w in told if not issubclass(w.category, DeprecationWarning)]
    said = dict.fromkeys(" ".join(line.split())[:200] for line in lines)
    notes += [Finding("note", "tables.layer_remark", {"why": line}, file=label) for line in said]


def driver_of(path: Path, label: str) -> str:
    """The driver for a file's content: ESRI Shapefile, GPKG, GeoJSON, FlatGeobuf, KML, MapInfo File, Parquet.

    Raises
    ------
    InputProblems
        Too large, of no known kind, or of one that leads elsewhere.
    """
    if path.stat().st_size > MOST_BYTES:
        raise input_problem("tables.too_large", label, megabytes=MOST_BYTES // 1_000_000)
    with path.open("rb") as file:
        head = file.read(4096)
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if head[:4] == b"\0\0\x27\x0a":
        return "ESRI Shapefile"
    if head[:16] == b"SQLite format 3\0" and head[68:72] in (b"GPKG", b"GP10", b"GP11", b"GP12"):
        _plain_geopackage(path, label)
        return "GPKG"
    if head[:4] == b"fgb\x03":
        return "FlatGeobuf"
    if head[:4] == b"PAR1":
        return "Parquet"
    if text[:1] == b"{":
        _plain_geojson(path, label)
        return "GeoJSON"
    if text[:1] == b"<" and path.suffix.lower() == ".kml":
        _plain_kml(path, label)
        return "KML"
    if text[:6].lower() == b"!table":
        _plain_tab(path, label)
        return "MapInfo File"
    raise input_problem("tables.unknown_layer", label)


def _plain_geopackage(path: Path, label: str) -> None:
    """No view of it calls functions of GDAL or SQLite that open other files."""
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro&immutable=1", uri=True)) as base:
            rows = base.execute(
                "select coalesce(sql, '') from sqlite_master where type in ('view', 'trigger')"
            )
            texts = [str(sql) for (sql,) in rows]
    except sqlite3.Error as problem:
        raise input_problem("tables.bad_layer", label, why=str(problem)[:200]) from None
    if any(IN_VIEWS.search(sql) for sql in texts):
        raise input_problem("tables.leads_elsewhere", label)


def _plain_geojson(path: Path, label: str) -> None:
    """It names its coordinate system, if at all, by a name that needs no look-up."""
    content = path.read_bytes()
    for hit in SYSTEM.finditer(content):
        piece = content[hit.end() : hit.end() + 4000].decode("utf-8", errors="replace")
        try:
            stated, _ = json.JSONDecoder(object_pairs_hook=_once).raw_decode(piece)
        except (ValueError, RecursionError):
            stated = None
        if not _named(stated):
            raise input_problem("tables.leads_elsewhere", label)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({key for key, _ in pairs}) < len(pairs):
        raise ValueError("a key stands twice")
    return dict(pairs)


def _named(stated: Any) -> bool:
    """Whether a ``crs`` member of GeoJSON is a plain name (or an EPSG number, as old files have it)."""
    if not isinstance(stated, dict):
        return False
    kind, given = str(stated.get("type", "")).lower(), stated.get("properties")
    if kind not in ("name", "epsg") or not isinstance(given, dict) or set(stated) - {"type", "properties"}:
        return False
    return all(isinstance(v, int) or SYSTEM_NAME.fullmatch(str(v).strip()) for v in given.values())


def _plain_kml(path: Path, label: str) -> None:
    """One KML document to its end, without declarations and without words of other formats."""
    content = path.read_bytes()
    if FOREIGN.search(content):
        raise input_problem("tables.leads_elsewhere", label)
    roots: list[str] = []
    parser = expat.ParserCreate()

    def start(name: str, _: dict[str, str]) -> None:
        if not roots:
            roots.append(name)

    parser.StartElementHandler = start
    try:
        parser.Parse(content, True)
    except expat.ExpatError as problem:
        raise input_problem("tables.bad_layer", label, why=str(problem)) from None
    if roots[0].split(":")[-1].lower() != "kml":
        raise input_problem("tables.unknown_layer", label)


def _plain_tab(path: Path, label: str) -> None:
    content = path.read_bytes()
    if LINKED_TAB.search(content) or FOREIGN.search(content):
        raise input_problem("tables.leads_elsewhere", label)


def source_of(path: Path, driver: str) -> str:
    """What GDAL is given: the whole path, so that it is never taken for an address."""
    whole = str(path.resolve())
    return f"GeoJSON:{whole}" if driver == "GeoJSON" else whole


def layer_names(path: Path, label: str) -> list[str]:
    """Names of a file's layers.

    Raises
    ------
    InputProblems
    """
    driver = driver_of(path, label)
    return [str(name) for name in pyogrio.list_layers(source_of(path, driver))[:, 0]]


def open_layer(path: Path, label: str, layer: str | None = None, encoding: str | None = None) -> pd.DataFrame:
    """A layer with or without geometry, its driver chosen by its content.

    Parameters
    ----------
    path : Path
    label : str
        Name for messages.
    layer : str or None
        Needed where the file has several.
    encoding : str or None
        Of a shapefile's texts.

    Returns
    -------
    GeoDataFrame or DataFrame

    Raises
    ------
    InputProblems
        Of no known kind, leading elsewhere, or unreadable.
    """
    driver = driver_of(path, label)
    try:
        if driver == "Parquet":
            return _parquet(path)
        return pyogrio.read_dataframe(source_of(path, driver), layer=layer, encoding=encoding)
    except Exception as problem:  # pyogrio, GDAL, GEOS and pyarrow raise many kinds
        raise input_problem("tables.bad_layer", label, why=str(problem)[:200]) from None


def _parquet(path: Path) -> pd.DataFrame:
    """GeoParquet, or Parquet without a geometry."""
    try:
        return gpd.read_parquet(path)
    except ValueError:  # no geo metadata
        return pd.read_parquet(path)


def refuse_raster(path: Path, label: str) -> None:
    """A height raster is a GeoTIFF by its first bytes.

    Raises
    ------
    InputProblems
    """
    with path.open("rb") as file:
        head = file.read(4)
    if head not in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"):
        raise input_problem("tables.unknown_raster", label)
