"""The jobs of a robust study: a candidate's decisions kept in a future, all else decided there."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from models.plan.before import before
from models.plan.decisions import Plan
from models.plan.keeping import beginning_with
from models.plan.record import read_plan, write_ledger
from models.standards.norms import load_standards
from optimizer.study.jobs.folder import RowsFolder
from optimizer.study.jobs.work import Answered, RowCells
from optimizer.study.robust.joint import Joint
from optimizer.study.robust.networks import CommonChoice
from optimizer.study.stress.carried import carried
from optimizer.study.stress.factors.record import Case
from optimizer.study.stress.fares import Remade, future_cells, made_in, study_columns
from optimizer.study.stress.futures import Future, Futures, in_future

ROBUST_MARKER, OWN, CELL_ROWS, BASE, JOINT_FILE = (
    "robust.json",
    "own.csv",
    "cells.csv",
    "base.csv",
    "joint.json",
)
GIVEN_PLAN = "given.csv"
OWN_PLANS, CELL_PLANS = "own", "cells"


@dataclass(frozen=True)
class CandidateInFuture:
    """A candidate in a future, with a number of its own."""

    number: int
    candidate: int
    future: Future


@dataclass(frozen=True, eq=False)
class Kept:
    """Plans that keep a candidate's decisions.

    Parameters
    ----------
    case : Case
    asked : Futures
    candidates : tuple of CommonChoice
    """

    case: Case
    asked: Futures
    candidates: tuple[CommonChoice, ...]

    @property
    def columns(self) -> list[str]:
        """Columns of the table."""
        own = study_columns(Remade(self.case, self.asked, self.candidates[0].plan))
        return ["cell", "candidate", *own]

    def about(self, cell: CandidateInFuture) -> RowCells:
        """Which candidate, which future."""
        return {
            "cell": cell.number, "candidate": cell.candidate, **future_cells(self.asked, cell.future),
        }  # fmt: skip

    def answer(self, cell: CandidateInFuture) -> Answered:
        """The plan of a future with the candidate's decisions held."""
        one = self.candidates[cell.candidate - 1]
        case = in_future(self.case, self.asked, cell.future)
        there = carried(one.plan, case, before(case.county, load_standards(case.county), case.times)).plan
        return made_in(case, replace(beginning_with(there), rows=one.held))


def robust_key(case: Case, asked: Futures, given: Plan | None, words: tuple[object, ...]) -> str:
    """Hash of everything that a robust study's rows follow from."""
    parts = (
        case.county.content_hash, case.scenario.model_dump_json(), "" if given is None else given.plan_id,
        asked.model_dump_json(exclude={"held_out", "failure"}), *map(str, words),
    )  # fmt: skip
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


class RobustFolder(RowsFolder):
    """Where a robust study is kept: the base plan, the plans of futures and cells, their rows.

    Parameters
    ----------
    place : Path
    key : str
    overwrite : bool

    Raises
    ------
    InputProblems
    """

    def __init__(self, place: Path, key: str, overwrite: bool):
        names = (OWN, CELL_ROWS, BASE, GIVEN_PLAN, JOINT_FILE, OWN_PLANS, CELL_PLANS)
        super().__init__(place, ROBUST_MARKER, key, names, overwrite)

    def base(self) -> Plan | None:
        """The plan that an earlier run made first."""
        file = self.place / BASE
        return read_plan(file) if file.is_file() else None

    def keep_base(self, plan: Plan) -> None:
        """Keep the plan that all others begin from."""
        self.keep(BASE, lambda file: write_ledger(plan, file))

    def keep_given(self, plan: Plan) -> None:
        """Keep the plan that is one more candidate."""
        self.keep(GIVEN_PLAN, lambda file: write_ledger(plan, file))

    def keep_plan(self, where: str, number: int, ledger: pd.DataFrame, year: int) -> None:
        """Keep the plan of a future (``own``) or of a cell (``cells``)."""
        self.keep(f"{where}/{number:05d}.csv", lambda file: write_ledger(Plan(ledger, (year,)), file))

    def plan(self, where: str, number: int) -> Plan:
        """The plan of a future or of a cell."""
        return read_plan(self.place / where / f"{number:05d}.csv")

    def joint(self) -> Joint | None:
        """What an earlier run said of all futures together."""
        file = self.place / JOINT_FILE
        if not file.is_file():
            return None
        told = json.loads(file.read_text(encoding="utf-8"))
        states = told["states"]
        return Joint(float(told["bound"]), None if states is None else {(j, b): s for j, b, s in states})

    def keep_joint(self, joint: Joint) -> None:
        """Keep what the model of all futures together says."""
        states = None if joint.states is None else [[*k, s] for k, s in joint.states.items()]
        text = json.dumps({"bound": joint.bound, "states": states}, ensure_ascii=False) + "\n"
        self.keep(JOINT_FILE, lambda file: file.write_text(text, encoding="utf-8"))
