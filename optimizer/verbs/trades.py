"""The verb ``trades``: what each goal of a plan could gain, if every other goal gave way by a few per cent.

One model of the whole county serves all goals (`optimizer.verbs.why.open_case`). For goal k the others are held at
``(1 + within)`` times the plan's own value and g_k is made small from the plan on, as a goal of the plan itself is
(`optimizer.search.ordered.Ordered`); its bound holds for every plan that keeps those values.
"""

from __future__ import annotations

import math
import time

import numpy as np
import pandas as pd

from geodata.contract.county import County
from geodata.contract.findings import Finding, InputProblems
from geodata.travel.times import TravelTimes
from models.formulation.goals import UPPER
from models.formulation.solution import unpack
from models.plan.decisions import Plan, PlanResult, Verdict
from models.plan.differences.comparison import plan_changes
from models.referee.verdict import judge
from models.study.trades import GAIN, NO_ROOM, NONE_FOUND, NOT_ASKED, Trade, Trades
from optimizer.search.ordered import Ordered
from optimizer.search.task import Report, Target
from optimizer.solver.limits import SOLVER, Limits
from optimizer.solver.stopping import Stop, heeding
from optimizer.study.study import Made
from optimizer.verbs.explain import compared
from optimizer.verbs.why import Recorded, open_case, recorded_in
from optimizer.why.turning import WhyCase

WITHIN = 0.03
"""Share that every other goal may give up."""
GOAL_SECONDS = 60.0
"""For each goal; nodes end most searches before."""
CLOSE = 0.01
"""Share of a goal's value below which there is hardly anything to gain."""


def trades(
    county: County,
    plan: Recorded | PlanResult,
    within: float = WITHIN,
    seconds: float = GOAL_SECONDS,
    times: TravelTimes | None = None,
    report: Report | None = None,
    stop: Stop | None = None,
) -> Trades:
    """For each goal of a plan the best plan found in which no other goal gives up more than a share.

    Parameters
    ----------
    county : County
    plan : Recorded or PlanResult
        See `optimizer.verbs.why.recorded_plan`.
    within : float
        Share of its value that every other goal may give up.
    seconds : float
        For each goal.
    times : TravelTimes or None
        None computes them.
    report : callable or None
    stop : Stop or None
        None: Ctrl-C stops; goals whose turn never came are ``not_asked``.

    Returns
    -------
    Trades

    Raises
    ------
    InputProblems
        A share that makes no sense, or a plan that does not keep the rules.
    """
    if not 0 < within <= 1:
        raise InputProblems([Finding("error", "analysis.bad_share", {"within": f"{within:g}"})])
    asked = recorded_in(plan) if isinstance(plan, PlanResult) else plan
    with heeding(stop) as token:
        case = open_case(county, asked, times, asked.scenario.task(token, report), True)
        done = tuple(_trade(case, goal, within, seconds) for goal in case.task.goals)
        return Trades(
            county, asked.plan.plan_id, within, seconds, done, token.is_set(), SOLVER, asked.findings
        )  # fmt: skip


def _trade(case: WhyCase, goal: Target, within: float, seconds: float) -> Trade:
    """One goal's turn: what it reaches, and the plan where that is better."""
    begun = time.monotonic()
    own = {g.name: case.ground.search.exact(g.name, case.values) for g in case.task.goals}
    most = {n: v + within * abs(v) for n, v in own.items() if n != goal.name}
    values, bound, asked = case.values, math.nan, not case.task.stop.is_set()
    if asked:
        values, bound = _least(case, goal, most, seconds)
    if (
        goal.name in case.bounds and goal.name not in UPPER
    ):  # proven for every plan, whatever the others give up
        bound = float(np.fmax(bound, min(case.bounds[goal.name], own[goal.name])))
    before, made = _seen(case, case.values, case.verdict), None
    least = case.task.method.why_same * abs(before[goal.name]) + 1e-6
    if own[goal.name] - case.ground.search.exact(goal.name, values) > least:
        made = _judged(case, values)
    after = _seen(case, values, made[1]) if made else before
    if before[goal.name] - after[goal.name] <= least:
        made, after = None, before
    reached = after[goal.name]
    if 0 < bound - reached <= 1e-9 * (1 + abs(reached)):  # the same number, added up in another order
        bound = reached
    outcome = GAIN if made else _without(before[goal.name], bound) if asked else NOT_ASKED
    told = pd.DataFrame(
        [(n, v, most.get(n, math.nan), after[n]) for n, v in before.items()], columns=["goal", "plan", "most", "other"]
    )  # fmt: skip
    plan, verdict = made or (None, None)
    return Trade(
        goal.name, before[goal.name], reached, bound, outcome, plan, verdict, told, *_beside(case, plan, verdict),
        time.monotonic() - begun,
    )  # fmt: skip


def _seen(case: WhyCase, values: np.ndarray, verdict: Verdict) -> dict[str, float]:
    """Every goal's value as the front page has it: the referee's, since a solution of the model may hold more than there is.

    A unit that passes may be left as failing by a solution that was not asked about it: a "gain" of that is none.
    """
    judged = verdict.goals.set_index("goal")["plan"]
    search = case.ground.search
    return {
        g.name: float(judged[g.name]) if g.name in judged.index else search.exact(g.name, values)
        for g in case.task.goals
    }


def _least(case: WhyCase, goal: Target, most: dict[str, float], seconds: float) -> tuple[np.ndarray, float]:
    """The best solution found for a goal with the others held, and what is proven; the model is left as it was."""
    bridge, method = case.ground.search.bridge, case.task.method
    mark = bridge.rows
    turn = Ordered(case.ground.search, case.values)
    for name, limit in most.items():
        turn.hold(name, limit)
    limits = Limits(gap=CLOSE, nodes=method.why_nodes, seconds=seconds, seed=case.task.limits.seed)
    answer = turn.one(Target(goal.name), limits)
    bridge.forget_rows(mark)
    # the model holds more than there is of such a goal: its bound, and what it bounds elsewhere, says nothing of the goal itself
    known = goal.name not in UPPER and math.isfinite(answer.bound)
    return turn.values, min(answer.bound, answer.objective) if known else math.nan


def _without(own: float, bound: float) -> str:
    return NO_ROOM if own - bound <= CLOSE * abs(own) + 1e-9 else NONE_FOUND


def _judged(case: WhyCase, values: np.ndarray) -> tuple[Plan, Verdict] | None:
    """The plan of a solution, None where the referee refuses it."""
    search = case.ground.search
    search.load(values)
    plan = unpack(search.model, search.instance, case.times.towns)
    verdict = judge(case.county, case.standards, plan, case.times, case.scenario.request())
    return (plan, verdict) if verdict.accepted else None


def _beside(case: WhyCase, plan: Plan | None, verdict: Verdict | None) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Measures side by side, and every amount that differs."""
    if plan is None or verdict is None:
        return pd.DataFrame(), pd.DataFrame()
    both = compared(Made(case.plan, case.verdict, 0.0), Made(plan, verdict, 0.0))
    return both.rename(columns={"forced": "other"}), plan_changes(case.county, case.plan, plan)
