"""What is asked of a province: a ``province.toml``, or the ``province.json`` of an earlier run."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from geodata.contract.findings import Finding, InputProblems
from geodata.contract.settings import FileName, model_findings, read_settings, settings_text
from models.plan.record import MOST_RECORD
from optimizer.scenario import Scenario, read_scenario
from optimizer.study.stress.futures import with_lines

PROVINCE_FILE, COUNTY_FILE = "province.toml", "county.toml"
SECOND = "deficit"
"""What plans and the split make least after the goal."""
SECONDS = 20.0
"""Of every plan, unless a scenario says otherwise."""
ProvinceGoal = Literal["failing", "cells", "shortfall", "over_cap", "beyond_limit"]
"""Goals that counties' values of can be added up, and whose bound is about a plan's own value."""
Grant = Annotated[float, Field(ge=0, le=1e12, allow_inf_nan=False)]


class CountyAsked(BaseModel):
    """One county of a province.

    Parameters
    ----------
    folder : str
        Its folder or workbook, seen from the file.
    floor : float
        Yuan that it gets at least; without it the province's ``floor``.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    folder: FileName
    floor: Grant | None = None


class ProvinceAsked(BaseModel):
    """What to split, and among whom. Unknown keys are refused, not ignored.

    Parameters
    ----------
    name : str
        Chinese name of the province.
    name_en : str
        English name.
    budget : float
        Yuan to split, on top of what every county has itself.
    goal : str
        What the split makes least over all counties together.
    floor : float
        Share of its equal-per-pupil part that a county gets at least.
    shares : tuple of float
        Grants tried in every county, times its equal-per-pupil part; 0, 1 and the floor are always among them, and
        no county gets more than the largest.
    scenario : str
        A scenario file for the plans of all counties, seen from the file.
    county : tuple of CountyAsked
        Without any, all folders beside the file that have a ``county.toml``.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    name: str = ""
    name_en: str = ""
    budget: float = Field(gt=0, le=1e13, allow_inf_nan=False)
    goal: ProvinceGoal = "failing"
    floor: float = Field(default=0.5, ge=0, le=1)
    shares: tuple[Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)], ...] = (0.5, 1.0, 2.0, 4.0)
    scenario: FileName | None = None
    county: tuple[CountyAsked, ...] = ()

    @field_validator("shares")
    @classmethod
    def _in_order(cls, shares: tuple[float, ...]) -> tuple[float, ...]:
        return tuple(sorted({*shares, 0.0, 1.0}))


@dataclass(frozen=True)
class ProvinceGiven:
    """A province as it was handed over.

    Parameters
    ----------
    asked : ProvinceAsked
        Its counties all named.
    home : Path
        From where its folders are seen.
    scenario : Scenario
        Of the plans of all counties.
    hashes : dict of str to str
        Input hashes by folder of the run that is made again; empty otherwise.
    """

    asked: ProvinceAsked
    home: Path
    scenario: Scenario
    hashes: dict[str, str] = field(default_factory=dict)

    def folders(self) -> list[Path]:
        """The counties' folders, in order."""
        return [self.home / c.folder for c in self.asked.county]

    def seen_from(self, place: Path) -> dict[str, Any]:
        """The request as plain data, its folders as they are seen from another place."""
        told = self.asked.model_dump(mode="json", exclude={"scenario"})
        for county, folder in zip(told["county"], self.folders(), strict=True):
            try:
                county["folder"] = Path(os.path.relpath(folder.resolve(), place.resolve())).as_posix()
            except ValueError:  # another drive
                county["folder"] = folder.resolve().as_posix()
        return told


def read_province(
    path: Path, scenario: Scenario | None = None, budget: float | None = None, seconds: float | None = None
) -> ProvinceGiven:
    """A province from a ``province.toml``, a folder that has one, or the ``province.json`` of an earlier run.

    Parameters
    ----------
    path : Path
    scenario : Scenario or None
        In place of the file's.
    budget : float or None
        Yuan, in place of the file's.
    seconds : float or None
        Time of each plan, in place of the scenario's.

    Raises
    ------
    InputProblems
        With file, line, key, value and what to write instead.
    """
    file = path / PROVINCE_FILE if path.is_dir() else path
    given = _recorded(file) if file.suffix.lower() == ".json" else _written(file, scenario)
    names = [c.folder for c in given.asked.county]
    twice = sorted({n for n in names if names.count(n) > 1})
    if twice:
        raise InputProblems(
            [Finding("error", "province.twice", file=file.name, column="county", value=n) for n in twice]
        )
    content = given.asked.model_dump() | ({} if budget is None else {"budget": budget})
    asked = _validated(content, file.name)
    limits = {} if seconds is None else {"seconds": seconds}
    told = (scenario or given.scenario).model_copy(update=limits)
    return ProvinceGiven(asked, given.home, told, given.hashes)


def _written(file: Path, scenario: Scenario | None) -> ProvinceGiven:
    """A province as its file says."""
    try:
        asked = read_settings(file, ProvinceAsked)
    except InputProblems as problem:
        raise InputProblems(with_lines(problem.findings, file)) from None
    home = file.parent
    if not asked.county:
        asked = asked.model_copy(update={"county": _beside(home)})
    if scenario is None:
        scenario = (
            default_scenario(asked.goal) if asked.scenario is None else read_scenario(home / asked.scenario)
        )
    return ProvinceGiven(asked, home, scenario)


def default_scenario(goal: str) -> Scenario:
    """The goal first, then what is missing; a short time for every plan."""
    goals = ({"name": goal}, {"name": SECOND, "tolerance": 0.02})
    return Scenario.model_validate({"goals": goals, "seconds": SECONDS})


def _validated(content: dict[str, Any], file: str) -> ProvinceAsked:
    try:
        return ProvinceAsked.model_validate(content)
    except ValidationError as problem:
        raise InputProblems(model_findings(problem, ProvinceAsked, file)) from None


def _beside(home: Path) -> tuple[CountyAsked, ...]:
    """The county folders of a folder, by name.

    Raises
    ------
    InputProblems
        There is none.
    """
    found = sorted(p.name for p in home.iterdir() if (p / COUNTY_FILE).is_file())
    if not found:
        raise InputProblems([Finding("error", "province.no_counties", file=str(home))])
    return tuple(CountyAsked(folder=name) for name in found)


def _recorded(path: Path) -> ProvinceGiven:
    """The province of an earlier run."""
    try:
        record = json.loads(settings_text(path, path.name, MOST_RECORD))
        hashes = {str(k): str(v) for k, v in dict(record["input_hashes"]).items()}
        scenario = Scenario.model_validate(record["scenario"])
        asked = ProvinceAsked.model_validate(record["province"])
    except (ValueError, RecursionError, KeyError, TypeError) as problem:
        fields: dict[str, object] = {"why": " ".join(str(problem).split())[:200]}
        raise InputProblems([Finding("error", "province.not_a_record", fields, file=path.name)]) from None
    return ProvinceGiven(asked, path.parent, scenario, hashes)
