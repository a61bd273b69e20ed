"""Catchments of one site that are worth more than a given value, and the one worth most, compiled."""

from __future__ import annotations

import numpy as np

from optimizer.solver.compiled import Ground, compiled


@compiled
def _region(
    limit: float, left: float, status: np.ndarray, gain: np.ndarray, ground: Ground, queue: np.ndarray,
    seen: np.ndarray, loss: np.ndarray, inside: np.ndarray, taken: int, stamp: int,
) -> None:  # fmt: skip
    """Stamp the free units to which one can walk from those inside at a loss below limit."""
    size, n, head = len(queue), taken, 0
    for i in range(taken):
        queue[i] = inside[i]
        loss[inside[i]], seen[inside[i]] = 0.0, stamp
    while n > 0:
        w = queue[head]
        head, n = (head + 1) % size, n - 1
        for e in range(ground.start[w], ground.start[w + 1]):
            v = ground.near[e]
            if status[v] == 0 and ground.demand[v] <= left:
                d = loss[w] + max(0.0, -gain[v])
                if d < limit and n < size and (seen[v] != stamp or d < loss[v] - 1e-12):
                    seen[v], loss[v] = stamp, d
                    queue[(head + n) % size] = v
                    n += 1


@compiled
def _filled(
    value: float, left: float, status: np.ndarray, order: np.ndarray, gain: np.ndarray, demand: np.ndarray,
    seen: np.ndarray, stamp: int,
) -> float:  # fmt: skip
    """The value with the room left filled by stamped free units, the last one in part."""
    for v in order:
        if status[v] == 0 and seen[v] == stamp:
            if demand[v] > left:
                value += gain[v] * left / demand[v]
                break
            value += gain[v]
            left -= demand[v]
    return value


@compiled
def _best_first(gain: np.ndarray, allowed: np.ndarray, demand: np.ndarray) -> np.ndarray:
    """Units that gain anything, those that gain most for their demand first."""
    plus = np.flatnonzero(allowed & (gain > 0))
    order: np.ndarray = plus[np.argsort(-(gain[plus] / np.maximum(demand[plus], 1e-12)))]
    return order


@compiled
def _next(
    inside: np.ndarray, taken: int, status: np.ndarray, seen: np.ndarray, stamp: int, gain: np.ndarray, ground: Ground,
) -> int:  # fmt: skip
    """The stamped free unit on the border of those inside that gains most; -1 where there is none."""
    unit = -1
    for i in range(taken):
        for e in range(ground.start[inside[i]], ground.start[inside[i] + 1]):
            v = ground.near[e]
            if status[v] == 0 and seen[v] == stamp and (unit < 0 or gain[v] > gain[unit]):
                unit = v
    return unit


@compiled
def valuable(
    site: int, gain: np.ndarray, allowed: np.ndarray, ground: Ground, above: float, share: float, nodes: int,
    found: np.ndarray, value: np.ndarray,
) -> int:  # fmt: skip
    """Connected sets of units within a site's room, its own unit in them, that gain more than ``above``.

    Depth first: a unit on the border goes in, then stays out. What room and loss on the way leave to gain
    bounds a branch. -> How many were found; only so many as ``found`` has rows are written.

    Parameters
    ----------
    gain : ndarray of float
        By unit.
    allowed : ndarray of bool
        By unit.
    share : float
        Once a set is found, others must gain this share of the best; 0 asks for all above ``above``.
    nodes : int
        Where to give up: there may be more.
    found : ndarray of bool (k, units)
        Written.
    value : ndarray of float (k,)
        Their gains, written.
    """
    units, home, demand = len(gain), ground.home[site], ground.demand
    status = np.where(allowed, 0, 2)  # 0 free, 1 inside, 2 out
    order = _best_first(gain, allowed, demand)
    queue, seen, loss = np.zeros(4 * units, np.int64), np.zeros(units, np.int64), np.zeros(units)
    inside, path, out = (
        np.zeros(units, np.int64),
        np.zeros(units + 1, np.int64),
        np.zeros(units + 1, np.int64),
    )
    taken, depth, count, stamp = 0, 0, 0, 0
    total, left, unit = 0.0, ground.room[site], home
    for _ in range(nodes):
        if unit >= 0:  # goes in
            path[depth], out[depth] = unit, 0
            inside[taken], status[unit] = unit, 1
            taken, depth = taken + 1, depth + 1
            total, left = total + gain[unit], left - demand[unit]
            if total > above:
                if count < len(found):
                    found[count, :] = status == 1
                    value[count] = total
                count += 1
                above = max(above, share * total)
        else:  # the last that went in stays out
            while depth > 0 and out[depth - 1] == 1:
                depth -= 1
                status[path[depth]] = 0
            if depth <= 1:  # the site's own unit is never out
                break
            unit = path[depth - 1]
            out[depth - 1], status[unit] = 1, 2
            taken, total, left = taken - 1, total - gain[unit], left + demand[unit]
        unit, limit, last = -1, np.inf, np.inf
        for _ in range(3):  # a tighter bound leaves less to walk to, which tightens the bound
            stamp += 1
            _region(limit, left, status, gain, ground, queue, seen, loss, inside, taken, stamp)
            bound = _filled(total, left, status, order, gain, demand, seen, stamp)
            limit = bound - above
            if limit <= 0.0 or bound > last - 1e-3 * (last - above):
                break
            last = bound
        if limit > 0.0:
            unit = _next(inside, taken, status, seen, stamp, gain, ground)
    return count


