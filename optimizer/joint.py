"""The third step: network and whole heads decided together, from the plan that the first two steps made.

Measured on Nanpu (benchmarks/results/method.md): stated plainly, the joint model stalls at a 4 % gap; from
a good start HiGHS proves it to below 1 % in the time that the network alone took, because its heuristics
work around the start and reduced costs fix most of what is far from it.
"""

from __future__ import annotations

import time
from dataclasses import replace

from models.formulation import build_model
from optimizer.highs import Limits
from optimizer.network_first import (
    FIRST_SHARE,
    NoPlan,
    Report,
    Solved,
    bridge_of,
    carried_over,
    exact_value,
    first_goal,
    ordered_goals,
    record,
    relax_and_cut,
    time_left,
)

ROUND_NODES = 100
"""Nodes of one round: a new round with the tangents asked for proves more than a longer search."""
SLACK = 0.002
"""Tangents of the joint model understate the objective by at most this share of it."""


def solve_joint(
    network: Solved,
    split: Solved,
    goals: list[tuple[str, float]],
    limits: Limits,
    report: Report | None = None,
) -> Solved:
    """Network and whole heads together, never worse than the split it starts from.

    Parameters
    ----------
    network, split : Solved
        The first two steps; the centres are the network's.
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
    inst = network.instance
    model = build_model(inst, whole=True)
    bridge = bridge_of(model)
    relax_and_cut(bridge, model, inst, rounds=8)
    start = carried_over(bridge, split.model)
    # half of the gap is for what the tangents leave open
    half = replace(
        time_left(limits, begun, FIRST_SHARE),
        gap=limits.gap / 2,
        nodes=min(limits.nodes or ROUND_NODES, ROUND_NODES),
    )
    first = first_goal(
        bridge, model, inst, half, report, start, SLACK, enough=max(limits.gap / 2, limits.gap - goals[0][1])
    )
    if first.values is None:
        raise NoPlan(first.status, inst)
    later_limits = replace(time_left(limits, begun), gap=limits.later_gap)
    answer, later = ordered_goals(bridge, goals, first, later_limits, report)
    assert answer.values is not None
    bridge.load(first.values)
    value = exact_value(model, inst)
    bridge.load(answer.values)
    return Solved(
        model, inst, (replace(record(goals[0][0], first, goals[0][1]), objective=value), *later), answer,
        answer.clock,
    )  # fmt: skip
