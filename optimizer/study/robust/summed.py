"""The tables of a robust study from its rows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from geodata.contract.findings import Finding, InputProblems, in_one
from geodata.messages import LANGUAGES
from models.problem.request import COUNTED_GOALS
from models.study.robust import Bounds, Robust
from optimizer.study.robust.choice import REGRET, Values, chosen_of, score
from optimizer.study.robust.joint import Joint
from optimizer.study.robust.networks import CommonChoice
from optimizer.study.stress.factors.record import Case
from optimizer.study.stress.factors.registry import FACTORS
from optimizer.study.stress.futures import Futures
from optimizer.study.stress.tables import tail_mean

INFEASIBLE = "infeasible"


def _values(rows: pd.DataFrame, goal: str) -> tuple[np.ndarray, np.ndarray]:
    """Value (infinite without a plan) and bound (infinite where none exists, 0 where nothing is known) of rows."""
    made = rows["accepted"].eq(1).to_numpy()
    value = np.where(made, rows[f"goal_{goal}"].astype(float), np.inf)
    bound = rows[f"bound_{goal}"].astype(float).fillna(0.0).to_numpy()
    if goal in COUNTED_GOALS:
        bound = np.ceil(bound - 1e-6)
    none = rows["solve"].eq(INFEASIBLE).to_numpy()
    return value, np.where(none, np.inf, np.minimum(np.maximum(bound, 0.0), value))


def robust_tables(
    case: Case, asked: Futures, goal: str, common: tuple[str, ...], choose: str, weight: float, own: pd.DataFrame,
    cells: pd.DataFrame, candidates: tuple[CommonChoice, ...], joint: Joint | None, found: list[Finding],
) -> Robust:  # fmt: skip
    """Everything that the rows say; ``plan`` is still the chosen candidate's own.

    Raises
    ------
    InputProblems
        No future has a plan.
    """
    value, least = _values(own, goal)
    counts = np.isfinite(value) & (own["future"].to_numpy() > 0)
    if not counts.any():
        raise InputProblems([Finding("error", "robust.no_future")])
    shape = (len(candidates), len(own))
    cells = cells.sort_values(["candidate", "future"], kind="stable")
    here, proven = (v.reshape(shape) for v in _values(cells, goal))
    proven = np.maximum(proven, least)  # what holds for every plan holds for these
    every = Values(here, proven, value, least)
    within = Values(here[:, counts], proven[:, counts], value[counts], least[counts])
    closes = [len(c.closed) for c in candidates]
    best = chosen_of(within, choose, weight, asked.alpha, closes)
    bounds = _bounds(within, choose, weight, asked.alpha, joint)
    table = _candidates(every, within, candidates, weight, asked.alpha, best)
    notes = [*found, *_unfinished(own, cells, counts)]
    futures = own[["future", *asked.names, "solve"]].assign(value=value, bound=least, best=every.best)
    return Robust(
        case.county, case.scenario.model_dump(mode="json"), asked.model_dump(mode="json"),
        {f.name: FACTORS[f.id].unit for f in asked.factor}, goal, common, choose, weight, table, _cells(cells, every), futures,
        _closures(case, candidates), bounds, best + 1, candidates[best].plan, tuple(notes),
    )  # fmt: skip


def _bounds(within: Values, choose: str, weight: float, alpha: float, joint: Joint | None) -> Bounds:
    least = within.least
    found = Bounds(
        0.0, float(least.mean()), tail_mean(least, alpha), float(least.max()), score(least, weight, alpha),
        joint is not None,
    )  # fmt: skip
    if joint is None:
        return found
    if choose == REGRET:
        return replace(found, regret=joint.bound)
    return replace(found, score=max(found.score, joint.bound))


def _candidates(
    every: Values,
    within: Values,
    candidates: tuple[CommonChoice, ...],
    weight: float,
    alpha: float,
    best: int,
) -> pd.DataFrame:
    """`models.study.robust.Robust.candidates`."""
    regret, low, most = within.regrets()
    price, price_low, price_most = (
        r[:, 0] for r in every.regrets()
    )  # the best of today, not the base plan's own value
    lines = []
    for i, one in enumerate(candidates):
        found = within.found[i]
        whole = bool(np.isfinite(found).all())
        lines.append(
            {
                "candidate": one.number, "source": one.source, "closes": len(one.closed), "futures": int(np.isfinite(found).sum()),
                "regret": regret[i].max(), "regret_least": low[i].max(), "regret_most": most[i].max(),
                "mean": found.mean(), "cvar": tail_mean(found, alpha) if whole else np.inf, "worst": found.max(),
                "score": score(found, weight, alpha), "price": price[i], "price_least": price_low[i], "price_most": price_most[i],
                "chosen": i == best,
            }
        )  # fmt: skip
    return pd.DataFrame(lines)


def _cells(cells: pd.DataFrame, every: Values) -> pd.DataFrame:
    """`models.study.robust.Robust.cells`."""
    regret, low, most = every.regrets()
    return cells[["candidate", "future", "solve"]].assign(
        value=every.found.ravel(), bound=every.proven.ravel(), regret=regret.ravel(), regret_least=low.ravel(),
        regret_most=most.ravel(),
    ).reset_index(drop=True)  # fmt: skip


def _closures(case: Case, candidates: tuple[CommonChoice, ...]) -> pd.DataFrame:
    """`models.study.robust.Robust.closures`."""
    name = case.county.schools.set_index("school_id")["name"].to_dict()
    rows = [(c.number, j, name.get(j, j), b) for c in candidates for j, b in c.closed]
    return pd.DataFrame(rows, columns=["candidate", "school_id", "school", "band"])


def _unfinished(own: pd.DataFrame, cells: pd.DataFrame, counts: np.ndarray) -> list[Finding]:
    """Futures without a plan of their own, and cells that ended in an error."""
    left = own.loc[~counts & (own["future"] > 0).to_numpy(), "future"]
    found = []
    if len(left):
        fields: dict[str, object] = {"count": len(left), "futures": ", ".join(map(str, left))}
        found.append(Finding("warning", "robust.without_plan", fields))
    for what, rows in (("own", own), ("cells", cells)):
        bad = rows[rows["status"] != "done"]
        for why, some in bad.groupby("why", sort=True):
            fields = {"what": what, "count": len(some), "why": {x: in_one(why, x) for x in LANGUAGES}}
            found.append(Finding("warning", "robust.unfinished", fields))
    return found
