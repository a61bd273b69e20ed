"""The year after: a county in which some decisions of a plan have been carried out, and others not."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

import pandas as pd

from geodata.contract.county import County
from models.plan.decisions import Plan
from models.problem.baseline import grades

COLUMN = {"area_sport": "area_sport_ground"}
"""Columns that take what is bought, where they are not called as the resource."""


def decided(plan: Plan) -> pd.DataFrame:
    """The rows of a plan that change something."""
    rows = plan.ledger
    idle = ((rows["action"] == "band") & (rows["was"] == rows["state"])) | (
        (rows["action"] == "attend") & (rows["from_id"] == rows["to_id"])
    )
    return rows[~idle & ((rows["action"] == "band") | (rows["quantity"] > 0))]


def year_after(county: County, plan: Plan, row_ids: Collection[str], drop_shut: bool = False) -> County:
    """The county a year later, with some rows of a plan carried out and nothing else.

    Parameters
    ----------
    county : County
    plan : Plan
    row_ids : collection of str
        What is carried out.
    drop_shut : bool
        Schools that teach nothing any more are left out of the tables instead of standing there as suspended.
    """
    rows = [r for r in decided(plan).to_dict("records") if r["row_id"] in set(row_ids)]
    schools, stage = county.schools.copy(), county.school_stage.copy()
    stock, going = county.staff_stock.copy(), county.attendance.copy()
    for r in rows:
        if r["action"] == "band":
            _close(schools, county, r)
        elif r["action"] == "attend":
            mine = (going["village_id"] == r["village_id"]) & (going["band"] == r["band"])
            going = _moved(going, mine, r, county.year)
        elif r["action"] in ("transfer", "hire"):
            stock = _heads(stock, r)
        else:
            _things(stage, r)
    stage = _pupils(stage, going, county)
    shut = schools.loc[schools["grades_served"] == "", "school_id"]
    schools.loc[schools["school_id"].isin(shut), "status"] = "suspended"
    schools.loc[schools["school_id"].isin(shut), "grades_served"] = county.schools["grades_served"]
    if drop_shut:
        schools, stage, stock = (
            t[~t["school_id"].isin(shut)].reset_index(drop=True) for t in (schools, stage, stock)
        )
    stage = stage.sort_values(["school_id", "stage"]).reset_index(drop=True)
    return replace(
        county, year=county.year + 1, schools=schools, school_stage=stage, staff_stock=stock.sort_values(["school_id", "stage", "cat_id"]).reset_index(drop=True),
        attendance=going.sort_values(["village_id", "school_id", "band"]).reset_index(drop=True),
        demand=county.demand.assign(year=county.demand["year"] + 1), budget=county.budget.assign(year=county.budget["year"] + 1),
    )  # fmt: skip


def _close(schools: pd.DataFrame, county: County, r: dict[str, object]) -> None:
    at = schools.index[schools["school_id"] == r["school_id"]]
    kept = grades(schools.loc[at[0], "grades_served"]) - set(county.scheme.band_grades[str(r["band"])])
    schools.loc[at, "grades_served"] = f"{min(kept)}-{max(kept)}" if kept else ""


def _moved(going: pd.DataFrame, mine: pd.Series, r: dict[str, object], year: int) -> pd.DataFrame:
    start = going.index[mine & (going["school_id"] == r["from_id"])]
    going.loc[start, "pupils"] -= int(float(str(r["quantity"])))
    end = going.index[mine & (going["school_id"] == r["to_id"])]
    if len(end):
        going.loc[end, "pupils"] += int(float(str(r["quantity"])))
    else:
        new = going.loc[start].assign(school_id=r["to_id"], pupils=int(float(str(r["quantity"]))))
        going = pd.concat([going, new], ignore_index=True)
    return going[going["pupils"] > 0].reset_index(drop=True)


def _heads(stock: pd.DataFrame, r: dict[str, object]) -> pd.DataFrame:
    n = int(float(str(r["quantity"])))
    key = ["school_id", "stage", "cat_id"]
    ends = [((r["to_id"] or r["school_id"], r["to_stage"] or r["stage"], r["item"]), n)]
    if r["action"] == "transfer":
        ends.append(((r["from_id"], r["from_stage"], r["item"]), -n))
    for place, change in ends:
        hit = (stock[key] == list(place)).all(axis=1)
        if hit.any():
            stock.loc[hit, "heads"] += change
        else:
            new = stock.iloc[:1].assign(**dict(zip(key, place, strict=True)), heads=change, near_retirement=0)
            stock = pd.concat([stock, new], ignore_index=True)
    return stock


def _things(stage: pd.DataFrame, r: dict[str, object]) -> None:
    column = COLUMN.get(str(r["item"]), str(r["item"]))
    ends = [(r["to_id"] or r["school_id"], r["to_stage"] or r["stage"], float(str(r["quantity"])))]
    if r["action"] == "move_item":
        ends.append((r["from_id"], r["from_stage"], -float(str(r["quantity"]))))
    for school, s, change in ends:
        hit = (stage["school_id"] == school) & (stage["stage"] == s)
        stage.loc[hit, column] = (stage.loc[hit, column] + change).astype(stage[column].dtype)


def _pupils(stage: pd.DataFrame, going: pd.DataFrame, county: County) -> pd.DataFrame:
    """Pupils by unit as the attendance has them."""
    of = (
        going.assign(stage=going["band"].map(county.scheme.band_stage))
        .groupby(["school_id", "stage"])["pupils"]
        .sum()
    )
    keys = list(zip(stage["school_id"], stage["stage"], strict=True))
    return stage.assign(pupils=[int(of.get(k, 0)) for k in keys])
