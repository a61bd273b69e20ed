"""The folder of a study: what it was about, its plan, its growing tables, and whether it may go on."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pandas as pd

from models.plan.decisions import Plan
from models.plan.record import read_plan, write_ledger
from optimizer.study.jobs.folder import RowsFolder
from optimizer.study.stress.factors.record import Case
from optimizer.study.stress.futures import Futures

MARKER, FIXED, REMADE, FIXED_PLAN, LEDGERS = "stress.json", "fixed.csv", "remade.csv", "plan.csv", "remade"


def study_key(case: Case, asked: Futures, plan: Plan | None, seconds: float | None) -> str:
    """Hash of everything that a study's rows follow from; what only sums them up (alpha, failure) is left out."""
    parts = (
        case.county.content_hash, case.scenario.model_dump_json(), "" if plan is None else plan.plan_id,
        asked.model_dump_json(exclude={"alpha", "held_out", "failure"}), str(seconds),
    )  # fmt: skip
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


class StudyFolder(RowsFolder):
    """Where a stress test is kept.

    Parameters
    ----------
    place : Path
    key : str
        Of `study_key`.
    overwrite : bool
        Another study's rows are thrown away.

    Raises
    ------
    InputProblems
        The folder holds another study, or something else.
    """

    def __init__(self, place: Path, key: str, overwrite: bool):
        super().__init__(place, MARKER, key, (FIXED, REMADE, FIXED_PLAN, LEDGERS), overwrite)

    def plan(self) -> Plan | None:
        """The plan that an earlier run made first."""
        file = self.place / FIXED_PLAN
        return read_plan(file) if file.is_file() else None

    def keep_plan(self, plan: Plan) -> None:
        """Keep the plan that the study is about."""
        self.keep(FIXED_PLAN, lambda file: write_ledger(plan, file))

    def keep_ledger(self, number: int, ledger: pd.DataFrame, year: int) -> None:
        """Keep the plan that was made in a future."""
        self.keep(_ledger(number), lambda file: write_ledger(Plan(ledger, (year,)), file))

    def ledger(self, number: int) -> Plan:
        """The plan that was made in a future."""
        return read_plan(self.place / _ledger(number))


def _ledger(number: int) -> str:
    return f"{LEDGERS}/{number:05d}.csv"
