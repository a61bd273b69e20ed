"""What would have to give for a plan to exist: an elastic model with named slacks.

Only rules that a planner can move are relaxable, in five families:

| family | rules | counted in |
|---|---|---|
| budget | each earmark | yuan (in the model 10,000 yuan) |
| pace | closures a township, closures in the county, pupils moved | sites (100 pupils weigh as one) |
| seats | places, size cap, classrooms | seats (a classroom weighs as one) |
| minutes | limit of the way to school, largest increase | pupil-minutes beyond, at most 60 minutes each |
| floors | class-teacher rule, backbone, PE and arts, no outflow | heads |

Each family is tried alone, the others kept in force: what suffices alone is offered as an alternative, so
no exchange rate between seats and yuan is needed. Where no family suffices, all give way together
in the order of `ORDER`: least floors first, then least minutes with the floors held, then seats, pace and
budget (ordered goals, no weights between families). Every model is solved first without whole numbers,
whose answer can only be smaller, then with a whole network.
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
from geodata.travel.times import TravelTimes
from models.formulation.model import build_model
from models.formulation.money import EARMARKED, WAN
from models.problem.baseline import scaled_minutes
from models.problem.instance import Instance, travel_limits
from optimizer.search.search import NoPlan
from optimizer.search.task import Task
from optimizer.solver.bridge import Bridge
from optimizer.solver.limits import Answer, Limits

ORDER = ("floors", "minutes", "seats", "pace", "budget")
"""Families from the one to be touched last to the one that gives way most easily."""
FLOORS = {
    "floor_ratio": "floor_class", "floor_classes": "floor_class", "floor_least": "floor_class", "floor_backbone": "floor_backbone",
    "floor_backbone_new": "floor_backbone", "floor_arts": "floor_arts", "visitors": "floor_arts",
    "no_outflow_b": "floor_no_outflow_b", "no_outflow_q": "floor_no_outflow_q",
}  # fmt: skip
"""Components of the model that are floors, with the rule that a planner knows."""
PACE = {"pace_township": "closures_township", "pace_county": "closures_share", "pace_pupils": "moved_share"}


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


def limits_of(inst: Instance, rows: pd.DataFrame) -> pd.Series:
    """The longest admissible way of each row: its limit or today's, never above today's plus the increase."""
    limits = travel_limits(inst.standards)
    limit = np.array([limits[b, m] for b, m in zip(rows["band"], rows["mode"], strict=True)])
    today = rows["today_minutes"].to_numpy(float)
    most = today + inst.standards.limit("travel_increase", np.inf)
    return pd.Series(np.minimum(np.maximum(limit, today), most), index=rows.index)


def farther_pairs(inst: Instance, times: TravelTimes, farthest: float = 60.0) -> pd.DataFrame:
    """Ways that the limits rule out by at most ``farthest`` minutes, with ``excess``: `Instance.pairs` plus that column."""
    full = inst.bands[inst.bands["full"] & (inst.bands["lock"] != "closed")].reset_index()
    zone = inst.groups[inst.groups["main"]].reset_index()[
        ["g", "village_id", "band", "pupils", "today_minutes", "today_school_id"]
    ]
    reach = scaled_minutes(times, inst.standards).merge(full[["school_id", "band"]], on=["school_id", "band"])
    rows = zone.merge(reach, on=["village_id", "band"])
    rows["excess"] = (rows["minutes"] - limits_of(inst, rows)).round(2)
    rows = rows[(rows["excess"] > 0) & (rows["excess"] <= farthest)]
    have = inst.pairs[["g", "school_id"]].drop_duplicates().assign(have=True)
    rows = rows.merge(have, on=["g", "school_id"], how="left")
    rows = rows[rows["have"].isna()]  # a school that may be reached already needs no longer way
    rows["changed"] = rows["school_id"] != rows["today_school_id"]
    rows["stay"] = False
    rows = rows.sort_values(["g", "school_id", "excess", "mode"], kind="stable")
    rows = rows.drop_duplicates(["g", "school_id"])  # of two modes the one nearer its limit
    return rows[[*inst.pairs.columns, "excess"]].reset_index(drop=True)


def eased(inst: Instance, times: TravelTimes, farthest: float = 60.0) -> tuple[Instance, pd.Series]:
    """The instance with longer ways and roomy schools, and minutes beyond the limit by pair."""
    more = farther_pairs(inst, times, farthest)
    pairs = pd.concat([inst.pairs, more.drop(columns="excess")], ignore_index=True)
    excess = pd.Series(0.0, index=pairs.index)
    excess.iloc[len(inst.pairs) :] = more["excess"].to_numpy()
    limits = travel_limits(inst.standards)
    limit = np.array([limits[b, "walk"] for b in inst.pairs["band"]])
    near = inst.pairs[(inst.pairs["mode"] == "walk") & (inst.pairs["minutes"] <= limit) & np.isfinite(limit)]
    bus = pairs.iloc[len(inst.pairs) :].query("mode == 'bus'").rename_axis("p").reset_index()
    past = bus[["p", "g"]].merge(near[["g", "school_id", "band"]], on="g")
    blocked = pd.concat([inst.blocked_bus, past[["p", "school_id", "band"]]], ignore_index=True)
    units = inst.units.copy()
    extra = int(inst.groups["pupils"].sum())
    units["most"] = units["most"] + extra
    units["rooms"] = units["rooms"] + np.ceil(extra / units["class_cap"]).astype(int)
    return replace(inst, pairs=pairs, blocked_bus=blocked.drop_duplicates(), units=units), excess


class Elastic:
    """The elastic model of an instance, solved for one family or for all in order."""

    def __init__(self, inst: Instance, times: TravelTimes, task: Task | None = None):
        self.inst = inst
        task = task or Task()
        self.eased, self.excess = eased(inst, times, task.method.farthest_minutes)
        self.model = build_model(self.eased)
        self.slacks: dict[str, list[tuple[Any, float]]] = {f: [] for f in ORDER}
        self._loosen_floors()
        self._loosen_pace()
        self._loosen_seats()
        self._loosen_budget()
        m = self.model
        self.slacks["minutes"] = [
            (m.attend[p], float(e) * float(self.eased.pairs.at[p, "pupils"]))
            for p, e in self.excess.items()
            if e > 0
        ]
        goals = {}
        for family, parts in self.slacks.items():
            goal = pyo.Objective(expr=sum(w * v for v, w in parts) + 0.0 * m.charge[EARMARKED[0]])
            m.add_component(f"least_{family}", goal)
            goal.deactivate()
            goals[family] = goal
        self.bridge = Bridge(m, goals, task.stop)
        at = self.bridge.at
        self.columns = {
            f: [
                at(v.parent_component().local_name)[v.index()]
                for v, _ in parts
                if v.index() in at(v.parent_component().local_name)
            ]
            for f, parts in self.slacks.items()
        }

    def _loosen(
        self, name: str, family: str, weight: float = 1.0, scale: Callable[[Any], float] = lambda k: 1.0
    ) -> None:
        """Replace a component's relations by the same with a slack: body <= upper + scale slack."""
        component = self.model.component(name)
        if component is None:
            return
        keys = list(component)
        slack = pyo.Var(keys, domain=pyo.NonNegativeReals)
        self.model.add_component(f"slack_{name}", slack)

        def rule(m: Any, *key: Any) -> Any:
            k = key[0] if len(key) == 1 else (key or None)
            old = component[k]
            if old.upper is not None:
                return old.body <= old.upper + scale(k) * slack[k]
            return old.body >= old.lower - scale(k) * slack[k]

        self.model.add_component(f"eased_{name}", pyo.Constraint(keys, rule=rule))
        component.deactivate()
        self.slacks[family] += [(slack[k], weight) for k in keys]

    def _loosen_floors(self) -> None:
        ratio = {
            u: self.inst.standards.limit(f"floor_ratio_{s}", 1.0) for u, s in self.inst.units["stage"].items()
        }
        for name in FLOORS:
            self._loosen(
                name, "floors", scale=(lambda k: ratio[k]) if name == "floor_ratio" else (lambda k: 1.0)
            )

    def _loosen_pace(self) -> None:
        for name in PACE:
            self._loosen(name, "pace", weight=0.01 if name == "pace_pupils" else 1.0)

    def _loosen_seats(self) -> None:
        m, units = self.model, self.inst.units
        of_unit = {u: list(r.index) for u, r in self.inst.bands.groupby("unit_id")}
        m.slack_places = pyo.Var(list(units.index), domain=pyo.NonNegativeReals)
        m.slack_rooms = pyo.Var(list(of_unit), domain=pyo.NonNegativeReals)
        m.places = pyo.Constraint(
            list(units.index),
            rule=lambda m, u: m.pupils[u] <= float(units.at[u, "most"]) * m.unit_open[u] + m.slack_places[u],
        )
        m.rooms = pyo.Constraint(
            list(of_unit),
            rule=lambda m, u: (
                sum(m.classes[k] for k in of_unit[u]) <= int(units.at[u, "rooms"]) * m.unit_open[u] + m.slack_rooms[u]
            ),
        )  # fmt: skip
        self.slacks["seats"] += [(m.slack_places[u], 1.0) for u in units.index]
        self.slacks["seats"] += [(m.slack_rooms[u], 1.0) for u in of_unit]
        self._loosen("site_cap", "seats")

    def _loosen_budget(self) -> None:
        self._loosen("earmark", "budget")

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
        bridge.relax(True)
        relaxed = self._ordered(order, limits)
        bridge.forget_rows(mark)
        bridge.relax(False)
        answer, whole = relaxed, False
        if relaxed.values is not None:
            exact = self._ordered(order, limits)
            bridge.forget_rows(mark)
            whole = exact.values is not None or exact.status == "infeasible"
            answer = exact if whole else relaxed
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
        """What is missing at the loaded solution, in the planner's words."""
        return [*self._seats(), *self._minutes(), *self._floors(), *self._pace(), *self._budget()]

    def _slack(self, name: str) -> dict[Any, float]:
        component = self.model.component(f"slack_{name}")
        if component is None:
            return {}
        return {k: v for k in component if (v := float(pyo.value(component[k]))) > 1e-4}

    def _seats(self) -> list[Finding]:
        units = self.inst.units
        names = self.inst.county.schools.set_index("school_id")["name"]
        places, rooms, size = self._slack("places"), self._slack("rooms"), self._slack("site_cap")
        rows: dict[tuple[str, str], list[tuple[str, float, float]]] = {}
        for u in sorted(set(places) | set(rooms)):
            place = str(units.at[u, "township"]), str(units.at[u, "stage"])
            rows.setdefault(place, []).append(
                (str(units.at[u, "school_id"]), places.get(u, 0.0), rooms.get(u, 0.0))
            )
        found = []
        for (town, stage), parts in rows.items():
            fields = {
                "township": town, "stage": stage, "seats": math.ceil(sum(p[1] for p in parts) - 1e-4),
                "rooms": math.ceil(sum(p[2] for p in parts) - 1e-4), "schools": [str(names[p[0]]) for p in parts],
            }  # fmt: skip
            found.append(Finding("error", "analysis.lacks_seats", fields))
        for j, v in size.items():
            found.append(
                Finding("error", "analysis.above_size", {"school": names[j], "pupils": math.ceil(v - 1e-4)})
            )
        return found

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
                    "minutes": float(round(r["minutes"], 1)), "more": math.ceil(e - 1e-4),
                }  # fmt: skip
                found.append(Finding("error", "analysis.lacks_minutes", fields))
        return found

    def _floors(self) -> list[Finding]:
        names = self.inst.county.schools.set_index("school_id")["name"]
        total: dict[tuple[str, str], float] = {}
        for name, rule in FLOORS.items():
            for key, v in self._slack(name).items():
                place = str(key)
                if place in self.inst.units.index:
                    place = str(names[self.inst.units.at[place, "school_id"]])
                total[rule, place] = max(total.get((rule, place), 0.0), v)
        return [
            Finding(
                "error", "analysis.lacks_heads", {"rule": rule, "place": place, "heads": math.ceil(v - 1e-4)}
            )
            for (rule, place), v in sorted(total.items())
        ]

    def _pace(self) -> list[Finding]:
        return [
            Finding(
                "error", "analysis.lacks_pupils_moved" if name == "pace_pupils" else "analysis.lacks_closures",
                {"rule": rule, "place": "" if key is None else str(key), "more": math.ceil(v - 1e-4)},
            )
            for name, rule in PACE.items()
            for key, v in self._slack(name).items()
        ]  # fmt: skip

    def _budget(self) -> list[Finding]:
        return [
            Finding("error", "analysis.lacks_money", {"earmark": e, "yuan": math.ceil(v * WAN - 1e-2)})
            for e, v in self._slack("earmark").items()
        ]


def relaxations(inst: Instance, times: TravelTimes, task: Task) -> list[Relaxation]:
    """Every family that suffices alone, in the order in which they give way; all together where none does.

    Parameters
    ----------
    inst : Instance
        Of an impossible request.
    times : TravelTimes
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
    elastic = Elastic(inst, times, task)
    exact = replace(task.limits, gap=task.method.elastic_gap)
    found: list[Relaxation] = []
    for families in [*((f,) for f in reversed(ORDER)), ORDER]:
        if families == ORDER and any(r.possible for r in found):
            break
        whole, answer = elastic.least(families, exact)
        if answer.values is None and answer.status != "infeasible":
            raise NoPlan(answer.status, inst, elastic.bridge.stopped)
        if answer.values is None:
            found.append(Relaxation(families, False, True, {}, ()))
            continue
        elastic.bridge.load(answer.values)
        slack = {f: elastic.bridge.value(f, answer.values) for f in families}
        if max(slack.values()) < 1e-5:
            return []
        found.append(Relaxation(families, True, whole, slack, tuple(elastic.findings())))
    return found
