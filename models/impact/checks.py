"""The fifteen reasons for which plans are rejected, each looked at before a plan is shown (sources.md 5.3).

| check | answered from |
|---|---|
| early_travel | the way of the youngest band, referee's minutes and limits |
| township_junior | units of the norm's stage that stay open, by township |
| receiver_caps | class, site and place caps at schools that take pupils |
| receiver_indicators | indicators of units that take pupils, met today and not in the plan |
| order | whether anything closes, and whether its receivers wait for rooms or teachers |
| hearing, filing, reuse, statistics | not in the tables: a person answers |
| protected | closed sites with a mark of protection; whether one was renovated lately, a person knows |
| pace | the rules about closings by township and in the county |
| teachers | the rules about small schools, outflow, eligibility and retirement |
| earmarks | the rules about the budget and about what recurs every year |
| explained | whether each action has a cause that was found |
| disabled | pupils of 随班就读 at units whose pupils leave |

``ok`` is said only where the tables answer the whole question; ``person`` where they answer it in part or not at
all; ``not_assessed`` where a table or a rule that would answer is missing; ``broken`` where the answer is no.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from models.plan.decisions import PlanResult, Verdict
from models.rules.record import EPS

OK, BROKEN, PERSON, UNASSESSED = "ok", "broken", "person", "not_assessed"
CHECKS = (
    "early_travel", "township_junior", "receiver_caps", "receiver_indicators", "order", "hearing", "protected", "pace", "teachers",
    "earmarks", "explained", "statistics", "filing", "disabled", "reuse",
)  # fmt: skip
"""In the order of the source."""
CAPS = ("class_size", "school_size", "capacity")
PACE = ("closures_township", "closures_share")
TEACHERS = (
    "floor_no_outflow", "outflow_rural", "outflow_township", "near_retirement_stays", "eligible_moves", "floor_class", "floor_backbone",
    "floor_arts",
)  # fmt: skip
LASTING = "recurrent_lasting"
UNPROTECTED = "none"
"""What the column ``protected`` says of a site without a mark."""
NO_EFFECT = "reasons.serves_nothing"


@dataclass(frozen=True)
class Check:
    """One check.

    Parameters
    ----------
    id : str
        One of `CHECKS`.
    verdict : {"ok", "broken", "person", "not_assessed"}
    note : str
        Why, as a key of the words.
    fields : mapping
        What the note names.
    places : tuple of str
        Names of the places it is about.
    """

    id: str
    verdict: str
    note: str
    fields: Mapping[str, object] = field(default_factory=dict, hash=False)
    places: tuple[str, ...] = ()


class _Plan:
    """The tables that several checks look at."""

    def __init__(self, result: PlanResult):
        self.result, self.verdict = result, result.verdict
        travel = self.verdict.travel
        self.changed = travel[travel["changed"].astype(bool)]
        self.stage = self.changed["band"].map(result.county.scheme.band_stage).astype(str)
        units = self.verdict.units
        self.receivers = set(self.changed["school_id"].astype(str) + "/" + self.stage)
        self.senders = set(self.changed["today_school_id"].astype(str) + "/" + self.stage)
        open_after = units.groupby("school_id")["open_plan"].any()
        self.closed = [str(s) for s in open_after.index[~open_after.astype(bool)]]
        bands = result.plan.bands
        shut = bands[bands["was_open"].astype(bool) & ~bands["open"].astype(bool)]
        self.reduced = sorted(set(shut["school_id"].astype(str)) - set(self.closed))
        self.name = {str(k): str(v) for k, v in result.county.schools.set_index("school_id")["name"].items()}

    def named(self, ids: list[str]) -> tuple[str, ...]:
        return tuple(self.name.get(i, i) for i in ids)


def rejection_checks(result: PlanResult) -> list[Check]:
    """The fifteen checks in the order of `CHECKS`.

    Parameters
    ----------
    result : PlanResult

    Returns
    -------
    list of Check
    """
    plan = _Plan(result)
    return [
        _early_travel(plan), _township_junior(plan), _receiver_caps(plan), _receiver_indicators(plan), _order(plan), _hearing(plan),
        _protected(plan), _by_rules("pace", plan.verdict, PACE), _teachers(plan), _earmarks(plan), _explained(plan), _statistics(plan),
        Check("filing", PERSON, "filing"), _disabled(plan), _reuse(plan),
    ]  # fmt: skip


def _early_travel(plan: _Plan) -> Check:
    """Nobody of the youngest band travels beyond the limit and longer than today."""
    scheme = plan.result.county.scheme
    youngest = scheme.bands_of(scheme.stage_ids[0])[0]
    rows = plan.verdict.travel[plan.verdict.travel["band"] == youngest]
    beyond = rows["minutes"] > rows["limit"] + EPS
    longer = rows["minutes"] > rows["minutes_today"] + EPS
    unknown = (rows["minutes"].isna() | rows["minutes_today"].isna()) & rows["changed"].astype(bool)
    bad = rows[beyond & longer]
    if len(bad):
        worst = bad.sort_values("minutes", ascending=False, kind="stable")
        fields = {"pupils": int(bad["pupils"].sum()), "minutes": float(worst["minutes"].iloc[0])}
        return Check("early_travel", BROKEN, "early_broken", fields, tuple(dict.fromkeys(worst["village"])))
    held = rows[beyond & ~longer]
    fields = {"pupils": int(held["pupils"].sum())}
    if unknown.any():
        many = {"pupils": int(rows.loc[unknown, "pupils"].sum())}
        return Check(
            "early_travel",
            UNASSESSED,
            "early_unknown",
            many,
            tuple(dict.fromkeys(rows.loc[unknown, "village"])),
        )
    return Check("early_travel", OK, "early_kept" if len(held) else "early_ok", fields)


def _township_junior(plan: _Plan) -> Check:
    """No township is left without a school of the stage that each has to keep."""
    norm = plan.result.county.norms.rules.get("junior_per_township")
    if norm is None:
        return Check("township_junior", UNASSESSED, "no_rule")
    units = plan.verdict.units[plan.verdict.units["stage"] == norm.stage]
    kept = units.groupby("township")["open_plan"].any()
    lost = tuple(str(t) for t in kept.index[~kept.astype(bool)])
    fields = {"townships": len(lost) or len(kept)}
    return Check(
        "township_junior", BROKEN if lost else OK, "junior_lost" if lost else "junior_kept", fields, lost
    )


def _receiver_caps(plan: _Plan) -> Check:
    """No school that takes pupils is over a cap of class, site or places."""
    if not plan.receivers:
        return Check("receiver_caps", OK, "nobody_comes")
    judged = plan.verdict.rules["rule"].isin(CAPS)
    if not judged.any():
        return Check("receiver_caps", UNASSESSED, "no_rule")
    found = plan.verdict.violations
    found = found[found["rule"].isin(CAPS)]
    schools = {u.split("/")[0] for u in plan.receivers}
    at = [
        (p in plan.receivers) if "/" in p and p.split("/")[1] in plan.result.county.scheme.stage_ids else p.split("/")[0] in schools
        for p in found["place_id"].astype(str)
    ]  # fmt: skip
    found = found[np.array(at, dtype=bool)]
    fresh = found[~found["grandfathered"].astype(bool)]
    fields = {"receivers": len(schools)}
    for rows, verdict, note in ((fresh, BROKEN, "caps_broken"), (found, PERSON, "caps_eased")):
        if len(rows):
            names = plan.named(list(dict.fromkeys(p.split("/")[0] for p in rows["place_id"].astype(str))))
            return Check("receiver_caps", verdict, note, {"receivers": len(names)}, names)
    return Check("receiver_caps", OK, "caps_ok", fields)


def _receiver_indicators(plan: _Plan) -> Check:
    """No school that takes pupils loses an indicator that it meets today."""
    if not plan.receivers:
        return Check("receiver_indicators", OK, "nobody_comes")
    rows = plan.verdict.indicators
    rows = rows[rows["unit_id"].isin(plan.receivers) & rows["assessed_plan"].astype(bool)]
    if rows.empty:
        return Check("receiver_indicators", UNASSESSED, "receivers_unassessed")
    lost = rows[rows["met_today"].eq(True).fillna(False) & rows["met_plan"].eq(False).fillna(False)]
    names = tuple(dict.fromkeys(lost["name"]))
    fields = {"cells": len(lost), "receivers": len(names) or int(rows["school_id"].nunique())}
    return Check(
        "receiver_indicators",
        BROKEN if len(lost) else OK,
        "indicators_lost" if len(lost) else "indicators_kept",
        fields,
        names,
    )


def _gives_up(plan: _Plan) -> list[str]:
    return [*plan.closed, *plan.reduced]


def _order(plan: _Plan) -> Check:
    """Nothing closes before its receiver is ready: a plan of one year has no order within it."""
    if not _gives_up(plan):
        return Check("order", OK, "nothing_closes")
    schools = {u.split("/")[0] for u in plan.receivers}
    made = plan.result.plan
    waits = sorted(schools & {*made.purchases["school_id"].astype(str), *made.hires["school_id"].astype(str)})
    return Check(
        "order", PERSON, "order_waits" if waits else "order", {"receivers": len(waits)}, plan.named(waits)
    )


def _hearing(plan: _Plan) -> Check:
    if _gives_up(plan):
        fields: dict[str, object] = {"sites": len(_gives_up(plan))}
        return Check("hearing", PERSON, "hearing", fields, plan.named(_gives_up(plan)))
    if len(plan.changed):
        return Check("hearing", PERSON, "hearing_zones", {"pupils": int(plan.changed["pupils"].sum())})
    return Check("hearing", OK, "nobody_changes")


def _protected(plan: _Plan) -> Check:
    """No closed site is protected; what was spent on it lately is not in the tables."""
    if not _gives_up(plan):
        return Check("protected", OK, "nothing_closes")
    schools = plan.result.county.schools
    rows = schools[schools["school_id"].astype(str).isin(_gives_up(plan))]
    marked = rows[~rows["protected"].fillna("").astype(str).str.strip().isin(["", UNPROTECTED])]
    if len(marked):
        return Check("protected", BROKEN, "protected_closed", {"sites": len(marked)}, tuple(marked["name"]))
    return Check("protected", PERSON, "invested", {"sites": len(rows)}, tuple(rows["name"]))


def _by_rules(check: str, verdict: Verdict, rules: tuple[str, ...]) -> Check:
    """A check that the referee's rules answer."""
    rows = verdict.rules[verdict.rules["rule"].isin(rules)]
    if rows.empty:
        return Check(check, UNASSESSED, "no_rule")
    bad = rows[~rows["ok"].astype(bool)]
    if len(bad):
        at = verdict.violations
        at = at[at["rule"].isin(bad["rule"]) & ~at["grandfathered"].astype(bool)]
        return Check(check, BROKEN, "rules_broken", {"places": len(at)}, tuple(dict.fromkeys(at["place"])))
    return Check(check, OK, "rules_hold", {"rules": int(rows["rule"].nunique())})


