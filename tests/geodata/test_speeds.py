"""Class, surface, season, areas and slope, each against figures worked out by hand."""

from __future__ import annotations

from dataclasses import replace

import geopandas as gpd
import networkx as nx
import numpy as np
import pytest
import shapely

from geodata.contract.findings import InputProblems
from geodata.roads.graph import roads_findings
from geodata.roads.slope import raster_heights, slope_findings, street_slopes, tobler
from geodata.roads.snapping import streets_of
from geodata.roads.speeds import (
    ALL_MODES,
    ON_FOOT,
    SEASONS,
    Conditions,
    area_shares,
    mode_paces,
    read_seasons,
    read_speeds,
    read_surfaces,
)
from geodata.travel.settings import Travel
from geodata.travel.times import travel_times
from tests.geodata.test_traveltimes import LAT, LON, STEP, county_of, graph_of, line_roads, minutes


def road(**tags) -> nx.MultiDiGraph:
    graph = graph_of([(0, 1, 1000, True, "primary")], {0: (0, 0), 1: (1, 0)})
    for _, _, data in graph.edges(data=True):
        data.update(tags)
    return graph


def kmh(mode: str, season: str = "normal", **tags) -> float:
    (pace,) = mode_paces(streets_of(road(**tags)), mode, Conditions(season))
    return float(3.6 / pace)


def test_speeds_by_class_mode_and_surface():
    assert kmh("walk") == pytest.approx(4.0)
    assert kmh("walk_young") == pytest.approx(3.5)
    assert kmh("ebike") == pytest.approx(20.0)
    assert kmh("bus") == pytest.approx(60 / 1.3)
    assert kmh("bus", surface="gravel") == pytest.approx(0.75 * 60 / 1.3)
    assert kmh("walk", surface="gravel") == pytest.approx(4.0)
    assert kmh("car", surface="asphalt") == pytest.approx(65 / 1.3)
    assert kmh("car", surface=["asphalt", "mud"]) == pytest.approx(0.25 * 65 / 1.3)  # the slowest
    assert kmh("car", surface="bamboo") == kmh("car")
    assert kmh("car", surface="土路") == pytest.approx(0.5 * 65 / 1.3)


def test_chinese_classes_have_speeds_of_their_own():
    fast = [kmh("bus", highway=c) for c in ("高速公路", "国道", "省道", "县道", "乡道", "村道", "组道")]
    assert fast == sorted(fast, reverse=True) and len(set(fast)) == 7
    assert kmh("bus", highway="村道") == pytest.approx(20 / 1.3)
    assert kmh("bus", highway="机耕路") == 0
    assert kmh("walk", highway="机耕路") == pytest.approx(4.0)
    assert kmh("walk", highway="高速公路") == 0


def test_seasons_close_and_slow():
    assert kmh("car", flood_prone="yes") > 0
    assert kmh("car", "flood", flood_prone="yes") == kmh("walk", "flood", ford="stepping_stones") == 0
    assert kmh("car", "flood", ford="no") > 0
    assert kmh("car", winter_road="yes") == kmh("car", "flood", ice_road="yes") == 0
    assert kmh("car", "winter", winter_road="yes") == kmh("car")
    assert kmh("car", "winter", winter_service="no") == 0
    assert kmh("walk", "winter", winter_service="no") == pytest.approx(2.0)


def test_flags_and_surfaces_are_counted():
    found = {f.key: f for f in roads_findings(road(flood_prone="yes", surface="bamboo"))}
    assert found["roads.flag_flood"].fields == {"count": 1}
    assert (found["roads.unknown_surface"].value, found["roads.unknown_surface"].fields["count"]) == (
        "bamboo",
        1,
    )
    assert "roads.no_surface" not in found
    assert roads_findings(road())[1].fields == {"count": 1, "all": 1}


