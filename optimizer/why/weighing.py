"""Two decisions weighed goal by goal: which is better is only said where it is proven.

For goal k, with the goals before held: a is the value with the decision as in the plan; is there a plan with the decision
turned round and at most a? A row says so, which is far easier to refute than a least value is to prove.

- None: the plan's decision is better, or the only one.
- One as good: the next goal tells. As good in every goal: there is a plan as good with the other decision.
- One better than a, and none with the plan's decision that is as good as that: the other decision is better.

Where a solve stops at its limits nothing is proven.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from models.formulation.goals import UPPER
from optimizer.search.task import Target
from optimizer.solver.limits import Limits
from optimizer.why.decisions import Forcing
from optimizer.why.ground import PlanGround, Reached

QUICK_GAP = 0.02
"""Of goals that only follow."""
Outcome = Literal["plan", "other", "even", "open", "lost"]


@dataclass(frozen=True)
class Weighed:
    """How two decisions compare.

    Parameters
    ----------
    outcome : str
        ``plan``: proven that the plan's decision is better, or the only one; ``other``: proven that the other is; ``even``: there is a plan as good
        in every goal; ``open``: not proven; ``lost``: no plan has the plan's decision.
    goal : str
        The goal that tells, or at which it stays open.
    kept, other : tuple of Reached
        By goal, as far as looked at.
    held : dict of str to float
        What the goals before are held at.
    seconds : float
    """

    outcome: Outcome
    goal: str
    kept: tuple[Reached, ...]
    other: tuple[Reached, ...]
    held: dict[str, float]
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


@dataclass
class _Scale:
    """Both decisions on the model of one ground."""

    ground: PlanGround
    kept: Forcing
    other: Forcing
    rigour: Rigour
    held: dict[str, float]

    def _solve(self, goal: str, forced: Forcing, most: float | None, start: np.ndarray | None) -> Reached:
        held = self.held if most is None else {**self.held, goal: most}
        return self.ground.solve(goal, *forced, held, self.rigour.limits(), self.rigour.rounds, start)

    def least_kept(self, goal: str) -> Reached:
        """The least with the plan's decision."""
        return self._solve(goal, self.kept, None, None)

    def as_good(self, goal: str, value: float) -> Reached:
        """A plan with the other decision that is as good as a value; without one, that this is proven."""
        most = value + self.rigour.room(value)
        found = self._solve(goal, self.other, most, None)
        return replace(found, bound=most) if found.status == "infeasible" else found

    def better_kept(self, goal: str, a: Reached) -> Reached:
        """A plan with the plan's decision that is better than ``a``; without one, ``a`` with what is proven."""
        most = a.value - self.rigour.room(a.value)
        if a.bound >= most:
            return a
        found = self._solve(goal, self.kept, most, None)
        if found.status == "infeasible":
            return replace(a, bound=most)
        return a if found.values is None else replace(found, bound=max(a.bound, found.bound))


