"""Observed minutes and own matrices."""

from __future__ import annotations

import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from geodata.folder.reading import check, read_county
from geodata.travel.times import travel_times
from tests.geodata.test_traveltimes import LAT, LON, STEP, county_of, line_roads, minutes

VILLAGES = {"v": (0, 0, "A"), "w": (2, 0, "B")}
SCHOOLS = {"s": (3, 0, "A"), "t": (4, 0, "B")}


def rows(*cells):
    """(village, school, mode, minutes, km)."""
    table = pd.DataFrame(cells, columns=["village_id", "school_id", "mode", "minutes", "km"])
    return table.assign(source="").astype({"minutes": float, "km": float})


def county(roads=True, **tables):
    return replace(county_of(line_roads() if roads else None, VILLAGES, SCHOOLS), **tables)


def keyed(times):
    return times.pairs.set_index(["village_id", "school_id", "mode"])


def test_observed_minutes_win_and_all_else_stays():
    plain = travel_times(county())
    times = travel_times(
        county(travel_times=rows(("v", "s", "walk", 70.0, 4.4), ("w", "s", "bus", 3.0, np.nan)))
    )
    assert minutes(times, "v", "s", "walk") == [70.0, 4.4]
    assert minutes(times, "w", "s", "bus") == [3.0, minutes(plain, "w", "s", "bus")[1]]  # its kilometres stay
    changed = [("v", "s", "walk"), ("w", "s", "bus")]
    pd.testing.assert_frame_equal(keyed(times).drop(changed), keyed(plain).drop(changed))
    assert list(keyed(times).index) == sorted(keyed(times).index)
    (said,) = [f for f in times.findings if f.key == "roads.observed_used"]
    assert said.fields == {"count": 2, "added": 0, "change": "16.6"}  # the median of 70 - 45 and 11.3 - 3
    assert times.source == "roads"


def test_an_observed_pair_out_of_reach_is_added_whatever_the_limit():
    given = county(travel_times=rows(("v", "t", "walk", 130.0, np.nan)))
    alone = travel_times(given, walk_limit=20, bus_limit=0)
    assert minutes(alone, "v", "t", "walk") == pytest.approx([130.0, 4 * STEP * 95.5 * 1.35], abs=0.03)
    lost = {f.value for f in alone.findings if f.key == "roads.village_unreachable"}
    assert lost == set()
    assert {
        f.value for f in travel_times(county(), walk_limit=10, bus_limit=0).findings if "unreachable" in f.key
    } >= {"v"}
    (said,) = [f for f in alone.findings if f.key == "roads.observed_used"]
    assert said.fields == {"count": 0, "added": 1, "change": "0.0"}


def test_observed_minutes_win_over_straight_lines_and_an_own_matrix_too():
    observed = rows(("v", "s", "walk", 70.0, 4.4))
    flying = travel_times(county(roads=False, travel_times=observed))
    assert (flying.source, minutes(flying, "v", "s", "walk")) == ("crow_fly", [70.0, 4.4])
    own = rows(("v", "s", "walk", 50.0, 3.0), ("w", "s", "walk", 40.0, 2.0))
    both = travel_times(county(travel_times=observed, travel_matrix=own))
    assert (both.source, both.pairs["minutes"].tolist()) == ("matrix", [70.0, 40.0])


def test_observed_minutes_of_modes_not_used_are_said():
    times = travel_times(county(travel_times=rows(("v", "s", "ebike", 7.0, 3.0))))
    (said,) = [f for f in times.findings if f.key == "roads.observed_unused"]
    assert said.fields == {"count": 1, "modes": "walk, bus"}
    assert "ebike" not in set(times.pairs["mode"])
    ebike = travel_times(county(travel_times=rows(("v", "s", "ebike", 7.0, 3.0))), modes=("walk", "ebike"))
    assert minutes(ebike, "v", "s", "ebike") == [7.0, 3.0]


