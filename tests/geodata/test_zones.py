from __future__ import annotations

from dataclasses import replace

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from shapely.geometry import Point, Polygon, box

from geodata.areas.tessellation import borders, is_sliver, tile, without_slivers
from geodata.areas.zones import Zones, demand_zones, spaced, walking, zone_adjacency
from geodata.folder.reading import read_county, read_head
from geodata.roads.reach import nearest, sections
from geodata.roads.snapping import snap
from geodata.travel.times import WALK_PACE
from tests.geodata.grids import EAST, NORTH, areas, county, grid, roads

UNSHRUNK = (Phase.explicit, Phase.reuse, Phase.generate)  # shrinking takes minutes
TOWN = areas({"T": (-1, -1, 5, 3)}, "township")


@pytest.fixture(scope="module")
def real(nanpu):
    return read_county(nanpu)


@pytest.fixture(scope="module")
def nanpu_zones(real) -> Zones:
    return demand_zones(real)


def at(zones: Zones, village: str) -> shapely.Geometry:
    """Zone of a village in kilometres from the grid's corner."""
    shape = zones.areas.set_index("village_id").geometry[village]
    return shapely.transform(shape, lambda xy: (xy - [EAST, NORTH]) / 1000)


def keys(zones: Zones) -> list[str]:
    return [f.key for f in zones.findings]


def holds_together(zones: Zones) -> None:
    """What is true of all zones: they tile the boundary, valid, each around its own village."""
    shapes = zones.areas.geometry.to_numpy()
    assert shapely.is_valid(shapes).all()
    assert shapely.coverage_is_valid(shapes)
    assert shapely.area(shapes).sum() == pytest.approx(zones.boundary.area, rel=1e-6)
    gap = shapely.symmetric_difference(shapely.union_all(shapes), zones.boundary)
    assert gap.area < 1e-6 * zones.boundary.area
    assert shapely.intersects(shapes, zones.villages).all()
    pairs = {(r.village_id, r.neighbour_id): r.border_m for r in zone_adjacency(zones).itertuples()}
    assert all(pairs[b, a] == metres and a != b for (a, b), metres in pairs.items())


def test_nanpu_is_tiled(nanpu_zones, real):
    assert nanpu_zones.source == "network"
    assert nanpu_zones.areas["village_id"].tolist() == real.villages["village_id"].tolist()
    holds_together(nanpu_zones)
    near = np.unique(zone_adjacency(nanpu_zones)["village_id"])
    assert near.tolist() == sorted(nanpu_zones.areas["village_id"])  # nobody is an island


def test_zones_are_the_same_again(real, nanpu_zones):
    again = demand_zones(real)
    assert again.areas.to_wkb().equals(nanpu_zones.areas.to_wkb())
    assert again.findings == nanpu_zones.findings


def test_a_street_is_split_where_two_villages_meet():
    # A walks 600 m to the street, B none: they meet 300 m nearer to A than half way
    given_county = county({"A": (0, 0.6), "B": (4, 0)}, roads=roads([((-1, 0), (5, 0))]), townships=TOWN)
    net = walking(given_county)
    points = snap(net, given_county.villages["lon"].to_numpy(), given_county.villages["lat"].to_numpy())
    pieces = nearest(sections(net, points, WALK_PACE), np.arange(2))
    assert pieces.owner.tolist() in ([0, 0, 1, 1], [1, 1, 0, 0])
    lengths = {o: float((pieces.end - pieces.start)[pieces.owner == o].sum()) for o in (0, 1)}
    assert lengths[0] == pytest.approx(1000 + 1700, abs=5)
    assert lengths[1] == pytest.approx(1000 + 2300, abs=5)


def test_the_border_crosses_the_street_where_villages_meet_and_follows_the_network():
    # a river without a bridge between y = 0 and y = 1: C is nearer to the north bank by air only
    streets = roads([((0, 0), (4, 0)), ((0, 0), (0, 1)), ((0, 1), (4, 1))])
    zones = demand_zones(county({"A": (0.5, 0), "B": (4, 0)}, roads=streets, townships=TOWN))
    holds_together(zones)
    assert at(zones, "A").covers(Point(2.24, 0))
    assert at(zones, "B").covers(Point(2.26, 0))
    assert at(zones, "A").covers(Point(3.9, 1))  # 4.9 km to A, 9.4 km to B, which is 1 km away by air
    straight = demand_zones(county({"A": (0.5, 0), "B": (4, 0)}, townships=TOWN))
    assert at(straight, "B").covers(Point(3.9, 1))
    holds_together(straight)
    assert straight.source == "straight"
    assert "zones.straight" in keys(straight)


