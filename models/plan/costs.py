"""What a plan costs, line by line, from T12 and T8 (sources.md 3.5); each line hangs on a row of the ledger."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, fields
from functools import lru_cache
from operator import attrgetter
from typing import Any, TypeAlias

import numpy as np
import pandas as pd

from geodata.checks.crosschecks import needed_costs
from models.plan.outcome import After


@dataclass(frozen=True)
class Line:
    """One cost line.

    Parameters
    ----------
    row_id : str
        The ledger row that causes it; empty where no single decision does (itinerant teachers).
    action, earmark : str
    school_id, stage, item : str
    quantity : float
    unit : str
    unit_cost : float
        Yuan a unit.
    recurrent, charged : bool
        Every year anew; counted against the budget.
    """

    row_id: str
    action: str
    earmark: str
    school_id: str
    stage: str
    item: str
    quantity: float
    unit: str
    unit_cost: float
    recurrent: bool
    charged: bool


Prices: TypeAlias = dict[str, float]
"""Yuan by item of T12."""
COLUMNS = [
    "row_id", "action", "earmark", "school_id", "school", "stage", "item", "quantity", "unit", "unit_cost", "yuan", "recurrent",
    "charged",
]  # fmt: skip


def prices(after: After) -> pd.Series:
    """T12 at the asked level, by item; NaN for items that a plan may need and the table does not have."""
    told = after.county.unit_costs.set_index("item")[after.request.cost_level].astype(float)
    need = pd.Index(needed_costs(after.county.norms))
    return told.reindex(told.index.union(need, sort=False))


def _staff(after: After, price: Prices) -> Iterator[Line]:
    category = after.county.staff_category
    keys = zip(category["stage"], category["cat_id"], strict=True)
    salary = dict(zip(keys, category["annual_cost"].astype(float).tolist(), strict=True))
    for r in after.plan.hires.itertuples():
        cost = float(salary.get((r.stage, r.cat_id), np.nan))
        yield Line(
            r.row_id, "hire", "teacher", r.school_id, r.stage, r.cat_id, r.heads, "heads", cost, True, True
        )
    subsidy = price["rotation_subsidy"]
    for r in after.plan.staff_moves.itertuples():
        yield Line(
            r.row_id, "transfer", "teacher", r.to_school_id, r.to_stage, r.cat_id, r.heads, "heads", subsidy, True, True
        )  # fmt: skip
    share = after.standards.limit("floor_arts_point_share", 0.0)
    flag = after.standards.about("floor_arts_point_share")
    if not share or flag not in after.standards.heads:
        return
    points = after.new[(after.new["kind"] == "point") & after.new["open"]].drop_duplicates("school_id")
    columns = [points[c].tolist() for c in ("township", "school_id")]
    for township, many in sorted(Counter(t for t, _ in set(zip(*columns, strict=True))).items()):
        base = after.new.loc[_base(after, flag, township)]
        heads = int(np.ceil(many / share))
        yield Line(
            "",
            "itinerant",
            "teacher",
            base["school_id"],
            base["stage"],
            flag,
            heads,
            "heads",
            price["itinerant"],
            True,
            False,
        )  # fmt: skip - given by teachers on the payroll today: told, no new money


def _base(after: After, flag: str, township: str) -> str:
    """The open unit of a township with most heads of a flag, the first of them by school."""
    new = after.new
    some = np.flatnonzero((new["township"] == township).to_numpy(bool) & new["open"].to_numpy(bool)).tolist()
    have, schools = new[flag].tolist(), new["school_id"].tolist()
    first = min(
        some, key=lambda i: (have[i] != have[i], -have[i] if have[i] == have[i] else 0.0, schools[i], i)
    )
    return str(new.index[first])


def _items(after: After, price: Prices) -> Iterator[Line]:
    bought = after.plan.purchases.assign(action="purchase")
    moved = after.plan.item_moves.rename(columns={"to_school_id": "school_id", "to_stage": "stage"})
    for r in (*bought.itertuples(), *moved.assign(action="item_move").itertuples()):
        one = after.standards.resources.get(str(r.kind))
        earmark, unit, cost = "device", "items", 0.0
        # what may not be bought or moved has no price: the rule about items names it
        if one is not None and one.kind != "heads":
            earmark, unit = one.earmark, one.unit
            if r.action == "purchase" and one.buyable:
                cost = float(sum(price[i] for i in one.price)) if one.price else 1.0
            elif r.action == "item_move" and one.movable:
                cost = float(price[one.move_price])
        yield Line(
            r.row_id, r.action, earmark, r.school_id, r.stage, r.kind, r.quantity, unit, cost, False, True
        )


def county_rides(travel: pd.DataFrame) -> pd.Series:
    """Whether the county runs a bus for a row's pupils that it does not run today."""
    return (travel["mode"] == "bus") & (travel["changed"] | (travel["today_mode"] != "bus"))


