"""Damage to road files: GraphML of every make, OpenStreetMap extracts with one thing wrong in them."""

from __future__ import annotations

import bz2
import gzip
import re
from collections.abc import Callable

from tests.geodata.test_fuzz import Case, a_road_file
from tests.hostile.county import at, named

BAD = (
    "",
    "x",
    "1e999",
    "-91",
    "200",
    "NaN",
    "inf",
    "99999999999999999999999",
    "118.3",
    "-1",
    "0",
    "None",
    "[]",
    "\u0001",
    "１",
)


def _changed(case: Case, how: Callable[[str], str]) -> None:
    file = case.folder / "roads.graphml"
    file.write_text(how(file.read_text(encoding="utf-8")), encoding="utf-8", errors="surrogatepass")


def one_value(case: Case) -> None:
    """One value of a node, an edge or the graph; or all values of one key."""

    def change(text: str) -> str:
        keys = re.findall(r'<data key="(\w+)">', text)
        key = case.dice.choice(sorted(set(keys)))
        found = list(re.finditer(rf'<data key="{key}">[^<]*</data>', text))
        picked = found if case.dice.random() < 0.3 else [case.dice.choice(found)]
        value = case.dice.choice((*BAD, None))
        said = "" if value is None else f'<data key="{key}">{value}</data>'
        for hit in reversed(picked):
            text = text[: hit.start()] + said + text[hit.end() :]
        return text

    _changed(case, change)


def keys(case: Case) -> None:
    """A key that is missing, stands twice, or has another type or name."""

    def change(text: str) -> str:
        found = list(re.finditer(r"<key [^>]*/>", text))
        hit = case.dice.choice(found)
        said = hit[0]
        kinds = ("int", "double", "string", "boolean", "long", "zoo", "")
        new = case.dice.choice(
            (
                "", said + said, re.sub(r'attr.type="\w*"', f'attr.type="{case.dice.choice(kinds)}"', said),
                re.sub(r'attr.name="\w*"', 'attr.name="zoo"', said), re.sub(r'for="\w*"', 'for="graph"', said),
                re.sub(r' id="\w*"', ' id="zoo"', said), re.sub(r' attr.name="\w*"', "", said),
            )
        )  # fmt: skip
        return text[: hit.start()] + new + text[hit.end() :]

    _changed(case, change)


def shape(case: Case) -> None:
    """Undirected, edges twice, loops, edges to nowhere, nodes twice, no node, no edge, two graphs."""

    def change(text: str) -> str:
        edges = re.findall(r"<edge .*?</edge>", text, re.S)
        nodes = re.findall(r"<node .*?</node>", text, re.S)
        edge, node = case.dice.choice(edges), case.dice.choice(nodes)
        target = re.search(r'target="([^"]*)"', edge)
        source = re.search(r'source="([^"]*)"', edge)
        assert target and source
        without_keys = re.sub(r' id="\d+"', "", edge)
        changes: tuple[tuple[str, str], ...] = (
            ('edgedefault="directed"', 'edgedefault="undirected"'), ('edgedefault="directed"', ""),
            ('edgedefault="directed"', 'edgedefault="zoo"'), (edge, edge * 3), (edge, without_keys * 2),
            (edge, edge.replace(target[0], f'target="{source[1]}"')), (edge, edge.replace(target[0], 'target="nowhere"')),
            (edge, edge.replace(target[0], "")), (node, node * 2), (node, ""), (node, node.replace("id=", "zoo=")),
            ("</graph>", "</graph><graph/>"), ("</graph>", "<hyperedge/></graph>"), ("".join(nodes), ""),
            ("http://graphml.graphdrawing.org/xmlns", f"http://{at(case)}/xmlns"), ("epsg:4326", "EPSG:4548"),
            ("epsg:4326", f"http://{at(case)}/crs"), ("epsg:4326", "+proj=geos"), ("epsg:4326", "EPSG:4979"),
        )  # fmt: skip
        old, new = case.dice.choice(changes)
        if old == "".join(nodes):
            return re.sub(r"<node .*?</node>", "", text, flags=re.S)
        if new == 'edgedefault="undirected"' and case.dice.random() < 0.5:
            text = re.sub(r' id="\d+"', "", text)  # no keys: networkx reads no multigraph
        return text.replace(old, new, 1)

    _changed(case, change)


