"""Rules about the form of a plan, for plans edited by hand or made elsewhere: the model cannot break them."""

from __future__ import annotations

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
    for name, columns in (("attendance", ["school_id"]), ("bands", ["school_id"])):
        table = getattr(after.plan, name)
        for c in columns:
            bad = table[~table[c].isin(sites_in)]
            parts.append(broken(bad, c, c, 1, 0, "rows"))
    for name, end in (
        ("staff_moves", "from_"), ("staff_moves", "to_"), ("hires", ""), ("purchases", ""), ("item_moves", "from_"),
        ("item_moves", "to_"),
    ):  # fmt: skip
        table = getattr(after.plan, name)
        unit = table[f"{end}school_id"] + "/" + table[f"{end}stage"]
        bad = table[~unit.isin(units)]
        parts.append(broken(bad, f"{end}school_id", f"{end}school_id", 1, 0, "rows"))
    going = after.plan.attendance
    odd = going[~going["mode"].isin(["walk", "bus"]) | ~going["group"].map(kind_in).isin(GROUPS)]
    parts.append(broken(odd, "village_id", "mode", 1, 0, "rows"))
    asked = pd.DataFrame({"school_id": [*after.request.keep_open, *after.request.close]}, dtype=object)
    known = set(after.county.schools["school_id"])
    parts.append(broken(asked[~asked["school_id"].isin(known)], "school_id", "school_id", 1, 0, "rows"))
    return all_of([*parts, _band_rows(after)])


def _band_rows(after: After) -> pd.DataFrame:
    """Every band taught today has exactly one row, marked as such; no other band has one."""
    key = ["school_id", "band"]
    rows = (
        after.plan.bands.groupby(key).agg(rows=("open", "size"), was_open=("was_open", "all")).reset_index()
    )
    taught = site_bands(after.county)[key].assign(want=1)
    both = taught.merge(rows, on=key, how="outer").fillna({"rows": 0, "want": 0})
    wrong = both[(both["rows"] != both["want"]) | ((both["rows"] == 1) & both["was_open"].eq(False))]
    return broken(wrong, "school_id", "band", wrong["rows"], wrong["want"], "rows")


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
