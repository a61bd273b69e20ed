"""The public edition of a plan: no count of pupils below five, and none that a total gives away.

What would tell how many children a small group has is taken out of the result before anything is drawn from it, so
that no page, sheet, map or layer can show it:

- a group of a village below five is counted with a larger group that goes the same way ("... and others"); sums stay;
- a unit with fewer than five pupils, or a change of fewer than five, has no number, and no ratio that would tell it;
- a line of cost for fewer than five is counted with the largest line of its kind;
- the ledger, the editable sheets, zones by village, and findings with numbers of pupils are left out.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from geodata.contract.findings import Finding
from geodata.messages import say
from models.plan.decisions import GoalRecord, Plan, PlanResult

FEW = 5
"""A count below it names a child (sources.md 5.4 C12)."""
WAYS = (
    ("today_school_id", "school_id", "band", "group", "mode", "today_mode", "changed"),
    ("today_school_id", "school_id", "changed"),
    ("today_school_id", "changed"),
    ("school_id",),
)
"""What a group shares with the one that it is counted with: as much as possible."""
_PUBLIC: ContextVar[bool] = ContextVar("public", default=False)


@contextmanager
def in_public() -> Iterator[None]:
    """Say on every page that this is the public edition, until the block ends."""
    before = _PUBLIC.set(True)
    try:
        yield
    finally:
        _PUBLIC.reset(before)


def is_public() -> bool:
    """Whether the public edition is being written."""
    return _PUBLIC.get()


def public_result(result: PlanResult, language: str) -> PlanResult:
    """The same plan without counts that name a child.

    Parameters
    ----------
    result : PlanResult
    language : {"zh", "en"}
        Of the words that stand for others.

    Returns
    -------
    PlanResult
        For drawing only: its plan has another id, and no ledger of it may be published.
    """
    v = result.verdict
    travel = pooled(v.travel, language)
    keys = ["village_id", "band", "group", "today_school_id", "school_id", "mode", "pupils"]
    units = _units(v.units)
    untold = set(v.units.loc[_few(v.units["pupils_today"]) | _few(v.units["pupils_plan"]) | _few(units["_step"]), "unit_id"])  # fmt: skip
    verdict = replace(
        v, travel=travel, units=units.drop(columns="_step"), indicators=_indicators(v.indicators, untold), costs=_costs(v.costs, language),
        measures=_measures(v.measures, v.travel, travel), violations=_violations(v.violations, untold, set(travel["village_id"])), rules=v.rules.assign(worst=""), goals=_rounded(v.goals),
    )  # fmt: skip
    goals = tuple(
        replace(
            g,
            objective=_cents(g.objective),
            bound=_cents(g.bound),
            gap=round(g.gap, 3),
            means={},
            settled=_settled(g),
        )
        if math.isfinite(g.gap)
        else replace(g, objective=_cents(g.objective), means={}, settled=_settled(g))
        for g in result.solve.goals
    )
    return replace(
        result, plan=Plan(result.plan.ledger, result.plan.years, attendance=travel[keys]), verdict=verdict, actions=_actions(result.actions, untold),
        solve=replace(result.solve, goals=goals), findings=tuple(f for f in result.findings if _harmless(f)), held=None,
    )  # fmt: skip


def _few(values: pd.Series) -> pd.Series:
    """Where a count, or a change of a count, is between nothing and five."""
    number = pd.to_numeric(values, errors="coerce").abs()
    return number.gt(0) & number.lt(FEW)


def pooled(travel: pd.DataFrame, language: str) -> pd.DataFrame:
    """Groups by village with those below five counted in others.

    Parameters
    ----------
    travel : DataFrame
        `Verdict.travel`.
    language : {"zh", "en"}

    Returns
    -------
    DataFrame
        Fewer rows; the sum of ``pupils`` is the same, but for a group that shares its school with nobody.
    """
    rows = travel.reset_index(drop=True).copy()
    rows["pupils"] = rows["pupils"].astype(int)
    names = {i: str(name) for i, name in rows["village"].items()}
    for way in WAYS:
        small = rows.index[_few(rows["pupils"])]
        if not len(small):
            break
        label = rows[list(way)].astype(str).agg("\x1f".join, axis=1)
        for at in rows[label.isin(set(label[small]))].groupby(label, sort=True).groups.values():
            rows, names = _poured(rows, list(at), names)
    rows = rows[~_few(rows["pupils"])]
    others = [i for i, name in rows["village"].items() if name != names[i]]
    rows.loc[others, "village"] = [say("workbook.and_others", language, name=rows.at[i, "village"]) for i in others]  # fmt: skip
    return rows.reset_index(drop=True)


def _poured(rows: pd.DataFrame, at: list[int], names: dict[int, str]) -> tuple[pd.DataFrame, dict[int, str]]:
    """The small groups among some rows counted in the largest of them, if that makes five."""
    here = rows.loc[at].sort_values(
        ["pupils", "village_id", "band"], ascending=[False, True, True], kind="stable"
    )
    small = [i for i in here.index if 0 < here.at[i, "pupils"] < FEW and i != here.index[0]]
    total = int(rows.loc[small, "pupils"].sum()) + int(here["pupils"].iloc[0])
    if not small or total < FEW:
        return rows, names
    first = here.index[0]
    rows.loc[first, "pupils"] = total
    names = {**names, first: ""}
    return rows.drop(index=small), names


def _units(units: pd.DataFrame) -> pd.DataFrame:
    """Units without counts, classes and verdicts that tell of fewer than five; ``_step`` is the change that was."""
    step = units["pupils_plan"].astype(float) - units["pupils_today"].astype(float)
    made = units.assign(_step=step)
    for end in ("today", "plan"):
        hide = _few(units[f"pupils_{end}"]) | (_few(step) if end == "plan" else False)
        made[f"pupils_{end}"] = units[f"pupils_{end}"].astype(float).mask(hide)
    return made


def _indicators(indicators: pd.DataFrame, untold: set[str]) -> pd.DataFrame:
    """A ratio to pupils tells them to whoever knows the teachers: none for these units."""
    hide = indicators["unit_id"].isin(untold)
    columns = [c for c in indicators if c.startswith(("pupils_", "ratio_", "gap_"))]
    return indicators.assign(**{c: indicators[c].astype(float).mask(hide) for c in columns})


def _costs(costs: pd.DataFrame, language: str) -> pd.DataFrame:
    """Lines for pupils below five counted in the largest line of their kind; one alone has no number."""
    rows = costs.reset_index(drop=True).copy()
    rows[["quantity", "yuan"]] = rows[["quantity", "yuan"]].astype(float)
    kind = ["action", "item", "earmark", "recurrent", "charged", "unit_cost"]
    mine = rows[rows["unit"] == "pupils"]
    drop: list[int] = []
    for at in mine.groupby(kind, dropna=False, sort=True).groups.values():
        here = rows.loc[list(at)].sort_values("quantity", ascending=False, kind="stable")
        small = [i for i in here.index if 0 < abs(here.at[i, "quantity"]) < FEW]
        if not small:
            continue
        first = here.index[0]
        small = [i for i in small if i != first]
        rows.loc[first, ["quantity", "yuan"]] += rows.loc[small, ["quantity", "yuan"]].sum()
        if abs(rows.at[first, "quantity"]) < FEW:
            rows.loc[first, ["quantity", "yuan"]] = np.nan
        elif small:
            rows.loc[first, "school"] = say("workbook.and_others", language, name=rows.at[first, "school"])
        drop += small
    return rows.drop(index=drop).reset_index(drop=True)


def _measures(measures: pd.DataFrame, before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    """Measures that agree with the groups as they are told: a difference would give a small group away."""
    made = _rounded(measures)
    people, way = measures["unit"] == "pupils", measures["unit"] == "minutes"
    for column, end in (("today", "_today"), ("plan", "")):
        sums = [_by_way(travel, end) for travel in (before, after)]
        for key in sums[0]:
            made.loc[made["measure"] == key, column] += sums[1][key] - sums[0][key]
        made[column] = made[column].where(~way, made[column].round(0))  # as pages print them
        made[column] = made[column].mask(people & _few(made[column]))
    return made


def _by_way(travel: pd.DataFrame, end: str) -> dict[str, float]:
    """Pupils by what their way is like: sums that count a group's pupils here or there."""
    pupils = travel["pupils"].astype(float)
    over = travel[f"minutes{end}"].astype(float) > travel[f"limit{end}"].astype(float) + 1e-6
    ride = (travel["today_mode"] if end else travel["mode"]) == "bus"
    moved = travel["changed"].astype(bool) & (end == "")
    return {
        "pupils_over_limit": float(pupils[over].sum()), "riders": float(pupils[ride].sum()),
        "pupils_changed": float(pupils[moved].sum()),
    }  # fmt: skip


