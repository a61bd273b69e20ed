"""A workbook to fill in: a sheet per table and form, headings with notes, drop-downs, ranges; prices and norms filled in.

Made from the contracts in `geodata.contract.tables` and of its forms alone, so that it can never ask for another
column than reading wants. `read_county` reads the filled workbook as it is, alone or named in a county.toml.
"""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Any

import pandas as pd
import xlsxwriter
from xlsxwriter.utility import xl_col_to_name

from geodata.contract.columns import Column, Table
from geodata.contract.county import County
from geodata.contract.findings import Finding, InputProblems
from geodata.contract.tables import POINT_TABLES, TABLES
from geodata.folder.target import claim
from geodata.messages import catalogue, in_terms, say
from geodata.standards.reading import DEFAULT, merge
from geodata.standards.scheme import Norms
from geodata.standards.terms import terms_of
from geodata.workbook.forms import MADE, Form
from geodata.workbook.sheets import Lists, write_form

ROWS = 5000
"""Rows with drop-downs and checks; a county has a few thousand at most in one table."""
POINTS_AT = {("schools", "parent_id"): ("schools", "school_id")}
"""Ids that stay optional and so are in no contract, but have a drop-down."""


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


def draw_template(
    path: Path, language: str = "zh", forms: tuple[Form, ...] = (), county: County | None = None
) -> Path:
    """The workbook to fill in, with the prices and norms that apply unless changed.

    Parameters
    ----------
    path : Path
        Ends in .xlsx; must not exist.
    language : {"zh", "en"}
        Language of sheet names, headings and notes; both are read.
    forms : tuple of Form
        Sheets of settings and the like, before the tables.
    county : County or None
        Filled in as an example or to go on from; None leaves the tables empty.

    Returns
    -------
    Path

    Raises
    ------
    InputProblems
        The file exists, or the name does not end in .xlsx.
    """
    refuse_workbook(path)
    norms = merge(DEFAULT, {}) if county is None else county.norms
    with claim(path) as target, in_terms(terms_of(norms)):
        target.new_file(lambda draft: _write(draft, language, forms, county, norms))
    return path


def _write(path: Path, language: str, forms: tuple[Form, ...], county: County | None, norms: Norms) -> None:
    filled = prefilled(norms) if county is None else filled_by(county)
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
            "fill": book.add_format({"bg_color": "#fff2cc", "border": 1, "border_color": "#d9d9d9"}),
        }
        _guide(book, looks, language, forms)
        lists = Lists()
        for form in forms:
            write_form(book, looks, form, lists, language, county, norms.scheme.currency)
        for table in TABLES.values():
            _sheet(book, looks, table, language, filled.get(table.name))
        lists.write(book)


def prefilled(norms: Norms) -> dict[str, pd.DataFrame]:
    """Prices and norms that apply where a county says nothing else, as rows of T12 and T14."""
    prices = pd.read_csv(str(files("geodata.contract") / "unit_costs.csv"))
    return {"unit_costs": prices, "standards": norm_rows(norms)}


def norm_rows(norms: Norms) -> pd.DataFrame:
    """The norms in force as rows of T14; read back they change nothing."""
    about = TABLES["standards"]
    known = {c.name: c.choices for c in about.columns if c.choices}
    rows = [
        {
            "id": n.id, "country": "", "edition": "", "stage": n.stage if n.stage in known["stage"] else "", "quantity": n.quantity,
            "operator": n.operator, "value": n.value, "unit": n.unit, "applies_to": n.applies_to if n.applies_to in known["applies_to"] else "",
            "kind": n.kind, "grandfather": n.grandfather, "source": n.source or n.tag, "note": n.note,
        }
        for n in norms.rules.values()
    ]  # fmt: skip
    return pd.DataFrame(rows).reindex(columns=[c.name for c in about.columns])


def filled_by(county: County) -> dict[str, pd.DataFrame]:
    """A county's tables as its workbook has them; norms with the county's own on top."""
    tables = dict(county.tables())
    own = tables["standards"].set_index("id", drop=False)
    norms = norm_rows(county.norms).set_index("id", drop=False)
    tables["standards"] = pd.concat([norms[~norms.index.isin(own.index)], own]).reset_index(drop=True)
    # what was for the whole school is divided by now
    tables["school_stage"] = tables["school_stage"].assign(shared_assets=False)
    return tables


