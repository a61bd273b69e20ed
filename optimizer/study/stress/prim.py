"""Scenario discovery: the box of futures in which a plan fails, by PRIM (Friedman & Fisher 1999; sources.md 8.2).

    coverage = failures inside the box / all failures          density = failures inside the box / futures inside the box

Peeling takes a thin slice off one side of the box, again and again, each time the slice whose loss raises the density
most for the futures that it costs. Of all boxes on the way the one with the largest harmonic mean of coverage and density
is kept; pasting moves its sides out again where that raises the mean, and sides go back that it does not need. The box is found on one part of the futures and measured on the other.
"""

from __future__ import annotations

import numpy as np

from models.study.stressed import Edge, FailureBox

PEEL = 0.05
"""Share of the box's futures that a slice takes."""
LEAST = 0.03
"""Share of all futures that a box keeps at least, and never fewer than `LEAST_FUTURES`."""
LEAST_FUTURES = 5
NEEDED = 0.01
"""A side stays only where the box without it is worse by more than this."""


Limits = tuple[np.ndarray, np.ndarray]
"""Least and largest value by factor, inclusive."""


def discover(
    names: tuple[str, ...], values: np.ndarray, fails: np.ndarray, held_out: float, seed: int
) -> FailureBox | None:
    """The box of futures in which a plan fails.

    Parameters
    ----------
    names : tuple of str
    values : ndarray (futures, factors)
    fails : ndarray of bool (futures)
    held_out : float
        Share of futures, drawn by the seed among those that fail and those that do not alike, that only
        measure the box.
    seed : int

    Returns
    -------
    FailureBox or None
        None where all futures fail, none does, or either part has none that fails.
    """
    test = _held_out(fails, held_out, seed)
    if not fails[test].any() or not fails[~test].any() or fails.all():
        return None
    seen, failed = values[~test], fails[~test]
    low, high = _best(seen, failed)
    edges = _edges(names, seen, low, high)
    inside = inside_box(names, values, edges)
    coverage, density = _worth(inside[test], fails[test])
    own = _worth(inside[~test], failed)
    return FailureBox(
        edges, coverage, density, *own, int(fails[test].sum()), int(inside[test].sum()), int(test.sum())
    )


def inside_box(names: tuple[str, ...], values: np.ndarray, edges: tuple[Edge, ...]) -> np.ndarray:
    """Which futures lie in a box."""
    inside: np.ndarray = np.ones(len(values), dtype=bool)
    for edge in edges:
        x = values[:, names.index(edge.factor)]
        inside &= x < edge.value if edge.upper else x > edge.value
    return inside


def _held_out(fails: np.ndarray, share: float, seed: int) -> np.ndarray:
    """A part of the futures that fail and the same part of those that do not."""
    chance = np.random.default_rng([seed, 1])
    test: np.ndarray = np.zeros(len(fails), dtype=bool)
    for kind in (True, False):
        rows = chance.permutation(np.flatnonzero(fails == kind))
        test[rows[: round(share * len(rows))]] = True
    return test


def _worth(inside: np.ndarray, fails: np.ndarray) -> tuple[float, float]:
    """Coverage and density."""
    both = float((inside & fails).sum())
    return both / fails.sum() if fails.any() else np.nan, both / inside.sum() if inside.any() else np.nan


def _score(inside: np.ndarray, fails: np.ndarray) -> float:
    """Harmonic mean of coverage and density: 2 x inside failures / (failures + inside)."""
    return 2.0 * float((inside & fails).sum()) / float(fails.sum() + inside.sum())


def _within(values: np.ndarray, limits: Limits) -> np.ndarray:
    return np.asarray(((values >= limits[0]) & (values <= limits[1])).all(axis=1), dtype=bool)


def _best(values: np.ndarray, fails: np.ndarray) -> Limits:
    """The best box on the way of peeling, without sides that it does not need."""
    limits = values.min(axis=0), values.max(axis=0)
    best, score = limits, _score(_within(values, limits), fails)
    least = max(LEAST_FUTURES, int(LEAST * len(values)))
    while (peeled := _peeled(values, fails, limits, least)) is not None:
        limits = peeled
        if (now := _score(_within(values, limits), fails)) > score:
            best, score = limits, now
    return _without_idle(values, fails, _pasted(values, fails, best))


def _peeled(values: np.ndarray, fails: np.ndarray, limits: Limits, least: int) -> Limits | None:
    """The box without the slice that is worth most: density gained by future lost."""
    inside = _within(values, limits)
    x, y = values[inside], fails[inside]
    if y.all():
        return None
    best: tuple[float, Limits] | None = None
    for f in range(x.shape[1]):
        for upper in (True, False):
            column = x[:, f]
            # ties make slices thicker than asked: factors of a few values are peeled a value at a time
            cut = np.quantile(column, 1.0 - PEEL if upper else PEEL, method="closest_observation")
            keep = column <= cut if upper else column >= cut
            if keep.all():
                keep = column < cut if upper else column > cut
            if keep.sum() < least or keep.all():
                continue
            gain = float(y[keep].mean() - y.mean()) / float((~keep).sum())
            if best is None or gain > best[0]:
                best = gain, _moved(limits, f, upper, column[keep].max() if upper else column[keep].min())
    return None if best is None else best[1]


def _moved(limits: Limits, factor: int, upper: bool, value: float) -> Limits:
    """The box with one side elsewhere."""
    low, high = limits[0].copy(), limits[1].copy()
    (high if upper else low)[factor] = value
    return low, high


def _pasted(values: np.ndarray, fails: np.ndarray, limits: Limits) -> Limits:
    """The box with sides moved outwards again where peeling went too far, each time where it gains most."""
    while True:
        best: tuple[float, Limits] | None = None
        for f in range(values.shape[1]):
            for upper in (True, False):
                x = values[:, f]
                outside = np.unique(x[x > limits[1][f]] if upper else x[x < limits[0][f]])
                for value in outside:
                    wider = _moved(limits, f, upper, float(value))
                    score = _score(_within(values, wider), fails)
                    if best is None or score > best[0]:
                        best = score, wider
        if best is None or best[0] <= _score(_within(values, limits), fails):
            return limits
        limits = best[1]


def _without_idle(values: np.ndarray, fails: np.ndarray, limits: Limits) -> Limits:
    """The box with every side given back that it is hardly better for, the least useful first."""
    ends = values.min(axis=0), values.max(axis=0)
    while True:
        now = _score(_within(values, limits), fails)
        tried = []
        for f in range(values.shape[1]):
            for upper in (True, False):
                if limits[upper][f] != ends[upper][f]:
                    wider = _moved(limits, f, upper, float(ends[upper][f]))
                    tried.append((_score(_within(values, wider), fails), -f, upper, wider))
        if not tried:
            return limits
        best = max(tried, key=lambda t: t[:3])
        if best[0] < now - NEEDED:
            return limits
        limits = best[3]


def _edges(names: tuple[str, ...], values: np.ndarray, low: np.ndarray, high: np.ndarray) -> tuple[Edge, ...]:
    """The bounds that exclude any future, each half-way to the next value outside."""
    edges = []
    for f, name in enumerate(names):
        x = values[:, f]
        below, above = x[x < low[f]], x[x > high[f]]
        if len(below):
            edges.append(Edge(name, False, float((below.max() + low[f]) / 2)))
        if len(above):
            edges.append(Edge(name, True, float((above.min() + high[f]) / 2)))
    return tuple(edges)
