"""A robust study as a folder: tables, workbook, page and the chosen plan beside the rows that the study has written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from geodata.standards.terms import in_its_words
from maps.dossier.workbook import write_told
from maps.folders.told_page import told_page
from maps.folders.writing import Output, called, csv_writer, finite, parquet_writer, write_folder
from maps.robust.sheets import robust_sheets
from maps.robust.words import robust_said, robust_word
from models.plan.record import LEDGER_CSV, write_ledger
from models.study.marker import study_of
from models.study.robust import Robust

MARKER = "robust.json"
TABLES_OF = {
    "candidates.csv": "candidates",
    "matrix.csv": "cells",
    "futures.csv": "futures",
    "closures.csv": "closures",
}
DRAWN = ("closures.parquet", "robust.xlsx", "robust.html")
KIND = Output(MARKER, frozenset((*TABLES_OF, LEDGER_CSV, *DRAWN)))


def robust_record(found: Robust, study: str, folder: Path | None = None) -> dict[str, Any]:
    """What the study was about and what it says, as plain data."""
    best = found.best.drop("chosen").to_dict()
    return {
        "study": study, "county": found.county.name, "county_en": found.county.name_en, "fictional": found.county.fictional,
        "input_hash": found.county.content_hash, **called(found, folder), "scenario": found.scenario, "futures": found.asked, "goal": found.goal,
        "common": list(found.common), "choose": found.choose, "weight": found.weight, "chosen": found.chosen,
        "plan_id": found.plan.plan_id, "best": {k: _plain(v) for k, v in best.items()},
        "bounds": {k: _plain(v) for k, v in vars(found.bounds).items()},
    }  # fmt: skip


def _plain(value: Any) -> Any:
    """What JSON takes: words and answers as they are, numbers that are any."""
    return value if isinstance(value, (bool, str)) else finite(value)


@in_its_words
def write_robust(found: Robust, folder: Path, language: str = "zh", overwrite: bool = True) -> None:
    """Write what a robust study says into its folder, the chosen plan as ``plan.csv``.

    Parameters
    ----------
    found : Robust
    folder : Path
        The one that the study has written its rows to, or a new one.
    language : {"zh", "en"}
    overwrite : bool
        Replace what an earlier run of the study summed up.

    Raises
    ------
    InputProblems
        When the folder may not be written.
    Undrawn
        The workbook or the page could not be made; the rest is written.
    """
    sheets = [(robust_word(f"sheet_{s.key}", language), s) for s in robust_sheets(found, language)]
    said = robust_said(found, language)
    about = (robust_word("sheet_about", language), said)
    parts = (
        (LEDGER_CSV, lambda file: write_ledger(found.plan, file)),
        *((file, csv_writer(getattr(found, name))) for file, name in TABLES_OF.items()),
        ("closures.parquet", parquet_writer(found.closures, found.county)),
        ("robust.xlsx", lambda file: write_told(file, found.county.name, language, about, sheets)),
        ("robust.html", lambda file: file.write_text(robust_page(found, language), encoding="utf-8")),
    )  # fmt: skip
    write_folder(
        folder, KIND, overwrite, robust_record(found, study_of(folder / MARKER), folder), parts, language
    )


def robust_page(found: Robust, language: str, place: Path | None = None) -> str:
    """The page: sentences and tables; ``place`` is not needed."""
    sheets = [(robust_word(f"sheet_{s.key}", language), s) for s in robust_sheets(found, language)]
    return told_page(robust_said(found, language), sheets, language)
