"""The first two steps of the solving method: network on continuous resources, then an exact whole split.

Measured (benchmarks/results/method.md): the wholeness of a few heads in small units is most of the difficulty, not the
network. The first step's bound holds for the whole problem, because continuous resources and tangents
both relax it; `optimizer.search.integration` then decides both together, from the plan found here.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pyomo.environ as pyo

from models.formulation.imbalance import measured, tangent, whole_secants
from models.formulation.model import build_model
from models.plan.decisions import GoalRecord
from models.problem.instance import Instance
from optimizer.search.relaxation import (
    CUT_SLACK,
    ROUNDS,
    NoPlan,
    Relaxed,
    bridge_of,
    relax_and_cut,
    relaxed_county,
)
from optimizer.solver.bridge import Answer, Bridge, Limits, Progress, time_left

Report = Callable[[str, Progress], None]
AGAIN, MANY = 3, 20
"""Solves of the first goal after its first, each with the tangents that the last one asked for."""
FIRST_SHARE = 0.75
"""Share of a step's seconds after which its first goal makes room for the others."""


@dataclass(frozen=True)
class Solved:
    """A model with its solution loaded and how each goal went; ``clock`` if the time limit ended any."""

    model: pyo.ConcreteModel
    instance: Instance
    goals: tuple[GoalRecord, ...]
    answer: Answer
    clock: bool = False


def missing_tangents(model: pyo.ConcreteModel, inst: Instance, share: float = CUT_SLACK) -> list[object]:
    """Tangents at the loaded solution's own ratios, where the model understates a spread."""
    rows = []
    slack = share * float(pyo.value(model.goal_imbalance)) / len(inst.centres)  # a pupil and indicator
    for u, r in model.spread:
        y, pupils = (float(pyo.value(e)) for e in measured(model, inst, u, r))
        if pupils < 1e-6:
            continue
        exact = (y - pupils) ** 2 / pupils
        if exact - float(pyo.value(model.spread[u, r])) > max(slack, 1e-6) * pupils:
            rows.append(tangent(model, inst, u, r, max(0.0, y / pupils)))
    return rows


def exact_value(model: pyo.ConcreteModel, inst: Instance) -> float:
    """Objective (3) of the loaded solution, exactly, where the model has only its tangents."""
    total = 0.0
    for u, r in model.spread:
        y, pupils = (float(pyo.value(e)) for e in measured(model, inst, u, r))
        if pupils > 1e-6:
            total += (y - pupils) ** 2 / pupils / inst.population[inst.units.at[u, "stage"]]
    return total


def judged(answer: Answer, exact: float, gap: float) -> Answer:
    """Proven by the exact objective, or stopped: a model of tangents alone may be proven and say too little."""
    far = exact - answer.bound > gap * abs(exact) + 1e-9
    return replace(answer, status="stopped") if answer.status == "proven" and far else answer


def record(goal: str, answer: Answer, tolerance: float) -> GoalRecord:
    """A goal's line in the solve record."""
    return GoalRecord(
        goal, answer.objective, answer.bound, max(0.0, answer.gap), answer.seconds, answer.nodes, answer.status, tolerance
    )  # fmt: skip


def _watch(report: Report | None, step: str) -> Callable[[Progress], None] | None:
    return None if report is None else lambda p: report(step, p)


