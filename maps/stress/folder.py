"""A stress test as a folder: tables, workbook, chart and page beside the rows that the study has written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from geodata.standards.terms import in_its_words
from maps.dossier.tables import Sheet
from maps.dossier.workbook import write_told
from maps.folders.told_page import told_page
from maps.folders.writing import Output, called, csv_writer, finite, parquet_writer, write_folder
from maps.stress.chart import draw_stress
from maps.stress.sheets import stress_sheets
from maps.stress.words import stress_said, stress_word
from models.study.marker import study_of
from models.study.stressed import Stress

STRESS_MARKER = "stress.json"
TABLES_OF = ("measures", "rules", "regret", "decisions", "effects")
"""Tables with a CSV file of their own; ``fixed.csv`` and ``remade.csv`` are the study's."""
DRAWN = ("decisions.parquet", "stress.xlsx", "stress.svg", "stress.html")
KIND = Output(STRESS_MARKER, frozenset((*(f"{t}.csv" for t in TABLES_OF), *DRAWN)))


def stress_record(found: Stress, study: str, folder: Path | None = None) -> dict[str, Any]:
    """What the study was about and its headline figures, as plain data."""
    box = found.box
    return {
        "study": study, "county": found.county.name, "county_en": found.county.name_en, "fictional": found.county.fictional,
        "input_hash": found.county.content_hash, **called(found, folder), "plan_id": found.plan.plan_id, "scenario": found.scenario, "futures": found.asked,
        "done": found.done, "failures": found.failures,
        "box": None if box is None else {
            "edges": [[e.factor, "below" if e.upper else "above", e.value] for e in box.edges],
            "coverage": finite(box.coverage), "density": finite(box.density), "held_out": box.futures,
            "seen_coverage": finite(box.seen_coverage), "seen_density": finite(box.seen_density),
        },
    }  # fmt: skip


@in_its_words
def write_stress(found: Stress, folder: Path, language: str = "zh", overwrite: bool = True) -> str:
    """Write what a study's rows say together into its folder.

    Parameters
    ----------
    found : Stress
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

    def draw(file: Path) -> None:
        languages.append(draw_stress(found, file, language))

    parts = (
        *((f"{t}.csv", csv_writer(getattr(found, t))) for t in TABLES_OF),
        ("decisions.parquet", parquet_writer(found.decisions, found.county)),
        ("stress.xlsx", lambda file: _write_workbook(found, file, language)),
        ("stress.svg", draw),
        ("stress.html", lambda file: file.write_text(_page(found, file.with_name("stress.svg"), language), encoding="utf-8")),
    )  # fmt: skip
    write_folder(
        folder,
        KIND,
        overwrite,
        stress_record(found, study_of(folder / STRESS_MARKER), folder),
        parts,
        language,
    )
    return languages[0] if languages else language


def _titled(found: Stress, language: str) -> list[tuple[str, Sheet]]:
    return [(stress_word(f"sheet_{s.key}", language), s) for s in stress_sheets(found, language)]


def _write_workbook(found: Stress, path: Path, language: str) -> None:
    said = (stress_word("sheet_about", language), stress_said(found, language))
    write_told(path, found.county.name, language, said, _titled(found, language))


def stress_page(found: Stress, language: str, place: Path) -> str:
    """The page of a study that has no folder yet; ``place`` takes its drawing."""
    draw_stress(found, place / "stress.svg", language)
    return _page(found, place / "stress.svg", language)


def _page(found: Stress, chart: Path, language: str) -> str:
    """One page: the sentences, the chart, every table but those of single futures."""
    drawing = chart.read_text(encoding="utf-8")
    shown = [(h, s) for h, s in _titled(found, language) if s.key not in ("futures", "remade")]
    return told_page(stress_said(found, language), shown, language, drawing[drawing.index("<svg") :])
