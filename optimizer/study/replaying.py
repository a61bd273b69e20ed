"""A recorded study made again, from the file that marks its folder."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from geodata.contract.county import County
from geodata.contract.findings import Finding, InputProblems
from geodata.folder.reading import read_county
from models.plan.record import read_plan
from models.study.analysis import Alternatives, Frontier
from models.study.provincial import Province
from models.study.robust import Robust
from models.study.stressed import Stress
from optimizer.scenario import Scenario
from optimizer.search.task import Report
from optimizer.study.alternatives import alternatives
from optimizer.study.frontier import frontier
from optimizer.study.jobs.rows import ToldRows
from optimizer.study.province.asked import read_province
from optimizer.study.province.province import province
from optimizer.study.robust.robust import robust
from optimizer.study.robust.solves import GIVEN_PLAN, ROBUST_MARKER
from optimizer.study.steady import Steadily
from optimizer.study.stress.futures import Futures
from optimizer.study.stress.kept import FIXED_PLAN, MARKER
from optimizer.study.stress.stress import stress
from optimizer.study.switching import Bracketing

FRONTIER_MARKER, ALTERNATIVES_MARKER, PROVINCE_RECORD = "frontier.json", "alternatives.json", "province.json"
MARKERS = (FRONTIER_MARKER, ALTERNATIVES_MARKER, MARKER, ROBUST_MARKER, PROVINCE_RECORD)
VOLATILE = ("seconds", "county_folder", "study", "province", "input_hashes")
"""Parts of a record that may differ between two runs of the same study: times and places."""
CLOSE = 1e-9
StudyFound = Frontier | Alternatives | Stress | Robust | Province


@dataclass(frozen=True)
class StudyRecord:
    """The record of a study.

    Parameters
    ----------
    home : Path
        The study's folder.
    marker : str
        Name of the file.
    told : dict
        Its content.
    """

    home: Path
    marker: str
    told: dict[str, Any]


def study_record(path: Path) -> StudyRecord | None:
    """The record that a folder, or a file, is; None where it is no study's.

    Raises
    ------
    InputProblems
        A marker that cannot be read, or of a program that did not record how it was called.
    """
    file = next((path / m for m in MARKERS if (path / m).is_file()), None) if path.is_dir() else path
    if file is None or file.name not in MARKERS or not file.is_file():
        return None
    try:
        told = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        told = None
    called = "province" if file.name == PROVINCE_RECORD else "options"
    if not isinstance(told, dict) or not isinstance(told.get(called), dict):
        raise InputProblems([Finding("error", "plan.not_a_study", file=str(file))])
    return StudyRecord(file.parent, file.name, told)


def county_of_study(record: StudyRecord, folder: Path | None) -> tuple[County, list[Finding]]:
    """The county of a recorded study, and whether its tables are other ones than then.

    Raises
    ------
    InputProblems
        The record names no folder; as `geodata.folder.reading.read_county`.
    """
    named = record.told.get("county_folder")
    if folder is None and not named:
        raise InputProblems(
            [Finding("error", "plan.no_county_folder", file=str(record.home / record.marker))]
        )
    place = record.home / str(named) if folder is None else folder
    county = read_county(place)
    same = record.told.get("input_hash") == county.content_hash or record.told.get("later")
    return county, [] if same else [Finding("warning", "plan.other_input", file=str(place))]


def study_again(
    record: StudyRecord, county: County, folder: Path, workers: int = 1, report: Report | None = None, told: ToldRows | None = None
) -> StudyFound:  # fmt: skip
    """The study made again.

    Parameters
    ----------
    record : StudyRecord
    county : County
    folder : Path
        For the rows of studies that write them as they come.
    workers : int
    report, told : callable or None

    Raises
    ------
    InputProblems
        The record does not say what a study needs to know; and as the verb's own.
    """
    makers: dict[str, Callable[[], StudyFound]] = {
        FRONTIER_MARKER: lambda: _frontier(record, county, report),
        ALTERNATIVES_MARKER: lambda: alternatives(
            county,
            _scenario(record),
            k=record.told["options"]["k"],
            within=record.told["within"],
            report=report,
        ),
        MARKER: lambda: _stress(record, county, folder, workers, told),
        ROBUST_MARKER: lambda: _robust(record, county, folder, workers, told),
    }
    try:
        return makers[record.marker]()
    except (KeyError, TypeError, ValidationError) as problem:
        what: dict[str, object] = {"why": str(problem).splitlines()[0][:200]}
        raise InputProblems(
            [Finding("error", "plan.study_unclear", what, file=str(record.home / record.marker))]
        ) from None


def province_again(record: StudyRecord, folder: Path, workers: int, told: ToldRows | None = None) -> Province:
    """A province's split made again; its counties are where the record says.

    Raises
    ------
    InputProblems
    """
    given = read_province(record.home / record.marker)
    return province(given, folder, workers=workers, told=told)


def _scenario(record: StudyRecord) -> Scenario:
    return Scenario.model_validate(record.told["scenario"])


def _frontier(record: StudyRecord, county: County, report: Report | None) -> Frontier:
    options = dict(record.told["options"])
    narrow, steadily = options.pop("narrow"), options.pop("steadily")
    if narrow is not None:
        narrow = Bracketing(tuple(narrow["of"]), narrow["within"], narrow["most"])
    return frontier(
        county, _scenario(record), earmark=record.told["earmark"], later=record.told["later"], narrow=narrow,
        steadily=None if steadily is None else Steadily(**steadily), report=report, **options,
    )  # fmt: skip


def _stress(record: StudyRecord, county: County, folder: Path, workers: int, told: ToldRows | None) -> Stress:
    plan = read_plan(record.home / FIXED_PLAN, county)
    futures = Futures.model_validate(record.told["futures"])
    return stress(
        county, futures, plan, _scenario(record), folder, workers=workers, told=told, **record.told["options"]
    )


def _robust(record: StudyRecord, county: County, folder: Path, workers: int, told: ToldRows | None) -> Robust:
    options, said = record.told["options"], record.told
    given = read_plan(record.home / GIVEN_PLAN, county) if options["given"] else None
    return robust(
        county, Futures.model_validate(said["futures"]), _scenario(record), given, folder, goal=said["goal"],
        common=tuple(said["common"]), choose=said["choose"], weight=said["weight"], seconds=options["seconds"], workers=workers,
        told=told,
    )  # fmt: skip


def study_differs(before: Path, after: Path, marker: str) -> list[str]:
    """Where two folders of the same study differ: keys of the record, tables with their first line that differs.

    Parameters
    ----------
    before, after : Path
        Folders.
    marker : str

    Returns
    -------
    list of str
        Empty: the same study with the same figures.
    """
    old, new = (json.loads((f / marker).read_text(encoding="utf-8")) for f in (before, after))
    found = [f"{marker}: {key}" for key in _unlike(old, new, "")]
    tables = sorted({f.name for f in before.glob("*.csv")} | {f.name for f in after.glob("*.csv")})
    for name in tables:
        lines = [_rows(folder / name) for folder in (before, after)]
        if lines[0] != lines[1]:
            first = next((i for i, (a, b) in enumerate(zip(*lines, strict=False), 1) if a != b), None)
            found.append(f"{name}: {first if first is not None else min(map(len, lines)) + 1}")
    return found


def _rows(file: Path) -> list[list[str]]:
    if not file.is_file():
        return []
    with file.open(encoding="utf-8-sig", newline="") as text:
        return list(csv.reader(text))


def _unlike(old: Any, new: Any, path: str) -> Iterator[str]:
    """Paths of values that differ; numbers by rounding alone are the same."""
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted({*old, *new} - set(VOLATILE)):
            yield from _unlike(old.get(key), new.get(key), f"{path}.{key}" if path else key)
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for i, (a, b) in enumerate(zip(old, new, strict=True)):
            yield from _unlike(a, b, f"{path}[{i}]")
    elif isinstance(old, (int, float)) and isinstance(new, (int, float)):
        if abs(old - new) > CLOSE * max(1.0, abs(old), abs(new)):
            yield path
    elif old != new:
        yield path
