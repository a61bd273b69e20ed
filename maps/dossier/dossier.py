"""The dossier: a plan as a folder, every file made from one `PlanResult`."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

from geodata.contract.findings import Finding, InputProblems
from geodata.folder.target import claim, elsewhere, note_placed
from geodata.standards.terms import in_its_words
from maps.dossier.public import in_public, public_result
from maps.dossier.rehearsal import UNFINISHED, Undrawn, draw_parts, mark_unfinished
from maps.dossier.workbook import write_workbook
from maps.folders.writing import seen_from
from maps.front.pages import front_page
from maps.front.places import schools_page, villages_page
from maps.layers import write_layers
from maps.lettered import lettered
from maps.paper.atlas import ATLAS, SHEETS, picture_name, write_atlas
from maps.reports.document import write_reports_document
from maps.reports.outputs import reports_page, write_reports_workbook
from maps.reports.report import OfficialReport
from maps.reports.twelve import all_reports
from maps.web.proposal import write_map
from models.plan.decisions import PlanResult
from models.plan.record import LEDGER_CSV, ledger_record, recorded_versions, write_ledger

MARKER = "run.json"
NAMES = frozenset(
    (
        LEDGER_CSV,
        "index.html",
        "schools.html",
        "villages.html",
        "reports.html",
        "reports.xlsx",
        "reports.docx",
        "map.html",
        ATLAS,
        *map(picture_name, SHEETS),
        "plan.xlsx",
        "plan.gpkg",
        MARKER,
        UNFINISHED,
    )
)
"""Everything of a dossier; what else lies in its folder is the planner's."""
PUBLIC_RECORD = ("county", "county_en", "fictional", "modelled", "year", "plan_id", "travel_times", "versions", "status", "measures", "referee")  # fmt: skip
"""What the public edition's record says of the plan; the ledger, the scenario and the hash of the tables are not for everybody."""


def _known(value: float) -> float | None:
    """A number, or nothing where there is none."""
    return value if math.isfinite(value) else None


def run_record(result: PlanResult, folder: Path | None = None) -> dict[str, Any]:
    """Everything needed to make the plan again, and how sure it is.

    Parameters
    ----------
    result : PlanResult
    folder : Path or None
        Where the record will lie: the county's folder is named as seen from there.

    Returns
    -------
    dict
        Input hash, versions, seed, scenario, goals with objective, bound, gap, seconds and nodes,
        measures, findings as sentences, the plan row by row.
    """
    solve = result.solve
    goals = [vars(g) for g in solve.goals]
    money = result.county.scheme.currency.en
    return {
        "county": result.county.name, "county_en": result.county.name_en, "fictional": result.county.fictional,
        "modelled": list(result.county.modelled), "corrections": [c.told() for c in result.county.corrections], "year": result.county.year, "input_hash": result.county.content_hash,
        "county_folder": seen_from(result.county.workbook or result.county.folder, folder), "plan_id": result.plan.plan_id, "travel_times": result.times.source, "scenario": result.scenario,
        "versions": recorded_versions() | {"solver": solve.solver}, "seed": solve.seed, "status": solve.status,
        "objective": _known(solve.objective), "bound": _known(solve.bound), "gap": _known(solve.gap), "seconds": round(solve.seconds, 2), "goals": goals,
        "measures": {r.measure: {"today": _known(r.today), "plan": _known(r.plan), "unit": money if r.unit == "yuan" else r.unit} for r in result.verdict.measures.itertuples()},
        "referee": {"accepted": result.verdict.accepted, "rules": len(result.verdict.rules)},
        "findings": [{"severity": f.severity, "text": f.sentence("en")} for f in result.findings],
        "held": result.held.record() if result.held else [], "begun_from": result.held.record_of_start() if result.held else None, "ledger": ledger_record(result.plan),
    }  # fmt: skip


def is_dossier(folder: Path) -> bool:
    """Whether a folder holds an earlier dossier, which may be replaced when asked."""
    return (folder / MARKER).is_file()


def is_unfinished(folder: Path) -> bool:
    """Whether a folder holds a dossier that is not drawn to the end."""
    return is_dossier(folder) and (folder / UNFINISHED).is_file()


def _may_write(folder: Path, overwrite: bool) -> None:
    """Only an empty place or, when asked, an earlier dossier is written to."""
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return
    if not overwrite:
        raise InputProblems([Finding("error", "workbook.exists", file=str(folder))])
    if not is_dossier(folder):
        raise InputProblems([Finding("error", "workbook.not_a_dossier", file=str(folder))])


def _decisions(result: PlanResult, draft: Path, folder: Path) -> None:
    """The plan's ledger as CSV and the run record: what the plan is, before anything is drawn from it.

    Written in the draft, the record names the county as seen from the folder that it becomes.
    """
    write_ledger(result.plan, draft / LEDGER_CSV)
    record = json.dumps(run_record(result, folder), ensure_ascii=False, indent=1, default=str)
    (draft / MARKER).write_text(record + "\n", encoding="utf-8")


def save_plan(result: PlanResult, folder: Path, language: str = "zh", overwrite: bool = False) -> Path:
    """Write the plan's ledger and ``run.json``, whole and at once, so that nothing later can lose the plan.

    Parameters
    ----------
    result : PlanResult
    folder : Path
    language : {"zh", "en"}
    overwrite : bool
        As in `write_dossier`.

    Returns
    -------
    Path
        Where it is, as `geodata.folder.target.HeldTarget.replace` says; a folder of another disk where this one is full.

    Raises
    ------
    InputProblems
        When the folder may not be written.
    OSError
        The plan can be written nowhere.
    """

    def fill(draft: Path) -> None:
        _decisions(result, draft, folder)
        mark_unfinished(draft, language)

    with claim(folder, NAMES) as target:
        _may_write(folder, overwrite)
        try:
            return target.replace(fill)
        except OSError as problem:
            for other in elsewhere(folder):
                with suppress(OSError):
                    fill(other)
                    note_placed(other)
                    fields: dict[str, object] = {
                        "why": problem.strerror or str(problem),
                        "folder": str(other),
                    }
                    target.findings.append(
                        Finding("warning", "workbook.saved_elsewhere", fields, file=str(folder))
                    )
                    return other
            raise


