"""Pupils: births, enrolment, drift to the seat, leaving the county, counts that are wrong.

All of them change the planning year's demand (T5) in whole pupils; where pupils go today (T6) is a split that follows the
demand (`models.problem.baseline.today_groups`).
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from optimizer.study.stress.factors.record import Case, Factor, scaled_whole


def _stages(case: Case) -> tuple[str, ...]:
    return tuple(case.county.scheme.stage_ids)


def _planned(case: Case) -> pd.Series:
    """Rows of the demand that are about the planning year."""
    return case.county.demand["year"] == case.county.year


def _with_pupils(case: Case, rows: pd.Series, pupils: pd.Series) -> Case:
    demand = case.county.demand.copy()
    demand.loc[rows, "pupils_base"] = pupils.astype("int64")
    return case.but(demand=demand)


def later(case: Case, value: float, of: str) -> Case:
    """The planning year's pupils are those that the table expects so many years later (its last year's at most)."""
    demand, planned = case.county.demand, _planned(case)
    years = demand.loc[demand["year"] >= case.county.year, "year"]
    then = min(case.county.year + int(np.floor(value + 0.5)), int(years.max()))
    if then == case.county.year:
        return case
    rows = demand[demand["year"] == then].assign(year=case.county.year).astype(demand.dtypes.to_dict())
    return case.but(demand=pd.concat([demand[~planned], rows], ignore_index=True))


def _no_later_year(case: Case, of: str) -> str | None:
    return None if (case.county.demand["year"] > case.county.year).any() else "cannot_no_later_year"


def births(case: Case, value: float, of: str) -> Case:
    """The lowest grade has this share of its pupils: of a band of n grades, 1 + (share - 1) / n."""
    scheme = case.county.scheme
    band = scheme.band_ids[0]
    part = 1.0 + (value - 1.0) / len(scheme.band_grades[band])
    rows = _planned(case) & (case.county.demand["band"] == band)
    now = case.county.demand[rows]
    return _with_pupils(
        case, rows, scaled_whole(now["pupils_base"], now["band"], pd.Series(part, index=now.index))
    )


def enrolment(case: Case, value: float, of: str) -> Case:
    """Every grade of a stage (all stages without ``of``) has this share of its pupils."""
    stage = case.county.demand["band"].map(case.county.scheme.band_stage)
    rows = _planned(case) & ((stage == of) if of else True)
    now = case.county.demand[rows]
    return _with_pupils(
        case, rows, scaled_whole(now["pupils_base"], now["band"], pd.Series(value, index=now.index))
    )


def _seat_rows(case: Case) -> pd.Series:
    """Demand rows of places in a township that has a school of the seat."""
    schools, villages = case.county.schools, case.county.villages
    seat = set(schools.loc[schools["zone"] == "seat", "township"])
    town = dict(zip(villages["village_id"], villages["township"], strict=True))
    demand = case.county.demand
    return pd.Series([town.get(v) in seat for v in demand["village_id"]], index=demand.index, dtype=bool)


def _no_seat(case: Case, of: str) -> str | None:
    rows = _seat_rows(case)[_planned(case)]
    return None if rows.any() and not rows.all() else "cannot_no_seat"


def drift(case: Case, value: float, of: str) -> Case:
    """A part of the pupils of villages outside the seat moves there with their families, band by band.

    They join the seat's places in proportion to the pupils of these. A band that no place of the seat has stays.
    """
    left = left_county(case, value, of)
    demand, planned, seat = left.county.demand, _planned(case), _seat_rows(case)
    gone = (case.county.demand["pupils_base"] - demand["pupils_base"]).groupby(demand["band"]).sum()
    here = demand[planned & seat]
    there = here.groupby("band")["pupils_base"].transform("sum").astype(float)
    share = 1.0 + here["band"].map(gone).fillna(0).astype(float) / there.where(there > 0, np.inf)
    moved = _with_pupils(
        left, planned & seat, scaled_whole(here["pupils_base"], here["band"], share.astype(float))
    )
    empty = set(gone.index) - set(here.loc[there > 0, "band"])
    stay = planned & demand["band"].isin(empty)
    return _with_pupils(moved, stay, case.county.demand.loc[stay, "pupils_base"])


def left_county(case: Case, value: float, of: str) -> Case:
    """A part of the pupils of villages outside the seat leaves the county."""
    rows = _planned(case) & ~_seat_rows(case)
    now = case.county.demand[rows]
    return _with_pupils(
        case, rows, scaled_whole(now["pupils_base"], now["band"], pd.Series(1.0 - value, index=now.index))
    )


def pupil_error(case: Case, value: float, of: str) -> Case:
    """Every village and band is miscounted on its own, by at most this part up or down."""
    rows = _planned(case)
    now = case.county.demand.loc[rows, "pupils_base"]
    off = 1.0 + value * case.chance("pupil_error").uniform(-1.0, 1.0, len(now))
    return _with_pupils(case, rows, pd.Series(np.floor(now.to_numpy(float) * off + 0.5), index=now.index))


FACTORS = (
    Factor("later", "number", 0.0, 15.0, 0.0, later, cannot=_no_later_year),
    Factor("births", "share", 0.2, 2.0, 1.0, births),
    Factor("enrolment", "share", 0.2, 2.0, 1.0, enrolment, _stages),
    Factor("drift", "part", 0.0, 0.6, 0.0, drift, cannot=_no_seat),
    Factor("leaving", "part", 0.0, 0.6, 0.0, left_county, cannot=_no_seat),
    Factor("pupil_error", "part", 0.0, 0.3, 0.0, pupil_error),
)
