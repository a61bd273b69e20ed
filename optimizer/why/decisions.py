"""Decisions of a plan about a place, and the columns that hold them or turn them round.

| decision | turned round |
|---|---|
| stays | every band of the school that may close closes: open[j,b] = 0 |
| closes | the school keeps all its bands: open[j,b] = 1 |
| receives | nobody comes from another school: attend[g,j,m] = 0, j0(g) != j |
| relieved | nobody leaves for another school: attend[g,k,m] = 0, j0(g) = j != k |
| teachers | nobody moves there or away: out[u,c] = into[u,c] = 0 |
| hires | hire[u,c] = 0 |
| buys | buy[u,k] = 0 |
| goes | the village's groups that the plan sends to the school (where it sends none, those that attend it) go elsewhere, as far as they have another way: attend[g,j,m] = 0 |
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from models.plan.decisions import Plan
from models.problem.instance import Instance
from optimizer.why.ground import Least, PlanGround

SOME = 1e-3
"""Of a purchase in pupil-equivalents: less is none."""


@dataclass(frozen=True)
class Decision:
    """One decision of a plan.

    Parameters
    ----------
    kind : str
        See the module.
    school_id : str
        The school that it is about; of ``goes`` the one that is attended in the plan.
    village_id : str
        Of ``goes``.
    """

    kind: str
    school_id: str
    village_id: str = ""

    @property
    def about_village(self) -> bool:
        """Whether it is a village's."""
        return bool(self.village_id)


def of_school(plan: Plan, school_id: str) -> list[Decision]:
    """What a plan decides about a school, the school itself first."""
    bands = plan.bands[(plan.bands["school_id"] == school_id) & plan.bands["was_open"].astype(bool)]
    all_open = bool(bands["open"].all())
    found = [Decision("stays" if all_open else "closes", school_id)]
    going = plan.attendance
    changed = going["school_id"] != going["today_school_id"]
    if (changed & (going["school_id"] == school_id)).any():
        found.append(Decision("receives", school_id))
    if all_open and (changed & (going["today_school_id"] == school_id)).any():
        found.append(Decision("relieved", school_id))
    moves = plan.staff_moves
    if (
        bands["open"].any()
        and ((moves["from_school_id"] == school_id) | (moves["to_school_id"] == school_id)).any()
    ):
        found.append(Decision("teachers", school_id))
    for kind, table in (("hires", plan.hires), ("buys", plan.purchases)):
        if (table["school_id"] == school_id).any():
            found.append(Decision(kind, school_id))
    return found


def of_village(plan: Plan, village_id: str) -> list[Decision]:
    """Where a village's children go, a decision a school: where they change school if any do, else where they stay."""
    going = plan.attendance[plan.attendance["village_id"] == village_id]
    changed = going[going["school_id"] != going["today_school_id"]]
    rows = changed if len(changed) else going
    size = rows.groupby("school_id")["pupils"].sum().sort_values(ascending=False, kind="stable")
    return [Decision("goes", str(j), village_id) for j in size.index]


Forcing = tuple[dict[int, float], list[Least]]


def free_bands(inst: Instance, school_id: str) -> list[tuple[str, str]]:
    """Bands of a school that no rule locks."""
    return [k for k in inst.bands.index if k[0] == school_id and inst.bands.at[k, "lock"] == "free"]


def as_decided(ground: PlanGround, plan: Plan, one: Decision) -> Forcing:
    """Columns and rows that keep a decision as the plan has it; all else may differ."""
    if one.kind in ("stays", "closes"):
        state = plan.bands.set_index(["school_id", "band"])["open"]
        opens = ground.search.bridge.at("open")
        return {opens[k]: float(state[k]) for k in opens if k[0] == one.school_id and k in state.index}, []
    if one.kind == "goes":
        rows = [(c, np.ones(len(c)), 1.0) for c in _by_group(ground, ways_to_leave(ground, plan, one))]
        return {}, rows
    columns = _columns(ground, plan, one)
    least = SOME if one.kind == "buys" else 1.0
    return {}, [(columns, np.ones(len(columns)), least)] if len(columns) else []


