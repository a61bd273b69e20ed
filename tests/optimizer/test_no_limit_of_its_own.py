"""Numbers that only bound columns keep no plan out that the rules allow."""

from __future__ import annotations

from models.problem.request import Request
from tests.models.plans import keep_all, moved, ready
from tests.optimizer.test_every_rule_binds import in_the_model
from tests.samples import small_county


def test_a_small_point_may_have_two_backbone_teachers() -> None:
    """It could grow to be assessed and is not: thrice its pupils at the county's mean was less than two heads, so the
    imbalance of the small county had a bound of 0.52 where a plan has 0.37."""
    case = ready(small_county(1_000_000.0))
    ends = [("A1", "pri", "A3", "pri"), ("A3", "pri", "A1", "pri"), ("A3", "pri", "B1", "pri")]
    made = moved(
        keep_all(case), (*ends[0], "arts", 1), (*ends[0], "backbone", 2), (*ends[1], "plain_q", 1), (*ends[2], "plain", 1)
    )  # fmt: skip
    assert case.judge(made).accepted
    assert in_the_model(case, made, Request())
