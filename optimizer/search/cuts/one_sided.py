"""The goals ``deficit`` and ``cv_excess``: tangents to one-sided and to limited variance, as numbers."""

from __future__ import annotations

import numpy as np

from models.formulation.planes.whole_spread import tangent_planes
from models.problem.instance import Instance
from optimizer.search.cuts.measures import CutRows
from optimizer.search.cuts.spread_cuts import SpreadCuts
from optimizer.solver.bridge import Bridge


class LackCuts:
    """``deficit``: lack[u,r] >= max(0, P - z)^2 / P, with tangents at ratios z / P of at most one.

    Parameters
    ----------
    bridge : Bridge
        Of a model with ``lack``, ``lack_have`` and ``pupils``.
    """

    def __init__(self, bridge: Bridge):
        lack, have, pupils = bridge.at("lack"), bridge.at("lack_have"), bridge.at("pupils")
        keys = [k for k in lack if k in have and k[0] in pupils]
        self.lack = np.array([lack[k] for k in keys], dtype=int)
        self.have = np.array([have[k] for k in keys], dtype=int)
        self.pupils = np.array([pupils[k[0]] for k in keys], dtype=int)
        self.weight = bridge.costs["deficit"][0][self.lack]
        self.constant = bridge.costs["deficit"][1]

    def _exact(self, values: np.ndarray) -> np.ndarray:
        pupils = values[self.pupils]
        short = np.maximum(0.0, pupils - values[self.have])
        return np.where(pupils > 1e-6, short * short / np.maximum(pupils, 1e-6), 0.0)

    def exact(self, values: np.ndarray) -> float:
        """The goal's own value at a solution."""
        return float(self._exact(values) @ self.weight) + self.constant

    def settled(self, values: np.ndarray) -> np.ndarray:
        """A solution whose lacks are what its amounts make them."""
        found = values.copy()
        found[self.lack] = self._exact(values)
        return found

    def missing(self, values: np.ndarray, objective: float, share: float) -> CutRows | None:
        """Tangents at the solution's ratios where the model understates by more than a share of the objective."""
        pupils = values[self.pupils]
        gap = (self._exact(values) - values[self.lack]) * self.weight
        # what may be left out, to every cell by its pupils
        whole = float((self.weight * pupils).sum())
        slack = max(share * objective, 1e-6) * self.weight * pupils / max(whole, 1e-9)
        k = np.flatnonzero((pupils > 1e-6) & (gap > slack))
        if not len(k):
            return None
        planes = tangent_planes(values[self.have[k]], pupils[k])
        columns = np.stack([self.lack[k], self.have[k], self.pupils[k]], axis=1)
        weights = np.stack([np.ones(len(k)), -planes.on_amount, -planes.on_pupils], axis=1)
        return columns, weights, np.zeros(len(k))


class ExcessCuts:
    """``cv_excess``: what squared CVs exceed their squared limits, on the spreads of imbalance.

    N excess >= sum spread + 2 Y - P - (1 + c^2) (2 Y - N)  for every limited indicator, Y in pupil-equivalents.

    Parameters
    ----------
    spreads : SpreadCuts
    bridge : Bridge
        Of a model with ``cv_excess``.
    inst : Instance
    """

    def __init__(self, spreads: SpreadCuts, bridge: Bridge, inst: Instance):
        self.spreads = spreads
        limit = {(i.stage, i.resource): 1.0 + i.cv_limit**2 for i in inst.standards.indicators}
        place = {k: n for n, k in enumerate(bridge.at("cv_excess"))}
        own = [(s, r) for s, (_, r) in zip(spreads.stages, spreads.keys, strict=True)]
        self.of = np.array([place.get(k, -1) for k in own], dtype=np.int64)
        self.limit = np.array([limit[k] for k in place], dtype=float)
        self.size = np.array([inst.population[k] for k in place], dtype=float)
        self.excess = np.array(list(bridge.at("cv_excess").values()), dtype=int)

    def _sums(self, parts: np.ndarray) -> np.ndarray:
        some = self.of >= 0
        return np.bincount(self.of[some], weights=parts[some], minlength=len(self.size))

    def _over(self, values: np.ndarray) -> np.ndarray:
        s = self.spreads
        total, people = self._sums(values[s.amount]), self._sums(values[s.pupils])
        spread = self._sums(s.exact_spreads(values))
        over = (spread + 2 * total - people - self.limit * (2 * total - self.size)) / self.size
        least: np.ndarray = np.maximum(0.0, over)
        return least

    def exact(self, values: np.ndarray) -> float:
        """The goal's own value at a solution."""
        return float(self._over(values).sum())

    def settled(self, values: np.ndarray) -> np.ndarray:
        """A solution whose spreads, and what they exceed their limits by, are what its amounts make them."""
        found = self.spreads.settled(values)
        found[self.excess] = self._over(values)
        return found

    def missing(self, values: np.ndarray, objective: float, share: float) -> CutRows | None:
        """Tangents to the spreads of indicators that are above their limit, where the model does not see it."""
        s = self.spreads
        if self.exact(values) - objective <= max(share * objective, 1e-4):
            return None
        gap = np.where(self.of >= 0, s.exact_spreads(values) - values[s.spread], 0.0)
        return s.tangents_at(np.flatnonzero((values[s.pupils] > 1e-6) & (gap > 1e-5)), values)
