"""The model of a county with a plan in it, and the part around a place that is decided anew.

What lies farther away keeps the plan's decisions (bands, ways, teachers, purchases); what follows from decisions is free
everywhere, so that rules and goals of the whole county hold. In a county of one model's size nothing is far.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from models.plan.decisions import Plan, Verdict
from models.plan.keeping import beginning_with
from models.problem.instance import Instance
from optimizer.search.search import Search
from optimizer.search.start import STAFF_COLUMNS, at_hand, todays
from optimizer.search.task import Task
from optimizer.solver.limits import Limits

Least = tuple[np.ndarray, np.ndarray, float]
"""Columns, coefficients and least value of a row."""
UNITS = (*STAFF_COLUMNS, "buy")
"""Decisions at a unit."""


@dataclass(frozen=True)
class Near:
    """Which part of a county is decided anew.

    Parameters
    ----------
    schools, villages : frozenset of str
    whole : bool
        Everything; then the sets hold all ids.
    """

    schools: frozenset[str]
    villages: frozenset[str]
    whole: bool = False


def everything(inst: Instance) -> Near:
    """The whole county."""
    return Near(frozenset(inst.units["school_id"]), frozenset(inst.groups["village_id"]), True)


def around(inst: Instance, plan: Plan, schools: frozenset[str], villages: frozenset[str], rings: int) -> Near:
    """Schools and villages around a place, ring by ring.

    Parameters
    ----------
    inst : Instance
    plan : Plan
    schools, villages : frozenset of str
        What the question is about.
    rings : int
        A ring more: every village that could attend a school of the ring before, and every school that it could attend.

    Returns
    -------
    Near
    """
    pairs = inst.pairs[["village_id", "school_id"]].drop_duplicates()
    going = plan.attendance[["village_id", "school_id"]].drop_duplicates()
    ways = pd.concat([pairs, going], ignore_index=True).drop_duplicates()
    for _ in range(rings):
        villages = villages | set(ways.loc[ways["school_id"].isin(schools), "village_id"])
        schools = schools | set(ways.loc[ways["village_id"].isin(villages), "school_id"])
    return Near(schools & set(inst.units["school_id"]), villages)


@dataclass
class PlanGround:
    """A county's model in HiGHS with a plan's decisions as columns.

    Parameters
    ----------
    search : Search
        In whole heads and rooms.
    given : ndarray
        The plan's decisions; what follows from them is zero.
    near : Near
    free : ndarray of int
        Columns that a solve may change.
    """

    search: Search
    given: np.ndarray
    near: Near
    free: np.ndarray = field(default_factory=lambda: np.array([], dtype=int))

    @property
    def inst(self) -> Instance:
        """What the model is about."""
        return self.search.instance

    def part(self, near: Near) -> None:
        """From now on decide this part anew."""
        self.near = near
        every = np.arange(len(self.given))
        self.free = every if near.whole else np.setdiff1d(every, self._far())

    def _far(self) -> np.ndarray:
        bridge, near = self.search.bridge, self.near
        of_pair = self.inst.pairs["village_id"].to_dict()
        school = self.inst.units["school_id"].to_dict()
        far = [c for p, c in bridge.at("attend").items() if of_pair[p] not in near.villages]
        far += [c for (j, _), c in bridge.at("open").items() if j not in near.schools]
        for name in UNITS:
            far += [c for (u, _), c in bridge.at(name).items() if school[u] not in near.schools]
        return np.array(sorted(far), dtype=int)

    def solve(
        self,
        goal: str,
        fixed: Mapping[int, float],
        rows: list[Least],
        held: Mapping[str, float],
        limits: Limits,
        rounds: int,
        start: np.ndarray | None = None,
    ) -> Reached:
        """The least of a goal with columns fixed, rows added and earlier goals held.

        Tangents that a solution asks for are added and the solve repeated; every bound holds.

        Parameters
        ----------
        goal : str
        fixed : mapping of int to float
        rows : list of Least
        held : mapping of str to float
            Goals that may not be above a value.
        limits : Limits
        rounds : int
            Solves at most.
        """
        search, bridge = self.search, self.search.bridge
        found = Reached(goal, np.inf, -np.inf, None, "no_plan")
        bridge.fix(fixed)
        for _ in range(rounds):
            mark = bridge.rows
            if rows:
                bridge.add_least(rows)
            for name, most in held.items():
                bridge.limit_goal(name, most)
            part = bridge.part(self.free, self.given)
            bridge.forget_rows(mark)
            begin = None if start is None else start[self.free]
            answer = part.engine.solve(goal, limits, begin, search.task.watch(goal))
            bound = answer.bound if answer.status != "infeasible" else np.inf
            found = replace(found, bound=max(found.bound, bound), status=answer.status)
            if answer.values is None:
                break
            values = part.whole_solution(answer.values)
            value = search.exact(goal, values)
            broken = [n for n, most in held.items() if search.exact(n, values) > most + self._room(most)]
            if not broken and value < found.value:
                found, start = replace(found, value=value, values=values), values
            if not broken and value - found.bound <= limits.gap * abs(value) + 1e-9:
                break
            added = [search.tighten(n, values, search.task.method.cut_slack / 100) for n in (goal, *broken)]
            if not any(added):
                break
        bridge.release(fixed)
        return found

    def _room(self, most: float) -> float:
        return self.search.task.method.tolerance * max(1.0, abs(most))


@dataclass(frozen=True)
class Reached:
    """What a goal reaches: the best found (infinite: none), what is proven, the solution."""

    goal: str
    value: float
    bound: float
    values: np.ndarray | None
    status: str


def centred_on(inst: Instance, verdict: Verdict, means: Mapping[str, float]) -> Instance:
    """The instance about a plan's own means, or those that its record says it was made about.

    Parameters
    ----------
    inst : Instance
    verdict : Verdict
        Of the plan.
    means : mapping
        "stage/resource" -> mean, from the plan's record.
    """
    rows = verdict.indicators
    rows = rows[rows["assessed_plan"].astype(bool) & (rows["pupils_plan"] > 0) & rows["amount_plan"].notna()]
    rows = rows.drop_duplicates(["unit_id", "resource"])
    sums = rows.groupby(["stage", "resource"])[["amount_plan", "pupils_plan"]].sum()
    centres, population = dict(inst.centres), dict(inst.population)
    for key, r in zip(sums.index, sums.itertuples(index=False), strict=True):
        if key in centres and r.amount_plan > 0 and r.pupils_plan > 0:
            centres[key], population[key] = float(r.amount_plan / r.pupils_plan), float(r.pupils_plan)
    centres |= {k: float(means["/".join(k)]) for k in centres if "/".join(k) in means}
    return inst.centred(centres, population)


def ground_of(inst: Instance, plan: Plan, task: Task) -> PlanGround:
    """State an instance's model and put a plan's decisions into its columns.

    Parameters
    ----------
    inst : Instance
        About the means that goals are measured by.
    plan : Plan
    task : Task
    """
    inst = replace(inst, request=replace(inst.request, held=beginning_with(plan)))
    search = Search(inst, task)
    given = at_hand(search)
    return PlanGround(search, todays(search) if given is None else given, everything(inst))
