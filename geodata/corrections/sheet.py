"""The correction sheet as a workbook: the numbers used, room for what is right, why, by what evidence, who, when.

Everything but the marked cells is protected (without a password); places can be filtered. The last, hidden column says which
cell of which table a row is about.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import xlsxwriter

from geodata.contract.columns import Table
from geodata.contract.county import County
from geodata.contract.declared import declared_tables
from geodata.corrections.cells import MINUTES, UsedCell
from geodata.messages import LANGUAGES, catalogue, in_terms, say
from geodata.standards.terms import county_terms
from geodata.workbook.forms import MADE

SHEET_COLUMNS = (
    "place",
    "table",
    "row",
    "column",
    "unit",
    "used",
    "should",
    "reason",
    "evidence",
    "who",
    "date",
    "address",
)
TO_FILL = ("should", "reason", "evidence", "who", "date")
WIDTHS = (26, 18, 30, 24, 10, 12, 14, 26, 30, 14, 13, 4)
REASONS = ("miscounted", "outdated", "moved", "other")
EARLIEST = date(2000, 1, 1)


def correction_titles() -> dict[str, str]:
    """The sheet's title by language."""
    return {language: say("corrections.sheet", language) for language in LANGUAGES}


def title_of(column: str, language: str) -> str:
    """A column's heading."""
    return say(f"corrections.col_{column}", language)


def write_correction_sheet(
    path: Path, county: County, cells: list[UsedCell], language: str = "zh", about: str = ""
) -> None:
    """Write the workbook.

    Parameters
    ----------
    path : Path
    county : County
    cells : list of UsedCell
        `geodata.corrections.cells.used_cells`.
    language : {"zh", "en"}
    about : str
        What it belongs to, for instance a plan.
    """
    with in_terms(county_terms(county)), xlsxwriter.Workbook(str(path)) as book:
        book.set_properties({"title": "junheng", "created": MADE})
        looks = {
            "head": book.add_format({"bold": True, "bg_color": "#1f4e79", "font_color": "white", "border": 1, "text_wrap": True}),
            "plain": book.add_format({"border": 1, "border_color": "#d9d9d9", "text_wrap": True, "valign": "top"}),
            "fill": book.add_format({"bg_color": "#fff2cc", "border": 1, "border_color": "#d9d9d9", "locked": False, "text_wrap": True, "valign": "top"}),
            "date": book.add_format({"bg_color": "#fff2cc", "border": 1, "border_color": "#d9d9d9", "locked": False, "num_format": "yyyy-mm-dd", "valign": "top"}),
            "wrap": book.add_format({"text_wrap": True, "valign": "top"}),
        }  # fmt: skip
        _numbers(book, looks, county, cells, language)
        page = book.add_worksheet(say("corrections.guide", language))
        page.set_column(0, 0, 100)
        lines = [say("corrections.about", language), about, county.name, county.content_hash]
        for n, text in enumerate(t for t in lines if t):
            page.write_string(n, 0, text, looks["wrap"])
        page.protect("")


def _numbers(book: Any, looks: dict[str, Any], county: County, cells: list[UsedCell], language: str) -> None:
    page = book.add_worksheet(correction_titles()[language])
    contracts = declared_tables(county.norms)
    for c, (name, width) in enumerate(zip(SHEET_COLUMNS, WIDTHS, strict=True)):
        page.write_string(0, c, title_of(name, language), looks["head"])
        page.set_column(c, c, width, None, {"hidden": name == "address"})
    names = _Names(county, language)
    for r, cell in enumerate(cells, start=1):
        column = next(c for c in contracts[cell.table].columns if c.name == cell.column)
        texts = {
            "place": names.place(cell.kind, cell.place_id), "table": names.table(contracts[cell.table]), "row": names.row(cell),
            "column": column.zh if language == "zh" else column.name.replace("_", " "), "unit": names.unit(column.unit),
            "address": cell.address,
        }  # fmt: skip
        for c, name in enumerate(SHEET_COLUMNS):
            if name in TO_FILL:
                page.write_blank(r, c, None, looks["date" if name == "date" else "fill"])
            elif name == "used" and cell.value:
                page.write_number(r, c, float(cell.value), looks["plain"])
            else:
                page.write_string(r, c, texts.get(name, ""), looks["plain"])
        at = SHEET_COLUMNS.index("should")
        page.data_validation(
            r,
            at,
            r,
            at,
            {"validate": "decimal", "criteria": "between", "minimum": column.low, "maximum": column.high},
        )
    last = max(1, len(cells))
    _offer(page, last, language)
    page.freeze_panes(1, 1)
    page.autofilter(0, 0, last, len(SHEET_COLUMNS) - 1)
    page.protect("", {"autofilter": True, "sort": True, "format_columns": True, "format_rows": True})
    page.set_landscape()
    page.fit_to_pages(1, 0)
    page.repeat_rows(0)
    page.set_header(f"&C&14{correction_titles()[language]}")


def _offer(page: Any, last: int, language: str) -> None:
    """Drop-down of reasons (others may be written), dates that are dates."""
    reasons = [say(f"corrections.reason_{r}", language) for r in REASONS]
    at = SHEET_COLUMNS.index("reason")
    page.data_validation(1, at, last, at, {"validate": "list", "source": reasons, "error_type": "warning"})
    at = SHEET_COLUMNS.index("date")
    page.data_validation(1, at, last, at, {"validate": "date", "criteria": ">=", "value": EARLIEST})


class _Names:
    """Ids in words."""

    def __init__(self, county: County, language: str):
        self.county, self.language, self.words = county, language, catalogue(language)
        self.of = {
            "school": dict(zip(county.schools["school_id"], county.schools["name"], strict=True)),
            "village": dict(zip(county.villages["village_id"], county.villages["name"], strict=True)),
        }

    def place(self, kind: str, key: str) -> str:
        """``name [id]``."""
        name = self.of[kind].get(key)
        return f"{name} [{key}]" if name else key

    def table(self, table: Table) -> str:
        """A table's title."""
        if table.name == MINUTES:
            return say("corrections.way", self.language)
        return table.zh if self.language == "zh" else table.name.replace("_", " ")

    def unit(self, unit: str) -> str:
        """A unit as it is printed."""
        return self.words.get(f"rules.unit_{unit}", unit)

    def row(self, cell: UsedCell) -> str:
        """What tells the rows of a place apart."""
        parts = []
        for column, value in cell.key:
            if (column, value) == (f"{cell.kind}_id", cell.place_id) or not value:
                continue
            parts.append(self._part(column, value))
        return " · ".join(parts)

    def _part(self, column: str, value: str) -> str:
        if column in ("school_id", "village_id"):
            return self.place(column.removesuffix("_id"), value)
        room = {
            "stage": "workbook.stage_",
            "band": "workbook.band_",
            "mode": "workbook.mode_",
            "cat_id": "rules.category_",
        }
        own = self.county.scheme.name(value, self.language) if column in ("stage", "band") else None
        known = own or self.words.get(f"{room[column]}{value}", value) if column in room else None
        return known or say(
            "corrections.grade" if column == "grade" else "corrections.key", self.language, value=value
        )