def _teachers(plan: _Plan) -> Check:
    """Rules hold, and who moves is chosen by a person: nobody's health or pregnancy is in the tables."""
    found = _by_rules("teachers", plan.verdict, TEACHERS)
    heads = int(plan.result.plan.staff_moves["heads"].sum())
    if found.verdict != OK:
        return found
    return (
        Check("teachers", PERSON, "persons", {"heads": heads})
        if heads
        else Check("teachers", OK, "nobody_moves")
    )


def _earmarks(plan: _Plan) -> Check:
    """No earmark is overspent, and what recurs every year is not paid from one-off money.

    Money without the mark of being one-off may last or not: finance confirms it.
    """
    found = _by_rules("earmarks", plan.verdict, ("budget",))
    if found.verdict != OK:
        return found
    costs = plan.verdict.costs
    costs = costs[costs["charged"].astype(bool) & costs["recurrent"].astype(bool)]
    yearly = costs.groupby("earmark")["yuan"].sum()
    if yearly.sum() <= 0:
        return Check("earmarks", OK, "nothing_recurs")
    at = plan.verdict.violations
    at = at[at["rule"] == LASTING]
    short = float((at["amount"].astype(float) - at["limit"].astype(float)).sum())
    if short > 0:
        return Check("earmarks", BROKEN, "recurrent_short", {"yuan": short})
    return Check("earmarks", PERSON, "recurrent", {"yuan": float(yearly.sum())})


