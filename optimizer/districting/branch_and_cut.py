"""Branch and cut of our own around HiGHS's relaxation, for rules too many to state.

HiGHS takes no lazy constraints. Solving to the end, cutting what is wrong and solving again builds the
tree anew each time; here one tree is kept and every node's relaxation is cut, so that rules come into
force where they are broken. Everything numerical, warm starts included, is HiGHS's simplex.

Bounds are valid throughout: a node is dropped only when its relaxation is infeasible or no better than
the best plan by more than the gap asked for, and a column only where its reduced cost says so.
"""

from __future__ import annotations

import heapq
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import highspy
import numpy as np

from optimizer.districting.held_cuts import FRACTION, Cut, HeldCuts
from optimizer.districting.pseudocosts import Pseudocosts
from optimizer.solver.bridge import Bridge
from optimizer.solver.limits import Answer, Limits, Progress, Status

CANDIDATES, ENOUGH = 12, 5
"""Columns looked at for a branching at most, and how many in a row that are no better end the looking."""
TRIAL_STEPS = 50
"""Steps of the simplex at a trial."""
MUCH = 1e15
"""An empty node is worth this much, so that the other one still counts."""
ROUNDS, TAIL = 200, 10
"""Most rounds of lasting cuts at a root, and how many together must gain a hundredth of what is left."""
Separate = Callable[[np.ndarray, bool], list[Cut]]
"""Values of all columns, and whether at the root -> cuts. For whole values it must find one if any is broken."""


@dataclass(order=True)
class Node:
    """A part of the tree: columns fixed at 0 and at 1, and a bound on everything in it."""

    bound: float
    number: int
    depth: int = field(compare=False)
    zero: tuple[int, ...] = field(compare=False)
    one: tuple[int, ...] = field(compare=False)
    step: tuple[int, int, float] | None = field(compare=False, default=None)


def _worth(gains: np.ndarray) -> np.ndarray:
    """Worth of branchings: the product of what their two nodes, along the last axis, gain."""
    both: np.ndarray = np.maximum(gains, 1e-6).prod(axis=-1)
    return both


