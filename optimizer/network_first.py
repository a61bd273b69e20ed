"""The first two steps of the solving method: network on continuous resources, then an exact whole split.

FINDINGS.md "Solving": the wholeness of a few heads in small units is most of the difficulty, not the
network. The first step's bound holds for the whole problem, because continuous resources and tangents
both relax it; `optimizer.joint` then decides both together, from the plan found here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pyomo.environ as pyo

from models.formulation import GOALS, build_model
from models.imbalance import measured, tangent, whole_secants
from models.instance import Instance
from models.plan import GoalRecord
from optimizer.highs import Answer, Bridge, Limits, Progress

Report = Callable[[str, Progress], None]
ROUNDS = 3
"""Solves of the first goal after its first, each with the tangents that the last one asked for."""
CUT_SLACK = 0.01
"""Tangents are added until they understate the objective by at most this share of it."""


@dataclass(frozen=True)
class Solved:
    """A model with its solution loaded and how each goal went."""

    model: pyo.ConcreteModel
    instance: Instance
    goals: tuple[GoalRecord, ...]
    answer: Answer


class NoPlan(Exception):
    """No plan: ``status`` is infeasible (proven) or no_plan (stopped before one was found)."""

    def __init__(self, status: str, instance: Instance):
        self.status = status
        self.instance = instance
        super().__init__(status)


def bridge_of(model: pyo.ConcreteModel) -> Bridge:
    """A `Bridge` that knows every goal of the model."""
    return Bridge(model, {name: model.component(f"goal_{name}") for name in GOALS})


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


def relax_and_cut(bridge: Bridge, model: pyo.ConcreteModel, inst: Instance, rounds: int) -> Answer:
    """Solve the linear relaxation, add tangents at its solution, repeat."""
    bridge.relax(True)
    answer = bridge.solve("imbalance", Limits())
    for _ in range(rounds):
        if answer.values is None:
            break
        bridge.load(answer.values)
        rows = missing_tangents(model, inst)
        if not rows:
            break
        bridge.add_rows(rows)
        answer = bridge.solve("imbalance", Limits())
    bridge.relax(False)
    return answer


def centres_of(
    model: pyo.ConcreteModel, inst: Instance
) -> tuple[dict[tuple[str, str], float], dict[str, float]]:
    """Mean ratios and counted pupils of the loaded solution, to re-centre the measure."""
    amount: dict[tuple[str, str], float] = dict.fromkeys(inst.centres, 0.0)
    pupils: dict[str, float] = dict.fromkeys(inst.population, 0.0)
    seen = set()
    for u, r in model.spread:
        stage = inst.units.at[u, "stage"]
        y, people = (float(pyo.value(e)) for e in measured(model, inst, u, r))
        amount[stage, r] += y * inst.centres[stage, r]
        if u not in seen:
            seen.add(u)
            pupils[stage] += people
    centres = {
        k: (v / pupils[k[0]] if v > 0 and pupils[k[0]] > 0 else inst.centres[k]) for k, v in amount.items()
    }
    return centres, {s: p if p > 0 else inst.population[s] for s, p in pupils.items()}


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
) -> Answer:
    """Least imbalance: solve, add the tangents its solution asks for, solve again from there.

    Every round's bound holds, since tangents only tighten a relaxation; the best is kept. With a start,
    the model is made exact there first. It ends once the exact objective is ``enough`` (a gap).
    """
    if start is not None:
        bridge.load(start)
        bridge.add_rows(missing_tangents(model, inst, share / 10))
    answer = bridge.solve("imbalance", limits, start=start, progress=_watch(report, "imbalance"))
    for _ in range(ROUNDS):
        if answer.values is None or bridge.stopped:
            break
        bridge.load(answer.values)
        exact = exact_value(model, inst)
        rows = missing_tangents(model, inst, share)
        if not rows or exact - answer.bound <= enough * exact:
            break
        bridge.add_rows(rows)
        again = bridge.solve("imbalance", limits, start=answer.values, progress=_watch(report, "imbalance"))
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

    ``least`` is the first goal's best value where an earlier step already gave some of it away.
    """
    answer = first
    done: list[GoalRecord] = []
    held, tolerance = goals[0]
    for name, next_tolerance in goals[1:]:
        if answer.values is None or bridge.stopped:
            break
        reached = bridge.value(held, answer.values)
        base = reached if least is None or done else least
        bridge.limit_goal(held, max(reached, base + tolerance * abs(base)) + 1e-7)
        found = bridge.solve(name, limits, start=answer.values, progress=_watch(report, name))
        if found.values is None:
            break
        answer = found
        done.append(record(name, found, next_tolerance))
        held, tolerance = name, next_tolerance
    return answer, done


def solve_network(
    inst: Instance,
    goals: list[tuple[str, float]],
    limits: Limits,
    report: Report | None = None,
    whole: bool = False,
) -> Solved:
    """Which bands stay and who goes where, with resources continuous.

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
    model = build_model(inst)
    bridge = bridge_of(model)
    relaxed = relax_and_cut(bridge, model, inst, rounds=4)
    if relaxed.values is None:
        raise NoPlan(relaxed.status, inst)
    bridge.load(relaxed.values)
    inst = inst.centred(*centres_of(model, inst))
    model = build_model(inst, whole=whole)
    bridge = bridge_of(model)
    relax_and_cut(bridge, model, inst, rounds=8)
    first = first_goal(bridge, model, inst, limits, report, enough=limits.gap)
    if first.values is None:
        raise NoPlan(first.status, inst)
    answer, later = ordered_goals(bridge, goals, first, replace(limits, gap=limits.later_gap), report)
    assert answer.values is not None
    bridge.load(answer.values)
    return Solved(model, inst, (record(goals[0][0], first, goals[0][1]), *later), answer)


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
    relax_and_cut(bridge, model, inst, rounds=8)
    first = first_goal(bridge, model, inst, limits, report)
    if first.values is None:
        raise NoPlan(first.status, inst)
    order = [goals[0], *[g for g in goals[1:] if g[0] != "travel"]]
    later_limits = replace(limits, gap=limits.later_gap)
    answer, later = ordered_goals(bridge, order, first, later_limits, report, least)
    assert answer.values is not None
    bridge.load(answer.values)
    return Solved(model, inst, (record(order[0][0], first, order[0][1]), *later), answer)


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
