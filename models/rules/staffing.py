"""Rules about staff: what may move where, and the least that every school keeps.

| rule | equation |
|---|---|
| staff_balance | out[u,c] <= movable + fixed (1 - open[u]); stock (1 - open[u]) <= out[u,c]; into + hire <= M open[u] |
| staff_pairs | sum_{u in t} out[u,c] = sum_{t'} flow[c,t,t']; sum_{u in t'} into[u,c'] = sum_t flow[.,c',t,t'] |
| eligible_moves | out[u,c] <= eligible[u,c] + stock[u,c] (1 - open[u]) |
| near_retirement_stays | sum_{t' != t} flow[c,t,t'] <= sum_{u in t} out[u,c] - near[u,c] (1 - open[u]) |
| floor_class | P[u] <= ratio heads[u]; kappa classes[u] <= heads[u]; heads[u] >= 2 (3) open[u]; or today's shortage |
| floor_backbone | b[u] >= needs[u], P[u] <= 49 + M needs[u]; where today has one |
| floor_arts | a[u] >= open[u]; sum_{u in t} a[u] - required[t] >= points open / 4; or today's shortage |
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyomo.environ as pyo

from geodata.arrays import Flags, Floats
from models.formulation.rows import rows_by
from models.formulation.staffing import closable_units, counted_heads
from models.rules.record import EPS, Rows, Rule, Slack, all_of, broken, looked_up, none

if TYPE_CHECKING:
    from models.plan.outcome import After

RATIO = "floor_ratio_"
BACKBONE, ARTS = "floor_backbone_pupils", "floor_arts_point_share"
"""Norms that name the staff they are about (`Norm.resource`); without a name there is no such floor."""
CLASS_NORMS = ("floor_ratio_{stage}", "floor_kappa", "floor_heads", "floor_heads_grades3")


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


def _by(amount: float) -> Callable[[Any], float]:
    """A slack of 1 moves every row's bound by so much."""
    return lambda key: amount


def _class_floor(rows: Rows) -> None:
    inst = rows.inst
    if inst.stock.empty or not inst.stock["heads"].sum():
        return
    units, of_unit = inst.units, rows_by(inst.bands, "unit_id")
    rural = [u for u in units.index[units["rural"]] if u in of_unit and u not in inst.unstaffed]
    staff = {u: counted_heads(rows.model, inst, u, "all") for u in rural}
    have = inst.stock["heads"].groupby(level="unit_id").sum()
    for stage in inst.standards.scheme.stage_ids:
        norm = f"{RATIO}{stage}"
        if rows.binds(norm):
            ratio = rows.value(norm)
            mine = [u for u in rural if units.at[u, "stage"] == stage]
            lack = {u: max(0.0, float(units.at[u, "pupils"]) - ratio * have[u]) for u in mine}
            rows.add(
                mine, lambda m, u, r=ratio, k=lack: m.pupils[u] - r * staff[u] <= k[u], norm=norm, part=norm,
                scale=_by(ratio),
            )  # fmt: skip
    if rows.binds("floor_kappa"):
        kappa = rows.value("floor_kappa")
        lack_classes = {u: max(0.0, kappa * float(units.at[u, "classes"]) - have[u]) for u in rural}
        rows.add(
            rural,
            lambda m, u: kappa * sum(m.classes[k] for k in of_unit[u]) - staff[u] <= lack_classes[u],
            norm="floor_kappa",
            part="floor_kappa",
        )
    many = inst.bands.groupby("unit_id")["grades"].sum()
    for norm, some in (
        ("floor_heads", [u for u in rural if many[u] < 3]),
        ("floor_heads_grades3", [u for u in rural if many[u] >= 3]),
    ):
        if rows.binds(norm):
            least = {u: min(rows.value(norm), float(have[u])) for u in some}
            rows.add(some, lambda m, u, k=least: staff[u] >= k[u] * m.unit_open[u], norm=norm, part=norm)


