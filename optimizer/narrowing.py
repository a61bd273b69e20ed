"""The network once more among the pairs that are likely, where enrolment is known more closely.

Planes of whole heads are strong where a unit's enrolment has a narrow range (`models.whole_spread`), and over
all admissible pairs it has a wide one: on generated counties they miss half of what whole heads cost. Among
the pairs of a good network, those that the relaxation uses and those it nearly uses, the range is narrow, the
planes tell, and the model is a fraction of the size. What comes out is a plan, never a bound.
"""

from __future__ import annotations

import time
from dataclasses import replace

import pyomo.environ as pyo

from models.formulation import build_model
from models.instance import Instance
from optimizer.highs import Limits
from optimizer.network_first import (
    Report,
    Solved,
    bridge_of,
    carried_over,
    first_goal,
    record,
    relax_and_cut,
    time_left,
)


def among(inst: Instance, pairs: set[int]) -> Instance:
    """The instance with some of its pairs only: a sub-model by the same functions."""
    blocked = inst.blocked_bus[inst.blocked_bus["p"].isin(pairs)]
    return replace(inst, pairs=inst.pairs.loc[sorted(pairs)], blocked_bus=blocked)


def solve_narrow(network: Solved, limits: Limits, report: Report | None = None) -> Solved:
    """The best network found among the likely pairs, starting from a network; that one where none is better.

    Parameters
    ----------
    network : Solved
        With ``near``, and its solution loaded.
    limits : Limits
    report : callable or None
    """
    inst, model = network.instance, network.model
    chosen = {int(p) for p in inst.pairs.index if float(pyo.value(model.attend[p])) > 0.5}
    likely = among(inst, chosen | set(network.near))
    narrow = build_model(likely)
    bridge = bridge_of(narrow)
    begun = time.monotonic()
    relax_and_cut(bridge, narrow, likely, rounds=8)
    start = carried_over(bridge, model)
    first = first_goal(bridge, narrow, likely, time_left(limits, begun), report, start, enough=limits.gap)
    if first.values is None:
        return network
    bridge.load(first.values)
    return Solved(narrow, likely, (record("imbalance", first, 0.0),), first, first.clock)
