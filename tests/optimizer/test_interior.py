"""Bounds from prices of rows: below every solution whatever the prices, and the relaxation's where these are good."""

from __future__ import annotations

import numpy as np
import pytest

from optimizer.scenario import Goal, Scenario
from optimizer.search.method import Method
from optimizer.solver.interior import lowest, proven
from optimizer.solver.limits import Limits
from optimizer.verbs.plan import plan
from tests.optimizer.test_highs import bridge, knapsack
from tests.samples import small_county


def test_it_is_the_relaxations_value_and_leaves_a_search_as_it_was() -> None:
    b = bridge(knapsack([3, 4, 5, 7, 9], [30, 50, 60, 61, 95], 13))
    bound, price, late = lowest(b, "loss", Limits())
    b.relax(True)
    relaxed = b.solve("loss", Limits()).objective
    b.relax(False)
    assert bound == pytest.approx(relaxed, abs=1e-4) and not late
    assert price is not None and len(price) == 5
    assert b.solve("loss", Limits(gap=0.0)).objective == pytest.approx(100 - 145)


def test_no_prices_prove_more_than_there_is() -> None:
    b = bridge(knapsack([3, 4, 5], [30, 50, 60], 8))
    rng = np.random.default_rng(1)
    found = [proven(b, "loss", rng.normal(0, 20, b.rows))[0] for _ in range(50)]
    assert max(found) <= 10 + 1e-9 and max(found) > -50


def test_large_counties_have_a_bound_for_every_goal() -> None:
    names = ("failing", "deficit", "travel")
    asked = {n: Goal(name=n) for n in names}
    scenario = Scenario(goals=tuple(asked.values()), method=Method(around_units=0), nodes=0)
    for goal in plan(small_county(), scenario).solve.goals:
        assert goal.bound <= goal.objective * (1 + 1e-6)
        assert goal.bound > 0 or goal.objective == 0 or goal.goal == "failing"
