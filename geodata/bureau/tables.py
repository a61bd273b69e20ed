"""A county's tables from the bureau's own files, as bound by mapping.toml.

Sources become pieces (`geodata.bureau.conversion`), ids and names are matched (`geodata.bureau.matching`), pieces of
one table are stacked or joined, and an `Origin` per table remembers the file, sheet, row and heading
of every cell, so that whatever validation says later is said about the bureau's file.
"""

from __future__ import annotations

import re
from collections.abc import Mapping as Dict
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from geodata.bureau import kinds
from geodata.bureau.conversion import Piece, convert, wanted
from geodata.bureau.cutting import county_area, cut, filtered, only
from geodata.bureau.grids import Book, csv_grid, open_book, xlsx_grid
from geodata.bureau.joining import joined, stacked
from geodata.bureau.mapping import NAMED, Constant, Mapping, Source
from geodata.bureau.matching import Doubt, Resolved, known_id, known_name, own_id, resolve
from geodata.bureau.workbooks import SourceSheet, read_sheet
from geodata.contract.cells import plain
from geodata.contract.columns import Table
from geodata.contract.findings import Finding, InputProblems, errors
from geodata.contract.tables import TABLES
from geodata.contract.validation.headers import Raw
from geodata.folder.databases import read_postgis
from geodata.layers.spatial_tables import GEOMETRY_HEADINGS, POINT, SUFFIXES, read_layer

ID_TABLES = {**NAMED, "cat_id": "staff_category"}
MOST_PAIRS = 12
"""Restored ids written out in a note; the note says how many there are."""
UNKNOWN = ("tables.unknown_id", "tables.looks_like_id", "tables.empty", "tables.empty_crs")
UNLIKE = ("bureau.name_unknown", "bureau.name_matched", "bureau.name_ambiguous")
"""Names that are not the very names of ours."""
EMPTY_POINT = ("tables.empty", "tables.empty_crs", "bureau.no_point")
"""What is said of rows whose point could not be used; where that is said already it is not said again."""
KEY_OF = {"schools": "school_id", "villages": "village_id", "staff_category": "cat_id"}


@dataclass(frozen=True)
class Origin:
    """Where each cell of a mapped table stands in the bureau's files.

    Parameters
    ----------
    label : str
        All its files and sheets.
    pieces : tuple of Piece
    piece, row : DataFrame of int
        Piece and row of the file, cell by cell.
    """

    label: str
    pieces: tuple[Piece, ...]
    piece: pd.DataFrame
    row: pd.DataFrame

    def placed(self, finding: Finding) -> Finding:
        """A finding about our table as one about the bureau's file."""
        parts = re.split(r"(, | \+ )", finding.column)
        main = parts[0] if parts[0] in self.piece.columns else self.piece.columns[0]
        if finding.row is None:
            heading = {n: h for p in reversed(self.pieces) for n, h in p.headings.items()}
            return replace(finding, column="".join(heading.get(p, p) for p in parts))
        piece = self.pieces[int(self.piece[main].iloc[finding.row])]
        row, value = int(self.row[main].iloc[finding.row]), finding.value
        if main in piece.units and main == finding.column:
            first = int(np.flatnonzero(piece.rows == row)[0])
            written = str(piece.original[main].iloc[first])
            if written != value:
                value = f"{written} {piece.units[main]} = {value}"
        column = "".join(piece.headings.get(p, p) for p in parts)
        return replace(finding, file=piece.label, row=row, column=column, value=value)


@dataclass(frozen=True)
class Mapped:
    """What the mapping gave.

    Parameters
    ----------
    raws : dict
        Tables in our columns, still text.
    findings : list of Finding
    origins : dict
        Per table.
    sheets : dict
        Sheets that were read, by label.
    tables : frozenset of str
        Tables the mapping is about, whether or not they could be read.
    """

    raws: dict[str, Raw] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    origins: dict[str, Origin] = field(default_factory=dict)
    sheets: dict[str, SourceSheet] = field(default_factory=dict)
    tables: frozenset[str] = frozenset()

    def placed(self, found: list[Finding]) -> list[Finding]:
        """Findings about mapped tables, each at its place in the bureau's files."""
        told = {(f.file, f.row, f.column) for f in errors(self.findings)}
        outside = {f.file for f in errors(self.findings) if f.column == POINT}
        done = []
        for f in found:
            origin = self.origins.get(f.table)
            if origin is not None and origin.label == f.file:
                f = origin.placed(f)
                if f.key in UNKNOWN and (f.file, f.row, f.column) in told:
                    continue  # why it is unknown has been said already
                if f.key in EMPTY_POINT and f.column in (*GEOMETRY_HEADINGS, POINT) and f.file in outside:
                    continue
            done.append(f)
        return done


