"""Damage to everything a county's folder may hold: tables, layers, roads, county.toml, the cache, paths.

A case is its number: the same number damages the same county in the same way.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import socket
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from geodata.contract.findings import InputProblems, errors
from geodata.demo.roads import save_roads
from geodata.folder.reading import check, read_county
from geodata.travel.times import travel_times
from models.plan.arrangement import today_as_plan
from models.referee.audit import audit
from models.referee.verdict import judge
from models.standards.norms import load_standards
from tests.damage import contents, write
from tests.geodata import test_fuzz as tables
from tests.geodata.test_fuzz import Case
from tests.maps.conftest import make_county

SQUARE = [[118.0, 30.6], [118.6, 30.6], [118.6, 31.1], [118.0, 31.1], [118.0, 30.6]]
HEAD = 'name = "示例县"\nyear = 2025\nroads = "roads.graphml"\ntownships = "townships.geojson"\n'
SHAPES: tuple[object, ...] = (
    None, {}, [], {"type": "Polygon", "coordinates": []}, {"type": "Polygon", "coordinates": [[]]},
    {"type": "Polygon", "coordinates": [[[118, 30], [118, 30]]]}, {"type": "Point", "coordinates": [118, 30]},
    {"type": "Point", "coordinates": []}, {"type": "MultiPolygon", "coordinates": [[SQUARE], []]},
    {"type": "Polygon", "coordinates": [[[118, 30, 1], [119, 31, 2], [118, 31, 3], [119, 30, 4], [118, 30, 1]]]},
    {"type": "Polygon", "coordinates": [[[1e308, 0], [-1e308, 1], [0, 1e308], [1e308, 0]]]},
    {"type": "Polygon", "coordinates": [[["a", "b"], [1, 2], [3, 4], ["a", "b"]]]},
    {"type": "GeometryCollection", "geometries": []}, {"type": "Ring", "coordinates": [SQUARE]}, 7, "POLYGON EMPTY",
    {"type": "LineString", "coordinates": SQUARE}, {"type": "Polygon", "coordinates": [SQUARE[::-1]]},
    {"type": "Polygon", "coordinates": [SQUARE, SQUARE]},
)  # fmt: skip
NAMES: tuple[object, ...] = (
    None,
    "",
    7,
    True,
    [1],
    {"a": 1},
    "甲镇",
    "x" * 3000,
    "\u0000",
    "\ud800",
    "Nan",
    1e400,
)
ELSEWHERE = (
    "../outside/secret.csv", "/etc/passwd", "/dev/zero", "/dev/stdin", "/proc/self/environ", "pipe", "link.csv",
    "linked/secret.csv", "http://{at}/a.csv", "/vsicurl/http://{at}/a.geojson", "file:///etc/passwd", "\\\\{at}\\a",
    "a\\u0000b", "con", ".", "..", "~", "~/.ssh/id_rsa", "schools.csv/", "x" * 300, "$HOME", "*.csv",
)  # fmt: skip


def _layer(case: Case) -> None:
    file = case.folder / "townships.geojson"
    layer = json.loads(file.read_text(encoding="utf-8"))
    one = case.dice.choice(layer["features"])
    how = case.dice.randrange(7)
    if how == 0:
        one["geometry"] = case.dice.choice(SHAPES)
    elif how == 1:
        one["properties"] = {case.dice.choice(("township", "Name", "")): case.dice.choice(NAMES)}
    elif how == 2:
        layer["features"] = case.dice.choice(([], None, {}, [None], [{}], [one] * 200))
    elif how == 3:
        layer["crs"] = {
            "type": "name",
            "properties": {"name": case.dice.choice(("EPSG:4548", "EPSG:0", "moon", None))},
        }
    elif how == 4:
        layer["type"] = case.dice.choice(("Topology", "Feature", 7, None))
    elif how == 5:
        file.unlink()
        (case.folder / "townships.geojson").write_bytes(case.dice.randbytes(300))
        return
    text = json.dumps(layer)
    if how == 6:
        text = text[: case.dice.randrange(len(text))]
    file.write_text(text, encoding="utf-8")


def _another_layer(case: Case) -> None:
    """Something else under the layer's name, or the layer under another key."""
    key = case.dice.choice(("townships", "waters", "zones", "roads", "workbook", "mapping"))
    source = case.dice.choice(("townships.geojson", "roads.graphml", "schools.csv", "county.toml"))
    name = f"layer.{case.dice.choice(('gpkg', 'shp', 'geojson', 'kml', 'tab', 'fgb', 'parquet', 'pbf', 'xls', 'ods', 'zip'))}"
    shutil.copy(case.folder / source, case.folder / name)
    _named(case, key, name)


