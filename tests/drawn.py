"""Tiny counties drawn by number: two to five sites, some villages, one or two stages; fictional."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pandas as pd

from geodata.contract.county import County
from tests.samples import CATEGORIES, COSTS, KM_LAT, KM_LON, LAT0, LON0, frame, school, staff, unit

GRADES = {"primary": "1-6", "small": "1-6", "point": "1-3", "junior": "7-9", "nine_year": "1-9"}
TAUGHT = {
    "primary": ("g1_3", "g4_6"), "small": ("g1_3", "g4_6"), "point": ("g1_3",), "junior": ("g7_9",), "nine_year": ("g1_3", "g4_6", "g7_9"),
}  # fmt: skip
STAGE = {"g1_3": "pri", "g4_6": "pri", "g7_9": "jun"}
A_BAND = {"primary": (20, 90), "small": (8, 30), "point": (3, 15), "junior": (30, 90), "nine_year": (15, 60)}
"""Fewest and most pupils of a village's band, by kind of school."""
MONEY = {
    "teacher": (0, 18_000, 60_000, 300_000), "device": (0, 20_000, 100_000), "building": (0, 60_000, 300_000),
    "transport": (0, 20_000, 150_000), "any": (0, 0, 50_000, 1_000_000),
}  # fmt: skip
Dice = np.random.Generator


def drawn(number: int) -> County:
    """The county of a number."""
    dice = np.random.default_rng(number)
    kinds = _kinds(dice)
    towns = ["甲镇"] if dice.random() < 0.6 else ["甲镇", "乙镇"]
    places = [tuple(float(v) for v in dice.uniform(-2.5, 2.5, 2).round(2)) for _ in kinds]
    schools = [
        school(
            f"S{n}", x, y, "primary" if kind == "small" else kind, str(dice.choice(towns)), GRADES[kind],
            zone="rural" if kind in ("point", "small") else str(dice.choice(["rural", "rural", "town", "seat"])),
            protected=str(dice.choice(["none", "none", "none", "lock_open"])), built_year=int(dice.choice([2000, 2015])),
        )
        for n, (kind, (x, y)) in enumerate(zip(kinds, places, strict=True))
    ]  # fmt: skip
    villages, going = _villages(dice, kinds, places, towns)
    here: Counter[tuple[str, str]] = Counter()
    for (_, j, b), pupils in going.items():
        here[j, STAGE[b]] += pupils
    units, heads = _units(dice, kinds, here)
    attendance = [{"village_id": v, "school_id": j, "band": b, "pupils": n} for (v, j, b), n in going.items()]
    need: Counter[tuple[str, str]] = Counter()
    for (v, _, b), n in going.items():
        need[v, b] += n
    categories = frame("staff_category", [c for c in CATEGORIES if c["stage"] in {s for _, s in heads}])
    categories["hireable"] &= bool(dice.random() < 0.5)
    money = [
        {"year": 2025, "source": "county", "earmark": e, "amount": float(dice.choice(some))}
        for e, some in MONEY.items()
    ]
    prices = [
        {"item": i, "unit": "yuan", "low": c, "base": c, "high": c, "year": 2024, "source": "test"}
        for i, c in COSTS.items()
    ]
    return County(
        name="抽县", name_en="Drawn county", year=2025, fictional=True, schools=frame("schools", schools),
        school_stage=frame("school_stage", units), villages=frame("villages", villages),
        demand=frame("demand", [{"village_id": v, "band": b, "year": 2025, "pupils_base": n} for (v, b), n in need.items()]),
        staff_category=categories, staff_stock=_stock(dice, heads), unit_costs=frame("unit_costs", prices),
        budget=frame("budget", money), enrolment_by_grade=frame("enrolment_by_grade", []),
        attendance=frame("attendance", attendance), standards=frame("standards", []),
    )  # fmt: skip


def _kinds(dice: Dice) -> list[str]:
    """A primary school and some others; in two of five counties a school that teaches juniors."""
    many, juniors = int(dice.integers(1, 4)), bool(dice.random() < 0.4)
    some = ["primary", "point", "point", "small", *(["nine_year"] if juniors else [])]
    kinds = ["primary", *map(str, dice.choice(some, many))]
    return [*kinds, "junior"] if juniors and "nine_year" not in kinds else kinds


