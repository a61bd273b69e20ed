"""Pairs that no better plan uses, told from whole catchments.

Under any prices π of the units a plan costs at least

    L(π) = Σ_u π[u] - Σ_j best[j],    best[j] = max { Σ_{u in A} π[u] - c[A] : A a catchment of j within room }

and a plan with catchment A of j at least L(π) + best[j] - gain[A]. A catchment whose bound is no better than
the plan at hand is in no better one; nor is a pair that only such catchments hold. Catchments know of room
and contiguity at once, so this rules out far more than the root's reduced costs where they are small.
"""

from __future__ import annotations

import numpy as np

from optimizer.catchments import Pool, Prices, grow

ROUNDS = 25
"""Rounds of prices before: good prices make a good bound."""
NODES = 200_000
"""How far each site's search is taken; its pairs stay where that is not far enough."""


def useful(pool: Pool, relaxed: Prices, cutoff: float) -> tuple[float, np.ndarray]:
    """A bound on every plan, and the pairs (units, sites) that a plan below ``cutoff`` may use.

    Parameters
    ----------
    pool, relaxed : Pool, Prices
        The pool grows.
    cutoff : float
        Infinite leaves every pair.
    """
    from optimizer.catchment_search import valuable

    s = pool.state
    allowed = s.cost < s.limit
    grow(pool, relaxed, ROUNDS)
    _, prices, _ = relaxed.solve(inner=True)
    gain = np.ascontiguousarray(np.where(allowed, prices[:, None] - s.cost, 0.0).T)
    sites, found = range(len(s.sites)), np.zeros((256, len(s.units)), bool)

    def search(j: int, above: float, share: float, marked: np.ndarray) -> tuple[float, float]:
        """The most that is found to gain more, if anything, and the most that was not looked at may gain."""
        value, all_of_it = np.full(len(found), -np.inf), share == 0.0
        _, rest = valuable(
            j, gain[j], allowed[:, j], s.ground, above, share, NODES, found, value, marked, all_of_it
        )
        return float(value.max()), rest

    best = np.array([gain[j][s.ground.home[j]] for j in sites])
    for units, j in zip(pool.units, pool.site, strict=True):
        best[j] = max(best[j], gain[j][units].sum())
    for j in sites:
        while True:  # a search writes the first that gain more than what is known
            more, rest = search(j, float(best[j]), 1.0, np.zeros(len(s.units), bool))
            if more <= best[j] or rest > -np.inf:
                best[j] = max(best[j], more, rest)
                break
            best[j] = more
    low, keep = float(prices.sum() - best.sum()), allowed.copy()
    if not np.isfinite(cutoff):
        return low, keep
    for j in sites:
        marked = np.zeros(len(s.units), bool)
        _, rest = search(j, float(best[j]) - (cutoff - low) - 1e-7 * abs(low), 0.0, marked)
        keep[:, j] &= marked | (rest > -np.inf)
    return low, keep
