from __future__ import annotations

import bz2
import gzip
from pathlib import Path

import networkx as nx
import numpy as np
import osmium
import osmnx as ox
import pytest
import shapely

from geodata.contract.findings import InputProblems
from geodata.messages import catalogue
from geodata.roads.graph import read_roads, road_lines, roads_findings
from geodata.roads.snapping import streets_of
from geodata.roads.speeds import ALL_MODES, MODES, mode_network, paces, read_speeds

DATA = Path(__file__).parents[2].parent / "shared" / "data"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="the shared example files are not on this machine")

# 1 - 2 - 3 - 4 in a row; at 2 the class changes; 3 - 4 is one-way; a river and a border cross
OSM = """<?xml version='1.0' encoding='UTF-8'?>
<osm version="0.6">
{nodes}
<way id="10" version="1"><nd ref="1"/><nd ref="2"/><tag k="highway" v="residential"/>
  <tag k="surface" v="gravel"/></way>
<way id="11" version="1"><nd ref="2"/><nd ref="5"/><nd ref="3"/><tag k="highway" v="primary"/></way>
<way id="12" version="1"><nd ref="3"/><nd ref="4"/><tag k="highway" v="primary"/>
  <tag k="oneway" v="yes"/></way>
<way id="13" version="1"><nd ref="1"/><nd ref="4"/><tag k="waterway" v="river"/></way>
<way id="14" version="1"><nd ref="1"/><nd ref="3"/><tag k="boundary" v="administrative"/></way>
<way id="15" version="1"><nd ref="1"/><nd ref="3"/><tag k="highway" v="proposed"/></way>
<way id="16" version="1"><nd ref="1"/><nd ref="3"/><tag k="highway" v="donkey_lane"/></way>
</osm>
"""


def osm_text(missing: tuple[int, ...] = ()) -> str:
    places = {1: (0, 0), 2: (1, 0), 5: (1.5, 0.2), 3: (2, 0), 4: (3, 0)}
    nodes = [
        f'<node id="{n}" version="1" lon="{118.3 + x / 100}" lat="{30.9 + y / 100}"/>'
        for n, (x, y) in sorted(places.items())
        if n not in missing
    ]
    return OSM.format(nodes="\n".join(nodes))


@pytest.fixture
def osm_file(tmp_path):
    file = tmp_path / "roads.osm"
    file.write_text(osm_text(), encoding="utf-8")
    return file


def keys(findings):
    return [f.key for f in findings]


def problem(path) -> str:
    with pytest.raises(InputProblems) as caught:
        read_roads(path)
    (finding,) = caught.value.findings
    assert finding.severity == "error"
    assert finding.sentence("zh") != finding.sentence("en")
    return finding.key


def test_only_usable_highways_become_roads_and_their_tags_are_kept(osm_file):
    graph = read_roads(osm_file)
    assert sorted((u, v) for u, v, _ in graph.edges) == [(1, 2), (2, 1), (2, 3), (3, 2), (3, 4)]
    assert graph.edges[1, 2, 0]["highway"] == "residential"
    assert graph.edges[1, 2, 0]["surface"] == "gravel"
    assert graph.edges[3, 4, 0]["oneway"] is True
    assert graph.graph["simplified"]
    expected = ox.distance.great_circle(30.9, 118.31, 30.902, 118.315) + ox.distance.great_circle(
        30.902, 118.315, 30.9, 118.32
    )
    assert graph.edges[2, 3, 0]["length"] == pytest.approx(expected)


def test_what_was_left_out_is_counted_by_class(osm_file):
    found = [f for f in roads_findings(read_roads(osm_file)) if f.key == "roads.left_out"]
    assert [(f.value, f.fields["count"]) for f in found] == [("donkey_lane", 1), ("proposed", 1)]


def test_every_kind_of_osm_file_gives_the_same_graph(osm_file):
    folder = osm_file.parent
    (folder / "a.osm.gz").write_bytes(gzip.compress(osm_file.read_bytes()))
    (folder / "a.osm.bz2").write_bytes(bz2.compress(osm_file.read_bytes()))
    with osmium.SimpleWriter(str(folder / "a.osm.pbf")) as out:
        for thing in osmium.FileProcessor(str(osm_file)):
            out.add(thing)
    plain = read_roads(osm_file)
    for name in ("a.osm.gz", "a.osm.bz2", "a.osm.pbf"):
        other = read_roads(folder / name)
        assert list(other.edges) == list(plain.edges)
        lengths = [[d["length"] for _, _, d in g.edges(data=True)] for g in (other, plain)]
        assert lengths[0] == pytest.approx(lengths[1])
        assert other.graph == plain.graph


def test_reading_leaves_the_settings_of_osmnx_alone(osm_file):
    before = list(ox.settings.useful_tags_way)
    read_roads(osm_file)
    assert list(ox.settings.useful_tags_way) == before


