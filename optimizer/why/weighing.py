"""Two decisions weighed goal by goal: which is better is only said where it is proven.

For goal k, with the goals before held at what the plan's decision reaches: a is the value with the decision as in the plan, b the
least with it turned round. b's bound above a: the plan's decision is better. b below a and a's bound above b, with every goal
before closed: the other is. Equal: the next goal tells; equal in all goals: there is a plan as good with the other decision.
Else nothing is proven.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from optimizer.search.task import Target
from optimizer.solver.limits import Limits
from optimizer.why.decisions import Forced
from optimizer.why.ground import Ground, Reached

QUICK_GAP = 0.02
"""Of goals that only follow."""
Outcome = Literal["plan", "other", "even", "open", "impossible", "lost", "neither", "better"]
UPPER = ("cv_excess",)
"""Goals that the model overstates: its bound proves nothing about them (docs/model/goals.md)."""


@dataclass(frozen=True)
class Weighed:
    """How two decisions compare.

    Parameters
    ----------
    outcome : str
        ``plan``: proven that the plan's decision is better; ``other``: proven that the other is; ``even``: equal in every goal;
        ``open``: not proven; ``impossible``: proven that no plan has the other; ``lost``: none has the plan's any more; ``neither``.
    goal : str
        The goal that tells, or at which it stays open.
    kept, other : tuple of Reached
        By goal, as far as looked at.
    seconds : float
    """

    outcome: Outcome
    goal: str
    kept: tuple[Reached, ...]
    other: tuple[Reached, ...]
    seconds: float


@dataclass(frozen=True)
class Rigour:
    """How far a solve goes.

    Parameters
    ----------
    same : float
        Share of a goal within which two values are the same.
    nodes : int
        Of one solve.
    rounds : int
        Solves of a goal that needs tangents.
    until : float
        `time.monotonic` by which all is over.
    seed : int
    """

    same: float
    nodes: int
    rounds: int
    until: float
    seed: int = 0

    def limits(self, share: float = 0.5) -> Limits:
        """Of one solve: a share of what is left."""
        left = max(0.2, (self.until - time.monotonic()) * share)
        return Limits(gap=self.same / 4, nodes=self.nodes, seconds=left, seed=self.seed)

    @property
    def over(self) -> bool:
        """Whether the time is gone."""
        return time.monotonic() >= self.until

    def room(self, value: float) -> float:
        """How much is no difference."""
        return self.same * abs(value) + 1e-6


def weigh(
    ground: Ground, goals: tuple[Target, ...], kept: Forced, other: Forced, rigour: Rigour,
    start: np.ndarray | None = None, proven: Mapping[str, float] | None = None,
) -> Weighed:  # fmt: skip
    """Which of two decisions is better in the first goal in which they differ.

    Parameters
    ----------
    ground : Ground
    goals : tuple of Target
    kept, other : Forced
        The decision as in the plan, and turned round.
    rigour : Rigour
    start : ndarray or None
        A solution with the plan's decision: nothing more is solved for it where it is better than the other's bound already.
    proven : mapping or None
        What is proven of the first goal for every plan.
    """
    begun = time.monotonic()
    a: list[Reached] = []
    b: list[Reached] = []
    held: dict[str, float] = {}
    sure, closed = dict(proven or {}), True

    def ended(outcome: Outcome, goal: str) -> Weighed:
        return Weighed(outcome, goal, tuple(a), tuple(b), time.monotonic() - begun)

    for target in goals:
        name = target.name
        if rigour.over or ground.search.bridge.stopped:
            return ended("open", name)
        known = sure.get(name, -np.inf)
        if start is not None:
            a.append(Reached(name, ground.search.exact(name, start), known, start, "given"))
        else:
            a.append(ground.solve(name, *kept, held, rigour.limits(), rigour.rounds))
        b.append(ground.solve(name, *other, held, rigour.limits(), rigour.rounds))
        outcome = _told(a[-1], b[-1], rigour, bool(held), closed)
        if outcome == "better" and start is not None:  # the plan's decision may do better than the plan
            found = ground.solve(name, *kept, held, rigour.limits(), rigour.rounds, start)
            a[-1] = replace(found, bound=max(found.bound, known))
            outcome = _told(a[-1], b[-1], rigour, bool(held), closed)
        if outcome != "even":
            return ended("open" if outcome == "better" else outcome, name)
        closed = closed and a[-1].value - a[-1].bound <= rigour.room(a[-1].value)
        held[name] = max(a[-1].value, b[-1].value) + rigour.room(0.0)
        start, sure = (None if start is None else a[-1].values), {}
    return ended("even", "")


def _told(a: Reached, b: Reached, rigour: Rigour, later: bool, closed: bool) -> Outcome:
    """What one goal says; even: the next one tells; better: the other's is found to be, and not proven."""
    sure = a.goal not in UPPER
    if a.values is None:
        if later or a.status != "infeasible":
            return "open"
        return "neither" if b.status == "infeasible" else "lost" if b.values is not None else "open"
    if b.status == "infeasible":
        return "plan" if later and sure else "open" if later else "impossible"
    room = rigour.room(a.value)
    if sure and b.bound > a.value + room:
        return "plan"
    if b.values is None or b.value > a.value + room:
        return "open"
    if b.value >= a.value - room:
        return "even"
    return "other" if sure and closed and a.bound > b.value + room else "better"


def completed(
    ground: Ground, goals: tuple[Target, ...], forced: Forced, reached: tuple[Reached, ...], rigour: Rigour
) -> tuple[Reached, ...]:
    """The goals that were not looked at, each quickly, with those before held: so that a plan with the decision is a good one.

    Returns
    -------
    tuple of Reached
        A goal whose time was gone has the value of the last solution and no bound.
    """
    done = list(reached)
    held: dict[str, float] = {r.goal: r.value + rigour.room(0.0) for r in done if r.values is not None}
    values = next((r.values for r in reversed(done) if r.values is not None), None)
    for n, target in enumerate(goals):
        if n < len(done):
            continue
        late = rigour.over or ground.search.bridge.stopped or values is None
        left = replace(rigour.limits(1.0 / (len(goals) - n)).first_node(), gap=QUICK_GAP)
        found = None if late else ground.solve(target.name, *forced, held, left, 1)
        if found is None or found.values is None:
            value = np.inf if values is None else ground.search.exact(target.name, values)
            found = Reached(target.name, value, -np.inf, values, "no_plan")
        else:
            values = found.values
        done.append(found)
        held[target.name] = found.value + rigour.room(0.0)
    return tuple(done)
