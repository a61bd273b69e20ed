from __future__ import annotations

import numpy as np
import pytest
import shapely

from geodata.areas.catchments import catchments
from geodata.areas.zones import demand_zones
from geodata.folder.reading import read_county
from tests.geodata.grids import areas, county, going

LAYER = areas({v: (2 * i, 0, 2 * i + 2, 2) for i, v in enumerate("ABCD")}, "village_id")
ZONES = demand_zones(county({v: (2 * i + 1, 1) for i, v in enumerate("ABCD")}, zones=LAYER))


def test_zones_are_joined_by_school_and_those_without_pupils_go_along():
    done = catchments(ZONES, going([("A", "S", 5), ("B", "S", 3), ("B", "T", 4), ("D", "T", 2)]), "g1_3")
    assert done.areas["school_id"].tolist() == ["S", "T"]
    assert done.areas["pupils"].tolist() == [8, 6]
    assert sorted(done.areas["villages"].tolist()) == [1, 3]
    assert {f.key: f.fields["count"] for f in done.findings} == {"zones.split": 1, "zones.no_pupils": 1}
    assert (done.areas.geometry.area / 1e6).tolist() == pytest.approx([4, 12], rel=1e-5)
    assert catchments(ZONES, going([]), "g1_3").areas.empty


def test_catchments_of_nanpu_are_exactly_the_zones(nanpu):
    real = read_county(nanpu)
    zones = demand_zones(real)
    for band in ("g1_3", "g4_6", "g7_9"):
        shapes = catchments(zones, real.attendance, band).areas.geometry.to_numpy()
        assert shapely.is_valid(shapes).all()
        assert shapely.coverage_is_valid(shapes)
        assert shapely.area(shapes).sum() == pytest.approx(zones.boundary.area, rel=1e-9)
        left = shapely.symmetric_difference(shapely.union_all(shapes), zones.boundary)
        assert np.isclose(left.area, 0, atol=1)
