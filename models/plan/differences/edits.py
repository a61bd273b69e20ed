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
CELLS = ("state", "quantity", "to_id", "mode")
"""Columns of the ledger that a planner decides."""


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
            c for c in CELLS if c in action.columns.values() and (c == "quantity" or c not in action.identity)
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
    """Rules broken in the second verdict and not in the first at the same place, or further beyond their limit there.

    Returns
    -------
    DataFrame
        As `Verdict.violations`, with ``before``: the amount at the place in the first verdict, NaN where the rule was not
        broken there.
    """
    old, new = (_breaches(v) for v in (before, after))
    # a place may be broken several times, by bands or things: what is named alike is compared, then what is left by size
    pairs = new.merge(old, how="left", on=[*_SPOT, "turn"], suffixes=("", "_old"))
    left = old[~old["row"].isin(pairs["row_old"])].assign(
        turn=lambda t: t.groupby(["rule", "place_id"]).cumcount()
    )
    alone = pairs["row_old"].isna()
    rest = new[alone.to_numpy()].assign(turn=lambda t: t.groupby(["rule", "place_id"]).cumcount())
    others = rest.merge(left, how="left", on=["rule", "place_id", "turn"], suffixes=("", "_old"))
    both = pd.concat([pairs[~alone], others], ignore_index=True).sort_values("row")
    worse = both["row_old"].isna() | (both["excess"] > both["excess_old"] + _SAME)
    found = after.violations.loc[both.loc[worse, "row"]]
    told = both.loc[worse, "amount_old"].astype(float).to_numpy()
    return found.assign(before=told).reset_index(drop=True)


_SPOT, _SAME = ["rule", "place_id", "place", "unit"], 1e-6


def _breaches(verdict: Verdict) -> pd.DataFrame:
    """Where a verdict's rules are broken, the worst first: ``row``, the spot, how far beyond, its turn at the spot."""
    table = verdict.violations
    table = table[~table["grandfathered"].astype(bool)]  # what is as today is no breach
    amount, limit = (pd.to_numeric(table[c], errors="coerce") for c in ("amount", "limit"))
    excess = (amount - limit).abs().fillna(float("inf"))
    found = table[_SPOT].assign(row=table.index, amount=amount, excess=excess)
    found = found.sort_values(["excess", "row"], ascending=[False, True], kind="stable")
    return found.assign(turn=found.groupby(_SPOT).cumcount())


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
