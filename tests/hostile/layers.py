"""Damage to layers: features, files of other kinds under a layer's name, formats that lead elsewhere."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing

import geopandas as gpd
import shapely

from tests.geodata.test_fuzz import Case
from tests.hostile.county import SQUARE, added, at, feature, named

SHAPES: tuple[object, ...] = (
    None, {}, [], {"type": "Polygon", "coordinates": []}, {"type": "Polygon", "coordinates": [[]]},
    {"type": "Polygon", "coordinates": [[[118, 30], [118, 30]]]}, {"type": "Point", "coordinates": [118, 30]},
    {"type": "Point", "coordinates": []}, {"type": "MultiPolygon", "coordinates": [[SQUARE], []]},
    {"type": "Polygon", "coordinates": [[[118, 30, 1], [119, 31, 2], [118, 31, 3], [119, 30, 4], [118, 30, 1]]]},
    {"type": "Polygon", "coordinates": [[[1e308, 0], [-1e308, 1], [0, 1e308], [1e308, 0]]]},
    {"type": "Polygon", "coordinates": [[["a", "b"], [1, 2], [3, 4], ["a", "b"]]]},
    {"type": "GeometryCollection", "geometries": []}, {"type": "Ring", "coordinates": [SQUARE]}, 7, "POLYGON EMPTY",
    {"type": "LineString", "coordinates": SQUARE}, {"type": "Polygon", "coordinates": [SQUARE[::-1]]},
    {"type": "Polygon", "coordinates": [SQUARE, SQUARE]},
    {"type": "Polygon", "coordinates": [[[179, 0], [-179, 0], [-179, 1], [179, 1], [179, 0]]]},
    {"type": "MultiPoint", "coordinates": [[118, 30], []]}, {"type": "Polygon", "coordinates": [[[None, None]] * 4]},
)  # fmt: skip
NAMES: tuple[object, ...] = (
    None, "", 7, True, [1], {"a": 1}, "甲镇", "x" * 3000, "\u0000", "\ud800", "\ufffe", "\u0001", "Nan", 1e400,
)  # fmt: skip
SYSTEMS: tuple[object, ...] = (
    "EPSG:4548", "EPSG:0", "moon", None, "urn:ogc:def:crs:OGC:1.3:CRS84", "EPSG:4326", "http://{at}/crs", "+proj=longlat",
    "+proj=geos +h=1", "/etc/passwd", "EPSG:4326+5773", 4326, ["EPSG:4326"],
)  # fmt: skip
TEXTS = (
    '<OGRVRTDataSource><OGRVRTLayer name="a"><SrcDataSource>/vsicurl/http://{at}/a.geojson</SrcDataSource></OGRVRTLayer></OGRVRTDataSource>',
    '<OGRWFSDataSource><URL>http://{at}/wfs</URL></OGRWFSDataSource>', "WFS:http://{at}/wfs", "http://{at}/a.geojson",
    '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b SYSTEM "http://{at}/b">]><kml><Document>&b;</Document></kml>',
    '<kml xmlns="http://www.opengis.net/kml/2.2"><NetworkLink><Link><href>http://{at}/a.kml</href></Link></NetworkLink></kml>',
    '<wfs:FeatureCollection xmlns:wfs="http://www.opengis.net/wfs"/>', "gdal_streamed_alg:{\"a\": 1}",
    '{"type": "FeatureCollection", "crs": {"type": "link", "properties": {"href": "http://{at}/crs"}}, "features": []}',
    '{"type": "Topology", "arcs": [], "objects": {"a": {"type": "GeometryCollection", "geometries": []}}}',
    '{"spatialReference": {"wkid": 4326}, "geometryType": "esriGeometryPolygon", "features": []}',
    '{"stac_version": "1.0.0", "type": "FeatureCollection", "features": [], "links": [{"href": "http://{at}/next", "rel": "next"}]}',
    "!table\n!version 300\nopen table \"http://{at}/a\"\n", '{"type": "FeatureCollection", "features": [' + "[" * 100_000,
    "PG:host=127.0.0.1 dbname=a", '{"a":' * 3000,
)  # fmt: skip
KINDS_OF_LAYER = (
    "gpkg",
    "shp",
    "geojson",
    "kml",
    "tab",
    "fgb",
    "parquet",
    "pbf",
    "xls",
    "ods",
    "zip",
    "gml",
    "json",
    "vrt",
)


def features(case: Case) -> None:
    """One feature, or the frame around them all."""
    file = case.folder / "townships.geojson"
    layer = json.loads(file.read_text(encoding="utf-8"))
    one = case.dice.choice(layer["features"])
    how = case.dice.randrange(7)
    if how == 0:
        one["geometry"] = case.dice.choice(SHAPES)
    elif how == 1:
        one["properties"] = {case.dice.choice(("township", "Name", "")): case.dice.choice(NAMES)}
    elif how == 2:
        layer["features"] = case.dice.choice(([], None, {}, [None], [{}], [one] * 200))
    elif how == 3:
        layer["crs"] = {"type": "name", "properties": {"name": case.dice.choice(SYSTEMS)}}
    elif how == 4:
        layer["type"] = case.dice.choice(("Topology", "Feature", 7, None))
    elif how == 5:
        file.write_bytes(case.dice.randbytes(300))
        return
    text = json.dumps(layer).replace("{at}", at(case))
    if how == 6:
        text = text[: case.dice.randrange(len(text))]
    file.write_text(text, encoding="utf-8")


def another_kind(case: Case) -> None:
    """Something else under a layer's name, or the layer under another key."""
    key = case.dice.choice(("townships", "waters", "zones", "roads", "workbook", "mapping"))
    source = case.dice.choice(("townships.geojson", "roads.graphml", "schools.csv", "county.toml"))
    name = f"layer.{case.dice.choice(KINDS_OF_LAYER)}"
    shutil.copy(case.folder / source, case.folder / name)
    named(case, key, name)


