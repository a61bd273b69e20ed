"""Drawn tiny counties against the second statement: no bound above the best plan, and no plan that it forbids.

JUNHENG_DRAWN=500 looks at so many; the suite looks at a few.
"""

from __future__ import annotations

import os

import numpy as np
import pytest

from models.formulation.solution import unpack
from models.problem.building import build_instance
from models.problem.request import GOALS, Request
from optimizer.search.steps import find_plan
from optimizer.search.task import Target, Task
from optimizer.solver.limits import Limits
from tests.drawn import drawn
from tests.full_goals import least
from tests.full_milp import Tables, norms
from tests.models.plans import ready

MANY = int(os.environ.get("JUNHENG_DRAWN", "2"))
ASKED = (
    "over_cap",
    "failing",
    "cells",
    "shortfall",
    "deficit",
    "beyond_limit",
    "travel",
    "disruption",
    "cost",
)
"""Goals that the second statement holds whatever is bought."""
NEAR = 5e-3
"""What rounding purchases up may take of the money, as a share."""


@pytest.mark.parametrize("number", range(MANY))
def test_two_goals_in_order_agree_with_the_second_statement(number: int) -> None:
    dice, county = np.random.default_rng(number), drawn(number)
    loose = {
        "closures_share": float(dice.choice([0.0, 0.35, 0.6])),
        "moved_share": float(dice.choice([0.1, 0.3, 0.6])),
    }
    case = ready(county).with_rules(**loose)
    tables = Tables(county.tables(), county.year, case.times.pairs, case.times.towns, norms(**loose))
    order = [str(g) for g in dice.choice(ASKED, 2, replace=False)]
    inst = build_instance(case.county, case.standards, Request(goals=GOALS), case.times)
    found = find_plan(inst, Task(tuple(Target(g, gap=1e-6) for g in order), Limits(gap=1e-6)))
    verdict = case.judge(
        unpack(found.final.loaded(), found.final.instance, case.times.towns), Request(goals=GOALS)
    )
    assert verdict.accepted
    value, held = verdict.goals.set_index("goal")["plan"], {}
    for line in found.decided.goals:
        want = least(tables, line.goal, **held)
        assert want is not None
        assert line.bound <= want + max(1e-4, NEAR * want), (order, "a bound above the best plan")
        assert value[line.goal] >= want - max(1e-4, NEAR * want), (
            order,
            "a plan that the second statement forbids",
        )
        held[line.goal] = max(float(value[line.goal]), line.objective) + 1e-6
