"""What each rule says about a place in two plans: free, at its limit, no worse than today, broken; and which ways it bars."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from models.plan.decisions import Verdict
from models.problem.instance import Instance
from models.rules.record import rule_of
from models.rules.registry import every_rule
from optimizer.infeasibility.conflicts import BY_GROUP
from optimizer.why.ground import PlanGround

STRUCTURE = (
    "assignment", "open_band", "bands_together", "bands_from_top", "open_has_pupils", "items", "min_classes", "protected",
    "no_exchange", "no_ring", "no_swap",
)  # fmt: skip
"""Rules whose rows hold with equality by their form: that they do says nothing."""
FREE, LIMIT, EASED, BROKEN = "free", "limit", "eased", "broken"
COLUMNS = ["rule", "kind", "plan", "other"]
NEARLY = 1e-6


def rules_said(
    ground: PlanGround, schools: Iterable[str], villages: Iterable[str], plan: np.ndarray, other: np.ndarray | None,
    verdicts: tuple[Verdict, Verdict | None],
) -> pd.DataFrame:  # fmt: skip
    """Rules with rows about some places, with what they say in the plan and with the other decision.

    Parameters
    ----------
    ground : PlanGround
    schools, villages : iterable of str
    plan, other : ndarray (columns)
        Solutions; ``other`` None where there is none.
    verdicts : tuple of Verdict
        The referee's about both.

    Returns
    -------
    DataFrame
        ``rule, kind, plan, other``; ``other`` is empty where there is no such plan.
    """
    bridge, places = ground.search.bridge, _Places(ground.inst, set(schools), set(villages))
    rows = bridge.named_rows(range(bridge.stated))
    rules = {r.id: r for r in every_rule()}
    mine = [
        (i, rule)
        for i, (name, key) in enumerate(rows)
        if (rule := rule_of(name)) in rules and places.concerns(rule, key)
    ]
    limits = [_at_limit(ground, mine, values) for values in (plan, other)]
    broken = [_broken(v, places) for v in verdicts]
    there = {rule for _, rule in mine} | set(broken[0]) | set(broken[1])
    lines = []
    for one in every_rule():
        if one.id in there:
            said = [
                b.get(one.id, LIMIT if one.id in limit else FREE)
                for b, limit in zip(broken, limits, strict=True)
            ]
            lines.append((one.id, one.kind(ground.inst.standards), said[0], "" if other is None else said[1]))
    return pd.DataFrame(lines, columns=COLUMNS)


def _at_limit(ground: PlanGround, mine: list[tuple[int, str]], values: np.ndarray | None) -> set[str]:
    if values is None:
        return set()
    left, size, equal = ground.search.bridge.own_rows(values, ground.search.bridge.stated)
    return {
        rule
        for i, rule in mine
        if rule not in STRUCTURE
        and not equal[i]
        and size[i] > NEARLY
        and left[i] <= NEARLY * max(1.0, size[i])
    }


def _broken(verdict: Verdict | None, places: _Places) -> dict[str, str]:
    """Rules that do not hold at the places, or only as no worse than today."""
    found: dict[str, str] = {}
    if verdict is None:
        return found
    for r in verdict.violations.itertuples():
        if str(r.place_id) in places.ids or str(r.place_id).rsplit("/", 1)[0] in places.ids:
            eased = EASED if r.grandfathered else BROKEN
            found[str(r.rule)] = BROKEN if BROKEN in (eased, found.get(str(r.rule))) else eased
    return found


class _Places:
    """Whether a row of the model is about one of some places, or about the county as a whole."""

    def __init__(self, inst: Instance, schools: set[str], villages: set[str]):
        units = inst.units
        self.elsewhere = set(units["school_id"]) | set(units.index)
        here = units["school_id"].isin(schools)
        self.ids = schools | villages | set(units.index[here])
        self.towns, self.other_towns = set(units.loc[here, "township"]), set(units["township"])
        self.pairs = set(inst.pairs.index[inst.pairs["village_id"].isin(villages)])
        self.groups = set(inst.groups.index[inst.groups["village_id"].isin(villages)])

    def concerns(self, rule: str, key: object) -> bool:
        """Whether a rule's row of this key is one of theirs."""
        parts = key if isinstance(key, tuple) else (key,)
        if isinstance(parts[0], int):
            return parts[0] in (self.groups if rule in BY_GROUP else self.pairs)
        first = str(parts[0])
        if first in self.elsewhere or first in self.ids:
            return first in self.ids
        return first in self.towns if first in self.other_towns else True


def barred_ways(inst: Instance, villages: Iterable[str], most: int = 12) -> pd.DataFrame:
    """Ways of villages that a rule bars whatever else is decided, the nearest to being allowed first.

    Returns
    -------
    DataFrame
        ``village_id, band, school_id, mode, minutes, limit, rule, excess``.
    """
    rows = inst.barred[inst.barred["village_id"].isin(set(villages))]
    columns = ["village_id", "band", "school_id", "mode", "minutes", "limit", "rule", "excess"]
    return rows.sort_values(["excess", "minutes"], kind="stable")[columns].head(most).reset_index(drop=True)
