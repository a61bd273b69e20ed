"""Why a school takes pupils of schools that stay open: the plan's own numbers beside those of the plan in which they stay.

Whose school closes has to go somewhere; who leaves a school that goes on teaching them is moved for something, and the referee says what:
the first goal that would be worse had they stayed, else the rule that would be broken.
"""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

from models.plan.decisions import Plan, Verdict
from models.problem.request import GOALS
from models.referee.verdict import Trial
from optimizer.verbs.finishing.tidy import told_apart

RECEIVE = "reasons.receive"
RELIEF = "over_cap"
_EPS = 1e-9


def receivers_explained(
    actions: pd.DataFrame, plan: Plan, verdict: Verdict, tried: Callable[[Plan], Trial], tries: int = 20
) -> pd.DataFrame:
    """Actions with what it serves that schools take pupils who could have stayed.

    Parameters
    ----------
    actions : DataFrame
        `models.plan.reasons.actions.list_actions` of ``plan``.
    plan, verdict : Plan, Verdict
    tried : callable
        The referee (`models.referee.verdict.Trial.but`).
    tries : int
        Receivers asked about at most, those with most pupils first.

    Returns
    -------
    DataFrame
    """
    stays = {
        (j, b) for j, b, o in zip(*(plan.bands[c] for c in ("school_id", "band", "open")), strict=True) if o
    }
    travel = verdict.travel.set_index("row_id")
    free = [(j, b) in stays for j, b in zip(travel["today_school_id"], travel["band"], strict=True)]
    moved = travel[travel["changed"].astype(bool) & pd.Series(free, travel.index, dtype=bool)]
    table = actions.copy()
    asked = actions[actions["reason_key"] == RECEIVE].sort_values("quantity", ascending=False, kind="stable")
    for i, action in asked.head(tries).iterrows():
        rows = moved[moved.index.isin(action["rows"])]
        if len(rows):
            key, fields = _served(rows, plan, verdict, tried)
            if key:
                home = sorted(rows["today_school"].unique())
                told = {"left": int(rows["pupils"].sum()), "home": home}
                table.at[i, "reason_key"], table.at[i, "reason_fields"] = (
                    key,
                    action["reason_fields"] | told | fields,
                )
    return table


def _served(
    rows: pd.DataFrame, plan: Plan, verdict: Verdict, tried: Callable[[Plan], Trial]
) -> tuple[str, dict[str, object]]:
    """Message key and fields of what would be lost had these pupils stayed; an empty key where it is nothing."""
    going = plan.attendance.copy()
    here = going["row_id"].isin(rows.index)
    going.loc[here, "school_id"] = going.loc[here, "today_school_id"]
    going.loc[here, "mode"] = going.loc[here, "row_id"].map(rows["today_mode"])
    trial = tried(Plan(plan.ledger, plan.years, attendance=going.drop(columns="row_id")))
    old, new = verdict.goals.set_index("goal")["plan"], trial.worth()
    fewer = _classes_fewer(rows, verdict)
    for goal in (g for g in GOALS if g in old.index):
        if not new[goal] > old[goal] + _EPS * max(1.0, abs(old[goal])) or (goal == RELIEF and fewer):
            continue  # fewer classes because fewer pupils are there: had they stayed, so would the classes
        value, without = told_apart(float(old[goal]), float(new[goal]))
        if goal == RELIEF:
            return "reasons.receive_relief", {"value": round(value), "without": round(without)}
        return "reasons.receive_goal", {"goal": goal, "value": value, "without": without}
    broken = trial.broken()
    if broken is None:
        return "", {}
    return "reasons.receive_rule", {"rule": broken[0], "place": broken[1]}


def _classes_fewer(rows: pd.DataFrame, verdict: Verdict) -> bool:
    """Whether a school that they leave has fewer classes in the plan."""
    units = verdict.units[verdict.units["school_id"].isin(rows["today_school_id"])]
    return bool((units["classes_plan"] < units["classes_today"]).any())
