"""The imbalance measure, kept linear (docs/model/imbalance.md, equations 1-3).

With y = x/m the resource of a unit in pupil-equivalents, the relative variance about m is

    sum_u (y_u - P_u)^2 / P_u / N                                            (3)

and each term, jointly convex in (y, P) and zero for a closed unit, lies above its tangents

    spread_u >= 2 (a - 1) y_u - (a^2 - 1) P_u    for any ratio a >= 0.       (2)

| symbol | component | source |
|---|---|---|
| spread[u,r] | ``model.spread`` | follows, in pupils |
| y[u,r] | ``model.amount``, in pupil-equivalents | follows |
| counted[u] | ``model.counted``: unit passes the assessment threshold | sources.md 1.5 |
| m[s,r], N[s] | ``Instance.centres``, ``Instance.population`` | audit, re-centred |
"""

from __future__ import annotations

from typing import Any, TypeAlias

import pyomo.environ as pyo

from models.formulation.concession import judged_pupils
from models.formulation.equipment import amount, most_more
from models.formulation.staffing import closable_units, counted_heads
from models.problem.instance import Instance

Model: TypeAlias = Any  # Pyomo has no types
HEADS = 10.0
"""Heads that a small unit may gain, however few pupils it has."""
RATIOS = (0.0, 0.35, 0.6, 0.75, 0.87, 1.0, 1.13, 1.3, 1.55, 1.9, 2.4, 3.2, 4.5)
"""Ratios to the mean at which the first tangents are laid; 1 is always among them. Half as many make a relaxation a
tenth quicker and the searches slower: 95 s for Nanpu's plan instead of 81."""


def equivalents(model: Model, inst: Instance, unit: str, resource: str) -> Any:
    """y[u,r]: the unit's resource in pupil-equivalents, as an expression."""
    if resource in inst.items:
        return amount(model, inst, unit, resource)
    return counted_heads(model, inst, unit, resource) / inst.centres[inst.stage_of[unit], resource]


def assessed_population(model: Model, inst: Instance) -> None:
    """Which units count: those assessed today that stay, and those that grow past 50 pupils.

    50 counted <= P <= 49 + (most - 49) counted; for growing units the counted pupils Pa and amounts
    ya are P and y when counted, zero when not.
    """
    least = inst.standards.limit("assessed_min", 1.0)
    grow = list(inst.units.index[inst.units["may_grow"]])
    most = inst.units["largest"]
    together = {u: sum(float(most[k]) for k in inst.with_guests(u)) for u in grow}
    model.counted = pyo.Var(grow, domain=pyo.Binary)
    model.counted_low = pyo.Constraint(
        grow, rule=lambda m, u: judged_pupils(m, inst, u) >= least * m.counted[u]
    )
    model.counted_high = pyo.Constraint(
        grow,
        rule=lambda m, u: judged_pupils(m, inst, u) <= least - 1 + (together[u] - least + 1) * m.counted[u],
    )
    model.counted_pupils = pyo.Var(grow, domain=pyo.NonNegativeReals)
    model.counted_p1 = pyo.Constraint(
        grow, rule=lambda m, u: m.counted_pupils[u] <= together[u] * m.counted[u]
    )
    model.counted_p2 = pyo.Constraint(
        grow, rule=lambda m, u: m.counted_pupils[u] <= judged_pupils(m, inst, u)
    )
    model.counted_p3 = pyo.Constraint(
        grow,
        rule=lambda m, u: m.counted_pupils[u] >= judged_pupils(m, inst, u) - (least - 1) * (1 - m.counted[u]),
    )
    hosts = list(inst.guests)
    model.host_pupils = pyo.Var(hosts, domain=pyo.NonNegativeReals)
    model.host_pupils_is = pyo.Constraint(
        hosts, rule=lambda m, u: m.host_pupils[u] == judged_pupils(m, inst, u)
    )


def amount_variables(model: Model, inst: Instance) -> None:
    """Declare y[u,r] of every unit.

    A column of its own, not an expression over heads: every tangent then has three terms instead of a dozen
    (300 sites: a third of the nonzeros).
    """
    keys = [
        (u, r)
        for u in inst.units.index
        for r in inst.standards.measured[inst.stage_of[u]]
        if inst.known(u, r)
    ]
    model.amount = pyo.Var(keys, domain=pyo.NonNegativeReals)
    model.amount_is = pyo.Constraint(keys, rule=lambda m, u, r: m.amount[u, r] == equivalents(m, inst, u, r))


