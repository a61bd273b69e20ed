"""Ways to school that a group could take, and which rules of access each of them breaks.

| symbol | column | is |
|---|---|---|
| t[g,j,m] | ``minutes`` | travel times, by band |
| T[b,m] | ``limit`` | limit of band and mode |
| t0[g] | ``today_minutes`` | best way to today's school that exists, or today's as told |

The rules (`models.rules.access`): beyond its limit a way is taken only where no school with places is within
the limit by any mode and it is no worse than today; nobody newly rides to a school within a walk; nobody's way grows by more than so many minutes; nobody
goes past the own school, or a nearer one with places, while it is open (some minutes' grace), nor rides away from an own one
within a walk; nobody changes to
a school that does not take the group of pupils, and such a school is none that others could go to or go past.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from geodata.contract.groups import Admission, group_in
from models.problem.minutes import PLANNED_MODES
from models.rules.record import kind_of
from models.standards.norms import Standards

FARTHEST = 60.0
"""Minutes beyond a hard limit up to which a way is kept in mind, for the search of what would have to give."""
PAIR = ["g", "village_id", "band", "school_id", "mode", "minutes", "limit", "changed", "stay", "pupils"]


@dataclass(frozen=True)
class Ways:
    """Ways by what the rules say.

    Parameters
    ----------
    pairs : DataFrame
        Index p: ways that no hard rule bars: ``g, village_id, band, school_id, mode, minutes, limit, changed, stay, pupils``.
    barred : DataFrame
        Ways that a hard rule bars whatever else is decided: the columns of ``pairs`` with ``rule`` and ``excess``
        (minutes beyond what it allows; NaN where no minutes would help).
    past : DataFrame
        ``p, school_id, band, rule``: pair p must not be used while that site teaches the band (rule hard or soft).
    softened : DataFrame
        ``p, rule, norm, excess``: pairs that break a soft norm of a rule.
    """

    pairs: pd.DataFrame
    barred: pd.DataFrame
    past: pd.DataFrame
    softened: pd.DataFrame


def limit_table(standards: Standards) -> dict[tuple[str, str], tuple[float, str]]:
    """(band, mode) -> (minutes, kind) of the limits of the way to school."""
    found = {}
    for band in standards.scheme.band_ids:
        for mode in PLANNED_MODES:
            rule = standards.rules.get(f"travel_{mode}_{band}")
            if rule is None or rule.kind == "off":
                found[band, mode] = (float("inf"), "off")
            else:
                found[band, mode] = (rule.value, str(rule.kind))
    return found


def candidate_ways(groups: pd.DataFrame, bands: pd.DataFrame, minutes: pd.DataFrame) -> pd.DataFrame:
    """Every way of a group that may move: to stay as today, and to each site that teaches its whole band.

    Pupils who by-pass their village's school move only where their own school may give up the band.
    """
    lock = bands["lock"].to_dict()
    home = [lock.get(k, "open") for k in zip(groups["today_school_id"], groups["band"], strict=True)]
    moving = groups[groups["main"] | (np.array(home, dtype=object) != "open")].reset_index()
    full = bands[bands["full"] & (bands["lock"] != "closed")].reset_index()[["school_id", "band"]]
    rows = moving.merge(minutes, on=["village_id", "band"]).merge(full, on=["school_id", "band"])
    own = rows["school_id"] == rows["today_school_id"]
    # at today's school another mode is of use only where it is quicker
    better = rows["minutes"] < rows["today_minutes"] - 1e-9
    rows = rows[~own | ((rows["mode"] != rows["today_mode"]) & better)]
    stay = moving.assign(
        school_id=moving["today_school_id"], mode=moving["today_mode"], minutes=moving["today_minutes"]
    )
    both = pd.concat([stay.assign(stay=True), rows.assign(stay=False)], ignore_index=True)
    both["changed"] = both["school_id"] != both["today_school_id"]
    return both


def admissible_ways(
    groups: pd.DataFrame,
    bands: pd.DataFrame,
    units: pd.DataFrame,
    minutes: pd.DataFrame,
    standards: Standards,
    groups_taken: Admission | None = None,
) -> Ways:
    """Ways sorted by what the rules of access say of them.

    Parameters
    ----------
    groups : DataFrame
        Index g: `models.problem.baseline.today_groups`.
    bands : DataFrame
        `models.problem.instance.Instance.bands`.
    units : DataFrame
        With ``free`` (places left today) and ``over`` (above a cap today).
    minutes : DataFrame
        `models.problem.minutes.scaled_minutes`.
    standards : Standards
    groups_taken : Admission or None
        Which units take which pupils; None: all take all.
    """
    rows = candidate_ways(groups, bands, minutes)
    limits = limit_table(standards)
    keys = pd.MultiIndex.from_frame(rows[["band", "mode"]])
    known = pd.DataFrame.from_dict(limits, orient="index", columns=["limit", "kind"])
    known.index = pd.MultiIndex.from_tuples(limits)
    rows["limit"] = known["limit"].reindex(keys).to_numpy(float)
    rows["limit_kind"] = known["kind"].reindex(keys).to_numpy(object)
    unit = _of_band(bands["unit_id"], rows["school_id"], rows["band"])
    rows["free"] = units["free"].reindex(unit).to_numpy(float)
    # a bus to a school within walking is no remedy: whether one may ride all the same, the walking limit says
    on_foot = rows[(rows["mode"] == "walk") & (rows["minutes"] <= rows["limit"])][["g", "school_id"]]
    near = rows[["g", "school_id"]].merge(on_foot.drop_duplicates().assign(near=True), how="left")["near"]
    rows["idle_ride"] = ~rows["stay"] & (rows["mode"] == "bus") & near.notna().to_numpy()
    walks = pd.MultiIndex.from_arrays([rows["band"], np.full(len(rows), "walk")])
    rows["walk_kind"] = known["kind"].reindex(walks).to_numpy(object)
    rows["walk_limit"] = known["limit"].reindex(walks).to_numpy(float)
    rows = rows[~rows["idle_ride"] | (rows["walk_kind"] != "hard")]
    # a limit that does not bind keeps every way: what it leaves out would be proven impossible
    binds = rows["limit_kind"] == "hard"
    rows = rows[rows["stay"] | ~binds | (rows["minutes"] <= rows["limit"] + FARTHEST)]
    rows = rows.sort_values(["g", "school_id", "mode", "stay"], kind="stable").reset_index(drop=True)
    kind = kind_of(standards, "group_access")
    rows["taken"] = True
    if groups_taken is not None and kind != "off":
        of_group = groups["group"].reindex(rows["g"]).map(group_in)
        unit = _of_band(bands["unit_id"], rows["school_id"], rows["band"])
        rows["taken"] = rows["stay"] | ~rows["changed"] | groups_taken.of_rows(unit, of_group)
    refused = rows[~rows["taken"]] if kind == "hard" else rows.iloc[:0]
    rows = rows[~rows.index.isin(refused.index)].reset_index(drop=True)
    return _sorted_out(rows, refused, bands, units, standards)


def _of_band(column: pd.Series, schools: pd.Series, band: pd.Series) -> Any:
    """A column of bands by school and band; empty where the school has no such band."""
    return column.reindex(pd.MultiIndex.from_arrays([schools, band])).to_numpy()


def _sorted_out(
    rows: pd.DataFrame, refused: pd.DataFrame, bands: pd.DataFrame, units: pd.DataFrame, standards: Standards
) -> Ways:
    """Candidates divided into pairs, barred ways, conditions and soft breaches."""
    breaks = [
        ("travel_limit", _limit_norm(rows["mode"], rows["band"]), _beyond(rows), rows["limit_kind"]),
        ("travel_limit", _limit_norm("walk", rows["band"]), rows["minutes"].where(rows["idle_ride"], 0.0), rows["walk_kind"]),
        ("travel_increase", "travel_increase", _grown(rows, standards), kind_of(standards, "travel_increase")),
    ]  # fmt: skip
    if not rows["taken"].all():
        across = (~rows["taken"]).astype(float)
        breaks.append(("group_access", "group_access", across, kind_of(standards, "group_access")))
    past = _past(rows, bands, units, standards)
    past["certain"] = _of_band(bands["lock"].eq("open"), past["school_id"], past["band"]).astype(bool)
    for rule in ("past_own_school", "past_nearer_school"):
        some = past[(past["rule"] == rule) & past["certain"]]
        excess = pd.Series(0.0, index=rows.index)
        most = some.groupby("row")["excess"].max()
        excess.loc[most.index] = most
        breaks.append((rule, rule, excess, kind_of(standards, rule)))
    out, soft = pd.Series("", index=rows.index), []
    excess_of = pd.Series(0.0, index=rows.index)
    for rule, norm, excess, kind in breaks:
        broken = excess > 1e-9
        hard = broken & (kind == "hard") & (out == "")
        out[hard], excess_of[hard] = rule, excess[hard]
        some = rows.index[broken & (kind == "soft")]
        says = norm[some] if isinstance(norm, pd.Series) else norm
        soft.append(pd.DataFrame({"p": some, "rule": rule, "norm": says, "excess": excess[some]}))
    kept = rows[out == ""]
    new = pd.Series(np.arange(len(kept)), index=kept.index)
    barred = rows[out != ""][PAIR].assign(rule=out[out != ""], excess=excess_of[out != ""])
    if len(refused):
        barred = pd.concat([barred, refused[PAIR].assign(rule="group_access", excess=np.nan)])
    past = past[past["row"].isin(new.index) & past["binding"]]
    past = past.assign(p=past["row"].map(new))[["p", "school_id", "band", "rule"]]
    softened = pd.concat(soft, ignore_index=True)
    softened = softened[softened["p"].isin(new.index) & ~softened["rule"].str.startswith("past_")]
    softened["p"] = softened["p"].map(new)
    past = past.drop_duplicates().sort_values(["p", "school_id", "rule"]).reset_index(drop=True)
    return Ways(
        kept[PAIR].reset_index(drop=True),
        barred.reset_index(drop=True),
        past,
        softened.reset_index(drop=True),
    )


def _limit_norm(mode: Any, band: pd.Series) -> pd.Series:
    """Ids of the norms that limit the ways of a mode."""
    return "travel_" + mode + "_" + band.astype(str)


def _beyond(rows: pd.DataFrame) -> pd.Series:
    """Minutes beyond the limit, of ways that nothing excuses.

    Excused is a way no worse than today's where no school with places is within its limit by any mode.
    """
    open_place = rows["stay"] | ~rows["changed"] | (rows["free"] >= rows["pupils"])
    within = rows["minutes"] <= rows["limit"]
    some_within = (open_place & within & rows["taken"]).groupby(rows["g"]).transform("any")
    no_worse = rows["minutes"] <= rows["today_minutes"] + 1e-9
    excused = rows["stay"] | within | (~some_within & no_worse) | (~rows["changed"] & no_worse)
    return (rows["minutes"] - rows["limit"]).where(~excused, 0.0).fillna(0.0)


def _grown(rows: pd.DataFrame, standards: Standards) -> pd.Series:
    """Minutes by which a way grows beyond what is allowed; nothing where today's is not known."""
    rule = standards.rules.get("travel_increase")
    if rule is None:
        return pd.Series(0.0, index=rows.index)
    more = rows["minutes"] - rows["today_minutes"] - rule.value
    return more.where(~rows["stay"] & (more > 0), 0.0).fillna(0.0)


