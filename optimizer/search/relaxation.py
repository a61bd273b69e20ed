"""The county's linear relaxation: it settles the planned means, bounds every plan and names the likely pairs."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

import numpy as np
import pyomo.environ as pyo

from models.formulation.imbalance import measured
from models.formulation.model import GOALS, build_model
from models.problem.enrolment import reach_of
from models.problem.instance import Instance
from optimizer.search.spread_cuts import SpreadCuts
from optimizer.solver.bridge import Answer, Bridge, Limits, time_left

CUT_SLACK = 0.01
"""Tangents are added until they understate the objective by at most this share of it."""
WHOLE_SLACK = 0.002
"""The same for the planes of whole heads on the relaxation."""
HULL_SLACK = 0.0005
"""The same for planes under the sum of a unit's spreads."""
LEAST_GAIN, HULL_GAIN = 1e-4, 3e-4
"""Rounds on the relaxation end when one gains less than this share of the objective, without and with hulls."""
NEAR = 1.0
"""Pairs a group, besides those a relaxation uses, among which `optimizer.search.restriction` looks."""
MOST_NEAR = 3000
"""Most of these: a county of 1,000 sites uses 13,000 pairs as it is."""
SETTLING, ROUNDS = 4, 20
"""Rounds of planes while the means settle, and for the bound."""
NEAREST = 4
"""Pairs of a group, besides today's, among which the means settle."""


@dataclass(frozen=True)
class Relaxed:
    """A county's model about its planned means, with its relaxation solved.

    ``answer.objective`` bounds every plan; ``near`` are the pairs that the relaxation uses or nearly uses, and
    today's; ``seconds`` it took from the statement on.
    """

    model: pyo.ConcreteModel
    bridge: Bridge
    instance: Instance
    answer: Answer
    near: tuple[int, ...]
    seconds: float


class NoPlan(Exception):
    """No plan: ``status`` is infeasible (proven) or no_plan (stopped before one was found, by Ctrl-C if ``interrupted``)."""

    def __init__(self, status: str, instance: Instance, interrupted: bool = False):
        self.status = status
        self.interrupted = interrupted
        self.instance = instance
        super().__init__(status)


def bridge_of(model: pyo.ConcreteModel) -> Bridge:
    """A `Bridge` that knows every goal of the model."""
    return Bridge(model, {name: model.component(f"goal_{name}") for name in GOALS})


def relax_and_cut(
    bridge: Bridge,
    model: pyo.ConcreteModel,
    inst: Instance,
    rounds: int,
    limits: Limits,
    hulls: bool = False,
) -> Answer:
    """Solve the linear relaxation, add the planes its solution lacks, repeat.

    Tangents, and the planes of whole heads and rooms over the enrolment that units can reach
    (`models.formulation.whole_spread`): the latter hold for every plan, so they may stand in models with fractions too,
    and a network chosen there suits whole heads.

    Parameters
    ----------
    bridge, model, inst
    rounds : int
        At most.
    limits : Limits
        Their seconds are for all rounds together; rounds that are begun late are left out.
    hulls : bool
        Also planes under the sum of each unit's spreads (`models.formulation.unit_hull`): slower, and much stronger.
    """
    begun = time.monotonic()
    cuts = SpreadCuts(bridge, model, inst)
    low, high = reach_of(inst).range(np.ones(len(inst.pairs), dtype=bool))
    bridge.relax(True)
    answer = bridge.solve("imbalance", limits)
    late = answer.clock
    for turn in range(rounds):
        late = late or time.monotonic() - begun > limits.seconds
        if answer.values is None or bridge.stopped or late:
            break
        new = cuts.add_tangents(answer.values, answer.objective, CUT_SLACK)
        new += cuts.add_whole(answer.values, low, high, answer.objective, WHOLE_SLACK)
        if hulls and turn:  # the first values are far from the last
            new += cuts.add_hulls(answer.values, low, high, answer.objective, HULL_SLACK)
        again = bridge.solve("imbalance", time_left(limits, begun)) if new else answer
        if again.values is None or again.status != "proven":
            late = again.clock
            break
        gained, answer = again.objective - answer.objective, again
        if gained < (LEAST_GAIN, HULL_GAIN)[hulls] * abs(answer.objective) and (turn or not hulls):
            break
    if answer.values is not None:
        bridge.load(answer.values)
    bridge.relax(False)
    return replace(answer, clock=late)


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


def near_pairs(bridge: Bridge, model: pyo.ConcreteModel, inst: Instance, relaxed: Answer) -> tuple[int, ...]:
    """Pairs that a relaxation uses, as many of the least reduced cost as there are groups by `NEAR`, and today's."""
    if relaxed.values is None:
        return ()
    columns = [bridge.position[id(model.attend[p])] for p in inst.pairs.index]
    used = relaxed.values[columns] > 1e-4
    price = np.where(used, 0.0, np.array(bridge.highs.getSolution().col_dual)[columns])
    most = int(used.sum() + min(MOST_NEAR, NEAR * inst.pairs["g"].nunique()))
    order = np.argsort(price, kind="stable")[:most]
    chosen = set(inst.pairs.index.to_numpy()[order]) | set(inst.pairs.index[inst.pairs["stay"]])
    return tuple(sorted(int(p) for p in chosen))


def among(inst: Instance, pairs: set[int]) -> Instance:
    """The instance with some of its pairs only: a sub-model by the same functions."""
    blocked = inst.blocked_bus[inst.blocked_bus["p"].isin(pairs)]
    return replace(inst, pairs=inst.pairs.loc[sorted(pairs)], blocked_bus=blocked)


def settled(inst: Instance, limits: Limits) -> tuple[Instance, bool]:
    """The instance about the means of its relaxation (docs/model/imbalance.md, re-centring); True where the clock ended that.

    Where pairs are many, the relaxation among today's and each group's nearest settles them; where that has no
    solution, all of them do.

    Raises
    ------
    NoPlan
    """
    begun = time.monotonic()
    pairs = inst.pairs
    nearest = pairs.groupby("g")["minutes"].rank(method="first") <= NEAREST
    few = among(inst, set(pairs.index[nearest | pairs["stay"]]))
    for some in (few, inst) if len(few.pairs) < len(pairs) else (inst,):
        model = build_model(some)
        answer = relax_and_cut(bridge_of(model), model, some, SETTLING, time_left(limits, begun))
        if answer.values is not None:
            return inst.centred(*centres_of(model, some)), answer.clock
    raise NoPlan(answer.status, inst)


def relaxed_county(inst: Instance, limits: Limits, whole: bool = True) -> Relaxed:
    """State a county about its planned means and solve its relaxation.

    Parameters
    ----------
    inst : Instance
        Centred on today's means.
    limits : Limits
    whole : bool
        Whether later searches of this model are to have whole heads and rooms; the relaxation has fractions.

    Raises
    ------
    NoPlan
    """
    begun = time.monotonic()
    inst, clock = settled(inst, limits)
    stated = time.monotonic()
    model = build_model(inst, whole=whole)
    bridge = bridge_of(model)
    answer = relax_and_cut(bridge, model, inst, ROUNDS, time_left(limits, begun), hulls=True)
    if answer.values is None:
        raise NoPlan(answer.status, inst)
    answer = replace(answer, clock=answer.clock or clock)
    near = near_pairs(bridge, model, inst, answer)
    return Relaxed(model, bridge, inst, answer, near, time.monotonic() - stated)
