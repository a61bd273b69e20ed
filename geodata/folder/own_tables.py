"""Tables in our own form: CSV files and sheets of one workbook, header in the first row.

They are read through the same grids as the bureau's sheets, so that a hidden row, a merged cell or a
formula without a result means the same in both.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from openpyxl.utils import get_column_letter

from geodata.bureau.grids import Book, Grid, open_book, xlsx_grid
from geodata.bureau.texts import both, csv_rows
from geodata.bureau.workbooks import LONG_TEXT, REMARK, TOTAL
from geodata.contract.cells import bare, header_word
from geodata.contract.columns import Table
from geodata.contract.findings import Finding, InputProblems
from geodata.contract.tables import TABLES
from geodata.contract.validation.headers import Raw
from geodata.messages import LANGUAGES, say
from geodata.workbook.forms import LISTS, titles


def read_csv(path: Path, table: Table | None = None) -> Raw:
    """A CSV as text cells: UTF-8 (with or without BOM), then GB18030, strictly.

    Rows with more cells than the header are errors of their own, and cut, so that they hide no other fault.

    Parameters
    ----------
    path : Path
    table : Table or None
        Its contract: without one of its headings the first row is no header, and no row is too long for it.

    Raises
    ------
    InputProblems
        Another encoding, another separator, or not a table.
    """
    rows, told = csv_rows(path, path.name)
    if not any(bare(t) for row in rows for t in row):
        raise InputProblems(
            [Finding("error", "tables.not_a_table", {"why": both("tables.why_empty")}, file=path.name)]
        )
    known = {header_word(w) for c in table.columns for w in (c.name, c.zh)} if table else None
    header = known is None or any(header_word(t) in known for t in rows[0])
    width = len(rows[0]) if header else max(len(r) for r in rows)
    long = [n for n, row in enumerate(rows, 1) if len(row) > width]
    if len(long) > 1 and len(long) >= sum(bool(row) for row in rows) - 1:
        long = long[:1]  # every row: said once
    told += [
        Finding(
            "error", "tables.not_a_table", {"why": both("tables.why_surplus", have=len(rows[n - 1]), want=width)}, path.name,
            row=n, value=",".join(rows[n - 1][width:])[:60],
        )
        for n in long
    ]  # fmt: skip
    return Raw(_frame([r[:width] + [""] * (width - len(r)) for r in rows]), path.name, told=tuple(told))


def records(table: Table, raw: Raw) -> Raw:
    """A table without the rows that are no records: totals, remarks, the header once more; each is named."""
    words = {header_word(word): c for c in table.columns for word in (c.name, c.zh)}
    columns = [words.get(header_word(h)) for h in raw.frame.columns]
    needed = [i for i, c in enumerate(columns) if c is not None and c.must]
    if not any(columns):
        return raw
    blank = np.zeros(len(raw.frame), dtype=np.bool_)
    for i in needed:
        blank |= (raw.frame.iloc[:, i].map(bare) == "").to_numpy(np.bool_)
    first = raw.frame.iloc[:, next(i for i, c in enumerate(columns) if c is not None)]
    again = first.map(header_word).isin(words).to_numpy(np.bool_)
    found, gone = [], []
    for at in np.flatnonzero(blank | again):
        index, texts = raw.frame.index[at], [bare(t) for t in raw.frame.iloc[at]]
        if again[at] and all(
            words.get(header_word(t)) is c for t, c in zip(texts, columns, strict=True) if t
        ):
            key = "bureau.header_again"
        else:
            key = _no_record(texts) if blank[at] else ""
        if key:
            gone.append(index)
            text = next(t for t in texts if t)
            found.append(
                Finding("note", key, {}, raw.file, table.name, int(index) + raw.first_row, value=text[:60])
            )
    return replace(raw, frame=raw.frame.drop(index=gone), told=(*raw.told, *found)) if gone else raw


def _no_record(texts: list[str]) -> str:
    """Message key of the reason why a row that lacks a needed cell is no record; empty for one that could be."""
    filled = [t for t in texts if t]
    if any(TOTAL.match(re.sub(r"\s+", "", t)) for t in filled[:3]):
        return "bureau.total_row"
    alone = len(set(filled)) == 1 and len(texts) > 2
    return "bureau.remark_row" if alone and (REMARK.match(filled[0]) or len(filled[0]) > LONG_TEXT) else ""


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
    names = {header_word(word): t.name for t in TABLES.values() for word in (t.name, t.zh)}
    others = {header_word(t) for form in ("settings", "scenario") for t in titles(form)} | {
        header_word(LISTS)
    }
    others |= {header_word(say("template.guide", language)) for language in LANGUAGES}
    sheets: dict[str, Raw] = {}
    found: list[Finding] = []
    for page in book.values.worksheets:
        name = names.get(header_word(page.title))
        title = f"{workbook} [{page.title}]"
        if name is None and known and header_word(page.title) in others:
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
            found += [replace(f, table=name) for f in problem.findings]
    return sheets, found


def sheet_of(table: Table, raws: dict[str, Raw], workbook: str) -> str:
    """Where a table that a workbook does not hold would stand in it, in the language of the sheets that it has."""
    files = {r.file for r in raws.values()}
    chinese = any(f"{workbook} [{TABLES[n].zh}]" in files for n in raws if n in TABLES)
    return f"{workbook} [{table.zh if chinese else table.name}]"


def _own_sheet(book: Book, sheet: str, title: str, name: str) -> tuple[Raw, list[Finding]]:
    """One sheet, cut to the columns of its header, and what its cells hide."""
    grid = xlsx_grid(book, sheet, title)
    header = grid.cells[0] if grid.cells else []
    width = max((i + 1 for i, h in enumerate(header) if bare(h)), default=0)
    if sum(bool(bare(h)) for h in header) < 2:
        width = len(header)  # a title, or nothing: what stands below is looked at for the header
    plain_rows = _frame([row[:width] for row in grid.cells])
    raw = records(TABLES[name], Raw(plain_rows, title))
    gone = {int(i) + 1 for i in plain_rows.index.difference(raw.frame.index)}
    cells, found = _filled_down(grid, width, name, gone)
    frame = _frame([row[:width] for row in cells]).drop(index=[r - 1 for r in gone], errors="ignore")
    found = [*raw.told, *found]
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
    found += [
        Finding("warning", "bureau.hidden_column", file=title, table=name, column=header[c])
        for c in sorted(grid.covered)
        if c < width and bare(header[c])
    ]
    beside = sorted({c for row in grid.cells for c in range(width, len(row)) if bare(row[c])})
    found += [
        Finding("note", "tables.extra_column", file=title, table=name, column=get_column_letter(c + 1))
        for c in beside
    ]
    return Raw(frame, title), found


def _filled_down(grid: Grid, width: int, name: str, gone: set[int]) -> tuple[list[list[str]], list[Finding]]:
    """Cells merged over several rows carry the text in each; cells merged over columns are refused, but in rows that are ``gone``."""
    cells = [list(row) for row in grid.cells]
    header, found = cells[0] if cells else [], []
    filled: dict[int, list[tuple[int, int, str]]] = {}
    for top, left, bottom, right in grid.merges:
        text = cells[top][left]
        if top == 0 or left >= width or not bare(text) or top in gone:
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
