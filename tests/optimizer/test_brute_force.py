"""Every plan of a county of three sites, by loops: the model finds the best for every goal and under every guard.

`tests.tiny` shares nothing with the model and nothing with the referee's measures. Three independent derivations meet here: the
loops, the referee (of a sample of plans, good ones and bad ones), and the search (of the best).
"""

from __future__ import annotations

import random
from functools import cache

import pytest

from models.formulation.solution import unpack
from models.plan.decisions import Verdict
from models.plan.keeping import held_of
from models.problem.building import build_instance
from models.problem.request import GOALS, Request
from optimizer.search.solved import NoPlan
from optimizer.search.steps import find_plan
from optimizer.search.task import Target, Task
from optimizer.solver.limits import Limits
from tests import tiny
from tests.models.plans import Case, keep_all
from tests.tiny import Made

BY_LOOPS = (
    "over_cap",
    "failing",
    "cells",
    "shortfall",
    "deficit",
    "cv_excess",
    "beyond_limit",
    "travel",
    "disruption",
    "cost",
)
SAFE = ("cv_excess",)
"""Goals that the model overstates, on the safe side: its best plan is one of the good ones, not always the best."""
GUARDS = {
    "met_kept": ("met_kept",), "assessed_floor": ("assessed_floor",), "no_exchange": ("no_exchange",), "past_own_school": ("past_own_school",),
    "no_sink": ("no_sink",), "capacity": ("capacity",),
    "outflow_rural": tuple(f"outflow_{z}_{k}" for z in ("rural", "township") for k in "qba"),
}  # fmt: skip
"""Guards and the norms that say how binding they are; the rural guard stands with the township's, which is the same in one township."""
PAY = {"assessed_floor": "cells", "past_own_school": "deficit", "no_exchange": "deficit"}
"""Guards without which a goal would gain, and the goal."""
HIDDEN = dict.fromkeys(("assessed_floor", "no_exchange"), ("past_own_school",))
"""Norms that bar here what the guard bars, besides: they are off in both counties."""


@cache
def tried() -> tuple[tuple[Made, frozenset[str], dict[str, float]], ...]:
    """Every plan with the rules that it breaks and the value of every goal."""
    return tuple((m, tiny.breaks(m), tiny.goals(m)) for m in tiny.every())


def best(goal: str, without: frozenset[str] = frozenset()) -> float:
    """The least of a goal over all plans that break no rule, besides some."""
    return min(values[goal] for _, broken, values in tried() if broken <= without)


def found_by_search(case: Case, goal: str) -> tuple[float, float, Verdict]:
    """The search's bound and the referee's value of its plan, with the verdict."""
    inst = build_instance(case.county, case.standards, Request(goals=GOALS), case.times)
    found = find_plan(inst, Task((Target(goal),), Limits(gap=1e-6)))
    made = unpack(found.final.loaded(), found.final.instance, case.times.towns)
    verdict = case.judge(made, Request(goals=GOALS))
    return found.decided.goals[0].bound, float(verdict.goals.set_index("goal").at[goal, "plan"]), verdict


def same(case: Case, goal: str, least: float) -> None:
    bound, value, verdict = found_by_search(case, goal)
    assert verdict.accepted
    near = max(1e-6, 2e-3 * least)
    assert value >= least - near, "the search knows a plan that the loops do not"
    if goal not in SAFE:
        assert bound <= least + near, "a bound above the best plan"
        assert value <= least + near, "the loops know a better plan"


def test_there_is_a_choice() -> None:
    """A thousand plans, some dozens of them good, and goals that tell them apart."""
    good = [values for _, broken, values in tried() if not broken]
    assert len(tried()) > 1000 and len(good) >= 10
    apart = {g for g in BY_LOOPS if len({round(v[g], 6) for v in good}) > 1}
    assert apart == set(BY_LOOPS) - {"beyond_limit"}
    assert set(BY_LOOPS) | {"imbalance"} == set(GOALS)


def test_the_referee_says_what_the_loops_say() -> None:
    """Of good plans and bad ones alike: the same rules broken, the same value of every goal."""
    here, draw = tiny.case(), random.Random(7)
    good = [t for t in tried() if not t[1]]
    for made, broken, values in [*draw.sample(good, 2), *draw.sample(tried(), 4)]:
        verdict = here.judge(tiny.as_plan(made))
        bad = verdict.violations[
            (verdict.violations["kind"] == "hard") & ~verdict.violations["grandfathered"].astype(bool)
        ]
        assert set(bad["rule"]) == broken, made
        told = verdict.goals.set_index("goal")["plan"]
        assert {g: told[g] for g in BY_LOOPS} == pytest.approx(values, abs=1e-6), made


@pytest.mark.parametrize("goal", BY_LOOPS)
def test_the_search_finds_the_best_of_all_plans(goal: str) -> None:
    same(tiny.case(), goal, best(goal))


def alone(guard: str) -> frozenset[str]:
    """The rule itself, and the one that says the same in a county of one township."""
    return frozenset(
        {guard, "outflow_township"} if guard == "outflow_rural" else {guard, *HIDDEN.get(guard, ())}
    )


def without(guard: str) -> Case:
    case = tiny.case()
    some = (*GUARDS[guard], *HIDDEN.get(guard, ()))
    return case.binding(**{n: "off" for n in some if n in case.standards.rules})


@pytest.mark.parametrize("guard", PAY)
def test_without_the_guard_the_search_gains_what_the_loops_gain(guard: str) -> None:
    """Emptying D under the threshold would meet a cell more: what its guard is there for."""
    goal = PAY[guard]
    assert best(goal, alone(guard)) < best(goal, frozenset(HIDDEN.get(guard, ()))) - 1e-6
    same(without(guard), goal, best(goal, alone(guard)))


def in_the_model(case: Case, made: Made) -> bool:
    """Whether the model has a plan, all of whose decisions are held."""
    today, edited = keep_all(case), tiny.as_plan(made)
    request = Request(goals=("cost",), held=held_of(today, edited, "all"))
    inst = build_instance(case.county, case.standards, request, case.times)
    try:
        find_plan(inst, Task((Target("cost"),), Limits(seconds=60)))
    except NoPlan as none:
        assert none.status == "infeasible"
        return False
    return True


@pytest.mark.parametrize("guard", GUARDS)
def test_a_guard_keeps_out_what_breaks_it_alone(guard: str) -> None:
    """A plan that breaks this guard and no other rule is none of the model's, and is one with the guard off."""
    wrong = [m for m, broken, _ in tried() if guard in broken and broken <= alone(guard)]
    assert wrong
    made = random.Random(3).choice(wrong)
    assert not in_the_model(tiny.case(), made)
    assert in_the_model(without(guard), made)


def test_good_plans_are_the_models() -> None:
    good = [m for m, broken, _ in tried() if not broken]
    assert all(in_the_model(tiny.case(), m) for m in random.Random(5).sample(good, 2))
