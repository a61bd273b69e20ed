"""Which factor matters: elementary effects (Morris), by SALib (sources.md 8.2)."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd
from SALib.analyze import morris as analysis
from SALib.sample import morris as sampling

LEVELS = 4


def _problem(names: tuple[str, ...]) -> dict[str, Any]:
    return {"num_vars": len(names), "names": list(names), "bounds": [[0.0, 1.0]] * len(names)}


def morris_points(names: tuple[str, ...], trajectories: int, seed: int) -> np.ndarray:
    """Trajectories over the unit cube in which one factor changes at a time.

    Parameters
    ----------
    names : tuple of str
        At least two factors.
    trajectories : int
    seed : int

    Returns
    -------
    ndarray (trajectories x (factors + 1), factors)
        Each on one of four levels.
    """
    return np.asarray(
        sampling.sample(_problem(names), trajectories, num_levels=LEVELS, seed=seed), dtype=float
    )


def elementary_effects(
    names: tuple[str, ...], points: np.ndarray, values: pd.DataFrame, seed: int
) -> pd.DataFrame:
    """Elementary effects of every factor on every measure.

    Parameters
    ----------
    names : tuple of str
    points : ndarray
        Of `morris_points`.
    values : DataFrame
        One row a point, one column a measure; a measure with a missing value is left out.
    seed : int
        Of the confidence interval's resampling.

    Returns
    -------
    DataFrame
        ``measure, factor, mu`` (mean effect of going over the factor's whole range), ``mu_star`` (mean of its size),
        ``sigma`` (how much it depends on the other factors), ``conf`` (half a 95 % interval of ``mu_star``);
        measures in their order, factors by ``mu_star``, the largest first.
    """
    parts = []
    for measure in values.columns:
        y = values[measure].to_numpy(float)
        if not np.isfinite(y).all():
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a measure that no factor moves has no spread to resample
            found = analysis.analyze(_problem(names), points, y, num_levels=LEVELS, seed=seed)
        table = pd.DataFrame(
            {
                "measure": measure, "factor": list(names), "mu": np.asarray(found["mu"], float),
                "mu_star": np.asarray(found["mu_star"], float), "sigma": np.asarray(found["sigma"], float),
                "conf": np.asarray(found["mu_star_conf"], float),
            }
        )  # fmt: skip
        parts.append(table.sort_values(["mu_star", "factor"], ascending=[False, True], kind="stable"))
    columns = ["measure", "factor", "mu", "mu_star", "sigma", "conf"]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)
