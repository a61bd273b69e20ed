"""`plan.xlsx`: the plan as planners want it, one sheet per question."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd
import xlsxwriter
from xlsxwriter.utility import xl_rowcol_to_cell

from geodata.standards.terms import in_its_words
from maps.dossier.editing import write_editable
from maps.dossier.notices import notices
from maps.dossier.paper import paper
from maps.dossier.tables import Sheet, all_sheets
from maps.lettered import lettered
from maps.wording import word
from models.plan.decisions import PlanResult

CREATED = datetime(2025, 1, 1)
"""A fixed date, so that the same plan gives the same bytes."""
FORMATS = {
    "": "General", "whole": "#,##0", "cv": "0.00", "money": "#,##0.0", "minutes": "0", "ratio": "#,##0.00", "share": "0.0%", "mark": "@",
}  # fmt: skip
"""Number formats by what a column holds; ``number`` is told cell by cell (`_kind`)."""
OF_UNIT = {
    "minutes": "minutes",
    "large": "money",
    "1": "ratio",
    "share": "share",
    "ratio": "ratio",
    "indicators": "whole",
}
WIDEST = 60
"""Width of a column in letters; longer texts stand in several lines."""
COVER = 110
LINE_HIGH = 15.0
"""Points of a line: heights are written, as not every office program finds them by itself."""
BOUNDLESS = "–"
FONT = {"zh": "SimSun", "en": "Calibri"}
LINE = "#A6A6A6"


@dataclass(frozen=True)
class Titles:
    """What stands above a sheet's headings: its title, and a line about plan, data and units."""

    title: str
    about: str


def _width(text: object) -> float:
    """Width in characters; a Chinese one takes two."""
    return sum(2.1 if ord(c) > 0x2E80 else 1.05 for c in str(text))


def lines_in(text: str, wide: float) -> int:
    """Lines that a text takes in a width of so many letters; words that do not fit any more make it a little longer."""
    share = _width(text) / wide
    return 1 if share <= 1 else math.ceil(1.08 * share)


def _cell(value: Any) -> Any:
    """A cell's value: None for what is missing, a dash for what has no end (a goal without a bound)."""
    if value is None or (not isinstance(value, str) and pd.isna(value)):
        return None
    if isinstance(value, float) and math.isinf(value):
        return BOUNDLESS
    return value.item() if hasattr(value, "item") else value


def _kind(kind: str, value: Any, unit: str) -> str:
    """How a number is printed; one of many units as its own unit is, whole where it is whole."""
    if kind != "number":
        return kind
    if unit in OF_UNIT:
        return OF_UNIT[unit]
    return "whole" if not isinstance(value, float) or value == int(value) else "ratio"


def write_sheet(
    book: Any, title: str, sheet: Sheet, styles: dict[str, Any], language: str, titles: Titles | None = None
) -> None:
    """One sheet as a bureau prints it: titles, headings, borders, formats, totals, colours, print area.

    Parameters
    ----------
    book : xlsxwriter.Workbook
    title : str
        On its tab.
    sheet : Sheet
    styles : dict
        Of `styles_of`.
    language : {"zh", "en"}
    titles : Titles or None
        None: the headings stand in the first row.
    """
    page = book.add_worksheet(title)
    table, last = sheet.table, len(sheet.table.columns) - 1
    top = _write_titles(page, titles, last, styles) if titles else 0
    units = sheet.units or [""] * len(table)
    high, head, letters = [1] * len(table), 1, 0.0
    for c, heading in enumerate(table.columns):
        page.write_string(top, c, heading, styles["head"])
        kind = sheet.formats.get(heading, "")
        cells = [_cell(v) for v in table[heading]]
        shown = [_width(v) if isinstance(v, str) else 9 for v in cells]
        wide = min(WIDEST, max([min(_width(heading), 18) + 3, *[w + 2 for w in shown[:400]]]))
        page.set_column(c, c, wide)
        letters += wide
        head = max(head, lines_in(heading, wide))
        high = [
            max(n, lines_in(v, wide - 2)) if isinstance(v, str) else n
            for n, v in zip(high, cells, strict=True)
        ]
        for r, value in enumerate(cells):
            style = styles[_kind(kind, value, units[r])]
            if isinstance(value, str):
                text = style if kind else styles["text"]
                page.write_string(top + 1 + r, c, value, text)  # never a formula, whatever it begins with
            elif value is None:
                page.write_blank(top + 1 + r, c, None, style)
            else:
                page.write_number(top + 1 + r, c, value, style)
    page.set_row(top, LINE_HIGH * head + 4)
    for r in (r for r, lines in enumerate(high) if lines > 1):
        page.set_row(top + 1 + r, LINE_HIGH * high[r])
    end = top + len(table)
    _colours(page, sheet, top, styles, language)
    page.freeze_panes(top + 1, 1 if last > 3 else 0)
    page.autofilter(top, 0, max(top + 1, end), last)
    paper(
        page, language, last, top, end + (1 if _total(page, sheet, end + 1, styles, language) else 0), letters
    )


