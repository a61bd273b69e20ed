"""Every way to school by grade band, with its minutes and its limit: the same for all plans and years with these times."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TypeAlias

import numpy as np
import pandas as pd

from geodata.arrays import Flags, Floats, Ints
from geodata.travel.times import TravelTimes
from models.standards.norms import Standards

WALK_KMH = 4.0
"""Speed at which `TravelTimes` walking minutes are computed (sources.md 3.2 [A])."""
PLANNED_MODES = ("walk", "bus")
Place: TypeAlias = tuple[str, str, str]
"""Village, school, band."""


def scaled_minutes(times: TravelTimes, standards: Standards) -> pd.DataFrame:
    """Minutes by band: the standards may say that young children walk more slowly.

    Returns
    -------
    DataFrame
        ``village_id, school_id, band, mode, minutes, km``; walking is multiplied by
        4.0 / ``walk_speed_<band>`` where the standards have that speed (sources.md 3.2 [A]).
    """
    parts = []
    for band in standards.scheme.band_ids:
        part = times.pairs.assign(band=band)
        speed = standards.limit(f"walk_speed_{band}", WALK_KMH)
        if speed != WALK_KMH:
            slower = part["minutes"] * (WALK_KMH / speed)
            part["minutes"] = part["minutes"].where(part["mode"] != "walk", slower)
        parts.append(part)
    table = pd.concat(parts, ignore_index=True)
    table["minutes"] = table["minutes"].round(2)
    return table[["village_id", "school_id", "band", "mode", "minutes", "km"]]


def travel_limits(standards: Standards, modes: Iterable[str], bands: Iterable[str]) -> Floats:
    """Longest way by mode and band; NaN where no norm says it."""
    known = {
        (m, b): standards.limit(f"travel_{m}_{b}", np.nan)
        for m in PLANNED_MODES
        for b in standards.scheme.band_ids
    }
    return np.array([known.get(k, np.nan) for k in zip(modes, bands, strict=True)], dtype=float)


@dataclass(frozen=True, eq=False)
class KnownWays:
    """All ways to school; only read.

    Parameters
    ----------
    table : DataFrame
        `scaled_minutes`.
    limit : ndarray of float
        Longest way that its norm allows, by row; NaN where none does.
    """

    table: pd.DataFrame
    limit: Floats

    @cached_property
    def places(self) -> list[Place]:
        """Village, school and band by row."""
        return list(zip(*(self.table[c].tolist() for c in ("village_id", "school_id", "band")), strict=True))

    @cached_property
    def row(self) -> dict[tuple[str, str, str, str], int]:
        """Row of each way by village, school, band and mode."""
        modes = self.table["mode"].tolist()
        return {(*k, m): i for i, (k, m) in enumerate(zip(self.places, modes, strict=True))}

    @cached_property
    def place(self) -> Ints:
        """Number of the place by row: rows of one village, school and band have one number."""
        known: dict[Place, int] = {}
        return np.array([known.setdefault(k, len(known)) for k in self.places], dtype=np.int64)

    @cached_property
    def walks(self) -> Flags:
        """Whether a row is a way on foot."""
        on_foot: Flags = self.table["mode"].to_numpy(object) == "walk"
        return on_foot

    @cached_property
    def by_mode(self) -> dict[Place, tuple[float, float]]:
        """Minutes on foot and by bus of each place; NaN where there is no such way."""
        index = ["village_id", "school_id", "band"]
        wide = self.table.pivot_table(index=index, columns="mode", values="minutes")
        return dict(
            zip(wide.index, zip(*(_column(wide, m) for m in PLANNED_MODES), strict=True), strict=True)
        )


def _column(wide: pd.DataFrame, mode: str) -> list[float]:
    return list(wide[mode].tolist()) if mode in wide else [float("nan")] * len(wide)


def all_ways(times: TravelTimes, standards: Standards) -> KnownWays:
    """Every way to school; reckoned once for standards that ask the same of ways."""
    return _all_ways(times, _Asked(standards))


class _Asked:
    """Standards that are equal where they say the same about ways."""

    def __init__(self, standards: Standards):
        self.standards = standards
        norms = [
            f"{word}_{b}"
            for b in standards.scheme.band_ids
            for word in ("walk_speed", "travel_walk", "travel_bus")
        ]
        self.said = tuple((n, standards.limit(n, -1.0)) for n in norms)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Asked) and self.said == other.said

    def __hash__(self) -> int:
        return hash(self.said)


@lru_cache(maxsize=2)
def _all_ways(times: TravelTimes, asked: _Asked) -> KnownWays:
    table = scaled_minutes(times, asked.standards)
    return KnownWays(table, travel_limits(asked.standards, table["mode"], table["band"]))
