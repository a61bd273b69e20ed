"""Who loses: groups whose way grows, schools that lose an indicator, teachers or pupils.

Reckoned from the plan and the referee's tables alone. Gains are never set against losses: a school that wins
one indicator and loses another stands among those that lose one.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from geodata.contract.county import County
from geodata.remembered import once_for_each
from models.plan.decisions import Plan, PlanResult, Verdict
from models.plan.quality import counted_rows, flagged_moves
from models.rules.record import EPS


def longer_ways(travel: pd.DataFrame) -> pd.DataFrame:
    """Groups whose way to school grows, longest addition first.

    Parameters
    ----------
    travel : DataFrame
        `Verdict.travel`.

    Returns
    -------
    DataFrame
        Its rows with ``added`` (minutes) and ``beyond`` (over the limit of band and mode in the plan). Groups
        whose way is unknown today or in the plan are not among them: see `unknown_ways`.
    """
    rows = travel.assign(added=travel["minutes"].astype(float) - travel["minutes_today"].astype(float))
    rows = rows[rows["added"] > EPS]
    rows = rows.assign(beyond=rows["minutes"] > rows["limit"] + EPS)
    order = ["added", "pupils", "village_id", "band", "group"]
    return rows.sort_values(order, ascending=[False, False, True, True, True], kind="stable").reset_index(
        drop=True
    )


def unknown_ways(travel: pd.DataFrame) -> pd.DataFrame:
    """Groups that change school and of whom nobody knows whether the way grows."""
    unknown = travel["minutes"].isna() | travel["minutes_today"].isna()
    return travel[unknown & travel["changed"].astype(bool)].reset_index(drop=True)


def staff_changes(county: County, plan: Plan) -> pd.DataFrame:
    """Teachers who leave, come and are hired, by unit and kind.

    Returns
    -------
    DataFrame
        Index (unit_id, kind): ``out, into, hired, net`` in heads; ``kind`` is ``all`` or a kind of staff
        that the standards count apart. Units without a change are not there.
    """
    moves, kinds = flagged_moves(county, plan)
    ends = {}
    for column, side in (("out", "from"), ("into", "to")):
        units = moves[f"{side}_school_id"].astype(str) + "/" + moves[f"{side}_stage"].astype(str)
        ends[column] = _long(moves.assign(unit_id=units), kinds)
    hires = counted_rows(county, plan.hires, "stage")[0]
    units = hires["school_id"].astype(str) + "/" + hires["stage"].astype(str)
    ends["hired"] = _long(hires.assign(unit_id=units), kinds)
    table = pd.DataFrame(ends).fillna(0).round().astype("int64")
    table["net"] = table["into"] + table["hired"] - table["out"]
    table.index = table.index.set_names(["unit_id", "kind"])
    return table[(table[["out", "into", "hired"]] != 0).any(axis=1)].sort_index()


def _long(rows: pd.DataFrame, kinds: list[str]) -> pd.Series:
    return rows.groupby("unit_id")[kinds].sum().astype(float).stack()


def unit_changes(result: PlanResult) -> pd.DataFrame:
    """What changes at every unit: pupils, teachers, classes, indicators lost, won and lowered.

    Parameters
    ----------
    result : PlanResult

    Returns
    -------
    DataFrame
        One row per unit: ``unit_id, school_id, name, township, zone, stage, open_plan, pupils_today, pupils_plan,
        pupils`` (change), ``classes`` (change), ``leave, come`` (pupils who change school), ``out, into, hired,
        net`` (teachers), ``lost, won`` (ids of indicators met only today, only in the plan), ``lower`` (ids of
        indicators whose value falls), ``money`` (yuan of the lines charged there), ``changes`` (bool).
    """
    return _changes(result).copy()


@once_for_each
def _changes(result: PlanResult) -> pd.DataFrame:
    """`unit_changes`, which half of a dossier's pages ask for."""
    units = result.verdict.units
    keep = [
        "unit_id",
        "school_id",
        "name",
        "township",
        "zone",
        "stage",
        "open_plan",
        "pupils_today",
        "pupils_plan",
    ]
    table = units[keep].assign(
        pupils=units["pupils_plan"] - units["pupils_today"], classes=units["classes_plan"] - units["classes_today"]
    ).set_index("unit_id")  # fmt: skip
    leave, come = _pupils_moved(result.county, result.verdict)
    table["leave"], table["come"] = (s.reindex(table.index).fillna(0).astype("int64") for s in (leave, come))
    staff = staff_changes(result.county, result.plan)
    whole = staff.xs("all", level="kind") if len(staff) else staff
    for column in ("out", "into", "hired", "net"):
        table[column] = whole[column].reindex(table.index).fillna(0).astype("int64") if len(staff) else 0
    for column, ids in _indicators(result.verdict):
        table[column] = [ids.get(unit, ()) for unit in table.index]
    costs = result.verdict.costs
    costs = costs[costs["charged"].astype(bool) & (costs["stage"] != "")]
    spent = costs.groupby(costs["school_id"].astype(str) + "/" + costs["stage"].astype(str))["yuan"].sum()
    table["money"] = spent.reindex(table.index).fillna(0.0).astype(float)
    numbers = ["pupils", "classes", "leave", "come", "out", "into", "hired", "money"]
    told = table[["lost", "won", "lower"]].map(len).any(axis=1)
    table["changes"] = (table[numbers] != 0).any(axis=1) | told | ~table["open_plan"].astype(bool)
    return table.reset_index()


