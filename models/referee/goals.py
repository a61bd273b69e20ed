"""Every goal's value for a plan, recomputed from the raw tables: what the search's objectives are held against.

The definitions are those of docs/model/goals.md; nothing here comes from the model.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from models.plan.costs import cost_table
from models.plan.outcome import After
from models.problem.indicators import official_cv
from models.standards.norms import Standards

PER = 1000.0


@dataclass(frozen=True)
class Side:
    """One side of the comparison: today or the plan."""

    units: pd.DataFrame
    cells: pd.DataFrame


def goal_values(after: After) -> pd.DataFrame:
    """Every goal's value today and in the plan.

    Returns
    -------
    DataFrame
        ``goal, today, plan``: over_cap (pupils), failing (units), cells (cells not met), shortfall (pupils),
        deficit (per 1,000 pupils), cv_excess, beyond_limit (pupils), travel (mean minutes), disruption (per cent
        of pupils and of staff), cost (large units of the currency: 10,000 yuan).
    """
    today, plan = Side(after.units, after.cells_today), Side(after.new, after.cells_plan)
    rows = [
        ("over_cap", _over_cap(after, "today"), _over_cap(after, "plan")),
        ("failing", *_failing(after)),
        ("cells", *_unmet(after, today, plan)),
        ("shortfall", *_shortfall(after, today, plan)),
        ("deficit", _deficit(after, today), _deficit(after, plan)),
        ("cv_excess", _cv_excess(after, today), _cv_excess(after, plan)),
        ("beyond_limit", _beyond(after, "today"), _beyond(after, "plan")),
        ("travel", _travel(after, "minutes_today"), _travel(after, "minutes")),
        ("disruption", 0.0, _disruption(after)),
        ("cost", 0.0, _cost(after)),
    ]
    return pd.DataFrame(rows, columns=["goal", "today", "plan"])


def _over_cap(after: After, end: str) -> float:
    """Pupils beyond places, size caps of sites, and caps of class grade by grade."""
    units = after.units if end == "today" else after.new
    cap = units["stage"].map({s: after.number(f"class_cap_{s}") for s in units["stage"].unique()})
    places = float((units["pupils"] - units["capacity"]).clip(lower=0).sum())
    site = units.groupby("school_id")["pupils"].sum()
    size = float((site - after.site_cap.reindex(site.index)).clip(lower=0).sum())
    combined = after.combined.reindex(units.index).fillna(False)
    mixed = float((units["pupils"] - cap * units["classes"])[combined].clip(lower=0).sum())
    return places + size + mixed + _over_class(after, end, combined[~combined].index)


def _over_class(after: After, end: str, apart: pd.Index) -> float:
    grades = after.grades
    grades = grades[grades["unit_id"].isin(apart)]
    people = grades["pupils_today" if end == "today" else "pupils"].to_numpy(float)
    cap = (
        grades["stage"]
        .map({s: after.number(f"class_cap_{s}") for s in grades["stage"].unique()})
        .to_numpy(float)
    )
    if end == "today":
        capped = np.isfinite(cap)  # without a cap nobody is beyond it, no class told or not
        held = cap[capped] * grades["classes_today"].to_numpy(float)[capped]
        return float(np.maximum(0.0, people[capped] - held).sum())
    table = pd.DataFrame(
        {"j": grades["school_id"], "b": grades["band"], "p": people, "c": cap, "n": grades["classes"]}
    )
    table["need"] = np.ceil(table["p"] / table["c"] - 1e-6)
    short = table.groupby(["j", "b"]).filter(lambda x: x["need"].sum() > x["n"].iloc[0])
    return float(
        sum(
            _least_over(x["p"].to_list(), float(x["c"].iloc[0]), int(x["n"].iloc[0]))
            for _, x in short.groupby(["j", "b"])
        )
    )


def _least_over(people: list[float], cap: float, classes: int) -> float:
    """Pupils beyond the cap when so many classes are dealt to grades, each where it helps most."""
    left = list(people)
    for _ in range(classes):
        worst = max(range(len(left)), key=lambda i: min(left[i], cap))
        left[worst] = max(0.0, left[worst] - cap)
    return sum(left)


def _verdict_kept(after: After, today: pd.Series, plan: pd.Series) -> tuple[pd.Series, pd.Series]:
    """Good or not, by unit that counts: a closed unit keeps today's word, a new one costs where it is not good."""
    was, now = after.units["assessed"], after.new["assessed"]
    is_open = after.new["open"]
    kept = plan.where(is_open, today)
    return was, (was & ~kept) | (~was & now & ~plan)


def _passing(said: pd.DataFrame, units: pd.DataFrame) -> pd.Series:
    """Whether each unit does not fail: where nothing is tested, or something is not known, there is nothing to fail."""
    return said["passes"].reindex(units.index).fillna(True).astype(bool)


def _failing(after: After) -> tuple[float, float]:
    """Assessed units that do not pass."""
    old, new = _passing(after.said_today, after.units), _passing(after.said_plan, after.new)
    was, bad = _verdict_kept(after, old, new)
    return float((was & ~old).sum()), float(bad.sum())


