"""What would have to give for a plan to exist: an elastic model with named slacks.

The rules that can give way say so themselves (`models.rules.record.Slack`): floors (heads), minutes (pupil-minutes
beyond, at most 60 minutes each), seats (pupils, classes), pace (sites, pupils), budget (10,000 yuan).

Each family is tried alone, the others kept in force: what suffices alone is offered as an alternative, so
no exchange rate between seats and yuan is needed. Where no family suffices, they give way together
in the order of `ORDER`, with all at hand and without each of those that are then needed: least floors first, then least minutes with the floors held, then seats, pace and
budget (ordered goals, no weights between families). Every model is solved in whole numbers; where none is found in time, in
fractions, whose answer can only be smaller. Requirements of the task stay in force.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import pyomo.environ as pyo

from geodata.contract.findings import Finding
from models.formulation.model import build_model
from models.formulation.money import EARMARKED
from models.formulation.network import standing
from models.problem.instance import Instance
from models.rules.record import FAMILIES
from optimizer.infeasibility.conflicts import named, places_by_id
from optimizer.search.search import bridge_of
from optimizer.search.solved import NoPlan
from optimizer.search.task import Task
from optimizer.solver.limits import Answer, Limits

BY_SIZE = "closure_max_pupils"
ORDER = FAMILIES
"""Families from the one to be touched last to the one that gives way most easily."""


@dataclass(frozen=True)
class Relaxation:
    """Least relaxation of one family, or of all in order.

    Parameters
    ----------
    families : tuple of str
        Families that give way.
    possible : bool
        False: even with these unlimited no plan exists (proven).
    whole : bool
        The network was whole; False where the search stopped first and fractions are reported.
    slack : dict of str to float
        Total by family, in its own unit.
    findings : tuple of Finding
        What is missing, place by place.
    """

    families: tuple[str, ...]
    possible: bool
    whole: bool
    slack: dict[str, float]
    findings: tuple[Finding, ...]


def eased(inst: Instance) -> tuple[Instance, pd.Series]:
    """The instance with the ways that rules bar, and pupil-minutes beyond what they allow by pair.

    Where a school may be reached already no longer way to it is needed; of two modes the nearer its limit. A band that is
    locked open by its size alone may close where that rule gives way, unless pupils chose it: they have no other way here.
    """
    more = inst.barred[inst.barred["excess"].notna()].sort_values(
        ["g", "school_id", "excess", "mode"], kind="stable"
    )
    have = inst.pairs[["g", "school_id"]].drop_duplicates().assign(have=True)
    more = more.drop_duplicates(["g", "school_id"]).merge(have, on=["g", "school_id"], how="left")
    more = more[more["have"].isna()]
    pairs = pd.concat([inst.pairs, more[inst.pairs.columns]], ignore_index=True)
    excess = pd.Series(0.0, index=pairs.index)
    excess.iloc[len(inst.pairs) :] = (more["excess"] * more["pupils"]).to_numpy(float)
    units = inst.units.copy()
    extra = int(inst.groups["pupils"].sum())
    units["largest"] = units["largest"] + extra
    units["rooms"] = units["rooms"] + np.ceil(extra / units["class_cap"].clip(lower=1)).astype(int)
    chosen = pd.MultiIndex.from_frame(standing(inst)[["today_school_id", "band"]])
    bands = inst.bands.copy()
    by_size = (bands["lock"] == "open") & (bands["lock_by"] == BY_SIZE) & ~bands.index.isin(chosen)
    bands.loc[by_size, "lock"] = "free"
    return replace(inst, pairs=pairs, units=units, bands=bands), excess


class Elastic:
    """The elastic model of an instance, solved for one family or for all in order."""

    def __init__(self, inst: Instance, task: Task | None = None):
        self.inst = inst
        task = task or Task()
        self.eased, self.excess = eased(inst)
        held = replace(self.eased, units=self.eased.units.assign(rooms=inst.units["rooms"]))
        self.model = build_model(held, whole=True, loosened=True)
        m = self.model
        rooms = self.eased.units["rooms"].to_dict()  # a bound that no rule sets
        unit = inst.bands["unit_id"].to_dict()
        for v in (m.classes, m.grade_classes):
            for k in v:
                v[k].setub(int(rooms[unit[k[0], k[1]]]))
        self.slacks: dict[str, list[tuple[Any, float]]] = {f: [] for f in ORDER}
        for one in (
            s for s in m.softened if s.hard
        ):  # soft rules give way in any plan: nothing stands in the way
            if one.rule == BY_SIZE:  # what stays open for certain has no rows about being closed
                for k in (k for k in one.slacks if self.eased.bands.at[k, "lock"] == "open"):
                    one.slacks[k].fix(0.0)
            self.slacks[one.slack.family] += [(one.slacks[k], one.slack.weight) for k in one.slacks]
        self.slacks["minutes"] += [(m.attend[p], float(e)) for p, e in self.excess.items() if e > 0]
        goals = {}
        for family, parts in self.slacks.items():
            goal = pyo.Objective(expr=sum(w * v for v, w in parts) + 0.0 * m.charge[EARMARKED[0]])
            m.add_component(f"least_{family}", goal)
            goal.deactivate()
            goals[family] = goal
        self.bridge = bridge_of(m, goals, task.stop)
        for required in task.required:  # they stay in force: what gives is what they lack
            most = required.most(self.bridge.costs[required.goal][1])
            self.bridge.limit_goal(required.goal, most + task.method.tolerance)
        at = self.bridge.at
        self.columns = {
            f: [
                at(v.parent_component().local_name)[v.index()]
                for v, _ in parts
                if v.index() in at(v.parent_component().local_name)
            ]
            for f, parts in self.slacks.items()
        }

    def least(self, families: tuple[str, ...], limits: Limits) -> tuple[bool, Answer]:
        """The least relaxation of some families in order, the others in force.

        Returns
        -------
        (bool, Answer)
            Whether the network is whole in the answer; status ``infeasible`` is proven.
        """
        bridge, frozen = self.bridge, [c for f in ORDER if f not in families for c in self.columns[f]]
        bridge.fix(dict.fromkeys(frozen, 0.0))
        mark = bridge.rows
        order = [f for f in ORDER if f in families]
        answer = self._ordered(order, limits)
        bridge.forget_rows(mark)
        whole = answer.values is not None or answer.status == "infeasible"
        if not whole and not bridge.stopped:
            bridge.relax(True)
            answer = self._ordered(order, limits)
            bridge.forget_rows(mark)
            bridge.relax(False)
        bridge.release(frozen)
        return whole, answer

    def _ordered(self, order: list[str], limits: Limits) -> Answer:
        """Minimise the families' slacks in order, each holding the earlier ones."""
        answer = self.bridge.solve(order[0], limits)
        for held, family in pairwise(order):
            if answer.values is None:
                break
            reached = self.bridge.value(held, answer.values)
            self.bridge.limit_goal(held, reached + 1e-6 * max(1.0, abs(reached)))
            found = self.bridge.solve(family, limits, start=None if self.bridge.relaxed else answer.values)
            if found.values is None:
                break
            answer = found
        return answer

    def findings(self) -> list[Finding]:
        """What is missing at the loaded solution, rule by rule and place by place, in the planner's words."""
        found = self._minutes()
        names = places_by_id(self.inst)
        for one in (s for s in self.model.softened if s.hard):
            given: dict[str, float] = {}
            least = 1e-2 / self.inst.large if one.slack.unit == "large" else 1e-4
            for k in one.slacks:
                amount = float(pyo.value(one.slacks[k]))
                # less is the tolerance of the goals before, and would be told as nothing
                if amount > least and amount * one.slack.weight > 1e-5:
                    place = named(one.rule, k, names)
                    given[place] = max(given.get(place, 0.0), amount)
            found += [
                self._gives(one.norm, one.rule, one.slack.unit, place, v)
                for place, v in sorted(given.items())
            ]
        return found

    def _gives(self, norm: str, rule: str, unit: str, place: str, amount: float) -> Finding:
        """One place where a rule gives way, by how much in its own unit."""
        if unit == "large":
            key = "analysis.lacks_money" if rule == "budget" else "analysis.lacks_lasting"
            return Finding(
                "error", key, {"earmark": place, "yuan": math.ceil(amount * self.inst.large - 1e-2)}
            )
        fields: dict[str, object] = {
            "rule": rule,
            "norm": norm,
            "place": place,
            "unit": unit,
            "amount": math.ceil(amount - 1e-4),
        }
        return Finding("error", "analysis.gives_way", fields)

    def _minutes(self) -> list[Finding]:
        names = self.inst.county.schools.set_index("school_id")["name"]
        villages = self.inst.county.villages.set_index("village_id")
        found = []
        for p, e in self.excess.items():
            if e > 0 and float(pyo.value(self.model.attend[p])) > 1e-4:
                r = self.eased.pairs.loc[p]
                fields = {
                    "village": villages.at[r["village_id"], "name"], "township": villages.at[r["village_id"], "township"],
                    "band": r["band"], "pupils": int(r["pupils"]), "school": names[r["school_id"]], "mode": r["mode"],
                    "minutes": float(round(r["minutes"], 1)), "more": math.ceil(e / max(1, int(r["pupils"])) - 1e-4),
                }  # fmt: skip
                found.append(Finding("error", "analysis.lacks_minutes", fields))
        return found


