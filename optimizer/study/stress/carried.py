"""A fixed plan in a future: its decisions kept, repaired by whole pupils and heads, what cannot be kept named.

| decision | in the future |
|---|---|
| bands open or closed, classes, purchases, items moved | as decided, even if now dearer or too few |
| who goes where | each group of pupils (village, band, today's school) splits in the plan's proportions, in whole pupils |
| a group that the plan did not know | stays where it is today |
| staff moved | as many as are still there, in the plan's proportions |
| staff hired | where the category can still be hired |
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from models.plan.before import before
from models.plan.decisions import Plan
from models.problem.baseline import largest_remainder
from models.standards.norms import Standards
from optimizer.study.stress.factors.record import Case

GROUP = ["village_id", "band", "group", "today_school_id"]


@dataclass(frozen=True)
class Carried:
    """A plan as it stands in a future.

    Parameters
    ----------
    plan : Plan
    unplanned : int
        Pupils of groups that the plan does not know: they stay at today's school.
    transfers_lost, hires_lost : int
        Heads that the plan moves or hires and that are not there.
    """

    plan: Plan
    unplanned: int
    transfers_lost: int
    hires_lost: int


def carried(plan: Plan, case: Case, standards: Standards) -> Carried:
    """A fixed plan in a case that differs from the one it was made for.

    Parameters
    ----------
    plan : Plan
    case : Case
    standards : Standards
        Of the case's county.

    Returns
    -------
    Carried
        In the case that it was made for, the plan itself.
    """
    groups = before(case.county, standards, case.times).groups
    going, unplanned = _going(plan, groups)
    moves = _moves(plan, case)
    hires = _hires(plan, case)
    return Carried(
        Plan(plan.ledger, plan.years, attendance=going, staff_moves=moves, hires=hires),
        unplanned,
        int(plan.staff_moves["heads"].sum() - moves["heads"].sum()),
        int(plan.hires["heads"].sum() - hires["heads"].sum()),
    )


def _going(plan: Plan, groups: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    """Who goes where: the plan's shares of every group of the future."""
    said = plan.attendance.rename(columns={"pupils": "planned"})
    said = said[said["planned"] > 0]
    rows = groups[[*GROUP, "pupils", "today_mode"]].merge(said, on=GROUP, how="left")
    new = rows["planned"].isna()
    rows["school_id"] = rows["school_id"].where(~new, rows["today_school_id"])
    rows["mode"] = rows["mode"].where(~new, rows["today_mode"])
    weights = rows["planned"].fillna(1.0).astype(float)
    key = rows.groupby(GROUP, sort=False).ngroup()
    unplanned = int(rows.loc[new, "pupils"].sum())
    rows["pupils"] = largest_remainder(weights, key, rows["pupils"].astype("int64"))
    rows = rows[rows["pupils"] > 0]
    return rows[[*GROUP, "school_id", "mode", "pupils"]], unplanned


def _moves(plan: Plan, case: Case) -> pd.DataFrame:
    """Heads moved: no more of a category than the unit still has."""
    moves = plan.staff_moves.drop(columns="row_id")
    if moves.empty:
        return moves
    place = ["from_school_id", "from_stage", "cat_id"]
    stock = case.county.staff_stock.rename(columns={"school_id": "from_school_id", "stage": "from_stage"})
    have = stock.groupby(place)["heads"].sum().rename("have").reset_index()
    rows = moves.merge(have, on=place, how="left").fillna({"have": 0})
    key = rows.groupby(place, sort=False).ngroup()
    asked = rows.groupby(key)["heads"].transform("sum")
    most = rows["have"].clip(upper=asked).astype("int64")
    short = most < asked
    if short.any():
        rows.loc[short, "heads"] = largest_remainder(
            rows.loc[short, "heads"].astype(float), key[short], most[short]
        )
    return rows.loc[rows["heads"] > 0, moves.columns]


def _hires(plan: Plan, case: Case) -> pd.DataFrame:
    """Heads hired in categories that can be hired."""
    hires = plan.hires.drop(columns="row_id")
    can = case.county.staff_category.set_index(["stage", "cat_id"])["hireable"].astype(bool)
    open_yet = [bool(can.get((s, c), False)) for s, c in zip(hires["stage"], hires["cat_id"], strict=True)]
    return hires[pd.Series(open_yet, index=hires.index, dtype=bool)]
