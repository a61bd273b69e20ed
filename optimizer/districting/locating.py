"""Which sites open, where catchments need not hang together: least cost, whole units, room, proven.

Cut and solve (Climer and Zhang 2006; for this problem Yang, Chu and Chen 2012) on the tree of
`optimizer.districting.branch_and_cut`. The tree branches on sites only. Where a relaxation opens whole sites, these are put
aside as a `Leaf`, everything they can do without another site, and a row asks for another site from then on.
Leaves get plans by `optimizer.districting.dividing`; those that may still hold something better are solved by HiGHS.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import highspy
import numpy as np
import pandas as pd

from models.districting.knapsack import Room, narrow
from models.districting.single_source import SingleSource
from optimizer.districting.branch_and_cut import Node, Separate, Tree
from optimizer.districting.held_cuts import FRACTION, Cut
from optimizer.districting.leaves import Leaf, SiteColumns, apart
from optimizer.solver.bridge import Bridge
from optimizer.solver.limits import Answer, Limits, Progress
from optimizer.solver.running import hand_back, run_apart

LEAST = 0.01
"""Violation asked of the cuts of all rooms together."""
SHORT, LONG, STARTS = 300, 2000, 2
"""Rounds of division when a leaf is found, and once all below a guess are known, then from so many starts."""
EXTRA = 2
"""Sites more than just enough that are tried for the first plan."""
SOME = 3
"""Leaves that get the latter, most promising first."""
GUESSES = (0.004, 0.008, 0.011, 0.015, 0.02, 0.03, float("inf"))
"""Guesses of the optimum: how far above the root's bound. A good plan makes the tree small, and so does a guess."""
LEAF_NODES, MORE = 200, 8
"""Nodes of HiGHS at a leaf, and how many times more it gets when its turn comes again."""


def step_of(cost: np.ndarray) -> float:
    """Least difference of the costs of two plans: 1 where every single cost is a whole number, else 0.

    Parameters
    ----------
    cost : ndarray
        Objective of whole variables, and nothing else in it.
    """
    return 1.0 if (cost % 1 == 0).all() else 0.0


class Narrow(Room):
    """A room whose polar problem is solved on the units that show; the others are lifted in any case."""

    def _most_violated(self, point: np.ndarray, some: np.ndarray, least: float) -> np.ndarray | None:
        narrow(self.polar, some)
        return super()._most_violated(point, some, least)


