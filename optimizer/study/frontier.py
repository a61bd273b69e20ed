"""The verb ``frontier``: what each budget reaches, with a proven bound at every budget.

Twenty solves from nothing would cost twenty times one. Here the budget is one column of one model:

1. *Bounds by prices.* With a price p on a share of the budget, the least of (imbalance + p share) over all
   plans, L(p), bounds every budget at once: imbalance at share s is at least L(p) - p s. A few prices,
   taken from the slope of the relaxation, bound the whole curve (Lagrangian duality; the solver's own
   bound on L(p) is used, so that an early stop weakens a bound and never breaks it). The relaxation at
   each budget and the bound of every larger budget hold too; the best is kept.
2. *Networks by prices, and between them.* Each priced solve also gives a network. At each budget a small
   solve crosses the nearest ones (what they agree on is kept); then the relaxation with the network
   fixed says which suits the budget best. The neighbour's is kept unless another is better by more than
   the scenario's tolerance, so that plans do not jump for nothing.
3. *Whole plans.* Whole heads and rooms for that network, one model a network, only the share changing.
   A plan of a smaller budget is a plan of a larger one: where none better is found it is carried on.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import asdict, replace

import numpy as np
import pandas as pd

from geodata.contract.county import County
from geodata.contract.findings import Finding, InputProblems
from geodata.contract.tables import EARMARKS
from geodata.travel.times import TravelTimes, travel_times
from models.plan.differences.comparison import COLUMNS, plan_changes
from models.problem.request import budgets
from models.referee.verdict import judge
from models.study.analysis import Frontier, FrontierPoint
from optimizer.infeasibility.conflicts import why_infeasible
from optimizer.outcomes import Infeasible, Rejected, StoppedWithoutPlan
from optimizer.scenario import Scenario, check_scenario
from optimizer.search.task import Report
from optimizer.solver.limits import SOLVER
from optimizer.solver.stopping import Stop, heeding
from optimizer.study.budget_grid import in_year, prices, share_grid
from optimizer.study.splitter import Splitter, WholePlan
from optimizer.study.steady import LEAST_CHANGE, Steadily, steady_points
from optimizer.study.study import EVERY, STUDIED, Study, open_study, share_of_budget
from optimizer.study.sweep import Sweep, budget_at, plans_at
from optimizer.study.switching import Bracketing, check_asked, narrow_flips

NOTHING = pd.DataFrame(columns=COLUMNS)


def frontier(
    county: County,
    scenario: Scenario | None = None,
    points: int = 20,
    least: float | None = None,
    most: float = 2.0,
    earmark: str = EVERY,
    times: TravelTimes | None = None,
    report: Report | None = None,
    networks: int | None = None,
    stop: Stop | None = None,
    cuts: Sequence[float] = (),
    later: int = 0,
    narrow: Bracketing | None = None,
    steadily: Steadily | None = None,
) -> Frontier:
    """What each budget reaches, from the smallest that keeps the hard rules upwards.

    Parameters
    ----------
    county : County
    scenario : Scenario or None
    points : int
        Budgets, at least 2.
    least, most : float
        Smallest and largest budget as shares of the scenario's own; ``least`` None begins at the
        smallest for which a plan is found.
    earmark : str
        "all" varies the whole budget in proportion, the name of an earmark that one alone.
    times : TravelTimes or None
    report : callable or None
    networks : int or None
        Priced solves; None for the method's.
    stop : Stop or None
        The networks found are still made into plans; a second request ends that too. None: Ctrl-C does.
    cuts : sequence of float
        Budgets that are smaller than the scenario's by these shares are looked at, too (`models.study.budgets.cut_list`).
    later : int
        The pupils are those that the county's table expects so many years later: what waiting costs or saves.
    narrow : Bracketing or None
        Between which budgets decisions flip is bracketed more narrowly, by planning for budgets in between.
    steadily : Steadily or None
        Also plans that nest, or change as little as may be, from one budget to the next, and what that costs.

    Raises
    ------
    InputProblems
        A range, earmark, decision or mode that makes no sense, or nothing to vary.
    Infeasible, StoppedWithoutPlan, Rejected
        As `optimizer.verbs.plan.plan`, when no budget of the range has a plan.
    """
    begun = time.monotonic()
    scenario = scenario or Scenario(preset=STUDIED)
    check_scenario(scenario, county)
    _check(budgets(county, scenario.request()), points, least, most, earmark)
    check_asked(narrow, steadily, county)
    times = times or travel_times(county)
    county = in_year(county, scenario, times, later)
    options = {
        "points": points, "least": least, "most": most, "networks": networks, "cuts": list(cuts),
        "narrow": None if narrow is None else asdict(narrow), "steadily": None if steadily is None else asdict(steadily),
    }  # fmt: skip
    with heeding(stop) as token:
        study = open_study(county, scenario, times, most, scenario.task(token, report))
        found = _swept(study, points, least, most, earmark, networks, begun, cuts, narrow, steadily)
        return replace(found, later=later, options=options)


def _swept(
    study: Study,
    points: int,
    least: float | None,
    most: float,
    earmark: str,
    networks: int | None,
    begun: float,
    cuts: Sequence[float],
    narrow: Bracketing | None,
    steadily: Steadily | None,
) -> Frontier:
    """The sweep of an opened study."""
    county, method = study.county, study.task.method
    shared = share_of_budget(study.instance, study.task, study.whole, most, earmark)
    compared = steadily is not None and steadily.mode == LEAST_CHANGE
    sweep = Sweep(study, shared, Splitter(study, most, earmark, compared), earmark)
    found, sweep.proven = _least_share(sweep)
    first = least if least is not None else min(sweep.proven, most) if math.isnan(found) else found
    shares = share_grid(points, first, most, cuts)
    _search(sweep, shares, method.frontier_networks if networks is None else networks)
    sweep.wind_up()
    plans_at(sweep, shares)
    if narrow is not None:
        narrow_flips(sweep, narrow)
    rows = _points(sweep)
    if all(p.plan is None for p in rows):
        if all(p.status == "infeasible" for p in rows):
            raise Infeasible(why_infeasible(replace(study.instance, budget=budget_at(study, most, earmark))))
        raise StoppedWithoutPlan("no_plan")
    steady = () if steadily is None else steady_points(sweep, steadily)
    return Frontier(
        county, study.scenario.model_dump(mode="json"), earmark, tuple(rows), found, sweep.proven, len(sweep.pool), sweep.stop_asked(),
        time.monotonic() - begun, SOLVER, county.findings + tuple(study.times.findings), steady=steady,
        steadily=None if steadily is None else (steadily.mode, steadily.give),
    )  # fmt: skip


def _search(sweep: Sweep, shares: list[float], networks: int) -> None:
    """Fill the sweep's pool, lines and bounds; a stop ends it early."""
    most, whole, proven = sweep.shared.most, sweep.study.whole, sweep.proven
    targets = sorted({shares[round(i)] for i in np.linspace(0, len(shares) - 1, networks + 1)})
    _relaxed(sweep, targets)
    for price in prices(targets, [sweep.relaxed.get(s, -math.inf) for s in targets]):
        if not sweep.stop_asked():
            _priced(sweep, price, min(max(proven, shares[0]), most))
    # the smallest budget and the scenario's own in their own right; in small counties every one
    for share in shares if whole else sorted({max(shares[0], proven), 1.0} & set(shares)):
        if not sweep.stop_asked():
            _direct(sweep, share)


