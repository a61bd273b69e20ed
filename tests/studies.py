"""The hand-sized county in which one closure of seven sites is allowed, solved once as it is and once with A3 closed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import pytest

from optimizer.scenario import Goal, Scenario
from optimizer.study.study import Best, Study, best_plan, forced, open_study
from tests.models.plans import ready
from tests.samples import small_county

ALONE = Scenario(goals=(Goal(name="imbalance"),), gap=1e-4)


@contextmanager
def eased() -> Iterator[None]:
    """One closure is allowed to every study that is opened meanwhile."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("optimizer.study.study.load_standards", lambda county: ready().standards)
        yield


@cache
def eased_study() -> Study:
    """The study of the county; not to be changed."""
    with eased():
        return open_study(small_county(), ALONE)


@cache
def free() -> Best:
    """The best plan."""
    return best_plan(eased_study())


@cache
def shut() -> Best:
    """The best plan without A3."""
    return best_plan(forced(eased_study(), close=("A3",)))
