"""Generated counties of any size, for timing the solver; random, fictional, crow-fly."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from geodata.contract.county import County
from tests.samples import CATEGORIES, COSTS, KM_LAT, KM_LON, LAT0, LON0, frame, staff


@dataclass(frozen=True)
class Kind:
    """What schools of a kind are like: pupils per teacher, shares of flags among them, m2 per pupil."""

    ratio: float
    qualified: float
    backbone: float
    arts: float
    space: float
    sport: float


KINDS = {
    "seat": Kind(20.0, 0.99, 0.23, 0.16, 4.0, 5.0), "central": Kind(15.5, 0.97, 0.12, 0.11, 5.5, 9.0),
    "village": Kind(10.5, 0.93, 0.045, 0.05, 8.0, 16.0), "point": Kind(5.0, 0.8, 0.015, 0.01, 14.0, 28.0),
    "junior": Kind(11.5, 0.88, 0.1, 0.09, 8.0, 14.0),
}  # fmt: skip

LARGEST = 2000
"""Pupils a school takes at most: the largest allowed size without relief (sources.md 1.6)."""


def _staff(rng: np.random.Generator, kind: str, pupils: int, classes: int) -> dict[str, int]:
    of = KINDS[kind]
    n = max(2, round(pupils / of.ratio), round(1.3 * classes))
    backbone, arts = rng.binomial(n, of.backbone), rng.binomial(n, of.arts)
    old = rng.binomial(n, 0.08)
    rest = max(0, n - backbone - arts - old)
    qualified = rng.binomial(rest, of.qualified)
    return {
        "plain": rest - qualified,
        "plain_q": qualified,
        "backbone": backbone,
        "arts": arts,
        "near_ret": old,
    }


@dataclass(frozen=True)
class Ground:
    """Demand zones (km), the township of each, and which belong to the county seat; the first ones are the towns' centres."""

    where: np.ndarray
    town: np.ndarray
    seat: np.ndarray
    centre: np.ndarray


