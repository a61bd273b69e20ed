"""Large counties: the worst places first, each decided anew together with its neighbours, all else as it is.

A model of a few schools is solved in seconds whatever the size of the county, and what is wrong with most places can be
mended near them: an overfull school by its neighbours' rooms, a unit that fails by a purchase.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from optimizer.search.search import Search


class Surroundings:
    """Columns of a search by the schools and villages that they are about.

    Parameters
    ----------
    search : Search

    Attributes
    ----------
    school : ndarray of int (columns)
        Place of the school in ``schools``; -1 for what is about no school.
    """

    def __init__(self, search: Search):
        inst = search.instance
        self.search = search
        self.schools = list(inst.school_cap.index)
        at = {j: i for i, j in enumerate(self.schools)}
        of = {**at, **{u: at[j] for u, j in inst.units["school_id"].items()}}
        of_pair = inst.pairs["school_id"].map(at).to_dict()
        self.school = np.array(
            [of_pair[k] if name == "attend" else _about(of, k) for name, k in search.bridge.keys]
        )
        attend = search.bridge.at("attend")
        self.ways = np.array([attend[p] for p in inst.pairs.index], dtype=int)
        self.village = pd.factorize(inst.pairs["village_id"])[0]
        self.at = inst.pairs["school_id"].map(at).to_numpy(int)

    def worst(self, goal: str, values: np.ndarray) -> list[int]:
        """Schools by what the goal counts at them, the most first; those without anything are left out."""
        cost = self.search.bridge.costs[goal][0]
        low = np.where(cost > 0, self.search.bridge.low, self.search.bridge.high)
        some = np.flatnonzero((cost != 0) & (self.school >= 0))
        own = np.bincount(
            self.school[some], weights=cost[some] * (values[some] - low[some]), minlength=len(self.schools)
        )
        order = np.argsort(-own, kind="stable")
        return [int(j) for j in order if own[j] > 1e-6]

    def free_around(self, school: int) -> np.ndarray:
        """Columns that are free when a school and its neighbours are decided anew, sorted.

        Neighbours are the schools that its villages could attend; a way is free where its village is one of these.
        """
        served = np.zeros(self.village.max(initial=-1) + 1, dtype=bool)
        served[self.village[self.at == school]] = True
        way = served[self.village]
        free = (self.school < 0) | np.isin(self.school, [school, *self.at[way]])
        free[self.ways] = way
        return np.flatnonzero(free)

    def places(self, goal: str, values: np.ndarray) -> Iterator[np.ndarray]:
        """The free columns around each school, from the worst on."""
        for school in self.worst(goal, values):
            yield self.free_around(school)


def _about(of: dict[Any, int], key: Any) -> int:
    """The school of a column's key: itself, its unit's, or its first part's."""
    return of.get(key[0] if isinstance(key, tuple) else key, -1)
