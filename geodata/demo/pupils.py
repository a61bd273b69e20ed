"""Who lives where and attends which school in Nanpu: cohorts fitted to the blueprint's school sizes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from geodata.demo.places import TOWNSHIPS, Places
from geodata.standards.reading import default_scheme

SEAT_PRIMARY = (2650, 1120, 2150, 1380, 1850, 1620)
"""Pupils of the six seat primaries, around the ring: each overfull one has roomier neighbours."""
SEAT_JUNIOR = (2250, 1350, 1750)
SEAT_NINE = (1250, 780)
CENTRAL = (520, 700, 1250, 480, 560, 430, 610, 380, 520, 260, 470)
JUNIOR = (380, 560, 820, 340, 420, 300, 480, 150, 130)
RURAL_NINE = ((210, 130), (270, 170), (330, 210))
VILLAGE = (
    72,
    84,
    90,
    96,
    102,
    106,
    110,
    114,
    118,
    122,
    125,
    126,
    130,
    136,
    144,
    152,
    164,
    178,
    192,
    210,
    232,
    260,
)
POINT = (
    6,
    8,
    10,
    11,
    13,
    14,
    15,
    17,
    18,
    20,
    21,
    23,
    25,
    27,
    28,
    28,
    30,
    32,
    34,
    36,
    38,
    42,
    44,
    48,
    52,
    58,
    64,
    70,
    78,
    88,
)
"""24 of the 30 points are below 50 pupils; two stand at 48 and 52."""


@dataclass(frozen=True)
class Pupils:
    """Cohorts and attendance.

    Parameters
    ----------
    sites : DataFrame
        `Places.sites` plus ``grades`` (grades served) and, by level, target sizes.
    attendance : DataFrame
        T6: ``village_id, school_id, band, pupils``; its sums are T5 and T2.
    """

    sites: pd.DataFrame
    attendance: pd.DataFrame


def with_grades(rng: np.random.Generator, sites: pd.DataFrame) -> pd.DataFrame:
    """Grades served and target sizes of every site."""
    served = {
        "seat": "1-6", "seat_nine": "1-9", "central": "1-6", "rural_nine": "1-9", "village": "1-6", "point": "1-3",
        "seat_junior": "7-9", "junior": "7-9", "special": "1-9", "private": "1-9",
    }  # fmt: skip
    done = sites.copy()
    done["grades"] = done["level"].map(served)
    done["pri"], done["jun"] = 0, 0
    sizes = {
        "seat": SEAT_PRIMARY, "central": CENTRAL, "village": tuple(int(n) for n in rng.permutation(VILLAGE)),
        "point": tuple(int(n) for n in rng.permutation(POINT)),
    }  # fmt: skip
    for level, size in sizes.items():
        done.loc[done["level"] == level, "pri"] = size
    done.loc[done["level"] == "seat_junior", "jun"] = SEAT_JUNIOR
    done.loc[done["level"] == "junior", "jun"] = JUNIOR
    done.loc[done["level"] == "seat_nine", ["pri", "jun"]] = SEAT_NINE
    done.loc[done["level"] == "rural_nine", ["pri", "jun"]] = RURAL_NINE
    points = done.index[done["level"] == "point"]
    four = rng.permutation(points)[:10]
    done.loc[four, "grades"] = "1-4"
    return done


def _main_schools(places: Places, sites: pd.DataFrame) -> pd.DataFrame:
    """The local school of every village and band: its own point, else the nearest that teaches the band."""
    levels = {
        "g1_3": ("central", "rural_nine", "village", "point"), "g4_6": ("central", "rural_nine", "village"),
        "g7_9": ("junior", "rural_nine"),
    }  # fmt: skip
    rural = places.villages[~places.villages["seat"]]
    xy = rural[["x", "y"]].to_numpy()
    parts = []
    for band, kinds in levels.items():
        can = sites[sites["level"].isin(kinds)]
        gap = np.hypot(xy[:, None, 0] - can["x"].to_numpy(), xy[:, None, 1] - can["y"].to_numpy())
        if band == "g7_9":
            # junior pupils stay in their township while it has a junior school
            other = rural["township"].to_numpy()[:, None] != can["township"].to_numpy()
            gap = gap + np.where(other, 6.0, 0.0)
        point = (can["level"] == "point").to_numpy()
        # a point draws on its own hamlet and, at most, on what lies much nearer to it than to any school
        own = rural["village_id"].to_numpy()[:, None] == can["village_id"].to_numpy()
        gap = np.where(point & ~own, 1.8 * gap + 0.6, gap)
        nearest = can["school_id"].to_numpy()[gap.argmin(axis=1)]
        parts.append(
            pd.DataFrame({"village_id": rural["village_id"].to_numpy(), "band": band, "school_id": nearest})
        )
    return pd.concat(parts, ignore_index=True)


def _drift(rng: np.random.Generator, main: pd.DataFrame, places: Places, sites: pd.DataFrame) -> pd.DataFrame:
    """Where by-passing pupils go: half to the township's central school, half to the seat (sources.md 7)."""
    town = places.villages.set_index("village_id")["township"]
    central = sites[sites["level"] == "central"].set_index("township")["school_id"]
    seat = sites[sites["level"].isin(["seat", "seat_nine"])]
    junior = sites[sites["level"].isin(["seat_junior", "seat_nine"])]
    weight = {"pri": seat["pri"] / seat["pri"].sum(), "jun": junior["jun"] / junior["jun"].sum()}
    rows = main.copy()
    rows["share"] = rng.uniform(0.25, 0.35, len(rows))
    to = []
    for r in rows.itertuples():
        if r.band == "g7_9":
            to.append(rng.choice(junior["school_id"].to_numpy(), p=weight["jun"].to_numpy()))
            continue
        near = central.get(str(town[r.village_id]), None)
        to_seat = near is None or near == r.school_id or rng.random() < 0.5
        to.append(rng.choice(seat["school_id"].to_numpy(), p=weight["pri"].to_numpy()) if to_seat else near)
    rows["drift_to"] = to
    return rows


