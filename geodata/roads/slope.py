"""Walking slows on slopes: Tobler's hiking function over a height raster.

W. Tobler (1993), Three presentations on geographical analysis and modeling, NCGIA Technical Report
93-1: speed = 6 exp(-3.5 |slope + 0.05|) km/h. Only its ratio to level ground is used here, so that
walking on the level keeps the table's speed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import shapely
from pyproj import Transformer

from geodata.arrays import Floats
from geodata.contract.findings import Finding, InputProblems
from geodata.roads.snapping import Streets

STEP_M = 30.0
"""Streets are measured in pieces of at most this length: about a cell of the usual rasters."""
STEEPEST = 1.0
"""Steeper pieces are faults of the raster (bridges, tunnels, cliffs beside the road)."""

Heights = Callable[[Floats, Floats], Floats]
"""Metres above the sea at longitudes and latitudes; NaN where unknown."""


@dataclass(frozen=True)
class Slope:
    """What slopes do to the streets.

    Parameters
    ----------
    factor : array of float, shape (E,)
        Walking times are multiplied by it: the mean of both directions, for the way there and back.
    steepness : float
        Mean |slope| over all metres measured.
    unknown_km : float
        Kilometres without heights, taken as level.
    """

    factor: Floats
    steepness: float
    unknown_km: float


def tobler(slope: Floats) -> Floats:
    """Speed on a slope (rise over run) relative to level ground: exp(-3.5 (|s + 0.05| - 0.05))."""
    return np.exp(-3.5 * (np.abs(slope + 0.05) - 0.05))


def street_slopes(streets: Streets, heights: Heights) -> Slope:
    """Slope factors of all streets, piece by piece before anything is averaged."""
    lines = shapely.segmentize(streets.metric, STEP_M)
    xy, street = shapely.get_coordinates(lines, return_index=True)
    to_degrees = Transformer.from_crs(streets.crs, "EPSG:4326", always_xy=True)
    lon, lat = to_degrees.transform(xy[:, 0], xy[:, 1])
    height = heights(np.asarray(lon), np.asarray(lat))
    same = street[1:] == street[:-1]
    run = np.hypot(*np.diff(xy, axis=0).T)[same]
    rise = np.diff(height)[same]
    owner = street[1:][same]
    known = np.isfinite(rise)
    slope = np.divide(rise, run, out=np.zeros_like(run), where=known & (run > 0))
    slope = np.clip(slope, -STEEPEST, STEEPEST)
    slower = (1 / tobler(slope) + 1 / tobler(-slope)) / 2
    count = len(streets.metres)
    length = np.bincount(owner, weights=run, minlength=count)
    slowed = np.bincount(owner, weights=run * slower, minlength=count)
    factor = np.divide(slowed, length, out=np.ones(count), where=length > 0)
    measured = float(run[known].sum())
    steepness = float((np.abs(slope) * run)[known].sum()) / measured if measured else 0.0
    return Slope(factor, steepness, float(run[~known].sum()) / 1000)


def raster_heights(path: Path) -> Heights:
    """Heights from the first band of a raster, interpolated between the centres of four cells.

    Raises
    ------
    InputProblems
        Without rasterio, or for a file it cannot read.
    """
    try:
        import rasterio
        from rasterio.errors import RasterioError
        from scipy.ndimage import map_coordinates
    except ImportError:
        raise InputProblems([Finding("error", "roads.no_rasterio", file=path.name)]) from None

    def heights(lon: Floats, lat: Floats) -> Floats:
        with rasterio.open(path, driver="GTiff") as raster:
            to_raster = Transformer.from_crs("EPSG:4326", raster.crs, always_xy=True)
            x, y = to_raster.transform(lon, lat)
            x, y = np.asarray(x), np.asarray(y)
            t = ~raster.transform  # places to cells; heights belong to the cells' centres
            column, row = t.a * x + t.b * y + t.c - 0.5, t.d * x + t.e * y + t.f - 0.5
            inside = (
                (row > -0.5) & (column > -0.5) & (row < raster.height - 0.5) & (column < raster.width - 0.5)
            )
            if not inside.any():
                return np.full(len(lon), np.nan)
            top, left = (max(int(v[inside].min()) - 1, 0) for v in (row, column))
            window = rasterio.windows.Window(
                left, top,
                min(int(column[inside].max()) + 3, raster.width) - left,
                min(int(row[inside].max()) + 3, raster.height) - top,
            )  # fmt: skip
            cells = raster.read(1, window=window, masked=True).astype(float).filled(np.nan)
        found = map_coordinates(cells, [row - top, column - left], order=1, mode="nearest")
        return np.where(inside, found, np.nan)

    try:
        with rasterio.open(path, driver="GTiff") as raster:
            if raster.crs is None:
                raise InputProblems([Finding("error", "roads.raster_without_crs", file=path.name)])
    except (RasterioError, OSError) as e:
        reason: dict[str, object] = {"reason": str(e).splitlines()[0][:200]}
        raise InputProblems([Finding("error", "roads.bad_raster", reason, file=path.name)]) from None
    return heights


def slope_findings(slope: Slope, file: str) -> list[Finding]:
    """How steep it is, and how much is unknown."""
    mean: dict[str, object] = {
        "percent": f"{100 * slope.steepness:.1f}",
        "factor": f"{slope.factor.mean():.2f}",
    }
    found = [Finding("note", "roads.slope_used", mean, file=file)]
    if slope.unknown_km:
        found.append(Finding("warning", "roads.no_heights", {"km": f"{slope.unknown_km:.1f}"}, file=file))
    return found
