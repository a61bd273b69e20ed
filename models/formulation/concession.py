"""What an indicator counts of a unit besides its own: places that are assessed with it, heads that a concession lends.

| symbol | component | source |
|---|---|---|
| lent[u] | ``model.lent``: the unit is of the size to which heads are lent | sources.md 1.2 |
| y*[u,r] | ``judged_amount``: y of the unit and its guests + l[u,r] lent[u], in pupil-equivalents | follows |
| P*[u] | ``judged_pupils``: pupils of the unit and its guests | follows |

min lent <= P* <= max + (P*max - max) (1 - lent). Units to which nothing is lent today are lent nothing in a plan
(`models.problem.indicators.lent_as_today`), so bringing a school down to the size gains nothing.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import pyomo.environ as pyo

from models.problem.indicators import lent_size
from models.problem.instance import Instance

Model: TypeAlias = Any  # Pyomo has no types


def lent_variables(model: Model, inst: Instance) -> None:
    """Declare lent[u] of the units to which heads are lent today."""
    least, most = lent_size(inst.standards)
    some = sorted({u for u, _ in inst.lent})
    largest = {
        u: max(sum(float(inst.of_unit(k, "largest")) for k in inst.with_guests(u)), most) for u in some
    }
    model.lent = pyo.Var(some, domain=pyo.Binary)
    model.lent_from = pyo.Constraint(some, rule=lambda m, u: judged_pupils(m, inst, u) >= least * m.lent[u])
    model.lent_up_to = pyo.Constraint(
        some, rule=lambda m, u: judged_pupils(m, inst, u) <= most + (largest[u] - most) * (1 - m.lent[u])
    )


def judged_pupils(model: Model, inst: Instance, unit: str) -> Any:
    """Pupils over whom an indicator of a unit is reckoned: its own and its guests'."""
    guests = inst.guests.get(unit, ())
    return model.pupils[unit] + sum(model.pupils[k] for k in guests) if guests else model.pupils[unit]


def judged_amount(model: Model, inst: Instance, unit: str, resource: str) -> Any:
    """What an indicator counts of a unit, in pupil-equivalents: its own, its guests' and what is lent."""
    total = sum(model.amount[k, resource] for k in inst.with_guests(unit))
    heads = inst.lent.get((unit, resource), 0.0)
    return total + heads / inst.centres[inst.stage_of[unit], resource] * model.lent[unit] if heads else total


def of_guests(inst: Instance, unit: str) -> float:
    """The most pupils that a unit's guests can have: by so many its rows are loosened once it is closed itself."""
    return sum(float(inst.of_unit(k, "largest")) for k in inst.guests.get(unit, ()))
