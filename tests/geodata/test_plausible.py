from __future__ import annotations

import shutil

import geopandas as gpd
import numpy as np
import pytest
import shapely

from geodata.folder.reading import check
from geodata.layers.coordinates import from_wgs84
from tests.damage import cells, put, settings, write

OURS = ("tables.looks_like", "tables.on_water", "tables.coarse_points", "tables.same_point")


@pytest.fixture
def whole(nanpu, tmp_path):
    """Nanpu with its roads, to be damaged."""
    return shutil.copytree(nanpu, tmp_path / "county")


def unlikely(folder):
    return [f for f in check(folder) if f.key in OURS]


def restate(folder, table, shift_to, declared):
    """A table's points in one system, declared as another."""
    frame = cells(folder, table)
    lon, lat = from_wgs84(frame["lon"].to_numpy(float), frame["lat"].to_numpy(float), shift_to)
    frame["lon"], frame["lat"], frame["crs"] = np.round(lon, 7), np.round(lat, 7), declared
    write(folder, table, frame)


def test_the_demonstration_county_is_plausible(nanpu):
    assert unlikely(nanpu) == []


@pytest.mark.parametrize(
    ("really", "declared"),
    [
        ("gcj02", "wgs84"), ("bd09", "wgs84"), ("bd09", "gcj02"), ("wgs84", "gcj02"), ("gcj02", "bd09"),
        ("gcj02", "cgcs2000"),
    ],
)  # fmt: skip
def test_points_of_another_system_are_recognised_and_not_converted(whole, really, declared):
    restate(whole, "villages", really, declared)
    (found,) = [f for f in unlikely(whole) if f.key != "tables.on_water"]  # some may fall there by chance
    assert (found.key, found.severity, found.file) == ("tables.looks_like", "warning", "villages.csv")
    assert (found.fields["kind"], found.value) == (really, declared)
    assert found.fields["better"] < 0.4 * found.fields["metres"]
    first = str(found.fields["names"]).split(", ")[0]
    assert first in set(cells(whole, "villages")["name"])
    assert not [f for f in check(whole) if f.key == "tables.converted" and declared == "wgs84"]


@pytest.mark.parametrize("crs", ["gcj02", "bd09", "cgcs2000"])
def test_rightly_declared_points_are_no_matter(whole, crs):
    for table in ("schools", "villages"):
        restate(whole, table, crs, crs)
    assert unlikely(whole) == []


def test_places_in_a_lake_or_river_are_named(county_folder):
    frame = cells(county_folder, "villages")
    lon, lat = (frame[c].to_numpy(float) for c in ("lon", "lat"))
    lake = shapely.Point(lon[2], lat[2]).buffer(0.0005)
    bank = shapely.box(lon[4], lat[4], lon[4] + 0.0005, lat[4] + 0.0005)  # the village stands at its corner
    river = shapely.LineString([(lon[6] - 0.001, lat[6]), (lon[6] + 0.001, lat[6])])
    waters = gpd.GeoDataFrame({"name": ["a", "b", "c"]}, geometry=[lake, bank, river], crs=4326)
    waters.to_file(county_folder / "lake.gpkg", engine="pyogrio")
    text = (county_folder / "county.toml").read_text(encoding="utf-8")
    line = next(one for one in text.splitlines() if one.startswith("waters"))
    settings(county_folder, line, 'waters = "lake.gpkg"')
    found = [f for f in unlikely(county_folder) if f.key == "tables.on_water"]
    assert {f.fields["name"] for f in found} >= {frame["name"][2], frame["name"][6]}
    assert frame["name"][4] not in {f.fields["name"] for f in found}
    assert {(f.file, f.row) for f in found} >= {("villages.csv", 4), ("villages.csv", 8)}


def test_rounded_coordinates_are_named(county_folder):
    frame = cells(county_folder, "villages")
    for row in (3, 7):
        for column in ("lon", "lat"):
            put(county_folder, "villages", row, column, f"{float(frame[column][row - 2]):.2f}")
    put(county_folder, "villages", 9, "lat", f"{float(frame['lat'][7]):.2f}")  # one of two may be chance
    (found,) = unlikely(county_folder)
    assert (found.key, found.file, found.row) == ("tables.coarse_points", "villages.csv", 3)
    assert (found.fields["count"], found.fields["all"]) == (2, len(frame))
    assert found.fields["names"] == f"{frame['name'][1]}, {frame['name'][5]}"


def test_one_point_for_several_names_is_named(county_folder):
    frame = cells(county_folder, "villages")
    for column in ("lon", "lat"):
        put(county_folder, "villages", 6, column, frame[column][3])
    (found,) = unlikely(county_folder)
    assert (found.key, found.file, found.row) == ("tables.same_point", "villages.csv", 6)
    assert found.fields["names"] == f"{frame['name'][3]}, {frame['name'][4]}"
