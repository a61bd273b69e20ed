"""Service areas: least cost, whole units, room and contiguous catchments, proven.

Root (`optimizer.districting.districts_model`) -> first plan (`optimizer.districting.districts_start`) -> HiGHS on what a close root
leaves; else whole catchments cut at the root (`optimizer.districting.catchment_cuts`), the plan improved once more, and one
tree in which separators come into force where they are broken (`optimizer.districting.branch_and_cut`).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from models.districting.contiguity import Adjacency
from models.districting.single_source import SingleSource, cost_of
from optimizer.districting.districts_model import (
    DistrictSearch,
    Separator,
    Stated,
    possible_pairs,
    stated,
    tree_of,
)
from optimizer.districting.districts_start import (
    LAST_PARTS,
    LATER_PARTS,
    NEAR,
    PARTS,
    begin_again,
    border_lengths,
    from_catchments,
    from_surrogate,
    improve_parts,
    mended,
    surrogate_plan,
)
from optimizer.districting.locating import Narrow, Sites, locate
from optimizer.solver.limits import Answer, Limits, Progress

GUESSES, SHARES = (2.5e-3, 4e-3, 6e-3), (0.6, 0.7, 0.75, 0.8, 0.85, 0.9)
"""Guesses of the optimum, above the root's bound where no plan is known; else shares of the way to the plan."""
CLOSE = NEAR
"""Gap below which HiGHS is tried on what the root leaves, before whole catchments are cut."""
UNSURE, FAR, WIDE = 0.002, 0.005, 0.01
"""Gaps, with whole catchments cut, above which these are worth it: guesses, larger parts, another first plan."""
ROUNDS, ROUND_NODES = 6, 100
"""How often, and how far."""

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
        the first plan, and two choices of a tenth each at most. Nodes are those of the whole tree: the first
        plan and its improvement have limits of their own, and where nodes are given no share of the clock ends them.
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
    search = tree_of(allowed, graph)
    state, tree = search.state, search.tree
    answer = tree.search(limits.first_node(), report)
    first, low = float("nan"), answer.bound
    if answer.status not in ("proven", "infeasible"):
        surrogate = partial(from_surrogate, search, length, limits)
        try:
            start = from_catchments(search, limits, begun + limits.seconds_for(1 / 3))
            other = surrogate if start else None
            start = start or surrogate()
            if start:
                first = cost_of(allowed, start)
                tree.offer(state.values(allowed, start), first)
                improve_parts(search, PARTS, limits, begun + limits.seconds_for(1 / 3))
            answer = proved(search, limits, begun, report, other, low)
        except KeyboardInterrupt:  # not while a relaxation is solved: between two of them, or while annealing
            tree.bridge.interrupt()
            answer = proved(search, limits, begun, report, low=low)
    plan = {} if answer.values is None else state.served_by(allowed, answer.values)
    return Served(answer, plan, first, time.monotonic() - begun)


def proved(
    search: DistrictSearch,
    limits: Limits,
    begun: float,
    report: Callable[[Progress], None] | None,
    other: Callable[[], dict[Any, Any]] | None = None,
    low: float = -np.inf,
) -> Answer:
    """From a plan, if there is one, to the proof: by HiGHS where the root is close, else by the tree.

    For the tree whole catchments are cut at the root. After that a search of a few sites tells much more,
    so that the plan is improved once again; it makes the tree small. Where it is missing or may be far off,
    the tree searches below guesses of the optimum first: what turns up there is one, or the guess is a bound.

    Parameters
    ----------
    begun : float
        `time.monotonic` from which the limits count.
    other : callable or None
        Another first plan, or an empty one: improved too where the gap is still wide.
    low : float
        A bound known before.
    """
    tree = search.tree
    answer = tree.search(_left(limits, begun).first_node(), report)
    nodes, low = answer.nodes, max(low, answer.bound)

    def goes_on() -> bool:
        left = limits.nodes is None or nodes < limits.nodes
        return answer.status in ("stopped", "no_plan") and left and not (answer.clock or answer.interrupted)

    if goes_on() and answer.gap < CLOSE:
        low = max(low, closed(search, _left(limits, begun), report))
        done = tree.upper - low <= limits.gap * abs(tree.upper) * (1 + 1e-9)
        answer = replace(
            answer, status="proven" if done else "stopped", objective=tree.upper, values=tree.best,
            interrupted=tree.bridge.stopped,
        )  # fmt: skip
    if goes_on():
        search.see.deep = True
        answer = tree.search(_left(limits, begun).first_node(), report)
        nodes, low = nodes + answer.nodes, max(low, answer.bound)
        search.see.deep = False  # what holds is kept; the searches of parts cut no more of it
        until = begun + limits.seconds_for(1 / 2)
        improve_parts(search, LATER_PARTS, limits, until)
        if tree.upper - low > FAR * abs(tree.upper):
            improve_parts(search, LAST_PARTS, limits, until)
        if other is not None and tree.upper - low > WIDE * abs(tree.upper):
            plan = other()
            if plan:
                begin_again(search, plan, limits, until)
        search.see.deep = True
    for turn, guess in enumerate([*_guesses(tree.upper, low), np.inf]):
        if not goes_on():
            break
        if turn:
            tree.cuts.put_back()
        rest = _left(limits, begun)
        rest = rest if limits.nodes is None else replace(rest, nodes=limits.nodes - nodes)
        answer = tree.search(rest, report, guess)
        nodes += answer.nodes
        low = max(low, answer.bound)
    return replace(answer, bound=low, gap=tree.gap(low), nodes=nodes, seconds=time.monotonic() - begun)


def _guesses(upper: float, low: float) -> list[float]:
    """Guesses of the optimum from a plan's cost, infinite without one, and a bound; none where they are close."""
    if not np.isfinite(upper):
        return [low + share * abs(low) for share in GUESSES]
    unsure = upper - low > UNSURE * abs(upper)
    return [low + share * (upper - low) for share in SHARES] if unsure else []


def closed(search: DistrictSearch, limits: Limits, report: Callable[[Progress], None] | None) -> float:
    """Solve what the root leaves by HiGHS, cut what is not contiguous, and solve again: the bound proven.

    Plans come into the tree: HiGHS's own where they are contiguous, else what annealing makes of them.
    Columns that the root's reduced costs dropped hold nothing below its cutoff.
    """
    problem, state, tree = search.problem, search.state, search.tree
    low, cutoff, begun = -np.inf, tree.cutoff(), time.monotonic()
    for _ in range(ROUNDS):
        some = replace(_left(limits, begun), nodes=ROUND_NODES)
        rest = state.bridge.solve("cost", some, start=tree.best, progress=report)
        low = max(low, min(cutoff, np.inf if rest.status == "infeasible" else rest.bound))
        cuts = [] if rest.values is None else search.see.broken(rest.values)
        if rest.values is None or rest.clock or rest.interrupted:
            break
        plan = state.served_by(problem, rest.values)
        if cuts:
            plan = mended(search, plan, limits)
        if plan:
            tree.offer(state.values(problem, plan), cost_of(problem, plan))
        if not cuts or tree.upper - low <= limits.gap * abs(tree.upper):
            break
        tree.cuts.add(cuts)
    return low


def _left(limits: Limits, begun: float) -> Limits:
    return replace(limits, seconds=max(1.0, limits.seconds - (time.monotonic() - begun)))