def _past(rows: pd.DataFrame, bands: pd.DataFrame, units: pd.DataFrame, standards: Standards) -> pd.DataFrame:
    """``row, school_id, band, rule, excess, binding``: schools that a way goes past if they stay open."""
    changed = rows[rows["changed"]].rename_axis("row").reset_index()
    parts = []
    own = standards.rules.get("past_own_school")
    if own is not None:
        longer = changed["minutes"] - changed["today_minutes"] - own.value
        # a bus is no remedy for a walk: minutes saved by riding bring nobody away from a school that is within walking
        walks = (changed["today_mode"] == "walk") & (changed["today_minutes"] <= changed["walk_limit"])
        rides_past = (changed["mode"] == "bus") & walks & np.isfinite(changed["walk_limit"])
        excess = longer.where(~rides_past, np.fmax(longer, 1.0))
        some = changed[excess > 1e-9]
        unit = _of_band(bands["unit_id"], some["today_school_id"], some["band"])
        some = some[~units["over"].reindex(unit).fillna(False).to_numpy(bool)]
        part = some[["row", "band"]].assign(
            school_id=some["today_school_id"], rule="past_own_school", excess=excess[some.index]
        )
        parts.append(part.assign(binding=own.kind in ("hard", "soft")))
    nearer = standards.rules.get("past_nearer_school")
    if nearer is not None:
        parts.append(
            _past_nearer(rows, changed, nearer.value).assign(binding=nearer.kind in ("hard", "soft"))
        )
    columns = ["row", "school_id", "band", "rule", "excess", "binding"]
    if not parts:
        return pd.DataFrame(columns=columns).astype({"excess": float, "binding": bool})
    table = pd.concat(parts, ignore_index=True)[columns]
    taught = pd.MultiIndex.from_frame(table[["school_id", "band"]]).isin(bands.index)
    return table[taught].reset_index(drop=True)


