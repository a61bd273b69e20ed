"""Who may attend where: groups of pupils (language of instruction, sector) and the schools that take them.

| rule | equation |
|---|---|
| group_access | attend[g,j,m] = 0 where j != j0(g) and the unit of j and b does not take the group of g |

A hard rule's ways never become a column (`models.problem.ways`). Where no group is told apart there is no such rule.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from geodata.contract.groups import EVERYBODY, OTHERS, group_in, names_in
from models.rules.record import Rows, Rule, Slack, broken, none

if TYPE_CHECKING:
    from models.plan.outcome import After


def _not_across(rows: Rows) -> None:
    inst, rule = rows.inst, rows.rule
    if rows.loosened:
        return  # a school that does not take the group is no remedy
    rows.model.barred[rule.id] = int((inst.barred["rule"] == rule.id).sum())
    across = inst.softened.loc[inst.softened["rule"] == rule.id, "p"]
    many = inst.pairs["pupils"].astype(float).to_dict()
    rows.add(list(across), lambda m, p: m.attend[p] <= 0, scale=lambda p: 1.0 / many[p])


def not_taken(after: After, units: pd.Series, labels: pd.Series) -> np.ndarray:
    """Row by row whether a unit does not take the pupils of a group of attendance; never where the rule is off.

    Parameters
    ----------
    units, labels : Series of str
        unit_id, and ``group`` as a plan writes it.
    """
    stage = after.county.school_stage
    if after.standards.kind("group_access") == "off":
        return np.zeros(len(units), dtype=bool)
    cells = stage["groups"] if "groups" in stage else pd.Series("", index=stage.index)
    table = pd.DataFrame({"unit": stage["school_id"] + "/" + stage["stage"], "name": cells.map(names_in)})
    table = table.explode("name").fillna({"name": ""})
    table["name"] = table["name"].where(~table["name"].isin(OTHERS), "")
    anybody = set(table.loc[table["name"].isin(EVERYBODY), "unit"])
    pairs = set(zip(table["unit"], table["name"], strict=True))
    return np.array(
        [u not in anybody and (u, group_in(g)) not in pairs for u, g in zip(units, labels, strict=True)],
        dtype=bool,
    )


def check_group_access(after: After) -> pd.DataFrame:
    """Nobody changes to a school that does not take their group; who is at one today may stay."""
    moved = after.travel[after.travel["changed"]]
    if moved.empty:
        return none()
    unit = moved["school_id"] + "/" + moved["band"].map(after.standards.scheme.band_stage)
    wrong = moved[not_taken(after, unit, moved["group"])]
    return broken(wrong, "village_id", "village", wrong["pupils"], 0, "pupils")


RULES = (
    Rule("group_access", "admission", check_group_access, _not_across, ("group_access",), Slack("pupils", "minutes", 30.0)),
)  # fmt: skip
