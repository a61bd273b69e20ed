"""The editable sheets of a plan's workbook: their contract, and reading them back to a plan."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from openpyxl.utils import get_column_letter

from geodata.bureau.grids import open_book, xlsx_grid
from geodata.bureau.workbooks import heading_key
from geodata.contract.cells import plain
from geodata.contract.containment import stands_at
from geodata.contract.county import County
from geodata.contract.findings import Finding, InputProblems, errors
from geodata.contract.validation.headers import Raw
from geodata.contract.validation.values import FALSE, GROUPED, TRUE
from geodata.messages import LANGUAGES, catalogue, say
from models.plan.decisions import Plan, make_plan
from models.plan.ledger import LEDGER_COLUMNS
from models.plan.names import Names
from models.plan.record import plan_from
from models.problem.minutes import PLANNED_MODES

LEDGER_SHEET = "ledger"
PLAN_PROPERTY = "plan"
"""Property of the workbook: the id of the plan that it was written for."""
FIRST = 8
"""Choices that a message names where nothing is like what was written."""


@dataclass(frozen=True)
class Field:
    """One column of an editable sheet.

    Parameters
    ----------
    name : str
        Column of the plan's view.
    heading : str
        Key of its heading among the workbook's messages.
    kind : str
        A kind of `models.plan.names.Names`, ``flag`` or ``number``.
    editable : bool
    """

    name: str
    heading: str
    kind: str
    editable: bool = True


_AT = (Field("school_id", "school", "school"), Field("stage", "stage", "stage"))
_FROM_TO = (
    Field("from_school_id", "from", "school"), Field("from_stage", "from_stage", "stage"), Field("to_school_id", "to", "school"),
    Field("to_stage", "to_stage", "stage"),
)  # fmt: skip
_HEADS, _AMOUNT = Field("heads", "heads", "number"), Field("quantity", "quantity", "number")

EDIT_SHEETS: dict[str, tuple[Field, ...]] = {
    "attendance": (
        Field("village_id", "village", "village", False), Field("band", "band", "band", False), Field("group", "group", "group", False),
        Field("pupils", "pupils", "number", False), Field("today_school_id", "school_today", "school", False),
        Field("school_id", "school_plan", "school"), Field("mode", "mode_plan", "mode"),
    ),
    "bands": (
        Field("school_id", "school", "school", False), Field("band", "band", "band", False), Field("was_open", "open_today", "flag", False),
        Field("open", "open", "flag"), Field("classes", "classes_plan", "number"),
    ),
    "staff_moves": (*_FROM_TO, Field("cat_id", "category", "category"), _HEADS),
    "hires": (*_AT, Field("cat_id", "category", "category"), _HEADS),
    "purchases": (*_AT, Field("kind", "item", "resource"), _AMOUNT),
    "item_moves": (*_FROM_TO, Field("kind", "item", "resource"), _AMOUNT),
}  # fmt: skip
"""Every view of a plan as a sheet; rows may be added where every column is editable."""
GROWING = tuple(name for name, fields in EDIT_SHEETS.items() if all(f.editable for f in fields))


@dataclass(frozen=True)
class Edited:
    """A workbook read back.

    Parameters
    ----------
    original : Plan
        As it was made, from the sheet with the ledger.
    plan : Plan
        As the editable sheets say.
    findings : tuple of Finding
        Doubts about names and ids that were taken for others.
    """

    original: Plan
    plan: Plan
    findings: tuple[Finding, ...]


def sheet_titles(name: str) -> dict[str, str]:
    """A sheet's title by language."""
    return {language: say(f"workbook.sheet_edit_{name}", language) for language in LANGUAGES}


