"""All futures of a small county in one model, which bands are taught in common: bounds over every network.

    min t                                         or   min (1 - w) mean_s f_s + w (eta + sum_s z_s / (a S))
    t   >= f_s - u*[s]                                 z_s >= f_s - eta,  z_s >= 0
    open_s[j,b] = open[j,b]   for every future s;  everything else is each future's own

u*[s] is the best value known in s, so t bounds the largest regret of every network from below. The blocks are those of
`optimizer.search.search.Search`, side by side in one matrix.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import block_diag, coo_array, csc_array, vstack

from models.plan.ledger import CLOSED, OPEN
from models.problem.building import build_instance
from models.standards.norms import load_standards
from optimizer.search.search import Search
from optimizer.solver.engine import Engine
from optimizer.solver.limits import Limits
from optimizer.study.robust.choice import REGRET
from optimizer.study.robust.networks import BandKey
from optimizer.study.stress.factors.record import Case

MOST_COLUMNS = 60_000
"""Columns of all futures together above which the model is not stated."""


@dataclass(frozen=True)
class Joint:
    """What the model of all futures together says.

    Parameters
    ----------
    bound : float
        No network has a smaller largest regret (or score).
    states : mapping of (school, band) to str, or None
        The network of the plan found; None where none was.
    """

    bound: float
    states: Mapping[BandKey, str] | None


def joint_network(
    cases: list[Case], goal: str, best: np.ndarray, choose: str, weight: float, alpha: float, seconds: float
) -> Joint | None:
    """Solve for all futures together, None where the county is too large or soft rules come before the goal.

    Parameters
    ----------
    cases : list of Case
        One a future, each with a plan.
    goal : str
        Linear in the model.
    best : ndarray (futures)
        The best value known in each.
    choose : {"regret", "expected"}
    weight, alpha : float
    seconds : float
        Of the solve.
    """
    blocks: list[Search] = []
    for case in cases:
        inst = build_instance(case.county, load_standards(case.county), case.scenario.request(), case.times)
        if len(inst.units) > case.scenario.method.joint_units:
            return None
        blocks.append(Search(inst, case.scenario.task()))
        if blocks[-1].soft or len(cases) * len(blocks[-1].bridge.columns) > MOST_COLUMNS:
            return None
    engine, common, start = _stated(blocks, goal, best, choose, weight, alpha)
    first = cases[0].scenario
    limits = Limits(gap=1e-4, nodes=None, seconds=seconds, seed=first.seed)
    answer = engine.solve("all", limits)
    if answer.values is None:
        return Joint(max(0.0, answer.bound) if np.isfinite(answer.bound) else 0.0, None)
    taught = answer.values[start : start + len(common)] > 0.5
    states = {k: OPEN if t else CLOSED for k, t in zip(common, taught, strict=True)}
    return Joint(max(0.0, answer.bound), states)


def _stated(
    blocks: list[Search], goal: str, best: np.ndarray, choose: str, weight: float, alpha: float
) -> tuple[Engine, list[Any], int]:
    """The matrix of all blocks, the keys of the bands in common and the position of the first of them."""
    parts = [_block(b, goal) for b in blocks]
    sizes = [p.matrix.shape[1] for p in parts]
    begins = np.concatenate([[0], np.cumsum(sizes)]).astype(int)
    common = sorted({k for b in blocks for k in b.model.open})
    many, futures = len(common), len(blocks)
    start = int(begins[-1])
    extra = start + many  # t; or eta and one z a future
    width = extra + (1 if choose == REGRET else 1 + futures)
    low, high = np.zeros(width), np.full(width, np.inf)
    low[:start] = np.concatenate([p.low for p in parts])
    high[:start] = np.concatenate([p.high for p in parts])
    high[start:extra] = 1.0
    low[extra] = -np.inf
    rows: list[tuple[dict[int, float], float, float]] = []
    cost = np.zeros(width)
    offset = 0.0
    for s, (block, part) in enumerate(zip(blocks, parts, strict=True)):
        opens = block.bridge.at("open")
        for i, key in enumerate(common):
            if key in opens:
                rows.append(({int(begins[s]) + opens[key]: 1.0, start + i: -1.0}, 0.0, 0.0))
            elif key in block.model.open and block.model.open[key].fixed:
                low[start + i] = high[start + i] = float(block.model.open[key].value)
        own = {int(begins[s]) + int(c): float(part.cost[c]) for c in np.flatnonzero(part.cost)}
        if choose == REGRET:
            rows.append((own | {extra: -1.0}, -np.inf, float(best[s]) - part.offset))
        else:
            rows.append((own | {extra: -1.0, extra + 1 + s: -1.0}, -np.inf, -part.offset))
            for c, x in own.items():
                cost[c] += (1 - weight) * x / futures
            offset += (1 - weight) * part.offset / futures
            cost[extra + 1 + s] = weight / (alpha * futures)
    cost[extra] = 1.0 if choose == REGRET else weight
    whole = np.concatenate([*(p.whole for p in parts), np.ones(many, bool), np.zeros(width - extra, bool)])
    wide = block_diag([p.matrix for p in parts], format="coo")
    wide = coo_array((wide.data, (wide.row, wide.col)), shape=(wide.shape[0], width))
    matrix = csc_array(vstack([wide, _rows(rows, width)]))
    row_low = np.concatenate([*(p.row_low for p in parts), [r[1] for r in rows]])
    row_high = np.concatenate([*(p.row_high for p in parts), [r[2] for r in rows]])
    return Engine(matrix, row_low, row_high, low, high, whole, {"all": (cost, offset)}), common, start


@dataclass(frozen=True)
class _Part:
    """A future's model as numbers."""

    matrix: Any
    row_low: np.ndarray
    row_high: np.ndarray
    low: np.ndarray
    high: np.ndarray
    whole: np.ndarray
    cost: np.ndarray
    offset: float


def _block(search: Search, goal: str) -> _Part:
    lp = search.bridge.highs.getLp()
    matrix = csc_array(
        (lp.a_matrix_.value_, lp.a_matrix_.index_, lp.a_matrix_.start_), shape=(lp.num_row_, lp.num_col_)
    )
    cost, offset = search.bridge.costs[goal]
    return _Part(
        matrix, np.array(lp.row_lower_), np.array(lp.row_upper_), np.array(lp.col_lower_), np.array(lp.col_upper_),
        search.bridge.whole, cost, offset,
    )  # fmt: skip


def _rows(rows: list[tuple[dict[int, float], float, float]], width: int) -> coo_array:
    at = np.concatenate([np.full(len(r[0]), i) for i, r in enumerate(rows)])
    columns = np.concatenate([np.fromiter(r[0], dtype=int) for r in rows])
    values = np.concatenate([np.fromiter(r[0].values(), dtype=float) for r in rows])
    return coo_array((values, (at, columns)), shape=(len(rows), width))
