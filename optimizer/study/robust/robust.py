"""The verb ``robust``: decisions in common for a few futures, everything else decided in each.

1. The own plan of today and of every future (wait and see): what is reached there at best, and its bound.
2. Candidates: the networks of these plans, and what plans agree on (`optimizer.study.robust.networks`). In small counties
   also the network of one model of all futures together, whose bound holds for every network
   (`optimizer.study.robust.joint`).
3. Every candidate in every future, its decisions held and the rest decided anew.
4. The choice by enumeration: least largest regret, or least mean with CVaR (`optimizer.study.robust.choice`).
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from geodata.contract.county import County
from geodata.contract.findings import Finding, InputProblems
from geodata.folder.target import claim
from geodata.roads.scratch import scratch_folder
from geodata.travel.times import TravelTimes, travel_times
from models.plan.decisions import Plan
from models.problem.request import COUNTED_GOALS, GOALS_ABOUT_MEANS
from models.standards.norms import load_standards
from models.study.robust import Robust
from optimizer.scenario import Goal, Scenario, check_scenario
from optimizer.search.task import Report
from optimizer.study.jobs.rows import ToldRows, all_rows
from optimizer.study.jobs.workers import answers
from optimizer.study.robust.choice import CHOICES, REGRET
from optimizer.study.robust.joint import Joint, joint_network
from optimizer.study.robust.networks import (
    COMMON,
    COMMON_BANDS,
    CommonChoice,
    candidates_of,
    held_rows,
    key_of,
)
from optimizer.study.robust.solves import (
    CELL_PLANS,
    CELL_ROWS,
    OWN,
    OWN_PLANS,
    CandidateInFuture,
    Kept,
    RobustFolder,
    robust_key,
)
from optimizer.study.robust.summed import robust_tables
from optimizer.study.stress.factors.record import Case
from optimizer.study.stress.fares import Remade
from optimizer.study.stress.futures import Future, Futures, check_futures, drawn_futures, in_future
from optimizer.verbs.plan import plan as make_plan

MOST_FUTURES = 50
"""Each takes as many plans as there are candidates."""


def robust(
    county: County,
    asked: Futures,
    scenario: Scenario | None = None,
    plan: Plan | None = None,
    folder: Path | None = None,
    *,
    goal: str = "failing",
    common: tuple[str, ...] = (COMMON_BANDS,),
    choose: str = REGRET,
    weight: float = 0.5,
    seconds: float | None = None,
    workers: int = 1,
    scheduler: str | None = None,
    overwrite: bool = False,
    times: TravelTimes | None = None,
    report: Report | None = None,
    told: ToldRows | None = None,
) -> Robust:
    """Which decisions to take for all futures, as long as everything else may follow the future that comes.

    Parameters
    ----------
    county : County
    asked : Futures
        A few of them: draws or a grid.
    scenario : Scenario or None
        Goals, budgets, locks, limits of every plan.
    plan : Plan or None
        Its decisions are one more candidate.
    folder : Path or None
        Rows and plans are written there as they come; the same call goes on where an earlier one was interrupted.
    goal : str
        What the study is about: it comes before the scenario's other goals.
    common : tuple of str
        What is in common: ``bands``, and ``purchases`` if named.
    choose : {"regret", "expected"}
        Least largest regret, or least ``(1 - weight) mean + weight CVaR``.
    weight : float
    seconds : float or None
        Time of each plan; None takes the scenario's.
    workers, scheduler, overwrite, times, report, told
        As for `optimizer.study.stress.stress.stress`.

    Returns
    -------
    Robust

    Raises
    ------
    InputProblems
        A goal whose bound is not about the plan's own value, too many futures, and as `stress`.
    Infeasible, StoppedWithoutPlan, Rejected, Defect
        Of today's own plan.
    """
    scenario = about(scenario or Scenario(), goal, seconds)
    check_scenario(scenario, county)
    futures = drawn_futures(asked)
    _check(asked, futures, goal, common, choose, weight)
    load_standards(county)
    case = Case(county, scenario, times or travel_times(county), asked.seed)
    found = check_futures(asked, case)
    words = (goal, *common, choose, weight)
    with ExitStack() as held:
        if folder is None:
            folder = held.enter_context(scratch_folder()) / "study"
        held.enter_context(claim(folder))
        place = RobustFolder(folder, robust_key(case, asked, plan, words), overwrite)
        if plan is not None:
            place.keep_given(plan)
        base = _base(place, case, report)
        hands = partial(answers, workers=workers, scheduler=scheduler)
        own = all_rows(
            folder / OWN, Remade(case, asked, base), futures, hands, told, _keeping(place, OWN_PLANS, county)
        )
        reached = own.loc[own["accepted"].eq(1), "future"]
        plans = {int(n): place.plan(OWN_PLANS, int(n)) for n in reached}
        joint = _joint(place, case, asked, own, futures, goal, choose, weight)
        apart = {n: p for n, p in plans.items() if n > 0}
        states = joint.states if joint is not None and common == (COMMON_BANDS,) else None
        candidates = candidates_of(plans.get(0, base), plan, apart, common, states)
        same = _same(candidates, plans, common)
        every = _cells(candidates, futures)
        left = [c for c in every if (c.candidate, c.future.number) not in same]
        work = Kept(case, asked, candidates)
        solved = all_rows(folder / CELL_ROWS, work, left, hands, told, _keeping(place, CELL_PLANS, county))
        cells = _filled(solved, own, [c for c in every if (c.candidate, c.future.number) in same])
        result = robust_tables(
            case, asked, goal, common, choose, weight, own, cells, candidates, joint, found
        )
        return replace(
            result,
            options={"seconds": seconds, "given": plan is not None},
            plan=_chosen(place, candidates[result.chosen - 1], solved, plans, (result.chosen, 0) in same),
        )


def _base(place: RobustFolder, case: Case, report: Report | None) -> Plan:
    """Today's own plan, as an earlier call left it or made now."""
    base = place.base()
    if base is None:
        base = make_plan(case.county, case.scenario, case.times, report).plan
        place.keep_base(base)
    return base


