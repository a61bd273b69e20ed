"""`Case`: a county with what is asked of it; `Factor`: one thing about it that may turn out differently."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import networkx as nx
import numpy as np
import pandas as pd

from geodata.contract.county import County
from geodata.travel.times import TravelTimes
from models.problem.baseline import largest_remainder
from optimizer.scenario import Scenario


@dataclass(frozen=True, eq=False)
class Case:
    """What a plan is made or judged for.

    Parameters
    ----------
    county : County
    scenario : Scenario
    times : TravelTimes
    seed : int
        Decides what a factor leaves to chance (which teachers leave, where a count is wrong); the same in two
        futures, the same choice, so that futures differ by their values alone.
    class_shares : dict of str to float
        Share of their speed that vehicles keep, by class of road.
    whole_roads : MultiDiGraph or None
        The roads before any was cut; None where none was.
    """

    county: County
    scenario: Scenario
    times: TravelTimes
    seed: int = 0
    class_shares: dict[str, float] = field(default_factory=dict)
    whole_roads: nx.MultiDiGraph[Any] | None = field(default=None, repr=False)

    def chance(self, factor: str) -> np.random.Generator:
        """Random numbers of one factor, independent of those of the others."""
        return np.random.default_rng([self.seed, zlib.crc32(factor.encode())])

    def but(self, **tables: object) -> Case:
        """The same case with other tables or settings of the county."""
        return replace(self, county=replace(self.county, **tables))  # type: ignore[arg-type]


Apply = Callable[[Case, float, str], Case]
Cannot = Callable[[Case, str], str | None]
Choices = Callable[[Case], tuple[str, ...]]


def _nothing(case: Case, of: str) -> str | None:
    return None


def _whole(case: Case) -> tuple[str, ...]:
    return ()


@dataclass(frozen=True)
class Factor:
    """One thing that may turn out differently.

    Its words are ``stress.factor_<id>`` (name) and ``stress.factor_<id>_about`` (what it does).

    Parameters
    ----------
    id : str
    unit : str
        ``share`` (1 is today), ``part`` (0 is today), ``flag`` (0 or 1), ``metres``, ``number`` (of a norm).
    low, high : float
        The range of values it can take.
    neutral : float
        The value that changes nothing; NaN where that depends on the county.
    apply : callable
        ``(case, value, of) -> Case``, a pure function.
    choices : callable
        What ``of`` may name in a county: stages, earmarks, norms; empty where the factor has no parts.
    cannot : callable
        Message key (of room ``stress``) where this county's tables do not let the factor do anything.
    asks_of : bool
        ``of`` must be given.
    """

    id: str
    unit: str
    low: float
    high: float
    neutral: float
    apply: Apply
    choices: Choices = _whole
    cannot: Cannot = _nothing
    asks_of: bool = False


def scaled_whole(counts: pd.Series, keys: pd.Series, shares: pd.Series) -> pd.Series:
    """Whole numbers near counts times a share, whose sum by key is the rounded sum of the exact ones.

    Parameters
    ----------
    counts : Series of int
    keys : Series
        Group of each row: totals are kept group by group.
    shares : Series of float
        Factor of each row.

    Returns
    -------
    Series of int64
        Zero rows stay zero.
    """
    exact = counts.astype(float) * shares
    done = pd.Series(0, index=counts.index, dtype="int64")
    some = exact > 0
    if some.any():
        code, _ = pd.factorize(keys[some])
        # half a pupil up, always: numpy would round to even
        totals = np.floor(np.bincount(code, exact[some]) + 0.5).astype("int64")[code]
        done[some] = largest_remainder(exact[some], keys[some], pd.Series(totals, index=exact[some].index))
    return done
