"""The ledger: a plan as one long table, every decision a row with an id of its own (docs/plan.md).

One contract says what a row holds, as `geodata.contract.tables` does for the tables of a county. What an
action needs and what makes two rows the same decision stands in `ACTIONS`; a new kind of decision is one
more record there. The tables by kind of decision (bands, attendance, ...) are views of the ledger.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
import pandas as pd

from geodata.contract.tables import TRAVEL_MODES, Column, Table

OPEN, CLOSED = "open", "closed"
GROUPS = ("zone", "choice")
DECIMALS = 6
"""Quantities are kept to a millionth, which every kind of file gives back exactly."""


@dataclass(frozen=True)
class Action:
    """One kind of decision.

    Parameters
    ----------
    name : str
        Value of the column ``action``.
    view : str
        Name of its table among the views of a `models.plan.decisions.Plan`.
    columns : dict
        ``{column of the view: column of the ledger}``; what is not named stays empty in the ledger.
    identity : tuple of str
        Ledger columns that make two rows the same decision: they give the row its id, so that a row keeps
        it when its quantity, school or mode is edited.
    order : tuple of str
        Ledger columns by which its rows are sorted.
    whole : bool
        The quantity counts things that cannot be halved: pupils, classes, heads.
    """

    name: str
    view: str
    columns: dict[str, str]
    identity: tuple[str, ...]
    order: tuple[str, ...]
    whole: bool


def _same(*names: str) -> dict[str, str]:
    return {n: n for n in names}


_BETWEEN = {
    "from_school_id": "from_id",
    "from_stage": "from_stage",
    "to_school_id": "to_id",
    "to_stage": "to_stage",
}
_ENDS = ("from_id", "from_stage", "to_id", "to_stage", "item")
_AT = ("school_id", "stage", "item")

ACTIONS: tuple[Action, ...] = (
    Action(
        "band", "bands", {**_same("school_id", "band"), "was_open": "was", "open": "state", "classes": "quantity"},
        ("school_id", "band"), ("school_id", "band"), True,
    ),
    Action(
        "attend", "attendance",
        {**_same("village_id", "band", "group"), "today_school_id": "from_id", "school_id": "to_id", "mode": "mode", "pupils": "quantity"},
        ("village_id", "band", "group", "from_id"), ("village_id", "band", "group", "from_id", "to_id", "mode"), True,
    ),
    Action("transfer", "staff_moves", {**_BETWEEN, "cat_id": "item", "heads": "quantity"}, _ENDS, _ENDS, True),
    Action("hire", "hires", {**_same("school_id", "stage"), "cat_id": "item", "heads": "quantity"}, _AT, _AT, True),
    Action("buy", "purchases", {**_same("school_id", "stage"), "kind": "item", "quantity": "quantity"}, _AT, _AT, False),
    Action("move_item", "item_moves", {**_BETWEEN, "kind": "item", "quantity": "quantity"}, _ENDS, _ENDS, False),
)  # fmt: skip
"""Every kind of decision, in the order of the ledger."""
ACTION = {a.name: a for a in ACTIONS}
VIEW = {a.view: a for a in ACTIONS}
FLAGS = {"open": "state", "was_open": "was"}


def _text(name: str, zh: str) -> Column:
    return Column(name, zh, "text", required=False, default="")


def _choice(name: str, zh: str, choices: tuple[str, ...], required: bool = False) -> Column:
    return Column(name, zh, "choice", required, choices=choices)


LEDGER = Table(
    "ledger", "决策台账", "",
    (
        _text("row_id", "行编号"),
        Column("year", "年份", "whole", True, 2000, 2100, "year"),
        _choice("action", "决策类型", tuple(ACTION), True),
        _text("village_id", "村编号"),
        _text("school_id", "学校标识码"),
        _text("stage", "学段"),
        _text("band", "年级段"),
        _choice("group", "群体", GROUPS),
        _text("item", "类别或项目"),
        _choice("was", "现状开办", (OPEN, CLOSED)),
        _choice("state", "方案开办", (OPEN, CLOSED)),
        Column("quantity", "数量", "number", True, 0, 1e9, "classes, pupils, heads, rooms, m2 or yuan"),
        _text("from_id", "来源学校标识码"),
        _text("from_stage", "来源学段"),
        _text("to_id", "去向学校标识码"),
        _text("to_stage", "去向学段"),
        _choice("mode", "出行方式", TRAVEL_MODES),
    ),
    ("row_id",),
)  # fmt: skip
"""The contract of the ledger; what each action fills in stands in `ACTIONS`."""
LEDGER_COLUMNS = [c.name for c in LEDGER.columns]
TYPES = {c: "int64" if c == "year" else "float64" if c == "quantity" else "str" for c in LEDGER_COLUMNS}


def row_ids(rows: pd.DataFrame) -> list[str]:
    """An id for each row from what identifies its decision; a second row of one decision gets ``-2``.

    Returns
    -------
    list of str
        The action's first letter (p for purchases) and eight hex digits: ``a3f09c21b``.
    """
    seen: dict[str, int] = {}
    made = []
    for row in rows.to_dict("records"):
        action = ACTION[row["action"]]
        parts = [str(row["year"]), action.name, *(str(row[c]) for c in action.identity)]
        text = ("p" if action.name == "buy" else action.name[0]) + short_hash(*parts)
        seen[text] = seen.get(text, 0) + 1
        made.append(text if seen[text] == 1 else f"{text}-{seen[text]}")
    return made


def short_hash(*parts: str) -> str:
    """Eight hex digits of some texts."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:8]


