"""The verb ``evaluate``: a plan edited by hand, read back, judged and set beside the plan that it came from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from geodata.contract.county import County
from geodata.contract.findings import Finding
from geodata.travel.times import TravelTimes, travel_times
from models.plan.decisions import Plan, PlanResult, Verdict
from models.plan.differences.edits import blamed, ledger_edits, new_violations
from models.plan.record import read_told
from models.plan.sheets import read_edited
from models.referee.verdict import judge
from models.standards.norms import load_standards
from optimizer.scenario import Scenario, check_scenario
from optimizer.scenario_sheet import asked_of
from optimizer.verbs.told import result_of

EDITED = "edited"
"""Status of a plan that nobody solved for."""
MOST_ALONE = 30
"""Edited decisions that are judged alone: each costs a verdict."""
SAME = 1e-6


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
        `models.plan.differences.edits.ledger_edits`, with ``broken``: positions in ``violations`` at the edit's places, and
        of what it breaks by itself (budgets, limits of the county).
    violations : DataFrame
        Rules broken by the edited plan and not by the original, or further beyond their limit at the same place:
        ``rule, kind, place_id, place, amount, limit, unit``, and ``before``, the original's amount (NaN where it kept the rule).
    measures : DataFrame
        ``measure, unit, better, today, before, after``.
    findings : tuple of Finding
        Names and ids in doubt, columns that are not read.
    alone : DataFrame
        ``row_id, measure, unit, before, after``: every measure that one edited decision changes when it alone is made in the
        original plan; for the first `MOST_ALONE` decisions.
    """

    original: Plan
    before: Verdict
    result: PlanResult
    edits: pd.DataFrame
    violations: pd.DataFrame
    measures: pd.DataFrame
    findings: tuple[Finding, ...]
    alone: pd.DataFrame

    @property
    def accepted(self) -> bool:
        """Whether every hard rule holds in the edited plan."""
        return self.result.verdict.accepted

    def __repr__(self) -> str:
        """A line: how many edits, how many rules they break."""
        state = "accepted" if self.accepted else "rejected"
        told = f"{len(self.edits)} edits, {len(self.violations)} places newly broken"
        return f"Evaluation({self.result.county.name!r}, plan {self.result.plan.plan_id}, {state}: {told})"

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
    scenario = scenario or asked_of(county)[0]
    check_scenario(scenario, county)
    path = Path(path)
    if path.suffix.lower() == ".xlsx":
        read = read_edited(path, county)
        original, made, doubts = read.original, read.plan, read.findings
    else:
        original, doubts = read_told(path, county)
        made = original
    standards, request = load_standards(county), scenario.request()
    times = times or travel_times(county)

    def referee(plan: Plan) -> Verdict:
        return judge(county, standards, plan, times, request)

    before = referee(original)
    after = before if made == original else referee(made)
    edits, broken = ledger_edits(original, made), _own_budgets(new_violations(before, after), before)
    single = each_alone(original, made, referee)
    at_places = blamed(county, edits, broken)
    by_itself = _broken_alone(edits, single, before, broken)
    all_of_it = [sorted({*a, *b}) for a, b in zip(at_places, by_itself, strict=True)]
    edits["broken"] = pd.Series(all_of_it, index=edits.index, dtype=object)
    measures = before.measures.rename(columns={"plan": "before"}).assign(after=after.measures["plan"])
    result = result_of(county, made, scenario, times, after, EDITED, findings=doubts)
    alone = _changed_alone(single, before)
    return Evaluation(original, before, result, edits, broken, measures, doubts, alone)


def each_alone(
    original: Plan, made: Plan, referee: Callable[[Plan], Verdict], most: int = MOST_ALONE
) -> dict[str, Verdict]:
    """The verdict of each edited decision when it alone is made in the original plan, by row of the ledger."""
    rows = list(dict.fromkeys(ledger_edits(original, made)["row_id"]))
    found = {}
    for row_id in rows[:most]:
        kept = original.ledger[original.ledger["row_id"] != row_id]
        own = made.ledger[made.ledger["row_id"] == row_id]
        one = replace(original, ledger=pd.concat([kept, own], ignore_index=True) if len(own) else kept)
        found[row_id] = referee(one)
    return found


def _own_budgets(broken: pd.DataFrame, before: Verdict) -> pd.DataFrame:
    """Without the earmarks that spend what they spent before: what is common to all was overdrawn by the others."""
    was = before.budget.set_index("earmark")["spent"].astype(float)
    money = broken["rule"].eq("budget")
    same = money & ((broken["place_id"].map(was).astype(float) - broken["amount"].astype(float)).abs() <= 1.0)
    return broken if same.sum() == money.sum() else broken[~same].reset_index(drop=True)


def _broken_alone(
    edits: pd.DataFrame, single: dict[str, Verdict], before: Verdict, broken: pd.DataFrame
) -> list[list[int]]:
    """For each edit the rows of ``broken`` that it breaks by itself, of the county and of budgets too."""
    at: dict[tuple[str, str], list[int]] = {}
    for i, key in enumerate(zip(broken["rule"], broken["place_id"], strict=True)):
        at.setdefault(key, []).append(i)
    found = {}
    for row_id, verdict in single.items():
        mine = new_violations(before, verdict)
        keys = dict.fromkeys(zip(mine["rule"], mine["place_id"], strict=True))
        found[row_id] = [i for k in keys for i in at.get(k, [])]
    return [found.get(r, []) for r in edits["row_id"]]


def _changed_alone(single: dict[str, Verdict], before: Verdict) -> pd.DataFrame:
    """Every measure that a decision changes by itself: ``row_id, measure, unit, before, after``."""
    was = before.measures.set_index("measure")
    parts = []
    for row_id, verdict in single.items():
        now = verdict.measures
        both = now.assign(row_id=row_id, before=now["measure"].map(was["plan"])).rename(
            columns={"plan": "after"}
        )
        differs = ~((both["before"] - both["after"]).abs() <= SAME) & both["after"].notna()
        parts.append(both.loc[differs, ["row_id", "measure", "unit", "before", "after"]])
    columns = ["row_id", "measure", "unit", "before", "after"]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)
