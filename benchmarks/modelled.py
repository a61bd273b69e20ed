"""What real places lack, filled by a seeded rule: enrolment, attendance, staff, space, money. Marked as modelled.

The rule, the same for every place:

1. pupils live where the place's own data say; a village-band attends its nearest school that teaches the
   band, and 15 % of its pupils the second nearest (by-pass);
2. a unit's classes, staff, space and equipment are drawn with `geodata.demo.resources` around the blueprint
   of sources.md 7 for its level (seat, central, village, point, junior);
3. money is Nanpu's default budget a pupil, times a factor that the place states.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import numpy as np
import pandas as pd

from geodata.demo.county import BUDGET, YEAR
from geodata.demo.resources import categories, make_means
from geodata.standards.reading import default_scheme

NANPU_PUPILS = 21_000
BYPASS = 0.15
MODELLED = (
    "attendance", "budget", "demand", "school_stage.area_indoor_sport", "school_stage.area_sport_ground",
    "school_stage.area_teaching", "school_stage.capacity_pupils", "school_stage.classes", "school_stage.equip_value",
    "school_stage.rooms_multimedia", "schools.built_year", "schools.land_area", "staff_stock",
)  # fmt: skip
TEACHES = {"1-6": ("g1_3", "g4_6"), "7-9": ("g7_9",), "1-9": ("g1_3", "g4_6", "g7_9")}


@dataclass(frozen=True)
class Place:
    """A real place as far as its data go.

    Parameters
    ----------
    sites : DataFrame
        ``school_id, name, kind, level, township, zone, public, lon, lat, grades``.
    villages : DataFrame
        ``village_id, name, township, lon, lat``.
    pupils : DataFrame
        ``village_id, band, pupils`` and, where observed, ``school_id``: then attendance is not modelled
        by nearness.
    """

    name: str
    name_en: str
    sites: pd.DataFrame
    villages: pd.DataFrame
    pupils: pd.DataFrame
    roads: str | None
    budget_factor: float
    source: str
    modelled: tuple[str, ...] = MODELLED


def kilometres(a: pd.DataFrame, b: pd.DataFrame) -> np.ndarray:
    """Crow-fly distances, (len(a), len(b))."""
    east = np.subtract.outer(a["lon"].to_numpy(float), b["lon"].to_numpy(float))
    north = np.subtract.outer(a["lat"].to_numpy(float), b["lat"].to_numpy(float))
    return np.hypot(east * 111.3 * np.cos(np.radians(a["lat"].mean())), north * 110.9)


def attend_nearest(place: Place) -> pd.DataFrame:
    """Rule 1: nearest school that teaches the band, a share to the second nearest."""
    found = []
    for band in default_scheme().band_ids:
        rows = place.pupils[place.pupils["band"] == band].reset_index(drop=True)
        teaches = place.sites["grades"].map(lambda g, b=band: b in TEACHES[g])
        can = place.sites[teaches & place.sites["public"]]
        if rows.empty or can.empty:
            continue
        at = rows[["village_id"]].merge(place.villages, on="village_id", how="left")
        order = np.argsort(kilometres(at, can), axis=1, kind="stable")
        second = np.floor(BYPASS * rows["pupils"]).astype(int) if len(can) > 1 else 0 * rows["pupils"]
        for rank, n in ((0, rows["pupils"] - second), (min(1, len(can) - 1), second)):
            found.append(
                pd.DataFrame(
                    {"village_id": rows["village_id"], "school_id": can["school_id"].to_numpy()[order[:, rank]], "band": band, "pupils": n}
                )
            )  # fmt: skip
    every = pd.concat(found).groupby(["village_id", "school_id", "band"], as_index=False)["pupils"].sum()
    return every[every["pupils"] > 0].reset_index(drop=True)


def _schools(place: Place, rng: np.random.Generator, size: pd.Series) -> pd.DataFrame:
    s = place.sites
    land = (1500 + 16 * s["school_id"].map(size).fillna(100)).astype(float)
    return pd.DataFrame(
        {
            "school_id": s["school_id"], "name": s["name"], "kind": s["kind"], "township": s["township"], "zone": s["zone"],
            "lon": s["lon"], "lat": s["lat"], "crs": "wgs84", "public": s["public"], "status": "open",
            "built_year": rng.integers(1960, 2010, len(s)), "grades_served": s["grades"], "land_area": land,
        }
    )  # fmt: skip


def write_place(place: Place, folder: Path, seed: int) -> Path:
    """Write a real place as a county's folder, with all that is modelled named in county.toml.

    Parameters
    ----------
    place : Place
    folder : Path
        Made if missing.
    seed : int

    Returns
    -------
    Path
    """
    folder.mkdir(parents=True, exist_ok=True)
    going = place.pupils if "school_id" in place.pupils else attend_nearest(place)
    going = going.sort_values(["village_id", "school_id", "band"], kind="stable").reset_index(drop=True)
    units = going.assign(stage=going["band"].map(default_scheme().band_stage))
    units = units.groupby(["school_id", "stage"], as_index=False)["pupils"].sum()
    sites = place.sites[place.sites["school_id"].isin(units["school_id"])]
    stages, staff = make_means(np.random.default_rng([seed, 1]), sites, units)
    demand = going.groupby(["village_id", "band"], as_index=False)["pupils"].sum()
    share = place.budget_factor * going["pupils"].sum() / NANPU_PUPILS
    costs = pd.read_csv(files("geodata.contract") / "unit_costs.csv", dtype=str)
    tables = {
        "schools": _schools(place, np.random.default_rng([seed, 2]), units.groupby("school_id")["pupils"].sum()),
        "school_stage": stages, "villages": place.villages.assign(crs="wgs84"), "attendance": going,
        "demand": demand.assign(year=YEAR, source="estimated").rename(columns={"pupils": "pupils_base"}),
        "staff_category": categories(), "staff_stock": staff, "unit_costs": costs,
        "budget": pd.DataFrame(
            [{"year": YEAR, "source": "county", "earmark": e, "amount": round(n * share)} for e, n in BUDGET.items()]
        ),
    }  # fmt: skip
    for name, table in tables.items():
        table.to_csv(folder / f"{name}.csv", index=False, encoding="utf-8", lineterminator="\n")
    roads = f"roads = '{place.roads}'\n" if place.roads else ""
    modelled = ", ".join(f'"{m}"' for m in place.modelled)
    (folder / "county.toml").write_text(
        f"# {place.source}\n# Real places; what `modelled` names is drawn from seed {seed} by benchmarks/modelled.py.\n"
        f'name = "{place.name}"\nname_en = "{place.name_en}"\nyear = {YEAR}\n{roads}modelled = [{modelled}]\n',
        encoding="utf-8",
    )
    return folder
