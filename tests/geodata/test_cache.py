"""The cache: same answers with and without it, and never an answer to another question."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace

import geopandas as gpd
import networkx as nx
import numpy as np
import pandas as pd
import pytest
import shapely

from geodata.layers.surroundings import cached_roads
from geodata.roads import store as cache_room
from geodata.roads.cache import Entry, digest, graph_as_entry, graph_digest, graph_of_entry
from geodata.roads.extracts import Box
from geodata.roads.store import Cache
from geodata.travel import times as traveltimes
from geodata.travel.settings import Travel
from geodata.travel.times import travel_times
from tests.geodata.test_roads import osm_text
from tests.geodata.test_traveltimes import LAT, LON, STEP, county_of, graph_of, line_roads


@pytest.fixture
def county(tmp_path):
    made = county_of(
        line_roads(), {"v": (0.4, 0.1, "A"), "w": (2, 0, "B")}, {"s": (3, 0, "A"), "t": (1, 0, "B")}
    )
    return replace(made, folder=tmp_path)


@pytest.fixture
def computed(monkeypatch):
    """How often times were computed and not loaded."""
    calls = []
    inner = traveltimes._computed

    def counting(*args):
        calls.append(1)
        return inner(*args)

    monkeypatch.setattr(traveltimes, "_computed", counting)
    return calls


def same(one, two):
    for name in ("pairs", "towns", "points"):
        pd.testing.assert_frame_equal(getattr(one, name), getattr(two, name))
    assert (one.source, one.findings) == (two.source, two.findings)


def test_the_second_time_is_loaded_and_equal(county, computed):
    plain = travel_times(county, cached=False)
    first, second = travel_times(county), travel_times(county)
    assert len(computed) == 2
    same(plain, first)
    same(first, second)
    assert kinds(county.folder / ".cache") == ["times"]


def kinds(folder):
    """Kinds of the entries in a cache folder, which has a mark besides."""
    names = sorted(p.name for p in folder.iterdir())
    assert cache_room.MARK in names
    return [n.split("-")[0] for n in names if n != cache_room.MARK]


def changed_graph(change):
    def apply(county):
        graph = county.roads.copy()
        change(graph)
        return replace(county, roads=graph)

    return apply


def with_table(name, column, value):
    def apply(county):
        table = getattr(county, name).copy()
        table.loc[0, column] = value
        return replace(county, **{name: table})

    return apply


def minutes_table(**cells):
    row = {
        "village_id": "v",
        "school_id": "s",
        "mode": "walk",
        "minutes": 5.0,
        "km": 1.0,
        "source": "",
    } | cells
    return pd.DataFrame([row])


AREAS = gpd.GeoDataFrame(
    {"season": ["always"], "share": [0.5]}, geometry=[shapely.box(LON, LAT - 1, LON + 1, LAT + 1)], crs=4326
)
CHANGES = {
    "an edge's length by one millimetre": changed_graph(lambda g: g.edges[0, 1, 0].update(length=1000.001)),
    "an edge's class": changed_graph(lambda g: g.edges[0, 1, 0].update(highway="secondary")),
    "an edge's surface": changed_graph(lambda g: g.edges[0, 1, 0].update(surface="gravel")),
    "a direction": changed_graph(lambda g: g.remove_edge(0, 1)),
    "a node's place": changed_graph(lambda g: g.nodes[2].update(x=g.nodes[2]["x"] + 1e-7)),
    "a line's shape": changed_graph(
        lambda g: g.edges[0, 1, 0].update(geometry=shapely.LineString([(LON, LAT), (LON + 0.003, LAT + 1e-7), (LON + STEP, LAT)]))
    ),
    "a village's place": with_table("villages", "lon", LON + 0.00401),
    "a village's name": with_table("villages", "name", "Vv"),
    "a school's place": with_table("schools", "lat", LAT + 1e-7),
    "a school's status": with_table("schools", "status", "suspended"),
    "a school's township": with_table("schools", "township", "B"),
    "a school's pupils": with_table("school_stage", "pupils", 11),
    "the season": lambda c: replace(c, travel=Travel(season="winter")),
    "observed minutes": lambda c: replace(c, travel_times=minutes_table()),
    "an own matrix": lambda c: replace(c, travel_matrix=minutes_table()),
    "slowed areas": lambda c: replace(c, road_areas=AREAS),
}  # fmt: skip


@pytest.mark.parametrize("name", CHANGES)
def test_a_changed_input_is_computed_anew(county, computed, name):
    travel_times(county)
    other = CHANGES[name](county)
    fresh = travel_times(other)
    assert len(computed) == 2
    same(fresh, travel_times(other, cached=False))
    travel_times(county)
    assert len(computed) == 3  # only the one without cache was added: the first entry still serves


def test_small_changes_of_tables_given_change_the_key(county, computed):
    for cells in ({}, {"minutes": 5.01}, {"km": 1.001}, {"mode": "bus"}, {"school_id": "t"}):
        travel_times(replace(county, travel_times=minutes_table(**cells)))
    for share in (0.5, 0.51):
        travel_times(replace(county, road_areas=AREAS.assign(share=share)))
    assert len(computed) == 7


def test_limits_modes_and_speed_tables_are_part_of_the_key(county, computed, monkeypatch):
    travel_times(county)
    travel_times(county, walk_limit=89.0)
    travel_times(county, bus_limit=61.0)
    travel_times(county, modes=("walk",))
    for name in ("read_speeds", "read_surfaces", "read_seasons"):
        table = getattr(traveltimes, name)().copy()
        table.loc[0, "source"] += "."
        with monkeypatch.context() as patch:
            patch.setattr(traveltimes, name, lambda table=table: table)
            travel_times(county)
    assert len(computed) == 7


def test_a_damaged_entry_is_not_used(county, computed):
    first = travel_times(county)
    (entry,) = (county.folder / ".cache").glob("times-*")
    file = entry / "pairs.parquet"
    for damage in (
        lambda: file.write_bytes(file.read_bytes()[:-1] + b"x"),
        lambda: file.write_bytes(b""),
        file.unlink,
        lambda: (entry / "manifest.json").write_text("{"),
        lambda: (entry / "manifest.json").write_text("[]"),
    ):
        damage()
        again = travel_times(county)
        assert again.findings[-1].key == "roads.cache_damaged"  # said, and all else as before
        same(replace(again, findings=again.findings[:-1]), first)
    assert len(computed) == 6
    same(travel_times(county), first)
    assert len(computed) == 6


def test_the_place_is_the_one_named_and_nothing_is_left_beside_it(county, tmp_path):
    named = replace(county, travel=Travel(cache="kept/here"))
    travel_times(named)
    assert [p.name for p in tmp_path.iterdir()] == ["kept"]
    assert kinds(tmp_path / "kept" / "here") == ["times"]


def test_no_cache_without_a_folder_or_a_name(county, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    travel_times(replace(county, travel=Travel(cache="")))
    travel_times(replace(county, folder=None))
    travel_times(county, cached=False)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_said(county, tmp_path):
    (tmp_path / ".cache").write_text("a file, not a folder")
    times = travel_times(county)
    assert [f.key for f in times.findings][-1] == "roads.cache_unwritable"
    assert len(times.pairs)


def test_old_entries_are_removed(tmp_path, monkeypatch):
    monkeypatch.setattr(cache_room, "KEPT", 3)
    store = Cache(tmp_path)
    for i in range(5):
        assert store.put("times", digest(i), Entry({"t": pd.DataFrame({"a": [i]})}, {}))
        place = store._place("times", digest(i))
        os.utime(place, ns=(i, i))
    assert [store.get("times", digest(i)) is not None for i in range(5)] == [False, False, True, True, True]


def test_digests_tell_neighbours_apart():
    apart = [
        ("a", "b"), ("ab", ""), ("a", "b", ""), (("a", "b"),), (1,), (1.0,), ("1",), (None,), ("None",), (True,),
        (np.array([1, 2]),), (np.array([1.0, 2.0]),), (np.array([[1, 2]]),), (np.array([1, 2], dtype=np.int32),),
        (pd.DataFrame({"a": ["x", None]}),), (pd.DataFrame({"a": ["x", "None"]}),), (pd.DataFrame({"b": ["x", None]}),),
        (pd.DataFrame({"a": [1.0, np.nan]}),), (b"a", b"b"), (b"ab",),
    ]  # fmt: skip
    assert len({digest(*parts) for parts in apart}) == len(apart)
    assert digest("a", pd.DataFrame({"a": [1]})) == digest("a", pd.DataFrame({"a": [1]}))
    with pytest.raises(TypeError, match="set"):
        digest({1, 2})


def test_a_graph_comes_back_as_it_was(tmp_path):
    graph = graph_of([(0, 1, 100, True, "primary")], {0: (0, 0), 1: (1, 0)})
    line = shapely.LineString([(LON, LAT), (LON + 0.001, LAT + 0.002), (LON + STEP, LAT)])
    graph.add_edge(1, 0, length=120.5, highway=["primary", "track"], osmid=[1, 2], oneway=True, geometry=line)
    store = Cache(tmp_path)
    store.put("roads", "k", graph_as_entry(graph))
    back = graph_of_entry(store.get("roads", "k"))
    assert list(back.nodes(data=True)) == list(graph.nodes(data=True))
    assert list(back.edges(keys=True, data=True)) == list(graph.edges(keys=True, data=True))
    assert back.graph == graph.graph
    assert graph_digest(back) == graph_digest(graph)
    assert isinstance(back, nx.MultiDiGraph)


def test_roads_are_read_once_and_again_when_the_file_the_box_or_the_ferries_change(tmp_path, monkeypatch):
    import geodata.layers.surroundings as surroundings

    calls = []
    inner = surroundings.read_roads
    monkeypatch.setattr(surroundings, "read_roads", lambda *a: calls.append(1) or inner(*a))
    file, store = tmp_path / "a.osm", Cache(tmp_path / "c")
    file.write_text(osm_text(), encoding="utf-8")
    first, source = cached_roads(file, None, False, store)
    again, same_source = cached_roads(file, None, False, store)
    assert (len(calls), source) == (1, same_source)
    assert list(again.edges(keys=True, data=True)) == list(first.edges(keys=True, data=True))
    assert again.graph == first.graph
    cached_roads(file, Box(118, 30, 119, 31), False, store)
    cached_roads(file, None, True, store)
    assert len(calls) == 3
    file.write_text(osm_text().replace("residential", "residentiel"), encoding="utf-8")
    other, other_source = cached_roads(file, None, False, store)
    assert len(calls) == 4
    assert other_source != source and other.number_of_edges() < first.number_of_edges()


def test_the_height_raster_is_part_of_the_key(county, computed, monkeypatch):
    monkeypatch.setattr(traveltimes, "raster_heights", lambda path: lambda lon, lat: np.zeros(len(lon)))
    with_dem = replace(county, travel=Travel(dem="dem.tif"))
    file = county.folder / "dem.tif"
    hashes = set()
    for content in (b"one", b"onf", b"one"):
        file.write_bytes(content)
        travel_times(with_dem)
        hashes.add(with_dem.content_hash)
    assert len(computed) == len(hashes) == 2


def test_the_cached_path_imports_nothing_heavy():
    """OSMnx brings matplotlib and takes longer to import than a cached county takes to read."""
    code = "import sys, geodata.layers.surroundings, geodata.travel.times; print(*{'osmnx', 'matplotlib', 'pandera'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == ""


def test_an_entry_that_is_not_believed_is_said(tmp_path):
    store = Cache(tmp_path / "kept")
    entry = Entry({"pairs": pd.DataFrame({"a": [1]})}, {})
    assert store.get("times", "k") is None and store.said() == []  # there is none yet
    store.put("times", "k", entry)
    assert store.get("times", "k") is not None and store.said() == []
    for file in sorted((tmp_path / "kept").rglob("*.parquet")):
        file.write_bytes(b"another content")
    assert store.get("times", "k") is None
    assert [f.key for f in store.said()] == ["roads.cache_damaged"]
    shut = Cache(tmp_path / "kept" / "junheng-cache")  # a file stands there
    assert not shut.put("times", "k", entry)
    assert [f.key for f in shut.said()] == ["roads.cache_unwritable"]
