"""Whole plans on a given network, at any budget: one model whose network is fixed by column bounds.

Three things may be asked of a plan besides the budget:

- *ranges*: decisions stay at or above (below) those of another plan, so that plans nest;
- *near*: of all plans within a limit of the goal the one that differs least from another;
- *local duals*: with all whole decisions as they are, what another unit of money is worth. They are those of a linear
  program in which nothing whole may change, so they hold near this plan only.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyomo.environ as pyo

from models.formulation.money import EARMARKED
from models.problem.request import Request, money_known
from optimizer.solver.limits import Answer
from optimizer.study.study import EVERY, Made, Network, Study, judged, share_of_budget

DECIDED_COLUMNS = ("hire", "into", "out", "buy", "buy_rooms", "got", "got_rooms")
"""Components that hold decided amounts: heads and things that arrive or leave."""
ROOM = 1e-6
Amounts = dict[tuple[str, Any], float]
"""Decided amounts by component and key."""
Ranges = Mapping[int, tuple[float, float]]
"""Least and largest value by column."""


@dataclass(frozen=True, eq=False)
class WholePlan:
    """A whole plan on a network.

    Parameters
    ----------
    made : Made
    network : Network
    amounts : dict
        What it decides, by the model's components and keys.
    local : dict of str to float
        By earmark, by how much another large unit of its money lowers the goal while every whole decision stays.
    """

    made: Made
    network: Network
    amounts: Amounts
    local: dict[str, float]


@dataclass(frozen=True, eq=False)
class NearPlan:
    """A plan that another one should differ from as little as may be, where its goal is at most ``most``."""

    amounts: Amounts
    most: float


class Splitter:
    """Whole heads and rooms for any network at any share of the budget: one model, never built anew.

    `optimizer.search.split.solve_split` states a small model for one network; here the network is fixed
    by column bounds, so that tangents found for one network and budget serve the others.

    Parameters
    ----------
    study : Study
    most : float
        Largest share of the budget.
    earmark : str
    compared : bool
        Whether plans near others will be asked for.
    """

    def __init__(self, study: Study, most: float, earmark: str = EVERY, compared: bool = False):
        self.study = study
        beside = apart_columns if compared else None
        self.shared = share_of_budget(study.instance, study.task, True, most, earmark, beside)
        self.fixed: dict[int, float] = {}

    def _fix(self, network: Network) -> None:
        bridge = self.shared.bridge
        bridge.release(self.fixed)
        self.fixed = network.columns(bridge)
        bridge.fix(self.fixed)

    def split(
        self, network: Network, share: float, request: Request, ranges: Ranges | None = None, near: NearPlan | None = None,
        below: float = math.inf,
    ) -> WholePlan | None:  # fmt: skip
        """The best whole plan on a network at a share of the budget, None where none was found.

        Parameters
        ----------
        network : Network
        share : float
        request : Request
        ranges : mapping or None
            Columns that are kept within other bounds than the model's own.
        near : NearPlan or None
        below : float
            Value of the goal from which a plan is of no use: the later goals are then not looked at.
        """
        self._fix(network)
        self.shared.at(share)
        bridge = self.shared.bridge
        for column, (low, high) in (ranges or {}).items():
            bridge.bound(column, low, high)
        found = self._solved(network, near, below)
        bridge.release(ranges or {})
        if found is None:
            return None
        answer, local = found
        assert answer.values is not None
        made = judged(self.study, self.shared.search, answer.values, request)
        return WholePlan(made, network, decided_amounts(bridge, answer.values), local)

    def _solved(
        self, network: Network, near: NearPlan | None, below: float
    ) -> tuple[Answer, dict[str, float]] | None:
        """The goals in order on the network that is fixed, and what money is worth there."""
        study, search, bridge = self.study, self.shared.search, self.shared.bridge
        goal, method = study.goal, study.task.method
        search.relax(3, study.limits, goal=goal)
        mark = bridge.rows
        secants = search.spreads.secants(network.pupils, network.near)
        if secants is not None:
            bridge.add_table(*secants)
        watch = study.task.watch(goal)
        first = bridge.solve(goal, study.limits, progress=watch)
        tangents = None
        if first.values is not None and first.status != "stopped" and goal in search.measures:
            value = bridge.value(goal, first.values)
            tangents = search.measures[goal].missing(first.values, value, method.cut_slack)
            if tangents is not None:
                bridge.add_table(*tangents)
                again = bridge.solve(goal, study.limits, start=first.values, progress=watch)
                first = again if again.values is not None else first
        if first.values is None or bridge.value(goal, first.values) >= below:
            bridge.forget_rows(mark)
            if tangents is not None:
                bridge.add_table(*tangents)
            return None
        exact = bridge.rows
        answer = self._nearest(first, near) if near is not None else self._ordered(first)
        bridge.forget_rows(exact)
        assert answer.values is not None
        local = self._local(answer.values)
        bridge.forget_rows(mark)  # secants hold for this network only
        if tangents is not None:
            bridge.add_table(*tangents)
        return answer, local

    def _ordered(self, first: Answer) -> Answer:
        """The later goals; ways are decided, so travel is."""
        goals = tuple(g for g in self.study.task.goals if g.name != "travel")
        return self.shared.search.in_order(first, goals, self.study.limits)[0]

    def _nearest(self, first: Answer, near: NearPlan) -> Answer:
        """Of the plans within the limit the one that decides least otherwise."""
        study, bridge = self.study, self.shared.bridge
        assert first.values is not None
        reached = bridge.value(study.goal, first.values)
        bridge.limit_goal(study.goal, max(reached, near.most) + ROOM)
        self._compare_with(near.amounts)
        found = bridge.solve("apart", study.limits, start=first.values, progress=study.task.watch("apart"))
        return first if found.values is None else replace(found, values=found.values)

    def _compare_with(self, amounts: Amounts) -> None:
        """Set what plans are compared with; every kind of decision weighs the same, whatever its unit."""
        bridge = self.shared.bridge
        kinds: dict[tuple[str, Any], float] = {}
        keys = self.shared.search.model.apart_of
        for component, key in keys:
            kind = component, key[-1]
            kinds[kind] = kinds.get(kind, 0.0) + amounts.get((component, key), 0.0)
        cost = np.zeros(len(bridge.columns))
        for i, (component, key) in enumerate(keys):
            value = amounts.get((component, key), 0.0)
            bridge.bound(bridge.column("reference", i), value, value)
            cost[bridge.column("apart", i)] = 1.0 / max(1.0, kinds[component, key[-1]])
        bridge.costs["apart"] = cost, 0.0

    def _local(self, values: np.ndarray) -> dict[str, float]:
        """Duals of the earmarks' rows with all whole columns as they are; nothing where money limits nothing."""
        study, bridge = self.study, self.shared.bridge
        if not money_known(study.county, study.request):
            return {}
        whole = {int(i): float(round(values[i])) for i in np.flatnonzero(bridge.whole)}
        others = {i: v for i, v in whole.items() if i not in self.fixed}
        bridge.fix(others)
        bridge.relax(True)
        answer = bridge.solve(study.goal, study.limits)
        found = bridge.duals() if answer.status == "proven" else []
        bridge.relax(False)
        bridge.release(others)
        if answer.status != "proven":
            return {}
        worth = {str(key): -price for name, key, price in found if name == "share_earmark"}
        return {e: max(0.0, worth.get(e, 0.0)) for e in EARMARKED}

    def least(self, network: Network) -> float | None:
        """The smallest share with a whole plan on a network, None if there is none."""
        self._fix(network)
        self.shared.free()
        answer = self.shared.bridge.solve("share", replace(self.study.limits, gap=1e-3))
        return None if answer.values is None else answer.objective


