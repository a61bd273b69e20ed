from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path

import networkx as nx
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Geod

from geodata.contract.county import County
from geodata.roads.shortest_paths import CHUNK, FLOOR, _reversed_graph, matrix
from geodata.roads.snapping import Snaps, network, snap, streets_of
from geodata.travel.times import road_quality, travel_times

LON, LAT = 118.3, 30.9
STEP = 0.01


def graph_of(edges, nodes) -> nx.MultiDiGraph:
    """Nodes as grid places, edges as (u, v, metres, two_way, class)."""
    graph = nx.MultiDiGraph(crs="EPSG:4326", simplified=True)
    for node, (x, y) in nodes.items():
        graph.add_node(node, x=LON + STEP * x, y=LAT + STEP * y)
    for u, v, metres, two_way, highway in edges:
        graph.add_edge(u, v, length=float(metres), highway=highway)
        if two_way:
            graph.add_edge(v, u, length=float(metres), highway=highway)
    return graph


def net_of(graph, on_foot=False):
    streets = streets_of(graph)
    return network(streets, np.ones(len(streets.metres)), on_foot=on_foot)


def snaps_of(*places) -> Snaps:
    street, offset = zip(*places, strict=True)
    count = len(places)
    return Snaps(np.array(street), np.array(offset, float), np.zeros(count), np.zeros(count, bool))


def dense(net, origins, destinations, limit=np.inf):
    table = np.full((len(origins.street), len(destinations.street)), np.inf)
    o, d, cost = matrix(net, origins, destinations, limit)
    table[o, d] = cost
    return table


def oracle(net, origin, destination) -> float:
    """Shortest way in networkx after cutting the streets at the two points."""
    graph = nx.DiGraph()

    def arc(u, v, cost):
        if not graph.has_edge(u, v) or graph.edges[u, v]["cost"] > cost:
            graph.add_edge(u, v, cost=cost)

    graph.add_nodes_from(["from", "to"])
    s = net.streets
    for e in range(len(s.metres)):
        stops = [(0.0, int(s.tail[e])), (s.metres[e], int(s.head[e]))]
        stops += [
            (offset, name)
            for name, (street, offset) in (("from", origin), ("to", destination))
            if street == e
        ]
        # a point on an end of the street is at the junction
        for offset, name in stops[2:]:
            for metres, node in stops[:2]:
                if offset == metres:
                    arc(name, node, 0.0)
                    arc(node, name, 0.0)
        chain = [stops[0], *sorted(stops[2:], key=lambda p: p[0]), stops[1]]
        for (m1, u), (m2, v) in itertools.pairwise(chain):
            cost = (m2 - m1) * net.pace[e]
            if np.isfinite(cost):
                if net.forward[e] or m1 == m2:
                    arc(u, v, cost)
                if net.backward[e] or m1 == m2:
                    arc(v, u, cost)
    try:
        return nx.shortest_path_length(graph, "from", "to", weight="cost")
    except nx.NetworkXNoPath:
        return np.inf


TRIANGLE = {1: (0, 0), 2: (1, 0), 3: (0, 1)}


def test_one_way_ring_is_respected_by_vehicles_and_ignored_on_foot():
    ring = graph_of(
        [(1, 2, 100, False, "road"), (2, 3, 200, False, "road"), (3, 1, 400, False, "road")], TRIANGLE
    )
    net, foot = net_of(ring), net_of(ring, on_foot=True)
    # street 0 runs 1 to 2, street 1 runs 2 to 3, street 2 is stored from 1 to 3 and driven backward
    assert net.forward.tolist() == [True, True, False]
    a, b = snaps_of((0, 20.0)), snaps_of((0, 50.0))
    assert dense(net, a, b)[0, 0] == 30.0
    assert dense(net, b, a)[0, 0] == pytest.approx(50 + 200 + 400 + 20)
    assert dense(foot, a, b)[0, 0] == dense(foot, b, a)[0, 0] == 30.0
    c = snaps_of((2, 100.0))  # 100 m from node 1
    assert dense(net, a, c)[0, 0] == pytest.approx(80 + 200 + 300)
    assert dense(net, c, a)[0, 0] == pytest.approx(100 + 20)


