"""The verb ``plan``: County + Scenario -> PlanResult with bound and gap, accepted by the referee."""

from __future__ import annotations

import time
from dataclasses import replace

from geodata.contract.county import County
from geodata.contract.findings import Finding, InputProblems
from geodata.travel.times import TravelTimes, travel_times
from models.formulation.solution import unpack
from models.plan.decisions import Plan, PlanResult, SolveRecord, Verdict
from models.plan.reasons import list_actions
from models.problem.baseline import today_findings
from models.problem.instance import Instance, build_instance
from models.referee.verdict import judge
from models.standards.norms import load_standards
from optimizer.infeasibility.conflicts import why_infeasible
from optimizer.scenario import Scenario, check_scenario
from optimizer.search.integration import solve_joint
from optimizer.search.relaxation import NoPlan, Relaxed, relaxed_county
from optimizer.search.restriction import solve_narrow
from optimizer.search.split import Report, Solved, exact_objective, solve_split, solved
from optimizer.solver.bridge import SOLVER, Limits, time_left

JOINT_UNITS = 16
"""Counties of so many units or fewer are decided in one model: measured, 7 s for 16 units, and no split gap."""
SHARES = (0.4, 0.65, 0.75, 0.95)
"""Shares of the scenario's seconds by which relaxation, network, split and joint step are over."""
ROUGH_GAP, ROUGH_NODES = 0.01, 20
"""How far the network among the likely pairs is taken."""


class Infeasible(InputProblems):
    """No plan can exist; the findings say what stands in the way (exit code 3)."""


class StoppedWithoutPlan(Exception):
    """The solver was stopped before it found any plan (exit code 4)."""


class Rejected(Exception):
    """The referee rejected the solver's plan (exit code 5); carries its verdict."""

    def __init__(self, verdict: Verdict):
        self.verdict = verdict
        super().__init__("the referee rejected the plan")


def plan(
    county: County,
    scenario: Scenario | None = None,
    times: TravelTimes | None = None,
    report: Report | None = None,
) -> PlanResult:
    """The allocation plan of a county.

    Parameters
    ----------
    county : County
    scenario : Scenario or None
        None asks for the default goals within the county's own budget.
    times : TravelTimes or None
        None computes them.
    report : callable or None
        Called with the goal being solved and a `Progress`, for a live display.

    Returns
    -------
    PlanResult

    Raises
    ------
    InputProblems
        The scenario names a school that does not exist, and the like.
    Infeasible
        Proven: no plan keeps the hard rules within the budget.
    StoppedWithoutPlan
        Limit or Ctrl-C before any plan was found.
    Rejected
        The referee found a hard rule broken; nothing is returned.
    """
    begun = time.monotonic()
    scenario = scenario or Scenario()
    check_scenario(scenario, county)
    standards = load_standards(county)
    times = times or travel_times(county)
    request = scenario.request()
    inst = build_instance(county, standards, request, times)
    network, split = _solve(inst, scenario, report)
    made = unpack(split.model, split.instance, times.towns)

    def referee(asked: Plan) -> Verdict:
        return judge(county, standards, asked, times, request)

    verdict = referee(made)
    if not verdict.accepted:
        raise Rejected(verdict)
    notes = _notes(network, split, scenario)
    solve = _record(
        network, split, exact_objective(verdict.indicators, split.instance), scenario, begun, notes
    )
    return PlanResult(
        county, scenario.model_dump(mode="json"), made, verdict, solve, times, list_actions(county, made, verdict, standards, referee),
        (*county.findings, *times.findings, *today_findings(county, inst.groups), *_without_choice(inst), *notes),
    )  # fmt: skip