def _pupils(after: After, price: Prices) -> Iterator[Line]:
    travel = after.travel
    stage: dict[str, Any] = dict(after.county.scheme.band_stage)
    columns = [travel[c].tolist() for c in ("row_id", "school_id", "band", "pupils")]
    for item, action, rows, recurrent in (
        ("bus_pupil", "bus", county_rides(travel), True),
        ("transition_grant", "transition", travel["changed"], False),
    ):
        for i in np.flatnonzero(rows.to_numpy(bool)).tolist():
            row, j, b, n = (column[i] for column in columns)
            yield Line(
                row,
                action,
                "transport",
                j,
                stage.get(b, np.nan),
                item,
                n,
                "pupils",
                price[item],
                recurrent,
                True,
            )


def _closures(after: After, price: Prices) -> Iterator[Line]:
    """Mothballing is charged; saved running costs and lost public funds are reported apart (sources.md 3.5).

    What a whole site or unit costs hangs on its first closed band.
    """
    bands = after.plan.bands.assign(stage=after.plan.bands["band"].map(after.county.scheme.band_stage))
    first = bands[~bands["open"]]
    of_site = first.drop_duplicates("school_id").set_index("school_id")["row_id"]
    of_unit = first.drop_duplicates(["school_id", "stage"]).set_index(["school_id", "stage"])["row_id"]
    is_open = after.site_open
    for j in is_open.index[~is_open]:
        row = str(of_site.get(j, ""))
        yield Line(row, "closure", "building", j, "", "mothball", 1, "sites", price["mothball"], False, True)
        yield Line(row, "running", "", j, "", "site_running", -1, "sites", price["site_running"], True, False)
    funded = int(after.standards.limit("small_school_funds", 0.0))
    pupils, shut = after.units["pupils"].to_numpy(float), ~after.new["open"].to_numpy(bool)
    for i in np.flatnonzero(shut & (pupils > 0) & (pupils < funded)).tolist():
        j, s = (after.units[c].iat[i] for c in ("school_id", "stage"))
        row, item, lost = str(of_unit.get((j, s), "")), f"public_funds_{s}", funded - int(pupils[i])
        yield Line(row, "public_funds", "", j, s, item, lost, "pupils", price[item], True, False)


@lru_cache(maxsize=2)
def cost_table(after: After) -> pd.DataFrame:
    """Every cost line of a plan; one table for all who ask, never written to.

    Returns
    -------
    DataFrame
        See `models.plan.decisions.Verdict.costs`; unknown categories cost NaN and are caught by the rules.
    """
    price = prices(after).to_dict()
    lines = [*_staff(after, price), *_items(after, price), *_pupils(after, price), *_closures(after, price)]
    lines.sort(key=attrgetter("action", "school_id", "item", "row_id"))
    names = [f.name for f in fields(Line)]
    table = pd.DataFrame(list(map(attrgetter(*names), lines)), columns=names)
    table["yuan"] = table["quantity"].astype(float) * table["unit_cost"].astype(float)
    table["school"] = table["school_id"].map(after.today.schools["name"])
    table[["recurrent", "charged"]] = table[["recurrent", "charged"]].astype(bool)
    return table[COLUMNS]


def budget_table(after: After, costs: pd.DataFrame) -> pd.DataFrame:
    """``earmark, available, spent, left``; what an earmark lacks is taken from "any"."""
    spent = costs[costs["charged"]].groupby("earmark")["yuan"].sum()
    rows, spill = [], 0.0
    for earmark, have in after.budget.items():
        if earmark == "any":
            continue
        used = float(spent.get(earmark, 0.0))
        spill += max(0.0, used - have)
        rows.append((earmark, have, used, have - used))
    free = after.budget.get("any", 0.0)
    rows.append(("any", free, spill, free - spill))
    return pd.DataFrame(rows, columns=["earmark", "available", "spent", "left"])
