"""What a plan costs, line by line, from T12 and T8 (sources.md 3.5)."""

from __future__ import annotations

import numpy as np
import pandas as pd

from models.plan.outcome import After

COLUMNS = [
    "action", "earmark", "school_id", "school", "item", "quantity", "unit", "unit_cost", "yuan", "recurrent", "charged",
]  # fmt: skip


def prices(after: After) -> pd.Series:
    """T12 at the asked level, by item."""
    return after.county.unit_costs.set_index("item")[after.request.cost_level].astype(float)


def _staff(after: After, price: pd.Series) -> list[tuple[object, ...]]:
    salary = after.county.staff_category.set_index(["stage", "cat_id"])["annual_cost"].astype(float)
    rows: list[tuple[object, ...]] = []
    for r in after.plan.hires.itertuples():
        cost = float(salary.get((r.stage, r.cat_id), np.nan))
        rows.append(("hire", "teacher", r.school_id, r.cat_id, r.heads, "heads", cost, True, True))
    for r in after.plan.staff_moves.itertuples():
        rows.append(
            (
                "transfer",
                "teacher",
                r.to_school_id,
                r.cat_id,
                r.heads,
                "heads",
                price["rotation_subsidy"],
                True,
                True,
            )
        )
    share = after.standards.limit("floor_arts_point_share", 0.0)
    if not share:
        return rows
    points = after.new[(after.new["kind"] == "point") & after.new["open"]].drop_duplicates("school_id")
    for township, many in points.groupby("township")["school_id"].nunique().items():
        in_town = after.new[(after.new["township"] == township) & after.new["open"]]
        base = in_town.sort_values(["a", "school_id"], ascending=[False, True]).iloc[0]["school_id"]
        rows.append(
            (
                "itinerant",
                "teacher",
                base,
                "a",
                int(np.ceil(many / share)),
                "heads",
                price["itinerant"],
                True,
                True,
            )
        )
    return rows


def _items(after: After, price: pd.Series) -> list[tuple[object, ...]]:
    rows: list[tuple[object, ...]] = []
    resources = after.standards.resources
    for action, table in (("purchase", after.plan.purchases), ("item_move", after.plan.item_moves)):
        school = "school_id" if action == "purchase" else "to_school_id"
        for j, kind, quantity in zip(table[school], table["kind"], table["quantity"], strict=True):
            one = resources.get(str(kind))
            earmark, unit, cost = "device", "items", 0.0
            # what may not be bought or moved has no price: the rule about items names it
            if one is not None and one.kind != "heads":
                earmark, unit = one.earmark, one.unit
                if action == "purchase" and one.buyable:
                    cost = float(sum(price[i] for i in one.price)) if one.price else 1.0
                elif action == "item_move" and one.movable:
                    cost = float(price[one.move_price])
            rows.append((action, earmark, j, kind, quantity, unit, cost, False, True))
    return rows


def _pupils(after: After, price: pd.Series) -> list[tuple[object, ...]]:
    travel = after.travel
    rides = travel[(travel["mode"] == "bus") & (travel["changed"] | (travel["today_mode"] != "bus"))]
    rows: list[tuple[object, ...]] = [
        ("bus", "transport", j, "bus_pupil", int(n), "pupils", price["bus_pupil"], True, True)
        for j, n in rides.groupby("school_id")["pupils"].sum().items()
    ]
    moved = travel[travel["changed"]].groupby("school_id")["pupils"].sum()
    rows += [
        (
            "transition",
            "transport",
            j,
            "transition_grant",
            int(n),
            "pupils",
            price["transition_grant"],
            False,
            True,
        )
        for j, n in moved.items()
    ]
    return rows


def _closures(after: After, price: pd.Series) -> list[tuple[object, ...]]:
    """Mothballing is charged; saved running costs and lost public funds are reported apart (sources.md 3.5)."""
    is_open = after.site_open
    rows: list[tuple[object, ...]] = []
    for j in is_open.index[~is_open]:
        rows.append(("closure", "building", j, "mothball", 1, "sites", price["mothball"], False, True))
        rows.append(("running", "", j, "site_running", -1, "sites", price["site_running"], True, False))
    for u, r in after.units.iterrows():
        if 0 < r["pupils"] < 100 and not after.new.at[u, "open"]:
            item = f"public_funds_{r['stage']}"
            rows.append(
                (
                    "public_funds",
                    "",
                    r["school_id"],
                    item,
                    100 - int(r["pupils"]),
                    "pupils",
                    price[item],
                    True,
                    False,
                )
            )
    return rows


def cost_table(after: After) -> pd.DataFrame:
    """Every cost line of a plan.

    Returns
    -------
    DataFrame
        See `models.plan.decisions.Verdict.costs`; unknown categories cost NaN and are caught by the rules.
    """
    price = prices(after)
    rows = [*_staff(after, price), *_items(after, price), *_pupils(after, price), *_closures(after, price)]
    table = pd.DataFrame(
        rows,
        columns=[
            "action",
            "earmark",
            "school_id",
            "item",
            "quantity",
            "unit",
            "unit_cost",
            "recurrent",
            "charged",
        ],
    )
    table["yuan"] = table["quantity"].astype(float) * table["unit_cost"].astype(float)
    table["school"] = table["school_id"].map(after.county.schools.set_index("school_id")["name"])
    table[["recurrent", "charged"]] = table[["recurrent", "charged"]].astype(bool)
    return table[COLUMNS].sort_values(["action", "school_id", "item"], kind="stable").reset_index(drop=True)


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
