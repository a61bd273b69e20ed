"""Every difference between two plans, row by row of the ledger, and the rules that break where one lies."""

from __future__ import annotations

from typing import Any

import pandas as pd

from geodata.contract.county import County
from models.plan.decisions import Plan, PlanResult, Verdict
from models.plan.ledger import ACTION
from models.plan.showing import made_by_others

EDIT_COLUMNS = [
    "row_id", "action", "village_id", "school_id", "stage", "band", "group", "item", "from_id", "from_stage", "to_id", "to_stage",
    "edit", "column", "before", "after",
]  # fmt: skip
_VALUES = ("state", "quantity", "to_id", "mode")


def ledger_edits(before: Plan, after: Plan) -> pd.DataFrame:
    """What was changed, added or taken away, one line a cell.

    Returns
    -------
    DataFrame
        The identity of the row (`models.plan.ledger.ACTIONS`), ``edit`` (changed, added, removed),
        ``column`` of the ledger (state, quantity, to_id or mode), ``before`` and ``after`` (None where the
        row did not exist).
    """
    old = {r["row_id"]: r for r in before.ledger.to_dict("records")}
    new = {r["row_id"]: r for r in after.ledger.to_dict("records")}
    lines: list[dict[str, Any]] = []
    for row_id in [*old, *(r for r in new if r not in old)]:
        a, b = old.get(row_id), new.get(row_id)
        row = b or a
        if row is None:
            continue
        kind = "changed" if a and b else "added" if b else "removed"
        action = ACTION[str(row["action"])]
        values = [
            c
            for c in _VALUES
            if c in action.columns.values() and (c == "quantity" or c not in action.identity)
        ]
        for c in values:
            was, now = (a[c] if a else None), (b[c] if b else None)
            if was != now and (kind == "changed" or c == "quantity"):
                lines.append({**row, "edit": kind, "column": c, "before": was, "after": now})
    return pd.DataFrame(lines, columns=EDIT_COLUMNS)


def differences(before: PlanResult, after: PlanResult, language: str) -> pd.DataFrame:
    """The decisions in which two plans differ, named, with the cause that each plan's list of actions gives.

    Parameters
    ----------
    before, after : PlanResult
    language : {"zh", "en"}
        Of the causes.

    Returns
    -------
    DataFrame
        `ledger_edits` with ``school`` and ``village`` (names) and ``cause_before, cause_after``: sentences, empty where a
        plan does not take the action or gives no cause.
    """
    table = ledger_edits(before.plan, after.plan)
    for column, place, names in (
        ("school", "school_id", after.county.schools),
        ("village", "village_id", after.county.villages),
    ):
        called = dict(zip(names[place], names["name"], strict=True))
        table[column] = pd.Series([called.get(i, "") for i in table[place]], index=table.index, dtype=object)
    for column, result in (("cause_before", before), ("cause_after", after)):
        causes = _causes(result, language)
        table[column] = pd.Series(
            [causes.get(r, "") for r in table["row_id"]], index=table.index, dtype=object
        )
    return table


def _causes(result: PlanResult, language: str) -> dict[str, str]:
    """The sentence of the action that each row of the ledger belongs to."""
    found: dict[str, str] = {}
    for r in result.actions.to_dict("records"):
        if isinstance(r["reason_key"], str) and r["reason_key"]:
            key = r["reason_key"] if "." in r["reason_key"] else f"reasons.{r['reason_key']}"
            text = made_by_others("cause", key, dict(r["reason_fields"] or {}), language)
            found.update(dict.fromkeys(r["rows"], text))
    return found


def new_violations(before: Verdict, after: Verdict) -> pd.DataFrame:
    """Rules broken in the second verdict and not in the first at the same place, with amount and limit."""
    had = before.violations[~before.violations["grandfathered"].astype(bool)]  # what is as today is no breach
    known = set(zip(had["rule"], had["place_id"], strict=True))
    table = after.violations[~after.violations["grandfathered"].astype(bool)]
    fresh = [k not in known for k in zip(table["rule"], table["place_id"], strict=True)]
    return table[pd.Series(fresh, index=table.index, dtype=bool)].reset_index(drop=True)


def blamed(county: County, edits: pd.DataFrame, broken: pd.DataFrame) -> list[list[int]]:
    """For each edit the rows of ``broken`` that lie at one of its places: village, school, unit or township."""
    town = dict(zip(county.schools["school_id"], county.schools["township"], strict=True))
    found = []
    for row in edits.to_dict("records"):
        moved = (row["before"], row["after"]) if row["column"] == "to_id" else ()
        schools = {str(row[c]) for c in ("school_id", "from_id", "to_id") if row[c]} | {
            str(m) for m in moved if m
        }
        stages = {str(row[c]) for c in ("stage", "from_stage", "to_stage") if row[c]} | {
            county.scheme.band_stage.get(str(row["band"]), "")
        }
        places = (
            schools
            | {f"{j}/{s}" for j in schools for s in stages}
            | {town.get(j, "") for j in schools}
            | {str(row["village_id"])}
        )
        found.append([i for i, place in enumerate(broken["place_id"]) if place in places - {""}])
    return found
