"""A small sound county as a folder, and the few ways in which damage changes its county.toml."""

from __future__ import annotations

import json
from pathlib import Path

from geodata.demo.roads import save_roads
from tests.damage import write
from tests.geodata.test_fuzz import Case
from tests.maps.conftest import make_county

SQUARE = [[118.0, 30.6], [118.6, 30.6], [118.6, 31.1], [118.0, 31.1], [118.0, 30.6]]
HEAD = 'name = "示例县"\nyear = 2025\nroads = "roads.graphml"\ntownships = "townships.geojson"\n'
LISTENER = "127.0.0.1:9"
"""Stands in damage for the address that is listened at; `at` puts the true one in its place."""


def a_county(folder: Path) -> Path:
    """A county of seven schools and ten villages with roads and townships, as a folder."""
    folder.mkdir(parents=True)
    county = make_county()
    for name, table in county.tables().items():
        if len(table):
            write(folder, name, table.assign(unit="yuan") if name == "unit_costs" else table)
    save_roads(county.roads, folder / "roads.graphml")
    towns = sorted(set(county.schools["township"]) | set(county.villages["township"]))
    features = [feature({"type": "Polygon", "coordinates": [SQUARE]}, township=t) for t in towns]
    text = json.dumps({"type": "FeatureCollection", "features": features}, ensure_ascii=False)
    (folder / "townships.geojson").write_text(text, encoding="utf-8")
    (folder / "county.toml").write_text(HEAD, encoding="utf-8")
    return folder


def feature(geometry: object, **properties: object) -> dict[str, object]:
    """A feature of GeoJSON."""
    return {"type": "Feature", "properties": properties, "geometry": geometry}


def named(case: Case, key: str, name: str) -> None:
    """A key of county.toml names a file; where it named another, that is forgotten."""
    file = case.folder / "county.toml"
    text = "\n".join(
        line for line in file.read_text(encoding="utf-8").splitlines() if not line.startswith(f"{key} =")
    )
    file.write_text(f'{key} = "{name}"\n{text}\n', encoding="utf-8", errors="surrogateescape")


def added(case: Case, text: str) -> None:
    """More lines at the end of county.toml."""
    with (case.folder / "county.toml").open("a", encoding="utf-8") as file:
        file.write(text)


def outside(case: Case) -> Path:
    """The folder beside the county's that is none of its business."""
    return case.folder.parent / "outside"


def at(case: Case) -> str:
    """The address that is listened at, as a file beside the county says."""
    told = outside(case) / "address"
    return told.read_text(encoding="ascii") if told.is_file() else LISTENER
