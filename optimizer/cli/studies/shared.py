"""What every study of many plans asks for and shows: processes, progress, tables."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import pandas as pd
import typer
from rich.live import Live
from rich.table import Table
from rich.text import Text

from geodata.messages import say
from optimizer.cli.console import Out, figure

WorkersOption = Annotated[
    int | None, typer.Option("--workers", min=1, help="Processes; one a core. 进程数。")
]
SchedulerOption = Annotated[
    str | None,
    typer.Option("--scheduler", help="Address of a Dask scheduler, tcp://host:8786. 集群调度器地址。"),
]


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def job_progress(out: Out, room: str) -> Iterator[Callable[[str, int, int, float], None]]:
    """A live line on a terminal: rows done, time left, in the words of a room of messages."""
    with Live(console=out.console, transient=True, auto_refresh=False) as live:

        def told(question: str, done: int, count: int, left: float) -> None:
            if out.console.is_terminal:
                text = say(
                    f"{room}.running_{question}", out.language, done=done, count=count, seconds=f"{left:.0f}"
                )
                live.update(Text(text), refresh=True)

        yield told


def print_grid(out: Out, table: pd.DataFrame) -> None:
    """A table as text; nothing without rows."""
    grid = Table(*map(str, table.columns))
    for row in table.itertuples(index=False):
        grid.add_row(*(Text(figure(v) if isinstance(v, float) else str(v)) for v in row))
    if len(table):
        out.console.print(grid)


def print_sheet(out: Out, table: pd.DataFrame) -> None:
    """Any table as text, numbers in four digits."""
    grid = Table(*map(str, table.columns))
    for row in table.itertuples(index=False):
        grid.add_row(*(Text(f"{v:,.4g}" if isinstance(v, float) else str(v)) for v in row))
    out.console.print(grid)


def on_front(out: Out, page: Path | None) -> None:
    """Say that a study stands on the front page of the dossier in which it lies; nothing where it does in none."""
    if page is not None:
        out.say_as("analysis.study_on_front", style="bold green", page=str(page))
