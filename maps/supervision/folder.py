"""A supervision as a folder: record, tables, workbook, page."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from geodata.standards.terms import in_its_words
from maps.dossier.tables import Sheet
from maps.dossier.workbook import write_told
from maps.folders.told_page import told_page
from maps.folders.writing import Output, csv_writer, write_folder
from maps.lettered import ENGLISH, lettered_county, lettered_table
from maps.supervision.sheets import supervision_sheets
from maps.supervision.words import supervision_said, supervision_word
from models.supervision.supervision import Supervision

SUPERVISION_MARKER = "supervision.json"
TABLES_OF = ("problems", "rectified", "actions", "moved", "units", "matching")
"""Tables with a CSV file of their own."""
KIND = Output(
    SUPERVISION_MARKER, frozenset((*(f"{t}.csv" for t in TABLES_OF), "supervision.xlsx", "supervision.html"))
)


def supervision_record(found: Supervision) -> dict[str, Any]:
    """What the report is about and its headline figures, as plain data."""
    return {
        "county": found.after.name, "county_en": found.after.name_en, "fictional": found.after.fictional, "before": found.before.year,
        "after": found.after.year, "plan_id": None if found.plan is None else found.plan.plan_id, "input_hash": found.input_hash,
        "seals": found.seals, "actions": found.counts.to_dict("records"), "problems": len(found.problems),
        "rectified": {str(k): int(v) for k, v in found.rectified["state"].value_counts(sort=False).items()},
        "units": {str(k): int(v) for k, v in found.units["state"].value_counts(sort=False).items()},
        "findings": [{"severity": f.severity, "text": f.sentence("en")} for f in found.findings],
    }  # fmt: skip


def _lettered(found: Supervision) -> Supervision:
    """The same with names of places as English pages print them; a place that has gone has the name of the year before."""
    tables = {t: lettered_table(getattr(found, t), found.after, ENGLISH) for t in TABLES_OF}
    return replace(found, before=lettered_county(found.before), after=lettered_county(found.after), **tables)


@in_its_words
def write_supervision(
    found: Supervision, folder: Path, language: str = "zh", overwrite: bool = False, deadline: str = ""
) -> Path:
    """Write the report of a supervision: the list of problems, the ledger of rectification and what they rest on.

    Parameters
    ----------
    found : Supervision
    folder : Path
    language : {"zh", "en"}
    overwrite : bool
        Replace an earlier report; any other folder that is not empty is never touched.
    deadline : str
        Stands beside every problem; empty leaves the column to be filled in.

    Returns
    -------
    Path

    Raises
    ------
    InputProblems
        When the folder may not be written.
    Undrawn
        The workbook or the page could not be made; the rest is written.
    """
    told = found if language != ENGLISH else _lettered(found)

    def titled() -> list[tuple[str, Sheet]]:
        sheets = supervision_sheets(told, language, deadline)
        return [(supervision_word(f"sheet_{s.key}", language), s) for s in sheets]

    def book(file: Path) -> None:
        said = (supervision_word("sheet_about", language), supervision_said(found, language))
        write_told(file, found.after.name, language, said, titled())

    def page(file: Path) -> None:
        shown = [(heading, sheet) for heading, sheet in titled() if sheet.key != "ratios"]
        file.write_text(told_page(supervision_said(found, language), shown, language), encoding="utf-8")

    parts = (
        *((f"{t}.csv", csv_writer(getattr(found, t))) for t in TABLES_OF), ("supervision.xlsx", book), ("supervision.html", page),
    )  # fmt: skip
    return write_folder(folder, KIND, overwrite, supervision_record(found), parts, language)