def test_the_cheapest_of_parallel_streets_counts_not_their_sum():
    graph = graph_of([(1, 2, 100, True, "road"), (2, 3, 10, True, "road")], TRIANGLE)
    bow = shapely.LineString([(LON, LAT), (LON + STEP / 2, LAT - STEP / 2), (LON + STEP, LAT)])
    for u, v, line in ((1, 2, bow), (2, 1, shapely.reverse(bow))):
        graph.add_edge(u, v, length=60.0, highway="road", geometry=line)
    net = net_of(graph)
    by_length = {m: i for i, m in enumerate(net.streets.metres.tolist())}
    start, goal = snaps_of((by_length[100.0], 0.0)), snaps_of((by_length[10.0], 5.0))
    assert dense(net, start, goal)[0, 0] == pytest.approx(65.0)
    # even on one street the way round may be shorter than straight along it
    long = by_length[100.0]
    assert dense(net, snaps_of((long, 5.0)), snaps_of((long, 95.0)))[0, 0] == pytest.approx(70.0)


def test_self_loops_serve_the_points_on_them():
    graph = graph_of([(1, 2, 100, True, "road")], TRIANGLE)
    ring = shapely.LineString([(LON, LAT), (LON - STEP, LAT), (LON - STEP, LAT + STEP), (LON, LAT)])
    graph.add_edge(1, 1, length=300.0, highway="road", geometry=ring)
    net = net_of(graph)  # the loop may be driven one way only
    loop = int(np.flatnonzero(net.streets.tail == net.streets.head)[0])
    ahead = bool(net.forward[loop])
    early, late = (50.0, 250.0) if ahead else (250.0, 50.0)
    along, outside = snaps_of((loop, early), (loop, late)), snaps_of((1 - loop, 40.0))
    assert dense(net, along, along) == pytest.approx(np.array([[0.0, 200.0], [100.0, 0.0]]))
    assert dense(net, along, outside)[:, 0] == pytest.approx([290.0, 90.0])
    assert dense(net, outside, along)[0] == pytest.approx([90.0, 290.0])


def test_a_zero_length_street_is_a_way():
    graph = graph_of([(1, 2, 0, True, "road"), (2, 3, 50, True, "road"), (1, 3, 900, True, "road")], TRIANGLE)
    net = net_of(graph)
    far = int(np.flatnonzero(net.streets.metres == 900)[0])
    near = int(np.flatnonzero(net.streets.metres == 50)[0])
    cost = dense(net, snaps_of((far, 0.0)), snaps_of((near, 30.0)))[0, 0]
    assert cost == pytest.approx(oracle(net, (far, 0.0), (near, 30.0)), abs=0.01)
    assert _reversed_graph(net, snaps_of((near, 0.0)), np.array([0])).data.min() == FLOOR


def test_the_limit_is_inclusive_and_holds_for_access_too():
    net = net_of(graph_of([(1, 2, 100, True, "road"), (2, 3, 100, True, "road")], TRIANGLE))
    a, b = snaps_of((0, 0.0)), snaps_of((1, 100.0))
    assert dense(net, a, b, limit=200.0)[0, 0] == pytest.approx(200.0)
    assert np.isinf(dense(net, a, b, limit=199.99)[0, 0])
    walked = replace(a, access=np.array([10.0]))
    assert len(matrix(net, walked, b, 209.0, access_pace=1.0)[0]) == 0
    assert matrix(net, walked, b, 210.0, access_pace=1.0)[2] == pytest.approx([210.0])
    assert len(matrix(net, a, b, -1.0)[0]) == 0


def test_points_without_a_street_are_left_out():
    net = net_of(graph_of([(1, 2, 100, True, "road")], TRIANGLE))
    o, d, cost = matrix(net, snaps_of((-1, 0.0), (0, 10.0)), snaps_of((0, 30.0), (-1, 0.0)))
    assert (o.tolist(), d.tolist(), cost.tolist()) == ([1], [0], [20.0])


@st.composite
def towns(draw):
    """A small grid with random lengths, one-ways, gaps and closed streets, and points on it."""
    width, height = draw(st.integers(2, 4)), draw(st.integers(2, 4))
    nodes = {(x, y): (x, y) for x in range(width) for y in range(height)}
    edges = []
    for x, y in nodes:
        for other in ((x + 1, y), (x, y + 1)):
            kind = draw(st.sampled_from(["two", "two", "there", "back", "none"]))
            if other in nodes and kind != "none":
                u, v = ((x, y), other) if kind != "back" else (other, (x, y))
                edges.append((u, v, draw(st.integers(1, 1000)), kind == "two", "road"))
    if not edges:
        edges = [((0, 0), (1, 0), 100, True, "road")]
    places = st.lists(
        st.tuples(st.integers(0, 10**6), st.sampled_from([0, 0.1, 0.5, 0.77, 1])), min_size=1, max_size=4
    )
    return graph_of(edges, nodes), draw(places), draw(places), draw(st.booleans())