def test_four_villages_on_a_grid_have_a_quarter_each():
    four = {"A": (1, 0), "B": (3, 0), "C": (1, 2), "D": (3, 2)}
    zones = demand_zones(county(four, roads=grid(4, 2), townships=TOWN))
    holds_together(zones)
    assert [at(zones, v).area for v in four] == pytest.approx([6.0] * 4, rel=0.15)
    assert sum(at(zones, v).area for v in four) == pytest.approx(
        24, rel=1e-6
    )  # the streets between them are ties
    pairs = set(zone_adjacency(zones, 1500).itertuples(index=False, name=None))
    assert {(a, b) for a, b, _ in pairs} == {
        ("A", "B"), ("B", "A"), ("C", "D"), ("D", "C"), ("A", "C"), ("C", "A"), ("B", "D"), ("D", "B")
    }  # fmt: skip
    border = zone_adjacency(zones, 1500).set_index(["village_id", "neighbour_id"])["border_m"]
    assert border["A", "C"] == pytest.approx(3000, rel=0.2)


def test_without_townships_the_boundary_is_drawn_and_said():
    zones = demand_zones(county({"A": (1, 0), "B": (3, 0)}, roads=grid(4, 2)))
    holds_together(zones)
    assert "zones.no_boundary" in keys(zones)
    assert zones.boundary.area / 1e6 == pytest.approx(np.pi + 4, rel=0.01)


def test_a_small_gap_between_townships_is_filled_and_a_lake_is_not():
    shapes = areas({"T": (-1, -1, 5, 3)}, "township").to_crs("EPSG:32650")
    cut = shapely.transform(box(2, 0.5, 2.05, 0.55), lambda xy: xy * 1000 + [EAST, NORTH])
    lake = shapely.transform(box(3, 1.2, 3.5, 1.6), lambda xy: xy * 1000 + [EAST, NORTH])
    holed = gpd.GeoDataFrame(
        {"township": ["T"]}, geometry=[shapes.geometry[0] - cut - lake], crs=shapes.crs
    ).to_crs("EPSG:4326")
    zones = demand_zones(county({"A": (1, 0), "B": (3, 0)}, roads=grid(4, 2), townships=holed))
    holds_together(zones)
    assert zones.boundary.area / 1e6 == pytest.approx(24 - 0.2, rel=1e-5)
    assert [f.fields["count"] for f in zones.findings if f.key == "zones.boundary_gaps"] == [1]


def test_villages_outside_and_at_one_place_are_named():
    zones = demand_zones(
        county({"A": (1, 0), "B": (1, 0), "C": (9, 9), "D": (3, 2)}, roads=grid(4, 2), townships=TOWN)
    )
    said = {(f.key, f.value) for f in zones.findings if f.severity == "warning"}
    assert said == {("zones.same_place", "B"), ("zones.outside", "C")}
    assert not set(zones.areas["village_id"]) - {"A", "C", "D"}


def test_one_village_has_the_whole_county():
    zones = demand_zones(county({"A": (1, 0)}, townships=TOWN))
    assert at(zones, "A").area == pytest.approx(24, rel=1e-6)
    assert zone_adjacency(zones).empty


LAYER = areas({"A": (0, 0, 2, 2), "B": (2, 0, 4, 2), "": (4, 0, 6, 2)}, "village_id")
VILLAGES = {"A": (1, 1), "B": (3, 1), "C": (5, 1)}


def test_own_polygons_by_id_and_by_place():
    zones = demand_zones(county(VILLAGES, zones=LAYER))
    assert zones.source == "polygons"
    assert zones.findings == ()
    assert [at(zones, v).area for v in VILLAGES] == pytest.approx([4, 4, 4], rel=1e-6)
    holds_together(zones)
    pairs = zone_adjacency(zones)
    assert list(zip(pairs["village_id"], pairs["neighbour_id"], strict=True)) == [
        ("A", "B"), ("B", "A"), ("B", "C"), ("C", "B")
    ]  # fmt: skip
    assert pairs["border_m"].tolist() == pytest.approx([2000] * 4, rel=1e-5)


def test_polygons_without_ids_are_matched_by_place_and_divided_where_shared():
    plain = LAYER.drop(columns="village_id")
    zones = demand_zones(county(VILLAGES | {"D": (5, 0.4)}, zones=plain))
    holds_together(zones)
    assert [f.fields["names"] for f in zones.findings] == ["village C, village D"]
    assert at(zones, "D").area == pytest.approx(1.4, rel=1e-4)


def test_every_failed_match_is_a_finding():
    layer = areas({"A": (0, 0, 2, 2), "X": (2, 0, 4, 2), "B": (4, 0, 6, 2)}, "village_id")
    zones = demand_zones(county({"A": (1, 1), "B": (9, 9), "C": (8, 1)}, zones=layer))
    said = {(f.key, f.value) for f in zones.findings}
    assert said == {
        ("zones.unknown_id", "X"), ("zones.no_village", ""), ("zones.outside_own", "B"), ("zones.no_polygon", "C")
    }  # fmt: skip
    assert zones.areas["village_id"].tolist() == ["A", "B"]
    assert all(f.sentence(x) for f in zones.findings for x in ("en", "zh"))


