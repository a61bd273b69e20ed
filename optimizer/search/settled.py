"""What is proven with the catchments as a plan has them: a bound about fewer plans, under a name of its own.

A goal whose bound over all plans is loose may still be nearly the best that money and staff can do once it is settled who
attends where. Where a goal was not proven, the model in which every group goes where the final plan sends it, and every
band is open where it is there, is solved for that goal once more, with the goals before it held and those after it not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from models.formulation.goals import UPPER
from optimizer.search.search import Search
from optimizer.search.start import NETWORK, all_but, columns_in
from optimizer.search.task import Target
from optimizer.solver.limits import Answer, Limits


def settled_answer(
    search: Search, goal: Target, values: np.ndarray, later: Sequence[int], limits: Limits
) -> Answer | None:
    """The least of a goal with the network of a plan; None where that would say nothing.

    Parameters
    ----------
    search : Search
    goal : Target
    values : ndarray
        The final plan.
    later : sequence of int
        Rows that hold this goal and those after it: no part of what the bound is about.
    limits : Limits

    Returns
    -------
    Answer or None
        Its ``bound`` holds for every plan with the same network that keeps the goals before.
    """
    if goal.name in UPPER or search.bridge.stopped:
        return None
    method = search.task.method
    search.tighten(goal.name, values, method.cut_slack / 10)
    with search.bridge.without_rows(later):
        part = search.bridge.part(all_but(search, columns_in(search, NETWORK)), values)
    own = replace(limits, gap=limits.gap / 4).fewer(method.part_nodes)
    found = part.engine.solve(goal.name, own, start=part.start)
    return None if found.status == "infeasible" or not np.isfinite(found.bound) else found