@settings(max_examples=60)
@given(towns())
def test_matrix_agrees_with_networkx(town):
    graph, start, goal, on_foot = town
    net = net_of(graph, on_foot)
    count = len(net.streets.metres)
    origins, goals = (
        [(number % count, share * net.streets.metres[number % count]) for number, share in points]
        for points in (start, goal)
    )
    expected = [[oracle(net, o, d) for d in goals] for o in origins]
    # every arc costs at least 1e-3, so points at street ends may be 2e-3 off
    assert dense(net, snaps_of(*origins), snaps_of(*goals)) == pytest.approx(np.array(expected), abs=0.0051)


def test_more_schools_than_one_chunk():
    count = 2 * CHUNK + 5
    net = net_of(graph_of([(1, 2, 1000, True, "road"), (2, 3, 1000, True, "road")], TRIANGLE))
    many = snaps_of(*[(i % 2, 10.0 * i) for i in range(count)])
    one = snaps_of((0, 3.0))
    position = np.where(many.street == 0, many.offset, 1000 + many.offset)
    assert dense(net, one, many)[0] == pytest.approx(np.abs(position - 3.0))


# --- whole counties ---------------------------------------------------------------------------------


def county_of(roads, villages, schools, pupils=None) -> County:
    """Villages and schools as {id: (x, y, township)}; names are the ids in capitals."""

    def table(kind, rows):
        ids = list(rows)
        return pd.DataFrame(
            {
                f"{kind}_id": ids,
                "name": [i.upper() for i in ids],
                "township": [rows[i][2] for i in ids],
                "lon": [LON + STEP * rows[i][0] for i in ids],
                "lat": [LAT + STEP * rows[i][1] for i in ids],
            }
        )

    none = pd.DataFrame()
    stage = pd.DataFrame(
        {"school_id": list(schools), "stage": "pri", "pupils": pupils or [10] * len(schools)}
    )
    return County(
        name="test", year=2025, schools=table("school", schools).assign(status="open"), school_stage=stage,
        villages=table("village", villages), demand=none, staff_category=none, staff_stock=none,
        unit_costs=none, budget=none, enrolment_by_grade=none, attendance=none, standards=none, roads=roads,
    )  # fmt: skip


LINE = {i: (i, 0) for i in range(5)}


def line_roads(highway="primary"):
    return graph_of([(i, i + 1, 1000, True, highway) for i in range(4)], LINE)


def minutes(times, village, school, mode):
    rows = times.pairs.query("village_id == @village and school_id == @school and mode == @mode")
    return rows[["minutes", "km"]].iloc[0].tolist()


def test_minutes_and_kilometres_by_hand():
    times = travel_times(county_of(line_roads(), {"v": (0, 0, "A")}, {"s": (3, 0, "A")}))
    assert times.source == "roads"
    assert minutes(times, "v", "s", "walk") == pytest.approx([45.0, 3.0], abs=0.02)
    assert minutes(times, "v", "s", "bus") == pytest.approx([10 + 3 / 60 * 60 * 1.3, 3.0], abs=0.02)
    assert times.points["status"].tolist() == ["ok", "ok"]


def test_access_is_walked_at_both_ends_and_counted():
    times = travel_times(county_of(line_roads(), {"v": (0.5, 0.2, "A")}, {"s": (3.5, -0.1, "A")}))
    access = 0.3 * STEP * 110_870 / 1000  # km, from degrees of latitude
    assert minutes(times, "v", "s", "walk") == pytest.approx([(3 + access) * 15, 3 + access], abs=0.05)
    assert minutes(times, "v", "s", "bus") == pytest.approx([10 + 3 * 1.3 + access * 15, 3.0], abs=0.05)
    assert times.points["snap_m"].tolist() == pytest.approx([110.9, 221.7], abs=0.5)


