"""Problems given back as a workbook: the bureau's own sheets with the bad cells coloured and explained.

The first sheet lists every finding with a link to its cell. Cells with an error are red, with a
warning yellow, the message stands in the cell's comment; notes are listed only.
"""

from __future__ import annotations

import re
from copy import copy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import openpyxl
from openpyxl.cell.cell import MergedCell
from openpyxl.comments import Comment
from openpyxl.styles import Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.hyperlink import Hyperlink

from geodata.bureau.bounds import MOST_COLUMNS, MOST_ROWS
from geodata.bureau.grids import csv_grid, open_values
from geodata.bureau.tables import Mapped, read_mapped
from geodata.bureau.workbooks import SourceSheet, columns_of, first_row_sheet
from geodata.contract.containment import NOTHING, Allowed, refused
from geodata.contract.findings import Finding, InputProblems
from geodata.contract.tables import TABLES
from geodata.folder.reading import Head, gated_mapping, read_head
from geodata.folder.target import claim
from geodata.folder.template import refuse_workbook
from geodata.messages import say
from geodata.workbook.forms import MADE

RED, YELLOW = PatternFill("solid", fgColor="FFC7CE"), PatternFill("solid", fgColor="FFEB9C")
FILLS = {"error": RED, "warning": YELLOW}
LABEL = re.compile(r"^(?P<file>.*?)(?: \[(?P<sheet>.*)\])?$", re.DOTALL)
NOT_IN_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
LONGEST = 32_000
"""Characters that a cell of Excel takes, with some to spare."""


@dataclass
class _Copy:
    """One sheet of the marked workbook and where the columns of its original are."""

    page: Any
    headings: tuple[str, ...]
    shift: int = 0
    notes: dict[tuple[int, int], list[Finding]] = field(default_factory=dict)


def write_marked(
    folder: Path, findings: list[Finding], path: Path, language: str = "zh", *, allowed: Allowed = NOTHING
) -> Path:
    """Write the marked workbook.

    Parameters
    ----------
    folder : Path
        The county's folder; nothing in it is changed.
    findings : list of Finding
        As `geodata.folder.reading.check` returns them.
    path : Path
        Ends in .xlsx; must not exist.
    language : {"zh", "en"}
    allowed : Allowed
        As the findings were made with.

    Returns
    -------
    Path

    Raises
    ------
    InputProblems
        The file exists, or the name does not end in .xlsx.
    """
    refuse_workbook(path)
    folder = folder.parent if folder.is_file() else folder  # a workbook that is the county: findings name it
    head, mapped = _context(folder, allowed)
    book = openpyxl.Workbook()
    listing = book.active
    listing.title = say("marked.list", language)
    copies: dict[str, _Copy | None] = {}
    places = []
    for f in findings:
        if f.row is not None and f.file not in copies and f.severity in FILLS:
            copies[f.file] = _copied(book, folder, head, mapped, f.file, allowed)
        places.append(_noted(copies.get(f.file), f))
    for one in copies.values():
        if one is not None:
            _mark(one, language)
    _list(listing, findings, places, language)
    book.properties.created = book.properties.modified = MADE
    with claim(path) as target:
        target.new_file(book.save)
    return path


def _context(folder: Path, allowed: Allowed) -> tuple[Head | None, Mapped]:
    """county.toml and the mapped sheets, as far as they can be read."""
    try:
        head = read_head(folder, allowed)
    except InputProblems:
        return None, Mapped()
    if head.mapping is None:
        return head, Mapped()
    try:
        return head, read_mapped(folder, gated_mapping(folder, head.mapping, allowed=allowed), head.name, {})
    except InputProblems:
        return head, Mapped()


def _path(folder: Path, head: Head | None, name: str) -> Path:
    """The file behind a name in a message; county.toml may keep it in another folder."""
    for other in [] if head is None else [*head.files.values(), *filter(None, [head.workbook])]:
        if Path(other).name == name:
            return folder / other
    return folder / name


def _copied(
    book: openpyxl.Workbook, folder: Path, head: Head | None, mapped: Mapped, label: str, allowed: Allowed
) -> _Copy | None:
    """A copy of the sheet that a label names; None where there is none to copy."""
    match = LABEL.match(label)
    name, sheet = (match["file"], match["sheet"]) if match else (label, None)
    path = _path(folder, head, name)
    if refused(folder, str(path), allowed.outside) is not None:
        return None
    known = mapped.sheets.get(label)
    title = _title(book, sheet or Path(name).stem)
    if sheet is not None and path.is_file() and path.suffix.lower() in (".xlsx", ".xlsm"):
        source = open_values(path, name)[sheet]
        page = book.create_sheet(title)
        _copy_page(source, page)
        headings = known.headings if known else tuple(str(c.value or "") for c in source[1])
        return _Copy(page, headings)
    if path.is_file() and path.suffix.lower() in (".csv", ".txt"):
        try:
            grid = csv_grid(path, label)
        except InputProblems:
            return None
        page = book.create_sheet(title)
        for r, row in enumerate(grid.cells, 1):
            _write_row(page, r, row)
        return _Copy(page, known.headings if known else first_row_sheet(grid).headings)
    if known is not None:
        return _layer_copy(book.create_sheet(title), known)
    return None


