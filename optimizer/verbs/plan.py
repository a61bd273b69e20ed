"""The verb ``plan``: County + Scenario -> PlanResult with bound and gap, accepted by the referee."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

from geodata.contract.county import County
from geodata.contract.findings import Finding, InputProblems
from geodata.folder.interrupts import held
from geodata.travel.times import TravelTimes, travel_times
from models.formulation.goals import UPPER
from models.formulation.solution import unpack
from models.plan.decisions import GoalRecord, Plan, PlanResult, SolveRecord, Verdict
from models.plan.keeping import Held, Which, decision_said, held_notes, held_of, missing_in
from models.plan.names import Names
from models.plan.sheets import read_edited
from models.problem.baseline import today_findings
from models.problem.building import build_instance
from models.problem.instance import Instance
from models.problem.request import GOALS_ABOUT_MEANS
from models.referee.verdict import try_plan
from models.standards.norms import load_standards
from optimizer.infeasibility.conflicts import why_infeasible
from optimizer.infeasibility.required import unmet
from optimizer.infeasibility.unkept import why_unkept
from optimizer.outcomes import Defect, Infeasible, InterruptedWithPlan, Rejected, StoppedWithoutPlan
from optimizer.scenario import Scenario, check_scenario
from optimizer.scenario_sheet import asked_of
from optimizer.search.solved import NoPlan
from optimizer.search.split import exact_objective
from optimizer.search.steps import Found, find_plan
from optimizer.search.task import Report
from optimizer.solver.limits import SOLVER
from optimizer.solver.stopping import Stop, heeding
from optimizer.verbs.finishing.finished import finished


def plan(
    county: County,
    scenario: Scenario | None = None,
    times: TravelTimes | None = None,
    report: Report | None = None,
    stop: Stop | None = None,
    keep: Held | None = None,
) -> PlanResult:
    """The allocation plan of a county.

    Parameters
    ----------
    county : County
    scenario : Scenario or None
        None asks for what its scenario sheet says, or the default goals within the county's own budget.
    times : TravelTimes or None
        None computes them.
    report : callable or None
        Called with the goal being solved and a `Progress`, for a live display.
    stop : Stop or None
        Ends the search at the next chance; what is found is made into the plan. None: Ctrl-C does.
    keep : Held or None
        Decisions made by hand that the plan keeps (`held_in`); the rest is decided.

    Returns
    -------
    PlanResult

    Raises
    ------
    InputProblems
        The scenario names a school that does not exist, and the like.
    Infeasible
        Proven: no plan keeps the hard rules within the budget, and what is held.
    StoppedWithoutPlan
        Limit or stop before any plan was found.
    Rejected
        The referee found a hard rule broken; nothing is returned.
    Defect
        A bound above the value of the plan that it is said to bound; nothing is returned.
    InterruptedWithPlan
        Ctrl-C after the plan was found; it carries the result.
    """
    begun = time.monotonic()
    scenario, said = (scenario, ()) if scenario else asked_of(county)
    check_scenario(scenario, county)
    standards = load_standards(county)
    times = times or travel_times(county)
    kept = Held() if keep is None else keep
    request = replace(scenario.request(), held=kept)
    inst = build_instance(county, standards, request, times)
    with heeding(stop) as token:
        found = _found(inst, scenario, token, report)
    with held() as stopped:  # a plan that is found is not thrown away half-way
        final = found.final
        made = unpack(final.loaded(), final.instance, times.towns)
        trial = try_plan(county, standards, made, times, request)
        verdict = trial.verdict()
        if not verdict.accepted:
            raise Rejected(verdict)
        _all_kept(made, kept, county)
        done = finished(trial, verdict, kept, _spare(scenario))
        notes = (*_notes(found, scenario), *held_notes(kept, Names(county)), *done.notes)
        solve = _record(found, (done.solved, done.verdict), scenario, begun, notes)
        result = PlanResult(
            county, scenario.model_dump(mode="json"), done.plan, done.verdict, solve, times, done.actions,
            (*county.findings, *said, *times.findings, *today_findings(county, inst.groups), *_without_choice(inst), *notes),
            kept,
        )  # fmt: skip
    if stopped:
        raise InterruptedWithPlan(result)
    return result


def held_in(path: str | Path, county: County, which: Which = "edited") -> tuple[Held, tuple[Finding, ...]]:
    """The decisions of an edited plan workbook that a new plan is to keep.

    Parameters
    ----------
    path : str or Path
        ``plan.xlsx`` after editing.
    county : County
    which : {"edited", "all"}
        The cells that were changed, or every row of the workbook.

    Returns
    -------
    Held
    tuple of Finding
        Names and ids in doubt.

    Raises
    ------
    InputProblems
        What cannot be read, place by place.
    """
    read = read_edited(Path(path), county)
    return held_of(read.original, read.plan, which), read.findings


def _spare(scenario: Scenario) -> dict[str, float]:
    """What goals may lose, as a share: their tolerance, and requirements nothing."""
    spare: dict[str, float] = {g.name: g.tolerance for g in scenario.goals}
    return spare | {r.goal: 0.0 for r in scenario.require}


def _all_kept(made: Plan, kept: Held, county: County) -> None:
    """Nothing that is held is dropped in silence."""
    lost = missing_in(made, kept).to_dict("records")
    if lost:
        names = Names(county)
        raise InputProblems([Finding("error", "held.lost", {"what": decision_said(r, names)}) for r in lost])


def _found(inst: Instance, scenario: Scenario, stop: Stop, report: Report | None) -> Found:
    try:
        return find_plan(inst, scenario.task(stop, report))
    except NoPlan as none:
        if none.status == "infeasible" and inst.request.held:
            raise Infeasible(why_unkept(inst)) from None
        if none.status == "infeasible":
            raise Infeasible(unmet(inst, scenario.task(stop)) or why_infeasible(none.instance)) from None
        raise StoppedWithoutPlan(none.status, stop.reason == "asked") from None


def refereed(
    goal: GoalRecord, found: Found, verdict: Verdict, final_verdict: Verdict | None = None
) -> GoalRecord:
    """A goal's record with the final plan's own value: the referee's where it has one, else the model's.

    ``verdict`` is of the model's own plan, ``final_verdict`` of the same without trifles.

    The plan is the model's solution in whole square metres and yuan. Where that makes a later goal a little better
    than the bound, which holds with the goals before it held exactly, the bound is lowered to it.

    Raises
    ------
    Defect
        The bound is above the solution's own value, or the referee's value is another one.
    """
    final, method = found.final, found.county.task.method
    value = own = final.search.exact(goal.goal, final.values)
    if goal.goal in GOALS_ABOUT_MEANS:
        means = {f"{s}/{r}": float(m) for (s, r), m in sorted(final.instance.centres.items())}
        goal = replace(goal, means=means)
    value = _value(goal.goal, found, verdict)
    room = method.rounding * max(1.0, abs(own))
    safe = (
        goal.goal in UPPER
    )  # the model holds more than there is: its bound says nothing about the goal itself
    if goal.bound > own + method.tolerance * max(1.0, abs(own)):
        raise Defect(goal.goal, own, goal.bound)
    # a search that was stopped leaves columns above what the plan is worth, so the plan may be better than its solution,
    # never worse, and never better than what is proven
    if value - own > room:
        raise Defect(goal.goal, value, own)
    if not safe and goal.bound - value > room:
        raise Defect(goal.goal, value, goal.bound)
    if final_verdict is not None and final_verdict is not verdict:
        value = _value(goal.goal, found, final_verdict)
    bound = 0.0 if safe else min(goal.bound, value)
    settled = _settled(goal, (own, value), bound, (method.tolerance * max(1.0, abs(own)), room))
    return replace(
        goal, objective=value, bound=bound, gap=(value - bound) / max(abs(value), 1e-9), settled=settled
    )


def _settled(
    goal: GoalRecord, values: tuple[float, float], bound: float, rooms: tuple[float, float]
) -> float | None:
    """The bound with the network as it is, where it says more than the one over all plans; it too is below the plan.

    ``values`` are the solution's own and the plan's, ``rooms`` by how much the bound may be above either.
    """
    if goal.settled is None or goal.goal in UPPER:
        return None
    for value, room in zip(values, rooms, strict=True):
        if goal.settled - value > room:
            raise Defect(goal.goal, value, goal.settled)
    settled = min(goal.settled, values[1])
    return settled if settled > bound + rooms[0] else None


def _value(goal: str, found: Found, verdict: Verdict) -> float:
    """A goal's value by the referee; the imbalance about the planned means."""
    if goal == "imbalance":
        return float(exact_objective(verdict.indicators, found.final.instance))
    return float(verdict.goals.set_index("goal").at[goal, "plan"])


