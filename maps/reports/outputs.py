"""The twelve reports as one page and one workbook."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from markupsafe import Markup

from geodata.standards.terms import in_its_words
from maps.dossier.paper import paper
from maps.dossier.workbook import opened, styles_of
from maps.front.pages import render
from maps.front.text import MINUS, PageCell, PageTable
from maps.reports.report import OfficialReport, report_word
from maps.reports.twelve import all_reports
from models.plan.decisions import PlanResult

NUMBER = re.compile(r"[+−-]?[\d,]+(\.\d+)?")


@in_its_words
def reports_page(result: PlanResult, language: str, reports: list[OfficialReport] | None = None) -> str:
    """``reports.html``: the twelve reports one after another, each beginning a printed page.

    Parameters
    ----------
    result : PlanResult
    language : {"zh", "en"}
    reports : list of OfficialReport or None
        The twelve, where they are made already.

    Returns
    -------
    str
    """
    told = reports or all_reports(result, language)
    return render("reports.html", result, language, report_word("page", language), reports=told, drawn=Markup)


@in_its_words
def write_reports_workbook(
    result: PlanResult, path: Path, language: str = "zh", reports: list[OfficialReport] | None = None
) -> Path:
    """``reports.xlsx``: a sheet for each report, numbers as numbers.

    Parameters
    ----------
    result : PlanResult
    path : Path
    language : {"zh", "en"}
    reports : list of OfficialReport or None

    Returns
    -------
    Path
    """
    with opened(path, result.county.name, language) as book:
        styles = styles_of(book)
        by_places = {
            p: book.add_format(
                {"num_format": "#,##0" + ("." + "0" * p if p else ""), "border": 1, "valign": "vcenter"}
            )
            for p in range(5)
        }
        for report in reports or all_reports(result, language):
            _report_sheet(book.add_worksheet(report.tab), report, styles, by_places, language)
    return path


def _report_sheet(
    page: Any, report: OfficialReport, styles: dict[str, Any], by_places: dict[int, Any], language: str
) -> None:
    """Title, sentences, tables one below the other; as wide as the widest of them."""
    last = max([len(b.table.head) - 1 for b in report.blocks if b.table] or [5])
    page.merge_range(0, 0, 0, max(last, 1), report.title, styles["title"])
    page.set_row(0, 28)
    row = 1
    for block in report.blocks:
        for text in (block.heading, *block.sentences):
            if text:
                page.merge_range(row, 0, row, max(last, 1), text, styles["note"])
                page.set_row(row, 16 * (1 + len(text) // max(30, 12 * last)))
                row += 1
        if block.table and block.table.rows:
            row = _table_rows(page, block.table, row, styles, by_places) + 1
    widths = [
        max(
            [
                12.0,
                *(_wide(t.head[c].text, t, c) for b in report.blocks if (t := b.table) and c < len(t.head)),
            ]
        )
        for c in range(last + 1)
    ]
    for c, width in enumerate(widths):
        page.set_column(c, c, min(42.0, width))
    paper(page, language, last, 0, row)


def _wide(heading: str, table: PageTable, column: int) -> float:
    texts = [heading[:9], *(r[column].text for r in table.rows[:200])]
    return max(sum(2.1 if ord(ch) > 0x2E80 else 1.1 for ch in t) + 2 for t in texts)


def _table_rows(
    page: Any, table: PageTable, row: int, styles: dict[str, Any], by_places: dict[int, Any]
) -> int:
    """Write a table from a row on; the row after it."""
    for c, cell in enumerate(table.head):
        page.write_string(row, c, cell.text, styles["head"])
    for cells in (*table.rows, *((table.foot,) if table.foot else ())):
        row += 1
        for c, cell in enumerate(cells):
            value = _value(cell)
            if isinstance(value, str):
                page.write_string(row, c, value, styles[""])
            else:
                places = len(cell.text.partition(".")[2])
                page.write_number(row, c, value, by_places[min(places, 4)])
    return row + 1


def _value(cell: PageCell) -> str | float:
    """A cell's number where it is nothing but one, else its text."""
    if not cell.kind.startswith("n") or not NUMBER.fullmatch(cell.text):
        return cell.text
    return float(cell.text.replace(MINUS, "-").replace(",", ""))
