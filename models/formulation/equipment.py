"""Equipment and space after the plan: variables and what defines them; the rules stand in `models.rules.means`.

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

from models.problem.instance import Instance

Model: TypeAlias = Any  # Pyomo has no types


def scale(inst: Instance, unit: str, kind: str) -> float:
    """Amount of one pupil-equivalent: the planned mean ratio of the unit's stage."""
    return inst.centres[inst.stage_of[unit], kind]


def most_more(inst: Instance, unit: str, resource: str) -> float:
    """Pupil-equivalents that a plan may add to a unit: above any sensible amount, also where the county has hardly any.

    Twice what its most pupils need, by the county's mean or by the threshold, whichever asks for more. Of a mean far below the
    threshold twice would not reach what passing needs.
    """
    stage = inst.stage_of[unit]
    needs = [i.threshold / i.scale for i in inst.standards.of_stage(stage) if i.resource == resource]
    each = max([1.0, *(need / inst.centres[stage, resource] for need in needs)])
    return each * (2.0 * float(inst.of_unit(unit, "largest")) + 50.0)


def item_variables(model: Model, inst: Instance, whole: bool) -> None:
    """Declare purchases and moves; rooms are whole where asked for (then counted in rooms).

    Nothing is bought without a price or money that is known, and nothing comes where the amount is not known.
    """
    keys = [(u, k) for u in inst.units.index for k in inst.items]

    def bought(m: Model, u: str, k: str) -> tuple[float, float | None]:
        return 0.0, None if inst.known(u, k) and k not in inst.unpriced else 0.0

    def come(m: Model, u: str, k: str) -> tuple[float, float | None]:
        return 0.0, None if inst.known(u, k) else 0.0

    model.buy = pyo.Var(keys, domain=pyo.NonNegativeReals, bounds=bought)
    closable = inst.bands.groupby("unit_id")["lock"].agg(lambda x: (x != "open").all())
    shut = [u for u in inst.units.index if closable.get(u, False)]
    model.freed = pyo.Var([(u, k) for u in shut for k in inst.movable_items], domain=pyo.NonNegativeReals)
    model.got = pyo.Var(
        [(u, k) for u in inst.units.index for k in inst.movable_items],
        domain=pyo.NonNegativeReals,
        bounds=come,
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
    total = float(inst.of_unit(unit, kind)) / scale(inst, unit, kind) * model.unit_open[unit]
    total = total + model.buy[unit, kind]
    if (unit, kind) in model.got:
        total = total + model.got[unit, kind]
    return total