def test_overlaps_gaps_and_knots_of_polygons_are_mended_and_said():
    layer = areas({"A": (0, 0, 2.01, 2), "B": (2, 0, 4, 2), "C": (4.004, 0, 6, 2)}, "village_id")
    knot = Polygon([(0, 0), (2, 2), (2, 0), (0, 2)])
    zones = demand_zones(county(VILLAGES, zones=layer))
    holds_together(zones)
    assert keys(zones) == ["zones.mended"]
    assert zones.boundary.area / 1e6 == pytest.approx(12 - 0.008, rel=1e-5)  # open at its ends, the gap stays
    layer.geometry = [shapely.transform(knot, lambda xy: xy * 0.01 + [117, 30]), *layer.geometry[1:]]
    bad = demand_zones(county(VILLAGES, zones=layer))
    assert bad.findings[0].fields["count"] == 1
    assert bad.areas.is_valid.all()


def test_the_layer_is_named_in_county_toml(county_folder):
    toml = county_folder / "county.toml"
    toml.write_text('zones = "zones.geojson"\n' + toml.read_text(encoding="utf-8"), encoding="utf-8")
    assert read_head(county_folder).zones == "zones.geojson"
    areas({"C001": (0, 0, 1, 1)}, "village_id").to_file(county_folder / "zones.geojson")
    read = read_county(county_folder)
    assert read.zones is not None
    assert read.zones["village_id"].tolist() == ["C001"]
    assert replace(read, zones=None).content_hash == read.content_hash  # plans do not depend on it


@settings(max_examples=10, phases=UNSHRUNK)
@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 20)), min_size=1, max_size=12, unique=True))
def test_any_villages_tile_the_county(places):
    villages = {f"V{i:02}": (x / 10, y / 10) for i, (x, y) in enumerate(places)}
    for streets in (grid(4, 2), None):
        holds_together(demand_zones(county(villages, roads=streets, townships=TOWN)))


@settings(max_examples=50, phases=UNSHRUNK)
@given(st.integers(0, 2**32 - 1), st.integers(2, 60), st.integers(1, 8))
def test_ground_goes_to_the_owner_of_the_nearest_seed(seed, count, owners):
    rng = np.random.default_rng(seed)
    points, owner = rng.uniform(0, 1000, (count, 2)), rng.integers(0, owners, count)
    owner[-1] = owners - 1
    outline = Point(500, 500).buffer(450).difference(box(480, 0, 520, 600))
    shapes = tile(points, owner, outline)
    assert shapely.area(shapes).sum() == pytest.approx(outline.area, rel=1e-9)
    probe = rng.uniform(100, 900, (50, 2))
    probe = probe[shapely.contains_xy(outline, *probe.T)]
    away = np.hypot(*(probe[:, None] - points[None]).transpose(2, 0, 1))
    best = owner[away.argmin(axis=1)]
    assert shapely.intersects(shapes[best], shapely.points(probe)).all()


def test_borders_are_measured_once_and_corners_do_not_count():
    squares = np.array([box(0, 0, 1, 1), box(1, 0, 2, 1), box(0, 1, 1, 2), box(1, 1, 2, 2)])
    table = borders(squares)
    assert table[["left", "right"]].to_numpy().tolist() == [[0, 1], [0, 2], [1, 3], [2, 3]]
    assert table["metres"].tolist() == [1.0] * 4


def test_a_sliver_goes_to_the_longest_border_unless_its_village_lives_there():
    left, right = box(0, 0, 500, 1000), box(500, 0, 1000, 900)
    strip = box(500, 900, 1000, 920)  # 500 m along the right shape, 20 m along the left
    detached = shapely.MultiPolygon([box(2000, 0, 2500, 500), strip])
    shapes = np.array([left, right, detached])
    assert is_sliver(np.array([strip, left])).tolist() == [True, False]
    homes = np.array([Point(1, 1), Point(999, 1), Point(2100, 100)])
    done, count = without_slivers(shapes, homes, np.arange(3))
    assert count == 1
    assert shapely.area(done).tolist() == [500_000, 460_000, 250_000]
    homes[2] = Point(700, 910)
    done, count = without_slivers(shapes, homes, np.arange(3))
    assert count == 0
    assert shapely.equals_exact(done, shapes).all()


def test_samples_are_dense_and_leave_the_ends_a_metre():
    piece, offset = spaced(np.array([0.0, 10.0]), np.array([2.0, 212.0]))
    assert piece.tolist() == [0, 0, 1, 1, 1, 1, 1]
    assert offset[:2].tolist() == [0.5, 1.5]
    assert offset[2:] == pytest.approx(np.linspace(11, 211, 5))
