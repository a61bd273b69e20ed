"""How sure a plan is, goal by goal: what the bound says, and no more than it says.

A bound belongs to the goal beside it and to plans that keep the goals before it. It is told only where it is
one: a clock that ended the solve leaves some goals with none.
"""

from __future__ import annotations

import math

import pandas as pd

from models.plan.decisions import GoalRecord, PlanResult, Verdict
from models.problem.request import COUNTED_GOALS

PROVEN, NEAR, FAR, NONE, UNTESTED = "proven", "near", "far", "none", "nothing"
CLOSE, WIDE = 0.01, 0.2
"""Shares of the value: up to the first the plan is as good as proven, beyond the second the bound says little."""
COLUMNS = ["goal", "unit", "today", "plan", "bound", "gap", "sure", "settled", "settled_gap"]
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
        likewise), ``sure``: proven (within 1 %), near (within 20 %), far (a bound further away), none, or nothing: the
        standards assess nothing that the goal could count, and its zeros say nothing (NaN);
        ``settled, settled_gap``: what is proven of plans with the same catchments, NaN where it is not known or says
        no more than the bound. Empty for a plan edited by hand, which no solve has looked at.
    """
    if result.solve.status == "edited":
        return pd.DataFrame(columns=COLUMNS)
    today = dict(zip(result.verdict.goals["goal"], result.verdict.goals["today"], strict=True))
    rows: list[tuple[object, ...]] = []
    empty = _counts_nothing(result.verdict)
    for goal in result.solve.goals:
        if goal.goal in empty:
            rows.append((goal.goal, goal_unit(goal.goal), *(math.nan,) * 4, UNTESTED, math.nan, math.nan))
            continue
        bound = _bound(goal, goal.bound)
        gap = _gap(goal.objective, bound)
        unit = goal_unit(goal.goal)
        settled = math.nan if goal.settled is None else _bound(goal, goal.settled)
        if not (gap > CLOSE or math.isnan(gap)) or settled <= bound:
            settled = math.nan
        rows.append(
            (
                goal.goal, unit, float(today.get(goal.goal, math.nan)), goal.objective, bound, gap, _sure(gap), settled,
                _gap(goal.objective, settled),
            )
        )  # fmt: skip
    return pd.DataFrame(rows, columns=COLUMNS)


def _counts_nothing(verdict: Verdict) -> set[str]:
    """Goals that count what the standards assess of this county, where that is nothing, today and in the plan."""
    assessed = verdict.measures.set_index("measure")[["today", "plan"]].sum(axis=1)
    every = {
        "failing": "units_assessed", "cells": "cells_assessed", "shortfall": "cells_assessed", "deficit": "cells_assessed",
        "cv_excess": "cv_assessed",
    }  # fmt: skip
    return {goal for goal, measure in every.items() if assessed.get(measure, 1.0) == 0}


def _bound(goal: GoalRecord, proven: float) -> float:
    """What is proven; NaN for no bound, or for one that every plan keeps: no goal can fall below zero."""
    if not math.isfinite(proven) or (proven <= 0 < goal.objective):
        return math.nan
    if goal.goal in COUNTED_GOALS:
        return float(min(math.ceil(proven - 1e-6), goal.objective))
    return min(proven, goal.objective)


def _gap(value: float, bound: float) -> float:
    if math.isnan(bound):
        return math.nan
    return 0.0 if value <= bound else (value - bound) / value


def _sure(gap: float) -> str:
    if math.isnan(gap):
        return NONE
    return PROVEN if gap <= CLOSE else NEAR if gap <= WIDE else FAR