@compiled
def _reach(
    inside: np.ndarray, taken: int, left: float, status: np.ndarray, ground: Ground, queue: np.ndarray,
    waits: np.ndarray, need: np.ndarray, back: np.ndarray,
) -> None:  # fmt: skip
    """Write the least demand on a way from the units inside to each free one, and the unit before it."""
    size, head, n = len(queue), 0, taken
    need[:] = np.inf
    for i in range(taken):
        queue[i] = inside[i]
        need[inside[i]], back[inside[i]] = 0.0, -1
    while n > 0:
        w = queue[head]
        head, n, waits[w] = (head + 1) % size, n - 1, False
        for e in range(ground.start[w], ground.start[w + 1]):
            v = ground.near[e]
            d = need[w] + ground.demand[v]
            if status[v] == 0 and d <= left + 1e-9 and d < need[v] - 1e-9:
                need[v], back[v] = d, w
                if not waits[v]:
                    waits[v] = True
                    queue[(head + n) % size] = v
                    n += 1


@compiled
def _reached(
    value: float, left: float, status: np.ndarray, order: np.ndarray, gain: np.ndarray, demand: np.ndarray, need: np.ndarray,
) -> tuple[int, float]:  # fmt: skip
    """The first free unit that can be reached, -1 for none, and the value with the room left filled by such units."""
    unit = -1
    for v in order:
        if status[v] == 0 and need[v] < np.inf:
            if unit < 0:
                unit = v
            if demand[v] > left:
                value += gain[v] * left / demand[v]
                break
            value += gain[v]
            left -= demand[v]
    return unit, value


@compiled
def heaviest(
    site: int, gain: np.ndarray, allowed: np.ndarray, ground: Ground, above: float, nodes: int,
    held: np.ndarray,
) -> tuple[float, bool]:  # fmt: skip
    """The most that a connected set of units within a site's room, its own unit in it, gains above ``above``.

    Depth first: the first unit on the lightest way to the one that gains most for its demand goes in, then stays
    out. The room left filled with what can be reached bounds a branch.

    Parameters
    ----------
    gain : ndarray of float
        By unit, none below 0.
    allowed : ndarray of bool
        By unit.
    nodes : int
        Where to give up; once a set is found, as far again as that took.
    held : ndarray of bool
        By unit: the set, written.

    Returns
    -------
    float, bool
        ``above`` where nothing gains more, and whether the search came to its end.
    """
    units, demand = len(gain), ground.demand
    status = np.where(allowed, 0, 2)  # 0 free, 1 inside, 2 out
    order = _best_first(gain, allowed, demand)
    queue, waits = np.zeros(units + 1, np.int64), np.zeros(units, np.bool_)
    need, back = np.zeros(units), np.zeros(units, np.int64)
    inside = np.zeros(units, np.int64)
    path, out = np.zeros(units + 1, np.int64), np.zeros(units + 1, np.int64)
    taken, depth, used, best = 0, 0, 0, above
    total, left, unit = 0.0, ground.room[site], ground.home[site]
    if demand[unit] > left:
        return best, True
    while used < nodes:
        used += 1
        if unit >= 0:  # goes in
            path[depth], out[depth] = unit, 0
            inside[taken], status[unit] = unit, 1
            taken, depth = taken + 1, depth + 1
            total, left = total + gain[unit], left - demand[unit]
            if total > best + 1e-9:
                best, nodes = total, min(nodes, 2 * used + 100)
                held[:] = status == 1
        else:  # the last that went in stays out
            while depth > 0 and out[depth - 1] == 1:
                depth -= 1
                status[path[depth]] = 0
            if depth <= 1:  # the site's own unit is never out
                return best, True
            unit = path[depth - 1]
            out[depth - 1], status[unit] = 1, 2
            taken, total, left = taken - 1, total - gain[unit], left + demand[unit]
        _reach(inside, taken, left, status, ground, queue, waits, need, back)
        unit, bound = _reached(total, left, status, order, gain, demand, need)
        if bound <= best + 1e-9:
            unit = -1
        while unit >= 0 and status[back[unit]] == 0:
            unit = back[unit]
    return best, False


@compiled
def top_up(held: np.ndarray, wanted: np.ndarray, ground: Ground, room: float) -> None:
    """Put wanted units that border on a set into it, the one of least demand first, while they fit its room."""
    left = room - ground.demand[held].sum()
    while True:
        unit = -1
        for w in np.flatnonzero(held):
            for e in range(ground.start[w], ground.start[w + 1]):
                v = ground.near[e]
                fits = wanted[v] and not held[v] and ground.demand[v] <= left
                if fits and (unit < 0 or ground.demand[v] < ground.demand[unit]):
                    unit = v
        if unit < 0:
            break
        held[unit] = True
        left -= ground.demand[unit]
