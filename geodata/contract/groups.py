"""Groups of pupils and who takes them: language of instruction, sector, whatever a county tells apart (docs/groups.md).

| who | is told by | empty means |
|---|---|---|
| pupils | ``attendance.group``: one name a row | of no group |
| a school's stage | ``school_stage.groups``: the names it takes, several with a comma between them | takes pupils of no group |

Two words stand beside the names: ``all`` takes everybody, ``others`` pupils of no group. Where pupils are of a group, the plan
writes it behind the kind of their group of attendance: ``zone:Korean``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from geodata.contract.findings import Finding
from geodata.contract.validation.placed import Tables
from geodata.standards.scheme import Scheme

EVERYBODY = frozenset({"all", "所有", "全部"})
OTHERS = frozenset({"others", "其他", "其它"})
_BETWEEN = re.compile(r"[、,;/|]")
_MARK = ":"


def names_in(cell: str) -> tuple[str, ...]:
    """The names that a cell lists, each once; words are read whatever their case."""
    parts = [p.strip() for p in _BETWEEN.split(cell)]
    return tuple(dict.fromkeys(p.lower() if p.lower() in EVERYBODY | OTHERS else p for p in parts if p))


def labelled(kind: str, group: str) -> str:
    """Kind of attendance and group of pupils as a plan writes them: ``zone``, ``choice:Korean``."""
    return f"{kind}{_MARK}{group}" if group else kind


def kind_in(label: str) -> str:
    """``zone`` of ``zone:Korean`` and of ``zone``."""
    return label.partition(_MARK)[0]


def group_in(label: str) -> str:
    """``Korean`` of ``zone:Korean``, nothing of ``zone``."""
    return label.partition(_MARK)[2]


@dataclass(frozen=True)
class Admission:
    """Which units take which pupils.

    Parameters
    ----------
    listed : dict of str to frozenset of str
        By unit_id: what its cell lists; nothing where it lists nothing.
    """

    listed: dict[str, frozenset[str]]

    def takes(self, unit: str, group: str) -> bool:
        """Whether a unit takes pupils of a group; the empty group are those of none."""
        names = self.listed.get(unit, frozenset())
        if not names:
            return not group
        return bool(names & EVERYBODY) or group in names or (not group and bool(names & OTHERS))

    def of_rows(self, units: Iterable[str], groups: Iterable[str]) -> np.ndarray:
        """`takes` row by row."""
        return np.array([self.takes(u, g) for u, g in zip(units, groups, strict=True)], dtype=bool)


def admission(school_stage: pd.DataFrame, attendance: pd.DataFrame) -> Admission | None:
    """Which units take which pupils; None where the county tells no groups apart.

    Parameters
    ----------
    school_stage, attendance : DataFrame
        T2 and T6.
    """
    if "groups" not in school_stage and "group" not in attendance:
        return None
    if "groups" not in school_stage:
        return Admission({})
    units = school_stage["school_id"] + "/" + school_stage["stage"]
    return Admission({u: frozenset(names_in(c)) for u, c in zip(units, school_stage["groups"], strict=True)})


def group_names(attendance: pd.DataFrame) -> tuple[str, ...]:
    """The groups that pupils are of, in order."""
    return tuple(sorted(set(attendance["group"]) - {""})) if "group" in attendance else ()


def check_groups(tables: Tables, scheme: Scheme) -> list[Finding]:
    """A row's pupils are of one group, which some school of the stage takes; who attends across groups today is named."""
    units, going = tables["school_stage"], tables["attendance"]
    rules = admission(units.frame, going.frame)
    if rules is None:
        return []
    rows = going.frame.assign(stage=going.frame["band"].map(scheme.band_stage)).reset_index(drop=True)
    if "group" not in rows:
        rows["group"] = ""
    found, good = [], []
    of_stage = {s: [u for u in rules.listed if u.endswith(f"/{s}")] for s in scheme.stage_ids}
    for i, (group, stage) in enumerate(zip(rows["group"], rows["stage"], strict=True)):
        named, offered, key = names_in(group), of_stage[stage], None
        if len(named) > 1 or set(named) & (EVERYBODY | OTHERS) or _MARK in group:
            key = "tables.group_not_one"
        elif group and not any(rules.takes(u, group) for u in offered):
            key = "tables.group_nowhere"
        if key is not None:
            known = sorted({n for u in offered for n in rules.listed[u]})
            fields: dict[str, object] = {
                "known": ", ".join(known) or "-",
                "target": units.file,
                "stage": stage,
            }
            found.append(Finding("error", key, fields, **going.at("attendance", i, "group", group)))
        good.append(key is None)
    return found + _across(tables, rules, rows[np.array(good, dtype=bool)])


def _across(tables: Tables, rules: Admission, rows: pd.DataFrame) -> list[Finding]:
    """Pupils who attend today where nobody of their group is taken: they may stay, and nobody joins them."""
    units, going = tables["school_stage"], tables["attendance"]
    there = set(units.frame["school_id"] + "/" + units.frame["stage"])
    rows = rows[rows["pupils"] > 0].assign(unit_id=rows["school_id"] + "/" + rows["stage"])
    rows = rows[rows["unit_id"].isin(there) & ~rules.of_rows(rows["unit_id"], rows["group"])]
    found = []
    for (unit, group), some in rows.groupby(["unit_id", "group"], sort=True):
        school = str(some["school_id"].iloc[0])
        fields: dict[str, object] = {
            "pupils": int(some["pupils"].sum()), "rows": len(some), "group": group or "-",
            "takes": ", ".join(sorted(rules.listed.get(str(unit), frozenset()))) or "-", "target": units.file,
        }  # fmt: skip
        at = going.at(
            "attendance", int(some.index[0]), "group" if "group" in going.frame else "school_id", school
        )
        found.append(Finding("warning", "tables.group_across", fields, **at))
    return found


__all__ = [
    "EVERYBODY", "OTHERS", "Admission", "admission", "check_groups", "group_in", "group_names", "kind_in", "labelled", "names_in",
]  # fmt: skip