def _pupils_moved(county: County, verdict: Verdict) -> tuple[pd.Series, pd.Series]:
    """Pupils who leave and who come, by unit."""
    moved = verdict.travel[verdict.travel["changed"].astype(bool)]
    stage = moved["band"].map(county.scheme.band_stage).astype(str)
    leave = moved.groupby(moved["today_school_id"].astype(str) + "/" + stage)["pupils"].sum()
    come = moved.groupby(moved["school_id"].astype(str) + "/" + stage)["pupils"].sum()
    return leave, come


def _indicators(verdict: Verdict) -> Iterator[tuple[str, dict[str, tuple[str, ...]]]]:
    """Indicators lost, won and lowered by unit, of units assessed on both sides."""
    rows = verdict.indicators
    rows = rows[rows["assessed_today"].astype(bool) & rows["assessed_plan"].astype(bool)]
    today, plan = (rows[c].eq(True).fillna(False).astype(bool) for c in ("met_today", "met_plan"))
    fall = rows["ratio_plan"].astype(float) < rows["ratio_today"].astype(float) * (1 - EPS)
    for column, which in (("lost", today & ~plan), ("won", plan & ~today), ("lower", fall)):
        groups = rows[which].groupby("unit_id")["indicator"]
        yield column, {str(unit): tuple(ids) for unit, ids in groups}


def losing_units(changes: pd.DataFrame) -> pd.DataFrame:
    """Units that close, or stay and lose an indicator, teachers or pupils; who loses most indicators first."""
    loses = changes["lost"].map(len) + (~changes["open_plan"].astype(bool)).astype(int)
    rows = changes[(loses > 0) | (changes["net"] < 0) | (changes["pupils"] < 0)]
    order = pd.DataFrame(
        {"loses": -loses, "net": changes["net"], "pupils": changes["pupils"], "id": changes["unit_id"]}
    )
    return rows.loc[order.loc[rows.index].sort_values(["loses", "net", "pupils", "id"], kind="stable").index]


def zone_balance(result: PlanResult) -> pd.DataFrame:
    """Pupils and teachers by zone: who leaves, who comes, and the net, by transfer and change of school alone.

    Returns
    -------
    DataFrame
        ``zone, kind`` (pupils, all, or a flag of the standards), ``out, into, net``. Moves inside a zone count
        on both sides.
    """
    county = result.county
    zone = county.schools.set_index("school_id")["zone"]
    moves, kinds = flagged_moves(county, result.plan)
    moved = result.verdict.travel[result.verdict.travel["changed"].astype(bool)]
    sources = [("pupils", moved["today_school_id"].map(zone), moved["school_id"].map(zone), moved["pupils"])]
    sources += [(k, moves["from"], moves["to"], moves[k]) for k in kinds]
    rows = []
    for kind, start, end, amount in sources:
        for one in sorted(result.verdict.units["zone"].unique()):
            out, into = (int(np.round(amount[side == one].sum())) for side in (start, end))
            rows.append((one, kind, out, into, into - out))
    return pd.DataFrame(rows, columns=["zone", "kind", "out", "into", "net"])
