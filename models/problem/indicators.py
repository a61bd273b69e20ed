"""The indicators of the standards: exact and solver-free (sources.md 1.2-1.5)."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from geodata.contract.county import County
from geodata.contract.unknown import unknown_staff
from models.problem.baseline import sites
from models.problem.content import once_by_content
from models.standards.norms import Indicator, Standards

ROUNDING = 1e-9
"""Ratios are compared unrounded; this absorbs floating point only."""

Numbers = npt.NDArray[np.float64]


def counted_staff(county: County, standards: Standards, heads: pd.DataFrame) -> pd.DataFrame:
    """Heads by resource from a table of heads by category.

    Parameters
    ----------
    heads : DataFrame
        ``unit_id, stage, cat_id, heads``.

    Returns
    -------
    DataFrame
        Index unit_id, columns staff and one per declared resource that is staff.
    """
    flags = category_flags(county.staff_category, standards)
    of = dict(zip(flags.index, flags.to_numpy(float).tolist(), strict=True))
    kinds, rows = list(standards.heads), heads[["unit_id", "heads"]].rename(columns={"heads": "staff"})
    unknown = [np.nan] * len(kinds)
    counts = [of.get(k, unknown) for k in zip(heads["stage"], heads["cat_id"], strict=True)]
    counted = np.array(counts, dtype=float).reshape(len(heads), len(kinds))
    rows[kinds] = counted * heads["heads"].to_numpy(float)[:, None]
    return rows.groupby("unit_id")[["staff", *kinds]].sum()


def category_flags(categories: pd.DataFrame, standards: Standards) -> pd.DataFrame:
    """Which staff categories count for which resource.

    Returns
    -------
    DataFrame
        Index (stage, cat_id); 0 or 1 for each declared resource that is staff.
    """
    index = pd.MultiIndex.from_arrays([categories["stage"], categories["cat_id"]], names=["stage", "cat_id"])
    counts = {}
    for resource in standards.heads:
        flags = [f for f in standards.resources[resource].flags if f in categories]
        every = not standards.resources[resource].flags
        marks = [np.nan_to_num(categories[f].to_numpy(float, na_value=np.nan)) for f in flags]
        counts[resource] = (np.maximum.reduce(marks) if marks else np.full(len(index), float(every))).astype(
            int
        )
    return pd.DataFrame(counts, index=index)


def _things(stage: pd.DataFrame, standards: Standards) -> pd.DataFrame:
    """Amount of every declared resource that is no staff: its columns added, those with a minus taken off."""
    amounts = {}
    for name, one in standards.resources.items():
        if one.kind != "heads":
            parts = [sign * stage[c].astype(float) for c, sign in one.terms if c in stage]
            amounts[name] = sum(parts, pd.Series(0.0, index=stage.index))
            if one.whole:  # an undivided count stays an integer, as the tables have it
                amounts[name] = amounts[name].round(9)
    return pd.DataFrame(amounts, index=stage.index)


LENT = "_lent"
"""Ends the column with shared or part-time heads that a small rural unit may count besides its own."""


def unit_table(county: County, standards: Standards, here: pd.Series | None = None) -> pd.DataFrame:
    """Every unit (school x stage) with its pupils, classes, staff and resources today.

    Parameters
    ----------
    county : County
    standards : Standards
    here : Series or None
        Pupils of the planning demand by (school_id, band) who attend today; None takes the enrolment of T2.

    Returns
    -------
    DataFrame
        Index unit_id; ``school_id, name, township, zone, kind, stage, pupils, classes, capacity, staff,
        taking_part, assessed_as, assessed``, a column per declared resource (NaN: not known), and
        ``<resource>_lent`` where a concession lends heads. ``assessed_as`` is the unit in which this one is assessed: itself, that
        of its parent where it does not count as a school, or none (empty).
    """
    units = _units_of_tables(county).copy()
    if here is not None:
        bands = here.rename_axis(["school_id", "band"]).rename("n").reset_index()
        stage = bands["band"].map(standards.scheme.band_stage)
        of_unit = bands.groupby(bands["school_id"] + "/" + stage)["n"].sum()
        units["pupils"] = of_unit.reindex(units.index).fillna(0).astype(int)
    elif units["pupils"].isna().any():
        units["pupils"] = units["pupils"].astype(float)
    things = _things(units, standards)
    lent = _lent(units, standards)
    heads = county.staff_stock.assign(
        unit_id=county.staff_stock["school_id"] + "/" + county.staff_stock["stage"]
    )
    staff = counted_staff(county, standards, heads[["unit_id", "stage", "cat_id", "heads"]])
    staff = staff.reindex(units.index).fillna(0).astype(float)
    lost = unknown_staff(county.school_stage, county.staff_stock, county.staff_category)
    staff.loc[lost.reindex(units.index).to_numpy(bool)] = np.nan
    columns = [
        "school_id", "name", "township", "zone", "kind", "stage", "pupils", "classes", "capacity",
        "taking_part", "assessed_as",
    ]  # fmt: skip
    table = pd.concat([units[columns], staff, things, lent], axis=1)
    table["assessed"] = assessed(table, standards)
    return table


@once_by_content("schools", "school_stage")
def _units_of_tables(county: County) -> pd.DataFrame:
    """The rows of T2 by unit_id with their school's, where they are assessed and whether they take part."""
    about = county.schools[["school_id", "name", "township", "zone", "kind", "counted", "parent_id"]]
    units = county.school_stage.merge(about, on="school_id", how="left")
    units["unit_id"] = units["school_id"] + "/" + units["stage"]
    units = units.set_index("unit_id").sort_index()
    places = units["capacity_pupils"]
    units["capacity"] = places.astype(float) if places.isna().any() else places
    units["taking_part"] = units["school_id"].isin(sites(county)["school_id"])
    units["assessed_as"] = _assessed_as(units)
    return units