def _ground(rng: np.random.Generator, sites: int, zones: int) -> Ground:
    towns = max(2, sites // 7)
    side = 36.0 * np.sqrt(sites / 90)
    centre = rng.uniform(2, side - 2, (towns, 2))
    where = np.vstack([centre, rng.uniform(0, side, (zones - towns, 2))])
    town = np.argmin(((where[:, None] - centre[None]) ** 2).sum(2), axis=1)
    near_seat = np.argsort(((where - centre[0]) ** 2).sum(1))[: zones // 10]
    where[near_seat] = centre[0] + rng.normal(0, 1.0, (len(near_seat), 2))
    town[near_seat] = 0
    seat = np.zeros(zones, dtype=bool)
    seat[near_seat] = True
    return Ground(where, town, seat, centre)


def _school(n: int, kind: str, official: str, t: int, xy: np.ndarray, grades: str) -> dict[str, object]:
    j = f"S{n:04d}"
    return {
        "school_id": j, "name": f"校{j}", "kind": official, "township": f"镇{t:02d}", "zone": "seat" if kind == "seat" else "rural",
        "lon": LON0 + xy[0] * KM_LON, "lat": LAT0 + xy[1] * KM_LAT, "crs": "wgs84", "public": True, "status": "open",
        "grades_served": grades, "built_year": 2000, "note": kind,
    }  # fmt: skip


def _schools(
    rng: np.random.Generator, ground: Ground, sites: int
) -> tuple[list[dict[str, object]], np.ndarray]:
    """Schools and where they are (km): those of the towns, then village schools and points at random."""
    schools: list[dict[str, object]] = []
    place: list[np.ndarray] = []

    def add(kind: str, official: str, t: int, xy: np.ndarray, grades: str) -> None:
        schools.append(_school(len(schools), kind, official, t, xy, grades))
        place.append(xy)

    zones, towns = len(ground.where), len(ground.centre)
    for t, centre in enumerate(ground.centre):
        kinds = ["seat"] * max(5, sites // 15) if t == 0 else ["central"]
        for k in kinds:
            add(k, "primary", t, centre + rng.normal(0, 0.8 if k == "seat" else 0.1, 2), "1-6")
        for _ in range(max(3, sites // 30) if t == 0 else 1):
            add("junior", "junior", t, centre + rng.normal(0, 0.5, 2), "7-9")
    outside = rng.permutation(np.flatnonzero(~ground.seat & (np.arange(zones) >= towns)))
    for n, z in enumerate(outside[: max(0, sites - len(schools))]):
        kind, official, grades = ("village", "primary", "1-6") if n % 5 < 2 else ("point", "point", "1-3")
        add(kind, official, int(ground.town[z]), ground.where[z] + rng.normal(0, 0.1, 2), grades)
    return schools, np.array(place)


def _attendance(
    rng: np.random.Generator, ground: Ground, schools: list[dict[str, object]], xy: np.ndarray
) -> pd.DataFrame:
    """Pupils go to the nearest school with room, a part of them to another one near by."""
    about = pd.DataFrame(schools)
    going, load = [], np.zeros(len(schools), dtype=int)
    for z, (here, seat) in enumerate(zip(ground.where, ground.seat, strict=True)):
        for band in ("g1_3", "g4_6", "g7_9"):
            n = int(rng.integers(60, 160) if seat else rng.integers(12, 46))
            can = {"g1_3": ["1-6", "1-3"], "g4_6": ["1-6"], "g7_9": ["7-9"]}[band]
            ok = about["grades_served"].isin(can).to_numpy()
            ok = ok & (load + n <= LARGEST)  # the next one where the nearest is full
            order = np.flatnonzero(ok)[np.argsort(((xy[ok] - here) ** 2).sum(1))]
            drift = 0 if seat else rng.binomial(n, 0.25)
            far = order[int(rng.integers(1, min(4, len(order))))]
            for j, many in ((order[0], n - drift), (far, drift)):
                load[j] += many
                if many:
                    going.append(
                        {"village_id": f"V{z:04d}", "school_id": about["school_id"][j], "band": band, "pupils": many}
                    )  # fmt: skip
    return frame("attendance", going)


def _unit(rng: np.random.Generator, kind: str, n: int) -> tuple[dict[str, object], dict[str, int]]:
    """A unit of so many pupils, and its staff."""
    stage = "jun" if kind == "junior" else "pri"
    cap = 50 if stage == "jun" else 45
    least = {"point": 2, "junior": 3}.get(kind, 6)
    classes = max(least, int(np.ceil(n / (cap - 5))))
    heads = _staff(rng, kind, n, classes)
    of = KINDS[kind]
    unit: dict[str, object] = {
        "stage": stage, "pupils": n, "classes": classes, "capacity_pupils": int((classes + 2) * cap),
        "area_teaching": round(of.space * (n + 20) * rng.uniform(0.8, 1.25)), "area_indoor_sport": 0.0,
        "area_sport_ground": round(of.sport * (n + 20) * rng.uniform(0.7, 1.4)), "equip_value": round(2500 * (n + 5) * rng.uniform(0.7, 1.3)),
        "rooms_multimedia": int(max(2, round(n * 0.027 * rng.uniform(0.8, 1.4)))),
    }  # fmt: skip
    return unit, heads


def generated_county(sites: int = 90, zones: int = 180, seed: int = 1, budget: float = 8e6) -> County:
    """A random county of about that many sites and demand zones, one township per 7 sites."""
    rng = np.random.default_rng(seed)
    ground = _ground(rng, sites, zones)
    schools, xy = _schools(rng, ground, sites)
    attendance = _attendance(rng, ground, schools, xy)
    total = attendance.groupby("school_id")["pupils"].sum()
    units, heads = [], {}
    for row in schools:
        j = str(row["school_id"])
        unit, own = _unit(rng, str(row["note"]), int(total.get(j, 0)))
        heads[j, str(unit["stage"])] = own
        units.append({"school_id": j, **unit})
    demand = attendance.groupby(["village_id", "band"], as_index=False)["pupils"].sum()
    shares = {"teacher": 0.32, "device": 0.31, "building": 0.18, "transport": 0.13, "any": 0.06}
    villages = [
        {"village_id": f"V{z:04d}", "name": f"村{z}", "township": f"镇{ground.town[z]:02d}", "lon": LON0 + x * KM_LON,
         "lat": LAT0 + y * KM_LAT, "crs": "wgs84"} for z, (x, y) in enumerate(ground.where)
    ]  # fmt: skip
    return County(
        name=f"虚构县{sites}", name_en=f"Generated county {sites}", year=2025, fictional=True,
        schools=frame("schools", schools), school_stage=frame("school_stage", units), villages=frame("villages", villages),
        demand=frame("demand", [{"village_id": r.village_id, "band": r.band, "year": 2025, "pupils_base": r.pupils} for r in demand.itertuples()]),
        staff_category=frame("staff_category", CATEGORIES), staff_stock=staff(heads),
        unit_costs=frame("unit_costs", [{"item": i, "unit": "yuan", "low": c, "base": c, "high": c, "year": 2024, "source": "generated"} for i, c in COSTS.items()]),
        budget=frame("budget", [{"year": 2025, "source": "county", "earmark": e, "amount": budget * s} for e, s in shares.items()]),
        enrolment_by_grade=frame("enrolment_by_grade", []), attendance=attendance, standards=frame("standards", []),
    )  # fmt: skip
