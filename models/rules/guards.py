"""Guards: what a plan that an official would sign may not take away.

| rule | equation |
|---|---|
| met_kept | x[u,r] >= th[r] P[u] / scale, where met today (a closed unit has 0 >= 0); a unit that comes to count: >= th[r] (P[u] - 49 (1 - counted[u])) / scale |
| outflow_rural_f | sum_{u rural, stage s} f[u] >= today's, f qualified, backbone, PE/arts heads less who is hired |
| outflow_township_f | sum_{u rural, township t, stage s} f[u] >= today's |
| floor_no_outflow_f | f[u] >= today's open[u], units under 200 pupils |
| no_sink | heads[u] - rate classes[u] <= max(0, today's), units not assessed; rate the county's staff a class |
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from geodata.arrays import Flags, Floats
from models.formulation.concession import judged_amount, judged_pupils, of_guests
from models.formulation.rows import rows_by
from models.formulation.staffing import class_staff, counted_heads
from models.rules.record import EPS, Rows, Rule, Slack, all_of, broken, looked_up, none

if TYPE_CHECKING:
    from models.plan.outcome import After
    from models.problem.instance import Instance

RURAL, TOWNSHIP, SMALL = "outflow_rural_", "outflow_township_", "floor_no_outflow_"


def kept_rates(inst: Instance) -> dict[tuple[str, str], float]:
    """What `met_kept` asks of a unit's resource a pupil, in pupil-equivalents, for indicators that it meets today.

    Units that may come to be assessed are among them: of these it is asked once they are.
    """
    units = inst.units
    need: dict[tuple[str, str], float] = {}
    for one in (i for i in inst.standards.indicators if i.tested):
        counts = units["assessed"] | units["may_grow"]
        mine = units[(units["stage"] == one.stage) & counts & (units["pupils"] > 0)]
        mine = mine.loc[[u for u in mine.index if inst.known(u, one.resource)]]
        have = np.array([inst.counted_today(u, one.resource) for u in mine.index], dtype=float)
        pupils = np.array([inst.judged_today(u) for u in mine.index], dtype=float)
        met = mine[one.scale * have / pupils >= one.threshold - 1e-9]
        for u in met.index:
            rate = one.threshold / one.scale / inst.centres[one.stage, one.resource]
            need[u, one.resource] = max(need.get((u, one.resource), 0.0), rate)
    return need


def _met_kept(rows: Rows) -> None:
    inst = rows.inst
    need = kept_rates(inst)
    # fewer pupils than are assessed: what such a unit has a pupil is judged by nobody
    small, grow = inst.standards.limit("assessed_min", 1.0) - 1, inst.units["may_grow"].to_dict()

    def asks(m: Any, u: str) -> Any:
        spared = of_guests(inst, u) * (1 - m.unit_open[u]) + (small * (1 - m.counted[u]) if grow[u] else 0.0)
        return judged_pupils(m, inst, u) - spared

    rows.add(
        list(need),
        lambda m, u, r: judged_amount(m, inst, u, r) >= need[u, r] * asks(m, u),
        scale=lambda k: 1.0 / inst.centres[inst.stage_of[k[0]], k[1]],
    )


def check_met_kept(after: After) -> pd.DataFrame:
    """A unit that is assessed today, or comes to be by receiving pupils, still meets what it meets today."""
    old, new, unit = after.cells_today, after.cells_plan, after.today.unit_of_cell  # they stand in one order
    stays = (
        after.new["open"].to_numpy(bool)
        & (after.units["assessed"].to_numpy(bool) | after.new["assessed"].to_numpy(bool))
        & (after.new["pupils"].to_numpy(float) > 0)
    )
    # not known: neither met nor lost
    lost = old["met"].to_numpy(bool, na_value=False) & ~new["met"].to_numpy(bool, na_value=True) & stays[unit]
    if not lost.any():
        return none()
    wrong = new[lost].copy()
    wrong["name"] = looked_up(wrong["unit_id"], after.units["name"]) + " " + wrong["indicator"]
    return broken(wrong, "unit_id", "name", wrong["ratio"], wrong["threshold"], "ratio")


def _groups_kept(rows: Rows, norm: str, flag: str, groups: dict[Any, list[str]]) -> None:
    """Heads of a flag in a group of units do not fall by transfers: who is hired makes up for nobody who is drawn away."""
    inst = rows.inst
    some = {k: us for k, us in groups.items() if inst.units.loc[us, flag].sum() > 0}
    today = {k: float(inst.units.loc[us, flag].sum()) for k, us in some.items()}
    rows.add(
        list(some),
        lambda m, *k: sum(counted_heads(m, inst, u, flag, hired=False) for u in some[k]) >= today[k],
        norm=norm,
        part=flag,
    )


def _asked_away(rows: Rows) -> set[str]:
    """Units all of whose bands the request asks to close."""
    bands = rows.inst.bands
    stays = set(bands.loc[bands["lock"] != "closed", "unit_id"])
    return set(bands["unit_id"]) - stays


def _rural(rows: Rows) -> None:
    units, shut = rows.inst.units, _asked_away(rows)
    villages = units[units["rural"]]
    for flag in rows.inst.standards.heads:
        norm = f"{RURAL}{flag}"
        groups = {
            (s,): list(villages.index[villages["stage"] == s]) for s in rows.inst.standards.scheme.stage_ids
        }
        if rows.binds(norm):
            _groups_kept(rows, norm, flag, {k: us for k, us in groups.items() if not shut.issuperset(us)})


def _by_township(rows: Rows) -> None:
    units, shut = rows.inst.units, _asked_away(rows)
    for flag in rows.inst.standards.heads:
        norm = f"{TOWNSHIP}{flag}"
        if rows.binds(norm):
            groups = rows_by(units[units["rural"]], "township", "stage")
            # where the request closes the last school of a stage, nobody stays to teach at
            _groups_kept(rows, norm, flag, {k: us for k, us in groups.items() if not shut.issuperset(us)})


def _fallen(after: After, prefix: str, by: list[str]) -> pd.DataFrame:
    """Groups of rural units whose heads of a flag fall, besides those that the request closes wholly."""
    rural = (after.units["zone"] == "rural").to_numpy(bool)
    flags = list(after.standards.heads)
    if not _some_fall(after, rural, flags, by):
        return none()
    was, now = after.units[rural], besides_hired(after, flags)[rural]
    keys = [was[c] for c in by]
    old, new = was[flags].groupby(keys).sum(), now.groupby(keys).sum()
    # all asked to close: nobody can stay
    stays = (~was["school_id"].isin(after.request.close)).groupby(keys).any()
    fallen = new.lt(old - EPS).mul(stays, axis=0)
    parts = []
    for flag in (f for f in flags if fallen[f].any()):
        wrong = pd.DataFrame({"old": old[flag], "new": new[flag]})[fallen[flag]].reset_index()
        wrong["place"] = wrong[by].astype(str).agg(" ".join, axis=1)
        norm = f"{prefix}{flag}"
        parts.append(broken(wrong, "place", "place", wrong["new"], wrong["old"], "heads", norm=norm))
    return all_of(parts)


def besides_hired(after: After, flags: list[str]) -> pd.DataFrame:
    """Heads that count, of each unit, less those that the plan hires."""
    new, stage = after.new[flags].astype(float), after.units["stage"].to_dict()
    kinds, counts = after.standards.heads, after.today.counts
    hires = after.plan.hires
    for j, s, c, n in zip(*(hires[x] for x in ("school_id", "stage", "cat_id", "heads")), strict=True):
        unit = f"{j}/{s}"
        if unit in stage:
            counted = dict(zip(kinds, counts.get((stage[unit], c), (0,) * len(kinds)), strict=True))
            new.loc[unit, flags] -= [n * counted[f] for f in flags]
    return new


def _some_fall(after: After, rural: Flags, flags: list[str], by: list[str]) -> bool:
    """Whether any group's heads may have fallen: a sum in plain arrays, with half of the tolerance to spare."""
    old, new = (
        np.nan_to_num(t[flags].to_numpy(float)[rural]) for t in (after.units, besides_hired(after, flags))
    )
    total: dict[tuple[str, ...], Floats] = {}
    keys = zip(*(after.units[c].array[rural] for c in by), strict=True)
    for key, fell in zip(keys, old - new, strict=True):
        total[key] = total[key] + fell if key in total else fell
    return any((fell > EPS / 2).any() for fell in total.values())


