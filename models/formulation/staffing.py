"""Staff after the plan: balance by joint category, transfers between townships, rural floors.

| symbol | component | source |
|---|---|---|
| heads[u,c] | ``model.heads`` | follows |
| out[u,c], into[u,c] | ``model.out``, ``model.into`` | decision |
| flow[c,t,t'] | ``model.flow`` | decision |
| hire[u,c] | ``model.hire`` | decision |

Transfers run from a unit to its township and from there to a linked one, so that the model grows with
townships squared and not with schools squared; `models.formulation.solution` turns them into school pairs.
"""

from __future__ import annotations

import math
from typing import Any, TypeAlias

import numpy as np
import pyomo.environ as pyo

from models.formulation.rows import rows_by
from models.problem.instance import Instance

Model: TypeAlias = Any  # Pyomo has no types


def staff_variables(model: Model, inst: Instance, whole: bool) -> None:
    """Declare heads, transfers and hires; whole heads only where asked for."""
    keys = list(inst.stock.index)
    domain = pyo.NonNegativeIntegers if whole else pyo.NonNegativeReals
    stage = inst.units["stage"]
    hireable = inst.categories["hireable"]
    model.out = pyo.Var(
        [k for k in keys if inst.heads_today[k] > 0],
        domain=domain,
        bounds=lambda m, u, c: (0, inst.heads_today[u, c]),
    )
    # teachers who are not to be moved leave a school that closes, so they too arrive somewhere
    model.into = pyo.Var(keys, domain=domain)
    model.hire = pyo.Var([(u, c) for u, c in keys if hireable[stage[u], c]], domain=domain)
    hubs = sorted({(stage[u], c) for u, c in keys})
    flows = [(s, c, s, c, a, b) for s, c in hubs for a, b in inst.links]
    flows += [
        (s, c, low, cat, a, b)
        for s, c in hubs
        for low, cat in inst.categories.at[(s, c), "down"]
        if (low, cat) in hubs
        for a, b in inst.links
    ]
    model.flow = pyo.Var(flows, domain=pyo.NonNegativeReals)
    towns = sorted(inst.units["township"].unique())
    model.visiting = pyo.Var(towns, domain=domain)


def heads(model: Model, inst: Instance, unit: str, category: str) -> Any:
    """heads[u,c] = today - out + into + hire, as an expression."""
    key = (unit, category)
    total: Any = inst.heads_today[key]
    if key in model.out:
        total = total - model.out[key]
    if key in model.into:
        total = total + model.into[key]
    if key in model.hire:
        total = total + model.hire[key]
    return total


def counted_heads(model: Model, inst: Instance, unit: str, flag: str) -> Any:
    """Heads of a unit that count for a resource (or all of them: flag "all"), as an expression."""
    return sum(heads(model, inst, unit, c) for c in inst.counting[inst.stage_of[unit], flag])


def staff_balance(model: Model, inst: Instance) -> None:
    """A closed unit has no staff; fixed heads leave only when their unit closes.

    out[u,c] <= movable + fixed (1 - open[u]);  stock (1 - open[u]) <= out[u,c];
    into + hire <= M open[u].
    """
    held = {k: int(n) for k, n in inst.stock["fixed"].to_dict().items()}
    closable = {
        u
        for u, k in inst.bands.groupby("unit_id")["lock"].agg(lambda x: (x == "open").all()).items()
        if not k
    }

    def leave(m: Model, u: str, c: str) -> Any:
        total, fixed = inst.heads_today[u, c], held[u, c]
        if fixed == 0:
            return pyo.Constraint.Skip
        return m.out[u, c] <= total - fixed + fixed * (1 - m.unit_open[u])

    keys = list(model.out)
    model.fixed_heads = pyo.Constraint(keys, rule=leave)
    shut = [k for k in keys if k[0] in closable]
    model.closed_empty = pyo.Constraint(
        shut, rule=lambda m, u, c: m.out[u, c] >= inst.heads_today[u, c] * (1 - m.unit_open[u])
    )
    arriving = sorted({k for k in list(model.into) + list(model.hire) if k[0] in closable})

    def most(u: str) -> float:
        # never a binding number: more than one head per five pupils that the unit could hold
        return 10.0 + float(inst.units.at[u, "most"]) / 5.0

    model.closed_none_in = pyo.Constraint(
        arriving,
        rule=lambda m, u, c: (
            sum(v[u, c] for v in (m.into, m.hire) if (u, c) in v) <= most(u) * m.unit_open[u]
        ),
    )


def township_flows(model: Model, inst: Instance) -> None:
    """Heads leaving the units of a township flow to linked townships; nothing appears or vanishes.

    sum_{u in t} out[u,c] = sum_{t'} flow[c,t,t'];  sum_{u in t'} into[u,c'] = sum_t flow[.,c',t,t'].
    """
    township = inst.units["township"].to_dict()
    out_of: dict[tuple[str, str, str], list[Any]] = {}
    into: dict[tuple[str, str, str], list[Any]] = {}
    for u, c in model.out:
        key = (inst.stage_of[u], c, township[u])
        out_of.setdefault(key, []).append(model.out[u, c])
    for u, c in model.into:
        key = (inst.stage_of[u], c, township[u])
        into.setdefault(key, []).append(model.into[u, c])
    sent: dict[tuple[str, str, str], list[Any]] = {}
    come: dict[tuple[str, str, str], list[Any]] = {}
    for s, c, s2, c2, a, b in model.flow:
        sent.setdefault((s, c, a), []).append(model.flow[s, c, s2, c2, a, b])
        come.setdefault((s2, c2, b), []).append(model.flow[s, c, s2, c2, a, b])
    keys = sorted(set(sent) | set(out_of))
    model.sent = pyo.Constraint(keys, rule=lambda m, *k: sum(out_of.get(k, [0])) == sum(sent.get(k, [0])))
    keys2 = sorted(set(come) | set(into))
    model.come = pyo.Constraint(keys2, rule=lambda m, *k: sum(into.get(k, [0])) == sum(come.get(k, [0])))


