"""A model as arrays, and the one way in which arrays are solved: what every modelling layer ends in.

All ways hand the same solver the same options; only what comes before differs.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import highspy
import numpy as np
from scipy.sparse import csr_array

from benchmarks.cases import Found, Setting
from optimizer.solver.bridge import Bridge
from optimizer.solver.limits import Limits

NO_CLOCK = 1e6
"""Seconds: the processor's time ends a solve."""


@dataclass(frozen=True)
class Arrays:
    """Least cost @ x + offset with row_low <= rows @ x <= row_high, low <= x <= high, some x whole."""

    cost: np.ndarray
    offset: float
    low: np.ndarray
    high: np.ndarray
    whole: np.ndarray
    rows: csr_array
    row_low: np.ndarray
    row_high: np.ndarray


def handed(model: Arrays) -> Any:
    """A HiGHS instance that holds the arrays."""
    lp = highspy.HighsLp()
    lp.num_row_, lp.num_col_ = model.rows.shape
    lp.col_cost_, lp.offset_ = model.cost, model.offset
    lp.col_lower_, lp.col_upper_ = model.low, model.high
    lp.row_lower_, lp.row_upper_ = model.row_low, model.row_high
    lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    lp.a_matrix_.start_, lp.a_matrix_.index_ = model.rows.indptr, model.rows.indices
    lp.a_matrix_.value_ = model.rows.data
    kinds = np.array([highspy.HighsVarType.kContinuous, highspy.HighsVarType.kInteger])
    lp.integrality_ = list(kinds[model.whole.astype(int)])
    highs = highspy.Highs()
    highs.setOptionValue("output_flag", False)
    highs.passModel(lp)
    return highs


def through(bridge: Bridge, goal: str, setting: Setting, relaxed: bool) -> tuple[Found, np.ndarray | None]:
    """Solve by the project's bridge, without whole numbers or with them."""
    bridge.relax(relaxed)
    limited(bridge.highs, setting.seconds)
    answer = bridge.solve(goal, Limits(gap=setting.gap, seconds=NO_CLOCK))
    said = answer.status.replace("_", " ")
    if relaxed:
        return Found("relax", bound=answer.bound if said == "proven" else None, status=said), answer.values
    return Found(
        "solve", None if answer.values is None else answer.objective, answer.bound, said
    ), answer.values


def shape(highs: Any) -> str:
    """Rows and columns of what HiGHS was handed."""
    return f"{highs.getNumRow()} x {highs.getNumCol()}"


def limited(highs: Any, seconds: float) -> None:
    """Interrupt the next run after so many processor seconds: on a shared machine the clock is no measure."""
    end = time.process_time() + seconds

    def check(event: Any) -> None:
        # set either way: HiGHS does not forget the interrupt of the run before
        event.interrupt(time.process_time() > end)

    highs.cbMipInterrupt.subscribe(check)
    highs.cbSimplexInterrupt.subscribe(check)


def _run(highs: Any, setting: Setting) -> None:
    limited(highs, setting.seconds)
    highs.run()
    highs.cbMipInterrupt.clear()
    highs.cbSimplexInterrupt.clear()


def _options(highs: Any, setting: Setting) -> None:
    """Those of `optimizer.solver.bridge.Bridge.solve`."""
    for name, value in (
        ("output_flag", False), ("threads", 1), ("parallel", "off"), ("random_seed", 0), ("mip_rel_gap", setting.gap),
        ("mip_feasibility_tolerance", 1e-7),
    ):  # fmt: skip
        highs.setOptionValue(name, value)


def relaxed(highs: Any, setting: Setting) -> Found:
    """Solve without whole numbers; they are restored afterwards."""
    _options(highs, setting)
    whole = np.flatnonzero([k == highspy.HighsVarType.kInteger for k in highs.getLp().integrality_])
    index, many = whole.astype(np.int32), len(whole)
    highs.changeColsIntegrality(many, index, np.array([highspy.HighsVarType.kContinuous] * many))
    _run(highs, setting)
    done = highs.getModelStatus() == highspy.HighsModelStatus.kOptimal
    bound = float(highs.getInfo().objective_function_value) if done else None
    highs.changeColsIntegrality(many, index, np.array([highspy.HighsVarType.kInteger] * many))
    highs.clearSolver()
    return Found("relax", bound=bound, status="proven" if done else "stopped")


def solved(highs: Any, setting: Setting) -> tuple[Found, np.ndarray | None]:
    """Solve in whole numbers: what was found, and the columns' values if there is a plan."""
    _options(highs, setting)
    _run(highs, setting)
    status, info = highs.getModelStatus(), highs.getInfo()
    if info.primal_solution_status != 2:
        said = "infeasible" if status == highspy.HighsModelStatus.kInfeasible else "no plan"
        return Found("solve", bound=float(info.mip_dual_bound), status=said), None
    said = "proven" if status == highspy.HighsModelStatus.kOptimal else "stopped"
    found = Found("solve", float(info.objective_function_value), float(info.mip_dual_bound), said)
    return found, np.array(highs.getSolution().col_value)


def handed_over(highs: Any, setting: Setting) -> Iterator[Found]:
    """The phases from the hand-over on, where nobody asks for the plan itself."""
    yield Found("hand over", shape=shape(highs))
    yield relaxed(highs, setting)
    yield solved(highs, setting)[0]