def check_rural(after: After) -> pd.DataFrame:
    """The rural zone loses no qualified, backbone or PE/arts teachers on balance by transfers, stage by stage."""
    return _fallen(after, RURAL, ["stage"])


def check_township(after: After) -> pd.DataFrame:
    """A township's villages lose none on balance."""
    return _fallen(after, TOWNSHIP, ["township", "stage"])


def _small(rows: Rows) -> None:
    inst = rows.inst
    for flag in rows.inst.standards.heads:
        norm = f"{SMALL}{flag}"
        if rows.binds(norm):
            some = inst.units.index[(inst.units["pupils"] < rows.value(norm)) & (inst.units[flag] > 0)]
            least = {u: math.ceil(inst.units.at[u, flag]) for u in some}
            rows.add(
                list(some),
                lambda m, u, f=flag, k=least: (
                    counted_heads(m, inst, u, f, hired=False) >= k[u] * m.unit_open[u]
                ),
                norm=norm,
                part=flag,
            )


def check_small(after: After) -> pd.DataFrame:
    """Small units that stay lose no such teacher on balance by transfers."""
    rows, parts = after.open_units, []
    if not len(after.plan.staff_moves):
        return none()
    norms = {f: f"{SMALL}{f}" for f in after.standards.heads if f"{SMALL}{f}" in after.standards.rules}
    old = after.units.loc[rows["unit_id"], ["pupils", *norms]].set_axis(rows.index)
    kept = besides_hired(after, list(norms)).loc[rows["unit_id"]].set_axis(rows.index)
    for flag, norm in norms.items():
        wrong = rows[(old["pupils"] < after.standards.value(norm)) & (kept[flag] < old[flag])]
        if len(wrong):
            now, before = kept[flag], old[flag].astype(float)
            parts.append(
                broken(wrong, "unit_id", "name", now[wrong.index], before[wrong.index], "heads", norm=norm)
            )
    return all_of(parts)


