"""What a benchmark case is, and the one clock that measures every way of solving it.

A *way* is a generator: what it does before each ``yield`` is one phase, and what it yields names the phase and,
where something was solved, what was found. The clock runs between the yields and nowhere else, so that all
ways are measured alike. Every way runs in a process of its own, whose largest memory so far belongs to it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PHASES = ("data", "build", "hand over", "relax", "solve", "method", "referee")
"""In the order in which a way goes through them; not every way has all."""


@dataclass(frozen=True)
class Found:
    """What a phase came to.

    Parameters
    ----------
    phase : str
        One of `PHASES`.
    value, bound : float or None
        Of the problem's objective, constants included. A relaxation has only a bound.
    status : str
        Of the solve; empty where nothing was solved.
    shape : str
        "rows x columns" of the model; of the phase that hands it over.
    """

    phase: str
    value: float | None = None
    bound: float | None = None
    status: str = ""
    shape: str = ""


@dataclass(frozen=True)
class Setting:
    """When a relaxation or a solve may stop: at a relative gap or after so many processor seconds."""

    gap: float
    seconds: float


Way = Callable[[Callable[[], Any], Setting], Iterator[Found]]


@dataclass(frozen=True)
class Case:
    """One problem and the ways of solving it that are put side by side.

    Parameters
    ----------
    model, size : str
        The case's name is model/size.
    read : callable
        Makes the problem; its time is the phase "data".
    ways : mapping of str to way
    gap : float
        Asked of the phase "solve".
    published : float or None
        The optimum as published.
    small : bool
        Solved in a moment: the smoke test runs it in all its ways.
    needs : tuple of str
        Folders of the shared data without which it cannot be read.
    """

    model: str
    size: str
    read: Callable[[], Any]
    ways: Mapping[str, Way]
    gap: float = 1e-6
    published: float | None = None
    small: bool = False
    needs: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return f"{self.model}/{self.size}"


@dataclass(frozen=True)
class Row:
    """One line of the table: a phase of a way of a case. Memory is the process's largest so far, in MB."""

    model: str
    size: str
    way: str
    phase: str
    value: float | None
    bound: float | None
    status: str
    shape: str
    seconds: float
    cpu: float
    peak_mb: float


def peak_mb() -> float:
    """Largest resident memory of this process so far.

    Linux's own figure: the ``ru_maxrss`` of getrusage begins at what the parent held when it started us.
    """
    for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024 / 1e6
    return float("nan")


def measured(case: Case, way: str, seconds: float) -> Iterator[Row]:
    """Run one way of a case and give a row after each of its phases."""
    setting = Setting(case.gap, seconds)
    clock, cpu = time.perf_counter(), time.process_time()
    for found in case.ways[way](case.read, setting):
        yield Row(
            case.model, case.size, way, found.phase, found.value, found.bound, found.status, found.shape,
            time.perf_counter() - clock, time.process_time() - cpu, peak_mb(),
        )  # fmt: skip
        clock, cpu = time.perf_counter(), time.process_time()
