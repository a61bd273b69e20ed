"""Road files that went wrong: each is made again by hand, and the whole kind is tried with it.

Numbers in the comments are those of the folders beside the repository, which say what is right.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from geodata.contract.findings import Finding
from geodata.folder.reading import check, read_county
from geodata.roads.snapping import metric_system
from geodata.travel.times import travel_times
from tests.damage import cells, write
from tests.geodata.test_cases import TOML, base, keys
from tests.samples import KM_LAT, KM_LON, LAT0, LON0

__all__ = ["base"]  # a fixture of the other half of these cases

# ---- roads (01, 02, 02b, 03, 03b, 04, 04b, 05, 07c)

MAIN = [(x, 0.0) for x in (-1.5, -1, 0, 0.3, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 12.3, 12.8)]
NORTH_A = [(0.0, 0.0), (0.0, 1.0), (0.0, 1.5), (0.1, 1.7)]
NORTH_B = [(11.0, -0.6), (12.0, -0.6), (12.0, 0.0), (12.0, 1.0), (12.0, 2.0)]
Node = tuple[float, float]


def osm(
    ways: list[tuple[list[Node], str]], number: dict[Node, int] | None = None, ways_first: bool = False,
    attributes: dict[int, str] | None = None, sign: int = 1,
) -> str:  # fmt: skip
    """An OSM file of ways through places in kilometres; equal places are one node unless numbered apart."""
    ids = dict(number or {})
    for line, _ in ways:
        for place in line:
            ids.setdefault(place, sign * (100 + len(ids)))
    nodes = [
        f'<node id="{i}" version="1" lat="{LAT0 + y * KM_LAT:.7f}" lon="{LON0 + x * KM_LON:.7f}"/>'
        for (x, y), i in ids.items()
    ]
    lines = []
    for k, (line, tags) in enumerate(ways, 1):
        more = (attributes or {}).get(k, "")
        refs = "".join(f'<nd ref="{ids[p]}"/>' for p in line)
        keys_ = "".join('<tag k="{}" v="{}"/>'.format(*t.split("=")) for t in tags.split())
        lines.append(f'<way id="{sign * k}" version="1"{more}>{refs}{keys_}</way>')
    parts = [*lines, *nodes] if ways_first else [*nodes, *lines]
    return '<?xml version="1.0"?><osm version="0.6">' + "\n".join(parts) + "</osm>"


def minutes(folder: Path, text: str, more: str = "") -> tuple[dict[tuple[str, str], float], list[Finding]]:
    """Walking minutes of V1 and W1 to A1 and B1 over a road file, and what was said."""
    (folder / "roads.osm").write_text(text, encoding="utf-8")
    (folder / "county.toml").write_text(TOML + 'roads = "roads.osm"\n' + more, encoding="utf-8")
    times = travel_times(read_county(folder), walk_limit=300, cached=False, modes=("walk",))
    walk = times.pairs.set_index(["village_id", "school_id"])["minutes"]
    some = {(v, s): float(walk.get((v, s), float("nan"))) for v in ("V1", "W1") for s in ("A1", "B1")}
    return some, list(times.findings)


WHOLE = [(MAIN, "highway=secondary"), (NORTH_A, "highway=unclassified"), (NORTH_B, "highway=unclassified")]


@pytest.mark.parametrize("ways_first", [False, True])
@pytest.mark.parametrize("sign", [1, -1])
def test_files_out_of_order_and_negative_ids_give_the_same_times(base, ways_first, sign):
    found, _ = minutes(base, osm(WHOLE, ways_first=ways_first, sign=sign))
    assert found["V1", "A1"] == pytest.approx(7.5, abs=0.1)
    assert found["W1", "B1"] == pytest.approx(4.5, abs=0.1)
    assert found["W1", "A1"] == pytest.approx(184.3, abs=0.5)


def test_a_stretch_drawn_by_hand_is_part_of_the_road(base):
    ways = [
        (MAIN[:11], "highway=secondary"),
        (MAIN[10:15], "highway=secondary"),
        (MAIN[14:], "highway=secondary"),
    ]
    text = osm(ways + WHOLE[1:], number={p: -1000 - i for i, p in enumerate(MAIN[10:15])})
    found, _ = minutes(base, text)
    assert found["W1", "A1"] == pytest.approx(184.3, abs=0.5) and found["W1", "B1"] == pytest.approx(
        4.5, abs=0.1
    )


@pytest.mark.parametrize("mark", [' action="delete"', " action='delete'", ' visible="false"'])
def test_a_deleted_bridge_is_absent_and_counted(base, mark):
    ways = [
        (MAIN[:11], "highway=secondary"),
        (MAIN[10:12], "highway=secondary bridge=yes"),
        (MAIN[11:], "highway=secondary"),
    ]
    found, said = minutes(base, osm(ways + WHOLE[1:], attributes={2: mark}))
    assert found["W1", "A1"] != found["W1", "A1"]  # no way across
    assert found["V1", "A1"] == pytest.approx(7.5, abs=0.1) and found["W1", "B1"] == pytest.approx(
        4.5, abs=0.1
    )
    assert {"roads.deleted", "roads.piece_apart"} <= {f.key for f in said}


def test_ends_at_the_very_same_place_are_joined_and_named(base):
    ways = [(MAIN[:11], "highway=secondary"), (MAIN[10:], "highway=secondary"), *WHOLE[1:]]
    node = f'<node id="999" version="1" lat="{LAT0:.7f}" lon="{LON0 + 7 * KM_LON:.7f}"/>'
    head, tail = osm(ways).replace('<way id="1"', node + '<way id="1"', 1).split('<way id="2"', 1)
    apart = head + '<way id="2"' + tail.replace('<nd ref="110"/>', '<nd ref="999"/>', 1)
    found, said = minutes(base, apart)
    assert found["V1", "A1"] == pytest.approx(7.5, abs=0.1) and found["W1", "A1"] == pytest.approx(
        184.3, abs=0.5
    )
    assert "roads.ends_joined" in {f.key for f in said}


@pytest.mark.parametrize("spur", [False, True])
def test_an_island_with_a_ring_road_has_times_of_its_own(base, spur):
    ring = [(11.5, -0.7), (12.5, -0.7), (12.5, 0.6), (12.5, 2.2), (11.5, 2.2), (11.5, 0.6), (11.5, -0.7)]
    ways = [(MAIN[:14], "highway=secondary"), WHOLE[1], (ring, "highway=unclassified")]
    if spur:
        ways.append(([(12.5, 0.6), (12.2, 0.6)], "highway=unclassified"))
    found, said = minutes(base, osm(ways))
    assert found["W1", "A1"] != found["W1", "A1"] and 5 <= found["W1", "B1"] <= 25
    assert [f.key for f in said].count("roads.piece_apart") == 1
    assert "roads.fragments_walk" in {f.key for f in said}


def test_a_ferry_that_meets_others_on_the_water_is_waited_for_once(base):
    middle_ = (8.0, 0.3)
    lines = [
        ([MAIN[10], middle_], "route=ferry"),
        ([middle_, MAIN[13]], "route=ferry"),
        ([middle_, (8.0, 2.0)], "route=ferry"),
    ]
    ways = [
        (MAIN[:11], "highway=secondary"),
        (MAIN[13:], "highway=secondary"),
        *WHOLE[1:],
        ([(8.0, 2.0), (8.5, 2.0)], "highway=path"),
    ]
    direct = [
        (MAIN[:11], "highway=secondary"),
        (MAIN[13:], "highway=secondary"),
        *WHOLE[1:],
        ([MAIN[10], middle_, MAIN[13]], "route=ferry"),
    ]
    one, _ = minutes(base, osm(direct), "[travel]\nferries = true\n")
    three, _ = minutes(base, osm(ways + lines), "[travel]\nferries = true\n")
    assert three["W1", "A1"] == pytest.approx(one["W1", "A1"], abs=0.1)


# ---- more of the same kinds: 180 degrees, poles, one point, ends that only touch, many pieces


def moved(folder: Path, lon0: float, lat0: float) -> None:
    """Schools and villages of the sound county somewhere else on the globe."""
    for table in ("schools", "villages"):
        frame = cells(folder, table)
        lon = frame["lon"].astype(float) - LON0 + lon0
        frame["lon"] = ((lon + 180) % 360 - 180).map(repr)
        frame["lat"] = (frame["lat"].astype(float) - LAT0 + lat0).map(repr)
        write(folder, table, frame)


def shifted(text: str, lon0: float, lat0: float) -> str:
    """The nodes of an OSM file moved with them."""
    import re

    def other(found: re.Match[str]) -> str:
        lat, lon = float(found[1]) - LAT0 + lat0, float(found[2]) - LON0 + lon0
        return f'lat="{lat:.7f}" lon="{(lon + 180) % 360 - 180:.7f}"'

    return re.sub(r'lat="(.*?)" lon="(.*?)"', other, text)


@pytest.mark.parametrize("lon0", [179.95, 179.999, -179.999])
def test_roads_across_180_degrees_are_one_network(base, lon0):
    moved(base, lon0, 14.0)
    found, said = minutes(base, shifted(osm(WHOLE), lon0, 14.0))
    # kilometres a degree differ between latitudes: here the roads are 1.13 times as long from west to east
    assert found["V1", "A1"] == pytest.approx(7.5, abs=1) and found["W1", "B1"] == pytest.approx(4.5, abs=0.6)
    assert found["W1", "A1"] == pytest.approx(184.3 * 1.13, rel=0.03)
    assert not {"roads.piece_apart", "roads.far_snap_walk"} & {f.key for f in said}


def test_systems_in_metres_are_those_of_the_place():
    import numpy as np

    def of(*places: tuple[float, float]) -> str:
        return metric_system(np.array(places, dtype=float))

    assert of((118.3, 30.9), (118.5, 31)) == "EPSG:32650" and of((-67, -16)) == "EPSG:32719"
    assert of((179.9, 14), (-179.8, 14)) == "EPSG:32601" and of((179.8, -17), (-179.9, -17)) == "EPSG:32760"
    assert of((10, 89.5)) == "EPSG:5041" and of((10, -89)) == "EPSG:5042"


@pytest.mark.parametrize("lat0", [89.5, -89.5])
def test_a_county_at_a_pole_ends_in_times_or_words(base, lat0):
    moved(base, 10.0, lat0)
    assert keys(check(base)) == []
    found, _ = minutes(base, shifted(osm(WHOLE), 10.0, lat0))
    assert all(m != m or m >= 0 for m in found.values())


def test_all_places_at_one_point_have_times_of_nothing(base):
    for table in ("schools", "villages"):
        frame = cells(base, table)
        write(base, table, frame.assign(lon=repr(LON0), lat=repr(LAT0)))
    assert keys(check(base)) == []
    found, _ = minutes(base, osm(WHOLE))
    assert set(found.values()) == {0.0}
    (base / "county.toml").write_text(TOML, encoding="utf-8")
    crow = travel_times(read_county(base), cached=False, modes=("walk",))
    assert set(crow.pairs["minutes"]) == {0.0}


def test_streets_of_no_length_are_passed_in_no_time(base):
    text = osm([*WHOLE, ([NORTH_A[1], (0.0, 1.0 + 1e-9)], "highway=unclassified")])
    found, _ = minutes(base, text)
    assert found["V1", "A1"] == pytest.approx(7.5, abs=0.1)


@pytest.mark.parametrize("gap", [0.0005, 0.003])
def test_an_end_that_only_touches_another_road_is_named_with_its_place(base, gap):
    west = (7.0 - gap, 0.0)
    ways = [([*MAIN[:10], west], "highway=secondary"), (MAIN[10:], "highway=secondary"), *WHOLE[1:]]
    found, said = minutes(base, osm(ways))
    assert found["W1", "A1"] != found["W1", "A1"]
    touching = [f for f in said if f.key == "roads.ends_touch"]
    assert len(touching) == (gap < 0.001)
    if touching:
        assert touching[0].severity == "warning" and f"{LON0 + 7 * KM_LON:.3f}" in str(
            touching[0].fields["places"]
        )
        assert "roads.ends_touch" in keys(check(base), "warning")


def test_a_dead_end_on_the_middle_of_another_road_is_named(base):
    ways = [*WHOLE, ([(5.5, 0.0002), (5.5, 1.0)], "highway=residential")]
    _, said = minutes(base, osm(ways))
    assert [f.fields["count"] for f in said if f.key == "roads.ends_touch"] == [1]


def test_the_second_of_two_ways_with_one_number_keeps_its_road(base):
    text = osm([(MAIN[:11], "highway=secondary"), (MAIN[10:], "highway=secondary"), *WHOLE[1:]])
    found, _ = minutes(base, text.replace('<way id="2"', '<way id="1"'))
    assert found["W1", "A1"] == pytest.approx(184.3, abs=0.5)


def test_check_says_what_the_roads_are_like(base):
    odd = [
        (MAIN, "highway=secondary surface=moon"),
        *WHOLE[1:],
        ([(3.0, 0.0), (3.0, 1.0)], "highway=rest_area"),
    ]
    minutes(base, osm(odd))
    found = check(base)
    assert keys(found) == []
    said = {"roads.unknown_surface", "roads.no_surface", "roads.speeds_assumed", "roads.left_out"}
    assert said <= set(keys(found, "note"))
