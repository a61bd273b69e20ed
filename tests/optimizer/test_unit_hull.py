"""Planes under the sum of a unit's spreads lie below every plan of the unit and touch the cheapest mixture."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from models.formulation.planes.unit_hull import UnitHull
from models.formulation.planes.whole_spread import whole_planes
from optimizer.search.cuts.hull_cuts import HullCuts
from optimizer.search.search import Search
from optimizer.search.task import Task
from optimizer.solver.limits import Limits
from tests.models.plans import ready
from tests.optimizer.test_planning import instance
from tests.samples import small_county

EXACT = Limits(gap=1e-7)


def hull(
    low: int, high: int, mean: list[float], fraction: float = 0.0, area: float = 0.0, need: float = 0.0
) -> UnitHull:
    """Two or more whole amounts, the last one having a fraction, and one area of at least ``area``; ``need`` of the first a pupil."""
    n = len(mean)
    least = np.zeros(n + 1)
    least[-1] = area
    beyond = np.zeros(n + 1)
    beyond[n - 1] = fraction
    return UnitHull(
        np.arange(low, high + 1).astype(float), np.array([*mean, 1.0]), np.array([True] * n + [False]), beyond,
        least, np.where(least > 0, 1.2 * least, np.inf), np.array([need, *[0.0] * n]),
    )  # fmt: skip


def plans(unit: UnitHull, heads: int, areas: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Every plan of a small unit: its enrolment, amounts and worth; areas in steps."""
    least = unit.least[-1]
    most = unit.most[-1] if np.isfinite(unit.most[-1]) else 2 * unit.sizes[-1]
    steps = np.linspace(least, most, areas)
    rows = [
        (p, [(x + f) / m for x, f, m in zip(xs, unit.fraction, unit.mean, strict=False)] + [a])
        for p in unit.sizes
        for xs in itertools.product(range(heads), repeat=len(unit.mean) - 1)
        for a in steps
    ]
    size = np.array([p for p, _ in rows])
    amount = np.array([y for _, y in rows])
    return size, amount, ((amount - size[:, None]) ** 2 / size[:, None]).sum(axis=1)


@settings(max_examples=60)
@given(
    st.integers(5, 40), st.integers(0, 25), st.floats(0.02, 0.2), st.floats(0.02, 0.2), st.sampled_from([0.0, 0.37]),
    st.floats(0, 1), st.floats(0.1, 2), st.floats(0.1, 2), st.floats(0.0, 60.0), st.sampled_from([0.0, 0.8, 1.4]),
)  # fmt: skip
def test_no_plan_lies_below_the_plane(
    low, wide, one, two, fraction, where, first, second, area, need
) -> None:
    unit = hull(low, low + wide, [one, two], fraction, area, need)
    pupils = low + where * wide
    amount = np.clip(np.array([first * pupils, second * pupils, pupils]), unit.least, unit.most)
    height, plane = HullCuts(unit).plane(pupils, amount, 1e-3)
    assert height == pytest.approx(plane[:-2] @ amount + plane[-2] * pupils + plane[-1], abs=1e-6)
    size, every, worth = plans(unit, 6, 5)
    keep = every[:, 0] >= need * size - 1e-9
    size, every, worth = size[keep], every[keep], worth[keep]
    below = every @ plane[:-2] + size * plane[-2] + plane[-1]
    assert (below <= worth + 1e-6 * (1 + worth)).all()


def test_it_is_the_cheapest_mixture_of_all_plans() -> None:
    unit = hull(20, 45, [0.04, 0.06])
    size, every, worth = plans(unit, 5, 200)
    pupils, amount = 31.0, np.array([18.0, 40.0, 30.0])
    mixed = linprog(
        worth,
        A_eq=np.vstack([np.ones(len(size)), size, every.T]),
        b_eq=[1.0, pupils, *amount],
        bounds=(0, None),
    )
    height, _ = HullCuts(unit).plane(pupils, amount, 1e-4)
    assert height == pytest.approx(mixed.fun, abs=0.01)  # areas of the mixture come in steps


def test_one_enrolment_for_all_costs_more_than_one_for_each() -> None:
    unit = hull(30, 90, [0.0125, 0.0125])  # a head is right for 80 pupils, none for 30
    pupils, amount = 60.0, np.array([16.0, 64.0, 60.0])  # a fifth of a head, and four fifths
    together, _ = HullCuts(unit).plane(pupils, amount, 1e-4)
    apart = 0.0
    for k in (0, 1):
        values = [np.array([v]) for v in (amount[k], pupils, unit.mean[k], 30.0, 90.0, 0.0)]
        apart += float(whole_planes(*values).at(values[0], values[1])[0])
    assert together > apart + 0.5


def test_an_amount_that_stays_is_not_mixed_away() -> None:
    free, stays = hull(20, 100, [0.05]), hull(20, 100, [0.05], area=60.0)
    point = 60.0, np.array([60.0, 60.0])
    loose, _ = HullCuts(free).plane(*point, 1e-4)
    tight, _ = HullCuts(stays).plane(*point, 1e-4)
    assert tight >= loose - 1e-6


def test_what_must_stay_met_is_asked_for_in_whole_heads() -> None:
    # about the county's mean; an indicator that is met and stays so asks for one a hundred
    pupils, mean = 309, 0.0068
    met = hull(pupils, pupils, [mean], need=0.01 / mean)
    point = float(pupils), np.array([3.09 / mean, 309.0])  # 3.09 teachers keep the rule in fractions
    height, plane = HullCuts(met).plane(*point, 1e-4)
    free, _ = HullCuts(hull(pupils, pupils, [mean])).plane(*point, 1e-4)
    four = (4 / mean - pupils) ** 2 / pupils
    assert free < 0.5 * four < four < height  # nothing admissible has so few
    assert plane[:-2] @ [4 / mean, 309.0] + plane[-2] * pupils + plane[-1] == pytest.approx(four)


def test_a_second_point_gets_what_a_new_search_would_give() -> None:
    unit = hull(10, 60, [0.05, 0.03], 0.5)
    kept = HullCuts(unit)
    for pupils, amount in (
        (20.0, [22.0, 30.0, 20.0]),
        (47.0, [31.0, 70.0, 50.0]),
        (33.0, [40.0, 20.0, 33.0]),
    ):
        again, _ = kept.plane(pupils, np.array(amount), 1e-5)
        fresh, _ = HullCuts(unit).plane(pupils, np.array(amount), 1e-5)
        assert again == pytest.approx(fresh, abs=1e-3)


def test_the_best_whole_plan_is_the_same_with_and_without() -> None:
    inst = instance(ready(small_county()))
    value = {}
    for hulls in (False, True):
        search = Search(inst, Task())
        relaxed = search.relax(20, Limits(), hulls=hulls)
        best = search.minimise("imbalance", EXACT, slack=1e-6, rounds=12)
        assert best.values is not None
        value[hulls] = search.exact("imbalance", best.values), relaxed.objective
    assert value[True][0] == pytest.approx(value[False][0], rel=1e-4)
    assert value[False][1] - 1e-7 <= value[True][1] <= value[True][0] + 1e-7
