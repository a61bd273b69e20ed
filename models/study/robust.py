"""What the verb `robust` returns: decisions in common for many futures, what they cost in each, what is proven."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from geodata.contract.county import County
from geodata.contract.findings import Finding
from models.plan.decisions import Plan
from models.plan.showing import made_by_others


@dataclass(frozen=True)
class Bounds:
    """What no candidate, tried or not, goes below, over the futures that count.

    Parameters
    ----------
    regret : float
        Largest regret.
    mean, cvar, worst, score : float
        Of the goal's value.
    joint : bool
        The bound of the criterion that was asked for comes from the model of all futures together; else regret has only
        0, and the others the futures' own bounds (wait and see).
    """

    regret: float
    mean: float
    cvar: float
    worst: float
    score: float
    joint: bool


@dataclass(frozen=True)
class Robust:
    """A choice among decisions in common.

    Parameters
    ----------
    county : County
    scenario, asked : dict
        What plans are asked for; the futures' file. Plain data.
    factors : dict of str to str
        Unit by factor, in the file's order.
    goal : str
        What the study is about; less is better.
    common : tuple of str
        Of ``bands``, ``purchases``.
    choose : {"regret", "expected"}
    weight : float
        Of CVaR in the score.
    candidates : DataFrame
        ``candidate, source, closes`` (bands), ``futures`` (with a plan), ``regret`` (largest), ``regret_least,
        regret_most, mean, cvar, worst, score, price`` (over the base plan, today), ``price_least, price_most, chosen``.
    cells : DataFrame
        ``candidate, future, solve, value, bound, regret, regret_least, regret_most``: future 0 is today and counts in no
        sum; a value without a plan is infinite.
    futures : DataFrame
        ``future``, a column a factor, ``solve, value, bound`` of the future's own plan, ``best`` (known of any plan).
    closures : DataFrame
        ``candidate, school_id, school, band``: bands taught today and given up.
    bounds : Bounds
    chosen : int
        Number of the candidate.
    plan : Plan
        The chosen candidate's plan today.
    findings : tuple of Finding
    options : dict
        What else the verb was called with, as plain data, so that it can be called again.
    """

    county: County
    scenario: dict[str, object]
    asked: dict[str, Any]
    factors: dict[str, str]
    goal: str
    common: tuple[str, ...]
    choose: str
    weight: float
    candidates: pd.DataFrame
    cells: pd.DataFrame
    futures: pd.DataFrame
    closures: pd.DataFrame
    bounds: Bounds
    chosen: int
    plan: Plan
    findings: tuple[Finding, ...]
    options: dict[str, Any] = field(default_factory=dict)

    def page(self, language: str = "zh") -> Any:
        """The study's page, which a notebook shows and `save` writes: sentences, drawings, tables."""
        return made_by_others("study", self, language)

    def __repr__(self) -> str:
        """A line: how many candidates in how many futures, and which is chosen."""
        told = f"{len(self.candidates)} candidates, {len(self.futures)} futures, chosen {self.chosen}"
        return f"Robust({self.county.name!r}: {told})"

    def _repr_html_(self) -> str:
        """The candidates, for notebooks."""
        return str(self.candidates.to_html(index=False, float_format="{:,.4g}".format))

    @property
    def best(self) -> pd.Series:
        """The row of the chosen candidate."""
        row: pd.Series = self.candidates.set_index("candidate").loc[self.chosen]
        return row
