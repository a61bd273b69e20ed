"""Road files by what is in them: packings, versions, objects twice, and tags that times do not heed but `check` tells."""

from __future__ import annotations

import bz2
import gzip
import re
from pathlib import Path

import pytest

from geodata.contract.findings import Finding, InputProblems
from geodata.roads.extracts import read_extract
from geodata.roads.graph import read_roads, roads_findings
from geodata.roads.speeds import usable_classes

NODES = {1: (118.30, 30.90), 2: (118.31, 30.90), 3: (118.32, 30.90)}
WAY = '<way id="1" version="1"><nd ref="1"/><nd ref="2"/><nd ref="3"/><tag k="highway" v="tertiary"/></way>'
USABLE = usable_classes(ferries=True)


def node(number: int, lon: float, lat: float, more: str = "", version: int = 1) -> str:
    return f'<node id="{number}" version="{version}" lon="{lon}" lat="{lat}"{more}/>'


def osm(ways: str = WAY, after: str = "", **nodes: str) -> str:
    """A road of three nodes; ``n2`` is put in place of node 2."""
    places = "".join(nodes.get(f"n{n}", node(n, *place)) for n, place in NODES.items())
    return f'<?xml version="1.0"?><osm version="0.6">{places}{ways}{after}</osm>'


def said(path: Path, text: str, ferries: bool = False) -> dict[str, Finding]:
    path.write_text(text, encoding="utf-8")
    return {f.key: f for f in roads_findings(read_roads(path, ferries=ferries))}


def in_parts(content: bytes) -> bytes:
    return bz2.compress(content[:300]) + bz2.compress(content[300:])


@pytest.mark.parametrize(
    ("name", "pack"),
    [
        ("a.osm", gzip.compress),
        ("a.osm.gz", bz2.compress),
        ("a.osm.bz2", in_parts),
        ("a.osm.pbf", bytes),
        ("a.osm.bz2", bytes),
    ],
)
def test_a_file_is_unpacked_by_what_it_is(tmp_path, name, pack):
    (tmp_path / name).write_bytes(pack(osm().encode()))
    assert [way[1] for way in read_extract(tmp_path / name, USABLE).ways] == [[1, 2, 3]]


@pytest.mark.parametrize(
    "content", [b"", b"hello", b"BZh91AY&SY zoo", b"\x1f\x8bzoo", in_parts(osm().encode())[:-20]]
)
def test_what_is_no_road_file_is_refused_in_words(tmp_path, content):
    (tmp_path / "a.osm.bz2").write_bytes(content)
    with pytest.raises(InputProblems) as problem:
        read_roads(tmp_path / "a.osm.bz2")
    assert [f.key for f in problem.value.findings] == ["roads.unreadable"]


@pytest.mark.parametrize("ending", ["visible='false'", 'visible="false"', "action='delete'"])
def test_a_node_that_is_gone_cuts_its_road(tmp_path, ending):
    (tmp_path / "a.osm").write_text(osm(n2=node(2, *NODES[2], f" {ending}")), encoding="utf-8")
    with pytest.raises(InputProblems) as problem:
        read_roads(tmp_path / "a.osm")
    assert [f.key for f in problem.value.findings] == ["roads.no_whole_roads"]


def test_of_several_versions_the_newest_counts(tmp_path):
    other = '<way id="2" version="1"><nd ref="1"/><nd ref="2"/><tag k="highway" v="track"/></way>'
    for newer in (' visible="false"', ""):
        again = WAY.replace('version="1"', f'version="2"{newer}').replace("tertiary", "primary")
        for ways in (WAY + again, again + WAY):
            (tmp_path / "a.osm").write_text(osm(other + ways), encoding="utf-8")
            extract = read_extract(tmp_path / "a.osm", USABLE)
            assert [w[2]["highway"] for w in extract.ways] == (["track"] if newer else ["track", "primary"])
            assert (extract.superseded, extract.deleted) == (1, bool(newer))
    old = node(2, 118.31, 30.95)
    (tmp_path / "a.osm").write_text(osm(after=old, n2=node(2, *NODES[2], version=3)), encoding="utf-8")
    extract = read_extract(tmp_path / "a.osm", USABLE)
    assert extract.places[2] == NODES[2] and extract.twice == ()


def test_a_node_that_stands_twice_is_named_and_the_later_place_counts(tmp_path):
    found = said(tmp_path / "a.osm", osm(after=node(2, 118.31, 30.95)))["roads.nodes_twice"]
    assert (found.severity, found.fields["count"]) == ("warning", 1)
    assert "118.310000, 30.950000" in str(found.fields["places"])
    assert "roads.nodes_twice" not in said(tmp_path / "a.osm", osm(after=node(2, *NODES[2])))


def test_a_landing_that_only_touches_the_road_is_named(tmp_path):
    boat = '<way id="2" version="1"><nd ref="4"/><nd ref="5"/><tag k="route" v="ferry"/></way>'
    ends = node(4, 118.32, 30.900003) + node(5, 118.35, 30.95)
    assert said(tmp_path / "a.osm", osm(WAY + boat, ends), True)["roads.ends_touch"].fields["count"] == 1


def test_what_times_do_not_heed_is_counted(tmp_path):
    way = WAY.replace(
        "<tag", '<tag k="access" v="private"/><tag k="foot" v="yes"/><tag k="maxspeed" v="30 mph"/><tag', 1
    )
    gate = node(2, *NODES[2]).replace("/>", '><tag k="barrier" v="gate"/></node>')
    far = node(9, *NODES[2]).replace("/>", '><tag k="barrier" v="bollard"/></node>')  # on no road
    turn = (
        '<relation id="7"><member type="way" ref="1" role="from"/><member type="node" ref="2" role="via"/>'
        '<tag k="type" v="restriction"/><tag k="restriction" v="no_u_turn"/></relation>'
    )
    found = said(tmp_path / "a.osm", osm(way, far + turn, n2=gate))
    told = {k: (f.fields["count"], f.fields["which"]) for k, f in found.items() if "unjudged" in k}
    assert told == {
        "roads.unjudged_access": (1, "access=private 1"), "roads.unjudged_barrier": (1, "gate 1"),
        "roads.unjudged_maxspeed": (1, "maxspeed 1"), "roads.unjudged_restriction": (1, "restriction 1"),
    }  # fmt: skip
    assert not re.findall("unjudged", " ".join(said(tmp_path / "a.osm", osm())))
