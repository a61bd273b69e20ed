"""The searches of a study for different plans, and the plan that it starts from.

The best plan is made as `optimizer.verbs.plan.plan` makes it (`optimizer.search.steps`), about the study's means. The
searches are kept: every later question changes bounds or a few rows only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pyomo.environ as pyo

from optimizer.outcomes import Rejected
from optimizer.search.search import Search
from optimizer.search.task import Target
from optimizer.study.splitter import Splitter
from optimizer.study.study import Made, Study
from optimizer.verbs.explain import best_of

State = dict[tuple[str, str], bool]


def bounds_of(search: Search, state: State) -> dict[int, float]:
    """Columns that decide bands as in a state."""
    opens = search.bridge.at("open")
    return {opens[k]: float(v) for k, v in state.items()}


@dataclass(frozen=True)
class NearlyBest:
    """A plan, which free bands it keeps, and what these reach in the model that prices decisions.

    ``apart_most``: no plan within the share differs in more bands from all found before (proven).
    """

    made: Made
    state: State
    value: float
    apart_most: int


@dataclass
class Nearby:
    """The searches of a study and the plans found, the best first.

    ``whole`` has whole heads and a distance to make large; ``part`` decides villages and prices decisions
    (the same search in small counties, fractions in larger ones); ``start`` is a solution of ``whole``.
    """

    study: Study
    whole: Search
    part: Search
    splitter: Splitter | None
    free: list[tuple[str, str]]
    bound: float
    start: np.ndarray | None = None
    found: list[NearlyBest] = field(default_factory=list)

    def stop_asked(self) -> bool:
        """True once a stop was asked for."""
        return self.study.task.stop.is_set()

    def state(self, made: Made) -> State:
        """Which of the free bands a plan keeps."""
        is_open = made.plan.bands.set_index(["school_id", "band"])["open"]
        return {k: bool(is_open[k]) for k in self.free}

    def decided(self, values: np.ndarray) -> State:
        """Which of the free bands a solution of ``whole`` keeps."""
        opens = self.whole.bridge.at("open")
        return {k: bool(round(values[opens[k]])) for k in self.free}

    def carried(self, values: np.ndarray) -> np.ndarray:
        """A solution of ``whole`` as one of ``part``."""
        return values if self.part is self.whole else self.part.carried(self.whole, values)

    def _apart(self, state: State) -> Any:
        """Free bands decided otherwise than in a state, as an expression."""
        is_open = self.whole.model.open
        return sum(1 - is_open[k] if kept else is_open[k] for k, kept in state.items())

    def differ_from(self, state: State) -> None:
        """Distance <= number of free bands decided otherwise than in a plan."""
        if self.free:
            self.whole.bridge.add_rows([self._apart(state) - self.whole.model.distance >= 0])

    def rule_out(self, state: State) -> None:
        """No plan within the share decides the bands like this (proven): no distance for them.

        Through the distance, so that the row says nothing when decisions are priced.
        """
        distance = self.whole.model.distance
        self.whole.bridge.add_rows([len(state) * self._apart(state) - distance >= 0])


def with_distance(study: Study, free: list[tuple[str, str]]) -> Search:
    """A search in whole heads with a distance to be made large."""
    most = max(1, len(free))

    def distance(model: Any) -> Mapping[str, Any]:
        model.distance = pyo.Var(bounds=(0, most))
        model.goal_distance = pyo.Objective(expr=-1.0 * model.distance + 0.0 * model.charge["building"])
        # the distance needs a row of its own to be a column of the solver's model
        model.distance_most = pyo.Constraint(expr=model.distance <= most)
        return {"distance": model.goal_distance}

    search = Search(study.instance, study.task, True, distance)
    search.relax(2 * study.task.method.study_rounds, study.limits, goal=study.goal)
    return search


def open_nearby(study: Study) -> Nearby:
    """The best plan of a study with the searches that later plans need.

    Raises
    ------
    Infeasible, StoppedWithoutPlan, Rejected
    """
    bands = study.instance.bands
    free = [k for k in bands.index if bands.at[k, "lock"] == "free"]
    best = best_of(study)
    if not best.made.verdict.accepted:
        raise Rejected(best.made.verdict)
    whole = with_distance(study, free)
    final = best.found.final
    # the distance aside, the best plan is a solution of this model too
    start = whole.carried(final.search, final.values)
    part, splitter = whole, None
    if not study.whole:
        part = Search(study.instance, study.task, whole=False)
        part.relax(2 * study.task.method.study_rounds, study.limits, goal=study.goal)
        exact = replace(study.task, limits=replace(study.limits, gap=study.limits.gap / 4))
        splitter = Splitter(replace(study, task=exact), 1.0)
    nearby = Nearby(study, whole, part, splitter, free, best.bound, start)
    nearby.found.append(NearlyBest(best.made, nearby.state(best.made), best.made.objective, 0))
    if not nearby.stop_asked():
        nearby.differ_from(nearby.found[0].state)
    return nearby


@dataclass(frozen=True)
class Villages:
    """A solution for chosen bands, before the later goals its first goal's value without tangents and its bound."""

    values: np.ndarray
    value: float
    bound: float


def stated_value(part: Search, goal: str, values: np.ndarray) -> float:
    """A goal's value in a model that may hold fractions of heads, without missing tangents.

    Planes of whole heads lie above the measure where heads are fractions, tangents below it where some are missing: the
    larger of the two is what the model can have, and never below its bound.
    """
    return max(part.exact(goal, values), part.bridge.value(goal, values))


def villages_for(
    study: Study, part: Search, fixed: dict[int, float], goals: tuple[Target, ...], start: np.ndarray | None
) -> Villages | None:
    """The villages for fixed columns: the first goal's least, then the goals after it; None where none was found."""
    bridge, method, limits = part.bridge, study.task.method, study.limits
    if not study.whole:
        limits = replace(limits, gap=max(limits.gap, method.village_gap)).fewer(method.village_nodes)
    bridge.fix(fixed)
    first = part.minimise(study.goal, limits, start, enough=limits.gap)
    found = None
    if first.values is not None:
        value = stated_value(part, study.goal, first.values)
        mark = bridge.rows
        answer, _ = part.in_order(first, goals, limits)
        bridge.forget_rows(mark)
        assert answer.values is not None
        found = Villages(answer.values, value, first.bound)
    bridge.release(fixed)
    return found
