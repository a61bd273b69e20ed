"""The template of the reports' document: the one that comes with the program, and the one of a bureau.

A template is a Word document with tags (docxtpl, Jinja): ``{{ county }}`` stands for a text, ``{{p reports }}`` in
a paragraph of its own for a part. A bureau changes fonts, margins, heads and feet, or the order of the reports.
"""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import docx
from docx.enum.section import WD_ORIENT
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Pt, RGBColor
from docxtpl import DocxTemplate
from jinja2.exceptions import TemplateError

from geodata.contract.findings import Finding, InputProblems
from maps.dossier.workbook import CREATED
from maps.reports.report import report_word

REPORTS = (
    "layout", "closures", "matrix", "spread", "teachers", "devices", "ways", "years", "risks", "problems", "comparison",
    "quality",
)  # fmt: skip
"""Ids of the twelve reports in their order; each is a part of its own in a template."""
TEXTS = ("title", "county", "year", "plan", "draft")
PARTS = ("notices", "reports", *(f"report_{r}" for r in REPORTS))
"""What a template may ask for, in a paragraph of its own."""
BODY, HEADINGS, LATIN = "SimSun", "SimHei", "Times New Roman"
"""Fonts that official documents are set in and every office program in China has."""
STAMP = (2025, 1, 1, 0, 0, 0)
"""The date of every part of a document, so that the same plan gives the same bytes."""


def default_letterhead(language: str) -> bytes:
    """The template that comes with the program: A4 across, a first page, page numbers.

    Parameters
    ----------
    language : {"zh", "en"}

    Returns
    -------
    bytes
        A ``.docx``.
    """
    document = docx.Document()
    section = document.sections[0]
    section.orientation = WD_ORIENT.LANDSCAPE
    section.page_width, section.page_height = Pt(841.9), Pt(595.3)
    section.left_margin = section.right_margin = Pt(54)
    section.top_margin, section.bottom_margin = Pt(60), Pt(54)
    for style in document.styles:
        if style.name in ("Normal", "Title", "Heading 1", "Heading 2", "Header", "Footer"):
            _fonts(style, HEADINGS if style.name.startswith(("Title", "Heading")) else BODY)
    _spoken(document, language)
    normal = document.styles["Normal"]
    normal.font.size = Pt(11)
    normal.paragraph_format.space_after = Pt(4)
    for name, size in (("Title", 24), ("Heading 1", 17), ("Heading 2", 12.5)):
        style = document.styles[name]
        style.font.size, style.font.bold, style.font.color.rgb = Pt(size), True, RGBColor(0, 0, 0)
        style.paragraph_format.keep_with_next = True
        for border in style.element.findall(f".//{qn('w:pBdr')}"):
            border.getparent().remove(border)
    document.styles["Heading 1"].paragraph_format.page_break_before = True
    _texts(document, section, language)
    document.core_properties.created = document.core_properties.modified = CREATED
    document.core_properties.author = "junheng"
    written = io.BytesIO()
    document.save(written)
    return dated(written.getvalue())


def _texts(document: Any, section: Any, language: str) -> None:
    """First page, head and foot, with the tags."""
    title = document.add_paragraph("{{ title }}", style="Title")
    title.alignment = WD_ALIGN_PARAGRAPH.CENTER
    title.paragraph_format.space_before = Pt(90)
    draft = document.add_paragraph()
    draft.alignment = WD_ALIGN_PARAGRAPH.CENTER
    run = draft.add_run("{{ draft }}")
    run.bold, run.font.size = True, Pt(14)
    about = document.add_paragraph(
        report_word("letter_about", language, year="{{ year }}", plan="{{ plan }}")
    )
    about.alignment = WD_ALIGN_PARAGRAPH.CENTER
    about.paragraph_format.space_after = Pt(40)
    document.add_paragraph("{{p notices }}")
    document.add_paragraph("{{p reports }}")
    section.header.paragraphs[0].text = "{{ title }} · {{ draft }}"
    foot = section.footer.paragraphs[0]
    foot.alignment = WD_ALIGN_PARAGRAPH.CENTER
    run = foot.add_run()
    for kind, text in (("begin", ""), ("", " PAGE "), ("end", "")):
        part = OxmlElement("w:fldChar" if kind else "w:instrText")
        if kind:
            part.set(qn("w:fldCharType"), kind)
        else:
            part.text = text
        run._r.append(part)


def _spoken(document: Any, language: str) -> None:
    """The languages of the text: office programs take the shapes and places of Chinese marks from it."""
    for tongue in document.styles.element.iter(qn("w:lang")):
        tongue.set(qn("w:eastAsia"), "zh-CN")
        tongue.set(qn("w:val"), "zh-CN" if language == "zh" else "en-US")


def _fonts(style: Any, chinese: str) -> None:
    """A font for Latin letters and one for Chinese ones, which Word keeps apart; those of the theme are taken away."""
    style.font.name = LATIN
    fonts = style.element.get_or_add_rPr().get_or_add_rFonts()
    for theme in ("w:asciiTheme", "w:hAnsiTheme", "w:eastAsiaTheme", "w:cstheme"):
        fonts.attrib.pop(qn(theme), None)
    fonts.set(qn("w:eastAsia"), chinese)
    fonts.set(qn("w:hAnsi"), LATIN)


def read_letterhead(path: Path) -> bytes:
    """A bureau's template, known to be one before anything long begins.

    Parameters
    ----------
    path : Path

    Returns
    -------
    bytes

    Raises
    ------
    InputProblems
        If it cannot be read, is no Word document, has a tag that nothing fills, or asks for no report.
    """

    def refused(key: str, **fields: object) -> InputProblems:
        return InputProblems([Finding("error", f"reports.{key}", fields, file=str(path))])

    try:
        content = path.read_bytes()
        template = DocxTemplate(io.BytesIO(content))
        asked = template.get_undeclared_template_variables()
    except OSError as problem:
        raise refused("letter_unread", why=problem.strerror or str(problem)) from None
    except TemplateError as problem:
        raise refused("letter_tag", why=str(problem)) from None
    except Exception:  # zipfile, lxml and python-docx each raise kinds of their own for what is no document
        raise refused("letter_no_document") from None
    if unknown := sorted(asked - {*TEXTS, *PARTS}):
        raise refused("letter_unknown", tags=", ".join(unknown), known=", ".join((*TEXTS, *PARTS)))
    if not any(part.startswith("report") for part in asked):
        raise refused("letter_empty")
    return content


def dated(content: bytes) -> bytes:
    """The same document with one date on every part."""
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as new:
        for entry in old.infolist():
            part = zipfile.ZipInfo(entry.filename, STAMP)
            part.compress_type = zipfile.ZIP_DEFLATED
            new.writestr(part, old.read(entry.filename))
    return made.getvalue()
