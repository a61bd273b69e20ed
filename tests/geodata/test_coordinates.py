from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pyproj import Geod

from geodata.layers.coordinates import from_wgs84, in_china, to_wgs84

# published test vectors of the coordtransform library (README), as (lon, lat) in WGS-84, GCJ-02, BD-09
POINT = (116.404, 39.915)
GCJ = (116.41024449916938, 39.91640428150164)
BD = (116.41662724378733, 39.922699552216216)


def metres(a, b) -> float:
    return float(Geod(ellps="WGS84").inv(float(a[0]), float(a[1]), float(b[0]), float(b[1]))[2])


def arrays(point):
    return np.array([point[0]]), np.array([point[1]])


@pytest.mark.parametrize(("crs", "there"), [("gcj02", GCJ), ("bd09", BD)])
def test_published_vectors_both_ways(crs, there):
    lon, lat = from_wgs84(*arrays(POINT), crs)
    assert lon[0] == pytest.approx(there[0], abs=1e-10)
    assert lat[0] == pytest.approx(there[1], abs=1e-10)
    lon, lat = to_wgs84(*arrays(there), crs)
    assert metres((lon[0], lat[0]), POINT) < 0.001


# the formula evaluated on a grid of 2.8 km over China: GCJ-02 is 18 to 700 m off, BD-09 688 to 1,526 m
OFFSET = {"gcj02": (12, 720), "bd09": (680, 1540)}


@settings(max_examples=150)
@given(st.floats(75.0, 134.0), st.floats(18.5, 53.0), st.sampled_from(["gcj02", "bd09"]))
@example(97.0, 37.0, "gcj02")  # 44 m: the waves of the formula nearly cancel there
def test_round_trip_is_a_millimetre_and_the_offset_that_of_the_formula(lon, lat, crs):
    there = from_wgs84(*arrays((lon, lat)), crs)
    back = to_wgs84(*there, crs)
    assert metres((back[0][0], back[1][0]), (lon, lat)) < 0.001
    away = metres((there[0][0], there[1][0]), (lon, lat))
    least, most = OFFSET[crs]
    assert least < away < most


def test_error_of_undeclared_systems_near_nanling_is_as_the_domain_document_says():
    # sources.md 3.2: about 560 m in GCJ-02 and 1.2 km in BD-09
    here = (118.325, 30.916)
    gcj, bd = from_wgs84(*arrays(here), "gcj02"), from_wgs84(*arrays(here), "bd09")
    assert metres((gcj[0][0], gcj[1][0]), here) == pytest.approx(560, abs=40)
    assert metres((bd[0][0], bd[1][0]), here) == pytest.approx(1200, abs=80)


@pytest.mark.parametrize("crs", ["wgs84", "cgcs2000"])
def test_systems_taken_as_wgs84_are_left_exactly_alone(crs):
    lon, lat = arrays(POINT)
    for move in (from_wgs84, to_wgs84):
        moved = move(lon, lat, crs)
        assert (moved[0][0], moved[1][0]) == POINT


def test_no_offset_abroad():
    lon, lat = arrays((2.35, 48.86))
    assert not in_china(lon, lat)[0]
    moved = from_wgs84(lon, lat, "gcj02")
    assert (moved[0][0], moved[1][0]) == (2.35, 48.86)


@pytest.mark.parametrize("move", [from_wgs84, to_wgs84])
def test_an_unknown_system_is_refused_by_name(move):
    with pytest.raises(ValueError, match="gcj-02"):
        move(*arrays(POINT), "gcj-02")


def test_many_points_are_moved_like_each_alone():
    lon, lat = np.array([104.07, 118.325, 121.47]), np.array([30.67, 30.916, 31.23])
    together = to_wgs84(lon, lat, "bd09")
    for i in range(3):
        alone = to_wgs84(lon[i : i + 1], lat[i : i + 1], "bd09")
        assert (alone[0][0], alone[1][0]) == (together[0][i], together[1][i])
