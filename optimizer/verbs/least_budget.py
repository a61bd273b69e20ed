"""The verb ``least_budget``: what it costs at least that every unit passes, or why no money is enough.

Three questions, each a plan of its own with a proven bound:

1. The cheapest plan that keeps the requirements, with as much money as it likes.
2. Where no plan keeps them whatever the money: the most that can be reached, what that costs at least, and which
   units cannot pass in any plan, each of them proven alone.
3. What can be reached with no new money.

Where passing is all that is asked for, one plan answers the first two: the fewest that fail, then the least money for
that; it is the cheapest with which all pass where none fails, and proves that none is where one must.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from html import escape

import numpy as np
import pandas as pd

from geodata.contract.county import County
from geodata.travel.times import TravelTimes, travel_times
from models.plan.decisions import GoalRecord, PlanResult
from models.problem.building import build_instance
from models.standards.norms import load_standards
from optimizer.outcomes import Infeasible, StoppedWithoutPlan
from optimizer.scenario import Goal, Requirement, Scenario
from optimizer.scenario_sheet import asked_of
from optimizer.search.method import Method
from optimizer.search.search import Search
from optimizer.search.task import Report, Task
from optimizer.solver.limits import Limits
from optimizer.solver.stopping import Stop, heeding
from optimizer.verbs.plan import plan

PASSING = Requirement(goal="failing", at_most=0.0)
ENOUGH = 1e10
"""Yuan that no county's plan comes near."""
FIRST, MOST, BOTH = 0.7, 0.75, 0.9
"""Shares of the seconds then left: for the cheapest plan; without one, for the most that can be reached; for both in one
plan. What is free has the rest."""
PATIENCE = 20.0
"""Nodes of the search for the least money, times the scenario's: its bound rises with every one of them."""
BLOCKED = [
    "unit_id",
    "school_id",
    "name",
    "township",
    "stage",
    "indicator",
    "resource",
    "short",
    "never",
    "proven",
]


@dataclass(frozen=True)
class LeastBudget:
    """What the requirements cost at least.

    Parameters
    ----------
    county : County
    require : tuple of Requirement
    least : PlanResult or None
        The cheapest plan found that keeps the requirements; None where none was found.
    impossible : bool
        Proven: no plan keeps them, whatever the money.
    most : PlanResult or None
        Where there is no such plan: the fewest that fail, and then the least money for that.
    blocked : DataFrame
        ``unit_id, school_id, name, township, stage, indicator, resource, short, never, proven``: the units that fail in
        `most` with what they are short of, in the resource's own unit; ``never`` where no plan at all meets that
        indicator there (proven), ``proven`` where no plan at all lets the unit pass.
    free : PlanResult or None
        The fewest that fail with no new money, None where there is no plan without any.
    seconds : float
    """

    county: County
    require: tuple[Requirement, ...]
    least: PlanResult | None
    impossible: bool
    most: PlanResult | None
    blocked: pd.DataFrame
    free: PlanResult | None
    seconds: float

    def __repr__(self) -> str:
        """A line: what it costs at least, and what is proven of that."""
        if self.answer is None:
            return f"LeastBudget({self.county.name!r}: no plan found)"
        kind = "" if self.least is not None else " for the most that can be reached"
        return f"LeastBudget({self.county.name!r}: {sum(self.yuan.values()):,.0f}{kind}, bound {self.bound:,.0f})"

    def _repr_html_(self) -> str:
        """Money by earmark, for notebooks."""
        table = pd.DataFrame(self.yuan.items(), columns=["earmark", "yuan"])
        return f"<p>{escape(repr(self))}</p>" + str(table.to_html(index=False, float_format="{:,.0f}".format))

    @property
    def answer(self) -> PlanResult | None:
        """The plan whose money is told: that of the requirements, or else of the most that can be reached."""
        return self.least or self.most

    @property
    def yuan(self) -> dict[str, float]:
        """Charged yuan by earmark of that plan; empty without one."""
        if self.answer is None:
            return {}
        costs = self.answer.verdict.costs
        charged = costs[costs["charged"]].groupby("earmark")["yuan"].sum()
        return {str(e): float(v) for e, v in charged.items()}

    @property
    def bound(self) -> float:
        """Yuan that every such plan costs at least (proven)."""
        if self.answer is None:
            return 0.0
        cost = _goal(self.answer, "cost")
        return 0.0 if cost is None else self.answer.county.scheme.currency.large * cost.bound

    @property
    def gap(self) -> float:
        """(yuan - bound) / yuan."""
        cost = None if self.answer is None else _goal(self.answer, "cost")
        if cost is not None:
            return cost.gap
        return float("nan") if self.answer is None else float(sum(self.yuan.values()) > 0)

    @property
    def fewest(self) -> tuple[int, int] | None:
        """Units that fail in `most`, and how many fail at least in any plan; None where it was not asked."""
        return None if self.most is None else _failing(self.most)

    @property
    def fewest_free(self) -> tuple[int, int] | None:
        """The same with no new money."""
        return None if self.free is None else _failing(self.free)


def _goal(result: PlanResult, name: str) -> GoalRecord | None:
    """A goal's record; None where its turn never came because the search was stopped."""
    return next((g for g in result.solve.goals if g.goal == name), None)


