"""Every goal's value for a plan, recomputed from the raw tables: what the search's objectives are held against.

The definitions are those of docs/model/goals.md; nothing here comes from the model.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from geodata.arrays import Flags, Floats, Ints
from geodata.contract.groups import kind_in
from models.plan.before import site_pupils
from models.plan.costs import cost_table
from models.plan.outcome import After
from models.problem.indicators import merged_units
from models.problem.spread import official_cv
from models.standards.norms import Standards

PER = 1000.0


def goal_values(after: After) -> pd.DataFrame:
    """Every goal's value today and in the plan.

    Returns
    -------
    DataFrame
        ``goal, today, plan``: over_cap (pupils), failing (units), cells (cells not met), shortfall (pupils),
        deficit (per 1,000 pupils), cv_excess, beyond_limit (pupils), travel (mean minutes), disruption (per cent
        of pupils and of staff), cost (large units of the currency: 10,000 yuan).
    """
    today, plan = after.units, after.new
    rows = [
        ("over_cap", _over_cap(after, "today"), _over_cap(after, "plan")),
        ("failing", *_failing(after)),
        ("cells", *_unmet(after)),
        ("shortfall", *_shortfall(after)),
        ("deficit", _deficit(after, today), _deficit(after, plan)),
        ("cv_excess", *(_cv_excess(after, merged_units(t, after.standards)) for t in (today, plan))),
        ("beyond_limit", _beyond(after, "today"), _beyond(after, "plan")),
        ("travel", _travel(after, "minutes_today"), _travel(after, "minutes")),
        ("disruption", 0.0, _disruption(after)),
        ("cost", 0.0, _cost(after)),
    ]
    return pd.DataFrame(rows, columns=["goal", "today", "plan"])


def _over_cap(after: After, end: str) -> float:
    """Pupils beyond places, size caps of sites, and caps of class grade by grade."""
    units = after.units if end == "today" else after.new
    people, classes = units["pupils"].to_numpy(float), units["classes"].to_numpy(float)
    cap = _class_caps(after, units["stage"])
    places = _beyond_zero(people - units["capacity"].to_numpy(float))
    size = _beyond_zero(site_pupils(units) - after.today.cap_of_site)
    combined = after.combined.to_numpy(bool)
    with np.errstate(invalid="ignore"):
        mixed = _beyond_zero((people - cap * classes)[combined])
    return places + size + mixed + _over_class(after, end, combined)


def _beyond_zero(amounts: Floats) -> float:
    """Sum of what is above zero; what is not known is left out."""
    return float(np.nansum(np.maximum(amounts, 0.0)))


def _class_caps(after: After, stages: pd.Series) -> Floats:
    """Cap of class by row."""
    cap = {s: after.number(f"class_cap_{s}") for s in after.standards.scheme.stage_ids}
    return np.array([cap[s] for s in stages.tolist()], dtype=float)


def _over_class(after: After, end: str, combined: Flags) -> float:
    """Pupils beyond the caps of class of units whose grades are taught apart."""
    grades = after.today.grades if end == "today" else after.grades
    unit = after.today.unit_of_band[after.today.band_of_grade]
    apart = (unit >= 0) & ~combined[unit]
    people = grades["pupils_today" if end == "today" else "pupils"].to_numpy(float)
    cap = _class_caps(after, grades["stage"])
    if end == "today":
        capped = np.isfinite(cap) & apart  # without a cap nobody is beyond it, no class told or not
        held = cap[capped] * grades["classes_today"].to_numpy(float)[capped]
        return float(np.maximum(0.0, people[capped] - held).sum())
    of_band: dict[tuple[str, str], list[int]] = {}
    keys = list(zip(grades["school_id"], grades["band"], strict=True))
    for i in np.flatnonzero(apart).tolist():
        of_band.setdefault(keys[i], []).append(i)
    classes, total = grades["classes"].to_numpy(), 0.0
    for _, rows in sorted(of_band.items()):
        many, most = int(classes[rows[0]]), float(cap[rows[0]])
        if np.nansum(np.ceil(people[rows] / most - 1e-6)) > many:
            total += _least_over(people[rows].tolist(), most, many)
    return float(total)


def _least_over(people: list[float], cap: float, classes: int) -> float:
    """Pupils beyond the cap when so many classes are dealt to grades, each where it helps most."""
    left = list(people)
    for _ in range(classes):
        worst = max(range(len(left)), key=lambda i: min(left[i], cap))
        left[worst] = max(0.0, left[worst] - cap)
    return sum(left)


def _kept(after: After, today: Flags, plan: Flags, rows: Ints) -> tuple[float, float]:
    """How many units (or cells of units) that count are not good, today and in the plan.

    A closed unit keeps today's word, and so does one that is open and has no pupils; one that gives up a band wins nothing; a new one
    costs where it is not good.

    Parameters
    ----------
    today, plan : ndarray of bool
        Good or not.
    rows : ndarray of int
        Rows of their units.
    """
    was, now, is_open = (
        table[column].to_numpy(bool)[rows]
        for table, column in ((after.units, "assessed"), (after.new, "assessed"), (after.new, "open"))
    )
    taught = after.assessed_plan["pupils"].to_numpy(float)[rows] > 0
    kept = np.where(is_open & taught, plan & (today | _whole(after)[rows]), today)
    return float((was & ~today).sum()), float(((was & ~kept) | (~was & now & ~plan)).sum())


def _whole(after: After) -> Flags:
    """Whether a unit goes on with every band that has pupils today, by row of units."""
    groups = after.groups
    taught = set(
        zip(*(groups.loc[groups["pupils"] > 0, c] for c in ("today_school_id", "band")), strict=True)
    )
    whole = np.ones(len(after.units), dtype=bool)
    given_up = [k in taught and not o for k, o in zip(after.today.band, after.bands["open"], strict=True)]
    at = after.today.unit_of_band[np.array(given_up, dtype=bool)]
    whole[at[at >= 0]] = False
    return whole


def _passing(said: pd.DataFrame, units: pd.DataFrame) -> Flags:
    """Whether each unit does not fail: where nothing is tested, or something is not known, there is nothing to fail."""
    good: Flags = said["passes"].reindex(units.index).fillna(True).to_numpy(bool)
    return good


def _failing(after: After) -> tuple[float, float]:
    """Assessed units that do not pass."""
    old, new = _passing(after.said_today, after.units), _passing(after.said_plan, after.new)
    return _kept(after, old, new, np.arange(len(old)))


def _unmet(after: After) -> tuple[float, float]:
    """Cells not met, counted like the units; a plan's cells stand in the order of today's."""
    old, new = after.cells_today["met"], after.cells_plan["met"]
    known = old.notna().to_numpy(bool)
    today, plan = old[known].to_numpy(bool), new[known].to_numpy(bool)
    return _kept(after, today, plan, after.today.unit_of_cell[known])


def _short(cells: pd.DataFrame, after: After) -> Floats:
    """Pupils whose share is missing, by cell; none where it is not known."""
    scale = {(i.stage, i.id): i.scale for i in after.standards.indicators}
    per = np.array([scale[k] for k in zip(cells["stage"].tolist(), cells["indicator"].tolist(), strict=True)])
    need = cells["threshold"].to_numpy(float)
    lack: Floats = np.nan_to_num(
        np.maximum(0.0, cells["pupils"].to_numpy(float) - cells["amount"].to_numpy(float) * per / need),
        posinf=np.inf,
    )
    return lack


def _shortfall(after: After) -> tuple[float, float]:
    """Over units assessed today; a closed one keeps today's."""
    # a cell is known on both sides or on none, unless its unit closes and keeps today's
    old, new, unit = (
        _short(after.cells_today, after),
        _short(after.cells_plan, after),
        after.today.unit_of_cell,
    )
    was, is_open = after.units["assessed"].to_numpy(bool)[unit], after.new["open"].to_numpy(bool)[unit]
    now = np.where(is_open, new, old)
    return float(old[was].sum()), float(now[was].sum())


