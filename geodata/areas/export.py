"""Zones, catchments and service areas of a county as layers for any GIS."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import pandas as pd

from geodata.areas.catchments import catchments
from geodata.areas.isochrones import ServiceAreas, service_areas
from geodata.areas.zones import Zones, demand_zones, walking, zone_adjacency
from geodata.contract.county import County
from geodata.contract.findings import Finding, InputProblems
from geodata.folder.target import claim
from geodata.layers.geopackage import write_geopackage
from geodata.messages import LANGUAGES
from geodata.remembered import once_for_each


@dataclass(frozen=True)
class OwnGround:
    """Areas of a county that no plan changes: the ground of villages, and what is near each school on foot."""

    zones: Zones
    served: ServiceAreas


@once_for_each
def own_ground(county: County) -> OwnGround:
    """What `area_layers` needs for today as for any plan: tried before a search, drawn after it."""
    net = walking(county)
    return OwnGround(demand_zones(county, net), service_areas(county, net=net))


def area_layers(county: County, attendance: pd.DataFrame) -> tuple[dict[str, pd.DataFrame], list[Finding]]:
    """Layers in EPSG:4326, and what is to be known about them.

    Parameters
    ----------
    county : County
    attendance : DataFrame
        ``village_id, school_id, band, pupils``: today's, or a plan's.

    Returns
    -------
    layers : dict
        ``zones``, ``zone_neighbours`` (a table), ``catchments_<band>`` for each band that somebody
        attends, ``service_areas``, ``area_notes`` (a table with the findings in every language).
    findings : list of Finding
    """
    ground = own_ground(county)
    zones, served = ground.zones, ground.served
    found = list(zones.findings)
    layers: dict[str, pd.DataFrame] = {
        "zones": _degrees(zones.areas),
        "zone_neighbours": zone_adjacency(zones),
    }
    names = county.schools.set_index("school_id")["name"]
    for band in county.scheme.band_ids:
        done = catchments(zones, attendance, band)
        found += done.findings
        if len(done.areas):
            named = done.areas.copy()
            named.insert(1, "name", named["school_id"].map(names))
            layers[f"catchments_{band}"] = _degrees(named)
    found += served.findings
    layers["service_areas"] = _degrees(served.areas)
    layers["area_notes"] = pd.DataFrame(
        {"severity": [f.severity for f in found], **{x: [f.sentence(x) for f in found] for x in LANGUAGES}},
        dtype="str",
    )
    return layers, found


def _degrees(areas: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """With the area in square kilometres, measured before the turn to degrees."""
    return areas.assign(km2=(areas.geometry.area / 1e6).round(4)).to_crs("EPSG:4326")


def write_areas(county: County, path: Path) -> list[Finding]:
    """Write zones, today's catchments and service areas as a GeoPackage.

    Parameters
    ----------
    county : County
    path : Path
        A new file ending in ``.gpkg``; nothing is ever overwritten.

    Returns
    -------
    list of Finding

    Raises
    ------
    InputProblems
        When the file may not be written.
    """
    refuse_geopackage(path)
    layers, found = area_layers(county, county.attendance)
    with claim(path) as target:
        target.new_file(lambda draft: write_geopackage(layers, draft))
    return found


def refuse_geopackage(path: Path) -> None:
    """Refuse a name that is taken or does not end in .gpkg.

    Raises
    ------
    InputProblems
    """
    if path.suffix.lower() != ".gpkg":
        raise InputProblems([Finding("error", "zones.suffix", file=str(path))])
    if path.exists():
        raise InputProblems([Finding("error", "zones.exists", file=str(path))])