def _check(own: dict[str, float], points: int, least: float | None, most: float, earmark: str) -> None:
    """Raise InputProblems for a range or an earmark that makes no sense."""
    found = []
    if points < 2 or most <= 0 or (least is not None and not 0 <= least < most):
        fields = {"points": points, "least": "-" if least is None else f"{least:g}", "most": f"{most:g}"}
        found.append(Finding("error", "analysis.bad_range", dict(fields)))
    if earmark != EVERY and earmark not in EARMARKS:
        fields = {"earmark": earmark, "known": ", ".join([EVERY, *EARMARKS])}
        found.append(Finding("error", "analysis.bad_earmark", dict(fields)))
    elif any(v != v for v in own.values()):
        found.append(Finding("error", "analysis.budget_unknown"))
    elif sum(v for e, v in own.items() if earmark in (EVERY, e)) <= 0:
        found.append(Finding("error", "analysis.no_budget", {"earmark": earmark}))
    if found:
        raise InputProblems(found)


def _least_share(sweep: Sweep) -> tuple[float, float]:
    """The smallest share with a whole plan found (NaN: none), and that below which none exists."""
    shared, study = sweep.shared, sweep.study
    shared.free()
    answer = shared.bridge.solve("share", replace(study.limits, gap=1e-3))
    if answer.values is None:
        return math.nan, (math.inf if answer.status == "infeasible" else 0.0)
    sweep.add(answer.values)
    found = answer.objective if study.whole else sweep.splitter.least(next(iter(sweep.pool.values())).network)
    return (math.nan if found is None else found), max(0.0, answer.bound)