Parts = tuple[tuple[str, Callable[[Path], object]], ...]


def _parts(
    result: PlanResult, named: PlanResult, language: str, letterhead: bytes | None, public: bool
) -> Parts:
    """The files that are drawn from a plan, in the order in which they need each other; ``named`` is what is printed."""

    @cache
    def reports() -> list[OfficialReport]:
        return all_reports(named, language)

    def document(file: Path) -> None:
        pictures = {sheet: file.with_name(picture_name(sheet)) for sheet in SHEETS}
        write_reports_document(named, file, language, letterhead, pictures, reports())

    def page(make: Callable[[], str]) -> Callable[[Path], object]:
        return lambda file: file.write_text(make(), encoding="utf-8")

    return (
        ("plan.xlsx", lambda file: write_workbook(named, file, language, not public)),
        ("plan.gpkg", lambda file: write_layers(result, file, public)),
        ("map.html", lambda file: write_map(result, file, language)),
        ("reports.html", page(lambda: reports_page(named, language, reports()))),
        ("reports.xlsx", lambda file: write_reports_workbook(named, file, language, reports())),
        (ATLAS, lambda file: write_atlas(result, file, language)),
        ("reports.docx", document),
        ("schools.html", page(lambda: schools_page(named, language))),
        ("villages.html", page(lambda: villages_page(named, language))),
    )


@in_its_words
def write_public(
    result: PlanResult,
    folder: str | Path,
    language: str = "zh",
    overwrite: bool = False,
    letterhead: bytes | None = None,
) -> Path:
    """Write the public edition of a plan: no count of pupils below five, no ledger, no sheets for editing.

    What is taken out, and how, stands in `maps.dossier.public`.

    Parameters
    ----------
    result : PlanResult
    folder : str or Path
        A folder of its own: a dossier of the same plan names children where villages are small.
    language : {"zh", "en"}
    overwrite : bool
        As in `write_dossier`.
    letterhead : bytes or None

    Returns
    -------
    Path

    Raises
    ------
    InputProblems
        When the folder may not be written.
    Undrawn
        A part could not be made; the other parts are written.
    """
    folder = Path(folder)
    told, named = public_result(result, language), public_result(lettered(result, language), language)
    missing: list[Finding] = []

    def fill(draft: Path) -> None:
        record = {k: v for k, v in run_record(told).items() if k in PUBLIC_RECORD}
        text = json.dumps({"edition": "public", **record}, ensure_ascii=False, indent=1, default=str)
        (draft / MARKER).write_text(text + "\n", encoding="utf-8")
        missing.extend(draw_parts(draft, _parts(told, named, language, letterhead, True), language))
        lost = {LEDGER_CSV, *(f.file for f in missing)}
        (draft / "index.html").write_text(front_page(named, language, lost), encoding="utf-8")

    with in_public(), claim(folder, NAMES) as target:
        _may_write(folder, overwrite)
        place = target.replace(fill)
    if missing:
        raise Undrawn(missing, place)
    return place


@in_its_words
def draw_plan(
    result: PlanResult, folder: Path, language: str = "zh", letterhead: bytes | None = None
) -> list[Finding]:
    """Write the whole dossier over a saved plan: what cannot be drawn is left out and said.

    Parameters
    ----------
    result : PlanResult
    folder : Path
        As `save_plan` returned it.
    language : {"zh", "en"}
    letterhead : bytes or None
        A bureau's template of ``reports.docx``, see `maps.reports.letterhead.read_letterhead`.

    Returns
    -------
    list of Finding
        A warning for each file that could not be made.
    """
    missing: list[Finding] = []
    parts = _parts(result, lettered(result, language), language, letterhead, False)

    def fill(draft: Path) -> None:
        _decisions(result, draft, folder)
        missing.extend(draw_parts(draft, parts, language))
        lost = {f.file for f in missing}
        (draft / "index.html").write_text(front_page(result, language, lost), encoding="utf-8")

    with claim(folder, NAMES) as target:
        target.replace(fill)
    return missing


@in_its_words
def write_dossier(
    result: PlanResult,
    folder: str | Path,
    language: str = "zh",
    overwrite: bool = False,
    letterhead: bytes | None = None,
) -> Path:
    """Write a plan's dossier: plan.csv, run.json, then the pages, map.html, plan.xlsx, plan.gpkg.

    The plan's ledger is written first; then everything is made beside the folder and put in place
    as a whole, by renaming.

    Parameters
    ----------
    result : PlanResult
    folder : str or Path
    language : {"zh", "en"}
    overwrite : bool
        Replace the files of an earlier dossier, and nothing else in its folder; any other folder that
        is not empty is never touched.
    letterhead : bytes or None
        As for `draw_plan`.

    Returns
    -------
    Path

    Raises
    ------
    InputProblems
        When the folder may not be written.
    Undrawn
        A part of the dossier could not be made; the plan and the other parts are written.
    """
    folder = Path(folder)
    with claim(folder, NAMES):
        place = save_plan(result, folder, language, overwrite)
        missing = draw_plan(result, place, language, letterhead)
    if missing:
        raise Undrawn(missing, place)
    return place
