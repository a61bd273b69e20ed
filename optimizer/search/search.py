"""`Search`: a county stated and handed to HiGHS, with its cuts, its best plan and what is proven about every goal.

One object serves every verb and every step of the method. A step that looks at part of the county (likely pairs, a
network that is settled) has a `Search` of its own, or an `optimizer.solver.engine.Part` of this one.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np
import pyomo.environ as pyo

from models.formulation.model import build_model
from models.plan.decisions import GoalRecord
from models.problem.enrolment import reach_of
from models.problem.instance import Instance
from optimizer.search.cuts.measures import Measure
from optimizer.search.cuts.one_sided import ExcessCuts, LackCuts
from optimizer.search.cuts.spread_cuts import SpreadCuts
from optimizer.search.solved import record
from optimizer.search.task import Target, Task
from optimizer.solver.bridge import Bridge
from optimizer.solver.limits import Answer, Limits, time_left
from optimizer.solver.stopping import Stop

SOFTNESS = "softness"
"""The objective of what soft rules give way, in a model that has any."""
Extend = Callable[[pyo.ConcreteModel], Mapping[str, Any]]
"""Adds to a model before it goes to HiGHS; returns further objectives by name."""


def bridge_of(
    model: pyo.ConcreteModel, more: Mapping[str, Any] | None = None, stop: Stop | None = None
) -> Bridge:
    """A `Bridge` that knows every goal of the model, and ``more`` objectives by name."""
    stated = model.component_objects(pyo.Objective)
    goals = {o.local_name.removeprefix("goal_"): o for o in stated if o.local_name.startswith("goal_")}
    return Bridge(model, {**goals, **(more or {})}, stop)


class Search:
    """One instance in HiGHS.

    Parameters
    ----------
    inst : Instance
    task : Task
    whole : bool
        Whole heads and rooms; False relaxes them (the network stays whole).
    extend : callable or None
        Rows, columns and objectives besides the model's own.

    Attributes
    ----------
    relaxed : Answer or None
        The relaxation's, once solved: its bound holds for every plan of the instance.
    near : tuple of int
        Pairs that the relaxation uses or nearly uses, and today's.
    seconds : float
        What stating and relaxing took.
    required : list of (goal, most)
        What every plan has to keep; rows hold it, of `measures` as far as there are tangents.
    """

    def __init__(self, inst: Instance, task: Task, whole: bool = True, extend: Extend | None = None):
        self.instance, self.task, self.whole = inst, task, whole
        self.model = build_model(inst, whole=whole)
        more = extend(self.model) if extend is not None else {}
        self.bridge = bridge_of(self.model, more, task.stop)
        self.bridge.interior = task.method.interior_columns
        self.required: list[tuple[str, float]] = []
        for one in task.required:  # the constant of a goal that counts is how many it counts
            most = one.most(self.bridge.costs[one.goal][1])
            self.bridge.limit_goal(one.goal, most + task.method.tolerance)
            self.required.append((one.goal, most))
        self.relaxed: Answer | None = None
        self.near: tuple[int, ...] = ()
        self.seconds = 0.0

    @cached_property
    def spreads(self) -> SpreadCuts:
        """The measure of imbalance, and planes under it."""
        return SpreadCuts(self.bridge, self.model, self.instance, self.task.method)

    @cached_property
    def measures(self) -> dict[str, Measure]:
        """Goals that need tangents, by name."""
        bridge, found = self.bridge, dict[str, Measure](imbalance=self.spreads)
        if "deficit" in bridge.costs:
            found["deficit"] = LackCuts(bridge)
        if "cv_excess" in bridge.costs:
            found["cv_excess"] = ExcessCuts(self.spreads, bridge, self.instance)
        return found

    @property
    def soft(self) -> bool:
        """Whether rules may give way at a price: what they give is then the least before any goal."""
        return SOFTNESS in self.bridge.costs and bool(self.bridge.costs[SOFTNESS][0].any())

    # --- solutions

    def exact(self, goal: str, values: np.ndarray) -> float:
        """A goal's own value at a solution, where the model may have tangents only."""
        measure = self.measures.get(goal)
        return self.bridge.value(goal, values) if measure is None else measure.exact(values)

    def settled(self, values: np.ndarray) -> np.ndarray:
        """A solution in which no goal that has tangents is understated: it keeps those that are still to be added."""
        for measure in self.measures.values():
            values = measure.settled(values)
        return values

    def load(self, values: np.ndarray) -> None:
        """Write a solution into the Pyomo model, for `models.formulation.solution.unpack`."""
        self.bridge.load(values)

    def carried(self, other: Search, values: np.ndarray) -> np.ndarray:
        """A solution of another search of the same county as one of this; what it lacks is zero."""
        place = {name: other.bridge.at(name) for name, _ in self.bridge.keys}

        def value(name: str, key: Any) -> float:
            column = place[name].get(key)
            if column is not None:
                return float(values[column])
            return float(other.model.component(name)[key].value) if _fixed(other, name, key) else 0.0

        return np.array([value(name, key) for name, key in self.bridge.keys])

    def start_from(self, other: Search, values: np.ndarray, goal: str) -> np.ndarray:
        """A plan of another search of the same county as one that this model admits, where it admits it at all.

        Columns that the other has no need of (among fewer pairs: who sends to whom, who grows) are not zero here but what
        the plan makes them: they are solved for with all whole columns as they are.

        Parameters
        ----------
        other : Search
        values : ndarray
            Its solution, with whole columns whole.
        goal : str
            What is solved for.
        """
        if other is self:
            return values
        found, bridge = self.carried(other, values), self.bridge
        named = {name: other.bridge.at(name) for name, _ in bridge.keys}
        there = np.array([key in named[name] or _fixed(other, name, key) for name, key in bridge.keys])
        if there.all():
            return found
        settled = np.flatnonzero(bridge.kept & there)
        bridge.fix(dict(zip(settled.tolist(), np.round(found[settled]).tolist(), strict=True)))
        answer = bridge.solve(goal, self.task.limits.first_node())
        bridge.release(settled.tolist())
        return found if answer.values is None else np.where(there, found, answer.values)

    def decided(self, component: str, values: np.ndarray) -> dict[Any, bool]:
        """Yes and no of a component's variables at a solution, fixed ones included."""
        columns = self.bridge.at(component)
        part = self.model.component(component)
        return {
            k: bool(values[columns[k]] > 0.5) if k in columns else bool((part[k].value or 0.0) > 0.5)
            for k in part
        }

    def enrolment(self, values: np.ndarray) -> dict[str, float]:
        """Pupils by unit."""
        columns = self.bridge.at("pupils")
        return {
            u: round(float(values[columns[u]])) if u in columns else 0.0 for u in self.instance.units.index
        }

    def beyond(self, values: np.ndarray, held: Sequence[tuple[str, float]] = ()) -> list[str]:
        """Goals that a solution only seems to keep: requirements, and what is held besides, that its own value is above."""
        room = self.task.method.tolerance
        asked = (*self.required, *held)
        return [name for name, most in asked if self.exact(name, values) > most + room * max(1.0, abs(most))]

    @property
    def measured(self) -> list[str]:
        """Requirements of which the model has tangents only."""
        return [name for name, _ in self.required if name in self.measures]

    # --- one goal

    def tighten(self, goal: str, values: np.ndarray, share: float) -> bool:
        """Add the tangents that a solution lacks; False where it lacks none."""
        measure = self.measures.get(goal)
        if measure is None:
            return False
        rows = measure.missing(values, self.bridge.value(goal, values), share)
        if rows is not None:
            self.bridge.add_table(*rows)
        return rows is not None

    def minimise(
        self,
        goal: str,
        limits: Limits,
        start: np.ndarray | None = None,
        slack: float | None = None,
        enough: float = 0.0,
        rounds: int | None = None,
    ) -> Answer:
        """The least of one goal: solve, add the tangents that its solution asks for, solve again from there.

        Every round's bound holds, since tangents only tighten a relaxation; the best bound is kept, and the plan of
        least exact value, the start among them: a search that gave its start up may end with a worse one. With a start
        the model is made exact there first.

        Parameters
        ----------
        goal : str
        limits : Limits
            Seconds are for all rounds together.
        start : ndarray or None
        slack : float or None
            Share of the objective that tangents may leave out; None for the method's.
        enough : float
            Gap of the exact objective at which no more tangents are asked for.
        rounds : int or None
            Further solves at most; None for the method's.
        """
        begun, method = time.monotonic(), self.task.method
        share = method.cut_slack if slack is None else slack
        most = method.tangent_rounds if rounds is None else rounds
        if start is not None:
            self.tighten(goal, start, share / 10)
        watch = self.task.watch(goal)
        answer = self.bridge.solve(goal, limits, start=start, progress=watch)
        plans = [] if start is None else [start]
        for _ in range(most if goal in self.measures else 0):
            if answer.values is None or self.bridge.stopped:
                break
            found = answer.values
            plans.append(found)
            exact = self.exact(goal, found)
            if exact - answer.bound <= enough * exact or not self._lacks(goal, found, share):
                break
            rest = time_left(limits, begun)
            if time.monotonic() - begun > limits.seconds:
                answer = replace(answer, clock=True)
                break
            self.tighten(goal, found, share)
            again = self.bridge.solve(goal, rest, start=found, progress=watch)
            if again.values is None:
                break
            answer = replace(
                again, bound=max(answer.bound, again.bound), seconds=answer.seconds + again.seconds,
                nodes=answer.nodes + again.nodes, clock=answer.clock or again.clock,
            )  # fmt: skip
        return self._best(goal, answer, plans)

    def _best(self, goal: str, answer: Answer, plans: list[np.ndarray]) -> Answer:
        """The answer with the plan of least exact value, its own or one of these."""
        if answer.values is None or not plans:
            return answer
        own = self.exact(goal, answer.values)
        best = min(plans, key=lambda values: self.exact(goal, values))
        value = self.exact(goal, best)
        return answer if own <= value + 1e-9 else replace(answer, objective=value, values=best)

    def _lacks(self, goal: str, values: np.ndarray, share: float) -> bool:
        return self.measures[goal].missing(values, self.bridge.value(goal, values), share) is not None

    def judged(self, goal: str, answer: Answer, gap: float) -> Answer:
        """Proven by the exact objective, or stopped: a model of tangents may be proven and say too little."""
        assert answer.values is not None
        exact = self.exact(goal, answer.values)
        far = exact - answer.bound > gap * abs(exact) + 1e-9
        return replace(answer, status="stopped") if answer.status == "proven" and far else answer

    def relax(self, rounds: int, limits: Limits, hulls: bool = False, goal: str = "imbalance") -> Answer:
        """Solve the linear relaxation of a goal, add the planes its solution lacks, repeat.

        Tangents; for imbalance also the planes of whole heads and rooms over the enrolment that units can reach
        (`models.formulation.planes.whole_spread`): these hold for every plan, so they may stand in models with fractions
        too, and a network chosen there suits whole heads. A goal without tangents takes one solve.

        Parameters
        ----------
        rounds : int
            At most.
        limits : Limits
            Their seconds are for all rounds together; rounds that are begun late are left out.
        hulls : bool
            Also planes under the sum of each unit's spreads (`models.formulation.planes.unit_hull`): slower, and much stronger.
        goal : str
        """
        begun, method, bridge = time.monotonic(), self.task.method, self.bridge
        planes = self._planes() if goal == "imbalance" else None
        bridge.relax(True)
        answer = bridge.solve(goal, limits)
        late = answer.clock
        for turn in range(rounds if goal in self.measures else 0):
            late = late or time.monotonic() - begun > limits.seconds
            if answer.values is None or bridge.stopped or late:
                break
            values, value = answer.values, answer.objective
            new = int(self.tighten(goal, values, method.cut_slack))
            if planes is not None:
                new += planes(values, value, hulls and turn > 0)  # the first values are far from the last
            again = bridge.solve(goal, time_left(limits, begun)) if new else answer
            if again.values is None or again.status != "proven":
                late = again.clock
                break
            gained, answer = again.objective - answer.objective, again
            least = method.hull_gain if hulls else method.least_gain
            if gained < least * abs(answer.objective) and (turn or not hulls):
                break
        bridge.relax(False)
        return replace(answer, clock=late)

    def _planes(self) -> Callable[[np.ndarray, float, bool], int]:
        """Adds planes of whole heads, and under sums where asked, at a solution of some value; returns how many."""
        method, cuts = self.task.method, self.spreads
        low, high = reach_of(self.instance).range(np.ones(len(self.instance.pairs), dtype=bool))

        def add(values: np.ndarray, value: float, hulls: bool) -> int:
            new = cuts.add_whole(values, low, high, value, method.whole_slack)
            return new + (cuts.add_hulls(values, low, high, value, method.hull_slack) if hulls else 0)

        return add

    # --- goals in order

    def in_order(
        self, first: Answer, goals: tuple[Target, ...], limits: Limits, least: float | None = None
    ) -> tuple[Answer, list[GoalRecord]]:
        """The goals after the first: each keeps the earlier ones within tolerance and starts from their plan.

        Rows that hold the earlier goals stay; `Engine.rows` before, `Engine.forget_rows` after, where others follow.

        Parameters
        ----------
        first : Answer
        goals : tuple of Target
            The first one's among them.
        limits : Limits
            Seconds are for all of them together; every goal gets its part of what is left.
        least : float or None
            The first goal's best value where an earlier step already gave some of it away.
        """
        begun, bridge = time.monotonic(), self.bridge
        answer, clock = first, first.clock
        done: list[GoalRecord] = []
        held = goals[0]
        for k, goal in enumerate(goals[1:], start=1):
            if answer.values is None or bridge.stopped:
                break
            reached = bridge.value(held.name, answer.values)
            base = reached if least is None or done else least
            bridge.limit_goal(held.name, max(reached, base + held.tolerance * abs(base)) + 1e-7)
            left = time_left(limits, begun)
            own = replace(left, seconds=left.seconds / (len(goals) - k), gap=self.task.gap_of(goal))
            found = bridge.solve(goal.name, own, start=answer.values, progress=self.task.watch(goal.name))
            clock = clock or found.clock
            if found.status == "infeasible":
                break
            # no time for any search, or for its root: the plan before is one
            if found.values is None or not np.isfinite(found.bound):
                found = self._as_it_is(goal.name, found, answer.values)
            answer = found
            done.append(record(goal.name, found, goal.tolerance))
            held = goal
        return replace(answer, clock=clock), done

    def _as_it_is(self, goal: str, found: Answer, before: np.ndarray) -> Answer:
        """An answer without a plan, or without a bound, as one that has the plan before it, and what the columns alone prove."""
        values = before if found.values is None else found.values
        value = self.bridge.value(goal, values)
        bound = max(found.bound, self.bridge.floor(goal))
        gap = max(0.0, value - bound) / max(abs(value), 1e-9)
        return replace(found, status="stopped", objective=value, bound=bound, gap=gap, values=values)


def _fixed(search: Search, name: str, key: Any) -> bool:
    """Whether a variable of a search's model is fixed, and so no column."""
    part = search.model.component(name)
    return part is not None and key in part and bool(part[key].fixed)
