"""The engine against networkx on graphs with parallel streets, self-loops and one-ways; its memory."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geodata.roads.shortest_paths import CHUNK, blocks, matrix
from geodata.roads.snapping import Snaps, Streets, network, streets_of
from tests.geodata.test_traveltimes import LAT, LON, STEP, dense, graph_of, oracle, snaps_of


@st.composite
def tangles(draw):
    """Few nodes, many streets between them: parallel ones, self-loops, one-ways, closed ones."""
    count = draw(st.integers(1, 4))
    graph = graph_of([], {i: (i, i % 2) for i in range(count)})
    streets = draw(
        st.lists(
            st.tuples(
                st.integers(0, count - 1), st.integers(0, count - 1), st.integers(1, 900),
                st.sampled_from(["two", "one", "one"]),
            ),
            min_size=1, max_size=9,
        )
    )  # fmt: skip
    for number, (u, v, metres, kind) in enumerate(streets):
        bow = (LON + STEP * (number + 1) / 7, LAT - STEP * (number + 1) / 5)
        corner = (bow[0] + STEP / 50, bow[1])
        ends = [(graph.nodes[n]["x"], graph.nodes[n]["y"]) for n in (u, v)]
        line = shapely.LineString([ends[0], bow, corner, ends[1]])
        graph.add_edge(u, v, length=float(metres), highway="road", geometry=line)
        if kind == "two":
            graph.add_edge(v, u, length=float(metres), highway="road", geometry=shapely.reverse(line))
    places = st.lists(
        st.tuples(st.integers(0, 10**6), st.sampled_from([0, 0.1, 0.5, 0.77, 1])), min_size=1, max_size=4
    )
    closed = draw(st.lists(st.booleans(), min_size=len(streets), max_size=len(streets)))
    return graph, draw(places), draw(places), draw(st.booleans()), closed


@settings(max_examples=80)
@given(tangles(), st.sampled_from([np.inf, 300.0, 777.0]))
def test_tangled_streets_agree_with_networkx(tangle, limit):
    graph, start, goal, on_foot, closed = tangle
    streets = streets_of(graph)
    count = len(streets.metres)
    pace = np.where(closed[:count], np.inf, 1.0)
    if np.isinf(pace).all():
        pace[0] = 1.0
    net = network(streets, pace, on_foot=on_foot)
    open_streets = np.flatnonzero(np.isfinite(pace))
    origins, goals = (
        [
            (
                int(open_streets[n % len(open_streets)]),
                share * streets.metres[open_streets[n % len(open_streets)]],
            )
            for n, share in points
        ]
        for points in (start, goal)
    )
    expected = np.array([[oracle(net, o, d) for d in goals] for o in origins])
    have = dense(net, snaps_of(*origins), snaps_of(*goals), limit)
    # a way that equals the limit may fall on either side of it
    clear = np.isinf(expected) | ~np.isclose(expected, limit, rtol=0, atol=0.01)
    expected = np.where(expected <= limit, expected, np.inf)
    assert have[clear] == pytest.approx(expected[clear], abs=0.0051)


def long_road(villages: int, schools: int):
    """Points every 10 m along one straight road of many streets, schools spread over it."""
    streets = villages // 50
    metres = np.full(streets, 500.0)
    none, words = np.empty(0, dtype=object), np.full(streets, "")
    both = np.ones(streets, dtype=bool)
    net = network(
        Streets(
            streets + 1, np.arange(streets), np.arange(1, streets + 1), metres, both, both, words, words, words,
            none, none, "",
        ),
        np.ones(streets), on_foot=True,
    )  # fmt: skip

    def at(position):
        street = np.minimum((position // 500).astype(np.int64), streets - 1)
        zeros = np.zeros(len(position))
        return Snaps(street, position - 500.0 * street, zeros, zeros.astype(bool))

    return net, np.arange(villages) * 10.0, np.linspace(0, villages * 10.0 - 10, schools), at


def test_memory_grows_with_the_pairs_within_the_limit_not_with_all():
    net, villages, schools, at = long_road(40_000, 320)
    origins, goals = at(villages), at(schools)
    peaks, pairs = [], []
    for limit in (500.0, 5000.0):
        tracemalloc.start()
        origin, destination, cost = matrix(net, origins, goals, limit)
        peaks.append(tracemalloc.get_traced_memory()[1] / 1e6)
        tracemalloc.stop()
        pairs.append(len(cost))
        assert cost == pytest.approx(np.abs(villages[origin] - schools[destination]), abs=0.01)
    assert pairs[1] > 8 * pairs[0] > 8 * 20_000
    assert pairs[1] == sum(int((np.abs(villages - s) <= 5000.0).sum()) for s in schools)
    everything = 8e-6 * len(villages) * len(schools)  # all pairs as one table, MB
    assert peaks[0] < everything / 4
    assert peaks[1] < everything


def test_the_answer_is_the_same_every_time_and_in_any_order_of_points():
    net, villages, schools, at = long_road(2_000, 70)
    one = matrix(net, at(villages), at(schools), 2000.0)
    two = matrix(net, at(villages), at(schools), 2000.0)
    assert all((a == b).all() for a, b in zip(one, two, strict=True))
    shuffled = np.random.default_rng(3).permutation(len(villages))
    origin, destination, cost = matrix(net, at(villages[shuffled]), at(schools), 2000.0)
    order = np.lexsort((destination, shuffled[origin]))
    assert (shuffled[origin][order] == one[0]).all()
    assert (cost[order] == one[2]).all()


def test_blocks_have_the_same_destinations_whatever_the_limit():
    net, villages, schools, at = long_road(500, CHUNK + 3)
    for limit in (-1.0, 0.0, 1000.0):
        parts = list(blocks(net, at(villages), at(schools), limit))
        assert len(parts) == 2
        assert (parts[0][1] < CHUNK).all() and (parts[1][1] >= CHUNK).all()


def test_two_points_far_from_both_ends_of_one_long_street_still_meet():
    net, _, _, at = long_road(100, 2)
    few = snaps_of((0, 240.0), (0, 260.0), (1, 0.0))
    assert dense(net, few, snaps_of((0, 250.0)), limit=20.0)[:, 0].tolist() == [10.0, 10.0, np.inf]
    assert len(at(np.array([1.0])).street) == 1