def _deficit(after: After, side: pd.DataFrame) -> float:
    """1,000 sum max(0, P - x / t)^2 / P / N over all open units, t the larger of threshold and today's mean."""
    old, new = _columns(after.units, after.standards), _columns(side, after.standards)
    judged = _columns(merged_units(after.units, after.standards), after.standards)
    total = 0.0
    for one in (i for i in after.standards.indicators if i.tested):
        here = old["stage"] == one.stage
        counted = here & old["assessed"] & ~np.isnan(judged[one.resource])
        mean = float(judged[one.resource][counted].sum()) / max(1.0, float(judged["pupils"][counted].sum()))
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


def _cv_excess(after: After, side: pd.DataFrame) -> float:
    """Sum max(0, CV^2 - limit^2) over indicators with a limit."""
    units = _columns(side, after.standards)
    total = 0.0
    for one in after.standards.indicators:
        rows = (units["stage"] == one.stage) & units["assessed"] & ~np.isnan(units[one.resource])
        cv = official_cv(units[one.resource][rows], units["pupils"][rows])
        if one.cv_limit > 0 and np.isfinite(cv):
            total += max(0.0, cv**2 - one.cv_limit**2)
    return total


def _chosen(rows: pd.DataFrame) -> Flags:
    """Pupils who by-pass their village's school today: closing the school that they chose makes no way better."""
    return np.array([kind_in(g) == "choice" for g in rows["group"].tolist()], dtype=bool)


def _beyond(after: After, end: str) -> float:
    rows = after.travel
    then, now = (
        rows[f"minutes{x}"].to_numpy(float) > rows[f"limit{x}"].to_numpy(float) + 1e-9 for x in ("_today", "")
    )
    far = then if end == "today" else now | (then & _chosen(rows))
    return float(np.nansum(rows["pupils"].to_numpy()[far]))


def _travel(after: After, column: str) -> float:
    minutes, people = after.travel[column].to_numpy(float), after.travel["pupils"].to_numpy()
    before = after.travel["minutes_today"].to_numpy(float)
    minutes = np.where(_chosen(after.travel) & ~np.isnan(minutes), np.fmax(minutes, before), minutes)
    known = ~np.isnan(minutes)
    return float(np.nansum((minutes * people)[known])) / max(1.0, float(np.nansum(people)))


def _disruption(after: After) -> float:
    people = after.travel["pupils"].to_numpy()
    staff, moves = float(after.units["staff"].sum()), float(after.plan.staff_moves["heads"].sum())
    return 100 * after.moved_pupils / max(float(np.nansum(people)), 1.0) + 100 * moves / max(staff, 1.0)


def _cost(after: After) -> float:
    costs = cost_table(after)
    return float(costs.loc[costs["charged"], "yuan"].sum()) / after.county.scheme.currency.large
