"""What the rows of a study say together: measures over futures, rules that break, regret, decisions that recur.

CVaR_a(x) = mean of the worst share a of futures, the boundary future counted in part (Rockafellar & Uryasev 2000)
regret(s) = f(fixed plan in s) - f(plan made again in s),  f so that less is better
"""

from __future__ import annotations

from collections import Counter

import numpy as np
import pandas as pd

from geodata.contract.county import County
from models.plan.decisions import Plan
from models.problem.request import GOALS, GOALS_ABOUT_MEANS
from models.referee.verdict import MEASURES
from optimizer.study.stress.futures import Failing

GOAL_UNITS = {
    "over_cap": "pupils", "failing": "units", "cells": "cells", "shortfall": "pupils", "deficit": "1", "cv_excess": "1",
    "beyond_limit": "pupils", "travel": "minutes", "disruption": "1", "cost": "large",
}  # fmt: skip
CLOSES, GIVES_UP, BUYS, MOVES, HIRES = "closes", "gives_up", "buys", "moves", "hires"


def directions() -> dict[str, tuple[str, str]]:
    """Every measure's unit and better side: the referee's, cost counted as low, and the goals'."""
    sides = {m: (unit, "low" if m == "cost" else better) for m, unit, better in MEASURES}
    return sides | {f"goal_{g}": (GOAL_UNITS[g], "low") for g in GOALS if g in GOAL_UNITS}


def tail_mean(values: np.ndarray, alpha: float) -> float:
    """Mean of the largest share of some values.

    Parameters
    ----------
    values : ndarray
        Without missing ones; large is bad.
    alpha : float
        Share, above 0 up to 1.

    Returns
    -------
    float
        NaN of nothing.
    """
    if not len(values):
        return float("nan")
    order = np.sort(values)[::-1]
    room = alpha * len(order)
    weights = np.clip(room - np.arange(len(order)), 0.0, 1.0)
    return float((order * weights).sum() / weights.sum())


def done_rows(fixed: pd.DataFrame) -> pd.DataFrame:
    """Futures, not today, with figures."""
    return fixed[(fixed["future"] > 0) & (fixed["status"] == "done")]


def measure_table(fixed: pd.DataFrame, alpha: float) -> pd.DataFrame:
    """`models.study.stressed.Stress.measures`."""
    rows = done_rows(fixed)
    today = fixed[(fixed["future"] == 0) & (fixed["status"] == "done")]
    lines = []
    for measure, (unit, better) in directions().items():
        x = rows[measure].astype(float).dropna()
        bad = x if better == "low" else -x
        sided = bool(better) and len(x) > 0
        lines.append(
            {
                "measure": measure, "unit": unit, "better": better,
                "today": float(today[measure].iloc[0]) if len(today) else np.nan,
                "least": x.min(), "p10": x.quantile(0.1), "median": x.median(), "p90": x.quantile(0.9), "most": x.max(),
                "worst": float(x.loc[bad.idxmax()]) if sided else np.nan,
                "cvar": tail_mean(bad.to_numpy(), alpha) * (1 if better == "low" else -1) if sided else np.nan,
                "worst_future": int(rows.at[bad.idxmax(), "future"]) if sided else pd.NA,
            }
        )  # fmt: skip
    return pd.DataFrame(lines).astype({"worst_future": "Int64"})


def broken_rules(broken: str) -> dict[str, int]:
    """Places by rule from a cell such as ``budget:2;capacity:1``."""
    return {rule: int(n) for rule, _, n in (part.partition(":") for part in broken.split(";") if part)}


def rule_table(fixed: pd.DataFrame) -> pd.DataFrame:
    """`models.study.stressed.Stress.rules`: the rule that breaks most often first."""
    rows = done_rows(fixed)
    places: dict[str, dict[int, int]] = {}
    for r in rows.itertuples():
        for rule, n in broken_rules(str(r.broken)).items():
            places.setdefault(rule, {})[int(r.future)] = n
    lines = [
        (rule, len(by), len(by) / len(rows), max(by.values()), min(by, key=lambda f, by=by: (-by[f], f)))  # type: ignore[misc]
        for rule, by in places.items()
    ]
    lines.sort(key=lambda x: (-x[1], x[0]))
    return pd.DataFrame(lines, columns=["rule", "futures", "share", "places", "worst_future"])