def test_an_own_matrix_is_used_as_it_is():
    own = rows(
        ("v", "s", "walk", 91.0, 6.0), ("v", "t", "bus", 33.5, np.nan), ("w", "s", "walk", 12.0, 1.0), ("w", "t", "car", 5.0, 2.0)
    )  # fmt: skip
    times = travel_times(county(travel_matrix=own))
    assert times.source == "matrix"
    assert times.pairs[["village_id", "mode", "minutes"]].to_numpy().tolist() == [
        ["v", "bus", 33.5],
        ["w", "walk", 12.0],
    ]
    assert minutes(times, "v", "t", "bus")[1] == pytest.approx(4 * STEP * 95.5 * 1.35, abs=0.03)
    (said,) = [f for f in times.findings if f.key == "roads.matrix_given"]
    assert said.fields == {"count": 2, "beyond": 1, "other": 1, "modes": "walk, bus"}
    assert set(times.points["status"]) == {"given"}
    pd.testing.assert_frame_equal(times.towns, travel_times(county()).towns)  # towns still over the roads
    no_roads = travel_times(county(roads=False, travel_matrix=own))
    assert "roads.towns_crow_fly" in [f.key for f in no_roads.findings]
    pd.testing.assert_frame_equal(no_roads.pairs, times.pairs)
    walk_only = travel_times(county(travel_matrix=own[own["mode"] == "walk"]))
    assert [f.value for f in walk_only.findings if f.key == "roads.matrix_without_mode"] == ["bus"]
    for finding in (*times.findings, *no_roads.findings, *walk_only.findings):
        assert finding.sentence("zh") != finding.sentence("en")


def test_tables_are_read_from_the_folder_and_ids_are_checked(county_folder):
    folder = county_folder
    first = read_county(folder)
    village, school = first.villages["village_id"].iloc[0], first.schools["school_id"].iloc[0]
    file = folder / "travel_times.csv"
    file.write_text(f"村编号,学校标识码,出行方式,分钟\n{village},{school},walk,33\n", encoding="gb18030")
    read = read_county(folder)
    assert read.travel_times[["minutes", "mode"]].to_numpy().tolist() == [[33.0, "walk"]]
    assert read.content_hash != first.content_hash
    assert minutes(travel_times(read), village, school, "walk")[0] == 33.0
    file.write_text("village_id,school_id,mode,minutes\nnowhere,none,boat,-1\n", encoding="utf-8")
    wrong = [f for f in check(folder) if f.severity == "error"]
    assert {f.column for f in wrong} >= {"mode", "minutes"}
    assert {f.file for f in wrong} == {"travel_times.csv"}
    file.write_text(f"village_id,school_id,mode,minutes\nnowhere,{school},walk,5\n", encoding="utf-8")
    assert [f.value for f in check(folder) if f.severity == "error"] == ["nowhere"]


def test_travel_settings_are_read_and_wrong_ones_refused(county_folder):
    folder = county_folder
    shutil.rmtree(folder / ".cache", ignore_errors=True)  # copied along, if another test made one
    toml = folder / "county.toml"
    text = toml.read_text(encoding="utf-8")
    toml.write_text(text + '\n[travel]\nseason = "flood"\ncache = "shelf"\n', encoding="utf-8")
    read = read_county(folder)
    assert read.travel.season == "flood"
    travel_times(read)
    assert not (folder / ".cache").exists()
    assert sorted(p.name.split("-")[0] for p in (folder / "shelf").iterdir()) == ["junheng", "times"]
    toml.write_text(text + '\n[travel]\nseason = "spring"\nspeed = 3\n', encoding="utf-8")
    assert sorted(f.column for f in check(folder) if f.severity == "error") == [
        "travel.season",
        "travel.speed",
    ]
    toml.write_text(text + '\n[travel]\ndem = "no.tif"\nareas = "no.gpkg"\n', encoding="utf-8")
    assert sorted(f.file for f in check(folder) if f.severity == "error") == ["no.gpkg", "no.tif"]


def test_areas_without_their_columns_are_refused(tmp_path):
    import geopandas as gpd
    import shapely

    from geodata.layers.surroundings import read_layers
    from geodata.travel.settings import Travel

    box = shapely.box(LON, LAT, LON + 1, LAT + 1)
    files = {"roads": None, "townships": None, "waters": None}
    for columns, ok in (
        ({"season": ["flood"], "share": [0.0]}, True), ({"season": ["flood"]}, False),
        ({"season": ["spring"], "share": [0.5]}, False), ({"season": ["flood"], "share": [1.5]}, False),
    ):  # fmt: skip
        gpd.GeoDataFrame(columns, geometry=[box], crs=4326).to_file(tmp_path / "a.gpkg")
        layers = read_layers(tmp_path, files, Travel(areas="a.gpkg"), None)
        assert (layers.road_areas is not None) == ok
        assert ("roads.bad_areas" in [f.key for f in layers.findings]) != ok