def _record(
    found: Found,
    verdicts: tuple[Verdict, Verdict],
    scenario: Scenario,
    begun: float,
    notes: tuple[Finding, ...],
) -> SolveRecord:
    """Every goal's objective is the final plan's, the first one's bound that of the step that decided.

    Proven is only what the final objective shows: within the gap asked for, and what later goals may take.
    """
    named = {g.goal: g for g in (*found.decided.goals[1:], *found.final.goals[1:])}
    decided = found.decided.goals[0]
    if found.final is not found.decided and found.final.goals[0].goal == decided.goal:
        decided = replace(
            decided, settled=found.final.goals[0].bound
        )  # the last split's, whose network is the plan's
    named[decided.goal] = decided
    lines = [named.get(g.name) or _not_sought(g.name, g.tolerance, found) for g in scenario.goals]
    every = tuple(refereed(line, found, *verdicts) for line in lines)
    first = every[0]
    if first.gap > scenario.gap + (first.tolerance if len(scenario.goals) > 1 else 0.0) + 1e-9:
        first = replace(first, status="stopped")
    every = (first, *every[1:])
    status = "proven" if all(g.status == "proven" for g in every) else "stopped"
    return SolveRecord(
        first.objective, first.bound, first.gap, time.monotonic() - begun, status, SOLVER, scenario.seed, every, notes
    )  # fmt: skip