def first_goal(
    bridge: Bridge,
    model: pyo.ConcreteModel,
    inst: Instance,
    limits: Limits,
    report: Report | None,
    start: np.ndarray | None = None,
    share: float = CUT_SLACK,
    enough: float = 0.0,
    rounds: int = AGAIN,
) -> Answer:
    """Least imbalance: solve, add the tangents its solution asks for, solve again from there.

    Every round's bound holds, since tangents only tighten a relaxation; the best is kept. With a start,
    the model is made exact there first. It ends once the exact objective is ``enough`` (a gap). The
    limits' seconds are for all rounds together.
    """
    begun = time.monotonic()
    if start is not None:
        bridge.load(start)
        bridge.add_rows(missing_tangents(model, inst, share / 10))
    answer = bridge.solve("imbalance", limits, start=start, progress=_watch(report, "imbalance"))
    for _ in range(rounds):
        if answer.values is None or bridge.stopped:
            break
        bridge.load(answer.values)
        exact = exact_value(model, inst)
        rows = missing_tangents(model, inst, share)
        if not rows or exact - answer.bound <= enough * exact:
            break
        rest = time_left(limits, begun)
        if time.monotonic() - begun > limits.seconds:
            answer = replace(answer, clock=True)
            break
        bridge.add_rows(rows)
        again = bridge.solve("imbalance", rest, start=answer.values, progress=_watch(report, "imbalance"))
        if again.values is None:
            break
        answer = replace(
            again, bound=max(answer.bound, again.bound), seconds=answer.seconds + again.seconds,
            nodes=answer.nodes + again.nodes, clock=answer.clock or again.clock,
        )  # fmt: skip
    return answer


def ordered_goals(
    bridge: Bridge,
    goals: list[tuple[str, float]],
    first: Answer,
    limits: Limits,
    report: Report | None,
    least: float | None = None,
) -> tuple[Answer, list[GoalRecord]]:
    """The goals after the first: each keeps the earlier ones within tolerance and starts from their plan.

    ``least`` is the first goal's best value where an earlier step already gave some of it away. The limits'
    seconds are for all of them together; every goal gets its part of what is left.
    """
    begun = time.monotonic()
    answer, clock = first, first.clock
    done: list[GoalRecord] = []
    held, tolerance = goals[0]
    for k, (name, next_tolerance) in enumerate(goals[1:], start=1):
        if answer.values is None or bridge.stopped:
            break
        reached = bridge.value(held, answer.values)
        base = reached if least is None or done else least
        bridge.limit_goal(held, max(reached, base + tolerance * abs(base)) + 1e-7)
        left = time_left(limits, begun)
        own = replace(left, seconds=left.seconds / (len(goals) - k))
        found = bridge.solve(name, own, start=answer.values, progress=_watch(report, name))
        clock = clock or found.clock
        if found.values is None:
            break
        answer = found
        done.append(record(name, found, next_tolerance))
        held, tolerance = name, next_tolerance
    return replace(answer, clock=clock), done


def carried_over(bridge: Bridge, solved: pyo.ConcreteModel) -> np.ndarray:
    """The loaded solution of a sub-model as values of the whole model's columns; what it lacks is zero."""

    def value(variable: object) -> float:
        part = solved.component(variable.parent_component().local_name)  # type: ignore[attr-defined]
        key = variable.index()  # type: ignore[attr-defined]
        return float(pyo.value(part[key])) if part is not None and key in part else 0.0

    return np.array([value(v) for v in bridge.columns])


def solve_network(
    inst: Instance,
    goals: list[tuple[str, float]],
    limits: Limits,
    report: Report | None = None,
    whole: bool = False,
) -> Solved:
    """Which bands stay and who goes where, over all admissible pairs.

    Parameters
    ----------
    inst : Instance
        Centred on today's means; re-centred on the relaxation's here.
    goals : list of (name, tolerance)
        In order; imbalance first.
    limits : Limits
    report : callable or None
    whole : bool
        Heads and rooms in whole numbers at once: slower, and exact about whether any plan exists.

    Raises
    ------
    NoPlan
    """
    begun = time.monotonic()
    relaxed = relaxed_county(inst, limits, whole)
    return solved(relaxed, goals, time_left(limits, begun), report)


