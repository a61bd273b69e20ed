"""What serves nothing is not done: rows of a plan without any effect are left out where the referee agrees.

A search that the clock ends before the goals of little change and little money leaves transfers and purchases behind
that no goal asks for. They are taken out together, or by halves where some of them hold each other up.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import pandas as pd

from models.plan.decisions import Plan, Verdict
from models.referee.verdict import Trial

IDLE = "reasons.serves_nothing"
GOAL, RULE = "reasons.serves_goal", "reasons.serves_rule"
EPS = 1e-9
Reason = tuple[str, dict[str, object]]
"""Key and fields of a message."""


@dataclass(frozen=True)
class Tidied:
    """A plan without its idle rows.

    Parameters
    ----------
    plan : Plan
    verdict : Verdict
    dropped : int
        Rows left out.
    needed : dict of str to (str, dict)
        Why a row that seemed idle stays, by row id: the rule that breaks or the goal that gets worse without it.
    """

    plan: Plan
    verdict: Verdict
    dropped: int
    needed: dict[str, Reason]

    def explained(self, actions: pd.DataFrame) -> pd.DataFrame:
        """Actions of ``plan`` with these reasons where none was found otherwise."""
        table = actions.copy()
        for i, rows in actions.loc[actions["reason_key"] == IDLE, "rows"].items():
            found = next((self.needed[r] for r in rows if r in self.needed), None)
            if found is not None:
                table.at[i, "reason_key"], table.at[i, "reason_fields"] = found
        return table


def without_idle(
    plan: Plan, verdict: Verdict, actions: pd.DataFrame, tried: Callable[[Plan], Trial], tries: int = 12
) -> Tidied:
    """Leave out rows whose action serves nothing, as long as no rule breaks and no goal or imbalance gets worse.

    Parameters
    ----------
    plan : Plan
    verdict : Verdict
        Of ``plan``.
    actions : DataFrame
        `models.plan.reasons.list_actions` of ``plan``.
    tried : callable
        The referee (`models.referee.verdict.try_plan`).
    tries : int
        Plans tried at most.

    Returns
    -------
    Tidied
    """
    idle = [tuple(rows) for rows in actions.loc[actions["reason_key"] == IDLE, "rows"] if len(rows)]
    before = len(plan.ledger)
    waiting = [idle] if idle else []
    needed: dict[str, Reason] = {}
    while waiting and tries > 0:
        group = waiting.pop(0)
        out = {row for rows in group for row in rows}
        less = replace(plan, ledger=plan.ledger[~plan.ledger["row_id"].isin(out)])
        trial, tries = tried(less), tries - 1
        if (
            len(group) > 1 and worse_goal(verdict, trial) is not None
        ):  # quicker than the rules, and no reason is told yet
            why: Reason | None = GOAL, {}
        else:
            why = loss(verdict, trial)
        if why is None:
            plan, verdict = less, trial.verdict()
        elif len(group) > 1:
            half = len(group) // 2
            waiting += [group[:half], group[half:]]
        else:
            needed |= dict.fromkeys(group[0], why)
    return Tidied(plan, verdict, before - len(plan.ledger), needed)


def loss(before: Verdict, trial: Trial) -> Reason | None:
    """What a trial loses: a hard rule, else the goal or the imbalance that gets worse; None for nothing."""
    broken = trial.broken()
    if broken is not None:
        return RULE, {"rule": broken[0], "place": broken[1]}
    return worse_goal(before, trial)


def worse_goal(before: Verdict, trial: Trial) -> Reason | None:
    """The first goal that gets worse, or the imbalance; None where none does."""
    imbalance = before.measures.set_index("measure").loc[["imbalance"], "plan"]
    old, new = pd.concat([before.goals.set_index("goal")["plan"], imbalance]), trial.worth()
    worse = new.index[new > old + EPS * old.abs().clip(lower=1.0)]
    if not len(worse):
        return None
    goal = str(worse[0])
    value, without = told_apart(float(old[goal]), float(new[goal]))
    return GOAL, {"goal": goal, "value": value, "without": without}


def told_apart(one: float, other: float) -> tuple[float, float]:
    """Two numbers in as many digits, four at least, as it takes to tell them apart."""
    for digits in range(4, 16):
        short = float(f"{one:.{digits}g}"), float(f"{other:.{digits}g}")
        if short[0] != short[1]:
            return short
    return one, other
