"""The third step: network and whole heads decided together, from the plan that the first two steps made.

Measured on Nanpu (benchmarks/results/method.md): stated plainly, the joint model stalls at a 4 % gap; from
a good start HiGHS proves it to below 1 % in the time that the network alone took, because its heuristics
work around the start and reduced costs fix most of what is far from it.
"""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np

from optimizer.search.relaxation import NoPlan, Relaxed
from optimizer.search.split import (
    FIRST_SHARE,
    Report,
    Solved,
    carried_over,
    exact_value,
    first_goal,
    judged,
    missing_tangents,
    ordered_goals,
    record,
)
from optimizer.solver.bridge import Answer, Limits, time_left

ROUND_NODES = 100
"""Nodes of one round: a new round with the tangents asked for proves more than a longer search."""
SLACK = 0.002
"""Tangents of the joint model understate the objective by at most this share of it."""


def as_it_is(relaxed: Relaxed, start: np.ndarray) -> Answer:
    """The start itself, with the relaxation's bound; the model is made exact there."""
    model, bridge, inst = relaxed.model, relaxed.bridge, relaxed.instance
    bridge.load(start)
    bridge.add_rows(missing_tangents(model, inst, SLACK / 10))
    value, bound = exact_value(model, inst), relaxed.answer.bound
    return replace(
        relaxed.answer,
        objective=value,
        gap=(value - bound) / value,
        values=start,
        status="stopped",
        seconds=0.0,
    )


def solve_joint(
    relaxed: Relaxed,
    split: Solved,
    goals: list[tuple[str, float]],
    limits: Limits,
    report: Report | None = None,
) -> Solved:
    """Network and whole heads together, never worse than the split it starts from.

    Parameters
    ----------
    relaxed : Relaxed
        The whole county's, with whole heads and rooms to be asked for; its rows serve on.
    split : Solved
        The plan to start from, about the same means.
    goals : list of (name, tolerance)
        In order; imbalance first.
    limits : Limits
    report : callable or None

    Returns
    -------
    Solved
        The first goal's bound holds for every plan of the model.

    Raises
    ------
    NoPlan
    """
    begun = time.monotonic()
    model, bridge, inst = relaxed.model, relaxed.bridge, relaxed.instance
    start = carried_over(bridge, split.model)
    # half of the gap is for what the tangents leave open
    half = replace(
        time_left(limits, begun, FIRST_SHARE),
        gap=limits.gap / 2,
        nodes=min(limits.nodes or ROUND_NODES, ROUND_NODES),
    )
    enough = max(limits.gap / 2, limits.gap - goals[0][1])
    kept = as_it_is(relaxed, start)
    if kept.gap <= enough:
        first = replace(kept, status="proven")
    elif half.seconds < relaxed.seconds:  # the search would not get past its own relaxation
        kept = replace(kept, clock=True)
        return Solved(model, inst, (record(goals[0][0], kept, goals[0][1]),), kept, True)
    else:
        slack = min(SLACK, limits.gap / 4)
        first = first_goal(bridge, model, inst, half, report, start, slack, enough=enough)
        if first.status == "infeasible":
            raise NoPlan(first.status, inst)
        if first.values is None:
            first = replace(kept, clock=first.clock, interrupted=first.interrupted)
        first = replace(first, bound=max(first.bound, relaxed.answer.bound))
    later_limits = replace(time_left(limits, begun), gap=limits.later_gap)
    answer, later = ordered_goals(bridge, goals, first, later_limits, report)
    assert answer.values is not None and first.values is not None
    bridge.load(first.values)
    value = exact_value(model, inst)
    first = judged(first, value, limits.gap)
    bridge.load(answer.values)
    return Solved(
        model, inst, (replace(record(goals[0][0], first, goals[0][1]), objective=value), *later), answer,
        answer.clock,
    )  # fmt: skip
