"""Exact cuts for one site's catchments: which units may be together in one, by room and by the way to them.

Room alone lets a site take any units that fill it; contiguity alone any units on some way to each other.
Together they allow much less: units on two sides of a site fit its room, but not with what lies between.
The catchments of site j, with its own unit h(j) in every one,

    C[j] = { v in {0,1}^n : v is connected and holds h(j), sum_u d[u] v[u] <= room[j] }

give the inequalities a v <= 1 with a >= 0 that every v in C[j] keeps. The one that a point violates most
comes of the polar problem of `models.districting.knapsack`, with a search for the catchment worth most under a
(`optimizer.districting.catchment_search.heaviest`) in the place of the knapsack. Units between that bear no
coefficient only take up room. On the instances of Gongyi these cuts halve what the relaxation lacks
(benchmarks/results/service_areas.md).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from models.districting.knapsack import TOLERANCE, aim, narrow, polar_problem, violated

if TYPE_CHECKING:
    from optimizer.solver.compiled import Ground

MOST, FEWEST = 2_000_000, 50_000
"""Nodes of a search times units a site may serve: at first, and after halving for every search that gave up.
A cut found doubles them."""


class Catchment:
    """Cuts of one site's catchments.

    Keeps the polar problem with every catchment seen.

    Parameters
    ----------
    ground : Ground
    site : int
    units : ndarray of int (n,)
        Units the site may serve, its own among them.
    """

    def __init__(self, ground: Ground, site: int, units: np.ndarray):
        self.ground, self.site, self.units = ground, site, units
        self.allowed = np.zeros(len(ground.demand), dtype=bool)
        self.allowed[units] = True
        self.others = units != ground.home[site]
        self.polar = polar_problem(len(units))
        self.inside = np.zeros(0)
        self.nodes = MOST // len(units)

    def cut(self, point: np.ndarray, least: float = 0.01) -> np.ndarray | None:
        """Inequality a v <= 1 that every catchment keeps and a point violates, or None.

        Parameters
        ----------
        point : ndarray (n,)
            Shares of the units at the site in the relaxation, divided by how far the site is open.
        least : float
            Violation asked for.

        Returns
        -------
        ndarray (n,) or None
            ``a @ v <= 1`` for every v in C[j], ``a @ point >= 1 + least``. None too where a search gave up.
        """
        some = np.flatnonzero((point > 1e-6) & self.others)
        fractional = ((point[some] > 1e-4) & (point[some] < 1 - 1e-4)).any()
        if not fractional or self._seen(point):
            return None
        aim(self.polar, some, point)
        narrow(self.polar, some)
        a = violated(self.polar, some, point[some], lambda a: self._heaviest(some, a), least)
        if a is None:
            self.inside = point.copy()
            return None
        self.nodes = min(MOST // len(self.units), 2 * self.nodes)
        cut = np.zeros(len(point))
        cut[some] = a
        return cut

    def _heaviest(self, some: np.ndarray, a: np.ndarray) -> tuple[float, np.ndarray] | None:
        """The catchment worth most, or one worth more than 1; None where neither was found in time."""
        from optimizer.districting.catchment_search import heaviest, top_up

        gain, held = np.zeros(len(self.allowed)), np.zeros(len(self.allowed), dtype=bool)
        gain[self.units[some]] = np.where(a > TOLERANCE, a, 0.0)
        most, done = heaviest(self.site, gain, self.allowed, self.ground, 1 + TOLERANCE, self.nodes, held)
        if most > 1 + TOLERANCE:
            wanted = np.zeros(len(held), dtype=bool)
            wanted[self.units[some]] = True
            top_up(held, wanted, self.ground, self.ground.room[self.site])
            return most, held[self.units[some]]
        if done:
            return most, held[self.units[some]]
        self.nodes = max(FEWEST // len(self.units), self.nodes // 2)
        return None

    def _seen(self, point: np.ndarray) -> bool:
        """True for the point, to five digits, that last gave no cut."""
        return len(self.inside) == len(point) and bool(np.allclose(point, self.inside, atol=1e-9))