def _lent(units: pd.DataFrame, standards: Standards) -> pd.DataFrame:
    columns = {
        f"{name}{LENT}": units[one.concession].fillna(0).astype(float)
        for name, one in standards.resources.items()
        if one.concession in units
    }
    return pd.DataFrame(columns, index=units.index)


def _assessed_as(units: pd.DataFrame) -> pd.Series:
    """The unit in which each one is assessed (sources.md 1.5: places that do not count as schools)."""
    own = units.index.to_series()
    counted = units["counted"].fillna(True).astype(bool)
    # a parent's parent: a place that does not count lends no unit to others
    schools = set(units.index[units["taking_part"] & counted])
    parent = units["parent_id"].astype(str) + "/" + units["stage"]
    merged = parent.where(parent.isin(schools), "")
    return own.where(counted, merged).where(units["taking_part"], "")


def merged_units(units: pd.DataFrame, standards: Standards) -> pd.DataFrame:
    """Units as they are assessed: pupils and resources of merged places stand with their parent.

    Parameters
    ----------
    units : DataFrame
        As `unit_table` gives, of today or after a plan.

    Returns
    -------
    DataFrame
        The same rows; those of parents carry the sums, those of merged places their own amounts. What is not
        known of a merged place is not known of its parent.
    """
    where = units["assessed_as"].to_numpy(object)
    guest = (where != units.index.to_numpy(object)) & (where != "")
    if not guest.any():
        return units
    guests = units[guest]
    columns = ["pupils", *(r for r in standards.resources if r in units)]
    table = units.copy()
    table[columns] = table[columns].astype(float)
    more = guests.groupby("assessed_as")[columns].sum().astype(float)
    more = more.mask(guests[columns].isna().groupby(guests["assessed_as"]).any())
    host = table.index.isin(more.index)
    table.loc[host, columns] += more.reindex(table.index[host])
    table["pupils"] = table["pupils"].astype(units["pupils"].dtype)
    return table


def assessed(units: pd.DataFrame, standards: Standards) -> pd.Series:
    """Which units are assessed: schools in their own right that have enough pupils, guests included."""
    pupils = merged_units(units, standards)["pupils"]
    own = units["assessed_as"].eq(units.index)
    return own & (pupils >= standards.limit("assessed_min", 1.0))


def _counted_amount(rows: pd.DataFrame, one: Indicator, standards: Standards) -> Numbers:
    """Amount that a unit may count for an indicator: its own, and what a concession lends it."""
    amount: Numbers = rows[one.resource].to_numpy(float)
    column = f"{one.resource}{LENT}"
    if column not in rows:
        return amount
    lent: Numbers = rows[column].where(lends(rows, standards), 0.0).to_numpy(float)
    return amount + lent


