"""Small counties that went wrong: each is made again by hand, and the whole kind is tried with it.

Numbers in the comments are those of the folders beside the repository, which say what is right.
"""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import pytest
import shapely
from shapely.geometry import LineString, MultiPolygon, Point, Polygon, box

from geodata.contract.findings import Finding, InputProblems
from geodata.folder.reading import check, read_county
from tests.damage import cells, put, write
from tests.samples import KM_LAT, KM_LON, LAT0, LON0, small_county

TOML = 'name = "试县"\nname_en = "Test county"\nyear = 2025\nfictional = true\n'


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """The sound county that most cases were made from, without roads."""
    folder = tmp_path / "base"
    folder.mkdir()
    for name, table in small_county().tables().items():
        if len(table):
            write(folder, name, table)
    (folder / "county.toml").write_text(TOML, encoding="utf-8")
    return folder


def keys(found: list[Finding], severity: str = "error") -> list[str]:
    return [f.key for f in found if f.severity == severity]


def column(folder: Path, table: str, name: str, value: str) -> None:
    write(folder, table, cells(folder, table).assign(**{name: value}))


def layer(folder: Path, name: str, shapes: list, crs: str | None = "EPSG:4326", **columns: list) -> None:
    """A layer named in county.toml."""
    file = folder / f"{name}.gpkg"
    gpd.GeoDataFrame(columns, geometry=gpd.GeoSeries(shapes, crs=crs), crs=crs).to_file(file, driver="GPKG")
    toml = folder / "county.toml"
    toml.write_text(f'{name} = "{name}.gpkg"\n' + toml.read_text(encoding="utf-8"), encoding="utf-8")


def town(west: float, east: float) -> Polygon:
    return box(LON0 + west * KM_LON, LAT0 - 3 * KM_LAT, LON0 + east * KM_LON, LAT0 + 5 * KM_LAT)


def test_the_sound_county_has_no_error(base):
    assert keys(check(base)) == []


# ---- what check accepts, plan can plan (94, 94b, 95, 95b, 95c, 95d, 63, 58b, 55b)


def test_an_open_school_without_a_row_is_named(base):
    stage = cells(base, "school_stage")
    write(base, "school_stage", stage[stage["school_id"] != "A2"])
    staff = cells(base, "staff_stock")
    write(base, "staff_stock", staff[staff["school_id"] != "A2"])
    wrong = [f for f in check(base) if f.severity == "error"]
    assert [(f.key, f.row, f.column) for f in wrong] == [("tables.stage_row_missing", 3, "grades_served")]
    assert "A2" in wrong[0].sentence("en") and "A2" in wrong[0].sentence("zh")


def test_a_school_that_does_not_run_needs_no_row(base):
    stage = cells(base, "school_stage")
    write(base, "school_stage", stage[stage["school_id"] != "A3"])
    for table in ("staff_stock", "attendance"):
        frame = cells(base, table)
        write(base, table, frame[frame["school_id"] != "A3"])
    put(base, "schools", 4, "status", "planned")
    assert keys(check(base)) == []


@pytest.mark.parametrize("served", ["9-9", "7-9", "7"])
def test_grades_of_a_stage_without_its_row_are_named(base, served):
    put(base, "schools", 2, "grades_served", served)
    found = keys(check(base))
    assert "tables.stage_row_missing" in found and "tables.stage_not_taught" in found


@pytest.mark.parametrize(
    ("name", "value"),
    [("status", "closing"), ("status", "suspended"), ("public", "false"), ("kind", "special")],
)
def test_a_county_of_which_no_school_takes_part_is_refused(base, name, value):
    column(base, "schools", name, value)
    assert keys(check(base)) == ["tables.nobody_takes_part"]


def test_nobody_counted_is_said_and_not_refused(base):
    column(base, "schools", "counted", "no")
    found = check(base)
    assert keys(found) == [] and "tables.nobody_assessed" in keys(found, "warning")


