"""The verb ``alternatives``: plans nearly as good as the best that decide otherwise.

With the imbalance held within a share of the best, the bands whose state differs from every plan found so
far (the smallest Hamming distance to any of them) are made as many as possible; then, for those bands, the
plan is made as good as it can be. HiGHS has no solution pool; a limiting row, one row for each plan found
and one more objective do it.

A decision is always, sometimes or never taken over these plans. Its replacement cost is what the objective
rises by when it is forced the other way: at most what a plan with the decision forced has (all other
bands as in the best plan, or any alternative that decides so), at least what the relaxation proves.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
import pyomo.environ as pyo

from geodata.county import County
from geodata.findings import Finding, InputProblems
from geodata.traveltimes import TravelTimes
from models.analysis import Alternative, Alternatives
from models.changes import plan_changes
from models.formulation import GOALS, build_model
from optimizer.explaining import best_of
from optimizer.highs import SOLVER, Answer, Bridge
from optimizer.network_first import (
    NoPlan,
    Report,
    Solved,
    missing_tangents,
    record,
    relax_and_cut,
    solve_split,
)
from optimizer.scenario import Scenario
from optimizer.studies import Best, Made, Study, judged, open_study, watching

TRIES = 4
"""How often the limit on the network's imbalance is tightened when whole heads push a plan past it."""


@dataclass
class Search:
    """The distance model of a study: one objective more, one row for each plan found."""

    study: Study
    model: Any
    bridge: Bridge
    free: list[tuple[str, str]]
    found: list[dict[tuple[str, str], bool]] = field(default_factory=list)


def alternatives(
    county: County,
    scenario: Scenario | None = None,
    k: int = 5,
    within: float = 0.03,
    times: TravelTimes | None = None,
    report: Report | None = None,
) -> Alternatives:
    """Several plans that are nearly as good and differ most in which bands stay.

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
    study = open_study(county, scenario, times)
    best = best_of(study, report)
    search = _search(study, best)
    plans = [best.made]
    exhausted = not search.free
    while len(plans) <= k and not exhausted:
        made, exhausted = _next(search, best, within, report)
        if made is None:
            break
        plans.append(made)
    rows = [_alternative(study, search, plans[0], p, i) for i, p in enumerate(plans)]
    return Alternatives(
        county, study.scenario.model_dump(mode="json"), within, best.bound, tuple(rows),
        _decisions(study, search, best, plans), exhausted, not exhausted and len(plans) <= k, time.monotonic() - begun, SOLVER,
        county.findings + tuple(study.times.findings),
    )  # fmt: skip


def _search(study: Study, best: Best) -> Search:
    """The network model with a distance to be made large."""
    inst = study.instance
    model = build_model(inst, whole=study.whole)
    free = [k for k in inst.bands.index if inst.bands.at[k, "lock"] == "free"]
    model.distance = pyo.Var(bounds=(0, max(1, len(free))))
    model.goal_distance = pyo.Objective(expr=-1.0 * model.distance + 0.0 * model.charge["building"])
    model.goal_distance.deactivate()
    # the distance needs a row of its own to be a column of the solver's model
    model.distance_most = pyo.Constraint(expr=model.distance <= max(1, len(free)))
    bridge = Bridge(
        model, {**{n: model.component(f"goal_{n}") for n in GOALS}, "distance": model.goal_distance}
    )
    relax_and_cut(bridge, model, inst, rounds=6)
    search = Search(study, model, bridge, free)
    _differ_from(search, state_of(search, best.made))
    return search


def state_of(search: Search, made: Made) -> dict[tuple[str, str], bool]:
    """Which of the free bands a plan keeps."""
    is_open = made.plan.bands.set_index(["school_id", "band"])["open"]
    return {k: bool(is_open[k]) for k in search.free}


def _differ_from(search: Search, state: dict[tuple[str, str], bool]) -> None:
    """Distance <= number of free bands decided otherwise than in a plan."""
    if not search.free:
        return
    model = search.model
    apart = sum(1 - model.open[k] if kept else model.open[k] for k, kept in state.items())
    search.bridge.add_rows([apart - model.distance >= 0])
    search.found.append(state)


def _next(search: Search, best: Best, within: float, report: Report | None) -> tuple[Made | None, bool]:
    """One more plan, and whether the search has proven that there is none."""
    study, bridge = search.study, search.bridge
    limit = best.made.objective * (1 + within)
    assert best.network.answer.values is not None
    least = float(pyo.value(best.network.model.goal_imbalance))
    held = limit if study.whole else least * (1 + within)
    for _ in range(TRIES):
        mark = bridge.rows
        bridge.limit_goal("imbalance", held)
        answer = bridge.solve(
            "distance", replace(study.limits, gap=0.05), progress=watching(report, "distance")
        )
        bridge.forget_rows(mark)
        if answer.values is None:
            return None, answer.status == "infeasible"
        if answer.objective > -0.5:
            return None, answer.bound > -0.5
        made = _finish(search, answer, report)
        if made is not None and made.objective <= limit * (1 + 1e-9):
            _differ_from(search, state_of(search, made))
            return made, False
        held = least + (held - least) / 2  # whole heads or missing tangents pushed it past the limit
    return None, False


def _finish(search: Search, answer: Answer, report: Report | None) -> Made | None:
    """The best whole plan for the bands of a solution."""
    study, bridge, model, inst = search.study, search.bridge, search.model, search.study.instance
    assert answer.values is not None
    columns = _columns(search, answer.values)
    bridge.fix(columns)
    good = bridge.solve("imbalance", study.limits, start=answer.values)
    if good.values is not None:
        bridge.load(good.values)
        rows = missing_tangents(model, inst)
        if rows:
            bridge.add_rows(rows)
            again = bridge.solve("imbalance", study.limits, start=good.values)
            good = again if again.values is not None else good
    bridge.release(columns)
    if good.values is None:
        return None
    bridge.load(good.values)
    request = study.scenario.request()
    if study.whole:
        made = judged(study, model, inst, request)
    else:
        network = Solved(model, inst, (record("imbalance", good, 0.0),), good)
        try:
            split = solve_split(network, study.goals, study.limits, report)
        except NoPlan:
            return None
        made = judged(study, split.model, split.instance, request)
    return made if made.verdict.accepted else None


def _columns(search: Search, values: np.ndarray) -> dict[int, float]:
    """The free bands' columns at a solution."""
    at = {k: search.bridge.position[id(search.model.open[k])] for k in search.free}
    return {i: float(round(values[i])) for i in at.values()}


