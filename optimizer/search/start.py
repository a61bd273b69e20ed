"""A first plan at once: the plan at hand, today's arrangement, or the nearest admissible one.

Every search starts from it, so that any limit ends with a plan. What is settled (who teaches where, who goes where,
nothing bought and nobody moved) is fixed; what follows from it, binaries of indicators and the like, is left to a
small model of its own. Where rules or a request exclude today's arrangement, more is left free, step by step.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any, TypeAlias

import numpy as np

from models.formulation.equipment import scale
from models.formulation.holding import HEADS
from models.formulation.solution import arriving_as
from optimizer.search.search import Search
from optimizer.solver.engine import Part
from optimizer.solver.limits import Answer, Limits, time_left

Row: TypeAlias = Mapping[str, Any]
NETWORK = ("open", "attend")
STAFF_COLUMNS = ("out", "into", "hire")
RESOURCES = ("out", "into", "hire", "flow", "buy", "got", "buy_rooms", "got_rooms")
ANY_GAP = 1e3
"""A gap that every plan has: the first one found is enough."""
NEAR = "near"
NEAR_GAP, NEAR_NODES = 0.001, 50
"""How near to the plan at hand is near enough: relative gap, and nodes."""


NOTHING = Answer("no_plan", np.nan, -np.inf, np.inf, 0.0, 0, False)


def todays(search: Search) -> np.ndarray:
    """The columns as they are today: bands open unless asked to close, everybody stays, nothing bought, nobody moved."""
    bridge, inst = search.bridge, search.instance
    values = np.zeros(len(bridge.columns))
    closed = set(inst.bands.index[inst.bands["lock"] == "closed"])
    values[[c for k, c in bridge.at("open").items() if k not in closed]] = 1.0
    attend = bridge.at("attend")
    values[[attend[p] for p in inst.pairs.index[inst.pairs["stay"]]]] = 1.0
    return np.clip(values, bridge.low, bridge.high)


def at_hand(search: Search) -> np.ndarray | None:
    """The columns as the plan at hand has them (`Held.start`), as far as this model has them; None where there is none."""
    rows = search.instance.request.held.start
    if rows.empty:
        return None
    values = todays(search)
    for row in rows.to_dict("records"):
        _SET[str(row["action"])](search, values, row)
    given: np.ndarray = np.clip(values, search.bridge.low, search.bridge.high)
    return given


def _set_way(search: Search, values: np.ndarray, row: Row) -> None:
    inst, attend = search.instance, search.bridge.at("attend")
    groups = inst.groups
    mine = groups.index[
        (groups["village_id"] == row["village_id"]) & (groups["band"] == row["band"])
        & (groups["group"] == row["group"]) & (groups["today_school_id"] == row["from_id"])
    ]  # fmt: skip
    ways = inst.pairs[inst.pairs["g"].isin(mine)]
    chosen = ways.index[(ways["school_id"] == row["to_id"]) & (ways["mode"] == row["mode"])]
    if len(chosen) and all(p in attend for p in ways.index):
        values[[attend[p] for p in ways.index]] = 0.0
        values[attend[chosen[0]]] = 1.0


def _set_band(search: Search, values: np.ndarray, row: Row) -> None:
    column = search.bridge.at("open").get((row["school_id"], row["band"]))
    if column is not None:
        values[column] = 0.0


def _add(search: Search, values: np.ndarray, component: str, key: tuple[str, str], amount: float) -> None:
    column = search.bridge.at(component).get(key)
    if column is not None:
        values[column] += amount


def _set_transfer(search: Search, values: np.ndarray, row: Row) -> None:
    inst, heads = search.instance, float(row["quantity"])
    sender, target = f"{row['from_id']}/{row['from_stage']}", f"{row['to_id']}/{row['to_stage']}"
    if sender in inst.units.index and target in inst.units.index:
        _add(search, values, "out", (sender, row["item"]), heads)
        _add(search, values, "into", (target, arriving_as(inst, sender, row["item"], target)), heads)


def _set_hire(search: Search, values: np.ndarray, row: Row) -> None:
    _add(search, values, "hire", (f"{row['school_id']}/{row['stage']}", row["item"]), float(row["quantity"]))


def _set_purchase(search: Search, values: np.ndarray, row: Row) -> None:
    key = f"{row['school_id']}/{row['stage']}", str(row["item"])
    if key in search.bridge.at("buy"):
        _add(search, values, "buy", key, float(row["quantity"]) / scale(search.instance, *key))


def _left_open(search: Search, values: np.ndarray, row: Row) -> None:
    """Which freed thing goes where follows from what is open, so it is decided anew."""


_SET: dict[str, Callable[[Search, np.ndarray, Row], None]] = {
    "attend": _set_way, "band": _set_band, "transfer": _set_transfer, "hire": _set_hire, "buy": _set_purchase,
    "move_item": _left_open,
}  # fmt: skip


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


def _as_at_hand(search: Search, goal: str, limits: Limits) -> Answer | None:
    """The plan at hand as a solution: whole, or its network with as many of its moves and purchases as the rules allow."""
    begun, given = time.monotonic(), at_hand(search)
    if given is None:
        return None
    bridge, settled = search.bridge, columns_in(search, (*STAFF_COLUMNS, "buy"))
    network = all_but(search, columns_in(search, NETWORK))
    part = bridge.part(np.setdiff1d(network, settled), given)
    found = part.engine.solve(goal, limits)
    if found.values is None:
        part = bridge.part(network, given)
        part.engine.costs[NEAR] = (_nearness(search, settled)[network], 0.0)
        for column in np.searchsorted(network, settled):
            low, most = bridge.low[network[column]], given[network[column]]
            part.engine.bound(int(column), low, max(low, most))
        found = part.engine.solve(NEAR, replace(time_left(limits, begun), gap=NEAR_GAP).fewer(NEAR_NODES))
    if found.values is None:
        part = bridge.part(network, given)
        found = part.engine.solve(goal, time_left(limits, begun))
    if (
        found.values is None
    ):  # a county that has changed since: some ways break a rule there, the bands may still stand
        part, found = _with_its_bands(search, given, settled, time_left(limits, begun))
    if found.values is None:
        return None
    counted = tallied(search, part.whole_solution(found.values), time_left(limits, begun))
    return _as_first(search, goal, found, counted)


def _with_its_bands(
    search: Search, given: np.ndarray, settled: np.ndarray, limits: Limits
) -> tuple[Part, Answer]:
    """Bands as in the plan at hand, and of its ways, moves and purchases as many as the rules allow."""
    bridge, ways = search.bridge, columns_in(search, ("attend",))
    free = all_but(search, columns_in(search, ("open",)))
    part = bridge.part(free, given)
    cost = _nearness(search, settled)
    cost[ways] = -given[ways] * _pupils_of(search, ways)
    part.engine.costs[NEAR] = (cost[free], 0.0)
    for column in np.searchsorted(free, settled):
        low = bridge.low[free[column]]
        part.engine.bound(int(column), low, max(low, given[free[column]]))
    return part, part.engine.solve(NEAR, replace(limits, gap=NEAR_GAP).fewer(NEAR_NODES))


def _pupils_of(search: Search, ways: np.ndarray) -> np.ndarray:
    """Pupils of the group that each column of a way is about."""
    inst, attend = search.instance, search.bridge.at("attend")
    count = np.zeros(len(search.bridge.columns))
    many = inst.groups["pupils"].reindex(inst.pairs["g"]).to_numpy(float)
    for pair, pupils in zip(inst.pairs.index, many, strict=True):
        if pair in attend:
            count[attend[pair]] = pupils
    own: np.ndarray = count[ways]
    return own


def tallied(search: Search, values: np.ndarray, limits: Limits, gap: float = NEAR_GAP) -> np.ndarray:
    """The same decisions with what follows from them as good as it can be, for all goals together.

    Parameters
    ----------
    search : Search
    values : ndarray (columns)
        A solution.
    limits : Limits
    gap : float
        With the gap of a first plan a unit that passes may be left as one that fails.

    Returns
    -------
    ndarray (columns)
    """
    names = [goal.name for goal in search.task.goals]
    part = search.bridge.part(all_but(search, columns_in(search, (*NETWORK, *RESOURCES))), values)
    costs = [part.engine.costs[name] for name in names]
    part.engine.costs[NEAR] = (np.sum([c for c, _ in costs], axis=0), 0.0)
    found = part.engine.solve(NEAR, replace(limits, gap=gap).fewer(NEAR_NODES))
    return values if found.values is None else part.whole_solution(found.values)


def _nearness(search: Search, settled: np.ndarray) -> np.ndarray:
    """What each head and purchase of the plan at hand that is kept counts, in pupils: less is nearer."""
    cost = np.zeros(len(search.bridge.columns))
    cost[settled] = -1.0
    cost[columns_in(search, STAFF_COLUMNS)] = -HEADS
    return cost


def _freer(search: Search) -> Iterator[np.ndarray]:
    """Columns that are free, in larger and larger parts of the model."""
    lost = displaced(search)
    if not len(lost):
        yield all_but(search, columns_in(search, (*NETWORK, *RESOURCES)))
    yield all_but(search, np.setdiff1d(columns_in(search, NETWORK), lost))
    yield all_but(search, columns_in(search, ("open",)))


def first_plan(search: Search, limits: Limits) -> Answer | None:
    """The plan at hand, else today's arrangement, or a plan near it, as a solution of the whole model; None where none was found.

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
    easy = replace(limits, gap=ANY_GAP, seconds=max(limits.seconds, search.task.method.start_seconds))
    given = _as_at_hand(search, goal, easy)
    if given is not None:
        return given
    here = todays(search)
    for free in _freer(search):
        if search.bridge.stopped or time.monotonic() - begun > easy.seconds:
            return None
        part = search.bridge.part(free, here)
        found = part.engine.solve(goal, time_left(easy, begun))
        if found.values is not None:
            return _as_first(search, goal, found, part.whole_solution(found.values))
    return _nearest(search, goal, time_left(easy, begun))


