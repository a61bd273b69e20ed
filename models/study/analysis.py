"""What the analyst's verbs return: a frontier, alternatives, an explanation; plain objects for the outputs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, cast

import pandas as pd

from geodata.contract.county import County
from geodata.contract.findings import Finding
from models.plan.decisions import Plan, Verdict
from models.plan.showing import made_by_others


@dataclass(frozen=True)
class FrontierPoint:
    """One budget of a frontier with the best plan found for it.

    Parameters
    ----------
    share : float
        The budget as a share of the scenario's own.
    budget : dict of str to float
        Yuan by earmark.
    status : {"plan", "infeasible", "no_plan"}
        ``infeasible``: proven that no plan exists; ``no_plan``: none was found and none is ruled out.
    objective, bound, gap : float
        Of the frontier's goal (imbalance about the same planned means at every point); NaN without a plan. The bound holds
        for every plan within this budget. Other measures of the plan have none.
    carried : bool
        The plan is the next smaller budget's, because none better was found.
    plan, verdict : Plan, Verdict or None
    changes : DataFrame
        `models.plan.differences.comparison.plan_changes` from the next smaller budget's plan.
    local : dict of str to float
        By earmark, by how much another large unit of money (10,000 yuan) lowers the goal while every whole decision of
        this plan stays: duals, valid near this plan only. Empty where none are known.
    """

    share: float
    budget: dict[str, float]
    status: str
    objective: float
    bound: float
    gap: float
    carried: bool
    plan: Plan | None
    verdict: Verdict | None
    changes: pd.DataFrame
    local: dict[str, float] = field(default_factory=dict)

    @property
    def yuan(self) -> float:
        """The whole budget, all earmarks together."""
        return sum(self.budget.values())


@dataclass(frozen=True)
class SteadyPoint:
    """One budget of a steady frontier, whose plans follow from their neighbours.

    Parameters
    ----------
    share : float
    status : {"anchor", "plan", "carried", "no_plan"}
        ``anchor``: the free frontier's plan, from which the others follow; ``carried``: the neighbour's plan as it is.
    objective : float
        NaN without a plan.
    free, bound : float
        The free frontier's plan at this budget, and what no plan goes below there.
    price, price_least, price_most : float
        Price of stability: objective - free; between the best steady and the best free plan, proven: at least (the steady
        relaxation's value - free), never below 0, and at most objective - bound. Steady is meant about the neighbour's plan.
    changed, changed_free : int
        Decided amounts that differ from the neighbour towards the anchor, and those of the free frontier.
    plan, verdict : Plan, Verdict or None
    """

    share: float
    status: str
    objective: float
    free: float
    bound: float
    price: float
    price_least: float
    price_most: float
    changed: int
    changed_free: int
    plan: Plan | None
    verdict: Verdict | None


@dataclass(frozen=True)
class Frontier:
    """What each budget reaches.

    Parameters
    ----------
    county : County
    scenario : dict
    earmark : str
        The earmark that varies, or "all".
    points : tuple of FrontierPoint
        From the smallest budget to the largest.
    least_found, least_proven : float
        The smallest share for which a whole plan was found (NaN: none), and the share below which none
        exists.
    networks : int
        Networks solved for; every point takes the best of them.
    interrupted : bool
        Ended early on request: the points take what had been found by then.
    seconds : float
    solver : str
    findings : tuple of Finding
    later : int
        Years after the planning year whose pupils are planned for.
    steady : tuple of SteadyPoint
        Empty unless asked for.
    steadily : (str, float) or None
        Its mode (``nested``, ``least_change``) and the share of the goal that least change may give up.
    options : dict
        What else the verb was called with, as plain data, so that it can be called again.
    """

    county: County
    scenario: dict[str, object]
    earmark: str
    points: tuple[FrontierPoint, ...]
    least_found: float
    least_proven: float
    networks: int
    interrupted: bool
    seconds: float
    solver: str
    findings: tuple[Finding, ...]
    later: int = 0
    steady: tuple[SteadyPoint, ...] = ()
    steadily: tuple[str, float] | None = None
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def goal(self) -> str:
        """The goal that the points are about: the scenario's first."""
        goals = cast("list[dict[str, str]]", self.scenario.get("goals") or [])
        return goals[0]["name"] if goals else "imbalance"

    @property
    def table(self) -> pd.DataFrame:
        """By budget: ``share, yuan, status, objective, bound, gap, changed`` (actions that differ from the budget below)."""
        rows = [(p.share, p.yuan, p.status, p.objective, p.bound, p.gap, len(p.changes)) for p in self.points]
        columns = ["share", "yuan", "status", "objective", "bound", "gap", "changed"]
        return pd.DataFrame(rows, columns=columns)

    def page(self, language: str = "zh") -> Any:
        """The study's page, which a notebook shows and `save` writes: sentences, drawings, tables."""
        return made_by_others("study", self, language)

    def __repr__(self) -> str:
        """A line: which earmark, how many budgets."""
        return f"Frontier({self.county.name!r}, {self.earmark}: {len(self.points)} budgets)"

    def _repr_html_(self) -> str:
        """The table, for notebooks."""
        return str(self.table.to_html(index=False, float_format="{:,.4g}".format))


@dataclass(frozen=True)
class Alternative:
    """One of several plans that are nearly as good; the first is the one that the others are compared with.

    Parameters
    ----------
    plan, verdict : Plan, Verdict
    objective : float
    worse : float
        objective / first plan's - 1; below zero where an alternative is better (the first is proven only
        to the scenario's gap).
    differs : int
        Bands decided otherwise than in the first plan.
    apart : int
        Bands decided otherwise than in any plan before it: the fewest over them.
    apart_most : int
        No plan within the share has more (proven).
    changes : DataFrame
        `models.plan.differences.comparison.plan_changes` from the first plan.
    """

    plan: Plan
    verdict: Verdict
    objective: float
    worse: float
    differs: int
    apart: int
    apart_most: int
    changes: pd.DataFrame


@dataclass(frozen=True)
class Alternatives:
    """Different plans within a share of the best.

    Parameters
    ----------
    county : County
    scenario : dict
    within : float
    bound : float
        No plan has a lower objective.
    plans : tuple of Alternative
    decisions : DataFrame
        One row per school whose bands are free: ``school_id, school, township, best`` (keep, reduce or
        close in the best plan), ``closes`` (in how many of the plans it gives up a band), ``of``,
        ``recurs`` (always, sometimes, never), ``other`` (what was forced instead), ``cost_most``
        (increase of the objective found when the decision is forced the other way; infinite when no
        plan was found, NaN when none was looked for), ``cost_least`` (increase proven at least; infinite
        when proven impossible).
    exhausted : bool
        True when it is proven that no further plan within the share decides the network otherwise.
    stopped : bool
        True when fewer plans than asked for were found and that is not proven to be all.
    interrupted : bool
        True when Ctrl-C ended it.
    seconds : float
    solver : str
    findings : tuple of Finding
    options : dict
        What else the verb was called with, as plain data, so that it can be called again.
    """

    county: County
    scenario: dict[str, object]
    within: float
    bound: float
    plans: tuple[Alternative, ...]
    decisions: pd.DataFrame
    exhausted: bool
    stopped: bool
    interrupted: bool
    seconds: float
    solver: str
    findings: tuple[Finding, ...]
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def table(self) -> pd.DataFrame:
        """By plan: ``plan_id, objective, worse, differs, apart, changed`` (actions that differ from the first)."""
        rows = [
            (p.plan.plan_id, p.objective, p.worse, p.differs, p.apart, len(p.changes)) for p in self.plans
        ]
        return pd.DataFrame(rows, columns=["plan_id", "objective", "worse", "differs", "apart", "changed"])

    def page(self, language: str = "zh") -> Any:
        """The study's page, which a notebook shows and `save` writes: sentences, drawings, tables."""
        return made_by_others("study", self, language)

    def __repr__(self) -> str:
        """A line: how many plans within which share."""
        return f"Alternatives({self.county.name!r}: {len(self.plans)} plans within {self.within:.1%})"

    def _repr_html_(self) -> str:
        """The table, for notebooks."""
        return str(self.table.to_html(index=False, float_format="{:,.4g}".format))


@dataclass(frozen=True)
class Swap:
    """What forcing a decision the other way would do.

    Parameters
    ----------
    school_id : str
    instead : str or None
    forced : str
        "open" or "closed": what the school was forced to.
    possible : bool
        False: no plan exists with the decision forced (``reasons`` says why).
    objective, forced_objective : float
        Imbalance of the plan and of the forced one, about the same planned means.
    measures : DataFrame
        ``measure, unit, better, plan, forced, change``.
    binding : DataFrame
        ``rule, places, price``: rules at their limit in the forced plan, with what a unit of the rule's
        own amount is worth in the objective, largest first.
    villages : DataFrame
        ``village, band, pupils, school_plan, school_forced, minutes_plan, minutes_forced``.
    actions : DataFrame
        Actions at the school in the plan: ``action, what, quantity, unit, contribution`` (what the
        objective would rise by without it).
    flips : DataFrame
        ``share, open``: the decision at each budget tried.
    reasons : tuple of Finding
    """

    school_id: str
    instead: str | None
    forced: str
    possible: bool
    objective: float
    forced_objective: float
    measures: pd.DataFrame
    binding: pd.DataFrame
    villages: pd.DataFrame
    actions: pd.DataFrame
    flips: pd.DataFrame
    reasons: tuple[Finding, ...]
