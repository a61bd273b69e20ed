"""What a plan costs, line by line, from T12 and T8 (sources.md 3.5)."""

from __future__ import annotations

import numpy as np
import pandas as pd

from models.plan.outcome import After

COLUMNS = [
    "action", "earmark", "school_id", "school", "item", "quantity", "unit", "unit_cost", "yuan", "recurrent", "charged",
]  # fmt: skip
BOUGHT = {
    "rooms_multimedia": ("device", "rooms", ("multimedia_room",)),
    "equip_value": ("device", "yuan", ()),
    "area_teaching": ("building", "m2", ("teaching_building",)),
    "area_sport": ("building", "m2", ("sports_court", "land")),
}
MOVED = {"rooms_multimedia": ("rooms", "move_room"), "equip_value": ("yuan", "move_equipment")}


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
    share = after.standards.value("floor_arts_point_share")
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
    for r in after.plan.purchases.itertuples():
        # what may not be bought or moved has no price: the rule about items names it
        earmark, unit, items = BOUGHT.get(str(r.kind), ("device", "items", None))
        cost = 0.0 if items is None else float(sum(price[i] for i in items)) if items else 1.0
        rows.append(("purchase", earmark, r.school_id, r.kind, r.quantity, unit, cost, False, True))
    for r in after.plan.item_moves.itertuples():
        unit, item = MOVED.get(str(r.kind), ("items", ""))
        cost = float(price[item]) if item else 0.0
        rows.append(("item_move", "device", r.to_school_id, r.kind, r.quantity, unit, cost, False, True))
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
