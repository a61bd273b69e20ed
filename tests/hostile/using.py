"""What an accepted county is used for: audited, its model stated and judged as it stands; what came with it is read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from geodata.contract.county import County
from geodata.corrections.reading import read_corrections
from geodata.travel.times import travel_times
from models.plan.arrangement import today_as_plan
from models.plan.record import read_plan, read_record
from models.plan.sheets import read_edited
from models.problem.request import Request
from models.referee.audit import audit
from models.referee.verdict import judge
from models.standards.norms import load_standards
from optimizer.amounts import doubtful_amounts
from optimizer.scenario import check_scenario, read_scenario
from optimizer.scenario_sheet import asked_of
from optimizer.study.province.asked import read_province
from optimizer.study.stress.futures import read_futures

ALONE: dict[str, Callable[[Path], object]] = {
    "futures.toml": read_futures, "province.toml": read_province, "run.json": read_record,
}  # fmt: skip
WITH_COUNTY: dict[str, Callable[[Path, County], object]] = {
    "run.json": read_plan, "plan.csv": read_plan, "plan.xlsx": read_edited, "returned.xlsx": read_corrections,
}  # fmt: skip


def asked_in(county: County, folder: Path) -> Request:
    """The request of a scenario file beside the tables, or of the workbook's sheet.

    Raises
    ------
    InputProblems
    """
    file = folder / "scenario.toml"
    if not file.exists():
        return asked_of(county)[0].request()
    scenario = read_scenario(file)
    check_scenario(scenario, county)
    doubtful_amounts(scenario.budget, county)
    return scenario.request()


def used(place: Path, county: County) -> None:
    """Audit a county, state its model for what is asked of it, judge it as it stands today.

    Raises
    ------
    InputProblems
        In words, where something is wrong that a check of the tables does not read.
    """
    request = asked_in(county, place)
    standards = load_standards(county)
    audit(county, standards)
    times = travel_times(county)
    judge(county, standards, today_as_plan(county, standards, times), times, request)


def beside(place: Path, county: County) -> None:
    """Read what came along with a county: futures, a province, records and edited copies of a plan, corrections.

    Raises
    ------
    InputProblems
    """
    for name, read in ALONE.items():
        file = place / name
        if file.exists() or file.is_symlink():
            read(file)
    for name, read_for in WITH_COUNTY.items():
        if (place / name).exists():
            read_for(place / name, county)
