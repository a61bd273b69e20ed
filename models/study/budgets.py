"""What the points of a frontier say together: what more money is worth, where it stops paying, what a cut costs, what flips.

    worth(a, b)  = (f(a) - f(b)) / (money(b) - money(a))          of the plans found, a the smaller budget
    best plans   : max(0, bound(a) - f(b)) <= v(a) - v(b) <= f(a) - bound(b)

f is the goal of the plan found at a budget and v of the best plan there: bound <= v <= f.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pandas as pd

from geodata.contract.county import County
from models.plan.differences.comparison import KEY, amounts, plan_changes
from models.study.analysis import FrontierPoint, SteadyPoint

CUTS = (0.05, 0.1, 0.2, 0.3)
"""Shares of the scenario's budget that finance may take."""
STEP_COLUMNS = [
    "share",
    "next",
    "yuan",
    "gain",
    "worth",
    "worth_least",
    "worth_most",
    "changed",
    "of",
    "churn",
]
FLIP_COLUMNS = [*KEY, "school", "township", "unit", "below", "above", "turns", "flips"]
CUT_COLUMNS = ["cut", "share", "yuan", "status", "objective", "bound", "loss", "loss_least", "loss_most"]
STEADY_COLUMNS = [
    "share", "status", "free", "bound", "objective", "price", "price_least", "price_most", "changed", "changed_free",
]  # fmt: skip
DECIDED = ("band", "hire", "transfer", "purchase", "item_move")
"""Kinds of `models.plan.differences.comparison.plan_changes` that somebody decides; pupils follow."""


def _solved(points: Sequence[FrontierPoint]) -> list[FrontierPoint]:
    return [p for p in points if p.plan is not None]


def _decided(changes: pd.DataFrame) -> pd.DataFrame:
    return changes[changes["change"].isin(DECIDED)]


def turned(changes: pd.DataFrame) -> pd.DataFrame:
    """Of the changes between two plans the decisions that appear or fall away."""
    found = _decided(changes)
    return found[(found["before"] <= 0) != (found["after"] <= 0)]


def budget_steps(county: County, points: Sequence[FrontierPoint]) -> pd.DataFrame:
    """What each step to the next larger budget with a plan is worth, and how much of the plan it turns over.

    Parameters
    ----------
    county : County
    points : sequence of FrontierPoint
        Upwards.

    Returns
    -------
    DataFrame
        ``share, next``: the two budgets; ``yuan``: between them; ``gain``: by how much the goal falls; ``worth``: that per
        large unit of money, of the plans found; ``worth_least, worth_most``: of the best plans, proven; ``changed, of,
        churn``: decided amounts that differ, of all in either plan, and their share.
    """
    rows = []
    large = county.scheme.currency.large
    units = {k: one.unit for k, one in county.norms.resources.items()}
    for less, more in pairwise(_solved(points)):
        assert less.plan is not None and more.plan is not None
        each = (more.yuan - less.yuan) / large
        gain = less.objective - more.objective
        least, most = max(0.0, less.bound - more.objective), max(0.0, less.objective - more.bound)
        changed = len(_decided(plan_changes(county, less.plan, more.plan)))
        tables = [amounts(p.plan, units) for p in (less, more) if p.plan is not None]
        every = pd.concat([t[t["quantity"].gt(0) & t["change"].isin(DECIDED)][KEY] for t in tables])
        count = len(every.drop_duplicates())
        worth = [v / each if each > 0 else math.nan for v in (gain, least, most)]
        rows.append(
            (
                less.share,
                more.share,
                more.yuan - less.yuan,
                gain,
                *worth,
                changed,
                count,
                changed / max(1, count),
            )
        )
    return pd.DataFrame(rows, columns=STEP_COLUMNS)


def knee_share(points: Sequence[FrontierPoint], proven: bool = False) -> float:
    """The budget after which more money brings less than the frontier's own mean: furthest below the chord of its ends.

    Parameters
    ----------
    points : sequence of FrontierPoint
        Upwards.
    proven : bool
        Of the proven bounds, not of the plans found: where both say the same, the knee is none of the search.

    Returns
    -------
    float
        Share of the scenario's budget; NaN with fewer than three plans, or where more money brings nothing.
    """
    solved = _solved(points)
    y = np.array([p.bound if proven else p.objective for p in solved])
    if len(solved) < 3 or not y[0] - y[-1] > 1e-9:
        return math.nan
    x = np.array([p.yuan for p in solved])
    below = (y[0] - y) / (y[0] - y[-1]) - (x - x[0]) / (x[-1] - x[0])
    return float(solved[int(below.argmax())].share) if below.max() > 1e-9 else math.nan


