"""Minutes that users bring: observed ones that win over computed ones, or a whole matrix."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from geodata.contract.county import County
from geodata.contract.findings import Finding
from geodata.roads.speeds import ON_FOOT
from geodata.travel.crowfly import crow_fly_towns, crow_km
from geodata.travel.tables import PAIR_KEY, TravelTimes, all_points, limit_of, places, unreachable
from geodata.travel.today import beyond_findings, lacking_today, with_more


def with_observed(times: TravelTimes, county: County, modes: tuple[str, ...]) -> TravelTimes:
    """Observed minutes (table T16, `travel_times`) put in place of computed ones, or added.

    They count as they are: no speed, wait or limit is applied to them. Kilometres that are not given
    stay as computed; of a pair that was not computed they are straight-line x 1.35.

    Parameters
    ----------
    times : TravelTimes
    county : County
    modes : tuple of str
        Rows of other modes are not used, and counted.

    Returns
    -------
    TravelTimes
        Findings count what was replaced, added and not used; warnings that a place reaches nothing
        are withdrawn where an observed pair says otherwise.
    """
    table = county.travel_times
    if not len(table):
        return times
    used = table[table["mode"].isin(modes)]
    merged = used[[*PAIR_KEY, "minutes", "km"]].merge(
        times.pairs.rename(columns={"minutes": "was", "km": "km_was"}), on=PAIR_KEY, how="left"
    )
    km = merged["km"].fillna(merged["km_was"])
    merged["km"] = km.where(km.notna(), crow_km(county, merged["village_id"], merged["school_id"]))
    kept = times.pairs.merge(used[PAIR_KEY], on=PAIR_KEY, how="left", indicator=True)
    kept = kept[kept["_merge"] == "left_only"].drop(columns="_merge")
    pairs = pd.concat([kept, merged[[*PAIR_KEY, "minutes", "km"]]], ignore_index=True)
    pairs = pairs.astype({"minutes": "float64", "km": "float64"}).sort_values(PAIR_KEY, ignore_index=True)
    old = merged["was"].notna()
    change = (merged["minutes"] - merged["was"])[old].abs()
    fields: dict[str, object] = {
        "count": int(old.sum()), "added": int((~old).sum()),
        "change": f"{change.median() if len(change) else 0.0:.1f}",
    }  # fmt: skip
    found = [Finding("note", "roads.observed_used", fields, table="travel_times")]
    if len(used) < len(table):
        spare: dict[str, object] = {"count": len(table) - len(used), "modes": ", ".join(modes)}
        found.append(Finding("note", "roads.observed_unused", spare, table="travel_times"))
    reached = set(used["village_id"]) | set(used["school_id"])
    still = [f for f in times.findings if not (f.key.endswith("_unreachable") and f.value in reached)]
    return replace(times, pairs=pairs, findings=(*still, *found))


def from_matrix(
    county: County,
    towns: tuple[pd.DataFrame, list[Finding]] | None,
    walk_limit: float,
    bus_limit: float,
    modes: tuple[str, ...],
) -> TravelTimes:
    """Travel times from the user's own matrix (table `travel_matrix`); nothing is computed for pupils.

    Parameters
    ----------
    county : County
        With a `travel_matrix`.
    towns : DataFrame and findings, or None
        Times between townships over roads; without them in straight lines, flagged.
    walk_limit, bus_limit : float
        Minutes; pairs beyond are left out and counted, but for those that pupils go today.
    modes : tuple of str
        Rows of other modes are not used, and counted.
    """
    table = county.travel_matrix
    limits = {mode: limit_of(mode, walk_limit, bus_limit) for mode in modes}
    known = table[table["mode"].isin(modes)]
    inside = known["minutes"].to_numpy() <= known["mode"].map(limits).to_numpy(dtype=float)
    known = known[[*PAIR_KEY, "minutes", "km"]].reset_index(drop=True)
    known["km"] = known["km"].where(
        known["km"].notna(), crow_km(county, known["village_id"], known["school_id"])
    )
    pairs = known[inside].sort_values(PAIR_KEY, ignore_index=True)
    beyond = known[~inside].merge(lacking_today(county, pairs, modes), on=PAIR_KEY)
    pairs = with_more(pairs, beyond)
    rows = places(county)
    fields: dict[str, object] = {
        "count": len(pairs), "beyond": int((~inside).sum()) - len(beyond), "other": len(table) - len(known),
        "modes": ", ".join(modes),
    }  # fmt: skip
    found = [Finding("note", "roads.matrix_given", fields, table="travel_matrix")]
    missing = sorted(set(modes) - set(pairs["mode"]) - set(ON_FOOT[1:]))
    found += [
        Finding("warning", "roads.matrix_without_mode", table="travel_matrix", value=m) for m in missing
    ]
    if towns is None:
        towns = crow_fly_towns(county)
        found.append(Finding("warning", "roads.towns_crow_fly"))
    limits_of = {"walk": walk_limit, "bus": bus_limit}
    found += [*unreachable(rows, pairs, limits_of), *beyond_findings(county, beyond, limits_of), *towns[1]]
    points = all_points(rows, np.zeros(len(rows)), "given")
    return TravelTimes(pairs, towns[0], points, "matrix", tuple(found))
