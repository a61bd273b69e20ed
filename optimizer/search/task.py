"""`Task`: what a search is asked for and how it is made, handed from step to step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from optimizer.search.method import Method
from optimizer.solver.limits import Limits, Progress
from optimizer.solver.stopping import Stop

Report = Callable[[str, Progress], None]


@dataclass(frozen=True)
class Target:
    """One goal of the ordered list.

    ``tolerance`` is the share by which later goals may worsen it; ``gap`` the relative gap asked of it, None for
    the default.
    """

    name: str
    tolerance: float = 0.0
    gap: float | None = None


IMBALANCE = (Target("imbalance"),)


@dataclass(frozen=True)
class Required:
    """A goal as a rule: at most so much, or, of goals that count what fails, at least so many that do not.

    Parameters
    ----------
    goal : str
    at_most : float or None
        In the goal's own unit.
    at_least : int or None
        Of the units or cells that are counted today; `Task` wants one of the two.
    """

    goal: str
    at_most: float | None = None
    at_least: int | None = None

    def most(self, counted: float) -> float:
        """The most that the goal may be, where ``counted`` units or cells count in it."""
        return self.at_most if self.at_most is not None else counted - float(self.at_least or 0)


@dataclass(frozen=True)
class Task:
    """Goals in order, limits, method, the token that stops it, and who is told of progress.

    Parameters
    ----------
    goals : tuple of Target
    limits : Limits
        Seconds are for all solves together.
    method : Method
    stop : Stop
    report : callable or None
        Called with the step's name and a `Progress`.
    required : tuple of Required
        What every plan has to keep.
    """

    goals: tuple[Target, ...] = IMBALANCE
    limits: Limits = field(default_factory=Limits)
    method: Method = field(default_factory=Method)
    stop: Stop = field(default_factory=Stop)
    report: Report | None = None
    required: tuple[Required, ...] = ()

    def watch(self, step: str) -> Callable[[Progress], None] | None:
        """Progress of a solve under the name of a step."""
        report = self.report
        return None if report is None else lambda p: report(step, p)

    def gap_of(self, target: Target) -> float:
        """Relative gap asked of a goal: its own, the scenario's, or the wider one of later goals."""
        if target.gap is not None:
            return target.gap
        if target == self.goals[0]:
            return self.limits.gap
        method = self.method
        if target.name in method.slow_goals:
            return max(self.limits.gap, method.slow_gap)
        return method.later_gap if target.name in method.rough_goals else self.limits.gap
