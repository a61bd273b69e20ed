"""Passing: which indicators a unit meets and whether it passes, as binaries tied to what it has (docs/model/goals.md)."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any, TypeAlias

import pandas as pd
import pyomo.environ as pyo

from models.formulation.concession import judged_amount, judged_pupils, of_guests
from models.formulation.network import standing
from models.problem.indicators import ROUNDING
from models.problem.instance import Instance
from models.standards.norms import Indicator

Model: TypeAlias = Any  # Pyomo has no types


def _cells(inst: Instance) -> list[tuple[str, Indicator]]:
    """Units that count or may count, with each indicator of their stage that is known there."""
    units = inst.units
    some = units.index[units["assessed"] | units["may_grow"]]
    of = {u: [i for i in inst.standards.of_stage(inst.of_unit(u, "stage")) if i.tested] for u in some}
    return [(u, one) for u in some for one in of[u] if inst.known(u, one.resource)]


def _judged(inst: Instance, cells: list[tuple[str, Indicator]]) -> list[str]:
    """Units of these cells of which all is known: the others neither pass nor fail."""
    asked = {s: sum(i.tested for i in inst.standards.of_stage(s)) for s in inst.standards.scheme.stage_ids}
    known = Counter(u for u, _ in cells)
    return [u for u in known if known[u] == asked[inst.stage_of[u]]]


def _met_today(inst: Instance, unit: str, one: Indicator, share: float = 1.0) -> bool:
    pupils = inst.judged_today(unit)
    have = inst.counted_today(unit, one.resource)
    return pupils > 0 and one.scale * have / pupils >= share * one.threshold - ROUNDING


def passes_today(inst: Instance, unit: str) -> bool:
    """Whether an assessed unit passes k of n today, the rest at their tolerance."""
    stage = inst.of_unit(unit, "stage")
    ones = [i for i in inst.standards.of_stage(stage) if i.tested]
    near = all(_met_today(inst, unit, one, one.tolerance) for one in ones)
    return near and sum(_met_today(inst, unit, one) for one in ones) >= inst.standards.to_meet(stage)


def passing_variables(model: Model, inst: Instance) -> None:
    """met[u,r], passes[u] and the rows that tie them to what units have.

    x >= th P - th Pmax (1 - met);  x >= 0.85 th P - 0.85 th Pmax (1 - passes);  sum_r met >= k passes;
    all in pupil-equivalents x / m. A closed unit, (0, 0), satisfies both: passes <= open, met <= open where it fails today.

    Two things say nothing new of whole met and passes, and much of fractions (the relaxation's least cost with three units
    failing, Nanpu: 58 without them, 630 with them, 10,000 yuan). An open unit keeps its things x0, so what a missing binary excuses is th Pmax - x0 at most, not
    th Pmax. And a unit that passes with an indicator unmet has 0.85 th P of it: x >= th P - 0.15 th Pmax (1 - met) -
    (0.85 th Pmax - x0) (1 - passes); without that row every indicator would be at 85 %, where one alone may be.
    """
    cells = _cells(inst)
    ids = [(u, one.id) for u, one in cells]
    units = _judged(inst, cells)
    model.met = pyo.Var(ids, domain=pyo.Binary)
    model.passes = pyo.Var(units, domain=pyo.Binary)
    at = _Judging.of(model, inst, cells)
    need, near, pupils = at.need, at.near, at.pupils
    # an indicator met today may not be lost (guard met_kept), so its binary tells nothing new while that is hard
    model.met_at = pyo.Constraint(
        ids,
        rule=lambda m, u, r: (
            at.held(m, u, r) >= need[u, r] * pupils[u] - at.excused(u, r, 1.0) * (1 - m.met[u, r])
        ),
    )
    whole = set(units)
    full = [x for x in ids if x[0] in whole]
    model.near_at = pyo.Constraint(
        full,
        rule=lambda m, u, r: (
            at.held(m, u, r)
            >= near[u, r] * need[u, r] * pupils[u] - at.excused(u, r, near[u, r]) * (1 - m.passes[u])
        ),
    )
    model.near_or_met_at = pyo.Constraint(
        full,
        rule=lambda m, u, r: (
            at.held(m, u, r)
            >= need[u, r] * pupils[u]
            - (1 - near[u, r]) * need[u, r] * at.most[u] * (1 - m.met[u, r])
            - at.excused(u, r, near[u, r]) * (1 - m.passes[u])
        ),
    )
    k = {u: inst.standards.to_meet(inst.of_unit(u, "stage")) for u in units}
    of_unit = {u: [x for x in ids if x[0] == u] for u in units}
    model.enough_met = pyo.Constraint(
        units, rule=lambda m, u: sum(m.met[x] for x in of_unit[u]) >= k[u] * m.passes[u]
    )
    _closing_earns_nothing(model, inst, cells, units)


@dataclass(frozen=True)
class _Judging:
    """What units have and need of each indicator, in pupil-equivalents.

    Parameters
    ----------
    have : dict
        Expression of what a unit has, by unit and indicator.
    need, near, kept : dict of float
        Per pupil, the share that is near enough, and today's things, by unit and indicator.
    pupils : dict
        Expression of the pupils that a unit is judged with.
    most, guests : dict of float
        The most of them there can be, and pupils of places that are assessed with it, by unit.
    """

    have: dict[tuple[str, str], Any]
    need: dict[tuple[str, str], float]
    near: dict[tuple[str, str], float]
    kept: dict[tuple[str, str], float]
    pupils: dict[str, Any]
    most: dict[str, float]
    guests: dict[str, float]

    @classmethod
    def of(cls, model: Model, inst: Instance, cells: list[tuple[str, Indicator]]) -> _Judging:
        """From the model's columns and the instance's numbers."""
        reach = reachable(inst)
        own = {u: min(float(model.pupils[u].ub), reach[u]) for u in inst.units.index}
        mean = {(u, one.id): inst.centres[one.stage, one.resource] for u, one in cells}
        return cls(
            have={(u, one.id): judged_amount(model, inst, u, one.resource) for u, one in cells},
            need={(u, one.id): one.threshold / one.scale / mean[u, one.id] for u, one in cells},
            near={(u, one.id): one.tolerance for u, one in cells},
            kept={
                (u, one.id): float(inst.of_unit(u, one.resource)) / mean[u, one.id] if one.resource in inst.items else 0.0
                for u, one in cells
            },
            pupils={u: judged_pupils(model, inst, u) for u in inst.units.index},
            most={u: sum(own[k] for k in inst.with_guests(u)) for u in inst.units.index},
            guests={u: of_guests(inst, u) for u in inst.guests},
        )  # fmt: skip

    def excused(self, u: str, r: str, share: float) -> float:
        """What a unit may lack of a share of the threshold at most: today's things are there while it is open."""
        return max(0.0, share * self.need[u, r] * self.most[u] - self.kept[u, r])

    def held(self, m: Any, u: str, r: str) -> Any:
        """What the unit has, with today's things whether it is open or not: at least those.

        Places that are assessed with it ask nothing of it once it is closed itself.
        """
        guests = self.need[u, r] * self.guests.get(u, 0.0)
        return self.have[u, r] + (self.kept[u, r] + guests) * (1 - m.unit_open[u])


