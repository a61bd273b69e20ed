"""Catchments: zones joined by the school that their pupils attend, band by band."""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geodata.areas.tessellation import (
    MIN_AREA_M2,
    MIN_WIDTH_M,
    borders,
    both_ways,
    merged_shapes,
    without_slivers,
)
from geodata.areas.zones import Zones
from geodata.arrays import Ints
from geodata.contract.findings import Finding


@dataclass(frozen=True)
class Catchments:
    """Catchments of one band.

    Parameters
    ----------
    areas : GeoDataFrame
        ``school_id, villages`` (count), ``pupils, pieces, geometry`` in metres, in order of the id.
        Together they are exactly the zones, without overlaps.
    band : str
    findings : tuple of Finding
        Zones split between schools, zones without pupils, slivers that changed hands.
    """

    areas: gpd.GeoDataFrame
    band: str
    findings: tuple[Finding, ...] = ()


def catchments(
    zones: Zones, attendance: pd.DataFrame, band: str,
    min_area: float = MIN_AREA_M2, min_width: float = MIN_WIDTH_M,
) -> Catchments:  # fmt: skip
    """Dissolve zones by the school of a band.

    A zone goes to the school that most of its pupils attend. One without pupils in the band goes with
    the neighbour it shares most border with, so that every place has a school.

    Parameters
    ----------
    zones : Zones
    attendance : DataFrame
        ``village_id, school_id, band, pupils``: today's, or a plan's.
    band : str
    min_area, min_width : float
        Square metres, metres: smaller detached pieces without a village of the school go to the
        neighbour with the longest shared border.

    Returns
    -------
    Catchments
        Empty when nobody attends the band.
    """
    shapes = np.asarray(zones.areas.geometry.values, dtype=object)
    rows = attendance[(attendance["band"] == band) & (attendance["pupils"] > 0)]
    rows = rows[rows["village_id"].isin(zones.areas["village_id"])]
    sums = rows.groupby(["village_id", "school_id"], as_index=False)["pupils"].sum()
    schools = np.array(sorted(sums["school_id"].unique()), dtype=object)
    chosen, found = _most_attended(zones, sums, schools, band)
    if not len(schools):
        empty = gpd.GeoDataFrame(
            {"school_id": [], "villages": [], "pupils": [], "pieces": []}, geometry=[], crs=zones.areas.crs
        )
        return Catchments(empty, band, tuple(found))
    chosen, lent = _with_neighbours(shapes, chosen)
    if lent:
        found.append(Finding("note", "zones.no_pupils", {"count": lent, "band": band}))
    areas, moved = without_slivers(
        merged_shapes(shapes, chosen, len(schools)), zones.villages, chosen, min_area, min_width
    )
    if moved:
        found.append(Finding("note", "zones.catchment_slivers", {"count": moved, "band": band}))
    pupils = sums.groupby("school_id")["pupils"].sum().reindex(schools)
    table = {
        "school_id": schools,
        "villages": np.bincount(chosen, minlength=len(schools)),
        "pupils": pupils.to_numpy(dtype=np.int64),
        "pieces": shapely.get_num_geometries(areas),
    }
    there = ~shapely.is_empty(areas)
    done = gpd.GeoDataFrame(table, geometry=areas, crs=zones.areas.crs)[there].reset_index(drop=True)
    return Catchments(done, band, tuple(found))


def _most_attended(
    zones: Zones, sums: pd.DataFrame, schools: np.ndarray[tuple[int], np.dtype[np.object_]], band: str
) -> tuple[Ints, list[Finding]]:
    """School number of each zone, -1 without pupils; schools that are nobody's first are named."""
    order = sums.sort_values(
        ["village_id", "pupils", "school_id"], ascending=[True, False, True], kind="stable"
    )
    first = order.drop_duplicates("village_id").set_index("village_id")["school_id"]
    number = pd.Index(schools).get_indexer(zones.areas["village_id"].map(first)).astype(np.int64)
    split = int((sums["village_id"].value_counts() > 1).sum())
    found = [Finding("note", "zones.split", {"count": split, "band": band})] if split else []
    nobody = sorted(set(schools) - set(first))
    return number, found + [Finding("note", "zones.no_ground", {"band": band}, value=s) for s in nobody]


def _with_neighbours(shapes: np.ndarray[tuple[int], np.dtype[np.object_]], chosen: Ints) -> tuple[Ints, int]:
    """Zones without a school join that of the neighbours with most shared border, from the edges inwards.

    One that has no such neighbour, on an island, joins the school of the nearest zone.
    """
    if (chosen >= 0).all():
        return chosen, 0
    chosen, lent = chosen.copy(), int((chosen < 0).sum())
    ways = both_ways(borders(shapes))
    while (chosen < 0).any():
        near = ways[(chosen[ways["left"]] < 0) & (chosen[ways["right"]] >= 0)]
        if near.empty:
            free, has = np.flatnonzero(chosen < 0), np.flatnonzero(chosen >= 0)
            _, other = shapely.STRtree(shapes[has]).query_nearest(shapes[free], all_matches=False)
            chosen[free] = chosen[has[other]]
            break
        sums = near.assign(to=chosen[near["right"]]).groupby(["left", "to"], as_index=False)["metres"].sum()
        best = sums.sort_values(["metres", "to"], ascending=[False, True], kind="stable").drop_duplicates(
            "left"
        )
        chosen[best["left"]] = best["to"]
    return chosen, lent