class Sites(Tree):
    """The tree over sites; leaves are kept in ``leaves``.

    Linking pair by pair (attend <= open) is the most of the model and mostly idle: it waits outside until it is
    broken. Room for all together, sum_j room[j] open[j] >= demand, is a knapsack of what stays closed, and
    gets the cuts of one (`models.districting.knapsack.Room`) at the root: further down they cost more than they cut off.

    Parameters
    ----------
    bridge : Bridge
        `models.districting.single_source.single_source` handed over.
    problem : SingleSource
    column : Series
        Column of the bridge by pair.
    opened : mapping of site to column, empty where every site is open
    rooms : callable
        Cuts of each site's room.
    """

    def __init__(
        self, bridge: Bridge, problem: SingleSource, column: pd.Series, opened: Mapping[Any, int], rooms: Separate
    ):  # fmt: skip
        super().__init__(bridge, "cost", rooms)
        self.problem = problem
        self.step = step_of(bridge.costs["cost"][0])
        self.columns = SiteColumns.of(problem, column, opened, len(bridge.columns))
        self.pair, self.place = self.columns.pair, self.columns.place
        self.unit_of, self.site_of = self.columns.unit_of, self.columns.site_of
        self.at = np.searchsorted(self.whole, self.place)
        self.total = _together(problem) if opened else None
        self.waiting = np.zeros(len(self.pair), dtype=bool)
        if opened:
            self._unlink()
        self.leaves: list[Leaf] = []
        self.asked: list[int] = []
        self.root: np.ndarray | None = None
        self.first = float("nan")

    def _unlink(self) -> None:
        """Take linking out of the relaxation but for units without demand, whom room does not link."""
        rows = self.bridge.rows_of("attend_open")
        self.highs.deleteRows(len(rows), np.array(rows, dtype=np.int32))
        self.waiting[:] = True
        self.cuts.add(self._links(np.flatnonzero(self.problem.demand.to_numpy()[self.unit_of] <= 0)))

    def _links(self, some: np.ndarray) -> list[Cut]:
        self.waiting[some] = False
        both = np.column_stack([self.pair[some], self.place[self.site_of[some]]])
        return [Cut(two, np.array([1.0, -1.0]), -np.inf, 0.0) for two in both]

    def cutoff(self) -> float:
        """Where costs are whole numbers the next better plan is 1 cheaper."""
        return min(super().cutoff(), self._better())

    def _better(self) -> float:
        """The cutoff without a guess."""
        if not np.isfinite(self.upper):
            return np.inf
        return self.upper - max(1e-6, self.limits.gap * abs(self.upper), self.step * (1 - 1e-4))

    def _cuts(self, values: np.ndarray, rooms: bool, together: bool) -> list[Cut]:
        """Links that are broken; where none is, cuts of each site's room and of all together, if asked for."""
        if self.waiting.any():
            broken = values[self.pair] - values[self.place[self.site_of]] > 1e-6
            links = self._links(np.flatnonzero(broken & self.waiting))
            if links:
                return links
        cuts = self.separate(values, True) if rooms else []
        a = None if self.total is None or not together else self.total.cut(1 - values[self.place], LEAST)
        if a is not None:
            cuts.append(Cut(self.place[a > 0], a[a > 0], float(a.sum()) - 1.0, np.inf))
        return cuts

    def settle(self, root: bool) -> tuple[float, np.ndarray | None]:
        """Solve and cut; leaves are put aside until the relaxation opens a part of a site or is done with."""
        bounds: list[float] = []
        while True:
            bound, values = self.here()
            if values is None:
                return np.inf, None
            y = values[self.place]
            whole = bool((np.abs(y - np.round(y)) <= FRACTION).all())
            goes_on = not bounds or self._goes_on(bound, bounds, root)
            cuts = self._cuts(values, root or whole, root) if goes_on else []
            bounds.append(bound)
            if root and not cuts:
                self.root = values
            if not cuts and not whole:
                return bound, values
            if not cuts:
                self._put_aside(np.flatnonzero(y > 0.5) if len(y) else np.arange(len(self.problem.sites)))
                closed = self.place[y < 0.5]
                if not len(closed):
                    return np.inf, None
                cuts, bounds = [Cut(closed, np.ones(len(closed)), 1.0, np.inf)], []
                self.asked.append(self.bridge.rows)
            self.cuts.add(cuts)

    def _others(self, sites: np.ndarray) -> np.ndarray:
        return np.setdiff1d(np.arange(len(self.place)), sites)

    def _put_aside(self, sites: np.ndarray) -> None:
        """The leaf of these sites, without what this node fixed; a first plan for it."""
        low, high = self.now_low, self.now_high
        kept = self.low, self.high
        if self.cutoff() < self._better():  # what was dropped under a guess counts again when it is raised
            self.low, self.high = self.bridge.low[self.whole].copy(), self.bridge.high[self.whole].copy()
        self.enter(Node(-np.inf, 0, 0, tuple(map(int, self.at[self._others(sites)])), ()))
        self.highs.setOptionValue("objective_bound", self._better())
        bound, rounds = self.relaxation(), 0
        while bound < self._better() and rounds < 60:
            cuts = self._cuts(np.array(self.highs.getSolution().col_value), True, False)
            if not cuts:
                break
            self.cuts.add(cuts)
            bound, rounds = self.relaxation(), rounds + 1
        if bound < self._better():
            solution = self.highs.getSolution()
            price = np.array(solution.col_dual)[self.whole]
            # what was fixed before stays: its price does not say at which end it would be
            price[self.now_high < 0.5] = np.inf
            price[self.now_low > 0.5] = -np.inf
            leaf = Leaf(bound, bound, price, sites)
            leaf.plan = self.columns.most(np.array(solution.col_value), sites)
            self.divide(leaf, SHORT, 1)
            self.leaves.append(leaf)
        self.low, self.high = kept
        self.highs.setOptionValue("objective_bound", self.cutoff())
        self.now_low, self.now_high = low, high
        self.highs.changeColsBounds(len(self.whole), self.whole, low, high)

    def divide(self, leaf: Leaf, rounds: int, starts: int) -> None:
        """Look for a plan of a leaf, from what its relaxation has most of."""
        from optimizer.districting.dividing import Division  # compiled when it is needed

        demand, room = self.problem.demand.to_numpy(), self.problem.sites["room"].to_numpy()[leaf.sites]
        if (demand % 1 != 0).any() or leaf.plan is None:
            return
        cost = self.columns.cost(leaf.sites)
        fixed = float(self.problem.sites["fixed"].to_numpy()[leaf.sites].sum())
        enough = np.ceil(leaf.bound - 1e-6) if self.step else leaf.bound
        for k in range(starts):
            if self._late() or leaf.bound >= self._better():
                return
            plan = cost.argmin(axis=1) if k else leaf.plan
            search = Division(
                cost, demand.astype(np.int64), np.floor(room).astype(np.int64), plan, self.limits.seed + k
            )
            found = search.search(rounds, enough - fixed, self._late) + fixed
            if found < self.upper:
                self.offer(self.columns.values(leaf.sites[search.plan]), found)

    def divide_longer(self) -> None:
        """Look longer for plans of the most promising leaves, once."""
        for leaf in self.left()[:SOME]:
            if not leaf.searched:
                leaf.searched = True
                self.divide(leaf, LONG, STARTS)

    def begin(self) -> None:
        """A first plan: the sites that the root opens most, one more at a time until their room is enough."""
        if self.root is None or np.isfinite(self.upper) or not len(self.place):
            return
        room, need = self.problem.sites["room"].to_numpy(), float(self.problem.demand.sum())
        order = np.argsort(-self.root[self.place], kind="stable")
        enough = int(np.searchsorted(np.cumsum(room[order]), need)) + 1
        for many in range(enough, min(enough + EXTRA, len(order)) + 1):
            sites = np.sort(order[:many])
            leaf = Leaf(-np.inf, -np.inf, np.zeros(0), sites, self.columns.most(self.root, sites))
            self.divide(leaf, SHORT, 1)
            if np.isfinite(self.upper):
                return

    def offer(self, values: np.ndarray, cost: float) -> None:
        """As in any tree; the first is remembered."""
        self.first = cost if np.isnan(self.first) else self.first
        super().offer(values, cost)

    def _choose(self, can: np.ndarray, x: np.ndarray, bound: float) -> tuple[int, list[float]]:
        return super()._choose(can[np.isin(can, self.at)], x, bound)

    def _bound(self, ahead: Node | None = None) -> float:
        return min([super()._bound(ahead), *(leaf.bound for leaf in self.left())])

    def _answer(self) -> Answer:
        answer = super()._answer()
        if not self.step or not np.isfinite(answer.bound):
            return answer
        low = float(min(np.ceil(answer.bound - 1e-6), answer.objective))  # no plan in between
        return replace(answer, bound=low, gap=self.gap(low))

    def answer(self, low: float) -> Answer:
        """What is known now, with a bound known before."""
        now = self._answer()
        low = max(now.bound, min(low, self.upper))
        return replace(now, bound=low, gap=self.gap(low))

    def left(self) -> list[Leaf]:
        """Leaves that may hold something better, the most promising first."""
        self.leaves = sorted((f for f in self.leaves if f.bound < self._better()), key=lambda f: f.bound)
        return self.leaves

    def finish(self, limits: Limits, report: Callable[[Progress], None] | None) -> Answer:
        """Solve the leaves that are left, most promising first, each longer when its turn comes again."""
        begun = time.monotonic()
        self.begun, self.limits, self.guess = begun, limits, np.inf
        self.nodes = 0
        while self.left() and not self._late() and self.nodes != limits.nodes:
            self.divide_longer()
            if not self.left():
                break
            leaf = min(self.leaves, key=lambda f: (f.tries, f.bound))
            most = LEAF_NODES * MORE**leaf.tries
            most = most if limits.nodes is None else min(most, limits.nodes - self.nodes)
            seconds = max(1.0, limits.seconds - (time.monotonic() - begun))
            self.solve(leaf, replace(limits, nodes=most, seconds=seconds))
            if report is not None:
                low = self._bound()
                report(Progress(time.monotonic() - begun, self.upper, low, self.gap(low), self.nodes))
        return self._answer()

    def solve(self, leaf: Leaf, limits: Limits) -> None:
        """HiGHS on what reduced costs leave of a leaf; plans it comes to are divided anew and handed back."""
        leaf.tries += 1
        bounds = leaf.bounds(self.bridge, self.place[self._others(leaf.sites)], self._better() - leaf.relaxed)
        if bounds is None:
            leaf.bound = np.inf
            return
        sub = apart(self.bridge, bounds, self.asked, limits, self._better())

        def better(values: np.ndarray) -> np.ndarray | None:
            before, leaf.plan = self.upper, self.columns.most(values, leaf.sites)
            self.divide(leaf, SHORT, 1)
            return self.best if self.upper < before else None

        stop = self.bridge.stop
        sub.cbMipInterrupt.subscribe(lambda event: event.interrupt() if stop.is_set() else None)
        with hand_back(sub, better):
            run_apart(sub, stop)
        info, status = sub.getInfo(), sub.getModelStatus()
        self.nodes += max(0, int(info.mip_node_count))
        if info.primal_solution_status == 2 and info.objective_function_value < self.upper:
            self.offer(np.array(sub.getSolution().col_value), float(info.objective_function_value))
        state = highspy.HighsModelStatus
        done = status in (state.kOptimal, state.kInfeasible, state.kObjectiveBound)
        leaf.bound = np.inf if done else max(leaf.bound, float(info.mip_dual_bound))