def test_every_assumed_speed_is_told_by_class():
    graph = road()
    graph.add_edge(
        1,
        0,
        length=500.0,
        highway="goat_way",
        geometry=shapely.LineString([(LON, LAT), (LON, LAT + 1), (LON + STEP, LAT)]),
    )
    (said,) = [f for f in roads_findings(graph) if f.key == "roads.speeds_assumed"]
    assert said.fields["classes"] == "primary 1 (1.0 km; 46, 50); goat_way 1 (0.5 km; 15, 19)"
    assert said.fields["count"] == 2


def test_tables_are_whole():
    assert set(read_speeds()["mode"]) == set(ALL_MODES) > set(ON_FOOT)
    surfaces, seasons = read_surfaces(), read_seasons()
    assert not surfaces["surface"].duplicated().any()
    assert not seasons.duplicated(["season", "flag"]).any()
    assert set(seasons["season"]) == set(SEASONS)
    for table in (surfaces, seasons):
        assert table[["on_foot", "vehicle"]].stack().between(0, 1).all()
        assert table["tag"].str.fullmatch(r"\[\w+\]").all()
        assert table["source"].ne("").all()


def areas(**columns) -> gpd.GeoDataFrame:
    box = shapely.box(LON + 0.5 * STEP, LAT - STEP, LON + 0.6 * STEP, LAT + STEP)
    return gpd.GeoDataFrame({k: [v] for k, v in columns.items()}, geometry=[box], crs=4326)


def test_areas_slow_the_streets_they_meet_in_their_season():
    streets = streets_of(line_roads())
    assert area_shares(streets, areas(season="always", share=0.4), "normal").tolist() == [0.4, 1, 1, 1]
    assert area_shares(streets, areas(season="flood", share=0.0), "normal").tolist() == [1, 1, 1, 1]
    county = county_of(line_roads(), {"v": (0, 0, "A")}, {"s": (1, 0, "A")})
    slowed = replace(county, road_areas=areas(season="always", share=0.5))
    assert minutes(travel_times(slowed), "v", "s", "walk") == pytest.approx([30.0, 1.0], abs=0.02)
    flooded = replace(county, road_areas=areas(season="flood", share=0.0), travel=Travel(season="flood"))
    times = travel_times(flooded)
    told = {f.key: f for f in times.findings}
    assert told["roads.areas_used"].fields == {"closed": 1, "slowed": 0}
    assert "roads.season_flood" in told
    # its street is closed: the village walks 955 m to where the open roads begin
    assert times.points.set_index("point_id").loc["v", "status"] == "far_snap"
    assert minutes(times, "v", "s", "walk")[0] == pytest.approx(0.955 * 15, abs=0.05)


def test_young_pupils_and_other_modes_are_there_when_asked_for():
    county = county_of(line_roads(), {"v": (0, 0, "A")}, {"s": (3, 0, "A")})
    times = travel_times(county, modes=ALL_MODES)
    assert sorted(times.pairs["mode"]) == sorted(ALL_MODES)
    assert minutes(times, "v", "s", "walk_young") == pytest.approx([3 / 3.5 * 60, 3.0], abs=0.02)
    assert minutes(times, "v", "s", "ebike") == pytest.approx([9.0, 3.0], abs=0.02)
    assert minutes(times, "v", "s", "car") == pytest.approx([3 / 50 * 60, 3.0], abs=0.02)
    flying = travel_times(replace(county, roads=None), modes=ALL_MODES)
    assert sorted(flying.pairs["mode"]) == sorted(ALL_MODES)
    with pytest.raises(ValueError, match="boat"):
        travel_times(county, modes=("boat",))


def test_kilometres_on_foot_where_paces_differ():
    graph = line_roads()
    graph.edges[0, 1, 0]["surface"] = graph.edges[1, 0, 0]["surface"] = "mud"
    times = travel_times(county_of(graph, {"v": (0, 0.1, "A")}, {"s": (2, 0, "A")}))
    access = 0.1 * STEP * 110.87
    assert minutes(times, "v", "s", "walk") == pytest.approx(
        [15 / 0.6 + 15 + access * 15, 2 + access], abs=0.05
    )


# --- slope ------------------------------------------------------------------------------------------


