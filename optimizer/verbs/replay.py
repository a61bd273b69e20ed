"""The verb ``replay``: the same plan again from what its record says, and what differs if it is not the same."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from pydantic import ValidationError

from geodata.contract.county import County
from geodata.contract.findings import Finding, InputProblems
from geodata.folder.reading import read_county
from models.plan.decisions import PlanResult
from models.plan.differences.edits import ledger_edits
from models.plan.keeping import held_from
from models.plan.record import RECORD, read_plan, read_record, recorded_versions
from optimizer.scenario import Scenario
from optimizer.search.task import Report
from optimizer.verbs.plan import plan

NEARLY = 0.9
"""Share of the time limit from which some solve was ended by the clock: each has a part of it."""


@dataclass(frozen=True)
class Replay:
    """A recorded plan made again.

    Parameters
    ----------
    recorded : str
        The plan id of the record.
    result : PlanResult
        The plan made again.
    edits : DataFrame
        `models.plan.differences.edits.ledger_edits` from the recorded plan to the new one.
    findings : tuple of Finding
        What may be why: another input, another solve that the clock ended.
    """

    recorded: str
    result: PlanResult
    edits: pd.DataFrame
    findings: tuple[Finding, ...]

    @property
    def same(self) -> bool:
        """Whether it is the same plan."""
        return self.recorded == self.result.plan.plan_id


def replay(path: str | Path, folder: str | Path | None = None, report: Report | None = None) -> Replay:
    """Make a recorded plan again.

    Parameters
    ----------
    path : str or Path
        A dossier folder or its ``run.json``.
    folder : str or Path or None
        The county's folder; None takes the one of the record, seen from the dossier.
    report : callable or None
        As for `optimizer.verbs.plan.plan`.

    Returns
    -------
    Replay

    Raises
    ------
    InputProblems
        No record, a record without a county folder, a scenario that cannot be read; and as `plan`.
    """
    path = Path(path)
    record = read_record(path)
    county, folder = recorded_county(path, record, folder)
    scenario = recorded_scenario(record)
    before = read_plan(path)
    found = []
    if record.get("input_hash") != county.content_hash:
        found.append(Finding("warning", "plan.other_input", file=str(folder)))
    if record.get("status") == "edited":
        found.append(Finding("warning", "plan.was_edited", file=RECORD))
    kept = held_from(record.get("held") or [], record.get("begun_from"))
    result = plan(county, scenario, report=report, keep=kept)
    found += _otherwise(record, scenario, result)
    if not found and str(record.get("plan_id")) != result.plan.plan_id:
        found.append(Finding("warning", "plan.nothing_differs", file=RECORD))
    return Replay(str(record.get("plan_id")), result, ledger_edits(before, result.plan), tuple(found))


def _otherwise(record: dict[str, Any], scenario: Scenario, result: PlanResult) -> Iterator[Finding]:
    """What may make another plan of the same input: other versions, a solve that the clock ended."""
    now = recorded_versions()
    then = record.get("versions") or {}
    others = [f"{k} {then[k]} → {now[k]}" for k in now if k in then and str(then[k]) != now[k]]
    if others:
        yield Finding("warning", "plan.other_versions", {"versions": ", ".join(others)}, file=RECORD)
    took = (float(record.get("seconds") or 0.0), result.solve.seconds)
    if max(took) >= NEARLY * scenario.seconds:
        yield Finding("note", "plan.clock_may_differ", file=RECORD)


def recorded_county(
    path: Path, record: dict[str, Any], folder: str | Path | None = None
) -> tuple[County, str | Path]:
    """The county that a record is about, and where it was read.

    Parameters
    ----------
    path : Path
        A dossier folder or its ``run.json``.
    record : dict
    folder : str or Path or None
        Where the county lies now; None takes the folder of the record, seen from the dossier.

    Raises
    ------
    InputProblems
        The record names none; and as `read_county`.
    """
    if folder is None:
        named = record.get("county_folder")
        if not named:
            raise InputProblems([Finding("error", "plan.no_county_folder", file=str(path))])
        folder = (path if path.is_dir() else path.parent) / str(named)
    return read_county(folder), folder


def recorded_scenario(record: dict[str, Any]) -> Scenario:
    """The scenario of a record.

    Raises
    ------
    InputProblems
        It cannot be read.
    """
    try:
        return Scenario.model_validate(record.get("scenario") or {})
    except ValidationError as problem:
        why: dict[str, object] = {"why": str(problem.errors()[0]["loc"])}
        raise InputProblems([Finding("error", "plan.not_a_record", why, file=RECORD)]) from None