def _together(problem: SingleSource) -> Room | None:
    """The knapsack of what may stay closed; None where rooms are no whole numbers, or are too small anyway."""
    room = problem.sites["room"].to_numpy()
    spare = int(np.floor(room.sum() - problem.demand.sum() + 1e-9))
    return Room(room.astype(np.int64), spare) if spare >= 0 and (room % 1 == 0).all() else None


def locate(
    tree: Sites, limits: Limits, report: Callable[[Progress], None] | None, begun: float
) -> tuple[float, Answer]:
    """Cost of the first plan, and the answer.

    Parameters
    ----------
    tree : Sites
    limits : Limits
    report : callable or None
    begun : float
        `time.monotonic` when the seconds began to count.
    """
    nodes = 0

    def left() -> Limits:
        rest = None if limits.nodes is None else max(0, limits.nodes - nodes)
        return replace(limits, nodes=rest, seconds=max(1.0, limits.seconds - (time.monotonic() - begun)))

    answer = tree.search(left().first_node(), report)
    nodes, low, best = answer.nodes, answer.bound, answer.bound
    try:
        tree.begin()
        for share in GUESSES if tree.place.size and np.isfinite(low) else (np.inf,):
            if answer.status in ("proven", "infeasible") or answer.clock or nodes == limits.nodes:
                break
            answer = tree.search(left(), report, low + share * abs(low))
            nodes, best = nodes + answer.nodes, max(best, answer.bound)
            if tree.upper > tree.guess:
                tree.divide_longer()
            if tree.upper <= tree.guess:
                break
        if answer.status not in ("proven", "infeasible") and not answer.clock and nodes != limits.nodes:
            answer = tree.finish(left(), report)
            nodes += answer.nodes
    except KeyboardInterrupt:  # not while HiGHS works: between two runs, or while units are divided
        tree.bridge.interrupt()
    clock = answer.status not in ("proven", "infeasible") and time.monotonic() - begun > limits.seconds
    return tree.first, replace(
        tree.answer(best), nodes=nodes, seconds=time.monotonic() - begun, clock=clock
    )  # fmt: skip