def read_edited(path: Path, county: County) -> Edited:
    """A plan's workbook after editing by hand.

    Parameters
    ----------
    path : Path
    county : County

    Returns
    -------
    Edited

    Raises
    ------
    InputProblems
        Every cell that cannot be read, with sheet, row, column, value and what to do.
    """
    if stands_at(path) != "file":
        raise InputProblems([Finding("error", "plan.not_there", {"why": path.name}, file=str(path))])
    book = open_book(path, path.name)
    pages = {plain(p.title): p for p in book.values.worksheets}
    names, found = Names(county), list(_copies(pages, path.name))
    tables, grids = {}, {}
    for name in (LEDGER_SHEET, *EDIT_SHEETS):
        titles = sheet_titles(name)
        page = next((pages[t] for t in titles.values() if t in pages), None)
        if page is None:
            found.append(
                Finding("error", "plan.no_sheet", {"sheet": " / ".join(titles.values())}, file=path.name)
            )
            continue
        label = f"{path.name} [{page.title}]"
        grid = xlsx_grid(book, page.title, label)
        grids[name] = grid.cells, label
        found += [
            Finding("error", "bureau.formula", file=label, row=r + 1, column=grid.cells[0][c])
            for r, c in grid.unsaved
            if r > 0
        ]
    if errors(found):
        raise InputProblems(found)
    original, _ = plan_from(_ledger(*grids[LEDGER_SHEET]), county)
    found += _other_ledger(book.values, original, grids[LEDGER_SHEET][1])
    for name, fields in EDIT_SHEETS.items():
        tables[name], some = _table(fields, *grids[name], names)
        found += some
    if errors(found):
        raise InputProblems(found)
    return Edited(original, make_plan(county.year, **tables), tuple(found))


def _other_ledger(book: Any, original: Plan, file: str) -> list[Finding]:
    """The sheet with the ledger is no longer the plan that the workbook was written for: every edit would be told wrongly."""
    written = [p.value for p in book.custom_doc_props.props if p.name == PLAN_PROPERTY]
    if not written or str(written[0]) == original.plan_id:
        return []
    fields: dict[str, object] = {"plan": str(written[0]), "now": original.plan_id}
    return [Finding("error", "plan.ledger_changed", fields, file=file)]


def _copies(pages: dict[str, Any], file: str) -> Iterator[Finding]:
    """Copies of an editable sheet, as a spreadsheet names them: what is changed there counts nowhere."""
    known = {t for name in EDIT_SHEETS for t in sheet_titles(name).values()}
    for title in pages:
        if title not in known and any(title.startswith(t) for t in known):
            yield Finding("warning", "plan.copied_sheet", {"sheet": title}, file=f"{file} [{title}]")


def _ledger(cells: list[list[str]], file: str) -> Raw:
    head = cells[0] if cells else []
    rows = pd.DataFrame(cells[1:], columns=head, dtype=object)
    rows = rows[[c for c in LEDGER_COLUMNS if c in rows]]
    return Raw(rows[(rows != "").any(axis=1)], file)


def _table(
    fields: tuple[Field, ...], cells: list[list[str]], file: str, names: Names
) -> tuple[pd.DataFrame, list[Finding]]:
    """One editable sheet as a view's table; blank rows are left out."""
    head = [heading_key(h) for h in cells[0]] if cells else []
    at, found = {}, []
    for f in fields:
        titles = [say(f"workbook.{f.heading}", language) for language in LANGUAGES]
        at[f.name] = next((head.index(heading_key(t)) for t in titles if heading_key(t) in head), -1)
        if at[f.name] < 0:
            found.append(Finding("error", "plan.no_column", {"heading": " / ".join(titles)}, file=file))
    if found:
        return pd.DataFrame(), found
    found += _beside(cells, set(at.values()), head, file)
    units = {heading_key(say("workbook.unit", language)) for language in LANGUAGES}
    unit_at = next((i for i, h in enumerate(head) if h in units), -1) if "kind" in at else -1
    rows = []
    for number, row in enumerate(cells[1:], start=2):
        texts = {f.name: row[at[f.name]] for f in fields}
        if not any(plain(t) for t in texts.values()):
            continue
        made: dict[str, object] = {}
        if unit_at >= 0 and row[unit_at]:
            found += _unit(row[unit_at], plain(texts["kind"]), names, (file, number, cells[0][unit_at]))
        for f in fields:
            place = {"file": file, "row": number, "column": cells[0][at[f.name]], "value": texts[f.name]}
            made[f.name], faults = _cell(f, texts[f.name], names)
            found += [Finding(s, k, v, **place) for s, k, v in faults]  # type: ignore[arg-type]
        rows.append(made)
    return pd.DataFrame(rows, columns=[f.name for f in fields]), found


