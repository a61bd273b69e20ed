"""Catchments of one site that are worth more than a given value, compiled."""

from __future__ import annotations

import numpy as np

from optimizer.compiled import Ground, compiled


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
    plus = np.flatnonzero(allowed & (gain > 0))
    order = plus[np.argsort(-(gain[plus] / np.maximum(demand[plus], 1e-9)))]
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
            for i in range(taken):
                for e in range(ground.start[inside[i]], ground.start[inside[i] + 1]):
                    v = ground.near[e]
                    if status[v] == 0 and seen[v] == stamp and (unit < 0 or gain[v] > gain[unit]):
                        unit = v
    return count
