"""A budget split among counties: one point of each county's frontier, by a MILP, and what no split goes below.

z[c,i] says that county c gets the grant g[c,i], never below its floor; v[c,i] is the goal's value of the plan found there,
l[c,i] what is proven for every grant up to g[c,i], and p[c,i] the next smaller grant that was tried, or the floor:

    min sum v[c,i] z[c,i],   sum_i z[c,i] = 1,   sum g[c,i] z[c,i] <= B       the split; then the least deficit, then money
    min sum l[c,i] z[c,i],   the same rows                                    what no split into these grants goes below
    min sum l[c,i] z[c,i],   sum p[c,i] z[c,i] <= B                           what no split at all goes below

The last one, since a grant above p[c,i] and up to g[c,i] costs more than the former and reaches l[c,i] at best. It holds
for all splits that give no county less than its floor or more than its largest grant.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyomo.environ as pyo

from optimizer.solver.bridge import Bridge
from optimizer.solver.limits import Limits

ROOM = 1e-6
SPLIT_SECONDS = 60.0
"""Of each of the three solves: there are as many choices as points, and one row a county."""


@dataclass(frozen=True)
class Front:
    """A county's points by rising grant.

    Parameters
    ----------
    number, pupils : int
    grants : ndarray (points)
        Yuan.
    value, second : ndarray (points)
        Of the plan in force at each grant, the best of those up to it; infinite without one. ``value`` never rises.
    plan : ndarray (points)
        Position of the point whose plan that is; -1 without one.
    bound : ndarray (points)
        Proven for every grant up to this one; infinite where no plan exists; never rises.
    floor : float
        Yuan.
    """

    number: int
    pupils: int
    grants: np.ndarray
    value: np.ndarray
    second: np.ndarray
    plan: np.ndarray
    bound: np.ndarray
    floor: float

    @property
    def allowed(self) -> np.ndarray:
        """Which points the floor allows."""
        found: np.ndarray = self.grants >= self.floor - ROOM
        return found

    @property
    def below(self) -> np.ndarray:
        """What any grant above the next smaller one that was tried costs at least; never less than the floor."""
        found: np.ndarray = np.maximum(np.concatenate([[0.0], self.grants[:-1]]), self.floor)
        return found

    def at(self, grant: float) -> int:
        """Position of the largest grant that was tried and is no larger than this one."""
        return int(np.flatnonzero(self.grants <= grant + 0.5)[-1])


@dataclass(frozen=True)
class Split:
    """A split of the budget.

    Parameters
    ----------
    chosen : dict of int to int
        Position of the point by county number.
    value : float
        The goal's value, over all counties.
    grid, bound : float
        What no split into these grants goes below; no split at all.
    spent : float
        Yuan granted.
    """

    chosen: dict[int, int]
    value: float
    grid: float
    bound: float
    spent: float


def front_of(
    number: int, pupils: int, grants: np.ndarray, value: np.ndarray, second: np.ndarray, bound: np.ndarray, floor: float
) -> Front:  # fmt: skip
    """A county's front from its points as they were solved.

    Parameters
    ----------
    number, pupils : int
    grants : ndarray (points)
        Upwards.
    value, second, bound : ndarray (points)
        NaN without a plan; the bound infinite where none exists.
    floor : float
    """
    best, also = np.where(np.isnan(value), np.inf, value), np.where(np.isnan(second), np.inf, second)
    plan = np.where(np.isinf(best), -1, np.arange(len(best)))
    for i in range(1, len(best)):  # a plan of a smaller grant is a plan of a larger one
        if (best[i - 1], also[i - 1]) < (best[i], also[i]):
            best[i], also[i], plan[i] = best[i - 1], also[i - 1], plan[i - 1]
    # what no plan of a larger grant goes below, none of a smaller one does
    proven = np.maximum.accumulate(np.where(np.isnan(bound), 0.0, bound)[::-1])[::-1]
    return Front(number, pupils, grants, best, also, plan, np.minimum(proven, best), floor)


def best_split(fronts: list[Front], budget: float) -> Split | None:
    """The split of the least value; None where no points with plans fit the budget.

    Parameters
    ----------
    fronts : list of Front
    budget : float
        Yuan.
    """
    weight = {f.number: f.pupils / max(1, sum(o.pupils for o in fronts)) for f in fronts}
    with_plan = {f.number: np.flatnonzero(f.allowed & np.isfinite(f.value)) for f in fronts}
    order = [
        {f.number: f.value for f in fronts},
        {f.number: f.second * weight[f.number] for f in fronts},
        {f.number: f.grants / budget for f in fronts},
    ]
    costs = {f.number: f.grants for f in fronts}
    found = least_choice(with_plan, costs, order, budget)
    if found is None:
        return None
    chosen = found[0]
    can = {f.number: np.flatnonzero(f.allowed & np.isfinite(f.bound)) for f in fronts}
    proven = [{f.number: f.bound for f in fronts}]
    grid = least_choice(can, costs, proven, budget)
    bound = least_choice(can, {f.number: f.below for f in fronts}, proven, budget)
    least, any_least = (0.0 if one is None else one[1] for one in (grid, bound))
    return Split(
        chosen, float(sum(f.value[chosen[f.number]] for f in fronts)), least, min(any_least, least),
        float(sum(f.grants[chosen[f.number]] for f in fronts)),
    )  # fmt: skip


def least_choice(
    positions: dict[int, np.ndarray], costs: dict[int, np.ndarray], order: list[dict[int, np.ndarray]], budget: float
) -> tuple[dict[int, int], float] | None:  # fmt: skip
    """One point a county within the budget, the goals in order; and what the first is proven not to go below.

    Parameters
    ----------
    positions : dict of int to ndarray
        By county, the points that may be chosen.
    costs : dict of int to ndarray
        Yuan of every point.
    order : list of dict
        Values of every point, goal by goal.
    budget : float

    Returns
    -------
    (dict, float) or None
        None where nothing fits.
    """
    cheapest = [costs[c][some].min() if len(some) else np.inf for c, some in positions.items()]
    if sum(cheapest) > budget + ROOM:
        return None
    model, goals = _stated(positions, costs, order, budget)
    bridge = Bridge(model, goals)
    z, keys = bridge.at("z"), list(model.z)
    bound, chosen, values = 0.0, {}, None
    for k, name in enumerate(goals):
        answer = bridge.solve(name, Limits(gap=0.0, nodes=None, seconds=SPLIT_SECONDS), start=values)
        if answer.values is None:
            break
        values = answer.values
        chosen = {c: i for c, i in keys if values[z[c, i]] > 0.5}
        bound = float(answer.bound) if k == 0 else bound
        bridge.limit_goal(name, float(sum(order[k][c][i] for c, i in chosen.items())) + ROOM)
    return (chosen, bound) if chosen else None


def _stated(
    positions: dict[int, np.ndarray], costs: dict[int, np.ndarray], order: list[dict[int, np.ndarray]], budget: float
) -> tuple[pyo.ConcreteModel, dict[str, pyo.Objective]]:  # fmt: skip
    """The model of one choice a county, and its goals by name."""
    model = pyo.ConcreteModel()
    keys = [(c, int(i)) for c, some in positions.items() for i in some]
    model.z = pyo.Var(keys, domain=pyo.Binary)

    def one(m: pyo.ConcreteModel, c: int) -> object:
        return sum(m.z[c, int(i)] for i in positions[c]) == 1

    model.one = pyo.Constraint(list(positions), rule=one)
    # in parts of the budget: yuan would drown the ones of the other rows
    spent = sum(float(costs[c][i]) / budget * model.z[c, i] for c, i in keys)
    model.money = pyo.Constraint(expr=spent <= 1.0 + 1e-12)
    goals = {}
    for k, value in enumerate(order):
        # a goal that is zero everywhere would be no expression at all
        terms = sum(float(value[c][i]) * model.z[c, i] for c, i in keys) + 0.0 * model.z[keys[0]]
        goals[str(k)] = pyo.Objective(expr=terms)
        model.add_component(f"goal_{k}", goals[str(k)])
    return model, goals
