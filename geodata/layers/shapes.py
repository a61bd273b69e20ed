"""Are the shapes of a layer what their use needs? System, kind, emptiness, validity, names: said by `check`.

What can be mended without a guess is mended and said (invalid polygons, heights, rows without a shape);
what cannot is an error before anything is computed or drawn.
"""

from __future__ import annotations

from collections.abc import Collection

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from geodata.contract.cells import bare, header_word
from geodata.contract.findings import Finding, InputProblems, Severity, input_problem
from geodata.layers.coordinates import to_wgs84
from geodata.layers.projecting import same_system, system
from geodata.layers.tangles import MOST_CROSSINGS, tangled
from geodata.roads.extracts import Box

LINES, POLYGONS = {1, 2, 5}, {3, 6}
KINDS = {"townships": POLYGONS, "zones": POLYGONS, "areas": POLYGONS, "waters": LINES | POLYGONS}
"""Geometry types (numbers of shapely) that a layer may hold."""
OFFSET = ("gcj02", "bd09")
NAMES = ("township", "乡镇", "乡镇名称")
NAMED = 5


def checked(
    frame: pd.DataFrame, table: str, file: str, declared: str = "", box: Box | None = None
) -> tuple[gpd.GeoDataFrame, list[Finding]]:
    """A layer in EPSG:4326 with shapes that can be used, and what was said or done about them.

    Parameters
    ----------
    frame : GeoDataFrame
        As read; anything without geometry is refused.
    table : {"townships", "zones", "areas", "waters"}
    file : str
        Name for messages.
    declared : str
        System that county.toml states under ``[crs]`` for a layer without its own, or the offset
        (``gcj02``, ``bd09``) of its points.
    box : Box or None
        Where the county lies.

    Raises
    ------
    InputProblems
        No geometry, no system, two systems, nothing but empty shapes, another kind of shape, coordinates
        that are no degrees.
    """
    if not isinstance(frame, gpd.GeoDataFrame):
        raise input_problem("tables.layer_no_geometry", file)
    layer, found = _in_degrees(frame, file, declared)
    shapes = np.asarray(layer.geometry.values, dtype=object)
    missing = np.array([s is None or s.is_empty for s in shapes], dtype=np.bool_)
    if missing.all():
        raise input_problem("tables.layer_empty", file, count=len(shapes))
    found += _rows("warning", "tables.layer_missing", file, missing)
    layer, shapes, number = layer[~missing], shapes[~missing], np.flatnonzero(~missing) + 1
    wrong = ~np.isin(shapely.get_type_id(shapes), list(KINDS[table]))
    if wrong.any():
        kinds = ", ".join(sorted({s.geom_type for s in shapes[wrong]}))
        severity: Severity = "warning" if table == "waters" and not wrong.all() else "error"
        fields: dict[str, object] = {"count": int(wrong.sum()), "all": len(wrong), "kinds": kinds}
        key = "tables.layer_lines_needed" if table == "waters" else "tables.layer_polygons_needed"
        problem = Finding(severity, key, fields, file, table, int(number[wrong][0]))
        if severity == "error":
            raise InputProblems([*found, problem])
        found.append(problem)
        layer, shapes, number = layer[~wrong], shapes[~wrong], number[~wrong]
    shapes = shapely.force_2d(shapes)
    west, south, east, north = shapely.total_bounds(shapes)
    if not (np.isfinite([west, south, east, north]).all() and abs(south) <= 90 and abs(north) <= 90 and max(abs(west), abs(east)) <= 360):  # fmt: skip
        raise input_problem("tables.layer_swapped" if _swapped(shapes, box) else "tables.layer_outside", file)
    if box is not None and not box.meets(west, south, east, north):
        key = "tables.layer_swapped" if _swapped(shapes, box) else "tables.layer_elsewhere"
        found.append(Finding("warning", key, {}, file, table))
    bad = ~shapely.is_valid(shapes)
    if bad.any():
        found += _rows("warning", "tables.layer_invalid", file, bad, number)
        beyond = np.flatnonzero(bad)[tangled(shapes[bad])]
        if len(beyond):
            at = int(number[beyond[0]])
            fields = {"count": len(beyond), "most": f"{MOST_CROSSINGS:,}"}
            raise InputProblems([*found, Finding("error", "tables.layer_tangled", fields, file, table, at)])
        if table != "zones":  # zones are mended together, so that neighbours still share their borders
            shapes = np.where(bad, _mended(shapes, KINDS[table]), shapes)
    return layer.set_geometry(gpd.GeoSeries(shapes, index=layer.index, crs="EPSG:4326")), found