def weigh(
    ground: PlanGround, goals: tuple[Target, ...], kept: Forcing, other: Forcing, rigour: Rigour,
    start: np.ndarray | None = None, proven: Mapping[str, float] | None = None, strict: bool = False,
) -> Weighed:  # fmt: skip
    """Which of two decisions is better in the first goal in which they differ.

    Parameters
    ----------
    ground : PlanGround
    goals : tuple of Target
    kept, other : Forcing
        The decision as in the plan, and turned round.
    rigour : Rigour
    start : ndarray or None
        A solution with the plan's decision, to compare with; without it one is looked for.
    proven : mapping or None
        What is proven of the first goal for every plan.
    strict : bool
        The start is not the plan that was made for these data: what is as good as the start may still be worse than the best with the
        plan's decision.
    """
    begun = time.monotonic()
    a: list[Reached] = []
    b: list[Reached] = []
    scale = _Scale(ground, kept, other, rigour, {})
    sure, closed = dict(proven or {}), True

    def ended(outcome: Outcome, goal: str) -> Weighed:
        return Weighed(outcome, goal, tuple(a), tuple(b), dict(scale.held), time.monotonic() - begun)

    for n, target in enumerate(goals):
        name = target.name
        if rigour.over or ground.search.bridge.stopped:
            return ended("open", name)
        known = sure.get(name, -np.inf) if n == 0 else -np.inf
        if start is None:
            a.append(scale.least_kept(name))
            if a[-1].values is None:
                return ended("lost" if n == 0 and a[-1].status == "infeasible" else "open", name)
        else:
            a.append(Reached(name, ground.search.exact(name, start), known, start, "given"))
        b.append(scale.as_good(name, a[-1].value))
        better = b[-1].value < a[-1].value - rigour.room(a[-1].value)
        if b[-1].values is not None and (better or strict):
            a[-1] = scale.better_kept(name, a[-1])
            if a[-1].value < b[-1].value - rigour.room(b[-1].value):
                b[-1] = scale.as_good(name, a[-1].value)
        closed = closed and a[-1].bound >= a[-1].value - 1.5 * rigour.room(a[-1].value)
        outcome = _told(a[-1], b[-1], rigour, closed, strict)
        if outcome != "even":
            return ended(outcome, name)
        scale.held[name] = max(a[-1].value, b[-1].value) + rigour.room(0.0)
        start = None if start is None else a[-1].values
    return ended("even", "")


def _told(a: Reached, b: Reached, rigour: Rigour, closed: bool, strict: bool) -> Outcome:
    """What one goal says; even: the next one tells."""
    sure = a.goal not in UPPER
    if b.status == "infeasible":
        return "plan" if sure else "open"
    if b.values is None:
        return "open"
    if b.value < a.value - rigour.room(a.value):
        return "other" if sure and closed else "open"
    return "even" if closed or not strict else "open"


def completed(
    ground: PlanGround, goals: tuple[Target, ...], forced: Forcing, known: tuple[Reached, ...], rigour: Rigour,
    levels: Mapping[str, float] | None = None,
) -> tuple[Reached, ...]:  # fmt: skip
    """Every goal with a decision, each with those before held: those that are known, the others quickly.

    Returns
    -------
    tuple of Reached
        A goal whose time was gone has the value of the last solution and no bound. Only one goal, infeasible, where no plan has the
        decision at all.
    """
    done = list(known)
    at = levels or {}
    held: dict[str, float] = {r.goal: at.get(r.goal, r.value + rigour.room(0.0)) for r in done}
    values = done[-1].values if done else None
    for n, target in enumerate(goals):
        if n < len(done):
            continue
        found = None
        if n == 0 or not (rigour.over or ground.search.bridge.stopped or values is None):
            left = rigour.limits() if n == len(known) else rigour.limits(1.0 / (len(goals) - n))
            left = left if n == len(known) else replace(left.first_node(), gap=QUICK_GAP)
            found = ground.solve(target.name, *forced, held, left, 1)
        if found is not None and found.status == "infeasible" and n == 0:
            return (found,)
        if found is None or found.values is None:
            value = np.inf if values is None else ground.search.exact(target.name, values)
            bound = -np.inf if found is None else found.bound
            found = Reached(target.name, value, bound, values, "no_plan")
        values = found.values
        done.append(found)
        held[target.name] = found.value + rigour.room(0.0)
    return tuple(done)


def settled_by(weighed: Weighed, reached: tuple[Reached, ...], rigour: Rigour) -> Weighed:
    """What stayed open is not any more where the goal's least value, with the goals before held, is proven to be above the plan's."""
    n = len(weighed.other) - 1
    if (
        weighed.outcome != "open"
        or weighed.goal in UPPER
        or not 0 <= n < min(len(reached), len(weighed.kept))
    ):
        return weighed
    own, other = weighed.kept[n], reached[n]
    above = (
        other.goal == weighed.goal
        and own.values is not None
        and other.bound > own.value + rigour.room(own.value)
    )
    return replace(weighed, outcome="plan") if above else weighed
