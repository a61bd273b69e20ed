"""Places decided anew one by one: the worst first, their neighbours with them, nothing else."""

from __future__ import annotations

import numpy as np
import pytest

from optimizer.scenario import Goal, Scenario
from optimizer.search.around import Surroundings
from optimizer.search.method import Method
from optimizer.search.search import Search
from optimizer.search.start import first_plan
from optimizer.solver.limits import Limits
from optimizer.solver.stopping import Stop
from optimizer.verbs.plan import plan
from tests.models.plans import ready
from tests.optimizer.test_planning import instance
from tests.samples import small_county

GOALS = (Goal(name="over_cap"), Goal(name="failing"), Goal(name="cost"))


@pytest.fixture(scope="module")
def places() -> tuple[Surroundings, np.ndarray]:
    search = Search(instance(ready()), Scenario(goals=GOALS).task(Stop()))
    start = first_plan(search, Limits(seconds=60))
    assert start is not None and start.values is not None
    return Surroundings(search), start.values


@pytest.mark.parametrize("goal", ["over_cap", "failing"])
def test_what_a_goal_counts_is_shared_out_to_the_schools(
    places: tuple[Surroundings, np.ndarray], goal: str
) -> None:
    """Put right at all places that are named, nothing of the goal is left; the first one named has the most of it."""
    around, values = places
    bridge = around.search.bridge
    cost = bridge.costs[goal][0]
    best = np.where(cost > 0, bridge.low, bridge.high)

    def less(schools: list[int]) -> float:
        mended = values.copy()
        there = np.isin(around.school, schools) & (cost != 0)
        mended[there] = best[there]
        return bridge.value(goal, values) - bridge.value(goal, mended)

    worst = around.worst(goal, values)
    gains = [less([j]) for j in worst]
    assert gains == sorted(gains, reverse=True) and gains[-1] > 0
    every = values.copy()
    every[cost != 0] = best[cost != 0]
    assert less(worst) == pytest.approx(bridge.value(goal, values) - bridge.value(goal, every))


def test_a_village_of_the_place_may_go_wherever_it_can_and_no_other_moves(
    places: tuple[Surroundings, np.ndarray],
) -> None:
    around, _ = places
    pairs, keys = around.search.instance.pairs, around.search.bridge.keys
    for j, school in enumerate(around.schools):
        free = set(around.free_around(j).tolist())
        villages = set(pairs.loc[pairs["school_id"] == school, "village_id"])
        near = {school} | set(pairs.loc[pairs["village_id"].isin(villages), "school_id"])
        for column, (name, key) in enumerate(keys):
            if name == "attend":
                assert (column in free) == (pairs.at[key, "village_id"] in villages)
            elif name == "open":
                assert (column in free) == (key[0] in near)
            elif name in ("out", "into", "buy"):
                assert (column in free) == (key[0].split("/")[0] in near)


def test_a_plan_made_place_by_place_is_as_good() -> None:
    """Every county is large where none is too small; the bound of either run holds for the plan of the other."""
    whole, parts = (
        plan(small_county(), Scenario(goals=GOALS, method=Method(around_units=n))) for n in (150, 0)
    )
    for one, other in zip(whole.solve.goals[:2], parts.solve.goals[:2], strict=True):
        assert one.objective == pytest.approx(other.objective) and one.status == other.status == "proven"
        assert max(one.bound, other.bound) <= one.objective + 1e-6


@pytest.mark.parametrize("goal", ["deficit", "imbalance", "cv_excess"])
def test_a_place_can_be_decided_anew_where_the_tangents_are_newer_than_the_plan(goal: str) -> None:
    """What is not free keeps its spreads: understated ones break the tangents that the plan itself asked for."""
    search = Search(instance(ready()), Scenario(goals=(Goal(name=goal),)).task(Stop()))
    start = first_plan(search, Limits(seconds=60))
    assert start is not None and start.values is not None
    low = start.values.copy()
    low[search.spreads.spread] = 0.0  # as a solution of a model that has no tangents there
    if goal == "deficit":
        low[search.measures[goal].lack] = 0.0
    assert search.tighten(goal, low, 1e-6)
    settled = search.settled(low)
    assert search.exact(goal, settled) == pytest.approx(search.exact(goal, low))
    around = Surroundings(search)
    statuses = []
    for school in range(len(around.schools)):
        free = around.free_around(school)
        for values in (low, settled):
            part = search.bridge.part(free, values)
            statuses.append((values is settled, part.engine.solve(goal, Limits(nodes=1, seconds=20)).status))
    assert (False, "infeasible") in statuses
    assert (True, "infeasible") not in statuses
