"""The warehouse location problem of CSPLib (prob034): 5 warehouses, 10 stores, optimum 383.

Source of the figures: P. Van Hentenryck, The OPL Optimization Programming Language, MIT Press 1999; CSPLib
problem 034 (csplib.org/Problems/prob034).
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from models.districting.single_source import SingleSource

OPTIMUM = 383.0
MAINTENANCE = 30
ROOM = (1, 4, 2, 1, 3)
"""Stores that a warehouse can supply."""
SUPPLY = (
    (20, 24, 11, 25, 30), (28, 27, 82, 83, 74), (74, 97, 71, 96, 70), (2, 55, 73, 69, 61), (46, 96, 59, 83, 4),
    (42, 22, 29, 67, 59), (1, 5, 73, 59, 56), (10, 73, 13, 43, 96), (93, 35, 63, 85, 46), (47, 65, 55, 71, 95),
)  # fmt: skip
"""Cost of supplying a store (row) from a warehouse (column)."""


def warehouses() -> SingleSource:
    """The problem: every store is supplied by one open warehouse; an open one costs 30."""
    cost = np.array(SUPPLY, dtype=float)
    stores, sites = cost.shape
    pairs = pd.DataFrame(
        {"unit": np.repeat(np.arange(stores), sites), "site": np.tile(np.arange(sites), stores), "cost": cost.ravel()}
    )  # fmt: skip
    table = pd.DataFrame({"room": np.array(ROOM, dtype=float), "fixed": float(MAINTENANCE), "home": -1})
    return SingleSource(pd.Series(np.ones(stores)), table, pairs)
