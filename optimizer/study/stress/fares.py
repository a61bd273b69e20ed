"""One job of a study: how a fixed plan fares in a future, or which plan would be made there."""

from __future__ import annotations

from dataclasses import dataclass

from models.plan.before import before
from models.plan.decisions import Plan
from models.plan.keeping import Held, beginning_with
from models.problem.request import GOALS
from models.referee.verdict import MEASURES, Figures, try_plan
from models.standards.norms import load_standards
from optimizer.outcomes import Defect, Infeasible, Rejected, StoppedWithoutPlan
from optimizer.study.jobs.work import Answered, RowCells
from optimizer.study.stress.carried import carried
from optimizer.study.stress.factors.record import Case
from optimizer.study.stress.futures import Future, Futures, in_future
from optimizer.verbs.plan import plan as make_plan

KEPT = ("unplanned", "transfers_lost", "hires_lost")
"""What a fixed plan could not keep (`optimizer.study.stress.carried.Carried`)."""


def measured_cells(told: Figures) -> RowCells:
    """Whether the referee accepts, which hard rules break at how many places, all measures and goals."""
    broken = ";".join(f"{rule}:{n}" for rule, n in told.broken.items())
    goals = {f"goal_{g}": v for g, v in told.goals.items()}
    return {"accepted": int(not told.broken), "broken": broken, **told.measures, **goals}


def future_cells(asked: Futures, future: Future) -> RowCells:
    """A future's number and the values of its factors."""
    return {"future": future.number, **dict(zip(asked.names, future.values, strict=True))}


@dataclass(frozen=True, eq=False)
class Fixed:
    """How one plan fares: judged by the referee, nothing is solved.

    Parameters
    ----------
    case : Case
    asked : Futures
    plan : Plan
    """

    case: Case
    asked: Futures
    plan: Plan

    @property
    def columns(self) -> list[str]:
        """Columns of the table."""
        return study_columns(self)

    def about(self, future: Future) -> RowCells:
        """A future's number and values."""
        return future_cells(self.asked, future)

    def answer(self, future: Future) -> Answered:
        """The row of a future."""
        case = in_future(self.case, self.asked, future)
        standards = load_standards(case.county)
        today = before(case.county, standards, case.times)
        there = carried(self.plan, case, today)
        tried = try_plan(case.county, standards, there.plan, case.times, case.scenario.request(), today)
        return {**{k: getattr(there, k) for k in KEPT}, **measured_cells(tried.figures())}, None


@dataclass(frozen=True, eq=False)
class Remade:
    """Which plan would be made: a solve of its own, with its own time limit, that begins from the fixed plan.

    Parameters
    ----------
    case : Case
        Its scenario's ``seconds`` are each future's.
    asked : Futures
    plan : Plan
    """

    case: Case
    asked: Futures
    plan: Plan

    @property
    def columns(self) -> list[str]:
        """Columns of the table."""
        return study_columns(self)

    def about(self, future: Future) -> RowCells:
        """A future's number and values."""
        return future_cells(self.asked, future)

    def answer(self, future: Future) -> Answered:
        """The row of a future and the plan's ledger; without a plan the row says why."""
        case = in_future(self.case, self.asked, future)
        today = before(case.county, load_standards(case.county), case.times)
        there = carried(self.plan, case, today).plan
        return made_in(case, beginning_with(there))


def made_in(case: Case, keep: Held) -> Answered:
    """The row of a plan that is made in a case, and its ledger; without a plan the row says why.

    Parameters
    ----------
    case : Case
    keep : Held
        What the plan keeps and begins from.
    """
    try:
        made = make_plan(case.county, case.scenario, case.times, keep=keep)
    except Infeasible:
        return {"solve": "infeasible"}, None
    except StoppedWithoutPlan:
        return {"solve": "no_plan"}, None
    except Rejected:
        return {"solve": "rejected"}, None
    except Defect as problem:
        return {"solve": "defect", "why": f"{problem.goal}: {problem.objective} < {problem.bound}"}, None
    cells = {"solve": made.solve.status, **measured_cells(Figures.of(made.verdict))}
    cells |= {f"bound_{g.goal}": float(g.bound) for g in made.solve.goals}
    return cells, made.plan.ledger


def study_columns(work: Fixed | Remade) -> list[str]:
    """Columns of the study's table, in order."""
    goals = [str(g.name) for g in work.case.scenario.goals]
    measures = [m for m, *_ in MEASURES]
    head = ["future", *work.asked.names, "status", "why"]
    every = [f"goal_{g}" for g in GOALS if g != "imbalance"]  # that one is a measure
    if isinstance(work, Fixed):
        return [*head, *KEPT, "accepted", "broken", *measures, *every]
    return [*head, "solve", "accepted", "broken", *measures, *every, *(f"bound_{g}" for g in goals)]
