"""The list of problems and the ledger of rectification (问题清单·整改台账): what was wrong, what was decided, what has become of it."""

from __future__ import annotations

from typing import Any

import pandas as pd

from models.problem.indicators import category_flags
from models.referee.audit import audit
from models.standards.norms import Standards
from models.supervision.carried_out import STATUSES
from models.supervision.moved import Years

PROBLEM_COLUMNS = ["problem", "kind", "stage", "indicator", "unit_id", "school_id", "school", "township", "value", "limit", "gap", "unit"]  # fmt: skip
RECTIFIED_COLUMNS = [*PROBLEM_COLUMNS, "planned", *STATUSES, "value_now", "gap_now", "state"]
STATES = ("solved", "eased", "same", "worse", "gone", "unknown")
SAME = 1e-9


def problems_of(years: Years, which: int) -> pd.DataFrame:
    """What a county does not meet in one of the years.

    Parameters
    ----------
    years : Years
    which : int
        0 the year before, 1 the year after.

    Returns
    -------
    DataFrame
        ``problem`` (an id that is the same in every year), ``kind`` (cell: a unit below an indicator's threshold; cv: a coefficient of
        variation above its limit), ``stage, indicator, unit_id, school_id, school, township, value, limit, gap, unit``: the gap in
        heads, rooms, m2 or yuan.
    """
    county, standards = (years.before, years.after)[which], years.standards[which]
    found = audit(county, standards)
    cells = found.indicators[found.indicators["assessed_today"].astype(bool)]
    cells = cells[cells["met_today"].eq(False).fillna(False).astype(bool)]
    units = {k: one.unit for k, one in standards.resources.items()}
    rows: list[dict[str, Any]] = [
        {
            "problem": f"{r.unit_id}/{r.indicator}", "kind": "cell", "stage": r.stage, "indicator": r.indicator, "unit_id": r.unit_id,
            "school_id": r.school_id, "school": r.name, "township": r.township, "value": float(r.ratio_today),
            "limit": float(r.threshold), "gap": float(r.gap_today), "unit": units[r.resource],
        }
        for r in cells.itertuples()
    ]  # fmt: skip
    wide = found.cv[found.cv["ok_today"].eq(False).fillna(False).astype(bool)]
    rows += [
        {
            "problem": f"cv/{r.stage}/{r.indicator}", "kind": "cv", "stage": r.stage, "indicator": r.indicator, "unit_id": "", "school_id": "",
            "school": "", "township": "", "value": float(r.cv_today), "limit": float(r.limit), "gap": float(r.cv_today - r.limit), "unit": "1",
        }
        for r in wide.itertuples()
    ]  # fmt: skip
    table = pd.DataFrame(rows, columns=PROBLEM_COLUMNS)
    return table.sort_values(["kind", "stage", "indicator", "township", "unit_id"], kind="stable", ascending=[False, True, True, True, True]).reset_index(drop=True)  # fmt: skip


def rectified(years: Years, actions: pd.DataFrame | None) -> pd.DataFrame:
    """What has become of the problems of the year before.

    Parameters
    ----------
    years : Years
    actions : DataFrame or None
        Of `models.supervision.carried_out.carried_out`; None where that year has no plan.

    Returns
    -------
    DataFrame
        The problems of the year before; ``planned``: actions of the plan that bear on it, and how many of them are ``done, part, slipped,
        unknown``; ``value_now, gap_now``; ``state``: solved (met now), eased, same, worse, gone (the unit is no more, or is not
        assessed any more for want of pupils), unknown (what it is about is not known now).
    """
    old = problems_of(years, 0)
    now = audit(years.after, years.standards[1])
    key = ["unit_id", "indicator"]
    cells = now.indicators.set_index(key)[["assessed_today", "ratio_today", "met_today", "gap_today"]]
    cvs = now.cv.set_index(["stage", "indicator"])[["cv_today", "ok_today", "limit"]]
    bearing = _Bearing(years.standards[0], years.before.staff_category, actions)
    rows = []
    for row in old.to_dict("records"):
        told = _cell_now(row, cells) if row["kind"] == "cell" else _cv_now(row, cvs)
        rows.append({**row, **bearing.on(row), **told})
    table = pd.DataFrame(rows, columns=RECTIFIED_COLUMNS)
    return table.astype(dict.fromkeys(("planned", *STATUSES), "int64"))


def _cell_now(row: dict[str, Any], cells: pd.DataFrame) -> dict[str, Any]:
    at = (row["unit_id"], row["indicator"])
    nothing = {"value_now": float("nan"), "gap_now": float("nan")}
    if at not in cells.index or not bool(cells.at[at, "assessed_today"]):
        return {**nothing, "state": "gone"}
    one = cells.loc[at]
    if pd.isna(one["met_today"]):
        return {**nothing, "state": "unknown"}
    gap = float(one["gap_today"])
    state = "solved" if bool(one["met_today"]) else _trend(gap, row["gap"])
    return {"value_now": float(one["ratio_today"]), "gap_now": gap, "state": state}


def _cv_now(row: dict[str, Any], cvs: pd.DataFrame) -> dict[str, Any]:
    at = (row["stage"], row["indicator"])
    if at not in cvs.index or pd.isna(cvs.at[at, "ok_today"]):
        return {"value_now": float("nan"), "gap_now": float("nan"), "state": "unknown"}
    value, limit = float(cvs.at[at, "cv_today"]), float(cvs.at[at, "limit"])
    gap = value - limit
    state = "solved" if bool(cvs.at[at, "ok_today"]) else _trend(gap, row["gap"])
    return {"value_now": value, "gap_now": max(0.0, gap), "state": state}


def _trend(gap: float, before: float) -> str:
    return "same" if abs(gap - before) <= SAME else "eased" if gap < before else "worse"


class _Bearing:
    """Which actions bear on a problem: what brings the counted heads or things to the unit; for a CV, to any unit of the stage."""

    def __init__(self, standards: Standards, categories: pd.DataFrame, actions: pd.DataFrame | None):
        self.standards = standards
        self.resource = {(i.stage, i.id): i.resource for i in standards.indicators}
        flags = category_flags(categories, standards) if len(categories) else pd.DataFrame()
        self.counts = {
            (s, c, r) for (s, c), line in flags.iterrows() for r, counted in line.items() if counted
        }
        rows = [] if actions is None else actions.to_dict("records")
        self.rows = [(*_place(r), r) for r in rows]

    def on(self, problem: dict[str, Any]) -> dict[str, int]:
        """How many actions bear on a problem, by what became of them."""
        resource = self.resource[problem["stage"], problem["indicator"]]
        mine = [
            r["status"]
            for school, stage, r in self.rows
            if stage == problem["stage"]
            and problem["school_id"] in ("", school)
            and self._about(r, stage, resource)
        ]
        return {"planned": len(mine), **{s: mine.count(s) for s in STATUSES}}

    def _about(self, row: dict[str, Any], stage: str, resource: str) -> bool:
        if row["action"] in ("buy", "move_item"):
            return bool(row["item"] == resource)
        return row["action"] in ("transfer", "hire") and (stage, row["item"], resource) in self.counts


def _place(row: dict[str, Any]) -> tuple[str, str]:
    """School and stage to which an action brings something."""
    return str(row["to_id"] or row["school_id"]), str(row["to_stage"] or row["stage"])
