"""What is left to do of last year's plan, as decisions that this year's plan is to keep."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from geodata.contract.county import County
from models.plan.differences.edits import CELLS
from models.plan.keeping import HELD_COLUMNS, Held
from models.plan.ledger import CLOSED, LEDGER_COLUMNS, OPEN, canonical

LEFT = ("part", "slipped")
ACTION_OF = {"close": "band", "open": "band"}


def unfinished(actions: pd.DataFrame, after: County, groups: pd.DataFrame) -> tuple[Held, pd.DataFrame]:
    """Decisions that slipped or were done in part, in the terms of this year's county.

    Parameters
    ----------
    actions : DataFrame
        Of `models.supervision.carried_out.carried_out`.
    after : County
    groups : DataFrame
        Of `models.problem.baseline.today_groups` of this year: who goes where now.

    Returns
    -------
    Held
        What is left of each: the band closed, the rest of the heads or things (what may have been done already is not asked for
        again), the group at its new school. The search begins from all of it, also from what gives way later. Decisions of
        which the tables cannot tell whether they were done are not held.
    DataFrame
        Rows of ``actions`` that are left but of which this year has nothing to hold: a group that is no more, less than one head.
    """
    rows, lost = [], []
    for at, row in actions[actions["status"].isin(LEFT)].iterrows():
        made = _left(row.to_dict(), after, groups)
        rows += made
        if not made:
            lost.append(at)
    if not rows:
        return Held(), actions.loc[lost]
    ledger = canonical(pd.DataFrame(rows)[LEDGER_COLUMNS])
    cells = {"band": {"state"}, "attend": {"to_id"}}
    held = [
        r | {f"held_{c}": c in cells.get(r["action"], {"quantity"}) for c in CELLS}
        for r in ledger.to_dict("records")
    ]
    return Held(pd.DataFrame(held, columns=HELD_COLUMNS), ledger), actions.loc[lost]


def _left(row: dict[str, Any], after: County, groups: pd.DataFrame) -> list[dict[str, Any]]:
    texts = {c: row.get(c, "") for c in LEDGER_COLUMNS}
    made = {**texts, "row_id": "", "year": after.year, "action": ACTION_OF.get(row["action"], row["action"]), "was": "", "state": "", "mode": ""}  # fmt: skip
    if row["action"] in ACTION_OF:
        closes = row["action"] == "close"
        return [
            made | {"was": OPEN if closes else CLOSED, "state": CLOSED if closes else OPEN, "quantity": 0.0}
        ]
    if row["action"] == "attend":
        return _still_there(made, row, groups)
    rest = float(int(float(row["planned"]) - float(row["most"]) + 1e-9))
    return [made | {"quantity": rest}] if rest >= 1 else []


def _still_there(made: Mapping[str, Any], row: dict[str, Any], groups: pd.DataFrame) -> list[dict[str, Any]]:
    """The groups of the village and band that still attend the school that they were to leave."""
    mine = groups[
        (groups["village_id"] == row["village_id"]) & (groups["band"] == row["band"]) & (groups["today_school_id"] == row["from_id"])
    ]  # fmt: skip
    return [
        {**made, "group": g["group"], "quantity": float(g["pupils"]), "mode": g["today_mode"]}
        for g in mine.to_dict("records")
    ]
