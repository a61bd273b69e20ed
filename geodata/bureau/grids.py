"""Sheets and CSV files as grids of text cells: one reader for the county's own tables and the bureau's.

What spreadsheets add to cells is kept beside them: merged ranges, hidden rows, formulas whose result was
never stored.
"""

from __future__ import annotations

import csv
import io
import re
import warnings
from dataclasses import dataclass
from pathlib import Path

import openpyxl

from geodata.bureau.bounds import cells_of, refuse_large, refuse_unbounded
from geodata.contract.findings import Finding, InputProblems

SEP_LINE = re.compile(r"\ufeff?\"?sep=(.)\"?\r?\n", re.IGNORECASE)
"""The first line with which Excel is told the separator; no part of the table."""
OTHER_BOOKS = (".xls", ".xlsb", ".ods", ".et", ".numbers")
"""Workbooks of other programs, which their own program saves as .xlsx."""
DOS_END = "\x1a"
"""The sign with which DOS programs end a text."""


@dataclass(frozen=True)
class Grid:
    """The cells of one sheet as text; row and column numbers count from 0.

    Parameters
    ----------
    label : str
        Name for messages: ``学校.xlsx [小学]`` or ``学校.csv``.
    cells : list of list of str
        Rectangular; empty cells are "".
    merges : tuple of (top, left, bottom, right)
        Merged ranges, both ends included.
    hidden : frozenset of int
        Hidden rows.
    unsaved : tuple of (row, column)
        Formulas whose result was never stored.
    """

    label: str
    cells: list[list[str]]
    merges: tuple[tuple[int, int, int, int], ...] = ()
    hidden: frozenset[int] = frozenset()
    unsaved: tuple[tuple[int, int], ...] = ()


def cell_text(value: object) -> str:
    """A cell as text: 3 for 3.0, nothing for an empty cell."""
    if value is None or (isinstance(value, float) and value != value):
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


@dataclass(frozen=True)
class Book:
    """A workbook for its stored values and for its formulas: opened once where it has none."""

    values: openpyxl.Workbook
    formulas: openpyxl.Workbook

    def visible(self) -> list[str]:
        """Names of the sheets that are not hidden."""
        return [s.title for s in self.values.worksheets if s.sheet_state == "visible"]


def open_values(path: Path, label: str) -> openpyxl.Workbook:
    """A workbook for its stored values only.

    Raises
    ------
    InputProblems
        Too large, or not an .xlsx workbook.
    """
    refuse_unbounded(path, label)
    return _loaded(path, label, data_only=True)


def _loaded(path: Path, label: str, data_only: bool) -> openpyxl.Workbook:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of styles, charts and drop-downs, which are not read here
            return openpyxl.load_workbook(path, data_only=data_only)
    except Exception as problem:  # openpyxl raises many kinds for a file that is no workbook
        kind = path.suffix.lower()
        key = "bureau.old_excel" if kind in OTHER_BOOKS else "tables.not_a_workbook"
        why = (str(problem).splitlines() or [type(problem).__name__])[0].replace(str(path), label)[:200]
        raise InputProblems([Finding("error", key, {"why": why, "kind": kind}, file=label)]) from None


def open_book(path: Path, label: str) -> Book:
    """A workbook.

    Raises
    ------
    InputProblems
        Not an .xlsx workbook.
    """
    formulas = refuse_unbounded(path, label)
    values = _loaded(path, label, data_only=True)
    return Book(values, _loaded(path, label, data_only=False) if formulas else values)


def xlsx_grid(book: Book, sheet: str, label: str) -> Grid:
    """One sheet of a workbook: stored values, merged ranges, hidden rows, formulas without a value."""
    page = book.values[sheet]
    cells = [[cell_text(v) for v in row] for row in cells_of(page, label)]
    width = len(cells[0]) if cells else 0
    unsaved = tuple(
        (r - 1, c - 1)
        for (r, c), cell in sorted(book.formulas[sheet]._cells.items(), key=lambda item: item[0])
        if isinstance(cell.value, str) and cell.value.startswith("=")
        and r <= len(cells) and c <= width and cells[r - 1][c - 1] == ""
    )  # fmt: skip
    merges = tuple(
        (m.min_row - 1, m.min_col - 1, m.max_row - 1, m.max_col - 1)
        for m in sorted(page.merged_cells.ranges, key=lambda m: (m.min_row, m.min_col))
        if m.min_row <= len(cells) and m.min_col <= width  # others hold nothing
    )
    hidden = frozenset(r - 1 for r, d in page.row_dimensions.items() if d.hidden)
    return Grid(label, cells, merges, hidden, unsaved)


def csv_rows(path: Path, label: str) -> list[list[str]]:
    """Rows of a CSV as they are, short or long: UTF-8 (with or without BOM), then GB18030, strictly.

    A first line ``sep=;`` names the separator and is no row; the end sign of DOS is left out.

    Raises
    ------
    InputProblems
        Another encoding, or not a table.
    """
    refuse_large(path, label)
    content = path.read_bytes()
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        text = text.rstrip().removesuffix(DOS_END) if text.rstrip().endswith(DOS_END) else text
        told = SEP_LINE.match(text)
        text, separator = (text[told.end() :], told[1]) if told else (text, ",")
        try:
            return list(csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True))
        except csv.Error as problem:
            found = Finding("error", "tables.not_a_table", {"why": str(problem)}, file=label)
            raise InputProblems([found]) from None
    raise InputProblems([Finding("error", "tables.encoding", file=label)])


def csv_grid(path: Path, label: str) -> Grid:
    """A CSV as a grid: short rows end with empty cells.

    Raises
    ------
    InputProblems
        As `csv_rows`.
    """
    rows = csv_rows(path, label)
    width = max((len(r) for r in rows), default=0)
    return Grid(label, [r + [""] * (width - len(r)) for r in rows])
