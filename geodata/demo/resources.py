"""Staff, space and equipment of Nanpu's schools, drawn around the blueprint of sources.md 7."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

CATEGORIES = (  # cat_id, q, b, a, subject group, movable, hireable
    ("plain", 0, 0, 0, "general", True, False),
    ("plain_q", 1, 0, 0, "maths_science", True, True),
    ("backbone", 1, 1, 0, "language", True, False),
    ("pe_arts", 1, 0, 1, "pe_arts", True, True),
    ("pe_arts_backbone", 1, 1, 1, "pe_arts", True, False),
    ("near_retirement", 0, 0, 0, "general", False, False),
)
TEACHER_COST = 130_000.0
"""Full cost of a teacher a year, yuan (sources.md 3.5 [A])."""


@dataclass(frozen=True)
class Level:
    """Blueprint of one kind of unit: ranges a pupil or shares of teachers (sources.md 7)."""

    ratio: tuple[float, float]
    qualified: float
    backbone: float
    arts: float
    old: float
    teaching: tuple[float, float]
    sports: tuple[float, float]
    equipment: tuple[float, float]
    rooms: tuple[float, float]
    working: float
    class_size: tuple[float, float]


LEVELS: dict[tuple[str, str], Level] = {
    ("seat", "pri"): Level((19, 21), 0.995, 0.23, 0.17, 0.03, (3.3, 4.4), (3.5, 6.0), (2000, 2700), (2.2, 2.4), 0.95, (38, 44)),
    ("seat_nine", "pri"): Level((19, 19), 0.99, 0.20, 0.15, 0.03, (4.4, 4.4), (6.0, 6.0), (2600, 2600), (2.3, 2.3), 0.95, (42, 42)),
    ("seat_nine", "jun"): Level((14, 14), 0.94, 0.20, 0.15, 0.03, (5.4, 5.4), (8.0, 8.0), (2800, 2800), (2.5, 2.5), 0.95, (45, 45)),
    ("central", "pri"): Level((15, 16), 0.975, 0.12, 0.11, 0.08, (4.5, 6.5), (6.0, 12.0), (2000, 3000), (2.7, 3.2), 0.85, (36, 42)),
    ("rural_nine", "pri"): Level((13.5, 13.5), 0.97, 0.08, 0.10, 0.10, (6.5, 7.5), (11.5, 14.5), (2400, 2800), (3.3, 3.7), 0.80, (30, 36)),
    ("rural_nine", "jun"): Level((9, 9), 0.84, 0.08, 0.10, 0.10, (9.0, 11.0), (18.0, 22.0), (3000, 3600), (3.7, 4.3), 0.80, (32, 42)),
    ("village", "pri"): Level((9, 12), 0.93, 0.045, 0.05, 0.15, (6.0, 11.0), (12.0, 22.0), (1500, 3300), (3.0, 5.0), 0.65, (15, 43)),
    ("point", "pri"): Level((4, 7), 0.80, 0.015, 0.01, 0.30, (10.0, 18.0), (18.0, 40.0), (1500, 4500), (3.0, 9.0), 0.50, (6, 20)),
    ("seat_junior", "jun"): Level((14, 15), 0.955, 0.21, 0.125, 0.03, (4.5, 5.5), (6.0, 8.5), (2500, 3100), (2.4, 2.6), 0.95, (50, 50)),
    ("junior", "jun"): Level((10, 12), 0.88, 0.10, 0.09, 0.10, (6.5, 10.0), (11.0, 20.0), (2500, 4000), (2.8, 3.6), 0.80, (38, 46)),
}  # fmt: skip
CROWDED = {2650: 50.0, 2150: 48.0, 1850: 46.3}
"""The three overfull seat primaries and their mean class size (sources.md 7: 45-52 a class)."""
SPARE_ROOMS = {"seat": 7, "seat_nine": 6, "seat_junior": 4, "central": 4, "junior": 4}


def _classes(rng: np.random.Generator, level: str, stage: str, pupils: int, size: tuple[float, float]) -> int:
    if level == "seat" and pupils in CROWDED:
        return int(np.ceil(pupils / CROWDED[pupils]))
    least = {
        "point": 2,
        "village": 6,
        "central": 6,
        "rural_nine": 6 if stage == "pri" else 3,
        "junior": 3,
    }.get(level, 6)
    count = int(np.ceil(pupils / rng.uniform(*size)))
    if level == "point":
        return int(np.clip(count, 2, 6))
    if level == "village":
        return 6
    return max(least, count)


def _staff(rng: np.random.Generator, level: Level, pupils: int, classes: int) -> dict[str, int]:
    """Heads by joint category; the shares of the blueprint are of all teachers."""
    n = max(2, round(pupils / rng.uniform(*level.ratio)), int(np.ceil(1.15 * classes)) if pupils > 50 else 2)
    backbone = int(rng.binomial(n, level.backbone))
    arts = min(n - backbone, int(rng.binomial(n, level.arts)))
    both = int(rng.binomial(min(backbone, arts), 0.1))
    rest = n - backbone - arts
    old = min(rest, int(rng.binomial(n, level.old)))
    unqualified = min(rest - old, max(0, int(rng.binomial(n, 1 - level.qualified)) - old))
    return {
        "plain": unqualified, "plain_q": rest - old - unqualified, "backbone": backbone - both, "pe_arts": arts,
        "pe_arts_backbone": both, "near_retirement": old,
    }  # fmt: skip


def _unit(
    rng: np.random.Generator, name: str, stage: str, pupils: int
) -> tuple[dict[str, object], dict[str, int]]:
    level = LEVELS[name, stage]
    classes = _classes(rng, name, stage, pupils, level.class_size)
    cap = 45 if stage == "pri" else 50
    crowded = name == "seat" and pupils in CROWDED
    rooms = classes + (0 if crowded else SPARE_ROOMS.get(name, 2))
    smaller = max(pupils, 25 if name == "point" else 1)
    teaching = rng.uniform(*level.teaching) * smaller
    ground = rng.uniform(*level.sports) * smaller
    indoor = 0.06 * teaching if name.startswith("seat") else 0.0
    boards = max(1, round(rng.uniform(*level.rooms) * pupils / 100))
    row = {
        "stage": stage, "pupils": pupils, "classes": classes,
        "max_class": int(np.ceil(pupils / classes) + (2 if crowded else 1)) if pupils else 0,
        "area_teaching": float(round(teaching + indoor)), "area_indoor_sport": float(round(indoor)),
        "area_sport_ground": float(round(max(0.0, ground - indoor))),
        "equip_value": float(round(rng.uniform(*level.equipment) * max(pupils, 1), -2)), "rooms_multimedia": boards,
        "rooms_multimedia_working": int(rng.binomial(boards, level.working)),
        "computers_student": int(pupils / (12 if name.startswith("seat") else 16)), "bandwidth_mbps": 200.0 if pupils > 300 else 100.0,
        "capacity_pupils": rooms * cap, "boarders": 0,
    }  # fmt: skip
    return row, _staff(rng, level, pupils, classes)


def make_means(
    rng: np.random.Generator, sites: pd.DataFrame, pupils: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """T2 and T9 of the county.

    Parameters
    ----------
    sites : DataFrame
        With ``school_id, level``.
    pupils : DataFrame
        ``school_id, stage, pupils``.

    Returns
    -------
    tuple of DataFrame
        School stages (assets by stage, not yet summed for schools that share them) and staff stock.
    """
    level = sites.set_index("school_id")["level"]
    units, heads = [], []
    for r in pupils.itertuples():
        row, staff = _unit(rng, str(level[r.school_id]), str(r.stage), int(r.pupils))
        units.append({"school_id": r.school_id, **row})
        heads += [
            {
                "school_id": r.school_id, "stage": r.stage, "cat_id": c, "heads": n,
                "eligible_rotation": 0 if c == "near_retirement" else int(rng.binomial(n, 0.45)), "near_retirement": 0,
            }
            for c, n in staff.items()
            if n
        ]  # fmt: skip
    return pd.DataFrame(units), pd.DataFrame(heads)


def categories() -> pd.DataFrame:
    """T8: joint cells, so that heads add up."""
    rows = [
        {
            "cat_id": c, "stage": s, "counts_q": q, "counts_b": b, "counts_a": a, "subject_group": g, "movable": m,
            "annual_cost": TEACHER_COST, "hireable": h,
        }
        for s in ("pri", "jun")
        for c, q, b, a, g, m, h in CATEGORIES
    ]  # fmt: skip
    return pd.DataFrame(rows)


__all__ = ["CATEGORIES", "LEVELS", "categories", "make_means"]
