"""Which bands each site keeps, where every village attends, how many classes follow: variables and what defines them.

What a plan may do is said by the rules (`models.rules`); here stands only what the symbols mean.

| symbol | component | source |
|---|---|---|
| open[j,b] | ``model.open`` | decision |
| attend[g,j,m] | ``model.attend[p]``, p a row of ``Instance.pairs`` | decision |
| unit_open[u], closed[j] | ``model.unit_open``, ``model.closed`` | follow |
| P[j,b], P[u] | ``model.band_pupils``, ``model.pupils`` | follow |
| classes[j,b], grade_classes[j,b,g] | ``model.classes``, ``model.grade_classes`` | decision |
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
import pyomo.environ as pyo
from pyomo.core.expr.numeric_expr import LinearExpression

from models.formulation.rows import rows_by
from models.problem.instance import Instance

Model: TypeAlias = Any  # Pyomo has no types
Key = tuple[str, str]


def network_variables(model: Model, inst: Instance) -> None:
    """Declare open, attend, pupils, classes and whole-site closure, and define what follows."""
    keys = list(inst.bands.index)
    rooms = inst.units["rooms"].to_dict()
    most = inst.units["largest"].astype(float).to_dict()
    of_band = inst.bands["unit_id"].to_dict()
    model.open = pyo.Var(keys, domain=pyo.Binary)
    model.attend = pyo.Var(list(inst.pairs.index), domain=pyo.Binary)
    model.unit_open = pyo.Var(list(inst.units.index), bounds=(0, 1))
    model.pupils = pyo.Var(list(inst.units.index), bounds=lambda m, u: (0, most[u]))
    model.closed = pyo.Var(list(inst.school_cap.index), bounds=(0, 1))
    model.classes = pyo.Var(
        keys,
        domain=pyo.NonNegativeIntegers,
        bounds=lambda m, j, b: (0, _most_classes(inst, rooms[of_band[j, b]])),
    )
    combined = inst.grades["unit_id"].map(inst.units["combined"])
    grades = list(inst.grades.index[~combined.astype(bool)])
    model.grade_classes = pyo.Var(
        grades,
        domain=pyo.NonNegativeIntegers,
        bounds=lambda m, j, b, g: (0, _most_classes(inst, rooms[of_band[j, b]])),
    )
    of_grade: dict[Key, list[Any]] = {}
    for j, b, g in grades:
        of_grade.setdefault((j, b), []).append((j, b, g))
    model.classes_of_grades = pyo.Constraint(
        list(of_grade),
        rule=lambda m, j, b: m.classes[j, b] == sum(m.grade_classes[k] for k in of_grade[j, b]),
    )
    _opened(model, inst)
    _enrolment(model, inst)


def _most_classes(inst: Instance, rooms: int) -> int:
    """A bound that no rule sets: those that have a room, or many more where rooms do not bind."""
    return int(rooms) if inst.standards.hard("rooms") else int(rooms) + 60


def _opened(model: Model, inst: Instance) -> None:
    """A unit is open while it teaches a band; a site is closed when it teaches none."""
    of_unit, of_site = rows_by(inst.bands, "unit_id"), rows_by(inst.bands, "school_id")
    unit = inst.bands["unit_id"].to_dict()
    model.unit_open_above = pyo.Constraint(
        list(inst.bands.index), rule=lambda m, j, b: m.unit_open[unit[j, b]] >= m.open[j, b]
    )
    model.unit_open_below = pyo.Constraint(
        list(inst.units.index), rule=lambda m, u: m.unit_open[u] <= sum(m.open[k] for k in of_unit.get(u, []))
    )
    sites = [j for j in inst.school_cap.index if j in of_site]
    model.site_closed = pyo.Constraint(
        [(j, b) for j in sites for _, b in of_site[j]], rule=lambda m, j, b: m.closed[j] <= 1 - m.open[j, b]
    )
    model.site_counted = pyo.Constraint(
        sites, rule=lambda m, j: m.closed[j] >= 1 - sum(m.open[k] for k in of_site[j])
    )


def standing(inst: Instance) -> pd.DataFrame:
    """Groups without a pair: pupils who by-pass their village to a school that keeps the band for certain."""
    return inst.groups[~inst.groups.index.isin(inst.pairs["g"].unique())]


def _enrolment(model: Model, inst: Instance) -> None:
    """P[j,b] = sum_g n[g] attend[g,j,.] + pupils who stay for certain; P[u] = sum_b P[j,b]."""
    model.band_pupils = pyo.Var(list(inst.bands.index), domain=pyo.NonNegativeReals)
    zone = rows_by(inst.pairs, "school_id", "band")
    size = inst.pairs["pupils"].astype(int).to_dict()
    stays = standing(inst).groupby(["today_school_id", "band"])["pupils"].sum().to_dict()
    model.count_band = pyo.Constraint(
        list(inst.bands.index),
        rule=lambda m, j, b: (
            m.band_pupils[j, b]
            == int(stays.get((j, b), 0)) + sum(size[p] * m.attend[p] for p in zone.get((j, b), []))
        ),
    )
    of_unit = rows_by(inst.bands, "unit_id")
    model.count_unit = pyo.Constraint(
        list(inst.units.index),
        rule=lambda m, u: m.pupils[u] == sum(m.band_pupils[k] for k in of_unit.get(u, [])),
    )


def leaving(model: Model, inst: Instance) -> dict[Key, Any]:
    """Pupils of each band today who go elsewhere, as expressions."""
    moved = inst.pairs[inst.pairs["changed"]].join(inst.groups["today_school_id"], on="g")
    found: dict[Key, Any] = {}
    for (j, b), rows in moved.groupby(["today_school_id", "band"]):
        found[str(j), str(b)] = sum(int(n) * model.attend[p] for p, n in rows["pupils"].items())
    return found


@dataclass(frozen=True)
class _GradeParts:
    """What the pupils of all grades are reckoned from, as plain lists: by band, by pair, by grade."""

    pairs: dict[Any, list[Any]]
    stay: dict[Any, Any]
    grades: dict[Any, Any]
    changed: dict[Any, Any]
    pupils: dict[Any, Any]
    share: dict[Any, Any]

    @classmethod
    def of(cls, inst: Instance) -> _GradeParts:
        """Of an instance, once for a model."""
        return cls(
            pairs=rows_by(inst.pairs, "school_id", "band"),
            stay=standing(inst).groupby(["today_school_id", "band"])["pupils"].sum().to_dict(),
            grades=inst.bands["grades"].to_dict(),
            changed=inst.pairs["changed"].to_dict(),
            pupils=inst.pairs["pupils"].astype(int).to_dict(),
            share=inst.grades["share"].to_dict(),
        )


def grade_pupils(model: Model, inst: Instance, key: tuple[str, str, int]) -> Any:
    """Pupils of a grade: today's share of those who stay, and an equal part of each group that comes."""
    j, b, _ = key
    if not hasattr(model, "grade_parts"):
        model.grade_parts = _GradeParts.of(inst)
    at = model.grade_parts
    share = float(at.share[key])
    weight = {True: 1.0 / max(1, int(at.grades[j, b])), False: share}
    some = at.pairs.get((j, b), [])
    return LinearExpression(
        constant=share * int(at.stay.get((j, b), 0)),
        linear_coefs=[weight[bool(at.changed[p])] * at.pupils[p] for p in some],
        linear_vars=[model.attend[p] for p in some],
    )