def _alternative(study: Study, search: Search, best: Made, made: Made, number: int) -> Alternative:
    one, two = state_of(search, best), state_of(search, made)
    return Alternative(
        made.plan, made.verdict, made.objective, made.objective / best.objective - 1 if number else 0.0,
        sum(one[k] != two[k] for k in one), plan_changes(study.county, best.plan, made.plan),
    )  # fmt: skip


def _decisions(study: Study, search: Search, best: Best, plans: list[Made]) -> pd.DataFrame:
    """How often each free school gives something up, and what the other decision would cost."""
    states = [state_of(search, p) for p in plans]
    about = study.county.schools.set_index("school_id")
    rows = []
    for school_id in sorted({j for j, _ in search.free}):
        keys = [k for k in search.free if k[0] == school_id]
        gone = [any(not s[k] for k in keys) for s in states]
        state = "keep" if not gone[0] else "close" if not any(states[0][k] for k in keys) else "reduce"
        other = "close" if state == "keep" else "keep"
        most, least = _forced(search, best, states[0], keys, float(other == "keep"))
        same = [
            p.objective
            for p, s in zip(plans, states, strict=True)
            if all(s[k] == (other == "keep") for k in keys)
        ]
        most = min([most, *[v - best.made.objective for v in same]])
        recurs = "always" if all(gone) else "sometimes" if any(gone) else "never"
        rows.append(
            (
                school_id, about.at[school_id, "name"], about.at[school_id, "township"], state, sum(gone), len(gone), recurs, other,
                max(0.0, most), max(0.0, min(least, most)),
            )
        )  # fmt: skip
    columns = [
        "school_id",
        "school",
        "township",
        "best",
        "closes",
        "of",
        "recurs",
        "other",
        "cost_most",
        "cost_least",
    ]
    return pd.DataFrame(rows, columns=columns)


def _forced(
    search: Search, best: Best, state: dict[tuple[str, str], bool], keys: list[tuple[str, str]], value: float
) -> tuple[float, float]:
    """Rise of the network's imbalance with a school forced: found with the other bands kept, and proven.

    In small counties every other band is free and the solve is exact to the scenario's gap.
    """
    study, bridge = search.study, search.bridge
    at = {k: bridge.position[id(search.model.open[k])] for k in search.free}
    forced = {at[k]: value for k in keys}
    bridge.fix(forced)
    bridge.relax(True)
    relaxed = bridge.solve("imbalance", study.limits)
    bridge.relax(False)
    least = math.inf
    most = math.inf
    own = float(pyo.value(best.network.model.goal_imbalance))
    if relaxed.values is not None:
        least = relaxed.objective - own
        rest = {} if study.whole else {at[k]: float(v) for k, v in state.items() if k not in keys}
        bridge.fix(rest) if rest else None
        answer = bridge.solve("imbalance", study.limits)
        bridge.release(rest)
        if answer.values is not None:
            most = answer.objective - own
        if study.whole:
            least = max(least, answer.bound - own)
    bridge.release(forced)
    return most, least