def _sheets(
    folder: Path, source: Source, books: dict[Path, Book]
) -> list[tuple[SourceSheet, dict[str, Constant]]]:
    """The sheets of one source with the constants of each."""
    declared = source.constants.get("crs")
    crs = declared if isinstance(declared, str) else None
    if source.postgis is not None:
        layer = source.layer or ""
        return [(read_postgis(source.postgis, layer, f"PostGIS [{layer}]", source.epsg, crs), {})]
    name = source.file or ""
    path = folder / name
    suffix = path.suffix.lower()
    if not path.is_file():
        raise InputProblems([Finding("error", "tables.no_file", file=name, table=source.table)])
    if suffix in SUFFIXES:
        label = f"{name} [{source.layer}]" if source.layer else name
        return [(read_layer(path, source.layer, label, source.epsg, crs), {})]
    if suffix in (".csv", ".txt"):
        return [(read_sheet(csv_grid(path, name), wanted(source), source.header, path), {})]
    if suffix not in (".xlsx", ".xlsm", *kinds.SUFFIXES):
        raise InputProblems([Finding("error", "bureau.unknown_format", file=name, table=source.table)])
    if path not in books:
        books[path] = open_book(path, name)
    found = []
    for sheet, extra in _asked(source, books[path], name).items():
        grid = xlsx_grid(books[path], sheet, f"{name} [{sheet}]")
        found.append((read_sheet(grid, wanted(source), source.header, path), extra))
    return found


def _asked(source: Source, book: Book, name: str) -> dict[str, dict[str, Constant]]:
    """Sheets that a source is about; the only visible one where it names none."""
    asked = source.sheets or ({source.sheet: {}} if source.sheet is not None else {})
    visible = book.visible()
    if not asked and len(visible) == 1:
        return {visible[0]: {}}
    known = [s.title for s in book.values.worksheets]  # without chart sheets
    missing = [s for s in asked if s not in known]
    if missing or not asked:
        fields: dict[str, object] = {"known": ", ".join(known)}
        value = ", ".join(missing)
        raise InputProblems([Finding("error", "bureau.no_sheet", fields, file=name, value=value)])
    return asked


def _with_geometry(source: Source, sheet: SourceSheet) -> Source:
    """Longitude, latitude and system from the geometry, unless the mapping takes them from columns."""
    names = {c.name for c in TABLES[source.table].columns}
    if "@lon" not in sheet.headings or "lon" not in names or "lon" in source.columns:
        return source
    columns = {**source.columns, "lon": "@lon", "lat": "@lat", "crs": "@crs"}
    constants = {k: v for k, v in source.constants.items() if k != "crs"}
    return source.model_copy(update={"columns": columns, "constants": constants})


def _parts(
    folder: Path, source: Source, sheet: SourceSheet, extra: dict[str, Constant], tables: dict[str, Table]
) -> tuple[list[Piece], list[Finding]]:
    """The records of a sheet that are the county's, in our columns."""
    kept, found = filtered(source, sheet) if source.keep or source.leave else (sheet, [])
    if errors(found):
        return [], found
    parts, problems = convert(_with_geometry(source, kept), kept, extra, tables)
    found += problems
    if source.within is not None and not errors(found):
        try:
            area, notes = county_area(folder, source.within)
        except InputProblems as problem:
            return [], [*found, *problem.findings]
        pieces = [cut(part, area) for part in parts]
        parts, found = [p for p, _ in pieces], [*found, *notes, *(f for _, told in pieces for f in told)]
    return parts, found


