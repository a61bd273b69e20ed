"""How a run can end without a plan: four different answers that are never merged."""

from __future__ import annotations

from geodata.contract.findings import InputProblems
from models.plan.decisions import PlanResult, Verdict


class Infeasible(InputProblems):
    """No plan can exist; the findings say what stands in the way (exit code 3)."""


class LostOnTheWay(InputProblems):
    """Whoever did the work is gone; what came until then is kept, and the same command goes on from it (exit code 4)."""


class StoppedWithoutPlan(Exception):
    """The solver was stopped before it found any plan (exit code 4), by Ctrl-C if ``interrupted``."""

    def __init__(self, status: str = "no_plan", interrupted: bool = False):
        self.interrupted = interrupted
        super().__init__(status)


class InterruptedWithPlan(KeyboardInterrupt):
    """Ctrl-C came while a plan that had been found was judged; carries the result, judged to the end."""

    def __init__(self, result: PlanResult):
        self.result = result
        super().__init__("stopped with a plan")


class Rejected(Exception):
    """The referee rejected the solver's plan (exit code 5); carries its verdict."""

    def __init__(self, verdict: Verdict):
        self.verdict = verdict
        super().__init__("the referee rejected the plan")


class Defect(Exception):
    """A bound above the plan's own value: the program is wrong, and says so instead of showing either (exit code 5).

    Parameters
    ----------
    goal : str
    objective, bound : float
        In the goal's own unit.
    """

    def __init__(self, goal: str, objective: float, bound: float):
        self.goal, self.objective, self.bound = goal, objective, bound
        super().__init__(goal, objective, bound)
