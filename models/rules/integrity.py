"""Rules about the form of a plan, for plans edited by hand or made elsewhere: the model cannot break them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from geodata.contract.groups import kind_in
from models.plan.ledger import GROUPS
from models.problem.baseline import site_bands
from models.rules.record import Rule, all_of, broken

if TYPE_CHECKING:
    from models.plan.outcome import After


def check_known_ids(after: After) -> pd.DataFrame:
    """Every school, village, category and kind named by the plan and the request exists and takes part."""
    units, sites_in = set(after.units.index), set(after.units["school_id"])
    parts = []
    for table in (after.plan.attendance, after.plan.bands):
        bad = table[_marked(j not in sites_in for j in table["school_id"])]
        parts.append(broken(bad, "school_id", "school_id", 1, 0, "rows"))
    for name, end in (
        ("staff_moves", "from_"), ("staff_moves", "to_"), ("hires", ""), ("purchases", ""), ("item_moves", "from_"),
        ("item_moves", "to_"),
    ):  # fmt: skip
        table = getattr(after.plan, name)
        named = zip(table[f"{end}school_id"], table[f"{end}stage"], strict=True)
        bad = table[_marked(f"{j}/{s}" not in units for j, s in named)]
        parts.append(broken(bad, f"{end}school_id", f"{end}school_id", 1, 0, "rows"))
    going = after.plan.attendance
    ways = zip(going["mode"], going["group"], strict=True)
    odd = going[_marked(mode not in ("walk", "bus") or kind_in(group) not in GROUPS for mode, group in ways)]
    parts.append(broken(odd, "village_id", "mode", 1, 0, "rows"))
    known = set(after.county.schools["school_id"])
    asked = [j for j in (*after.request.keep_open, *after.request.close) if j not in known]
    unheard = pd.DataFrame({"school_id": asked}, dtype=object)
    parts.append(broken(unheard, "school_id", "school_id", 1, 0, "rows"))
    return all_of([*parts, _band_rows(after)])


def _marked(wrong: Iterable[bool]) -> np.ndarray:
    """One mark a row: Python's own texts compare faster than a short table's."""
    return np.array(list(wrong), dtype=bool)


def _band_rows(after: After) -> pd.DataFrame:
    """Every band taught today has exactly one row, marked as such; no other band has one."""
    said: dict[tuple[str, str], list[bool]] = {}
    for j, b, was in zip(*(after.plan.bands[c] for c in ("school_id", "band", "was_open")), strict=True):
        said.setdefault((j, b), []).append(bool(was))
    taught = site_bands(after.county)
    wanted = set(zip(taught["school_id"], taught["band"], strict=True))
    wrong = [
        (*k, len(said.get(k, [])), int(k in wanted))
        for k in sorted(wanted | said.keys())
        if len(said.get(k, [])) != (k in wanted) or said.get(k) == [False]
    ]
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
        number = pd.to_numeric(rows[column], errors="coerce").astype(float)
        wrong = rows[~np.isfinite(number) | (number < 0) | (whole & (number % 1 != 0))]
        parts.append(broken(wrong, place, place, wrong[column], 0, "rows"))
    return all_of(parts)


RULES = (
    Rule("known_ids", "integrity", check_known_ids),
    Rule("whole_numbers", "integrity", check_whole_numbers),
)