def leading_elsewhere(case: Case) -> None:
    """A layer whose content is a document of another kind, which names the network or other files."""
    name = f"layer.{case.dice.choice(KINDS_OF_LAYER)}"
    text = case.dice.choice(TEXTS).replace("{at}", at(case))
    head = case.dice.choice(("", "", "\ufeff", "\n\n  ", "<!-- -->"))
    (case.folder / name).write_text(head + text, encoding="utf-8")
    _as_a_layer(case, name)


def _as_a_layer(case: Case, name: str) -> None:
    key = case.dice.choice(("townships", "waters", "zones", "areas", "dem"))
    if key in ("areas", "dem"):
        added(case, f'[travel]\n{key} = "{name}"\n')
    else:
        named(case, key, name)


def a_layer_of_gdal(case: Case) -> None:
    """A shapefile, GeoPackage, FlatGeobuf, GeoParquet or KML, sound but for one thing."""
    shapes = [shapely.Polygon(SQUARE), shapely.Polygon(SQUARE)]
    odd = (
        None,
        shapely.Point(),
        shapely.Polygon(),
        shapely.Point(118, 30),
        shapely.LineString(SQUARE),
        shapely.MultiPolygon(),
    )
    shapes[case.dice.randrange(2)] = case.dice.choice((*odd, shapes[0]))
    system = case.dice.choice(("EPSG:4326", "EPSG:4490", "EPSG:4548", "EPSG:3857", None))
    frame = gpd.GeoDataFrame({"township": ["河口镇", "青石乡"]}, geometry=shapes, crs=system)
    frame["season"], frame["share"] = "always", case.dice.choice((0.5, -1.0, float("nan")))
    kind = case.dice.choice(("shp", "gpkg", "fgb", "parquet", "geojson"))
    file = case.folder / f"layer.{kind}"
    try:
        frame.to_parquet(file) if kind == "parquet" else frame.to_file(file)
    except Exception:  # not every format has every geometry: what was begun stays as it is
        file.touch()
    beside = sorted(p for p in case.folder.iterdir() if p.stem == "layer")
    one = case.dice.choice(beside)
    how = case.dice.randrange(5)
    content = one.read_bytes()
    if how == 0 and content:
        one.write_bytes(content[: case.dice.randrange(len(content))])
    elif how == 1 and content:
        noisy = bytearray(content)
        for _ in range(case.dice.randint(1, 30)):
            noisy[case.dice.randrange(len(noisy))] = case.dice.randrange(256)
        one.write_bytes(bytes(noisy))
    elif how == 2:
        one.unlink()
    elif how == 3 and kind == "shp":
        text = case.dice.choice(("moon", "", "GB18030", "UTF-8", "http://{at}/prj", "\x00")).replace(
            "{at}", at(case)
        )
        (case.folder / f"layer.{case.dice.choice(('cpg', 'prj'))}").write_text(text, encoding="utf-8")
    elif how == 4 and kind == "gpkg" and content:
        _with_views(case, file)
    _as_a_layer(case, file.name)


def _with_views(case: Case, file: object) -> None:
    """A GeoPackage with a view or a trigger that calls functions of its readers."""
    called = case.dice.choice(("ogr_geocode('x')", "load_extension('x')", "readfile('/etc/passwd')", "1"))
    with closing(sqlite3.connect(str(file))) as base:
        base.execute(f"create view v as select {called}")
        base.commit()


def many_points(case: Case) -> None:
    """One polygon of very many points, a layer of very many features, or of very many parts."""
    how = case.dice.randrange(3)
    if how == 0:
        ring = [[118 + i / 400_000, 30.6 + (i % 2) / 10] for i in range(100_000)]
        found = [feature({"type": "Polygon", "coordinates": [[*ring, ring[0]]]}, township="河口镇")]
    elif how == 1:
        found = [
            feature({"type": "Polygon", "coordinates": [SQUARE]}, township=f"镇{i}") for i in range(20_000)
        ]
    else:
        parts = [[SQUARE]] * 5_000
        found = [feature({"type": "MultiPolygon", "coordinates": parts}, township="河口镇")]
    (case.folder / "townships.geojson").write_text(
        json.dumps({"type": "FeatureCollection", "features": found})
    )


DAMAGE = (
    features, features, another_kind, leading_elsewhere, leading_elsewhere, a_layer_of_gdal, a_layer_of_gdal, many_points,
)  # fmt: skip
