"""The budgets of a frontier, the county of a later year, and the bounds that hold at every budget."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from geodata.contract.county import County
from geodata.contract.findings import Finding, InputProblems
from geodata.travel.times import TravelTimes
from optimizer.scenario import Scenario
from optimizer.study.stress.factors.pupils import later as later_pupils
from optimizer.study.stress.factors.record import Case


def share_grid(points: int, least: float, most: float, cuts: Sequence[float] = ()) -> list[float]:
    """Evenly spaced shares in hundredths; the one nearest to 1 is 1, the scenario's own budget.

    The first is rounded up: below it nothing was found. Shares that are smaller than 1 by ``cuts`` are in it, too.
    """
    low = math.ceil(min(least, most) * 100 - 1e-6) / 100
    grid = np.linspace(low, most, points)
    if low <= 1.0 <= most:
        inner = int(np.abs(grid - 1.0).argmin())
        grid[inner] = 1.0
    cut = [1.0 - c for c in cuts if low <= 1.0 - c <= most]
    return [float(s) for s in sorted({round(float(s), 4) for s in (*grid, *cut)})]


def prices(shares: list[float], relaxed: list[float]) -> list[float]:
    """Falling prices of a share: the slopes of the relaxation between budgets, without repeats."""
    s, v = (np.array(x) for x in (shares, relaxed))
    s, v = s[np.isfinite(v)], v[np.isfinite(v)]
    slope = np.maximum(0.0, -np.diff(v) / np.diff(s))
    return sorted({round(float(x), 6) for x in slope}, reverse=True) or [0.0]


def proven_bounds(
    shares: list[float], lines: list[tuple[float, float]], own: dict[float, float]
) -> list[float]:
    """The best proven bound at every share.

    bound(s) = max( max_p L(p) - p s, relaxation or own solve at s, bound at every larger share ).

    Parameters
    ----------
    shares : list of float
        Upwards.
    lines : list of (price, least)
        Priced solves: p and L(p).
    own : dict of float to float
        Bounds of shares solved in their own right or by relaxation.
    """
    given = {s: v for s, v in own.items() if math.isfinite(v)}
    best = [max([given.get(s, 0.0), *[least - price * s for price, least in lines]]) for s in shares]
    return [max(best[i:]) for i in range(len(best))]


def in_year(county: County, scenario: Scenario, times: TravelTimes, later: int) -> County:
    """The county with the pupils that its table expects some years later.

    Raises
    ------
    InputProblems
        The table has no such year.
    """
    if not later:
        return county
    last = int(county.demand["year"].max())
    if later < 0 or county.year + later > last:
        fields: dict[str, object] = {"year": county.year + later, "last": last}
        raise InputProblems([Finding("error", "analysis.no_later_year", fields)])
    return later_pupils(Case(county, scenario, times), float(later), "").county
