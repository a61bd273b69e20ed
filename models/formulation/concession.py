"""Heads that a concession lends to small rural units: they count for an indicator and for nothing else.

| symbol | component | source |
|---|---|---|
| lent[u] | ``model.lent``: the unit is of the size to which heads are lent | sources.md 1.2 |
| y[u,r] + l[u,r] lent[u] | ``counting``: what an indicator counts, in pupil-equivalents | follows |

min lent <= P <= max + (Pmax - max) (1 - lent). Units to which nothing is lent today are lent nothing in a plan
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
    largest = {u: max(float(inst.of_unit(u, "largest")), most) for u in some}
    model.lent = pyo.Var(some, domain=pyo.Binary)
    model.lent_from = pyo.Constraint(some, rule=lambda m, u: m.pupils[u] >= least * m.lent[u])
    model.lent_up_to = pyo.Constraint(
        some, rule=lambda m, u: m.pupils[u] <= most + (largest[u] - most) * (1 - m.lent[u])
    )


def counting(model: Model, inst: Instance, unit: str, resource: str, amount: Any) -> Any:
    """What an indicator counts of a unit: its own amount, in pupil-equivalents, and what is lent."""
    heads = inst.lent.get((unit, resource), 0.0)
    return (
        amount + heads / inst.centres[inst.stage_of[unit], resource] * model.lent[unit] if heads else amount
    )
