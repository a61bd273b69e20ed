"""The goal ``imbalance``: planes under the spreads of one model in HiGHS, found and added as numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from models.formulation.imbalance import measured
from models.formulation.planes.unit_hull import UnitHull
from models.formulation.planes.whole_spread import Planes, tangent_planes, whole_planes
from models.problem.instance import Instance
from models.rules.guards import kept_rates
from optimizer.search.cuts.hull_cuts import HullCuts
from optimizer.search.cuts.measures import CutRows
from optimizer.search.method import Method
from optimizer.solver.bridge import Bridge
from optimizer.solver.engine import Engine


class SpreadCuts:
    """The spreads of a model: their columns in HiGHS, their exact value, and the planes they lack.

    Parameters
    ----------
    bridge : Bridge
    model : ConcreteModel
    inst : Instance
        The one the model states.
    method : Method
    """

    def __init__(self, bridge: Bridge, model: Any, inst: Instance, method: Method):
        self.engine: Engine = bridge
        self.method = method
        self.keys = keys = list(model.spread)
        stage = inst.units["stage"]
        at = {u: i for i, u in enumerate(inst.units.index)}
        both = [measured(model, inst, u, r) for u, r in keys]
        grows = {u for u, _ in model.counted_amount}
        # of places that are assessed together the enrolment's range is not known here: no planes for whole amounts
        self.alone = np.array([u not in inst.guests for u, _ in keys], dtype=bool)
        opened, counted, spread = bridge.at("unit_open"), bridge.at("counted"), bridge.at("spread")
        self.spread = np.array([spread[k] for k in keys], dtype=int)
        self.amount = np.array([bridge.column_of(y) for y, _ in both], dtype=int)
        self.pupils = np.array([bridge.column_of(p) for _, p in both], dtype=int)
        self.opened = np.array([counted[u] if u in grows else opened[u] for u, _ in keys])
        self.mean = np.array([inst.centres[stage[u], r] for u, r in keys])
        self.stages = [stage[u] for u, _ in keys]
        self.weight = np.array([1.0 / inst.population[stage[u], r] for u, r in keys])
        self.unit = np.array([at[u] for u, _ in keys])
        self.whole = np.array([inst.standards.resources[r].whole for _, r in keys], dtype=bool) & self.alone
        today = np.array([float(inst.units.at[u, r]) for u, r in keys])
        self.fraction = np.where(self.whole, today - np.floor(today + 1e-9), 0.0)
        self.beyond = today % 1.0
        self.indicators = len(inst.centres)
        self.least, self.most = _amounts(inst, keys)
        self.need = _needs(inst, keys)
        self.hulls: dict[tuple[int, float, float], HullCuts] = {}

    def exact(self, values: np.ndarray) -> float:
        """Objective (3) of a solution, exactly, where the model has only planes."""
        return float(self.exact_spreads(values) @ self.weight)

    def amounts(self, values: np.ndarray) -> dict[tuple[str, str], float]:
        """Amount of each indicator at each unit in the resource's own unit."""
        return dict(zip(self.keys, (values[self.amount] * self.mean).tolist(), strict=True))

    def means(self, values: np.ndarray) -> tuple[dict[tuple[str, str], float], dict[tuple[str, str], float]]:
        """Mean ratios and counted pupils of a solution, by stage and resource: to re-centre the measure."""
        amount: dict[tuple[str, str], float] = {}
        pupils: dict[tuple[str, str], float] = {}
        both = zip(self.keys, values[self.amount] * self.mean, values[self.pupils], self.stages, strict=True)
        for (_, r), x, p, s in both:
            amount[s, r] = amount.get((s, r), 0.0) + float(x)
            pupils[s, r] = pupils.get((s, r), 0.0) + float(p)
        return {k: v / pupils[k] for k, v in amount.items() if v > 0 and pupils[k] > 0}, pupils

    def exact_spreads(self, values: np.ndarray) -> np.ndarray:
        """(y - P)^2 / P of every spread at a solution, in pupils."""
        pupils = values[self.pupils]
        gap = values[self.amount] - pupils
        return np.where(pupils > 1e-6, gap * gap / np.maximum(pupils, 1e-6), 0.0)

    def settled(self, values: np.ndarray) -> np.ndarray:
        """A solution whose spreads are what its amounts make them: it keeps every tangent and every plane."""
        found = values.copy()
        found[self.spread] = self.exact_spreads(values)
        return found

    def missing(self, values: np.ndarray, objective: float, share: float) -> CutRows | None:
        """Tangents at the solution's ratios where the model understates by more than a share of the objective."""
        pupils = values[self.pupils]
        slack = max(share * objective / self.indicators, 1e-6)  # a pupil and indicator
        k = np.flatnonzero(
            (pupils > 1e-6) & (self.exact_spreads(values) - values[self.spread] > slack * pupils)
        )
        return self.tangents_at(k, values)

    def tangents_at(self, k: np.ndarray, values: np.ndarray) -> CutRows | None:
        """Tangents of some spreads (by place) at a solution's ratios."""
        return self._rows(k, tangent_planes(values[self.amount[k]], values[self.pupils[k]]), None)

    def around(self, values: np.ndarray, steps: tuple[float, ...]) -> CutRows | None:
        """Tangents at a solution's ratios plus some steps (pupil-equivalents a pupil), where a search nearby will look."""
        k = np.repeat(np.flatnonzero(values[self.pupils] > 1e-6), len(steps))
        pupils = values[self.pupils[k]]
        moved = values[self.amount[k]] + np.resize(np.array(steps), len(k)) * pupils
        return self._rows(k, tangent_planes(np.maximum(0.0, moved), pupils), None)

    def secants(self, pupils: dict[str, float], near: dict[tuple[str, str], float]) -> CutRows | None:
        """Secants between whole amounts for fixed enrolment, around amounts that are not whole yet.

        With x = k + d between two neighbours (d: what today's shared rooms have besides whole ones), e = k + d,

            spread - ((2 e + 1) / (m P) - 2) y - P >= -e (e + 1) / (m^2 P)

        Parameters
        ----------
        pupils : dict of unit to float
        near : dict of (unit, resource) to float
            In the resource's own unit.
        """
        people = np.array([pupils[u] for u, _ in self.keys])
        base = np.array([int(near.get(k, 0.0)) for k in self.keys])
        steps = np.arange(-6, 8)
        chosen = np.flatnonzero(self.whole & (people > 0))
        i, k = np.repeat(chosen, len(steps)), (base[chosen, None] + steps).ravel()
        i, k = i[k >= 0], k[k >= 0]
        if not len(i):
            return None
        e, m, p = k + self.beyond[i], self.mean[i], people[i]
        columns = np.stack([self.spread[i], self.amount[i], self.pupils[i]], axis=1)
        weights = np.stack([np.ones(len(i)), 2.0 - (2 * e + 1) / (m * p), -np.ones(len(i))], axis=1)
        return columns, weights, -e * (e + 1) / (m * m * p)

    def add_whole(
        self, values: np.ndarray, low: np.ndarray, high: np.ndarray, objective: float, share: float
    ) -> int:
        """Add planes for whole amounts and enrolment within a range where the model understates; how many.

        Parameters
        ----------
        low, high : ndarray (units)
            Range of an open unit's pupils (`models.problem.enrolment.Reach.range`).
        """
        opened = values[self.opened]
        k = np.flatnonzero(self.whole & (opened > 0.01))
        z = opened[k]
        amount = values[self.amount[k]] / z
        least, most = low[self.unit[k]], high[self.unit[k]]
        pupils = np.clip(values[self.pupils[k]] / z, least, most)
        planes = whole_planes(amount, pupils, self.mean[k], least, most, self.fraction[k])
        short = z * planes.at(amount, pupils) - values[self.spread[k]]
        keep = short > max(share * objective / self.indicators, 1e-6) * np.maximum(
            values[self.pupils[k]], 1.0
        )
        chosen = Planes(planes.on_amount[keep], planes.on_pupils[keep], planes.constant[keep])
        rows = self._rows(k[keep], chosen, self.opened[k[keep]])
        if rows is not None:
            self.engine.add_table(*rows)
        return int(keep.sum())

    def add_hulls(
        self, values: np.ndarray, low: np.ndarray, high: np.ndarray, objective: float, share: float
    ) -> int:
        """Add planes under the sum of a unit's spreads where the model understates it; how many.

        Parameters as of `add_whole`.
        """
        unit_open = values[self.opened]
        slack = share * objective / 2  # a pupil: the measure has two stages
        rows = []
        for u in np.unique(self.unit[unit_open > 0.01]):
            k = np.flatnonzero(self.unit == u)
            if not self.alone[k[0]]:
                continue
            z = float(unit_open[k[0]])
            hull = self._hull(u, k, low[u], high[u])
            pupils = float(np.clip(values[self.pupils[k[0]]] / z, low[u], high[u]))
            amount = np.clip(values[self.amount[k]] / z, hull.hull.least, hull.hull.most)
            height, plane = hull.plane(pupils, amount, 0.3 * slack * pupils)
            if z * height - values[self.spread[k]].sum() > slack * pupils:
                columns = np.concatenate(
                    [self.spread[k], self.amount[k], [self.pupils[k[0]], self.opened[k[0]]]]
                )
                rows.append((columns, np.concatenate([np.ones(len(k)), -plane]), 0.0))
        if rows:
            self.engine.add_least(rows)
        return len(rows)

    def _hull(self, unit: int, k: np.ndarray, low: float, high: float) -> HullCuts:
        """Kept: the plans of a unit serve its next plane."""
        key = (int(unit), float(low), float(high))
        if key not in self.hulls:
            sizes = np.arange(np.ceil(low - 1e-9), np.floor(high + 1e-9) + 1)
            self.hulls[key] = HullCuts(
                UnitHull(
                    sizes, self.mean[k], self.whole[k], self.fraction[k], self.least[k], self.most[k], self.need[k]
                ),
                self.method.hull_steepest, self.method.hull_mixtures,
            )  # fmt: skip
        return self.hulls[key]

    def _rows(self, k: np.ndarray, planes: Planes, opened: np.ndarray | None) -> CutRows | None:
        """CutRows spread - a y - b P - c open >= 0; without ``opened`` the constant is zero."""
        if not len(k):
            return None
        columns = [self.spread[k], self.amount[k], self.pupils[k]]
        weights = [np.ones(len(k)), -planes.on_amount, -planes.on_pupils]
        if opened is not None:
            columns.append(opened)
            weights.append(-planes.constant)
        return np.stack(columns, axis=1), np.stack(weights, axis=1), np.zeros(len(k))


def _amounts(inst: Instance, keys: list[tuple[str, str]]) -> tuple[np.ndarray, np.ndarray]:
    """Least and most of each y while the unit is open: items stay, and building has its limit."""
    share = 1.0 + inst.standards.limit("build_share", np.inf)
    resources = inst.standards.resources
    units, stage = inst.units, inst.units["stage"]
    today = np.array(
        [float(units.at[u, r]) / inst.centres[stage[u], r] if r in inst.items else 0.0 for u, r in keys]
    )
    built = np.array([resources[r].kind == "area" for _, r in keys], dtype=bool)
    most = np.inf if np.isinf(share) else today * share
    return today, np.where(built, most, np.inf)


def _needs(inst: Instance, keys: list[tuple[str, str]]) -> np.ndarray:
    """Least y a pupil where an indicator must stay met and nothing but the unit's own counts for it; else 0."""
    if not inst.standards.hard("met_kept"):
        return np.zeros(len(keys))
    rates, grows = kept_rates(inst), inst.units["may_grow"]  # of these it is asked only once they count
    return np.array([0.0 if k in inst.lent or grows[k[0]] else rates.get(k, 0.0) for k in keys])
