"""What a verb is asked for: the scenario of the command line, else the one of the workbook's own sheet, else a default."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from geodata.contract.county import County
from geodata.contract.findings import Finding, InputProblems
from optimizer.amounts import doubtful_amounts
from optimizer.cli.console import county_of
from optimizer.scenario import Scenario, read_scenario
from optimizer.scenario_sheet import asked_of
from optimizer.verbs.why import places_meant


def asked_county(
    folder: Path, outside: bool, database: list[str] | None, scenario: Path | None, otherwise: Scenario | None = None
) -> tuple[County, Scenario]:  # fmt: skip
    """A county and what is asked for it; what was doubtful or overridden is among the county's findings.

    Parameters
    ----------
    folder : Path
        A county's folder or workbook.
    outside, database
        What the user allows.
    scenario : Path or None
        TOML; it counts instead of the workbook's sheet.
    otherwise : Scenario or None
        Where neither says anything.

    Raises
    ------
    InputProblems
        Bad input, amounts in the wrong unit included.
    """
    asked = (
        None if scenario is None else read_scenario(scenario)
    )  # a fault in it is told before a long reading
    county = county_of(folder, outside, database)
    if asked is None:
        asked, said = asked_of(county, otherwise)
    else:
        doubts = doubtful_amounts(asked.budget, county)
        if doubts:
            name = scenario.name if scenario is not None else ""
            raise InputProblems([replace(f, file=name) for f in doubts])
        asked, taken = _by_name(asked, county, scenario)
        said = (*_overridden(county, scenario), *taken)
    return replace(county, findings=(*county.findings, *said)), asked


def _by_name(asked: Scenario, county: County, scenario: Path | None) -> tuple[Scenario, tuple[Finding, ...]]:
    """Schools that a scenario file names by name, as ids; a name that is only like one is a warning.

    Raises
    ------
    InputProblems
        A name that no school has, or several.
    """
    file = scenario.name if scenario is not None else ""
    ids: dict[str, tuple[str, ...]] = {}
    said: list[Finding] = []
    wrong: list[Finding] = []
    for key in ("keep_open", "close"):
        try:
            ids[key], doubts = places_meant(county, "school", getattr(asked, key))
            said += [replace(f, file=file, column=key) for f in doubts]
        except InputProblems as problem:
            wrong += [replace(f, file=file, column=key) for f in problem.findings]
    if wrong:
        raise InputProblems(wrong)
    return asked.model_copy(update=ids), tuple(said)


def _overridden(county: County, scenario: Path | None) -> tuple[Finding, ...]:
    """That the workbook's own sheet does not count, where it says anything."""
    if not county.asked or scenario is None:
        return ()
    fields: dict[str, object] = {"file": str(scenario)}
    return (Finding("warning", "form.overridden", fields, file=county.asked[0].label),)
