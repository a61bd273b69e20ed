"""What a study's jobs have in common: a work that answers one item after another, each with a row."""

from __future__ import annotations

from typing import Any, Protocol

from geodata.contract.findings import InputProblems, errors, in_both
from geodata.messages import LANGUAGES, say

DONE, FAILED, LOST = "done", "failed", "lost"
"""A row with figures; an error, in words; a worker that was killed twice."""

RowCells = dict[str, object]
Answered = tuple[RowCells, Any]
"""A row's cells, and what is kept beside it (a plan's ledger, tables); None for nothing."""


class JobItem(Protocol):
    """One job: a future, a network in a future, a county."""

    @property
    def number(self) -> int:
        """By which its row is known."""


class Work(Protocol):
    """What is done with every item; plain data, so that it can be sent to a worker."""

    @property
    def columns(self) -> list[str]:
        """Columns of the table, the item's number first, ``status`` and ``why`` among them."""

    def about(self, item: Any) -> RowCells:
        """What is known of a row before its answer, the number included."""

    def answer(self, item: Any) -> Answered:
        """The rest of the row."""


def row_of(work: Work, item: JobItem) -> Answered:
    """The row of an item; an error becomes a row in words, never an end of the study."""
    cells = work.about(item)
    try:
        more, kept = work.answer(item)
    except InputProblems as problem:
        told = {x: " ".join(f.sentence(x) for f in errors(problem.findings)) for x in LANGUAGES}
        return {**cells, "status": FAILED, "why": in_both(told)}, None
    except Exception as problem:
        why = f"{type(problem).__name__}: {problem}"[:200]
        told = {x: say("findings.job_failed", x, why=why) for x in LANGUAGES}
        return {**cells, "status": FAILED, "why": in_both(told)}, None
    return {**cells, "status": DONE, **more}, kept


def lost_row(work: Work, item: JobItem, status: int) -> RowCells:
    """The row of an item whose worker was killed, also when it was tried again."""
    told = {x: say("findings.job_lost", x, status=status) for x in LANGUAGES}
    return {**work.about(item), "status": LOST, "why": in_both(told)}