def _villages(
    dice: Dice, kinds: list[str], places: list[tuple[float, ...]], towns: list[str]
) -> tuple[list[dict[str, object]], Counter[tuple[str, str, str]]]:
    """Villages around their schools, and pupils by village, school and band: some go to another school by choice."""
    villages: list[dict[str, object]] = []
    going: Counter[tuple[str, str, str]] = Counter()

    def elsewhere(band: str, but: int) -> list[int]:
        return [n for n, kind in enumerate(kinds) if n != but and band in TAUGHT[kind]]

    for n, kind in enumerate(kinds):
        for _ in range(int(dice.integers(1, 3))):
            name, (east, north) = f"v{len(villages)}", dice.normal(0, 0.6, 2)
            lon, lat = LON0 + (places[n][0] + east) * KM_LON, LAT0 + (places[n][1] + north) * KM_LAT
            villages.append(
                {
                    "village_id": name,
                    "name": name,
                    "township": str(dice.choice(towns)),
                    "lon": lon,
                    "lat": lat,
                    "crs": "wgs84",
                }
            )
            for band in TAUGHT[kind]:
                going[name, f"S{n}", band] += int(dice.integers(*A_BAND[kind]))
            if kind == "point":
                going[name, f"S{dice.choice(elsewhere('g4_6', n))}", "g4_6"] += int(dice.integers(3, 15))
            band = str(dice.choice(TAUGHT[kind]))
            if elsewhere(band, n) and dice.random() < 0.25:
                going[name, f"S{dice.choice(elsewhere(band, n))}", band] += int(dice.integers(1, 9))
    return villages, going


def _units(
    dice: Dice, kinds: list[str], here: Counter[tuple[str, str]]
) -> tuple[list[dict[str, object]], dict[tuple[str, str], dict[str, int]]]:
    """Units that lack one thing and have another, and their heads by category."""
    units, heads = [], {}
    for n, kind in enumerate(kinds):
        for stage in sorted({STAGE[b] for b in TAUGHT[kind]}):
            key = f"S{n}", stage
            pupils, grades = here[key], 3 * sum(STAGE[b] == stage for b in TAUGHT[kind])
            classes = max(1, int(np.ceil(pupils / dice.integers(20, 50))))
            if kind not in ("point", "small") or dice.random() < 0.3:
                classes = max(classes, grades)
            things = {
                "rooms_multimedia": int(pupils * dice.choice([0.0, 0.01, 0.02, 0.024, 0.03])),
                "equip_value": float(round(pupils * dice.choice([0, 1500, 1800, 2000, 2500]) + dice.integers(0, 300))),
                "area_teaching": float(round(pupils * dice.choice([3.0, 4.2, 4.6, 6.0]) + dice.integers(0, 50))),
                "area_sport_ground": float(round(pupils * dice.choice([5.0, 7.0, 7.6, 10.0]) + dice.integers(0, 50))),
            }  # fmt: skip
            units.append(
                unit(
                    *key, pupils, classes, int(max(10, pupils * dice.choice([0.9, 1.0, 1.2, 1.6]))), **things
                )
            )
            many = max(2, int(pupils / (15 if stage == "pri" else 11))) + int(dice.integers(0, 3))
            parts = dice.multinomial(many, [0.25, 0.4, 0.15, 0.15, 0.05])
            heads[key] = dict(
                zip(("plain", "plain_q", "backbone", "arts", "near_ret"), map(int, parts), strict=True)
            )
    return units, heads


def _stock(dice: Dice, heads: dict[tuple[str, str], dict[str, int]]) -> pd.DataFrame:
    """The table of heads, some of them near retirement or not eligible to move."""
    stock = staff(heads)
    for i, n in stock["heads"].astype(int).items():
        if dice.random() < 0.15:
            stock.loc[i, "eligible_rotation"] = int(dice.integers(0, n + 1))
        if n and dice.random() < 0.1:
            stock.loc[i, "near_retirement"] = 1
    return stock
