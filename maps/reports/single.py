"""The twelve reports one by one: a document each, in the same template, under its own number."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from geodata.contract.findings import Finding, InputProblems
from geodata.messages import LANGUAGES
from geodata.roads.scratch import scratch_folder
from geodata.standards.terms import in_its_words
from maps.dossier.rehearsal import Undrawn, attempt
from maps.folders.writing import Output, write_folder
from maps.paper.atlas import ATLAS, SHEETS, picture_name, write_atlas
from maps.reports.document import DRAWN, write_reports_document
from maps.reports.letterhead import REPORTS
from maps.reports.report import report_word
from maps.reports.twelve import all_reports
from models.plan.decisions import PlanResult

SINGLE_MARKER = "reports.json"


def file_name(report: str) -> str:
    """The document of a report: its number and its id."""
    return f"{REPORTS.index(report) + 1:02d}-{report}.docx"


SINGLES = Output(SINGLE_MARKER, frozenset(map(file_name, REPORTS)))


def reports_meant(texts: Sequence[str]) -> tuple[str, ...]:
    """Ids of reports that are named by number, id, title or short title in either language; all without any.

    Raises
    ------
    InputProblems
        A name that no report has.
    """
    known = {name: r for r in REPORTS for name in _names(r)}
    wrong = [t for t in texts if t.strip().casefold() not in known]
    if wrong:
        raise InputProblems([Finding("error", "reports.unknown", value=t) for t in wrong])
    asked = {known[t.strip().casefold()] for t in texts}
    return tuple(r for r in REPORTS if r in asked or not texts)


def _names(report: str) -> set[str]:
    number = REPORTS.index(report) + 1
    titles = {
        report_word(f"{kind}_{report}", language) for kind in ("title", "tab") for language in LANGUAGES
    }
    return {n.casefold() for n in (report, str(number), f"{number:02d}", *titles)}


@in_its_words
def write_single_reports(
    result: PlanResult,
    folder: Path,
    language: str = "zh",
    only: Sequence[str] = (),
    letterhead: bytes | None = None,
    overwrite: bool = False,
) -> Path:
    """Write reports of a plan as documents of their own, with their maps, and a list of them.

    Parameters
    ----------
    result : PlanResult
    folder : Path
    language : {"zh", "en"}
    only : sequence of str
        As for `reports_meant`; empty for all twelve.
    letterhead : bytes or None
        A bureau's template, see `maps.reports.letterhead.read_letterhead`.
    overwrite : bool
        Replace an earlier folder of this kind.

    Returns
    -------
    Path

    Raises
    ------
    InputProblems
        A report that there is not, or a folder that may not be written.
    Undrawn
        A map or a document could not be made; the rest is written.
    """
    wanted = reports_meant(only)
    told = all_reports(result, language)
    titles = {r.id: r.title for r in told}
    record: dict[str, Any] = {
        "county": result.county.name, "county_en": result.county.name_en, "fictional": result.county.fictional, "plan_id": result.plan.plan_id,
        "language": language, "reports": {file_name(r): titles[r] for r in wanted},
    }  # fmt: skip
    with scratch_folder() as place:
        pictures, undrawn = _pictures(result, wanted, place, language)

        def one(report: str, file: Path) -> object:
            return write_reports_document(result, file, language, letterhead, pictures, told, report)

        parts: list[tuple[str, Callable[[Path], object]]] = [(file_name(r), partial(one, r)) for r in wanted]
        written = write_folder(folder, SINGLES, overwrite, record, parts, language)
    if undrawn is not None:
        raise Undrawn([undrawn], written)
    return written


def _pictures(
    result: PlanResult, wanted: Sequence[str], place: Path, language: str
) -> tuple[dict[str, Path], Finding | None]:
    """The maps of the reports that have one, drawn in a place of their own; a warning where they cannot be."""
    if not set(wanted) & set(DRAWN):
        return {}, None
    failed = attempt(ATLAS, lambda: write_atlas(result, place / ATLAS, language))
    return {sheet: place / picture_name(sheet) for sheet in SHEETS}, failed