def _unmet(after: After, today: Side, plan: Side) -> tuple[float, float]:
    """Cells not met, counted like the units."""
    old = today.cells.pivot(index="unit_id", columns="indicator", values="met")
    new = plan.cells.pivot(index="unit_id", columns="indicator", values="met")
    before = now = 0.0
    for one in old.columns:
        has = old[one].notna()
        a, b = old.loc[has, one].astype(bool), new.loc[has, one].astype(bool)
        a, b = a.reindex(after.units.index).fillna(True), b.reindex(after.units.index).fillna(True)
        was, bad = _verdict_kept(after, a, b)
        before, now = before + float((was & ~a).sum()), now + float(bad.sum())
    return before, now


def _short(cells: pd.DataFrame, after: After) -> pd.Series:
    """Pupils whose share is missing, by unit and indicator."""
    scale = {(i.stage, i.id): i.scale for i in after.standards.indicators}
    per = np.array([scale[k] for k in zip(cells["stage"], cells["indicator"], strict=True)])
    missing = cells["pupils"].to_numpy(float) - cells["amount"].to_numpy(float) * per / cells[
        "threshold"
    ].to_numpy(float)
    index = pd.MultiIndex.from_frame(cells[["unit_id", "indicator"]])
    return pd.Series(np.maximum(0.0, missing), index=index)


def _shortfall(after: After, today: Side, plan: Side) -> tuple[float, float]:
    """Over units assessed today; a closed one keeps today's."""
    # a cell is known on both sides or on none, unless its unit closes and keeps today's
    old, new = _short(today.cells, after).fillna(0.0), _short(plan.cells, after).fillna(0.0)
    unit = old.index.get_level_values("unit_id")
    was, is_open = (
        after.units["assessed"].reindex(unit).to_numpy(bool),
        after.new["open"].reindex(unit).to_numpy(bool),
    )
    now = np.where(is_open, new.reindex(old.index).to_numpy(), old.to_numpy())
    return float(old.to_numpy()[was].sum()), float(now[was].sum())


def _deficit(after: After, side: Side) -> float:
    """1,000 sum max(0, P - x / t)^2 / P / N over all open units, t the larger of threshold and today's mean."""
    old, new = _columns(after.units, after.standards), _columns(side.units, after.standards)
    total = 0.0
    for one in (i for i in after.standards.indicators if i.tested):
        here = old["stage"] == one.stage
        counted = here & old["assessed"] & ~np.isnan(old[one.resource])
        mean = float(old[one.resource][counted].sum()) / max(1.0, float(old["pupils"][counted].sum()))
        goal = max(one.threshold / one.scale, mean)
        rows = (new["stage"] == one.stage) & (new["pupils"] > 0) & ~np.isnan(new[one.resource])
        people = new["pupils"][rows]
        lack = np.maximum(0.0, people - new[one.resource][rows] / goal)
        total += float((lack**2 / people).sum()) / max(1.0, float(old["pupils"][here].sum()))
    return PER * total


def _columns(units: pd.DataFrame, standards: Standards) -> dict[str, Any]:
    """Columns of a table of units as arrays: cutting a wide table once an indicator was most of the time."""
    numbers = {c: units[c].to_numpy(float) for c in ("pupils", *standards.resources) if c in units}
    return {**numbers, "stage": units["stage"].to_numpy(object), "assessed": units["assessed"].to_numpy(bool)}


def _cv_excess(after: After, side: Side) -> float:
    """Sum max(0, CV^2 - limit^2) over indicators with a limit."""
    units = _columns(side.units, after.standards)
    total = 0.0
    for one in after.standards.indicators:
        rows = (units["stage"] == one.stage) & units["assessed"] & ~np.isnan(units[one.resource])
        cv = official_cv(units[one.resource][rows], units["pupils"][rows])
        if one.cv_limit > 0 and np.isfinite(cv):
            total += max(0.0, cv**2 - one.cv_limit**2)
    return total


def _beyond(after: After, end: str) -> float:
    rows = after.travel
    minutes = rows["minutes_today" if end == "today" else "minutes"].astype(float)
    limit = rows["limit_today" if end == "today" else "limit"]
    return float(rows.loc[minutes > limit + 1e-9, "pupils"].sum())


def _travel(after: After, column: str) -> float:
    rows = after.travel[after.travel[column].notna()]
    every = max(1.0, float(after.travel["pupils"].sum()))
    return float((rows[column].astype(float) * rows["pupils"]).sum()) / every


def _disruption(after: After) -> float:
    people, staff = float(after.travel["pupils"].sum()), float(after.units["staff"].sum())
    moved = float(after.travel.loc[after.travel["changed"], "pupils"].sum())
    return 100 * moved / max(people, 1.0) + 100 * float(after.plan.staff_moves["heads"].sum()) / max(
        staff, 1.0
    )


def _cost(after: After) -> float:
    costs = cost_table(after)
    return float(costs.loc[costs["charged"], "yuan"].sum()) / after.county.scheme.currency.large
