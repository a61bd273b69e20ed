"""The network alone: units with a demand, sites with room, each unit whole to one site.

The assignment part of the county's model without bands, modes and means: what service areas are measured
on, and the single-source capacitated facility location problem. The rules are those of `models.formulation.network`
(`models.districting.assignment`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import pyomo.environ as pyo

from models.districting.assignment import only_if_open, served_once, within_room
from models.districting.contiguity import Adjacency, stray


@dataclass(frozen=True)
class SingleSource:
    """Units, sites and the cost of serving a unit from a site.

    Parameters
    ----------
    demand : Series
        Demand by unit (pupils).
    sites : DataFrame
        Index site: ``room`` (pupils), ``fixed`` (cost of opening; all 0: every site is open), ``home``
        (the unit it stands in; read only where catchments are contiguous).
    pairs : DataFrame
        Index p: ``unit``, ``site``, ``cost`` of serving the whole unit. Pairs left out are not allowed.
    """

    demand: pd.Series
    sites: pd.DataFrame
    pairs: pd.DataFrame

    @property
    def located(self) -> bool:
        """True where opening sites is part of the question."""
        return bool((self.sites["fixed"] > 0).any())

    def only(self, keep: np.ndarray) -> SingleSource:
        """The same problem with some of its pairs; they keep their numbers."""
        return replace(self, pairs=self.pairs[keep])


def single_source(problem: SingleSource, own: bool = False) -> pyo.ConcreteModel:
    """State the problem: least cost, every unit whole to one open site within its room.

    The objective is ``goal_cost``. With ``own`` every open site serves the unit it stands in. Where sites may stay closed, linking is stated pair by pair
    (attend[p] <= open[j], the convex hull of a site without room) and once more for all of them
    together (sum_j room[j] open[j] >= total demand, from which the solver takes its cover cuts).
    """
    model = pyo.ConcreteModel()
    pairs, sites = problem.pairs, problem.sites
    model.attend = pyo.Var(list(pairs.index), domain=pyo.Binary)
    served_once(model, {u: list(r.index) for u, r in pairs.groupby("unit")})
    opened: dict[Any, Any] = dict.fromkeys(sites.index, 1)
    cost = sum(float(c) * model.attend[p] for p, c in pairs["cost"].items())
    if problem.located:
        model.open = pyo.Var(list(sites.index), domain=pyo.Binary)
        opened = {j: model.open[j] for j in sites.index}
        keys = {(r.unit, r.site): [r.Index] for r in pairs.itertuples()}
        only_if_open(model, keys, {k: opened[k[1]] for k in keys})
        model.enough_room = pyo.Constraint(
            expr=sum(float(r) * opened[j] for j, r in sites["room"].items()) >= float(problem.demand.sum())
        )
        cost += sum(float(c) * opened[j] for j, c in sites["fixed"].items())
    if own:
        at = {(r.unit, r.site): model.attend[r.Index] for r in pairs.itertuples()}
        # a pair left out counts as 0: the site cannot open
        model.own_unit = pyo.Constraint(
            list(sites.index), rule=lambda m, j: at.get((sites.at[j, "home"], j), 0) - opened[j] == 0
        )
    demand = problem.demand.to_dict()
    load = {
        j: sum(float(demand[u]) * model.attend[p] for p, u in r["unit"].items())
        for j, r in pairs.groupby("site")
    }
    within_room(model, load, {j: float(r) for j, r in sites["room"].items()}, opened)
    model.goal_cost = pyo.Objective(expr=cost)
    return model


def cost_of(problem: SingleSource, served_by: Mapping[Any, Any]) -> float:
    """Cost of an assignment from the tables alone; the open sites are those that serve someone.

    Raises
    ------
    KeyError
        A pair that the problem does not allow.
    """
    cost = problem.pairs.set_index(["unit", "site"])["cost"].to_dict()
    used = sorted(set(served_by.values()))
    return float(sum(cost[u, j] for u, j in served_by.items()) + problem.sites["fixed"].loc[used].sum())


@dataclass(frozen=True)
class Faults:
    """What is wrong with an assignment; all empty when nothing is.

    Parameters
    ----------
    unserved : tuple of units
    forbidden : tuple of (unit, site)
        Pairs the problem does not have.
    over : tuple of (site, float)
        Demand above the room.
    cut_off : tuple of (site, tuple of units)
        Pieces of a catchment without a way to their school.
    """

    unserved: tuple[Any, ...]
    forbidden: tuple[tuple[Any, Any], ...]
    over: tuple[tuple[Any, float], ...]
    cut_off: tuple[tuple[Any, tuple[Any, ...]], ...]
    given_away: tuple[tuple[Any, Any], ...]

    def __bool__(self) -> bool:
        return bool(self.unserved or self.forbidden or self.over or self.cut_off or self.given_away)


def faults(problem: SingleSource, served_by: Mapping[Any, Any], graph: Adjacency | None = None) -> Faults:
    """Referee of an assignment, from the tables alone and without a solver.

    Parameters
    ----------
    problem : SingleSource
    served_by : mapping of unit to site
    graph : Adjacency or None
        None asks for no contiguity. With it every open site serves its own unit; every site is open where
        opening costs nothing.
    """
    known = set(zip(problem.pairs["unit"], problem.pairs["site"], strict=True))
    unserved = tuple(u for u in problem.demand.index if u not in served_by)
    forbidden = tuple((u, j) for u, j in served_by.items() if (u, j) not in known)
    load = problem.demand.groupby(problem.demand.index.map(served_by)).sum()
    above = load - problem.sites["room"].reindex(load.index).fillna(0.0)
    over = tuple((j, float(x)) for j, x in above.items() if x > 1e-6)
    apart = [] if graph is None else stray(served_by, problem.sites["home"].to_dict(), graph)
    cut_off = tuple((j, tuple(sorted(p))) for j, p in apart)
    serving = set(served_by.values())
    opened = [j for j in problem.sites.index if not problem.located or j in serving]
    home = problem.sites["home"]
    away = () if graph is None else tuple((home[j], j) for j in opened if served_by.get(home[j]) != j)
    return Faults(unserved, forbidden, over, cut_off, away)
