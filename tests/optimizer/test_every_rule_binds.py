"""Every rule keeps its own bad plan out of the model, and nothing else does.

The plans are those of `tests.models.test_referee`, each of which breaks one rule and no other: with all of a plan's decisions held, the
model has no solution; with the rule off it has one. A rule whose rows went missing would be noticed here.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from models.formulation.model import build_model
from models.formulation.solution import arriving_as
from models.plan.decisions import Plan
from models.plan.keeping import held_of
from models.problem.building import build_instance
from models.problem.instance import Instance
from models.problem.request import Request
from models.rules.registry import every_rule
from models.rules.registry import rule as rule_named
from optimizer.solver.bridge import Bridge
from optimizer.solver.limits import Limits
from tests.models.plans import Case, keep_all
from tests.models.test_referee import BREAKING, DRAINED, hired_instead
from tests.models.test_rules_house import FORM

UNSAYABLE = {"assignment", "items"}
"""Rules whose bad plans leave something out, which no decision that is held can say: a village, a room."""
RULES = [r.id for r in every_rule() if r.id not in FORM | UNSAYABLE]


def in_the_model(case: Case, made: Plan, request: Request) -> bool:
    """Whether the model has a plan with all of these decisions and no other transfer, hire or purchase."""
    asked = replace(request, goals=("cost",), held=held_of(keep_all(case), made, "all"))
    inst = build_instance(case.county, case.standards, asked, case.times)
    model = build_model(inst, whole=True)
    for name, used in decided(inst, made).items():
        for key in model.component(name):
            if key not in used:
                model.component(name)[key].setub(0.0)
    answer = Bridge(model, {"cost": model.goal_cost}).solve("cost", Limits(seconds=60))
    assert answer.values is not None or answer.status == "infeasible"
    return answer.values is not None


def decided(inst: Instance, made: Plan) -> dict[str, set[tuple[str, str]]]:
    """Keys of the model's columns that a plan's rows are about."""
    moves, hires, bought = made.staff_moves, made.hires, made.purchases
    out = {(f"{r.from_school_id}/{r.from_stage}", r.cat_id) for r in moves.itertuples()}
    into = set()
    for r in moves.itertuples():
        sender, target = f"{r.from_school_id}/{r.from_stage}", f"{r.to_school_id}/{r.to_stage}"
        into.add((target, arriving_as(inst, sender, r.cat_id, target)))
    return {
        "out": out, "into": into, "hire": {(f"{r.school_id}/{r.stage}", r.cat_id) for r in hires.itertuples()},
        "buy": {(f"{r.school_id}/{r.stage}", r.kind) for r in bought.itertuples()},
    }  # fmt: skip


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_keeps_out_the_plan_that_breaks_it(rule: str) -> None:
    case, made, *asked = BREAKING[rule]()
    request = asked[0] if asked else Request()
    assert not in_the_model(case, made, request)
    norms = [n for n in rule_named(rule).norm_ids(case.standards) if n in case.standards.rules]
    if norms:
        assert in_the_model(case.binding(**dict.fromkeys(norms, "off")), made, request)


@pytest.mark.parametrize("rule", DRAINED)
def test_hires_make_up_for_nobody_in_the_model(rule: str) -> None:
    case, made, request = hired_instead(rule)
    assert not in_the_model(case, made, request)
    norms = [n for n in rule_named(rule).norm_ids(case.standards) if n in case.standards.rules]
    assert in_the_model(case.binding(**dict.fromkeys(norms, "off")), made, request)