def test_tobler_by_hand():
    assert tobler(np.array([0.0, -0.05, 0.1, -0.1])) == pytest.approx(
        [1.0, np.exp(3.5 * 0.05), np.exp(-0.35), 1.0]
    )
    # Tobler's own figure: 5.04 km/h on the level when 6 km/h is the fastest
    assert 6 * np.exp(-3.5 * 0.05) == pytest.approx(5.04, abs=0.005)


def test_a_steady_slope_slows_by_the_mean_of_there_and_back():
    streets = streets_of(line_roads())
    metres = STEP * 95_500  # of a degree of longitude here
    slope = street_slopes(streets, lambda lon, lat: (lon - LON) / STEP * metres * 0.1)
    assert slope.factor == pytest.approx((np.exp(0.35) + 1.0) / 2, rel=2e-3)
    assert slope.steepness == pytest.approx(0.1, rel=2e-3)
    assert slope.unknown_km == 0


def test_heights_count_piece_by_piece_and_unknown_ones_are_level():
    streets = streets_of(line_roads())
    hill = street_slopes(streets, lambda lon, lat: 60 * np.abs(np.sin((lon - LON) / STEP * np.pi)))
    assert (hill.factor > 1.05).all()  # the ends are level with each other, the way between is not
    none = street_slopes(streets, lambda lon, lat: np.full(len(lon), np.nan))
    assert none.factor.tolist() == [1.0] * 4
    assert [f.key for f in slope_findings(none, "dem.tif")] == ["roads.slope_used", "roads.no_heights"]


def test_a_raster_slows_walking_and_only_walking(tmp_path):
    rasterio = pytest.importorskip("rasterio", reason="rasterio (extra 'slope') is not installed")
    cell = STEP / 30
    column = np.arange(200)
    cells = np.tile(column * cell / STEP * STEP * 95_500 * 0.1, (100, 1)).astype("float32")
    where = rasterio.transform.from_origin(LON - 20 * cell, LAT + 50 * cell, cell, cell)
    with rasterio.open(
        tmp_path / "dem.tif", "w", driver="GTiff", height=100, width=200, count=1, dtype="float32", crs="EPSG:4326",
        transform=where, nodata=-9999,
    ) as out:  # fmt: skip
        out.write(cells, 1)
    heights = raster_heights(tmp_path / "dem.tif")
    assert heights(np.array([LON, LON + STEP]), np.array([LAT, LAT])) == pytest.approx(
        (np.array([20.0, 50.0]) - 0.5) * cell * 95_500 * 0.1, rel=1e-4
    )
    assert np.isnan(heights(np.array([LON - 1]), np.array([LAT]))).all()
    county = county_of(line_roads(), {"v": (0, 0, "A")}, {"s": (3, 0, "A")})
    steep = replace(county, folder=tmp_path, travel=Travel(dem="dem.tif", cache=""))
    times = travel_times(steep)
    assert minutes(times, "v", "s", "walk") == pytest.approx([45 * (np.exp(0.35) + 1) / 2, 3.0], rel=0.01)
    assert minutes(times, "v", "s", "bus") == minutes(travel_times(county), "v", "s", "bus")
    assert "roads.slope_used" in [f.key for f in times.findings]


def test_rasters_that_cannot_be_used_are_refused_in_words(tmp_path):
    rasterio = pytest.importorskip("rasterio", reason="rasterio (extra 'slope') is not installed")
    (tmp_path / "text.tif").write_text("heights")
    with rasterio.open(
        tmp_path / "bare.tif", "w", driver="GTiff", height=2, width=2, count=1, dtype="float32"
    ) as out:
        out.write(np.zeros((2, 2), "float32"), 1)
    for name, key in (("text.tif", "roads.bad_raster"), ("bare.tif", "roads.raster_without_crs")):
        with pytest.raises(InputProblems) as caught:
            raster_heights(tmp_path / name)
        assert [f.key for f in caught.value.findings] == [key]
        assert caught.value.findings[0].sentence("zh") != caught.value.findings[0].sentence("en")
