"""Classes: those that somebody needs as a bound in the model, and a solved model's as numbers of the plan's bands.

| symbol | component | source |
|---|---|---|
| more[u] | ``model.more_classes``: a unit has more classes than today, each of a grade that needs it | decision |

Classes cost the model nothing, and rooms and staff are bounded by them: without a bound it would hold classes for
nobody, so that more rooms may be bought or more heads sent. A unit has at most today's classes, or what its grades need at the cap:

    sum_b classes[j,b] <= c0[u] + M more[u];  cap (grade_classes[j,b,g] - 1) < P[j,b,g] + cap c0[u] (1 - more[u])
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import pandas as pd
import pyomo.environ as pyo

from models.formulation.equipment import scale
from models.formulation.network import grade_pupils
from models.formulation.rows import rows_by
from models.formulation.staffing import class_staff, counted_heads
from models.problem.instance import Instance
from models.rules.record import STATED

Model: TypeAlias = Any  # Pyomo has no types
SMALLEST = 1e-6
JUST_BELOW = 1.0 - 1e-4
"""A grade of exactly a class's cap needs no second class."""


def only_needed(model: Model, inst: Instance, loosened: bool = False) -> None:
    """No unit has more classes than today unless its grades need them; hand-made plans and held numbers may.

    Where rooms are full nothing asks for it, unless that rule may give way (``loosened``).
    """
    units, of_unit = inst.units, rows_by(inst.bands, "unit_id")
    spared = set(units.index) if inst.request.spare_classes else _held_units(inst)
    rooms = inst.standards.hard("rooms") and not loosened
    some = [
        u
        for u in of_unit
        if u not in spared and (not rooms or int(units.at[u, "rooms"]) > int(units.at[u, "classes"]))
    ]
    cap, had = units["class_cap"].astype(float).to_dict(), units["classes"].astype(int).to_dict()
    grades = inst.grades.groupby("unit_id").size().to_dict()
    most = {u: float(units.at[u, "largest"]) / max(cap[u], 1.0) + float(grades.get(u, 1)) for u in some}
    model.more_classes = pyo.Var(some, domain=pyo.Binary)
    model.no_more_classes = pyo.Constraint(
        some, rule=lambda m, u: sum(m.classes[k] for k in of_unit[u]) <= had[u] + most[u] * m.more_classes[u]
    )
    unit = inst.grades["unit_id"].to_dict()
    wanted = set(some)

    def needed(m: Model, *k: Any) -> Any:
        u = unit[k]
        room = cap[u] * had[u] * (1 - m.more_classes[u])
        return cap[u] * (m.grade_classes[k] - 1) <= JUST_BELOW * grade_pupils(m, inst, k) + room

    model.grade_needs = pyo.Constraint([k for k in model.grade_classes if unit[k] in wanted], rule=needed)
    mixed = [u for u in some if inst.of_unit(u, "combined")]
    model.unit_needs = pyo.Constraint(
        mixed,
        rule=lambda m, u: (
            cap[u] * (sum(m.classes[k] for k in of_unit[u]) - 1)
            <= JUST_BELOW * m.pupils[u] + cap[u] * had[u] * (1 - m.more_classes[u])
        ),
    )


def _held_units(inst: Instance) -> set[str]:
    """Units of bands whose number of classes is held."""
    rows = inst.request.held.rows
    if rows.empty:
        return set()
    rows = rows[(rows["action"] == "band") & rows["held_quantity"].eq(True)]
    keys = [k for k in zip(rows["school_id"], rows["band"], strict=True) if k in inst.bands.index]
    return {str(inst.bands.at[k, "unit_id"]) for k in keys}


# --- from a solved model to the plan


