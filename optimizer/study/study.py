"""What the analyst's verbs share: one county about one planned mean, solved again and again.

`optimizer.verbs.plan.plan` re-centres the measure for every run, so two runs' objectives are not quite the
same measure. A `Study` keeps the means of the scenario's own relaxation, so that budgets, forced
decisions and alternatives compare.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pyomo.environ as pyo

from geodata.contract.county import County
from geodata.travel.times import TravelTimes, travel_times
from models.formulation.imbalance import measured
from models.formulation.model import GOALS, build_model
from models.formulation.money import EARMARKED, WAN
from models.formulation.solution import unpack
from models.plan.decisions import Plan, Verdict
from models.problem.instance import Instance, build_instance
from models.problem.request import Request
from models.referee.verdict import judge
from models.standards.norms import Standards, load_standards
from optimizer.infeasibility.conflicts import why_infeasible
from optimizer.scenario import Scenario, check_scenario
from optimizer.search.relaxation import NoPlan, bridge_of, centres_of, relax_and_cut
from optimizer.search.split import (
    Report,
    Solved,
    enrolment,
    exact_objective,
    first_goal,
    missing_tangents,
    ordered_goals,
    record,
    solve_split,
)
from optimizer.solver.bridge import Bridge, Limits, Progress
from optimizer.verbs.plan import JOINT_UNITS, Infeasible, Rejected, StoppedWithoutPlan

EVERY = "all"


@dataclass(frozen=True)
class Study:
    """A county and scenario about one planned mean.

    ``whole`` is True where heads and rooms are whole in the network step too (small counties).
    """

    county: County
    standards: Standards
    times: TravelTimes
    scenario: Scenario
    instance: Instance
    whole: bool

    @property
    def limits(self) -> Limits:
        """The scenario's limits of one solve."""
        return self.scenario.limits()

    @property
    def goals(self) -> list[tuple[str, float]]:
        """The scenario's goals in order with their tolerances."""
        return [(str(g.name), g.tolerance) for g in self.scenario.goals]


@dataclass(frozen=True)
class Made:
    """A whole plan with the referee's verdict and its exact objective about the study's means."""

    plan: Plan
    verdict: Verdict
    objective: float


@dataclass
class Shared:
    """A model whose budget is a share of the scenario's: one column instead of right-hand sides."""

    model: pyo.ConcreteModel
    bridge: Bridge
    column: int
    most: float

    def at(self, share: float) -> None:
        """Spend at most this share of the budget from now on."""
        self.bridge.bound(self.column, share, share)

    def free(self, least: float = 0.0) -> None:
        """Let the share be decided."""
        self.bridge.bound(self.column, least, self.most)


def share_of_budget(
    inst: Instance,
    whole: bool,
    most: float,
    earmark: str = EVERY,
    extra: Callable[[pyo.ConcreteModel], None] | None = None,
) -> Shared:
    """The model with budgets in proportion to one variable, so that a sweep needs no new model.

    ``charge[e] <= B[e] share + spill[e]``, ``sum spill <= B[any] share``; with one earmark named, the
    others keep their own right-hand sides (`models.formulation.money.earmark_budgets`).

    Parameters
    ----------
    inst : Instance
    whole : bool
    most : float
        Largest share that will be asked for.
    earmark : str
        "all", or the one that varies.
    extra : callable or None
        Adds rows before the model goes to the solver.
    """  # fmt: skip
    model = build_model(inst, whole=whole)
    model.budget_share = pyo.Var(bounds=(0.0, most))
    model.earmark.deactivate()
    model.any_money.deactivate()
    have = {e: inst.budget.get(e, 0.0) / WAN for e in (*EARMARKED, "any")}
    varies = {e: earmark in (EVERY, e) for e in have}

    def money(e: str) -> object:
        return have[e] * (model.budget_share if varies[e] else 1.0)

    model.share_earmark = pyo.Constraint(EARMARKED, rule=lambda m, e: m.charge[e] <= money(e) + m.spill[e])
    model.share_any = pyo.Constraint(expr=sum(model.spill[e] for e in EARMARKED) <= money("any"))
    model.goal_share = pyo.Objective(expr=model.budget_share)
    model.goal_share.deactivate()
    if extra is not None:
        extra(model)
    bridge = Bridge(model, {**{n: model.component(f"goal_{n}") for n in GOALS}, "share": model.goal_share})
    return Shared(model, bridge, bridge.position[id(model.budget_share)], most)


