"""The result of a dossier made anew from its record and the county's tables, without a solve."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from geodata.contract.county import County
from geodata.contract.findings import Finding, InputProblems
from models.plan.decisions import GoalRecord, PlanResult, SolveRecord
from models.plan.keeping import held_from
from models.plan.record import RECORD, read_plan, read_record
from optimizer.verbs.replay import recorded_scenario
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