def canonical(rows: pd.DataFrame) -> pd.DataFrame:
    """Ledger rows in canonical columns, types, order and with their ids.

    Parameters
    ----------
    rows : DataFrame
        ``year, action, quantity`` and whatever columns of the contract its actions need.

    Returns
    -------
    DataFrame
    """
    table = rows.reindex(columns=LEDGER_COLUMNS)
    for c, kind in TYPES.items():
        cells = table[c]
        table[c] = (
            cells.astype(object).where(cells.notna(), "").astype(str) if kind == "str" else cells.astype(kind)
        )
    table["quantity"] = table["quantity"].round(DECIMALS) + 0.0  # no negative zero
    parts = []
    for year in sorted(table["year"].unique()):
        for action in ACTIONS:
            part = table[(table["year"] == year) & (table["action"] == action.name)]
            parts.append(part.sort_values([*action.order, "was", "state", "quantity"], kind="stable"))
    done = pd.concat(parts, ignore_index=True) if parts else table.iloc[:0].reset_index(drop=True)
    done["row_id"] = row_ids(done)
    return done.astype(TYPES)


def rows_of(name: str, table: pd.DataFrame, year: int) -> pd.DataFrame:
    """Ledger rows of one view's table; columns that a view does not have are left alone.

    Raises
    ------
    KeyError
        For a view or column that a plan does not have.
    """
    action = VIEW[name]
    made = pd.DataFrame({new: table[old] for old, new in action.columns.items()})
    for c in set(FLAGS.values()) & set(made.columns):
        made[c] = np.where(made[c].eq(True), OPEN, CLOSED)
    made["quantity"] = pd.to_numeric(made["quantity"], errors="coerce").astype(float)
    return made.assign(year=table.get("year", year), action=action.name)


def view_of(ledger: pd.DataFrame, name: str) -> pd.DataFrame:
    """One kind of decision as a table of its own, each row with its id.

    Counts are whole numbers unless a row says otherwise, which the referee then names.
    """
    action = VIEW[name]
    rows = ledger[ledger["action"] == action.name].reset_index(drop=True)
    table = pd.DataFrame({"row_id": rows["row_id"]} | {old: rows[new] for old, new in action.columns.items()})
    for flag in FLAGS.keys() & set(table.columns):
        table[flag] = table[flag].eq(OPEN)
    counted = next(old for old, new in action.columns.items() if new == "quantity")
    if action.whole and (table[counted] % 1 == 0).all():
        table[counted] = table[counted].astype("int64")
    return table
