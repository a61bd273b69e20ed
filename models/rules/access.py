"""Rules about the way to school.

| rule | equation |
|---|---|
| travel_limit | attend[g,j,m] = 0 where t > T[b,m], unless nothing is within the limit and t <= t0; attend[g,j,bus] = 0 where t[g,j,walk] <= T[b,walk], unless as today |
| travel_increase | attend[g,j,m] = 0 where t > t0 + 15 (a group that moves) |
| past_own_school | attend[g,j,m] + open[j0(g),b] <= 1 where t > t0 + 5, or m a bus and t0 a walk within its limit |
| past_nearer_school | attend[g,j,m] + open[j',b] <= 1 where j' has places and t > t[g,j'] + 5 (a walk within its limit: of walks alone) |

What a hard rule bars whatever else is decided never becomes a column (`models.problem.ways`); the model counts
these ways in ``model.barred``.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from models.plan.before import site_pupils
from models.plan.costs import county_rides
from models.problem.minutes import travel_limits
from models.rules.admission import not_taken
from models.rules.record import EPS, Rows, Rule, Slack, all_of, broken, none

if TYPE_CHECKING:
    from models.plan.outcome import After

LIMITS = ("travel_{mode}_{band}",)


def _barred(rows: Rows) -> None:
    inst, rule = rows.inst, rows.rule
    if rows.loosened:
        return
    rows.model.barred[rule.id] = int((inst.barred["rule"] == rule.id).sum())
    soft = inst.softened[inst.softened["rule"] == rule.id]
    if soft.empty:
        return
    ways = inst.pairs.loc[soft["p"]].assign(excess=soft["excess"].to_numpy(), norm=soft["norm"].to_numpy())
    several = rule.norms == LIMITS
    for one in sorted(set(ways["norm"])):
        some = ways[ways["norm"] == one]
        share = (1.0 / (some["excess"].astype(float) * some["pupils"].astype(float))).to_dict()
        part = one.removeprefix("travel_") if several else ""
        rows.add(
            list(some.index),
            lambda m, p: m.attend[p] <= 0,
            norm=one,
            part=part,
            scale=share.__getitem__,
        )


def _not_past(rows: Rows) -> None:
    inst, rule = rows.inst, rows.rule
    if not rows.loosened:
        rows.model.barred[rule.id] = int((inst.barred["rule"] == rule.id).sum())
    past = inst.past[inst.past["rule"] == rule.id]
    keys = [tuple(r) for r in past[["p", "school_id", "band"]].itertuples(index=False)]
    many = inst.pairs["pupils"].to_dict()
    rows.add(
        keys, lambda m, p, j, b: m.attend[p] + m.open[j, b] <= 1, scale=lambda k: 1.0 / float(many[k[0]])
    )


def _limits(after: After, travel: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
    """Limit and its norm's id by row of ``travel``."""
    modes, bands = travel["mode"].tolist(), travel["band"].tolist()
    norm = [f"travel_{m}_{b}" for m, b in zip(modes, bands, strict=True)]
    limit = travel_limits(after.standards, modes, bands)
    return pd.Series(limit, travel.index), pd.Series(norm, travel.index, dtype="str")


@lru_cache(maxsize=2)
def _ways_within(after: After) -> pd.DataFrame:
    """Ways within their limit to open bands taught whole, with the places that school had left and has; only read."""
    ways, today = after.today.ways, after.today
    taught = (after.bands["open"] & after.bands["full"]).tolist()
    unit = {k: u for k, u, whole in zip(today.band, after.bands["unit_id"], taught, strict=True) if whole}
    units = [unit.get((j, b)) for _, j, b in ways.places]
    there = np.array([u is not None for u in units], dtype=bool)
    within = there & ~(ways.table["minutes"].to_numpy(float) > ways.limit + EPS)
    # where a school is within a walk a bus to it is no remedy, so nobody is asked to take it
    walked = np.zeros(len(ways.places), dtype=bool)
    walked[ways.place[within & ways.walks]] = True
    kept = np.flatnonzero(within & (ways.walks | ~walked[ways.place]))
    left, named = places_left(after).to_dict(), [units[i] for i in kept.tolist()]
    return ways.table.iloc[kept].assign(
        unit_id=pd.array(named, dtype="str"), left=[float(left.get(u, np.nan)) for u in named]
    )


