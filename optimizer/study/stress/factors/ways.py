"""Ways to school: coordinates that are off, winter roads, slower buses, slower walking."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pandas as pd

from geodata.travel.tables import BUS_WAIT_MIN
from geodata.travel.times import travel_times
from optimizer.study.stress.factors.record import Case, Factor

METRES = 111_320.0
"""Metres of a degree of latitude."""


def shift(case: Case, value: float, of: str) -> Case:
    """All villages lie so many metres elsewhere, in one direction: a coordinate system that nobody declared.

    The direction is the seed's. Times are computed again.
    """
    if value <= 0:
        return case
    angle = case.chance("shift").uniform(0.0, 2.0 * math.pi)
    villages = case.county.villages
    lat = villages["lat"].astype(float)
    moved = villages.assign(
        lon=villages["lon"] + value * math.cos(angle) / (METRES * np.cos(np.radians(lat))),
        lat=lat + value * math.sin(angle) / METRES,
    )
    there = case.but(villages=moved)
    return replace(there, times=travel_times(there.county, cached=False))


def _own_matrix(case: Case, of: str) -> str | None:
    return "cannot_own_times" if len(case.county.travel_matrix) else None


def winter(case: Case, value: float, of: str) -> Case:
    """With 1 the roads are those of winter (seasons.csv and the county's slowed areas). Times are computed again."""
    if value < 0.5:
        return case
    there = case.but(travel=case.county.travel.model_copy(update={"season": "winter"}))
    moved = not there.county.villages.equals(case.county.villages)
    return replace(there, times=travel_times(there.county, cached=not moved))


def _no_roads(case: Case, of: str) -> str | None:
    return "cannot_no_roads" if case.county.roads is None else _own_matrix(case, of)


def _slower(pairs: pd.DataFrame, mode: str, value: float, wait: float) -> pd.DataFrame:
    minutes = wait + (pairs["minutes"] - wait).clip(lower=0) / value
    mine = (pairs["mode"] == mode) & (pairs["minutes"] > wait)
    return pairs.assign(minutes=pairs["minutes"].where(~mine, minutes))


def bus_speed(case: Case, value: float, of: str) -> Case:
    """Vehicles go at this share of their speed; the minutes of waiting stay. So do ways between townships.

    The walk to the stop is slowed with the ride: a bus way's minutes do not tell the two apart.
    """
    towns = case.times.towns.assign(minutes=case.times.towns["minutes"] / value)
    pairs = _slower(case.times.pairs, "bus", value, BUS_WAIT_MIN)
    return replace(case, times=replace(case.times, pairs=pairs, towns=towns))


def walk_speed(case: Case, value: float, of: str) -> Case:
    """Children walk at this share of their speed."""
    return replace(case, times=replace(case.times, pairs=_slower(case.times.pairs, "walk", value, 0.0)))


FACTORS = (
    Factor("shift", "metres", 0.0, 2000.0, 0.0, shift, cannot=_own_matrix),
    Factor("winter", "flag", 0.0, 1.0, 0.0, winter, cannot=_no_roads),
    Factor("bus_speed", "share", 0.3, 1.0, 1.0, bus_speed),
    Factor("walk_speed", "share", 0.3, 1.0, 1.0, walk_speed),
)
