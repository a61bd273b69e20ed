"""``reports.docx``: the twelve reports as a document that a bureau may edit, set in its own template."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from docx.shared import Emu
from docxtpl import DocxTemplate
from jinja2.sandbox import SandboxedEnvironment

from geodata.standards.terms import in_its_words
from maps.dossier.notices import notices
from maps.dossier.workbook import CREATED
from maps.front.text import PageCell, PageTable
from maps.lettered import lettered
from maps.reports.letterhead import REPORTS, dated, default_letterhead
from maps.reports.report import OfficialReport
from maps.reports.twelve import all_reports
from maps.wording import word
from models.plan.decisions import PlanResult

DRAWN = {"layout": "layout", "teachers": "teachers", "ways": "travel"}
"""Reports that have a map, by the sheet of `maps.paper.atlas`."""
SIZE = 17
"""Half points of a table's letters; wide ones are set smaller."""
NARROW = {10: 16, 12: 15}
TO_FILL = 14.0
"""Width of a column that people fill in with a pen."""
TOGETHER = 3
"""First rows of a table that stay on the page of its heading."""
LINE, LEAST_MAP = 12700 * 20, 12700 * 300
"""Height that a line of a report's sentences takes, and the least that a map is drawn in beside them (EMU)."""
A_LINE = 130
"""Letters in a line of sentences, Chinese ones counted twice."""
MOST_CHARACTERS = 26
"""Beyond it a column grows no wider: its cells are set in several lines."""


@in_its_words
def write_reports_document(
    result: PlanResult,
    path: Path,
    language: str = "zh",
    template: bytes | None = None,
    pictures: Mapping[str, Path] | None = None,
    reports: list[OfficialReport] | None = None,
    only: str | None = None,
) -> Path:
    """``reports.docx``: the reports as a document that a bureau may edit.

    Parameters
    ----------
    result : PlanResult
    path : Path
    language : {"zh", "en"}
    template : bytes or None
        A bureau's own, as `maps.reports.letterhead.read_letterhead` returns it; None takes the program's.
    pictures : mapping or None
        PNG by the sheet of the atlas; a map that could not be drawn is left out.
    reports : list of OfficialReport or None
        The twelve, where they are made already.
    only : str or None
        One of `maps.reports.letterhead.REPORTS`: a document of that report alone, under its number; None takes all.

    Returns
    -------
    Path

    Raises
    ------
    ValueError
        For a report that there is not.
    """
    result = lettered(result, language)
    if only is not None and only not in REPORTS:
        raise ValueError(f"no report {only!r}: {', '.join(REPORTS)}")
    wanted = [(n, k) for n, k in enumerate(REPORTS, start=1) if only in (None, k)]
    book = DocxTemplate(io.BytesIO(template or default_letterhead(language)))
    told = {r.id: r for r in reports or all_reports(result, language)}
    asked = book.get_undeclared_template_variables()
    county = result.county.name if language == "zh" else result.county.name_en or result.county.name
    parts: dict[str, Any] = {
        "title": word("title", language, county=county), "county": county, "year": result.county.year,
        "plan": result.plan.plan_id, "draft": word("draft_mark", language),
    }  # fmt: skip
    parts = {k: escape(str(v)) for k, v in parts.items()}
    if "notices" in asked:
        parts["notices"] = _Xml("".join(_paragraph(t) for t in notices(result, language)))
    drawn = {r: p for r, sheet in DRAWN.items() if (p := (pictures or {}).get(sheet)) and p.is_file()}
    for number, key in wanted:
        if f"report_{key}" in asked:
            parts[f"report_{key}"] = _report(book, told[key], number, drawn.get(key))
    if "reports" in asked:
        every = (_report(book, told[k], n, drawn.get(k)) for n, k in wanted)
        parts["reports"] = _Xml("".join(map(str, every)))
    book.render(parts, SandboxedEnvironment())
    book.docx.core_properties.created = book.docx.core_properties.modified = CREATED
    written = io.BytesIO()
    book.save(written)
    path.write_bytes(dated(written.getvalue()))
    return path


class _Xml:
    """Markup of Word that a template puts in as it is."""

    def __init__(self, xml: str):
        self._xml = xml

    def __html__(self) -> str:
        return self._xml

    __str__ = __html__


def _report(book: DocxTemplate, report: OfficialReport, number: int, picture: Path | None) -> _Xml:
    """Heading, map, and for each part its heading, sentences and table."""
    made = [_paragraph(f"{number}  {report.title}", _style_id(book, "Heading 1"))]
    for k, block in enumerate(report.blocks):
        if block.heading:
            made.append(_paragraph(block.heading, _style_id(book, "Heading 2")))
        made += [_paragraph(s) for s in block.sentences]
        if k == 0 and picture is not None:
            made.append(_picture(book, picture, report.title, sum(map(_lines, block.sentences))))
        if block.table and block.table.rows:
            made += [_table(block.table, _width(book), _style_id(book, "Table Grid")), _paragraph("")]
    return _Xml("".join(made))


def _style_id(book: DocxTemplate, name: str) -> str:
    """The id of a style by its name, which a bureau's own document may number otherwise; empty without it."""
    found = [s.style_id for s in book.get_docx().styles if s.name == name]
    return found[0] if found else ""


def _width(book: DocxTemplate) -> int:
    """Twentieths of a point between the margins of the first section."""
    section = book.get_docx().sections[0]
    return int((section.page_width - section.left_margin - section.right_margin) / 635)


