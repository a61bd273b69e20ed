"""What each of several drivers did to a figure: Shapley values, which add up to the change exactly.

    phi(i) = sum over S without i of |S|! (n - |S| - 1)! / n! (v(S + i) - v(S))        sum of phi = v(all) - v(none)

v(S) is the figure when the drivers in S are this year's and the others last year's. No order of the drivers is preferred.
Reckoned in fractions, so that nothing is lost.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Mapping, Sequence
from fractions import Fraction
from itertools import combinations
from typing import TypeVar

K = TypeVar("K", bound=Hashable)


def shapley(
    value: Callable[[frozenset[str]], Mapping[K, float]], drivers: Sequence[str]
) -> dict[K, dict[str, Fraction]]:
    """The part of each driver in the change of every figure.

    Parameters
    ----------
    value : callable
        Figures by name for a set of drivers that have changed; called once for every set.
    drivers : sequence of str

    Returns
    -------
    dict
        By figure and driver. A figure that is not a finite number for some set is left out.
    """
    n = len(drivers)
    if not n:
        return {k: {} for k, v in value(frozenset()).items() if math.isfinite(v)}
    worlds = {
        frozenset(some): value(frozenset(some)) for k in range(n + 1) for some in combinations(drivers, k)
    }
    weight = [Fraction(math.factorial(k) * math.factorial(n - k - 1), math.factorial(n)) for k in range(n)]
    names = [
        k
        for k in worlds[frozenset()]
        if all(math.isfinite(world.get(k, math.nan)) for world in worlds.values())
    ]
    done: dict[K, dict[str, Fraction]] = {}
    for name in names:
        told = {some: Fraction(float(world[name])) for some, world in worlds.items()}
        done[name] = {
            d: sum(
                (weight[len(s)] * (told[s | {d}] - told[s]) for s in worlds if d not in s), start=Fraction(0)
            )
            for d in drivers
        }
    return done