def taught_bands(model: Model, inst: Instance, going: pd.DataFrame) -> pd.DataFrame:
    """Rows of ``plan.bands``.

    The model may hold more classes than a rule asks for: a unit has the fewest that its rules allow (`least_classes`), at most the
    model's. Units without change keep theirs where they are; others deal what is left over to their fullest grades.
    Where no rule about classes binds the model does not have the number: grades taught together keep today's.
    """
    table = inst.bands.reset_index()[["school_id", "band", "unit_id"]]
    is_open = np.array([float(pyo.value(model.open[k])) > 0.5 for k in inst.bands.index], dtype=bool)
    told = np.array([model.classes[k].value is not None for k in inst.bands.index], dtype=bool)
    most = np.array([round(float(pyo.value(model.classes[k]))) if t else np.inf for k, t in zip(inst.bands.index, told, strict=True)])  # fmt: skip
    most = np.where(is_open, most, 0.0)
    table["open"] = is_open
    grades = grade_table(inst, going, is_open)
    need = grades.groupby(["school_id", "band"])["need"].sum().reindex(inst.bands.index).fillna(0.0)
    combined = table["unit_id"].map(inst.units["combined"]).to_numpy(bool)
    today = grades.groupby(["school_id", "band"])["classes"].sum().reindex(inst.bands.index)
    had = np.where(is_open, today.fillna(0.0).to_numpy(float), 0.0)
    base = np.where(combined, np.where(told, 0.0, had), np.minimum(need.to_numpy(float), most))
    least = least_classes(model, inst, going, is_open)
    same = unchanged(model, inst, table, going)
    classes = base.copy()
    for u, rows in table.groupby("unit_id").indices.items():
        if not told[rows].any():
            continue
        total = min(max(least[str(u)], float(base[rows].sum())), float(most[rows].sum()))
        if u in same:
            for i in rows:
                classes[i] += max(0.0, min(had[i] - base[i], total - float(classes[rows].sum())))
        _deal(classes, rows, total, grades, table)
    table["classes"] = np.where(is_open, classes, 0).astype(int)
    return table.assign(was_open=True)


def _deal(
    classes: np.ndarray, rows: np.ndarray, total: float, grades: pd.DataFrame, table: pd.DataFrame
) -> None:
    """Add classes to a unit's open bands until there are so many, each to the grade whose classes are largest."""
    if total - float(classes[rows].sum()) < 0.5:
        return
    taught: list[list[float]] = []  # position of the band, pupils, classes
    for i in rows:
        if not table["open"].iat[i]:
            continue
        here = grades[
            (grades["school_id"] == table["school_id"].iat[i]) & (grades["band"] == table["band"].iat[i])
        ]
        mine = [[float(i), float(n), 0.0] for n in here["pupils"]]
        _to_the_fullest(mine, int(classes[i]))
        taught += mine
    _to_the_fullest(taught, round(total - float(classes[rows].sum())))
    for i in rows:
        if table["open"].iat[i]:
            classes[i] = sum(n for at, _, n in taught if at == i)


def _to_the_fullest(taught: list[list[float]], many: int) -> None:
    """Deal classes one by one to the grade with most pupils a class; one without any class comes first."""
    for _ in range(many if taught else 0):
        fullest = max(taught, key=lambda g: g[1] / g[2] if g[2] else 1e6 * g[1])
        fullest[2] += 1


def grade_table(inst: Instance, going: pd.DataFrame, is_open: np.ndarray) -> pd.DataFrame:
    """By grade: ``pupils`` in the plan, today's ``classes``, and the classes that it ``need``s at the cap; one where today has one."""
    changed = going["school_id"] != going["today_school_id"]
    come = going[changed].groupby(["school_id", "band"])["pupils"].sum()
    gone = going[changed].groupby(["today_school_id", "band"])["pupils"].sum()
    gone = gone.rename_axis(["school_id", "band"])
    grades = inst.grades.drop(columns="pupils").reset_index()
    key = pd.MultiIndex.from_frame(grades[["school_id", "band"]])
    left = inst.bands["pupils"].reindex(key).to_numpy(float) - gone.reindex(key).fillna(0).to_numpy(float)
    many = inst.bands["grades"].reindex(key).clip(lower=1).to_numpy(float)
    grades["pupils"] = grades["share"].to_numpy() * left + come.reindex(key).fillna(0).to_numpy(float) / many
    cap = grades["unit_id"].map(inst.units["class_cap"]).to_numpy(float)
    stands = pd.Series(is_open, index=inst.bands.index).reindex(key).to_numpy(bool)
    least = np.where(grades["classes"] > 0, 1.0, 0.0) if inst.standards.kind("min_classes") in STATED else 0.0
    grades["need"] = np.where(
        stands, np.maximum(np.ceil(grades["pupils"].to_numpy() / cap - SMALLEST), least), 0.0
    )
    return grades