def sheet_name(table: Table, language: str) -> str:
    """Name of a table's sheet in a language; both are known to reading."""
    return table.zh if language == "zh" else table.name


def _guide(book: Any, looks: dict[str, Any], language: str, forms: tuple[Form, ...]) -> None:
    """First sheet: how to fill it in, and what each sheet holds."""
    page = book.add_worksheet(say("template.guide", language))
    page.set_column(0, 0, 26)
    page.set_column(1, 1, 90)
    page.write(0, 0, say("template.title", language), looks["title"])
    lines = [text for key, text in catalogue(language).items() if key.startswith("template.line_")]
    for row, line in enumerate(lines, 2):
        page.write(row, 1, line, looks["wrap"])
    at = len(lines) + 3
    for row, form in enumerate(forms, at):
        name = form.title(language)
        page.write_url(row, 0, f"internal:'{name}'!A1", string=name)
        page.write(row, 1, say(f"template.form_{form.name}", language), looks["wrap"])
    for row, table in enumerate(TABLES.values(), at + len(forms)):
        name = sheet_name(table, language)
        page.write_url(row, 0, f"internal:'{name}'!A1", string=name)
        need = say("template.required" if table.required else "template.optional", language)
        page.write(row, 1, f"{table.code}  {need}", looks["wrap"])


def _sheet(
    book: Any, looks: dict[str, Any], table: Table, language: str, filled: pd.DataFrame | None
) -> None:
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
    if filled is not None:
        _fill(page, looks, table, language, filled)


def _fill(page: Any, looks: dict[str, Any], table: Table, language: str, filled: pd.DataFrame) -> None:
    """Rows of a table as a person would type them, and what an id of the contract is called."""
    words = catalogue(language)
    for row, cells in enumerate(filled.to_dict("records"), start=1):
        for at, column in enumerate(table.columns):
            value = cells.get(column.name)
            if value is None or value is pd.NA or value != value or value == "":
                continue
            if column.kind in ("whole", "number"):
                page.write_number(row, at, float(value))
            else:
                page.write_string(row, at, typed(column, value, language), looks["text"])
        called = words.get(f"form.price_{cells.get('item')}") or words.get(f"rules.rule_{cells.get('id')}")
        if called:
            page.write_comment(row, 0, called, {"author": "junheng"})


def typed(column: Column, value: object, language: str) -> str:
    """A text, choice or flag as the drop-down of its column offers it."""
    if column.kind == "flag":
        return yes_no(language)[0 if value else 1]
    if column.choices and value in column.choices:
        return choices(column, language)[column.choices.index(str(value))]
    return str(value)


def yes_no(language: str) -> list[str]:
    """What a drop-down offers for yes and no."""
    return ["是", "否"] if language == "zh" else ["yes", "no"]


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
        listed = yes_no(language)
        message = say("template.error_choice", language)
        return {"validate": "list", "source": listed, "error_title": title, "error_message": message}
    target = _target(table, column)
    if target is not None:
        other = TABLES[target[0]]
        shown = "name" if target[0] in POINT_TABLES else target[1]
        letter = xl_col_to_name([c.name for c in other.columns].index(shown))
        source = f"='{sheet_name(other, language)}'!${letter}$2:${letter}${ROWS + 1}"
        message = say("template.error_id", language, sheet=sheet_name(other, language))
        # an id is read, too, so that a drop-down of names only warns of it
        strict = "warning" if target[0] in POINT_TABLES else "stop"
        return {
            "validate": "list", "source": source, "error_title": title, "error_message": message, "error_type": strict,
        }  # fmt: skip
    if column.kind in ("whole", "number"):
        low, high = f"{column.low:,.0f}", f"{column.high:,.0f}"
        message = say("template.error_number", language, low=low, high=high)
        return {
            "validate": "integer" if column.kind == "whole" else "decimal", "criteria": "between", "minimum": column.low,
            "maximum": column.high, "error_title": title, "error_message": message,
        }  # fmt: skip
    return None
