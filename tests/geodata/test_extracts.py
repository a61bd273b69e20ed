from __future__ import annotations

import osmium
import pytest

import geodata.roads.extracts as extracts
from geodata.contract.findings import InputProblems
from geodata.roads.extracts import Box, box_around, read_extract
from geodata.roads.graph import read_roads, roads_findings
from geodata.roads.snapping import snap, streets_of
from geodata.roads.speeds import Conditions, mode_network, usable_classes
from tests.geodata.test_roads import DATA, needs_data

USABLE = usable_classes()

# a road leaves the county's box eastwards (1 - 2 | 3), another lies wholly outside (4 - 5), a ferry
# joins 2 to an island road (6 - 7); a path runs along the far shore
WAYS = """
<way id="10" version="1"><nd ref="1"/><nd ref="2"/><tag k="highway" v="residential"/></way>
<way id="11" version="1"><nd ref="2"/><nd ref="3"/><tag k="highway" v="primary"/></way>
<way id="12" version="1"><nd ref="4"/><nd ref="5"/><tag k="highway" v="primary"/></way>
<way id="13" version="1"><nd ref="2"/><nd ref="6"/><tag k="route" v="ferry"/></way>
<way id="14" version="1"><nd ref="6"/><nd ref="7"/><tag k="highway" v="unclassified"/></way>
<way id="15" version="1"><nd ref="1"/><nd ref="6"/><tag k="route" v="bus"/></way>
<way id="16" version="1"><nd ref="4"/><nd ref="5"/><tag k="highway" v="proposed"/></way>
"""
PLACES = {1: (0, 0), 2: (1, 0), 3: (30, 0), 4: (30, 1), 5: (31, 1), 6: (1, 2), 7: (1, 3)}
BOX = Box(118.29, 30.89, 118.33, 30.95)


def osm(path, ways=WAYS, missing=()):
    nodes = "".join(
        f'<node id="{n}" version="1" lon="{118.3 + x / 100}" lat="{30.9 + y / 100}"/>\n'
        for n, (x, y) in PLACES.items()
        if n not in missing
    )
    path.write_text(f'<osm version="0.6">\n{nodes}{ways}</osm>', encoding="utf-8")
    return path


@pytest.fixture
def file(tmp_path):
    return osm(tmp_path / "province.osm")


def test_a_box_keeps_ways_that_touch_it_whole(file):
    extract = read_extract(file, USABLE, BOX)
    assert [way[0] for way in extract.ways] == [10, 11, 14]
    assert extract.ways[1][1] == [2, 3]  # node 3 lies outside
    assert (extract.outside, extract.cut, extract.ferries) == (1, 0, 1)
    assert extract.left_out == {}  # the proposed road is outside too


def test_places_on_disk_give_the_same_as_in_memory(file, monkeypatch):
    want = read_extract(file, USABLE, BOX, ferries=True)
    monkeypatch.setattr(extracts, "LARGE_BYTES", 0)
    assert read_extract(file, USABLE, BOX, ferries=True) == want


def test_reading_holds_only_the_county(file):
    extract = read_extract(file, USABLE, BOX)
    assert set(extract.places) == {1, 2, 3, 6, 7}


def test_box_around_is_wider_on_every_side():
    box = box_around([118.0, 118.5], [30.0, 30.2], margin_km=11.12)
    assert (box.south, box.north) == pytest.approx((29.9, 30.3))
    east = (box.east - 118.5) * 111.2 * 0.8634  # cosine of 30.3 degrees
    assert east == pytest.approx(11.12, rel=1e-3)
    assert box.holds((118.5, 30.3)) and not box.holds((118.5, 30.31))


def test_what_was_left_outside_is_told(file):
    found = {f.key: f for f in roads_findings(read_roads(file, BOX))}
    assert found["roads.outside"].fields == {"count": 1}
    assert found["roads.ferries_unused"].fields == {"count": 1}
    for finding in found.values():
        assert finding.sentence("zh") != finding.sentence("en")


def test_an_extract_of_another_county_is_refused(file):
    with pytest.raises(InputProblems) as caught:
        read_roads(file, Box(10, 50, 11, 51))
    (finding,) = caught.value.findings
    assert (finding.key, finding.fields["count"]) == ("roads.elsewhere", 4)
    assert "covers the county" in finding.sentence("en")