def test_no_demand_no_pupils_and_no_staff_are_said(base):
    column(base, "staff_stock", "heads", "0")
    assert keys(check(base), "warning").count("tables.no_staff") == 2
    column(base, "demand", "pupils_base", "0")
    assert keys(check(base)) == ["tables.no_demand"]
    column(base, "school_stage", "pupils", "0")
    assert set(keys(check(base))) == {"tables.no_demand", "tables.no_pupils"}


def test_demand_of_a_band_that_no_school_teaches_is_refused(base):
    for row in (5, 8):
        put(base, "schools", row, "status", "closing")  # A9 and B9, the junior schools
    found = [f for f in check(base) if f.severity == "error"]
    assert [(f.key, f.value) for f in found] == [("tables.band_without_school", "g7_9")]


def test_enrolment_and_demand_are_always_compared(base):
    (base / "attendance.csv").unlink()
    put(base, "demand", 2, "pupils_base", "5")
    found = [f for f in check(base) if f.key == "tables.enrolment_demand"]
    assert [f.fields["stage"] for f in found] == ["pri"] and found[0].severity == "warning"


def test_one_fault_hides_none_of_the_others(base):
    put(base, "schools", 2, "lat", "north")
    put(base, "schools", 3, "grades_served", "6-1")
    put(base, "attendance", 2, "pupils", "many")
    put(base, "attendance", 2, "school_id", "Q7")
    put(base, "school_stage", 4, "classes", "0")
    wrong = {(f.key, f.table, f.row) for f in check(base) if f.severity == "error"}
    assert wrong == {
        ("tables.not_number", "schools", 2), ("tables.grades", "schools", 3), ("tables.not_whole", "attendance", 2),
        ("tables.unknown_id", "attendance", 2), ("tables.no_classes", "school_stage", 4),
    }  # fmt: skip


# ---- words, invisible characters, look-alikes (14b, 15, 15b, 16)


@pytest.mark.parametrize("word", ["Nan", "Null", "NA", "None", "nan", "N/A", "-"])
def test_words_for_nothing_are_names_where_a_text_must_stand(base, word):
    for table in ("schools", "villages"):
        column(base, table, "township", word)
    put(base, "villages", 2, "name", word)
    county = read_county(base)
    assert set(county.schools["township"]) == {word} and county.villages["name"].iloc[0] == word


@pytest.mark.parametrize(
    "unseen", ["\u200b", "\ufeff", "\u202c", "\u2060", "\u00ad", "\u200d", "\ufe0f", "\u3164"]
)
def test_invisible_characters_in_ids_are_left_out_with_a_note(base, unseen):
    put(base, "attendance", 2, "school_id", f"A{unseen}1")
    put(base, "schools", 3, "township", f"甲{unseen}镇")
    frame = cells(base, "villages")
    write(base, "villages", frame.rename(columns={"village_id": f"village{unseen}_id"}))
    found = check(base)
    assert keys(found) == []
    said = [f for f in found if f.key == "tables.invisible"]
    assert {f.table for f in said} == {"attendance", "schools", "villages"}
    assert all(f"U+{ord(unseen):04X}" in str(f.fields["codes"]) for f in said)
    assert set(read_county(base).schools["township"]) == {"甲镇", "乙镇"}


@pytest.mark.parametrize(("alike", "code"), [("А1", "U+0410"), ("Α1", "U+0391"), ("Al", "l U+006C")])
def test_an_id_that_only_looks_like_another_is_shown_with_its_code_points(base, alike, code):
    put(base, "attendance", 2, "school_id", alike)
    wrong = [f for f in check(base) if f.severity == "error"]
    assert [f.key for f in wrong] == ["tables.looks_like_id"]
    assert wrong[0].fields["other"] == "A1" and code in str(wrong[0].fields["codes"])


@pytest.mark.parametrize("value", ["#N/A", "#REF!", "#VALUE!", "#DIV/0!", "#name?"])
def test_error_values_of_spreadsheets_are_errors_at_their_cells(base, value):
    put(base, "schools", 2, "name", value)
    put(base, "schools", 3, "township", value)
    put(base, "school_stage", 2, "pupils", value)
    wrong = [(f.key, f.table, f.row, f.column) for f in check(base) if f.severity == "error"]
    assert wrong == [
        ("tables.error_value", "schools", 2, "name"), ("tables.error_value", "schools", 3, "township"),
        ("tables.error_value", "school_stage", 2, "pupils"),
    ]  # fmt: skip


