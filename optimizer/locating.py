"""Which sites open, where catchments need not hang together: least cost, whole units, room, proven.

No rule is left to the tree (`optimizer.branch_and_cut`): its root cuts rooms and drops pairs, HiGHS does the rest.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from optimizer.branch_and_cut import Tree
from optimizer.highs import Answer, Bridge, Limits, Progress

START_GAP, START_NODES = 0.005, 20
"""How far HiGHS takes the start."""


def locate(
    bridge: Bridge, tree: Tree, limits: Limits, report: Callable[[Progress], None] | None, begun: float
) -> tuple[float, Answer]:
    """Cost of the start, and the answer.

    Parameters
    ----------
    bridge : Bridge
        The problem stated (`models.single_source.single_source`).
    tree : Tree
        Its search, no node visited yet.
    limits : Limits
    report : callable or None
    begun : float
        `time.monotonic` when the seconds began to count.
    """
    early = replace(limits, gap=START_GAP, nodes=START_NODES, seconds=limits.seconds / 8)
    found = bridge.solve("cost", early)
    if found.status == "infeasible":
        return found.objective, found
    if found.values is not None:
        tree.offer(found.values, found.objective)
    answer = tree.search(replace(_left(limits, begun), nodes=1), report)
    if answer.status not in ("proven", "infeasible"):
        answer = _finish(bridge, tree, answer, _left(limits, begun), report)
    return found.objective, answer


def _left(limits: Limits, begun: float) -> Limits:
    return replace(limits, seconds=max(1.0, limits.seconds - (time.monotonic() - begun)))


def _finish(
    bridge: Bridge, tree: Tree, root: Answer, limits: Limits, report: Callable[[Progress], None] | None
) -> Answer:
    """HiGHS on what the root leaves, joined with what the root knows.

    Columns are dropped because nothing *better* than the best plan uses them: that plan itself may, so the
    rest may come out worse, or empty, and the best plan is then the optimum.
    """
    bridge.fix({int(c): 0.0 for c in tree.whole[tree.high < 0.5]})
    rest = bridge.solve("cost", limits, progress=report)
    outside = np.inf if rest.status == "infeasible" else rest.bound
    known = tree.best is not None and not rest.objective < tree.upper
    objective = tree.upper if known else rest.objective
    if objective == np.inf or np.isnan(objective):
        return replace(rest, bound=max(rest.bound, root.bound))
    bound = max(root.bound, min(outside, tree.cutoff(), objective))
    gap = (objective - bound) / max(abs(objective), 1e-9)
    done = gap <= max(2 * limits.gap, 1e-9)
    return replace(
        rest, status="proven" if done else "stopped", objective=objective, bound=bound, gap=gap,
        clock=rest.clock and not done, values=tree.best if known else rest.values,
    )  # fmt: skip
