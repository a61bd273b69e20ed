"""The smallest change of one number that flips a decision: bracketed by solving again, never by guessing.

Every change looked at is a county of its own: its instance, its model, both decisions weighed anew
(`optimizer.why.weighing`). First where a rule's number is passed, then at the largest change, then halving between the largest
change that does not flip the decision and the smallest that does. Nothing is claimed of changes that nobody looked at.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from models.study.why import EVEN, OTHER, WHY_LOST, WHY_OPEN, Flip
from optimizer.why.changes import Quantity

FLIPPED = (OTHER, EVEN, WHY_LOST)
LATE = 0.6
"""A solve is begun while there is this much of the last one's seconds left."""
Ask = Callable[[float, float], str]
"""(change, monotonic time by which to answer) -> outcome."""


@dataclass
class _Bracket:
    """What is known of changes, by size."""

    below: float = 0.0
    at: float = float("nan")
    tried: list[tuple[float, str]] = field(default_factory=list)

    def learn(self, change: float, outcome: str) -> None:
        """Take in what was found at a change."""
        self.tried.append((change, outcome))
        if outcome in FLIPPED:
            self.at = change if self.at != self.at or abs(change) < abs(self.at) else self.at
        elif outcome != WHY_OPEN and (self.at != self.at or abs(change) < abs(self.at)):
            self.below = change if abs(change) > abs(self.below) else self.below

    @property
    def known(self) -> set[float]:
        """Changes looked at."""
        return {c for c, _ in self.tried}


def find_flip(what: Quantity, ask: Ask, until: float) -> Flip:
    """Bracket the smallest change that flips a decision.

    Parameters
    ----------
    what : Quantity
    ask : callable
        Solves at a change; WHY_OPEN where nothing is proven.
    until : float
        `time.monotonic` by which it is over.
    """
    begun, bracket, last = time.monotonic(), _Bracket(), 0.0
    while (change := _next(what, bracket)) is not None:
        now = time.monotonic()
        if now + LATE * last >= until:
            break
        bracket.learn(change, ask(change, until))
        last = time.monotonic() - now
    return Flip(
        what.kind, what.place_id, what.other_id, what.reach, what.step, _status(bracket), bracket.below, bracket.at,
        tuple(bracket.tried), time.monotonic() - begun,
    )  # fmt: skip


def _status(bracket: _Bracket) -> str:
    if bracket.at == bracket.at:
        return "flips"
    if not bracket.tried:
        return "late"
    return "open" if any(o == WHY_OPEN for _, o in bracket.tried) else "none"


def _next(what: Quantity, bracket: _Bracket) -> float | None:
    """The change to look at next; None where nothing smaller can be told apart, or a solve proved nothing."""
    found = bracket.at == bracket.at
    for corner in what.corners:
        inside = abs(corner) > abs(bracket.below) and not (found and abs(corner) >= abs(bracket.at))
        if corner not in bracket.known and inside:
            return corner
    if not found:
        return what.reach if what.reach not in bracket.known else None
    low, high = abs(bracket.below), abs(bracket.at)
    if high - low <= what.step * (1 + 1e-9):
        return None
    sign = 1.0 if what.reach > 0 else -1.0
    middle = sign * what.step * max(round(low / what.step) + 1, round((low + high) / 2 / what.step))
    return None if middle in bracket.known or abs(middle) >= high else middle