def _doubts(piece: Piece, column: str, doubts: list[tuple[int, int, Doubt]]) -> list[Finding]:
    """What was decided about ids; those that only got their form back share one note."""
    heading = piece.headings.get(column, column)
    restored = [d for d in doubts if d[2].key == "bureau.id_restored"]
    found = [
        Finding(
            d.severity, d.key, {**d.fields, "rows": count}, piece.label, piece.table, int(piece.rows[at]), heading, d.value
        )
        for at, count, d in doubts
        if d.key != "bureau.id_restored"
    ]  # fmt: skip
    if restored:
        pairs = [f"{d.value} -> {d.fields['id']}" for _, _, d in restored]
        more = ", ..." if len(pairs) > MOST_PAIRS else ""
        fields: dict[str, object] = {
            "count": len(pairs), "rows": sum(n for _, n, _ in restored), "pairs": ", ".join(pairs[:MOST_PAIRS]) + more,
        }  # fmt: skip
        row = int(piece.rows[restored[0][0]])
        found.append(
            Finding(
                "note",
                "bureau.id_restored",
                fields,
                piece.label,
                piece.table,
                row,
                heading,
                restored[0][2].value,
            )
        )
    return found


@dataclass(frozen=True)
class _Known:
    """Ids and names of the tables that define them."""

    ids: Dict[str, list[str]]
    names: Dict[str, dict[str, list[str]]]
    mapping: Mapping
    county: str

    def matched(self, piece: Piece, column: str) -> tuple[pd.Series, list[Finding]]:
        """A column of ids, each found among the known ones or left as written."""
        target = ID_TABLES[column]
        ids = self.ids.get(target, [])
        settled = self.mapping.names.get(KEY_OF[target], {})

        def decide(text: str) -> Resolved:
            if column not in piece.by_name:
                return known_id(text, ids)
            names = self.names.get(target, {})
            value, doubt = known_name(text, names, settled, self.county, self.mapping.likeness)
            if doubt is not None and piece.known and doubt.key in UNLIKE:
                return text, None  # of another county: left out, never taken for one of ours
            if piece.join and doubt is not None and doubt.key == "bureau.name_unknown":
                doubt = Doubt("warning", "bureau.join_extra", {}, doubt.value)
            return value, doubt

        cells, doubts = resolve(piece.frame[column], decide)
        return cells, _doubts(piece, column, doubts)


def _defines(table: Table, column: str) -> bool:
    return KEY_OF.get(table.name) == column


def _ids(piece: Piece, known: _Known, own: bool) -> tuple[Piece, list[Finding]]:
    """The id columns of a piece; ``own`` handles those that its table defines, else the others."""
    table, found = TABLES[piece.table], []
    frame = piece.frame.copy()
    for column in [c for c in frame.columns if c in ID_TABLES]:
        if _defines(table, column) and not piece.join:
            if own:
                decide = partial(own_id, digits=known.mapping.digits.get(column))
                frame[column], doubts = resolve(frame[column], decide)
                found += _doubts(piece, column, doubts)
        elif not own:
            frame[column], problems = known.matched(piece, column)
            found += problems
    piece = replace(piece, frame=frame)
    return (piece, found) if own or not piece.known else _of_the_county(piece, known, found)


def _of_the_county(piece: Piece, known: _Known, found: list[Finding]) -> tuple[Piece, list[Finding]]:
    """The rows of a piece whose schools and villages the county has; doubts that are errors stay said."""
    there = np.ones(len(piece.frame), dtype=np.bool_)
    for column, target, _ in TABLES[piece.table].refers:
        if column in piece.frame and column in ID_TABLES:
            there &= piece.frame[column].map(plain).isin(known.ids.get(target, [])).to_numpy(np.bool_)
    if there.all():
        return piece, found
    fields: dict[str, object] = {"count": int((~there).sum()), "kept": int(there.sum())}
    said = Finding("note" if there.any() else "error", "bureau.known_only", fields, piece.label, piece.table)
    return only(piece, there), [*found, said]