def test_bus_kilometres_are_the_shortest_driving_distance():
    # the fast way is 5 km of primary road, the short one 3 km of service road
    nodes = {1: (0, 0), 2: (3, 0), 3: (1, 1)}
    edges = [(1, 2, 3000, True, "service"), (1, 3, 2500, True, "primary"), (3, 2, 2500, True, "primary")]
    times = travel_times(county_of(graph_of(edges, nodes), {"v": (0, 0, "A")}, {"s": (3, 0, "A")}))
    assert minutes(times, "v", "s", "bus") == pytest.approx([10 + 5 * 1.3, 3.0], abs=0.02)


def test_limits_include_the_wait_and_unreachable_places_are_named():
    county = county_of(line_roads(), {"far": (0, 0, "A"), "near": (4, 0, "A")}, {"s": (4, 0, "A")})
    times = travel_times(county, walk_limit=30, bus_limit=15)
    assert times.pairs[["village_id", "mode"]].to_numpy().tolist() == [["near", "bus"], ["near", "walk"]]
    lost = [f for f in times.findings if f.key == "roads.village_unreachable"]
    assert [(f.fields["name"], f.value, f.severity) for f in lost] == [("FAR", "far", "warning")]
    assert "FAR" in lost[0].sentence("zh")
    nobody = travel_times(replace(county, villages=county.villages.iloc[:1]), walk_limit=5, bus_limit=5)
    assert nobody.pairs.empty
    assert {"roads.village_unreachable", "roads.school_unreachable"} <= {f.key for f in nobody.findings}


def test_far_snaps_fragments_and_places_off_every_road_keep_a_row_and_are_named():
    graph = graph_of(
        [(i, i + 1, 1000, True, "primary") for i in range(4)] + [(8, 9, 300, True, "primary")],
        {**LINE, 8: (1, 0.4), 9: (1.3, 0.4)},
    )
    villages = {"far": (2, -0.9, "A"), "frag": (1.1, 0.38, "A"), "off": (2, 9, "A"), "ok": (3, 0, "A")}
    times = travel_times(county_of(graph, villages, {"s": (4, 0, "A")}))
    status = times.points.set_index("point_id")["status"]
    assert status.to_dict() == {
        "s": "ok",
        "far": "far_snap",
        "frag": "fragment",
        "off": "no_road",
        "ok": "ok",
    }
    named = {(f.key, f.value) for f in times.findings if f.value}
    assert {
        ("roads.far_snap_walk", "far"),
        ("roads.far_snap_bus", "off"),
        ("roads.fragment_bus", "frag"),
    } <= named
    assert ("roads.village_unreachable", "off") in named
    assert not [n for n in named if n[1] == "ok"]
    assert minutes(times, "frag", "s", "walk")[0] > 0.38 * STEP * 110_870 / 1000 * 15


def test_a_county_shifted_off_its_roads_is_suspected():
    times = travel_times(
        county_of(line_roads(), {f"v{i}": (i, 0.4, "A") for i in range(4)}, {"s": (2, 0.4, "A")})
    )
    assert "roads.offset_suspected" in [f.key for f in times.findings]


def test_towns_join_the_largest_open_schools_in_both_directions():
    nodes = {1: (0, 0), 2: (1, 0), 3: (0, 1)}
    ring = graph_of(
        [(1, 2, 1300, False, "road"), (2, 3, 1300, False, "road"), (3, 1, 1300, False, "road")], nodes
    )  # 30 km/h with 1.3: 3.38 minutes a side
    schools = {"a1": (0, 0, "A"), "a2": (0, 0.99, "A"), "b": (1, 0, "B")}
    county = county_of(ring, {"v": (0, 0, "C")}, schools, pupils=[50, 20, 10])
    towns = travel_times(county).towns.set_index(["from_township", "to_township"])["minutes"]
    assert towns.index.tolist() == [("A", "A"), ("A", "B"), ("B", "A"), ("B", "B")]
    assert towns.tolist() == pytest.approx([0.0, 3.38, 6.76, 0.0], abs=0.03)
    assert tuple(f.fields["name"] for f in travel_times(county).findings if "town_without" in f.key) == ("C",)
    shut = county.schools.assign(status=["suspended", "open", "open"])
    later = travel_times(replace(county, schools=shut)).towns
    assert later.query("from_township == 'B' and to_township == 'A'")["minutes"].iloc[0] < 4


