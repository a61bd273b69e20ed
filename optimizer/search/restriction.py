"""A network among the pairs that are likely, where enrolment is known more closely.

Over all admissible pairs a large county's network is hard to search, and enrolment has so wide a range that
whole heads hardly count. Among the pairs that the relaxation uses or nearly uses, and today's, the range is
narrow, the planes of whole heads tell, and the model is a fraction of the size: 300 sites take 20 s for a
better plan than the whole model gave in 300 s. What comes out is a plan, never a bound.
"""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np

from optimizer.search.relaxation import among
from optimizer.search.search import Search
from optimizer.search.solved import NoPlan, Solved, record
from optimizer.solver.limits import Answer, Limits, time_left


def solve_narrow(county: Search, limits: Limits) -> Solved:
    """The network of least imbalance found among the likely pairs, with resources in fractions.

    Parameters
    ----------
    county : Search
        Relaxed.
    limits : Limits

    Raises
    ------
    NoPlan
        None was found among these pairs, which says nothing about the others.
    """
    begun = time.monotonic()
    task = county.task
    assert county.relaxed is not None
    likely = among(county.instance, set(county.near))
    search = Search(likely, task, whole=False)
    share = task.method.narrow_relax_share
    answer = search.relax(task.method.relax_rounds, time_left(limits, begun, share), hulls=True)
    if answer.values is None:
        raise NoPlan(answer.status, likely, search.bridge.stopped)
    near = rounded(search, answer.values, time_left(limits, begun))
    first = search.minimise("imbalance", time_left(limits, begun), enough=limits.gap)
    if first.values is None:
        if near is None or first.status == "infeasible":
            raise NoPlan(first.status, likely, search.bridge.stopped)
        first = replace(near, status="stopped", clock=first.clock, interrupted=first.interrupted)
    clock = county.relaxed.clock or answer.clock or first.clock
    return Solved(search, (record("imbalance", first, 0.0),), first, clock)


def rounded(search: Search, values: np.ndarray, limits: Limits) -> Answer | None:
    """The relaxation's network, every group where most of it goes; None where that breaks a rule.

    Relaxations of large counties split few groups, and a search may not get as far as a first plan.
    """
    inst, bridge = search.instance, search.bridge
    at, opens = bridge.at("attend"), bridge.at("open")
    attend = np.array([at[p] for p in inst.pairs.index])
    most = inst.pairs.assign(x=values[attend]).groupby("g")["x"].idxmax()
    goes = inst.pairs.index.isin(most)
    fixed = dict(zip(attend.tolist(), goes.astype(float).tolist(), strict=True))
    used = set(zip(inst.pairs.loc[goes, "school_id"], inst.pairs.loc[goes, "band"], strict=True))
    for key, column in opens.items():  # a lock settles the others
        fixed[column] = float(key in used or values[column] > 0.5)
    bridge.relax(True)
    bridge.fix(fixed)
    answer = bridge.solve("imbalance", limits)
    bridge.release(fixed)
    bridge.relax(False)
    return None if answer.values is None else answer
