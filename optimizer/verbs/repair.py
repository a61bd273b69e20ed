"""The nearest legal repair of a plan edited by hand: what keeps every rule and differs least from the edited plan.

The distance adds up pupils: a pupil at another school counts one, a head or class ten, a purchase the pupils whose share it
is; what the planner edited counts `EDITED` times as much, so that the rest gives way first where it can.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd
import pyomo.environ as pyo

from geodata.contract.county import County
from geodata.travel.times import TravelTimes, travel_times
from models.formulation.holding import HEADS, Wanted, pair_variables, wanted_amounts
from models.formulation.solution import unpack
from models.plan.decisions import Plan, Verdict
from models.plan.differences.edits import ledger_edits
from models.plan.keeping import Held, held_of, missing_in
from models.problem.building import build_instance
from models.problem.instance import Instance
from models.referee.verdict import judge
from models.standards.norms import load_standards
from optimizer.scenario import Scenario
from optimizer.scenario_sheet import asked_of
from optimizer.search.search import Search
from optimizer.search.task import Report, Target, Task
from optimizer.solver.limits import Limits
from optimizer.solver.stopping import Stop, heeding

REPAIR = "repair"
EDITED = 4.0
SECONDS = 60.0
GAP = 1e-3
FOLLOWS = 1e-3
SAME = 1e-6


@dataclass(frozen=True)
class Repair:
    """The nearest plan that keeps every hard rule.

    Parameters
    ----------
    plan : Plan or None
        None where none was found within the time.
    verdict : Verdict or None
    changes : DataFrame
        `models.plan.differences.edits.ledger_edits` from the edited plan to it.
    given_up : DataFrame
        Rows of `Held` that it does not have as they were edited.
    distance, bound : float
        In pupils (see the module): what was found, and what no plan is nearer than.
    status : str
        ``proven`` (none is nearer, within a thousandth), ``stopped`` (the clock), ``infeasible`` (no plan at all keeps the rules)
        or ``no_plan`` (none found in time).
    seconds, limit : float
        Taken, and allowed.
    """

    plan: Plan | None
    verdict: Verdict | None
    changes: pd.DataFrame
    given_up: pd.DataFrame
    distance: float
    bound: float
    status: str
    seconds: float
    limit: float


def nearest_repair(
    county: County,
    original: Plan,
    edited: Plan,
    scenario: Scenario | None = None,
    times: TravelTimes | None = None,
    seconds: float = SECONDS,
    report: Report | None = None,
    stop: Stop | None = None,
) -> Repair:
    """The plan that keeps every hard rule and differs least from an edited one.

    Parameters
    ----------
    county : County
    original, edited : Plan
        The plan as it was made and as it was edited.
    scenario : Scenario or None
        Budgets and locks.
    times : TravelTimes or None
    seconds : float
        How long it may be looked for.
    report : callable or None
    stop : Stop or None
        None: Ctrl-C stops.

    Returns
    -------
    Repair
    """
    begun = time.monotonic()
    scenario = scenario or asked_of(county)[0]
    times = times or travel_times(county)
    standards, request = load_standards(county), scenario.request()
    inst = build_instance(county, standards, replace(request, spare_classes=True), times)
    edits = held_of(original, edited)
    with heeding(stop) as token:
        task = Task(
            (Target(REPAIR),), Limits(gap=GAP, seconds=seconds, seed=scenario.seed), stop=token, report=report
        )
        search = Search(inst, task, True, lambda model: _distance(model, inst, edited, edits))
        answer = search.minimise(REPAIR, task.limits)
    took = time.monotonic() - begun
    nothing = pd.DataFrame()
    if answer.values is None:
        return Repair(None, None, nothing, nothing, float("nan"), answer.bound, answer.status, took, seconds)
    search.load(answer.values)
    plan = unpack(search.model, _with_classes(search.model, inst, edited), times.towns)
    verdict = judge(county, standards, plan, times, request)
    status = answer.status if verdict.accepted else "no_plan"
    found = plan if verdict.accepted else None
    return Repair(
        found, verdict, ledger_edits(edited, plan), missing_in(plan, edits), answer.objective, answer.bound, status, took, seconds
    )  # fmt: skip


def _with_classes(model: Any, inst: Instance, edited: Plan) -> Instance:
    """The instance holding the classes that the repair gives, so that none is taken away because it is not needed."""
    rows = held_of(edited, edited, "all").rows
    rows = rows[rows["action"] == "band"].copy()
    keys = list(zip(rows["school_id"], rows["band"], strict=True))
    known = [k in model.classes and model.classes[k].value is not None for k in keys]
    rows["quantity"] = [
        float(round(pyo.value(model.classes[k]))) if t else 0.0 for k, t in zip(keys, known, strict=True)
    ]
    return replace(inst, request=replace(inst.request, held=Held(rows[known].reset_index(drop=True))))


def _distance(model: Any, inst: Instance, edited: Plan, edits: Held) -> Mapping[str, Any]:
    """Declare the distance from the edited plan as an objective."""
    every = held_of(edited, edited, "all")
    mine = set(edits.rows["row_id"])
    rows = every.rows.assign(held_mode=False)
    gone = edits.rows[~edits.rows["row_id"].isin(rows["row_id"])]
    held = Held(pd.concat([rows, gone], ignore_index=True))
    pair_variables(model, inst, held)
    every_part = wanted_amounts(model, inst, held)
    parts = [w for w in every_part if w.body is not None and not isinstance(w.body, (int, float))]
    ids = list(held.rows["row_id"])
    lost = sum(
        w.size * w.amount * (EDITED if ids[w.row] in mine else 1.0) for w in every_part if w.body is None
    )
    weight = [_weight(w, held, mine) for w in parts]
    return _stated(model, parts, weight, _further(model, inst, held) + lost)


def _stated(model: Any, parts: list[Wanted], weight: list[float], more: Any) -> Mapping[str, Any]:
    """The weighted sum of how far quantities are from what they should be, and more, as an objective."""
    model.apart = pyo.Var(range(len(parts)), domain=pyo.NonNegativeReals)
    model.apart_above = pyo.Constraint(
        range(len(parts)), rule=lambda m, i: m.apart[i] >= parts[i].body - parts[i].amount
    )
    model.apart_below = pyo.Constraint(
        range(len(parts)), rule=lambda m, i: m.apart[i] >= parts[i].amount - parts[i].body
    )
    model.goal_repair = pyo.Objective(
        expr=sum(weight[i] * model.apart[i] for i in range(len(parts)))
        + more
        + 0.0 * model.charge["building"]
    )
    model.goal_repair.deactivate()
    return {REPAIR: model.goal_repair}


def most_kept(
    inst: Instance, held: Held, times: TravelTimes, seconds: float = SECONDS, stop: Stop | None = None
) -> Held:
    """What the nearest plan that keeps the rules has of some held decisions, each whole; it exists, so all of them can be kept together.

    Parameters
    ----------
    inst : Instance
    held : Held
        Every one a decision that some plan has.
    times : TravelTimes
    seconds : float
        How long it may be looked for.
    stop : Stop or None

    Returns
    -------
    Held
        The search for a plan that keeps them begins from that plan; nothing is held where none was found.
    """
    bare = replace(inst, request=replace(inst.request, held=Held()))
    parts: list[Wanted] = []

    def distance(model: Any) -> Mapping[str, Any]:
        pair_variables(model, bare, held)
        every = wanted_amounts(model, bare, held)
        parts.extend(w for w in every if w.body is not None and not isinstance(w.body, (int, float)))
        return _stated(model, parts, [w.size for w in parts], 0.0)

    with heeding(stop) as token:
        task = Task((Target(REPAIR),), Limits(gap=GAP, seconds=seconds, seed=inst.request.seed), stop=token)
        search = Search(bare, task, True, distance)
        answer = search.minimise(REPAIR, task.limits)
    if answer.values is None:
        return Held()
    search.load(answer.values)
    missed = {w.row for w in parts if abs(pyo.value(w.body) - w.amount) > SAME * max(1.0, abs(w.amount))}
    plan = unpack(search.model, bare, times.towns)
    rows = held.rows[[i not in missed for i in range(len(held.rows))]].reset_index(drop=True)
    return Held(rows, held_of(plan, plan).start)


def _weight(one: Wanted, held: Held, mine: set[str]) -> float:
    """What a difference of 1 counts: more where it was edited, next to nothing for classes that follow from pupils."""
    row = held.rows.iloc[one.row]
    if row["row_id"] in mine:
        return EDITED * one.size
    return FOLLOWS * one.size if one.counts == "classes" else one.size


def _further(model: Any, inst: Instance, held: Held) -> Any:
    """What the edited plan does not do at all: other hires, purchases and transfers."""
    rows = held.rows
    at = list(zip(rows["action"], rows["school_id"] + "/" + rows["stage"], rows["item"], strict=True))
    told = {(a, u, k) for a, u, k in at}
    total: Any = sum(HEADS * model.hire[k] for k in model.hire if ("hire", *k) not in told)
    total += sum(model.buy[k] for k in model.buy if ("buy", *k) not in told)
    moves = rows[rows["action"] == "transfer"]
    ends = (
        moves["from_id"] + "/" + moves["from_stage"],
        moves["item"],
        moves["to_id"] + "/" + moves["to_stage"],
    )
    known = set(zip(*ends, strict=True))
    total += sum(HEADS * model.between[k] for k in model.between if k not in known)
    hubs = {(inst.stage_of[u], c) for u, c, _ in model.between}
    return total + sum(HEADS * model.out[u, c] for u, c in model.out if (inst.stage_of[u], c) not in hubs)
