"""One job of a province: what a county reaches with each grant, from the smallest upwards.

A plan of a smaller grant is a plan of a larger one, so every search begins from the last one's plan.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from geodata.contract.county import County
from geodata.travel.times import travel_times
from models.plan.decisions import PlanResult
from models.plan.keeping import Held, beginning_with
from models.problem.request import COUNTED_GOALS
from optimizer.outcomes import Infeasible, Rejected, StoppedWithoutPlan
from optimizer.scenario import Scenario
from optimizer.study.jobs.work import Answered, RowCells
from optimizer.study.province.asked import SECOND
from optimizer.study.province.grants import CountyItem
from optimizer.study.robust.robust import about
from optimizer.verbs.plan import plan as make_plan

POINT_COLUMNS = [
    "county", "point", "grant", "solve", "value", "bound", "second", "passing", "assessed", "passing_today", "cost", "clock",
]  # fmt: skip
PLANNED, NO_PLAN_EXISTS, NONE_FOUND = "plan", "infeasible", "no_plan"


@dataclass(frozen=True, eq=False)
class Fronts:
    """Plans of every county for every grant.

    Parameters
    ----------
    scenario : Scenario
        Its seconds are each plan's.
    goal : str
        Comes before its others.
    """

    scenario: Scenario
    goal: str

    @property
    def columns(self) -> list[str]:
        """Columns of the table."""
        return ["county", "pupils", "status", "why", "points", "plans", "clock"]

    def about(self, item: CountyItem) -> RowCells:
        """Which county."""
        return {"county": item.number, "pupils": item.pupils}

    def answer(self, item: CountyItem) -> Answered:
        """How many points have a plan; beside it the points, and the ledger of each plan by its position."""
        times = travel_times(item.county)
        points, ledgers = [], {}
        keep: Held | None = None
        for i, grant in enumerate(item.grants):
            county, scenario = granted(item.county, about(self.scenario, self.goal), grant)
            cells: dict[str, object] = {"county": item.number, "point": i, "grant": grant, "clock": 0}
            try:
                made = make_plan(county, scenario, times, keep=keep)
            except Infeasible:
                points.append({**cells, "solve": NO_PLAN_EXISTS, "bound": np.inf})
                continue
            except (StoppedWithoutPlan, Rejected):
                points.append({**cells, "solve": NONE_FOUND, "bound": 0.0, "clock": 1})
                continue
            keep, ledgers[i] = beginning_with(made.plan), made.plan.ledger
            points.append({**cells, **_reached(made, self.goal)})
        table = pd.DataFrame(points).reindex(columns=POINT_COLUMNS)
        row: RowCells = {"points": len(points), "plans": len(ledgers), "clock": int(table["clock"].sum())}
        return row, (table, ledgers)


def granted(county: County, scenario: Scenario, grant: float) -> tuple[County, Scenario]:
    """A county with a grant of the province: lasting money of any kind on top of its own.

    Where the scenario has a budget of its own, the grant is added to that.
    """
    if scenario.budget is not None:
        budget = {**scenario.budget, "any": scenario.budget.get("any", 0.0) + grant}
        return county, scenario.model_copy(update={"budget": budget})
    own = county.budget
    row = {"year": county.year, "source": "province", "earmark": "any", "amount": float(grant)}
    table = pd.concat([own, pd.DataFrame([row]).reindex(columns=own.columns)], ignore_index=True)
    flags = {c: table[c].eq(True) for c in own if pd.api.types.is_bool_dtype(own[c])}
    table = table.assign(**flags).astype({c: own[c].dtype for c in own if c not in flags})
    return replace(county, budget=table), scenario


def _reached(made: PlanResult, goal: str) -> dict[str, object]:
    """The figures of one plan: the referee's, and the first goal's bound; a count is at least the next whole one."""
    goals = made.verdict.goals.set_index("goal")["plan"]
    measures = made.verdict.measures.set_index("measure")
    first = made.solve.goals[0]
    bound = float(np.ceil(first.bound - 1e-6)) if goal in COUNTED_GOALS else float(first.bound)
    return {
        "solve": PLANNED, "value": float(goals[goal]), "bound": max(0.0, bound), "second": float(goals[SECOND]),
        "passing": float(measures.at["units_passing", "plan"]), "assessed": float(measures.at["units_assessed", "plan"]),
        "passing_today": float(measures.at["units_passing", "today"]), "cost": float(measures.at["cost", "plan"]),
        "clock": int(first.status != "proven"),
    }  # fmt: skip
