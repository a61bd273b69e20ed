"""Exact cuts for one site's room: facets of the knapsack polytope, found by solving it.

The relaxation lets a site take fractions of units until it is full; whole units seldom fill it. What
whole units can do is the knapsack polytope

    K = conv { v in {0,1}^n : sum_u d[u] v[u] <= room }

A point x outside K is cut off by the inequality a v <= 1 that it violates most (Fenchel cut, Boyd 1994;
for assignment with room Avella, Boccia & Vasilyev 2010), found by rows: the polar problem

    max a x   subject to   a v <= 1 for the known v, 0 <= a <= 1

and, by dynamic programming over the room, the v in K that its answer violates most, until none does.
Units where x is zero are left out of that and lifted in one by one. Demands are whole numbers (pupils).
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import TypeAlias

import highspy
import numpy as np

TOLERANCE = 1e-7
TRIES = 60
"""Rows a room's polar problem may take for one cut: more bring little, and in large rooms take most of the time."""
Fullest: TypeAlias = Callable[[np.ndarray], "tuple[float, np.ndarray] | None"]
"""Coefficients -> the most that whole units bring under them, and which do (bool); None where not known."""


def fill(gain: np.ndarray, demand: np.ndarray, room: int) -> tuple[float, np.ndarray]:
    """Best whole filling of a room.

    Parameters
    ----------
    gain : ndarray of float, (n,)
    demand : ndarray of int, (n,)
    room : int

    Returns
    -------
    float, ndarray of bool (n,)
        The largest total gain and the units that give it.
    """
    best = np.zeros(room + 1)
    taken = np.zeros((len(gain), room + 1), dtype=bool)
    for k, (g, d) in enumerate(zip(gain, demand, strict=True)):
        if g > 0 and d <= room:
            other = best[: room + 1 - d] + g
            taken[k, d:] = other > best[d:] + 1e-12
            best[d:] = np.maximum(best[d:], other)
    chosen = np.zeros(len(gain), dtype=bool)
    left = room
    for k in range(len(gain) - 1, -1, -1):
        if taken[k, left]:
            chosen[k] = True
            left -= int(demand[k])
    return float(best[room]), chosen


def lifted(a: np.ndarray, demand: np.ndarray, room: int, others: np.ndarray) -> np.ndarray:
    """Coefficients of units left out, each as large as keeps a v <= 1 valid (sequential lifting).

    Parameters
    ----------
    a : ndarray (n,)
        Coefficients of the units that have one.
    demand : ndarray of int (n,)
    room : int
    others : ndarray of int (m,)
        Demands of the units to lift, in the order in which to do so; each fits the room alone.

    Returns
    -------
    ndarray (m,)
    """
    best = np.zeros(room + 1)
    for g, d in zip(a, demand, strict=True):
        if g > 0:
            best[d:] = np.maximum(best[d:], best[: room + 1 - d] + g)
    given = np.zeros(len(others))
    for k, d in enumerate(others):
        g = max(0.0, 1.0 - float(best[room - d]))
        if g > TOLERANCE:
            given[k] = g
            best[d:] = np.maximum(best[d:], best[: room + 1 - d] + g)
    return given


class Room:
    """Cuts of one site's room.

    Keeps the polar problem with every filling seen: from one point to the next only its objective
    changes, and a few simplex steps go on from the last basis.

    Parameters
    ----------
    demand : ndarray of int (n,)
        Of the units the site may serve; units with no demand never appear in a cut.
    room : int
    """

    def __init__(self, demand: np.ndarray, room: int):
        self.demand, self.room = demand, room
        self.fits = (demand > 0) & (demand <= room)
        self.inside = np.zeros(0)
        self.polar, self.part = polar_problem(len(demand)), polar_problem(0)

    def cut(self, point: np.ndarray, least: float = 0.01) -> np.ndarray | None:
        """Inequality a v <= 1 that every whole filling keeps and a point violates, or None.

        Parameters
        ----------
        point : ndarray (n,)
            Shares of the units at the site in the relaxation, divided by how far the site is open.
        least : float
            Violation asked for.

        Returns
        -------
        ndarray (n,) or None
            ``a @ v <= 1`` for every whole filling v, ``a @ point >= 1 + least``. None too where a search gave up.
        """
        some = np.flatnonzero((point > 1e-6) & self.fits)
        inside = point[some]
        fractional = ((inside > 1e-4) & (inside < 1 - 1e-4)).any()
        if not fractional or self.demand[some].sum() <= self.room or self._seen(point):
            return None
        a = self._most_violated(point, some, least) if self._outside(point, some, least) else None
        if a is None:
            self.inside = point.copy()
            return None
        cut = np.zeros(len(point))
        cut[some] = a
        rest = np.setdiff1d(np.flatnonzero(self.fits), some)
        rest = rest[np.argsort(-self.demand[rest], kind="stable")]
        cut[rest] = lifted(a, self.demand[some], self.room, self.demand[rest])
        return cut

    def _outside(self, point: np.ndarray, some: np.ndarray, least: float) -> bool:
        """False where nothing is violated by so much, told from the few units that are not whole.

        Where some units are whole, a point is in K exactly if the others are in what K leaves them: a polar
        problem of a few columns, where the whole one has hundreds. Its own rows would be weak after lifting.
        """
        whole, need = point[some] > 1 - 1e-6, self.demand[some]
        largest = int(need[~whole].max())
        for k in np.argsort(-need, kind="stable"):  # every other unit must fit, or a <= 1 hides it
            if self.room - int(need[whole].sum()) >= largest:
                break
            whole[k] = False
            largest = max(largest, int(need[k]))
        rest, spare = some[~whole], self.room - int(need[whole].sum())
        self.part.clearModel()
        add_columns(self.part, -point[rest])
        fullest = _filling(need[~whole], spare)
        return violated(self.part, np.arange(len(rest)), point[rest], fullest, least) is not None

    def _most_violated(self, point: np.ndarray, some: np.ndarray, least: float) -> np.ndarray | None:
        """The a, on the units of the point, that it violates most."""
        aim(self.polar, some, point)
        filling = _filling(self.demand[some], self.room)
        return violated(self.polar, some, point[some], filling, least, TRIES)

    def _seen(self, point: np.ndarray) -> bool:
        """True for the point, to five digits, that last turned out to lie inside."""
        return len(self.inside) == len(point) and bool(np.allclose(point, self.inside, atol=1e-9))