def open_study(
    county: County, scenario: Scenario | None = None, times: TravelTimes | None = None, most: float = 1.0
) -> Study:
    """Read a scenario's request and settle the planned means of the measure.

    Parameters
    ----------
    county : County
    scenario : Scenario or None
    times : TravelTimes or None
    most : float
        Share of the budget at which the means are settled when the scenario's own has no plan.

    Raises
    ------
    InputProblems, Infeasible, StoppedWithoutPlan
    """
    scenario = scenario or Scenario()
    check_scenario(scenario, county)
    standards = load_standards(county)
    times = times or travel_times(county)
    inst = build_instance(county, standards, scenario.request(), times)
    shared = share_of_budget(inst, False, max(1.0, most))
    for share in (1.0, most):
        shared.at(share)
        relaxed = relax_and_cut(shared.bridge, shared.model, inst, 4, scenario.limits())
        if relaxed.values is not None or relaxed.status != "infeasible":
            break
    if relaxed.clock or (relaxed.values is None and relaxed.status != "infeasible"):
        raise StoppedWithoutPlan(
            relaxed.status
        )  # means that the clock settled are no means to study anything about
    if relaxed.values is None:
        raise Infeasible(why_infeasible(inst))
    shared.bridge.load(relaxed.values)
    inst = inst.centred(*centres_of(shared.model, inst))
    return Study(county, standards, times, scenario, inst, len(inst.units) <= JOINT_UNITS)


def forced(study: Study, keep_open: tuple[str, ...] = (), close: tuple[str, ...] = ()) -> Study:
    """The same study with further locks; a school named here is no longer asked for the other way."""
    s = study.scenario
    asked = s.model_copy(
        update={
            "keep_open": tuple(dict.fromkeys([*(j for j in s.keep_open if j not in close), *keep_open])),
            "close": tuple(dict.fromkeys([*(j for j in s.close if j not in keep_open), *close])),
        }
    )
    inst = build_instance(study.county, study.standards, asked.request(), study.times)
    inst = inst.centred(study.instance.centres, study.instance.population)
    return replace(study, scenario=asked, instance=inst)


@dataclass(frozen=True)
class Network:
    """Which bands stay and who goes where, as columns of the model that found it.

    ``pairs`` and ``bands`` say the same by the instance's own keys; ``near`` is the continuous amount of
    each indicator, in the resource's own unit, and ``pupils`` the enrolment by unit.
    """

    pairs: dict[int, float]
    bands: dict[tuple[str, str], float]
    pupils: dict[str, float]
    near: dict[tuple[str, str], float]

    def columns(self, bridge: Bridge, model: pyo.ConcreteModel) -> dict[int, float]:
        """The columns that fix this network in a model of the same instance."""
        at = bridge.position
        fixed = {at[id(model.attend[p])]: v for p, v in self.pairs.items()}
        return fixed | {at[id(model.open[k])]: v for k, v in self.bands.items() if id(model.open[k]) in at}

    @property
    def key(self) -> tuple[object, ...]:
        """What tells two networks apart."""
        return (*(p for p, v in self.pairs.items() if v), *(k for k, v in self.bands.items() if v))


def network_of(model: pyo.ConcreteModel, inst: Instance) -> Network:
    """The network of the solution loaded into a model."""
    near = {}
    for u, r in model.spread:
        y, _ = measured(model, inst, u, r)
        near[u, r] = float(pyo.value(y)) * inst.centres[inst.units.at[u, "stage"], r]
    pairs = {int(p): float(round(pyo.value(model.attend[p]))) for p in inst.pairs.index}
    bands = {k: float(round(pyo.value(model.open[k]))) for k in inst.bands.index}
    return Network(pairs, bands, enrolment(model, inst), near)


