"""All rules, in the order in which a reader meets them; everybody who needs rules iterates this."""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module

import pyomo.environ as pyo

import models.rules
from geodata.messages import LANGUAGES, learn
from models.problem.instance import Instance
from models.rules.record import Model, Rows, Rule

ORDER = (
    "integrity",
    "catchments",
    "access",
    "admission",
    "sites",
    "classes",
    "staffing",
    "floors",
    "guards",
    "means",
)
"""Families in the order in which a reader meets them; a new file's come after these."""

NETWORK_FAMILIES = ("catchments", "access", "sites", "classes")
"""Families whose checks look at bands, classes and ways to school alone: staff, things and money change nothing in them."""


@cache
def every_rule() -> tuple[Rule, ...]:
    """Every rule of every file of this folder that has ``RULES``.

    Raises
    ------
    ValueError
        Two rules of one id.
    """
    found = [m.name for m in pkgutil.iter_modules(models.rules.__path__)]
    files = [*ORDER, *sorted(set(found) - set(ORDER))]
    every = [r for name in files for r in getattr(import_module(f"models.rules.{name}"), "RULES", ())]
    twice = {r.id for r in every if sum(r.id == other.id for other in every) > 1}
    if twice:
        raise ValueError(f"two rules of one id: {sorted(twice)}")
    for one in every:
        if one.words is not None:
            for language in LANGUAGES:
                title, about = getattr(one.words, language)
                learn(language, {f"rules.rule_{one.id}": title, f"rules.rule_{one.id}_about": about})
    return tuple(every)


def rule(rule_id: str) -> Rule:
    """The rule of an id.

    Raises
    ------
    KeyError
    """
    return {r.id: r for r in every_rule()}[rule_id]


def state_rules(model: Model, inst: Instance, loosened: bool = False) -> None:
    """Write the rows of every rule that binds.

    Parameters
    ----------
    model : ConcreteModel
        With its variables declared.
    inst : Instance
    loosened : bool
        Every rule that can give way does, each with a slack: ``model.softened`` lists them.
    """
    model.softened = []
    model.barred = {}
    for one in every_rule():
        if one.state is not None:
            one.state(Rows(model, inst, one, loosened))


def softness(model: Model) -> pyo.Expression:
    """What soft rules give way, weighed: least before any goal."""
    return sum(s.slack.weight * s.slacks[k] for s in model.softened for k in s.slacks)
