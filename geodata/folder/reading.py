"""Reading a county: a folder with county.toml, tables as CSV or one workbook, roads, background; or a workbook alone.

All problems are found and reported together; nothing is half-loaded.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import cast

import numpy as np
import pandas as pd

from geodata.bureau.grids import Book
from geodata.bureau.mapping import Mapping, read_mapping
from geodata.bureau.tables import Mapped, read_mapped
from geodata.checks.crosschecks import cross_check
from geodata.checks.places import FAR_KM, kilometres, middle
from geodata.checks.plausibility import implausible
from geodata.contract.cells import header_word
from geodata.contract.columns import Table
from geodata.contract.containment import NOTHING, Allowed, refuse_outside
from geodata.contract.county import County
from geodata.contract.declared import declared_tables, undeclared_columns
from geodata.contract.findings import Finding, InputProblems, errors, summed
from geodata.contract.tables import POINT_TABLES, TABLES
from geodata.contract.validation.headers import Raw
from geodata.contract.validation.placed import Placed, Tables, one_point
from geodata.contract.validation.placing import empty, place
from geodata.corrections.trail import read_trail
from geodata.folder.databases import refuse_databases
from geodata.folder.names_for_ids import ids_for_names
from geodata.folder.own_tables import read_csv, read_sheets, read_workbook, records, sheet_of, two_sources
from geodata.folder.sharing import split_shared
from geodata.folder.source import CountySource, Head, open_source, read_head
from geodata.layers.coordinates import to_wgs84
from geodata.layers.projecting import in_degrees
from geodata.layers.surroundings import read_layers
from geodata.roads.extracts import Box, box_around
from geodata.standards.reading import StandardsFile, is_file, merged, read_files
from geodata.standards.scheme import Norms
from geodata.travel.times import road_quality

LAYERS, AROUND = ("roads", "townships", "waters", "zones"), ("dem", "areas")
"""Keys of county.toml and of its ``[travel]`` that name layers."""


def _sheets_alone(book: Book, name: str) -> tuple[dict[str, Raw], list[Finding]]:
    """Tables of a workbook that is the whole county."""
    raws, found = read_sheets(book, name)
    for table in TABLES.values():
        said = {f.table for f in errors(found)}
        if table.required and table.name not in {*raws, *said}:
            fields: dict[str, object] = {"zh": table.zh, "code": table.code}
            found.append(Finding("error", "tables.no_table", fields, file=name, table=table.name))
    return raws, found


def _raw_tables(folder: Path, head: Head, bound: frozenset[str]) -> tuple[dict[str, Raw], list[Finding]]:
    """Tables in our own form; those bound by the mapping must not be there as well."""
    found: list[Finding] = []
    raws: dict[str, Raw] = {}
    for name in head.files:
        if name not in TABLES:
            known = ", ".join(TABLES)
            found.append(
                Finding(
                    "error",
                    "tables.unknown_table",
                    {"known": known},
                    file="county.toml",
                    column="files",
                    value=name,
                )
            )
    if head.workbook:
        raws, problems = _workbook(folder / head.workbook)
        found += problems
        if errors(problems) and not raws:
            return raws, found  # the tables it should have held are not reported one by one
    for table in TABLES.values():
        file = head.files.get(table.name, f"{table.name}.csv")
        if table.name in bound:
            if (folder / file).is_file() or table.name in raws:
                other = raws.pop(table.name).file if table.name in raws else file
                found.append(Finding("error", "bureau.bound_twice", file=other, table=table.name))
        elif (folder / file).is_file():
            if table.name in raws:
                found.append(two_sources(table.name, file, raws[table.name].file))
                continue
            try:
                raws[table.name] = records(table, read_csv(folder / file, table))
            except InputProblems as problem:
                found += [replace(f, table=table.name) for f in problem.findings]
        elif table.name in head.files:
            found.append(Finding("error", "tables.no_file", file=file, table=table.name))
        elif table.name not in raws and table.required and table.name not in {f.table for f in errors(found)}:
            found.append(_no_table(folder, table, file))
    return raws, found


def _no_table(folder: Path, table: Table, file: str) -> Finding:
    """A table that is missing; a file that was probably meant is named."""
    fields: dict[str, object] = {"zh": table.zh, "code": table.code}
    names = {header_word(table.name), header_word(table.zh)}
    meant = [p.name for p in sorted(folder.iterdir()) if header_word(p.name.split(".")[0]) in names]
    key = "tables.no_table_but" if meant else "tables.no_table"
    return Finding("error", key, {**fields, "other": ", ".join(meant[:3])}, file=file, table=table.name)


def _workbook(path: Path) -> tuple[dict[str, Raw], list[Finding]]:
    if not path.is_file():
        return {}, [Finding("error", "tables.no_file", file=path.name, table="workbook")]
    try:
        return read_workbook(path)
    except InputProblems as problem:
        return {}, problem.findings


def _norms(
    folder: Path, head: Head, allowed: Allowed
) -> tuple[Norms, dict[str, StandardsFile], list[Finding]]:
    """The county's standards without the entries that are wrong, so that tables are read.

    Raises
    ------
    InputProblems
        It is not known which stages and bands there are: by others' every row of the tables would be wrong.
    """
    named = [("standards", name) for name in head.standards if is_file(name)]
    if bad := refuse_outside(folder, named, allowed.outside):
        raise InputProblems(bad)
    own = read_files(head.standards, folder)
    norms, found = merged(head.standards, own)
    if norms is None:
        raise InputProblems(found)
    return norms, own, found


def _unknown_modelled(head: Head, contracts: dict[str, Table]) -> list[Finding]:
    """Names under ``modelled`` that are no table and no column of one: what they were meant for would pass as observed."""
    found: list[Finding] = []
    for name in head.modelled:
        table, dot, column = name.partition(".")
        columns = [c.name for c in contracts[table].columns] if table in contracts else []
        if not columns or (dot and column not in columns):
            fields: dict[str, object] = {"known": ", ".join(columns or contracts)}
            key = "bureau.unknown_column" if columns else "tables.unknown_table"
            found.append(Finding("error", key, fields, "county.toml", column="modelled", value=name[:80]))
    return found


def _validated(
    raws: dict[str, Raw], contracts: dict[str, Table], told: list[Finding], workbook: str | None
) -> tuple[Tables, list[Finding]]:
    """Tables in contract form, rows with a fault left out; ``told`` are errors that are said already.

    A table that is not there is named as it would be: a sheet of the ``workbook`` where there is one.
    """
    tables: Tables = {}
    found: list[Finding] = []
    cells = {(f.file, f.row, f.column) for f in told}
    for name, raw in raws.items():
        rows = {f.row for f in told if f.table == name and f.file == raw.file and f.row is not None}
        tables[name], problems = place(contracts[name], raw, rows)
        # why a cell is empty is said once
        problems = [f for f in problems if f.key != "tables.empty" or (f.file, f.row, f.column) not in cells]
        found += one_point(problems) if name in POINT_TABLES else problems
    unread = {f.table for f in told}  # why is said; such a table is not absent
    for table in contracts.values():
        if table.name not in raws and not table.required and table.name not in unread:
            none = pd.Series([], dtype=int)
            file = sheet_of(table, raws, workbook) if workbook else f"{table.name}.csv"
            tables[table.name] = Placed(empty(table), file, none, table.name)
    return tables, found


def _to_wgs84(tables: Tables) -> tuple[Tables, list[Finding]]:
    """Points of both place tables in WGS-84; what was converted is noted."""
    done, found = dict(tables), []
    for name in ("schools", "villages"):
        if name not in tables:
            continue
        placed = tables[name]
        frame, counts = _degrees(placed.frame)
        every = None if placed.every is None else _degrees(placed.every)[0]
        done[name] = replace(placed, frame=frame, every=every)
        for crs, count in counts.items():
            found.append(Finding("note", "tables.converted", {"count": count, "crs": crs}, file=placed.file))
    return done, found


def _degrees(rows: pd.DataFrame) -> tuple[pd.DataFrame, dict[str, int]]:
    """Rows with their points in WGS-84, and how many were converted of which system; a point that is not whole has none."""
    frame, counts = rows.copy(), {}
    for crs, some in frame[frame["lon"].notna() & frame["lat"].notna()].groupby("crs"):
        if crs in ("gcj02", "bd09"):
            lon, lat = to_wgs84(some["lon"].to_numpy(), some["lat"].to_numpy(), str(crs))
            frame.loc[some.index, "lon"], frame.loc[some.index, "lat"] = lon, lat
            counts[str(crs)] = len(some)
    unknown = frame["crs"].isna() | frame["lon"].isna() | frame["lat"].isna()
    frame.loc[unknown, ["lon", "lat"]] = np.nan
    frame["crs"] = "wgs84"
    return frame, counts


def _box(tables: Tables) -> Box | None:
    """The county's places with a margin; None while no table of them could be read.

    A point far from the others is an error elsewhere; here it must not make a province of the county.
    """
    frames = [tables[name].frame[["lon", "lat"]] for name in ("schools", "villages") if name in tables]
    points = pd.concat(frames) if frames else pd.DataFrame()
    if points.empty:
        return None
    near = points[kilometres(points["lon"], points["lat"], *middle(points["lon"], points["lat"])) <= FAR_KM]
    return None if near.empty else box_around(near["lon"].to_numpy(), near["lat"].to_numpy())


def _gate(source: CountySource, allowed: Allowed) -> tuple[Head, list[Finding]]:
    """What county.toml names and may not be opened; layers among it are left aside, tables end the reading."""
    folder, head = source.folder, source.head
    tables = [("workbook", head.workbook), ("mapping", head.mapping)]
    tables += [(f"files.{table}", name) for table, name in head.files.items()]
    tables += [(name, f"{name}.csv") for name in TABLES if name not in head.files]
    named = [("county.toml", "county.toml"), *((key, name) for key, name in tables if name)]
    found = refuse_outside(folder, named, allowed.outside) if source.book is None else []
    layers = {key: getattr(head, key) for key in LAYERS} | {
        f"travel.{k}": getattr(head.travel, k) for k in AROUND
    }
    bad = refuse_outside(folder, [(key, name) for key, name in layers.items() if name], allowed.outside)
    if found:
        raise InputProblems(found + bad)
    lost = {f.column for f in bad}
    travel = head.travel.model_copy(update={k: None for k in AROUND if f"travel.{k}" in lost})
    return head.model_copy(update={"travel": travel} | {k: None for k in LAYERS if k in lost}), bad


def gated_mapping(
    folder: Path, name: str, tables: dict[str, Table] = TABLES, allowed: Allowed = NOTHING
) -> Mapping:
    """The mapping, once every file and database that it names may be opened.

    Raises
    ------
    InputProblems
    """
    mapping = read_mapping(folder / name, tables)
    named = [(f"source {i}", f) for i, s in enumerate(mapping.source, 1) for f in (s.file, s.within) if f]
    found = refuse_outside(folder, named, allowed.outside, name)
    found += refuse_databases(
        [(f"PostGIS [{s.layer or ''}]", s.postgis) for s in mapping.source if s.postgis], allowed.databases
    )
    if found:
        raise InputProblems(found)
    return mapping


def _townships(tables: Tables) -> frozenset[str]:
    """Every township that schools or villages name; none while rows of them could not be read."""
    frames = [tables[n].frame for n in ("schools", "villages") if n in tables and tables[n].whole]
    return frozenset(t for f in frames for t in f["township"]) if len(frames) == 2 else frozenset()


def _assemble(place: Path, allowed: Allowed) -> tuple[County | None, list[Finding]]:
    """The county, or None with every finding."""
    source = open_source(place, allowed)
    try:
        county, found = _assembled(source, allowed)
    except InputProblems as problem:
        raise InputProblems(source.placed(problem.findings)) from None
    found = source.placed([*(source.told.findings if source.told else ()), *found])
    return (None if county is None else replace(county, findings=tuple(found))), found


def _assembled(source: CountySource, allowed: Allowed) -> tuple[County | None, list[Finding]]:
    """The county as `_assemble`, findings about settings still under the name county.toml."""
    folder = source.folder
    head, refused = _gate(source, allowed)
    norms, own, said = _norms(folder, head, allowed)
    contracts = declared_tables(norms)
    mapping = gated_mapping(folder, head.mapping, contracts, allowed) if head.mapping else None
    if source.book is not None and source.path is not None:
        raws, found = _sheets_alone(source.book, source.path.name)
    else:
        raws, found = _raw_tables(folder, head, mapping.tables() if mapping else frozenset())
    told = errors(found)
    found = [*said, *undeclared_columns(norms, contracts), *_unknown_modelled(head, contracts), *found]
    mapped = read_mapped(folder, mapping, head.name, raws, contracts) if mapping else Mapped()
    raws |= mapped.raws
    found += mapped.findings
    raws, doubts = ids_for_names(raws, contracts, head.name, mapping.tables() if mapping else ())
    found += doubts
    told += errors(doubts)
    placed = in_degrees(raws, cast(dict[str, str], head.crs))
    workbook = source.path.name if source.path is not None else head.workbook
    declared, problems = _validated(placed.raws, contracts, [*told, *errors(placed.findings)], workbook)
    # sums and swapped points are judged after conversion
    tables, notes = _to_wgs84(declared)
    files = {"roads": head.roads, "townships": head.townships, "waters": head.waters, "zones": head.zones}
    declared_crs = cast(dict[str, str], head.crs)
    layers = read_layers(folder, files, head.travel, _box(tables), declared_crs, _townships(tables))
    found += [*refused, *layers.findings]
    unlikely = implausible(declared, tables, layers.roads, layers.waters)
    found += mapped.placed(
        [*placed.findings, *problems, *notes, *cross_check(tables, head.year, norms), *unlikely]
    )
    if errors(found):
        return None, found
    frames = {name: placed.frame for name, placed in tables.items()}
    frames["school_stage"], split = split_shared(frames["school_stage"], frames["schools"], norms)
    found += [Finding("note", "tables.shared_split", file="school_stage", value=s) for s in split]
    trail, told_by_it = read_trail(folder) if source.path is None else ((), [])
    found += told_by_it
    county = County(
        name=head.name, name_en=head.name_en or head.name, year=head.year, fictional=head.fictional,
        standard_files=head.standards, modelled=head.modelled, roads=layers.roads,
        roads_source=layers.roads_source, townships=layers.townships, waters=layers.waters, zones=layers.zones,
        road_areas=layers.road_areas, travel=head.travel, findings=tuple(found), folder=folder,
        own_standards=own, workbook=source.path, asked=source.told.asked if source.told else (), corrections=trail, **frames,
    )  # fmt: skip
    return county, found


def read_county(
    folder: str | Path, *, allow_outside: bool = False, databases: tuple[str, ...] = ()
) -> County:
    """Read and validate a county.

    Parameters
    ----------
    folder : str or Path
        With ``county.toml``, tables as CSV (UTF-8 or GB18030) or one workbook; or one workbook with a settings sheet.
    allow_outside : bool
        Open files that its settings name outside the folder; devices and pipes never are.
    databases : tuple of str
        Hosts of databases that its mapping may connect to; without, nothing is ever connected to.

    Returns
    -------
    County

    Raises
    ------
    InputProblems
        With every error, warning and note found, not only the first.
    """
    county, found = _assemble(Path(folder), Allowed(allow_outside, databases))
    if county is None:
        raise InputProblems(summed(found))
    return county


def check(
    folder: str | Path, *, allow_outside: bool = False, databases: tuple[str, ...] = ()
) -> list[Finding]:
    """Everything wrong or worth knowing about a county's files, without raising.

    Parameters
    ----------
    folder : str or Path
    allow_outside, databases
        As in `read_county`.

    Returns
    -------
    list of Finding
        Errors first.
    """
    return examined(folder, allow_outside=allow_outside, databases=databases)[1]


def examined(
    folder: str | Path, *, allow_outside: bool = False, databases: tuple[str, ...] = ()
) -> tuple[County | None, list[Finding]]:
    """What `check` finds, and the county, where it can be read, so that nobody reads it twice.

    Parameters
    ----------
    folder, allow_outside, databases
        As in `read_county`.
    """
    try:
        county, found = _assemble(Path(folder), Allowed(allow_outside, databases))
    except InputProblems as problem:
        county, found = None, problem.findings
    if county is not None:
        try:
            found = [*found, *road_quality(county)]
        except InputProblems as problem:  # a height raster is opened only here
            found = [*found, *problem.findings]
    order = {"error": 0, "warning": 1, "note": 2}
    return county, sorted(summed(found), key=lambda f: order[f.severity])


__all__ = ["Head", "Table", "check", "examined", "read_county", "read_csv", "read_head", "read_workbook"]
