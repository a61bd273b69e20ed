"""Charged costs and budgets by earmark.

| symbol | component | source |
|---|---|---|
| charge[e] | ``model.charge[e]``, in 10,000 yuan | `unit_costs` (T12), `staff_category` (T8) |
| riding[g,j] | ``model.riding``: choice group g rides to j, where j is also walked to | follows |
| spill[e] | ``model.spill[e]``: what earmark e takes from "any" | decision |
| B[e] | ``Instance.budget`` | `budget` (T13) |
"""

from __future__ import annotations

from typing import Any, TypeAlias

import pyomo.environ as pyo

from models.formulation.equipment import scale
from models.formulation.network import pupils_changed
from models.formulation.rows import rows_by
from models.formulation.staffing import staff_moved
from models.problem.instance import Instance
from models.standards.norms import Resource

Model: TypeAlias = Any  # Pyomo has no types
WAN = 10_000.0
"""Money inside the model is in 10,000 yuan (万元), to keep coefficients near one."""
EARMARKED = ("building", "device", "teacher", "transport")


def _bought(model: Model, inst: Instance, kind: str) -> Any:
    """Quantity bought in the kind's own unit (rooms, money, m2)."""
    return sum(scale(inst, u, kind) * model.buy[u, kind] for u in inst.units.index)


def _got(model: Model, inst: Instance, kind: str) -> Any:
    return sum(scale(inst, u, kind) * model.got[u, kind] for u in inst.units.index)


def new_riders(model: Model, inst: Instance) -> Any:
    """Pupils who ride a bus that the county runs: riders that change school or newly ride."""
    rows = inst.pairs[(inst.pairs["mode"] == "bus") & ~inst.pairs["stay"]]
    return sum(int(n) * model.attend[p] for p, n in rows["pupils"].items())


def new_choice_riders(model: Model, inst: Instance) -> Any:
    """Riders among choice groups that follow their village after their school closes.

    They ride where their village does. Where it may come to the school by bus or otherwise, that is a
    product: riding[g,j] >= follow[g,j] + sum_{bus p} attend[p] - 1.
    """
    bus = inst.pairs["mode"].eq("bus")
    busses = rows_by(inst.pairs[bus], "g", "school_id")
    walked = set(rows_by(inst.pairs[~bus], "g", "school_id"))
    groups = inst.groups[["pupils", "zone_row"]].to_dict("index")
    way = {(g, j): (groups[g]["zone_row"], j) for g, j in model.follow}
    either = [k for k in model.follow if way[k] in busses and way[k] in walked]
    model.riding = pyo.Var(either, bounds=(0, 1))
    model.rides = pyo.Constraint(
        either,
        rule=lambda m, g, j: (
            m.riding[g, j] >= m.follow[g, j] + sum(m.attend[p] for p in busses[way[g, j]]) - 1
        ),
    )
    return sum(
        int(groups[g]["pupils"]) * (model.riding[g, j] if (g, j) in model.riding else model.follow[g, j])
        for g, j in model.follow
        if way[g, j] in busses
    )


def charged_costs(model: Model, inst: Instance) -> dict[str, Any]:
    """Charged cost of each earmark in 10,000 yuan, as expressions (sources.md 3.5)."""
    cost = inst.costs
    salary = inst.categories["annual_cost"]
    stage = inst.units["stage"]
    teacher = sum(float(salary[stage[u], c]) * model.hire[u, c] for u, c in model.hire)
    teacher = teacher + cost["rotation_subsidy"] * staff_moved(model)
    teacher = teacher + cost["itinerant"] * sum(model.visiting[t] for t in model.visiting)
    things: dict[str, Any] = dict.fromkeys(EARMARKED, 0.0)
    for k in inst.items:
        one = inst.standards.resources[k]
        if one.buyable:
            things[one.earmark] += unit_price(one, cost) * _bought(model, inst, k)
        if one.movable:
            things[one.earmark] += cost[one.move_price] * _got(model, inst, k)
    building = cost["mothball"] * sum(model.closed[j] for j in model.closed)
    riders = new_riders(model, inst) + new_choice_riders(model, inst)
    transport = cost["bus_pupil"] * riders + cost["transition_grant"] * pupils_changed(model, inst)
    parts = {"building": building, "device": 0.0, "teacher": teacher, "transport": transport}
    return {e: (parts[e] + things[e]) / WAN for e in EARMARKED}


def unit_price(resource: Resource, cost: dict[str, float]) -> float:
    """What one more of a thing costs: the items of its price together; a value costs itself."""
    return sum(cost[i] for i in resource.price) if resource.price else 1.0


def earmark_budgets(model: Model, inst: Instance) -> None:
    """charge[e] <= B[e] + spill[e];  sum_e spill[e] <= B[any]."""
    model.charge = pyo.Var(EARMARKED)
    model.spill = pyo.Var(EARMARKED, domain=pyo.NonNegativeReals)
    parts = charged_costs(model, inst)
    model.charged = pyo.Constraint(EARMARKED, rule=lambda m, e: m.charge[e] == parts[e])
    budget = {e: inst.budget.get(e, 0.0) / WAN for e in (*EARMARKED, "any")}
    model.earmark = pyo.Constraint(EARMARKED, rule=lambda m, e: m.charge[e] <= budget[e] + m.spill[e])
    model.any_money = pyo.Constraint(expr=sum(model.spill[e] for e in EARMARKED) <= budget["any"])


MONEY_RULES = (earmark_budgets,)
