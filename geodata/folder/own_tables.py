"""Tables in our own form: CSV files and sheets of one workbook, header in the first row.

They are read through the same grids as the bureau's sheets, so that a hidden row, a merged cell or a
formula without a result means the same in both.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from openpyxl.utils import get_column_letter

from geodata.bureau.grids import Book, Grid, csv_rows, open_book, xlsx_grid
from geodata.contract.cells import bare, plain
from geodata.contract.findings import Finding, InputProblems
from geodata.contract.tables import TABLES
from geodata.contract.validation import Raw
from geodata.messages import LANGUAGES, say
from geodata.workbook.forms import LISTS, titles


def _not_a_table(file: str, why: str) -> InputProblems:
    return InputProblems([Finding("error", "tables.not_a_table", {"why": why}, file=file)])


def read_csv(path: Path) -> Raw:
    """A CSV as text cells: UTF-8 (with or without BOM), then GB18030, strictly.

    Raises
    ------
    InputProblems
        Another encoding, another separator, or not a table.
    """
    rows = csv_rows(path, path.name)
    if not any(bare(t) for row in rows for t in row):
        raise _not_a_table(path.name, "0 B")
    header = rows[0]
    if len(header) == 1 and (other := next((c for c in ";\t|" if c in header[0]), "")):
        found: dict[str, object] = {"found": {"\t": "Tab"}.get(other, other)}
        raise InputProblems([Finding("error", "tables.separator", found, file=path.name)])
    for number, row in enumerate(rows, 1):
        if len(row) > len(header):
            raise _not_a_table(path.name, f"row {number}: {len(row)} > {len(header)}")
    return Raw(_frame([r + [""] * (len(header) - len(r)) for r in rows]), path.name)


def read_workbook(path: Path) -> tuple[dict[str, Raw], list[Finding]]:
    """Sheets of a workbook that carry the name of a table, in English or Chinese; others are named.

    Raises
    ------
    InputProblems
        The file is not a workbook.
    """
    return read_sheets(open_book(path, path.name), path.name, known=False)


def read_sheets(book: Book, workbook: str, known: bool = True) -> tuple[dict[str, Raw], list[Finding]]:
    """The same of a workbook that is open.

    Parameters
    ----------
    book : Book
    workbook : str
        Its name, for messages.
    known : bool
        Whether the sheets of settings, scenario and guide are read elsewhere and so no news.
    """
    names = {t.name: t.name for t in TABLES.values()} | {t.zh: t.name for t in TABLES.values()}
    others = {t for form in ("settings", "scenario") for t in titles(form)} | {LISTS}
    others |= {plain(say("template.guide", language)) for language in LANGUAGES}
    sheets: dict[str, Raw] = {}
    found: list[Finding] = []
    for page in book.values.worksheets:
        name = names.get(plain(page.title))
        title = f"{workbook} [{page.title}]"
        if name is None and known and plain(page.title) in others:
            continue
        if name is None:
            found.append(Finding("note", "tables.extra_sheet", file=title))
            continue
        if name in sheets:
            found.append(two_sources(name, title, sheets[name].file))
            continue
        if page.sheet_state != "visible":
            found.append(Finding("warning", "tables.hidden_sheet", file=title, table=name))
        try:
            sheets[name], said = _own_sheet(book, page.title, title, name)
            found += said
        except InputProblems as problem:
            found += problem.findings
    return sheets, found


def _own_sheet(book: Book, sheet: str, title: str, name: str) -> tuple[Raw, list[Finding]]:
    """One sheet, cut to the columns of its header, and what its cells hide."""
    grid = xlsx_grid(book, sheet, title)
    header = grid.cells[0] if grid.cells else []
    width = max((i + 1 for i, h in enumerate(header) if bare(h)), default=0)
    cells, found = _filled_down(grid, width, name)
    frame = _frame([row[:width] for row in cells])
    there = {int(i) + 2 for i in frame.index}
    found += [
        Finding("error", "bureau.formula", file=title, table=name, row=r + 1, column=header[c])
        for r, c in grid.unsaved
        if r > 0 and c < width and bare(header[c]) and r + 1 in there
    ]
    found += [
        Finding("warning", "bureau.hidden_row", file=title, table=name, row=r + 1)
        for r in sorted(grid.hidden)
        if r + 1 in there
    ]
    beside = sorted({c for row in grid.cells for c in range(width, len(row)) if bare(row[c])})
    found += [
        Finding("note", "tables.extra_column", file=title, table=name, column=get_column_letter(c + 1))
        for c in beside
    ]
    return Raw(frame, title), found


def _filled_down(grid: Grid, width: int, name: str) -> tuple[list[list[str]], list[Finding]]:
    """Cells merged over several rows carry the text in each; cells merged over columns are refused."""
    cells = [list(row) for row in grid.cells]
    header, found = cells[0] if cells else [], []
    filled: dict[int, list[tuple[int, int, str]]] = {}
    for top, left, bottom, right in grid.merges:
        text = cells[top][left]
        if top == 0 or left >= width or not bare(text):
            continue  # a header, a remark beside the table, nothing
        if right > left and any(bare(h) for h in header[left + 1 : right + 1]):
            found.append(
                Finding(
                    "error", "tables.merged_across", file=grid.label, table=name, row=top + 1, column=header[left],
                    value=text[:60],
                )
            )  # fmt: skip
        last = min(bottom, len(cells) - 1)
        for r in range(top + 1, last + 1):
            cells[r][left] = text
        if last > top:
            filled.setdefault(left, []).append((top + 1, last + 1, text))
    for left, ranges in sorted(filled.items()):
        told = ", ".join(f"{text} ({first}-{last})" for first, last, text in ranges)
        found.append(
            Finding(
                "note", "bureau.filled_down", {"ranges": told}, file=grid.label, table=name, row=ranges[0][0],
                column=header[left],
            )
        )  # fmt: skip
    return cells, found


def _frame(rows: list[list[str]]) -> pd.DataFrame:
    """Text cells below the first row, which is the header; rows that look blank are left out."""
    header = rows[0] if rows else []
    frame = pd.DataFrame(rows[1:], columns=header, dtype=object)
    return frame[[any(bare(t) for t in row) for row in rows[1:]]] if len(frame) else frame


def two_sources(name: str, file: str, other: str) -> Finding:
    """A table that is given twice."""
    return Finding("error", "tables.two_sources", {"name": name, "other": other}, file=file, table=name)
