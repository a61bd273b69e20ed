"""What the verb `stress` returns: how one plan fares in many futures; a plain object for the outputs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from geodata.contract.county import County
from geodata.contract.findings import Finding
from models.plan.decisions import Plan
from models.plan.showing import made_by_others


@dataclass(frozen=True)
class Edge:
    """One bound of a box of futures.

    Parameters
    ----------
    factor : str
    upper : bool
        Inside, the factor is below the value; else above it.
    value : float
        Half-way between the last value inside and the first outside.
    """

    factor: str
    upper: bool
    value: float


@dataclass(frozen=True)
class FailureBox:
    """Where a plan fails.

    Parameters
    ----------
    edges : tuple of Edge
        In the order of the factors; empty where no box is better than all futures together.
    coverage, density : float
        On futures that were held out: failures inside of all failures, failures inside of all inside; NaN over none.
    seen_coverage, seen_density : float
        On the futures that it was found on.
    failures, inside, futures : int
        Held-out failures, held-out futures inside, held-out futures in all.
    """

    edges: tuple[Edge, ...]
    coverage: float
    density: float
    seen_coverage: float
    seen_density: float
    failures: int
    inside: int
    futures: int


@dataclass(frozen=True)
class Stress:
    """How a plan fares in futures that differ from the county's tables.

    Parameters
    ----------
    county : County
        As its tables stand.
    scenario, asked : dict
        What the plan was asked for; the futures' file. Plain data.
    factors : dict of str to str
        Unit by factor, in the file's order.
    plan : Plan
        The fixed plan.
    fixed : DataFrame
        One row a future, number 0 being today: ``future``, a column a factor, ``status`` (done, failed, lost),
        ``why``, ``unplanned`` (pupils whom the plan does not know), ``transfers_lost, hires_lost`` (heads that
        are not there), ``accepted`` (1, 0), ``broken`` (hard rules and their places, ``budget:2;capacity:1``), the
        measures of `models.referee.verdict.MEASURES` and ``goal_<goal>``.
    remade : DataFrame
        One row a future for which a plan was made again: likewise, with ``solve`` (proven, stopped, infeasible,
        no_plan, rejected, defect) and ``bound_<goal>`` in place of what a fixed plan cannot keep. Maybe empty.
    measures : DataFrame
        ``measure, unit, better, today`` (the plan in future 0), ``least, p10, median, p90, most, worst, cvar,
        worst_future``: over the futures that are done; the last three for measures with a better side.
    rules : DataFrame
        ``rule, futures, share, places`` (most in one future), ``worst_future``: hard rules that break in any.
    regret : DataFrame
        ``future, accepted, measure, unit, fixed, remade, regret, bound, regret_most``; empty without plans made again.
    decisions : DataFrame
        ``decision`` (closes, gives_up, buys, moves, hires), ``school_id, school, what, to_id, to, in_plan, times, of,
        share, recurs`` (always, sometimes, never); empty likewise.
    effects : DataFrame
        ``measure, factor, mu, mu_star, sigma, conf``; empty unless the design is ``morris``.
    failures : int
        Futures in which the plan fails, of those that are done (future 0 not counted).
    done : int
    box : FailureBox or None
        None where all futures fail or none does, or there are too few of either.
    findings : tuple of Finding
    options : dict
        What else the verb was called with, as plain data, so that it can be called again.
    """

    county: County
    scenario: dict[str, object]
    asked: dict[str, Any]
    factors: dict[str, str]
    plan: Plan
    fixed: pd.DataFrame
    remade: pd.DataFrame
    measures: pd.DataFrame
    rules: pd.DataFrame
    regret: pd.DataFrame
    decisions: pd.DataFrame
    effects: pd.DataFrame
    failures: int
    done: int
    box: FailureBox | None
    findings: tuple[Finding, ...]
    options: dict[str, Any] = field(default_factory=dict)

    def page(self, language: str = "zh") -> Any:
        """The study's page, which a notebook shows and `save` writes: sentences, drawings, tables."""
        return made_by_others("study", self, language)

    def __repr__(self) -> str:
        """A line: which plan fails in how many futures."""
        told = f"plan {self.plan.plan_id} fails in {self.failures} of {self.done} futures"
        return f"Stress({self.county.name!r}: {told})"

    def _repr_html_(self) -> str:
        """The measures over the futures, for notebooks."""
        return str(self.measures.to_html(index=False, float_format="{:,.4g}".format))
