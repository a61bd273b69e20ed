"""A bound by interior points, without a basis: what prices of rows prove about every solution.

For any prices y of the rows, whatever made them,

    c x >= sum_i y_i b_i + sum_j min { (c - A'y)_j x_j : l_j <= x_j <= u_j },    b_i the bound that the sign of y_i asks for

holds for every x that keeps rows and bounds. So the prices of an interior point serve as they are: no crossover to a basis, which
on a county of 300 sites takes longer than all else, and one that is stopped on its way still proves something.
"""

from __future__ import annotations

import highspy
import numpy as np
from scipy.sparse import csc_array, csr_array

from optimizer.solver.engine import Engine
from optimizer.solver.limits import Limits

FREE = 1e-7
"""Reduced cost that counts as none where a column has no bound: the solver's own tolerance."""


def lowest(engine: Engine, objective: str, limits: Limits) -> tuple[float, np.ndarray | None, bool]:
    """What the relaxation proves of an objective, and the reduced costs.

    Parameters
    ----------
    engine : Engine
        Its whole columns are whole again afterwards.
    objective : str
    limits : Limits

    Returns
    -------
    bound : float
        For every solution; minus infinity where nothing is proven.
    price : ndarray (columns) or None
    late : bool
        Whether the clock ended it.
    """
    highs, whole = engine.highs, engine.kept
    _, found = highs.getOptionValue("run_crossover")
    highs.clearSolver()
    engine.relax(True)
    highs.setOptionValue("run_crossover", "off")
    try:
        late = engine.solve(objective, limits, interior=True).clock
        prices = np.array(highs.getSolution().row_dual)
    finally:
        highs.setOptionValue("run_crossover", found)
        highs.clearSolver()
        engine.keep_whole(whole)
    if len(prices) != engine.rows or not np.isfinite(prices).all():
        return -np.inf, None, late
    return *proven(engine, objective, prices), late


def proven(engine: Engine, objective: str, prices: np.ndarray) -> tuple[float, np.ndarray]:
    """The bound that prices of the rows prove, and the reduced costs; prices of a sign that no bound asks for count as none."""
    lp, (cost, offset) = engine.highs.getLp(), engine.costs[objective]
    kind = csc_array if lp.a_matrix_.format_ == highspy.MatrixFormat.kColwise else csr_array
    terms = (lp.a_matrix_.value_, lp.a_matrix_.index_, lp.a_matrix_.start_)
    matrix = kind(terms, shape=(lp.num_row_, lp.num_col_))
    asked = np.where(prices > 0, np.array(lp.row_lower_), np.array(lp.row_upper_))
    y = np.where(np.isfinite(asked), prices, 0.0)
    price = cost - matrix.T @ y
    at = np.where(price > 0, np.array(lp.col_lower_), np.array(lp.col_upper_))
    if (~np.isfinite(at) & (np.abs(price) > FREE)).any():
        return -np.inf, price
    ends = np.where(np.isfinite(at), at, 0.0)
    return float(y @ np.where(np.isfinite(asked), asked, 0.0) + price @ ends + offset), price
