"""Assets given for a whole school of several stages, divided between them (sources.md 1.4)."""

from __future__ import annotations

import numpy as np
import pandas as pd

from geodata.checks.crosschecks import SHARED
from geodata.standards.schema import ABOVE
from geodata.standards.scheme import Norms


def split_shared(stage: pd.DataFrame, schools: pd.DataFrame, norms: Norms) -> tuple[pd.DataFrame, list[str]]:
    """Divide assets given for a whole school by the weights of its kind.

    share of stage s = w_s P_s / sum over the school's stages of w P, grades above the county's stages
    included: nine-year 1 : 1.1, complete secondary 1 : 1.2, twelve-year 1 : 1.1 : 1.32. Things that come in
    whole numbers stay whole and add up (largest remainders).

    Parameters
    ----------
    stage : DataFrame
        T2; rows with ``shared_assets`` carry the school's total on each of its stages.
    schools : DataFrame
        T1, for ``kind`` and ``pupils_above``.
    norms : Norms
        Its ``shares``; a kind without one weighs every pupil alike.

    Returns
    -------
    DataFrame, list of str
        The table with divided assets and the school ids that were divided.
    """
    shared = stage[stage["shared_assets"].astype(bool)]
    if shared.empty:
        return stage, []
    about = schools.set_index("school_id")
    done = stage.copy()
    for school_id, rows in shared.groupby("school_id", sort=True):
        known = norms.shares.get(str(about.at[school_id, "kind"]))
        weights = {} if known is None else known.weights
        heads = rows["pupils"].astype(float).to_numpy() * [weights.get(s, 1.0) for s in rows["stage"]]
        above = float(about.at[school_id, "pupils_above"]) * weights.get(ABOVE, 0.0)
        total = heads.sum() + above
        share = np.full(len(rows), 1.0 / len(rows)) if total == 0 else heads / total
        for column in (*SHARED, *(c.name for c in norms.columns if c.shared and c.name in stage)):
            whole = pd.api.types.is_integer_dtype(stage[column].dtype)
            part = pd.Series(_parts(rows[column].astype(float).iloc[0], share, whole), index=rows.index)
            if whole and part.isna().any():  # not known, or not to be divided for want of pupils
                done[column] = done[column].astype("Int64")
            done.loc[rows.index, column] = part.astype(done[column].dtype)
    return done, sorted(shared["school_id"].unique())


def _parts(amount: float, share: np.ndarray, whole: bool) -> np.ndarray:
    """An amount by shares; whole parts and the rest above them add up to it."""
    if not whole or np.isnan(amount) or np.isnan(share).any():
        return amount * share
    exact = amount * np.append(share, 1.0 - share.sum())
    parts = np.floor(exact + 1e-9)
    order = np.argsort(parts - exact, kind="stable")
    parts[order[: round(amount - parts.sum())]] += 1
    return parts[:-1]
