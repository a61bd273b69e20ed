"""Sheets and CSV files as grids of text cells: one reader for the county's own tables and the bureau's.

What spreadsheets add to cells is kept beside them: merged ranges, hidden rows, formulas whose result was
never stored.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path

import openpyxl

from geodata.bureau.bounds import cells_of, refuse_unbounded
from geodata.bureau.kinds import no_workbook
from geodata.bureau.texts import csv_rows
from geodata.contract.findings import Finding, InputProblems


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
    covered : frozenset of int
        Hidden columns.
    told : tuple of Finding
        What was found while it was opened.
    lengths : tuple of int
        Of a CSV: how many cells each row has.
    """

    label: str
    cells: list[list[str]]
    merges: tuple[tuple[int, int, int, int], ...] = ()
    hidden: frozenset[int] = frozenset()
    unsaved: tuple[tuple[int, int], ...] = ()
    covered: frozenset[int] = frozenset()
    told: tuple[Finding, ...] = ()
    lengths: tuple[int, ...] = ()


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
        why = (str(problem).splitlines() or [type(problem).__name__])[0].replace(str(path), label)
        raise InputProblems([no_workbook(path, label, why)]) from None


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
    covered = frozenset(
        c - 1
        for d in page.column_dimensions.values()
        if d.hidden
        for c in range(d.min or 0, min(d.max or 0, width) + 1)
    )
    return Grid(label, cells, merges, hidden, unsaved, covered)


def csv_grid(path: Path, label: str) -> Grid:
    """A CSV as a grid: short rows end with empty cells.

    Raises
    ------
    InputProblems
        As `csv_rows`.
    """
    rows, told = csv_rows(path, label)
    width = max((len(r) for r in rows), default=0)
    return Grid(
        label, [r + [""] * (width - len(r)) for r in rows], told=tuple(told), lengths=tuple(map(len, rows))
    )
