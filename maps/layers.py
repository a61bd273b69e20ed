"""`plan.gpkg`: schools, villages, flows, townships, zones, catchments and service areas for any GIS."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import pandas as pd
from pyogrio import read_dataframe
from pyogrio.errors import DataLayerError, DataSourceError
from shapely import LineString

from geodata.areas.export import area_layers
from geodata.contract.groups import kind_in
from geodata.layers.geopackage import write_geopackage
from models.plan.decisions import PlanResult
from models.plan.record import LEDGER_LAYER


def school_layer(result: PlanResult) -> gpd.GeoDataFrame:
    """One point a site: pupils, open or closed, action."""
    units = result.verdict.units.groupby("school_id", as_index=False).agg(
        pupils_today=("pupils_today", _told), pupils_plan=("pupils_plan", _told), open_plan=("open_plan", "any"),
        staff_today=("staff_today", "sum"), staff_plan=("staff_plan", "sum"),
    )  # fmt: skip
    points = result.county.points("schools")[["school_id", "name", "kind", "township", "zone", "geometry"]]
    joined = points.merge(units, on="school_id", how="left")
    actions = result.actions.groupby("school_id")["action"].agg(lambda a: ", ".join(sorted(set(a))))
    joined["actions"] = joined["school_id"].map(actions).fillna("")
    return gpd.GeoDataFrame(joined, crs="EPSG:4326")


def _told(pupils: pd.Series) -> float:
    """A sum that is not known where a part of it is not: nobody is no way to say that few are not told."""
    return float(pupils.sum(skipna=False))


def village_layer(result: PlanResult) -> gpd.GeoDataFrame:
    """One point a village: pupils, longest way before and after."""
    t = result.verdict.travel
    rows = (
        t[t["group"].map(kind_in) == "zone"]
        .groupby("village_id", as_index=False)
        .agg(
            minutes_today=("minutes_today", "max"),
            minutes_plan=("minutes", "max"),
            changed=("changed", "any"),
        )
    )
    pupils = t.groupby("village_id", as_index=False)["pupils"].sum()
    points = result.county.points("villages")[["village_id", "name", "township", "geometry"]]
    joined = points.merge(pupils, on="village_id", how="left").merge(rows, on="village_id", how="left")
    joined["changed"] = joined["changed"].fillna(False).astype(bool)
    return gpd.GeoDataFrame(joined, crs="EPSG:4326")


def attendance_layer(result: PlanResult) -> gpd.GeoDataFrame:
    """A line from each village to each school it attends, with pupils, mode and minutes."""
    t = result.verdict.travel
    v = result.county.villages.set_index("village_id")[["lon", "lat"]]
    s = result.county.schools.set_index("school_id")[["lon", "lat"]]
    ends = pd.DataFrame(
        {
            "x0": t["village_id"].map(v["lon"]), "y0": t["village_id"].map(v["lat"]), "x1": t["school_id"].map(s["lon"]),
            "y1": t["school_id"].map(s["lat"]),
        }
    )  # fmt: skip
    lines = [LineString([(a, b), (c, d)]) for a, b, c, d in ends.itertuples(index=False)]
    columns = [
        "village_id", "village", "band", "group", "today_school", "school", "mode", "pupils", "minutes_today", "minutes", "limit",
        "changed", "grandfathered",
    ]  # fmt: skip
    return gpd.GeoDataFrame(t[columns].reset_index(drop=True), geometry=lines, crs="EPSG:4326")


def write_layers(result: PlanResult, path: Path, public: bool = False) -> Path:
    """Write ``plan.gpkg``: schools, villages, attendance, townships, zones, catchments, service areas, and
    the ledger as a table without points.

    Catchments are the plan's, one layer a band, from pupils of zones; those who chose another school
    are in `attendance` only. Layers about areas are described in `geodata.areas.export.area_layers`.

    Parameters
    ----------
    result : PlanResult
    path : Path
    public : bool
        Without the ledger and the layers about areas, which count the pupils of single villages.

    Returns
    -------
    Path
    """
    layers = {
        "schools": school_layer(result),
        "villages": village_layer(result),
        "attendance": attendance_layer(result),
    }
    if result.county.townships is not None:
        layers["townships"] = result.county.townships
    if public:
        return write_geopackage(layers, path)
    going = result.plan.attendance
    areas, _ = area_layers(result.county, going[going["group"].map(kind_in) == "zone"])
    return write_geopackage(layers | areas | {LEDGER_LAYER: result.plan.ledger}, path)


def places_in(dossier: Path) -> dict[tuple[str, str], str]:
    """What the schools and villages of a dossier are called, by kind and id, from its layers.

    Parameters
    ----------
    dossier : Path
        Its folder, or any file in it.

    Returns
    -------
    dict
        Nothing where there are no layers, or none that can be read: a list of differences then has ids.
    """
    layers = (dossier if dossier.is_dir() else dossier.parent) / "plan.gpkg"
    found: dict[tuple[str, str], str] = {}
    if not layers.is_file():
        return found
    for kind in ("school", "village"):
        try:
            table = read_dataframe(
                layers, layer=f"{kind}s", columns=[f"{kind}_id", "name"], read_geometry=False
            )
        except (DataSourceError, DataLayerError):
            continue
        found |= {(kind, str(i)): str(n) for i, n in zip(table[f"{kind}_id"], table["name"], strict=True)}
    return found