def rule_norms(after: After) -> list[str]:
    """Norms of the class-teacher floor for the county's stages."""
    return [*(f"{RATIO}{s}" for s in after.standards.scheme.stage_ids), *CLASS_NORMS[1:]]


def check_class_floor(after: After) -> pd.DataFrame:
    """Rural units: staff for their pupils, classes and grades, or no shorter of them than today."""
    if not after.units["staff"].sum():
        return all_of([])
    stays = after.new["open"].to_numpy(bool) & (after.new["zone"] == "rural").to_numpy(bool)
    have, had = (t["staff"].to_numpy(float)[stays] for t in (after.new, after.units))
    parts = []
    for norm in rule_norms(after):
        if after.standards.kind(norm) == "off":
            continue
        some, need, was = _needed(after, norm, stays)
        short = need - have
        bad = some & (short > EPS)
        if bad.any():
            eased = short <= was - had + EPS
            wrong = after.new[stays][bad].reset_index()
            least = np.ceil(need[bad] - EPS)
            parts.append(broken(wrong, "unit_id", "name", wrong["staff"], least, "heads", eased[bad], norm))
    return all_of(parts)


def _needed(after: After, norm: str, rows: Flags) -> tuple[Flags, Floats, Floats]:
    """Of some units: those that a norm is about, the staff that it asks of each, and what it asked of each today."""
    value, old, new = after.standards.value(norm), after.units, after.new
    if norm.startswith(RATIO):
        some = (new["stage"] == norm.removeprefix(RATIO)).to_numpy(bool)[rows]
        with np.errstate(divide="ignore", invalid="ignore"):
            need, was = (t["pupils"].to_numpy(float)[rows] / value for t in (new, old))
        return some, need, was
    if norm == "floor_kappa":
        need, was = (value * t["classes"].to_numpy(float)[rows] for t in (new, old))
        return np.ones(len(need), dtype=bool), need, was
    at = after.today.unit_of_band
    grades = np.bincount(at[at >= 0], after.bands["grades"].to_numpy(float)[at >= 0], minlength=len(new))
    some = (grades[rows] >= 3) == (norm == "floor_heads_grades3")
    need = np.full(len(some), float(value))
    return some, need, need


def _backbone(rows: Rows) -> None:
    inst, model = rows.inst, rows.model
    flag = inst.standards.about(BACKBONE)
    if not rows.binds(BACKBONE) or flag not in inst.standards.heads:
        return
    least = rows.value(BACKBONE)
    floor = inst.standards.value("assessed_floor") if inst.standards.hard("assessed_floor") else 0.0
    units = inst.units[~inst.units.index.isin(inst.unstaffed)]
    # a unit that lacks one today is no worse without; it may not cross the threshold without either
    lacks = (units["pupils"] >= least) & (units[flag] < 1)
    always = units["assessed"] & (np.minimum(units["pupils"], floor) >= least) & ~lacks
    rows.add(
        list(units.index[always]), lambda m, u: counted_heads(m, inst, u, flag) >= m.unit_open[u],
        norm=BACKBONE,
    )  # fmt: skip
    some = list(units.index[~always & ~lacks & (units["largest"] >= least)])
    most = units["largest"]
    model.needs_backbone = pyo.Var(some, domain=pyo.Binary)
    rows.add(
        some,
        lambda m, u: m.pupils[u] <= least - 1 + max(float(most[u]) - least + 1, 0.0) * m.needs_backbone[u],
        norm=BACKBONE,
        part="from",
    )
    rows.add(
        some, lambda m, u: counted_heads(m, inst, u, flag) >= m.needs_backbone[u],
        norm=BACKBONE, part="new",
    )  # fmt: skip


def check_backbone(after: After) -> pd.DataFrame:
    """A unit of 50 pupils or more has a backbone teacher, unless it was as large and had none."""
    least, flag = after.standards.value(BACKBONE), after.standards.about(BACKBONE)
    if flag not in after.standards.heads:
        return none()
    rows = after.open_units
    wrong = rows[(rows["pupils"] >= least) & (rows[flag] < 1)]
    old = after.units.loc[wrong["unit_id"]]
    eased = pd.Series(((old[flag] < 1) & (old["pupils"] >= least)).to_numpy(), index=wrong.index)
    return broken(wrong, "unit_id", "name", wrong[flag], 1, "heads", eased)


