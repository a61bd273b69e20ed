"""Layers with a geometry as tables: shapefile, GeoPackage, GeoJSON, GeoParquet.

Every layer becomes a `SourceSheet` of text cells like a spreadsheet's, with three columns of ours at the
end, ``@lon``, ``@lat`` and ``@crs``: the point in degrees and the system it is in. EPSG:4490 (the land
bureau's CGCS2000) keeps its name; every other system is converted to WGS-84, and said.
"""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from pyproj import CRS, Transformer

from geodata.arrays import Floats
from geodata.bureau.grids import cell_text
from geodata.bureau.workbooks import SourceSheet
from geodata.contract.findings import Finding, InputProblems, input_problem
from geodata.contract.tables import CRS_NAMES
from geodata.layers.drivers import driver_of, heard, layer_names, open_layer
from geodata.layers.projecting import same_system, suggested, system, within_area
from geodata.layers.shapes import OFFSET

SUFFIXES = (".shp", ".gpkg", ".geojson", ".json", ".parquet", ".fgb", ".tab", ".kml")
GEOMETRY_HEADINGS = ("@lon", "@lat", "@crs")
POINT = "@lon, @lat"


def _name_decoded(raw: bytes, encoding: str) -> str:
    """A field name; the ten bytes of a shapefile may end within a character, which is cut off."""
    for cut in range(4):
        try:
            return raw[: len(raw) - cut].decode(encoding)
        except UnicodeDecodeError:
            continue
    return raw.decode(encoding)


def _decoded(frame: gpd.GeoDataFrame, encoding: str) -> gpd.GeoDataFrame:
    """A layer read as Latin-1 in its true encoding, strictly."""

    def text(value: object) -> object:
        return value.encode("latin-1").decode(encoding) if isinstance(value, str) else value

    done = frame.copy()
    for name in frame.columns:
        if name != frame.geometry.name:
            done[name] = frame[name].map(text)
    names = {n: _name_decoded(n.encode("latin-1"), encoding) for n in frame.columns if n != "geometry"}
    return done.rename(columns=names)


def _shapefile(path: Path, label: str) -> tuple[gpd.GeoDataFrame, list[Finding]]:
    """A shapefile whatever its encoding: the .cpg if it holds, strict UTF-8, then GB18030.

    Always read as Latin-1 and decoded here: without a .cpg GDAL garbles Chinese in silence, and UTF-8
    field names cut at ten bytes it does not read at all.
    """
    frame = open_layer(path, label, encoding="ISO-8859-1")
    stated = path.with_suffix(".cpg")
    said = stated.read_text("ascii", errors="replace").strip() if stated.is_file() else ""
    for encoding in (*((said,) if said else ()), "utf-8", "gb18030"):
        try:
            done = _decoded(frame, encoding)
        except (UnicodeDecodeError, LookupError):
            continue
        found = []
        if encoding != said:
            fields: dict[str, object] = {"encoding": encoding, "said": said or "-"}
            found.append(Finding("note", "bureau.decoded", fields, file=label))
        return done, found
    raise input_problem("bureau.shapefile_encoding", label)


def read_layer(
    path: Path, layer: str | None, label: str, epsg: int | None, declared: str | None
) -> SourceSheet:
    """A file with a geometry as a sheet.

    Parameters
    ----------
    path : Path
    layer : str or None
        Needed where the file has several.
    label : str
        Name for messages.
    epsg : int or None
        System of a file that does not state its own.
    declared : str or None
        ``gcj02`` or ``bd09`` where the points carry that offset.

    Returns
    -------
    SourceSheet
        Rows numbered from 1 in the order of the file.

    Raises
    ------
    InputProblems
        Not readable, no such layer, no system, contradicting systems.
    """
    found: list[Finding] = []
    try:
        driver = driver_of(path, label)
        with heard(label) as said:
            if driver == "ESRI Shapefile":
                frame, found = _shapefile(path, label)
            else:
                frame = open_layer(path, label, None if driver == "Parquet" else _layer(path, layer, label))
        found = [*found, *said]
    except InputProblems:
        raise
    except Exception as problem:  # pyogrio, GDAL and pyarrow raise many kinds
        raise input_problem("tables.bad_layer", label, why=str(problem)[:200]) from None
    return as_sheet(frame, label, epsg, declared, found, path)


def _layer(path: Path, layer: str | None, label: str) -> str:
    names = layer_names(path, label)
    if layer is None and len(names) == 1:
        return names[0]
    if layer not in names:
        raise input_problem("bureau.no_layer", label, layer=layer or "", known=", ".join(names))
    return layer


def as_sheet(
    frame: pd.DataFrame,
    label: str,
    epsg: int | None,
    declared: str | None,
    found: list[Finding],
    path: Path | None,
) -> SourceSheet:
    """A table, with a geometry or without, as a `SourceSheet` of text cells; parameters as in `read_layer`."""
    if not isinstance(frame, gpd.GeoDataFrame):
        plain, points = frame, None
    else:
        plain = pd.DataFrame(frame.drop(columns=frame.geometry.name))
        points, notes = _degrees(frame.geometry, label, epsg, declared)
        found = found + notes
    cells = pd.DataFrame({i: plain[n].map(cell_text) for i, n in enumerate(plain.columns)}, dtype=object)
    headings = tuple(str(n) for n in plain.columns)
    if points is not None:
        for i, heading in enumerate(GEOMETRY_HEADINGS):
            cells[len(headings) + i] = points[heading].to_numpy()
        headings += GEOMETRY_HEADINGS
    cells.index = pd.RangeIndex(1, len(frame) + 1)
    return SourceSheet(label, headings, cells, tuple(found), path)