def places_left(after: After) -> pd.Series:
    """Places of each unit that were free today and are so in the plan: the lesser of both."""
    left = []
    for units in (after.units, after.new):
        at = np.unique(units["school_id"].to_numpy(object), return_inverse=True)[1]
        site = site_pupils(units)
        places = units["capacity"].to_numpy(float) - units["pupils"].to_numpy(float)
        left.append(np.maximum(np.minimum(places, (after.today.cap_of_site - site)[at]), 0))
    return pd.Series(np.minimum(left[0], left[1]), index=after.units.index)


def _idle_rides(after: After) -> pd.DataFrame:
    """New rides to a school that is within a walk: no remedy. Who rides there today may go on."""
    rides = county_rides(after.travel)
    if not rides.any():
        return none()
    rows = after.travel.rename_axis("row").reset_index()[rides]
    walks = after.minutes.loc[after.minutes["mode"] == "walk", ["village_id", "school_id", "band", "minutes"]]
    rows = rows.merge(walks, on=["village_id", "school_id", "band"], suffixes=("", "_walk"))
    limit, norm = _limits(after, rows.assign(mode="walk"))
    wrong = rows[rows["minutes_walk"] <= limit + EPS]
    return broken(wrong, "village_id", "village", wrong["minutes"], 0, "minutes", norm=norm[wrong.index])


def check_limit(after: After) -> pd.DataFrame:
    """Minutes within the limit; beyond it only where no school with places is within, and no worse than today.

    Nobody newly rides to a school within a walk.
    """
    minutes, limit = (after.travel[c].to_numpy(float) for c in ("minutes", "limit"))
    asked = (minutes > limit + EPS) | np.isnan(minutes)
    if not asked.any():
        return _idle_rides(after)
    rows = after.travel[asked].copy()
    rows["norm"] = _limits(after, rows)[1]
    moved = rows["changed"] | (rows["mode"] != rows["today_mode"])
    ways = _ways_within(after)
    far = rows[rows["minutes"] > rows["limit"] + EPS].rename_axis("row").reset_index()
    other = far[["row", "village_id", "band", "group", "pupils"]].merge(
        ways[["village_id", "band", "unit_id", "left"]], on=["village_id", "band"]
    )
    other = other[~not_taken(after, other["unit_id"], other["group"])]
    helped = set(other.loc[other["left"].astype(float) >= other["pupils"].astype(float), "row"])
    beyond = rows.loc[far["row"]]
    worse = beyond["minutes"] > beyond["minutes_today"] + EPS
    could = beyond.index.isin(helped) & beyond["changed"]
    unknown = rows[moved & rows["minutes"].isna()]
    bad = moved[beyond.index] & (worse | beyond["minutes_today"].isna() | could)
    wrong, eased = beyond[bad], beyond[~bad]
    return all_of(
        [
            broken(wrong, "village_id", "village", wrong["minutes"], wrong["limit"], "minutes", norm=wrong["norm"]),
            broken(unknown, "village_id", "village", np.nan, unknown["limit"], "minutes", norm=unknown["norm"]),
            broken(eased, "village_id", "village", eased["minutes"], eased["limit"], "minutes", True, eased["norm"]),
            _idle_rides(after),
        ]
    )  # fmt: skip


