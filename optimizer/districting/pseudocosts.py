"""What fixing a column is expected to gain, learned from what it gained (pseudocosts; Achterberg et al. 2005)."""

from __future__ import annotations

import numpy as np

RELIABLE = 4
"""Trials of a column in either direction after which its past stands for it."""


class Pseudocosts:
    """Gains of the bound by fixing columns at 0 and at 1, by whole column.

    Parameters
    ----------
    guess : ndarray
        A guess of how much fixing a column matters; used until trials tell.
    """

    def __init__(self, guess: np.ndarray):
        self.guess = guess
        self.gain = np.zeros((2, len(guess)))
        self.tries = np.zeros((2, len(guess)))

    def learn(self, k: int, v: int, way: float, gain: float) -> None:
        """Fixing column k at v gained so much, from this far away."""
        self.gain[v, k] += max(gain, 0.0) / max(way, 1e-6)
        self.tries[v, k] += 1

    def reliable(self, k: int) -> bool:
        """Whether the past of a column says enough in both directions."""
        return bool(self.tries[:, k].min() >= RELIABLE)

    def expected(self, some: np.ndarray, x: np.ndarray) -> np.ndarray:
        """What some columns gain when they go from their values to 0, and to 1: an array (columns, 2)."""
        rates = []
        for gain, tries in zip(self.gain, self.tries, strict=True):
            mean = gain.sum() / max(1.0, tries.sum()) or 1.0
            own = gain[some] / np.maximum(1, tries[some])
            rates.append(np.where(tries[some] > 0, own, mean * self.guess[some]))
        return np.column_stack([rates[0] * x, rates[1] * (1 - x)])