def _paragraph(text: str, style: str = "") -> str:
    look = f'<w:pPr><w:pStyle w:val="{style}"/></w:pPr>' if style else ""
    return f'<w:p>{look}<w:r><w:t xml:space="preserve">{_text(text)}</w:t></w:r></w:p>'


def _text(text: str) -> str:
    """Text as Word's XML holds it: escaped, without control characters, which no XML has."""
    return escape("".join(c for c in text if c >= " " or c == "\t"))


def _lines(sentence: str) -> int:
    """About how many lines a sentence takes."""
    return -(-sum(2 if ord(c) > 0x2E80 else 1 for c in sentence) // A_LINE)


def _picture(book: DocxTemplate, picture: Path, about: str, lines: int) -> str:
    """A map as wide as fits between the margins and as high as leaves room for the heading and so many lines.

    Where too little room would be left, it has a page of its own.
    """
    section = book.get_docx().sections[0]
    wide = section.page_width - section.left_margin - section.right_margin
    high = section.page_height - section.top_margin - section.bottom_margin - Emu(12700 * 66)
    beside = high - lines * LINE
    high = beside if beside >= LEAST_MAP else high
    part = book.get_docx().part
    inline = part.new_pic_inline(str(picture), width=wide)
    if inline.extent.cy > high:
        inline = part.new_pic_inline(str(picture), height=high)
    inline.docPr.set("descr", about)
    inline.docPr.set("name", picture.stem)
    xml = inline.xml
    return f'<w:p><w:pPr><w:jc w:val="center"/></w:pPr><w:r><w:drawing>{xml}</w:drawing></w:r></w:p>'


def _weights(table: PageTable) -> list[float]:
    """Widths of the columns by their longest text, Chinese letters counted twice."""

    def long(text: str) -> float:
        return sum(2.0 if ord(c) > 0x2E80 else 1.1 for c in text)

    rows = (*table.rows[:400], *((table.foot,) if table.foot else ()))
    wide = []
    for c, head in enumerate(table.head):
        inner = max((long(r[c].text) for r in rows), default=0.0)
        word = max((long(w) for w in head.text.split()), default=0.0)  # a heading breaks between words only
        least = max(long(head.text) / 2, min(word, 14.0) * 1.15, 4.0 if inner else TO_FILL)
        wide.append(min(max(inner, least), MOST_CHARACTERS * 2.0) + 1.5)
    return wide


def _table(table: PageTable, width: int, style: str) -> str:
    """A table as wide as the page: its heading stands on every page, its rows do not break."""
    weights = _weights(table)
    widths = [int(width * w / sum(weights)) for w in weights]
    size = next((s for many, s in sorted(NARROW.items(), reverse=True) if len(widths) >= many), SIZE)
    look = f'<w:tblStyle w:val="{style}"/>' if style else ""
    made = [
        f'<w:tbl><w:tblPr>{look}<w:tblW w:w="{width}" w:type="dxa"/>{BORDERS}<w:tblLayout w:type="fixed"/>{MARGINS}</w:tblPr>',
        "<w:tblGrid>" + "".join(f'<w:gridCol w:w="{w}"/>' for w in widths) + "</w:tblGrid>",
    ]
    lines = [(table.head, "head"), *((r, "") for r in table.rows)]
    lines += [(table.foot, "foot")] if table.foot else []
    last = len(lines) - 1
    for at, (cells, kind) in enumerate(lines):
        keep = at < min(TOGETHER, last) or (bool(table.foot) and at == last - 1)
        head = "<w:tblHeader/>" if kind == "head" else ""
        made.append(f"<w:tr><w:trPr><w:cantSplit/>{head}</w:trPr>")
        made += [_cell(cell, w, size, kind, keep) for cell, w in zip(cells, widths, strict=True)]
        made.append("</w:tr>")
    return "".join(made) + "</w:tbl>"


SIDES = ("top", "left", "bottom", "right", "insideH", "insideV")
BORDERS = "<w:tblBorders>" + "".join(f'<w:{s} w:val="single" w:sz="4" w:color="666666"/>' for s in SIDES) + "</w:tblBorders>"  # fmt: skip
MARGINS = '<w:tblCellMar><w:left w:w="50" w:type="dxa"/><w:right w:w="50" w:type="dxa"/></w:tblCellMar>'


def _cell(cell: PageCell, width: int, size: int, kind: str, keep_next: bool = False) -> str:
    """One cell; numbers stand right, what is bad is bold, so that it shows in grey; rows that stay with the next say so."""
    bold = "<w:b/>" if kind or "bad" in cell.kind.split() else ""
    side = "center" if kind == "head" else "right" if cell.kind.startswith("n") else "left"
    shade = '<w:shd w:val="clear" w:color="auto" w:fill="E7ECF2"/>' if kind == "head" else ""
    keep = "<w:keepNext/>" if keep_next else ""
    return (
        f'<w:tc><w:tcPr><w:tcW w:w="{width}" w:type="dxa"/>{shade}<w:vAlign w:val="center"/></w:tcPr>'
        f'<w:p><w:pPr>{keep}<w:spacing w:before="10" w:after="10"/><w:jc w:val="{side}"/></w:pPr>'
        f'<w:r><w:rPr>{bold}<w:sz w:val="{size}"/><w:szCs w:val="{size}"/></w:rPr><w:t xml:space="preserve">{_text(cell.text)}</w:t></w:r></w:p></w:tc>'
    )