def _targets(sites: pd.DataFrame) -> pd.DataFrame:
    """Pupils wanted by school and band: primary halves, a third more for points that keep grade 4."""
    rows = []
    for s in sites.itertuples():
        if s.level in ("special", "private"):
            continue
        if s.level == "point":
            upper = round(s.pri / 4) if s.grades == "1-4" else 0
            rows += [(s.school_id, "g1_3", s.pri - upper), (s.school_id, "g4_6", upper)]
        elif s.pri:
            rows += [(s.school_id, "g1_3", s.pri // 2), (s.school_id, "g4_6", s.pri - s.pri // 2)]
        if s.jun:
            rows.append((s.school_id, "g7_9", s.jun))
    return pd.DataFrame(rows, columns=["school_id", "band", "want"])


def _fit_rural(rows: pd.DataFrame, targets: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Village cohorts such that local schools reach their targets, drift to them included."""
    want = targets.set_index(["school_id", "band"])["want"].astype(float)
    fit = rows.copy()
    fit["local"] = rng.lognormal(0.0, 0.35, len(fit))
    keys = list(zip(fit["school_id"], fit["band"], strict=True))
    goal = np.array([float(want[k]) for k in keys])
    for _ in range(40):
        moved = fit["local"] * fit["share"] / (1 - fit["share"])
        came = moved.groupby([fit["drift_to"], fit["band"]]).sum()
        have = fit.groupby(["school_id", "band"])["local"].transform("sum")
        own = np.maximum(goal - np.array([float(came.get(k, 0.0)) for k in keys]), 0.25 * goal)
        fit["local"] *= own / have
    fit["stay"] = np.maximum(1, fit["local"].round()).astype(int)
    fit["go"] = (fit["local"] * fit["share"] / (1 - fit["share"])).round().astype(int)
    return fit


def _upper_points(fit: pd.DataFrame, sites: pd.DataFrame, targets: pd.DataFrame) -> pd.DataFrame:
    """Points that keep grade 4 take those pupils out of their own villages' g4_6 cohort."""
    four = sites[sites["grades"] == "1-4"]
    upper = targets[
        (targets["band"] == "g4_6") & targets["school_id"].isin(four["school_id"]) & (targets["want"] > 0)
    ]
    rows = []
    for r in upper.itertuples():
        villages = fit[(fit["band"] == "g1_3") & (fit["school_id"] == r.school_id)]["village_id"]
        home = fit[(fit["band"] == "g4_6") & fit["village_id"].isin(villages)]
        if home.empty:
            continue
        at = home["stay"].idxmax()
        take = int(min(r.want, max(0, fit.at[at, "stay"] // 2 - 1)))
        if take > 0:
            fit.loc[at, "stay"] -= take
            rows.append((fit.at[at, "village_id"], r.school_id, "g4_6", take))
    return pd.DataFrame(rows, columns=["village_id", "school_id", "band", "pupils"])


def _seat_attendance(
    places: Places, sites: pd.DataFrame, targets: pd.DataFrame, came: pd.Series
) -> pd.DataFrame:
    """Seat communities: each school takes the whole bands of some near communities, up to its size."""
    communities = places.villages[places.villages["seat"]]
    xy = communities[["x", "y"]].to_numpy()
    rows = []
    for band in default_scheme().band_ids:
        levels = ["seat_junior", "seat_nine"] if band == "g7_9" else ["seat", "seat_nine"]
        can = sites[sites["level"].isin(levels)]
        want = targets[targets["band"] == band].set_index("school_id")["want"]
        own = np.array([float(want[j]) - float(came.get((j, band), 0)) for j in can["school_id"]])
        count = _shares(own, len(communities))
        gap = np.hypot(xy[:, None, 0] - can["x"].to_numpy(), xy[:, None, 1] - can["y"].to_numpy())
        chosen = _nearest_with_counts(gap, count)
        for k, j in enumerate(can["school_id"]):
            mine = communities["village_id"].to_numpy()[chosen == k]
            parts = _split(round(own[k]), len(mine))
            rows += [(v, j, band, n) for v, n in zip(mine, parts, strict=True)]
    return pd.DataFrame(rows, columns=["village_id", "school_id", "band", "pupils"])


def _shares(own: np.ndarray, count: int) -> list[int]:
    """How many communities each school draws on, at least one, in proportion."""
    exact = own / own.sum() * count
    whole = np.maximum(1, np.floor(exact)).astype(int)
    while whole.sum() != count:
        step = 1 if whole.sum() < count else -1
        order = np.argsort(-(exact - whole) * step, kind="stable")
        k = next(int(i) for i in order if whole[i] + step >= 1)
        whole[k] += step
    return [int(n) for n in whole]


def _nearest_with_counts(gap: np.ndarray, count: list[int]) -> np.ndarray:
    """Assign each community to a school so that school k gets count[k], least total distance."""
    from scipy.optimize import linear_sum_assignment

    places = np.repeat(np.arange(gap.shape[1]), count)
    row, column = linear_sum_assignment(gap[:, places])
    chosen = np.empty(len(gap), dtype=int)
    chosen[row] = places[column]
    return chosen


def _split(total: int, parts: int) -> list[int]:
    return [total // parts + (1 if k < total % parts else 0) for k in range(parts)]


def make_pupils(rng: np.random.Generator, places: Places) -> Pupils:
    """Cohorts and attendance of the whole county.

    Returns
    -------
    Pupils
        Every village sends 25-35 % of each band past its local school; school totals are the
        blueprint's, exactly in the seat and at points, within rounding elsewhere.
    """
    sites = with_grades(rng, places.sites)
    targets = _targets(sites)
    main = _main_schools(places, sites)
    fit = _fit_rural(_drift(rng, main, places, sites), targets, rng)
    upper = _upper_points(fit, sites, targets)
    stay = fit[["village_id", "school_id", "band"]].assign(pupils=fit["stay"])
    go = fit[["village_id", "band"]].assign(school_id=fit["drift_to"], pupils=fit["go"])
    rural = pd.concat([stay, go, upper], ignore_index=True)
    rural = _exact(rural, sites, targets)
    came = rural.groupby(["school_id", "band"])["pupils"].sum()
    everything = pd.concat([rural, _seat_attendance(places, sites, targets, came)], ignore_index=True)
    everything = everything.groupby(["village_id", "school_id", "band"], as_index=False)["pupils"].sum()
    everything = everything[everything["pupils"] > 0]
    return Pupils(sites, everything.sort_values(["village_id", "school_id", "band"]).reset_index(drop=True))


def _exact(rural: pd.DataFrame, sites: pd.DataFrame, targets: pd.DataFrame) -> pd.DataFrame:
    """Rounding leftovers of small schools go to their largest village, so that 48 is 48 and 52 is 52."""
    done = rural.copy()
    small = sites[sites["level"].isin(["point", "junior", "rural_nine", "village"])]["school_id"]
    want = targets[targets["school_id"].isin(small)]
    have = done.groupby(["school_id", "band"])["pupils"].sum()
    for r in want.itertuples():
        gap = int(r.want) - int(have.get((r.school_id, r.band), 0))
        rows = done[(done["school_id"] == r.school_id) & (done["band"] == r.band)]
        if rows.empty or gap == 0:
            continue
        at = rows["pupils"].idxmax()
        done.loc[at, "pupils"] = max(1, int(done.at[at, "pupils"]) + gap)
    return done


__all__ = ["TOWNSHIPS", "Pupils", "make_pupils"]
