"""A province's split as a folder: tables, workbook, chart and page beside the rows that the study has written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from maps.dossier.workbook import write_told
from maps.folders.told_page import told_page
from maps.folders.writing import Output, csv_writer, finite, write_folder
from maps.province.chart import draw_province
from maps.province.sheets import province_sheets
from maps.province.words import province_name, province_said, province_word, why_said
from models.study.marker import study_of
from models.study.provincial import Province

PROVINCE_MARKER = "province.json"
SUMS = (
    "value_own", "value_equal", "bound_equal", "value_split", "grid", "bound", "gain", "least_gain", "most_gain", "aside", "spent",
)  # fmt: skip
KIND = Output(
    PROVINCE_MARKER,
    frozenset(("counties.csv", "points.csv", "province.xlsx", "province.svg", "province.html")),
)


def province_record(found: Province, study: str) -> dict[str, Any]:
    """What the study was about and what it says, as plain data; `optimizer.study.province.asked.read_province` takes it."""
    return {
        "study": study, "fictional": found.fictional, **found.request, "scenario": found.scenario,
        "split": {k: finite(getattr(found, k)) for k in SUMS},
        "left_out": {str(r["folder"]): why_said(found, r, "en") for r in found.counties.to_dict("records") if r["status"] != "done"},
    }  # fmt: skip


def write_province(found: Province, folder: Path, language: str = "zh", overwrite: bool = True) -> str:
    """Write what a province's split says into its folder.

    Parameters
    ----------
    found : Province
    folder : Path
        The one that the study has written its rows to, or a new one.
    language : {"zh", "en"}
    overwrite : bool
        Replace what an earlier run of the study summed up.

    Returns
    -------
    str
        The language of the chart: English where no Chinese font is installed.

    Raises
    ------
    InputProblems
        When the folder may not be written.
    Undrawn
        The workbook, the chart or the page could not be made; the rest is written.
    """
    languages: list[str] = []
    sheets = [(province_word(f"sheet_{s.key}", language), s) for s in province_sheets(found, language)]
    said = province_said(found, language)
    about = (province_word("sheet_about", language), said)

    def draw(file: Path) -> None:
        languages.append(draw_province(found, file, language))

    def page(file: Path) -> None:
        drawing = file.with_name("province.svg").read_text(encoding="utf-8")
        text = told_page(said, sheets, language, drawing[drawing.index("<svg") :])
        file.write_text(text, encoding="utf-8")

    parts = (
        ("counties.csv", csv_writer(found.counties)), ("points.csv", csv_writer(found.points)),
        ("province.xlsx", lambda file: write_told(file, province_name(found, language), language, about, sheets)),
        ("province.svg", draw), ("province.html", page),
    )  # fmt: skip
    write_folder(
        folder, KIND, overwrite, province_record(found, study_of(folder / PROVINCE_MARKER)), parts, language
    )
    return languages[0] if languages else language


def province_page(found: Province, language: str, place: Path) -> str:
    """The page of a study that has no folder yet; ``place`` takes its drawing."""
    draw_province(found, place / "province.svg", language)
    sheets = [(province_word(f"sheet_{s.key}", language), s) for s in province_sheets(found, language)]
    text = (place / "province.svg").read_text(encoding="utf-8")
    return told_page(province_said(found, language), sheets, language, text[text.index("<svg") :])
