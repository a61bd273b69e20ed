"""Floors of staff: the least that every school keeps.

| rule | equation |
|---|---|
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
from models.formulation.staffing import counted_heads
from models.rules.record import EPS, Rows, Rule, Slack, all_of, broken, looked_up, none

if TYPE_CHECKING:
    from models.plan.outcome import After

RATIO = "floor_ratio_"
BACKBONE, ARTS = "floor_backbone_pupils", "floor_arts_point_share"
"""Norms that name the staff they are about (`Norm.resource`); without a name there is no such floor."""
CLASS_NORMS = ("floor_ratio_{stage}", "floor_kappa", "floor_heads", "floor_heads_grades3")


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
    Rule("floor_class", "floors", check_class_floor, _class_floor, CLASS_NORMS, HEADS),
    Rule("floor_backbone", "floors", check_backbone, _backbone, (BACKBONE,), HEADS),
    Rule("floor_arts", "floors", check_arts, _arts, (ARTS,), HEADS),
)
