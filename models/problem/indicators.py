"""The seven indicators and the measures of imbalance: exact and solver-free (sources.md 1.2-1.5)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from geodata.contract.county import County
from models.problem.baseline import sites
from models.standards.norms import Standards

RESOURCES = ("q", "b", "a", "area_teaching", "area_sport", "equip_value", "rooms_multimedia")
"""Numerators: heads (q, b, a), net teaching area and sports area in m2, yuan, rooms."""
HEADS = ("q", "b", "a")
ROUNDING = 1e-9
"""Ratios are compared unrounded; this absorbs floating point only."""

Numbers = npt.NDArray[np.float64]


def county_ratio(amount: Numbers, pupils: Numbers) -> float:
    """Ratio of totals X/N (not the mean of school ratios); NaN without pupils."""
    return float(amount.sum() / pupils.sum()) if pupils.sum() > 0 else float("nan")


def official_cv(amount: Numbers, pupils: Numbers) -> float:
    """Student-weighted coefficient of variation (差异系数) of x over units.

    CV = sqrt( sum (P_i/N) (x_i/P_i - X/N)^2 ) / (X/N)

    Parameters
    ----------
    amount, pupils : ndarray of float
        x_i and P_i; units without pupils are left out.

    Returns
    -------
    float
        NaN where there are no pupils or nothing to share.

    Notes
    -----
    Source: sources.md 1.4 [V8, V9]; population form, centred on the county ratio.
    """
    kept = pupils > 0
    x, p = amount[kept].astype(float), pupils[kept].astype(float)
    mean = county_ratio(x, p)
    if not mean > 0:
        return float("nan")
    return float(np.sqrt((p / p.sum() * (x / p - mean) ** 2).sum()) / mean)


def unweighted_cv(amount: Numbers, pupils: Numbers) -> float:
    """Plain CV of the school ratios: what some bureau software computes by mistake (sources.md 1.4 [V7])."""
    kept = pupils > 0
    ratio = amount[kept] / pupils[kept]
    mean = ratio.mean() if len(ratio) else 0.0
    return float(ratio.std() / mean) if mean > 0 else float("nan")


def hoover(amount: Numbers, pupils: Numbers) -> float:
    """Hoover index: share of the resource that would have to move, sum |x - m P| / (2 X)."""
    total = amount.sum()
    if not total > 0 or not pupils.sum() > 0:
        return float("nan")
    return float(np.abs(amount - total / pupils.sum() * pupils).sum() / (2 * total))


def counted_staff(county: County, heads: pd.DataFrame) -> pd.DataFrame:
    """Heads by flag from a table of heads by category.

    Parameters
    ----------
    heads : DataFrame
        ``unit_id, stage, cat_id, heads``.

    Returns
    -------
    DataFrame
        Index unit_id, columns staff, q, b, a.
    """
    flags = county.staff_category[["stage", "cat_id", "counts_q", "counts_b", "counts_a"]]
    rows = heads.merge(flags, on=["stage", "cat_id"], how="left")
    for flag in HEADS:
        rows[flag] = rows["heads"] * rows[f"counts_{flag}"]
    return rows.rename(columns={"heads": "staff"}).groupby("unit_id")[["staff", *HEADS]].sum()


def unit_table(county: County, standards: Standards) -> pd.DataFrame:
    """Every unit (school x stage) with its pupils, classes, staff and resources today.

    Returns
    -------
    DataFrame
        Index unit_id; ``school_id, name, township, zone, kind, stage, pupils, classes, capacity, staff,
        taking_part, assessed`` and one column per resource.
    """
    stage = county.school_stage
    about = county.schools[["school_id", "name", "township", "zone", "kind", "counted"]]
    units = stage.merge(about, on="school_id", how="left")
    units["unit_id"] = units["school_id"] + "/" + units["stage"]
    units = units.set_index("unit_id").sort_index()
    units["capacity"] = units["capacity_pupils"]
    indoor = units["area_indoor_sport"]
    units["area_teaching"] = units["area_teaching"] - indoor
    units["area_sport"] = units["area_sport_ground"] + indoor
    heads = county.staff_stock.assign(
        unit_id=county.staff_stock["school_id"] + "/" + county.staff_stock["stage"]
    )
    staff = counted_staff(county, heads[["unit_id", "stage", "cat_id", "heads"]])
    units = units.join(staff).fillna({"staff": 0, "q": 0, "b": 0, "a": 0})
    units["taking_part"] = units["school_id"].isin(sites(county)["school_id"])
    counted = units["counted"].fillna(True).astype(bool)
    units["assessed"] = units["taking_part"] & counted & (units["pupils"] >= standards.value("assessed_min"))
    columns = [
        "school_id",
        "name",
        "township",
        "zone",
        "kind",
        "stage",
        "pupils",
        "classes",
        "capacity",
        "staff",
        "taking_part",
        "assessed",
    ]
    return units[[*columns, *RESOURCES]]


def assess(units: pd.DataFrame, standards: Standards) -> pd.DataFrame:
    """Each unit x indicator: ratio, met, gap to the threshold.

    Parameters
    ----------
    units : DataFrame
        As `unit_table` gives (index unit_id; stage, pupils, resources).

    Returns
    -------
    DataFrame
        ``unit_id, stage, indicator, threshold, pupils, amount, ratio, met, near, gap``: ``near`` is 85 %
        of the threshold reached, ``gap`` in heads or rooms (whole, rounded up), m2 or yuan.
    """
    parts = []
    for one in standards.indicators:
        rows = units[units["stage"] == one.stage]
        pupils = rows["pupils"].to_numpy(float)
        amount = rows[one.resource].to_numpy(float)
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = np.where(pupils > 0, one.scale * amount / pupils, np.nan)
        short = np.maximum(0.0, one.threshold * pupils / one.scale - amount)
        whole = one.resource in (*HEADS, "rooms_multimedia")
        part = pd.DataFrame(
            {
                "unit_id": rows.index, "stage": one.stage, "indicator": one.id, "threshold": one.threshold,
                "pupils": pupils, "amount": amount, "ratio": ratio,
                "met": np.nan_to_num(ratio, nan=-1.0) >= one.threshold - ROUNDING,
                "near": np.nan_to_num(ratio, nan=-1.0) >= one.tolerance * one.threshold - ROUNDING,
                "gap": np.ceil(short - 1e-6) if whole else short,
            }
        )  # fmt: skip
        parts.append(part)
    return pd.concat(parts, ignore_index=True)


def verdicts(assessed: pd.DataFrame, standards: Standards) -> pd.DataFrame:
    """6-of-7 verdict by unit: k of n at 100 %, the rest at 85 % (sources.md 1.3).

    Returns
    -------
    DataFrame
        Index unit_id: ``indicators_met`` and ``passes``.
    """
    by = assessed.groupby("unit_id")
    table = pd.DataFrame({"indicators_met": by["met"].sum().astype(int), "near": by["near"].all()})
    table["passes"] = table["near"] & (table["indicators_met"] >= standards.value("k_of_n"))
    return table[["indicators_met", "passes"]]


def cv_table(units: pd.DataFrame, standards: Standards, counted: pd.Series) -> pd.DataFrame:
    """The 14 CVs over the counted units: ``stage, indicator, cv, unweighted, mean, limit, ok, hoover``."""
    rows = []
    for one in standards.indicators:
        part = units[counted & (units["stage"] == one.stage) & (units["pupils"] > 0)]
        x, p = part[one.resource].to_numpy(float), part["pupils"].to_numpy(float)
        cv = official_cv(x, p)
        mean = one.scale * county_ratio(x, p)
        ok = not cv > one.cv_limit
        rows.append((one.stage, one.id, cv, unweighted_cv(x, p), mean, one.cv_limit, ok, hoover(x, p)))
    return pd.DataFrame(
        rows, columns=["stage", "indicator", "cv", "unweighted", "mean", "limit", "ok", "hoover"]
    )
