"""A report as a sheet: columns as wide as what stands in them, rows as high as their lines, numbers as numbers."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any

from maps.dossier.paper import paper
from maps.dossier.workbook import LINE, styles_of
from maps.front.text import MINUS, PageCell, PageTable
from maps.reports.report import OfficialReport

NUMBER = re.compile(r"[+−-]?[\d,]+(\.\d+)?")
LEAST, MOST = 8.0, 60.0
"""Width of a column in letters; longer texts stand in several lines."""
LINE_HEIGHT = 16.0
"""Points of a line: the height is written, as not every office program finds it by itself."""
FROZEN = 12
"""Row beyond which headings are not frozen: they would fill the screen."""


class Looks:
    """Formats of a report's cells, each made once."""

    def __init__(self, book: Any):
        self._book, self._made = book, dict(styles_of(book))

    def named(self, name: str) -> Any:
        """One of `maps.dossier.workbook.styles_of`."""
        return self._made[name]

    def cell(self, cell: PageCell, foot: bool, places: int | None) -> Any:
        """Of a cell: ``places`` decimals, or text where None; totals are bold, what is bad is red and bold."""
        bad = "bad" in cell.kind.split()
        key = f"{'foot' if foot else 'bad' if bad else ''} {places} {cell.kind.startswith('n')}"
        if key not in self._made:
            look: dict[str, Any] = {"border": 1, "border_color": LINE, "valign": "vcenter", "text_wrap": places is None}  # fmt: skip
            if places is not None:
                look["num_format"] = "#,##0" + ("." + "0" * places if places else "")
            elif cell.kind.startswith("n"):
                look["align"] = "right"
            else:
                look["indent"] = 1
            look |= {"bold": True, "bg_color": "#F2F2F2"} if foot else {}
            look |= {"bold": True, "font_color": "#9C0006"} if bad else {}
            self._made[key] = self._book.add_format(look)
        return self._made[key]


@dataclass(frozen=True)
class _Place:
    """Where a table's heading stands, and its rows end."""

    head: int
    end: int


def write_report(page: Any, report: OfficialReport, looks: Looks, language: str) -> None:
    """Title, sentences, tables one below the other; as wide as the widest of them.

    Parameters
    ----------
    page : xlsxwriter worksheet
    report : OfficialReport
    looks : Looks
    language : {"zh", "en"}
    """
    tables = [b.table for b in report.blocks if b.table and b.table.rows]
    last = max([len(t.head) - 1 for t in tables] or [5])
    widths = _widths(tables, last)
    for c, width in enumerate(widths):
        page.set_column(c, c, width)
    page.merge_range(0, 0, 0, max(last, 1), report.title, looks.named("title"))
    page.set_row(0, 28)
    row, placed = 1, []
    for block in report.blocks:
        for text in (block.heading, *block.sentences):
            if text:
                page.merge_range(row, 0, row, max(last, 1), text, looks.named("note"))
                page.set_row(row, LINE_HEIGHT * _lines(text, sum(widths)))
                row += 1
        if block.table and block.table.rows:
            end = _table_rows(page, block.table, row, widths, looks)
            placed.append(_Place(row, end))
            row = end + 1
    paper(page, language, last, 0, row)
    _heads(page, placed)


def _heads(page: Any, placed: list[_Place]) -> None:
    """The headings of the longest table on every page, where no other table follows, and in sight while it is scrolled."""
    if not placed or max(placed, key=lambda p: p.end - p.head) != placed[-1]:
        return
    page.repeat_rows(placed[-1].head, placed[-1].head)
    if placed[-1].head <= FROZEN:
        page.freeze_panes(placed[-1].head + 1, 0)


def _long(text: str) -> float:
    """Width of a text in letters, Chinese ones counted twice."""
    return sum(2.1 if ord(c) > 0x2E80 else 1.1 for c in text)


def _lines(text: str, width: float) -> int:
    """Lines that a text takes in a width; words that do not fit any more make it a little longer."""
    lines = _long(text) / width
    return 1 if lines <= 1 else math.ceil(1.08 * lines)


def _widths(tables: list[PageTable], last: int) -> list[float]:
    """Of each column: its longest text; a heading breaks between words, a Chinese one anywhere."""

    def asked(table: PageTable, c: int) -> float:
        head = table.head[c].text
        word = max((_long(w) for w in head.split()), default=0.0)
        least = max(min(word, 20.0), _long(head) / 2)
        cells = (*table.rows[:400], *((table.foot,) if table.foot else ()))
        return max([least, *(_long(r[c].text) for r in cells)]) + 3

    columns = ([asked(t, c) for t in tables if c < len(t.head)] for c in range(last + 1))
    return [min(MOST, max([LEAST, *wide])) for wide in columns]


def _table_rows(page: Any, table: PageTable, row: int, widths: list[float], looks: Looks) -> int:
    """Write a table from a row on; the row after it."""
    high = max(_lines(cell.text, widths[c] - 2) for c, cell in enumerate(table.head))
    page.set_row(row, LINE_HEIGHT * high + 4)
    for c, cell in enumerate(table.head):
        page.write_string(row, c, cell.text, looks.named("head"))
    for cells in (*table.rows, *((table.foot,) if table.foot else ())):
        row += 1
        foot = cells is table.foot
        high = max(_lines(cell.text, widths[c] - 2) for c, cell in enumerate(cells))
        if high > 1:
            page.set_row(row, LINE_HEIGHT * high)
        for c, cell in enumerate(cells):
            value = _value(cell)
            if isinstance(value, str):
                page.write_string(row, c, value, looks.cell(cell, foot, None))
            else:
                places = min(len(cell.text.partition(".")[2]), 4)
                page.write_number(row, c, value, looks.cell(cell, foot, places))
    return row + 1


def _value(cell: PageCell) -> str | float:
    """A cell's number where it is nothing but one, else its text."""
    if not cell.kind.startswith("n") or not NUMBER.fullmatch(cell.text):
        return cell.text
    return float(cell.text.replace(MINUS, "-").replace(",", ""))