def _layer_copy(page: Any, sheet: SourceSheet) -> _Copy:
    """A layer or database table: headings in the first row, records below, so rows move down by one."""
    _write_row(page, 1, list(sheet.headings))
    for number, row in zip(sheet.frame.index, sheet.frame.to_numpy(object), strict=True):
        _write_row(page, int(number) + 1, [str(v) for v in row])
    return _Copy(page, sheet.headings, shift=1)


def _title(book: openpyxl.Workbook, name: str) -> str:
    """A sheet name that Excel accepts and that is not taken."""
    base = re.sub(r"[\[\]:*?/\\']", " ", writable(name)).strip()[:28] or "sheet"
    taken = {t.lower() for t in book.sheetnames}
    number, title = 2, base
    while title.lower() in taken:
        title, number = f"{base} {number}", number + 1
    return title


def _write_row(page: Any, number: int, texts: list[str]) -> None:
    for c, text in enumerate(texts, 1):
        if text != "":
            _text(page.cell(number, c), text)


def writable(text: str) -> str:
    """A text as a workbook can hold it: without control characters, halves of characters and what is none."""
    return NOT_IN_XML.sub("", text)[:LONGEST]


def _text(cell: Any, value: object) -> None:
    """A value that Excel takes as it is: no text of a table ever becomes a formula."""
    if isinstance(value, str):
        cell.value = writable(value)
        cell.data_type = "s"
    else:
        cell.value = value


def _copy_page(source: Any, page: Any) -> None:
    """Values, looks, merged cells and widths of a sheet."""
    for cell in list(source._cells.values()):  # what is there: asking row by row would make every cell
        if isinstance(cell, MergedCell) or not (1 <= cell.row <= MOST_ROWS and cell.column <= MOST_COLUMNS):
            continue
        new = page.cell(cell.row, cell.column)
        _text(new, cell.value)
        if cell.has_style:
            new.font, new.fill, new.border = copy(cell.font), copy(cell.fill), copy(cell.border)
            new.alignment, new.number_format = copy(cell.alignment), cell.number_format
    for letter, size in source.column_dimensions.items():
        page.column_dimensions[letter].width = size.width
    for number, size in source.row_dimensions.items():
        if number >= 1:  # a damaged file may name a row 0
            page.row_dimensions[number].height = size.height
    for merged in source.merged_cells.ranges:
        page.merge_cells(str(merged))


def _columns(one: _Copy, finding: Finding) -> list[int]:
    """Columns (from 1) that a finding names: their heading, or ours in either language."""
    found = []
    for name in re.split(r", | \+ ", finding.column):
        names = [name]
        if finding.table in TABLES:
            names += [
                w for c in TABLES[finding.table].columns if name in (c.name, c.zh) for w in (c.name, c.zh)
            ]
        at = next((hit for n in names if (hit := columns_of(n, one.headings))), [])
        found += [c + 1 for c in at[:1]]
    return found


def _noted(one: _Copy | None, finding: Finding) -> str:
    """Remember what to write at a finding's cells; returns a link to the first of them."""
    if one is None or finding.row is None:
        return ""
    row = finding.row + one.shift
    columns = _columns(one, finding) or [1]
    if finding.severity in FILLS:
        for column in columns:
            one.notes.setdefault((row, column), []).append(finding)
    return f"'{one.page.title}'!{get_column_letter(columns[0])}{row}"


def _mark(one: _Copy, language: str) -> None:
    """Colour the cells and write their comments; a merged cell carries it at its first one."""
    anchors = {
        (r, c): (m.min_row, m.min_col)
        for m in one.page.merged_cells.ranges
        for r in range(m.min_row, m.max_row + 1)
        for c in range(m.min_col, m.max_col + 1)
    }
    merged: dict[tuple[int, int], list[Finding]] = {}
    for place, found in one.notes.items():
        merged.setdefault(anchors.get(place, place), []).extend(found)
    for (row, column), found in merged.items():
        cell = one.page.cell(row, column)
        worst = "error" if any(f.severity == "error" for f in found) else "warning"
        cell.fill = FILLS[worst]
        text = "\n".join(f.text(language) for f in found)
        cell.comment = Comment(writable(text)[:30_000], "junheng", height=120, width=360)


def _list(page: Any, findings: list[Finding], places: list[str], language: str) -> None:
    """Every finding, a line each, linked to its cell."""
    heads = ("severity", "file", "row", "column", "value", "message")
    for c, name in enumerate(heads, 1):
        page.cell(1, c, say(f"marked.{name}", language)).font = Font(bold=True)
    for r, (f, place) in enumerate(zip(findings, places, strict=True), 2):
        _text(page.cell(r, 1), say(f"cli.{f.severity}", language))
        values = (f.file or f.table, f.row, f.column, f.value, f.text(language))
        for c, value in enumerate(values, 2):
            _text(page.cell(r, c), value)
        if place:
            page.cell(r, 3).hyperlink = Hyperlink(ref=f"C{r}", location=place)
            page.cell(r, 3).style = "Hyperlink"
        if f.severity in FILLS:
            page.cell(r, 1).fill = FILLS[f.severity]
    for letter, width in zip("ABCDEF", (8, 34, 7, 26, 22, 90), strict=True):
        page.column_dimensions[letter].width = width
    page.freeze_panes = "A2"
