"""What a county's settings name stays in its folder, is a file, and asks nothing of the network."""

from __future__ import annotations

import json
import os
import shutil
import socket
import threading
from contextlib import suppress

import geopandas as gpd
import pyogrio
import pytest
import shapely

from geodata.contract.findings import InputProblems
from geodata.folder.reading import check, read_county
from geodata.layers.spatial_tables import read_layer
from geodata.layers.surroundings import read_layers
from geodata.roads.store import MARK
from geodata.travel.settings import Travel
from tests.damage import bad, contents, settings


def name_in(folder, key: str, value: str) -> None:
    """Write ``key = "value"`` into county.toml, above its sections."""
    file = folder / "county.toml"
    text = file.read_text(encoding="utf-8")
    kept = [line for line in text.splitlines() if not line.startswith(f"{key} =")]
    file.write_text("\n".join([f"{key} = {json.dumps(value)}", *kept]) + "\n", encoding="utf-8")


def keys(found) -> set[str]:
    return {f.key for f in found if f.severity == "error"}


KEYS = ("roads", "townships", "waters", "zones", "workbook", "mapping")


@pytest.mark.parametrize(
    "name", ["../outside.geojson", "{outside}", "a/../../outside.geojson", "link.geojson"]
)
def test_a_name_that_leads_outside_is_refused_and_not_opened(county_folder, name):
    outside = county_folder.parent / "outside.geojson"
    outside.write_text("{}")
    (county_folder / "link.geojson").symlink_to(outside)
    for key in KEYS:
        name_in(county_folder, key, name.format(outside=outside))
    refused = [f for f in check(county_folder) if f.key == "tables.outside"]
    assert {(f.column, f.file) for f in refused} == {(key, "county.toml") for key in KEYS}
    assert "tables.outside" not in keys(check(county_folder, allow_outside=True))


def test_tables_that_are_links_lead_nowhere_else(county_folder):
    (county_folder / "schools.csv").rename(county_folder.parent / "schools.csv")
    (county_folder / "schools.csv").symlink_to(county_folder.parent / "schools.csv")
    assert keys(check(county_folder)) == {"tables.outside"}
    assert len(read_county(county_folder, allow_outside=True).schools)


def test_a_county_toml_that_is_a_link_is_not_followed(county_folder):
    (county_folder / "county.toml").rename(county_folder.parent / "county.toml")
    (county_folder / "county.toml").symlink_to(county_folder.parent / "county.toml")
    assert keys(check(county_folder)) == {"tables.outside"}


def test_devices_pipes_and_the_systems_own_files_are_never_opened(county_folder, monkeypatch):
    os.mkfifo(county_folder / "pipe")
    monkeypatch.chdir(county_folder)
    with socket.socket(socket.AF_UNIX) as one:
        one.bind("socket")
        for name in ("/dev/zero", "/proc/self/mem", "pipe", "/dev/stdin", "socket"):
            for key in KEYS:
                name_in(county_folder, key, name)
            found = [f for f in check(county_folder, allow_outside=True) if f.severity == "error"]
            assert {f.column for f in found if f.key == "tables.no_regular_file"} == set(KEYS), name


@pytest.mark.parametrize("name", ["a\0b", "x" * 5000, "circle"])
def test_what_is_no_name_is_said(county_folder, name):
    (county_folder / "circle").symlink_to("circle")
    name_in(county_folder, "townships", name)
    assert keys(check(county_folder)) & {"tables.no_file_name", "tables.no_file"}


def test_files_read_along_with_a_layer_stay_inside_too(county_folder, tmp_path):
    square = gpd.GeoDataFrame({"township": ["A"]}, geometry=[shapely.box(118, 30, 119, 31)], crs=4326)
    square.to_file(county_folder / "land.shp")
    (county_folder / "land.dbf").rename(tmp_path / "land.dbf")
    (county_folder / "land.dbf").symlink_to(tmp_path / "land.dbf")
    name_in(county_folder, "townships", "land.shp")
    assert [f.value for f in check(county_folder) if f.key == "tables.outside"] == ["land.dbf"]


