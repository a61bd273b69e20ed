"""`plan.xlsx`: the plan as planners want it, one sheet per question."""

from __future__ import annotations

import math
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd
import xlsxwriter

from maps.dossier.editing import write_editable
from maps.dossier.notices import notices
from maps.dossier.tables import Sheet, all_sheets
from maps.wording import word
from models.plan.decisions import PlanResult

CREATED = datetime(2025, 1, 1)
"""A fixed date, so that the same plan gives the same bytes."""
FORMATS = {
    "whole": "#,##0", "cv": "0.00", "money": "#,##0.0", "minutes": "0", "ratio": "#,##0.00", "number": "#,##0.##", "mark": "@",
}  # fmt: skip
WIDEST = 60
BOUNDLESS = "–"


def _width(text: object) -> float:
    """Width in characters; a Chinese one takes two."""
    return sum(2.1 if ord(c) > 0x2E80 else 1.05 for c in str(text))


def _cell(value: Any) -> Any:
    """A cell's value: None for what is missing, a dash for what has no end (a goal without a bound)."""
    if value is None or (not isinstance(value, str) and pd.isna(value)):
        return None
    if isinstance(value, float) and math.isinf(value):
        return BOUNDLESS
    return value.item() if hasattr(value, "item") else value


def write_sheet(book: Any, title: str, sheet: Sheet, styles: dict[str, Any], language: str) -> None:
    """One sheet with its headings, formats, widths and filter."""
    page = book.add_worksheet(title)
    table = sheet.table
    for c, heading in enumerate(table.columns):
        page.write_string(0, c, heading, styles["head"])
        style = styles.get(sheet.formats.get(heading, ""))
        cells = [_cell(v) for v in table[heading]]
        for r, value in enumerate(cells, start=1):
            if isinstance(value, str):
                page.write_string(r, c, value, style)  # never a formula, whatever it begins with
            elif value is not None:
                page.write_number(r, c, value, style)
        shown = [_width(v) if isinstance(v, str) else 9 for v in cells[:400]]
        page.set_column(c, c, min(WIDEST, max([_width(heading) + 3, *[w + 1 for w in shown]])))
        if sheet.formats.get(heading) == "mark" and len(table):
            bad = {
                "type": "cell",
                "criteria": "==",
                "value": f'"{word("unmet", language)}"',
                "format": styles["bad"],
            }
            page.conditional_format(1, c, len(table), c, bad)
    page.freeze_panes(1, 0)
    page.autofilter(0, 0, max(1, len(table)), len(table.columns) - 1)
    page.set_landscape()
    page.set_paper(8)  # A3
    page.fit_to_pages(1, 0)
    page.repeat_rows(0)


def _cover(book: Any, result: PlanResult, styles: dict[str, Any], language: str) -> None:
    """Title, notices, and how sure the plan is."""
    page = book.add_worksheet(word("sheet_cover", language))
    county = result.county.name if language == "zh" else result.county.name_en
    page.set_column(0, 0, 120)
    page.write_string(0, 0, word("title", language, county=county), styles["title"])
    for row, text in enumerate(notices(result, language), start=2):
        page.write_string(row, 0, text)


def styles_of(book: Any) -> dict[str, Any]:
    """The formats that every workbook shares."""
    styles = {k: book.add_format({"num_format": f}) for k, f in FORMATS.items()}
    styles["head"] = book.add_format(
        {"bold": True, "bg_color": "#DCE6F1", "bottom": 1, "text_wrap": True, "valign": "top"}
    )
    styles["title"] = book.add_format({"bold": True, "font_size": 16})
    styles["bad"] = book.add_format({"bg_color": "#F8CBAD"})
    return styles


def write_workbook(result: PlanResult, path: Path, language: str = "zh") -> Path:
    """Write ``plan.xlsx``.

    Parameters
    ----------
    result : PlanResult
    path : Path
    language : {"zh", "en"}

    Returns
    -------
    Path
    """
    with xlsxwriter.Workbook(path, {"strings_to_formulas": False, "strings_to_urls": False}) as book:
        book.set_properties({"created": CREATED, "title": result.county.name})
        styles = styles_of(book)
        _cover(book, result, styles, language)
        for sheet in all_sheets(result, language):
            write_sheet(book, word(f"sheet_{sheet.key}", language), sheet, styles, language)
        write_editable(book, result, styles, language)
    return path
