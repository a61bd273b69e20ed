"""The models of a search for different plans, and the plan that it starts from.

The best plan is made as `optimizer.verbs.plan.plan` makes it: a rough network in fractions, whole heads for it,
both together from there. Its three models are kept: every later question changes bounds or a few rows only.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pyomo.environ as pyo

from models.formulation.model import GOALS, build_model
from optimizer.search.integration import ROUND_NODES, SLACK
from optimizer.search.relaxation import bridge_of, relax_and_cut
from optimizer.search.split import Report, carried_over, exact_value, first_goal, ordered_goals
from optimizer.solver.bridge import Bridge, Limits
from optimizer.study.study import Made, Splitter, Study, network_of
from optimizer.verbs.explain import best_of, without_plan
from optimizer.verbs.plan import ROUGH_GAP, ROUGH_NODES, Rejected, StoppedWithoutPlan

State = dict[tuple[str, str], bool]
VILLAGE_GAP, VILLAGE_NODES = 0.02, 20
"""Solves for the villages of chosen bands, in larger counties: half the time of a gap of 1 % on Nanpu."""


@dataclass
class Part:
    """One model in HiGHS."""

    model: Any
    bridge: Bridge

    def columns(self, state: State) -> dict[int, float]:
        """Bounds that decide bands as in a state."""
        return {self.bridge.position[id(self.model.open[k])]: float(v) for k, v in state.items()}


@dataclass(frozen=True)
class Found:
    """A plan, which free bands it keeps, and what these reach in the model that prices decisions.

    ``apart_most``: no plan within the share differs in more bands from all found before (proven).
    """

    made: Made
    state: State
    value: float
    apart_most: int


@dataclass
class Search:
    """The models of a study and the plans found, the best first.

    ``whole`` has whole heads and a distance to make large; ``part`` decides villages and prices decisions
    (the same model in small counties, fractions in larger ones); ``start`` is a solution of ``whole``.
    """

    study: Study
    whole: Part
    part: Part
    splitter: Splitter | None
    free: list[tuple[str, str]]
    bound: float
    start: np.ndarray | None = None
    found: list[Found] = field(default_factory=list)
    interrupted: bool = False

    def stop_asked(self) -> bool:
        """True once a stop was asked for (Ctrl-C)."""
        bridges = [self.whole.bridge, self.part.bridge]
        if self.splitter is not None:
            bridges.append(self.splitter.shared.bridge)
        return self.interrupted or any(b.stopped for b in bridges)

    def state(self, made: Made) -> State:
        """Which of the free bands a plan keeps."""
        is_open = made.plan.bands.set_index(["school_id", "band"])["open"]
        return {k: bool(is_open[k]) for k in self.free}

    def decided(self, values: np.ndarray) -> State:
        """Which of the free bands a solution of ``whole`` keeps."""
        at = self.whole.bridge.position
        return {k: bool(round(values[at[id(self.whole.model.open[k])]])) for k in self.free}

    def carried(self, values: np.ndarray) -> np.ndarray:
        """A solution of ``whole``, loaded into it, as one of ``part``."""
        return values if self.part is self.whole else carried_over(self.part.bridge, self.whole.model)

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


def whole_part(study: Study, free: list[tuple[str, str]]) -> Part:
    """The model in whole heads with a distance to be made large."""
    model = build_model(study.instance, whole=True)
    model.distance = pyo.Var(bounds=(0, max(1, len(free))))
    model.goal_distance = pyo.Objective(expr=-1.0 * model.distance + 0.0 * model.charge["building"])
    model.goal_distance.deactivate()
    # the distance needs a row of its own to be a column of the solver's model
    model.distance_most = pyo.Constraint(expr=model.distance <= max(1, len(free)))
    goals = {**{n: model.component(f"goal_{n}") for n in GOALS}, "distance": model.goal_distance}
    part = Part(model, Bridge(model, goals))
    relax_and_cut(part.bridge, model, study.instance, 8, study.limits)
    return part


def open_search(study: Study, report: Report | None) -> Search:
    """The best plan of a study with the models that made it.

    Raises
    ------
    Infeasible, StoppedWithoutPlan, Rejected
    """
    bands = study.instance.bands
    free = [k for k in bands.index if bands.at[k, "lock"] == "free"]
    search = _small(study, free, report) if study.whole else _large(study, free, report)
    if not search.stop_asked():
        search.differ_from(search.found[0].state)
    return search


def _small(study: Study, free: list[tuple[str, str]], report: Report | None) -> Search:
    """Counties that one model decides."""
    best = best_of(study, report)
    part = whole_part(study, free)
    search = Search(study, part, part, None, free, best.bound, carried_over(part.bridge, best.network.model))
    search.interrupted = best.bridge.stopped
    search.found.append(Found(best.made, search.state(best.made), best.made.objective, 0))
    return search


def _large(study: Study, free: list[tuple[str, str]], report: Report | None) -> Search:
    """Network in fractions, whole heads for it, both together, whole heads again."""
    inst, limits, request = study.instance, study.limits, study.scenario.request()
    model = build_model(inst)
    part = Part(model, bridge_of(model))
    relax_and_cut(part.bridge, model, inst, 8, study.limits)
    nodes = min(limits.nodes or ROUGH_NODES, ROUGH_NODES)
    rough = first_goal(
        part.bridge, model, inst, replace(limits, gap=max(limits.gap, ROUGH_GAP), nodes=nodes), report
    )
    if rough.values is None:
        raise without_plan(study, rough.status)
    part.bridge.load(rough.values)
    exact = study.scenario.model_copy(update={"gap": study.scenario.gap / 4})
    splitter = Splitter(replace(study, scenario=exact), 1.0)
    made = splitter.solve(network_of(model, inst), 1.0, request, report)
    search = Search(study, part, part, splitter, free, rough.bound)
    try:
        if not search.stop_asked():
            search.whole = whole_part(study, free)
            made = _together(search, made, report)
    except KeyboardInterrupt:  # between two solves
        search.interrupted = True
    if made is None:
        raise StoppedWithoutPlan("no_plan")
    if not made.verdict.accepted:
        raise Rejected(made.verdict)
    search.found.append(Found(made, search.state(made), rough.objective, 0))
    return search


def _together(search: Search, made: Made | None, report: Report | None) -> Made | None:
    """Network and whole heads in one model from a plan on (`optimizer.search.integration`), then whole heads again."""
    study, whole, splitter = search.study, search.whole, search.splitter
    assert splitter is not None
    start = None if made is None else carried_over(whole.bridge, splitter.shared.model)
    limits = study.limits
    half = replace(limits, gap=limits.gap / 2, nodes=min(limits.nodes or ROUND_NODES, ROUND_NODES))
    goals = [g for g in study.goals if g[0] in ("imbalance", "travel")]
    enough = max(limits.gap / 2, limits.gap - goals[0][1])
    best = first_goal(whole.bridge, whole.model, study.instance, half, report, start, SLACK, enough)
    if best.values is None:
        if made is None:
            raise without_plan(study, best.status)
        return made
    search.bound = max(search.bound, best.bound)
    search.start = best.values
    mark = whole.bridge.rows
    answer, _ = ordered_goals(whole.bridge, goals, best, replace(limits, gap=limits.later_gap), report)
    whole.bridge.forget_rows(mark)
    assert answer.values is not None
    whole.bridge.load(answer.values)
    again = splitter.solve(network_of(whole.model, study.instance), 1.0, study.scenario.request(), report)
    if again is None or (made is not None and not again.verdict.accepted):
        return made
    return again


@dataclass(frozen=True)
class Settled:
    """A solution for chosen bands, before the later goals its imbalance without tangents and its bound."""

    values: np.ndarray
    value: float
    bound: float


def settled(
    study: Study,
    part: Part,
    fixed: dict[int, float],
    goals: list[tuple[str, float]],
    start: np.ndarray | None,
    report: Report | None,
) -> Settled | None:
    """The villages for fixed columns: least imbalance, then the goals after it; None where none was found."""
    bridge, limits = part.bridge, study.limits
    if not study.whole:
        nodes = min(limits.nodes or VILLAGE_NODES, VILLAGE_NODES)
        limits = replace(limits, gap=max(limits.gap, VILLAGE_GAP), nodes=nodes)
    bridge.fix(fixed)
    first = first_goal(bridge, part.model, study.instance, limits, report, start, enough=limits.gap)
    found = None
    if first.values is not None:
        bridge.load(first.values)
        value = exact_value(part.model, study.instance)
        mark = bridge.rows
        later: Limits = limits if study.whole else replace(limits, gap=limits.later_gap)
        answer, _ = ordered_goals(bridge, goals, first, later, report)
        bridge.forget_rows(mark)
        assert answer.values is not None
        found = Settled(answer.values, value, first.bound)
    bridge.release(fixed)
    return found
