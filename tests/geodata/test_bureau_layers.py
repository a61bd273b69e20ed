"""Layers with a geometry as tables: shapefiles in any encoding, GeoPackage, GeoJSON, GeoParquet."""

from __future__ import annotations

import geopandas as gpd
import pandas as pd
import pytest
from shapely import Point, Polygon

from geodata.contract.findings import InputProblems
from geodata.folder.reading import check, read_county
from geodata.layers.spatial_tables import read_layer
from tests.geodata.bureau_files import bind, tables, village_points

MAPPING = """
[[source]]
table = "villages"
{where}
[source.columns]
village_id = "村编号"
name = "村名"
township = "{township}"
road_access = "通路"
terrain = "地形"
island_or_dyke = "圩堤"
"""


def shapefile(points, folder, encoding, keep_cpg):
    points.to_file(folder / "村庄.shp", encoding=encoding)
    if not keep_cpg:
        (folder / "村庄.cpg").unlink()
    return 'file = "村庄.shp"'


def package(points, folder):
    points.to_file(folder / "村庄.gpkg", layer="村庄")
    points.head(3).to_file(folder / "村庄.gpkg", layer="别的")
    return 'file = "村庄.gpkg"\nlayer = "村庄"'


def parquet(points, folder):
    points.to_parquet(folder / "村庄.parquet")
    return 'file = "村庄.parquet"'


def geojson(points, folder):
    points.to_crs(4326).to_file(folder / "村庄.geojson", COORDINATE_PRECISION=12)
    return 'file = "村庄.geojson"'


FORMS = {
    "shapefile in GBK without .cpg": lambda p, f: shapefile(p, f, "GBK", False),
    "shapefile in GBK": lambda p, f: shapefile(p, f, "GBK", True),
    "shapefile in UTF-8": lambda p, f: shapefile(p, f, "UTF-8", True),
    "shapefile in UTF-8 without .cpg": lambda p, f: shapefile(p, f, "UTF-8", False),
    "GeoPackage": package,
    "GeoParquet": parquet,
    "GeoJSON": geojson,
}


@pytest.fixture(scope="module")
def wanted(nanpu):
    """The tables as read from the plain CSV."""
    return read_county(nanpu).tables()


@pytest.mark.filterwarnings("ignore:.*field name:RuntimeWarning")  # ten bytes: 所在乡镇 is cut in UTF-8
@pytest.mark.parametrize("form", FORMS)
def test_every_form_reads_the_same_villages(county_folder, wanted, form):
    points = village_points(tables(county_folder))
    (county_folder / "villages.csv").unlink()
    where = FORMS[form](points, county_folder)
    township = "所在乡" if "UTF-8" in form else "所在乡镇"
    bind(county_folder, MAPPING.format(where=where, township=township))
    county = read_county(county_folder)
    for name, table in wanted.items():
        pd.testing.assert_frame_equal(county.tables()[name], table, check_exact=True, obj=name)


def places(crs="EPSG:4490"):
    return gpd.GeoDataFrame(
        {"名": ["甲", "乙"]}, geometry=[Point(118.25, 30.5), Point(118.5, 30.75)], crs=crs
    )


def read(frame, path, epsg=None, declared=None, **keys):
    frame.to_file(path, **keys)
    return read_layer(path, None, path.name, epsg, declared)


def test_decoding_is_a_note_where_no_cpg_says_it(tmp_path):
    places().to_file(tmp_path / "a.shp", encoding="GBK")
    (tmp_path / "a.cpg").unlink()
    sheet = read_layer(tmp_path / "a.shp", None, "a.shp", None, None)
    assert [(f.key, f.fields["encoding"]) for f in sheet.findings] == [("bureau.decoded", "gb18030")]
    assert list(sheet.frame[0]) == ["甲", "乙"]


def test_a_cpg_that_lies_is_not_believed(tmp_path):
    places().to_file(tmp_path / "a.shp", encoding="GBK")
    (tmp_path / "a.cpg").write_text("UTF-8")
    sheet = read_layer(tmp_path / "a.shp", None, "a.shp", None, None)
    assert sheet.headings[0] == "名"
    assert sheet.findings[0].fields == {"encoding": "gb18030", "said": "UTF-8"}


