"""Cuts as rows of a relaxation that lives on: added where they are broken, dropped when idle, put back."""

from __future__ import annotations

from dataclasses import dataclass

import highspy
import numpy as np

FRACTION = 1e-6
"""What is nearer to a whole number than this is whole."""
IDLE = 100
"""Nodes after which a cut that was tight at none of them is dropped."""


@dataclass(frozen=True)
class Cut:
    """A row low <= weights @ x[columns] <= high, valid for every plan."""

    columns: np.ndarray
    weights: np.ndarray
    low: float
    high: float


class HeldCuts:
    """The cuts of one relaxation, as HiGHS's last rows.

    Parameters
    ----------
    highs : Highs
        The relaxation; its rows of today are the model's own and stay.
    lasting : bool
        Whether idle cuts may be dropped: who drops them must be able to find them again.

    Attributes
    ----------
    first : int
        Row of the first cut.
    made : int
        Cuts that were ever added.
    """

    def __init__(self, highs: highspy.Highs, lasting: bool):
        self.highs, self.lasting = highs, lasting
        self.first, self.made, self.turn = highs.getNumRow(), 0, 0
        self.tight = np.zeros(0, np.int64)
        self.held: list[tuple[Cut, bool]] = []
        self.shelf: list[Cut] = []

    def add(self, cuts: list[Cut], root: bool = False) -> None:
        """Cuts become rows; ``root``: found at a whole tree's root."""
        for c in cuts:
            self.highs.addRow(c.low, c.high, len(c.columns), c.columns.astype(np.int32), c.weights)
        self.made += len(cuts)
        if self.lasting:
            self.held += [(c, root) for c in cuts]

    def put_back(self) -> None:
        """The root's cuts that were dropped since: another search may need them from its beginning."""
        again, self.shelf = self.shelf, []
        self.add(again, root=True)

    def note_tight(self) -> None:
        """Write down which cuts hold this node's relaxation."""
        if not self.lasting:
            return
        duals = np.array(self.highs.getSolution().row_dual)[self.first :]
        self.turn += 1
        new = np.full(len(duals) - len(self.tight), self.turn)
        self.tight = np.concatenate([self.tight, new])
        self.tight[np.abs(duals) > FRACTION] = self.turn

    def drop_idle(self) -> None:
        """Every `IDLE` nodes: take out the cuts that have been tight at none of them; the basis stays."""
        if not self.lasting or self.turn % IDLE:
            return
        basis = self.highs.getBasis()
        status = list(basis.row_status)
        loose = np.array([s == highspy.HighsBasisStatus.kBasic for s in status])[self.first :]
        idle = loose[: len(self.tight)] & (self.tight <= self.turn - IDLE)
        if not idle.any():
            return
        gone = (np.flatnonzero(idle) + self.first).astype(np.int32)
        self.highs.deleteRows(len(gone), gone)
        stays = np.ones(len(status), dtype=bool)
        stays[gone] = False
        cuts = list(zip(self.held, stays[self.first :], strict=True))
        self.shelf += [cut for (cut, root), kept in cuts if root and not kept]
        self.held = [one for one, kept in cuts if kept]
        basis.row_status = [s for s, stay in zip(status, stays, strict=True) if stay]
        self.highs.setBasis(basis)
        self.tight = self.tight[~idle]