def flips(county: County, points: Sequence[FrontierPoint]) -> pd.DataFrame:
    """Between which neighbouring budgets a decision appears or falls away.

    Returns
    -------
    DataFrame
        ``change, school_id, what, school, township, unit``: as `models.plan.differences.comparison.plan_changes`; ``below, above``:
        shares of the budgets between which it flips, each with a plan of its own; ``turns``: ``on`` where the larger budget has
        it; ``flips``: how often the decision flips over the whole range: more than once, and money alone does not decide it.
    """
    parts = []
    for less, more in pairwise(_solved(points)):
        assert less.plan is not None and more.plan is not None
        found = turned(plan_changes(county, less.plan, more.plan))
        turns = np.where(found["after"] > found["before"], "on", "off")
        parts.append(found.assign(below=less.share, above=more.share, turns=turns))
    table = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=FLIP_COLUMNS)
    if table.empty:
        return pd.DataFrame(columns=FLIP_COLUMNS)
    table["flips"] = table.groupby(KEY)["turns"].transform("size")
    return table[FLIP_COLUMNS]


def local_worth(points: Sequence[FrontierPoint]) -> pd.DataFrame:
    """What another large unit of an earmark's money is worth while every whole decision of a budget's plan stays.

    Duals of a linear program: they hold near that plan only, and say nothing about other plans.

    Returns
    -------
    DataFrame
        ``share, earmark, worth``; budgets whose plan is a smaller one's are left out.
    """
    rows = [(p.share, e, v) for p in _solved(points) for e, v in p.local.items()]
    return pd.DataFrame(rows, columns=["share", "earmark", "worth"])


def steady_table(points: Sequence[SteadyPoint]) -> pd.DataFrame:
    """Steady plans beside the free ones.

    Returns
    -------
    DataFrame
        ``share, status, free, bound, objective, price, price_least, price_most, changed, changed_free``: as
        `models.study.analysis.SteadyPoint`.
    """
    rows = [[getattr(p, c) for c in STEADY_COLUMNS] for p in points]
    return pd.DataFrame(rows, columns=STEADY_COLUMNS)


def _at(points: Sequence[FrontierPoint], share: float) -> FrontierPoint | None:
    return next((p for p in points if abs(p.share - share) < 1e-6), None)


def cut_losses(points: Sequence[FrontierPoint], cuts: Sequence[float] = CUTS) -> pd.DataFrame:
    """What each cut of the scenario's own budget costs in the goal; cuts without a point of the frontier are left out.

    Returns
    -------
    DataFrame
        ``cut, share, yuan, status, objective, bound``: of the point; ``loss``: rise of the goal over the plan of the whole
        budget; ``loss_least, loss_most``: rise of the best plans, proven. Without a plan the losses are NaN.
    """
    own, rows = _at(points, 1.0), []
    for cut in cuts if own is not None and own.plan is not None else ():
        point = _at(points, 1.0 - cut)
        if point is None or own is None:
            continue
        loss = point.objective - own.objective
        least, most = max(0.0, point.bound - own.objective), max(0.0, point.objective - own.bound)
        told = (loss, least, most) if point.plan is not None else (math.nan,) * 3
        head = (cut, point.share, own.yuan - point.yuan, point.status, point.objective, point.bound)
        rows.append((*head, *told))
    return pd.DataFrame(rows, columns=CUT_COLUMNS)


def cut_list(county: County, points: Sequence[FrontierPoint], cuts: Sequence[float] = CUTS) -> pd.DataFrame:
    """What the plan of the scenario's own budget gives up when finance cuts, in the order in which it goes.

    Parameters
    ----------
    county : County
    points : sequence of FrontierPoint
    cuts : sequence of float
        Upwards; those without a plan are left out.

    Returns
    -------
    DataFrame
        ``change, school_id, what, school, township, unit, own`` and a column a cut (``cut_5``): the decided amount at the
        whole budget and at each cut, where any is smaller; ``first``: the smallest cut at which it shrinks; ``comes_back``:
        a larger cut has more of it again. The smallest first cut first, then by kind.
    """
    own = _at(points, 1.0)
    given = [(c, p) for c in cuts if (p := _at(points, 1.0 - c)) is not None and p.plan is not None]
    columns = [*KEY, "school", "township", "unit", "own"]
    if own is None or own.plan is None or not given:
        return pd.DataFrame(columns=[*columns, "first", "comes_back"])
    heads = {c: f"cut_{100 * c:g}" for c, _ in given}
    tables = [(c, _decided(plan_changes(county, own.plan, p.plan))) for c, p in given if p.plan is not None]
    rows = pd.concat([t.rename(columns={"before": "own"})[columns] for _, t in tables])
    rows = rows.drop_duplicates(KEY).set_index(KEY)
    for cut, table in tables:
        rows[heads[cut]] = table.set_index(KEY)["after"].reindex(rows.index).fillna(rows["own"])
    at = rows[list(heads.values())].to_numpy(float)
    shrunk = at < rows["own"].to_numpy(float)[:, None] - 1e-9
    rows["first"] = np.where(shrunk.any(axis=1), np.array(list(heads))[shrunk.argmax(axis=1)], math.nan)
    rows["comes_back"] = (np.diff(at, axis=1) > 1e-9).any(axis=1)
    rows = rows[shrunk.any(axis=1)].reset_index()
    order = rows["change"].map(DECIDED.index)
    rows = rows.assign(order=order).sort_values(["first", "order", "school_id", "what"], kind="stable")
    return rows[[*columns, *heads.values(), "first", "comes_back"]].reset_index(drop=True)