def keeping(search: Search, start: Answer, limits: Limits) -> Answer:
    """A first plan that keeps requirements of which the model has tangents only, as their own values are.

    First again with the tangents that the last one asked for; then the least of what it breaks.

    Parameters
    ----------
    search : Search
    start : Answer
        A first plan of the model as it is.
    limits : Limits

    Returns
    -------
    Answer
        Without values where none was found: ``infeasible`` is proven.
    """
    begun, method, goal = time.monotonic(), search.task.method, search.task.goals[0].name
    for _ in range(method.tangent_rounds):
        if start.values is None or not search.beyond(start.values):
            return start
        for name in search.beyond(start.values):
            search.tighten(name, start.values, method.cut_slack / 100)
        start = first_plan(search, time_left(limits, begun)) or NOTHING
    if start.values is None:
        return start
    for name in search.beyond(start.values):
        left = replace(time_left(limits, begun), gap=method.elastic_gap)
        least = search.minimise(name, left, slack=method.cut_slack / 100, rounds=method.whole_rounds)
        if least.values is None or not search.beyond(least.values):
            return least if least.values is None else _as_first(search, goal, least, least.values)
        if least.bound > dict(search.required)[name] + method.tolerance:
            return replace(NOTHING, status="infeasible")
    return NOTHING if search.beyond(start.values) else start


def _nearest(search: Search, goal: str, limits: Limits) -> Answer | None:
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
