"""The second step: an exact split of whole heads and rooms for a network that is settled.

Measured (benchmarks/results/method.md): the wholeness of a few heads in small units is most of the difficulty, not the
network. The relaxation's bound holds for the whole problem, because continuous resources and tangents both relax
it; `optimizer.search.integration` then decides both together, from the plan found here.
"""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pandas as pd

from models.problem.indicators import lent_size
from models.problem.instance import Instance
from optimizer.search.search import Search
from optimizer.search.solved import NoPlan, Solved, record
from optimizer.search.task import Target
from optimizer.solver.limits import Limits, time_left


def fixed_network(network: Solved) -> Instance:
    """The same instance with the solved network as its only choice: a sub-model by the same functions."""
    inst, search, values = network.instance, network.search, network.values
    goes, opened = search.decided("attend", values), search.decided("open", values)
    bands = inst.bands.copy()
    bands["lock"] = ["open" if opened[k] else "closed" for k in bands.index]
    chosen = [p for p in inst.pairs.index if goes[p]]
    return replace(inst, pairs=inst.pairs.loc[chosen], bands=bands, past=inst.past.iloc[:0])


def solve_split(
    network: Solved,
    goals: tuple[Target, ...],
    limits: Limits,
    least: float | None = None,
    whole: bool = False,
) -> Solved:
    """Whole heads and rooms for the solved network, imbalance first.

    Parameters
    ----------
    network : Solved
    goals : tuple of Target
    limits : Limits
    least : float or None
        The best imbalance known: the tolerance of the later goals counts from there.
    whole : bool
        Whether the network's heads are whole already: a plan to start from.

    Raises
    ------
    NoPlan
        When whole numbers do not fit where fractions did.
    """
    begun = time.monotonic()
    inst = fixed_network(network)
    old, task = network.search, network.search.task
    method = task.method
    search = Search(inst, task)
    rows = search.spreads.secants(old.enrolment(network.values), old.spreads.amounts(network.values))
    if rows is not None:
        search.bridge.add_table(*rows)
    search.relax(method.relax_rounds, time_left(limits, begun, method.first_share))
    # a network that is settled is solved in a moment: its tangents may be as fine as the gap asks for
    slack = min(method.cut_slack, limits.gap / 4)
    start = search.spreads.settled(search.carried(old, network.values)) if whole else None
    first = search.minimise("imbalance", time_left(limits, begun, method.first_share), start, slack)
    if first.values is None:
        raise NoPlan(first.status, inst, search.bridge.stopped)
    order = (goals[0], *[g for g in goals[1:] if g.name != "travel"])
    answer, later = search.in_order(first, order, time_left(limits, begun), least)
    return Solved(search, (record(order[0].name, first, order[0].tolerance), *later), answer, answer.clock)


def exact_objective(indicators: pd.DataFrame, inst: Instance) -> float:
    """Objective (3) of a plan from the referee's table, about the instance's centres.

    sum over the indicators of sum_u (x_u / m - P_u)^2 / P_u / N, over units assessed after the plan and known.
    """
    rows = indicators[indicators["assessed_plan"] & (indicators["pupils_plan"] > 0)]
    rows = rows[rows["amount_plan"].notna()]
    resource = {(i.stage, i.id): i.resource for i in inst.standards.indicators}
    keys = [(s, resource[s, i]) for s, i in zip(rows["stage"], rows["indicator"], strict=True)]
    told = np.array(
        [r in inst.measured.get(s, ()) for s, r in keys], dtype=bool
    )  # of what nobody has there is no spread
    rows, keys = rows[told], [k for k, yes in zip(keys, told, strict=True) if yes]
    centre = np.array([inst.centres[k] for k in keys])
    size = np.array([inst.population[k] for k in keys])
    people = rows["pupils_plan"].to_numpy(float)
    have = rows["amount_plan"].to_numpy(float)
    if inst.lent:  # heads that a concession lends count for indicators and in no spread
        least, most = lent_size(inst.standards)
        small = (people >= least) & (people <= most)
        lent = [inst.lent.get((u, r), 0.0) for u, (_, r) in zip(rows["unit_id"], keys, strict=True)]
        have = have - np.where(small, lent, 0.0)
    return float((((have / centre - people) ** 2) / people / size).sum())
