"""Ways to school once their times are known: slower buses, slower walking."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from geodata.travel.tables import BUS_WAIT_MIN
from optimizer.study.stress.factors.record import Case, Factor


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
    Factor("bus_speed", "share", 0.3, 1.0, 1.0, bus_speed),
    Factor("walk_speed", "share", 0.3, 1.0, 1.0, walk_speed),
)
