"""The settings sheet of a workbook that is a county: what county.toml says for a folder."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, get_args

from geodata.bureau.grids import Book
from geodata.contract.cells import plain
from geodata.contract.findings import Finding, InputProblems
from geodata.contract.tables import CRS_NAMES, POINT_TABLES
from geodata.contract.validation.values import FALSE, TRUE
from geodata.standards.reading import DEFAULT, bundled
from geodata.travel.settings import Travel
from geodata.workbook.forms import Form, Item, Row, chosen_id, form_rows, titles, understood, worded

LISTS = ("standards", "modelled")
FLAGS = ("fictional", "ferries")
PLACES = {"season": ("travel", "season"), "ferries": ("travel", "ferries"), "dem": ("travel", "dem"), "areas": ("travel", "areas")}  # fmt: skip
"""Items that stand in a section of county.toml."""


SETTINGS = Form(
    "settings",
    (
        Item("name"), Item("name_en"), Item("year"), Item("fictional", source="flag"),
        Item("crs", worded("template.word_crs_", CRS_NAMES)),
        Item("standards", rows=2, start=tuple((name, "") for name in DEFAULT)), Item("modelled"),
        Item("roads"), Item("townships"), Item("waters"), Item("zones"),
        Item("season", worded("form.season_", get_args(Travel.model_fields["season"].annotation))), Item("ferries", source="flag"), Item("dem"), Item("areas"),
    ),
    numbers=False,
)  # fmt: skip
"""Every setting that a workbook may hold; mappings and further files are for folders."""


@dataclass(frozen=True)
class Told:
    """What the sheets of a workbook say besides its tables.

    Parameters
    ----------
    values : dict
        As county.toml would have them.
    rows : dict of str to Row
        Where each key stands.
    asked : tuple of Row
        The rows of the scenario sheet, as they are.
    findings : tuple of Finding
    label : str
        Workbook and settings sheet, for messages.
    """

    values: dict[str, Any]
    rows: dict[str, Row]
    asked: tuple[Row, ...]
    findings: tuple[Finding, ...]
    label: str

    def placed(self, found: list[Finding]) -> list[Finding]:
        """Findings about county.toml, moved to the sheet, and where its key has a cell, to that."""
        return [self._placed(f) if f.file == "county.toml" else f for f in found]

    def _placed(self, finding: Finding) -> Finding:
        key = finding.column.split(".")[-1].split("[")[0]
        row = self.rows.get("crs" if finding.column.startswith("crs") else key)
        if row is None:
            return replace(finding, file=self.label)
        return replace(
            finding, file=self.label, row=row.number, column=row.heads[1], value=finding.value or row.what
        )


def told_by(book: Book, name: str) -> Told:
    """The settings and the scenario rows of a workbook.

    Parameters
    ----------
    book : Book
    name : str
        The workbook's name, for messages.

    Raises
    ------
    InputProblems
        There is no settings sheet, or its headings are gone.
    """
    pages = {plain(page.title): page.title for page in book.values.worksheets}
    sheet = next((pages[t] for t in sorted(titles("settings")) if t in pages), None)
    if sheet is None:
        known: dict[str, object] = {"sheet": " / ".join(sorted(titles("settings")))}
        raise InputProblems([Finding("error", "form.no_settings", known, file=name)])
    label = f"{name} [{sheet}]"
    rows, found = form_rows(book, sheet, label)
    said, more = understood(SETTINGS, rows)
    values, at, wrong = _values(said)
    asked: list[Row] = []
    scenario = next((pages[t] for t in sorted(titles("scenario")) if t in pages), None)
    if scenario is not None:
        try:
            asked, doubts = form_rows(book, scenario, f"{name} [{scenario}]")
            found += doubts
        except InputProblems as problem:
            found += problem.findings
    return Told(values, at, tuple(asked), (*found, *more, *wrong), label)


def _values(said: list[tuple[Item, Row]]) -> tuple[dict[str, Any], dict[str, Row], list[Finding]]:
    """Items as the keys of county.toml; a second row of one that is no list is an error."""
    values: dict[str, Any] = {}
    at: dict[str, Row] = {}
    found: list[Finding] = []
    for item, row in said:
        if item.name in at and item.name not in LISTS:
            found.append(row.finding("form.said_twice", "item", row=at[item.name].number))
            continue
        at.setdefault(item.name, row)
        value, wrong = _value(item, row)
        if wrong is not None:
            found.append(wrong)
        elif item.name in LISTS:
            values[item.name] = (*values.get(item.name, ()), *value)
        elif item.name == "crs":
            values["crs"] = dict.fromkeys(POINT_TABLES, value)
        elif item.name in PLACES:
            section, key = PLACES[item.name]
            values.setdefault(section, {})[key] = value
        else:
            values[item.name] = value
    return values, at, found


def _value(item: Item, row: Row) -> tuple[Any, Finding | None]:
    """One cell in the type that its key wants; what pydantic can judge itself stays text."""
    text = row.what
    if item.name in FLAGS:
        low = text.lower()
        return low in TRUE, None if low in TRUE | FALSE else row.finding("plan.cell_flag", "what")
    if item.name in LISTS:
        parts = [p.strip() for p in text.replace("、", ",").replace(";", ",").split(",") if p.strip()]
        unknown = [
            p for p in parts if item.name == "standards" and p not in bundled() and not p.endswith(".toml")
        ]
        known = ", ".join(bundled())
        return parts, row.finding("form.unknown_standards", "what", known=known) if unknown else None
    if item.name == "year":
        return (int(text), None) if text.isdigit() else ("", row.finding("tables.not_whole", "what"))
    if item.choices:
        key, wrong = chosen_id(item, row)
        return (text, None) if wrong is not None and text.lower().startswith("epsg") else (key, wrong)
    return text, None