def _filling(need: np.ndarray, room: int) -> Fullest:
    """`fill`, with what still fits put in where the filling is broken: that makes the row stronger."""
    small_first = np.argsort(need, kind="stable")

    def fullest(a: np.ndarray) -> tuple[float, np.ndarray]:
        most, v = fill(a, need, room)
        if most > 1 + TOLERANCE:
            for k in small_first:
                if not v[k] and need[v].sum() + need[k] <= room:
                    v[k] = True
        return most, v

    return fullest


def polar_problem(n: int) -> highspy.Highs:
    """A polar problem of n columns, none of them with a row yet."""
    polar = highspy.Highs()
    for name, value in (("output_flag", False), ("presolve", "off"), ("threads", 1)):
        polar.setOptionValue(name, value)
    add_columns(polar, np.zeros(n))
    return polar


def add_columns(polar: highspy.Highs, cost: np.ndarray) -> None:
    """Coefficients from 0 to 1 at these costs."""
    n, none = len(cost), np.zeros(0, dtype=np.int32)
    polar.addCols(n, cost, np.zeros(n), np.ones(n), 0, none, none, np.zeros(0))


def aim(polar: highspy.Highs, some: np.ndarray, point: np.ndarray) -> None:
    """Set the costs for a point that shows some units."""
    cost = np.zeros(len(point))
    cost[some] = -point[some]
    polar.changeColsCost(len(point), np.arange(len(point), dtype=np.int32), cost)


def narrow(polar: highspy.Highs, some: np.ndarray) -> None:
    """Let only some units have a coefficient."""
    n = polar.getNumCol()
    high = np.zeros(n)
    high[some] = 1.0
    polar.changeColsBounds(n, np.arange(n, dtype=np.int32), np.zeros(n), high)


def violated(
    polar: highspy.Highs,
    columns: np.ndarray,
    x: np.ndarray,
    fullest: Fullest,
    least: float,
    tries: int | None = None,
) -> np.ndarray | None:
    """Solve a polar problem by rows: the a that a point violates most.

    Parameters
    ----------
    polar : Highs
        Its rows are whole solutions seen; those found here are added.
    columns : ndarray of int (n,)
        The polar's columns of the point's units.
    x : ndarray (n,)
        The point.
    fullest : callable
    least : float
        Violation asked for.
    tries : int or None
        Rows after which to give up.

    Returns
    -------
    ndarray (n,) or None
        None where nothing is violated by so much, ``fullest`` does not know, or it was given up.
    """
    for _ in count() if tries is None else range(tries):
        if polar.run() == highspy.HighsStatus.kError:
            # HiGHS counts threads once a process: a solve with more than one came before
            raise ArithmeticError("HiGHS refused a polar problem")
        a = np.array(polar.getSolution().col_value)[columns]
        if a @ x < 1 + least:
            return None
        known = fullest(a)
        if known is None:
            return None
        most, v = known
        if most <= 1 + TOLERANCE:
            return np.where(a > TOLERANCE, a, 0.0) / max(1.0, most)
        index = columns[v].astype(np.int32)
        polar.addRow(-highspy.kHighsInf, 1.0, len(index), index, np.ones(len(index)))
    return None
