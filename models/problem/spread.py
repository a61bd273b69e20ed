"""The measures of imbalance of one indicator over units: county ratio, coefficients of variation, Hoover index (sources.md 1.4)."""

from __future__ import annotations

import numpy as np
import pandas as pd

from models.problem.indicators import Numbers, maybe
from models.standards.norms import Standards


def county_ratio(amount: Numbers, pupils: Numbers) -> float:
    """Ratio of totals X/N (not the mean of school ratios); NaN without pupils."""
    return float(amount.sum() / pupils.sum()) if pupils.sum() > 0 else float("nan")


def official_cv(amount: Numbers, pupils: Numbers) -> float:
    """Student-weighted coefficient of variation (差异系数) of x over units.

    CV = sqrt( sum (P_i/N) (x_i/P_i - X/N)^2 ) / (X/N)

    Parameters
    ----------
    amount, pupils : ndarray of float
        x_i and P_i; units without pupils are left out.

    Returns
    -------
    float
        NaN where there are no pupils or nothing to share.

    Notes
    -----
    Source: sources.md 1.4 [V8, V9]; population form, centred on the county ratio.
    """
    kept = pupils > 0
    x, p = amount[kept].astype(float), pupils[kept].astype(float)
    mean = county_ratio(x, p)
    if not mean > 0:
        return float("nan")
    return float(np.sqrt((p / p.sum() * (x / p - mean) ** 2).sum()) / mean)


def unweighted_cv(amount: Numbers, pupils: Numbers) -> float:
    """Plain CV of the school ratios: what some bureau software computes by mistake (sources.md 1.4 [V7])."""
    kept = pupils > 0
    ratio = amount[kept] / pupils[kept]
    mean = ratio.mean() if len(ratio) else 0.0
    return float(ratio.std() / mean) if mean > 0 else float("nan")


def hoover(amount: Numbers, pupils: Numbers) -> float:
    """Hoover index: share of the resource that would have to move, sum |x - m P| / (2 X)."""
    total = amount.sum()
    if not total > 0 or not pupils.sum() > 0:
        return float("nan")
    return float(np.abs(amount - total / pupils.sum() * pupils).sum() / (2 * total))


def cv_table(units: pd.DataFrame, standards: Standards, counted: pd.Series) -> pd.DataFrame:
    """The CV of every indicator over the counted units.

    Returns
    -------
    DataFrame
        ``stage, indicator, cv, unweighted, mean, limit, ok, hoover`` over the units whose amount is known;
        ``ok`` is not known (NA) where there is no limit, nothing to measure, or a unit's amount is not known.
    """
    rows, whole = [], []
    stage, pupils = units["stage"].to_numpy(object), units["pupils"].to_numpy(float)
    some = counted.reindex(units.index).to_numpy(bool) & (pupils > 0)
    amounts = {r: units[r].to_numpy(float) for r in {one.resource for one in standards.indicators}}
    for one in standards.indicators:
        part = some & (stage == one.stage)
        gap = part & np.isnan(amounts[one.resource])
        whole.append(not gap.any())
        part &= ~gap
        x, p = amounts[one.resource][part], pupils[part]
        cv = official_cv(x, p)
        mean = one.scale * county_ratio(x, p)
        rows.append((one.stage, one.id, cv, unweighted_cv(x, p), mean, one.cv_limit, hoover(x, p)))
    table = pd.DataFrame(rows, columns=["stage", "indicator", "cv", "unweighted", "mean", "limit", "hoover"])
    known = table["cv"].notna() & table["limit"].notna() & np.array(whole, dtype=bool)
    table.insert(6, "ok", maybe(table["cv"] <= table["limit"], known))
    return table.astype(dict.fromkeys(("cv", "unweighted", "mean", "limit", "hoover"), float))