def _failing(result: PlanResult) -> tuple[int, int]:
    line = _goal(result, "failing")
    if line is None:  # nothing is proven of it
        return int(result.verdict.units["passes_plan"].eq(False).sum()), 0
    return round(line.objective), int(np.ceil(line.bound - 1e-6))


def least_budget(
    county: County,
    scenario: Scenario | None = None,
    times: TravelTimes | None = None,
    report: Report | None = None,
    stop: Stop | None = None,
) -> LeastBudget:
    """The least budget with which every unit passes, or the scenario's own requirements hold.

    Parameters
    ----------
    county : County
    scenario : Scenario or None
        Its requirements, where it has any, in place of passing; its budget and goals do not matter. Its seconds are
        for the three questions together; what one does not need the next ones have.
    times : TravelTimes or None
    report : callable or None
    stop : Stop or None
        None: Ctrl-C stops.

    Returns
    -------
    LeastBudget

    Raises
    ------
    InputProblems
    Infeasible
        Not even without the requirements is there a plan.
    StoppedWithoutPlan
        Stopped before the first answer.
    Rejected, Defect
    """
    begun = time.monotonic()
    scenario = scenario or asked_of(county)[0]
    require = scenario.require or (PASSING,)
    times = times or travel_times(county)

    def within(share: float, **update: object) -> Scenario:
        """The scenario with a share of the seconds left, but a quarter of all at least: a quick answer leaves time to the next."""
        left = scenario.seconds - (time.monotonic() - begun)
        return scenario.model_copy(update={"seconds": max(scenario.seconds / 4, share * left), **update})

    cost = Goal(name="cost", gap=scenario.gap)
    money = {"budget": {"any": ENOUGH}, "method": _patient(scenario.method)}
    rich = {**money, "require": require, "goals": (cost,)}
    reach = {**money, "require": (), "goals": (Goal(name="failing"), cost)}
    poor = {"budget": {}, "require": (), "goals": (Goal(name="failing"),)}
    least, most, impossible = None, None, False
    with heeding(stop) as token:
        if scenario.require:
            least, impossible = _cheapest(county, within(FIRST, **rich), times, report, token)
            if least is None:
                most = plan(county, within(MOST, **reach), times, report, token)
        else:
            both = plan(county, within(BOTH, **reach), times, report, token)
            reached, fewest = _failing(both)
            least, most = (both, None) if reached == 0 else (None, both)
            impossible = fewest > 0
        if most is None:
            blocked = pd.DataFrame(columns=BLOCKED)
        else:
            blocked = _blocked(county, within(1.0, **reach), most, times, token)
        free = _without_money(county, within(1.0, **poor), times, report, token)
    return LeastBudget(county, require, least, impossible, most, blocked, free, time.monotonic() - begun)


def _patient(method: Method) -> Method:
    """The method with more nodes for money."""
    goals = method.long_goals if "cost" in method.long_goals else (*method.long_goals, "cost")
    return method.model_copy(update={"long_goals": goals, "long_nodes": max(method.long_nodes, PATIENCE)})


def _cheapest(
    county: County, scenario: Scenario, times: TravelTimes, report: Report | None, stop: Stop
) -> tuple[PlanResult | None, bool]:
    """The cheapest plan, or None and whether that is proven."""
    try:
        return plan(county, scenario, times, report, stop), False
    except StoppedWithoutPlan:
        return None, False
    except Infeasible:
        return None, True


def _without_money(
    county: County, scenario: Scenario, times: TravelTimes, report: Report | None, stop: Stop
) -> PlanResult | None:
    try:
        return plan(county, scenario, times, report, stop)
    except (Infeasible, StoppedWithoutPlan):
        return None


def _blocked(
    county: County, scenario: Scenario, most: PlanResult, times: TravelTimes, stop: Stop
) -> pd.DataFrame:
    """The units that fail in the best plan, what each is short of, and whether it fails in every plan."""
    units = most.verdict.units
    failing = units[units["open_plan"] & ~units["passes_plan"].fillna(True).astype(bool)]
    cells = most.verdict.indicators
    short = cells[cells["unit_id"].isin(failing["unit_id"]) & ~cells["met_plan"].fillna(True).astype(bool)]
    inst = build_instance(county, load_standards(county), scenario.request(), times)
    search = Search(inst, Task(limits=Limits(seconds=scenario.seconds), stop=stop), whole=False)
    search.bridge.relax(True)  # what even fractions cannot do, no plan can
    passes, met = search.bridge.at("passes"), search.bridge.at("met")
    proven = {u: _never(search, passes.get(u), stop) for u in failing["unit_id"]}
    cell = list(zip(short["unit_id"], short["indicator"], strict=True))
    never = [_never(search, met.get(k), stop) for k in cell]
    rows = short.assign(short=short["gap_plan"], never=never, proven=[proven[u] for u in short["unit_id"]])
    return rows[BLOCKED].sort_values(["unit_id", "indicator"], kind="stable").reset_index(drop=True)


def _never(search: Search, column: int | None, stop: Stop) -> bool:
    """Whether it is proven that a binary is 0 in every plan."""
    if column is None or stop.is_set():
        return False
    search.bridge.bound(column, 1.0, 1.0)
    status = search.bridge.solve("cost", search.task.limits).status
    search.bridge.release([column])
    return status == "infeasible"
