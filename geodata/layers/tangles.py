"""How much a shape crosses itself, reckoned before anything tries to mend it.

Mending (`shapely.make_valid`) cuts a shape at every crossing: a shape of a hundred thousand teeth, or of thousands of
parts upon each other, takes hours and all memory, and cannot be stopped. Crossings are therefore counted first, on a
sample of segments where there are many.
"""

from __future__ import annotations

import numpy as np
import shapely

from geodata.arrays import Floats, Shapes

MOST_CROSSINGS = 2_000
"""A shape that crosses itself more often is not mended: two seconds of work at worst, ten at three times as many (GEOS 3.14)."""
MOST_OF_A_LAYER = 20_000
"""Of all its shapes together."""
SAMPLE = 2_000
PAIRS = 2_000_000
"""Candidate pairs that are looked at in one go, about 50 MB."""


def _segments(shape: shapely.Geometry) -> Floats:
    """Ends of all segments of a shape that have a length, shape (S, 2, 2)."""
    parts = shapely.get_parts(shapely.get_parts(shape))
    flat = shapely.get_dimensions(parts) == 2
    rings = [*shapely.get_rings(parts[flat]), *parts[~flat]]
    points, ring = shapely.get_coordinates(rings, return_index=True)
    same = ring[1:] == ring[:-1]
    ends = np.stack([points[:-1], points[1:]], axis=1)[same]
    return np.asarray(ends[(ends[:, 0] != ends[:, 1]).any(axis=1)])


def crossings(shape: shapely.Geometry) -> float:
    """About how many pairs of segments of a shape meet that are no neighbours.

    Parameters
    ----------
    shape : shapely geometry
        Lines or polygons, finite.

    Returns
    -------
    float
        Exact for up to 2,000 segments; else reckoned from so many of them, drawn with a fixed seed.
    """
    lines = shapely.linestrings(_segments(shape))
    if len(lines) < 3:
        return 0.0
    tree = shapely.STRtree(lines)
    sample = np.random.default_rng(0).permutation(len(lines))[:SAMPLE]
    met, most = 0.0, (MOST_CROSSINGS * 2 * len(sample)) / len(lines) + 3 * len(sample)
    step = max(1, PAIRS // len(lines))
    for first in range(0, len(sample), step):
        met += tree.query(lines[sample[first : first + step]], predicate="intersects").shape[1]
        if met > 2 * most:
            break  # far too many, whatever else comes
    return max(0.0, met - 3 * len(sample)) * len(lines) / len(sample) / 2


def tangled(shapes: Shapes) -> list[int]:
    """Positions of the shapes of a layer that cross themselves too often to be mended, alone or all together."""
    met = np.array([crossings(shape) for shape in shapes])
    return np.flatnonzero((met > MOST_CROSSINGS) | (np.cumsum(met) > MOST_OF_A_LAYER)).tolist()
