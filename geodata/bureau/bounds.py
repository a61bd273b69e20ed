"""Workbooks are bounded before they are opened: by their cells, not by where the last one stands.

A blank cell in the last row of a sheet, a merged range over all of it or a part that unpacks to gigabytes
would cost minutes and memory. The parts are counted as they are unpacked; cells are read where they are.
"""

from __future__ import annotations

import re
import zipfile
from pathlib import Path
from typing import Any

from openpyxl.utils import get_column_letter

from geodata.contract.findings import Finding, InputProblems, input_problem

MOST_BYTES = 600_000_000
"""Unpacked, all parts of a workbook together."""
MOST_CELLS = 1_000_000
"""Cells of a workbook, blank ones with a format and those under merged ranges included: about 600 MB of memory."""
MOST_ROWS, MOST_COLUMNS = 200_000, 1_000
"""Rows and columns up to the last cell of a sheet that holds anything."""
MOST_AREA = 3_000_000
"""Cells of the rectangle that holds them all."""
MOST_TEXT = 200_000_000
PIECE = 1 << 22
LONGEST_TAG = 1 << 22
"""Bytes: no program writes one as long."""
CELL = re.compile(rb"<(?:\w+:)?c[\s/>]")
FORMULA = re.compile(rb"<(?:\w+:)?f[\s/>]")
RANGE = re.compile(
    rb"""<(?:\w+:)?(?:mergeCell|hyperlink)\b[^>]*?\bref\s*=\s*["']\$?([A-Z]+)\$?(\d+):\$?([A-Z]+)\$?(\d+)"""
)
DECLARED = re.compile(rb"<!DOCTYPE|<!ENTITY", re.I)


def _number(letters: bytes) -> int:
    total = 0
    for letter in letters:
        total = total * 26 + letter - 64
    return total


def refuse_unbounded(path: Path, label: str) -> bool:
    """Refuse a workbook that is too large to be a table of a county, before it costs anything.

    Parameters
    ----------
    path : Path
    label : str
        Name for messages.

    Returns
    -------
    bool
        Whether a formula stands in it; True as well where that is not known.

    Raises
    ------
    InputProblems
        With what is too much and what to do. A file that is no archive is left to the reader's own message.
    """
    try:
        with zipfile.ZipFile(path) as book:
            return _count(book, label)
    except InputProblems:
        raise
    except Exception:  # no archive, a damaged or an encrypted one: the reader says what is wrong
        return True


def _count(book: zipfile.ZipFile, label: str) -> bool:
    """Whether formulas stand in it; everything in it is counted."""
    total = spread = 0
    formulas = False
    for part in book.infolist():
        with book.open(part) as content:
            before = b""
            while piece := content.read(PIECE):
                total += len(piece)
                if total > MOST_BYTES:
                    raise input_problem("bureau.workbook_bytes", label, megabytes=MOST_BYTES // 1_000_000)
                if not part.filename.lower().endswith(".xml"):
                    continue
                text = before + piece
                cut = max(text.rfind(b"<"), 0)  # a tag that is cut belongs to the next piece
                spread += _cells_in(text[:cut], label)
                formulas = formulas or FORMULA.search(text) is not None
                before = _unfinished(text[cut:], label)
                spread += 0 if before else _cells_in(text[cut:], label)
                if spread > MOST_CELLS:
                    break
            spread += _cells_in(before, label)
        if spread > MOST_CELLS:
            raise input_problem("bureau.workbook_cells", label, most=f"{MOST_CELLS:,}")
    return formulas


def _unfinished(end: bytes, label: str) -> bytes:
    """The tag that the end of a piece cuts, to be counted with the next piece; nothing where it ends in a text.

    A part without any tag would otherwise be gathered, and looked through anew, piece by piece up to its end.
    """
    if b">" in end or not end.startswith(b"<"):
        return b""
    if len(end) > LONGEST_TAG:
        raise input_problem("tables.not_a_workbook", label, why="XML")
    return end


def _cells_in(text: bytes, label: str) -> int:
    """Cells written in a piece of a part, and those that ranges in it are spread out over."""
    if DECLARED.search(text) or b"\0" in text:
        raise input_problem("tables.not_a_workbook", label, why="XML")
    return len(CELL.findall(text)) + sum(
        (_number(c2) - _number(c1) + 1) * (int(r2) - int(r1) + 1) for c1, r1, c2, r2 in RANGE.findall(text)
    )


def refuse_large(path: Path, label: str) -> None:
    """Refuse a text file that is too large to be a table of a county.

    Raises
    ------
    InputProblems
    """
    if path.stat().st_size > MOST_TEXT:
        raise input_problem("tables.too_large", label, megabytes=MOST_TEXT // 1_000_000)


def cells_of(page: Any, label: str) -> list[list[Any]]:
    """Values of a sheet up to its last row and column that hold anything.

    Parameters
    ----------
    page : openpyxl worksheet
    label : str
        Name for messages.

    Returns
    -------
    list of list
        Rectangular; None where a cell is blank.

    Raises
    ------
    InputProblems
        The used range has too many rows or columns.
    """
    held = {
        place: cell.value
        for place, cell in page._cells.items()  # what is there: asking row by row would make every cell
        if cell.value is not None and str(cell.value).strip() != ""
    }
    if any(r < 1 or c < 1 for r, c in held):  # a damaged file: a value there would land at the other end
        raise input_problem("tables.not_a_workbook", label, why="A0")
    rows = max((r for r, _ in held), default=0)
    columns = max((c for _, c in held), default=0)
    if rows > MOST_ROWS:
        far = max(held)
        fields = {"most": f"{MOST_ROWS:,}", "row": far[0]}
        raise InputProblems(
            [Finding("error", "bureau.too_many_rows", fields, file=label, value=str(held[far])[:60])]
        )
    if columns > MOST_COLUMNS:
        far = max(held, key=lambda place: place[1])
        fields = {"most": f"{MOST_COLUMNS:,}", "column": get_column_letter(far[1])}
        raise InputProblems(
            [Finding("error", "bureau.too_many_columns", fields, file=label, value=str(held[far])[:60])]
        )
    if rows * columns > MOST_AREA:
        raise input_problem("bureau.workbook_cells", label, most=f"{MOST_AREA:,}")
    grid: list[list[Any]] = [[None] * columns for _ in range(rows)]
    for (row, column), value in held.items():
        grid[row - 1][column - 1] = value
    return grid
