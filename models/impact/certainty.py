"""How sure a plan is, goal by goal: what the bound says, and no more than it says.

A bound belongs to the goal beside it and to plans that keep the goals before it. It is told only where it is
one: a clock that ended the solve leaves some goals with none.
"""

from __future__ import annotations

import math

import pandas as pd

from models.plan.decisions import GoalRecord, PlanResult

PROVEN, NEAR, FAR, NONE = "proven", "near", "far", "none"
CLOSE, WIDE = 0.01, 0.2
"""Shares of the value: up to the first the plan is as good as proven, beyond the second the bound says little."""
COUNTS = ("failing", "cells")
"""Goals that count what cannot be halved: their bound is rounded up."""
UNITS = {
    "over_cap": "pupils", "failing": "units", "cells": "cells", "shortfall": "pupils", "beyond_limit": "pupils", "travel": "minutes",
    "disruption": "percent", "cost": "large",
}  # fmt: skip
"""What a goal's value is counted in; ``1`` where not named."""


def goal_unit(goal: str) -> str:
    """What a goal's value is counted in."""
    return UNITS.get(goal, "1")


def certainty(result: PlanResult) -> pd.DataFrame:
    """Every goal in the order it was pursued, with today's value and how far the bound is.

    Parameters
    ----------
    result : PlanResult

    Returns
    -------
    DataFrame
        ``goal, unit, today, plan, bound`` (NaN where nothing is proven), ``gap`` (share of the plan's value, NaN
        likewise), ``sure``: proven (within 1 %), near (within 20 %), far (a bound further away), none. Empty for
        a plan edited by hand, which no solve has looked at.
    """
    if result.solve.status == "edited":
        return pd.DataFrame(columns=["goal", "unit", "today", "plan", "bound", "gap", "sure"])
    today = dict(zip(result.verdict.goals["goal"], result.verdict.goals["today"], strict=True))
    rows = []
    for goal in result.solve.goals:
        bound = _bound(goal)
        gap = _gap(goal.objective, bound)
        unit = goal_unit(goal.goal)
        rows.append(
            (goal.goal, unit, float(today.get(goal.goal, math.nan)), goal.objective, bound, gap, _sure(gap))
        )
    return pd.DataFrame(rows, columns=["goal", "unit", "today", "plan", "bound", "gap", "sure"])


def _bound(goal: GoalRecord) -> float:
    """What is proven; NaN for no bound, or for one that every plan keeps: no goal can fall below zero."""
    if not math.isfinite(goal.bound) or (goal.bound <= 0 < goal.objective):
        return math.nan
    if goal.goal in COUNTS:
        return float(min(math.ceil(goal.bound - 1e-6), goal.objective))
    return min(goal.bound, goal.objective)


def _gap(value: float, bound: float) -> float:
    if math.isnan(bound):
        return math.nan
    return 0.0 if value <= bound else (value - bound) / value


def _sure(gap: float) -> str:
    if math.isnan(gap):
        return NONE
    return PROVEN if gap <= CLOSE else NEAR if gap <= WIDE else FAR