def relaxations(inst: Instance, task: Task) -> list[Relaxation]:
    """Every family that suffices alone, in the order in which they give way; where none does, several together.

    Parameters
    ----------
    inst : Instance
        Of an impossible request.
    task : Task

    Returns
    -------
    list of Relaxation
        Empty when the request is possible after all (nothing has to give).

    Raises
    ------
    NoPlan
        Stopped before a family's relaxation was known: neither possible nor impossible.
    """
    elastic = Elastic(inst, task)
    exact = replace(task.limits, gap=task.method.elastic_gap)
    found: list[Relaxation] = []

    def told(families: tuple[str, ...]) -> Relaxation:
        whole, answer = elastic.least(families, exact)
        if answer.values is None and answer.status != "infeasible":
            raise NoPlan(answer.status, inst, elastic.bridge.stopped)
        if answer.values is None:
            return Relaxation(families, False, True, {}, ())
        elastic.bridge.load(answer.values)
        slack = {f: elastic.bridge.value(f, answer.values) for f in families}
        return Relaxation(families, True, whole, slack, tuple(elastic.findings()))

    for family in reversed(ORDER):
        found.append(told((family,)))
        if found[-1].possible and max(found[-1].slack.values()) < 1e-5:
            return []
    if not any(r.possible for r in found):
        found += _together(told)
    return found


def _together(told: Callable[[tuple[str, ...]], Relaxation]) -> list[Relaxation]:
    """What is enough together: the least with every family at hand, then the least without one of those that it needs.

    What gives way most easily is left out first, so that money beside seats and seats beside minutes can be compared.
    """
    every = told(ORDER)
    if not every.possible:
        return [every]
    needed = _needed(every)
    found = {needed.families: needed}
    for family in reversed(needed.families):
        less = told(tuple(f for f in ORDER if f != family))
        if less.possible:
            less = _needed(less)
            found.setdefault(less.families, less)
    return list(found.values())


def _needed(found: Relaxation) -> Relaxation:
    """The same, about the families only that give way in it."""
    some = tuple(f for f in found.families if found.slack[f] > 1e-5)
    return replace(found, families=some, slack={f: found.slack[f] for f in some})
