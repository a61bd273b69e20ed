"""Better plans for given sites: the units of two sites divided anew, exactly, over and over.

Where room is tight, moving a unit or swapping two never fits. All divisions of two sites' units are a table
over what one of them holds (dynamic programming), from which the best is read at once. Too much at a site
costs a price by pupil, moved up and down so that plans stay close to the edge of what fits; noise on the costs
of a few neighbouring sites takes the search elsewhere (iterated local search).
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations

import numpy as np

KICK, NEAR = 4, 6
"""Sites shaken together, out of how many neighbours."""
NOISE, HEAT = 1.0, 0.5
"""Noise on a unit's cost, and worsening taken, as shares of what a unit's second best site costs more."""
DEARER, CHEAPER = 1.02, 0.99
"""How the price of too much at a site moves after a plan that does not fit, and after one that does."""


def divided(gain: np.ndarray, demand: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """All divisions of units between two sites.

    Parameters
    ----------
    gain : ndarray (k,)
        What each unit costs more at the first site than at the second.
    demand : ndarray of int (k,)

    Returns
    -------
    ndarray (total demand + 1,)
        Least total gain by what the first site holds; infinite where no units add up to it.
    ndarray of bool (k, total demand + 1)
        Whether the unit is at the first site there, the later units put aside.
    """
    total = int(demand.sum())
    best = np.full(total + 1, np.inf)
    best[0] = 0.0
    taken = np.zeros((len(demand), total + 1), dtype=bool)
    top = 0
    for k, d in enumerate(demand.tolist()):
        other = best[: top + 1] + gain[k]
        top += d
        here = best[d : top + 1]
        taken[k, d : top + 1] = other < here - 1e-9
        best[d : top + 1] = np.minimum(here, other)
    return best, taken


class Division:
    """Plans for some sites, one search.

    Parameters
    ----------
    cost : ndarray (n, m)
        Of serving unit n from site m; infinite where not allowed.
    demand : ndarray of int (n,)
    room : ndarray of int (m,)
    plan : ndarray of int (n,)
        Any assignment to begin with, whether it fits or not.
    seed : int
    """

    def __init__(self, cost: np.ndarray, demand: np.ndarray, room: np.ndarray, plan: np.ndarray, seed: int):
        allowed = np.isfinite(cost)
        self.never = float(cost[allowed].sum()) + 1.0
        self.cost, self.demand, self.room = np.where(allowed, cost, self.never), demand, room
        self.units, self.sites = cost.shape
        self.rng = np.random.default_rng(seed)
        two = np.sort(self.cost, axis=1)[:, :2]
        apart = (two[:, -1] - two[:, 0])[two[:, -1] < self.never]
        self.scale = float(apart.mean()) if len(apart) else 0.0
        self.price = max(1e-3, float(np.median(cost[allowed])) / max(1.0, float(demand.mean())))
        self.now, self.best, self.plan = plan.copy(), np.inf, plan.copy()
        self._descend(self.now, range(self.sites))
        self._note(self.now)

    def search(self, rounds: int, enough: float, late: Callable[[], bool] = lambda: False) -> float:
        """Shake and settle so many times; the cost of the best plan that fits, infinite without one.

        Parameters
        ----------
        rounds : int
        enough : float
            A cost at which to stop: no plan is cheaper.
        late : callable
            True where time is up.
        """
        for _ in range(rounds if self.sites > 1 else 0):
            if self.best <= enough + 1e-6 or late():
                break
            new = self.now.copy()
            some = self._neighbours(new)
            for a, b in combinations(some, 2):
                self._divide(new, a, b, NOISE * self.scale)
            self._descend(new, some)
            self._note(new)
            worse = self._priced(new) - self._priced(self.now)
            if worse <= HEAT * self.scale * self.rng.exponential():
                self.now = new
            self.price *= DEARER if self._over(new) else CHEAPER
        return self.best

    def _over(self, plan: np.ndarray) -> float:
        load = np.bincount(plan, weights=self.demand, minlength=self.sites)
        return float(np.maximum(load - self.room, 0).sum())

    def _cost(self, plan: np.ndarray) -> float:
        return float(self.cost[np.arange(self.units), plan].sum())

    def _priced(self, plan: np.ndarray) -> float:
        return self._cost(plan) + self.price * self._over(plan)

    def _note(self, plan: np.ndarray) -> None:
        cost = self._cost(plan)
        if cost < min(self.best, self.never) - 1e-9 and not self._over(plan):
            self.best, self.plan = cost, plan.copy()

    def _neighbours(self, plan: np.ndarray) -> list[int]:
        """A site and others that its units would not mind."""
        a = int(self.rng.integers(self.sites))
        own = self.cost[plan == a]
        dearer = (own - own[:, [a]]).min(axis=0) if len(own) else np.zeros(self.sites)
        near = [int(j) for j in np.argsort(dearer, kind="stable") if j != a][:NEAR]
        return [a, *map(int, self.rng.choice(near, min(KICK - 1, len(near)), replace=False))]

    def _divide(self, plan: np.ndarray, a: int, b: int, noise: float = 0.0) -> bool:
        """Divide the units of two sites anew in place; False where nothing is gained."""
        units = np.flatnonzero((plan == a) | (plan == b))
        gain, demand = self.cost[units, a] - self.cost[units, b], self.demand[units]
        if noise:
            gain = gain + self.rng.normal(0.0, noise, len(units))
        best, taken = divided(gain, demand)
        total = len(best) - 1
        load = np.arange(total + 1)
        over = np.maximum(load - self.room[a], 0) + np.maximum(total - load - self.room[b], 0)
        priced = best + self.price * over
        here = plan[units] == a
        at = int(np.argmin(priced))
        if priced[at] >= gain[here].sum() + self.price * over[int(demand[here].sum())] - 1e-7:
            return False
        for k in range(len(units) - 1, -1, -1):
            first = bool(taken[k, at])
            plan[units[k]] = a if first else b
            at -= int(demand[k]) if first else 0
        return True

    def _descend(self, plan: np.ndarray, changed: list[int] | range) -> None:
        """Divide pairs of sites, one of them changed, until no pair gains."""
        dirty = set(changed)
        settled: set[tuple[int, int]] = set()
        while True:
            pairs = [
                p for p in combinations(range(self.sites), 2) if dirty & set(p) and p not in settled
            ]  # fmt: skip
            if not pairs:
                return
            self.rng.shuffle(pairs)
            for a, b in map(tuple, pairs):
                if (a, b) in settled:
                    continue
                if self._divide(plan, a, b):
                    settled = {p for p in settled if a not in p and b not in p}
                    dirty |= {a, b}
                settled.add((a, b))
