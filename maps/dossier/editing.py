"""The editable sheets of ``plan.xlsx``: marked cells, drop-downs by name, a note on what may be edited; the ledger."""

from __future__ import annotations

from typing import Any

from maps.dossier.paper import paper
from maps.wording import name as wording_name
from maps.wording import word
from models.plan.decisions import PlanResult
from models.plan.ledger import LEDGER_COLUMNS
from models.plan.names import Names
from models.plan.record import number_text
from models.plan.sheets import EDIT_SHEETS, GROWING, LEDGER_SHEET, PLAN_PROPERTY, Field, sheet_titles
from models.problem.minutes import PLANNED_MODES

SPARE = 40
"""Rows left free below the rows of a sheet that may grow."""
MARKED = "#FFF2CC"
LISTED = ("school", "stage", "band", "mode", "category", "resource")


def _shown(field: Field, value: Any, names: Names, language: str) -> str | float:
    if field.kind == "number":
        return float(value)
    if field.kind == "flag":
        return word("yes" if value else "no", language)
    return names.label(field.kind, str(value), language)


def write_editable(book: Any, result: PlanResult, styles: dict[str, Any], language: str) -> None:
    """Six editable sheets, the ledger as it was made, and a hidden sheet with the names to choose from.

    Parameters
    ----------
    book : xlsxwriter.Workbook
    result : PlanResult
    styles : dict
        Formats of the workbook.
    language : {"zh", "en"}
    """
    names = Names(result.county)
    book.set_custom_property(PLAN_PROPERTY, result.plan.plan_id)
    look = {"bg_color": MARKED, "border": 1, "border_color": "#D9D9D9"}
    formats = {"text": "General", "whole": "#,##0", "ratio": "#,##0.00"}
    marked = {k: book.add_format({"num_format": f, **look}) for k, f in formats.items()}
    choices = {
        k: [names.label(k, i, language) for i in (PLANNED_MODES if k == "mode" else names.ids(k))]
        for k in LISTED
    }
    choices["flag"] = [word("yes", language), word("no", language)]
    lists = {
        k: f"=_lists!${chr(65 + c)}$1:${chr(65 + c)}${max(1, len(v))}"
        for c, (k, v) in enumerate(choices.items())
    }
    for name, fields in EDIT_SHEETS.items():
        _sheet(book, result, name, fields, names, lists, marked, styles, language)
    _ledger(book, result, styles["head"], language)
    page = book.add_worksheet("_lists")
    for c, values in enumerate(choices.values()):
        for r, value in enumerate(values):
            page.write_string(r, c, value)
    page.hide()


def _sheet(
    book: Any, result: PlanResult, name: str, fields: tuple[Field, ...], names: Names, lists: dict[str, str], marked: Any, styles: dict[str, Any],
    language: str,
) -> None:  # fmt: skip
    page = book.add_worksheet(sheet_titles(name)[language])
    head = styles["head"]
    rows = result.plan.tables()[name].to_dict("records")
    last = len(rows) + (SPARE if name in GROWING else 0)
    for c, field in enumerate(fields):
        page.write_string(0, c, word(field.heading, language), head)
        for r in range(1, last + 1):
            if r > len(rows):
                page.write_blank(r, c, None, marked["text"])
                continue
            value = _shown(field, rows[r - 1][field.name], names, language)
            kind = "text" if isinstance(value, str) else "whole" if value == int(value) else "ratio"
            style = marked[kind] if field.editable else styles[kind]
            if isinstance(value, str):
                page.write_string(r, c, value, style)
            else:
                page.write_number(r, c, value, style)
        page.set_column(c, c, 34 if field.kind in ("school", "village") else 14)
        if field.editable and last:
            note = {"input_title": word("edit_title", language), "input_message": word("edit_note", language)}
            if field.kind in lists:
                page.data_validation(
                    1,
                    c,
                    last,
                    c,
                    {"validate": "list", "source": lists[field.kind], "error_type": "warning", **note},
                )
            else:
                page.data_validation(
                    1, c, last, c, {"validate": "decimal", "criteria": ">=", "value": 0, **note}
                )
    last_column = len(fields) - 1 + _units(page, result, fields, rows, styles, language)
    page.write_comment(0, 0, word("edit_about", language), {"x_scale": 3, "y_scale": 2, "author": "junheng"})
    page.freeze_panes(1, 0)
    page.set_header(f"&C&14{sheet_titles(name)[language]}")
    paper(page, language, last_column, 0, max(1, len(rows)))


def _units(
    page: Any, result: PlanResult, fields: tuple[Field, ...], rows: list[dict[str, Any]], styles: dict[str, Any], language: str
) -> int:  # fmt: skip
    """A last column, which is no cell to edit, with the unit of each amount of a resource; how many columns that is."""
    if not any(f.kind == "resource" for f in fields):
        return 0
    page.write_string(0, len(fields), word("unit", language), styles["head"])
    for r, row in enumerate(rows, start=1):
        known = result.county.norms.resources.get(str(row["kind"]))
        page.write_string(
            r, len(fields), wording_name("unit", known.unit, language) if known else "", styles["text"]
        )
    return 1


def _ledger(book: Any, result: PlanResult, head: Any, language: str) -> None:
    """The plan as it was made; ids beside the names that the other sheets show."""
    page = book.add_worksheet(sheet_titles(LEDGER_SHEET)[language])
    school = dict(zip(result.county.schools["school_id"], result.county.schools["name"], strict=True))
    village = dict(zip(result.county.villages["village_id"], result.county.villages["name"], strict=True))
    named = (
        ("village_id", village, "village"),
        ("school_id", school, "school"),
        ("from_id", school, "from"),
        ("to_id", school, "to"),
    )
    for c, heading in enumerate([*LEDGER_COLUMNS, *(word(w, language) for _, _, w in named)]):
        page.write_string(0, c, heading, head)
    for r, row in enumerate(result.plan.ledger.to_dict("records"), start=1):
        for c, column in enumerate(LEDGER_COLUMNS):
            if column == "year" or (column == "quantity" and number_text(row[column])):
                page.write_number(r, c, row[column])
            else:
                page.write_string(r, c, str(row[column]))
        for c, (column, of, _) in enumerate(named, start=len(LEDGER_COLUMNS)):
            page.write_string(r, c, of.get(row[column], ""))
    page.freeze_panes(1, 1)
    page.set_header(f"&C&14{sheet_titles(LEDGER_SHEET)[language]}")
    paper(page, language, len(LEDGER_COLUMNS) + len(named) - 1, 0, max(1, len(result.plan.ledger)))
    page.write_comment(
        0, 0, word("ledger_about", language), {"x_scale": 3, "y_scale": 2, "author": "junheng"}
    )
    page.hide()  # the program's own words; the sheets before it say the same in the reader's