def test_roads_are_cut_where_the_extract_lacks_nodes(tmp_path):
    file = tmp_path / "clipped.osm"
    file.write_text(osm_text(missing=(4,)), encoding="utf-8")
    graph = read_roads(file)
    assert sorted((u, v) for u, v, _ in graph.edges) == [(1, 2), (2, 1), (2, 3), (3, 2)]
    (cut,) = [f for f in roads_findings(graph) if f.key == "roads.ways_cut"]
    assert cut.fields["count"] == 1


def test_times_are_the_same_before_and_after_simplifying(osm_file):
    graph = read_roads(osm_file)
    raw = ox.graph_from_xml(osm_file, simplify=False, retain_all=True)
    raw.remove_edges_from(
        [k for k in raw.edges(keys=True) if raw.edges[k].get("highway") not in ("residential", "primary")]
    )
    for mode in MODES:
        for g in (graph, raw):
            for _, _, data in g.edges(data=True):
                data["seconds"] = data["length"] * paces(np.array([data["highway"]]), mode)[0]
        times = [nx.shortest_path_length(g, 1, 4, weight="seconds") for g in (graph, raw)]
        assert times[0] == pytest.approx(times[1], rel=1e-12)


def test_graphml_comes_back_as_it_was_saved(osm_file, tmp_path):
    graph = read_roads(osm_file)
    ox.save_graphml(graph, tmp_path / "roads.graphml")
    back = read_roads(tmp_path / "roads.graphml")
    one, two = streets_of(graph), streets_of(back)
    assert one.metres.tolist() == two.metres.tolist()
    assert one.highway.tolist() == two.highway.tolist()
    assert (one.forward & one.backward).tolist() == (two.forward & two.backward).tolist()
    assert keys(roads_findings(back)) == keys(roads_findings(graph))


def test_unsimplified_and_projected_graphml_is_brought_into_form(osm_file, tmp_path):
    graph = ox.graph_from_xml(osm_file, simplify=False, retain_all=True)
    graph.remove_edges_from([k for k in graph.edges(keys=True) if "highway" not in graph.edges[k]])
    ox.save_graphml(ox.project_graph(graph), tmp_path / "raw.graphml")
    back = read_roads(tmp_path / "raw.graphml")
    assert back.graph["simplified"]
    assert 5 not in back.nodes
    assert back.nodes[1]["x"] == pytest.approx(118.3, abs=1e-6)


def hand_graph(*edges) -> nx.MultiDiGraph:
    graph = nx.MultiDiGraph(crs="EPSG:4326", simplified=True)
    for i in range(6):
        graph.add_node(i, x=118.3 + i / 100, y=30.9 + (i % 2) / 100)
    for u, v, highway in edges:
        for a, b in ((u, v), (v, u)):
            graph.add_edge(a, b, length=1000.0, highway=highway)
    return graph


def test_unknown_several_and_missing_classes_are_counted():
    graph = hand_graph((0, 1, "ox_road"), (1, 2, ["primary", "track"]), (2, 3, None), (3, 4, "ox_road"))
    found = roads_findings(graph)
    assert [(f.value, f.fields["count"]) for f in found if f.key == "roads.unknown_class"] == [
        ("-", 1),
        ("ox_road", 2),
    ]
    assert [f.fields["count"] for f in found if f.key == "roads.several_classes"] == [1]


def test_fragments_and_modes_without_a_network_are_reported():
    graph = hand_graph((0, 1, "footway"), (1, 2, "footway"), (4, 5, "footway"))
    found = {f.key: f for f in roads_findings(graph)}
    assert sorted(found) == [
        "roads.fragments_walk", "roads.no_network_bus", "roads.no_network_car", "roads.no_surface",
        "roads.speeds_assumed",
    ]  # fmt: skip
    assert found["roads.fragments_walk"].fields == {"count": 1, "km": "1.0"}


def test_speed_table_is_whole():
    table = read_speeds()
    assert sorted(table["mode"].unique()) == sorted(ALL_MODES)
    assert not table.duplicated(["mode", "highway"]).any()
    classes = [set(table.loc[table["mode"] == m, "highway"]) for m in ALL_MODES]
    assert all(c == classes[0] for c in classes)
    assert "*" in classes[0]
    assert table["kmh"].ge(0).all()
    assert table["congestion"].ge(1).all()
    assert table["tag"].str.fullmatch(r"\[\w+\]").all()
    assert table["source"].ne("").all()
    walk = table[table["mode"] == "walk"].set_index("highway")["kmh"]
    assert set(walk) == {0.0, 4.0, 8.0}
    assert walk["ferry"] == 8.0
    assert walk["motorway"] == 0


def test_paces():
    labels = np.array(["primary", "motorway", "nobody_knows", "primary;track", "footway;steps"])
    assert paces(labels, "walk") == pytest.approx([0.9, np.inf, 0.9, 0.9, 0.9])
    assert paces(labels, "bus") == pytest.approx(
        [3.6 * 1.3 / 60, 3.6 * 1.3 / 80, 3.6 * 1.3 / 20, np.inf, np.inf]
    )
    assert paces(labels, "car")[3] == pytest.approx(3.6 * 1.3 / 15)  # the slowest of the two
    with pytest.raises(ValueError, match="boat"):
        paces(labels, "boat")


