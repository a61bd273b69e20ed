"""The limit of a stage's mean coefficient of variation, as basic balance has it (sources.md 1.1): kept or not, today and in the plan."""

from __future__ import annotations

import pandas as pd

from models.plan.decisions import PlanResult
from models.problem.indicators import maybe
from models.standards.norms import load_standards


def mean_cvs(result: PlanResult) -> pd.DataFrame:
    """The mean of the coefficients of variation of each stage for which the standards limit it.

    Parameters
    ----------
    result : PlanResult

    Returns
    -------
    DataFrame
        ``stage, cv_today, cv_plan, limit, ok_today, ok_plan``; a mean is not known (NaN, NA) while one of its
        coefficients is not. Empty where the standards limit no mean.
    """
    standards = load_standards(result.county)
    limits = {s: standards.limit(f"cv_mean_{s}", float("nan")) for s in standards.scheme.stage_ids}
    limited = [s for s, most in limits.items() if most == most]
    own = result.verdict.cv[["stage", "cv_today", "cv_plan"]]
    table = own.groupby("stage")[["cv_today", "cv_plan"]].agg(lambda cvs: cvs.mean(skipna=False))
    table = table.reindex(pd.Index(limited, name="stage")).astype(float)
    table["limit"] = pd.Series(limits, dtype=float).reindex(table.index)
    for end in ("today", "plan"):
        table[f"ok_{end}"] = maybe(table[f"cv_{end}"] <= table["limit"], table[f"cv_{end}"].notna())
    return table.reset_index()