def _named(case: Case, key: str, name: str) -> None:
    file = case.folder / "county.toml"
    text = "\n".join(
        line for line in file.read_text(encoding="utf-8").splitlines() if not line.startswith(f"{key} =")
    )
    file.write_text(f'{key} = "{name}"\n{text}\n', encoding="utf-8", errors="surrogateescape")


def _osm(case: Case) -> None:
    """A small OpenStreetMap extract with one thing wrong in it."""
    bad = ("", "x", "1e999", "-91", "200", "NaN", "99999999999999999999999", "118.3")
    rows = [
        f'<node id="{i}" lat="{30.9 + i / 500}" lon="{118.3 + i / 700}" version="1"/>' for i in range(1, 40)
    ]
    way = "".join(f'<nd ref="{i}"/>' for i in range(1, 40))
    rows.append(f'<way id="7" version="1">{way}<tag k="highway" v="residential"/></way>')
    at = case.dice.randrange(len(rows))
    old = case.dice.choice(("id=", "lat=", "lon=", "ref=", "k=", "v=", "<node", "/>"))
    value = case.dice.choice(bad)
    rows[at] = rows[at].replace(
        old, f'{old}"{value}" zoo=' if old.endswith("=") else case.dice.choice(("<zoo", "", ">"))
    )
    text = f'<?xml version="1.0"?><osm version="0.6">{"".join(rows)}</osm>'
    if case.dice.random() < 0.3:
        text = text[: case.dice.randrange(len(text))]
    (case.folder / "roads.osm").write_text(text, encoding="utf-8")
    _named(case, "roads", "roads.osm")


