"""Points declared in an EPSG system, per row or per file: to WGS-84 degrees before a table is validated.

Range checks speak of degrees, so plane coordinates (easting in ``lon``, northing in ``lat``) are converted
while the cells are still text. What cannot be converted is an error at its cell; nothing is guessed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from pyproj import CRS, Transformer
from pyproj.exceptions import CRSError

from geodata.arrays import Flags, Floats
from geodata.contract.cells import bare, header_word
from geodata.contract.findings import Finding
from geodata.contract.tables import CRS_NAMES, POINT_TABLES, TABLES
from geodata.contract.validation.headers import Raw
from geodata.contract.validation.values import coerce

EPSG = re.compile(r"epsg\s*:?\s*([0-9]{4,6})", re.IGNORECASE)
EXACT = (4326, 4490)
"""Datums that are WGS-84 for our purposes (CGCS2000: centimetres apart, sources.md 3.2)."""
MARGIN = 3.0
"""Degrees by which a point may leave the area a system is made for; zones are used beyond their edge."""


@dataclass(frozen=True)
class InDegrees:
    """Tables with their points in degrees.

    Parameters
    ----------
    raws : dict of str to Raw
    findings : tuple of Finding
        Points that could not be converted hold stand-ins; an error names the row.
    """

    raws: dict[str, Raw]
    findings: tuple[Finding, ...]


def in_degrees(raws: Mapping[str, Raw], declared: Mapping[str, str]) -> InDegrees:
    """Fill in the system that county.toml declares for a file, and convert EPSG points to WGS-84.

    Parameters
    ----------
    raws : mapping of str to Raw
        Tables as found; only `POINT_TABLES` change.
    declared : mapping of str to str
        System by table, for rows whose own ``crs`` cell is empty.

    Returns
    -------
    InDegrees
    """
    done, found = dict(raws), declared_badly(declared)
    for name in POINT_TABLES:
        if name in done:
            done[name], more = _table(name, done[name], declared.get(name, ""))
            found += more
    return InDegrees(done, tuple(found))


def declared_badly(declared: Mapping[str, str]) -> list[Finding]:
    """Systems in county.toml that are not known."""
    return [
        Finding(
            "error", "tables.not_a_system", {"choices": ", ".join(CRS_NAMES)}, file="county.toml",
            column=f"crs.{table}", value=crs,
        )
        for table, crs in declared.items()
        if crs not in CRS_NAMES and system(crs) is None
    ]  # fmt: skip


def system(text: str) -> CRS | None:
    """The EPSG system that a text names; None when it names none."""
    number = EPSG.fullmatch(bare(text))
    if number is None:
        return None
    try:
        crs = CRS.from_epsg(int(number[1]))
    except CRSError:
        return None
    return crs if crs.is_geographic or crs.is_projected else None


def same_system(one: CRS, other: CRS) -> bool:
    """Whether two systems mean the same coordinates, however they are called or written."""
    if one.equals(other, ignore_axis_order=True) or (one.to_epsg() or -1) == other.to_epsg():
        return True
    return one.is_projected == other.is_projected and _by_definition(one) == _by_definition(other)


def _by_definition(crs: CRS) -> tuple[object, ...]:
    """Method, parameters, ellipsoid and datum of a projected system; names of parameters differ by program."""
    known = crs.to_json_dict()
    base, conversion = known.get("base_crs", known), known.get("conversion", {})
    values = {_key(p["name"]): round(float(p["value"]), 9) for p in conversion.get("parameters", [])}
    datum = base.get("datum") or base.get("datum_ensemble") or {}
    size = datum.get("ellipsoid", {})
    shape = (
        round(_metres(size.get("semi_major_axis")), 3),
        round(float(size.get("inverse_flattening") or 0), 6),
    )
    method = _key(conversion.get("method", {}).get("name", ""))
    return method, tuple(sorted(values.items())), shape, _key(str(datum.get("name", "")))


def _metres(value: object) -> float:
    return float(value["value"]) if isinstance(value, dict) else float(value or 0)  # type: ignore[arg-type]


def _key(name: str) -> str:
    """A name of a parameter or datum without blanks, marks and the leading D that ESRI writes."""
    return re.sub(r"[\W_]+", "", name).lower().removeprefix("d")


def suggested(crs: CRS, x: Floats, y: Floats) -> str:
    """The system that plane coordinates outside another one's area are probably in, as EPSG:4527; or nothing.

    Chinese eastings may carry the number of their zone (39 636 402): the systems with and without it differ
    by their false easting alone and are taken for each other.
    """
    for first, count, zone, offset in ZONED:
        for number in range(count):
            for epsg, prefix in ((first + number, zone + number), (offset + number, 0)):
                other = system(f"EPSG:{epsg}")
                if other is None or other == crs or not _same_datum(crs, other):
                    continue
                fits = (x // 1e6 == prefix).all() and (prefix or _same_meridian(crs, other))
                if fits and _inside(other, *_turned(other, x, y), margin=0.5).all():
                    return f"EPSG:{epsg}"
    return ""


ZONED = ((4513, 21, 25, 4534), (4491, 11, 13, 4502), (2349, 21, 25, 2370), (2401, 21, 25, 2422))
"""First EPSG with the zone in the easting, how many, the first zone, first EPSG without it: CGCS2000 in 3 and
6 degrees, Xian 1980 and Beijing 1954 in 3 degrees."""


def _same_datum(one: CRS, other: CRS) -> bool:
    bases = one.geodetic_crs, other.geodetic_crs
    return bases[0] is not None and bases[1] is not None and bases[0].to_epsg() == bases[1].to_epsg()


def _same_meridian(one: CRS, other: CRS) -> bool:
    def meridian(crs: CRS) -> float:
        parameters = crs.coordinate_operation.params if crs.coordinate_operation else []
        return next((float(p.value) for p in parameters if "ongitude of natural" in p.name), np.nan)

    return meridian(one) == meridian(other)


def _turned(crs: CRS, x: Floats, y: Floats) -> tuple[Floats, Floats]:
    east, north = Transformer.from_crs(crs, 4326, always_xy=True).transform(x, y)
    return np.asarray(east, dtype=np.float64), np.asarray(north, dtype=np.float64)


def _headers(name: str, raw: Raw) -> dict[str, str] | None:
    """Headers of lon, lat and crs as written; None where validation will refuse the columns anyway."""
    found = {}
    for column in ("lon", "lat", "crs"):
        zh = TABLES[name].column(column).zh
        same = [h for h in raw.frame.columns if header_word(h) in (column, header_word(zh))]
        if len(same) > 1 or (not same and column != "crs"):
            return None
        found[column] = str(same[0]) if same else "crs"
    return found


def _table(name: str, raw: Raw, declared: str) -> tuple[Raw, list[Finding]]:
    heads = _headers(name, raw)
    if heads is None:
        return raw, []
    frame, found = raw.frame.copy(), []
    if declared in CRS_NAMES or system(declared) is not None:
        own = frame[heads["crs"]] if heads["crs"] in frame else pd.Series("", index=frame.index)
        blank = own.fillna("").map(bare) == ""
        frame[heads["crs"]] = own.where(~blank, declared)
        if blank.any():
            fields: dict[str, object] = {"count": int(blank.sum()), "crs": declared}
            found.append(Finding("note", "tables.crs_of_file", fields, raw.file, name))
    if heads["crs"] not in frame:
        return raw, found
    frame = frame.astype(object)
    given = frame[heads["crs"]].fillna("").map(bare)
    for crs_text, rows in frame[given.str.lower().str.startswith("epsg")].groupby(given):
        more, lon, lat = _converted(name, raw, heads, rows, str(crs_text))
        found += more
        frame.loc[rows.index, heads["crs"]] = "wgs84"
        frame.loc[rows.index, heads["lon"]], frame.loc[rows.index, heads["lat"]] = lon, lat
    return replace(raw, frame=frame), found


def _converted(
    name: str, raw: Raw, heads: dict[str, str], rows: pd.DataFrame, text: str
) -> tuple[list[Finding], pd.Series, pd.Series]:
    """Findings and the cells of the rows of one system, in degrees; ``0`` stands for what failed."""
    cells = {c: rows[heads[c]] for c in ("lon", "lat")}
    values = {c: coerce(TABLES[name].column(c), cells[c]) for c in cells}
    readable = {c: ~wrong & value.notna() for c, (value, wrong) in values.items()}
    whole = readable["lon"] & readable["lat"]
    lon, lat = (cells[c].where(~readable[c], "0") for c in ("lon", "lat"))  # unreadable ones stay to be named
    crs = system(text)
    if crs is None:
        fields: dict[str, object] = {"choices": ", ".join(CRS_NAMES)}
        places = [(raw.file, name, int(i) + raw.first_row, heads["crs"], text) for i in rows.index]
        return [Finding("error", "tables.not_a_system", fields, *place) for place in places], lon, lat
    x, y = (values[c][0][whole].to_numpy(float) for c in ("lon", "lat"))
    east, north = Transformer.from_crs(crs, 4326, always_xy=True).transform(x, y)
    inside = _inside(crs, east, north)
    found = []
    if (~inside).any():
        turned = _inside(crs, *Transformer.from_crs(crs, 4326, always_xy=True).transform(y, x))
        column = f"{heads['lon']}, {heads['lat']}"
        for k in np.flatnonzero(~inside):
            index = rows.index[whole.to_numpy()][k]
            value = f"{cells['lon'][index]}, {cells['lat'][index]}"
            key = "tables.swapped" if turned[k] else "tables.outside_system"
            fields = {"crs": text, "system": crs.name}
            other = "" if turned[k] else suggested(crs, x[k : k + 1], y[k : k + 1])
            if other:
                key, fields = "tables.outside_system_try", {**fields, "other": other}
            found.append(
                Finding("error", key, fields, raw.file, name, int(index) + raw.first_row, column, value)
            )
    lon[whole] = [repr(float(v)) if ok else "0" for v, ok in zip(east, inside, strict=True)]
    lat[whole] = [repr(float(v)) if ok else "0" for v, ok in zip(north, inside, strict=True)]
    return [*found, *_said(crs, text, raw.file, name, int(inside.sum()))], lon, lat


def within_area(crs: CRS, lon: Floats, lat: Floats) -> Flags:
    """Where points in degrees lie in or near the area that a system is made for."""
    return _inside(crs, lon, lat)


def _inside(crs: CRS, lon: Floats, lat: Floats, margin: float = MARGIN) -> Flags:
    """Where a point in degrees lies in or near the area that the system is made for."""
    good: Flags = np.isfinite(lon) & np.isfinite(lat)
    area = crs.area_of_use
    if area is None:
        return good
    west, east = area.west - margin, area.east + margin + (360 if area.east < area.west else 0)
    round_it = np.where(lon < west, lon + 360, lon)  # areas and points on both sides of 180 degrees
    good &= (
        (round_it >= west) & (round_it <= east) & (lat >= area.south - margin) & (lat <= area.north + margin)
    )
    return good


def _said(crs: CRS, text: str, file: str, table: str, count: int) -> list[Finding]:
    """What was converted; a warning where the datum is another, because PROJ may be metres off."""
    if not count:
        return []
    fields: dict[str, object] = {"count": count, "crs": f"{text} ({crs.name})"}
    found = [Finding("note", "tables.converted", fields, file, table)]
    base = crs.geodetic_crs
    if base is None or base.to_epsg() not in EXACT:
        found.append(Finding("warning", "tables.other_datum", {"crs": text, "system": crs.name}, file, table))
    return found
