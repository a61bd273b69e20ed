"""Goals that are convex and not linear: the model has tangents to them, added where a solution asks for them.

Every such goal is an object that knows its own columns in HiGHS. What the model understates is asked of it; any
other goal is what the model says it is.
"""

from __future__ import annotations

from typing import Protocol, TypeAlias

import numpy as np

CutRows: TypeAlias = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Columns (rows, terms), weights (rows, terms) and least (rows) of rows ``weights . columns >= least``."""


class Measure(Protocol):
    """A goal that needs tangents."""

    def exact(self, values: np.ndarray) -> float:
        """The goal's own value at a solution, in its own unit."""
        ...

    def missing(self, values: np.ndarray, objective: float, share: float) -> CutRows | None:
        """Tangents at a solution where the model understates by more than a share of the objective; None for none."""
        ...

    def settled(self, values: np.ndarray) -> np.ndarray:
        """A solution whose own columns of the goal are what its amounts make them: it keeps every tangent, known or not."""
        ...