# ---- places (80)


def test_a_county_across_180_degrees_is_one_county(base):
    for table in ("schools", "villages"):
        frame = cells(base, table)
        lon = frame["lon"].astype(float) - LON0 + 179.95
        frame["lon"] = ((lon + 180) % 360 - 180).map(repr)
        frame["lat"] = (frame["lat"].astype(float) - LAT0 - 16.9).map(repr)
        write(base, table, frame)
    found = check(base)
    assert keys(found) == [] and read_county(base).schools["lon"].min() < -179


# ---- layers (40e, 40f, 43, 96, 97)


@pytest.mark.parametrize("name", ["townships", "zones", "waters"])
@pytest.mark.parametrize("shape", [Point(LON0, LAT0), LineString([(LON0, LAT0), (LON0 + 0.1, LAT0)])])
def test_a_layer_of_another_kind_of_shape_is_refused(base, name, shape):
    layer(base, name, [shape, shape], township=["甲镇", "乙镇"])
    found = keys(check(base))
    needed = {"townships": "tables.layer_polygons_needed", "zones": "tables.layer_polygons_needed"}
    if name == "waters" and shape.geom_type == "LineString":
        assert found == []
    else:
        assert found == [needed.get(name, "tables.layer_lines_needed")]


@pytest.mark.parametrize("name", ["townships", "zones", "waters"])
def test_a_layer_without_any_shape_is_refused_and_one_empty_row_is_said(base, name):
    layer(base, name, [Polygon(), None], township=["甲镇", "乙镇"])
    assert keys(check(base)) == ["tables.layer_empty"]
    (base / f"{name}.gpkg").unlink()
    (base / "county.toml").write_text(TOML, encoding="utf-8")
    layer(base, name, [None, town(-2, 14)], township=["甲镇", "乙镇"])
    found = check(base)
    assert keys(found) == [] and "tables.layer_missing" in keys(found, "warning")


def test_a_layer_without_a_system_says_how_to_state_it(base):
    layer(base, "townships", [town(-2, 6), town(6, 14)], crs=None, township=["甲镇", "乙镇"])
    assert keys(check(base)) == ["tables.layer_no_system"]
    toml = base / "county.toml"
    toml.write_text(toml.read_text(encoding="utf-8") + '[crs]\ntownships = "EPSG:4326"\n', encoding="utf-8")
    found = check(base)
    assert keys(found) == []
    assert not any(f.key.startswith("tables.layer") for f in found)
    assert read_county(base).townships.total_bounds[0] == pytest.approx(LON0 - 2 * KM_LON)


def test_invalid_nameless_and_raised_townships_are_mended_and_named(base):
    bow = Polygon([(118.2, 30.8), (118.6, 31), (118.6, 30.8), (118.2, 31)])
    layer(base, "townships", [bow, shapely.force_3d(town(6, 14), 5.0)], township=[None, "丙镇"])
    found = check(base)
    assert keys(found) == []
    assert {"tables.layer_invalid", "tables.layer_unnamed", "tables.layer_unknown_names"} <= set(
        keys(found, "warning")
    )
    shapes = read_county(base).townships
    assert shapes.geometry.is_valid.all() and not shapes.geometry.has_z.any()
    assert isinstance(shapes.geometry.iloc[0], MultiPolygon) and shapes["township"].tolist() == ["", "丙镇"]