def test_ferries_join_shores_only_when_asked_for(file):
    without = streets_of(read_roads(file, BOX))
    assert not without.ferry.any()
    assert mode_network(without, "walk").main.sum() == 2
    graph = read_roads(file, BOX, ferries=True)
    streets = streets_of(graph)
    assert streets.highway[streets.ferry].tolist() == ["ferry"]
    assert mode_network(streets, "walk").main.all()
    assert "roads.flag_ferry" in [f.key for f in roads_findings(graph)]
    boat = streets.metres[streets.ferry][0]
    pace = mode_network(streets, "walk").pace[streets.ferry][0]
    assert pace * boat == pytest.approx(boat / 8 * 3.6 + 600)  # 8 km/h after ten minutes at the landing
    assert mode_network(streets, "walk", conditions=Conditions("flood")).main.sum() == 2


def test_nobody_boards_between_the_landings(file):
    net = mode_network(streets_of(read_roads(file, BOX, ferries=True)), "walk")
    at = snap(net, [118.31], [30.909])  # beside the boat's line, nearer to the southern landing
    assert not net.streets.ferry[at.street[0]]
    assert at.access[0] == pytest.approx(0.009 * 110_870, rel=2e-3)


def test_every_piece_of_a_cut_way_is_kept_once(tmp_path):
    way = "".join(f'<nd ref="{n}"/>' for n in (1, 2, 3, 6, 7, 4, 5))
    ways = f'<way id="20" version="1">{way}<tag k="highway" v="primary"/></way>'
    extract = read_extract(osm(tmp_path / "cut.osm", ways, missing=(3, 4)), USABLE)
    assert [refs for _, refs, _ in extract.ways] == [[1, 2], [6, 7]]
    assert len({number for number, _, _ in extract.ways}) == 2
    assert extract.cut == 1


@needs_data
def test_a_clipped_county_keeps_its_ways_as_the_whole_file_has_them():
    pbf = DATA / "rutland" / "rutland-latest.osm.pbf"
    whole = read_extract(pbf, USABLE)
    box = Box(-0.75, 52.64, -0.68, 52.70)
    part = read_extract(pbf, USABLE, box)
    inside = [way for way in whole.ways if any(box.holds(whole.places[ref]) for ref in way[1])]
    assert part.ways == inside
    assert 0 < len(part.ways) < len(whole.ways)
    assert part.outside == len(whole.ways) - len(part.ways)
    assert whole.left_out == {"raceway": 1, "rest_area": 1}


@needs_data
def test_pbf_and_bz2_of_rutland_hold_the_same_roads():
    folder = DATA / "rutland"
    pbf, bz2 = (read_extract(folder / f"rutland-{n}", USABLE) for n in ("latest.osm.pbf", "highways.osm.bz2"))
    # whoever cut the .bz2 from the .pbf did not take indoor corridors for roads: way 892423127
    rest = [(w[0], w[1]) for w in pbf.ways if w[0] != 892423127]
    assert rest == [(w[0], w[1]) for w in bz2.ways]
    assert bz2.places.items() <= pbf.places.items()


def test_of_a_generated_province_the_ways_that_touch_the_county_are_kept(tmp_path, monkeypatch):
    side, file = 100, tmp_path / "province.osm.pbf"  # 10,000 nodes over three degrees
    box = box_around([117.4, 117.6], [30.4, 30.6])
    places = {
        i: (round(116 + i % side * 0.03, 7), round(29 + i // side * 0.03, 7)) for i in range(side * side)
    }
    stretches = [[r * side + w + k for k in range(10)] for r in range(side) for w in range(0, 90, 9)]
    with osmium.SimpleWriter(str(file)) as out:
        for i, place in places.items():
            out.add_node(osmium.osm.mutable.Node(id=i + 1, location=place, version=1))
        for number, nodes in enumerate(stretches):
            tags = {"highway": "tertiary"} if number % 3 else {"building": "yes"}
            way = osmium.osm.mutable.Way(id=number + 1, nodes=[n + 1 for n in nodes], tags=tags, version=1)
            out.add_way(way)
    monkeypatch.setattr(extracts, "LARGE_BYTES", 0)
    extract = read_extract(file, USABLE, box)
    near = [n + 1 for n, s in enumerate(stretches) if n % 3 and any(box.holds(places[i]) for i in s)]
    assert 0 < len(near) < 50
    assert [number for number, _, _ in extract.ways] == near
    assert len(extract.ways) + extract.outside == sum(bool(n % 3) for n in range(len(stretches)))
    assert len(extract.places) == 10 * len(near) - shared(near)


def shared(near: list[int]) -> int:
    """Stretches that follow each other on a row share a node."""
    return sum(n + 1 in near and n % 10 != 0 for n in near)