def fails(rows: pd.DataFrame, failing: Failing) -> np.ndarray:
    """In which futures the plan fails, as the study's file says.

    Parameters
    ----------
    rows : DataFrame
        Of `done_rows`.
    failing : Failing
        A measure that is not known there does not keep its bound.

    Returns
    -------
    ndarray of bool
    """
    if failing.measure:
        x = rows[failing.measure].astype(float).to_numpy()
        kept = x >= failing.at_least if failing.at_least is not None else x <= failing.at_most
        return ~np.asarray(kept, dtype=bool)
    if failing.rules:
        return np.array(
            [bool(set(failing.rules) & broken_rules(str(b)).keys()) for b in rows["broken"]], dtype=bool
        )
    refused: np.ndarray = rows["accepted"].to_numpy() != 1
    return refused


def regret_table(fixed: pd.DataFrame, remade: pd.DataFrame, goals: tuple[str, ...]) -> pd.DataFrame:
    """`models.study.stressed.Stress.regret`: the scenario's goals in order, in every future with both plans.

    The bound is the first goal's alone: a later one's holds for plans that keep the goals before it.
    """
    columns = [
        "future", "accepted", "measure", "unit", "fixed", "remade", "regret", "bound", "regret_most",
    ]  # fmt: skip
    if remade.empty:
        return pd.DataFrame(columns=columns)
    made = remade[(remade["future"] > 0) & remade["accepted"].eq(1)].set_index("future")
    units = directions()
    lines = []
    for row in (
        done_rows(fixed).set_index("future").loc[lambda t: t.index.isin(made.index)].to_dict("index").items()
    ):
        number, here = row
        there = made.loc[number]
        for i, goal in enumerate(goals):
            column = "imbalance" if goal == "imbalance" else f"goal_{goal}"
            bound = float("nan")
            if i == 0 and goal not in GOALS_ABOUT_MEANS:
                bound = float(there[f"bound_{goal}"])
            kept, again = float(here[column]), float(there[column])
            lines.append(
                (
                    number,
                    int(here["accepted"]),
                    column,
                    units[column][0],
                    kept,
                    again,
                    kept - again,
                    bound,
                    kept - bound,
                )
            )
    return pd.DataFrame(lines, columns=columns)


Decision = tuple[str, str, str, str]
"""Kind, school, what, other school."""


def decided(plan: Plan) -> set[Decision]:
    """The decisions of a plan that a council would name: closures, bands given up, purchases, transfers, hires."""
    bands = plan.bands
    shut = bands[bands["was_open"] & ~bands["open"]]
    closed = set(bands["school_id"]) - set(bands.loc[bands["open"], "school_id"])
    found = {(CLOSES, str(s), "", "") for s in closed}
    found |= {
        (GIVES_UP, str(r.school_id), str(r.band), "") for r in shut.itertuples() if r.school_id not in closed
    }
    found |= {(BUYS, str(r.school_id), str(r.kind), "") for r in plan.purchases.itertuples()}
    found |= {
        (MOVES, str(r.from_school_id), str(r.cat_id), str(r.to_school_id))
        for r in plan.staff_moves.itertuples()
    }
    return found | {(HIRES, str(r.school_id), str(r.cat_id), "") for r in plan.hires.itertuples()}


def decision_table(county: County, plan: Plan, made: list[Plan]) -> pd.DataFrame:
    """`models.study.stressed.Stress.decisions`: of the fixed plan or of any plan made again.

    Parameters
    ----------
    county : County
    plan : Plan
        The fixed one.
    made : list of Plan
        Those of the futures.
    """
    columns = [
        "decision", "school_id", "school", "what", "to_id", "to", "in_plan", "times", "of", "share", "recurs",
    ]  # fmt: skip
    if not made:
        return pd.DataFrame(columns=columns)
    own, times = decided(plan), Counter(d for one in made for d in decided(one))
    name = county.schools.set_index("school_id")["name"].to_dict()
    kinds = (CLOSES, GIVES_UP, BUYS, MOVES, HIRES)
    order = sorted(own | set(times), key=lambda d: (kinds.index(d[0]), -times[d], d))
    rows = [
        (
            d[0], d[1], name.get(d[1], d[1]), d[2], d[3], name.get(d[3], d[3]), d in own, times[d], len(made), times[d] / len(made),
            "never" if not times[d] else "always" if times[d] == len(made) else "sometimes",
        )
        for d in order
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=columns)
