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
import pyomo.environ as pyo

from models.formulation.model import build_model
from models.problem.instance import Instance
from optimizer.search.relaxation import ROUNDS, NoPlan, Relaxed, among, bridge_of, relax_and_cut
from optimizer.search.split import Report, Solved, first_goal, record
from optimizer.solver.bridge import Answer, Bridge, Limits, time_left

RELAXING = 0.4
"""Share of the step's seconds for the relaxation."""


def solve_narrow(relaxed: Relaxed, limits: Limits, report: Report | None = None) -> Solved:
    """The best network found among the likely pairs, with resources in fractions.

    Parameters
    ----------
    relaxed : Relaxed
        The whole county's.
    limits : Limits
    report : callable or None

    Raises
    ------
    NoPlan
        None was found among these pairs, which says nothing about the others.
    """
    begun = time.monotonic()
    likely = among(relaxed.instance, set(relaxed.near))
    model = build_model(likely)
    bridge = bridge_of(model)
    answer = relax_and_cut(bridge, model, likely, ROUNDS, time_left(limits, begun, RELAXING), hulls=True)
    if answer.values is None:
        raise NoPlan(answer.status, likely, bridge.stopped)
    near = rounded(bridge, model, likely, answer.values, time_left(limits, begun))
    first = first_goal(bridge, model, likely, time_left(limits, begun), report, enough=limits.gap)
    if first.values is None:
        if near is None or first.status == "infeasible":
            raise NoPlan(first.status, likely, bridge.stopped)
        first = replace(near, status="stopped", clock=first.clock, interrupted=first.interrupted)
    assert first.values is not None
    bridge.load(first.values)
    clock = relaxed.answer.clock or answer.clock or first.clock
    return Solved(model, likely, (record("imbalance", first, 0.0),), first, clock)


def rounded(
    bridge: Bridge, model: pyo.ConcreteModel, inst: Instance, values: np.ndarray, limits: Limits
) -> Answer | None:
    """The relaxation's network, every group where most of it goes; None where that breaks a rule.

    Relaxations of large counties split few groups, and a search may not get as far as a first plan.
    """
    attend = np.array([bridge.position[id(model.attend[p])] for p in inst.pairs.index])
    most = inst.pairs.assign(x=values[attend]).groupby("g")["x"].idxmax()
    goes = inst.pairs.index.isin(most)
    fixed = dict(zip(attend.tolist(), goes.astype(float).tolist(), strict=True))
    used = set(zip(inst.pairs.loc[goes, "school_id"], inst.pairs.loc[goes, "band"], strict=True))
    for key in inst.bands.index:
        column = bridge.position.get(id(model.open[key]))  # None where a lock settles it
        if column is not None:
            fixed[column] = float(key in used or values[column] > 0.5)
    bridge.relax(True)
    bridge.fix(fixed)
    answer = bridge.solve("imbalance", limits)
    bridge.release(fixed)
    bridge.relax(False)
    return None if answer.values is None else answer
