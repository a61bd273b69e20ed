"""What HiGHS said of a run, as an `Answer`, and whether the plan that it handed back is the one it speaks of."""

from __future__ import annotations

from dataclasses import replace

import highspy
import numpy as np

from optimizer.solver.limits import Answer, Status
from optimizer.solver.stopping import Stop

MEANT = 1e-6
"""Part of an objective by which the values handed back may differ from it."""


def answer_of(highs: highspy.Highs, relaxed: bool, seconds: float, stop: Stop) -> Answer:
    """Status, objective, bound and plan of the run that just ended.

    Parameters
    ----------
    highs : Highs
    relaxed : bool
        No column had to be whole: a simplex stopped on its way proves nothing.
    seconds : float
        How long it took.
    stop : Stop
    """
    state = highspy.HighsModelStatus
    status, info = highs.getModelStatus(), highs.getInfo()
    has_plan = info.primal_solution_status == 2
    objective = float(info.objective_function_value) if has_plan else float("nan")
    bound = float(info.mip_dual_bound)
    if relaxed:
        bound = objective if status == state.kOptimal else -float("inf")
    said: Status = "proven" if status == state.kOptimal else "stopped"
    if status in (state.kInfeasible, state.kUnboundedOrInfeasible):
        said = "infeasible"
    elif status == state.kUnbounded:
        said = "unbounded"
    elif not has_plan:
        said = "no_plan"
    return Answer(
        status=said, objective=objective, bound=bound, seconds=seconds, nodes=max(0, int(info.mip_node_count)),
        gap=(objective - bound) / max(abs(objective), 1e-9) if has_plan else float("inf"),
        clock=status == state.kTimeLimit or (status == state.kInterrupt and stop.reason == "time"),
        values=np.array(highs.getSolution().col_value) if has_plan else None, interrupted=stop.is_set(),
    )  # fmt: skip


def meant(answer: Answer, own: float) -> bool:
    """Whether the plan handed back, whose objective is ``own``, is the one whose objective is reported."""
    return abs(own - answer.objective) <= MEANT * max(1.0, abs(own))


def as_handed_back(answer: Answer, own: float) -> Answer:
    """The answer with the objective of its own values: a plan is never called better than it is."""
    if meant(answer, own):
        return answer
    gap = (own - answer.bound) / max(abs(own), 1e-9)
    return replace(answer, status="stopped", objective=own, gap=gap)