def _solve(inst: Instance, scenario: Scenario, report: Report | None) -> tuple[Solved, Solved]:
    """The step whose bound counts, and the plan: relaxation, network, split, both together, split again.

    The scenario's seconds are for all of them: `SHARES` says up to when each may take its time.
    """
    begun = time.monotonic()
    goals = [(str(g.name), g.tolerance) for g in scenario.goals]
    limits = scenario.limits()
    try:
        relaxed = relaxed_county(inst, time_left(limits, begun, SHARES[0]))
        if len(inst.units) <= JOINT_UNITS:
            joint = solved(relaxed, goals, time_left(limits, begun), report)
            return joint, joint
        try:
            network, split = _first_plan(relaxed, goals, limits, begun, report)
        except NoPlan as stop:  # whole heads do not fit a likely network: another may take them
            if stop.interrupted:
                raise
            joint = solved(relaxed, goals, time_left(limits, begun), report)
            return joint, joint
        if _hurried(relaxed, network):
            return network, split
        on_network = [g for g in goals if g[0] != "cost"]
        joint = solve_joint(relaxed, split, on_network, time_left(limits, begun, SHARES[3]), report)
        first = joint.goals[0]
        first = replace(first, seconds=network.goals[0].seconds + first.seconds)
        clock = relaxed.answer.clock or network.clock or split.clock or joint.clock
        joint = replace(joint, goals=(first, *joint.goals[1:]), clock=clock)
        exact = replace(time_left(limits, begun), gap=limits.gap / 10)
        return joint, solve_split(joint, goals, exact, report, least=first.objective)
    except NoPlan as stop:
        if stop.status == "infeasible":
            raise Infeasible(why_infeasible(stop.instance)) from None
        raise StoppedWithoutPlan(stop.status) from None


def _first_plan(
    relaxed: Relaxed, goals: list[tuple[str, float]], limits: Limits, begun: float, report: Report | None
) -> tuple[Solved, Solved]:
    """A network among the likely pairs, with the relaxation's bound, and its whole split."""
    rough = replace(
        limits, gap=max(limits.gap, ROUGH_GAP), nodes=min(limits.nodes or ROUGH_NODES, ROUGH_NODES)
    )
    network = solve_narrow(relaxed, time_left(rough, begun, SHARES[1]), report)
    first = replace(network.goals[0], bound=relaxed.answer.bound)
    network = replace(network, goals=(first,))
    split = solve_split(
        network, goals if _hurried(relaxed, network) else goals[:1],
        replace(time_left(limits, begun, SHARES[2]), gap=limits.gap / 2), report,
    )  # fmt: skip
    return network, split


def _hurried(relaxed: Relaxed, network: Solved) -> bool:
    """After Ctrl-C only what a plan needs is done."""
    return relaxed.bridge.stopped or network.answer.interrupted


def _record(
    decided: Solved,
    split: Solved,
    objective: float,
    scenario: Scenario,
    begun: float,
    notes: tuple[Finding, ...],
) -> SolveRecord:
    """The first goal's objective is the referee's, its bound that of the joint step.

    Proven is only what the referee's objective shows: within the gap asked for, and what later goals may take.
    """
    first = decided.goals[0]
    gap = max(0.0, objective - first.bound) / max(objective, 1e-9)
    if gap > scenario.gap + (first.tolerance if len(scenario.goals) > 1 else 0.0) + 1e-9:
        first = replace(first, status="stopped")
    # the split's own disruption and cost replace the joint step's
    named = {g.goal: g for g in (*decided.goals[1:], *split.goals[1:])}
    rest = tuple(named[g.name] for g in scenario.goals if g.name in named)
    every = (first, *rest)
    status = "proven" if all(g.status == "proven" for g in every) else "stopped"
    return SolveRecord(
        objective, first.bound, gap, time.monotonic() - begun, status, SOLVER, scenario.seed,
        (replace(first, objective=objective, gap=gap), *rest), notes,
    )  # fmt: skip


def _notes(decided: Solved, split: Solved, scenario: Scenario) -> tuple[Finding, ...]:
    """Reaching the clock is said, because another run may stop elsewhere; so are goals whose turn never came."""
    clock = [Finding("warning", "reasons.clock")] if decided.clock or split.clock else []
    sought = {g.goal for g in (*decided.goals, *split.goals)}
    left = [g.name for g in scenario.goals if g.name not in sought]
    return (*clock, *(Finding("warning", f"reasons.goal_left_{name}") for name in left))


def _without_choice(inst: Instance) -> tuple[Finding, ...]:
    """Village-bands that can only stay where they are."""
    if not inst.nearest_kept:
        return ()
    rows = inst.groups.loc[list(inst.nearest_kept)]
    beyond = rows[rows["today_minutes"] >= 999]
    name = inst.county.villages.set_index("village_id")["name"]
    found = [Finding("note", "reasons.no_choice", {"groups": len(rows), "pupils": int(rows["pupils"].sum())})]
    for r in beyond.itertuples():
        found.append(
            Finding(
                "warning",
                "reasons.no_road",
                {"village": name[r.village_id], "band": r.band, "pupils": int(r.pupils)},
            )
        )
    return tuple(found)


__all__ = ["Infeasible", "Plan", "Rejected", "StoppedWithoutPlan", "plan"]