def _no_sink(rows: Rows) -> None:
    inst = rows.inst
    of_unit, (rate, extra) = rows_by(inst.bands, "unit_id"), class_staff(inst)
    rows.add(
        list(extra),
        lambda m, u: (
            counted_heads(m, inst, u, "all") - rate[inst.stage_of[u]] * sum(m.classes[k] for k in of_unit[u])
            <= extra[u]
        ),
    )


def check_no_sink(after: After) -> pd.DataFrame:
    """Staff a class of a unit that is not assessed stays at or below the county's, or no further above than today."""
    if not _may_sink(after):
        return none()
    total = after.units[after.units["staff"].notna()].groupby("stage")[["staff", "classes"]].sum()
    rate = total["staff"] / total["classes"].clip(lower=1)
    rows = after.open_units
    rows = rows[~looked_up(rows["unit_id"], after.units["assessed"]).astype(bool)]
    old = after.units.loc[rows["unit_id"]]
    extra = (old["staff"] - old["stage"].map(rate).astype(float) * old["classes"]).clip(lower=0).to_numpy()
    now = rows["staff"] - rows["stage"].map(rate).astype(float) * rows["classes"]
    wrong = rows[now > extra + EPS]
    limit = np.round(wrong["staff"] - (now - extra)[wrong.index], 2)
    return broken(wrong, "unit_id", "name", wrong["staff"], limit, "heads")


def _may_sink(after: After) -> bool:
    """Whether any unit that is not assessed may have too many staff; half of the tolerance is left to spare."""
    old, new = after.units, after.new
    some = new["open"].to_numpy(bool) & ~old["assessed"].to_numpy(bool)
    staff, classes, stage = (old[c].to_numpy() for c in ("staff", "classes", "stage"))
    told, a_class = ~np.isnan(staff.astype(float)), np.full(int(some.sum()), np.nan)
    for s in set(stage[some].tolist()):
        mine = told & (stage == s)
        a_class[stage[some] == s] = staff[mine].sum() / max(float(classes[mine].sum()), 1.0)
    had, have = (
        t["staff"].to_numpy(float)[some] - a_class * t["classes"].to_numpy(float)[some] for t in (old, new)
    )
    return bool((have > np.maximum(had, 0) + EPS / 2).any())


GIVEN = Slack("heads", "floors")
RULES = (
    Rule("met_kept", "guards", check_met_kept, _met_kept, ("met_kept",), Slack("amount", "floors")),
    Rule("outflow_rural", "guards", check_rural, _rural, ("outflow_rural_{heads}",), GIVEN),
    Rule("outflow_township", "guards", check_township, _by_township, ("outflow_township_{heads}",), GIVEN),
    Rule("floor_no_outflow", "guards", check_small, _small, ("floor_no_outflow_{heads}",), GIVEN),
    Rule("no_sink", "guards", check_no_sink, _no_sink, ("no_sink",), GIVEN),
)  # fmt: skip
