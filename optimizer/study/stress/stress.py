"""The verb ``stress``: how one plan fares in many futures, and which plan would be made in some of them."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from geodata.contract.county import County
from geodata.contract.findings import Finding, in_one
from geodata.folder.target import claim
from geodata.messages import LANGUAGES
from geodata.roads.scratch import scratch_folder
from geodata.travel.times import TravelTimes, travel_times
from models.plan.decisions import Plan
from models.standards.norms import load_standards
from models.study.stressed import Stress
from optimizer.scenario import Scenario, check_scenario
from optimizer.search.task import Report
from optimizer.study.jobs.rows import ToldRows, all_rows
from optimizer.study.jobs.workers import answers
from optimizer.study.stress.factors.record import Case
from optimizer.study.stress.factors.registry import FACTORS
from optimizer.study.stress.fares import Fixed, Remade
from optimizer.study.stress.futures import Future, Futures, check_futures, drawn_futures
from optimizer.study.stress.kept import FIXED, REMADE, StudyFolder, study_key
from optimizer.study.stress.prim import discover
from optimizer.study.stress.screening import elementary_effects, morris_points
from optimizer.study.stress.tables import (
    decision_table,
    directions,
    done_rows,
    fails,
    measure_table,
    regret_table,
    rule_table,
)
from optimizer.verbs.plan import plan as make_plan


def stress(
    county: County,
    asked: Futures,
    plan: Plan | None = None,
    scenario: Scenario | None = None,
    folder: Path | None = None,
    *,
    remake: int = 0,
    seconds: float | None = None,
    workers: int = 1,
    scheduler: str | None = None,
    overwrite: bool = False,
    times: TravelTimes | None = None,
    report: Report | None = None,
    told: ToldRows | None = None,
) -> Stress:
    """How a plan fares in futures that differ from the county's tables.

    Parameters
    ----------
    county : County
    asked : Futures
    plan : Plan or None
        None makes it first, for the county as it stands, and keeps it in the folder.
    scenario : Scenario or None
        Budgets and locks that the plan is judged against; goals, limits and time of each plan that is made.
    folder : Path or None
        Rows are written there as they come; the same call goes on where an earlier one was interrupted.
    remake : int
        In how many futures a plan is made again: spread evenly over them, the same ones whatever the number of workers.
    seconds : float or None
        Time of each plan that is made again; None takes the scenario's.
    workers : int
        Processes; with 1 everything is done in this one. The rows are the same.
    scheduler : str or None
        Address of a Dask scheduler (``tcp://host:8786``) whose workers do the work instead.
    overwrite : bool
        Throw away another study that the folder holds.
    times : TravelTimes or None
        None computes them.
    report : callable or None
        Of the plan that is made first.
    told : callable or None

    Returns
    -------
    Stress

    Raises
    ------
    InputProblems
        A part of a factor that the county does not have; a folder that holds something else; a cluster that
        cannot be used.
    Infeasible, StoppedWithoutPlan, Rejected, Defect
        Of the plan that is made first.
    """
    scenario = scenario or Scenario()
    check_scenario(scenario, county)
    load_standards(county)
    case = Case(county, scenario, times or travel_times(county), asked.seed)
    found = check_futures(asked, case)
    with ExitStack() as held:
        if folder is None:
            folder = held.enter_context(scratch_folder()) / "study"
        held.enter_context(claim(folder))
        place = StudyFolder(folder, study_key(case, asked, plan, seconds), overwrite)
        if plan is None:
            plan = place.plan() or make_plan(county, scenario, case.times, report).plan
        place.keep_plan(plan)
        futures = drawn_futures(asked)
        hands = partial(answers, workers=workers, scheduler=scheduler)
        fixed = all_rows(place.place / FIXED, Fixed(case, asked, plan), futures, hands, told)
        some = _spread(futures, remake)
        limits = {} if seconds is None else {"seconds": seconds}
        again = replace(case, scenario=scenario.model_copy(update=limits))

        def keep(number: int, ledger: pd.DataFrame) -> None:
            place.keep_ledger(number, ledger, county.year)

        remade = all_rows(place.place / REMADE, Remade(again, asked, plan), some, hands, told, keep)
        found += _unfinished(fixed)
        plans = [place.ledger(int(n)) for n in remade.loc[_with_plan(remade), "future"]]
    options = {"remake": remake, "seconds": seconds}
    return replace(_summed(case, asked, plan, fixed, remade, plans, tuple(found)), options=options)


def _with_plan(remade: pd.DataFrame) -> pd.Series:
    return (remade["future"] > 0) & remade["accepted"].eq(1)


def _spread(futures: list[Future], count: int) -> list[Future]:
    """Some of the futures, evenly over their numbers; never today."""
    rest = futures[1:]
    at = np.unique(np.linspace(0, len(rest) - 1, min(count, len(rest))).round().astype(int))
    return [rest[i] for i in at] if count > 0 else []


def _unfinished(fixed: pd.DataFrame) -> list[Finding]:
    """Futures without figures, counted by what went wrong."""
    bad = fixed[fixed["status"] != "done"]
    return [
        Finding(
            "warning",
            "stress.without_figures",
            {
                "count": len(rows),
                "why": {x: in_one(why, x) for x in LANGUAGES},
                "first": int(rows["future"].iloc[0]),
            },
        )
        for why, rows in bad.groupby("why", sort=True)
    ]


def _summed(
    case: Case, asked: Futures, plan: Plan, fixed: pd.DataFrame, remade: pd.DataFrame, plans: list[Plan], found: tuple[Finding, ...]
) -> Stress:  # fmt: skip
    rows = done_rows(fixed)
    failed = fails(rows, asked.failure)
    box = None
    if asked.design != "morris" and len(rows):
        box = discover(
            asked.names, rows[list(asked.names)].to_numpy(float), failed, asked.held_out, asked.seed
        )
    return Stress(
        case.county, case.scenario.model_dump(mode="json"), asked.model_dump(mode="json"),
        {f.name: FACTORS[f.id].unit for f in asked.factor}, plan, fixed, remade, measure_table(fixed, asked.alpha),
        rule_table(fixed), regret_table(fixed, remade, tuple(str(g.name) for g in case.scenario.goals)),
        decision_table(case.county, plan, plans), _effects(asked, fixed), int(failed.sum()), len(rows), box, found,
    )  # fmt: skip


def _effects(asked: Futures, fixed: pd.DataFrame) -> pd.DataFrame:
    """Elementary effects of a ``morris`` design; none otherwise, or where a future has no figures."""
    rows = fixed[fixed["future"] > 0]
    values = rows[list(directions())].assign(accepted=rows["accepted"])
    if asked.design != "morris" or not rows["status"].eq("done").all():
        values = values.iloc[:, :0]
        return elementary_effects(asked.names, np.zeros((0, len(asked.names))), values, asked.seed)
    points = morris_points(asked.names, asked.futures, asked.seed)
    return elementary_effects(asked.names, points, values, asked.seed)