def _past_nearer(rows: pd.DataFrame, changed: pd.DataFrame, grace: float) -> pd.DataFrame:
    """Schools with places within the limit that a way goes past: by more than the grace, or riding past a walk.

    A walk within its limit goes past walks alone: measured by a ride, the walk and the ride could bar each other.
    """
    offered = rows[(rows["minutes"] <= rows["limit"]) & rows["changed"] & (rows["free"] >= rows["pupils"])]
    offered = offered[offered["taken"] & ~offered["idle_ride"]]
    best = offered.groupby(["g", "school_id"], as_index=False)["minutes"].min()
    walks = offered[offered["mode"] == "walk"].groupby(["g", "school_id"], as_index=False)["minutes"].min()
    best = best.merge(walks.rename(columns={"minutes": "walked"}), how="left", on=["g", "school_id"])
    best = best.rename(columns={"school_id": "nearer", "minutes": "best"})
    both = changed[["row", "g", "band", "school_id", "mode", "minutes", "limit"]].merge(best, on="g")
    both = both[both["nearer"] != both["school_id"]]
    walk = (both["mode"] == "walk") & (both["minutes"] <= both["limit"])
    longer = both["minutes"] - both["best"].where(~walk, both["walked"]) - grace
    rides_past = (both["mode"] == "bus") & both["walked"].notna()
    both["excess"] = np.where(rides_past, np.maximum(longer, 1.0), longer)
    both = both[both["excess"] > 1e-9]
    return both[["row", "band", "excess"]].assign(school_id=both["nearer"], rule="past_nearer_school")