class Tree:
    """One search. Columns that are whole must be binary.

    Parameters
    ----------
    bridge : Bridge
        The model without the rules that `separate` sees to.
    objective : str
    separate : callable
    weight : ndarray or None
        A guess, by column, of how much fixing it matters; used until trials tell.
    lasting : bool
        Every cut holds for every plan, and ``separate`` finds it again where it is broken. The root's reduced
        costs are then kept from one search to the next, and idle cuts are dropped.
    """

    def __init__(
        self,
        bridge: Bridge,
        objective: str,
        separate: Separate,
        weight: np.ndarray | None = None,
        lasting: bool = False,
    ):
        self.bridge, self.highs = bridge, bridge.highs
        self.objective, self.separate, self.limits = objective, separate, Limits()
        self.whole = np.flatnonzero(bridge.whole).astype(np.int32)
        self.low, self.high = bridge.low[self.whole].copy(), bridge.high[self.whole].copy()
        self.now_low, self.now_high = self.low.copy(), self.high.copy()
        guess = np.ones(len(bridge.columns)) if weight is None else weight
        self.past = Pseudocosts(guess[self.whole])
        self.best: np.ndarray | None = None
        self.upper = self.guess = float("inf")
        self.nodes = self.made = 0
        self.begun = 0.0
        self.open: list[Node] = []
        self.priced: tuple[float, np.ndarray] | None = None
        self.lasting, self.cuts = lasting, HeldCuts(self.highs, lasting)
        self.partial = False

    # one relaxation

    def relaxation(self, steps: int | None = None) -> float:
        """Objective of the current relaxation; infinite if infeasible or no better than the best plan."""
        state = highspy.HighsModelStatus
        self.highs.setOptionValue("simplex_iteration_limit", 2**31 - 1 if steps is None else steps)
        for _ in range(2):
            self.highs.run()
            status = self.highs.getModelStatus()
            if status in (state.kInfeasible, state.kObjectiveBound):
                return float("inf")
            if status == state.kOptimal or (steps is not None and status == state.kIterationLimit):
                return float(self.highs.getInfo().objective_function_value)
            self.highs.clearSolver()  # a basis gone bad: once more from none
        raise ArithmeticError(f"relaxation ended as {status}")

    def cutoff(self) -> float:
        """Nodes at or above this are dropped: no better than the best plan by the gap, or above the guess."""
        if not np.isfinite(self.upper):
            return self.guess
        return min(self.guess, self.upper - max(1e-6, self.limits.gap * abs(self.upper)))

    def enter(self, node: Node) -> bool:
        """Set the bounds of a node; False where they cross."""
        low, high = self.low.copy(), self.high.copy()
        high[list(node.zero)] = 0.0
        low[list(node.one)] = 1.0
        if (low > high).any():
            return False
        new = np.flatnonzero((low != self.now_low) | (high != self.now_high))
        if len(new):
            self.highs.changeColsBounds(len(new), self.whole[new], low[new], high[new])
        self.now_low, self.now_high = low, high
        return True

    def offer(self, values: np.ndarray, cost: float) -> None:
        """Keep a plan that keeps every rule, if it is the best so far."""
        if cost < self.upper:
            self.upper, self.best = cost, values.copy()
            if self.bridge.relaxed:  # in the middle of a search
                self.highs.setOptionValue("objective_bound", self.cutoff())

    def here(self) -> tuple[float, np.ndarray | None]:
        """The current relaxation's objective and values; None where it holds nothing better than the best plan."""
        bound = self.relaxation()
        return bound, None if bound >= self.cutoff() else np.array(self.highs.getSolution().col_value)

    def settle(self, root: bool) -> tuple[float, np.ndarray | None]:
        """Solve and cut until nothing is gained: the node's bound, and its values unless it is done with.

        A whole solution is always cut until it keeps the rules; then it is a plan.
        """
        bounds: list[float] = []
        while True:
            bound, values = self.here()
            if values is None:
                return np.inf, None
            x = values[self.whole]
            fractional = bool((np.abs(x - np.round(x)) > FRACTION).any())
            if fractional and bounds and not self._goes_on(bound, bounds, root):
                return bound, values
            cuts = self.separate(values, root)
            if not cuts:
                if not fractional:
                    self.offer(values, bound)
                    return np.inf, None
                return bound, values
            self.cuts.add(cuts, root and not self.partial)
            bounds.append(bound)

    def _goes_on(self, bound: float, bounds: list[float], root: bool) -> bool:
        """Whether to cut once more, after rounds that began with these bounds."""
        if self._late():
            return False
        if root and not self.lasting:
            return len(bounds) < 60
        end = self.cutoff() if root else self.upper
        worth = 0.01 * (end - bound if np.isfinite(end) else 0.01 * abs(bound))
        if root:
            return len(bounds) < TAIL or (len(bounds) < ROUNDS and bound - bounds[-TAIL] > worth)
        return len(bounds) < 4 and bound - bounds[-1] > worth

    def _remember(self, bound: float, prices: np.ndarray, x: np.ndarray) -> None:
        """The best root so far, with what it says had no column been fixed (by a guess or a part)."""
        free = np.where(prices < 0, self.bridge.high[self.whole], self.bridge.low[self.whole])
        bound += float(prices @ (free - x))
        if self.lasting and (self.priced is None or bound > self.priced[0]):
            self.priced = bound, prices

    def _fix(self) -> None:
        """Fix what the root's reduced costs settle under today's cutoff: valid for the whole tree."""
        if self.priced is None:
            return
        bound, prices = self.priced
        far = bound + np.abs(prices) > self.cutoff()
        self.high[far & (prices > 0)] = self.bridge.low[self.whole][far & (prices > 0)]
        self.low[far & (prices < 0)] = self.bridge.high[self.whole][far & (prices < 0)]

    def _late(self) -> bool:
        return time.monotonic() - self.begun > self.limits.seconds or self.bridge.stopped

    # branching

    def branch(self, node: Node, bound: float, values: np.ndarray) -> list[Node]:
        """Two nodes, the more promising first, without those that are seen to be empty."""
        x = values[self.whole]
        prices = np.array(self.highs.getSolution().col_dual)[self.whole]
        can = np.flatnonzero((x > FRACTION) & (x < 1 - FRACTION))
        zero = np.flatnonzero(
            (prices > 0) & (bound + prices > self.cutoff()) & (self.now_high > 0.5) & (x < 0.5)
        )
        if node.depth == 0:  # holds for the whole tree
            self._remember(bound, prices, x)
            self.high[zero] = 0.0
            self._fix()
            self.enter(node)
            zero = zero[:0]
        k, reach = self._choose(can, x, bound)
        zeros = (*node.zero, *map(int, zero))
        low = max(bound, node.bound)  # cuts dropped since may have held it higher
        kids = [
            Node(low, 0, node.depth + 1, (*zeros, k), node.one, (k, 0, float(x[k]))),
            Node(low, 0, node.depth + 1, zeros, (*node.one, k), (k, 1, float(1 - x[k]))),
        ]
        found = []
        for v in (1, 0):  # a unit placed settles more than a pair ruled out: plunges end in plans
            if reach[v] < np.inf:
                kids[v].number = self.made = self.made + 1
                found.append(kids[v])
        return found

    def _choose(self, can: np.ndarray, x: np.ndarray, bound: float) -> tuple[int, list[float]]:
        """Column whose two nodes gain most, and where they end; trials where its past says too little."""
        gains = self.past.expected(can, x[can])
        basis = self.highs.getBasis()
        best, chosen, reach, worse = -1.0, int(can[0]), [bound, bound], 0
        for i in np.argsort(-_worth(gains), kind="stable")[:CANDIDATES]:
            k, ends = int(can[i]), bound + gains[i]
            if not self.past.reliable(k):
                ends = np.array([self._trial(k, v, float(x[k]), bound, basis) for v in (0, 1)])
            value = float(_worth(np.minimum(ends, MUCH) - bound))
            worse = 0 if value > best else worse + 1
            if value > best:
                best, chosen, reach = value, k, ends.tolist()
            if worse >= ENOUGH:
                break
        return chosen, reach

    def _trial(self, k: int, v: int, x: float, bound: float, basis: object) -> float:
        """A few steps with one column fixed; infinite where nothing better is left there (proven)."""
        column = int(self.whole[k])
        self.highs.changeColBounds(column, float(v), float(v))
        end = self.relaxation(TRIAL_STEPS)
        self.highs.changeColBounds(column, float(self.now_low[k]), float(self.now_high[k]))
        self.highs.setBasis(basis)
        if end < np.inf:
            self.past.learn(k, v, (x, 1 - x)[v], end - bound)
        return max(end, bound)

    # the search

    def search(
        self,
        limits: Limits,
        report: Callable[[Progress], None] | None = None,
        guess: float = float("inf"),
        keep: np.ndarray | None = None,
    ) -> Answer:
        """Plunge to a plan, then always the node with the least bound; `Answer` as from the bridge.

        May be called again with other limits: cuts, trials and the best plan are kept.

        Parameters
        ----------
        limits : Limits
        report : callable or None
        guess : float
            Look only for plans below this. Where there are none, the bound of the answer is the guess.
        keep : ndarray of bool or None
            By whole column: look only at plans where the others are 0. The bound of the answer, and its
            status, hold for those; what is found is the tree's best plan all the same.
        """
        self.begun = time.monotonic()
        self.limits, self.guess = limits, guess
        self.made = self.nodes = 0
        self._free(keep)
        self._hand_over()
        self.open = [Node(-np.inf, 0, 0, (), ())]
        self._go_through(report)
        self._take_back()
        return self._answer()

    def _free(self, keep: np.ndarray | None) -> None:
        """Bounds of the whole tree, or of the part that only keeps some columns."""
        self.partial = keep is not None
        self.low, self.high = self.bridge.low[self.whole].copy(), self.bridge.high[self.whole].copy()
        if keep is not None:
            self.high[~keep] = 0.0
        self._fix()

    def _hand_over(self) -> None:
        """The objective and options of relaxations, for HiGHS."""
        cost, offset = self.bridge.costs[self.objective]
        self.highs.changeColsCost(len(cost), np.arange(len(cost), dtype=np.int32), cost)
        self.highs.changeObjectiveOffset(offset)
        self.bridge.relax(True)
        options = {
            "presolve": "off", "time_limit": 1e30, "random_seed": self.limits.seed, "threads": 1,
            "objective_bound": self.cutoff(),
        }  # fmt: skip
        for name, value in options.items():
            self.highs.setOptionValue(name, value)

    def _take_back(self) -> None:
        """The bounds and options that another search, or HiGHS's own, begins with."""
        self.enter(Node(-np.inf, 0, 0, (), ()))
        self.highs.setOptionValue("presolve", "choose")
        self.highs.setOptionValue("objective_bound", highspy.kHighsInf)
        self.highs.setOptionValue("simplex_iteration_limit", 2**31 - 1)
        self.bridge.relax(False)

    def _go_through(self, report: Callable[[Progress], None] | None) -> None:
        """Visit nodes until none is left or a limit is met."""
        ahead: Node | None = None
        while (self.open or ahead) and not self._late() and self.nodes != self.limits.nodes:
            node = ahead or heapq.heappop(self.open)
            ahead = None
            if node.bound >= self.cutoff():
                continue
            self.nodes += 1
            try:
                found = self._visit(node)
            except KeyboardInterrupt:  # this node counts as not looked at
                self.bridge.interrupt()
                ahead, self.now_low = node, np.full(len(self.whole), np.nan)
                break
            if found:
                ahead = found[0]
                for other in found[1:]:
                    heapq.heappush(self.open, other)
            if report is not None:
                low = self._bound(ahead)
                report(Progress(time.monotonic() - self.begun, self.upper, low, self.gap(low), self.nodes))
        if ahead is not None:
            heapq.heappush(self.open, ahead)

    def _visit(self, node: Node) -> list[Node]:
        if not self.enter(node):
            return []
        bound, values = self.settle(node.depth == 0)
        if node.step is not None and np.isfinite(bound):
            k, v, way = node.step
            self.past.learn(k, v, way, bound - node.bound)
        if values is None:
            return []
        self.cuts.note_tight()
        found = self.branch(node, bound, values)
        self.cuts.drop_idle()
        return found

    def _bound(self, ahead: Node | None = None) -> float:
        bounds = [n.bound for n in self.open[:1]] + ([ahead.bound] if ahead else [])
        return min([*bounds, self.upper]) if bounds else self.upper

    def gap(self, low: float) -> float:
        """Relative gap between a bound and the best plan; infinite without one."""
        return (self.upper - low) / max(abs(self.upper), 1e-9) if np.isfinite(self.upper) else np.inf

    def _answer(self) -> Answer:
        low = min(self._bound(), self.cutoff())  # what was dropped is no better than that
        seconds = time.monotonic() - self.begun
        done = self._bound() >= self.cutoff() and not self.guess < self.upper
        said: Status = (
            ("proven" if done else "stopped")
            if self.best is not None
            else ("infeasible" if done else "no_plan")
        )
        clock = not done and seconds > self.limits.seconds
        return Answer(
            status=said, objective=self.upper, bound=low, gap=self.gap(low), seconds=seconds, nodes=self.nodes, clock=clock, values=self.best,
            interrupted=self.bridge.stopped,
        )  # fmt: skip