def test_a_mode_without_roads_is_said_and_walking_goes_on():
    times = travel_times(
        county_of(line_roads("footway"), {"v": (0, 0, "A")}, {"s": (3, 0, "A"), "t": (1, 0, "B")})
    )
    assert times.pairs["mode"].unique().tolist() == ["walk"]
    found = [f.key for f in times.findings]
    assert "roads.no_network_bus" in found
    assert found.count("roads.towns_unreachable") == 2
    assert times.towns["minutes"].tolist() == [0.0, 0.0]


def test_crow_fly_is_geodesic_with_a_detour_and_flagged_once():
    county = county_of(None, {"v": (0, 0, "A")}, {"s": (2, 1, "A"), "t": (0, 0, "B")})
    times = travel_times(county)
    km = Geod(ellps="WGS84").inv(LON, LAT, LON + 2 * STEP, LAT + STEP)[2] * 1.35 / 1000
    assert times.source == "crow_fly"
    assert minutes(times, "v", "s", "walk") == pytest.approx([km * 15, km], abs=0.006)
    assert minutes(times, "v", "s", "bus") == pytest.approx([km / 25 * 60 + 10, km], abs=0.006)
    towns = times.towns.set_index(["from_township", "to_township"])["minutes"]
    assert towns["A", "B"] == pytest.approx(km * 2, abs=0.006)
    assert towns["A", "A"] == 0
    (flag,) = [f for f in times.findings if f.severity == "warning"]
    assert flag.key == "roads.crow_fly"
    # 90 min x 4 km/h and 50 min x 25 km/h, less the detour: where straight-line times end
    assert {k: flag.fields[k] for k in ("walk_km", "bus_km")} == {"walk_km": "4.4", "bus_km": "15.4"}
    assert [f.fields["bus_km"] for f in road_quality(county) if f.key == "roads.crow_fly_limit"] == ["15.4"]
    assert [f.file for f in road_quality(county)] == ["county.toml"]
    told = replace(county, workbook=Path("mine.xlsx"))  # who fills in a workbook has no such file
    assert [f.file for f in road_quality(told)] == ["mine.xlsx"]
    assert set(times.points["status"]) == {"crow_fly"}


def test_pairs_are_sorted_and_do_not_depend_on_the_order_of_rows():
    villages = {f"v{i}": (0.3 * i, 0.01 * i, "A") for i in range(9)}
    schools = {f"s{i}": (0.9 * i, 0.02, "AB"[i % 2]) for i in range(4)}
    county = county_of(line_roads(), villages, schools)
    turned = replace(county, villages=county.villages.iloc[::-1], schools=county.schools.iloc[::-1])
    one, two = travel_times(county), travel_times(turned)
    for name in ("pairs", "towns", "points"):
        pd.testing.assert_frame_equal(getattr(one, name), getattr(two, name))
    key = ["village_id", "school_id", "mode"]
    pd.testing.assert_frame_equal(one.pairs, one.pairs.sort_values(key, ignore_index=True))


def test_every_message_can_be_said_in_both_languages():
    graph = graph_of(
        [(0, 1, 1000, True, "primary"), (1, 2, 900, True, "goat_way"), (3, 4, 10, True, "road")], LINE
    )
    times = travel_times(
        county_of(graph, {"v": (0, 2, "C"), "w": (0, 80, "C")}, {"s": (4, 0, "A"), "t": (1, 0, "B")})
    )
    for finding in times.findings:
        assert finding.sentence("zh") != finding.sentence("en")


def test_snapping_at_a_junction_is_not_bound_by_the_one_way_it_met():
    edges = [(1, 2, 1000, True, "road"), (2, 3, 1000, False, "road"), (3, 1, 1500, True, "road")]
    net = net_of(graph_of(edges, TRIANGLE))
    corner = snap(net, np.array([LON + 1.5 * STEP]), np.array([LAT - 0.5 * STEP]))  # nearest place is node 2
    ends = snaps_of(*[(e, m) for e in range(3) for m in (0.0, net.streets.metres[e])])
    at_corner = [(e, m) for e, m in zip(ends.street, ends.offset, strict=True)
                 if (net.streets.tail, net.streets.head)[int(m > 0)][e] == 1]  # fmt: skip
    for place in at_corner:
        assert dense(net, corner, snaps_of(place))[0, 0] == pytest.approx(0.0, abs=0.01)
        assert dense(net, snaps_of(place), corner)[0, 0] == pytest.approx(0.0, abs=0.01)