def _swapped(shapes: npt.NDArray[np.object_], box: Box | None) -> bool:
    """Whether the shapes lie in the county once latitude and longitude are exchanged."""
    west, south, east, north = shapely.total_bounds(shapes)
    return box is not None and box.meets(south, west, north, east)


def _rows(
    severity: Severity, key: str, file: str, where: npt.NDArray[np.bool_], number: npt.NDArray[np.int64] | None = None
) -> list[Finding]:  # fmt: skip
    """One finding for all rows of a kind, at the first of them."""
    if not where.any():
        return []
    first = int(np.flatnonzero(where)[0])
    row = first + 1 if number is None else int(number[first])
    return [Finding(severity, key, {"count": int(where.sum())}, file=file, row=row)]


def _in_degrees(frame: gpd.GeoDataFrame, file: str, declared: str) -> tuple[gpd.GeoDataFrame, list[Finding]]:
    """The layer in EPSG:4326: by its own system, else by the one that county.toml states."""
    layer, found = frame, []
    stated = system(declared) if declared else None
    if layer.crs is None:
        if stated is None and not declared:
            raise input_problem("tables.layer_no_system", file)
        layer = layer.set_crs(stated if stated is not None else "EPSG:4326")
        fields: dict[str, object] = {"count": len(layer), "crs": declared}
        found.append(Finding("note", "tables.crs_of_file", fields, file))
    elif stated is not None and not same_system(layer.crs, stated):
        raise input_problem("bureau.two_systems", file, own=layer.crs.name, epsg=declared)
    try:
        layer = layer.to_crs("EPSG:4326")
    except Exception as problem:  # pyproj raises many kinds, and some layers state systems that do not exist
        raise input_problem("tables.bad_layer", file, why=str(problem)[:200]) from None
    if declared in OFFSET:

        def back(points: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
            return np.column_stack(to_wgs84(points[:, 0], points[:, 1], declared))

        shapes = shapely.transform(shapely.force_2d(np.asarray(layer.geometry.values, dtype=object)), back)
        layer = layer.set_geometry(gpd.GeoSeries(shapes, index=layer.index, crs="EPSG:4326"))
        found.append(Finding("note", "tables.converted", {"count": len(layer), "crs": declared}, file))
    return layer, found


def _mended(shapes: npt.NDArray[np.object_], kinds: set[int]) -> npt.NDArray[np.object_]:
    """Valid shapes of the same dimension; what only touches itself falls away."""
    done = np.empty(len(shapes), dtype=object)
    for i, shape in enumerate(shapely.make_valid(shapes)):
        parts = [p for p in shapely.get_parts(shapely.get_parts(shape)) if shapely.get_type_id(p) in kinds]
        done[i] = shapely.union_all(parts) if parts else shape
    return done


def named_townships(
    layer: gpd.GeoDataFrame, file: str, known: Collection[str]
) -> tuple[gpd.GeoDataFrame, list[Finding]]:
    """Townships with a column ``township``, and the names that are empty or not those of the tables.

    Parameters
    ----------
    layer : GeoDataFrame
        As `checked` gives it.
    file : str
    known : collection of str
        Townships of the tables; empty where they could not be read.
    """
    column = next((c for c in layer.columns if header_word(c) in NAMES), None)
    if column is None:
        have = ", ".join(str(c) for c in layer.columns if c != layer.geometry.name)
        found = [Finding("warning", "tables.layer_no_names", {"have": have or "-"}, file, "townships")]
        return layer.assign(township=""), found
    names = layer[column].map(lambda v: "" if v is None or pd.isna(v) else bare(v))
    layer = layer.drop(columns=column).assign(township=names)
    unnamed = (names == "").to_numpy()
    found = _rows("warning", "tables.layer_unnamed", file, unnamed, layer.index.to_numpy() + 1)
    if known:
        for key, odd in (
            ("tables.layer_unknown_names", sorted(set(names) - set(known) - {""})),
            ("tables.layer_names_missing", sorted(set(known) - set(names))),
        ):
            if odd:
                shown = ", ".join(odd[:NAMED]) + (" ..." if len(odd) > NAMED else "")
                found.append(Finding("warning", key, {"count": len(odd), "names": shown}, file, "townships"))
    return layer, found
