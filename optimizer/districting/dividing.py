"""Better plans for given sites: the units of two sites divided anew, exactly, over and over.

Where room is tight, moving a unit or swapping two never fits. All divisions of two sites' units are a table
over what one of them holds (dynamic programming), from which the best is read at once. Too much at a site
costs a price by pupil, moved up and down so that plans stay close to the edge of what fits; noise on the costs
of a few neighbouring sites takes the search elsewhere (iterated local search). Compiled: a search is millions
of small tables.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from optimizer.solver.compiled import compiled

KICK, NEAR = 4, 6
"""Sites shaken together, out of how many neighbours."""
NOISE, HEAT = 1.0, 0.5
"""Noise on a unit's cost, and worsening taken, as shares of what a unit's second best site costs more."""
DEARER, CHEAPER = 1.02, 0.99
"""How the price of too much at a site moves after a plan that does not fit, and after one that does."""
STRIDE = 20
"""Rounds between two looks at the clock."""


@compiled
def divided(gain: np.ndarray, demand: np.ndarray, most: int) -> np.ndarray:
    """All divisions of units between two sites.

    Parameters
    ----------
    gain : ndarray (k,)
        What each unit costs more at the first site than at the second.
    demand : ndarray of int (k,)
    most : int
        What the first site holds at most.

    Returns
    -------
    ndarray (k + 1, min(total demand, most) + 1)
        Least total gain of the first so many units by what the first site holds of them; infinite where none
        add up to it. A row below the one before: the unit is at the first site there.
    """
    width = min(demand.sum(), most) + 1
    table = np.full((len(gain) + 1, width), np.inf)
    table[0, 0] = 0.0
    for k in range(len(gain)):
        d, g = min(demand[k], width), gain[k]
        table[k + 1, :d] = table[k, :d]
        without, before, now = table[k, : width - d], table[k, d:], table[k + 1, d:]
        for i in range(width - d):
            moved, same = without[i] + g, before[i]
            now[i] = moved if moved < same else same
    return table


@compiled
def divide(
    cost: np.ndarray, demand: np.ndarray, room: np.ndarray, plan: np.ndarray, load: np.ndarray,
    a: int, b: int, price: float, noise: float,
) -> bool:  # fmt: skip
    """Divide the units of two sites anew, in place; False where nothing is gained.

    Parameters
    ----------
    cost, demand, room, plan : ndarray
        As of `Division`; ``plan`` is changed, and so is ``load``.
    load : ndarray of int (m,)
        What each site holds.
    a, b : int
    price : float
        Of a pupil too many.
    noise : float
        Standard deviation of noise on the costs, with which any division is taken; 0 for none.
    """
    units = np.flatnonzero((plan == a) | (plan == b))
    if not len(units):
        return False
    gain, need, here = np.empty(len(units)), demand[units], 0.0
    for i, u in enumerate(units):
        gain[i] = cost[u, a] - cost[u, b]
        here += gain[i] if plan[u] == a else 0.0
        if noise > 0:
            gain[i] += np.random.normal(0.0, noise)
    both = load[a] + load[b]
    table = divided(gain, need, max(room[a], load[a]) + need.max())
    best = table[-1].copy()
    for held in range(len(best)):
        best[held] += price * (max(0, held - room[a]) + max(0, both - held - room[b]))
    at = int(np.argmin(best))
    here += price * (max(0, load[a] - room[a]) + max(0, load[b] - room[b]))
    if not noise and best[at] >= here - 1e-7:
        return False
    load[a], load[b] = at, both - at
    for i in range(len(units) - 1, -1, -1):
        first = table[i + 1, at] < table[i, at]
        plan[units[i]] = a if first else b
        at -= need[i] if first else 0
    return True


@compiled
def descend(
    cost: np.ndarray, demand: np.ndarray, room: np.ndarray, plan: np.ndarray, load: np.ndarray,
    changed: np.ndarray, price: float,
) -> None:  # fmt: skip
    """Divide pairs of sites, one of them changed, in place until no pair gains.

    Parameters
    ----------
    cost, demand, room, plan, load, price
        As of `divide`.
    changed : ndarray of bool (m,)
    """
    sites = len(room)
    settled = np.zeros((sites, sites), dtype=np.bool_)
    while True:
        ahead = [
            (a, b)
            for a in range(sites)
            for b in range(a + 1, sites)
            if (changed[a] or changed[b]) and not settled[a, b]
        ]
        if not len(ahead):
            return
        for k in np.random.permutation(len(ahead)):
            a, b = ahead[k]
            if settled[a, b]:
                continue
            if divide(cost, demand, room, plan, load, a, b, price, 0.0):
                for j in (a, b):
                    settled[j, :] = False
                    settled[:, j] = False
                    changed[j] = True
            settled[a, b] = True


@compiled
def neighbours(cost: np.ndarray, plan: np.ndarray) -> np.ndarray:
    """A site and others that its units would not mind."""
    sites = cost.shape[1]
    a = np.random.randint(sites)
    dearer = np.zeros(sites)
    for k, u in enumerate(np.flatnonzero(plan == a)):
        for j in range(sites):
            more = cost[u, j] - cost[u, a]
            dearer[j] = more if k == 0 else min(dearer[j], more)
    dearer[a] = np.inf
    near = np.argsort(dearer)[: min(NEAR, sites - 1)]
    chosen = np.random.permutation(near)[: KICK - 1]
    return np.append(np.array([a]), chosen)


@compiled
def total(cost: np.ndarray, plan: np.ndarray) -> float:
    """Cost of a plan."""
    cost_of_all = 0.0
    for u in range(len(plan)):
        cost_of_all += cost[u, plan[u]]
    return cost_of_all


@compiled
def shaken(
    cost: np.ndarray, demand: np.ndarray, room: np.ndarray, plan: np.ndarray, best: np.ndarray,
    least: float, enough: float, price: float, scale: float, rounds: int, seed: int,
) -> tuple[float, float]:  # fmt: skip
    """Settle, then shake and settle so many times, in place.

    Parameters
    ----------
    cost, demand, room : ndarray
        As of `Division`.
    plan, best : ndarray of int (n,)
        Where the search stands and the best plan that fits; both are changed.
    least, enough : float
        Cost of the latter, and a cost at which to stop.
    price, scale : float
        Of a pupil too many; what a unit's second best site costs more.
    rounds, seed : int

    Returns
    -------
    float, float
        Cost of the best plan that fits and price, as they are now.
    """
    np.random.seed(seed)
    units, sites = cost.shape
    load = np.zeros(sites, dtype=np.int64)
    for u in range(units):
        load[plan[u]] += demand[u]
    descend(cost, demand, room, plan, load, np.full(sites, True), price)
    now = total(cost, plan)
    if now < least - 1e-9 and (load <= room).all():
        least = now
        best[:] = plan
    for _ in range(rounds):
        if least <= enough + 1e-6:
            break
        new, held, changed = plan.copy(), load.copy(), np.full(sites, False)
        some = neighbours(cost, new)
        for i in range(len(some)):
            changed[some[i]] = True
            for j in range(i + 1, len(some)):
                divide(cost, demand, room, new, held, some[i], some[j], price, NOISE * scale)
        descend(cost, demand, room, new, held, changed, price)
        value, over = total(cost, new), np.maximum(held - room, 0).sum()
        if value < least - 1e-9 and over == 0:
            least = value
            best[:] = new
        worse = value - now + price * (over - np.maximum(load - room, 0).sum())
        if worse <= HEAT * scale * np.random.exponential(1.0):
            plan[:] = new
            load[:] = held
            now = value
        price *= DEARER if over > 0 else CHEAPER
    return least, price


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
        two = np.sort(self.cost, axis=1)[:, :2]
        apart = (two[:, -1] - two[:, 0])[two[:, -1] < self.never]
        self.scale = float(apart.mean()) if len(apart) else 0.0
        self.price = max(1e-3, float(np.median(cost[allowed])) / max(1.0, float(demand.mean())))
        self.now, self.plan = plan.astype(np.int64), plan.astype(np.int64)
        self.best = self.never  # a plan with a pair that is not allowed costs more
        self.seed, self.parts = seed, 0
        self._go_on(-np.inf, 0)

    def _go_on(self, enough: float, rounds: int) -> None:
        """One more part of the search, with random numbers of its own: compiled code has one generator for all."""
        seed = int(np.random.SeedSequence((self.seed, self.parts)).generate_state(1)[0])
        self.parts += 1
        self.best, self.price = shaken(
            self.cost, self.demand, self.room, self.now, self.plan, self.best, enough, self.price, self.scale, rounds,
            seed,
        )  # fmt: skip

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
        for done in range(0, rounds if len(self.room) > 1 else 0, STRIDE):
            if self.best <= enough + 1e-6 or late():
                break
            self._go_on(enough, min(STRIDE, rounds - done))
        return self.best if self.best < self.never else float("inf")
