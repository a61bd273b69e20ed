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
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from geodata.contract.county import County
from geodata.contract.findings import Finding, InputProblems
from geodata.contract.tables import EARMARKS
from geodata.travel.times import TravelTimes, travel_times
from models.formulation.goals import UPPER
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
from optimizer.study.budget_grid import in_year, prices, proven_bounds, share_grid
from optimizer.study.study import (
    EVERY,
    STUDIED,
    Made,
    Network,
    Shared,
    Splitter,
    Study,
    network_of,
    open_study,
    share_of_budget,
)

NOTHING = pd.DataFrame(columns=COLUMNS)
NETWORKS_TRIED = 3
"""At every budget at most."""
NEGLIGIBLE = 1e-6


@dataclass(eq=False)
class Candidate:
    """A network found by one of the solves, with the share of the budget that it was found for."""

    network: Network
    values: np.ndarray
    columns: dict[int, float]
    share: float


@dataclass
class Sweep:
    """The work of one frontier: the shared models, the networks and the bounds found so far."""

    study: Study
    shared: Shared
    splitter: Splitter
    earmark: str
    pool: dict[tuple[object, ...], Candidate]
    lines: list[tuple[float, float]]
    own: dict[float, float]
    interrupted: bool = False

    @property
    def halted(self) -> bool:
        """True while a stop is in force; `wind_up` lifts it."""
        return self.study.task.stop.is_set()

    def stop_asked(self) -> bool:
        """True once a stop was asked for."""
        return self.interrupted or self.halted

    def wind_up(self) -> None:
        """After a stop the networks found are still made into plans; a second one ends that too."""
        self.interrupted = self.stop_asked()
        self.study.task.stop.clear()

    def add(self, values: np.ndarray) -> None:
        """Keep a solution's network."""
        network = network_of(self.shared.search, values)
        if network.key not in self.pool:
            share = float(values[self.shared.column])
            self.pool[network.key] = Candidate(network, values, network.columns(self.shared.bridge), share)


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

    Raises
    ------
    InputProblems
        A range or earmark that makes no sense, or nothing to vary.
    Infeasible, StoppedWithoutPlan, Rejected
        As `optimizer.verbs.plan.plan`, when no budget of the range has a plan.
    """
    begun = time.monotonic()
    scenario = scenario or Scenario(preset=STUDIED)
    check_scenario(scenario, county)
    _check(budgets(county, scenario.request()), points, least, most, earmark)
    times = times or travel_times(county)
    county = in_year(county, scenario, times, later)
    with heeding(stop) as token:
        study = open_study(county, scenario, times, most, scenario.task(token, report))
        return replace(_swept(study, points, least, most, earmark, networks, begun, cuts), later=later)


def _swept(
    study: Study,
    points: int,
    least: float | None,
    most: float,
    earmark: str,
    networks: int | None,
    begun: float,
    cuts: Sequence[float],
) -> Frontier:
    """The sweep of an opened study."""
    county, method = study.county, study.task.method
    shared = share_of_budget(study.instance, study.task, study.whole, most, earmark)
    sweep = Sweep(study, shared, Splitter(study, most, earmark), earmark, {}, [], {})
    found, proven = _least_share(sweep)
    shares = share_grid(
        points, least if least is not None else min(proven, most) if math.isnan(found) else found, most, cuts
    )
    relaxed: dict[float, float] = {}
    _search(sweep, shares, method.frontier_networks if networks is None else networks, proven, relaxed)
    sweep.wind_up()
    bounds = proven_bounds(shares, sweep.lines, {**relaxed, **sweep.own})
    if (
        study.goal in UPPER
    ):  # the model holds more of it than there is: nothing is proven but that it is not below zero
        bounds = [0.0] * len(shares)
    made = _plans(sweep, shares, proven, bounds)
    rows = _points(sweep, shares, bounds, made, proven)
    if all(p.plan is None for p in rows):
        if all(p.status == "infeasible" for p in rows):
            raise Infeasible(why_infeasible(replace(study.instance, budget=_budget(study, most, earmark))))
        raise StoppedWithoutPlan("no_plan")
    return Frontier(
        county, study.scenario.model_dump(mode="json"), earmark, tuple(rows), found, proven, len(sweep.pool), sweep.stop_asked(),
        time.monotonic() - begun, SOLVER, county.findings + tuple(study.times.findings),
    )  # fmt: skip


def _search(
    sweep: Sweep, shares: list[float], networks: int, proven: float, relaxed: dict[float, float]
) -> None:
    """Fill the sweep's pool, lines and own bounds, and ``relaxed`` by share; a stop ends it early."""
    most, whole = sweep.shared.most, sweep.study.whole
    targets = sorted({shares[round(i)] for i in np.linspace(0, len(shares) - 1, networks + 1)})
    _relaxed(sweep, targets, relaxed)
    for price in prices(targets, [relaxed.get(s, -math.inf) for s in targets]):
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


def _budget(study: Study, share: float, earmark: str) -> dict[str, float]:
    """Yuan by earmark at a share."""
    return {e: v * (share if earmark in (EVERY, e) else 1.0) for e, v in study.instance.budget.items()}


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


