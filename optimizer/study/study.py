"""What the analyst's verbs share: one county about one planned mean, solved again and again.

`optimizer.verbs.plan.plan` re-centres the measure for every run, so two runs' objectives are not quite the
same measure. A `Study` keeps the means of the scenario's own relaxation, so that budgets, forced
decisions and alternatives compare. It is about the scenario's first goal.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import pyomo.environ as pyo

from geodata.contract.county import County
from geodata.travel.times import TravelTimes, travel_times
from models.formulation.money import EARMARKED, rounding_share
from models.formulation.solution import unpack
from models.plan.decisions import Plan, Verdict
from models.problem.building import build_instance
from models.problem.instance import Instance
from models.problem.request import Request, money_known
from models.referee.verdict import judge
from models.standards.norms import Standards, load_standards
from optimizer.infeasibility.conflicts import why_infeasible
from optimizer.outcomes import Infeasible, Rejected, StoppedWithoutPlan
from optimizer.scenario import Scenario, check_scenario
from optimizer.scenario_sheet import asked_of
from optimizer.search.relaxation import recentred
from optimizer.search.search import Extend, Search
from optimizer.search.solved import Solved
from optimizer.search.split import exact_objective
from optimizer.search.steps import Found, find_plan
from optimizer.search.task import Target, Task
from optimizer.solver.bridge import Bridge
from optimizer.solver.limits import Limits

MEANS = ("imbalance", "deficit")
"""Goals whose model is about the study's planned means, not about the plan's own."""
EVERY = "all"
STUDIED: Literal["balance_first"] = "balance_first"
"""Preset of studies without a scenario of their own: one measure, so that many plans compare (docs/frontier.md)."""


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
    task: Task
    whole: bool

    @property
    def limits(self) -> Limits:
        """The limits of one solve."""
        return self.task.limits

    @property
    def goals(self) -> tuple[Target, ...]:
        """The scenario's goals in order.

        Small counties reach the later ones to the first one's gap, so that two plans' measures compare.
        """
        if not self.whole:
            return self.task.goals
        return tuple(replace(g, gap=self.limits.gap if g.gap is None else g.gap) for g in self.task.goals)

    @property
    def goal(self) -> str:
        """The first goal, which the study is about."""
        return self.task.goals[0].name

    @property
    def request(self) -> Request:
        """What the plans are asked for."""
        return self.scenario.request()


@dataclass(frozen=True)
class Made:
    """A whole plan with the referee's verdict and its exact objective about the study's means."""

    plan: Plan
    verdict: Verdict
    objective: float


@dataclass
class Shared:
    """A search whose budget is a share of the scenario's: one column instead of right-hand sides."""

    search: Search
    column: int
    most: float

    @property
    def bridge(self) -> Bridge:
        """The search's handle."""
        return self.search.bridge

    def at(self, share: float) -> None:
        """Spend at most this share of the budget from now on."""
        self.bridge.bound(self.column, share, share)

    def free(self, least: float = 0.0) -> None:
        """Let the share be decided."""
        self.bridge.bound(self.column, least, self.most)


def share_of_budget(
    inst: Instance, task: Task, whole: bool, most: float, earmark: str = EVERY, beside: Extend | None = None
) -> Shared:
    """The model with budgets in proportion to one variable, so that a sweep needs no new model.

    ``charge[e] + r[e] bought[e] <= B[e] share + spill[e]``, ``sum spill <= B[any] share``; with one earmark named, the
    others keep their own right-hand sides (`models.rules.means`).

    Parameters
    ----------
    inst : Instance
    task : Task
    whole : bool
    most : float
        Largest share that will be asked for.
    earmark : str
        "all", or the one that varies.
    beside : callable or None
        Adds more to the model (`optimizer.search.search.Extend`).
    """  # fmt: skip
    have = {e: inst.budget.get(e, 0.0) / inst.large for e in (*EARMARKED, "any")}
    more = rounding_share(inst)
    varies = {e: earmark in (EVERY, e) for e in have}

    def more_of(model: Any) -> Mapping[str, Any]:
        return {} if beside is None else beside(model)

    def shared(model: Any) -> Mapping[str, Any]:
        model.budget_share = pyo.Var(bounds=(0.0, most))
        if not money_known(inst.county, inst.request):  # nothing is bought, and nothing limits the rest
            model.goal_share = pyo.Objective(expr=model.budget_share)
            return {"share": model.goal_share, **more_of(model)}
        model.budget__earmark.deactivate()
        model.budget__any.deactivate()

        def money(e: str) -> object:
            return have[e] * (model.budget_share if varies[e] else 1.0)

        model.share_earmark = pyo.Constraint(
            EARMARKED, rule=lambda m, e: m.charge[e] + more[e] * m.rounded[e] <= money(e) + m.spill[e]
        )
        model.share_any = pyo.Constraint(expr=sum(model.spill[e] for e in EARMARKED) <= money("any"))
        model.goal_share = pyo.Objective(expr=model.budget_share)
        return {"share": model.goal_share, **more_of(model)}

    search = Search(inst, task, whole, shared)
    return Shared(search, search.bridge.column("budget_share"), most)