def test_a_road_file_with_a_system_that_does_not_exist_is_refused(base):
    (base / "roads.graphml").write_text(
        '<?xml version="1.0"?><graphml xmlns="http://graphml.graphdrawing.org/xmlns">'
        '<key id="crs" for="graph" attr.name="crs" attr.type="string"/><key id="x" for="node" attr.name="x" attr.type="string"/>'
        '<key id="y" for="node" attr.name="y" attr.type="string"/><key id="l" for="edge" attr.name="length" attr.type="string"/>'
        '<graph edgedefault="directed"><data key="crs">moon:1</data><node id="1"><data key="x">118.3</data>'
        '<data key="y">30.9</data></node><node id="2"><data key="x">118.4</data><data key="y">30.9</data></node>'
        '<edge source="1" target="2"><data key="l">9000</data></edge></graph></graphml>',
        encoding="utf-8",
    )
    (base / "county.toml").write_text(TOML + 'roads = "roads.graphml"\n', encoding="utf-8")
    assert keys(check(base)) == ["roads.unknown_system"]


# ---- layers of the bureau (30, 32b, 33c)


def villages_layer(
    folder: Path, points: gpd.GeoSeries, epsg: int | None = None, ending: str = "gpkg"
) -> None:
    """The villages move into a layer that a mapping binds."""
    frame = cells(folder, "villages")[["village_id", "name", "township"]]
    (folder / "villages.csv").unlink()
    gpd.GeoDataFrame(frame, geometry=list(points), crs=points.crs).to_file(folder / f"村庄.{ending}")
    (folder / "mapping.toml").write_text(
        f'[[source]]\ntable = "villages"\nfile = "村庄.{ending}"\n' + (f"epsg = {epsg}\n" if epsg else "")
        + '[source.columns]\nvillage_id = "village_id"\nname = "name"\ntownship = "township"\n',
        encoding="utf-8",
    )  # fmt: skip
    (folder / "county.toml").write_text(TOML + 'mapping = "mapping.toml"\n', encoding="utf-8")


def village_points() -> gpd.GeoSeries:
    return small_county().points("villages").geometry.reset_index(drop=True)


@pytest.mark.parametrize(("real", "stated"), [(4527, 4548), (4548, 4527), (2363, 2384)])
def test_eastings_with_the_zone_in_a_system_without_it_are_one_message(base, real, stated):
    points = village_points().to_crs(real).set_crs(stated, allow_override=True)
    villages_layer(base, points)
    wrong = [f for f in check(base) if f.severity == "error"]
    assert [f.key for f in wrong] == ["tables.outside_system_try"]
    assert wrong[0].fields["other"] == f"EPSG:{real}" and wrong[0].fields["count"] == 7


def test_a_custom_prj_that_means_the_declared_system_is_accepted(base):
    own = (
        'PROJCS["China_2000_3_DK_39",GEOGCS["China 2000",DATUM["China_2000",SPHEROID["China_2000",6378137,298.257222101]],'
        'PRIMEM["Greenwich",0],UNIT["Degree",0.017453292519943295]],PROJECTION["Transverse_Mercator"],'
        'PARAMETER["latitude_of_origin",0],PARAMETER["central_meridian",117],PARAMETER["scale_factor",1],'
        'PARAMETER["false_easting",39500000],PARAMETER["false_northing",0],UNIT["Meter",1]]'
    )
    villages_layer(base, village_points().to_crs(4527), epsg=4527, ending="shp")
    (base / "村庄.prj").write_text(own, encoding="utf-8")
    assert keys(check(base)) == []
    mapping = base / "mapping.toml"
    mapping.write_text(mapping.read_text(encoding="utf-8").replace("4527", "4528"), encoding="utf-8")
    assert keys(check(base)) == ["bureau.two_systems"]


@pytest.mark.parametrize("empty", [Point(), None])
@pytest.mark.parametrize("epsg", [4326, 4548])
def test_a_village_without_a_point_is_one_error_at_its_row(base, empty, epsg):
    points = village_points().to_crs(epsg)
    points.iloc[4] = empty
    villages_layer(base, points)
    wrong = [f for f in check(base) if f.severity == "error"]
    assert [(f.key, f.file, f.row) for f in wrong] == [("bureau.no_point", "村庄.gpkg", 5)]


def test_an_epsg_that_does_not_exist_is_said(base):
    villages_layer(base, village_points().set_crs(None, allow_override=True), epsg=99999)
    assert keys(check(base)) == ["tables.not_a_system"]
    with pytest.raises(InputProblems):
        read_county(base)