def _write_titles(page: Any, titles: Titles, last: int, styles: dict[str, Any]) -> int:
    """The two lines above the headings; the row of the headings."""
    page.set_row(0, 28)
    page.write_string(0, 0, titles.title, styles["title"])
    page.write_string(1, 0, titles.about, styles["about"])
    if last > 0:
        page.merge_range(0, 0, 0, last, titles.title, styles["title"])
        page.merge_range(1, 0, 1, last, titles.about, styles["about"])
    return 2


def _total(page: Any, sheet: Sheet, row: int, styles: dict[str, Any], language: str) -> bool:
    """The row of totals, as numbers: a sheet that is sorted or filtered keeps the plan's own."""
    if not sheet.totals or sheet.table.empty:
        return False
    for c, heading in enumerate(sheet.table.columns):
        if c == 0:
            page.write_string(row, c, word("total", language), styles["total"])
        elif heading in sheet.totals:
            kind = sheet.formats.get(heading, "whole")
            page.write_number(
                row, c, sheet.totals[heading], styles["total_" + ("whole" if kind == "number" else kind)]
            )
        else:
            page.write_blank(row, c, None, styles["total"])
    return True


def _colours(page: Any, sheet: Sheet, top: int, styles: dict[str, Any], language: str) -> None:
    """Red for what is unmet, broken or worse; for a number over its limit in the same row."""
    table = sheet.table
    if table.empty:
        return
    end = top + len(table)
    for c, heading in enumerate(table.columns):
        if sheet.formats.get(heading) == "mark":
            for key, style in (
                ("unmet", "bad"),
                ("rule_broken", "bad"),
                ("worse", "bad"),
                ("met", "good"),
                ("better", "good"),
            ):
                rule = {
                    "type": "cell",
                    "criteria": "==",
                    "value": f'"{word(key, language)}"',
                    "format": styles[style],
                }
                page.conditional_format(top + 1, c, end, c, rule)
    columns = list(table.columns)
    for heading, limit in sheet.over:
        c, at = columns.index(heading), columns.index(limit)
        here, there = (xl_rowcol_to_cell(top + 1, k, col_abs=True) for k in (c, at))
        rule = {
            "type": "formula",
            "criteria": f"=AND(ISNUMBER({there}),{here}>{there}+0.0001)",
            "format": styles["bad"],
        }
        page.conditional_format(top + 1, c, end, c, rule)


def _cover(book: Any, result: PlanResult, styles: dict[str, Any], language: str) -> None:
    """Title, notices, and how sure the plan is."""
    county = result.county.name if language == "zh" else result.county.name_en
    said = [word("title", language, county=county), "", *notices(result, language)]
    _told(book, word("sheet_cover", language), said, styles, language)


