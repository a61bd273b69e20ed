"""A first plan at once: today's arrangement, or the nearest admissible one.

Every search starts from it, so that any limit ends with a plan. What is settled (who teaches where, who goes where,
nothing bought and nobody moved) is fixed; what follows from it, binaries of indicators and the like, is left to a
small model of its own. Where rules or a request exclude today's arrangement, more is left free, step by step.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from optimizer.search.search import Search
from optimizer.solver.limits import Answer, Limits, time_left

NETWORK = ("open", "attend")
RESOURCES = ("out", "into", "hire", "flow", "buy", "got", "buy_rooms", "got_rooms")
ANY_GAP = 1e3
"""A gap that every plan has: the first one found is enough."""


def todays(search: Search) -> np.ndarray:
    """The columns as they are today: bands open unless asked to close, everybody stays, nothing bought, nobody moved."""
    bridge, inst = search.bridge, search.instance
    values = np.zeros(len(bridge.columns))
    closed = set(inst.bands.index[inst.bands["lock"] == "closed"])
    values[[c for k, c in bridge.at("open").items() if k not in closed]] = 1.0
    attend = bridge.at("attend")
    values[[attend[p] for p in inst.pairs.index[inst.pairs["stay"]]]] = 1.0
    return np.clip(values, bridge.low, bridge.high)


def columns_in(search: Search, components: tuple[str, ...]) -> np.ndarray:
    """Columns of some components, sorted."""
    found = [np.fromiter(search.bridge.at(c).values(), dtype=int) for c in components]
    return np.sort(np.concatenate(found)) if found else np.array([], dtype=int)


def displaced(search: Search) -> np.ndarray:
    """Columns of the ways of groups that cannot stay where they are, since the band is to close."""
    inst = search.instance
    shut = set(inst.bands.index[inst.bands["lock"] == "closed"])
    stay = inst.pairs[inst.pairs["stay"]]
    lost = [g for g, j, b in zip(stay["g"], stay["school_id"], stay["band"], strict=True) if (j, b) in shut]
    attend = search.bridge.at("attend")
    return np.array(sorted(attend[p] for p in inst.pairs.index[inst.pairs["g"].isin(lost)]), dtype=int)


def all_but(search: Search, fixed: np.ndarray) -> np.ndarray:
    """Every column besides some."""
    return np.setdiff1d(np.arange(len(search.bridge.columns)), fixed)


def _freer(search: Search) -> Iterator[np.ndarray]:
    """Columns that are free, in larger and larger parts of the model."""
    lost = displaced(search)
    if not len(lost):
        yield all_but(search, columns_in(search, (*NETWORK, *RESOURCES)))
    yield all_but(search, np.setdiff1d(columns_in(search, NETWORK), lost))
    yield all_but(search, columns_in(search, ("open",)))


def first_plan(search: Search, limits: Limits) -> Answer | None:
    """Today's arrangement, or a plan near it, as a solution of the whole model; None where none was found.

    Parameters
    ----------
    search : Search
    limits : Limits
        Seconds are for all attempts together, and not less than the method's ``start_seconds``: without a first plan
        there is no answer at all.

    Returns
    -------
    Answer or None
        Its objective is the first goal's, its bound that of the columns alone. Status ``infeasible`` is proven.
    """
    begun, goal = time.monotonic(), search.task.goals[0].name
    here = todays(search)
    easy = replace(limits, gap=ANY_GAP, seconds=max(limits.seconds, search.task.method.start_seconds))
    for free in _freer(search):
        if search.bridge.stopped or time.monotonic() - begun > easy.seconds:
            return None
        part = search.bridge.part(free, here)
        found = part.engine.solve(goal, time_left(easy, begun))
        if found.values is not None:
            return _as_first(search, goal, found, part.whole_solution(found.values))
    return _nearest(search, goal, time_left(easy, begun), here)


def _nearest(search: Search, goal: str, limits: Limits, here: np.ndarray) -> Answer | None:
    """The network that changes least, resources in fractions; then whole heads for it; then all together."""
    bridge = search.bridge
    network = np.zeros(len(bridge.columns), dtype=bool)
    network[columns_in(search, NETWORK)] = True
    bridge.keep_whole(network)
    least = "disruption" if "disruption" in bridge.costs else goal
    answer = bridge.solve(least, limits)
    bridge.relax(False)
    if answer.status == "infeasible":
        return answer
    if answer.values is not None:
        values = answer.values.copy()
        values[network] = np.round(values[network])
        part = bridge.part(np.flatnonzero(~network), values)
        found = part.engine.solve(goal, limits)
        if found.values is not None:
            return _as_first(search, goal, found, part.whole_solution(found.values))
    answer = bridge.solve(least, limits)
    if answer.values is None:
        return answer if answer.status == "infeasible" else None
    return _as_first(search, goal, answer, answer.values)


def _as_first(search: Search, goal: str, found: Answer, values: np.ndarray) -> Answer:
    value, floor = search.exact(goal, values), max(0.0, search.bridge.floor(goal))
    gap = (value - floor) / max(abs(value), 1e-9)
    return replace(found, status="stopped", objective=value, bound=floor, gap=gap, values=values)
