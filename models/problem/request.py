"""`Request`: what a run asks for beyond the county's own files."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, get_args

from geodata.contract.county import County
from geodata.contract.tables import EARMARKS
from models.plan.keeping import Held

GoalName = Literal[
    "over_cap", "failing", "cells", "shortfall", "deficit", "cv_excess", "imbalance", "beyond_limit", "travel",
    "disruption", "cost",
]  # fmt: skip
GOALS: tuple[str, ...] = get_args(GoalName)
"""Goals that a plan can be asked for (`models.formulation.goals`)."""
COUNTED_GOALS = ("failing", "cells")
"""Goals that count what fails and cannot be halved: their bound is rounded up."""
GOALS_ABOUT_MEANS = ("imbalance", "deficit", "cv_excess")
"""Goals that are measured about planned means: a bound is not about the means of the plan itself."""


@dataclass(frozen=True)
class Request:
    """Budgets, locks and settings of one run.

    Parameters
    ----------
    budget : dict of str to float or None
        Yuan by earmark; None takes the county's T13 for the planning year.
    keep_open, close : tuple of str
        School ids that must stay as they are, or must close.
    cost_level : {"low", "base", "high"}
        Column of T12.
    seed : int
        Handed to HiGHS; the same seed gives the same plan.
    goals : tuple of str
        Goals that the model must know: those in order and those that are requirements.
    held : Held
        Decisions made by hand that every plan keeps (`models.formulation.holding`).
    spare_classes : bool
        Units may have classes that nobody needs: a plan made by hand has what its makers wrote.
    """

    budget: dict[str, float] | None = field(default=None, hash=False)
    keep_open: tuple[str, ...] = ()
    close: tuple[str, ...] = ()
    cost_level: str = "base"
    seed: int = 0
    goals: tuple[str, ...] = GOALS
    held: Held = field(default_factory=Held, hash=False, compare=False)
    spare_classes: bool = False


ANY = "any"
"""The earmark of money for every purpose."""


def money_known(county: County, request: Request) -> bool:
    """Whether somebody says what money there is: the request, or the county's table."""
    return request.budget is not None or "budget" not in county.lacking


def budgets(county: County, request: Request) -> dict[str, float]:
    """Yuan available by earmark, every earmark present.

    Returns
    -------
    dict of str to float
        From the request, else the county's T13 rows of the planning year; NaN where there is no such table.
    """
    if not money_known(county, request):
        return dict.fromkeys(EARMARKS, float("nan"))
    if request.budget is not None:
        return {e: float(request.budget.get(e, 0.0)) for e in EARMARKS}
    rows = county.budget[county.budget["year"] == county.year]
    given = rows.groupby("earmark")["amount"].sum()
    return {e: float(given.get(e, 0.0)) for e in EARMARKS}


def lasting_money(county: County, request: Request) -> dict[str, float] | None:
    """Yuan by earmark that are not marked as one-off.

    Returns
    -------
    dict of str to float or None
        None where nothing is marked, or the request has a budget of its own, of which nobody says what lasts.
    """
    rows = county.budget[county.budget["year"] == county.year]
    once = rows["one_off"].astype(bool)
    if request.budget is not None or not (once & (rows["amount"] > 0)).any():
        return None
    given = rows[~once].groupby("earmark")["amount"].sum()
    return {e: float(given.get(e, 0.0)) for e in EARMARKS}