def lent_size(standards: Standards) -> tuple[float, float]:
    """Fewest and most pupils of the rural units to which a concession lends heads; none where it is off."""
    if standards.kind("concession_max") == "off":
        return np.inf, -np.inf
    return standards.limit("concession_min", 0.0), standards.value("concession_max")


def lends(units: pd.DataFrame, standards: Standards) -> pd.Series:
    """To which units a concession lends heads."""
    return units["zone"].eq("rural") & units["pupils"].between(*lent_size(standards))


def lent_as_today(new: pd.DataFrame, today: pd.DataFrame, standards: Standards) -> pd.DataFrame:
    """Units after a plan with what a concession lends: nothing to a unit to which it lends nothing today.

    A plan that brings a school down from 100 pupils to 99 would gain an indicator without a teacher more.
    """
    columns = [c for c in new if c.endswith(LENT)]
    if not columns:
        return new
    small = lends(merged_units(today, standards), standards)
    return new.assign(**{c: new[c].where(small, 0.0) for c in columns})


def assess(units: pd.DataFrame, standards: Standards) -> pd.DataFrame:
    """Each unit x indicator: ratio, met, gap to the threshold.

    Parameters
    ----------
    units : DataFrame
        As `unit_table` gives (index unit_id; stage, pupils, resources).

    Returns
    -------
    DataFrame
        ``unit_id, stage, indicator, resource, threshold, pupils, amount, ratio, met, near, gap``: ``near`` is the
        tolerated share of the threshold reached, ``gap`` in the resource's unit, rounded up where it comes
        in whole numbers. Without a threshold, and where the amount is not known, ``met`` and ``near`` are not
        known (NA).
    """
    if not standards.indicators:
        return pd.DataFrame(columns=CELLS).astype({"met": "boolean", "near": "boolean", "gap": float})
    stage, pupils = units["stage"].to_numpy(object), units["pupils"].to_numpy(float)
    of_stage = {s: np.flatnonzero(stage == s) for s in {one.stage for one in standards.indicators}}
    parts = []
    for one in standards.indicators:
        at = of_stage[one.stage]
        amount = _counted_amount(units, one, standards)[at]
        parts.append(_cells(pupils[at], amount, one, standards.resources[one.resource].whole))
    many = [len(of_stage[one.stage]) for one in standards.indicators]
    rows = np.concatenate([of_stage[one.stage] for one in standards.indicators])
    numbers = {c: np.concatenate([part[c] for part in parts]) for c in parts[0]}
    known = numbers["known"].astype(bool)
    told = {
        c: np.repeat(np.array([getattr(one, c) for one in standards.indicators]), many)
        for c in ("stage", "id", "resource", "threshold")
    }
    return pd.DataFrame(
        {
            "unit_id": units.index[rows], "stage": told["stage"], "indicator": told["id"], "resource": told["resource"],
            "threshold": told["threshold"], "pupils": numbers["pupils"], "amount": numbers["amount"], "ratio": numbers["ratio"],
            "met": maybe(numbers["met"], known), "near": maybe(numbers["near"], known), "gap": numbers["gap"],
        }
    )  # fmt: skip


CELLS = (
    "unit_id",
    "stage",
    "indicator",
    "resource",
    "threshold",
    "pupils",
    "amount",
    "ratio",
    "met",
    "near",
    "gap",
)


def _cells(pupils: Numbers, amount: Numbers, one: Indicator, whole: bool) -> dict[str, npt.NDArray[Any]]:
    """One indicator at every unit of its stage."""
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(pupils > 0, one.scale * amount / pupils, np.nan)
    short = np.maximum(0.0, one.threshold * pupils / one.scale - amount)
    reached = np.nan_to_num(ratio, nan=-1.0)
    return {
        "pupils": pupils, "amount": amount, "ratio": ratio,
        "known": np.full(len(pupils), one.tested) & ~np.isnan(amount) & ~np.isnan(pupils),
        "met": reached >= one.threshold - ROUNDING, "near": reached >= one.tolerance * one.threshold - ROUNDING,
        "gap": np.ceil(short - 1e-6) if whole else short,
    }  # fmt: skip


