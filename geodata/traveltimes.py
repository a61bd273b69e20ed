"""Minutes from demand points to schools by mode; snapping, unreachable pairs."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from geodata.findings import Finding


@dataclass(frozen=True)
class TravelTimes:
    """Travel times of one county.

    Parameters
    ----------
    pairs : DataFrame
        ``village_id, school_id, mode`` (walk, bus), ``minutes`` (float), ``km`` (float): only pairs
        inside the search limit, sorted by key; a pair that is absent is out of reach.
    towns : DataFrame
        ``from_township, to_township, minutes``: by car between the townships' staff-weighted centre
        schools, both directions; the commuting rule for staff uses it.
    points : DataFrame
        ``point_id, point_kind`` (village, school), ``name, snap_m`` (metres walked to the road),
        ``status`` (ok, far_snap, fragment, no_road, crow_fly): every point keeps a row.
    source : str
        ``roads`` or ``crow_fly``; the latter is flagged in every output.
    findings : tuple of Finding
        Far snaps, fragments, unreachable pairs, assumed speeds: by name.
    """

    pairs: pd.DataFrame
    towns: pd.DataFrame
    points: pd.DataFrame
    source: str
    findings: tuple[Finding, ...] = ()
