"""Ways that pupils go today although they lie beyond the search limits: looked for without any limit.

The limits keep far schools out of a plan; they must not keep a pupil out of its means, maxima and counts.
"""

from __future__ import annotations

import pandas as pd

from geodata.contract.county import County
from geodata.contract.findings import Finding
from geodata.travel.tables import PAIR_KEY

PLACES = PAIR_KEY[:2]
MOST_NAMES = 5
"""Ways that are written out."""


def lacking_today(county: County, pairs: pd.DataFrame, modes: tuple[str, ...]) -> pd.DataFrame:
    """Ways of today's attendance that the limits left out.

    Parameters
    ----------
    county : County
    pairs : DataFrame
        `TravelTimes.pairs` within the limits.
    modes : tuple of str

    Returns
    -------
    DataFrame
        ``village_id, school_id, mode``, sorted: every mode of a pair that no mode reaches, and the mode that pupils
        are told to use where that one does not reach.
    """
    used = _attended(county)
    told = used[[*PLACES, "mode"]] if "mode" in used else used.assign(mode="")
    reached = pd.MultiIndex.from_frame(pairs[PLACES].drop_duplicates())
    lost = used[~pd.MultiIndex.from_frame(used[PLACES]).isin(reached)][PLACES].drop_duplicates()
    rows = pd.concat([lost.merge(pd.Series(modes, name="mode"), how="cross"), told[told["mode"].isin(modes)]])
    rows = rows[[*PLACES, "mode"]].drop_duplicates()
    there = pd.MultiIndex.from_frame(pairs[PAIR_KEY])
    rows = rows[~pd.MultiIndex.from_frame(rows[PAIR_KEY]).isin(there)]
    return rows.astype(str).sort_values(PAIR_KEY, ignore_index=True)


def with_more(pairs: pd.DataFrame, more: pd.DataFrame) -> pd.DataFrame:
    """`TravelTimes.pairs` with further rows, sorted."""
    if more.empty:
        return pairs
    both = pd.concat([pairs, more[pairs.columns]], ignore_index=True)
    return both.astype(pairs.dtypes.to_dict()).sort_values(PAIR_KEY, ignore_index=True)


def beyond_findings(county: County, found: pd.DataFrame, limits: dict[str, float]) -> list[Finding]:
    """A note on the pupils whose way today lies beyond the limits.

    Parameters
    ----------
    county : County
    found : DataFrame
        Rows of `TravelTimes.pairs` beyond the limits.
    limits : dict of str to float
        Minutes on foot (``walk``) and by bus (``bus``).
    """
    if found.empty:
        return []
    best = found.groupby(PLACES)["minutes"].min().rename("best").reset_index()
    used = _attended(county).merge(best, on=PLACES)
    fields: dict[str, object] = {
        "pupils": int(used["pupils"].sum()), "most": f"{used['best'].max():.0f}",
        **{mode: f"{minutes:g}" for mode, minutes in limits.items()},
    }  # fmt: skip
    return [Finding("note", "roads.today_beyond", fields, table="attendance")]


def without_way(county: County, pairs: pd.DataFrame) -> pd.DataFrame:
    """Attendance of today that no mode reaches at all: ``village_id, school_id, village, school, pupils``."""
    used = _attended(county).groupby(PLACES, as_index=False)["pupils"].sum()
    there = pd.MultiIndex.from_frame(pairs[PLACES].drop_duplicates())
    lost = used[~pd.MultiIndex.from_frame(used[PLACES]).isin(there)]
    village = county.villages.set_index("village_id")["name"]
    school = county.schools.set_index("school_id")["name"]
    return lost.assign(
        village=lost["village_id"].map(village), school=lost["school_id"].map(school)
    ).reset_index(drop=True)


def without_way_findings(county: County, pairs: pd.DataFrame) -> list[Finding]:
    """A warning where pupils go today to schools that no way leads to."""
    lost = without_way(county, pairs)
    if lost.empty:
        return []
    shown = lost.head(MOST_NAMES)
    names = ", ".join(f"{v} → {s}" for v, s in zip(shown["village"], shown["school"], strict=True))
    fields: dict[str, object] = {
        "pupils": int(lost["pupils"].sum()), "count": len(lost),
        "names": names + (" ..." if len(lost) > MOST_NAMES else ""),
    }  # fmt: skip
    return [Finding("warning", "roads.today_without_way", fields, table="attendance")]


def _attended(county: County) -> pd.DataFrame:
    if county.attendance.empty:
        return pd.DataFrame(columns=[*PAIR_KEY, "pupils"])
    return county.attendance[county.attendance["pupils"] > 0]
