"""From the plan that the search found to the one that is handed over: ways straight, idle things and trifles out, reasons told."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from geodata.contract.findings import Finding
from models.plan.decisions import Plan, Verdict
from models.plan.keeping import Held
from models.plan.reasons.actions import list_actions
from models.referee.verdict import Trial
from optimizer.verbs.finishing.received import receivers_explained
from optimizer.verbs.finishing.straight import straightened
from optimizer.verbs.finishing.tidy import without_idle, without_trifles


@dataclass(frozen=True)
class Finished:
    """A plan as it is handed over.

    Parameters
    ----------
    plan, verdict : Plan, Verdict
    solved : Verdict
        Of the plan that the bounds are checked against: the model's own, whose ways straight ones are not.
    actions : DataFrame
        `models.plan.reasons.actions.list_actions` of ``plan``, explained.
    notes : tuple of Finding
        What was changed.
    """

    plan: Plan
    verdict: Verdict
    solved: Verdict
    actions: pd.DataFrame
    notes: tuple[Finding, ...]


def finished(trial: Trial, own: Verdict, kept: Held, spare: dict[str, float]) -> Finished:
    """Make a found plan one that somebody would sign; what is held stays, and every change is judged by the referee.

    Parameters
    ----------
    trial : Trial
        The referee of the model's own plan.
    own : Verdict
        Its verdict.
    kept : Held
        Decisions made by hand.
    spare : dict of str to float
        What each goal may lose when trifles are left out, as a share.
    """
    standards, mine = trial.after.standards, set(kept.rows["row_id"])

    def told(plan: Plan, verdict: Verdict) -> pd.DataFrame:
        return list_actions(
            trial.after.county, plan, verdict, standards, lambda asked: trial.but(asked).violations()
        )

    def loose(actions: pd.DataFrame) -> pd.DataFrame:
        return actions[np.array([not mine & set(rows) for rows in actions["rows"]], dtype=bool)]

    straight = straightened(trial.after.plan, own, trial, kept)
    plan, verdict, notes = straight.plan, straight.verdict, straight.notes()
    actions = told(plan, verdict)
    tidy = without_idle(plan, verdict, loose(actions), trial.but)
    if tidy.dropped:
        plan, verdict = tidy.plan, tidy.verdict
        actions = told(plan, verdict)
        notes = (*notes, Finding("note", "reasons.idle_dropped", {"count": tidy.dropped}))
    actions = tidy.explained(actions)
    solved = own if straight.notes() else verdict
    small = without_trifles(plan, verdict, loose(actions), trial.but, standards, spare)
    if small.dropped:
        plan, verdict = small.plan, small.verdict
        actions = tidy.explained(told(plan, verdict))
        notes = (*notes, Finding("note", "reasons.trifles_dropped", {"count": small.dropped}))
    return Finished(plan, verdict, solved, receivers_explained(actions, plan, verdict, trial.but), notes)
