"""At which budget a decision flips, bracketed by planning for budgets in between.

Two neighbouring budgets of a frontier whose plans differ in a decision bracket its flip. The widest such bracket is
halved: a whole plan is made for the budget in the middle, and the flip lies in one of the halves, or in both where the decision
comes and goes. Every plan made on the way is a point of the frontier like any other, with its own bound.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import pandas as pd

from geodata.contract.county import County
from geodata.contract.findings import Finding, InputProblems
from models.plan.differences.comparison import plan_changes
from models.study.budgets import DECIDED, turned
from optimizer.study.splitter import WholePlan
from optimizer.study.steady import STEADY_MODES, Steadily
from optimizer.study.sweep import Sweep, plans_at

FINEST = 1e-4
"""Shares are kept to so much."""


@dataclass(frozen=True)
class Bracketing:
    """Which flips to bracket, and how narrowly.

    Parameters
    ----------
    of : tuple of str
        Kinds of decision (`models.study.budgets.DECIDED`) and school ids; none: all.
    within : float
        Share of the scenario's budget below which a bracket is narrow enough.
    most : int
        Budgets planned for at most.
    """

    of: tuple[str, ...] = ("band",)
    within: float = 0.02
    most: int = 20


def check_asked(narrow: Bracketing | None, steadily: Steadily | None, county: County) -> None:
    """Whether what is asked for makes sense.

    Raises
    ------
    InputProblems
        A decision that is neither a kind nor a school, a width or number that is none, a mode that there is not.
    """
    found = []
    if narrow is not None:
        schools = set(county.schools["school_id"].astype(str))
        known: dict[str, object] = {"known": ", ".join(DECIDED)}
        found += [
            Finding("error", "analysis.bad_flip", known, value=one)
            for one in narrow.of
            if one not in DECIDED and one not in schools
        ]
        if not FINEST <= narrow.within < 1:
            found.append(
                Finding("error", "analysis.bad_within", {"least": FINEST}, value=f"{narrow.within:g}")
            )
        if narrow.most < 1:
            found.append(Finding("error", "analysis.bad_solves", value=str(narrow.most)))
    if steadily is not None:
        if steadily.mode not in STEADY_MODES:
            found.append(
                Finding("error", "analysis.bad_mode", {"known": ", ".join(STEADY_MODES)}, value=steadily.mode)
            )
        if not 0 <= steadily.give < 1:
            found.append(Finding("error", "analysis.bad_give", value=f"{steadily.give:g}"))
    if found:
        raise InputProblems(found)


def narrow_flips(sweep: Sweep, asked: Bracketing) -> None:
    """Plan for budgets between those where a decision flips, the widest bracket first.

    Parameters
    ----------
    sweep : Sweep
        Its ``made`` grows.
    asked : Bracketing
    """
    for _ in range(asked.most):
        if sweep.stop_asked():
            return
        wide = _widest(sweep, asked)
        if wide is None:
            return
        plans_at(sweep, [wide])


def _widest(sweep: Sweep, asked: Bracketing) -> float | None:
    """The middle of the widest bracket that is not narrow enough; of equal ones that of the smallest budget."""
    best: tuple[float, float] | None = None
    for (low, less), (high, more) in pairwise(sweep.best()):
        middle = round((low + high) / 2, 4)
        if high - low <= asked.within + FINEST / 2 or middle in sweep.made:
            continue
        if (best is None or high - low > best[0] + FINEST / 2) and _flips(sweep, less, more, asked.of):
            best = high - low, middle
    return None if best is None else best[1]


def _flips(sweep: Sweep, less: WholePlan, more: WholePlan, of: Sequence[str]) -> bool:
    """Whether a decision that is asked about appears or falls away between two plans."""
    if less is more:
        return False
    found: pd.DataFrame = turned(plan_changes(sweep.study.county, less.made.plan, more.made.plan))
    if not of:
        return len(found) > 0
    return bool((found["change"].isin(of) | found["school_id"].astype(str).isin(of)).any())
