"""What serves nothing is not done: rows of a plan without any effect are left out where the referee agrees, and so are trifles.

A search that the clock ends before the goals of little change and little money leaves transfers and purchases behind
that no goal asks for. They are taken out together, or by halves where some of them hold each other up. A trifle is a purchase that nobody would
sign for: it lets no indicator be met and is a hundredth of what the standard asks, smaller than a classroom, or for a school that has what the
standard asks without it. What a goal loses by all of them is a tenth of what later goals may take from it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import pandas as pd

from models.impact.checks import NO_EFFECT
from models.plan.decisions import Plan, Verdict
from models.referee.verdict import Trial
from models.standards.norms import Standards

GOAL, RULE = "reasons.serves_goal", "reasons.serves_rule"
PARTLY = frozenset(
    f"reasons.{k}" for k in ("serves_deficit", "serves_imbalance", "serves_narrows", "serves_goal")
)
"""Reasons of purchases that let no indicator be met and hold no rule."""
SMALL_SHARE = 0.01
"""Of what the standard asks of a unit: a purchase below it is a trifle."""
ROOM = 50.0
"""Square metres: less than a classroom is nothing that is built for its own sake."""
PART_OF_TOLERANCE = 0.1
"""Of what later goals may take from a goal: what may be lost by leaving out trifles."""
EPS = 1e-9
Reason = tuple[str, dict[str, object]]
"""Key and fields of a message."""


@dataclass(frozen=True)
class Tidied:
    """A plan without its idle rows.

    Parameters
    ----------
    plan : Plan
    verdict : Verdict
    dropped : int
        Rows left out.
    needed : dict of str to (str, dict)
        Why a row that seemed idle stays, by row id: the rule that breaks or the goal that gets worse without it.
    """

    plan: Plan
    verdict: Verdict
    dropped: int
    needed: dict[str, Reason]

    def explained(self, actions: pd.DataFrame) -> pd.DataFrame:
        """Actions of ``plan`` with these reasons where none was found otherwise."""
        table = actions.copy()
        for i, rows in actions.loc[actions["reason_key"] == NO_EFFECT, "rows"].items():
            found = next((self.needed[r] for r in rows if r in self.needed), None)
            if found is not None:
                table.at[i, "reason_key"], table.at[i, "reason_fields"] = found
        return table


def without_idle(
    plan: Plan, verdict: Verdict, actions: pd.DataFrame, tried: Callable[[Plan], Trial], tries: int = 12
) -> Tidied:
    """Leave out rows whose action serves nothing, as long as no rule breaks and no goal or imbalance gets worse.

    Parameters
    ----------
    plan : Plan
    verdict : Verdict
        Of ``plan``.
    actions : DataFrame
        `models.plan.reasons.actions.list_actions` of ``plan``.
    tried : callable
        The referee (`models.referee.verdict.try_plan`).
    tries : int
        Plans tried at most.

    Returns
    -------
    Tidied
    """
    idle = [tuple(rows) for rows in actions.loc[actions["reason_key"] == NO_EFFECT, "rows"] if len(rows)]
    return _left_out(plan, verdict, idle, tried, tries, worse_goal)


def without_trifles(
    plan: Plan, verdict: Verdict, actions: pd.DataFrame, tried: Callable[[Plan], Trial], standards: Standards,
    tolerance: dict[str, float], tries: int = 12,
) -> Tidied:  # fmt: skip
    """Leave out purchases too small to be signed for, as long as no rule breaks and goals lose next to nothing.

    Parameters
    ----------
    plan, verdict, actions, tried, tries : see `without_idle`
    standards : Standards
    tolerance : dict of str to float
        By goal the share by which later goals may worsen it.

    Returns
    -------
    Tidied
    """
    small = [rows for rows in _small(actions, verdict, standards) if rows]
    first = verdict

    def worse(now: Verdict, trial: Trial) -> Reason | None:
        del now  # what all of them take together counts
        return worse_goal(first, trial, tolerance)

    return _left_out(plan, verdict, small, tried, tries, worse)


def _small(actions: pd.DataFrame, verdict: Verdict, standards: Standards) -> list[tuple[str, ...]]:
    """Ledger rows of purchases that let nothing be met: less than a hundredth of the need, than a classroom, or beyond the need; least first."""
    scale = {(i.stage, i.id): i.scale for i in standards.indicators}
    need: dict[tuple[str, str, str], float] = {}
    have: dict[tuple[str, str, str], float] = {}
    for r in verdict.indicators.itertuples():
        asked = float(r.threshold) * float(r.pupils_plan) / scale.get((r.stage, r.indicator), 1.0)
        key = (r.school_id, r.stage, r.resource)
        need[key], have[key] = max(need.get(key, 0.0), asked), float(r.amount_plan)
    found: list[tuple[float, tuple[str, ...]]] = []
    for r in actions[(actions["action"] == "purchase") & actions["reason_key"].isin(PARTLY)].itertuples():
        one = standards.resources[r.what]
        key = (r.school_id, r.stage, r.what)
        asked = need.get(key, 0.0)
        area = one.kind == "area" and r.quantity < ROOM
        beyond = 0 < asked <= have.get(key, 0.0) - r.quantity + EPS
        if beyond or (not one.whole and (area or r.quantity < SMALL_SHARE * asked)):
            found.append((r.quantity / asked if asked > 0 else 0.0, tuple(r.rows)))
    return [rows for _, rows in sorted(found)]


def _left_out(
    plan: Plan, verdict: Verdict, idle: list[tuple[str, ...]], tried: Callable[[Plan], Trial], tries: int,
    worse: Callable[[Verdict, Trial], Reason | None],
) -> Tidied:  # fmt: skip
    """Take rows out together, or by halves, where no rule breaks and nothing is worse."""
    before = len(plan.ledger)
    waiting = [idle] if idle else []
    needed: dict[str, Reason] = {}
    while waiting and tries > 0:
        group = waiting.pop(0)
        out = {row for rows in group for row in rows}
        less = replace(plan, ledger=plan.ledger[~plan.ledger["row_id"].isin(out)])
        trial, tries = tried(less), tries - 1
        why = worse(verdict, trial)  # quicker than the rules
        if why is None or len(group) == 1:
            broken = trial.broken()
            why = why if broken is None else (RULE, {"rule": broken[0], "place": broken[1]})
        if why is None:
            plan, verdict = less, trial.verdict()
        elif len(group) > 1:
            half = len(group) // 2
            waiting += [group[:half], group[half:]]
        else:
            needed |= dict.fromkeys(group[0], why)
    return Tidied(plan, verdict, before - len(plan.ledger), needed)


def loss(before: Verdict, trial: Trial) -> Reason | None:
    """What a trial loses: a hard rule, else the goal or the imbalance that gets worse; None for nothing."""
    broken = trial.broken()
    if broken is not None:
        return RULE, {"rule": broken[0], "place": broken[1]}
    return worse_goal(before, trial)


def worse_goal(before: Verdict, trial: Trial, tolerance: dict[str, float] | None = None) -> Reason | None:
    """The first goal that gets worse, or the imbalance; None where none does.

    Parameters
    ----------
    tolerance : dict of str to float or None
        Goals with what later ones may take from them: a tenth of it is no loss, nor is as much of what is no goal at all. None: anything is.
    """
    imbalance = before.measures.set_index("measure").loc[["imbalance"], "plan"]
    old, new = pd.concat([before.goals.set_index("goal")["plan"], imbalance]), trial.worth()
    room = EPS * old.abs().clip(lower=1.0)
    if tolerance is not None:
        counts = {"failing": 0.0, "cells": 0.0, "over_cap": 0.0}
        usual = max(tolerance.values(), default=0.0)
        share = [counts.get(str(g), tolerance.get(str(g), usual)) for g in old.index]
        room = room + PART_OF_TOLERANCE * pd.Series(share, old.index) * old.abs()
    worse = new.index[new > old + room]
    if not len(worse):
        return None
    goal = str(worse[0])
    value, without = told_apart(float(old[goal]), float(new[goal]))
    return GOAL, {"goal": goal, "value": value, "without": without}


def told_apart(one: float, other: float) -> tuple[float, float]:
    """Two numbers in as many digits, four at least, as it takes to tell them apart."""
    for digits in range(4, 16):
        short = float(f"{one:.{digits}g}"), float(f"{other:.{digits}g}")
        if short[0] != short[1]:
            return short
    return one, other
