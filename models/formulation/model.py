"""Composes the constraint families into one Pyomo model."""

from __future__ import annotations

import pyomo.environ as pyo

from models.formulation.equipment import EQUIPMENT_RULES, item_variables
from models.formulation.imbalance import assessed_population, imbalance, spread_tangents, spread_variables
from models.formulation.money import MONEY_RULES
from models.formulation.network import NETWORK_RULES, network_variables, pupil_minutes, pupils_changed
from models.formulation.staffing import STAFF_RULES, staff_moved, staff_variables
from models.problem.instance import Instance

GOALS = ("imbalance", "travel", "disruption", "cost")
"""Goals by name, as a request orders them."""


def build_model(inst: Instance, whole: bool = False) -> pyo.ConcreteModel:
    """State the model of an instance, of a whole county or of a few townships alike.

    Parameters
    ----------
    inst : Instance
    whole : bool
        Whole heads and rooms; False relaxes them (the network stays integer).

    Returns
    -------
    ConcreteModel
        With one inactive objective per name of `GOALS`.
    """
    model = pyo.ConcreteModel()
    network_variables(model, inst)
    staff_variables(model, inst, whole)
    item_variables(model, inst, whole)
    for rule in (*NETWORK_RULES, assessed_population, *STAFF_RULES, *EQUIPMENT_RULES, *MONEY_RULES):
        rule(model, inst)
    spread_variables(model, inst)
    spread_tangents(model, inst)
    pupils = float(inst.groups["pupils"].sum())
    staff = float(inst.stock["heads"].sum())
    model.goal_imbalance = pyo.Objective(expr=imbalance(model, inst))
    # mean minutes of a pupil; shares of pupils and of staff moved, in per cent; 10,000 yuan
    model.goal_travel = pyo.Objective(expr=pupil_minutes(model, inst) / pupils)
    model.goal_disruption = pyo.Objective(
        expr=100 * pupils_changed(model, inst) / pupils + 100 * staff_moved(model) / max(staff, 1.0)
    )
    model.goal_cost = pyo.Objective(expr=sum(model.charge[e] for e in model.charge))
    for name in GOALS:
        model.component(f"goal_{name}").deactivate()
    return model
