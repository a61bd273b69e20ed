"""Rows of a national list that are the county's: by the words of a column, by a boundary, by the ids it has."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import shapely
from pyproj import Transformer

from geodata.arrays import Flags, Floats
from geodata.bureau.conversion import Piece, located
from geodata.bureau.mapping import Source
from geodata.bureau.workbooks import SourceSheet, decimal, nearest_headings
from geodata.contract.cells import bare
from geodata.contract.findings import Finding, InputProblems, errors
from geodata.layers.coordinates import to_wgs84
from geodata.layers.drivers import heard, open_layer
from geodata.layers.projecting import system
from geodata.layers.shapes import checked

NEAR_WORDS = 12


def filtered(source: Source, sheet: SourceSheet) -> tuple[SourceSheet, list[Finding]]:
    """A sheet with the rows that ``keep`` and ``leave`` let through.

    Returns
    -------
    sheet : SourceSheet
    findings : list of Finding
        How many rows were left out; a heading that is missing and a filter that leaves nothing are errors,
        a word that no row has is a warning.
    """
    frame, found = sheet.frame, []
    for wanted, rules in ((True, source.keep), (False, source.leave)):
        for heading, words in rules.items():
            at, problems = located(heading, sheet, "keep" if wanted else "leave")
            found += problems
            if at is None:
                continue
            cells = sheet.frame[at].map(_word)
            asked = {_word(str(w).lower() if isinstance(w, bool) else w): str(w) for w in words}
            for word in asked.keys() - set(cells):
                near = nearest_headings(word, tuple(sorted(set(cells)))[:2000])
                fields: dict[str, object] = {"near": near[:300]}
                place: dict[str, Any] = {"file": sheet.label, "column": sheet.headings[at]}
                found.append(Finding("warning", "bureau.filter_word", fields, value=asked[word], **place))
            frame = frame[cells.reindex(frame.index).isin(list(asked)) == wanted]
    gone = len(sheet.frame) - len(frame)
    if gone and not errors(found):
        if frame.empty:
            found.append(Finding("error", "bureau.filter_empty", {"count": gone}, file=sheet.label))
        else:
            fields = {"count": gone, "kept": len(frame)}
            found.append(Finding("note", "bureau.filtered", fields, file=sheet.label))
    rows = set(frame.index)
    kept = tuple(
        f
        for f in sheet.findings
        if f.row is None or f.row in rows or f.row not in sheet.frame.index or f.key == "tables.not_a_table"
    )  # of a row whose cells have moved it is not known that it belongs elsewhere
    if gone:  # a grand total is that of the whole list
        kept = tuple(f for f in kept if f.key != "bureau.total_differs")
    return replace(sheet, frame=frame, findings=kept), found


def _word(cell: object) -> str:
    """What makes two words of a filter the same; 3.0 is 3."""
    text = bare(cell)
    value = decimal(text)
    return text if value is None else f"{value.normalize():f}"


def county_area(folder: Path, name: str) -> tuple[Any, list[Finding]]:
    """The area that a source is cut by, as one shape in degrees.

    Raises
    ------
    InputProblems
        No such file, no areas in it.
    """
    path = folder / name
    if not path.is_file():
        raise InputProblems([Finding("error", "tables.no_file", file=name)])
    with heard(name) as said:
        layer, found = checked(open_layer(path, name), "zones", name)
    found = [*said, *found]
    shapes = shapely.make_valid(np.asarray(layer.geometry.values, dtype=object))
    return shapely.union_all(shapes), found


def cut(piece: Piece, area: Any) -> tuple[Piece, list[Finding]]:
    """The rows of a piece whose point lies in an area; rows without a point that can be read stay, to be reported."""
    if not {"lon", "lat"} <= set(piece.frame):
        return piece, [Finding("error", "bureau.within_points", file=piece.label, table=piece.table)]
    lon, lat = _degrees(piece.frame)
    known = np.isfinite(lon) & np.isfinite(lat)
    inside: Flags = ~known
    shapely.prepare(area)
    inside[known] = shapely.intersects_xy(area, lon[known], lat[known])
    fields: dict[str, object] = {"count": int((~inside).sum()), "kept": int(inside.sum())}
    if not (inside & known).any():
        return piece, [Finding("error", "bureau.cut_empty", fields, piece.label, piece.table)]
    if inside.all():
        return piece, []
    return only(piece, inside), [Finding("note", "bureau.cut", fields, piece.label, piece.table)]


def only(piece: Piece, rows: Flags) -> Piece:
    """Some rows of a piece."""
    return replace(
        piece, frame=piece.frame[rows].reset_index(drop=True), rows=piece.rows[rows],
        original=piece.original[rows].reset_index(drop=True) if len(piece.original.columns) else piece.original,
    )  # fmt: skip


def _degrees(frame: pd.DataFrame) -> tuple[Floats, Floats]:
    """Points of rows in WGS-84 degrees; not a number where a cell or its system cannot be read."""
    x, y = (
        np.array(
            [np.nan if (v := decimal(bare(t))) is None else float(v) for t in frame[c]], dtype=np.float64
        )
        for c in ("lon", "lat")
    )
    stated = frame["crs"] if "crs" in frame else pd.Series("", index=frame.index)
    lon, lat = np.full(len(x), np.nan), np.full(len(x), np.nan)
    for text, rows in stated.map(bare).groupby(stated.map(bare)):
        at = rows.index.to_numpy()
        crs = system(str(text))
        if crs is not None and not crs.is_geographic:
            lon[at], lat[at] = Transformer.from_crs(crs, 4326, always_xy=True).transform(x[at], y[at])
        elif str(text).lower() in ("gcj02", "bd09"):
            lon[at], lat[at] = to_wgs84(x[at], y[at], str(text).lower())
        else:
            lon[at], lat[at] = x[at], y[at]
    wrong = ~(np.isfinite(lon) & np.isfinite(lat)) | (np.abs(lon) > 180) | (np.abs(lat) > 90)
    lon[wrong], lat[wrong] = np.nan, np.nan
    return lon, lat
