"""The verb ``alternatives``: plans nearly as good as the best that decide otherwise.

With the imbalance held within a share of the best, the bands whose state differs from every plan found so
far (the smallest Hamming distance to any of them) are made as many as possible; then, for those bands, the
plan is made as good as it can be. HiGHS has no solution pool; a limiting row, one row for each plan found
and one more objective do it.

Three models serve a whole study and are never built anew (`optimizer.study.nearby.Nearby`): whole heads for the
best plan and the distances, fractions for the villages of chosen bands and the replacement costs
(`optimizer.study.replacement`), the splitter for the plans themselves.
"""

from __future__ import annotations

import math
import time
from dataclasses import replace

from geodata.contract.county import County
from geodata.contract.findings import Finding, InputProblems
from geodata.travel.times import TravelTimes
from models.plan.differences.comparison import plan_changes
from models.study.analysis import Alternative, Alternatives
from optimizer.scenario import Scenario
from optimizer.search.task import Report
from optimizer.solver.limits import SOLVER, Answer, Progress
from optimizer.solver.stopping import Stop, heeding
from optimizer.study.nearby import Nearby, NearlyBest, bounds_of, open_nearby, villages_for
from optimizer.study.replacement import decisions
from optimizer.study.study import STUDIED, Made, Study, judged, network_of, open_study


def alternatives(
    county: County,
    scenario: Scenario | None = None,
    k: int = 5,
    within: float = 0.03,
    times: TravelTimes | None = None,
    report: Report | None = None,
    stop: Stop | None = None,
) -> Alternatives:
    """Several plans that are nearly as good and differ most in which bands stay.

    A stop ends the search and keeps the plans found.

    Parameters
    ----------
    county : County
    scenario : Scenario or None
    k : int
        Plans wanted besides the best.
    within : float
        How much worse than the best they may be, as a share of its objective (by the referee).
    times : TravelTimes or None
    report : callable or None
    stop : Stop or None
        None: Ctrl-C stops.

    Returns
    -------
    Alternatives
        Fewer plans than asked for where no more differ.

    Raises
    ------
    InputProblems, Infeasible, StoppedWithoutPlan, Rejected
    """
    begun = time.monotonic()
    if k < 1 or not 0 < within <= 1:
        raise InputProblems(
            [Finding("error", "analysis.bad_alternatives", {"k": k, "within": f"{within:g}"})]
        )
    scenario = scenario or Scenario(preset=STUDIED)
    with heeding(stop) as token:
        study = open_study(county, scenario, times, task=scenario.task(token, report))
        return _found(study, k, within, begun)


def _found(study: Study, k: int, within: float, begun: float) -> Alternatives:
    """The plans of an opened study."""
    county, report = study.county, study.task.report
    search = open_nearby(study)
    exhausted = not search.free
    while len(search.found) <= k and not exhausted and not search.stop_asked():
        if report is not None:
            done = len(search.found) - 1
            report("plans_found", Progress(time.monotonic() - begun, done, k, 1 - done / k, 0))
        found, exhausted = _next(search, within)
        if found is None:
            break
        search.found.append(found)
        search.differ_from(found.state)
    costs = decisions(search)
    rows = [_alternative(search, i) for i in range(len(search.found))]
    return Alternatives(
        county, study.scenario.model_dump(mode="json"), within, search.bound, tuple(rows), costs, exhausted,
        not exhausted and len(rows) <= k, search.stop_asked(), time.monotonic() - begun, SOLVER,
        county.findings + tuple(study.times.findings), {"k": k},
    )  # fmt: skip


def _next(search: Nearby, within: float) -> tuple[NearlyBest | None, bool]:
    """One more plan, and whether the search has proven that there is none.

    Only a solve at the share itself proves anything, since the model's tangents understate; bands that
    are proven past the share are ruled out, after others the limit is tightened.
    """
    bridge, best = search.whole.bridge, search.found[0].made.objective
    study, method = search.study, search.study.task.method
    limit = best * (1 + within)
    held, most, tries = limit, len(search.free), 0
    limits = replace(study.limits, gap=method.apart_gap)
    limits = limits if study.whole else limits.fewer(method.apart_nodes)
    while tries < method.apart_tries:
        mark = bridge.rows
        bridge.limit_goal(study.goal, held)
        answer = bridge.solve("distance", limits, start=search.start, progress=study.task.watch("distance"))
        bridge.forget_rows(mark)
        sure = held == limit
        if answer.values is None:
            return None, sure and answer.status == "infeasible"
        if answer.objective > -0.5:
            return None, sure and answer.bound > -0.5
        if search.stop_asked():
            break
        if sure:
            most = min(most, math.floor(-answer.bound + 1e-6))
        found, bound = _finish(search, answer, limit)
        if found is not None:
            return replace(found, apart_most=most), False
        if bound > limit * (1 + 1e-9):
            search.rule_out(search.decided(answer.values))
        else:
            held = best + (held - best) / 2
            tries += 1
    return None, False


def _finish(search: Nearby, answer: Answer, limit: float) -> tuple[NearlyBest | None, float]:
    """The best whole plan for the bands of a solution, None where it is past the limit; the bands' bound."""
    assert answer.values is not None
    study, whole, part = search.study, search.whole, search.part
    network = network_of(whole, answer.values)
    whole.tighten(study.goal, answer.values, study.task.method.cut_slack)
    state = search.decided(answer.values)
    start = search.carried(answer.values)
    goals = study.goals
    if not study.whole:
        goals = (goals[0], *[g for g in goals[1:] if g.name == "travel"])
    nearly = villages_for(study, part, bounds_of(part, state), goals, start)
    if nearly is None:
        return None, 0.0
    if search.splitter is None:
        made = judged(study, part, nearly.values, study.request)
        return _accepted(made, state, made.objective, limit), nearly.bound
    # villages at their best for fractions first; those that the whole model chose where heads do not follow
    for choice in (network_of(part, nearly.values), network):
        split = search.splitter.split(choice, 1.0, study.request)
        found = None if split is None else _accepted(split.made, state, nearly.value, limit)
        if found is not None:
            return found, nearly.bound
    return None, nearly.bound


def _accepted(
    made: Made, state: dict[tuple[str, str], bool], value: float, limit: float
) -> NearlyBest | None:
    """A plan that the referee accepts and that is within the limit."""
    if not made.verdict.accepted or made.objective > limit * (1 + 1e-9):
        return None
    return NearlyBest(made, state, value, 0)


def _worse(value: float, best: float) -> float:
    """How much worse than the best, as a share of it; a best of nought allows nothing worse."""
    return (value - best) / abs(best) if best else 0.0


def _alternative(search: Nearby, number: int) -> Alternative:
    """One of the plans found, compared with the best and with those before it."""
    one, best = search.found[number], search.found[0]
    apart = [sum(one.state[k] != other.state[k] for k in search.free) for other in search.found[:number]]
    return Alternative(
        one.made.plan, one.made.verdict, one.made.objective, _worse(one.made.objective, best.made.objective),
        apart[0] if apart else 0, min(apart, default=0), one.apart_most,
        plan_changes(search.study.county, best.made.plan, one.made.plan),
    )  # fmt: skip
