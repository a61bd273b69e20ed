"""What the verb `province` returns: counties' frontiers and a budget split among them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from geodata.contract.findings import Finding
from models.plan.showing import made_by_others


@dataclass(frozen=True)
class Province:
    """A budget split among counties, beside the equal-per-pupil split.

    Parameters
    ----------
    name, name_en : str
    fictional : bool
        Any of its counties is.
    goal : str
        What the split makes least over all counties; less is better.
    budget, floor : float
        Yuan; share of its equal-per-pupil part that a county gets at least.
    scenario, request : dict
        What plans are asked for; the request and its inputs' hashes. Plain data.
    counties : DataFrame
        A row a county: ``county, name, name_en, folder, pupils, status`` (done, failed, lost, unread, no_plan), ``why, assessed,
        passing_today, grant_floor, grant_equal, grant_split`` (yuan); with the county's own money (``own``), the equal grant
        (``equal``) and the split: ``value_*, passing_*, deficit_*``, and ``bound_equal, bound_split``; ``plan``, the file of
        the split's plan. A value is infinite without a plan; figures are missing where the county has no front.
    points : DataFrame
        ``county, point, grant, solve, value, bound, second, passing, assessed, passing_today, cost, clock``.
    aside : float
        Yuan set aside for counties without a front: their equal part, or their floor where that is more.
    spent : float
        Yuan granted by the split, without those.
    value_own, value_equal, bound_equal, value_split : float
        The goal over all counties with a front; what no plans of the equal split go below.
    grid, bound : float
        What no split into the grants that were tried goes below; no split at all, between floors and largest grants.
    unread : dict of str to tuple of Finding
        By folder, why a county could not be used.
    findings : tuple of Finding
    """

    name: str
    name_en: str
    fictional: bool
    goal: str
    budget: float
    floor: float
    scenario: dict[str, object]
    request: dict[str, Any]
    counties: pd.DataFrame
    points: pd.DataFrame
    aside: float
    spent: float
    value_own: float
    value_equal: float
    bound_equal: float
    value_split: float
    grid: float
    bound: float
    unread: dict[str, tuple[Finding, ...]] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()

    def page(self, language: str = "zh") -> Any:
        """The study's page, which a notebook shows and `save` writes: sentences, drawings, tables."""
        return made_by_others("study", self, language)

    @property
    def gain(self) -> float:
        """By how much the split is better than equal parts, plans found against plans found."""
        return self.value_equal - self.value_split

    @property
    def least_gain(self) -> float:
        """It is better than any plans of equal parts by at least so much (proven); not positive: nothing is proven."""
        return self.bound_equal - self.value_split

    @property
    def most_gain(self) -> float:
        """No split is better than the equal parts' plans by more (proven)."""
        return self.value_equal - self.bound