def open_study(
    county: County,
    scenario: Scenario | None = None,
    times: TravelTimes | None = None,
    most: float = 1.0,
    task: Task | None = None,
) -> Study:
    """Read a scenario's request and settle the planned means of the measure.

    Parameters
    ----------
    county : County
    scenario : Scenario or None
    times : TravelTimes or None
    most : float
        Share of the budget at which the means are settled when the scenario's own has no plan.
    task : Task or None
        None for the scenario's own, which nobody can stop.

    Raises
    ------
    InputProblems, Infeasible, StoppedWithoutPlan
    """
    scenario = scenario or asked_of(county, Scenario(preset=STUDIED))[0]
    check_scenario(scenario, county)
    task = task or scenario.task()
    standards = load_standards(county)
    times = times or travel_times(county)
    inst = build_instance(county, standards, scenario.request(), times)
    shared = share_of_budget(inst, task, False, max(1.0, most))
    for share in (1.0, most):
        shared.at(share)
        relaxed = shared.search.relax(task.method.settle_rounds, task.limits)
        if relaxed.values is not None or relaxed.status != "infeasible":
            break
    if relaxed.clock or (relaxed.values is None and relaxed.status != "infeasible"):
        # means that the clock settled are no means to study anything about
        raise StoppedWithoutPlan(relaxed.status)
    if relaxed.values is None:
        raise Infeasible(why_infeasible(inst))
    inst = recentred(shared.search, relaxed.values)
    return Study(county, standards, times, scenario, inst, task, len(inst.units) <= task.method.joint_units)


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
    """Which bands stay and who goes where, by the instance's own keys.

    ``near`` is the continuous amount of each indicator, in the resource's own unit, and ``pupils`` the
    enrolment by unit.
    """

    pairs: dict[int, float]
    bands: dict[tuple[str, str], float]
    pupils: dict[str, float]
    near: dict[tuple[str, str], float]

    def columns(self, bridge: Bridge) -> dict[int, float]:
        """The columns that fix this network in a model of the same instance."""
        attend, opens = bridge.at("attend"), bridge.at("open")
        fixed = {attend[p]: v for p, v in self.pairs.items()}
        return fixed | {opens[k]: v for k, v in self.bands.items() if k in opens}

    @property
    def key(self) -> tuple[object, ...]:
        """What tells two networks apart."""
        return (*(p for p, v in self.pairs.items() if v), *(k for k, v in self.bands.items() if v))


def network_of(search: Search, values: np.ndarray) -> Network:
    """The network of a solution."""
    pairs = {int(p): float(v) for p, v in search.decided("attend", values).items()}
    bands = {k: float(v) for k, v in search.decided("open", values).items()}
    return Network(pairs, bands, search.enrolment(values), search.spreads.amounts(values))


def judged(study: Study, search: Search, values: np.ndarray, request: Request) -> Made:
    """A solution as a plan with the referee's verdict.

    The objective is about the study's means where the goal is measured about means, else the referee's own figure: a
    solution's columns may stand above what the plan is worth, as far as later goals may use the first one's tolerance.
    """
    search.load(values)
    made = unpack(search.model, search.instance, study.times.towns)
    verdict = judge(study.county, study.standards, made, study.times, request)
    if study.goal == "imbalance":
        return Made(made, verdict, exact_objective(verdict.indicators, search.instance))
    if study.goal in MEANS:
        return Made(made, verdict, search.exact(study.goal, values))
    return Made(made, verdict, float(verdict.goals.set_index("goal").at[study.goal, "plan"]))


@dataclass(frozen=True)
class Best:
    """A study's best plan, its proven bound, and the search that it came from."""

    made: Made
    bound: float
    found: Found

    @property
    def network(self) -> Solved:
        """The step that decided the network."""
        return self.found.decided


def best_plan(study: Study) -> Best:
    """The plan of a study about its own means: `optimizer.verbs.plan.plan` without re-centring.

    Raises
    ------
    NoPlan
        Infeasible (proven) or stopped.
    Rejected
    """
    found = find_plan(study.instance, replace(study.task, goals=study.goals), settle=False)
    final = found.final
    made = judged(study, final.search, final.values, study.request)
    if not made.verdict.accepted:
        raise Rejected(made.verdict)
    return Best(made, found.decided.goals[0].bound, found)