def test_standards_are_names_and_no_paths(county_folder, tmp_path):
    from models.standards.norms import InputProblems, load_standards

    settings(county_folder, '"cn_layout"', '"../../../etc/x"')
    with pytest.raises(InputProblems):
        load_standards(read_county(county_folder))


@pytest.mark.parametrize("cache", ["../other", ".", "link"])
def test_a_cache_elsewhere_is_not_used_and_nothing_there_is_touched(nanpu, tmp_path, cache):
    folder, other = tmp_path / "county", tmp_path / "other"
    shutil.copytree(nanpu, folder)
    for i in range(40):
        (other / f"roads-{i:040x}").mkdir(parents=True)
        (other / f"roads-{i:040x}" / "manifest.json").write_text("{}")
    (folder / "link").symlink_to(other)
    with (folder / "county.toml").open("a") as file:
        file.write(f'\n[travel]\ncache = "{cache.format(other=other)}"\n')
    before = contents(other)
    found = check(folder)
    assert "roads.cache_outside" in {f.key for f in found} and not keys(found)
    assert contents(other) == before


def test_a_folder_of_somebodys_own_is_no_cache(nanpu, tmp_path):
    folder = tmp_path / "county"
    shutil.copytree(nanpu, folder, ignore=shutil.ignore_patterns(".cache"))
    (folder / ".cache" / "mine").mkdir(parents=True)
    check(folder)
    assert [p.name for p in (folder / ".cache").iterdir()] == ["mine"]
    (folder / ".cache" / "mine").rmdir()
    check(folder)
    assert MARK in [p.name for p in (folder / ".cache").iterdir()]


@pytest.fixture
def listener():
    """A port that counts who asks."""
    asked: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    one, _ = server.accept()
                except OSError:
                    return
                asked.append(one.recv(200))
                one.close()

        threading.Thread(target=serve, daemon=True).start()
        yield f"127.0.0.1:{server.getsockname()[1]}", asked
        server.shutdown(socket.SHUT_RDWR)


SQUARE = {"type": "Polygon", "coordinates": [[[118, 30], [119, 30], [119, 31], [118, 31], [118, 30]]]}
FEATURES = {
    "type": "FeatureCollection",
    "features": [{"type": "Feature", "properties": {"township": "A"}, "geometry": SQUARE}],
}
VRT = (
    "<OGRVRTDataSource><OGRVRTLayer name='a'><SrcDataSource>/vsicurl/http://{at}/a.geojson</SrcDataSource>"
    "</OGRVRTLayer></OGRVRTDataSource>"
)


def hostile(at: str) -> dict[str, str]:
    link = json.dumps(FEATURES | {"crs": {"type": "link", "properties": {"href": f"http://{at}/crs"}}})
    vrt = VRT.format(at=at)
    return {
        "vrt.geojson": vrt,
        "vrt.kml": vrt,
        "vrt.json": vrt,
        "vrt.shp": vrt,
        "vrt.gpkg": vrt,
        "wfs.geojson": f"<OGRWFSDataSource><URL>http://{at}/wfs</URL></OGRWFSDataSource>",
        "wms.kml": f"<GDAL_WMS><Service name='WMS'><ServerUrl>http://{at}/?</ServerUrl></Service></GDAL_WMS>",
        "both.geojson": '{"x": "' + vrt + '", ' + json.dumps(FEATURES)[1:],
        "link.geojson": link,
        "escaped.geojson": link.replace('"crs"', '"\\u0043r\\u0053"'),
        "twice.geojson": link.replace('{"type": "link"', '{"type": "name", "type": "link"'),
        "inner.kml": f'<?xml version="1.0"?><kml><Document/></kml><!-- -->{vrt}',
        "comment.kml": f"<kml><!-- {vrt} --></kml>",
        "schema.kml": f'<kml xmlns:gml="http://www.opengis.net/gml" xmlns:x="http://www.w3.org/2001/XMLSchema-instance" x:schemaLocation="a http://{at}/a.xsd"/>',
        "entity.kml": f'<!DOCTYPE kml [<!ENTITY a SYSTEM "http://{at}/a">]><kml>&a;</kml>',
        "alg.geojson": json.dumps({"type": "gdal_streamed_alg", "command_line": f"gdal vector convert http://{at}/a b"}),
        "view.tab": f'!table\n!version 300\nopen table "/vsicurl/http://{at}/a"\ncreate view a\n',
        "address.geojson": f"http://{at}/a.geojson",
        "dem.tif": f'<VRTDataset rasterXSize="1" rasterYSize="1"><VRTRasterBand><SimpleSource><SourceFilename>/vsicurl/http://{at}/a.tif</SourceFilename></SimpleSource></VRTRasterBand></VRTDataset>',
    }  # fmt: skip


