"""What differs between two plans, amount by amount."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from geodata.contract.county import County
from models.plan.decisions import Plan, PlanResult

KEY = ["change", "school_id", "what"]
COLUMNS = [*KEY, "school", "township", "unit", "before", "after"]
ORDER = ("band", "pupils", "hire", "transfer", "purchase", "item_move")
"""Kinds of change in the order a meeting would take them."""


@dataclass(frozen=True)
class Compared:
    """Two plans of one county.

    Parameters
    ----------
    first, second : PlanResult
        Of the same tables.
    called : (str, str)
        What a reader calls them: the folders they lie in.
    """

    first: PlanResult
    second: PlanResult
    called: tuple[str, str]


def amounts(plan: Plan, units: dict[str, str]) -> pd.DataFrame:
    """A plan as ``change, school_id, what, unit, quantity``: bands kept, pupils, heads and things arriving.

    ``units`` has the unit of each kind of thing.
    """
    kept = plan.bands.assign(quantity=plan.bands["open"].astype(float), what=plan.bands["band"])
    parts = [
        ("band", "bands", kept),
        ("pupils", "pupils", plan.attendance.assign(quantity=plan.attendance["pupils"], what=plan.attendance["band"])),
        ("hire", "heads", plan.hires.assign(quantity=plan.hires["heads"], what=plan.hires["cat_id"])),
        (
            "transfer", "heads",
            plan.staff_moves.assign(
                school_id=plan.staff_moves["to_school_id"], quantity=plan.staff_moves["heads"], what=plan.staff_moves["cat_id"]
            ),
        ),
        ("purchase", "", plan.purchases.assign(what=plan.purchases["kind"])),
        ("item_move", "", plan.item_moves.assign(school_id=plan.item_moves["to_school_id"], what=plan.item_moves["kind"])),
    ]  # fmt: skip
    tables = []
    for change, unit, rows in parts:
        table = rows.groupby(["school_id", "what"], as_index=False)["quantity"].sum()
        table["quantity"] = table["quantity"].astype(float)
        named = unit if unit else table["what"].map(units)
        tables.append(table.assign(change=change, unit=named))
    filled = [t for t in tables if len(t)]
    return pd.concat(filled, ignore_index=True)[[*KEY, "unit", "quantity"]]


def plan_changes(county: County, before: Plan, after: Plan) -> pd.DataFrame:
    """What one plan does otherwise than another.

    Parameters
    ----------
    county : County
    before, after : Plan

    Returns
    -------
    DataFrame
        ``change`` (see `ORDER`), ``school_id``, ``what`` (band, staff category or resource),
        ``school``, ``township``, ``unit``, ``before``, ``after``: amounts in bands kept (0 or 1), pupils,
        heads, rooms, yuan or m2; only rows that differ.
    """
    units = {k: one.unit for k, one in county.norms.resources.items()}
    old, new = (
        amounts(p, units).rename(columns={"quantity": n}) for p, n in ((before, "before"), (after, "after"))
    )
    both = old.merge(new, on=[*KEY, "unit"], how="outer")
    both[["before", "after"]] = both[["before", "after"]].fillna(0.0)
    both = both[(both["before"] - both["after"]).abs() > 1e-6]
    about = county.schools.set_index("school_id")
    both["school"] = both["school_id"].map(about["name"])
    both["township"] = both["school_id"].map(about["township"])
    place = both["change"].map({c: i for i, c in enumerate(ORDER)})
    order = both.assign(place=place).sort_values(["place", "school_id", "what"], kind="stable").index
    return both.loc[order, COLUMNS].reset_index(drop=True)
