"""What a plan is for: every goal as an objective, in any order (docs/model/goals.md).

| goal | minimises | form |
|---|---|---|
| over_cap | pupils beyond the caps of class, school and places | linear |
| failing | assessed units that do not pass | binaries met, passes |
| cells | unit x indicator cells not met | the same binaries |
| shortfall | pupils whose share is missing, over assessed units and indicators | linear |
| deficit | one-sided imbalance over all open units, per 1,000 pupils | tangents at ratios below 1 |
| cv_excess | what squared CVs exceed their squared limits | slack of equation (4) |
| imbalance | sum of squared CVs about the planned means (3) | tangents |
| beyond_limit, travel | pupils beyond the limit; mean minutes of a pupil | linear |
| disruption | per cent of pupils and of staff who move | linear |
| cost | charged costs, 10,000 yuan | linear |

A unit that closes keeps today's verdict in `failing` and `cells`, one that gives up a band wins nothing in them; one that newly counts
costs where it fails and earns nothing where it passes: nothing is gained by moving a unit across the assessment threshold.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import pyomo.environ as pyo

from models.formulation.concession import judged_amount, judged_pupils, of_guests
from models.formulation.imbalance import imbalance, measured
from models.formulation.money import EARMARKED
from models.formulation.network import grade_pupils, pupil_minutes, pupils_beyond, pupils_changed
from models.formulation.passing import cells_unmet, failing, passing_variables
from models.formulation.rows import rows_by
from models.formulation.staffing import staff_moved
from models.problem.instance import Instance
from models.standards.norms import Indicator

Model: TypeAlias = Any  # Pyomo has no types
LACK_RATIOS = (0.0, 0.25, 0.45, 0.6, 0.7, 0.78, 0.85, 0.91, 0.96)
"""Ratios to the target at which the first tangents of a lack are laid; at 1 the tangent is its bound 0."""
UPPER = ("cv_excess",)
"""Goals that the model overstates, on the safe side: its bound proves nothing about them (docs/model/goals.md)."""
PER = 1000.0
"""`deficit` is per so many pupils."""


def target(inst: Instance, one: Indicator) -> float:
    """T of `deficit`, in the resource's unit a pupil: the larger of threshold and today's mean.

    Where the assessed units have none of it, or nobody is assessed, there is no mean: the threshold alone.
    """
    need, units = one.threshold / one.scale, inst.units
    counted = units[units["assessed"] & (units["stage"] == one.stage)]
    if need > 0 and not counted[one.resource].sum() > 0:
        return need
    return max(need, inst.means[one.stage, one.resource])


def lack_variables(model: Model, inst: Instance) -> None:
    """short[u,r] of `shortfall` and lack[u,r] of `deficit`, with the first tangents.

    short >= (P - x / th), + today's while closed; lack >= 2 (a - 1) z - (a^2 - 1) P for a <= 1, z = x / t.
    """
    units = inst.units
    every = [
        (u, one)
        for u in units.index
        for one in inst.standards.of_stage(inst.of_unit(u, "stage"))
        if one.tested and inst.known(u, one.resource)
    ]
    have = {(u, one.id): model.amount[u, one.resource] for u, one in every}
    whole = {(u, one.id): judged_amount(model, inst, u, one.resource) for u, one in every}
    mean = {(u, one.id): inst.centres[one.stage, one.resource] for u, one in every}
    assessed = units["assessed"].to_dict()
    counted = [(u, one.id) for u, one in every if assessed[u]]
    need = {(u, one.id): one.threshold / one.scale for u, one in every}
    left = {
        (u, one.id): max(0.0, inst.judged_today(u) - inst.counted_today(u, one.resource) / need[u, one.id])
        for u, one in every
    }
    model.short = pyo.Var(counted, domain=pyo.NonNegativeReals)
    model.short_is = pyo.Constraint(
        counted,
        rule=lambda m, u, r: (
            m.short[u, r]
            >= judged_pupils(m, inst, u)
            - whole[u, r] * (mean[u, r] / need[u, r])
            + (-of_guests(inst, u) if u in inst.guests else left[u, r]) * (1 - m.unit_open[u])
        ),
    )
    # where its guests go on, a closed unit's own row says nothing
    model.short_closed = pyo.Constraint(
        [k for k in counted if k[0] in inst.guests],
        rule=lambda m, u, r: m.short[u, r] >= left[u, r] * (1 - m.unit_open[u]),
    )
    keys = [(u, one.id) for u, one in every]
    aim = {(one.stage, one.id): target(inst, one) for one in inst.standards.indicators if one.tested}
    goal = {(u, one.id): mean[u, one.id] / aim[one.stage, one.id] for u, one in every}
    model.lack = pyo.Var(keys, domain=pyo.NonNegativeReals)
    model.lack_have = pyo.Var(keys, domain=pyo.NonNegativeReals)
    model.lack_have_is = pyo.Constraint(
        keys, rule=lambda m, u, r: m.lack_have[u, r] == goal[u, r] * have[u, r]
    )
    model.lack_tangents = pyo.ConstraintList()
    for u, r in keys:
        for ratio in LACK_RATIOS:
            model.lack_tangents.add(lack_tangent(model, u, r, ratio))


def lack_tangent(model: Model, unit: str, indicator: str, ratio: float) -> Any:
    """The tangent of max(0, P - z)^2 / P at z = ratio P, ratio <= 1, as a relation."""
    z, pupils = model.lack_have[unit, indicator], model.pupils[unit]
    return model.lack[unit, indicator] >= 2 * (ratio - 1) * z - (ratio * ratio - 1) * pupils


def pupils_by_stage(inst: Instance) -> dict[str, float]:
    """All pupils of each stage today: the N of `deficit`."""
    return {str(s): max(1.0, float(n)) for s, n in inst.units.groupby("stage")["pupils"].sum().items()}


def deficit(model: Model, inst: Instance) -> Any:
    """1,000 sum_{u,r} lack[u,r] / N[s], all open units, points included."""
    size, stage = pupils_by_stage(inst), inst.units["stage"].to_dict()
    return sum(PER / size[stage[u]] * model.lack[u, r] for u, r in model.lack)


def cv_variables(model: Model, inst: Instance) -> None:
    """Excess over CV limits: sum (spread + 2 y - P) <= (1 + c^2) (2 Y0 Y - Y0^2) / N + N excess, Y0 = N (4).

    In pupil-equivalents about the planned mean, where X0 = m N becomes Y0 = N. Safe for every total: a plan
    with excess 0 keeps the limit exactly.
    """
    of = rows_by_indicator(model, inst)
    model.cv_excess = pyo.Var(list(of), domain=pyo.NonNegativeReals)
    limit = {(i.stage, i.resource): i.cv_limit for i in inst.standards.indicators}

    def keep(m: Any, s: str, r: str) -> Any:
        size, c2 = inst.population[s, r], 1.0 + limit[s, r] ** 2
        both = [measured(m, inst, u, r) for u in of[s, r]]
        total, people = sum(y for y, _ in both), sum(p for _, p in both)
        spread = sum(m.spread[u, r] for u in of[s, r])
        return spread + 2 * total - people <= c2 * (2 * total - size) + size * m.cv_excess[s, r]

    model.cv_kept = pyo.Constraint(list(of), rule=keep)


def rows_by_indicator(model: Model, inst: Instance) -> dict[tuple[str, str], list[str]]:
    """(stage, resource) -> units in the measure, for indicators with a CV limit."""
    limited = {(i.stage, i.resource) for i in inst.standards.indicators if i.cv_limit > 0}
    found: dict[tuple[str, str], list[str]] = {}
    for u, r in model.spread:
        key = (inst.stage_of[u], r)
        if key in limited:
            found.setdefault(key, []).append(u)
    return found


def cap_variables(model: Model, inst: Instance) -> None:
    """Pupils beyond the caps: over_class by grade (unit where combined), over_places by unit, over_site by site."""
    units = inst.units
    cap, places = units["class_cap"].to_dict(), units["capacity"].astype(float).to_dict()
    model.over_places = pyo.Var(list(units.index), domain=pyo.NonNegativeReals)
    model.over_places_is = pyo.Constraint(
        list(units.index), rule=lambda m, u: m.over_places[u] >= m.pupils[u] - places[u]
    )
    of_grade = inst.grades["unit_id"].map(cap).to_dict()
    size = {k: of_grade[k] for k in model.grade_classes if of_grade[k] < float("inf")}
    finite = list(size)
    model.over_class = pyo.Var(finite, domain=pyo.NonNegativeReals)
    model.over_class_is = pyo.Constraint(
        finite, rule=lambda m, *k: m.over_class[k] >= grade_pupils(m, inst, k) - size[k] * m.grade_classes[k]
    )
    of_unit = rows_by(inst.bands, "unit_id")
    mixed = [u for u in units.index if inst.of_unit(u, "combined") and u in of_unit and cap[u] < float("inf")]
    model.over_mixed = pyo.Var(mixed, domain=pyo.NonNegativeReals)
    model.over_mixed_is = pyo.Constraint(
        mixed,
        rule=lambda m, u: m.over_mixed[u] >= m.pupils[u] - cap[u] * sum(m.classes[k] for k in of_unit[u]),
    )
    of_site = {j: r for j, r in rows_by(units, "school_id").items() if inst.school_cap[j] < float("inf")}
    model.over_site = pyo.Var(list(of_site), domain=pyo.NonNegativeReals)
    model.over_site_is = pyo.Constraint(
        list(of_site),
        rule=lambda m, j: m.over_site[j] >= sum(m.pupils[u] for u in of_site[j]) - float(inst.school_cap[j]),
    )


def over_cap(model: Model, inst: Instance) -> Any:
    """Pupils beyond a cap, counted once for each cap."""
    parts = (model.over_places, model.over_class, model.over_mixed, model.over_site)
    return sum(v[k] for v in parts for k in v)


def shares_moved(model: Model, inst: Instance) -> Any:
    """Per cent of pupils whose school changes and of staff who do."""
    pupils, staff = float(inst.groups["pupils"].sum()), float(inst.stock["heads"].sum())
    return 100 * pupils_changed(model, inst) / max(pupils, 1.0) + 100 * staff_moved(model) / max(staff, 1.0)


GOAL_OF: dict[str, Callable[[Model, Instance], Any]] = {
    "over_cap": over_cap,
    "failing": failing,
    "cells": cells_unmet,
    "shortfall": lambda m, inst: sum(m.short[k] for k in m.short),
    "deficit": deficit,
    "cv_excess": lambda m, inst: sum(m.cv_excess[k] for k in m.cv_excess),
    "imbalance": imbalance,
    "beyond_limit": pupils_beyond,
    "travel": lambda m, inst: pupil_minutes(m, inst) / max(1.0, float(inst.groups["pupils"].sum())),
    "disruption": shares_moved,
    "cost": lambda m, inst: sum(m.charge[e] for e in EARMARKED),
}
"""Objective of each goal, by name."""
PARTS: tuple[tuple[frozenset[str], Callable[[Model, Instance], None]], ...] = (
    (frozenset({"failing", "cells"}), passing_variables),
    (frozenset({"shortfall", "deficit"}), lack_variables),
    (frozenset({"cv_excess"}), cv_variables),
    (frozenset({"over_cap"}), cap_variables),
)
"""Which goals need which variables."""


ALWAYS = ("imbalance", "travel", "disruption", "cost")
"""Goals whose variables every model has."""


def state_goals(model: Model, inst: Instance) -> None:
    """Declare what the request's goals need, and one inactive objective ``goal_<name>`` for each."""
    wanted = [g for g in GOAL_OF if g in inst.request.goals or g in ALWAYS]
    for names, part in PARTS:
        if names & set(wanted):
            part(model, inst)
    model.goals_stated = tuple(wanted)
    for name in wanted:
        # the zero keeps a goal that nothing can change an objective
        goal = GOAL_OF[name](model, inst) + 0.0 * model.charge["building"]
        model.add_component(f"goal_{name}", pyo.Objective(expr=goal))
        model.component(f"goal_{name}").deactivate()