def _not_sought(name: str, tolerance: float, found: Found) -> GoalRecord:
    """A goal whose turn never came: the plan has a value of it, and the columns alone prove something, if only that it is not negative."""
    search = found.final.search
    value = search.exact(name, found.final.values)
    # a settled network's floor is about its own plans only
    bound = max(0.0, search.bridge.floor(name)) if search is found.county else 0.0
    gap = max(0.0, value - bound) / max(abs(value), 1e-9)
    return GoalRecord(name, value, bound, gap, 0.0, 0, "stopped", tolerance)


def _notes(found: Found, scenario: Scenario) -> tuple[Finding, ...]:
    """Reaching the clock is said, because another run may stop elsewhere; so are goals whose turn never came."""
    clock = [Finding("warning", "reasons.clock")] if found.decided.clock or found.final.clock else []
    sought = {g.goal for g in (*found.decided.goals, *found.final.goals)}
    left = [g.name for g in scenario.goals if g.name not in sought]
    return (*clock, *(Finding("warning", "reasons.goal_left", {"goal": name}) for name in left))


def _without_choice(inst: Instance) -> tuple[Finding, ...]:
    """Village-bands that can only stay where they are, and those without a known way."""
    ways = inst.pairs.groupby("g").size()
    alone = inst.groups.loc[ways.index[ways == 1]]
    alone = alone[alone["main"]]
    name = inst.county.villages.set_index("village_id")["name"]
    found = []
    if len(alone):
        fields: dict[str, object] = {"groups": len(alone), "pupils": int(alone["pupils"].sum())}
        found.append(Finding("note", "reasons.no_choice", fields))
    for r in inst.groups[inst.groups["today_minutes"].isna()].itertuples():
        fields = {"village": name[r.village_id], "band": r.band, "pupils": int(r.pupils)}
        found.append(Finding("warning", "reasons.no_road", fields))
    return tuple(found)


__all__ = ["Defect", "Infeasible", "Plan", "Rejected", "StoppedWithoutPlan", "plan"]
