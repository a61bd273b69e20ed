"""What `trades` finds: for each goal of a plan, a plan that serves it better while the others give way a little."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from geodata.contract.county import County
from geodata.contract.findings import Finding
from models.plan.decisions import Plan, Verdict

GAIN, NO_ROOM, NONE_FOUND, NOT_ASKED = "gain", "no_room", "none_found", "not_asked"
"""How a goal fared, see `Trade`."""


@dataclass(frozen=True)
class Trade:
    """One goal made as small as the search allows, while every other goal gives up a share at most.

    Parameters
    ----------
    goal : str
    own, value : float
        In the plan, and the least found; equal where nothing better was found.
    bound : float
        No plan in which the others keep within the share has less; NaN where nothing is proven.
    outcome : {"gain", "no_room", "none_found", "not_asked"}
        ``gain``: a better plan, accepted by the referee; ``no_room``: proven that there is hardly anything to gain;
        ``none_found``: neither; ``not_asked``: stopped before its turn.
    plan, verdict : Plan, Verdict or None
        Of ``gain``.
    goals : DataFrame
        ``goal, plan, most, other``: every goal in the plan, the most that it could become, and in the other plan.
    measures : DataFrame
        ``measure, unit, better, plan, other, change``; empty without another plan.
    changes : DataFrame
        `models.plan.differences.comparison.plan_changes` from the plan; empty without another plan.
    seconds : float
    """

    goal: str
    own: float
    value: float
    bound: float
    outcome: str
    plan: Plan | None
    verdict: Verdict | None
    goals: pd.DataFrame
    measures: pd.DataFrame
    changes: pd.DataFrame
    seconds: float


@dataclass(frozen=True)
class Trades:
    """Plans beside one plan, a goal each.

    Parameters
    ----------
    county : County
    plan_id : str
        Of the plan that they stand beside.
    within : float
        The share that every other goal may give up.
    limit : float
        Seconds that each goal was given.
    trades : tuple of Trade
        In the order of the plan's goals.
    interrupted : bool
    solver : str
    findings : tuple of Finding
    """

    county: County
    plan_id: str
    within: float
    limit: float
    trades: tuple[Trade, ...]
    interrupted: bool
    solver: str
    findings: tuple[Finding, ...]

    @property
    def plans(self) -> tuple[Trade, ...]:
        """Those with another plan; their numbers count from 1."""
        return tuple(t for t in self.trades if t.plan is not None)

    @property
    def table(self) -> pd.DataFrame:
        """By goal: ``goal, plan, other, bound, outcome, plan_id, changed`` (amounts that differ)."""
        rows = [
            (
                t.goal,
                t.own,
                t.value,
                t.bound,
                t.outcome,
                "" if t.plan is None else t.plan.plan_id,
                len(t.changes),
            )
            for t in self.trades
        ]
        return pd.DataFrame(rows, columns=["goal", "plan", "other", "bound", "outcome", "plan_id", "changed"])

    def __repr__(self) -> str:
        """A line: how many plans beside which."""
        return f"Trades({self.county.name!r}, plan {self.plan_id}: {len(self.plans)} plans within {self.within:.1%})"

    def _repr_html_(self) -> str:
        """The table, for notebooks."""
        return str(self.table.to_html(index=False, float_format="{:,.4g}".format))
