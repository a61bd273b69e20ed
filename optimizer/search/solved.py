"""What a step of the method comes to: a search with a solution and a line a goal, or no plan."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyomo.environ as pyo

from models.plan.decisions import GoalRecord
from models.problem.instance import Instance
from optimizer.solver.limits import Answer

if TYPE_CHECKING:
    from optimizer.search.search import Search  # which says with `record` how its goals went


class NoPlan(Exception):
    """No plan: ``status`` is infeasible (proven) or no_plan (stopped before one was found, on request if ``interrupted``)."""

    def __init__(self, status: str, instance: Instance, interrupted: bool = False):
        self.status = status
        self.interrupted = interrupted
        self.instance = instance
        super().__init__(status)


def record(goal: str, answer: Answer, tolerance: float) -> GoalRecord:
    """A goal's line in the solve record."""
    return GoalRecord(
        goal, answer.objective, answer.bound, max(0.0, answer.gap), answer.seconds, answer.nodes, answer.status, tolerance
    )  # fmt: skip


@dataclass(frozen=True)
class Solved:
    """A search with a solution, and how each goal went; ``clock`` if the time limit ended any."""

    search: Search
    goals: tuple[GoalRecord, ...]
    answer: Answer
    clock: bool = False

    @property
    def values(self) -> np.ndarray:
        """The solution's columns."""
        assert self.answer.values is not None
        return self.answer.values

    @property
    def instance(self) -> Instance:
        """What the search is about."""
        return self.search.instance

    def loaded(self) -> pyo.ConcreteModel:
        """The Pyomo model with the solution in it."""
        self.search.load(self.values)
        return self.search.model
