"""A recorded study made again beside the first, and where the two differ. Words only."""

from __future__ import annotations

from pathlib import Path

from geodata.contract.findings import Finding, InputProblems
from geodata.folder.target import claim
from maps.folders.alternatives import write_alternatives
from maps.folders.frontier import write_frontier
from maps.folders.writing import refuse_unwritable
from maps.province.folder import write_province
from maps.robust.folder import write_robust
from maps.stress.folder import write_stress
from models.study.analysis import Alternatives, Frontier
from models.study.provincial import Province
from models.study.robust import Robust
from optimizer.cli.console import Out, progress
from optimizer.cli.studies.shared import cores, job_progress
from optimizer.study.replaying import (
    PROVINCE_RECORD,
    StudyFound,
    StudyRecord,
    county_of_study,
    province_again,
    study_again,
    study_differs,
)

SHOWN = 20


def replay_study(out: Out, record: StudyRecord, county: Path | None, target: Path | None) -> bool:
    """Make a study again in another folder and say whether it is the same.

    Parameters
    ----------
    out : Out
    record : StudyRecord
    county : Path or None
        Its folder, if it moved.
    target : Path or None
        Where the second one is written.

    Returns
    -------
    bool

    Raises
    ------
    InputProblems
        No place for the second one, or one that holds something; and as `study_again`.
    """
    if target is None:
        raise InputProblems([Finding("error", "plan.study_needs_out", file=str(record.home))])
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise InputProblems([Finding("error", "cli.exists", file=str(target))])
    refuse_unwritable(target)
    with claim(target):
        if record.marker == PROVINCE_RECORD:
            with job_progress(out, "province") as told:
                found: StudyFound = province_again(record, target, cores(), told)
        else:
            read, doubts = county_of_study(record, county)
            out.findings(doubts)
            with progress(out) as report, job_progress(out, "stress") as told:
                found = study_again(record, read, target, cores(), report, told)
        _write(found, target, out.language)
    unlike = study_differs(record.home, target, record.marker)
    if not unlike:
        out.say_as("plan.study_replayed", style="bold green", folder=str(target))
        return True
    out.say_as("plan.study_not_replayed", style="bold red", count=len(unlike), folder=str(target))
    for line in unlike[:SHOWN]:
        out.console.print(f"  {line}", markup=False)
    return False


def _write(found: StudyFound, target: Path, language: str) -> None:
    """Write it as its verb does."""
    if isinstance(found, Frontier):
        write_frontier(found, target, language)
    elif isinstance(found, Alternatives):
        write_alternatives(found, target, language)
    elif isinstance(found, Robust):
        write_robust(found, target, language)
    elif isinstance(found, Province):
        write_province(found, target, language)
    else:
        write_stress(found, target, language)
