"""What `why` answers about a plan's decisions: plain objects for the command line and the pages."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

import pandas as pd

from geodata.contract.county import County
from geodata.contract.findings import Finding
from models.plan.decisions import PlanResult

PLAN, OTHER, EVEN, WHY_OPEN, IMPOSSIBLE, NO_CHOICE, WHY_LOST = (
    "plan", "other", "even", "open", "impossible", "no_choice", "lost",
)  # fmt: skip
"""How a decision and its contrary compare, see `Turned`."""


@dataclass(frozen=True)
class Flip:
    """How far one number has to change until a decision is another one.

    Parameters
    ----------
    quantity : {"pupils", "places", "minutes", "money"}
    place_id : str
        School (or village) whose number it is; empty for money.
    other_id : str
        Of minutes: the school at the end of the way; of places: the stage.
    reach : float
        The largest change looked at, signed, in pupils, places, minutes or yuan.
    step : float
        The smallest change that is told apart.
    status : {"flips", "none", "open", "late"}
        ``flips``: the decision is another one at ``at``; ``none``: at no change looked at; ``open``: not proven at some of them;
        ``late``: there was no time to look at any.
    below : float
        The largest change looked at that does not flip it (0: none was looked at).
    at : float
        The smallest change looked at that flips it; NaN where none does.
    tried : tuple of (float, str)
        Every change looked at with its outcome, in the order in which they were solved.
    seconds : float
    """

    quantity: str
    place_id: str
    other_id: str
    reach: float
    step: float
    status: str
    below: float
    at: float
    tried: tuple[tuple[float, str], ...]
    seconds: float


@dataclass(frozen=True)
class Turned:
    """One decision of a plan, and the plan with it turned round.

    Parameters
    ----------
    kind : str
        stays, closes, receives, relieved, teachers, hires, buys, goes (`optimizer.why.decisions`).
    school_id, village_id : str
        Of ``goes``: the school that is attended in the plan, and the village.
    changes : bool
        Whether the plan changes anything by it.
    outcome : str
        ``plan``: proven that the plan's decision is better; ``other``: proven that the other is; ``even``: equal in every goal;
        ``open``: not proven; ``impossible``: proven that no plan has the other; ``lost``: that none has the plan's;
        ``no_choice``: a rule leaves none.
    goal : str
        The goal that tells (or that leaves it open); empty where none does.
    next_id : str
        Where the village would go, or most of the school's pupils; empty where nobody moves.
    schools, villages : int
        How much around it was decided anew.
    whole : bool
        The whole county was.
    goals : DataFrame
        ``goal, plan, kept, other, bound``: the plan's own value; the best found with the plan's decision and with the other; what is
        proven of the other, NaN where nothing is.
    accepted : bool or None
        The referee's verdict about the plan with the other decision; None where there is no such plan.
    measures : DataFrame
        ``measure, unit, better, plan, other, change``; empty without that plan.
    moved : DataFrame
        ``village_id, village, band, pupils, school_plan, school_other, minutes_plan, minutes_other``.
    rules : DataFrame
        ``rule, kind, plan, other``: what each rule says there (free, limit, eased, broken).
    barred : DataFrame
        ``village, band, school, mode, minutes, limit, rule, excess``: ways that a rule bars.
    reasons : tuple of Finding
    flips : tuple of Flip
    seconds : float
    """

    kind: str
    school_id: str
    village_id: str
    changes: bool
    outcome: str
    goal: str
    next_id: str
    schools: int
    villages: int
    whole: bool
    goals: pd.DataFrame
    accepted: bool | None
    measures: pd.DataFrame
    moved: pd.DataFrame
    rules: pd.DataFrame
    barred: pd.DataFrame
    reasons: tuple[Finding, ...]
    flips: tuple[Flip, ...]
    seconds: float

    @property
    def because(self) -> bool:
        """Whether the plan's decision is proven to be the better one, or the only one."""
        return self.outcome in (PLAN, IMPOSSIBLE, NO_CHOICE)


@dataclass(frozen=True)
class Reasoned:
    """A school or village with what is decided about it.

    Parameters
    ----------
    kind : {"school", "village"}
    place_id, name : str
    turned : tuple of Turned
        The decision that changes most first.
    seconds : float
    """

    kind: str
    place_id: str
    name: str
    turned: tuple[Turned, ...]
    seconds: float


@dataclass(frozen=True)
class Whys:
    """Why a plan decides as it does about some places.

    Parameters
    ----------
    county : County
    plan_id : str
    told : callable
        Makes ``result``: the plan as a `PlanResult`, whose actions take a while and are wanted for pages only.
    places : tuple of Reasoned
    seconds : float
        Allowed for a place.
    same : float
        Share of a goal within which two values are the same.
    interrupted : bool
        Ended early on request; the places asked for last are missing.
    solver : str
    findings : tuple of Finding
        About the plan and its record.
    """

    county: County
    plan_id: str
    told: Callable[[], PlanResult] = field(repr=False)
    places: tuple[Reasoned, ...]
    seconds: float
    same: float
    interrupted: bool
    solver: str
    findings: tuple[Finding, ...]

    @cached_property
    def result(self) -> PlanResult:
        """The plan asked about with the referee's verdict and its actions."""
        return self.told()

    @property
    def table(self) -> pd.DataFrame:
        """A row a decision: ``kind, place_id, name, decision, school_id, outcome, goal, next_id, seconds``."""
        rows = [
            (p.kind, p.place_id, p.name, t.kind, t.school_id, t.outcome, t.goal, t.next_id, t.seconds)
            for p in self.places
            for t in p.turned
        ]
        columns = [
            "kind",
            "place_id",
            "name",
            "decision",
            "school_id",
            "outcome",
            "goal",
            "next_id",
            "seconds",
        ]
        return pd.DataFrame(rows, columns=columns)

    def __repr__(self) -> str:
        """A line: how many places and decisions."""
        return f"Whys({self.county.name!r}, plan {self.plan_id}: {len(self.places)} places, {len(self.table)} decisions)"

    def _repr_html_(self) -> str:
        """The table, for notebooks."""
        return str(self.table.to_html(index=False, float_format="{:,.4g}".format))
