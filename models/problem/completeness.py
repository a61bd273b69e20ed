"""What is not as complete as it looks, by name: unknown, imputed, far from roads, unreachable, doubled, outside.

And the sum that keeps a county honest: pupils in = pupils assigned + pupils listed as left out.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd
import shapely

from geodata.contract.county import County
from geodata.contract.findings import Finding
from geodata.travel.times import FAR_M, TravelTimes
from geodata.travel.today import without_way
from models.plan.decisions import Plan, PlanResult
from models.problem.baseline import planning_demand, site_bands

KINDS = ("unknown", "imputed", "far", "unreachable", "duplicated", "outside", "left_out")
"""The kinds of incompleteness, in the order they are reported."""
COLUMNS = ["kind", "table", "id", "name", "detail"]
IMPUTED = (
    "tables.default_used", "tables.left_empty", "tables.shared_split", "reasons.attendance_scaled", "reasons.attendance_elsewhere",
)  # fmt: skip
"""Keys of findings about values that were put in place of missing ones."""
UNKNOWN = ("tables.lacks_", "tables.unknown_")
"""Beginnings of the keys of findings about what is not known."""
DUPLICATED = ("tables.close_schools", "tables.same_point")
EDGE = 0.002
"""Degrees (about 200 m) by which a place may lie beyond the township polygons, which are drawn coarsely [A]."""


@dataclass(frozen=True)
class Balance:
    """Pupils of the planning year: demand, pupils the plan places, pupils named as left out."""

    demand: int
    assigned: int
    listed: int

    @property
    def holds(self) -> bool:
        """No pupil has disappeared and none was counted twice."""
        return self.demand == self.assigned + self.listed


def pupils_balance(county: County, plan: Plan, findings: Iterable[Finding]) -> Balance:
    """Add up the demand of the planning year, the plan's attendance and what the findings leave out.

    Parameters
    ----------
    county : County
    plan : Plan
    findings : iterable of Finding
        Those of the result; ``reasons.unplaced`` names pupils that are not in the plan.

    Returns
    -------
    Balance
    """
    listed = sum(int(str(f.fields["pupils"])) for f in findings if f.key == "reasons.unplaced")
    demand = int(planning_demand(county)["total"].sum())
    return Balance(demand, int(plan.attendance["pupils"].sum()), listed)


def completeness(result: PlanResult) -> pd.DataFrame:
    """Everything incomplete, one row for each place or column and kind.

    Returns
    -------
    DataFrame
        ``kind`` (`KINDS`), ``table``, ``id`` (may be empty), ``name`` of the school, village or column, and
        ``detail``: metres for ``far``, the `Finding` where there is one, else None. Sorted by kind.
    """
    county = result.county
    rows = [
        *_estimated(county), *_far(result.times), *_lost(result.times), *_no_way(county, result.times), *_outside(county),
        *(row for f in result.findings for row in _of_finding(county, f)),
    ]  # fmt: skip
    table = pd.DataFrame(rows, columns=COLUMNS).drop_duplicates(["kind", "table", "id", "name"])
    order = table["kind"].map({k: i for i, k in enumerate(KINDS)})
    by = table.assign(order=order).sort_values(["order", "table", "id", "name"], kind="stable")
    return by[COLUMNS].reset_index(drop=True)


Row = tuple[str, str, str, str, object]


def _of_finding(county: County, f: Finding) -> list[Row]:
    """Rows of the findings that say themselves which place they are about."""
    if f.key.startswith(UNKNOWN):
        return [("unknown", f.table, "", f.column or f.table, f)]
    if f.key in IMPUTED:
        school = county.schools.set_index("school_id")["name"].get(f.value, "") if f.value else ""
        column = f.column or f.table or "attendance"
        return [("imputed", f.table or f.file, f.value, str(school) or column, f)]
    if f.key in DUPLICATED:
        name = f.value if f.key == "tables.close_schools" else str(f.fields["names"])
        return [("duplicated", f.table, "", name, f)]
    if f.key == "reasons.unplaced":
        return [("left_out", "villages", str(f.fields["band"]), str(f.fields["village"]), f)]
    return []


def _estimated(county: County) -> list[Row]:
    """Villages with a band whose attendance today was not observed at any school that takes part."""
    seen = county.attendance[county.attendance["pupils"] > 0].merge(
        site_bands(county), on=["school_id", "band"]
    )
    demand = planning_demand(county).merge(
        seen[["village_id", "band"]].drop_duplicates().assign(seen=True),
        on=["village_id", "band"],
        how="left",
    )
    lacking = set(demand.loc[demand["seen"].isna(), "village_id"])
    rows = county.villages[county.villages["village_id"].isin(lacking)]
    return [
        ("imputed", "villages", i, n, None) for i, n in zip(rows["village_id"], rows["name"], strict=True)
    ]


def _points(times: TravelTimes, kind: str, where: pd.Series) -> list[Row]:
    rows = times.points[where]
    tables = rows["point_kind"] + "s"
    return [
        (kind, t, i, n, float(m) if kind == "far" else None)
        for t, i, n, m in zip(tables, rows["point_id"], rows["name"], rows["snap_m"], strict=True)
    ]


def _far(times: TravelTimes) -> list[Row]:
    metres = times.points["snap_m"]
    return _points(times, "far", np.isfinite(metres) & (metres > FAR_M))


def _lost(times: TravelTimes) -> list[Row]:
    """Villages and schools without any pair."""
    of = {"village": times.pairs["village_id"], "school": times.pairs["school_id"]}
    reached = pd.Series(False, index=times.points.index)
    for kind, ids in of.items():
        reached |= (times.points["point_kind"] == kind) & times.points["point_id"].isin(ids.unique())
    return _points(times, "unreachable", ~reached)


def _no_way(county: County, times: TravelTimes) -> list[Row]:
    """Villages with pupils at a school that no way leads to."""
    lost = without_way(county, times.pairs)
    names = lost["village"] + " → " + lost["school"]
    return [
        ("unreachable", "attendance", str(i), n, None) for i, n in zip(lost["village_id"], names, strict=True)
    ]


def _outside(county: County) -> list[Row]:
    """Places outside the township polygons; nothing can be said without them."""
    if county.townships is None or county.townships.empty:
        return []
    whole = shapely.union_all(np.asarray(county.townships.geometry.dropna().values)).buffer(EDGE)
    rows: list[Row] = []
    for table, key in (("schools", "school_id"), ("villages", "village_id")):
        frame: pd.DataFrame = getattr(county, table)
        out = ~shapely.contains_xy(whole, frame["lon"].to_numpy(), frame["lat"].to_numpy())
        rows += [("outside", table, i, n, None) for i, n in frame.loc[out, [key, "name"]].to_numpy().tolist()]
    return rows
