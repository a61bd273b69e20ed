"""The headline measures of a plan, and of today."""

from __future__ import annotations

import numpy as np
import pandas as pd

from models.plan.before import site_pupils
from models.plan.costs import cost_table
from models.plan.outcome import After

MEASURES = (
    ("imbalance", "1", "low"), ("cv_ok", "indicators", "high"), ("cv_assessed", "indicators", ""), ("worst_cv_ratio", "1", "low"),
    ("units_passing", "units", "high"), ("units_assessed", "units", ""), ("cells_met", "cells", "high"),
    ("cells_assessed", "cells", ""), ("sites", "sites", ""),
    ("closures", "sites", ""), ("bands_closed", "bands", ""), ("mean_minutes", "minutes", "low"),
    ("max_minutes", "minutes", "low"), ("pupils_over_limit", "pupils", "low"), ("pupils_changed", "pupils", ""),
    ("riders", "pupils", ""), ("staff", "heads", ""), ("staff_moved", "heads", ""), ("hires", "heads", ""),
    ("largest_school", "pupils", "low"), ("largest_class", "pupils", "low"), ("cost", "yuan", ""),
)  # fmt: skip
"""Headline measures: id, unit, which way is better."""


def _largest_class(units: pd.DataFrame) -> float:
    people, classes = units["pupils"].to_numpy(float), units["classes"].to_numpy(float)
    some = classes > 0
    return float(np.ceil((people[some] / classes[some]).max())) if some.any() else 0.0


def squared_cvs(cvs: pd.Series) -> float:
    """Sum of the squared CVs; of nothing assessed: none."""
    return float((cvs**2).sum(min_count=1))


def _side(after: After, end: str) -> dict[str, float]:
    """The measures that stand for today or for the plan alike."""
    then = end == "today"
    units, cells = (after.units, after.cells_today) if then else (after.new, after.cells_plan)
    cv, said = (after.today.cvs, after.said_today) if then else (after.cvs, after.said_plan)
    travel = after.travel
    ways = {"today": travel["minutes_today"].to_numpy(float), "plan": travel["minutes"].to_numpy(float)}
    minutes = ways[end]
    # a mean or a longest way compares only over pupils whose way is known on both sides
    both = ~np.isnan(ways["today"]) & ~np.isnan(ways["plan"])
    people = travel["pupils"].to_numpy(float)
    shared = float(np.nansum(people[both]))
    assessed = units["assessed"].to_numpy(bool)
    met, passes = (
        cells["met"][assessed[after.today.unit_of_cell]],
        said["passes"].reindex(units.index)[assessed],
    )
    limit = travel["limit_today" if then else "limit"].to_numpy(float)
    mode = travel["today_mode" if then else "mode"].to_numpy(object)
    return {
        "imbalance": squared_cvs(cv["cv"]),
        "cv_ok": float(cv["ok"].sum()),
        "cv_assessed": float(cv["ok"].notna().sum()),
        "worst_cv_ratio": float((cv["cv"] / cv["limit"]).max()),
        "units_passing": float(passes.sum()),
        "units_assessed": float(passes.notna().sum()),
        "cells_met": float(met.sum()),
        "cells_assessed": float(met.notna().sum()),
        "mean_minutes": float(np.nansum((minutes * people)[both]) / shared) if shared > 0 else float("nan"),
        "max_minutes": float(minutes[both].max()) if both.any() else float("nan"),
        "pupils_over_limit": float(np.nansum(people[minutes > limit])),
        "riders": float(np.nansum(people[mode == "bus"])),
        "staff": float(units["staff"].sum(min_count=1)),
        "largest_school": float(site_pupils(units).max()) if len(units) else float("nan"),
        "largest_class": _largest_class(units),
    }


def plan_measures(after: After) -> dict[str, float]:
    """Every measure of the plan, by name, in the order of `MEASURES`."""
    is_open, costs = after.site_open, cost_table(after)
    told = _side(after, "plan") | {
        "sites": int(is_open.sum()), "closures": int((~is_open).sum()), "bands_closed": int((~after.bands["open"]).sum()),
        "pupils_changed": int(after.moved_pupils), "staff_moved": int(after.plan.staff_moves["heads"].sum()),
        "hires": int(after.plan.hires["heads"].sum()),
        "cost": float(costs.loc[costs["charged"], "yuan"].sum(skipna=False)),  # no part of it is taken for nothing
    }  # fmt: skip
    return {m: float(told[m]) for m, *_ in MEASURES}


def headline_measures(after: After) -> pd.DataFrame:
    """``measure, unit, today, plan, better``."""
    none = ("closures", "bands_closed", "pupils_changed", "staff_moved", "hires", "cost")
    today = _side(after, "today") | {"sites": len(after.site_open)} | dict.fromkeys(none, 0)
    plan = plan_measures(after)
    rows = [(m, unit, float(today[m]), plan[m], better) for m, unit, better in MEASURES]
    return pd.DataFrame(rows, columns=["measure", "unit", "today", "plan", "better"])
