"""What serves nothing is not done: rows of a plan without any effect are left out where the referee agrees.

A search that the clock ends before the goals of little change and little money leaves transfers and purchases behind
that no goal asks for. They are taken out together, or by halves where some of them hold each other up.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import pandas as pd

from models.plan.decisions import Plan, Verdict

IDLE = "reasons.serves_nothing"
EPS = 1e-9


@dataclass(frozen=True)
class Tidied:
    """A plan without its idle rows.

    Parameters
    ----------
    plan : Plan
    verdict : Verdict
    dropped : int
        Rows left out.
    """

    plan: Plan
    verdict: Verdict
    dropped: int


def without_idle(
    plan: Plan, verdict: Verdict, actions: pd.DataFrame, judge: Callable[[Plan], Verdict], tries: int = 12
) -> Tidied:
    """Leave out rows whose action serves nothing, as long as no rule breaks and no goal or imbalance gets worse.

    Parameters
    ----------
    plan : Plan
    verdict : Verdict
        Of ``plan``.
    actions : DataFrame
        `models.plan.reasons.list_actions` of ``plan``.
    judge : callable
        The referee.
    tries : int
        Verdicts asked for at most.

    Returns
    -------
    Tidied
    """
    idle = [tuple(rows) for rows in actions.loc[actions["reason_key"] == IDLE, "rows"] if len(rows)]
    before = len(plan.ledger)
    waiting = [idle] if idle else []
    while waiting and tries > 0:
        group = waiting.pop(0)
        out = {row for rows in group for row in rows}
        less = replace(plan, ledger=plan.ledger[~plan.ledger["row_id"].isin(out)])
        said, tries = judge(less), tries - 1
        if said.accepted and no_worse(verdict, said):
            plan, verdict = less, said
        elif len(group) > 1:
            half = len(group) // 2
            waiting += [group[:half], group[half:]]
    return Tidied(plan, verdict, before - len(plan.ledger))


def no_worse(before: Verdict, after: Verdict) -> bool:
    """Whether every goal's value and the imbalance are as good as before."""
    old, new = (
        pd.concat(
            [v.goals.set_index("goal")["plan"], v.measures.set_index("measure").loc[["imbalance"], "plan"]]
        )
        for v in (before, after)
    )
    worse = new > old + EPS * old.abs().clip(lower=1.0)
    return not worse.any()
