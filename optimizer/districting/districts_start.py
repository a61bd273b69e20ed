"""A good contiguous plan before the proof: annealed, by a surrogate, improved a few sites at a time."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from models.districting.contiguity import Adjacency, closer_rows, ways
from models.districting.single_source import SingleSource, cost_of
from optimizer.districting.annealing import annealed, areas
from optimizer.districting.catchments import composed
from optimizer.districting.districts_model import DistrictSearch, stated
from optimizer.solver.limits import Limits

SEARCHES, MENDS, STEPS = 36, 12, 3_000_000
"""Annealings for a first plan, for one in pieces, and steps of each."""
NEAR = 1.5e-3
"""Gap to the root at which a first plan is near enough: HiGHS soon ends that."""
SURROGATE_GAP, SURROGATE_NODES = 0.03, 20
"""How far the surrogate plan is taken: it is improved by other means."""
PARTS, LATER_PARTS, LAST_PARTS = ((4, 30), (7, 30)), ((7, 150),), ((10, 300),)
"""Sites whose areas are improved together, and how many nodes each such search gets: at first; once whole
catchments are cut, when a search tells far more; and where much is left even then."""


def surrogate_plan(
    problem: SingleSource, graph: Adjacency, length: Mapping[tuple[Any, Any], float], limits: Limits
) -> dict[Any, Any]:
    """A contiguous plan by HiGHS: a closer neighbour, by the way over common borders, goes along.

    Empty where HiGHS finds none within its limits, or where none exists: the surrogate is not exact.
    """
    state = stated(problem, own=True)
    home = problem.sites["home"].to_dict()
    state.bridge.add_rows(closer_rows(state.take, home, graph, ways(home, graph, length)))
    answer = state.bridge.solve("cost", limits)
    return {} if answer.values is None else state.served_by(problem, answer.values)


def neighbourhood(
    problem: SingleSource, graph: Adjacency, served_by: Mapping[Any, Any], site: Any, size: int
) -> list[Any]:
    """A site and those whose catchments border on its own, on theirs and so on."""
    touch: dict[Any, set[Any]] = {j: set() for j in problem.sites.index}
    for u, near in graph.neighbours.items():
        for v in near:
            if served_by[u] != served_by[v]:
                touch[served_by[u]].add(served_by[v])
    chosen, ahead = [site], [site]
    while ahead and len(chosen) < size:
        j = ahead.pop(0)
        new = [k for k in sorted(touch[j]) if k not in chosen][: size - len(chosen)]
        chosen += new
        ahead += new
    return chosen


def improve(search: DistrictSearch, size: int, limits: Limits, until: float) -> int:
    """Search the plans that differ from the tree's best one around one site, site by site, until none helps.

    Parameters
    ----------
    search : DistrictSearch
        With a plan in its tree; better ones are left there.
    size : int
        Sites solved together.
    limits : Limits
        Of each such search.
    until : float
        `time.monotonic` at which to stop.

    Returns
    -------
    int
        Nodes searched.
    """
    problem, state, tree = search.problem, search.state, search.tree
    unit, site = problem.pairs["unit"].to_numpy(), problem.pairs["site"].to_numpy()
    column = state.column.loc[problem.pairs.index].to_numpy()
    at = np.searchsorted(tree.whole, column)
    tried: set[frozenset[tuple[Any, Any]]] = set()
    nodes, again = 0, tree.best is not None
    while again:
        again = False
        for j in problem.sites.index:
            assert tree.best is not None
            served_by = state.served_by(problem, tree.best)
            if j not in set(served_by.values()) or time.monotonic() > until:
                continue
            some = neighbourhood(problem, search.graph, served_by, j, size)
            here = pd.Series(served_by).loc[unit].to_numpy()
            inside = np.isin(here, some)
            key = frozenset(zip(unit[inside], here[inside], strict=True))
            if key in tried:
                continue
            tried.add(key)
            keep = np.ones(len(tree.whole), dtype=bool)
            keep[at] = (inside & np.isin(site, some)) | (here == site)
            before = tree.upper
            nodes += tree.search(limits, keep=keep).nodes
            again = again or tree.upper < before
    return nodes


def improve_parts(
    search: DistrictSearch, parts: Iterable[tuple[int, int]], limits: Limits, until: float
) -> None:
    """`improve` few sites at a time, then more.

    Parameters
    ----------
    parts : iterable of (int, int)
        Sites together, and nodes of each search.
    limits : Limits
        Of everything.
    until : float
        `time.monotonic` at which to stop.
    """
    for size, nodes in parts:
        part = replace(limits, gap=limits.gap / 4, nodes=nodes, seconds=limits.seconds_for(1 / 8))
        improve(search, size, part, until)


def border_lengths(
    graph: Adjacency, place: Mapping[Any, tuple[float, float]]
) -> dict[tuple[Any, Any], float]:
    """Straight lines between the middles of bordering units, in the unit of ``place``."""
    return {
        (u, v): float(np.hypot(place[u][0] - place[v][0], place[u][1] - place[v][1])) + 1e-9
        for u, near in graph.neighbours.items()
        for v in near
    }


def from_catchments(search: DistrictSearch, limits: Limits, until: float) -> dict[Any, Any]:
    """A plan put together from catchments (`optimizer.districting.catchments`); empty where none is found.

    Parameters
    ----------
    search : DistrictSearch
        After the tree's root.
    until : float
        `time.monotonic` after which nothing more is begun to better it.
    """
    problem, priced = search.problem, search.tree.priced
    first = None if priced is None or problem.located else areas(problem, search.graph, _prices(search))
    if priced is None or first is None:
        return {}
    seeds = [limits.seed + k for k in range(SEARCHES)]
    enough = priced[0] + NEAR * abs(priced[0])
    plan = composed(first, STEPS, seeds, limits.seconds_for(0.1), limits.gap / 4, until, enough)
    return {} if plan is None else first.served_by(plan)


def from_surrogate(
    search: DistrictSearch, length: Mapping[tuple[Any, Any], float] | None, limits: Limits
) -> dict[Any, Any]:
    """The surrogate's plan, taken not far; empty where it has none.

    Parameters
    ----------
    length : mapping of (unit, unit) to float or None
        Of border crossings; None counts crossings.
    """
    if length is None:
        length = {(u, v): 1.0 for u, near in search.graph.neighbours.items() for v in near}
    early = replace(limits, gap=SURROGATE_GAP, nodes=SURROGATE_NODES, seconds=limits.seconds_for(1 / 8))
    return surrogate_plan(search.problem, search.graph, length, early)


def begin_again(search: DistrictSearch, served_by: Mapping[Any, Any], limits: Limits, until: float) -> None:
    """Improve another plan than the tree's best one by itself; the better of both is left in the tree."""
    tree, problem = search.tree, search.problem
    best, upper = tree.best, tree.upper
    tree.best, tree.upper = None, float("inf")
    try:
        tree.offer(search.state.values(problem, served_by), cost_of(problem, served_by))
        improve_parts(search, (*PARTS, *LATER_PARTS, *LAST_PARTS), limits, until)
    finally:
        if best is not None:
            tree.offer(best, upper)


def mended(search: DistrictSearch, served_by: Mapping[Any, Any], limits: Limits) -> dict[Any, Any]:
    """A contiguous plan near one that is not, annealed; empty where none turns up or sites may stay closed."""
    problem = search.problem
    if search.tree.priced is None or problem.located:
        return {}
    seeds = [limits.seed + k for k in range(MENDS)]
    return annealed(problem, search.graph, _prices(search), STEPS // 3, seeds, served_by)


def _prices(search: DistrictSearch) -> np.ndarray:
    """The root's reduced costs by pair."""
    tree = search.tree
    assert tree.priced is not None
    at = np.searchsorted(tree.whole, search.state.column.loc[search.problem.pairs.index].to_numpy())
    return np.asarray(tree.priced[1][at])
