"""The result of a dossier made anew from its record and the county's tables, without a solve."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from geodata.contract.county import County
from geodata.contract.findings import Finding, InputProblems
from models.plan.decisions import GoalRecord, PlanResult, SolveRecord
from models.plan.differences.comparison import Compared
from models.plan.keeping import held_from
from models.plan.record import RECORD, read_plan, read_record
from optimizer.verbs.replay import recorded_county, recorded_scenario
from optimizer.verbs.told import NAN, result_of


def result_in(path: str | Path, county: County) -> PlanResult:
    """What outputs are made from, for the plan of a dossier.

    Parameters
    ----------
    path : str or Path
        The dossier, or its ``run.json``.
    county : County
        Whose tables the plan was made from.

    Returns
    -------
    PlanResult
        The plan judged anew; how it was solved, with its bounds, as the record has it.

    Raises
    ------
    InputProblems
        No record, a record that cannot be read, or one about other tables: its bounds say nothing of these.
    """
    record = read_record(Path(path))
    if record.get("input_hash") != county.content_hash:
        raise InputProblems([Finding("error", "plan.tables_changed", file=str(path))])
    try:
        solve = _solve(record)
    except (KeyError, TypeError, ValueError) as problem:
        why: dict[str, object] = {"why": f"goals: {problem}"}
        raise InputProblems([Finding("error", "plan.not_a_record", why, file=RECORD)]) from None
    result = result_of(county, read_plan(path, county), recorded_scenario(record))
    kept = held_from(record.get("held") or [], record.get("begun_from"))
    return replace(result, solve=solve, held=kept if kept else None)


def both_plans(first: Path, second: Path, folder: Path | None = None) -> Compared:
    """Two dossiers as what a comparison is made from.

    Parameters
    ----------
    first, second : Path
        Dossier folders, or their ``run.json``.
    folder : Path or None
        The county, where it lies elsewhere than the record says.

    Returns
    -------
    Compared

    Raises
    ------
    InputProblems
        Something else than a dossier, records of different tables, tables that have changed since.
    """
    for path in (first, second):
        if not (path.is_dir() and (path / RECORD).is_file()) and path.name != RECORD:
            raise InputProblems([Finding("error", "plan.not_two_dossiers", file=str(path))])
    records = [read_record(p) for p in (first, second)]
    if len({r.get("input_hash") for r in records}) > 1:
        raise InputProblems([Finding("error", "plan.other_tables", file=str(second))])
    county, _ = recorded_county(first, records[0], folder)
    one, other = (result_in(p, county) for p in (first, second))
    called = [(p if p.is_dir() else p.parent).resolve().name for p in (first, second)]
    return Compared(one, other, (called[0], called[1]))


def _solve(record: dict[str, Any]) -> SolveRecord:
    """How the plan was solved."""
    goals = TypeAdapter(tuple[GoalRecord, ...]).validate_python(record.get("goals") or ())

    def number(key: str) -> float:
        value = record.get(key)
        return NAN if value is None else float(value)

    return SolveRecord(
        number("objective"), number("bound"), number("gap"), number("seconds"), str(record["status"]),
        str(record["versions"]["solver"]), int(record["seed"]), goals,
    )  # fmt: skip
