"""All rows of a work: those that are on disk, and the rest as they come."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pandas as pd

from optimizer.study.jobs.stream import GrowingTable
from optimizer.study.jobs.work import LOST, Answered, JobItem, Work

Hands = Callable[[Work, Sequence[JobItem]], Generator[Answered, None, None]]
"""Who does the work: this process, workers, a cluster (`optimizer.study.jobs.workers.answers`)."""
ToldRows = Callable[[str, int, int, float], None]
"""ToldRows of every row: the table's name, rows done, rows in all, seconds that the rest may take."""
Keep = Callable[[int, Any], None]
"""Puts what came beside a row on disk, by its number."""


def all_rows(
    file: Path, work: Work, items: Sequence[JobItem], hands: Hands, told: ToldRows | None = None, keep: Keep | None = None
) -> pd.DataFrame:  # fmt: skip
    """Every item's row; what an earlier run has written is not done again.

    Rows of workers that were killed are tried again; what failed for a reason of its own would fail again.

    Parameters
    ----------
    file : Path
        The table, appended to row by row and put in order at the end.
    work : Work
    items : sequence of JobItem
    hands : callable
    told : callable or None
    keep : callable or None

    Returns
    -------
    DataFrame
        The rows of these items by number.
    """
    wanted = {i.number for i in items}
    if not wanted:
        return pd.DataFrame(columns=work.columns)
    table = GrowingTable(file, work.columns)
    known = table.read()
    have = set(known.loc[known["status"] != LOST, known.columns[0]])
    left = [i for i in items if i.number not in have]
    begun = time.monotonic()
    with closing(hands(work, left)) as coming:  # whatever ends this ends the workers
        for done, (cells, kept) in enumerate(coming, start=1):
            if (
                kept is not None and keep is not None
            ):  # first the plan, then the row that says that there is one
                keep(int(str(cells[table.columns[0]])), kept)
            table.add(cells)
            if told is not None:
                rest = (time.monotonic() - begun) / done * (len(left) - done)
                told(file.stem, len(items) - len(left) + done, len(items), rest)
    every = table.settle()
    return every[every[table.columns[0]].isin(wanted)].reset_index(drop=True)
