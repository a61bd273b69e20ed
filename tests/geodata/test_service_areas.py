from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import shapely

from geodata.areas.isochrones import service_areas
from geodata.folder.reading import read_county
from geodata.travel.times import travel_times
from tests.geodata.grids import county, roads


def test_a_straight_street_is_reached_for_a_kilometre_in_15_minutes():
    line = roads([((0, 0), (8, 0))])
    done = service_areas(county({"A": (4, 0)}, {"S": (4, 0)}, roads=line)).areas
    width, height = done.geometry.bounds.eval("maxx - minx"), done.geometry.bounds.eval("maxy - miny")
    assert width.tolist() == pytest.approx([2200, 4200, 6200], rel=1e-3)  # both ways, and 100 m at the ends
    assert height.tolist() == pytest.approx([200] * 3, rel=1e-3)


def test_without_roads_circles_are_flagged():
    done = service_areas(county({"A": (4, 0)}, {"S": (4, 0)}))
    assert [f.key for f in done.findings] == ["zones.circles"]
    assert done.areas.geometry.bounds.eval("maxx - minx").iloc[0] == pytest.approx(2000 / 1.35, rel=1e-6)


def test_nanpu_areas_are_nested_and_hold_every_village_within_the_limit(nanpu):
    real = read_county(nanpu)
    done = service_areas(real).areas
    assert done.geometry.is_valid.all()
    by = {m: part.geometry.to_numpy() for m, part in done.groupby("minutes")}
    for small, large in ((15, 30), (30, 45)):
        assert np.allclose(shapely.area(shapely.difference(by[small], by[large])), 0, atol=1e-3)
    pairs = travel_times(real, modes=("walk",), cached=False).pairs
    villages = gpd.GeoSeries(real.points("villages").to_crs(done.crs).geometry)
    villages.index = real.villages["village_id"]
    row = {s: i for i, s in enumerate(real.schools["school_id"])}
    for limit, shapes in by.items():
        near = pairs[pairs["minutes"] <= limit - 0.01]
        inside = shapely.intersects(
            shapes[near["school_id"].map(row)], villages.loc[near["village_id"]].to_numpy()
        )
        assert len(near) > 50
        assert inside.all()