@pytest.mark.filterwarnings("ignore")
def test_nothing_in_a_layer_asks_the_network(tmp_path, listener):
    at, asked = listener
    names = hostile(at)
    for name, content in names.items():
        (tmp_path / name).write_text(content, encoding="utf-8")
    names |= dict.fromkeys(
        (f"http://{at}/a.geojson", f"/vsicurl/http://{at}/a", f"WFS:http://{at}/", f"GeoJSON:http://{at}/"),
        "",
    )
    for name in names:
        files = dict.fromkeys(("roads", "townships", "waters", "zones"), name)
        found = read_layers(tmp_path, files, Travel(dem=name, areas=name), None).findings
        assert len([f for f in found if f.severity == "error"]) >= 3, name
        with suppress(InputProblems):
            read_layer(tmp_path / name, None, name, 4326, None)
    assert asked == []


def test_a_whole_check_asks_nothing_either(county_folder, listener):
    at, asked = listener
    (county_folder / "both.geojson").write_text(hostile(at)["both.geojson"])
    (county_folder / "link.geojson").write_text(hostile(at)["link.geojson"])
    name_in(county_folder, "townships", "both.geojson")
    name_in(county_folder, "zones", "link.geojson")
    assert keys(check(county_folder)) == {"tables.leads_elsewhere"}
    assert asked == []


def test_the_listener_would_hear(listener, tmp_path):
    at, asked = listener
    (tmp_path / "a.geojson").write_text(VRT.format(at=at))
    with pytest.warns(RuntimeWarning):
        pyogrio.read_dataframe(tmp_path / "a.geojson")
    assert asked


def test_a_database_is_not_asked_unless_named(county_folder, listener):
    at, asked = listener
    host, port = at.split(":")
    (county_folder / "map.toml").write_text(
        f'[[source]]\ntable = "villages"\npostgis = "host={host} port={port} dbname=a user=a"\nlayer = "a"\n'
        '[source.columns]\nvillage_id = "a"\n'
    )
    name_in(county_folder, "mapping", "map.toml")
    assert keys(check(county_folder)) == {"bureau.host_not_named"}
    assert asked == []
    assert keys(check(county_folder, databases=(host,))) >= {"bureau.database"}
    assert asked


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    "name",
    ["plain.geojson", "named.geojson", "a.gpkg", "a.fgb", "a.parquet", "a.shp", "a.kml", "gpkg.geojson"],
)
def test_what_a_gis_writes_is_read_by_its_content(county_folder, name):
    square = gpd.GeoDataFrame({"township": ["A"]}, geometry=[shapely.box(118, 30, 119, 31)], crs=4326)
    file = county_folder / name
    if name == "plain.geojson":
        file.write_text(json.dumps(FEATURES))
    elif name == "named.geojson":
        square.to_crs(4490).to_file(file, driver="GeoJSON")
    elif name == "gpkg.geojson":
        square.to_file(county_folder / "b.gpkg")
        (county_folder / "b.gpkg").rename(file)
    elif name == "a.parquet":
        square.to_parquet(file)
    else:
        square.to_file(file, driver={"a.kml": "KML"}.get(name))
    name_in(county_folder, "townships", name)
    assert bad(check(county_folder)) == []
    assert read_county(county_folder).townships.total_bounds.round(5).tolist() == [118, 30, 119, 31]