def _table(name: str, pieces: list[Piece], known: _Known) -> tuple[Raw | None, Origin | None, list[Finding]]:
    """One table from its pieces."""
    base = [p for p in pieces if not p.join]
    if not base:
        return None, None, [Finding("error", "bureau.only_joins", file=pieces[0].label, table=name)]
    found: list[Finding] = []
    done = []
    for piece in base:
        piece, problems = _ids(piece, known, own=True)
        done.append(piece)
        found += problems
    known = _extended(known, name, pd.concat([p.frame for p in done], ignore_index=True).fillna(""))
    for i, piece in enumerate(done):
        done[i], problems = _ids(piece, known, own=False)
        found += problems
    frame, piece_of, row_of, problems = stacked(done)
    found += problems
    for part in (p for p in pieces if p.join):
        part, problems = _ids(part, known, own=False)
        found += problems
        done.append(part)
        found += joined(frame, piece_of, row_of, part, len(done) - 1)
    label = " + ".join(dict.fromkeys(p.label for p in done))
    return Raw(frame, label, first_row=0), Origin(label, tuple(done), piece_of, row_of), found


def _waits(name: str, pieces: list[Piece], known: _Known) -> bool:
    """Whether a table gives names of another one that could not be read."""
    return any(ID_TABLES[c] not in {*known.ids, name} for p in pieces for c in p.by_name)


def _extended(known: _Known, name: str, frame: pd.DataFrame) -> _Known:
    """What is known, with the ids and names of one more table."""
    key = KEY_OF.get(name)
    if key is None or key not in frame:
        return known
    ids = list(dict.fromkeys(plain(v) for v in frame[key]))
    names: dict[str, list[str]] = {}
    if "name" in frame:
        for one, own in zip(frame[key], frame["name"], strict=True):
            if not plain(own):
                continue  # categories of staff may go without
            held = names.setdefault(plain(own), [])
            if plain(one) not in held:
                held.append(plain(one))
    return replace(known, ids={**known.ids, name: ids}, names={**known.names, name: names})


def read_mapped(
    folder: Path,
    mapping: Mapping,
    county: str,
    plain_raws: Dict[str, Raw],
    tables: dict[str, Table] = TABLES,
) -> Mapped:
    """Every table that the mapping binds.

    Parameters
    ----------
    folder : Path
        The county's folder.
    mapping : Mapping
    county : str
        Name of the county, left out in front of school names when they are compared.
    plain_raws : dict
        Tables read as our own CSV or workbook, for their ids and names.
    tables : dict
        Contracts of our tables, as the county's standards need them.

    Returns
    -------
    Mapped
        Problems with the sources are in its ``findings``.
    """
    found: list[Finding] = []
    pieces: dict[str, list[Piece]] = {}
    failed: set[str] = set()
    sheets: dict[str, SourceSheet] = {}
    books: dict[Path, Book] = {}
    for source in mapping.source:
        try:
            read = _sheets(folder, source, books)
        except InputProblems as problem:
            found += problem.findings
            failed.add(source.table)
            continue
        for sheet, extra in read:
            sheets[sheet.label] = sheet
            parts, problems = _parts(folder, source, sheet, extra, tables)
            found += problems
            if errors(problems):  # a heading is missing; half a table would only raise more questions
                failed.add(source.table)
            pieces.setdefault(source.table, []).extend(parts)
    known = _Known({}, {}, mapping, county)
    for name, raw in plain_raws.items():
        ours = {plain(c.zh): c.name for c in TABLES[name].columns}
        known = _extended(known, name, raw.frame.rename(columns=lambda h, o=ours: o.get(plain(h), plain(h))))
    raws, origins = {}, {}
    for name in TABLES:
        if name not in pieces or name in failed or _waits(name, pieces[name], known):
            continue  # why is said already; names compared with nothing would only repeat it
        made, origin, problems = _table(name, pieces[name], known)
        found += problems
        if made is None or origin is None:
            continue
        raws[name], origins[name] = made, origin
        known = _extended(known, name, made.frame)
    unique = list({(f, str(sorted(f.fields.items(), key=str))): f for f in found}.values())
    return Mapped(raws, unique, origins, sheets, mapping.tables())