def _relaxed(sweep: Sweep, shares: list[float]) -> None:
    """The relaxation's value by share; infinite where infeasible."""
    for share in reversed(shares):
        if sweep.stop_asked():
            return
        sweep.shared.at(share)
        study = sweep.study
        answer = sweep.shared.search.relax(study.task.method.study_rounds, study.limits, goal=study.goal)
        sweep.relaxed[share] = math.inf if answer.status == "infeasible" else answer.bound


def _priced(sweep: Sweep, price: float, least: float) -> None:
    """One priced solve: a line that bounds every budget and a network for the pool."""
    shared, study = sweep.shared, sweep.study
    shared.free(min(least, shared.most))
    shared.bridge.add_goal("priced", study.goal, {shared.column: price})
    start = list(sweep.pool.values())[-1].values if sweep.pool else None
    answer = shared.bridge.solve("priced", study.limits, start=start, progress=study.task.watch("priced"))
    if math.isfinite(answer.bound):
        sweep.lines.append((price, answer.bound))
    if answer.values is not None:
        sweep.add(answer.values)
        # the tangents that it asks for serve every later solve
        shared.search.tighten(study.goal, answer.values, study.task.method.cut_slack)


def _direct(sweep: Sweep, share: float) -> None:
    """One budget solved in its own right: its own bound, and a network for the pool."""
    shared, study = sweep.shared, sweep.study
    shared.at(share)
    if study.whole:  # quick, and a tangent more or less weighs more: solved until none is missing
        answer = shared.search.minimise(study.goal, study.limits)
    else:
        below = [c for c in sweep.pool.values() if c.share <= share + 1e-9]
        start = max(below, key=lambda c: c.share).values if below else None
        watch = study.task.watch(study.goal)
        answer = shared.bridge.solve(study.goal, study.limits, start=start, progress=watch)
    if math.isfinite(answer.bound):
        sweep.own[share] = answer.bound
    if answer.values is not None:
        sweep.add(answer.values)


def _points(sweep: Sweep) -> list[FrontierPoint]:
    """Points with what changed; a smaller budget's plan is carried on where nothing better was found."""
    study, shares = sweep.study, sweep.shares
    rows: list[FrontierPoint] = []
    last: WholePlan | None = None
    for share, bound in zip(shares, sweep.bounds(shares), strict=True):
        budget, own = budget_at(study, share, sweep.earmark), sweep.made[share]
        best, carried = own, False
        if last is not None and (own is None or own.made.objective > last.made.objective * (1 + 1e-9)):
            again = judge(study.county, study.standards, last.made.plan, study.times, sweep.request(share))
            # another budget's duals say nothing about this one
            best = replace(last, made=replace(last.made, verdict=again), local={})
            carried = True
        if best is None:
            status = "infeasible" if share < sweep.proven else "no_plan"
            rows.append(
                FrontierPoint(share, budget, status, math.nan, bound, math.nan, False, None, None, NOTHING)
            )  # fmt: skip
            continue
        made = best.made
        if not made.verdict.accepted:
            raise Rejected(made.verdict)
        changes = NOTHING if last is None else plan_changes(study.county, last.made.plan, made.plan)
        gap = max(0.0, made.objective - bound) / max(made.objective, 1e-9)
        rows.append(
            FrontierPoint(
                share, budget, "plan", made.objective, bound, gap, carried, made.plan, made.verdict, changes, best.local
            )
        )  # fmt: skip
        last = best
    return rows