def least_classes(model: Model, inst: Instance, going: pd.DataFrame, is_open: np.ndarray) -> dict[str, float]:
    """By unit the fewest classes that its rules allow.

    Its pupils fit where grades are taught together; today's are kept but for pupils who leave; staff of a unit that is not assessed, and rooms bought,
    have classes that they are for.
    """
    units = inst.units
    changed = going[going["school_id"] != going["today_school_id"]]
    gone = changed.groupby(["today_school_id", "band"])["pupils"].sum().rename_axis(["school_id", "band"])
    stays = 1.0 - (gone / inst.bands["pupils"]).reindex(inst.bands.index).fillna(0.0).to_numpy(float)
    today = (
        inst.grades.groupby(level=["school_id", "band"])["classes"]
        .sum()
        .reindex(inst.bands.index)
        .fillna(0.0)
    )
    left = np.where(is_open, stays * today.to_numpy(float), 0.0)
    kept = pd.Series(left, index=inst.bands["unit_id"].to_numpy()).groupby(level=0).sum().to_dict()
    share, rooms = _rooms_bought(model, inst)
    rate, extra = class_staff(inst)
    found = {}
    for u in units.index:
        least = float(np.ceil(kept.get(u, 0.0) - SMALLEST))
        pupils = float(pyo.value(model.pupils[u]))
        if units.at[u, "combined"]:
            whole = max(float(units.at[u, "class_cap"]), pupils_a_class(units, u))
            least = max(
                least, float(np.ceil(pupils / whole - SMALLEST)), min(1.0, float(units.at[u, "classes"]))
            )
        if u in extra and inst.standards.kind("no_sink") in STATED and rate[inst.stage_of[u]] > 0:
            staff = float(pyo.value(counted_heads(model, inst, u, "all")))
            least = max(least, float(np.ceil((staff - extra[u]) / rate[inst.stage_of[u]] - SMALLEST)))
        if u in rooms:
            least = max(least, float(np.ceil(rooms[u] / share - SMALLEST)))
        found[str(u)] = least
    return found


def pupils_a_class(units: pd.DataFrame, unit: str) -> float:
    """Today's mean size of a class; 0 where no class is told."""
    classes = float(units.at[unit, "classes"])
    return float(units.at[unit, "pupils"]) / classes if classes > 0 else 0.0


def room_base(inst: Instance, unit: str, kind: str, share: float, spare: float) -> float:
    """Rooms that a unit may have besides a share of its classes: some function rooms, or what it has beyond use today."""
    have, classes = float(inst.of_unit(unit, kind)), float(inst.of_unit(unit, "classes"))
    return max(spare, have - share * classes)


SPARE_ROOMS = 2.0
USEFUL = "useful_rooms"
"""Norm that names the rooms it is about (`Norm.resource`): those that classes can fill."""


def _rooms_bought(model: Model, inst: Instance) -> tuple[float, dict[str, float]]:
    """The share of rooms a class, and by unit that buys rooms what classes have to fill."""
    kind = inst.standards.about(USEFUL)
    if kind not in inst.items or inst.standards.kind(USEFUL) not in STATED:
        return 1.0, {}
    share, found = inst.standards.value(USEFUL), {}
    for u in inst.units.index:
        bought = round(float(pyo.value(model.buy[u, kind])) * scale(inst, u, kind))
        if bought > 0 and share > 0:
            found[str(u)] = (
                bought + float(inst.of_unit(u, kind)) - room_base(inst, u, kind, share, SPARE_ROOMS)
            )
    return share, found


def unchanged(model: Model, inst: Instance, table: pd.DataFrame, going: pd.DataFrame) -> set[str]:
    """Units that keep their bands and pupils, and have no more heads than today: nothing asks for other classes."""
    changed = going[going["school_id"] != going["today_school_id"]]
    ends = [zip(changed[end], changed["band"], strict=True) for end in ("school_id", "today_school_id")]
    touched = {inst.bands.at[k, "unit_id"] for end in ends for k in end if k in inst.bands.index}
    touched |= set(table.loc[~table["open"].astype(bool), "unit_id"])
    before = inst.stock["heads"].groupby(level="unit_id").sum().to_dict()
    rest = [u for u in inst.units.index if u not in touched]
    return {
        u for u in rest
        if float(pyo.value(counted_heads(model, inst, u, "all"))) <= float(before.get(u, 0.0)) + SMALLEST
    }  # fmt: skip
