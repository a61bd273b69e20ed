"""Polygons that tile the ground: made from seed points, joined, measured along their borders, cleaned.

All geometry here is in metres. Shapes that share a border share its vertices, so areas add up and the
length of a border is exact.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import shapely
from scipy.spatial import Voronoi

from geodata.arrays import Flags, Floats, Ints, Shapes

SAME_PLACE_M = 0.01
"""Seeds closer than this are one; the first keeps the place."""
MIN_AREA_M2 = 10_000.0
"""A piece below one hectare is a sliver [A]."""
MIN_WIDTH_M = 30.0
"""A piece of a smaller mean width, 2 x area / perimeter, is a sliver [A]."""


def merged_shapes(shapes: Shapes, owner: Ints, count: int) -> Shapes:
    """Pieces of one coverage joined by owner, shape (count,); empty for an owner without a piece."""
    done = np.full(count, shapely.Polygon(), dtype=object)
    order = np.argsort(owner, kind="stable")
    used, first = np.unique(owner[order], return_index=True)
    for number, rows in zip(used, np.split(order, first[1:]), strict=True):
        done[number] = shapely.coverage_union_all(shapes[rows])
    return done


def tile(points: Floats, owner: Ints, outline: Any) -> Shapes:
    """Ground nearest to the seeds of each owner, inside an outline.

    Parameters
    ----------
    points : array of float, shape (N, 2)
        Metres. Of seeds at one place the first counts.
    owner : array of int, shape (N,)
        0 to K - 1.
    outline : Polygon or MultiPolygon
        Valid.

    Returns
    -------
    array of Polygon or MultiPolygon, shape (K,)
        Together exactly the outline, without overlaps; neighbours share their vertices.
    """
    count = int(owner.max()) + 1
    _, first = np.unique(np.round(points / SAME_PLACE_M), axis=0, return_index=True)
    first.sort()
    seeds, owner = points[first], owner[first]
    if len(seeds) < 2:
        return merged_shapes(np.array([outline], dtype=object), owner, count)
    # one noding of all borders with the outline: cutting region by region would leave hairline gaps
    lines = shapely.union_all([*_ridges(seeds, owner, outline), shapely.boundary(outline)])
    faces = shapely.get_parts(shapely.polygonize(shapely.get_parts(lines)))
    inner = shapely.point_on_surface(faces)
    shapely.prepare(outline)
    inside = shapely.intersects(outline, inner)
    faces, inner = faces[inside], inner[inside]
    face, seed = shapely.STRtree(shapely.points(seeds)).query_nearest(inner, all_matches=False)
    return merged_shapes(faces[face], owner[seed], count)


def _ridges(seeds: Floats, owner: Ints, outline: Any) -> Shapes:
    """Lines at equal distance from the nearest seeds of two owners.

    From scipy, whose ridges share corners by number: the cells that GEOS draws overlap where many seeds
    lie on one circle, as on a street grid.
    """
    corners = np.concatenate([seeds, np.reshape(shapely.bounds(outline), (2, 2))])
    middle = corners.mean(axis=0)
    far = 10 * np.ptp(corners, axis=0).max() * np.array([[1, 0], [0, 1], [-1, 0], [0, -1]])
    diagram = Voronoi(np.concatenate([seeds - middle, far]))
    belongs = np.concatenate([owner, np.full(len(far), -1)])[diagram.ridge_points]
    ends = np.array(diagram.ridge_vertices)
    kept = (belongs[:, 0] != belongs[:, 1]) & (belongs >= 0).all(axis=1) & (ends >= 0).all(axis=1)
    return np.asarray(shapely.linestrings(diagram.vertices[ends[kept]] + middle))


def borders(shapes: Shapes) -> pd.DataFrame:
    """Borders of a coverage: ``left, right`` (numbers, left < right), ``metres`` > 0, in key order."""
    left, right = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    once = left < right
    left, right = left[once], right[once]
    edge = shapely.boundary(shapes)
    metres = shapely.length(shapely.intersection(edge[left], edge[right]))
    table = pd.DataFrame({"left": left, "right": right, "metres": metres})
    table = table[table["metres"] > 0]
    return table.sort_values(["left", "right"], kind="stable").reset_index(drop=True)


def both_ways(table: pd.DataFrame) -> pd.DataFrame:
    """Every border seen from both sides."""
    turned = table.rename(columns={"left": "right", "right": "left"})[table.columns]
    both = pd.concat([table, turned], ignore_index=True)
    return both.sort_values(["left", "right"], kind="stable").reset_index(drop=True)


def is_sliver(shapes: Shapes, min_area: float = MIN_AREA_M2, min_width: float = MIN_WIDTH_M) -> Flags:
    """Too small or too thin, shape (N,)."""
    area, around = shapely.area(shapes), shapely.length(shapes)
    width = np.divide(2 * area, around, out=np.zeros_like(area), where=around > 0)
    return np.asarray((area < min_area) | (width < min_width), dtype=np.bool_)


def without_slivers(
    shapes: Shapes, places: Shapes, owner: Ints,
    min_area: float = MIN_AREA_M2, min_width: float = MIN_WIDTH_M,
) -> tuple[Shapes, int]:  # fmt: skip
    """Detached slivers go to the neighbour with the longest shared border.

    Parameters
    ----------
    shapes : array of Polygon or MultiPolygon, shape (K,)
        A coverage.
    places : array of Point, shape (P,)
        A piece with a place of its own shape stays, however small.
    owner : array of int, shape (P,)
        Shape number of each place.
    min_area, min_width : float
        Square metres, metres.

    Returns
    -------
    shapes : array, shape (K,)
    count : int
        Pieces that changed hands. A sliver without a neighbour stays.
    """
    pieces, belongs = shapely.get_parts(shapes, return_index=True)
    loose = is_sliver(pieces, min_area, min_width)
    place, piece = shapely.STRtree(pieces).query(places, predicate="intersects")
    loose[piece[belongs[piece] == owner[place]]] = False
    if not loose.any():
        return shapes, 0
    ways = both_ways(borders(pieces))
    count = 0
    while loose.any():
        open_ways = ways[loose[ways["left"]] & ~loose[ways["right"]]]
        if open_ways.empty:
            break
        sums = (
            open_ways.assign(to=belongs[open_ways["right"]])
            .groupby(["left", "to"], as_index=False)["metres"]
            .sum()
        )
        best = sums.sort_values(["metres", "to"], ascending=[False, True], kind="stable").drop_duplicates(
            "left"
        )
        belongs[best["left"]] = best["to"]
        loose[best["left"]] = False
        count += len(best)
    return merged_shapes(pieces, belongs, len(shapes)), count
