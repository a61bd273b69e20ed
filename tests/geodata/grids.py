"""Hand-made counties on a street grid: one kilometre between crossings, places given in kilometres."""

from __future__ import annotations

import geopandas as gpd
import networkx as nx
import numpy as np
import pandas as pd
from pyproj import Transformer
from shapely.geometry import box

from geodata.contract.county import County
from tests.samples import frame

CRS = "EPSG:32650"
EAST, NORTH = 600_000.0, 3_400_000.0
TO_DEGREES = Transformer.from_crs(CRS, "EPSG:4326", always_xy=True)


def degrees(x: float, y: float) -> tuple[float, float]:
    """Longitude and latitude of a place x, y kilometres from the corner."""
    return TO_DEGREES.transform(EAST + 1000 * x, NORTH + 1000 * y)


def roads(edges: list[tuple[tuple[float, float], tuple[float, float]]]) -> nx.MultiDiGraph:
    """Straight two-way streets between places in kilometres; lengths are the straight ones."""
    graph = nx.MultiDiGraph(crs="EPSG:4326", simplified=True)
    numbers = {place: i for i, place in enumerate(sorted({p for e in edges for p in e}))}
    for place, i in numbers.items():
        lon, lat = degrees(*place)
        graph.add_node(i, x=lon, y=lat)
    for a, b in edges:
        metres = 1000 * float(np.hypot(a[0] - b[0], a[1] - b[1]))
        for u, v in ((a, b), (b, a)):
            graph.add_edge(numbers[u], numbers[v], length=metres, highway="residential")
    return graph


def grid(width: int, height: int) -> nx.MultiDiGraph:
    """A full street grid."""
    across = [((x, y), (x + 1, y)) for x in range(width) for y in range(height + 1)]
    up = [((x, y), (x, y + 1)) for x in range(width + 1) for y in range(height)]
    return roads([*across, *up])


def areas(boxes: dict[str, tuple[float, float, float, float]], column: str) -> gpd.GeoDataFrame:
    """Boxes in kilometres as a layer in EPSG:4326."""
    shapes = [box(*(1000 * np.array(b) + np.array([EAST, NORTH, EAST, NORTH]))) for b in boxes.values()]
    return gpd.GeoDataFrame({column: list(boxes)}, geometry=shapes, crs=CRS).to_crs("EPSG:4326")


def county(
    villages: dict[str, tuple[float, float]],
    schools: dict[str, tuple[float, float]] | None = None,
    **more: object,
) -> County:
    """A county of places only; every other table is empty."""
    schools = schools or {"S1": next(iter(villages.values()))}
    points = [
        {"village_id": i, "name": f"village {i}", "township": "T", "crs": "wgs84",
         **dict(zip(("lon", "lat"), degrees(*at), strict=True))}
        for i, at in villages.items()
    ]  # fmt: skip
    sites = [
        {"school_id": i, "name": f"school {i}", "kind": "primary", "township": "T", "zone": "rural", "crs": "wgs84",
         "public": True, "status": "open", "grades_served": "1-6", "built_year": 2000, "land_area": 1.0,
         **dict(zip(("lon", "lat"), degrees(*at), strict=True))}
        for i, at in schools.items()
    ]  # fmt: skip
    empty = {
        n: frame(n, [])
        for n in ("school_stage", "demand", "staff_category", "staff_stock", "unit_costs", "budget",
                  "enrolment_by_grade", "attendance", "standards")
    }  # fmt: skip
    return County(
        name="grid", year=2025, fictional=True, villages=frame("villages", points),
        schools=frame("schools", sites), **(empty | more),
    )  # fmt: skip


def going(rows: list[tuple[str, str, int]], band: str = "g1_3") -> pd.DataFrame:
    """An attendance table of one band."""
    return pd.DataFrame(
        [(v, s, band, n) for v, s, n in rows], columns=["village_id", "school_id", "band", "pupils"]
    )
