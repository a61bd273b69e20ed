"""The form of travel times, and the tables that every source of them shares."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

import numpy as np
import pandas as pd

from geodata.arrays import Floats
from geodata.contract.county import County
from geodata.contract.findings import Finding
from geodata.roads.shortest_paths import Pairs
from geodata.roads.speeds import ON_FOOT

WALK_KMH = 4.0  # sources.md 3.2 [A]
BUS_WAIT_MIN = 10.0  # sources.md 3.2 [A]: waiting and stops
PAIR_KEY = ["village_id", "school_id", "mode"]

ModePairs = tuple[str, Pairs, Floats]
"""Mode; village row, school row and minutes; kilometres."""


@dataclass(frozen=True, eq=False)
class TravelTimes:
    """Travel times of one county.

    Parameters
    ----------
    pairs : DataFrame
        ``village_id, school_id, mode`` (walk, bus, or what was asked for), ``minutes``, ``km``
        (float): only pairs inside the search limit and observed ones, sorted by key; a pair that is
        absent is out of reach.
    towns : DataFrame
        ``from_township, to_township, minutes``: by car between the townships' staff-weighted centre
        schools, both directions; the commuting rule for staff uses it.
    points : DataFrame
        ``point_id, point_kind`` (village, school), ``name, snap_m`` (metres walked to the road),
        ``status`` (ok, far_snap, fragment, no_road, crow_fly, given): every point keeps a row.
    source : str
        ``roads``, ``matrix`` (the user's own) or ``crow_fly``; the last is flagged in every output.
    findings : tuple of Finding
        Far snaps, fragments, unreachable pairs, assumed speeds, observed minutes: by name.
    """

    pairs: pd.DataFrame
    towns: pd.DataFrame
    points: pd.DataFrame
    source: str
    findings: tuple[Finding, ...] = ()

    def __repr__(self) -> str:
        """A line: where the times are from, how many there are."""
        return f"TravelTimes({self.source}: {len(self.pairs)} pairs of {len(self.points)} points)"

    def _repr_html_(self) -> str:
        """Pairs and minutes by mode, for notebooks."""
        table = self.pairs.groupby("mode")["minutes"].describe().reset_index()
        return f"<p>{escape(repr(self))}</p>" + str(table.to_html(index=False, float_format="{:,.4g}".format))


def limit_of(mode: str, walk_limit: float, bus_limit: float) -> float:
    """Search limit of a mode in minutes: that of walking on foot, of the bus for all others."""
    return walk_limit if mode in ON_FOOT else bus_limit


def places(county: County) -> pd.DataFrame:
    """Villages, then schools: ``point_id, point_kind, name, lon, lat``, each in the order of its table."""
    columns = ["point_id", "point_kind", "name", "lon", "lat"]
    villages = county.villages.rename(columns={"village_id": "point_id"}).assign(point_kind="village")
    schools = county.schools.rename(columns={"school_id": "point_id"}).assign(point_kind="school")
    return pd.concat([villages[columns], schools[columns]], ignore_index=True)


def sorted_pairs(parts: list[ModePairs], county: County) -> pd.DataFrame:
    """`TravelTimes.pairs` from the pairs of each mode, numbered by row of villages and schools."""
    villages, schools = county.villages["village_id"], county.schools["school_id"]
    frames = [
        pd.DataFrame(
            {
                "village_id": villages.iloc[v].to_numpy(),
                "school_id": schools.iloc[s].to_numpy(),
                "mode": mode,
                "minutes": minutes.round(2),
                "km": km.round(3),
            }
        )
        for mode, (v, s, minutes), km in parts
    ]
    return pd.concat(frames, ignore_index=True).sort_values(PAIR_KEY, ignore_index=True)


def all_points(rows: pd.DataFrame, metres: Floats, status: object) -> pd.DataFrame:
    """`TravelTimes.points` from `places`, with metres to the road and a status for each (or one for all)."""
    points = rows[["point_id", "point_kind", "name"]].assign(snap_m=metres.round(1), status=status)
    return points.sort_values(["point_kind", "point_id"], ignore_index=True)


def unreachable(rows_of: pd.DataFrame, pairs: pd.DataFrame, limits: dict[str, float]) -> list[Finding]:
    """A warning for every village and school without a pair."""
    shown = {mode: f"{minutes:g}" for mode, minutes in limits.items()}
    found: list[Finding] = []
    for kind in ("village", "school"):
        rows = rows_of[rows_of["point_kind"] == kind]
        lost = rows[~rows["point_id"].isin(pairs[f"{kind}_id"])]
        found += [
            Finding(
                "warning",
                f"roads.{kind}_unreachable",
                {"name": name, **shown},
                table=f"{kind}s",
                value=str(point),
            )
            for point, name in zip(lost["point_id"], lost["name"], strict=True)
        ]
    return found


def town_schools(county: County) -> tuple[pd.DataFrame, list[Finding]]:
    """The school with most pupils in each township, open ones first, then the lowest id."""
    pupils = county.school_stage.groupby("school_id")["pupils"].sum()
    schools = county.schools.assign(
        pupils=county.schools["school_id"].map(pupils).fillna(0), shut=county.schools["status"] != "open"
    )
    order = schools.sort_values(
        ["township", "shut", "pupils", "school_id"], ascending=[True, True, False, True]
    )
    chosen = order.drop_duplicates("township").reset_index(drop=True)
    without = sorted(set(county.villages["township"]) - set(chosen["township"]))
    return chosen, [
        Finding("note", "roads.town_without_school", {"name": t}, table="villages") for t in without
    ]


def town_table(names: list[str], minutes: Floats) -> pd.DataFrame:
    """All pairs that have a way; a township to itself takes no time."""
    minutes = minutes.copy()
    np.fill_diagonal(minutes, 0.0)
    start, end = np.nonzero(np.isfinite(minutes))
    label = np.array(names, dtype=object)
    table = pd.DataFrame({"from_township": label[start], "to_township": label[end]})
    return table.assign(minutes=minutes[start, end].round(2))