def turned_round(ground: PlanGround, plan: Plan, one: Decision) -> Forcing:
    """Columns that turn a decision round."""
    opens = ground.search.bridge.at("open")
    if one.kind == "closes":
        return {c: 1.0 for k, c in opens.items() if k[0] == one.school_id}, []
    if one.kind == "stays":
        return {opens[k]: 0.0 for k in free_bands(ground.inst, one.school_id) if k in opens}, []
    return dict.fromkeys(map(int, _columns(ground, plan, one)), 0.0), []


def _columns(ground: PlanGround, plan: Plan, one: Decision) -> np.ndarray:
    found = _COLUMNS[one.kind](ground, plan, one)
    return np.array(sorted(found), dtype=np.int32)


def _attend(ground: PlanGround, rows: pd.DataFrame) -> list[int]:
    attend = ground.search.bridge.at("attend")
    return [attend[p] for p in rows.index if p in attend]


def _home(inst: Instance) -> pd.Series:
    return inst.pairs["g"].map(inst.groups["today_school_id"])


def _receives(ground: PlanGround, plan: Plan, one: Decision) -> list[int]:
    pairs = ground.inst.pairs
    return _attend(ground, pairs[pairs["changed"] & (pairs["school_id"] == one.school_id)])


def _relieved(ground: PlanGround, plan: Plan, one: Decision) -> list[int]:
    pairs = ground.inst.pairs
    return _attend(ground, pairs[pairs["changed"] & (_home(ground.inst) == one.school_id)])


def children(plan: Plan, one: Decision) -> pd.DataFrame:
    """Rows of attendance that a village's decision is about: those whom the plan sends to the school; where it sends none, those there.

    Who was there before has not been sent: a village's junior pupils may have no other school than the one its small children change to.
    """
    going = plan.attendance
    mine = going[(going["village_id"] == one.village_id) & (going["school_id"] == one.school_id)]
    sent = mine[mine["today_school_id"] != one.school_id]
    return sent if len(sent) else mine


def ways_to_leave(ground: PlanGround, plan: Plan, one: Decision) -> pd.DataFrame:
    """Pairs of a village's groups to the school that it is about, of those that have another way if any has."""
    inst, pairs = ground.inst, ground.inst.pairs
    key = ["village_id", "band", "group", "today_school_id"]
    chosen = pd.MultiIndex.from_frame(children(plan, one)[key])
    here = inst.groups.index[pd.MultiIndex.from_frame(inst.groups[key]).isin(chosen)]
    other = pairs.loc[pairs["g"].isin(here) & (pairs["school_id"] != one.school_id), "g"].unique()
    here = here[here.isin(other)] if len(other) else here
    return pairs[pairs["g"].isin(here) & (pairs["school_id"] == one.school_id)]


def _by_group(ground: PlanGround, pairs: pd.DataFrame) -> list[np.ndarray]:
    return [np.array(_attend(ground, rows), dtype=np.int32) for _, rows in pairs.groupby("g")]


def _units(ground: PlanGround, school_id: str, *components: str) -> list[int]:
    school = ground.inst.units["school_id"]
    return [
        c
        for name in components
        for (u, _), c in ground.search.bridge.at(name).items()
        if school[u] == school_id
    ]


_COLUMNS: dict[str, Callable[[PlanGround, Plan, Decision], list[int]]] = {
    "receives": _receives, "relieved": _relieved,
    "goes": lambda g, p, d: _attend(g, ways_to_leave(g, p, d)),
    "teachers": lambda g, p, d: _units(g, d.school_id, "out", "into"),
    "hires": lambda g, p, d: _units(g, d.school_id, "hire"),
    "buys": lambda g, p, d: _units(g, d.school_id, "buy"),
}  # fmt: skip
