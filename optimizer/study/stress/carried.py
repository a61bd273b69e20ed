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
from typing import Any

import pandas as pd

from models.plan.before import Before
from models.plan.decisions import Plan
from models.problem.baseline import largest_remainder
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


def carried(plan: Plan, case: Case, today: Before) -> Carried:
    """A fixed plan in a case that differs from the one it was made for.

    Parameters
    ----------
    plan : Plan
    case : Case
    today : Before
        What no plan changes there.

    Returns
    -------
    Carried
        In the case that it was made for, the plan itself.
    """
    going, unplanned = _going(plan, today.groups)
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
    said = plan.attendance
    planned: dict[tuple[Any, ...], list[tuple[str, str, int]]] = {}
    for *key, school, mode, n in zip(
        *(said[c].tolist() for c in (*GROUP, "school_id", "mode", "pupils")), strict=True
    ):
        if n > 0:
            planned.setdefault(tuple(key), []).append((school, mode, n))
    rows, unplanned = [], 0
    columns = [*GROUP, "pupils", "today_mode"]
    for i, (*key, n, mode) in enumerate(zip(*(groups[c].tolist() for c in columns), strict=True)):
        ways = planned.get(tuple(key), [])
        unplanned += 0 if ways else n
        rows += [(*key, *way, n, i) for way in ways or [(key[-1], mode, 1)]]
    table = pd.DataFrame(rows, columns=[*GROUP, "school_id", "mode", "weight", "pupils", "row"])
    table["pupils"] = largest_remainder(table.pop("weight").astype(float), table.pop("row"), table["pupils"])
    return table[table["pupils"] > 0][[*GROUP, "school_id", "mode", "pupils"]], int(unplanned)


def _moves(plan: Plan, case: Case) -> pd.DataFrame:
    """Heads moved: no more of a category than the unit still has."""
    moves = plan.staff_moves.drop(columns="row_id")
    if moves.empty:
        return moves
    place = ["from_school_id", "from_stage", "cat_id"]
    if _all_there(moves, case.county.staff_stock):
        return moves
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


def _all_there(moves: pd.DataFrame, stock: pd.DataFrame) -> bool:
    """Whether every unit still has the heads that it sends."""
    left: dict[tuple[str, str, str], float] = {}
    for *place, n in zip(
        *(stock[c].tolist() for c in ("school_id", "stage", "cat_id", "heads")), strict=True
    ):
        left[tuple(place)] = left.get(tuple(place), 0) + (n if n == n else 0)
    ends = ("from_school_id", "from_stage", "cat_id", "heads")
    for *place, n in zip(*(moves[c].tolist() for c in ends), strict=True):
        left[tuple(place)] = left.get(tuple(place), 0) - n
        if left[tuple(place)] < 0:
            return False
    return bool((moves["heads"] > 0).all())


def _hires(plan: Plan, case: Case) -> pd.DataFrame:
    """Heads hired in categories that can be hired."""
    hires = plan.hires.drop(columns="row_id")
    can = case.county.staff_category.set_index(["stage", "cat_id"])["hireable"].astype(bool)
    open_yet = [bool(can.get((s, c), False)) for s, c in zip(hires["stage"], hires["cat_id"], strict=True)]
    return hires[pd.Series(open_yet, index=hires.index, dtype=bool)]
