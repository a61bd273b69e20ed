"""Where things are in Nanpu, the fictional demonstration county: townships, villages, schools.

Nanpu is not a real county; its position on the globe is only a place for plausible distances.
Coordinates here are kilometres east and north of the county's south-west corner.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from shapely import Point, Polygon, voronoi_polygons
from shapely.geometry import MultiPoint

from geodata.arrays import Floats

LON0, LAT0 = 118.10, 30.74
KM_LON, KM_LAT = 1 / 95.55, 1 / 110.87
TOWNSHIPS = (
    "南浦镇",
    "双河镇",
    "石桥镇",
    "湖湾镇",
    "青山镇",
    "柳塘镇",
    "望江镇",
    "白茶镇",
    "枫岭镇",
    "云岭镇",
    "竹园镇",
    "龙潭镇",
)
CENTRES = np.array(
    [[18.0, 18.0], [9.5, 24.5], [18.5, 27.8], [27.8, 25.6], [30.6, 17.4], [26.6, 9.0], [18.4, 7.2], [9.6, 10.6],
     [4.9, 17.4], [12.6, 32.0], [25.2, 32.6], [33.2, 31.0]]
)  # fmt: skip
VILLAGE_WORDS = (
    "前",
    "后",
    "东",
    "西",
    "南",
    "北",
    "上",
    "下",
    "大",
    "小",
    "新",
    "老",
    "高",
    "白",
    "青",
    "黄",
)
VILLAGE_ROOTS = (
    "塘",
    "湾",
    "岗",
    "坝",
    "圩",
    "桥",
    "洼",
    "墩",
    "冲",
    "坞",
    "岭",
    "渡",
    "畈",
    "井",
    "庄",
    "坡",
)


@dataclass(frozen=True)
class Places:
    """Townships, villages and school sites.

    Parameters
    ----------
    townships : DataFrame
        ``township, polygon`` (km).
    villages : DataFrame
        ``village_id, name, township, x, y, seat`` (bool), ``terrain, track`` (bool: reached by a track
        only).
    sites : DataFrame
        ``school_id, name, kind, level`` (seat, seat_nine, central, rural_nine, village, point,
        seat_junior, junior, special, private), ``township, x, y, village_id`` (the village it stands
        in, or empty).
    """

    townships: pd.DataFrame
    villages: pd.DataFrame
    sites: pd.DataFrame


def degrees(x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """Kilometres to longitude and latitude."""
    return LON0 + x * KM_LON, LAT0 + y * KM_LAT


def outline(rng: np.random.Generator) -> Polygon:
    """A county outline of about 1,260 km2."""
    angle = np.linspace(0, 2 * np.pi, 72, endpoint=False)
    wobble = 1 + 0.05 * np.sin(3 * angle + 1.1) + 0.04 * np.sin(7 * angle) + rng.normal(0, 0.008, len(angle))
    radius = 19.6 * wobble
    shape = Polygon(np.column_stack([18.5 + 1.03 * radius * np.cos(angle), 19.5 + radius * np.sin(angle)]))
    scale = np.sqrt(1260 / shape.area)
    ring = np.asarray(shape.exterior.coords)
    middle = ring.mean(axis=0)
    return Polygon(middle + (ring - middle) * scale)


def township_cells(county: Polygon) -> list[Polygon]:
    """Voronoi cells of the township seats inside the outline."""
    cells = list(voronoi_polygons(MultiPoint(CENTRES), extend_to=county.envelope.buffer(30)).geoms)
    return [next(c for c in cells if c.covers(Point(p))).intersection(county) for p in CENTRES]


def _scatter(rng: np.random.Generator, cell: Polygon, count: int, taken: Floats, gap: float) -> Floats:
    """Random points inside a cell, at least ``gap`` km from each other and from those taken."""
    inner = cell.buffer(-0.7)
    low, high = np.array(inner.bounds[:2]), np.array(inner.bounds[2:])
    found = list(taken)
    added: list[Floats] = []
    tries = 0
    while len(added) < count:
        p = rng.uniform(low, high)
        tries += 1
        near = gap * (0.97 ** (tries // 60))
        if inner.contains(Point(p)) and np.hypot(*(np.array(found) - p).T).min() > near:
            found.append(p)
            added.append(p)
    return np.array(added)


def _names(rng: np.random.Generator, count: int) -> list[str]:
    every = [a + b for b in VILLAGE_ROOTS for a in VILLAGE_WORDS]
    return [every[i] for i in rng.permutation(len(every))[:count]]


def make_places(rng: np.random.Generator) -> Places:
    """All places of the county.

    Returns
    -------
    Places
        12 townships, 160 villages, 22 communities, 87 sites of compulsory schools and two that are
        not assessed.
    """
    county = outline(rng)
    cells = township_cells(county)
    townships = pd.DataFrame({"township": TOWNSHIPS, "polygon": cells})
    counts = _village_counts(cells)
    names = _names(rng, 182)
    rows: list[tuple[object, ...]] = []
    ring = np.linspace(0, 2 * np.pi, 22, endpoint=False)
    for k, angle in enumerate(ring):
        radius = (0.45, 0.95, 1.45)[k % 3]
        x, y = CENTRES[0] + radius * np.array([np.cos(angle), np.sin(angle)]) + rng.normal(0, 0.05, 2)
        rows.append((f"C{k + 1:03d}", f"{names[k]}社区", TOWNSHIPS[0], x, y, True, "plain", False))
    number = 0
    for t, (cell, count) in enumerate(zip(cells, counts, strict=True)):
        start = CENTRES[t][None, :]
        for x, y in _scatter(rng, cell, count, start, 2.4 if t == 0 else 1.15):
            terrain = "polder" if x + y > 46 else "hill" if x + y < 26 else "plain"
            number += 1
            rows.append(
                (f"V{number:03d}", f"{names[21 + number]}村", TOWNSHIPS[t], x, y, False, terrain, False)
            )
    columns = ["village_id", "name", "township", "x", "y", "seat", "terrain", "track"]
    villages = pd.DataFrame(rows, columns=columns)
    sites = _sites(rng, villages)
    return Places(townships, _with_tracks(villages, sites), sites)


def _village_counts(cells: list[Polygon]) -> list[int]:
    """160 villages in proportion to area, none fewer than six."""
    area = np.array([c.area for c in cells])
    share = np.maximum(6, np.floor(160 * area / area.sum())).astype(int)
    order = np.argsort(-area, kind="stable")
    k = 0
    while share.sum() != 160:
        share[order[k % 12]] += 1 if share.sum() < 160 else -1
        k += 1
    return [int(n) for n in share]


def _sites(rng: np.random.Generator, villages: pd.DataFrame) -> pd.DataFrame:
    """School sites by the blueprint of sources.md 7."""
    rows: list[tuple[object, ...]] = []

    def add(level: str, kind: str, name: str, t: int, x: float, y: float, village: str = "") -> None:
        rows.append(
            (f"{3418000001 + len(rows)}", name, kind, level, TOWNSHIPS[t], float(x), float(y), village)
        )

    seat = CENTRES[0]
    for k in range(7):
        angle = 2 * np.pi * k / 7 + 0.2
        x, y = seat + (0.85 if k % 2 else 0.6) * np.array([np.cos(angle), np.sin(angle)])
        if k < 6:
            add("seat", "primary", f"南浦县第{'一二三四五六'[k]}小学", 0, x, y)
        else:
            add("seat_nine", "nine_year", "南浦县实验学校", 0, x, y)
    for k in range(3):
        angle = 2 * np.pi * k / 3 + 0.9
        x, y = seat + 1.05 * np.array([np.cos(angle), np.sin(angle)])
        add("seat_junior", "junior", f"南浦县第{'一二三'[k]}初级中学", 0, x, y)
    for t in range(1, 12):
        x, y = CENTRES[t] + rng.normal(0, 0.12, 2)
        add("central", "primary", f"{TOWNSHIPS[t][:-1]}中心小学", t, x, y)
    for t in range(1, 10):
        x, y = CENTRES[t] + np.array([0.45, -0.3]) + rng.normal(0, 0.08, 2)
        add("junior", "junior", f"{TOWNSHIPS[t][:-1]}初级中学", t, x, y)
    _rural_sites(rng, villages, add)
    add("special", "special", "南浦县特殊教育学校", 0, *(seat + np.array([1.2, -0.4])))
    add("private", "private_nine_year", "南浦育才学校（民办）", 0, *(seat + np.array([-1.3, 0.5])))
    columns = ["school_id", "name", "kind", "level", "township", "x", "y", "village_id"]
    return pd.DataFrame(rows, columns=columns)


def _rural_sites(rng: np.random.Generator, villages: pd.DataFrame, add: object) -> None:
    """Nine-year, complete primary and point sites at villages, points 2-6 km from the central school."""
    assert callable(add)
    plans = {t: {"rural_nine": 0, "village": 2, "point": 3} for t in range(1, 12)}
    for t in (10, 11, 8):
        plans[t]["rural_nine"] = 1
        plans[t]["village"] -= t in (10, 11)
    for t in (1, 2):
        plans[t]["village"] += 1
    for t in (3, 4, 5):
        plans[t]["point"] -= 1
    for t, plan in plans.items():
        own = villages[villages["township"] == TOWNSHIPS[t]]
        far = np.hypot(own["x"] - CENTRES[t][0], own["y"] - CENTRES[t][1]).to_numpy()
        order = np.argsort(far, kind="stable")
        order = order[far[order] > 1.9]
        picked: list[int] = []
        wanted = (
            ["rural_nine"] * plan["rural_nine"] + ["village"] * plan["village"] + ["point"] * plan["point"]
        )
        spread = np.linspace(0.35, 1.0, len(wanted)) * (len(order) - 1)
        levels = ["rural_nine", *["village", "point"] * 5]
        queue = sorted(wanted, key=lambda w: levels.index(w))
        mixed = queue[: plan["rural_nine"]] + _alternate(queue[plan["rural_nine"] :])
        for level, at in zip(mixed, spread, strict=True):
            k = round(at)
            while int(order[k]) in picked:
                k = (k - 1) % len(order)
            picked.append(int(order[k]))
            row = own.iloc[int(order[k])]
            kind = {"rural_nine": "nine_year", "village": "primary", "point": "point"}[level]
            suffix = {"rural_nine": "学校", "village": "小学", "point": "教学点"}[level]
            x, y = np.array([row["x"], row["y"]]) + rng.normal(0, 0.07, 2)
            add(level, kind, f"{row['name'][:-1]}{suffix}", t, x, y, row["village_id"])


def _alternate(levels: list[str]) -> list[str]:
    """Village schools and points in turn, so that both stand near and far."""
    one = [w for w in levels if w == "village"]
    two = [w for w in levels if w == "point"]
    mixed = []
    while one or two:
        if one:
            mixed.append(one.pop())
        if two:
            mixed.append(two.pop())
    return mixed


def _with_tracks(villages: pd.DataFrame, sites: pd.DataFrame) -> pd.DataFrame:
    """Three hamlets behind a point are reached by a track only: closures that look free and are not."""
    done = villages.copy()
    points = sites[sites["level"] == "point"]
    used: set[str] = set()
    free = ~villages["seat"] & ~villages["village_id"].isin(sites["village_id"])
    for site in points.itertuples():
        if len(used) == 3:
            break
        centre = CENTRES[TOWNSHIPS.index(str(site.township))]
        rows = villages[free & (villages["township"] == site.township)]
        gap = np.hypot(rows["x"] - site.x, rows["y"] - site.y)
        behind = np.hypot(rows["x"] - centre[0], rows["y"] - centre[1]) > np.hypot(
            site.x - centre[0], site.y - centre[1]
        )
        fit = rows[behind & (gap > 1.0) & (gap < 2.8)]
        if len(fit):
            used.add(str(fit.iloc[0]["village_id"]))
    done["track"] = done["village_id"].isin(sorted(used))
    return done
