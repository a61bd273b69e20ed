"""Planes under the sum of one unit's spreads: all its indicators share one enrolment.

A plane under a single spread (`models.formulation.planes.whole_spread`) lets every indicator choose an enrolment of its own: a
unit of 60 pupils looks as if it had 40 for its backbone teachers and 80 for its arts teachers, each of them
fitting whole heads. Under the sum

    F(P, x) = sum_r (x_r / m_r - P)^2 / P,    x_r whole (heads, rooms) or continuous, max(l_r, n_r P) <= x_r / m_r <= h_r

one whole enrolment P has to do for all. An indicator that must stay met asks for n_r P at least, in whole heads: 309 pupils and
one backbone teacher a hundred make four, not 3.09. For any slopes a_r, b the plane

    sum_r s_r >= sum_r a_r y_r + b P + c(a, b),    c(a, b) = min { F(P, m y) - a y - b P : low <= P <= high }    (6)

holds for every plan. The minimum is exact and quick: P runs over its range, and for each P every y_r is the
nearest allowed to P (1 + a_r / 2). The best slopes at a point come from `optimizer.search.cuts.hull_cuts`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np


@dataclass(frozen=True)
class UnitHull:
    """One unit's indicators over a range of enrolment.

    Parameters
    ----------
    sizes : ndarray (n,)
        The whole enrolments of the range, at least 1.
    mean : ndarray (r,)
        m, amount a pupil.
    whole : ndarray of bool (r,)
        Amounts that are whole besides ``fraction``.
    fraction : ndarray (r,)
        What an amount has besides whole ones, in [0, 1).
    least, most : ndarray (r,)
        Range of y = x / m while the unit is open, in pupil-equivalents.
    need : ndarray (r,)
        n, the least y a pupil; 0 where nothing is asked for.
    """

    sizes: np.ndarray
    mean: np.ndarray
    whole: np.ndarray
    fraction: np.ndarray
    least: np.ndarray
    most: np.ndarray
    need: np.ndarray

    def cheapest(self, on_amount: np.ndarray, on_pupils: float) -> tuple[float, float, np.ndarray]:
        """c(a, b), and the enrolment and amounts where it is taken.

        Parameters
        ----------
        on_amount : ndarray (r,)
            a_r
        on_pupils : float
            b

        Returns
        -------
        least : float
        pupils : float
        amount : ndarray (r,)
            y, in pupil-equivalents.
        """
        size, slope = self.sizes[:, None], on_amount[None]
        floor, most = self._floor, np.maximum(self.most, self._floor)
        wanted = np.clip(size * (1.0 + 0.5 * slope), floor, most)
        x = np.maximum(wanted * self.mean - self.fraction, 0.0)
        near = [
            (np.floor(x + 1e-9) + self.fraction) / self.mean,
            (np.ceil(x - 1e-9) + self.fraction) / self.mean,
        ]
        best, height = wanted, np.where(self.whole, np.inf, self._height(wanted, size, slope))
        for y in near:
            allowed = self.whole & (y >= floor - 1e-6)
            value = np.where(allowed, self._height(y, size, slope), np.inf)
            best, height = np.where(value < height, y, best), np.minimum(value, height)
        total = height.sum(axis=1) - on_pupils * self.sizes + self._beyond
        k = int(total.argmin())
        return float(total[k]), float(self.sizes[k]), best[k]

    @cached_property
    def _floor(self) -> np.ndarray:
        """Least y of every enrolment; a little less than needed, as the model's rows are kept to a tolerance."""
        floor: np.ndarray = np.maximum(self.least, self.need * self.sizes[:, None] - 1e-6)
        return floor

    @cached_property
    def _beyond(self) -> np.ndarray:
        """Zero, or infinite for an enrolment that needs more of something than the unit can have; zero where all of them do."""
        far = (self._floor > self.most + 1e-5).any(axis=1)
        return np.where(far & (not far.all()), np.inf, 0.0)

    @staticmethod
    def _height(y: np.ndarray, size: np.ndarray, slope: np.ndarray) -> np.ndarray:
        height: np.ndarray = (y - size) ** 2 / size - slope * y
        return height

    def worth(self, pupils: float, amount: np.ndarray) -> float:
        """F at a point."""
        return float(((amount - pupils) ** 2 / pupils).sum())