def check_increase(after: After) -> pd.DataFrame:
    """Nobody who moves rides so much longer than today: by-passers whose school closes as well."""
    rows = after.travel
    most = after.standards.value("travel_increase")
    longer = rows["minutes"].to_numpy(float) - rows["minutes_today"].to_numpy(float)
    moved = rows["changed"].to_numpy(bool) | (rows["mode"] != rows["today_mode"]).to_numpy(bool)
    far = moved & (longer > most + EPS)
    if not far.any():
        return none()
    return broken(rows[far], "village_id", "village", longer[far], most, "minutes")


def check_past_own(after: After) -> pd.DataFrame:
    """Nobody leaves an own school that stays open and has places for a longer way than the grace allows, or on a bus from a walk."""
    grace = after.standards.value("past_own_school")
    travel, stage_of = after.travel, after.standards.scheme.band_stage
    then = travel["minutes_today"].to_numpy(float)
    longer = travel["minutes"].to_numpy(float) - then
    walk = travel_limits(after.standards, ["walk"] * len(travel), travel["band"].tolist())
    walked = (travel["today_mode"] == "walk").to_numpy(bool) & (then <= walk + EPS) & np.isfinite(walk)
    rides = (travel["mode"] == "bus").to_numpy(bool) & walked
    at = np.flatnonzero(travel["changed"].to_numpy(bool) & (rides | (longer > grace + EPS)))
    stays, over = after.open_of, after.over.to_dict()
    own = zip(at.tolist(), *(travel[c].array[at] for c in ("today_school_id", "band")), strict=True)
    wrong = [
        i for i, j, b in own if stays.get((j, b), False) and not over.get(f"{j}/{stage_of.get(b)}", False)
    ]
    rows = travel.iloc[wrong]
    ride = rides[wrong] & (longer[wrong] <= grace)  # told as the ride, of which there should be none
    amount, limit = np.where(ride, rows["minutes"], longer[wrong]), np.where(ride, 0.0, grace)
    return broken(rows, "village_id", "village", amount, limit, "minutes")


def check_past_nearer(after: After) -> pd.DataFrame:
    """Nobody who moves goes past an open school with places, nearer by more than the grace or within a walk."""
    grace = after.standards.value("past_nearer_school")
    if not after.travel["changed"].any():
        return none()
    columns = [
        "village_id",
        "band",
        "group",
        "school_id",
        "today_school_id",
        "mode",
        "minutes",
        "pupils",
        "limit",
    ]
    own = after.travel.loc[after.travel["changed"], columns].rename_axis("row").reset_index()
    own["walks"] = (own["mode"] == "walk") & (own["minutes"] <= own.pop("limit") + EPS)
    ways = _ways_within(after)
    both = own.merge(ways, on=["village_id", "band"], suffixes=("", "_other"))
    both = both[~not_taken(after, both["unit_id"], both["group"])]
    both = both[
        (both["school_id_other"] != both["school_id"]) & (both["school_id_other"] != both["today_school_id"])
    ]
    both = both[both["left"].astype(float) >= both["pupils"].astype(float)]
    like = ~(both["walks"] & (both["mode_other"] == "bus"))  # a walk within its limit goes past walks alone
    nearer = like & (both["minutes"] > both["minutes_other"] + grace + EPS)
    walkable = (both["mode"] == "bus") & (both["mode_other"] == "walk")
    worst = both[nearer | walkable].sort_values("minutes_other").drop_duplicates("row").set_index("row")
    wrong = after.travel.loc[worst.index]
    return broken(wrong, "village_id", "village", wrong["minutes"], worst["minutes_other"], "minutes")


MINUTES = Slack("pupil_minutes", "minutes")
RULES = (
    Rule("travel_limit", "access", check_limit, _barred, LIMITS, MINUTES),
    Rule("travel_increase", "access", check_increase, _barred, ("travel_increase",), MINUTES),
    Rule("past_own_school", "access", check_past_own, _not_past, ("past_own_school",), Slack("pupils", "minutes", 5.0)),
    Rule("past_nearer_school", "access", check_past_nearer, _not_past, ("past_nearer_school",), Slack("pupils", "minutes", 5.0)),
)  # fmt: skip
