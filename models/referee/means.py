"""The rules about staff, items and money, each a function that lists where it does not hold."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd

from models.plan.costs import budget_table, cost_table
from models.plan.outcome import After, target_category, unit_of
from models.problem.indicators import category_flags
from models.referee.pupils import EPS, _open_units, broken, none

YUAN = 1.0
"""A plan may overrun a budget by rounding of at most one yuan an earmark."""


def staff_balance(after: After) -> pd.DataFrame:
    """Heads after = today - out + into + hired, never negative; a closed unit has none."""
    rows = after.heads.reset_index()
    rows["name"] = rows["unit_id"].map(after.units["name"])
    shut = ~rows["unit_id"].map(after.new["open"]).eq(True)
    negative = (rows["heads"] < 0) | (rows["out"] > rows["today"])
    wrong = rows[negative | (shut & (rows["heads"] != 0)) | (rows[["out", "into", "hired"]] < 0).any(axis=1)]
    return broken(wrong, "unit_id", "name", wrong["heads"], 0, "heads")


def staff_pairs(after: After) -> pd.DataFrame:
    """Transfers keep stage (or go junior to primary), flags and linked townships; fixed heads stay."""
    parts = [_unlinked(after), _fixed_left(after), _wrong_hires(after)]
    return pd.concat(parts, ignore_index=True)


def _unlinked(after: After) -> pd.DataFrame:
    moves = after.plan.staff_moves
    town = after.county.schools.set_index("school_id")["township"]
    name = after.county.schools.set_index("school_id")["name"]
    a, b = moves["from_school_id"].map(town), moves["to_school_id"].map(town)
    near = after.times.towns[after.times.towns["minutes"] <= after.standards.limit("commute_minutes", np.inf)]
    links = set(zip(near["from_township"], near["to_township"], strict=True))
    linked = np.array([x == y or (x, y) in links for x, y in zip(a, b, strict=True)], dtype=bool)
    lower = after.county.scheme.lower_stages
    stages = zip(moves["from_stage"], moves["to_stage"], strict=True)
    direction = np.array([x == y or y in lower(x) for x, y in stages], dtype=bool)
    table = category_flags(after.county.staff_category, after.standards)
    kept = [
        (r.from_stage, r.cat_id) in table.index
        and (r.to_stage, c) in table.index
        and tuple(table.loc[(r.from_stage, r.cat_id)]) == tuple(table.loc[(r.to_stage, c)])
        for r, c in zip(
            moves.itertuples(), target_category(after.county, after.standards, moves), strict=True
        )
    ]
    wrong = moves[~(linked & direction & np.array(kept, dtype=bool))]
    wrong = wrong.assign(name=wrong["from_school_id"].map(name))
    return broken(wrong, "from_school_id", "name", wrong["heads"], 0, "heads")


def _fixed_left(after: After) -> pd.DataFrame:
    category = after.county.staff_category.set_index(["stage", "cat_id"])["movable"]
    rows = after.heads.reset_index()
    rows["name"] = rows["unit_id"].map(after.units["name"])
    rows["stage"] = rows["unit_id"].map(after.units["stage"])
    movable = [bool(category.get(k, False)) for k in zip(rows["stage"], rows["cat_id"], strict=True)]
    fixed = np.where(movable, rows["near"].fillna(0), rows["today"])
    stays = rows["unit_id"].map(after.new["open"]).eq(True)
    wrong = rows[stays & (rows["out"] > rows["today"] - fixed)]
    return broken(wrong, "unit_id", "name", wrong["out"], 0, "heads")


def _wrong_hires(after: After) -> pd.DataFrame:
    category = after.county.staff_category.set_index(["stage", "cat_id"])["hireable"]
    hires = after.plan.hires
    fine = [bool(category.get(k, False)) for k in zip(hires["stage"], hires["cat_id"], strict=True)]
    wrong = hires[~np.array(fine, dtype=bool) | (hires["heads"] <= 0)]
    return broken(wrong, "school_id", "cat_id", wrong["heads"], 0, "heads")


def floor_class(after: After) -> pd.DataFrame:
    """Rural units: heads >= P / ratio, kappa * classes, and 2 (3 with three grades)."""
    value = after.standards.limit
    rows = _open_units(after)
    rows = rows[rows["zone"] == "rural"]
    ratio = (
        rows["stage"]
        .map({s: after.standards.limit(f"floor_ratio_{s}", np.inf) for s in after.standards.scheme.stage_ids})
        .astype(float)
    )
    grades = rows["unit_id"].map(after.bands.groupby("unit_id")["grades"].sum()).astype(float)
    need = np.maximum(
        np.ceil(rows["pupils"] / ratio - EPS), np.ceil(value("floor_kappa", 0.0) * rows["classes"] - EPS)
    )
    need = np.maximum(
        need, np.where(grades >= 3, value("floor_heads_grades3", 0.0), value("floor_heads", 0.0))
    )
    wrong = rows[rows["staff"] < need]
    return broken(wrong, "unit_id", "name", wrong["staff"], need[wrong.index], "heads")


def floor_backbone(after: After) -> pd.DataFrame:
    """A unit of 50 pupils or more has a backbone teacher."""
    rows = _open_units(after)
    wrong = rows[(rows["pupils"] >= after.standards.value("floor_backbone_pupils")) & (rows["b"] < 1)]
    return broken(wrong, "unit_id", "name", wrong["b"], 1, "heads")


def floor_arts(after: After) -> pd.DataFrame:
    """Every unit but points has a PE/arts teacher; the township's others reach its points."""
    rows = _open_units(after)
    own = rows[(rows["kind"] != "point") & (rows["a"] < 1)]
    parts = [broken(own, "unit_id", "name", own["a"], 1, "heads")]
    town = rows.groupby("township")["a"].sum() - rows[rows["kind"] != "point"].groupby("township").size()
    town = town.reindex(sorted(rows["township"].unique()))
    town = town.fillna(rows.groupby("township")["a"].sum())
    points = rows[rows["kind"] == "point"].groupby("township")["school_id"].nunique()
    need = points / after.standards.value("floor_arts_point_share")
    short = (
        pd.DataFrame({"spare": town.reindex(need.index), "need": need}).rename_axis("township").reset_index()
    )
    short = short[short["spare"] < short["need"] - EPS]
    parts.append(broken(short, "township", "township", short["spare"], np.ceil(short["need"]), "heads"))
    return pd.concat(parts, ignore_index=True)