def _explained(plan: _Plan) -> Check:
    actions = plan.result.actions
    if actions.empty:
        return Check("explained", OK, "no_actions")
    idle = actions[actions["reason_key"] == NO_EFFECT]
    if len(idle):
        fields = {"actions": len(idle), "of": len(actions)}
        return Check("explained", BROKEN, "unexplained", fields, tuple(dict.fromkeys(idle["school"])))
    return Check("explained", OK, "all_explained", {"actions": len(actions)})


def _statistics(plan: _Plan) -> Check:
    """Whether the tables agree with the filed statistics: those are not among them."""
    warned = sum(f.severity in ("warning", "error") for f in plan.result.findings)
    return Check("statistics", PERSON, "statistics", {"findings": warned})


def _disabled(plan: _Plan) -> Check:
    """Pupils with disabilities at units that others leave: their place at the receiver is not in the tables."""
    if not plan.senders:
        return Check("disabled", OK, "nobody_changes")
    table = plan.result.county.school_stage
    ids = table["school_id"].astype(str) + "/" + table["stage"].astype(str)
    rows = table[ids.isin(plan.senders)]
    known = pd.to_numeric(rows["disabled"], errors="coerce")
    if known.isna().any():
        names = plan.named(rows.loc[known.isna(), "school_id"].astype(str).tolist())
        return Check("disabled", UNASSESSED, "disabled_unknown", {"schools": len(names)}, names)
    if known.sum() > 0:
        names = plan.named(rows.loc[known > 0, "school_id"].astype(str).tolist())
        return Check("disabled", PERSON, "disabled", {"pupils": int(known.sum())}, names)
    return Check("disabled", OK, "no_disabled")


def _reuse(plan: _Plan) -> Check:
    if not plan.closed:
        return Check("reuse", OK, "no_site_closes")
    return Check("reuse", PERSON, "reuse", {"sites": len(plan.closed)}, plan.named(plan.closed))
