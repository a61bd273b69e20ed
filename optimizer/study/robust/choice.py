"""Which candidate is robust, and what is proven about it: enumeration over candidates, bounds by futures.

With u[x,s] the value of the plan found for candidate x in future s, l[x,s] what is proven about any such plan, and v*[s] the
value of the best plan of all in s, which lies between b[s] (proven) and u*[s] = min_x u[x,s] (found):

    regret[x,s]  = u[x,s] - u*[s]                         as far as plans were found
    regret[x,s] in [ max(0, l[x,s] - u*[s]),  u[x,s] - b[s] ]
    score[x]     = (1 - w) mean_s u[x,s] + w CVaR_s u[x,s]
    score of any x >= (1 - w) mean_s b[s] + w CVaR_s b[s]   (wait and see: both grow with every u)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from optimizer.study.stress.tables import tail_mean

REGRET, EXPECTED = "regret", "expected"
CHOICES = (REGRET, EXPECTED)
"""Least largest regret; least mean with CVaR."""


@dataclass(frozen=True)
class Values:
    """What candidates reach in futures; less is better.

    Parameters
    ----------
    found, proven : ndarray (candidates, futures)
        The plan's value, infinite without one; what no such plan goes below, infinite where none exists.
    own, least : ndarray (futures)
        The value of the future's own plan (infinite without one), and what no plan at all goes below.
    """

    found: np.ndarray
    proven: np.ndarray
    own: np.ndarray
    least: np.ndarray

    @property
    def best(self) -> np.ndarray:
        """The best plan known in every future, ``(futures)``."""
        both = np.vstack([self.own, self.found])
        low: np.ndarray = both.min(axis=0)
        return low

    def regrets(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Regret by candidate and future, and its bounds from below and above."""
        with np.errstate(invalid="ignore"):
            here = np.where(np.isinf(self.found), np.inf, self.found - self.best)
            most = np.where(np.isinf(self.found), np.inf, self.found - self.least)
            low = np.where(np.isinf(self.proven), np.inf, np.maximum(0.0, self.proven - self.best))
        return here, low, most


def score(values: np.ndarray, weight: float, alpha: float) -> float:
    """(1 - weight) mean + weight CVaR, every future as likely as the others."""
    if np.isinf(values).any():
        return float("inf")
    return float((1 - weight) * values.mean() + weight * tail_mean(values, alpha))


def chosen_of(values: Values, choose: str, weight: float, alpha: float, changes: list[int]) -> int:
    """Position of the candidate that is chosen; of equal ones by the other criterion, fewer changes, its number.

    Parameters
    ----------
    values : Values
        Of the futures that count.
    choose : {"regret", "expected"}
    weight, alpha : float
        Of CVaR in the score; the share of worst futures.
    changes : list of int
        By candidate, what it closes.
    """
    worst = values.regrets()[0].max(axis=1)
    means = np.array([score(v, weight, alpha) for v in values.found])
    first, then = (worst, means) if choose == REGRET else (means, worst)
    order = [(round(float(a), 9), round(float(b), 9), c, i) for i, (a, b, c) in enumerate(zip(first, then, changes, strict=True))]  # fmt: skip
    return min(order)[3]