def _beside(cells: list[list[str]], read: set[int], head: list[str], file: str) -> list[Finding]:
    """Columns beside those that are read: one of the same heading is refused, any other that is filled in is said not to count."""
    own = {head[c] for c in read}
    units = {heading_key(say("workbook.unit", language)) for language in LANGUAGES}
    found = []
    for c in range(len(head)):
        filled = next((r for r, row in enumerate(cells[1:], start=2) if plain(row[c])), None)
        if c in read or filled is None or head[c] in units:
            continue
        column = cells[0][c] or get_column_letter(c + 1)
        if head[c] in own:
            found.append(Finding("error", "plan.heading_twice", file=file, row=1, column=column))
        else:
            place = {"file": file, "row": filled, "column": column, "value": cells[filled - 1][c]}
            found.append(Finding("warning", "plan.beside", {}, **place))  # type: ignore[arg-type]
    return found


def _unit(written: str, thing: str, names: Names, place: tuple[str, int, str]) -> list[Finding]:
    """An amount's unit that is not the one in which amounts of the thing are read."""
    known = names.county.norms.resources.get(str(names.resolve("resource", thing)[0]))
    if known is None:
        return []
    words = _each(lambda lang: catalogue(lang).get(f"rules.unit_{known.unit}", known.unit))
    if plain(written) in {*map(plain, words.values()), known.unit}:
        return []
    file, row, column = place
    return [Finding("error", "plan.cell_unit", {"unit": words}, file, "", row, column, written)]


def _each(told: Callable[[str], str]) -> dict[str, str]:
    """A text in each language."""
    return {language: told(language) for language in LANGUAGES}


def _cell(f: Field, text: str, names: Names) -> tuple[object, list[tuple[str, str, dict[str, object]]]]:
    """A cell's value and what is wrong or doubtful about it."""
    written = plain(text)
    if not written:
        return None, [("error", "plan.cell_empty", {})]
    if f.kind == "number":
        # 1,200 is a number; 1,5 is none: it was written with a decimal comma
        digits = written.replace(",", "") if GROUPED.fullmatch(written) else written
        value = pd.to_numeric(digits, errors="coerce")
        if value != value or not 0 <= value <= 1e9:
            return None, [("error", "plan.cell_number", {})]
        if f.name != "quantity" and value % 1:
            return None, [("error", "tables.not_whole", {})]
        return float(value), []
    if f.kind == "flag":
        low = written.lower()
        return low in TRUE, [] if low in TRUE | FALSE else [("error", "plan.cell_flag", {})]
    value, doubt = names.resolve(f.kind, text)
    known = PLANNED_MODES if f.kind == "mode" else names.ids(f.kind)
    if value not in known:
        near = str(doubt.fields.get("near") or doubt.fields.get("known") or "") if doubt else ""
        alike = [
            n for n in near.split(", ") if n and not n.endswith(" 0%")
        ]  # what nothing is like is no choice
        choices = ", ".join(alike) or _each(
            lambda lang: say("map.comma", lang).join(names.label(f.kind, i, lang) for i in known[:FIRST])
        )
        return value, [("error", "plan.cell_unknown", {"choices": choices})]
    if doubt:
        return value, [
            ("warning", "plan.cell_taken", {"label": _each(lambda lang: names.label(f.kind, value, lang))})
        ]
    return value, []