def class_teacher_floor(model: Model, inst: Instance) -> None:
    """Rural units: heads >= P / ratio, heads >= kappa classes, heads >= 2 (3 with three grades)."""
    value = inst.standards.limit
    rural = list(inst.units.index[inst.units["rural"]])
    of_unit = {u: r for u, r in inst.bands.groupby("unit_id")}  # noqa: C416 - a GroupBy is no mapping
    staff = {u: counted_heads(model, inst, u, "all") for u in rural}
    ratio = {
        s: inst.standards.limit(f"floor_ratio_{s}", float("inf")) for s in inst.standards.scheme.stage_ids
    }
    with_ratio = [u for u in rural if ratio[inst.stage_of[u]] < float("inf")]
    model.floor_ratio = pyo.Constraint(
        with_ratio, rule=lambda m, u: staff[u] * ratio[inst.stage_of[u]] >= m.pupils[u]
    )
    model.floor_classes = pyo.Constraint(
        rural,
        rule=lambda m, u: staff[u] >= value("floor_kappa", 0.0) * sum(m.classes[k] for k in of_unit[u].index),
    )

    def least(u: str) -> float:
        many = int(of_unit[u]["grades"].sum()) >= 3
        return value("floor_heads_grades3" if many else "floor_heads", 0.0)

    model.floor_least = pyo.Constraint(rural, rule=lambda m, u: staff[u] >= least(u) * m.unit_open[u])


def backbone_floor(model: Model, inst: Instance) -> None:
    """A unit of so many pupils (50) has a backbone teacher.

    b[u] >= open[u] where an open unit always has as many; elsewhere, with a binary needs[u],
    P[u] <= least - 1 + (most[u] - least + 1) needs[u] and b[u] >= needs[u].
    """
    if inst.standards.kind("floor_backbone_pupils") == "off":
        return
    least = inst.standards.value("floor_backbone_pupils")
    floor = inst.standards.value("assessed_floor") if inst.standards.hard("assessed_floor") else 0.0
    units = inst.units
    always = units["assessed"] & (np.minimum(units["pupils"], floor) >= least)
    model.floor_backbone = pyo.Constraint(
        list(units.index[always]), rule=lambda m, u: counted_heads(m, inst, u, "b") >= m.unit_open[u]
    )
    some = list(units.index[~always & (units["most"] >= least)])
    most = units["most"]
    model.needs_backbone = pyo.Var(some, domain=pyo.Binary)
    model.needs_high = pyo.Constraint(
        some,
        rule=lambda m, u: (
            m.pupils[u] <= least - 1 + max(float(most[u]) - least + 1, 0.0) * m.needs_backbone[u]
        ),
    )
    model.floor_backbone_new = pyo.Constraint(
        some, rule=lambda m, u: counted_heads(m, inst, u, "b") >= m.needs_backbone[u]
    )


def arts_floor(model: Model, inst: Instance) -> None:
    """Every unit but points has its own PE/arts teacher; a township's others visit its points.

    sum_{u in t} a[u] - required[t] >= visiting[t] >= open points / share.
    """
    if inst.standards.kind("floor_arts_point_share") == "off":
        return
    share = inst.standards.value("floor_arts_point_share")
    full = [u for u in inst.units.index if inst.units.at[u, "kind"] != "point"]
    model.floor_arts = pyo.Constraint(
        full, rule=lambda m, u: counted_heads(m, inst, u, "a") >= m.unit_open[u]
    )
    towns = rows_by(inst.units, "township")
    points = {
        t: sorted({inst.units.at[u, "school_id"] for u in us if inst.units.at[u, "kind"] == "point"})
        for t, us in towns.items()
    }
    with_points = [t for t in towns if points[t]]
    model.visits = pyo.Constraint(
        with_points, rule=lambda m, t: m.visiting[t] >= sum(1 - m.closed[j] for j in points[t]) / share
    )
    model.visitors = pyo.Constraint(
        with_points,
        rule=lambda m, t: (
            sum(counted_heads(m, inst, u, "a") for u in towns[t])
            - sum(m.unit_open[u] for u in towns[t] if inst.units.at[u, "kind"] != "point")
            >= m.visiting[t]
        ),
    )


def no_outflow(model: Model, inst: Instance) -> None:
    """Small units that stay lose no backbone and no qualified teacher: x[u] >= today open[u]."""

    def add(flag: str) -> pyo.Constraint:
        most = inst.standards.value(f"floor_no_outflow_{flag}")
        small = inst.units.index[(inst.units["pupils"] < most) & (inst.units[flag] > 0)]
        return pyo.Constraint(
            list(small),
            rule=lambda m, u: (
                counted_heads(m, inst, u, flag) >= math.ceil(inst.units.at[u, flag]) * m.unit_open[u]
            ),
        )

    for flag in ("b", "q"):
        if inst.standards.hard(f"floor_no_outflow_{flag}"):
            setattr(model, f"no_outflow_{flag}", add(flag))


def staff_moved(model: Model) -> Any:
    """Heads that change school, as an expression."""
    return sum(model.into[k] for k in model.into)


STAFF_RULES = (staff_balance, township_flows, class_teacher_floor, backbone_floor, arts_floor, no_outflow)
