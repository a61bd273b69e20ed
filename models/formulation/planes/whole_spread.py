"""Lower planes of a spread whose amount comes in whole numbers: the convex hull over whole x and a range of P.

A unit with P pupils and x heads (or rooms) has the spread f(x, P) = (x / m - P)^2 / P. Tangent planes take x
as continuous; but heads are whole, and a unit of 60 pupils that deserves 0.7 backbone teachers has either
none or one. Over whole x = k + d (d: a fixed fraction that the unit has today) and P in [low, high] the
largest convex function below f is

    h(x, P) = max_b  b P + (1 - t) c(k, b) + t c(k + 1, b),    x = k + d + t, 0 <= t <= 1

    c(k, b) = min { f(k + d, Q) - b Q : low <= Q <= high }

f is jointly convex, so c(., b) is a convex sequence and the plane through k and k + 1,

    s >= (c(k+1, b) - c(k, b)) (x - k - d) + b P + c(k, b)                     (5)

holds at every whole k and every P of the range, for any b: the search for the best b needs no exactness.
With low = high it is the secant of x^2 between neighbouring whole numbers (docs/model/imbalance.md); with
a wide range and many heads it is nearly the tangent.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

HALVINGS = 40


@dataclass(frozen=True)
class Planes:
    """Planes s >= on_amount y + on_pupils P + constant, y = x / m in pupil-equivalents; arrays (n,)."""

    on_amount: np.ndarray
    on_pupils: np.ndarray
    constant: np.ndarray

    def at(self, amount: np.ndarray, pupils: np.ndarray) -> np.ndarray:
        """Height of each plane at a point."""
        height: np.ndarray = self.on_amount * amount + self.on_pupils * pupils + self.constant
        return height


def tangent_planes(amount: np.ndarray, pupils: np.ndarray) -> Planes:
    """Tangents of (y - P)^2 / P at the points' own ratios a = y / P (docs/model/imbalance.md, equation 2)."""
    ratio = np.maximum(0.0, amount) / pupils
    return Planes(2.0 * (ratio - 1.0), 1.0 - ratio * ratio, np.zeros(len(ratio)))


def _least(level: np.ndarray, slope: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """c(k, b): least f(x, Q) - b Q over the range, for ``level`` = x / m and b = ``slope``."""
    flat = 1.0 - slope
    with np.errstate(divide="ignore", invalid="ignore"):
        best = np.where(flat > 0, level / np.sqrt(np.maximum(flat, 1e-300)), np.inf)
    size = np.clip(best, low, high)
    least: np.ndarray = level * level / size - 2.0 * level + flat * size
    return least


def whole_planes(
    amount: np.ndarray,
    pupils: np.ndarray,
    mean: np.ndarray,
    low: np.ndarray,
    high: np.ndarray,
    fraction: np.ndarray,
) -> Planes:
    """The highest plane (5) at each point.

    Parameters
    ----------
    amount, pupils : ndarray (n,)
        The points: y in pupil-equivalents and P in pupils, ``low <= P <= high``.
    mean : ndarray (n,)
        m, heads or rooms a pupil.
    low, high : ndarray (n,)
        Range of P while the unit is open; low > 0.
    fraction : ndarray (n,)
        d in [0, 1), what the amount has besides whole numbers.
    """
    x = np.maximum(amount * mean - fraction, 0.0)
    k = np.floor(x + 1e-9)
    t = np.clip(x - k, 0.0, 1.0)
    one, two = (k + fraction) / mean, (k + 1.0 + fraction) / mean
    inner = (t > 1e-6) & (t < 1 - 1e-6)
    share = np.where(inner, t, 0.5)
    left = np.maximum(low, (pupils - share * high) / (1.0 - share))
    right = np.minimum(high, (pupils - share * low) / share)
    right = np.maximum(right, left)
    for _ in range(HALVINGS):  # the derivative of (1-t) f(k, Q) + t f(k+1, Q') grows with Q
        mid = 0.5 * (left + right)
        other = (pupils - (1.0 - share) * mid) / share
        rising = (two / other) ** 2 > (one / mid) ** 2
        right = np.where(rising, mid, right)
        left = np.where(rising, left, mid)
    first = np.where(inner, 0.5 * (left + right), pupils)
    second = np.where(inner, (pupils - (1.0 - share) * first) / share, pupils)
    best = None
    for slope in (1.0 - (one / first) ** 2, 1.0 - (two / np.maximum(second, 1e-9)) ** 2):
        here, there = _least(one, slope, low, high), _least(two, slope, low, high)
        on_amount = (there - here) * mean
        found = Planes(on_amount, slope, here - (there - here) * (k + fraction))
        if best is None:
            best = found
            continue
        better = found.at(amount, pupils) > best.at(amount, pupils)
        best = Planes(
            np.where(better, found.on_amount, best.on_amount),
            np.where(better, found.on_pupils, best.on_pupils),
            np.where(better, found.constant, best.constant),
        )
    assert best is not None
    return best
