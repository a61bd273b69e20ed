"""Composes variables, rules and goals into one Pyomo model."""

from __future__ import annotations

import pyomo.environ as pyo

from models.formulation.classes import only_needed
from models.formulation.concession import lent_variables
from models.formulation.equipment import item_variables
from models.formulation.goals import state_goals
from models.formulation.holding import hold
from models.formulation.imbalance import (
    amount_variables,
    assessed_population,
    spread_tangents,
    spread_variables,
)
from models.formulation.money import money_variables
from models.formulation.network import network_variables
from models.formulation.staffing import staff_variables
from models.problem.instance import Instance
from models.problem.request import GOALS
from models.rules.registry import softness, state_rules


def build_model(inst: Instance, whole: bool = False, loosened: bool = False) -> pyo.ConcreteModel:
    """State the model of an instance, of a whole county or of a few townships alike.

    Parameters
    ----------
    inst : Instance
    whole : bool
        Whole heads and rooms; False relaxes them (the network stays integer).
    loosened : bool
        Every rule that can give way has slacks: ``model.softened``.

    Returns
    -------
    ConcreteModel
        With one inactive objective ``goal_<name>`` for each goal of the request (``model.goals_stated``), and ``goal_softness``: what soft rules give way.
    """
    model = pyo.ConcreteModel()
    network_variables(model, inst)
    only_needed(model, inst, loosened)
    staff_variables(model, inst, whole)
    item_variables(model, inst, whole)
    money_variables(model, inst)
    amount_variables(model, inst)
    lent_variables(model, inst)
    assessed_population(model, inst)
    spread_variables(model, inst)
    spread_tangents(model, inst)
    state_rules(model, inst, loosened)
    if inst.request.held:
        hold(model, inst, inst.request.held)
    state_goals(model, inst)
    model.goal_softness = pyo.Objective(expr=softness(model) + 0.0 * model.charge["building"])
    model.goal_softness.deactivate()
    return model


__all__ = ["GOALS", "build_model"]
