"""Parts of a search over sites that stand alone: everything that some sites can do without another one.

`optimizer.districting.locating` puts them aside; here is what one holds, and the model that HiGHS gets of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import highspy
import numpy as np
import pandas as pd

from models.districting.single_source import SingleSource
from optimizer.solver.bridge import Bridge
from optimizer.solver.limits import Limits


@dataclass
class Leaf:
    """Everything that some sites can do without another one.

    Parameters
    ----------
    bound : float
        Proven for all of it.
    price : ndarray
        Reduced costs by whole column at the relaxation, whose value is ``relaxed``.
    sites : ndarray of int
        Numbers of the sites.
    plan : ndarray of int or None
        Per unit the place in ``sites`` that the relaxation gives most of it.
    tries : int
        How often HiGHS had its turn.
    searched : bool
        Whether plans were looked for at length.
    """

    bound: float
    relaxed: float
    price: np.ndarray = field(repr=False)
    sites: np.ndarray
    plan: np.ndarray | None = field(repr=False, default=None)
    tries: int = 0
    searched: bool = False

    def bounds(self, bridge: Bridge, closed: np.ndarray, rest: float) -> tuple[np.ndarray, np.ndarray] | None:
        """Bounds by column that reduced costs leave; None where they leave nothing.

        Parameters
        ----------
        bridge : Bridge
        closed : ndarray of int
            Columns of the other sites.
        rest : float
            How much a plan worth having may cost above the relaxation.
        """
        whole = np.flatnonzero(bridge.whole)
        low, high = bridge.low.copy(), bridge.high.copy()
        high[closed] = 0.0
        can = high[whole] > 0.5
        high[whole[can & (self.price > 0) & (self.price > rest)]] = 0.0
        low[whole[can & (self.price < 0) & (-self.price > rest)]] = 1.0
        return None if (low > high).any() else (low, high)


def apart(
    bridge: Bridge, bounds: tuple[np.ndarray, np.ndarray], asked: list[int], limits: Limits, below: float
) -> highspy.Highs:
    """The relaxation's model within bounds in a HiGHS of its own, whole and ready to run.

    Parameters
    ----------
    bridge : Bridge
    bounds : tuple of ndarray
        Lower and upper, by column.
    asked : list of int
        Rows that ask for another site; they do not hold here.
    limits : Limits
    below : float
        What a plan worth having costs less than.
    """
    lp = bridge.highs.getLp()
    lp.col_lower_, lp.col_upper_ = bounds
    least = np.array(lp.row_lower_)
    least[asked] = -highspy.kHighsInf
    lp.row_lower_ = least
    kinds = highspy.HighsVarType
    lp.integrality_ = [kinds.kInteger if w else kinds.kContinuous for w in bridge.whole]
    sub = highspy.Highs()
    options = {
        "output_flag": False, "threads": 1, "parallel": "off", "random_seed": limits.seed, "mip_rel_gap": 0.0,
        "mip_max_nodes": limits.nodes, "time_limit": limits.seconds, "objective_bound": below,
        "mip_feasibility_tolerance": 1e-7,
    }  # fmt: skip
    for name, value in options.items():
        sub.setOptionValue(name, value)
    sub.passModel(lp)
    return sub


@dataclass(frozen=True)
class SiteColumns:
    """Where the pairs and sites of a problem stand among the columns, and plans from one to the other.

    Parameters
    ----------
    problem : SingleSource
    pair, place : ndarray of int
        Column by pair and by site; no site has one where every site is open.
    unit_of, site_of : ndarray of int
        Number of the unit and of the site by pair.
    many : int
        Columns of the model.
    """

    problem: SingleSource
    pair: np.ndarray
    place: np.ndarray
    unit_of: np.ndarray
    site_of: np.ndarray
    many: int

    @classmethod
    def of(
        cls, problem: SingleSource, column: pd.Series, opened: Mapping[Any, int], many: int
    ) -> SiteColumns:
        """From the column by pair and by site."""
        pairs, sites = problem.pairs, problem.sites
        return cls(
            problem, column.loc[pairs.index].to_numpy(np.int32),
            np.array([opened[j] for j in sites.index] if opened else [], dtype=np.int32),
            problem.demand.index.get_indexer(pairs["unit"]), sites.index.get_indexer(pairs["site"]), many,
        )  # fmt: skip

    def _table(self, values: np.ndarray, missing: float) -> np.ndarray:
        """Values of pairs as a table, units by sites."""
        table = np.full((len(self.problem.demand), len(self.problem.sites)), missing)
        table[self.unit_of, self.site_of] = values
        return table

    def cost(self, sites: np.ndarray) -> np.ndarray:
        """Cost of each unit at some sites; infinite where they are no pair."""
        return self._table(self.problem.pairs["cost"].to_numpy(), np.inf)[:, sites]

    def most(self, values: np.ndarray, sites: np.ndarray) -> np.ndarray:
        """Per unit the place in ``sites`` that a relaxation gives most of it."""
        return np.asarray(self._table(values[self.pair], 0.0)[:, sites].argmax(axis=1))

    def values(self, plan: np.ndarray) -> np.ndarray:
        """Columns of a plan given by the number of each unit's site."""
        values = np.zeros(self.many)
        values[self.pair[plan[self.unit_of] == self.site_of]] = 1.0
        if len(self.place):
            values[self.place[np.unique(plan)]] = 1.0
        return values