def _told(book: Any, tab: str, said: list[str], styles: dict[str, Any], language: str) -> None:
    """A first page of sentences, the title first."""
    page = book.add_worksheet(tab)
    page.set_column(0, 0, COVER)
    for row, text in enumerate(said):
        page.write_string(row, 0, text, styles["title" if row == 0 else "note"])
        page.set_row(row, 28 if row == 0 else LINE_HIGH * lines_in(text, COVER) + 3)
    paper(page, language, 0, 0, len(said) - 1)


def styles_of(book: Any) -> dict[str, Any]:
    """The formats that every workbook shares."""
    line = {"border": 1, "border_color": LINE, "valign": "vcenter"}
    styles = {k: book.add_format({"num_format": f, **line}) for k, f in FORMATS.items()}
    total = {"bold": True, "bg_color": "#F2F2F2", **line}
    styles |= {f"total_{k}": book.add_format({"num_format": f, **total}) for k, f in FORMATS.items() if k}
    styles["total"] = book.add_format(total)
    styles["head"] = book.add_format(
        {"bold": True, "bg_color": "#DCE6F1", "text_wrap": True, "align": "center", **line}
    )
    styles["title"] = book.add_format({"bold": True, "font_size": 16, "align": "center", "valign": "vcenter"})
    styles["about"] = book.add_format({"font_size": 10, "align": "right", "font_color": "#595959"})
    styles["text"] = book.add_format({"indent": 1, "text_wrap": True, **line})
    styles["note"] = book.add_format({"text_wrap": True, "valign": "top"})
    styles["bad"] = book.add_format({"bg_color": "#F8CBAD", "font_color": "#9C0006"})
    styles["good"] = book.add_format({"bg_color": "#E2EFDA"})
    return styles


@contextmanager
def opened(path: Path, title: str, language: str) -> Iterator[xlsxwriter.Workbook]:
    """A workbook in the language's font, without formulas or links made of names, the same bytes each time."""
    options = {
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "default_format_properties": {"font_name": FONT[language], "font_size": 11},
    }
    with xlsxwriter.Workbook(path, options) as book:
        book.set_properties({"created": CREATED, "title": title})
        yield book


def write_told(
    path: Path, county: str, language: str, said: tuple[str, list[str]], sheets: Iterable[tuple[str, Sheet]]
) -> None:
    """A study's workbook: a first page of sentences, then its tables.

    Parameters
    ----------
    path : Path
    county : str
    language : {"zh", "en"}
    said : (str, list of str)
        Name of the first page and its lines, the title first.
    sheets : iterable of (str, Sheet)
        Name and table.
    """
    with opened(path, county, language) as book:
        styles = styles_of(book) | {"fine": book.add_format({"num_format": "0.0000"})}
        _told(book, said[0], said[1], styles, language)
        for title, sheet in sheets:
            above = Titles(f"{said[1][0]} · {title}", word("units_told", language))
            write_sheet(book, title, sheet, styles, language, above)


@in_its_words
def write_workbook(result: PlanResult, path: Path, language: str = "zh", editable: bool = True) -> Path:
    """Write ``plan.xlsx``.

    Parameters
    ----------
    result : PlanResult
    path : Path
    language : {"zh", "en"}
    editable : bool
        With the sheets for editing and the ledger.

    Returns
    -------
    Path
    """
    result = lettered(result, language)
    with opened(path, result.county.name, language) as book:
        styles = styles_of(book)
        _cover(book, result, styles, language)
        about = word("sheet_about", language, plan=result.plan.plan_id, year=result.county.year)
        for sheet in all_sheets(result, language):
            title = word(f"sheet_{sheet.key}", language)
            county = result.county.name if language == "zh" else result.county.name_en or result.county.name
            write_sheet(
                book,
                title,
                sheet,
                styles,
                language,
                Titles(word("sheet_title", language, county=county, sheet=title), about),
            )
        if editable:
            write_editable(book, result, styles, language)
    return path
