from __future__ import annotations

import networkx as nx
import numpy as np
import pytest
import shapely

from geodata.roads.snapping import components, highway_label, network, snap, streets_of

LON, LAT = 118.3, 30.9
STEP = 0.01  # degrees between grid nodes, about 1 km


def graph_of(edges, nodes) -> nx.MultiDiGraph:
    """Nodes as grid places, edges as (u, v, metres, two_way)."""
    graph = nx.MultiDiGraph(crs="EPSG:4326", simplified=True)
    for node, (x, y) in nodes.items():
        graph.add_node(node, x=LON + STEP * x, y=LAT + STEP * y)
    for u, v, metres, two_way in edges:
        graph.add_edge(u, v, length=metres, highway="residential")
        if two_way:
            graph.add_edge(v, u, length=metres, highway="residential")
    return graph


def net_of(graph, on_foot=False):
    streets = streets_of(graph)
    return network(streets, np.ones(len(streets.metres)), on_foot=on_foot)


def at(net, x, y):
    return snap(net, np.array([LON + STEP * x]), np.array([LAT + STEP * y]))


def test_two_directions_are_one_street_and_a_one_way_keeps_its_direction():
    streets = streets_of(
        graph_of([(1, 2, 100.0, True), (3, 2, 70.0, False)], {1: (0, 0), 2: (1, 0), 3: (1, 1)})
    )
    assert streets.metres.tolist() == [100.0, 70.0]
    assert (streets.forward & streets.backward).tolist() == [True, False]
    one_way = 1
    ahead = bool(streets.forward[one_way])
    start = streets.tail[one_way] if ahead else streets.head[one_way]
    assert start == 2  # node 3 is the third of the graph
    line = streets.lines[one_way]
    assert line.coords[0] == pytest.approx((LON + STEP, LAT) if not ahead else (LON + STEP, LAT + STEP))


def test_parallel_streets_with_lines_of_their_own_stay_apart_and_equal_lines_merge_to_the_shorter():
    graph = graph_of([(1, 2, 100.0, True), (1, 2, 90.0, False)], {1: (0, 0), 2: (1, 0)})
    bow = shapely.LineString([(LON, LAT), (LON + STEP / 2, LAT + STEP / 2), (LON + STEP, LAT)])
    graph.add_edge(2, 1, length=150.0, highway="path", geometry=shapely.reverse(bow))
    graph.add_edge(1, 2, length=150.0, highway="path", geometry=bow)
    streets = streets_of(graph)
    assert sorted(streets.metres.tolist()) == [90.0, 150.0]
    assert (streets.forward & streets.backward).all()


def test_a_line_drawn_against_its_edge_is_turned():
    graph = graph_of([], {1: (0, 0), 2: (1, 0)})
    graph.add_edge(
        1, 2, length=100.0, highway="road", geometry=shapely.LineString([(LON + STEP, LAT), (LON, LAT)])
    )
    streets = streets_of(graph)
    assert streets.forward.tolist() == [True]
    assert streets.lines[0].coords[0] == (LON, LAT)


def test_a_self_loop_ridden_both_ways_is_one_street():
    graph = graph_of([], {1: (0, 0)})
    ring = shapely.LineString([(LON, LAT), (LON + STEP, LAT), (LON + STEP, LAT + STEP), (LON, LAT)])
    graph.add_edge(1, 1, length=300.0, highway="residential", geometry=ring)
    graph.add_edge(1, 1, length=300.0, highway="residential", geometry=shapely.reverse(ring))
    streets = streets_of(graph)
    assert len(streets.metres) == 1
    assert bool(streets.forward[0]) and bool(streets.backward[0])


@pytest.mark.parametrize(
    ("value", "label"),
    [
        ("track", "track"),
        (["track", "primary"], "primary;track"),
        ("b; a", "a;b"),
        (None, ""),
        (float("nan"), ""),
    ],
)
def test_highway_labels(value, label):
    assert highway_label(value) == label


def test_offset_and_access_are_in_metres_of_the_street():
    net = net_of(graph_of([(1, 2, 2000.0, True)], {1: (0, 0), 2: (1, 0)}))
    snaps = at(net, 0.25, 0.1)  # 0.001 degrees of latitude are 110.9 m here
    assert snaps.access[0] == pytest.approx(110.9, abs=0.5)
    assert snaps.offset[0] == pytest.approx(500.0, abs=1.0)  # a quarter of the street's own length
    assert not snaps.fragment[0]


def test_points_use_the_main_component_and_say_when_a_fragment_is_nearer():
    nodes = {1: (0, 0), 2: (1, 0), 3: (0, 0.3), 4: (0.1, 0.3)}
    net = net_of(graph_of([(1, 2, 1000.0, True), (3, 4, 100.0, True)], nodes))
    assert net.main.tolist() == [True, False]
    assert components(net)[1] == 2
    near_fragment, near_main = at(net, 0.05, 0.29), at(net, 0.5, 0.01)
    assert near_fragment.street[0] == 0
    assert near_fragment.fragment[0]
    assert not near_main.fragment[0]


def test_a_one_way_dead_end_is_a_fragment_for_vehicles_and_not_on_foot():
    edges = [(1, 2, 1000.0, True), (2, 3, 500.0, False)]
    graph = graph_of(edges, {1: (0, 0), 2: (1, 0), 3: (1, 1)})
    assert net_of(graph).main.tolist() == [True, False]
    assert net_of(graph, on_foot=True).main.tolist() == [True, True]


def test_without_a_usable_street_nothing_is_snapped():
    streets = streets_of(graph_of([(1, 2, 100.0, True)], {1: (0, 0), 2: (1, 0)}))
    net = network(streets, np.array([np.inf]), on_foot=True)
    snaps = at(net, 0.5, 0.0)
    assert snaps.street.tolist() == [-1]
    assert np.isinf(snaps.access[0])


def test_the_nearest_street_is_the_nearest_by_brute_force():
    random = np.random.default_rng(7)
    nodes = {i: tuple(random.uniform(0, 5, 2)) for i in range(30)}
    edges = [(i, (i + 1) % 30, 1000.0, True) for i in range(30)] + [
        (i, (i * 7 + 3) % 30, 900.0, True) for i in range(9)
    ]
    net = net_of(graph_of([e for e in edges if e[0] != e[1]], nodes))
    lon, lat = LON + STEP * random.uniform(0, 5, 40), LAT + STEP * random.uniform(0, 5, 40)
    snaps = snap(net, lon, lat)
    import geopandas as gpd

    points = gpd.GeoSeries(gpd.points_from_xy(lon, lat), crs=4326).to_crs(net.streets.crs)
    distance = np.array([[p.distance(line) for line in net.streets.metric] for p in points])
    assert snaps.access == pytest.approx(distance.min(axis=1))
    assert distance[np.arange(40), snaps.street] == pytest.approx(distance.min(axis=1))