def decided_amounts(bridge: Any, values: np.ndarray) -> Amounts:
    """The decided amounts of a solution, without zeros."""
    return {
        (component, key): float(values[column])
        for component in DECIDED_COLUMNS
        for key, column in bridge.at(component).items()
        if abs(values[column]) > ROOM
    }


def apart_columns(model: Any) -> Mapping[str, Any]:
    """Columns for how far every decided amount is from a reference that bounds set later.

    ``apart >= x - reference``, ``apart >= reference - x``.
    """
    parts = [(c, model.component(c)) for c in DECIDED_COLUMNS if model.component(c) is not None]
    model.apart_of = [(c, k) for c, part in parts for k in part if not part[k].fixed]
    numbers = range(len(model.apart_of))
    model.reference = pyo.Var(numbers)
    model.apart = pyo.Var(numbers, domain=pyo.NonNegativeReals)

    def amount(m: Any, i: int) -> Any:
        component, key = m.apart_of[i]
        return m.component(component)[key]

    model.apart_above = pyo.Constraint(numbers, rule=lambda m, i: m.apart[i] >= amount(m, i) - m.reference[i])
    model.apart_below = pyo.Constraint(numbers, rule=lambda m, i: m.apart[i] >= m.reference[i] - amount(m, i))
    model.goal_apart = pyo.Objective(expr=sum(model.apart[i] for i in numbers))
    return {"apart": model.goal_apart}
