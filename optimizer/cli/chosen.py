"""One of several plans written as a dossier: ``--dossier`` of alternatives and frontier."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from geodata.contract.county import County
from geodata.contract.findings import Finding, InputProblems
from maps.dossier.dossier import is_dossier, write_dossier
from models.plan.decisions import Plan, Verdict
from optimizer.cli.console import Out, refuse_folder
from optimizer.scenario import Scenario
from optimizer.verbs.told import result_of


@dataclass(frozen=True)
class OneOfMany:
    """One of the plans of a study, None where the study found none, and the scenario that it is a plan for."""

    plan: Plan | None
    verdict: Verdict | None
    objective: float
    bound: float
    scenario: Scenario


def _place(target: Path, number: int) -> Path:
    return target.with_name(f"{target.name}-{number}")


def refuse_dossiers(target: Path, numbers: list[int] | None, most: int, overwrite: bool) -> None:
    """Before any solve: numbers that cannot be, and folders that may not be written.

    Raises
    ------
    InputProblems
    """
    for number in numbers or ():
        if not 1 <= number <= most:
            fields: dict[str, object] = {"most": most}
            raise InputProblems(
                [Finding("error", "analysis.no_such_number", fields, column="--dossier", value=str(number))]
            )
        refuse_folder(_place(target, number), overwrite, is_dossier, "workbook.not_a_dossier")


def write_dossiers(
    out: Out,
    county: County,
    plans: Sequence[OneOfMany],
    target: Path,
    numbers: list[int] | None,
    overwrite: bool,
) -> None:
    """The chosen plans as dossiers beside the folder of all of them: ``<target>-<number>``.

    Parameters
    ----------
    out : Out
    county : County
    plans : sequence of OneOfMany
        Every plan in the order of their numbers.
    target : Path
    numbers : list of int or None
        From 1.
    overwrite : bool
    """
    for number in dict.fromkeys(numbers or ()):
        one = plans[number - 1] if number <= len(plans) else None
        if one is None or one.plan is None:
            out.say_as("analysis.no_plan_of_number", style="yellow", number=number)
            continue
        note = Finding("note", "analysis.one_of_several", {"number": number, "folder": target.name})
        result = result_of(
            county, one.plan, one.scenario, None, one.verdict, "chosen", one.bound, one.objective, (note,)
        )
        place = write_dossier(result, _place(target, number), out.language, overwrite)
        out.say("written", style="bold green", folder=str(place))