def pupils_changed(model: Model, inst: Instance) -> Any:
    """Pupils whose school changes, as an expression."""
    rows = inst.pairs[inst.pairs["changed"]]
    return sum(int(n) * model.attend[p] for p, n in rows["pupils"].items())


def pupil_minutes(model: Model, inst: Instance) -> Any:
    """Pupil-minutes of all groups whose way is known, as an expression; who by-passes by choice counts with today's at least."""
    rows = inst.pairs[inst.pairs["minutes"].notna()]
    rest = standing(inst)
    constant = float((rest["pupils"] * rest["today_minutes"]).sum())
    chosen = _chosen(inst, rows)
    took = rows["minutes"].where(~chosen, np.fmax(rows["minutes"], _today(inst, rows, "today_minutes")))
    return constant + sum(
        float(n) * float(t) * model.attend[p]
        for p, n, t in zip(rows.index, rows["pupils"], took, strict=True)
    )


def _today(inst: Instance, rows: pd.DataFrame, column: str) -> pd.Series:
    """What is true of the groups of some pairs today."""
    return pd.Series(inst.groups[column].reindex(rows["g"]).to_numpy(), index=rows.index)


def _chosen(inst: Instance, rows: pd.DataFrame) -> pd.Series:
    """Pairs of pupils who by-pass their village's school today: closing the school that they chose makes no way better."""
    return ~_today(inst, rows, "main").astype(bool)


def pupils_beyond(model: Model, inst: Instance) -> Any:
    """Pupils whose way is longer than the limit of band and mode, as an expression; by choice today is by choice in the plan."""
    groups, rest = inst.groups, standing(inst)
    limit = np.array(
        [_limit(inst, b, m) for b, m in zip(groups["band"], groups["today_mode"], strict=True)], dtype=float
    )
    far = pd.Series(groups["today_minutes"].to_numpy(float) > limit + 1e-9, index=groups.index)
    constant = int(rest.loc[far[rest.index], "pupils"].sum())
    beyond = inst.pairs["minutes"] > inst.pairs["limit"] + 1e-9
    chosen = _chosen(inst, inst.pairs) & far.reindex(inst.pairs["g"]).to_numpy(bool)
    rows = inst.pairs[beyond | chosen]
    return constant + sum(int(n) * model.attend[p] for p, n in rows["pupils"].items())


def _limit(inst: Instance, band: str, mode: str) -> float:
    return inst.standards.limit(f"travel_{mode}_{band}", float("inf"))
