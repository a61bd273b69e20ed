"""`Scenario`: what a run asks for, read from TOML and validated."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from geodata.contract.county import County
from geodata.contract.findings import Finding, InputProblems
from geodata.contract.settings import read_settings
from models.formulation.model import GOALS
from models.problem.request import COUNTED_GOALS, GoalName, Request
from optimizer.presets import PRESETS, preset_id
from optimizer.search.method import Method
from optimizer.search.task import Report, Required, Target, Task
from optimizer.solver.limits import Limits
from optimizer.solver.stopping import Stop

MOST_MONEY = 1e15
"""In any currency: more than all the schools of a country cost in a year."""
Yuan = Annotated[float, Field(allow_inf_nan=False, le=MOST_MONEY)]


class Goal(BaseModel):
    """One goal of the ordered list, how far later goals may worsen it, and the gap asked of it.

    ``gap`` None is the scenario's, or after the first goal the method's ``slow_gap`` or ``later_gap`` where these are enough.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    name: GoalName
    tolerance: float = Field(default=0.0, ge=0, le=1)
    gap: float | None = Field(default=None, gt=0, lt=1)


class Requirement(BaseModel):
    """A goal as a rule of every plan: at most a value, or at least so many units or cells that do not fail it.

    Parameters
    ----------
    goal : str
    at_most : float or None
        In the goal's own unit.
    at_least : int or None
        For goals that count what fails: units or cells that do not, of those counted today.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    goal: GoalName
    at_most: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    at_least: int | None = Field(default=None, ge=0)


BY_NAME = {"passing": {"goal": "failing", "at_most": 0.0}, "cv_limits": {"goal": "cv_excess", "at_most": 0.0}}
"""Requirements that have a name of their own."""


def _spelled_out(given: Any) -> Any:
    """A requirement by its name, or as it is."""
    return BY_NAME.get(given, given) if isinstance(given, str) else given


Demand = Annotated[Requirement, BeforeValidator(_spelled_out)]


def preset_goals(name: str) -> tuple[Goal, ...]:
    """Goals of a preset, by id.

    Raises
    ------
    KeyError
    """
    return tuple(Goal(name=n, tolerance=t) for n, t in PRESETS[name].goals)  # type: ignore[arg-type]


def _known_preset(given: Any) -> Any:
    """A preset's id for its id or its Chinese name; what is neither is left to be refused."""
    return preset_id(given) or given if isinstance(given, str) else given


PresetName = Annotated[
    Literal["standards_first", "equity_first", "nearest_first", "thrift_first", "least_disruption", "balance_first"],
    BeforeValidator(_known_preset),
]  # fmt: skip


class Scenario(BaseModel):
    """Goals in order, budgets, locks, solver limits. Unknown keys are refused, not ignored.

    Parameters
    ----------
    preset : str
        An order of goals by id or Chinese name (`optimizer.presets`).
    goals : tuple of Goal
        In any order; each once. Without them the preset's.
    require : tuple of Requirement
        Goals that are rules of every plan; ``"passing"`` and ``"cv_limits"`` by name.
    budget : dict of earmark to yuan, or None
        None takes the county's own budget of the planning year.
    keep_open, close : tuple of str
        School ids.
    cost_level : {"low", "base", "high"}
    gap : float
        Relative gap asked of the first goal.
    nodes : int
        Nodes of the search after which a solve keeps its best plan: the same on every run and machine.
    seconds : float
        Time that all solves of a plan share, after which the best plan is kept; reaching it is reported,
        because another run may then stop elsewhere.
    seed : int
    method : Method
        How the search goes about it; every knob may be set.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    preset: PresetName = "standards_first"
    goals: tuple[Goal, ...] = ()
    require: tuple[Demand, ...] = ()
    budget: dict[Literal["building", "device", "teacher", "transport", "any"], Yuan] | None = None
    keep_open: tuple[str, ...] = ()
    close: tuple[str, ...] = ()
    cost_level: Literal["low", "base", "high"] = "base"
    gap: float = Field(default=0.01, gt=0, lt=1)
    nodes: int = Field(default=300, ge=0)
    seconds: float = Field(default=600.0, gt=0)
    seed: int = Field(default=0, ge=0, lt=2**31)
    method: Method = Method()

    @model_validator(mode="after")
    def _goals_of_preset(self) -> Scenario:
        """Goals that are not given are the preset's; an empty list is no goal, and refused with the county."""
        if "goals" not in self.model_fields_set:
            object.__setattr__(self, "goals", preset_goals(self.preset))
        return self

    def request(self) -> Request:
        """The part that the model and the referee need."""
        budget = None if self.budget is None else {str(k): float(v) for k, v in self.budget.items()}
        named = dict.fromkeys([*(g.name for g in self.goals), *(r.goal for r in self.require)])
        return Request(budget, self.keep_open, self.close, self.cost_level, self.seed, tuple(named))

    def limits(self) -> Limits:
        """When its solves may stop."""
        return Limits(gap=self.gap, nodes=self.nodes, seconds=self.seconds, seed=self.seed)

    def task(self, stop: Stop | None = None, report: Report | None = None) -> Task:
        """What the search is asked for; without a token nobody can stop it."""
        goals = tuple(Target(str(g.name), g.tolerance, g.gap) for g in self.goals)
        required = tuple(Required(str(r.goal), r.at_most, r.at_least) for r in self.require)
        return Task(goals, self.limits(), self.method, stop or Stop(), report, required)


def read_scenario(path: Path) -> Scenario:
    """A scenario from a TOML file.

    Raises
    ------
    InputProblems
        With the key and what to write instead.
    """
    return read_settings(path, Scenario)


def check_scenario(scenario: Scenario, county: County) -> None:
    """Every id named by a scenario exists and is not asked for twice.

    Raises
    ------
    InputProblems
    """
    known = set(county.schools["school_id"])
    found = [
        Finding("error", "cli.scenario_school", file="scenario", column=name, value=school)
        for name, ids in (("keep_open", scenario.keep_open), ("close", scenario.close))
        for school in ids
        if school not in known
    ]
    both = sorted(set(scenario.keep_open) & set(scenario.close))
    found += [Finding("error", "cli.scenario_both", file="scenario", column="close", value=s) for s in both]
    names = [g.name for g in scenario.goals]
    if (
        not names
        or len(set(names)) < len(names)
        or not {*names, *(r.goal for r in scenario.require)} <= set(GOALS)
    ):
        found.append(
            Finding("error", "cli.scenario_goals", file="scenario", column="goals", value=", ".join(names))
        )
    found += [
        Finding("error", "cli.scenario_require", file="scenario", column="require", value=str(r.goal))
        for r in scenario.require
        if (r.at_most is None) == (r.at_least is None)
        or (r.at_least is not None and r.goal not in COUNTED_GOALS)
    ]
    found += [
        Finding("error", "cli.scenario_budget", file="scenario", column=f"budget.{name}", value=f"{amount:g}")
        for name, amount in (scenario.budget or {}).items()
        if amount < 0
    ]
    if found:
        raise InputProblems(found)
