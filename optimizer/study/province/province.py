"""The verb ``province``: many counties' frontiers in parallel, and a provincial budget split among them.

1. Every county is read; its part of the budget by pupils says which grants are tried (`optimizer.study.province.grants`).
2. Every county's plans for its grants, a job a county (`optimizer.study.province.fronts`), on workers or a cluster. Rows
   grow on disk; an interrupted run goes on; a county that fails is a row, and its equal part is set aside.
3. The split by a MILP over the points, with bounds (`optimizer.study.province.split`).
"""

from __future__ import annotations

import hashlib
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from geodata.folder.target import claim
from geodata.roads.scratch import scratch_folder
from models.plan.decisions import Plan
from models.plan.record import write_ledger
from models.study.provincial import Province
from optimizer.study.jobs.folder import RowsFolder
from optimizer.study.jobs.rows import ToldRows, all_rows
from optimizer.study.jobs.workers import answers
from optimizer.study.province.asked import ProvinceGiven
from optimizer.study.province.fronts import POINT_COLUMNS, Fronts
from optimizer.study.province.grants import CountyItem, county_items
from optimizer.study.province.summed import plan_file, province_tables

MARKER_OF_PROVINCE, COUNTY_ROWS = "province.json", "rows.csv"
FRONT_FOLDER, PLAN_FOLDER = "fronts", "plans"


def province(
    given: ProvinceGiven,
    folder: Path | None = None,
    *,
    workers: int = 1,
    scheduler: str | None = None,
    overwrite: bool = False,
    outside: bool = False,
    databases: tuple[str, ...] = (),
    told: ToldRows | None = None,
) -> Province:
    """Split a budget among counties.

    Parameters
    ----------
    given : ProvinceGiven
        Of `optimizer.study.province.asked.read_province`.
    folder : Path or None
        Rows, fronts and plans are written there as they come; the same call goes on where an earlier one was interrupted.
    workers, scheduler, overwrite, told
        As for `optimizer.study.stress.stress.stress`.
    outside, databases
        As for `geodata.folder.reading.read_county`.

    Returns
    -------
    Province

    Raises
    ------
    InputProblems
        No county can be read or planned; floors that are more than the budget; a folder that holds something else.
    """
    items, unread, found = county_items(given, outside, databases)
    with ExitStack() as held:
        if folder is None:
            folder = held.enter_context(scratch_folder()) / "study"
        held.enter_context(claim(folder))
        names = (COUNTY_ROWS, FRONT_FOLDER, PLAN_FOLDER)
        place = RowsFolder(folder, MARKER_OF_PROVINCE, _key(given, items), names, overwrite)
        years = {i.number: i.county.year for i in items}

        def keep(number: int, made: tuple[pd.DataFrame, dict[int, pd.DataFrame]]) -> None:
            _keep(place, years[number], number, *made)

        work = Fronts(given.scenario, given.asked.goal)
        hands = partial(answers, workers=workers, scheduler=scheduler)
        rows = all_rows(folder / COUNTY_ROWS, work, items, hands, told, keep)
        points = _points(folder, [int(n) for n in rows.loc[rows["status"] == "done", "county"]])
        return province_tables(given, items, unread, rows, points, found, _request(given, items, folder))


def _key(given: ProvinceGiven, items: list[CountyItem]) -> str:
    """Hash of everything that the rows follow from."""
    parts = [given.asked.goal, given.scenario.model_dump_json()]
    parts += [f"{i.number} {i.county.content_hash} {i.grants}" for i in items]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _request(given: ProvinceGiven, items: list[CountyItem], folder: Path) -> dict[str, Any]:
    """What is recorded of the request: its folders seen from the study's, and their inputs' hashes."""
    seen = given.seen_from(folder)
    folders = [c["folder"] for c in seen["county"]]
    return {
        "province": seen,
        "input_hashes": {folders[i.number - 1]: i.county.content_hash for i in items},
    }


def _front_file(number: int) -> str:
    return f"{FRONT_FOLDER}/{number:04d}.csv"


def _keep(
    place: RowsFolder, year: int, number: int, points: pd.DataFrame, ledgers: dict[int, pd.DataFrame]
) -> None:
    """A county's plans, then its front, on disk."""
    for i, ledger in ledgers.items():
        place.keep(plan_file(number, i), partial(write_ledger, Plan(ledger, (year,))))
    place.keep(_front_file(number), partial(points.to_csv, index=False, lineterminator="\n"))


def _points(folder: Path, numbers: list[int]) -> pd.DataFrame:
    """The points of some counties, from disk."""
    parts = [pd.read_csv(folder / _front_file(n)) for n in numbers]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=POINT_COLUMNS)