def reachable(inst: Instance) -> dict[str, float]:
    """The most pupils that ways lead to each unit: those who stay for certain, and every group that has a way to it."""
    unit = inst.bands["unit_id"]
    come = inst.pairs.drop_duplicates(["g", "school_id", "band"])
    stay = standing(inst).rename(columns={"today_school_id": "school_id"})
    both = pd.concat([t[["school_id", "band", "pupils"]] for t in (come, stay)])
    at = pd.MultiIndex.from_frame(both[["school_id", "band"]])
    many = both["pupils"].astype(float).groupby(unit.reindex(at).to_numpy()).sum()
    return {str(u): float(n) for u, n in many.reindex(inst.units.index).fillna(0.0).items()}


def _closing_earns_nothing(
    model: Model, inst: Instance, cells: list[tuple[str, Indicator]], units: list[str]
) -> None:
    grow = inst.units["may_grow"].to_dict()
    failing = [u for u in units if not grow[u] and not passes_today(inst, u)]
    unmet = [(u, one.id) for u, one in cells if not grow[u] and not _met_today(inst, u, one)]
    model.passes_open = pyo.Constraint(failing, rule=lambda m, u: m.passes[u] <= m.unit_open[u])
    model.met_open = pyo.Constraint(unmet, rule=lambda m, u, r: m.met[u, r] <= m.unit_open[u])
    if not _never_emptied(inst):  # 0 >= 0: nobody is short of anything, and nobody passes
        model.passes_taught = pyo.Constraint(
            failing, rule=lambda m, u: m.passes[u] <= judged_pupils(m, inst, u)
        )
        model.met_taught = pyo.Constraint(
            unmet, rule=lambda m, u, r: m.met[u, r] <= judged_pupils(m, inst, u)
        )
    # half of a school with the teachers of the whole is no progress, either
    given = inst.bands[(inst.bands["lock"] != "open") & (inst.bands["pupils"] > 0)]
    bands = {str(u): list(some.index) for u, some in given.groupby("unit_id")}
    model.passes_whole = pyo.Constraint(
        [(u, *k) for u in failing for k in bands.get(u, ())],
        rule=lambda m, u, j, b: m.passes[u] <= m.open[j, b],
    )
    model.met_whole = pyo.Constraint(
        [(u, r, *k) for u, r in unmet for k in bands.get(u, ())],
        rule=lambda m, u, r, j, b: m.met[u, r] <= m.open[j, b],
    )
    new = [u for u in units if grow[u]]
    model.passes_counted = pyo.Constraint(new, rule=lambda m, u: m.passes[u] <= m.counted[u])
    model.met_counted = pyo.Constraint(
        [(u, one.id) for u, one in cells if grow[u]], rule=lambda m, u, r: m.met[u, r] <= m.counted[u]
    )


def _never_emptied(inst: Instance) -> bool:
    """Whether a unit that is assessed today and stays open has pupils in every plan."""
    norms = inst.standards
    return norms.hard("open_has_pupils") or (
        norms.hard("assessed_floor") and norms.value("assessed_floor") >= 1
    )


def failing(model: Model, inst: Instance) -> Any:
    """Assessed units that do not pass: those of today, and newly counted ones that fail."""
    grow = inst.units["may_grow"].to_dict()
    return sum((model.counted[u] if grow[u] else 1) - model.passes[u] for u in model.passes)


def cells_unmet(model: Model, inst: Instance) -> Any:
    """Unit x indicator cells not met, counted like `failing`."""
    grow = inst.units["may_grow"].to_dict()
    return sum((model.counted[u] if grow[u] else 1) - model.met[u, r] for u, r in model.met)