def spread_variables(model: Model, inst: Instance) -> None:
    """Declare spread[u,r] for every unit that counts or may count; its guests' pupils and amounts are in its own."""
    counted = inst.units.index[inst.units["assessed"] | inst.units["may_grow"]]
    keys = [(u, r) for u in counted for r in inst.measured[inst.stage_of[u]] if inst.known(u, r)]
    model.spread = pyo.Var(keys, domain=pyo.NonNegativeReals)
    grow = list(inst.units.index[inst.units["may_grow"]])
    growing = [(u, r) for u in grow for r in inst.measured[inst.stage_of[u]] if inst.known(u, r)]
    model.counted_amount = pyo.Var(growing, domain=pyo.NonNegativeReals)
    hosts = [(u, r) for u, r in keys if u in inst.guests]
    model.host_amount = pyo.Var(hosts, domain=pyo.NonNegativeReals)
    model.host_amount_is = pyo.Constraint(
        hosts,
        rule=lambda m, u, r: m.host_amount[u, r] == sum(m.amount[k, r] for k in inst.with_guests(u)),
    )

    stages = inst.units["stage"]
    shut = stages.index.isin(closable_units(inst))
    freed = {
        (s, r): float(inst.units.loc[shut & (stages == s), r].sum())
        for s in set(stages)
        for r in inst.movable_items
    }

    def most(u: str, r: str) -> float:
        """The unit's own and its guests', what may be added, and what closing units free."""
        stage = inst.stage_of[u]
        free = freed[stage, r] if r in inst.movable_items else HEADS if r in inst.standards.heads else 0.0
        every = inst.with_guests(u)
        own = sum(float(inst.of_unit(k, r)) for k in every) + free
        return own / inst.centres[stage, r] + sum(most_more(inst, k, r) for k in every)

    model.amount_high = pyo.Constraint(
        list(model.counted_amount), rule=lambda m, u, r: m.counted_amount[u, r] <= most(u, r) * m.counted[u]
    )
    model.amount_all = pyo.Constraint(
        list(model.counted_amount),
        rule=lambda m, u, r: m.counted_amount[u, r] <= _own_amount(m, u, r),
    )
    model.amount_low = pyo.Constraint(
        list(model.counted_amount),
        rule=lambda m, u, r: m.counted_amount[u, r] >= _own_amount(m, u, r) - most(u, r) * (1 - m.counted[u]),
    )


def _own_amount(model: Model, unit: str, resource: str) -> Any:
    """Y of a unit, its guests' included."""
    key = unit, resource
    return model.host_amount[key] if key in model.host_amount else model.amount[key]


def measured(model: Model, inst: Instance, unit: str, resource: str) -> tuple[Any, Any]:
    """(y, P) of a unit as they enter the measure."""
    if (unit, resource) in model.counted_amount:
        return model.counted_amount[unit, resource], model.counted_pupils[unit]
    pupils = model.host_pupils[unit] if unit in model.host_pupils else model.pupils[unit]
    return _own_amount(model, unit, resource), pupils


def tangent(model: Model, inst: Instance, unit: str, resource: str, ratio: float) -> Any:
    """Equation (2) at one ratio, as a relation."""
    y, pupils = measured(model, inst, unit, resource)
    return model.spread[unit, resource] >= 2 * (ratio - 1) * y - (ratio * ratio - 1) * pupils


def spread_tangents(model: Model, inst: Instance) -> None:
    """The first tangents of every spread; more are added where a solution asks for them."""
    model.tangents = pyo.ConstraintList()
    for u, r in model.spread:
        for ratio in RATIOS:
            if ratio != 1.0:  # at the mean the tangent is spread >= 0, its bound
                model.tangents.add(tangent(model, inst, u, r, ratio))


def imbalance(model: Model, inst: Instance) -> Any:
    """Objective (3) summed over all measured indicators, as an expression."""
    stage = inst.units["stage"]
    return sum(model.spread[u, r] / inst.population[stage[u], r] for u, r in model.spread)
