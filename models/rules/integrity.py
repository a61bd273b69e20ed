"""Rules about the form of a plan, for plans edited by hand or made elsewhere: the model cannot break them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from geodata.contract.groups import kind_in
from models.plan.ledger import ACTIONS, CLOSED, FLAGS, GROUPS, OPEN, TYPES
from models.rules.record import Rule, all_of, broken, none

if TYPE_CHECKING:
    from models.plan.outcome import After

CELLS = tuple(c for c, kind in TYPES.items() if kind == "str" and c not in ("row_id", "action"))
CELLS_OF = {a.name: [c in a.columns.values() for c in CELLS] for a in ACTIONS}
"""Which of the cells of a row its action has."""


def check_known_ids(after: After) -> pd.DataFrame:
    """Every school, village, category and kind named by the plan and the request exists and takes part."""
    units, sites_in = set(after.units.index), set(after.units["school_id"])
    parts = []
    for table in (after.plan.attendance, after.plan.bands):
        parts.append(_named(table, (j not in sites_in for j in table["school_id"]), "school_id", "school_id"))
    for name, end in (
        ("staff_moves", "from_"), ("staff_moves", "to_"), ("hires", ""), ("purchases", ""), ("item_moves", "from_"),
        ("item_moves", "to_"),
    ):  # fmt: skip
        table = getattr(after.plan, name)
        named = zip(table[f"{end}school_id"], table[f"{end}stage"], strict=True)
        parts.append(
            _named(table, (f"{j}/{s}" not in units for j, s in named), f"{end}school_id", f"{end}school_id")
        )
    going = after.plan.attendance
    ways = zip(going["mode"], going["group"], strict=True)
    odd = (mode not in ("walk", "bus") or kind_in(group) not in GROUPS for mode, group in ways)
    parts.append(_named(going, odd, "village_id", "mode"))
    known = set(after.county.schools["school_id"])
    asked = [j for j in (*after.request.keep_open, *after.request.close) if j not in known]
    if asked:
        unheard = pd.DataFrame({"school_id": asked}, dtype=object)
        parts.append(broken(unheard, "school_id", "school_id", 1, 0, "rows"))
    return all_of([*parts, _odd_cells(after), _band_rows(after)])


def _odd_cells(after: After) -> pd.DataFrame:
    """Rows of another year than the county's, with cells that their action does not have or without one that it has."""
    ledger = after.plan.ledger
    filled = ledger[list(CELLS)].to_numpy(object) != ""
    wanted = np.array([CELLS_OF[name] for name in ledger["action"]], dtype=bool).reshape(filled.shape)
    wrong = (filled != wanted).any(axis=1) | (ledger["year"].to_numpy() != after.county.year)
    for flag in FLAGS.values():
        wrong |= ~ledger[flag].isin(("", OPEN, CLOSED)).to_numpy(bool)
    if not wrong.any():
        return none()
    rows = ledger[wrong]
    place = rows["school_id"].where(rows["school_id"] != "", rows["to_id"])
    return broken(rows.assign(at=place), "at", "row_id", 1, 0, "rows")


def _named(rows: pd.DataFrame, wrong: Iterable[bool], place_id: str, place: str) -> pd.DataFrame:
    """The rows that are wrong. Python's own texts compare faster than a short table's."""
    bad = np.array(list(wrong), dtype=bool)
    return broken(rows[bad], place_id, place, 1, 0, "rows") if bad.any() else none()


def _band_rows(after: After) -> pd.DataFrame:
    """Every band taught today has exactly one row, marked as such; no other band has one."""
    said: dict[tuple[str, str], list[bool]] = {}
    for j, b, was in zip(*(after.plan.bands[c] for c in ("school_id", "band", "was_open")), strict=True):
        said.setdefault((j, b), []).append(bool(was))
    wanted = set(after.today.band)
    wrong = [
        (*k, len(said.get(k, [])), int(k in wanted))
        for k in sorted(wanted | said.keys())
        if len(said.get(k, [])) != (k in wanted) or said.get(k) == [False]
    ]
    if not wrong:
        return none()
    table = pd.DataFrame(wrong, columns=["school_id", "band", "rows", "want"])
    return broken(table, "school_id", "band", table["rows"], table["want"], "rows")


def check_whole_numbers(after: After) -> pd.DataFrame:
    """Pupils, classes and heads are whole, known and not negative; quantities are known."""
    parts = []
    for name, column, place, whole in (
        ("attendance", "pupils", "village_id", True), ("bands", "classes", "school_id", True),
        ("staff_moves", "heads", "from_school_id", True), ("hires", "heads", "school_id", True),
        ("purchases", "quantity", "school_id", False), ("item_moves", "quantity", "from_school_id", False),
    ):  # fmt: skip
        rows = getattr(after.plan, name)
        number = pd.to_numeric(rows[column], errors="coerce").to_numpy(float)
        with np.errstate(invalid="ignore"):
            bad = ~np.isfinite(number) | (number < 0) | (whole & (number % 1 != 0))
        if bad.any():
            parts.append(broken(rows[bad], place, place, rows.loc[bad, column], 0, "rows"))
    return all_of(parts)


RULES = (
    Rule("known_ids", "integrity", check_known_ids),
    Rule("whole_numbers", "integrity", check_whole_numbers),
)
