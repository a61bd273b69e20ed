"""The twelve reports as one page, one workbook and one document."""

from __future__ import annotations

import io
import re
import zipfile
from pathlib import Path
from typing import Any

import docx
from docx.enum.section import WD_ORIENT
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Pt
from docx.text.paragraph import Paragraph
from markupsafe import Markup

from geodata.standards.terms import in_its_words
from maps.dossier.notices import notices
from maps.dossier.paper import paper
from maps.dossier.workbook import CREATED, FONT, opened, styles_of
from maps.front.pages import render
from maps.front.text import MINUS, PageCell, PageTable
from maps.reports.report import OfficialReport, report_word
from maps.reports.twelve import all_reports
from maps.wording import word
from models.plan.decisions import PlanResult

NUMBER = re.compile(r"[+−-]?[\d,]+(\.\d+)?")
STAMP = (2025, 1, 1, 0, 0, 0)
"""The date of every part of a document, so that the same plan gives the same bytes."""


@in_its_words
def reports_page(result: PlanResult, language: str) -> str:
    """``reports.html``: the twelve reports one after another, each beginning a printed page.

    Parameters
    ----------
    result : PlanResult
    language : {"zh", "en"}

    Returns
    -------
    str
    """
    reports = all_reports(result, language)
    return render(
        "reports.html", result, language, report_word("page", language), reports=reports, drawn=Markup
    )


@in_its_words
def write_reports_workbook(result: PlanResult, path: Path, language: str = "zh") -> Path:
    """``reports.xlsx``: a sheet for each report, numbers as numbers.

    Parameters
    ----------
    result : PlanResult
    path : Path
    language : {"zh", "en"}

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
        for report in all_reports(result, language):
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


@in_its_words
def write_reports_document(
    result: PlanResult, path: Path, language: str = "zh", template: Path | None = None
) -> Path:
    """``reports.docx``: the reports as a document that a bureau may edit.

    Parameters
    ----------
    result : PlanResult
    path : Path
    language : {"zh", "en"}
    template : Path or None
        A bureau's own document whose styles are taken (Title, Heading 1 and 2, Table Grid); None takes the library's.

    Returns
    -------
    Path
    """
    document = docx.Document(str(template) if template else None)
    _page_and_fonts(document, language)
    county = result.county.name if language == "zh" else result.county.name_en or result.county.name
    document.add_heading(word("title", language, county=county), level=0)
    for sentence in notices(result, language):
        document.add_paragraph(sentence)
    for number, report in enumerate(all_reports(result, language), start=1):
        document.add_page_break()
        document.add_heading(f"{number}  {report.title}", level=1)
        for block in report.blocks:
            if block.heading:
                document.add_heading(block.heading, level=2)
            for sentence in block.sentences:
                document.add_paragraph(sentence)
            if block.table and block.table.rows:
                _document_table(document, block.table)
    document.core_properties.created = document.core_properties.modified = CREATED
    document.core_properties.author = "junheng"
    written = io.BytesIO()
    document.save(written)
    path.write_bytes(_dated(written.getvalue()))
    return path


def _page_and_fonts(document: Any, language: str) -> None:
    """A4 across; a font for Chinese letters in every style, which Word keeps apart from the one for Latin."""
    section = document.sections[0]
    section.orientation = WD_ORIENT.LANDSCAPE
    section.page_width, section.page_height = Pt(842), Pt(595)
    section.left_margin = section.right_margin = section.top_margin = section.bottom_margin = Pt(48)
    for style in document.styles:
        if (
            getattr(style, "font", None) is not None and style.element.find(qn("w:rPr")) is not None
        ) or style.name == "Normal":
            style.font.name = FONT["en"]
            style.element.get_or_add_rPr().get_or_add_rFonts().set(qn("w:eastAsia"), FONT["zh"])
    document.styles["Normal"].font.size = Pt(10.5)


def _document_table(document: Any, table: PageTable) -> None:
    """A table whose headings are repeated on every page and whose rows do not break."""
    lines = [table.head, *table.rows, *([table.foot] if table.foot else [])]
    grid = document.add_table(rows=len(lines), cols=len(table.head))
    grid.style = "Table Grid"
    for element, cells in zip(grid._tbl.tr_lst, lines, strict=True):
        properties = element.get_or_add_trPr()
        properties.append(OxmlElement("w:cantSplit"))
        if cells is table.head:
            properties.append(OxmlElement("w:tblHeader"))
        # row.cells looks through the whole table each time: a thousand rows would take a minute
        for box, cell in zip(element.tc_lst, cells, strict=True):
            part = Paragraph(box.p_lst[0], grid)
            run = part.add_run(cell.text)
            run.font.size = Pt(8.5)
            if cells is table.head or cells is table.foot:
                run.bold = True
            if cell.kind.startswith("n"):
                part.alignment = WD_ALIGN_PARAGRAPH.RIGHT
    document.add_paragraph()


def _dated(content: bytes) -> bytes:
    """The same document with one date on every part."""
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as new:
        for entry in old.infolist():
            part = zipfile.ZipInfo(entry.filename, STAMP)
            part.compress_type = zipfile.ZIP_DEFLATED
            new.writestr(part, old.read(entry.filename))
    return made.getvalue()
