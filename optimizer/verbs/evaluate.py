"""The verb ``evaluate``: a plan edited by hand, read back, judged and set beside the plan that it came from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from geodata.contract.county import County
from geodata.contract.findings import Finding
from geodata.travel.times import TravelTimes, travel_times
from models.plan.decisions import Plan, PlanResult, SolveRecord, Verdict
from models.plan.edits import blamed, ledger_edits, new_violations
from models.plan.reasons import list_actions
from models.plan.record import read_plan
from models.plan.sheets import read_edited
from models.problem.baseline import today_findings, today_groups
from models.referee.verdict import judge, violations_of
from models.standards.norms import load_standards
from optimizer.scenario import Scenario, check_scenario

EDITED = "edited"
"""Status of a plan that nobody solved for."""


@dataclass(frozen=True)
class Evaluation:
    """A plan edited by hand beside the plan that it came from.

    Parameters
    ----------
    original : Plan
        Equal to the edited plan where a file holds one plan only.
    before : Verdict
        The referee's about ``original``.
    result : PlanResult
        The edited plan with its verdict and actions; ``solve.status`` is ``edited``.
    edits : DataFrame
        `models.plan.edits.ledger_edits`, with ``broken``: positions in ``violations`` at the edit's places.
    violations : DataFrame
        Rules broken by the edited plan and not by the original: ``rule, kind, place_id, place, amount, limit, unit``.
    measures : DataFrame
        ``measure, unit, better, today, before, after``.
    findings : tuple of Finding
        Names and ids in doubt.
    """

    original: Plan
    before: Verdict
    result: PlanResult
    edits: pd.DataFrame
    violations: pd.DataFrame
    measures: pd.DataFrame
    findings: tuple[Finding, ...]

    @property
    def accepted(self) -> bool:
        """Whether every hard rule holds in the edited plan."""
        return self.result.verdict.accepted

    def _repr_html_(self) -> str:
        """The edits, for notebooks."""
        html: str = self.edits.to_html(index=False)
        return html


def evaluate(
    county: County, path: str | Path, scenario: Scenario | None = None, times: TravelTimes | None = None
) -> Evaluation:
    """Judge a plan from a file: an edited workbook, or a plan as it was written.

    Parameters
    ----------
    county : County
    path : str or Path
        ``plan.xlsx`` after editing; a dossier folder, ``plan.csv``, ``plan.gpkg`` or ``run.json`` also.
    scenario : Scenario or None
        Budgets and locks to be judged by; None takes the county's own budget.
    times : TravelTimes or None
        None computes them.

    Returns
    -------
    Evaluation

    Raises
    ------
    InputProblems
        What cannot be read, place by place.
    """
    scenario = scenario or Scenario()
    check_scenario(scenario, county)
    path = Path(path)
    if path.suffix.lower() == ".xlsx":
        read = read_edited(path, county)
        original, made, doubts = read.original, read.plan, read.findings
    else:
        original = made = read_plan(path, county)
        doubts = ()
    standards, request = load_standards(county), scenario.request()
    times = times or travel_times(county)

    def referee(plan: Plan) -> Verdict:
        return judge(county, standards, plan, times, request)

    def broken_by(plan: Plan) -> pd.DataFrame:
        return violations_of(county, standards, plan, times, request)

    before = referee(original)
    after = before if made == original else referee(made)
    edits, broken = ledger_edits(original, made), new_violations(before, after)
    edits["broken"] = pd.Series(blamed(county, edits, broken), index=edits.index, dtype=object)
    measures = before.measures.rename(columns={"plan": "before"}).assign(after=after.measures["plan"])
    imbalance = float(after.measures.set_index("measure").at["imbalance", "plan"])
    solve = SolveRecord(imbalance, float("nan"), float("nan"), 0.0, EDITED, "", scenario.seed, ())
    groups = today_groups(county, standards, times)
    found = (*county.findings, *times.findings, *today_findings(county, groups), *doubts)
    actions = list_actions(county, made, after, standards, broken_by)
    result = PlanResult(county, scenario.model_dump(mode="json"), made, after, solve, times, actions, found)
    return Evaluation(original, before, result, edits, broken, measures, doubts)
