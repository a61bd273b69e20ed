"""Planes of whole amounts lie below every whole point of the range, and are exact where enrolment is known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.formulation.planes.whole_spread import tangent_planes, whole_planes


def spread(amount: np.ndarray, pupils: np.ndarray) -> np.ndarray:
    return (amount - pupils) ** 2 / pupils


def one(*values: float) -> list[np.ndarray]:
    return [np.array([v]) for v in values]


@settings(max_examples=200)
@given(
    st.floats(0.005, 0.2), st.floats(1, 300), st.floats(0, 400), st.floats(0, 1), st.floats(0.05, 3),
    st.sampled_from([0.0, 0.37]),
)  # fmt: skip
def test_no_whole_point_lies_below_the_plane(mean, low, wide, where, ratio, fraction) -> None:
    high = low + wide
    pupils = low + where * wide
    amount = max(ratio * pupils, fraction / mean)
    plane = whole_planes(*one(amount, pupils, mean, low, high, fraction))
    size = np.linspace(low, high, 25)
    for k in range(40):
        x = np.full(25, (k + fraction) / mean)
        above = spread(x, size) - plane.at(x, size)
        assert (above > -1e-9 * (1 + spread(x, size))).all()


@settings(max_examples=100)
@given(st.integers(0, 30), st.floats(0, 1), st.floats(20, 900), st.floats(0.005, 0.1))
def test_with_known_enrolment_it_is_the_secant_between_whole_numbers(k, t, pupils, mean) -> None:
    x = k + t
    plane = whole_planes(*one(x / mean, pupils, mean, pupils, pupils, 0.0))
    ends = spread(np.array([k, k + 1]) / mean, pupils)
    assert plane.at(*one(x / mean, pupils))[0] == pytest.approx(
        (1 - t) * ends[0] + t * ends[1], rel=1e-6, abs=1e-6
    )


def test_one_backbone_teacher_or_none() -> None:
    # 60 pupils deserve 0.72 of a head: a tangent sees no spread, whole heads leave at least 16.8 pupils of it
    point = one(60.0, 60.0)
    assert tangent_planes(*point).at(*point)[0] == pytest.approx(0.0)
    plane = whole_planes(*point, *one(0.012, 60.0, 60.0, 0.0))
    assert plane.at(*point)[0] == pytest.approx(0.28 * 60 + 0.72 * (1 / 0.012 - 60) ** 2 / 60)


def test_a_wider_range_never_gives_a_higher_plane() -> None:
    heights = [
        whole_planes(*one(70.0, 75.0, 0.012, 75.0 - w, 75.0 + w, 0.0)).at(*one(70.0, 75.0))[0]
        for w in (0.0, 5.0, 20.0, 60.0)
    ]
    assert heights == sorted(heights, reverse=True)
    assert heights[-1] > 0.0