def test_plane_coordinates_become_degrees(tmp_path):
    sheet = read(places().to_crs(4549), tmp_path / "a.gpkg")
    assert [float(v) for v in sheet.frame[1]] == pytest.approx([118.25, 118.5], abs=1e-9)
    assert set(sheet.frame[3]) == {"wgs84"}
    assert [f.key for f in sheet.findings] == ["bureau.reprojected"]


def test_the_land_bureaus_system_keeps_its_name(tmp_path):
    sheet = read(places(), tmp_path / "a.gpkg")
    assert (list(sheet.frame[1]), set(sheet.frame[3])) == (["118.25", "118.5"], {"cgcs2000"})
    assert not sheet.findings


def test_an_offset_is_kept_for_conversion_and_said(tmp_path):
    sheet = read(places(4326), tmp_path / "a.gpkg", declared="gcj02")
    assert set(sheet.frame[3]) == {"gcj02"}
    assert [f.key for f in sheet.findings] == ["bureau.offset_kept"]


def test_areas_are_placed_inside_themselves_and_said(tmp_path):
    ell = Polygon([(118, 30), (119, 30), (119, 30.1), (118.1, 30.1), (118.1, 31), (118, 31)])
    sheet = read(gpd.GeoDataFrame({"n": [1]}, geometry=[ell], crs=4490), tmp_path / "a.gpkg")
    assert ell.contains(Point(float(sheet.frame[1].iloc[0]), float(sheet.frame[2].iloc[0])))
    assert [f.key for f in sheet.findings] == ["bureau.inner_point"]


def test_a_record_without_geometry_has_empty_cells(tmp_path):
    frame = places()
    frame.loc[1, "geometry"] = None
    sheet = read(frame, tmp_path / "a.gpkg")
    assert list(sheet.frame.iloc[1]) == ["乙", "", "", ""]


@pytest.mark.filterwarnings("ignore:.crs. was not provided:UserWarning")
def test_a_missing_system_may_be_stated_but_not_contradicted(tmp_path):
    bare = places(None)
    with pytest.raises(InputProblems) as problem:
        read(bare, tmp_path / "a.shp", encoding="GBK")
    assert [f.key for f in problem.value.findings] == ["bureau.no_system"]
    assert set(read(bare, tmp_path / "b.shp", epsg=4490, encoding="GBK").frame[3]) == {"cgcs2000"}
    assert set(read(bare, tmp_path / "c.shp", declared="bd09", encoding="GBK").frame[3]) == {"bd09"}
    with pytest.raises(InputProblems) as problem:
        read(places(4490), tmp_path / "d.gpkg", epsg=4326)
    assert [f.key for f in problem.value.findings] == ["bureau.two_systems"]
    with pytest.raises(InputProblems) as problem:
        read(places(4490).to_crs(4549), tmp_path / "e.gpkg", declared="gcj02")
    assert [f.key for f in problem.value.findings] == ["bureau.offset_projected"]


def test_the_layer_must_be_named_where_there_are_several(tmp_path):
    places().to_file(tmp_path / "a.gpkg", layer="一")
    places().to_file(tmp_path / "a.gpkg", layer="二")
    with pytest.raises(InputProblems) as problem:
        read_layer(tmp_path / "a.gpkg", None, "a.gpkg", None, None)
    (fault,) = problem.value.findings
    assert (fault.key, fault.fields["known"]) == ("bureau.no_layer", "一, 二")


def test_a_broken_file_is_said(tmp_path):
    (tmp_path / "a.parquet").write_bytes(b"no parquet")
    with pytest.raises(InputProblems) as problem:
        read_layer(tmp_path / "a.parquet", None, "a.parquet", None, None)
    assert problem.value.findings[0].key == "tables.unknown_layer"


def test_a_fault_is_named_with_layer_row_and_field(county_folder):
    points = village_points(tables(county_folder))
    points.loc[4, "地形"] = "山地"
    points.loc[6, "geometry"] = None
    (county_folder / "villages.csv").unlink()
    where = package(points, county_folder)
    bind(county_folder, MAPPING.format(where=where, township="所在乡镇"))
    faults = {
        (f.file, f.row, f.column, f.value) for f in check(county_folder) if f.severity == "error" and f.row
    }
    assert ("村庄.gpkg [村庄]", 5, "地形", "山地") in faults
    assert ("村庄.gpkg [村庄]", 7, "@lon, @lat", "") in faults
