"""Charged costs by earmark; the rule about budgets stands in `models.rules.means`.

| symbol | component | source |
|---|---|---|
| charge[e] | ``model.charge[e]``, in the currency's large unit (10,000 yuan), which keeps coefficients near one | `unit_costs` (T12), `staff_category` (T8) |
| spill[e] | ``model.spill[e]``: what earmark e takes from "any" | decision |
| bought[e] | ``model.rounded[e]``: purchases and moves of things that are rounded up: no rooms, which are whole | decisions |
| B[e] | ``Instance.budget`` | `budget` (T13) |
"""

from __future__ import annotations

from typing import Any, TypeAlias

import pyomo.environ as pyo

from models.formulation.equipment import scale
from models.formulation.network import pupils_changed
from models.formulation.staffing import staff_moved
from models.problem.instance import Instance
from models.standards.norms import Resource

Model: TypeAlias = Any  # Pyomo has no types
EARMARKED = ("building", "device", "teacher", "transport")
AREA_PARTS = 100.0
"""Areas are bought in hundredths of a m2, rounded up."""


def _bought(model: Model, inst: Instance, kind: str) -> Any:
    """Quantity bought in the kind's own unit (rooms, money, m2)."""
    return sum(scale(inst, u, kind) * model.buy[u, kind] for u in inst.units.index)


def _got(model: Model, inst: Instance, kind: str) -> Any:
    return sum(scale(inst, u, kind) * model.got[u, kind] for u in inst.units.index)


def new_riders(model: Model, inst: Instance) -> Any:
    """Pupils who ride a bus that the county runs: riders that change school or newly ride."""
    rows = inst.pairs[(inst.pairs["mode"] == "bus") & ~inst.pairs["stay"]]
    return sum(int(n) * model.attend[p] for p, n in rows["pupils"].items())


def things_charged(model: Model, inst: Instance, whole: bool) -> dict[str, Any]:
    """What is bought and moved, by earmark in yuan: things that are whole, or those that are rounded up."""
    cost = inst.costs
    things: dict[str, Any] = dict.fromkeys(EARMARKED, 0.0)
    for k in (k for k in inst.items if inst.standards.resources[k].whole == whole):
        one = inst.standards.resources[k]
        if one.buyable:
            things[one.earmark] += unit_price(one, cost) * _bought(model, inst, k)
        if one.movable:
            things[one.earmark] += cost[one.move_price] * _got(model, inst, k)
    return things


def rounding_share(inst: Instance) -> dict[str, float]:
    """What rounding up may add to purchases of an earmark, as a share of them.

    A step of rounding at every unit, over all the money that there is: half a per mille at least, half a per cent at most.
    """
    step: dict[str, float] = dict.fromkeys(EARMARKED, 0.0)
    for one in (inst.standards.resources[k] for k in inst.items):
        if one.buyable and not one.whole:
            size = 1.0 / (AREA_PARTS if one.kind == "area" else 1.0)
            step[one.earmark] += size * unit_price(one, inst.costs) * len(inst.units)
    have = {e: max(1.0, inst.budget.get(e, 0.0) + inst.budget.get("any", 0.0)) for e in EARMARKED}
    return {e: min(5e-3, max(5e-4, step[e] / have[e])) for e in EARMARKED}


def recurrent_costs(model: Model, inst: Instance) -> dict[str, Any]:
    """What recurs every year, by earmark in yuan: hired teachers and rotation subsidies, bus places."""
    salary, stage = inst.categories["annual_cost"], inst.units["stage"]
    hired = sum(float(salary[stage[u], c]) * model.hire[u, c] for u, c in model.hire)
    return {
        "teacher": hired + inst.costs["rotation_subsidy"] * staff_moved(model),
        "transport": inst.costs["bus_pupil"] * new_riders(model, inst),
    }


def charged_costs(model: Model, inst: Instance) -> dict[str, Any]:
    """Charged cost of each earmark in the currency's large unit, as expressions (sources.md 3.5)."""
    yearly = recurrent_costs(model, inst)
    once = {
        "building": inst.costs["mothball"] * sum(model.closed[j] for j in model.closed),
        "transport": inst.costs["transition_grant"] * pupils_changed(model, inst),
    }
    rooms = things_charged(model, inst, whole=True)
    return {
        e: (yearly.get(e, 0.0) + once.get(e, 0.0) + rooms[e]) / inst.large + model.rounded[e]
        for e in EARMARKED
    }


def unit_price(resource: Resource, cost: dict[str, float]) -> float:
    """What one more of a thing costs: the items of its price together; a value costs itself."""
    return sum(cost[i] for i in resource.price) if resource.price else 1.0


def money_variables(model: Model, inst: Instance) -> None:
    """Declare and define charged costs by earmark, and what each takes from "any"."""
    model.charge = pyo.Var(EARMARKED, domain=pyo.NonNegativeReals)
    model.spill = pyo.Var(EARMARKED, domain=pyo.NonNegativeReals)
    things = things_charged(model, inst, whole=False)
    model.rounded = pyo.Expression(EARMARKED, rule=lambda m, e: things[e] / inst.large)
    parts = charged_costs(model, inst)
    model.charged = pyo.Constraint(EARMARKED, rule=lambda m, e: m.charge[e] == parts[e])
