"""A plan that was not solved for here as a `PlanResult`: edited by hand, one of several, of another budget."""

from __future__ import annotations

import pandas as pd

from geodata.contract.county import County
from geodata.contract.findings import Finding
from geodata.travel.times import TravelTimes, travel_times
from models.plan.decisions import GoalRecord, Plan, PlanResult, SolveRecord, Verdict
from models.plan.reasons.actions import list_actions
from models.problem.baseline import today_findings, today_groups
from models.referee.verdict import try_plan
from models.standards.norms import load_standards
from optimizer.scenario import Scenario
from optimizer.solver.limits import SOLVER
from optimizer.verbs.finishing.received import receivers_explained

NAN = float("nan")


def result_of(
    county: County, plan: Plan, scenario: Scenario, times: TravelTimes | None = None, verdict: Verdict | None = None,
    status: str = "told", bound: float = NAN, objective: float | None = None, findings: tuple[Finding, ...] = (),
) -> PlanResult:  # fmt: skip
    """Everything that outputs are made from, for a plan that exists.

    Parameters
    ----------
    county : County
    plan : Plan
    scenario : Scenario
        Budgets and locks that it is judged by.
    times : TravelTimes or None
    verdict : Verdict or None
        The referee's, where it is known.
    status : str
        Of its solve record.
    bound, objective : float
        Of the study that it comes from; the objective is the imbalance where None.
    findings : tuple of Finding
        About it, beside the county's own.
    """
    standards, request = load_standards(county), scenario.request()
    times = times or travel_times(county)
    trial = try_plan(county, standards, plan, times, request)
    verdict = verdict or trial.verdict()

    def broken_by(other: Plan) -> pd.DataFrame:
        return trial.but(other).violations()

    if objective is None:
        objective = float(verdict.measures.set_index("measure").at["imbalance", "plan"])
    gap = (objective - bound) / max(abs(objective), 1e-9)
    goals = (
        ()
        if bound != bound
        else (GoalRecord(scenario.goals[0].name, objective, bound, gap, 0.0, 0, "stopped", 0.0),)
    )
    solve = SolveRecord(objective, bound, gap, 0.0, status, SOLVER if goals else "", scenario.seed, goals)
    groups = today_groups(county, standards, times)
    found = (*county.findings, *times.findings, *today_findings(county, groups), *findings)
    actions = list_actions(county, plan, verdict, standards, broken_by)
    actions = receivers_explained(actions, plan, verdict, trial.but)
    return PlanResult(county, scenario.model_dump(mode="json"), plan, verdict, solve, times, actions, found)