def test_road_lines_has_one_line_per_street(osm_file):
    lines = road_lines(read_roads(osm_file))
    assert lines.columns.tolist() == ["highway", "geometry"]
    assert lines["highway"].tolist() == ["residential", "primary", "primary"]
    assert lines.crs.to_epsg() == 4326
    assert len(lines.geometry.iloc[1].coords) == 3


def test_problems_with_files(tmp_path, osm_file):
    def write(name: str, text: str | bytes) -> Path:
        file = tmp_path / name
        file.write_bytes(text.encode() if isinstance(text, str) else text)
        return file

    assert problem(tmp_path / "nothing.osm") == "roads.missing_file"
    assert problem(write("roads.dwg", "x")) == "roads.unknown_kind"
    assert problem(write("bad.osm", "<osm><way")) == "roads.unreadable"
    assert problem(write("bad.osm.gz", b"not gzip")) == "roads.unreadable"
    assert problem(write("bad.osm.pbf", b"not pbf")) == "roads.unreadable"
    assert problem(write("empty.osm", '<osm version="0.6"></osm>')) == "roads.no_roads"
    assert problem(write("none.osm", osm_text(missing=(1, 2, 3, 4, 5)))) == "roads.no_whole_roads"
    assert problem(write("bad.graphml", "<graphml>")) == "roads.unreadable"
    assert problem(write("text.graphml", "roads")) == "roads.unreadable"


def test_problems_with_graphs(tmp_path):
    def saved(change) -> Path:
        graph = hand_graph((0, 1, "primary"))
        change(graph)
        ox.save_graphml(graph, tmp_path / "g.graphml")
        return tmp_path / "g.graphml"

    assert problem(saved(lambda g: g.remove_edges_from(list(g.edges(keys=True))))) == "roads.no_roads"
    assert problem(saved(lambda g: [d.pop("length") for *_, d in g.edges(data=True)])) == "roads.no_length"
    assert (
        problem(saved(lambda g: [d.update(length=float("nan")) for *_, d in g.edges(data=True)]))
        == "roads.no_length"
    )
    assert problem(saved(lambda g: g.nodes[0].pop("x"))) == "roads.no_place"
    assert problem(saved(lambda g: g.nodes[0].update(x=500000.0))) == "roads.no_place"
    assert problem(saved(lambda g: g.graph.pop("crs"))) == "roads.no_crs"


def test_both_languages_say_the_same_keys_of_this_room():
    of = {lang: [k for k in catalogue(lang) if k.startswith("roads.")] for lang in ("en", "zh")}
    assert of["en"] == of["zh"]
    assert of["en"]


@needs_data
def test_real_extract_yields_only_highways():
    graph = read_roads(DATA / "defects" / "krems.osm.gz")
    streets = streets_of(graph)
    assert set(streets.highway.tolist()) <= set(read_speeds()["highway"])
    assert mode_network(streets, "bus").main.sum() > 300
    assert shapely.is_valid(streets.lines).all()


@needs_data
def test_real_clipped_extract_is_cut_and_says_so():
    graph = read_roads(DATA / "defects" / "campo-grande.osm.gz")
    found = {f.key: f for f in roads_findings(graph)}
    assert found["roads.ways_cut"].fields["count"] == 189
    assert mode_network(streets_of(graph), "walk").main.sum() > 10_000


def test_junctions_are_merged_only_when_asked_for(tmp_path):
    # 1 - 2 - 3 - 4 with 2 and 3 six metres apart, each with a side road; 9 - 10 crosses on a bridge
    east = {
        1: (0.0, 0.0),
        2: (1000, 0),
        3: (1006, 0),
        4: (2000, 0),
        5: (1000, 800),
        6: (1006, -800),
        9: (1003, 900),
    }
    graph = nx.MultiDiGraph(crs="EPSG:4326", simplified=True)
    for node, (x, y) in east.items():
        graph.add_node(node, x=118.3 + x / 95_500, y=30.9 + y / 110_870)
    for u, v, metres in ((1, 2, 1000), (2, 3, 6), (3, 4, 994), (2, 5, 800), (3, 6, 800), (9, 5, 100)):
        for a, b in ((u, v), (v, u)):
            graph.add_edge(a, b, length=float(metres), highway="primary", osmid=1)
    ox.save_graphml(graph, tmp_path / "g.graphml")
    apart, merged = (read_roads(tmp_path / "g.graphml", consolidate_m=m) for m in (0.0, 20.0))
    assert (len(apart), len(merged)) == (7, 6)
    assert "roads.junctions_merged" not in keys(roads_findings(apart))
    (said,) = [f for f in roads_findings(merged) if f.key == "roads.junctions_merged"]
    assert said.fields == {"count": 1}
    streets = streets_of(merged)
    assert sorted(streets.metres.round(-1).tolist()) == [100, 800, 800, 1000, 1000]
    assert (streets.forward & streets.backward).all()
    assert merged.graph["crs"] == "epsg:4326"