def _arts(rows: Rows) -> None:
    inst, model = rows.inst, rows.model
    units = inst.units
    told = units[~units.index.isin(inst.unstaffed)]
    norm, flag = ARTS, inst.standards.about(ARTS)
    if not rows.binds(norm) or flag not in inst.standards.heads:
        return
    share = rows.value(norm)
    full = [u for u in told.index if units.at[u, "kind"] != "point"]
    own = [u for u in full if units.at[u, flag] >= 1]
    rows.add(own, lambda m, u: counted_heads(m, inst, u, flag) >= m.unit_open[u], norm=norm, part="own")
    towns = rows_by(units, "township")
    points = {
        t: sorted({units.at[u, "school_id"] for u in us if units.at[u, "kind"] == "point"})
        for t, us in towns.items()
    }
    staffed = rows_by(told, "township")  # where nobody knows who teaches, nobody is counted
    visited = [t for t in towns if points[t]]
    spare0 = {
        t: sum(float(units.at[u, flag]) - (units.at[u, "kind"] != "point") for u in staffed.get(t, []))
        for t in visited
    }
    lack = {t: max(0.0, len(points[t]) / share - spare0[t]) for t in visited}

    def visitors(m: Any, t: str) -> Any:
        mine = staffed.get(t, [])
        spare = sum(counted_heads(m, inst, u, flag) for u in mine)
        spare = spare - sum(m.unit_open[u] for u in mine if units.at[u, "kind"] != "point")
        return sum(1 - m.closed[j] for j in points[t]) / share - lack[t] <= spare

    rows.add(visited, visitors, norm=norm, part="visiting")
    del model


def check_arts(after: After) -> pd.DataFrame:
    """Every unit but points has a PE/arts teacher; the township's others reach its points; or as today."""
    share, flag = after.standards.value(ARTS), after.standards.about(ARTS)
    if flag not in after.standards.heads:
        return none()
    rows = after.open_units
    own = rows[(rows["kind"] != "point") & (rows[flag] < 1)]
    parts = [
        broken(
            own, "unit_id", "name", own[flag], 1, "heads", looked_up(own["unit_id"], after.units[flag]) < 1
        )
    ]

    def spare(units: pd.DataFrame) -> pd.Series:
        told = (units["kind"] != "point") & units[flag].notna()
        full = told.groupby(units["township"]).sum()
        have = units.groupby("township")[flag].sum() - full
        points = units[units["kind"] == "point"].groupby("township")["school_id"].nunique()
        return (have - points / share).reindex(points.index).dropna()

    now = spare(rows)
    short = now[now < -EPS].rename("short").reset_index()
    if short.empty:
        return all_of(parts)
    before = spare(after.units)
    eased = short["short"] >= looked_up(short["township"], before).fillna(0.0) - EPS
    parts.append(broken(short, "township", "township", short["short"], 0, "heads", eased))
    return all_of(parts)


HEADS = Slack("heads", "floors")
RULES = (
    Rule("staff_balance", "staffing", check_balance, _balance),
    Rule("staff_pairs", "staffing", check_pairs, _pairs),
    Rule("eligible_moves", "staffing", check_eligible, _eligible, ("eligible_moves",), HEADS),
    Rule("near_retirement_stays", "staffing", check_near_stays, _near_stays, ("near_retirement_stays",), HEADS),
    Rule("floor_class", "staffing", check_class_floor, _class_floor, CLASS_NORMS, HEADS),
    Rule("floor_backbone", "staffing", check_backbone, _backbone, (BACKBONE,), HEADS),
    Rule("floor_arts", "staffing", check_arts, _arts, (ARTS,), HEADS),
)  # fmt: skip