def _relaxed(sweep: Sweep, shares: list[float], values: dict[float, float]) -> None:
    """Write the relaxation's value by share; infinite where infeasible."""
    for share in reversed(shares):
        if sweep.stop_asked():
            return
        sweep.shared.at(share)
        study = sweep.study
        answer = sweep.shared.search.relax(study.task.method.study_rounds, study.limits, goal=study.goal)
        values[share] = math.inf if answer.status == "infeasible" else answer.bound


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


def _suited(sweep: Sweep, share: float) -> list[tuple[float, Candidate]]:
    """The networks by the relaxation's value at a share, best first; those that do not fit left out."""
    bridge, found = sweep.shared.bridge, []
    sweep.shared.at(share)
    bridge.relax(True)
    for candidate in sweep.pool.values():
        bridge.fix(candidate.columns)
        answer = bridge.solve(sweep.study.goal, sweep.study.limits)
        bridge.release(candidate.columns)
        if answer.values is not None:
            found.append((answer.objective, candidate))
    bridge.relax(False)
    return sorted(found, key=lambda f: f[0])


def _cross(sweep: Sweep, share: float) -> None:
    """A network between its neighbours: what the nearest ones below and above agree on is kept.

    Buses and closures make networks lumpy: one that suits a budget may not fit the next smaller one. The
    solve is small, since neighbours agree on most villages.
    """
    by_share = sorted(sweep.pool.values(), key=lambda c: c.share)
    most = sweep.study.task.method.frontier_crossed
    below = [c for c in by_share if c.share <= share][-most:]
    near = below + [c for c in by_share if c.share > share][:most]
    if not near:
        return
    same = {i: v for i, v in near[0].columns.items() if all(c.columns[i] == v for c in near[1:])}
    if len(same) == len(near[0].columns):
        return
    bridge = sweep.shared.bridge
    sweep.shared.at(share)
    bridge.fix(same)
    start = below[-1].values if below else None
    answer = bridge.solve(sweep.study.goal, sweep.study.limits, start=start)
    bridge.release(same)
    if answer.values is not None:
        sweep.add(answer.values)


def _plans(sweep: Sweep, shares: list[float], proven: float, bounds: list[float]) -> list[Made | None]:
    """A whole plan at every share, upwards; a stop leaves the others without."""
    made: list[Made | None] = []
    last: Candidate | None = None
    for share, bound in zip(shares, bounds, strict=True):
        best = None
        if share >= proven - 1e-9 and not sweep.halted:
            best, last = _plan_at(sweep, share, last, bound)
        made.append(best)
    return made


def _plan_at(
    sweep: Sweep, share: float, last: Candidate | None, bound: float
) -> tuple[Made | None, Candidate | None]:
    """A share's plan and its network: the neighbour's, ``last``, is kept where it is as good.

    The relaxation says which network to try first. Where it is far below the plan that comes of it (whole heads and
    places, counts of units) it tells networks apart badly: the next ones are tried as well.
    """
    study, tolerance = sweep.study, sweep.study.goals[0].tolerance
    if not study.whole and not sweep.interrupted:
        _cross(sweep, share)
    request = replace(study.scenario.request(), budget=_budget(study, share, sweep.earmark))
    ranked = _suited(sweep, share)
    kept = [f for f in ranked if f[1] is last and f[0] <= ranked[0][0] * (1 + tolerance)]
    tried = kept + [f for f in ranked if f[1] is not last or not kept]
    enough = bound * (1 + max(study.limits.gap, tolerance)) + NEGLIGIBLE
    best: tuple[Made, Candidate] | None = None
    for least, candidate in tried[:NETWORKS_TRIED]:
        if best is not None and (
            sweep.interrupted or best[0].objective <= max(enough, least * (1 + tolerance))
        ):
            continue
        made = sweep.splitter.solve(candidate.network, share, request)
        if made is not None and (
            best is None or made.objective * (1 + tolerance) < best[0].objective - NEGLIGIBLE
        ):
            best = made, candidate
    return best or (None, last)


def _points(
    sweep: Sweep, shares: list[float], bounds: list[float], made: list[Made | None], proven: float
) -> list[FrontierPoint]:
    """Points with what changed; a smaller budget's plan is carried on where nothing better was found."""
    study = sweep.study
    rows: list[FrontierPoint] = []
    last: Made | None = None
    for share, bound, own in zip(shares, bounds, made, strict=True):
        budget = _budget(study, share, sweep.earmark)
        best, carried = own, False
        if last is not None and (own is None or own.objective > last.objective * (1 + 1e-9)):
            request = replace(study.scenario.request(), budget=budget)
            again = judge(study.county, study.standards, last.plan, study.times, request)
            best, carried = Made(last.plan, again, last.objective), True
        if best is None:
            status = "infeasible" if share < proven else "no_plan"
            rows.append(
                FrontierPoint(share, budget, status, math.nan, bound, math.nan, False, None, None, NOTHING)
            )  # fmt: skip
            continue
        if not best.verdict.accepted:
            raise Rejected(best.verdict)
        changes = NOTHING if last is None else plan_changes(study.county, last.plan, best.plan)
        gap = max(0.0, best.objective - bound) / max(best.objective, 1e-9)
        rows.append(
            FrontierPoint(share, budget, "plan", best.objective, bound, gap, carried, best.plan, best.verdict, changes)
        )  # fmt: skip
        last = best
    return rows
