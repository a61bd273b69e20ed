"""Goals in any order on the whole model, each from the plan of the one before.

For every goal: its relaxation bounds it; a small model in which the network is settled improves the plan at little
cost; in large counties small models around the worst places do, and one among the likely pairs; then the whole model goes on from there. Every plan found
keeps the earlier goals within their tolerance, exactly, also where the model has only tangents to them.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np

from models.plan.decisions import GoalRecord
from optimizer.search.around import Surroundings
from optimizer.search.search import Search
from optimizer.search.settled import settled_answer
from optimizer.search.solved import Solved
from optimizer.search.start import NETWORK, all_but, columns_in
from optimizer.search.task import Target
from optimizer.solver.interior import lowest
from optimizer.solver.limits import Answer, Limits, Status, time_left


@dataclass
class Progressing:
    """One goal on its way: the best plan, its exact value and what is proven."""

    goal: Target
    values: np.ndarray
    value: float
    bound: float
    nodes: int = 0
    clock: bool = False
    price: np.ndarray | None = field(default=None, repr=False)
    network: np.ndarray | None = field(default=None, repr=False)

    def closed(self, gap: float) -> bool:
        """Whether the gap asked for is reached."""
        return self.value - self.bound <= gap * abs(self.value) + 1e-9


class Ordered:
    """The goals of a search's task, one after the other.

    Parameters
    ----------
    search : Search
        In whole heads and rooms.
    values : ndarray
        A plan to start from.
    bounds : dict of str to float
        What is proven about goals already, for every plan of the model.
    """

    def __init__(self, search: Search, values: np.ndarray, bounds: dict[str, float] | None = None):
        self.search, self.values = search, values
        self.proven = dict(bounds or {})
        self.held: list[tuple[str, float]] = []
        self.rows: list[int] = []  # of what is held, in the model
        self.done: list[tuple[Target, Answer]] = []
        self.clock = False
        self.surroundings: Surroundings | None = None

    def run(self, limits: Limits) -> Solved:
        """All goals within the limits' seconds; those whose turn never came have no record."""
        begun, task = time.monotonic(), self.search.task
        for k, goal in enumerate(task.goals):
            late = time.monotonic() - begun >= limits.seconds
            if k and (self.search.bridge.stopped or late):
                self.clock = self.clock or late
                break
            left = time_left(limits, begun)
            method = task.method
            share = method.brief_share if goal.name in method.brief_goals else method.goal_share
            share = method.slow_share if goal.name in method.slow_goals else share
            share = 1.0 if k == len(task.goals) - 1 else share
            own = replace(left, seconds=left.seconds * share, gap=task.gap_of(goal))
            if own.nodes and goal.name in method.long_goals:
                own = replace(own, nodes=round(own.nodes * method.long_nodes))
            self.one(goal, own)
        lines = tuple(self._record(k, time_left(limits, begun)) for k in range(len(self.done)))
        final = replace(self.done[0][1], values=self.values, clock=self.clock)
        return Solved(self.search, lines, final, self.clock)

    def _record(self, k: int, limits: Limits) -> GoalRecord:
        """A goal's line: the final plan's own value, what was proven in the goal's turn, and with the final network."""
        goal, answer = self.done[k]
        value = self.search.exact(goal.name, self.values)
        gap = max(0.0, value - answer.bound) / max(abs(value), 1e-9)
        line = GoalRecord(
            goal.name, value, answer.bound, gap, answer.seconds, answer.nodes, answer.status, goal.tolerance
        )
        asked, method = self.search.task.gap_of(goal), self.search.task.method
        if gap <= max(asked, goal.tolerance) or goal.name in method.rough_goals:
            return line
        own = replace(limits, seconds=limits.seconds * method.improve_share, gap=asked)
        found = settled_answer(self.search, goal, self.values, self.rows[k:], own)
        if found is None:
            return line
        self.clock = self.clock or found.clock
        return replace(line, settled=max(found.bound, answer.bound))

    def hold(self, name: str, most: float) -> None:
        """Keep a goal at or below a value from now on."""
        self.rows.append(self.search.bridge.rows)
        self.search.bridge.limit_goal(name, most + 1e-7)
        self.held.append((name, most))

    def one(self, goal: Target, limits: Limits) -> Answer:
        """One goal: bound, improve, search; then its row for the goals that follow."""
        begun, search = time.monotonic(), self.search
        now = Progressing(
            goal, self.values, search.exact(goal.name, self.values),
            max(0.0, search.bridge.floor(goal.name), self.proven.get(goal.name, 0.0)),  # no goal is below nothing
        )  # fmt: skip
        for step in (self._relax, self._improve, self._around, self._restrict, self._roots, self._search):
            if now.closed(limits.gap) or search.bridge.stopped:
                break
            if time.monotonic() - begun > limits.seconds:
                now.clock = True
                break
            step(now, time_left(limits, begun))
        self._polish(now, time_left(limits, begun))
        self.values, self.clock = now.values, self.clock or now.clock
        most = max(search.bridge.value(goal.name, now.values), now.value + goal.tolerance * abs(now.value))
        self.hold(goal.name, most)
        status: Status = "proven" if now.closed(limits.gap) else "stopped"
        seconds = time.monotonic() - begun
        answer = Answer(status, now.value, now.bound, 0.0, seconds, now.nodes, now.clock, now.values)
        self.done.append((goal, answer))
        return answer

    # --- the steps of a goal

    def _relax(self, now: Progressing, limits: Limits) -> None:
        """The relaxation's bound, with the planes that it asks for, and the reduced costs.

        In large counties by interior points, without the planes: a simplex from the goal before takes longer than the goal has.
        """
        search, name = self.search, now.goal.name
        if name != "imbalance" and len(search.instance.units) > search.task.method.around_units:
            proven, now.price, late = lowest(search.bridge, name, limits)
            now.bound, now.clock = max(now.bound, proven), now.clock or late
            return
        answer = search.relax(search.task.method.relax_rounds, limits, name == "imbalance", name)
        now.clock = now.clock or answer.clock
        if answer.status == "proven":
            now.bound = max(now.bound, answer.bound)
            now.price = np.array(search.bridge.highs.getSolution().col_dual)

    def _improve(self, now: Progressing, limits: Limits) -> None:
        """The network as it is, everything else anew."""
        now.network = self._network(now.values)
        self._part(now, self._beside_network(), limits)

    def _polish(self, now: Progressing, limits: Limits) -> None:
        """The same once more and more closely, where a later step found another network and left a gap."""
        search = self.search
        if now.network is None or now.closed(limits.gap) or search.bridge.stopped:
            return
        if now.goal.name in search.measures and not np.array_equal(now.network, self._network(now.values)):
            self._part(now, self._beside_network(), replace(limits, gap=limits.gap / 10), whole=True)

    def _network(self, values: np.ndarray) -> np.ndarray:
        """Who teaches and attends where in a plan."""
        chosen: np.ndarray = values[columns_in(self.search, NETWORK)] > 0.5
        return chosen

    def _beside_network(self) -> np.ndarray:
        """Every column that says nothing of the network."""
        return all_but(self.search, columns_in(self.search, NETWORK))

    def _around(self, now: Progressing, limits: Limits) -> None:
        """In large counties: the worst places first, each with its neighbours."""
        begun, method = time.monotonic(), self.search.task.method
        if len(self.search.instance.units) <= method.around_units:
            return
        if self.surroundings is None:
            self.surroundings = Surroundings(self.search)
        seconds = limits.seconds * method.around_share
        for free in self.surroundings.places(now.goal.name, now.values):
            left = seconds - (time.monotonic() - begun)
            if left <= 0 or now.closed(limits.gap) or self.search.bridge.stopped:
                now.clock = now.clock or left <= 0
                return
            # a place can win a small part of the goal only, so it is not given up at the goal's own gap
            own = replace(limits, seconds=min(left, method.around_seconds), gap=limits.gap / 10)
            self._part(now, free, own, whole=True)

    def _restrict(self, now: Progressing, limits: Limits) -> None:
        """In large counties: the network among the pairs of small reduced cost."""
        search, method = self.search, self.search.task.method
        pairs = search.instance.pairs
        if len(pairs) < method.narrow_pairs or now.price is None:
            return
        attend = search.bridge.at("attend")
        columns = np.array([attend[p] for p in pairs.index])
        order = np.argsort(np.abs(now.price[columns]), kind="stable")
        most = int((1 + method.near_pairs) * pairs["g"].nunique())
        near = set(columns[order[:most]].tolist()) | set(columns[now.values[columns] > 0.5].tolist())
        far = np.array(sorted(set(columns.tolist()) - near), dtype=int)
        self._part(now, all_but(search, far), limits, share=2.0)

    def _part(
        self, now: Progressing, free: np.ndarray, limits: Limits, share: float = 1.0, whole: bool = False
    ) -> None:
        """A small model of its own that starts from the plan; what it finds is kept where it is better."""
        search, name, method = self.search, now.goal.name, self.search.task.method
        seconds = limits.seconds * (1.0 if whole else min(1.0, share * method.improve_share))
        begun, own = time.monotonic(), replace(limits, seconds=seconds).fewer(method.part_nodes)
        tangents = name in search.measures or search.measured or self.held
        for _ in range(method.tangent_rounds if tangents else 1):
            search.tighten(name, now.values, method.cut_slack / 10)
            part = search.bridge.part(free, search.settled(now.values))
            left = time_left(own, begun)
            found = part.engine.solve(name, left, start=part.start, progress=search.task.watch(name))
            if found.values is None:
                break
            there = part.whole_solution(found.values)
            if self._take(now, there) == "worse" and not search.tighten(name, there, method.cut_slack / 10):
                break

    def _roots(self, now: Progressing, limits: Limits) -> None:
        """In larger counties: the root under other seeds; what one finds is luck, what the best of some finds less so."""
        begun, method = time.monotonic(), self.search.task.method
        if now.goal.name not in method.tried_goals or len(self.search.instance.units) <= method.joint_units:
            return
        for k in range(1, method.root_tries + 1):
            left = time_left(limits, begun, method.goal_share)
            found = self.search.minimise(
                now.goal.name, replace(left.first_node(), seed=limits.seed + k), now.values
            )
            now.nodes += found.nodes
            if found.status != "infeasible":
                now.bound = max(now.bound, found.bound)
            if found.values is not None:
                self._take(now, found.values)
            late = time.monotonic() - begun > limits.seconds * method.goal_share
            now.clock = now.clock or found.clock or late
            if now.closed(limits.gap) or late or self.search.bridge.stopped:
                return

    def _search(self, now: Progressing, limits: Limits) -> None:
        """The whole model from the best plan on."""
        begun, search, name = time.monotonic(), self.search, now.goal.name
        slack = min(search.task.method.cut_slack, limits.gap / 4)
        for _ in self._rounds():
            half = (
                replace(time_left(limits, begun), gap=limits.gap / 2) if name in search.measures else limits
            )
            found = self._tree(now, half, slack, limits.gap)
            now.nodes += found.nodes
            now.clock = now.clock or found.clock
            if found.status == "infeasible":  # the start is a plan: only a tolerance of the solver's
                return
            now.bound = max(now.bound, found.bound)
            if found.values is None or self._take(now, found.values) != "broken":
                return
            if now.closed(limits.gap) or time.monotonic() - begun > limits.seconds or search.bridge.stopped:
                return

    def _tree(self, now: Progressing, limits: Limits, slack: float, enough: float) -> Answer:
        """The search tree of a goal, begun anew where its plan lacks tangents.

        A slow goal has one long tree, after a short one for a plan whose tangents it shall have: what a tree learned
        is lost where it is begun anew, and its bound rises at the end.
        """
        begun, search, name, method = time.monotonic(), self.search, now.goal.name, self.search.task.method
        if name not in method.slow_goals or not limits.nodes:
            return search.minimise(name, limits, now.values, slack, enough)
        short = search.minimise(name, limits, now.values, slack, rounds=0)
        if short.values is None or search.bridge.stopped or method.slow_nodes <= 1:
            return short
        self._take(now, short.values)
        left = replace(time_left(limits, begun), nodes=round(limits.nodes * method.slow_nodes))
        long = search.minimise(name, left, now.values, slack, rounds=0)
        bound, nodes = max(short.bound, long.bound), short.nodes + long.nodes
        return replace(long, bound=bound, nodes=nodes, clock=short.clock or long.clock)

    def _rounds(self) -> Iterator[int]:
        measured = self.search.measured or any(name in self.search.measures for name, _ in self.held)
        return iter(range(self.search.task.method.tangent_rounds if measured else 1))

    def _take(self, now: Progressing, values: np.ndarray) -> Literal["better", "worse", "broken"]:
        """Keep a plan that is better and keeps requirements and earlier goals; tangents where one only seems to be kept (broken)."""
        search, method = self.search, self.search.task.method
        broken = search.beyond(values, self.held)
        for name in broken:
            search.tighten(name, values, method.cut_slack / 100)
        value = search.exact(now.goal.name, values)
        if broken or value >= now.value - 1e-9:
            return "broken" if broken else "worse"
        now.values, now.value = values, value
        return "better"
