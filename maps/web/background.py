"""What lies under the schools: roads, waters, township boundaries and village cells, as whole numbers.

Lines are sent to the page as flat lists of integers in 1e-5 degrees (about 1 m), the first point
followed by differences: 50,000 streets take under 3 MB and open in about a second.
"""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geodata.contract.county import County
from geodata.contract.placenames import latin_name

SCALE = 100_000
ROAD_TOLERANCE = 4e-5  # degrees, about 4 m: less than a pixel at any zoom a meeting uses
CELL_MARGIN = 0.012  # degrees around the outermost villages where no township boundary is known


def deltas(points: np.ndarray[Any, Any]) -> list[int]:
    """A line as ``[x, y, dx, dy, dx, dy, ...]`` in 1e-5 degrees.

    Parameters
    ----------
    points : array of float, shape (N, 2)
        Longitude and latitude in degrees.

    Returns
    -------
    list of int, length 2 N
    """
    whole = np.round(np.asarray(points, dtype=float)[:, :2] * SCALE).astype(np.int64)
    steps = np.diff(whole, axis=0, prepend=np.zeros((1, 2), dtype=np.int64))
    flat: list[int] = steps.ravel().tolist()
    return flat


def _lines(shapes: Any) -> list[list[int]]:
    """Every line, or every ring of every polygon, of an array of geometries."""
    parts = shapely.get_parts(np.asarray(shapes, dtype=object))
    polygonal = shapely.get_type_id(parts) == 3
    lines = [*parts[~polygonal], *shapely.get_rings(parts[polygonal])]
    return [deltas(shapely.get_coordinates(line)) for line in lines if shapely.get_num_coordinates(line) > 1]


def roads(county: County) -> dict[str, list[list[int]]]:
    """Streets by road class, busiest drawing order left to the page; empty without roads."""
    if county.roads is None:
        return {}
    from geodata.roads.graph import road_lines

    streets = road_lines(county.roads)
    shapes = shapely.simplify(np.asarray(streets.geometry.array, dtype=object), ROAD_TOLERANCE)
    classes = streets["highway"].astype(str).str.split(";").str[0].to_numpy()
    return {str(name): _lines(shapes[classes == name]) for name in np.unique(classes)}


def _named(frame: gpd.GeoDataFrame | None, column: str) -> list[dict[str, object]]:
    if frame is None or frame.empty:
        return []
    names = frame[column].astype(str) if column in frame else pd.Series("", index=frame.index)
    shapes = np.asarray(frame.geometry.array, dtype=object)
    inside = shapely.point_on_surface(shapes)
    return [
        {
            "name": name,
            "latin": latin_name(name),
            "area": bool(shapely.get_dimensions(shape) == 2),
            "at": [round(shapely.get_y(point), 5), round(shapely.get_x(point), 5)],
            "lines": _lines(shapely.get_parts(shape)),
        }
        for name, shape, point in zip(names, shapes, inside, strict=True)
        if shape is not None and not shape.is_empty
    ]


def townships(county: County) -> list[dict[str, object]]:
    """Township boundaries with a point for the name; empty where the county has none."""
    return _named(county.townships, "township")


def border(county: County) -> list[list[int]]:
    """The county's outer line, from its townships; empty where it has none."""
    if county.townships is None or county.townships.empty:
        return []
    return _lines(shapely.get_parts(_outline(county, None)))


def waters(county: County) -> list[dict[str, object]]:
    """Rivers and lakes; empty where the county has none."""
    return _named(county.waters, "name")


def _outline(county: County, points: Any) -> Any:
    """The county's shape: its townships together, else a margin around its villages."""
    frame = county.townships
    if frame is not None and not frame.empty:
        return shapely.union_all(shapely.make_valid(np.asarray(frame.geometry.array, dtype=object)))
    return shapely.buffer(shapely.convex_hull(shapely.multipoints(points)), CELL_MARGIN, quad_segs=4)


def village_cells(county: County) -> tuple[list[list[list[int]]], list[list[int]]]:
    """Ground nearer to each village than to any other, to tint attendance areas (not boundaries).

    Returns
    -------
    cells : list, one per village in table order
        Rings as delta-coded lines; empty where two villages share a point.
    neighbours : list of [int, int]
        Pairs of touching cells, by row number, for colouring.
    """
    villages = county.villages
    at = villages[["lon", "lat"]].to_numpy(dtype=float)
    if len(villages) < 2:
        return [[] for _ in range(len(villages))], []
    # one degree of longitude is shorter than one of latitude: measure in a plane that is locally true
    squeeze = np.array([np.cos(np.deg2rad(at[:, 1].mean())), 1.0])
    diagram = shapely.voronoi_polygons(
        shapely.multipoints(at * squeeze),
        extend_to=shapely.box(*((at.min(axis=0) - 1) * squeeze), *((at.max(axis=0) + 1) * squeeze)),
    )
    pieces = shapely.get_parts(diagram)
    pieces = shapely.transform(pieces, lambda xy: xy / squeeze)
    owner, piece = shapely.STRtree(pieces).query(shapely.points(at), predicate="within")
    shapes = np.full(len(at), shapely.Polygon(), dtype=object)
    shapes[owner] = pieces[piece]
    left, right = shapely.STRtree(shapes).query(shapes, predicate="touches")
    keep = left < right
    pairs = sorted([int(a), int(b)] for a, b in zip(left[keep], right[keep], strict=True))
    drawn = shapely.intersection(shapes, _outline(county, at))
    return [_lines(shapely.get_parts(shape)) for shape in drawn], pairs
