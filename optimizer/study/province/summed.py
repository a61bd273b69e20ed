"""The tables of a province from its counties' points: the split, the equal one beside it, what is proven."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from geodata.contract.findings import Finding, InputProblems
from models.problem.request import COUNTED_GOALS
from models.study.provincial import Province
from optimizer.study.province.asked import ProvinceGiven
from optimizer.study.province.grants import CountyItem, Unread
from optimizer.study.province.split import Front, Split, best_split, front_of

UNREAD, WITHOUT_PLAN, FRONT = "unread", "no_plan", "done"
COLUMNS_OF_COUNTIES = [
    "county", "name", "name_en", "folder", "pupils", "status", "why", "assessed", "passing_today", "grant_floor", "grant_equal", "grant_split",
    "value_own", "value_equal", "value_split", "bound_equal", "bound_split", "passing_own", "passing_equal", "passing_split",
    "deficit_own", "deficit_equal", "deficit_split", "plan",
]  # fmt: skip


def plan_file(number: int, point: int) -> str:
    """Where the plan of a county's point is kept, seen from the study's folder."""
    return f"plans/{number:04d}-{point:02d}.csv"


def province_tables(
    given: ProvinceGiven, items: list[CountyItem], unread: list[Unread], rows: pd.DataFrame, points: pd.DataFrame,
    found: list[Finding], request: dict[str, Any],
) -> Province:  # fmt: skip
    """Everything that the counties' points say.

    Parameters
    ----------
    given : ProvinceGiven
    items, unread
        Of `optimizer.study.province.grants.county_items`.
    rows, points : DataFrame
        Of `optimizer.study.province.fronts.Fronts`: a row a county; a row a grant.
    found : list of Finding
    request : dict
        What is recorded of the request.

    Raises
    ------
    InputProblems
        No county has a plan; or what the counties need for any plan is more than the budget.
    """
    fronts = {i.number: _front(i, points) for i in items}
    usable = [f for f in fronts.values() if f is not None and np.isfinite(f.value[f.allowed]).any()]
    have = {f.number for f in usable}
    if not usable:
        raise InputProblems([*found, Finding("error", "province.no_front")])
    aside = sum(max(i.equal, i.floor) for i in items if i.number not in have)
    split = best_split(usable, given.asked.budget - aside)
    if split is None:
        raise InputProblems(
            [*found, Finding("error", "province.no_split", value=f"{given.asked.budget:,.0f}")]
        )
    table = _counties(items, unread, rows, points, {f.number: f for f in usable}, split)
    at = {i.number: i for i in items}
    equal = sum(f.value[f.at(at[f.number].equal)] for f in usable)
    proven = sum(f.bound[f.at(at[f.number].equal)] for f in usable)
    low = np.ceil if given.asked.goal in COUNTED_GOALS else float
    clock, plans = (int(rows[c].fillna(0).sum()) for c in ("clock", "plans"))
    if clock:
        found = [*found, Finding("note", "province.not_proven", {"plans": clock, "all": plans})]
    return Province(
        given.asked.name, given.asked.name_en, any(i.county.fictional for i in items), given.asked.goal, given.asked.budget,
        given.asked.floor, given.scenario.model_dump(mode="json"), request, table, points, float(aside), split.spent,
        float(sum(f.value[0] for f in usable)), float(equal), float(proven), split.value, float(low(split.grid - 1e-6)),
        float(low(split.bound - 1e-6)), {u.folder: u.findings for u in unread}, tuple(found),
    )  # fmt: skip


def _front(item: CountyItem, points: pd.DataFrame) -> Front | None:
    """A county's front; None where it has no points."""
    mine = points[points["county"] == item.number] if len(points) else points
    if mine.empty:
        return None
    grants, value, second, bound = (mine[c].to_numpy(float) for c in ("grant", "value", "second", "bound"))
    return front_of(item.number, item.pupils, grants, value, second, bound, item.floor)


def _counties(
    items: list[CountyItem], unread: list[Unread], rows: pd.DataFrame, points: pd.DataFrame, fronts: dict[int, Front], split: Split
) -> pd.DataFrame:  # fmt: skip
    """`models.study.provincial.Province.counties`."""
    lines: list[dict[str, Any]] = [
        {"county": u.number, "name": n, "name_en": n, "folder": u.folder, "status": UNREAD} for u in unread for n in [Path(u.folder).name]
    ]  # fmt: skip
    told = rows.set_index("county")
    for item in items:
        row, front = told.loc[item.number], fronts.get(item.number)
        line: dict[str, Any] = {
            "county": item.number, "name": item.county.name, "name_en": item.county.name_en or item.county.name, "folder": item.folder,
            "pupils": item.pupils, "status": row["status"], "why": row["why"], "grant_floor": item.floor, "grant_equal": item.equal,
        }  # fmt: skip
        if front is None:
            line["status"] = WITHOUT_PLAN if row["status"] == FRONT else row["status"]
            line["grant_split"] = max(item.equal, item.floor)
            lines.append(line)
            continue
        chosen = split.chosen[item.number]
        mine = points[points["county"] == item.number].set_index("point")
        line |= {c: mine[c].max() for c in ("assessed", "passing_today")}
        for name, i in (("own", 0), ("equal", front.at(item.equal)), ("split", chosen)):
            plan = int(front.plan[i])
            line[f"value_{name}"], line[f"deficit_{name}"] = front.value[i], front.second[i]
            line[f"passing_{name}"] = mine.at[plan, "passing"] if plan >= 0 else np.nan
            line[f"bound_{name}"] = front.bound[i]
        line |= {
            "grant_split": front.grants[chosen],
            "plan": plan_file(item.number, int(front.plan[chosen])),
        }
        lines.append(line)
    table = pd.DataFrame(lines).reindex(columns=COLUMNS_OF_COUNTIES)
    return table.sort_values("county").reset_index(drop=True).fillna({"why": "", "plan": ""})
