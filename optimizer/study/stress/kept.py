"""The folder of a study: what it was about, its plan, its growing tables, and whether it may go on."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import pandas as pd

from geodata.contract.findings import Finding, InputProblems
from models.plan.decisions import Plan
from models.plan.record import read_plan, write_ledger
from optimizer.study.stress.factors.record import Case
from optimizer.study.stress.futures import Futures

MARKER, FIXED, REMADE, PLAN, LEDGERS = "stress.json", "fixed.csv", "remade.csv", "plan.csv", "remade"


def study_key(case: Case, asked: Futures, plan: Plan | None, seconds: float | None) -> str:
    """Hash of everything that a study's rows follow from; what only sums them up (alpha, failure) is left out."""
    parts = (
        case.county.content_hash, case.scenario.model_dump_json(), "" if plan is None else plan.plan_id,
        asked.model_dump_json(exclude={"alpha", "held_out", "failure"}), str(seconds),
    )  # fmt: skip
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


class StudyFolder:
    """Where a study is kept.

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
        self.place = place
        if place.exists() and not place.is_dir():
            raise InputProblems([Finding("error", "cli.not_a_folder", file=str(place))])
        if place.exists() and any(place.iterdir()) and self._key() != key:
            if not (place / MARKER).is_file():
                raise InputProblems(
                    [Finding("error", "analysis.not_ours", {"marker": MARKER}, file=str(place))]
                )
            if not overwrite:
                raise InputProblems([Finding("error", "stress.other_study", file=str(place))])
            for name in (FIXED, REMADE, PLAN):
                (place / name).unlink(missing_ok=True)
            shutil.rmtree(place / LEDGERS, ignore_errors=True)
        if self._key() != key:
            place.mkdir(parents=True, exist_ok=True)
            aside = place / f".{MARKER}.new"
            aside.write_text(json.dumps({"study": key}) + "\n", encoding="utf-8")
            aside.replace(place / MARKER)

    def _key(self) -> str:
        try:
            found = json.loads((self.place / MARKER).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return ""
        return str(found.get("study", "")) if isinstance(found, dict) else ""

    def plan(self) -> Plan | None:
        """The plan that an earlier run made first."""
        file = self.place / PLAN
        return read_plan(file) if file.is_file() else None

    def keep_plan(self, plan: Plan) -> None:
        """Keep the plan that the study is about."""
        aside = self.place / f".{PLAN}.new"
        write_ledger(plan, aside)
        aside.replace(self.place / PLAN)

    def _ledger(self, number: int) -> Path:
        return self.place / LEDGERS / f"{number:05d}.csv"

    def keep_ledger(self, number: int, ledger: pd.DataFrame, year: int) -> None:
        """Keep the plan that was made in a future."""
        file = self._ledger(number)
        file.parent.mkdir(exist_ok=True)
        aside = file.with_name(f".{file.name}.new")
        write_ledger(Plan(ledger, (year,)), aside)
        aside.replace(file)

    def ledger(self, number: int) -> Plan:
        """The plan that was made in a future."""
        return read_plan(self._ledger(number))