def _rounded(table: pd.DataFrame) -> pd.DataFrame:
    """Two decimals: a mean over all pupils with all its digits could be solved for one of them."""
    floats = table.select_dtypes("floating").columns
    return table.assign(**{c: table[c].round(2) for c in floats})


def _settled(goal: GoalRecord) -> float | None:
    return None if goal.settled is None else _cents(goal.settled)


def _cents(value: float) -> float:
    return round(value, 2) if math.isfinite(value) else value


def _violations(violations: pd.DataFrame, untold: set[str], shown: set[str]) -> pd.DataFrame:
    """Places without a count below five; villages that are counted with others have none of their own."""
    rows = violations.copy()
    hide = (rows["unit"] == "pupils") & _few(rows["amount"])
    schools = {unit.rsplit("/", 1)[0] for unit in untold}
    hide |= rows["place_id"].astype(str).isin(untold | schools) & rows["unit"].isin(["pupils", "ratio"])
    rows["amount"] = pd.to_numeric(rows["amount"], errors="coerce").mask(hide)
    return rows


def _actions(actions: pd.DataFrame, untold: set[str]) -> pd.DataFrame:
    """Actions without quantities, money and reasons that tell of fewer than five."""
    if not len(actions):
        return actions
    few = (actions["unit"] == "pupils") & _few(actions["quantity"])
    told = np.array([_tells(f) for f in actions["reason_fields"]], dtype=bool)
    hide = (few | told).to_numpy()
    return actions.assign(
        quantity=actions["quantity"].astype(float).mask(few), yuan=actions["yuan"].astype(float).mask(few),
        reason_key=np.where(hide, "reasons.withheld", actions["reason_key"]),
        reason_fields=[{} if h else f for h, f in zip(hide, actions["reason_fields"], strict=True)],
    )  # fmt: skip


def _tells(fields: Any) -> bool:
    """Whether a reason has a number of pupils below five: one of its own, or at the end of a name ("X 3")."""
    if not isinstance(fields, dict):
        return False
    ends = [str(v).rsplit(" ", 1)[-1] for v in fields.get("to", [])]
    numbers = [fields.get("pupils"), *(int(e) for e in ends if e.isdigit())]
    return any(isinstance(n, (int, float)) and 0 < n < FEW for n in numbers)


def _harmless(finding: Finding) -> bool:
    """A finding without a number of pupils or somebody's name; what was wrong with one village's count is not for the public."""
    if finding.key.startswith("corrections."):
        return False
    return "pupils" not in finding.fields and not (finding.column or "").startswith("pupils")
