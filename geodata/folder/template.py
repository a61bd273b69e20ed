"""A workbook to fill in: a sheet per table, headings with notes, drop-downs, ranges; empty.

Made from the contract in `geodata.contract.tables` alone, so that it can never ask for another column than
reading wants. `read_county` reads the filled workbook as it is (``workbook = "..."`` in county.toml).
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import xlsxwriter
from xlsxwriter.utility import xl_col_to_name

from geodata.contract.findings import Finding, InputProblems
from geodata.contract.tables import TABLES, Column, Table
from geodata.folder.target import claim
from geodata.messages import catalogue, say

ROWS = 5000
"""Rows with drop-downs and checks; a county has a few thousand at most in one table."""
POINTS_AT = {("schools", "parent_id"): ("schools", "school_id")}
"""Ids that stay optional and so are in no contract, but have a drop-down."""
MADE = datetime(2000, 1, 1)  # the same template is the same file


def refuse_workbook(path: Path) -> None:
    """Refuse a name that is taken or does not end in .xlsx; nothing is ever overwritten.

    Raises
    ------
    InputProblems
    """
    if path.suffix.lower() != ".xlsx":
        raise InputProblems([Finding("error", "template.suffix", file=str(path))])
    if path.exists():
        raise InputProblems([Finding("error", "template.exists", file=str(path))])


def write_template(path: Path, language: str = "zh") -> Path:
    """The empty workbook.

    Parameters
    ----------
    path : Path
        Ends in .xlsx; must not exist.
    language : {"zh", "en"}
        Language of sheet names, headings and notes; both are read.

    Returns
    -------
    Path

    Raises
    ------
    InputProblems
        The file exists, or the name does not end in .xlsx.
    """
    refuse_workbook(path)
    with claim(path) as target:
        target.new_file(lambda draft: _write(draft, language))
    return path


def _write(path: Path, language: str) -> None:
    with xlsxwriter.Workbook(str(path)) as book:
        book.set_properties({"title": "junheng", "created": MADE})
        looks = {
            "must": book.add_format(
                {"bold": True, "bg_color": "#1f4e79", "font_color": "white", "border": 1}
            ),
            "may": book.add_format({"bold": True, "bg_color": "#d9e2ec", "border": 1}),
            "text": book.add_format({"num_format": "@"}),
            "wrap": book.add_format({"text_wrap": True, "valign": "top"}),
            "title": book.add_format({"bold": True, "font_size": 14}),
        }
        _guide(book, looks, language)
        for table in TABLES.values():
            _sheet(book, looks, table, language)


def sheet_name(table: Table, language: str) -> str:
    """Name of a table's sheet in a language; both are known to reading."""
    return table.zh if language == "zh" else table.name


def _guide(book: Any, looks: dict[str, Any], language: str) -> None:
    """First sheet: how to fill it in, and what each sheet holds."""
    page = book.add_worksheet(say("template.guide", language))
    page.set_column(0, 0, 26)
    page.set_column(1, 1, 90)
    page.write(0, 0, say("template.title", language), looks["title"])
    lines = [text for key, text in catalogue(language).items() if key.startswith("template.line_")]
    for row, line in enumerate(lines, 2):
        page.write(row, 1, line, looks["wrap"])
    for row, table in enumerate(TABLES.values(), len(lines) + 3):
        name = sheet_name(table, language)
        page.write_url(row, 0, f"internal:'{name}'!A1", string=name)
        need = say("template.required" if table.required else "template.optional", language)
        page.write(row, 1, f"{table.code}  {need}", looks["wrap"])


def _sheet(book: Any, looks: dict[str, Any], table: Table, language: str) -> None:
    page = book.add_worksheet(sheet_name(table, language))
    page.freeze_panes(1, 1)
    for at, column in enumerate(table.columns):
        heading = column.zh if language == "zh" else column.name
        page.write_string(0, at, heading, looks["must" if column.required else "may"])
        page.write_comment(
            0, at, note(table, column, language), {"x_scale": 2, "y_scale": 1.6, "author": "junheng"}
        )
        wide = sum(2 if ord(c) > 255 else 1 for c in heading)
        # ids are text from the start: a number format would drop their leading zeros
        page.set_column(at, at, max(10, wide + 3), looks["text"] if column.kind == "text" else None)
        rule = _rule(table, column, language)
        if rule:
            page.data_validation(1, at, ROWS, at, rule)


def choices(column: Column, language: str) -> list[str]:
    """What a drop-down offers: Chinese words, which reading understands, or the codes themselves."""
    if language != "zh":
        return list(column.choices)
    return [catalogue(language).get(f"template.word_{column.name}_{c}", c) for c in column.choices]


def gloss(column: Column, language: str) -> str:
    """What each choice of a column means: ``primary = 小学``."""
    words = catalogue(language)
    return "; ".join(
        f"{c} = {words[key]}" if (key := f"template.word_{column.name}_{c}") in words else c
        for c in column.choices
    )


def note(table: Table, column: Column, language: str) -> str:
    """What to fill in, as the note on a heading: need, kind, unit, range, choices, reference, default."""
    lines = [
        say("template.required" if column.required else "template.optional", language),
        say(f"template.kind_{column.kind}", language),
    ]
    if column.unit:
        lines.append(say("template.unit", language, unit=column.unit))
    if column.kind in ("whole", "number"):
        lines.append(say("template.range", language, low=f"{column.low:,.0f}", high=f"{column.high:,.0f}"))
    if column.choices:
        lines.append(gloss(column, language))
    target = _target(table, column)
    if target is not None:
        lines.append(say("template.from_sheet", language, sheet=sheet_name(TABLES[target[0]], language)))
    if column.name in table.key:
        lines.append(say("template.key", language))
    if not column.required and column.default not in (None, ""):
        lines.append(say("template.default", language, default=column.default))
    return "\n".join(lines)


def _target(table: Table, column: Column) -> tuple[str, str] | None:
    for name, target, key in table.refers:
        if name == column.name:
            return target, key
    return POINTS_AT.get((table.name, column.name))


def _rule(table: Table, column: Column, language: str) -> dict[str, Any] | None:
    """Excel's own check of a column's cells."""
    title = say("template.error_title", language)
    if column.choices:
        listed = choices(column, language)
        message = say("template.error_choice", language)
        return {"validate": "list", "source": listed, "error_title": title, "error_message": message}
    if column.kind == "flag":
        listed = ["是", "否"] if language == "zh" else ["yes", "no"]
        message = say("template.error_choice", language)
        return {"validate": "list", "source": listed, "error_title": title, "error_message": message}
    target = _target(table, column)
    if target is not None:
        other = TABLES[target[0]]
        letter = xl_col_to_name([c.name for c in other.columns].index(target[1]))
        source = f"='{sheet_name(other, language)}'!${letter}$2:${letter}${ROWS + 1}"
        message = say("template.error_id", language, sheet=sheet_name(other, language))
        return {"validate": "list", "source": source, "error_title": title, "error_message": message}
    if column.kind in ("whole", "number"):
        low, high = f"{column.low:,.0f}", f"{column.high:,.0f}"
        message = say("template.error_number", language, low=low, high=high)
        return {
            "validate": "integer" if column.kind == "whole" else "decimal", "criteria": "between", "minimum": column.low,
            "maximum": column.high, "error_title": title, "error_message": message,
        }  # fmt: skip
    return None
