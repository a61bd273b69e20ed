"""Equipment and space after the plan: purchases, moves of what closing frees, building limits.

Quantities are held in *pupil-equivalents* (divided by the county's mean ratio), so that every
coefficient is near one (benchmarks/results/method.md: 1.25 % gap instead of 2.2 % in the same time).

| symbol | component | source |
|---|---|---|
| buy[u,k] | ``model.buy`` | decision |
| freed[u,k] | ``model.freed`` | follows: all of a closing unit's movable stock |
| got[u,k] | ``model.got`` | decision |
"""

from __future__ import annotations

from typing import Any, TypeAlias

import pyomo.environ as pyo

from models.formulation.rows import rows_by
from models.problem.instance import Instance

Model: TypeAlias = Any  # Pyomo has no types


def scale(inst: Instance, unit: str, kind: str) -> float:
    """Amount of one pupil-equivalent: the planned mean ratio of the unit's stage."""
    return inst.centres[inst.stage_of[unit], kind]


def item_variables(model: Model, inst: Instance, whole: bool) -> None:
    """Declare purchases and moves; rooms are whole where asked for (then counted in rooms)."""
    keys = [(u, k) for u in inst.units.index for k in inst.items]
    model.buy = pyo.Var(keys, domain=pyo.NonNegativeReals)
    closable = inst.bands.groupby("unit_id")["lock"].agg(lambda x: (x != "open").all())
    shut = [u for u in inst.units.index if closable.get(u, False)]
    model.freed = pyo.Var([(u, k) for u in shut for k in inst.movable_items], domain=pyo.NonNegativeReals)
    model.got = pyo.Var(
        [(u, k) for u in inst.units.index for k in inst.movable_items], domain=pyo.NonNegativeReals
    )
    if whole:
        kinds = [k for k in inst.items if inst.standards.resources[k].whole]
        rooms = [(u, k) for u in inst.units.index for k in kinds]
        moved = [key for key in rooms if key in model.got]
        model.buy_rooms = pyo.Var(rooms, domain=pyo.NonNegativeIntegers)
        model.got_rooms = pyo.Var(moved, domain=pyo.NonNegativeIntegers)
        size = {(u, k): scale(inst, u, k) for u, k in rooms}
        model.whole_buy = pyo.Constraint(
            rooms, rule=lambda m, u, k: m.buy[u, k] * size[u, k] == m.buy_rooms[u, k]
        )
        model.whole_got = pyo.Constraint(
            moved, rule=lambda m, u, k: m.got[u, k] * size[u, k] == m.got_rooms[u, k]
        )


def amount(model: Model, inst: Instance, unit: str, kind: str) -> Any:
    """x[u,k] in pupil-equivalents: today's while open, plus bought, plus got from closing units."""
    total = float(inst.units.at[unit, kind]) / scale(inst, unit, kind) * model.unit_open[unit]
    total = total + model.buy[unit, kind]
    if (unit, kind) in model.got:
        total = total + model.got[unit, kind]
    return total


def item_balance(model: Model, inst: Instance) -> None:
    """What closing frees is placed in the same stage: freed = stock (1 - open); sum got = sum freed."""
    units = inst.units

    def free(m: Model, u: str, k: str) -> Any:
        return m.freed[u, k] == float(units.at[u, k]) / scale(inst, u, k) * (1 - m.unit_open[u])

    model.free_items = pyo.Constraint(list(model.freed), rule=free)
    stages = rows_by(units, "stage")
    model.place_items = pyo.Constraint(
        [(s, k) for s in stages for k in inst.movable_items],
        rule=lambda m, s, k: (
            sum(m.got[u, k] for u in stages[s]) == sum(m.freed[u, k] for u in stages[s] if (u, k) in m.freed)
        ),
    )


def purchase_limits(model: Model, inst: Instance) -> None:
    """Nothing is bought for a closed unit; new area is at most ``build_share`` of today's."""
    share = inst.standards.limit("build_share", float("inf"))
    resources = inst.standards.resources

    def most(u: str, k: str) -> float:
        if not resources[k].buyable:
            return 0.0
        if resources[k].kind == "area" and share < float("inf"):
            return share * float(inst.units.at[u, k]) / scale(inst, u, k)
        return enough(u)

    def enough(u: str) -> float:
        return 2.0 * float(inst.units.at[u, "most"]) + 50.0  # far above any sensible purchase

    model.buy_open = pyo.Constraint(
        list(model.buy), rule=lambda m, u, k: m.buy[u, k] <= most(u, k) * m.unit_open[u]
    )
    model.got_open = pyo.Constraint(
        list(model.got), rule=lambda m, u, k: m.got[u, k] <= enough(u) * m.unit_open[u]
    )


EQUIPMENT_RULES = (item_balance, purchase_limits)