def declared(case: Case) -> None:
    """XML with declarations: entities that grow, that lead elsewhere, and very deep trees."""
    grows = "".join(f'<!ENTITY a{i} "{f"&a{i - 1};" * 10}">' for i in range(1, 10))
    heads = (
        f'<!DOCTYPE a [<!ENTITY a0 "lol">{grows}]>', f'<!DOCTYPE a [<!ENTITY a9 SYSTEM "http://{at(case)}/a">]>',
        '<!DOCTYPE a [<!ENTITY a9 SYSTEM "file:///etc/passwd">]>', f'<!DOCTYPE a SYSTEM "http://{at(case)}/a.dtd">',
    )  # fmt: skip
    head = case.dice.choice(heads)

    def change(text: str) -> str:
        if case.dice.random() < 0.2:
            return text.replace("<graph ", "<a>" * 20_000 + "<graph ", 1)
        text = re.sub(r"<\?xml[^>]*\?>", "", text)
        return head + re.sub(r'(<data key="\w+">)', r"\1&a9;", text, count=1)

    if case.dice.random() < 0.5:
        _changed(case, change)
    else:
        (case.folder / "roads.osm").write_text(change(_extract(case)), encoding="utf-8")
        named(case, "roads", "roads.osm")


def _extract(case: Case, bad: bool = False) -> str:
    """A small extract: one road, a ferry, a ring, a deleted and an invisible way."""
    nodes = [
        f'<node id="{i}" lat="{30.9 + i / 500}" lon="{118.3 + i / 700}" version="1"/>' for i in range(1, 40)
    ]
    way = "".join(f'<nd ref="{i}"/>' for i in range(1, 40))
    ways = [
        f'<way id="7" version="1">{way}<tag k="highway" v="residential"/></way>',
        '<way id="8" version="1"><nd ref="1"/><nd ref="5"/><nd ref="9"/><nd ref="1"/><tag k="highway" v="tertiary"/></way>',
        '<way id="9" version="1"><nd ref="1"/><nd ref="30"/><tag k="route" v="ferry"/></way>',
        '<way id="10" version="1" action="delete"><nd ref="1"/><nd ref="30"/><tag k="highway" v="track"/></way>',
        '<way id="11" version="1" visible="false"><nd ref="1"/><nd ref="31"/><tag k="highway" v="track"/></way>',
    ]
    rows = [*ways, *nodes] if bad and case.dice.random() < 0.2 else [*nodes, *ways]
    return f'<?xml version="1.0"?><osm version="0.6">{"".join(rows)}</osm>'


def one_osm_value(case: Case) -> None:
    """One attribute of one object."""
    text = _extract(case, bad=True)
    rows = text.split("<")
    at_row = case.dice.randrange(3, len(rows) - 1)
    old = case.dice.choice(("id=", "lat=", "lon=", "ref=", "k=", "v=", "version=", "visible="))
    rows[at_row] = rows[at_row].replace(old, f'{old}"{case.dice.choice(BAD)}" zoo=')
    text = "<".join(rows)
    if case.dice.random() < 0.25:
        text = text[: case.dice.randrange(len(text))]
    (case.folder / "roads.osm").write_text(text, encoding="utf-8")
    named(case, "roads", "roads.osm")


def whole_osm(case: Case) -> None:
    """All ids negative, all at one point, at a pole, across 180 degrees, elsewhere; or another packing."""
    text = _extract(case, bad=True)
    how = case.dice.randrange(9)
    if how == 0:
        text = re.sub(r'(id|ref)="(\d)', r'\1="-\2', text)
    elif how in (1, 2, 3, 4):
        lat, lon = ((30.9, 118.3), (90.0, 0.0), (-90.0, 180.0), (0.0, 0.0))[how - 1]
        text = re.sub(r'lat="[^"]*" lon="[^"]*"', f'lat="{lat}" lon="{lon}"', text)
    elif how == 5:
        text = re.sub(r'lon="118\.', 'lon="179.', text)
    elif how == 6:
        text = re.sub(r"<node [^>]*/>", "", text)
    elif how == 7:
        text = text.replace(
            "residential", case.dice.choice(("zoo", "x" * 300, "proposed", "", "motorway", "\ufffd;;"))
        )
    else:
        text = text.replace("osm", "osmChange").replace("version=", "zoo=")
    content = text.encode()
    ending = case.dice.choice(("osm", "osm", "osm.gz", "osm.bz2", "osm.pbf", "pbf", "osc", "o5m"))
    if case.dice.random() < 0.8:
        content = (
            gzip.compress(content)
            if ending.endswith("gz")
            else bz2.compress(content)
            if ending.endswith("bz2")
            else content
        )
    if case.dice.random() < 0.2:
        content = content[: len(content) // 2]
    (case.folder / f"roads.{ending}").write_bytes(content)
    named(case, "roads", f"roads.{ending}")


DAMAGE = (a_road_file, one_value, one_value, keys, shape, shape, declared, one_osm_value, whole_osm)
