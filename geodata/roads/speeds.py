"""How fast each mode is on each street: road class, surface, season, slope, ferries.

Three editable tables say what is assumed: speeds.csv (class), surfaces.csv (share of that speed) and
seasons.csv (winter roads, floods, ferries). Nothing is filled in from means of other classes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geodata.arrays import Floats
from geodata.contract.tables import TRAVEL_MODES
from geodata.roads.snapping import Net, Streets, network

MODES = ("walk", "bus", "car")
"""Modes that every county needs."""
ALL_MODES = TRAVEL_MODES
ON_FOOT = ("walk", "walk_young")
SEASONS = ("normal", "winter", "flood")
FALLBACK = "*"


def _table(name: str, numbers: tuple[str, ...]) -> pd.DataFrame:
    with (files("geodata.roads") / name).open(encoding="utf-8") as file:
        return pd.read_csv(file, dtype=dict.fromkeys(numbers, float), keep_default_na=False)


@cache
def read_speeds() -> pd.DataFrame:
    """Speeds by mode and road class (geodata/roads/speeds.csv).

    Returns
    -------
    DataFrame
        ``mode, highway, kmh`` (free flow, 0 = not allowed), ``congestion`` (times are multiplied by
        it), ``tag``, ``source``. Row ``*`` serves classes the table does not know. Do not change it
        in place: it is shared.
    """
    return _table("speeds.csv", ("kmh", "congestion"))


@cache
def read_surfaces() -> pd.DataFrame:
    """Surfaces: ``surface, on_foot, vehicle`` (shares of the class's speed), ``tag, source``."""
    return _table("surfaces.csv", ("on_foot", "vehicle"))


@cache
def read_seasons() -> pd.DataFrame:
    """Seasons: ``season, flag, on_foot, vehicle`` (shares, 0 = closed), ``wait`` (minutes), ``tag, source``."""
    return _table("seasons.csv", ("on_foot", "vehicle", "wait"))


def usable_classes(ferries: bool = False) -> frozenset[str]:
    """Classes of the speed table that some mode may use."""
    table = read_speeds()
    names = set(table.loc[(table["kmh"] > 0) & (table["highway"] != FALLBACK), "highway"])
    return frozenset(names if ferries else names - {"ferry"})


def kmh_by_class(mode: str, speeds: pd.DataFrame | None = None) -> dict[str, float]:
    """Kilometres an hour after congestion by class; 0 where the mode is not allowed.

    Raises
    ------
    ValueError
        For a mode the table lacks or one without a fallback row.
    """
    table = read_speeds() if speeds is None else speeds
    rows = table[table["mode"] == mode]
    speed = (rows["kmh"] / rows["congestion"]).tolist()
    by_class: dict[str, float] = dict(zip(rows["highway"].tolist(), speed, strict=True))
    if FALLBACK not in by_class:
        raise ValueError(f"the speed table has no row {FALLBACK!r} for mode {mode!r}")
    return by_class


def _slowest(labels: np.ndarray[Any, Any], by_name: dict[str, float], otherwise: float) -> Floats:
    """The smallest value among the names that each ``;``-joined label holds."""
    names, where = np.unique(labels, return_inverse=True)
    least = [min(by_name.get(n, otherwise) for n in label.split(";")) for label in names.tolist()]
    return np.asarray(np.array(least, dtype=np.float64)[where], dtype=np.float64)


def _as_pace(kmh: Floats) -> Floats:
    pace = np.divide(3.6, kmh, out=np.full(len(kmh), np.inf), where=kmh > 0)
    return np.asarray(pace, dtype=np.float64)


def paces(highway: np.ndarray[Any, Any], mode: str, speeds: pd.DataFrame | None = None) -> Floats:
    """Seconds per metre of each street for a mode, from its class alone.

    Parameters
    ----------
    highway : array of str, shape (E,)
        Classes; of several joined by ``;`` the slowest counts, closed ones included.
    mode : str
        One of `ALL_MODES`.
    speeds : DataFrame, optional
        Another table in the form of `read_speeds`.

    Returns
    -------
    array of float, shape (E,)
        ``3.6 * congestion / kmh``; infinite where the mode is not allowed.

    Raises
    ------
    ValueError
        For a mode the table lacks or one without a fallback row.
    """
    by_class = kmh_by_class(mode, speeds)
    return _as_pace(_slowest(highway, by_class, by_class[FALLBACK]))


@dataclass(frozen=True)
class Conditions:
    """What else slows or closes streets.

    Parameters
    ----------
    season : {"normal", "winter", "flood"}
    areas : array of float, shape (E,), optional
        Share of the speed that areas leave to each street; 0 closes it.
    slope : array of float, shape (E,), optional
        Walking times are multiplied by it (`geodata.roads.slope`).
    classes : dict of str to float
        Share of the speed that vehicles keep on streets of a class; the others keep all of it.
    """

    season: str = "normal"
    areas: Floats | None = None
    slope: Floats | None = None
    classes: dict[str, float] = field(default_factory=dict)


def area_shares(streets: Streets, areas: gpd.GeoDataFrame, season: str) -> Floats:
    """Share of the speed left to each street by the areas of a season that it meets, shape (E,).

    Parameters
    ----------
    streets : Streets
    areas : GeoDataFrame
        Polygons in EPSG:4326 with ``season`` (`SEASONS` or ``always``) and ``share`` (0 to 1).
    season : str
    """
    share = np.ones(len(streets.metres))
    valid = areas[areas["season"].isin([season, "always"])]
    if len(valid) and len(share):
        tree = shapely.STRtree(streets.lines)
        area, street = tree.query(valid.geometry.to_numpy(), predicate="intersects")
        np.minimum.at(share, street, valid["share"].to_numpy(dtype=float)[area])
    return share


def mode_paces(
    streets: Streets, mode: str, conditions: Conditions | None = None, speeds: pd.DataFrame | None = None
) -> Floats:
    """Seconds per metre of each street under given conditions, shape (E,).

    ``pace = 3.6 / (class speed x surface x season x class share x areas) x slope + wait / length``; the wait is that
    of a ferry, once from landing to landing.
    """
    given = conditions or Conditions()
    column = "on_foot" if mode in ON_FOOT else "vehicle"
    by_class = kmh_by_class(mode, speeds)
    kmh = _slowest(streets.highway, by_class, by_class[FALLBACK])
    surfaces = read_surfaces()
    kmh = kmh * _slowest(
        streets.surface, dict(zip(surfaces["surface"], surfaces[column], strict=True)), otherwise=1.0
    )
    rows = read_seasons().query("season == @given.season")
    kmh = kmh * _slowest(streets.flags, dict(zip(rows["flag"], rows[column], strict=True)), otherwise=1.0)
    if given.classes and column == "vehicle":
        kmh = kmh * _slowest(streets.highway, given.classes, otherwise=1.0)
    if given.areas is not None:
        kmh = kmh * given.areas
    pace = _as_pace(np.asarray(kmh, dtype=np.float64))
    if given.slope is not None and mode in ON_FOOT:
        pace = pace * given.slope
    wait = float(rows.loc[rows["flag"] == "ferry", "wait"].sum()) * 60 * _boardings(streets)
    return pace + np.where(streets.ferry, wait / np.maximum(streets.metres, 1.0), 0.0)


def _boardings(streets: Streets) -> Floats:
    """How much of a wait each ferry line costs, shape (E,): half at either end where it meets a road.

    Lines that meet on the water are one crossing from landing to landing, so its waits add up to one.
    """
    landing = np.zeros(streets.node_count, dtype=np.bool_)
    road = ~streets.ferry
    landing[streets.tail[road]] = landing[streets.head[road]] = True
    ends = landing[streets.tail].astype(np.float64) + landing[streets.head]
    return np.asarray(ends / 2, dtype=np.float64)


def mode_network(
    streets: Streets, mode: str, speeds: pd.DataFrame | None = None, conditions: Conditions | None = None
) -> Net:
    """The network of a mode with paces in seconds per metre; walking ignores one-ways."""
    return network(streets, mode_paces(streets, mode, conditions, speeds), on_foot=mode in ON_FOOT)
