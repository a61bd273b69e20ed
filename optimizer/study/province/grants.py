"""The counties of a province: their equal-per-pupil parts, their floors, the grants that are tried in each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from geodata.contract.county import County
from geodata.contract.findings import Finding, InputProblems
from geodata.folder.reading import read_county
from models.problem.baseline import planning_demand
from models.problem.request import budgets
from optimizer.study.province.asked import CountyAsked, ProvinceGiven


@dataclass(frozen=True, eq=False)
class CountyItem:
    """A county of a province.

    Parameters
    ----------
    number : int
        From 1, in the order of the request.
    folder : str
        As the request names it.
    county : County
    pupils : int
        Of the planning year.
    equal, floor : float
        Whole yuan: its part by pupils; what it gets at least.
    grants : tuple of float
        Whole yuan, upwards from 0: those that are tried.
    """

    number: int
    folder: str
    county: County
    pupils: int
    equal: float
    floor: float
    grants: tuple[float, ...]


@dataclass(frozen=True)
class Unread:
    """A county that cannot be used, and why."""

    number: int
    folder: str
    findings: tuple[Finding, ...]


def county_items(
    given: ProvinceGiven, outside: bool = False, databases: tuple[str, ...] = ()
) -> tuple[list[CountyItem], list[Unread], list[Finding]]:
    """The counties of a province, those that cannot be used, and what was found.

    Parameters
    ----------
    given : ProvinceGiven
    outside, databases
        As for `geodata.folder.reading.read_county`.

    Raises
    ------
    InputProblems
        No county can be used, or the floors are more than the budget.
    """
    read: list[tuple[int, CountyAsked, County]] = []
    unread: list[Unread] = []
    found: list[Finding] = []
    for number, (asked, folder) in enumerate(zip(given.asked.county, given.folders(), strict=True), start=1):
        try:
            county = read_county(folder, allow_outside=outside, databases=databases)
            _check(county, given)
        except InputProblems as problem:
            unread.append(Unread(number, asked.folder, tuple(problem.findings)))
            continue
        read.append((number, asked, county))
        was = given.hashes.get(asked.folder)
        if was is not None and was != county.content_hash:
            found.append(Finding("warning", "province.other_input", {"name": county.name}))
    if not read:
        raise InputProblems([f for u in unread for f in u.findings])
    items = _with_grants(given, read)
    floors = sum(i.floor for i in items)
    if floors > given.asked.budget:
        fields: dict[str, object] = {"floors": f"{floors:,.0f}"}
        raise InputProblems([Finding("error", "province.floors", fields, value=f"{given.asked.budget:,.0f}")])
    return items, unread, found


def _check(county: County, given: ProvinceGiven) -> None:
    """Raise InputProblems where a county's own money is not known, or nobody is to be planned for."""
    if any(v != v for v in budgets(county, given.scenario.request()).values()):
        raise InputProblems([Finding("error", "analysis.budget_unknown")])
    if not int(planning_demand(county)["total"].sum()):
        raise InputProblems([Finding("error", "province.no_pupils", value=county.name)])


def _with_grants(given: ProvinceGiven, read: list[tuple[int, CountyAsked, County]]) -> list[CountyItem]:
    pupils = [int(planning_demand(county)["total"].sum()) for _, _, county in read]
    items = []
    for (number, asked, county), own in zip(read, pupils, strict=True):
        equal = float(np.floor(given.asked.budget * own / sum(pupils)))
        floor = float(np.floor(given.asked.floor * equal if asked.floor is None else asked.floor))
        grants = tuple(sorted({*(float(np.floor(s * equal)) for s in given.asked.shares), floor}))
        items.append(CountyItem(number, asked.folder, county, own, equal, floor, grants))
    return items
