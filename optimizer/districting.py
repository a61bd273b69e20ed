"""Service areas: least cost, whole units, room and contiguous catchments, proven.

Root (`optimizer.districts_model`) -> first plan (`optimizer.districts_start`) -> HiGHS on what a close root
leaves, else one tree in which separators and the cuts of each site's room come into force where they are
broken (`optimizer.branch_and_cut`).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np

from models.contiguity import Adjacency
from models.single_source import SingleSource, cost_of
from optimizer.branch_and_cut import Tree
from optimizer.districts_model import Separator, Stated, possible_pairs, stated, tree_of
from optimizer.districts_start import border_lengths, improve_parts, mended, started, surrogate_plan
from optimizer.highs import Answer, Limits, Progress
from optimizer.locating import Narrow, Sites, locate

GUESSES = (0.25, 0.4, 0.6)
"""Guesses of the optimum, as shares of the way from the root's bound to the start."""
CLOSE = 8e-3
"""Gap below which HiGHS is tried on what the root leaves."""
ROUNDS, ROUND_NODES = 6, 100
"""How often, and how far."""
Ahead: TypeAlias = Callable[[Limits], float]

__all__ = [
    "Separator", "Served", "Stated", "border_lengths", "possible_pairs", "serve", "stated",
    "surrogate_plan", "tree_of",
]  # fmt: skip


@dataclass(frozen=True)
class Served:
    """Who serves whom, and what is known about it.

    Parameters
    ----------
    answer : Answer
        Status, cost, proven bound, gap, seconds, nodes.
    served_by : dict of unit to site
        Empty without a plan.
    start : float
        Cost of the first plan; NaN without one.
    seconds : float
        Of everything, statement of the model included.
    """

    answer: Answer
    served_by: dict[Any, Any]
    start: float
    seconds: float


def serve(
    problem: SingleSource,
    graph: Adjacency | None = None,
    length: Mapping[tuple[Any, Any], float] | None = None,
    limits: Limits | None = None,
    report: Callable[[Progress], None] | None = None,
) -> Served:
    """Least-cost whole assignment within room, contiguous where a graph is given.

    Parameters
    ----------
    problem : SingleSource
    graph : Adjacency or None
        Borders of the units: every catchment is connected and holds its site's own unit. None: no such rule.
    length : mapping of (unit, unit) to float or None
        Lengths of border crossings for the surrogate plan, taken where annealing finds none; None counts crossings.
    limits : Limits or None
        Default: a gap of a millionth in ten minutes. A third of the seconds goes to
        the first plan, and two choices of a tenth each at most.
    report : callable or None
        Progress of the exact search.

    Returns
    -------
    Served
    """
    begun = time.monotonic()
    limits = Limits(gap=1e-6) if limits is None else replace(limits, threads=1)
    if graph is None:
        state = stated(problem)
        rooms = Separator(problem, None, state.column, state.opened)
        rooms.rooms = {j: Narrow(room.demand, room.room) for j, room in rooms.rooms.items()}
        places = Sites(state.bridge, problem, state.column, state.opened, rooms)
        first, answer = locate(places, limits, report, begun)
        plan = {} if answer.values is None else state.served_by(problem, answer.values)
        return Served(answer, plan, first, time.monotonic() - begun)
    allowed = possible_pairs(problem, graph)
    if set(problem.demand.index) - set(allowed.pairs["unit"]):  # a unit that no site can serve
        inf = float("inf")
        nobody = Answer(
            status="infeasible", objective=inf, bound=inf, gap=inf, seconds=0.0, nodes=0, clock=False
        )
        return Served(nobody, {}, float("nan"), time.monotonic() - begun)
    state, tree = tree_of(allowed, graph)
    root = tree.search(replace(limits, nodes=1), report)
    first = float("nan")
    if root.status not in ("proven", "infeasible"):
        start = started(allowed, graph, state, tree, length, limits, begun + limits.seconds / 3)
        if start:
            first = cost_of(allowed, start)
            tree.offer(state.values(allowed, start), first)
            improve_parts(allowed, graph, state, tree, root.bound, limits, begun + limits.seconds / 3)
        root = guessed(
            tree, limits, begun, report, lambda left: closed(allowed, graph, state, tree, left, report)
        )
    plan = {} if root.values is None else state.served_by(allowed, root.values)
    return Served(root, plan, first, time.monotonic() - begun)


def guessed(
    tree: Tree, limits: Limits, begun: float, report: Callable[[Progress], None] | None, ahead: Ahead
) -> Answer:
    """The exact search under guesses of the optimum.

    A good plan makes a tree small, and is hard to find. Searching below a guess needs none: either a plan
    turns up, and is the optimum, or there is none below the guess, which is then a bound.

    Parameters
    ----------
    ahead : callable
        Tried first where the root is close (`closed`): limits -> a bound on every plan.
    """
    answer = tree.search(replace(_left(limits, begun), nodes=1), report)
    nodes, low = answer.nodes, answer.bound
    if answer.status == "stopped" and answer.gap < CLOSE and nodes != limits.nodes:
        low = max(low, ahead(_left(limits, begun)))
        done = tree.upper - low <= limits.gap * abs(tree.upper) * (1 + 1e-9)
        answer = replace(
            answer, status="proven" if done else "stopped", objective=tree.upper, values=tree.best
        )
    wide = tree.upper - low if np.isfinite(tree.upper) else 0.01 * abs(low)
    guesses = [low + share * wide for share in GUESSES]
    while answer.status in ("stopped", "no_plan") and not answer.clock and nodes != limits.nodes:
        guess = guesses.pop(0) if guesses else np.inf
        rest = _left(limits, begun)
        rest = rest if limits.nodes is None else replace(rest, nodes=limits.nodes - nodes)
        answer = tree.search(rest, report, guess)
        nodes += answer.nodes
        low = max(low, answer.bound)
    gap = (answer.objective - low) / max(abs(answer.objective), 1e-9)
    return replace(answer, bound=low, gap=gap, nodes=nodes, seconds=time.monotonic() - begun)


def closed(
    problem: SingleSource,
    graph: Adjacency,
    state: Stated,
    tree: Tree,
    limits: Limits,
    report: Callable[[Progress], None] | None,
) -> float:
    """Solve what the root leaves by HiGHS, cut what is not contiguous, and solve again: the bound proven.

    Plans come into the tree: HiGHS's own where they are contiguous, else what annealing makes of them.
    Columns that the root's reduced costs dropped hold nothing below its cutoff.
    """
    see = Separator(problem, graph, state.column, state.opened)
    low, cutoff, begun = -np.inf, tree.cutoff(), time.monotonic()
    for _ in range(ROUNDS):
        some = replace(_left(limits, begun), nodes=ROUND_NODES)
        rest = state.bridge.solve("cost", some, start=tree.best, progress=report)
        low = max(low, min(cutoff, np.inf if rest.status == "infeasible" else rest.bound))
        cuts = [] if rest.values is None else see.broken(rest.values)
        if rest.values is None or rest.clock:
            break
        plan = state.served_by(problem, rest.values)
        if cuts:
            plan = mended(problem, graph, state, tree, plan, limits)
        if plan:
            tree.offer(state.values(problem, plan), cost_of(problem, plan))
        if not cuts or tree.upper - low <= limits.gap * abs(tree.upper):
            break
        tree.add(cuts)
    return low


def _left(limits: Limits, begun: float) -> Limits:
    return replace(limits, seconds=max(1.0, limits.seconds - (time.monotonic() - begun)))
