"""Factors of the roads: bridges that are down, roads that are closed, slower classes of road. Answers known by hand."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import networkx as nx
import pytest

from geodata.contract.findings import InputProblems
from geodata.roads.speeds import kmh_by_class
from geodata.travel.times import travel_times
from optimizer.scenario import Scenario
from optimizer.study.stress.factors.record import Case
from optimizer.study.stress.factors.roads import streets
from optimizer.study.stress.futures import Future, Futures, check_futures, in_future, read_futures
from tests.geodata.grids import county, roads
from tests.samples import small_county

SHORT, AROUND = ((0, 0), (2, 0)), (((0, 0), (0, 1)), ((0, 1), (2, 1)), ((2, 1), (2, 0)))
"""Two kilometres over the bridge, four around it."""


def case_on(graph: nx.MultiDiGraph, **places: dict[str, tuple[float, float]]) -> Case:
    given = county(places.get("villages", {"V": (0, 0)}), places.get("schools", {"S": (2, 0)}), roads=graph)
    return Case(given, Scenario(), travel_times(given), seed=3)


def tagged(graph: nx.MultiDiGraph, ends: set[int], **tags: object) -> None:
    for u, v, data in graph.edges(data=True):
        if {u, v} == ends:
            data.update(tags)


@pytest.fixture(scope="module")
def case() -> Case:
    graph = roads([SHORT, *AROUND])  # nodes in order of place: (0,0), (0,1), (2,0), (2,1)
    tagged(graph, {0, 2}, bridge="yes", name="Old Bridge", osmid=[7, 8])
    tagged(graph, {1, 3}, name=["High Street", "Upper Street"], osmid=9, highway="unclassified")
    return case_on(graph)


def with_one(case: Case, factor: str, value: float, of: str = "") -> Case:
    asked = Futures(factor=[{"id": factor, "of": of, "values": [value]}])
    check_futures(asked, case)
    return in_future(case, asked, Future(1, (value,)))


def minutes(case: Case, mode: str, village: str = "V") -> float:
    pairs = case.times.pairs
    found = pairs.loc[(pairs["mode"] == mode) & (pairs["village_id"] == village), "minutes"]
    return float(found.iloc[0]) if len(found) else float("nan")


@pytest.mark.parametrize("of", ["", "Old Bridge", "7", "8"])
def test_where_the_bridge_is_down_the_way_goes_around(case: Case, of: str) -> None:
    down = with_one(case, "bridges", 1.0, of)
    assert minutes(case, "walk") == pytest.approx(30.0)
    assert minutes(down, "walk") == pytest.approx(60.0)
    assert minutes(down, "bus") - 10 == pytest.approx(
        60 * (2 / _kmh("residential") + 2 / _kmh("unclassified")), abs=0.01
    )
    assert case.county.roads.number_of_edges() - down.county.roads.number_of_edges() == 2  # both directions


def _kmh(highway: str) -> float:
    return kmh_by_class("bus")[highway]


def test_without_another_way_there_is_none_not_even_straight_over_the_river() -> None:
    # a school on either bank; the village's own bank is a scrap that alone would be joined to the other in a straight line
    graph = roads([SHORT, ((0, 0), (0, 1)), ((2, 0), (4, 0))])
    tagged(graph, {0, 2}, bridge="viaduct")
    alone = case_on(graph, villages={"V": (0, 0), "W": (4, 0)})
    assert minutes(alone, "walk") == pytest.approx(30.0)
    down = with_one(alone, "bridges", 1.0)
    assert minutes(down, "walk") != minutes(down, "walk")
    assert minutes(down, "walk", "W") == pytest.approx(30.0)
    slower = with_one(down, "road_speed", 0.5)  # computed again, and still no way
    assert set(slower.times.pairs["village_id"]) == {"W"}


def test_more_bridges_down_are_the_same_and_others() -> None:
    places = [(x, y) for x in (0, 2) for y in range(6)]
    graph = roads(
        [*(((0, y), (2, y)) for y in range(6)), *((a, b) for a, b in pairwise(places) if a[0] == b[0])]
    )
    for y in range(6):
        tagged(graph, {y, 6 + y}, bridge="yes", osmid=y)
    many = case_on(graph)
    cut = [
        {s.names for s in streets(many)} - {s.names for s in streets(with_one(many, "bridges", part))}
        for part in (0.1, 0.25, 0.5, 1.0)
    ]
    assert list(map(len, cut)) == [1, 2, 3, 6]
    assert all(a < b for a, b in pairwise(cut))
    assert with_one(many, "bridges", 0.05).times is many.times  # not one


def test_a_road_is_closed_by_name(case: Case) -> None:
    assert minutes(with_one(case, "closed_road", 1.0, "Old Bridge"), "walk") == pytest.approx(60.0)
    assert minutes(with_one(case, "closed_road", 1.0, "Upper Street"), "walk") == pytest.approx(30.0)
    assert with_one(case, "closed_road", 0.0, "Old Bridge") is case
    both = Futures(
        factor=[
            {"id": "closed_road", "of": "9", "values": [1]},
            {"id": "bridges", "values": [1]},
        ]
    )
    assert in_future(case, both, Future(1, (1.0, 1.0))).times.pairs.empty


def test_vehicles_are_slower_on_a_class_and_walkers_are_not(case: Case) -> None:
    slow = with_one(case, "road_speed", 0.25, "residential")
    over, around = (
        2 / (0.25 * _kmh("residential")),
        2 / _kmh("unclassified") + 2 / (0.25 * _kmh("residential")),
    )
    assert minutes(slow, "bus") - 10 == pytest.approx(60 * min(over, around), abs=0.01)
    assert minutes(slow, "walk") == minutes(case, "walk")
    every = with_one(case, "road_speed", 0.5)
    assert minutes(every, "bus") - 10 == pytest.approx(2 * (minutes(case, "bus") - 10), abs=0.01)
    asked = Futures(
        factor=[
            {"id": "bus_speed", "values": [0.5]},
            {"id": "road_speed", "of": "residential", "values": [0.5]},
            {"id": "road_speed", "of": "unclassified", "values": [0.5]},
            {"id": "bridges", "values": [1.0]},
        ]
    )
    all_of_it = in_future(case, asked, Future(1, (0.5, 0.5, 0.5, 1.0)))
    free = 60 * (2 / _kmh("residential") + 2 / _kmh("unclassified"))
    assert minutes(all_of_it, "bus") - 10 == pytest.approx(4 * free, abs=0.05)  # no factor undoes another


def test_a_bridge_or_class_that_is_not_there_is_refused_by_name(case: Case, tmp_path) -> None:
    for factor, of, known in (("bridges", "New Bridge", "Old Bridge, 7, 8"), ("road_speed", "motorway", "residential, unclassified"), ("closed_road", "", "High Street, Old Bridge, Upper Street, 7, 8, 9")):  # fmt: skip
        with pytest.raises(InputProblems) as refused:
            with_one(case, factor, 1.0, of)
        (one,) = refused.value.findings
        assert (one.column, one.value, one.fields["choices"]) == ("factor[1].of", of, known)
    file = tmp_path / "futures.toml"
    file.write_text('[[factor]]\nid = "road_speed"\nlow = 0.1\nhigh = 1.0\n[[factor]]\nid = "closed_road"\nlow = 0.0\nhigh = 1.0\n', encoding="utf-8")  # fmt: skip
    with pytest.raises(InputProblems) as refused:
        read_futures(file)
    assert [(f.row, f.column) for f in refused.value.findings] == [(3, "factor[1].low"), (7, "factor[2].low")]


def test_a_county_without_bridges_or_roads_says_so() -> None:
    none = Case(small_county(), Scenario(), travel_times(small_county()))
    plain = case_on(roads([SHORT]))
    for given, factor, key in (
        (none, "bridges", "cannot_no_roads"),
        (none, "road_speed", "cannot_no_roads"),
        (plain, "bridges", "cannot_no_bridges"),
    ):
        asked = Futures(factor=[{"id": factor, "values": [0.5]}])
        (said,) = check_futures(asked, given)
        assert (said.severity, said.key) == ("warning", f"stress.{key}")
        assert in_future(given, asked, Future(1, (0.5,))) is given
    marked = roads([SHORT])
    tagged(marked, {0, 1}, bridge="no")
    assert replace(plain, county=replace(plain.county, roads=marked)) and not [
        s for s in streets(replace(plain, county=replace(plain.county, roads=marked))) if s.bridge
    ]
