"""A network among the pairs that are likely, where enrolment is known more closely.

Over all admissible pairs a large county's network is hard to search, and enrolment has so wide a range that
whole heads hardly count. Among the pairs that the relaxation uses or nearly uses, and today's, the range is
narrow, the planes of whole heads tell, and the model is a fraction of the size: 300 sites take 20 s for a
better plan than the whole model gave in 300 s. What comes out is a plan, never a bound.
"""

from __future__ import annotations

import time

from models.formulation import build_model
from optimizer.highs import Limits, time_left
from optimizer.network_first import Report, Solved, first_goal, record
from optimizer.relaxation import ROUNDS, NoPlan, Relaxed, among, bridge_of, relax_and_cut


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
    relax_and_cut(bridge, model, likely, ROUNDS, limits, hulls=True)
    first = first_goal(bridge, model, likely, time_left(limits, begun), report, enough=limits.gap)
    if first.values is None:
        raise NoPlan(first.status, likely)
    bridge.load(first.values)
    return Solved(model, likely, (record("imbalance", first, 0.0),), first, first.clock)
