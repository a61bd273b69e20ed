"""The steps of `optimizer.districting.annealing`, compiled."""

from __future__ import annotations

import math

import numpy as np

from optimizer.solver.compiled import Ground, compiled


@compiled
def _walk(
    found: np.ndarray, n: int, at: np.ndarray, ground: Ground, mark: np.ndarray, was: int, now: int
) -> int:
    """Walk on from the last of n units found through their catchment; marks what it comes to, -> new n.

    Only units marked ``was`` are walked to, or any that are not marked ``now`` where that is 0.
    """
    head, j = n - 1, at[found[n - 1]]
    while head < n:
        w = found[head]
        head += 1
        for e in range(ground.start[w], ground.start[w + 1]):
            v = ground.near[e]
            if at[v] == j and mark[v] != now and (was == 0 or mark[v] == was):
                mark[v] = now
                found[n] = v
                n += 1
    return n


@compiled
def hung_on(u: int, at: np.ndarray, ground: Ground, mark: np.ndarray, turn: int, goes: np.ndarray) -> int:
    """Write u and the units that lose the way to their site when u leaves to ``goes``; -> how many.

    Parameters
    ----------
    mark : ndarray of int
        By unit, of earlier calls.
    turn : int
        Marks above every earlier one; three are used.
    """
    j, around = at[u], 0
    for e in range(ground.start[u], ground.start[u + 1]):
        v = ground.near[e]
        if at[v] == j:
            mark[v] = turn
            goes[0] = v
            around += 1
    if around > 1:  # mostly the neighbours hold each other
        mark[u], mark[goes[0]] = 0, turn + 1
        around -= _walk(goes, 1, at, ground, mark, turn, turn + 1)
    else:
        around = 0
    n = 1
    if around > 0:
        mark[u], mark[ground.home[j]] = turn + 2, turn + 2
        goes[0] = ground.home[j]
        _walk(goes, 1, at, ground, mark, 0, turn + 2)
        for e in range(ground.start[u], ground.start[u + 1]):
            v = ground.near[e]
            if at[v] == j and mark[v] != turn + 2:
                mark[v] = turn + 2
                goes[n] = v
                n = _walk(goes, n + 1, at, ground, mark, 0, turn + 2)
    goes[0] = u
    return n


@compiled
def _more(need: float, here: float, there: float) -> float:
    """How much more is too many when so much goes from a site to another, by what either has too many."""
    return max(0.0, there + need) - max(0.0, there) - max(0.0, here) + max(0.0, here - need)


@compiled
def _step(
    u: int, k: int, bar: float, at: np.ndarray, load: np.ndarray, ground: Ground, cost: np.ndarray,
    price: np.ndarray, limit: float, fine: float, mark: np.ndarray, turn: int, goes: np.ndarray,
) -> tuple[int, float, float, float]:  # fmt: skip
    """What goes to site k with unit u: how many units, their demand, cost and more that is too many.

    No unit where that would be dearer than ``bar``, or a pair is not allowed.
    """
    room, demand, j = ground.room, ground.demand, at[u]
    need, change = demand[u], price[u, k] - price[u, j]
    more = _more(need, load[j] - room[j], load[k] - room[k])
    if cost[u, k] >= limit or change + fine * more > bar:
        return 0, 0.0, 0.0, 0.0
    n = hung_on(u, at, ground, mark, turn, goes)
    for i in range(1, n):
        w = goes[i]
        if cost[w, k] >= limit:
            return 0, 0.0, 0.0, 0.0
        need += demand[w]
        change += price[w, k] - price[w, j]
    if n > 1:
        more = _more(need, load[j] - room[j], load[k] - room[k])
        if change + fine * more > bar:
            return 0, 0.0, 0.0, 0.0
    added = 0.0
    for i in range(n):
        added += cost[goes[i], k] - cost[goes[i], j]
    return n, need, added, more


@compiled
def anneal(
    at: np.ndarray, ground: Ground, cost: np.ndarray, price: np.ndarray, limit: float, edges: np.ndarray,
    steps: int, seed: int, hot: float, cold: float, fine: float, states: np.ndarray,
) -> tuple[float, np.ndarray]:  # fmt: skip
    """Best plan within room come across from a state, and its cost; infinite where there was none.

    Parameters
    ----------
    at : ndarray of int
        Site by unit; changed on the way.
    cost, price : ndarray (units, sites)
        What a plan is worth, and what the search looks at.
    limit : float
        The cost of a pair that is not allowed.
    edges : ndarray of int (n, 2)
        Borders to look at: a unit and the neighbour whose site it may go to.
    hot, cold : float
        First and last temperature, in the unit of the prices.
    fine : float
        Price of a unit of demand too many.
    states : ndarray of int (k, units)
        Filled with the states on the way, evenly over the colder half of the steps.
    """
    np.random.seed(seed)
    units, sites = cost.shape
    mark, goes, turn = np.zeros(units, np.int64), np.zeros(units + 1, np.int64), 1
    best, plan, heat, windows = np.inf, at.copy(), hot, 2 * len(states)
    load = np.zeros(sites)
    for window in range(windows):
        load[:] = 0.0
        total = 0.0
        for u in range(units):
            load[at[u]] += ground.demand[u]
            total += cost[u, at[u]]
        over = np.maximum(load - ground.room, 0.0).sum()
        if over <= 1e-6 and total < min(best - 1e-9, limit):
            best = total
            plan[:] = at
        for _ in range(-(-steps // windows)):
            i = np.random.randint(len(edges))
            u, k = edges[i, 0], at[edges[i, 1]]
            j = at[u]
            if j == k:
                continue
            turn += 3
            bar = -heat * math.log(1.0 - np.random.random())
            n, need, added, more = _step(
                u, k, bar, at, load, ground, cost, price, limit, fine, mark, turn, goes
            )
            for g in range(n):
                at[goes[g]] = k
            load[j] -= need
            load[k] += need
            over += more
            total += added
            if n > 0 and over <= 1e-6 and total < min(best - 1e-9, limit):
                best = total
                plan[:] = at
        states[max(0, window - len(states))] = at
        heat *= (cold / hot) ** (1 / windows)
    return best, plan
