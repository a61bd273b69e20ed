"""Generated counties of any size, for timing the solver; random, fictional, crow-fly."""

from __future__ import annotations

import numpy as np
import pandas as pd

from geodata.contract.county import County
from tests.samples import CATEGORIES, COSTS, KM_LAT, KM_LON, LAT0, LON0, frame, staff

KINDS = {  # share of sites, pupils per teacher, shares of flags (q, b, a), space and sports per pupil
    "seat": (20.0, 0.99, 0.23, 0.16, 4.0, 5.0), "central": (15.5, 0.97, 0.12, 0.11, 5.5, 9.0),
    "village": (10.5, 0.93, 0.045, 0.05, 8.0, 16.0), "point": (5.0, 0.8, 0.015, 0.01, 14.0, 28.0),
    "junior": (11.5, 0.88, 0.1, 0.09, 8.0, 14.0),
}  # fmt: skip

LARGEST = 2000
"""Pupils a school takes at most: the largest allowed size without relief (sources.md 1.6)."""


def _staff(rng: np.random.Generator, kind: str, stage: str, pupils: int, classes: int) -> dict[str, int]:
    ratio, q, b, a, _, _ = KINDS[kind]
    n = max(2, round(pupils / ratio), round(1.3 * classes))
    backbone, arts = rng.binomial(n, b), rng.binomial(n, a)
    old = rng.binomial(n, 0.08)
    rest = max(0, n - backbone - arts - old)
    qualified = rng.binomial(rest, q)
    return {
        "plain": rest - qualified,
        "plain_q": qualified,
        "backbone": backbone,
        "arts": arts,
        "near_ret": old,
    }


def generated_county(sites: int = 90, zones: int = 180, seed: int = 1, budget: float = 8e6) -> County:
    """A random county of about that many sites and demand zones, one township per 7 sites."""
    rng = np.random.default_rng(seed)
    towns = max(2, sites // 7)
    side = 36.0 * np.sqrt(sites / 90)
    centre = rng.uniform(2, side - 2, (towns, 2))
    where = np.vstack([centre, rng.uniform(0, side, (zones - towns, 2))])
    town = np.argmin(((where[:, None] - centre[None]) ** 2).sum(2), axis=1)
    seat = np.arange(zones) < 0
    near_seat = np.argsort(((where - centre[0]) ** 2).sum(1))[: zones // 10]
    where[near_seat] = centre[0] + rng.normal(0, 1.0, (len(near_seat), 2))
    town[near_seat] = 0
    seat[near_seat] = True
    schools: list[dict[str, object]] = []
    place: list[np.ndarray] = []

    def add(kind: str, official: str, t: int, xy: np.ndarray, grades: str) -> None:
        j = f"S{len(schools):04d}"
        place.append(xy)
        schools.append(
            {"school_id": j, "name": f"校{j}", "kind": official, "township": f"镇{t:02d}", "zone": "seat" if kind == "seat" else "rural",
             "lon": LON0 + xy[0] * KM_LON, "lat": LAT0 + xy[1] * KM_LAT, "crs": "wgs84", "public": True, "status": "open",
             "grades_served": grades, "built_year": 2000, "note": kind}
        )  # fmt: skip

    for t in range(towns):
        kinds = ["seat"] * max(5, sites // 15) if t == 0 else ["central"]
        for k in kinds:
            add(k, "primary", t, centre[t] + rng.normal(0, 0.8 if k == "seat" else 0.1, 2), "1-6")
        for _ in range(max(3, sites // 30) if t == 0 else 1):
            add("junior", "junior", t, centre[t] + rng.normal(0, 0.5, 2), "7-9")
    rural = rng.permutation(np.flatnonzero(~seat & (np.arange(zones) >= towns)))[
        : max(0, sites - len(schools))
    ]
    for n, z in enumerate(rural):
        kind, official, grades = ("village", "primary", "1-6") if n % 5 < 2 else ("point", "point", "1-3")
        add(kind, official, int(town[z]), where[z] + rng.normal(0, 0.1, 2), grades)
    about = pd.DataFrame(schools)
    xy = np.array(place)
    going, load = [], np.zeros(len(schools), dtype=int)
    for z in range(zones):
        for band in ("g1_3", "g4_6", "g7_9"):
            n = int(rng.integers(60, 160) if seat[z] else rng.integers(12, 46))
            can = {"g1_3": ["1-6", "1-3"], "g4_6": ["1-6"], "g7_9": ["7-9"]}[band]
            ok = about["grades_served"].isin(can).to_numpy()
            ok = ok & (load + n <= LARGEST)  # the next one where the nearest is full
            order = np.flatnonzero(ok)[np.argsort(((xy[ok] - where[z]) ** 2).sum(1))]
            drift = 0 if seat[z] else rng.binomial(n, 0.25)
            far = order[int(rng.integers(1, min(4, len(order))))]
            for j, many in ((order[0], n - drift), (far, drift)):
                load[j] += many
                if many:
                    going.append((f"V{z:04d}", about["school_id"][j], band, many))
    attendance = frame(
        "attendance", [{"village_id": v, "school_id": j, "band": b, "pupils": n} for v, j, b, n in going]
    )
    total = attendance.groupby("school_id")["pupils"].sum()
    units, heads = [], {}
    for row in schools:
        j, kind = str(row["school_id"]), str(row["note"])
        n = int(total.get(j, 0))
        stage = "jun" if kind == "junior" else "pri"
        cap = 50 if stage == "jun" else 45
        least = 3 if kind in ("junior", "point") else 6
        classes = max(least if kind != "point" else 2, int(np.ceil(n / (cap - 5))))
        _, _, _, _, space, sport = KINDS[kind]
        heads[j, stage] = _staff(rng, kind, stage, n, classes)
        units.append(
            {"school_id": j, "stage": stage, "pupils": n, "classes": classes, "capacity_pupils": int((classes + 2) * cap),
             "area_teaching": round(space * (n + 20) * rng.uniform(0.8, 1.25)), "area_indoor_sport": 0.0,
             "area_sport_ground": round(sport * (n + 20) * rng.uniform(0.7, 1.4)), "equip_value": round(2500 * (n + 5) * rng.uniform(0.7, 1.3)),
             "rooms_multimedia": int(max(2, round(n * 0.027 * rng.uniform(0.8, 1.4))))}
        )  # fmt: skip
    demand = attendance.groupby(["village_id", "band"], as_index=False)["pupils"].sum()
    shares = {"teacher": 0.32, "device": 0.31, "building": 0.18, "transport": 0.13, "any": 0.06}
    villages = [
        {"village_id": f"V{z:04d}", "name": f"村{z}", "township": f"镇{town[z]:02d}", "lon": LON0 + where[z, 0] * KM_LON,
         "lat": LAT0 + where[z, 1] * KM_LAT, "crs": "wgs84"} for z in range(zones)
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