def _cache(case: Case) -> None:
    """The cache of an earlier reading, damaged: bytes flipped, files gone, a folder or a link in their place."""
    check(case.folder)
    files = sorted(p for p in (case.folder / ".cache").rglob("*") if p.is_file())
    if not files:
        return
    file = case.dice.choice(files)
    how = case.dice.randrange(6)
    data = bytearray(file.read_bytes())
    if how == 0 and data:
        for _ in range(case.dice.randint(1, 75)):
            data[case.dice.randrange(len(data))] ^= 1 << case.dice.randrange(8)
        file.write_bytes(bytes(data))
    elif how == 1:
        file.write_bytes(bytes(data[: len(data) // 2]))
    elif how == 2:
        file.unlink()
        file.mkdir()
    elif how == 3:
        file.unlink()
    elif how == 4:
        file.unlink()
        file.symlink_to(case.folder.parent / "outside" / "secret.csv")
    else:
        shutil.rmtree(case.folder / ".cache")
        (case.folder / ".cache").write_bytes(b"a file")


def _path(case: Case) -> None:
    """A name that leads elsewhere, to a device, to the network or nowhere."""
    name = case.dice.choice(ELSEWHERE)
    key = case.dice.choice(
        ("townships", "waters", "zones", "roads", "workbook", "mapping", "standards", "cache", "dem", "areas")
    )
    if name == "pipe":
        os.mkfifo(case.folder / "pipe")
    (case.folder / "link.csv").symlink_to(case.folder.parent / "outside" / "secret.csv")
    (case.folder / "linked").symlink_to(case.folder.parent / "outside")
    name = name.replace("{at}", _address)
    if key in ("cache", "dem", "areas"):
        with (case.folder / "county.toml").open("a", encoding="utf-8") as file:
            file.write(f'[travel]\n{key} = "{name}"\n')
    elif key == "standards":
        with (case.folder / "county.toml").open("a", encoding="utf-8") as file:
            file.write(f'standards = ["cn_layout", "./{name}"]\n')
    elif case.dice.random() < 0.3:
        table = case.table()
        with (case.folder / "county.toml").open("a", encoding="utf-8") as file:
            file.write(f'[files]\n{table} = "{name}"\n')
    else:
        _named(case, key, name)


_address = "127.0.0.1:9"
OF_TABLES = tuple(d for d in tables.DAMAGE if d.__name__ not in ("toml", "a_road_file"))
KINDS: dict[str, tuple[Callable[[Case], None], ...]] = {
    "tables": OF_TABLES, "layers": (_layer, _layer, _another_layer), "roads": (tables.a_road_file, _osm),
    "toml": (tables.toml,), "cache": (_cache,), "paths": (_path,),
}  # fmt: skip
TURNS = ("tables", "layers", "tables", "roads", "paths", "tables", "toml", "layers", "cache", "paths")
"""Which kind of damage the numbers take in turn."""


@dataclass(frozen=True)
class Looked:
    """What became of one damaged county: ``wrong`` names what must not happen."""

    number: int
    kind: str
    damage: str
    accepted: bool
    seconds: float
    wrong: list[str] = field(default_factory=list)
    why: str = ""


def a_county(folder: Path) -> Path:
    """A county of seven schools and ten villages with roads and townships, as a folder."""
    folder.mkdir(parents=True)
    county = make_county()
    for name, table in county.tables().items():
        if len(table):
            write(folder, name, table.assign(unit="yuan") if name == "unit_costs" else table)
    save_roads(county.roads, folder / "roads.graphml")
    towns = sorted(set(county.schools["township"]) | set(county.villages["township"]))
    features = [
        {
            "type": "Feature",
            "properties": {"township": t},
            "geometry": {"type": "Polygon", "coordinates": [SQUARE]},
        }
        for t in towns
    ]
    text = json.dumps({"type": "FeatureCollection", "features": features}, ensure_ascii=False)
    (folder / "townships.geojson").write_text(text, encoding="utf-8")
    (folder / "county.toml").write_text(HEAD, encoding="utf-8")
    return folder


@contextmanager
def listening() -> Iterator[tuple[str, list[bytes]]]:
    """A port of this machine, and what was asked of it."""
    asked: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    one, _ = server.accept()
                except OSError:
                    return
                asked.append(one.recv(200))
                one.close()

        threading.Thread(target=serve, daemon=True).start()
        yield f"127.0.0.1:{server.getsockname()[1]}", asked
        server.shutdown(socket.SHUT_RDWR)


def looked(sound: Path, place: Path, number: int, address: str, asked: list[bytes], stated: bool) -> Looked:
    """Damage a copy of a county in the way of a number, check it, and use it where it is accepted.

    Parameters
    ----------
    sound : Path
        As `a_county` wrote it.
    place : Path
        A new folder, for the copy and what lies beside it.
    number : int
    address, asked
        Of `listening`.
    stated : bool
        Whether an accepted county is used as well: audited, its model stated, judged as it stands today.
    """
    global _address
    _address = address
    kind = TURNS[number % len(TURNS)]
    dice = random.Random(number)
    damage = dice.choice(KINDS[kind])
    folder = Path(shutil.copytree(sound, place / "county"))
    (place / "outside").mkdir()
    (place / "outside" / "secret.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    damage(Case(folder, dice))
    before, calls = _seen(place), len(asked)
    wrong, why, accepted = [], "", False
    begun = time.monotonic()
    try:
        found = check(folder)
        for f in found:
            f.sentence("en"), f.sentence("zh")
        accepted = not errors(found)
    except Exception:
        wrong, why = ["traceback"], traceback.format_exc(limit=-3)[-300:]
    seconds = time.monotonic() - begun
    if accepted and stated:
        try:
            _used(folder)
        except InputProblems:
            pass  # in words
        except Exception:
            wrong, why = ["crashed"], traceback.format_exc(limit=-3)[-300:]
    if _seen(place) != before:
        wrong.append("written")
    if len(asked) > calls:
        wrong.append("connection")
    return Looked(number, kind, damage.__name__.strip("_"), accepted, seconds, wrong, " ".join(why.split()))


def _seen(place: Path) -> dict[str, bytes]:
    """Every regular file below a place with its bytes; devices and pipes are not opened, the cache is the program's."""
    return {k: v for k, v in contents(place).items() if "/.cache" not in k}


def _used(folder: Path) -> None:
    county = read_county(folder)
    standards = load_standards(county)
    audit(county, standards)
    times = travel_times(county)
    judge(county, standards, today_as_plan(county, standards, times), times)
