"""What is proven with the catchments as a plan has them: about those plans alone, and never above one of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from models.problem.request import Request
from optimizer.outcomes import Defect
from optimizer.scenario import Goal, Scenario
from optimizer.search.ordered import Ordered
from optimizer.search.search import Search
from optimizer.search.settled import settled_answer
from optimizer.search.start import NETWORK, columns_in, first_plan
from optimizer.search.steps import find_plan
from optimizer.search.task import Target, Task
from optimizer.solver.limits import Limits
from optimizer.verbs.plan import plan, refereed
from tests.models.plans import ready
from tests.optimizer.test_planning import EXACT, instance
from tests.samples import small_county

DEFICIT = Request(goals=("deficit", "travel"))


def county() -> tuple[Search, np.ndarray]:
    """The small county and its first plan, today's arrangement."""
    search = Search(instance(ready(small_county()), DEFICIT), Task((Target("deficit"), Target("travel"))))
    first = first_plan(search, Limits())
    assert first is not None and first.values is not None
    return search, first.values


def test_it_is_the_least_of_all_plans_with_that_network() -> None:
    search, today = county()
    limits = replace(EXACT, gap=4e-6)
    found = settled_answer(search, Target("deficit"), today, (), limits)
    network = columns_in(search, NETWORK)
    search.bridge.fix(dict(zip(network.tolist(), np.round(today[network]).tolist(), strict=True)))
    search.relax(10, Limits(), goal="deficit")
    whole = search.minimise("deficit", limits)
    assert found is not None and found.bound <= whole.objective + 1e-6
    assert found.bound > 0.9 * whole.objective > 0
    search.bridge.release(network.tolist())
    free = search.minimise("deficit", limits)
    assert free.bound < found.bound - 1e-3  # other catchments do better: it is no bound about all plans


def test_goals_that_come_later_are_no_part_of_it() -> None:
    search, today = county()
    plain = settled_answer(search, Target("deficit"), today, (), EXACT)
    mark = search.bridge.rows
    search.bridge.limit_goal("cost", search.exact("cost", today) + 1e-7)  # no money at all
    held = settled_answer(search, Target("deficit"), today, (), EXACT)
    without = settled_answer(search, Target("deficit"), today, (mark,), EXACT)
    assert plain is not None and held is not None and without is not None
    assert without.bound == pytest.approx(plain.bound, rel=1e-3)
    assert held.bound > plain.bound + 1e-3
    again = settled_answer(search, Target("deficit"), today, (), EXACT)
    assert again is not None and again.bound == pytest.approx(held.bound, rel=1e-3)  # the row asks again


class Hurried(Ordered):
    """Knows no step but the small model of the network at hand."""

    def _relax(self, *_: object) -> None: ...

    _around = _restrict = _roots = _search = _relax


def test_a_goal_that_is_not_proven_has_it_in_its_line() -> None:
    search, today = county()
    (deficit, travel) = Hurried(search, today).run(Limits()).goals
    assert deficit.bound == 0.0 and deficit.settled is not None
    assert 0 < deficit.settled <= deficit.objective + 1e-6
    assert deficit.settled == pytest.approx(deficit.objective, rel=0.02)
    assert travel.bound == 0.0 and travel.settled is None  # a rough gap is enough for it


def test_a_goal_that_is_proven_has_none() -> None:
    result = plan(small_county(), Scenario(goals=(Goal(name="deficit"), Goal(name="travel"))))
    assert [g.settled for g in result.solve.goals if g.gap <= 0.01] == [None] * sum(
        g.gap <= 0.01 for g in result.solve.goals
    )


def test_one_above_the_plan_is_a_defect_and_one_below_the_bound_is_left_out() -> None:
    result = plan(small_county(), Scenario(goals=(Goal(name="cost"),)))
    found = find_plan(instance(ready(small_county())), Task((Target("cost"),)))
    line = found.final.goals[0]
    with pytest.raises(Defect):
        refereed(replace(line, settled=line.objective + 1.0), found, result.verdict)
    assert refereed(replace(line, settled=line.bound - 1.0), found, result.verdict).settled is None