def maybe(value: npt.ArrayLike, known: npt.ArrayLike) -> pd.arrays.BooleanArray:
    """Yes, no, or not known where nothing was assessed: never a yes by default."""
    return pd.arrays.BooleanArray(np.asarray(value, dtype=bool), ~np.asarray(known, dtype=bool))


def verdicts(cells: pd.DataFrame, standards: Standards) -> pd.DataFrame:
    """Does a unit pass: k of its n tested indicators at 100 %, the rest within their tolerance (sources.md 1.3).

    Returns
    -------
    DataFrame
        Index unit_id: ``indicators_met, indicators_tested`` and ``passes``; a unit of a stage that tests
        nothing is not in it. ``indicators_tested`` counts those that are known; where one is not, whether the
        unit passes is not known (NA).
    """
    known = cells["met"].notna().to_numpy(bool)
    names, at = np.unique(cells["unit_id"].to_numpy(object)[known], return_inverse=True)
    many, stages = np.bincount(at, minlength=len(names)), cells["stage"].to_numpy(object)[known]
    met, near = (cells[c].to_numpy(bool, na_value=False)[known] for c in ("met", "near"))
    reached = np.bincount(at, met, minlength=len(names)).astype(int)
    stage: list[str] = [""] * len(names)
    for i, s in zip(at.tolist(), stages.tolist(), strict=True):
        stage[i] = s
    every = standards.scheme.stage_ids
    need = {s: standards.to_meet(s) for s in every}
    asked = {s: sum(i.tested for i in standards.of_stage(s)) for s in every}
    good = np.bincount(at, near, minlength=len(names)) == many
    good &= reached >= np.array([need.get(s, np.nan) for s in stage], dtype=float)
    whole = many == np.array([asked.get(s, -1) for s in stage])
    table = pd.DataFrame({"indicators_met": reached, "indicators_tested": many, "passes": maybe(good, whole)})
    return table.set_axis(pd.Index(names, dtype=cells["unit_id"].dtype, name="unit_id"))


def stage_table(
    units: pd.DataFrame, cells: pd.DataFrame, cvs: pd.DataFrame, standards: Standards
) -> pd.DataFrame:
    """What the standards say of the county, stage by stage (sources.md 1.3).

    Parameters
    ----------
    units : DataFrame
        Index unit_id; ``stage, assessed``.
    cells, cvs : DataFrame
        Of `assess` and `cv_table`.

    Returns
    -------
    DataFrame
        ``stage, units, units_passing, cvs, cvs_ok, mean_cv, mean_limit, passes``: how many units and CVs
        are assessed and how many of them pass; the mean of the CVs, with its limit where the standards
        limit it; ``passes`` is not known (NA) while anything that the standards ask cannot be assessed.
    """
    said = verdicts(cells, standards)
    rows = []
    for stage in standards.scheme.stage_ids:
        who = units.index[(units["stage"] == stage) & units["assessed"]]
        passing = said["passes"].reindex(who)
        own = cvs[cvs["stage"] == stage]
        limited = own[own["limit"].notna()]
        mean = float(own["cv"].mean()) if len(own) and own["cv"].notna().all() else float("nan")
        limit = standards.limit(f"cv_mean_{stage}", float("nan"))
        asked: list[object] = []
        if any(i.tested for i in standards.of_stage(stage)):
            asked.append(bool(passing.all()) if len(who) and passing.notna().all() else pd.NA)
        if len(limited):
            asked.append(bool(limited["ok"].all()) if limited["ok"].notna().all() else pd.NA)
        if limit == limit:
            asked.append(bool(mean <= limit) if mean == mean else pd.NA)
        passes = pd.NA if not asked or any(a is pd.NA for a in asked) else all(asked)
        passes = False if any(a is not pd.NA and not a for a in asked) else passes
        rows.append(
            (stage, int(passing.notna().sum()), int(passing.sum()), int(limited["ok"].notna().sum()), int(limited["ok"].sum()), mean, limit, passes)
        )  # fmt: skip
    columns = ["stage", "units", "units_passing", "cvs", "cvs_ok", "mean_cv", "mean_limit", "passes"]
    return pd.DataFrame(rows, columns=columns).astype({"passes": "boolean"})