class Splitter:
    """Whole heads and rooms for any network at any share of the budget: one model, never built anew.

    `optimizer.search.split.solve_split` states a small model for one network; here the network is fixed
    by column bounds, so that tangents found for one network and budget serve the others.
    """

    def __init__(self, study: Study, most: float, earmark: str = EVERY):
        self.study = study
        self.shared = share_of_budget(study.instance, True, most, earmark)
        self.fixed: dict[int, float] = {}
        inst, model, bridge = study.instance, self.shared.model, self.shared.bridge
        self.counted = []
        for u, r in model.spread:
            if inst.standards.resources[r].whole:
                y, people = measured(model, inst, u, r)
                spread = bridge.position[id(model.spread[u, r])]
                self.counted.append((u, r, spread, bridge.terms(y), bridge.terms(people)))

    def _secants(self, network: Network) -> list[tuple[np.ndarray, np.ndarray, float]]:
        """`models.formulation.imbalance.whole_secants` for the network's enrolment, as numbers.

        spread - ((2e+1) / (m P) - 2) y - P >= -e (e+1) / (m^2 P), e = k and what today's rooms have besides
        """
        rows = []
        for u, r, spread, (yi, yv, y0), (pi, pv, p0) in self.counted:
            pupils = network.pupils[u]
            if pupils <= 0:
                continue
            m = self.study.instance.centres[self.study.instance.units.at[u, "stage"], r]
            base = int(network.near[u, r])
            columns, place = np.unique(np.concatenate([[spread], yi, pi]), return_inverse=True)
            beyond = float(self.study.instance.units.at[u, r]) % 1.0
            for k in range(max(0, base - 6), base + 8):
                e = k + beyond
                slope = (2 * e + 1) / (m * pupils) - 2.0
                value = np.zeros(len(columns))
                np.add.at(value, place, np.concatenate([[1.0], -slope * yv, -pv]))
                rows.append((columns, value, slope * y0 + p0 - e * (e + 1) / (m * m * pupils)))
        return rows

    def solve(
        self, network: Network, share: float, request: Request, report: Report | None = None
    ) -> Made | None:
        """The best whole plan on a network at a share of the budget, None where none was found."""
        s, study = self.shared, self.study
        bridge, inst = s.bridge, study.instance
        bridge.release(self.fixed)
        self.fixed = network.columns(bridge, s.model)
        bridge.fix(self.fixed)
        s.at(share)
        relax_and_cut(bridge, s.model, inst, 3, study.limits)
        mark = bridge.rows
        bridge.add_least(self._secants(network))
        first = bridge.solve("imbalance", study.limits, progress=watching(report, "imbalance"))
        tangents = []
        if first.values is not None and first.status != "stopped":
            bridge.load(first.values)
            tangents = missing_tangents(s.model, inst)
            if tangents:
                bridge.add_rows(tangents)
                again = bridge.solve(
                    "imbalance", study.limits, start=first.values, progress=watching(report, "imbalance")
                )
                first = again if again.values is not None else first
        if first.values is None:
            bridge.forget_rows(mark)
            return None
        order = [g for g in study.goals if g[0] != "travel"]
        later = replace(study.limits, gap=study.limits.later_gap)
        answer, _ = ordered_goals(bridge, order, first, later, report)
        bridge.forget_rows(mark)  # secants hold for this network only
        if tangents:
            bridge.add_rows(tangents)
        assert answer.values is not None
        bridge.load(answer.values)
        return judged(study, s.model, inst, request)

    def least(self, network: Network) -> float | None:
        """The smallest share with a whole plan on a network, None if there is none."""
        self.shared.bridge.release(self.fixed)
        self.fixed = network.columns(self.shared.bridge, self.shared.model)
        self.shared.bridge.fix(self.fixed)
        self.shared.free()
        answer = self.shared.bridge.solve("share", replace(self.study.limits, gap=1e-3))
        return None if answer.values is None else answer.objective


def watching(report: Report | None, step: str) -> Callable[[Progress], None] | None:
    """A solve's progress under the name of a step."""
    return None if report is None else lambda p: report(step, p)


def judged(study: Study, model: pyo.ConcreteModel, inst: Instance, request: Request) -> Made:
    """The loaded solution as a plan with the referee's verdict."""
    made = unpack(model, inst, study.times.towns)
    verdict = judge(study.county, study.standards, made, study.times, request)
    return Made(made, verdict, exact_objective(verdict.indicators, inst))


@dataclass(frozen=True)
class Best:
    """A study's best plan, its proven bound and the network model that it came from."""

    made: Made
    bound: float
    network: Solved
    bridge: Bridge


def best_plan(study: Study, report: Report | None = None) -> Best:
    """The plan of a study about its own means: `optimizer.verbs.plan.plan` without re-centring.

    Raises
    ------
    NoPlan
        Infeasible (proven) or stopped.
    Rejected
    """
    inst, goals = study.instance, study.goals
    model = build_model(inst, whole=study.whole)
    bridge = bridge_of(model)
    relax_and_cut(bridge, model, inst, 6, study.limits)
    first = first_goal(bridge, model, inst, study.limits, report)
    if first.values is None:
        raise NoPlan(first.status, inst)
    on_network = goals if study.whole else [g for g in goals if g[0] != "cost"]
    # small counties reach the later goals to the first one's gap, so that two plans' measures compare
    later = study.limits if study.whole else replace(study.limits, gap=study.limits.later_gap)
    mark = bridge.rows
    answer, _ = ordered_goals(bridge, on_network, first, later, report)
    bridge.forget_rows(mark)
    assert answer.values is not None
    bridge.load(answer.values)
    network = Solved(model, inst, (record("imbalance", first, 0.0),), answer)
    request = study.scenario.request()
    if study.whole:
        made = judged(study, model, inst, request)
    else:
        split = solve_split(network, goals, study.limits, report)
        made = judged(study, split.model, split.instance, request)
    if not made.verdict.accepted:
        raise Rejected(made.verdict)
    return Best(made, first.bound, network, bridge)
