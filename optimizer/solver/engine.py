"""One linear or mixed-integer model inside HiGHS, as numbers.

`optimizer.solver.bridge.Bridge` makes one from a Pyomo model; `Engine.part` makes one from another: some columns
stay free, the rest keep their values, and only the rows that the free ones enter are carried.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import highspy
import numpy as np
from scipy.sparse import csc_array

from optimizer.solver.answering import answer_of, as_handed_back, meant
from optimizer.solver.limits import Answer, Limits, Progress
from optimizer.solver.running import Better, hand_back, new_highs, run_apart, with_new_clock
from optimizer.solver.stopping import Stop

HELD = 1e-3
"""Of its own size, what a row may be broken by where whole columns are whole within the solver's tolerance only."""


class Engine:
    """A model in HiGHS with any number of objectives.

    Parameters
    ----------
    matrix : sparse (rows, columns)
    row_low, row_high : ndarray (rows)
    low, high : ndarray (columns)
    whole : ndarray of bool (columns)
    costs : mapping of str to (ndarray (columns), float)
        Objectives by name: coefficients and constant.
    stop : Stop or None
        Set: the running solve, and every later one, ends at the next chance.
    """

    interior = 100_000
    """Columns from which a first relaxation is solved by interior points: 83 s for 225,000 columns instead of more
    than 400 s by simplex; 10 s instead of 8 s for 52,000."""

    def __init__(
        self, matrix: Any, row_low: np.ndarray, row_high: np.ndarray, low: np.ndarray, high: np.ndarray,
        whole: np.ndarray, costs: Mapping[str, tuple[np.ndarray, float]], stop: Stop | None = None,
    ):  # fmt: skip
        self.low, self.high, self.whole, self.costs = low, high, whole, dict(costs)
        self.highs = new_highs()
        self._options({"log_to_console": False, "output_flag": True})
        lp = highspy.HighsLp()
        lp.num_col_, lp.num_row_ = len(low), len(row_low)
        lp.col_cost_ = np.zeros(len(low))
        lp.col_lower_, lp.col_upper_ = low, high
        lp.row_lower_, lp.row_upper_ = row_low, row_high
        lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
        lp.a_matrix_.start_ = matrix.indptr
        lp.a_matrix_.index_ = matrix.indices
        lp.a_matrix_.value_ = matrix.data
        lp.integrality_ = [
            highspy.HighsVarType.kInteger if w else highspy.HighsVarType.kContinuous for w in whole
        ]
        self.highs.passModel(lp)
        self.kept = whole  # columns that must be whole now
        self.relaxed = not bool(whole.any())
        self.stop = stop or Stop()

    def _options(self, options: Mapping[str, object]) -> None:
        for name, value in options.items():
            self.highs.setOptionValue(name, value)

    def relax(self, relaxed: bool) -> None:
        """Drop or restore the integrality of all whole columns."""
        self.keep_whole(np.zeros(len(self.whole), dtype=bool) if relaxed else self.whole)

    def keep_whole(self, some: np.ndarray) -> None:
        """From now on only these of the whole columns must be whole; the others may be fractions."""
        kinds = highspy.HighsVarType
        index = np.flatnonzero(self.whole).astype(np.int32)
        self.kept = self.whole & some
        self.relaxed = not bool(self.kept.any())
        chosen = [kinds.kInteger if k else kinds.kContinuous for k in self.kept[index]]
        self.highs.changeColsIntegrality(len(index), index, np.array(chosen))

    def fix(self, values: Mapping[int, float]) -> None:
        """Fix columns (by position) at values."""
        index = np.array(sorted(values), dtype=np.int32)
        level = np.array([values[int(i)] for i in index], dtype=float)
        if len(index):
            self.highs.changeColsBounds(len(index), index, level, level)

    def add_least(self, rows: list[tuple[np.ndarray, np.ndarray, float]]) -> None:
        """Add rows ``coefficients . columns >= least`` given as numbers."""
        starts = np.cumsum([0, *[len(i) for i, _, _ in rows]])[:-1].astype(np.int32)
        index = np.concatenate([i for i, _, _ in rows]).astype(np.int32)
        value = np.concatenate([v for _, v, _ in rows]).astype(float)
        least = np.array([b for _, _, b in rows], dtype=float)
        self.highs.addRows(
            len(rows), least, np.full(len(rows), highspy.kHighsInf), len(index), starts, index, value
        )

    def add_table(self, columns: np.ndarray, weights: np.ndarray, least: np.ndarray) -> None:
        """Add rows ``weights . columns >= least``, all of the same length: arrays (rows, terms)."""
        rows, terms = columns.shape
        starts = np.arange(rows, dtype=np.int32) * terms
        inf = np.full(rows, highspy.kHighsInf)
        self.highs.addRows(
            rows, least, inf, columns.size, starts, columns.ravel().astype(np.int32), weights.ravel()
        )

    def release(self, columns: Iterable[int]) -> None:
        """Give columns their own bounds back."""
        index = np.array(sorted(columns), dtype=np.int32)
        if len(index):
            self.highs.changeColsBounds(len(index), index, self.low[index], self.high[index])

    def bound(self, column: int, low: float, high: float) -> None:
        """Let one column (by position) range between two values from now on."""
        self.highs.changeColBounds(column, low, high)

    @property
    def rows(self) -> int:
        """How many rows there are now; a mark for `forget_rows`."""
        return int(self.highs.getNumRow())

    def forget_rows(self, mark: int) -> None:
        """Drop the rows added since there were ``mark`` of them."""
        index = np.arange(mark, self.rows, dtype=np.int32)
        if len(index):
            self.highs.deleteRows(len(index), index)

    @contextmanager
    def without_rows(self, some: Sequence[int]) -> Iterator[None]:
        """Rows (by position) that ask for nothing in the meantime."""
        lp, inf = self.highs.getLp(), highspy.kHighsInf
        kept = [(int(i), lp.row_lower_[i], lp.row_upper_[i]) for i in some]
        for i, _, _ in kept:
            self.highs.changeRowBounds(i, -inf, inf)
        try:
            yield
        finally:
            for i, low, high in kept:
                self.highs.changeRowBounds(i, low, high)

    def add_goal(self, name: str, base: str, prices: Mapping[int, float]) -> None:
        """Another objective: an earlier one plus prices on columns (by position)."""
        cost, offset = self.costs[base]
        cost = cost.copy()
        for column, price in prices.items():
            cost[column] += price
        self.costs[name] = (cost, offset)

    def limit_goal(self, name: str, most: float) -> None:
        """Keep an objective at or below a value from now on (ordered goals)."""
        cost, offset = self.costs[name]
        index = np.flatnonzero(cost).astype(np.int32)
        self.highs.addRow(-highspy.kHighsInf, most - offset, len(index), index, cost[index])

    def value(self, name: str, values: np.ndarray) -> float:
        """An objective's value at a solution."""
        cost, offset = self.costs[name]
        return float(cost @ values + offset)

    def floor(self, name: str) -> float:
        """The least that an objective can be within the bounds of its columns: a bound that needs no solve."""
        cost, offset = self.costs[name]
        some = np.flatnonzero(cost)
        return float(
            np.where(cost[some] > 0, cost[some] * self.low[some], cost[some] * self.high[some]).sum() + offset
        )

    @property
    def stopped(self) -> bool:
        """True once a stop was asked for (Ctrl-C): later goals are not begun."""
        return self.stop.is_set()

    def part(self, free: np.ndarray, values: np.ndarray) -> Part:
        """A model of its own in which only some columns are free and the others keep their values.

        Rows that no free column enters are left out where they hold; so a few townships make a small model, whatever
        the size of the county, and the rules that tie them to the rest (budgets, flows) keep what is left. A row that
        the values break is kept, empty: the part is infeasible then.

        Parameters
        ----------
        free : ndarray of int
            Columns that are free, sorted.
        values : ndarray (columns)
            Of the whole model.
        """
        lp = self.highs.getLp()
        matrix = csc_array(
            (lp.a_matrix_.value_, lp.a_matrix_.index_, lp.a_matrix_.start_), shape=(lp.num_row_, lp.num_col_)
        )
        inside = matrix[:, free]
        rest = values.copy()
        rest[free] = 0.0
        fixed, low, high = matrix @ rest, np.array(lp.row_lower_), np.array(lp.row_upper_)
        room = HELD * np.maximum(1.0, np.abs(fixed))
        wrong = np.flatnonzero((fixed < low - room) | (fixed > high + room))
        touched = np.union1d(inside.indices, wrong)
        used = fixed[touched]
        engine = Engine(
            inside.tocsr()[touched].tocsc(), low[touched] - used, high[touched] - used,
            np.array(lp.col_lower_)[free], np.array(lp.col_upper_)[free],
            self.kept[free], {n: (c[free], o + float(c @ rest)) for n, (c, o) in self.costs.items()}, self.stop,
        )  # fmt: skip
        return Part(engine, free, values, touched)

    def clashing(self, seconds: float = float("inf")) -> list[int]:
        """Positions of the rows of an irreducible infeasible set of the relaxation; none if that is feasible, or the time was over."""
        # one thread as in every solve: HiGHS refuses to run where its scheduler began with another number
        self._options({"iis_strategy": 2, "threads": 1, "parallel": "off"})
        self._options({"solver": "choose", "iis_time_limit": seconds})
        whole = self.kept
        self.relax(True)
        self.highs.run()
        _, iis = self.highs.getIis()
        self.keep_whole(whole)
        return [int(i) for i in iis.row_index_]

    def own_rows(self, values: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The first rows at a solution: how much is left up to the nearer bound, the size of their terms, whether they are equations.

        Parameters
        ----------
        values : ndarray (columns)
        count : int

        Returns
        -------
        left, size : ndarray (count)
        equal : ndarray of bool (count)
        """
        lp = self.highs.getLp()
        matrix = csc_array(
            (lp.a_matrix_.value_, lp.a_matrix_.index_, lp.a_matrix_.start_), shape=(lp.num_row_, lp.num_col_)
        )
        low, high = np.array(lp.row_lower_)[:count], np.array(lp.row_upper_)[:count]
        activity = (matrix @ values)[:count]
        size = (abs(matrix) @ np.abs(values))[:count]
        return np.minimum(activity - low, high - activity), size, low == high

    def interrupt(self) -> None:
        """Stop the running solve at the next chance, keeping its best plan."""
        self.stop.set()

    def solve(
        self,
        objective: str,
        limits: Limits,
        start: np.ndarray | None = None,
        progress: Callable[[Progress], None] | None = None,
        better: Better | None = None,
        interior: bool = False,
    ) -> Answer:
        """Minimise one objective.

        Parameters
        ----------
        objective : str
            Name given at construction.
        limits : Limits
        start : ndarray or None
            A solution to start from; HiGHS checks and uses it.
        progress : callable or None
            Called a few times a second with a `Progress`.
        better : callable or None
            Improves plans while HiGHS runs (`hand_back`).
        interior : bool
            A relaxation by interior points, however small it is.

        Returns
        -------
        Answer
        """
        cost, offset = self.costs[objective]
        n = len(cost)
        self.highs.changeColsCost(n, np.arange(n, dtype=np.int32), cost)
        self.highs.changeObjectiveOffset(offset)
        if start is not None and not self.relaxed:
            self.highs = with_new_clock(self.highs)
        # a relaxation's clock goes on from one run to the next, a search's begins anew
        before = self.highs.getRunTime() if self.relaxed else 0.0
        self._options(
            {
                "mip_rel_gap": limits.gap, "time_limit": before + float(limits.seconds), "random_seed": limits.seed,
                "threads": limits.threads, "mip_max_nodes": 2**31 - 1 if limits.nodes is None else limits.nodes,
                "mip_feasibility_tolerance": 1e-7, "parallel": "off",
            }
        )  # fmt: skip
        if not self.relaxed:  # a relaxation goes on from its last basis
            self.highs.clearSolver()
        from_nothing = self.relaxed and n >= self.interior and not self.highs.getBasis().valid
        self._options({"solver": "ipm" if interior or from_nothing else "choose"})
        if start is not None:
            # whole columns only: HiGHS solves for the rest, so that rows added since do not matter
            index = np.flatnonzero(self.kept).astype(np.int32)
            self.highs.setSolution(len(index), index, np.round(start[index]))
        if better is None:
            answer = self._run(time.monotonic(), progress)
        else:
            with hand_back(self.highs, better):
                answer = self._run(time.monotonic(), progress)
        if answer.values is None:
            return answer
        own = self.value(objective, answer.values)
        if start is not None and not meant(answer, own) and not self.stop.is_set():
            # HiGHS 1.16 now and then proves a better plan than the start and hands back the start
            left = replace(limits, seconds=max(1.0, limits.seconds - answer.seconds))
            again = self.solve(objective, left, None, progress, better)
            if again.values is not None or again.status == "infeasible":
                return again
        return as_handed_back(answer, own)

    def _run(self, begun: float, progress: Callable[[Progress], None] | None) -> Answer:
        """Run, with progress reported and a stop passed on to HiGHS."""

        def halt(event: Any) -> None:
            event.data_in.user_interrupt = self.stop.is_set()  # HiGHS remembers an earlier one

        def watch(event: Any) -> None:
            halt(event)
            if progress is not None and not self.stop.is_set():
                out = event.data_out
                progress(
                    Progress(
                        time.monotonic() - begun, out.mip_primal_bound, out.mip_dual_bound, out.mip_gap,
                        int(out.mip_node_count),
                    )
                )  # fmt: skip

        self.highs.cbMipInterrupt.subscribe(watch)
        for other in (self.highs.cbSimplexInterrupt, self.highs.cbIpmInterrupt):
            other.subscribe(halt)
        run_apart(self.highs, self.stop)
        self.stop.count(int(self.highs.getInfo().mip_node_count))
        self.highs.cbMipInterrupt.clear()
        self.highs.cbSimplexInterrupt.clear()
        self.highs.cbIpmInterrupt.clear()
        return answer_of(self.highs, self.relaxed, time.monotonic() - begun, self.stop)


@dataclass(frozen=True)
class Part:
    """A part of a model (`Engine.part`): its engine, its columns in the whole, what the others are, its rows in the whole."""

    engine: Engine
    free: np.ndarray
    values: np.ndarray
    rows: np.ndarray

    @property
    def start(self) -> np.ndarray:
        """The part of the solution that it was made from."""
        part: np.ndarray = self.values[self.free]
        return part

    def whole_solution(self, found: np.ndarray) -> np.ndarray:
        """A solution of the whole model from one of the part."""
        values = self.values.copy()
        values[self.free] = found
        return values