def _same(
    candidates: tuple[CommonChoice, ...], plans: dict[int, Plan], common: tuple[str, ...]
) -> set[tuple[int, int]]:
    """Candidates and futures whose own plan has the candidate's decisions, by their numbers."""
    keys = {n: key_of(held_rows(p, common)) for n, p in plans.items()}
    return {(c.number, n) for c in candidates for n, key in keys.items() if key == c.key}


def _filled(solved: pd.DataFrame, own: pd.DataFrame, same: list[CandidateInFuture]) -> pd.DataFrame:
    """All cells: where a future's own plan has the candidate's decisions, it is the candidate's plan there."""
    numbers = pd.DataFrame(
        [(c.number, c.candidate, c.future.number) for c in same], columns=["cell", "candidate", "future"]
    )
    rows = numbers.merge(own, on="future", how="left")
    return pd.concat([t for t in (solved, rows) if len(t)], ignore_index=True)


def _chosen(
    place: RobustFolder, one: CommonChoice, solved: pd.DataFrame, plans: dict[int, Plan], own: bool
) -> Plan:
    """The plan of a candidate today."""
    if own:
        return plans[0]
    mine = solved[(solved["candidate"] == one.number) & (solved["future"] == 0) & solved["accepted"].eq(1)]
    return place.plan(CELL_PLANS, int(mine["cell"].iloc[0])) if len(mine) else one.plan


def about(scenario: Scenario, goal: str, seconds: float | None = None) -> Scenario:
    """The scenario with a goal before its others, and the time of each plan."""
    named = [g for g in scenario.goals if g.name == goal] or [Goal.model_validate({"name": goal})]
    rest = tuple(g for g in scenario.goals if g.name != goal)
    limits = {} if seconds is None else {"seconds": seconds}
    return scenario.model_copy(update={"goals": (*named, *rest), **limits})


def _check(
    asked: Futures, futures: list[Future], goal: str, common: tuple[str, ...], choose: str, weight: float
) -> None:
    """Raise InputProblems for what makes no sense."""

    def wrong(key: str, value: object, **fields: object) -> Finding:
        return Finding("error", f"robust.{key}", fields, value=str(value))

    found = []
    if goal in GOALS_ABOUT_MEANS:
        found.append(wrong("goal_without_bound", goal))
    if asked.design == "morris":
        found.append(wrong("no_morris", asked.design))
    if len(futures) - 1 > MOST_FUTURES:
        found.append(wrong("too_many_futures", len(futures) - 1, most=MOST_FUTURES))
    if not common or set(common) - set(COMMON) or COMMON_BANDS not in common:
        found.append(wrong("common", ", ".join(common), known=", ".join(COMMON)))
    if choose not in CHOICES:
        found.append(wrong("choose", choose, known=", ".join(CHOICES)))
    if not 0 <= weight <= 1:
        found.append(wrong("weight", weight))
    if found:
        raise InputProblems(found)


def _keeping(place: RobustFolder, where: str, county: County):  # type: ignore[no-untyped-def]
    return lambda number, ledger: place.keep_plan(where, number, ledger, county.year)


def _cells(candidates: tuple[CommonChoice, ...], futures: list[Future]) -> list[CandidateInFuture]:
    """Every candidate in every future; today first, since the price is of today."""
    many = len(futures)
    return [
        CandidateInFuture((c.number - 1) * many + k, c.number, future)
        for c in candidates
        for k, future in enumerate(futures)
    ]


def _joint(
    place: RobustFolder, case: Case, asked: Futures, own: pd.DataFrame, futures: list[Future], goal: str, choose: str,
    weight: float,
) -> Joint | None:  # fmt: skip
    """What the model of all futures together says; None where it is not stated."""
    joint = place.joint()
    if joint is not None:
        return joint
    rows = own.set_index("future")
    some = [f for f in futures if f.number > 0 and rows.at[f.number, "accepted"] == 1]
    if not some:
        return None
    best = np.array([float(rows.at[f.number, f"goal_{goal}"]) for f in some])
    cases = [in_future(case, asked, f) for f in some]
    seconds = case.scenario.seconds * len(some)
    joint = joint_network(cases, goal, best, choose, weight, asked.alpha, seconds)
    if joint is not None:
        if goal in COUNTED_GOALS and choose == REGRET:  # counts differ by whole ones
            joint = replace(joint, bound=float(np.ceil(joint.bound - 1e-6)))
        place.keep_joint(joint)
    return joint
