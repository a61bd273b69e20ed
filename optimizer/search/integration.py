"""The third step: network and whole heads decided together, from the plan that the first two steps made.

Measured on Nanpu (benchmarks/results/method.md): stated plainly, the joint model stalls at a 4 % gap; from
a good start HiGHS proves it to below 1 % in the time that the network alone took, because its heuristics
work around the start and reduced costs fix most of what is far from it.
"""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np

from optimizer.search.search import Search
from optimizer.search.solved import NoPlan, Solved, record
from optimizer.search.task import Target
from optimizer.solver.limits import Answer, Limits, time_left


def as_it_is(county: Search, start: np.ndarray) -> Answer:
    """The start itself, with the relaxation's bound; the model is made exact there."""
    assert county.relaxed is not None
    county.tighten("imbalance", start, county.task.method.joint_slack / 10)
    value, bound = county.exact("imbalance", start), county.relaxed.bound
    return replace(
        county.relaxed, objective=value, gap=(value - bound) / max(value, 1e-9), values=start, status="stopped",
        seconds=0.0,
    )  # fmt: skip


def solve_joint(county: Search, split: Solved, goals: tuple[Target, ...], limits: Limits) -> Solved:
    """Network and whole heads together, never worse than the split it starts from.

    Parameters
    ----------
    county : Search
        The whole county's, relaxed; its rows serve on.
    split : Solved
        The plan to start from, about the same means.
    goals : tuple of Target
        In order; imbalance first.
    limits : Limits

    Returns
    -------
    Solved
        The first goal's bound holds for every plan of the model.

    Raises
    ------
    NoPlan
    """
    begun, method = time.monotonic(), county.task.method
    assert county.relaxed is not None
    start = county.spreads.settled(county.start_from(split.search, split.values, "imbalance"))
    # half of the gap is for what the tangents leave open
    half = replace(time_left(limits, begun, method.first_share), gap=limits.gap / 2).fewer(method.joint_nodes)
    enough = max(limits.gap / 2, limits.gap - goals[0].tolerance)
    kept = as_it_is(county, start)
    if kept.gap <= enough:
        first = replace(kept, status="proven")
    elif half.seconds < method.joint_worth * county.seconds:  # the search would not get past its own root
        kept = replace(kept, clock=True)
        return Solved(county, (record(goals[0].name, kept, goals[0].tolerance),), kept, True)
    else:
        slack = min(method.joint_slack, limits.gap / 4)
        beside = county.spreads.around(start, method.joint_steps)
        if beside is not None:
            county.bridge.add_table(*beside)
        first = county.minimise("imbalance", half, start, slack, enough)
        if first.status == "infeasible":
            raise NoPlan(first.status, county.instance)
        if first.values is None:
            first = replace(kept, clock=first.clock, interrupted=first.interrupted)
        first = replace(first, bound=max(first.bound, county.relaxed.bound))
    answer, later = county.in_order(first, goals, time_left(limits, begun))
    assert answer.values is not None and first.values is not None
    value = county.exact("imbalance", first.values)
    first = replace(county.judged("imbalance", first, limits.gap), objective=value)
    return Solved(county, (record(goals[0].name, first, goals[0].tolerance), *later), answer, answer.clock)