def _no_outflow(after: After, flag: str) -> pd.DataFrame:
    most = after.standards.value(f"floor_no_outflow_{flag}")
    rows = _open_units(after)
    before = rows["unit_id"].map(after.units[flag]).astype(float)
    small = rows["unit_id"].map(after.units["pupils"]).astype(float) < most
    wrong = rows[small & (rows[flag] < before)]
    return broken(wrong, "unit_id", "name", wrong[flag], before[wrong.index], "heads")


def floor_no_outflow_b(after: After) -> pd.DataFrame:
    """Small units that stay lose no backbone teacher."""
    return _no_outflow(after, "b")


def floor_no_outflow_q(after: After) -> pd.DataFrame:
    """Small units that stay lose no qualified teacher."""
    return _no_outflow(after, "q")


def items(after: After) -> pd.DataFrame:
    """Purchases at open units, rooms whole, areas bounded; what closing frees is placed, all of it."""
    parts = [_purchases(after), _moves(after)]
    return pd.concat(parts, ignore_index=True)


def _purchases(after: After) -> pd.DataFrame:
    buy = after.plan.purchases
    rows = buy.assign(unit_id=unit_of(buy["school_id"], buy["stage"]))
    is_open = rows["unit_id"].map(after.new["open"]).eq(True)
    resources = after.standards.resources
    counted = _things(after, "whole")
    whole = ~rows["kind"].isin(counted) | (rows["quantity"] % 1 == 0)
    share = after.standards.limit("build_share", np.inf)
    have = np.array(
        [
            float(after.units[k].get(u, 0.0)) if k in after.standards.items and resources[k].buyable else -1.0
            for u, k in zip(rows["unit_id"], rows["kind"], strict=True)
        ]
    )
    built = rows["kind"].isin([k for k in after.standards.items if resources[k].kind == "area"])
    together = rows.groupby(["unit_id", "kind"])["quantity"].transform("sum")
    fits = ~built | (together <= share * have + 1.0)
    wrong = rows[~(is_open & whole & fits & (rows["quantity"] > 0) & (have >= 0))]
    return broken(wrong, "unit_id", "kind", wrong["quantity"], 0, "items")


def _things(after: After, what: Literal["whole", "movable"]) -> list[str]:
    """Counted things that come in whole numbers, or that move."""
    return [k for k in after.standards.items if getattr(after.standards.resources[k], what)]


def _moves(after: After) -> pd.DataFrame:
    moves = after.plan.item_moves
    sent = moves.assign(unit_id=unit_of(moves["from_school_id"], moves["from_stage"]))
    to = unit_of(moves["to_school_id"], moves["to_stage"]).map(after.new["open"]).eq(True)
    fine = to & (moves["from_stage"] == moves["to_stage"]) & moves["kind"].isin(_things(after, "movable"))
    fine &= sent["unit_id"].map(after.new["open"]).eq(False)
    fine &= (moves["quantity"] > 0) & (
        ~moves["kind"].isin(_things(after, "whole")) | (moves["quantity"] % 1 == 0)
    )
    wrong = sent[~fine]
    parts = [broken(wrong, "unit_id", "kind", wrong["quantity"], 0, "items")]
    shut = after.units[~after.new["open"]]
    staying = set(after.new.loc[after.new["open"], "stage"])
    for kind in _things(after, "movable"):
        placed = (
            sent[sent["kind"] == kind].groupby("unit_id")["quantity"].sum().reindex(shut.index).fillna(0.0)
        )
        slack = EPS if kind in _things(after, "whole") else YUAN  # a room is never rounding
        off = ((placed - shut[kind]).abs() > slack) & shut["stage"].isin(staying)
        left = shut[off].reset_index()
        parts.append(broken(left, "unit_id", "name", left["unit_id"].map(placed), left[kind], "items"))
    return pd.concat(parts, ignore_index=True)


def budget(after: After) -> pd.DataFrame:
    """Charged costs within the earmarks and what "any" adds."""
    costs = cost_table(after)
    if costs["yuan"].isna().any():
        bad = costs[costs["yuan"].isna()]
        return broken(bad, "school_id", "item", 0, 0, "yuan")
    table = budget_table(after, costs)
    if not (table.loc[table["earmark"] == "any", "left"] < -4 * YUAN).any():
        return none()
    over = table[(table["left"] < 0) & (table["earmark"] != "any")]
    return broken(over, "earmark", "earmark", over["spent"], over["available"], "yuan")


MEANS_RULES = (
    staff_balance, staff_pairs, floor_class, floor_backbone, floor_arts, floor_no_outflow_b, floor_no_outflow_q, items, budget,
)  # fmt: skip
