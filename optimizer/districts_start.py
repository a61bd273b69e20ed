"""A good contiguous plan before the proof: annealed, by a surrogate, improved a few sites at a time."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from models.contiguity import Adjacency, closer_rows, ways
from models.single_source import SingleSource
from optimizer.annealing import annealed, areas
from optimizer.branch_and_cut import Tree
from optimizer.catchments import composed
from optimizer.districts_model import Stated, stated
from optimizer.highs import Limits

SEARCHES, MENDS, STEPS = 36, 12, 3_000_000
"""Annealings for a first plan, for one in pieces, and steps of each."""
SURROGATE_GAP, SURROGATE_NODES = 0.03, 20
"""How far the surrogate plan is taken: it is improved by other means."""
PARTS = ((4, 30), (7, 30), (7, 150), (10, 300))
"""Sites whose areas are improved together, and how many nodes each such search gets: first few, then more."""
WIDE, WIDE_PART = 0.02, (20, 300)
"""Gap between root and plan above which the tree will be long, so that larger parts are improved too."""


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


def improve(
    problem: SingleSource,
    graph: Adjacency,
    state: Stated,
    tree: Tree,
    size: int,
    limits: Limits,
    until: float,
) -> int:
    """Search the plans that differ from the tree's best one around one site, site by site, until none helps.

    Parameters
    ----------
    state, tree
        Of ``problem`` and ``graph``, with a plan; better ones are left in the tree.
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
            some = neighbourhood(problem, graph, served_by, j, size)
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
    problem: SingleSource, graph: Adjacency, state: Stated, tree: Tree, bound: float, limits: Limits, until: float
) -> None:  # fmt: skip
    """`improve` few sites at a time, then more.

    Parameters
    ----------
    bound : float
        The root's, by which to tell how long the tree will be.
    limits : Limits
        Of everything.
    until : float
        `time.monotonic` at which to stop.
    """
    wide = tree.upper - bound > WIDE * abs(tree.upper)
    for size, nodes in (*PARTS, WIDE_PART) if wide else PARTS:
        part = replace(limits, gap=limits.gap / 4, nodes=nodes, seconds=limits.seconds / 8)
        improve(problem, graph, state, tree, size, part, until)


def border_lengths(
    graph: Adjacency, place: Mapping[Any, tuple[float, float]]
) -> dict[tuple[Any, Any], float]:
    """Straight lines between the middles of bordering units, in the unit of ``place``."""
    return {
        (u, v): float(np.hypot(place[u][0] - place[v][0], place[u][1] - place[v][1])) + 1e-9
        for u, near in graph.neighbours.items()
        for v in near
    }


def started(
    problem: SingleSource,
    graph: Adjacency,
    state: Stated,
    tree: Tree,
    length: Mapping[tuple[Any, Any], float] | None,
    limits: Limits,
    until: float,
) -> dict[Any, Any]:
    """A first plan: put together from catchments (`optimizer.catchments`), or the surrogate's.

    Empty where neither has one.

    Parameters
    ----------
    tree : Tree
        After its root.
    length : mapping of (unit, unit) to float or None
        Of border crossings, for the surrogate; None counts crossings.
    until : float
        `time.monotonic` after which nothing more is begun to better it.
    """
    if tree.priced is not None and not problem.located:
        seeds = [limits.seed + k for k in range(SEARCHES)]
        first = areas(problem, graph, _prices(problem, state, tree))
        if first is not None:
            plan = composed(first, STEPS, seeds, limits.seconds / 10, limits.gap / 4, until)
            if plan is not None:
                return first.served_by(plan)
    if length is None:
        length = {(u, v): 1.0 for u, near in graph.neighbours.items() for v in near}
    early = replace(limits, gap=SURROGATE_GAP, nodes=SURROGATE_NODES, seconds=limits.seconds / 8)
    return surrogate_plan(problem, graph, length, early)


def mended(
    problem: SingleSource,
    graph: Adjacency,
    state: Stated,
    tree: Tree,
    served_by: Mapping[Any, Any],
    limits: Limits,
) -> dict[Any, Any]:
    """A contiguous plan near one that is not, annealed; empty where none turns up or sites may stay closed."""
    if tree.priced is None or problem.located:
        return {}
    seeds = [limits.seed + k for k in range(MENDS)]
    return annealed(problem, graph, _prices(problem, state, tree), STEPS // 3, seeds, served_by)


def _prices(problem: SingleSource, state: Stated, tree: Tree) -> np.ndarray:
    """The root's reduced costs by pair."""
    assert tree.priced is not None
    at = np.searchsorted(tree.whole, state.column.loc[problem.pairs.index].to_numpy())
    return np.asarray(tree.priced[1][at])
