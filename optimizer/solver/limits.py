"""When a solve may stop, what it tells on its way, and what it answers."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from typing import Literal

import numpy as np

Status = Literal["proven", "stopped", "infeasible", "no_plan", "unbounded"]
SOLVER = f"HiGHS {version('highspy')}"


@dataclass(frozen=True)
class Progress:
    """What HiGHS reports while it works."""

    seconds: float
    incumbent: float
    bound: float
    gap: float
    nodes: int


@dataclass(frozen=True)
class Limits:
    """When a solve may stop: at a proven gap, after nodes (reproducible) or seconds (not)."""

    gap: float = 0.01
    nodes: int | None = None
    seconds: float = 600.0
    seed: int = 0
    threads: int = 1

    def first_node(self) -> Limits:
        """The same for one node, or for none where none is asked for."""
        return replace(self, nodes=1 if self.nodes is None else min(1, self.nodes))

    def fewer(self, nodes: int) -> Limits:
        """The same for so many nodes at most; 0 nodes asked for are the step's own."""
        return replace(self, nodes=min(self.nodes or nodes, nodes))

    def seconds_for(self, share: float) -> float:
        """Seconds of a step with limits of its own: a share; all of them where nodes are counted, so that no clock decides."""
        return self.seconds * (share if self.nodes is None else 1.0)


def time_left(limits: Limits, begun: float, share: float = 1.0) -> Limits:
    """The limits with what is left of a share of their seconds since ``begun`` (monotonic).

    A twentieth is left at least: stating a model is not timed, and a step that comes late must still end.
    """
    left = share * limits.seconds - (time.monotonic() - begun)
    return replace(limits, seconds=max(limits.seconds / 20, left))


@dataclass(frozen=True)
class Answer:
    """A solve's answer; infeasible, stopped with a plan and stopped without are different statuses.

    ``clock`` is True when the time limit ended it: another run may stop elsewhere; ``interrupted`` when
    somebody asked for a stop: what can be left out afterwards is left out.
    """

    status: Status
    objective: float
    bound: float
    gap: float
    seconds: float
    nodes: int
    clock: bool
    values: np.ndarray | None = field(repr=False, default=None)
    interrupted: bool = False
