"""Rules about staff: who may move where.

| rule | equation |
|---|---|
| staff_balance | out[u,c] <= movable + fixed (1 - open[u]); stock (1 - open[u]) <= out[u,c]; into + hire <= M open[u] |
| staff_pairs | sum_{u in t} out[u,c] = sum_{t'} flow[c,t,t']; sum_{u in t'} into[u,c'] = sum_t flow[.,c',t,t'] |
| eligible_moves | out[u,c] <= eligible[u,c] + stock[u,c] (1 - open[u]) |
| near_retirement_stays | sum_{t' != t} flow[c,t,t'] <= sum_{u in t} out[u,c] - near[u,c] (1 - open[u]) |
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from geodata.arrays import Flags
from models.formulation.staffing import closable_units
from models.rules.record import Rows, Rule, Slack, all_of, broken, looked_up, none

if TYPE_CHECKING:
    from models.plan.outcome import After


def _balance(rows: Rows) -> None:
    inst, model = rows.inst, rows.model
    held = {k: int(n) for k, n in inst.stock["fixed"].to_dict().items()}
    closable = closable_units(inst)
    keys = [k for k in model.out if held[k]]

    def leave(m: Any, u: str, c: str) -> Any:
        total, fixed = inst.heads_today[u, c], held[u, c]
        return m.out[u, c] <= total - fixed + fixed * (1 - m.unit_open[u])

    rows.add(keys, leave, part="fixed")
    shut = [k for k in model.out if k[0] in closable]
    rows.add(shut, lambda m, u, c: m.out[u, c] >= inst.heads_today[u, c] * (1 - m.unit_open[u]), part="empty")
    arriving = sorted({k for k in list(model.into) + list(model.hire) if k[0] in closable})
    # never a binding number: more than one head per five pupils that the unit could hold
    most = {u: 10.0 + float(inst.units.at[u, "largest"]) / 5.0 for u in closable}
    rows.add(
        arriving,
        lambda m, u, c: sum(v[u, c] for v in (m.into, m.hire) if (u, c) in v) <= most[u] * m.unit_open[u],
        part="none_in",
    )


def check_balance(after: After) -> pd.DataFrame:
    """Heads after = today - out + into + hired, never negative; a closed unit has none."""
    heads = after.heads
    had, out, into, hired, have = (
        heads[c].to_numpy(float) for c in ("today", "out", "into", "hired", "heads")
    )
    below = np.minimum(np.minimum(out, into), hired) < 0
    wrong = (have < 0) | (out > had) | (~after.head_stays & (have != 0)) | below
    return _of_units(after, wrong, "heads", 0)


def _of_units(after: After, wrong: Flags, amount: str, limit: str | float) -> pd.DataFrame:
    """Violations by row of ``heads``: a column is the amount, a column or a number the limit."""
    if not wrong.any():
        return none()
    rows = after.heads[wrong].reset_index()
    most = rows[limit] if isinstance(limit, str) else limit
    return broken(rows, "unit_id", "cat_id", rows[amount], most, "heads")


def _pairs(rows: Rows) -> None:
    inst, model = rows.inst, rows.model
    township = inst.units["township"].to_dict()

    def by_town(variable: Any) -> dict[tuple[str, str, str], list[Any]]:
        found: dict[tuple[str, str, str], list[Any]] = {}
        for u, c in variable:
            found.setdefault((inst.stage_of[u], c, township[u]), []).append(variable[u, c])
        return found

    out_of, into = by_town(model.out), by_town(model.into)
    sent: dict[tuple[str, str, str], list[Any]] = {}
    come: dict[tuple[str, str, str], list[Any]] = {}
    for s, c, s2, c2, a, b in model.flow:
        sent.setdefault((s, c, a), []).append(model.flow[s, c, s2, c2, a, b])
        come.setdefault((s2, c2, b), []).append(model.flow[s, c, s2, c2, a, b])
    for part, ends, flows in (("sent", out_of, sent), ("come", into, come)):
        keys = sorted(set(ends) | set(flows))
        sides = {k: (sum(ends.get(k, [])), sum(flows.get(k, []))) for k in keys}
        keys = [k for k in keys if any(not isinstance(x, int) for x in sides[k])]
        rows.add(keys, lambda m, *k, sides=sides: sides[k][0] == sides[k][1], part=part)


def check_pairs(after: After) -> pd.DataFrame:
    """Transfers keep stage (or go junior to primary), flags and linked townships; fixed heads stay; real moves."""
    return all_of([_unlinked(after), _fixed_left(after), _wrong_hires(after), _idle(after)])


def _unlinked(after: After) -> pd.DataFrame:
    moves, links = after.plan.staff_moves, after.staff_links()
    town = after.today.schools["township"].to_dict()
    ends = zip(moves["from_school_id"], moves["to_school_id"], strict=True)
    towns = [(town.get(j), town.get(k)) for j, k in ends]
    linked = np.array([a == b or (a, b) in links for a, b in towns], dtype=bool)
    lost = ~(linked & after.transfers_fit())
    if not lost.any():
        return none()
    wrong = moves[lost]
    wrong = wrong.assign(name=wrong["from_school_id"].map(after.today.schools["name"]))
    return broken(wrong, "from_school_id", "name", wrong["heads"], 0, "heads")


def _fixed_left(after: After) -> pd.DataFrame:
    heads = after.heads
    most = heads["today"].to_numpy(float) - heads["fixed"].to_numpy(float)
    return _of_units(after, after.head_stays & (heads["out"].to_numpy(float) > most), "out", 0)


def _wrong_hires(after: After) -> pd.DataFrame:
    category = after.county.staff_category
    keys = zip(category["stage"], category["cat_id"], strict=True)
    can = dict(zip(keys, category["hireable"].tolist(), strict=True))
    hires = after.plan.hires
    fine = [bool(can.get(k, False)) for k in zip(hires["stage"], hires["cat_id"], strict=True)]
    wrong = hires[~np.array(fine, dtype=bool) | (hires["heads"] <= 0)]
    return broken(wrong, "school_id", "cat_id", wrong["heads"], 0, "heads")


def _idle(after: After) -> pd.DataFrame:
    """Moves of nobody, from a school to itself, and there and back in one category."""
    moves = after.plan.staff_moves
    here = (moves["from_school_id"] == moves["to_school_id"]) & (moves["from_stage"] == moves["to_stage"])
    ends = list(zip(moves["from_school_id"], moves["from_stage"], moves["to_school_id"], moves["to_stage"], moves["cat_id"], strict=True))  # fmt: skip
    known = set(ends)
    back = np.array([(c, d, a, b, k) in known and (a, b) != (c, d) for a, b, c, d, k in ends], dtype=bool)
    wrong = moves[here | (moves["heads"] <= 0) | back]
    return broken(wrong, "from_school_id", "cat_id", wrong["heads"], 0, "heads")


def _eligible(rows: Rows) -> None:
    inst = rows.inst
    told = inst.stock["eligible"].dropna()
    keys = [k for k in rows.model.out if k in told.index]
    rows.add(
        keys,
        lambda m, u, c: m.out[u, c] <= float(told[u, c]) + inst.heads_today[u, c] * (1 - m.unit_open[u]),
    )


def check_eligible(after: After) -> pd.DataFrame:
    """A unit that stays sends no more of a category than are eligible, where the table says."""
    heads = after.heads
    beyond = heads["out"].to_numpy(float) > heads["eligible"].to_numpy(float)
    return _of_units(after, after.head_stays & beyond, "out", "eligible")


def _near_stays(rows: Rows) -> None:
    inst, model = rows.inst, rows.model
    township, closable = inst.units["township"].to_dict(), closable_units(inst)
    near = {k: int(n) for k, n in inst.stock["near"].to_dict().items() if n and k[0] in closable}
    places: dict[tuple[str, str, str], list[tuple[str, str]]] = {}
    for u, c in near:
        places.setdefault((inst.stage_of[u], c, township[u]), []).append((u, c))
    away: dict[tuple[str, str, str], list[Any]] = {}
    for s, c, s2, c2, a, b in model.flow:
        if a != b:
            away.setdefault((s, c, a), []).append(model.flow[s, c, s2, c2, a, b])
    leave: dict[tuple[str, str, str], list[Any]] = {}
    for u, c in model.out:
        leave.setdefault((inst.stage_of[u], c, township[u]), []).append(model.out[u, c])
    keys = [k for k in sorted(places) if k in away]
    rows.add(
        keys,
        lambda m, *k: (
            sum(away[k]) <= sum(leave[k]) - sum(near[x] * (1 - m.unit_open[x[0]]) for x in places[k])
        ),
    )


def check_near_stays(after: After) -> pd.DataFrame:
    """Of a unit that closes, those near retirement find a place in their township."""
    if after.head_stays.all():
        return none()
    rows = after.heads.reset_index()
    rows["stage"] = looked_up(rows["unit_id"], after.units["stage"])
    rows["township"] = looked_up(rows["unit_id"], after.units["township"])
    shut = rows[~looked_up(rows["unit_id"], after.new["open"]).eq(True)]
    if shut.empty:
        return none()
    near = shut.groupby(["township", "stage", "cat_id"])["fixed"].sum()
    moves = after.plan.staff_moves
    town = after.county.schools.set_index("school_id")["township"]
    ends = moves.assign(left=moves["from_school_id"].map(town), reached=moves["to_school_id"].map(town))
    all_out = rows.groupby(["township", "stage", "cat_id"])["out"].sum()
    away = ends[ends["left"] != ends["reached"]].groupby(["left", "from_stage", "cat_id"])["heads"].sum()
    table = pd.DataFrame({"near": near, "out": all_out.reindex(near.index)}).fillna(0)
    table["away"] = away.rename_axis(near.index.names).reindex(near.index).fillna(0)
    wrong = table[table["away"] > table["out"] - table["near"]].reset_index()
    return broken(wrong, "township", "township", wrong["away"], wrong["out"] - wrong["near"], "heads")


HEADS = Slack("heads", "floors")
RULES = (
    Rule("staff_balance", "staffing", check_balance, _balance),
    Rule("staff_pairs", "staffing", check_pairs, _pairs),
    Rule("eligible_moves", "staffing", check_eligible, _eligible, ("eligible_moves",), HEADS),
    Rule("near_retirement_stays", "staffing", check_near_stays, _near_stays, ("near_retirement_stays",), HEADS),
)  # fmt: skip