def _degrees(
    shapes: gpd.GeoSeries, label: str, epsg: int | None, declared: str | None
) -> tuple[pd.DataFrame, list[Finding]]:
    """Points in degrees and the name of their system; empty cells where there is no geometry."""
    crs, found = _system(shapes.crs, label, epsg, declared)
    shapes = shapes.set_crs(crs, allow_override=True)
    missing = np.array([s is None or s.is_empty for s in shapes], dtype=np.bool_)
    flat, notes = _one_point_each(shapes.to_numpy(), missing, label)
    found += notes
    name = declared or ("cgcs2000" if crs.to_epsg() == 4490 else "wgs84")
    x, y = np.full(len(flat), np.nan), np.full(len(flat), np.nan)
    x[~missing], y[~missing] = shapely.get_x(flat[~missing]), shapely.get_y(flat[~missing])
    lon, lat = x.copy(), y.copy()
    if crs.to_epsg() not in (4326, 4490) and declared not in OFFSET:
        lon[~missing], lat[~missing] = Transformer.from_crs(crs, 4326, always_xy=True).transform(
            x[~missing], y[~missing]
        )
        fields: dict[str, object] = {"count": int((~missing).sum()), "crs": crs.name}
        found.append(Finding("note", "bureau.reprojected", fields, file=label))
        outside = ~missing & ~within_area(crs, lon, lat)
        if outside.any():
            found.append(_outside(crs, label, x, y, outside))
            missing |= outside
    lon[missing], lat[missing] = np.nan, np.nan
    cells = pd.DataFrame(
        {
            "@lon": [cell_text(float(v)) for v in lon], "@lat": [cell_text(float(v)) for v in lat],
            "@crs": np.where(missing, "", name),
        },
        dtype=object,
    )  # fmt: skip
    return cells, found


def _one_point_each(
    shapes: npt.NDArray[np.object_], missing: npt.NDArray[np.bool_], label: str
) -> tuple[npt.NDArray[np.object_], list[Finding]]:
    """A point for every shape that is there; of a multipoint of one its only one, of others one inside."""
    flat = np.full(len(shapes), None, dtype=object)
    there = np.flatnonzero(~missing)
    single = shapely.get_num_geometries(shapes[there]) == 1
    flat[there] = np.where(single, shapely.get_geometry(shapes[there], 0), shapes[there])
    area = there[shapely.get_type_id(flat[there]) != 0]
    if not len(area):
        return flat, []
    flat[area] = shapely.point_on_surface(flat[area])
    return flat, [
        Finding("note", "bureau.inner_point", {"count": len(area)}, file=label, row=int(area[0]) + 1)
    ]


def _outside(crs: CRS, label: str, x: Floats, y: Floats, where: npt.NDArray[np.bool_]) -> Finding:
    """One error for all points outside the area of their system, with the system that they may be in."""
    first = int(np.flatnonzero(where)[0])
    value = f"{x[first]:.10g}, {y[first]:.10g}"
    named = f"EPSG:{crs.to_epsg()}" if crs.to_epsg() else crs.name
    fields: dict[str, object] = {"crs": named, "system": crs.name, "count": int(where.sum())}
    other = suggested(crs, x[where], y[where])
    key = "tables.outside_system_try" if other else "tables.outside_system"
    if other:
        fields["other"] = other
    return Finding("error", key, fields, file=label, row=first + 1, column=POINT, value=value)


def _system(own: CRS | None, label: str, epsg: int | None, declared: str | None) -> tuple[CRS, list[Finding]]:
    """The system of a layer: its own, else the declared one; never a guess, never two."""
    stated = None if epsg is None else system(f"EPSG:{epsg}")
    if epsg is not None and stated is None:
        choices = ", ".join(CRS_NAMES)
        raise InputProblems([Finding("error", "tables.not_a_system", {"choices": choices}, file=label, value=f"EPSG:{epsg}")])  # fmt: skip
    if own is not None and stated is not None and not same_system(own, stated):
        raise input_problem("bureau.two_systems", label, own=own.name, epsg=epsg)
    crs = own or stated
    if crs is None and declared is not None:
        crs = CRS.from_epsg(4490 if declared == "cgcs2000" else 4326)
    if crs is None:
        raise input_problem("bureau.no_system", label)
    if declared in OFFSET and not crs.is_geographic:
        raise input_problem("bureau.offset_projected", label, crs=crs.name, declared=declared)
    if declared in ("wgs84", "cgcs2000") and not crs.is_geographic:
        return crs, []  # plane coordinates of that system; converted and said by the caller
    found = []
    if own is not None and declared in OFFSET:
        found.append(
            Finding("note", "bureau.offset_kept", {"crs": own.name, "declared": declared}, file=label)
        )
    return crs, found


__all__ = ["GEOMETRY_HEADINGS", "SUFFIXES", "as_sheet", "read_layer"]
