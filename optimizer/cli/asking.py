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
        said = _overridden(county, scenario)
    return replace(county, findings=(*county.findings, *said)), asked


def _overridden(county: County, scenario: Path | None) -> tuple[Finding, ...]:
    """That the workbook's own sheet does not count, where it says anything."""
    if not county.asked or scenario is None:
        return ()
    fields: dict[str, object] = {"file": str(scenario)}
    return (Finding("warning", "form.overridden", fields, file=county.asked[0].label),)