def solved(relaxed: Relaxed, goals: list[tuple[str, float]], limits: Limits, report: Report | None) -> Solved:
    """Search a whole model whose relaxation is solved, goal by goal; arguments of `solve_network`."""
    begun = time.monotonic()
    model, bridge, inst = relaxed.model, relaxed.bridge, relaxed.instance
    share = FIRST_SHARE if len(goals) > 1 else 1.0
    # half of the gap is for the search, a quarter for what the tangents leave open
    half = replace(time_left(limits, begun, share), gap=limits.gap / 2)
    slack = min(CUT_SLACK, limits.gap / 4)
    first = first_goal(bridge, model, inst, half, report, share=slack, enough=limits.gap, rounds=MANY)
    if first.values is None:
        raise NoPlan(first.status, inst)
    bridge.load(first.values)
    first = judged(first, exact_value(model, inst), limits.gap)
    later_limits = replace(time_left(limits, begun), gap=limits.later_gap)
    answer, later = ordered_goals(bridge, goals, first, later_limits, report)
    assert answer.values is not None
    bridge.load(answer.values)
    clock = relaxed.answer.clock or answer.clock
    return Solved(model, inst, (record(goals[0][0], first, goals[0][1]), *later), answer, clock)


def fixed_network(solved: Solved) -> Instance:
    """The same instance with the solved network as its only choice: a sub-model by the same functions."""
    inst, model = solved.instance, solved.model
    chosen = [p for p in inst.pairs.index if float(pyo.value(model.attend[p])) > 0.5]
    bands = inst.bands.copy()
    bands["lock"] = ["open" if float(pyo.value(model.open[k])) > 0.5 else "closed" for k in bands.index]
    return replace(inst, pairs=inst.pairs.loc[chosen], bands=bands, blocked_bus=inst.blocked_bus.iloc[:0])


def enrolment(model: pyo.ConcreteModel, inst: Instance) -> dict[str, float]:
    """Pupils by unit at the loaded solution."""
    return {u: round(float(pyo.value(model.pupils[u]))) for u in inst.units.index}


def solve_split(
    network: Solved,
    goals: list[tuple[str, float]],
    limits: Limits,
    report: Report | None = None,
    least: float | None = None,
) -> Solved:
    """Whole heads and rooms for the solved network.

    ``least`` is the best imbalance known: the tolerance of the later goals counts from there.

    Raises
    ------
    NoPlan
        When whole numbers do not fit where fractions did.
    """
    begun = time.monotonic()
    inst = fixed_network(network)
    old = network.model
    pupils = enrolment(old, network.instance)
    near = {}
    for u, r in old.spread:
        y, _ = measured(old, network.instance, u, r)
        near[u, r] = float(pyo.value(y)) * inst.centres[inst.units.at[u, "stage"], r]
    model = build_model(inst, whole=True)
    whole_secants(model, inst, pupils, near)
    bridge = bridge_of(model)
    relax_and_cut(bridge, model, inst, ROUNDS, time_left(limits, begun, FIRST_SHARE))
    first = first_goal(bridge, model, inst, time_left(limits, begun, FIRST_SHARE), report)
    if first.values is None:
        raise NoPlan(first.status, inst, bridge.stopped)
    order = [goals[0], *[g for g in goals[1:] if g[0] != "travel"]]
    later_limits = replace(time_left(limits, begun), gap=limits.later_gap)
    answer, later = ordered_goals(bridge, order, first, later_limits, report, least)
    assert answer.values is not None
    bridge.load(answer.values)
    return Solved(model, inst, (record(order[0][0], first, order[0][1]), *later), answer, answer.clock)


def exact_objective(indicators: pd.DataFrame, inst: Instance) -> float:
    """Objective (3) of a plan from the referee's table, about the instance's centres.

    sum over the 14 of sum_u (x_u / m - P_u)^2 / P_u / N, over units assessed after the plan.
    """
    rows = indicators[indicators["assessed_plan"] & (indicators["pupils_plan"] > 0)]
    resource = {(i.stage, i.id): i.resource for i in inst.standards.indicators}
    keys = [(s, resource[s, i]) for s, i in zip(rows["stage"], rows["indicator"], strict=True)]
    centre = np.array([inst.centres[k] for k in keys])
    size = np.array([inst.population[s] for s, _ in keys])
    people = rows["pupils_plan"].to_numpy(float)
    return float((((rows["amount_plan"].to_numpy(float) / centre - people) ** 2) / people / size).sum())
