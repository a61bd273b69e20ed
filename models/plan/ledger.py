"""The ledger: a plan as one long table, every decision a row with an id of its own (docs/plan.md).

One contract says what a row holds, as `geodata.contract.tables` does for the tables of a county. What an
action needs and what makes two rows the same decision stands in `ACTIONS`; a new kind of decision is one
more record there. The tables by kind of decision (bands, attendance, ...) are views of the ledger.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from geodata.contract.columns import Column, Table
from geodata.contract.tables import TRAVEL_MODES

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


def row_ids(rows: Mapping[str, Sequence[Any]]) -> list[str]:
    """An id for each row from what identifies its decision; a second row of one decision gets ``-2``.

    Parameters
    ----------
    rows : mapping of str to sequence
        The ledger's columns by name.

    Returns
    -------
    list of str
        The action's first letter (p for purchases) and eight hex digits: ``a3f09c21b``.
    """
    seen: dict[str, int] = {}
    made = []
    for i, name in enumerate(rows["action"]):
        action = ACTION[name]
        parts = [str(rows["year"][i]), action.name, *(str(rows[c][i]) for c in action.identity)]
        text = ("p" if action.name == "buy" else action.name[0]) + short_hash(*parts)
        seen[text] = seen.get(text, 0) + 1
        made.append(text if seen[text] == 1 else f"{text}-{seen[text]}")
    return made


def plain_row_id(row_id: str) -> str:
    """The id without the number that tells several rows of one decision apart."""
    return row_id.partition("-")[0]


def short_hash(*parts: str) -> str:
    """Eight hex digits of some texts."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:8]


def canonical(*parts: pd.DataFrame) -> pd.DataFrame:
    """Ledger rows in canonical columns, types, order and with their ids.

    Parameters
    ----------
    *parts : DataFrame
        One after another: ``year, action, quantity`` and whatever columns of the contract their actions need.

    Returns
    -------
    DataFrame

    Raises
    ------
    KeyError
        For an action that a plan does not have.
    """
    cells: dict[str, list[Any]] = {c: [x for p in parts for x in _cells(p, c)] for c in LEDGER_COLUMNS}
    place = {action.name: k for k, action in enumerate(ACTIONS)}
    if unknown := sorted(set(cells["action"]) - place.keys()):
        raise KeyError(f"a plan has no action {unknown}")
    many = range(len(cells["action"]))
    order = sorted(many, key=lambda i: (cells["year"][i], place[cells["action"][i]], _rank(cells, i)))
    done = {c: [column[i] for i in order] for c, column in cells.items()}
    done["row_id"] = row_ids(done)
    return pd.DataFrame({c: pd.array(done[c], dtype=TYPES[c]) for c in LEDGER_COLUMNS})


def _cells(part: pd.DataFrame, column: str) -> list[Any]:
    """Cells of a column; those of one that the part does not have are empty."""
    if column in part:
        return _as_kind(part[column], TYPES[column])
    return ["" if TYPES[column] == "str" else float("nan")] * len(part)


def _as_kind(cells: pd.Series, kind: str) -> list[Any]:
    """Cells as Python's own values of a column's type: a ledger is short, and tables are slow in small things."""
    if kind != "str":
        number = cells.astype(kind)
        rounded = number if kind == "int64" else number.round(DECIMALS) + 0.0  # no negative zero
        return list(rounded.tolist())
    return ["" if none else str(x) for x, none in zip(cells.tolist(), cells.isna().tolist(), strict=True)]


def _rank(cells: dict[str, list[Any]], i: int) -> tuple[Any, ...]:
    """Where a row stands among those of its year and action; a quantity that is not known comes last."""
    quantity = cells["quantity"][i]
    named = ACTION[cells["action"][i]].order
    unknown = quantity != quantity
    return (*(cells[c][i] for c in (*named, "was", "state")), unknown, 0.0 if unknown else quantity)


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
        # what is neither yes nor no stays as it is said, and the referee names it
        made[c] = np.where(
            made[c].eq(True), OPEN, np.where(made[c].eq(False), CLOSED, made[c].astype(object))
        )
    made["quantity"] = pd.to_numeric(made["quantity"], errors="coerce").astype(float)
    return made.assign(year=table.get("year", year), action=action.name)


def view_of(ledger: pd.DataFrame, name: str) -> pd.DataFrame:
    """One kind of decision as a table of its own, each row with its id.

    Counts are whole numbers unless a row says otherwise, which the referee then names.
    """
    action = VIEW[name]
    mine = np.flatnonzero(ledger["action"].to_numpy(object) == action.name)
    named = {"row_id": "row_id", **action.columns}
    table = pd.DataFrame({old: ledger[new].array[mine] for old, new in named.items()})
    for flag in FLAGS.keys() & set(table.columns):
        table[flag] = table[flag].to_numpy(object) == OPEN
    counted = next(old for old, new in action.columns.items() if new == "quantity")
    number = table[counted].to_numpy(float)
    if action.whole and np.isfinite(number).all() and (number % 1 == 0).all():
        table[counted] = table[counted].astype("int64")
    return table
