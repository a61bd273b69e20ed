"""The bridge from a Pyomo model to HiGHS, without going through files.

A `Bridge` holds one HiGHS instance for one model: rows may be added, objectives and right-hand sides
changed and the model solved again without building it anew.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any, Literal

import highspy
import numpy as np
import pyomo.environ as pyo
from pyomo.common.tee import capture_output
from pyomo.repn.linear import LinearRepnVisitor
from pyomo.repn.plugins.standard_form import LinearStandardFormCompiler

Status = Literal["proven", "stopped", "infeasible", "no_plan", "unbounded"]
SOLVER = f"HiGHS {version('highspy')}"


@dataclass(frozen=True)
class Progress:
    """What HiGHS reports while it works."""

    seconds: float
    incumbent: float
    bound: float
    gap: float
    nodes: int


@dataclass(frozen=True)
class Limits:
    """When a solve may stop: at a proven gap, after nodes (reproducible) or seconds (not).

    ``later_gap`` is the gap asked of the goals after the first.
    """

    gap: float = 0.01
    later_gap: float = 0.2
    nodes: int | None = None
    seconds: float = 600.0
    seed: int = 0
    threads: int = 1


@dataclass(frozen=True)
class Answer:
    """A solve's answer; infeasible, stopped with a plan and stopped without are different statuses.

    ``clock`` is True when the time limit ended it: another run may stop elsewhere; ``interrupted`` when
    somebody asked for a stop: what can be left out afterwards is left out.
    """

    status: Status
    objective: float
    bound: float
    gap: float
    seconds: float
    nodes: int
    clock: bool
    values: np.ndarray | None = field(repr=False, default=None)
    interrupted: bool = False


class Bridge:
    """One model inside HiGHS.

    Parameters
    ----------
    model : ConcreteModel
        Linear, with any number of objectives; none need be active.
    objectives : mapping of str to Objective
        Objectives by name; `solve` takes one of the names.
    """

    def __init__(self, model: pyo.ConcreteModel, objectives: Mapping[str, Any]):
        for objective in objectives.values():
            objective.activate()
        form = LinearStandardFormCompiler().write(model, mixed_form=True, set_sense=None)
        for objective in objectives.values():
            objective.deactivate()
        self.columns = list(form.columns)
        self.position = {id(v): i for i, v in enumerate(self.columns)}
        names = {id(o): name for name, o in objectives.items()}
        dense = form.c.toarray()
        self.costs = {
            names[id(o)]: (np.asarray(dense[k]).ravel(), float(form.c_offset[k]))
            for k, o in enumerate(form.objectives)
        }
        self.row_names = [str(r[0].name) for r in form.rows]
        with capture_output(capture_fd=True):  # its banner goes past every option of its own
            self.highs = highspy.Highs()
        self._options({"log_to_console": False, "output_flag": True})
        self._pass(form)
        self.relaxed = not bool(self.whole.any())
        self._stop = threading.Event()

    def _options(self, options: Mapping[str, object]) -> None:
        for name, value in options.items():
            self.highs.setOptionValue(name, value)

    def _pass(self, form: Any) -> None:
        """Hand the matrix over; bound types say <= (1), >= (-1) or = (0) per row."""
        lp = highspy.HighsLp()
        matrix = form.A.tocsc()
        kinds = np.array([r[1] for r in form.rows], dtype=int)
        rhs = np.asarray(form.rhs, dtype=float)
        inf = highspy.kHighsInf
        lp.num_col_, lp.num_row_ = len(self.columns), len(rhs)
        lp.col_cost_ = np.zeros(len(self.columns))
        self.low = np.array([v.lb if v.lb is not None else -inf for v in self.columns], dtype=float)
        self.high = np.array([v.ub if v.ub is not None else inf for v in self.columns], dtype=float)
        lp.col_lower_, lp.col_upper_ = self.low, self.high
        lp.row_lower_ = np.where(kinds == 1, -inf, rhs)
        lp.row_upper_ = np.where(kinds == -1, inf, rhs)
        lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
        lp.a_matrix_.start_ = matrix.indptr
        lp.a_matrix_.index_ = matrix.indices
        lp.a_matrix_.value_ = matrix.data
        self.whole = np.array([not v.is_continuous() for v in self.columns])
        lp.integrality_ = [
            highspy.HighsVarType.kInteger if w else highspy.HighsVarType.kContinuous for w in self.whole
        ]
        self.highs.passModel(lp)

    def relax(self, relaxed: bool) -> None:
        """Drop or restore the integrality of all whole variables."""
        index = np.flatnonzero(self.whole).astype(np.int32)
        kind = highspy.HighsVarType.kContinuous if relaxed else highspy.HighsVarType.kInteger
        self.relaxed = relaxed
        self.highs.changeColsIntegrality(len(index), index, np.array([kind] * len(index)))

    def fix(self, values: Mapping[int, float]) -> None:
        """Fix columns (by position) at values."""
        index = np.array(sorted(values), dtype=np.int32)
        level = np.array([values[int(i)] for i in index], dtype=float)
        self.highs.changeColsBounds(len(index), index, level, level)

    def add_rows(self, relations: list[Any]) -> None:
        """Add linear Pyomo relations (``expr >= expr``) as rows, in force from the next solve."""
        visitor = LinearRepnVisitor({})
        inf = highspy.kHighsInf
        for relation in relations:
            less, more = relation.args  # Pyomo keeps every inequality as less <= more
            index, value, constant = self.terms(more - less, visitor)
            self.highs.addRow(-constant, inf, len(index), index, value)

    def terms(
        self, expression: Any, visitor: LinearRepnVisitor | None = None
    ) -> tuple[np.ndarray, np.ndarray, float]:
        """Columns, coefficients and constant of a linear Pyomo expression."""
        visitor = visitor or LinearRepnVisitor({})
        found = visitor.walk_expression(expression)
        index = np.array([self._column(visitor, i) for i in found.linear], dtype=np.int32)
        return index, np.array(list(found.linear.values()), dtype=float), float(found.constant)

    def add_least(self, rows: list[tuple[np.ndarray, np.ndarray, float]]) -> None:
        """Add rows ``coefficients . columns >= least`` given as numbers."""
        starts = np.cumsum([0, *[len(i) for i, _, _ in rows]])[:-1].astype(np.int32)
        index = np.concatenate([i for i, _, _ in rows]).astype(np.int32)
        value = np.concatenate([v for _, v, _ in rows]).astype(float)
        least = np.array([b for _, _, b in rows], dtype=float)
        self.highs.addRows(
            len(rows), least, np.full(len(rows), highspy.kHighsInf), len(index), starts, index, value
        )

    def _column(self, visitor: LinearRepnVisitor, key: int) -> int:
        return self.position[id(visitor.var_recorder.var_map[key])]

    def release(self, columns: Iterable[int]) -> None:
        """Give columns their own bounds back."""
        index = np.array(sorted(columns), dtype=np.int32)
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

    def add_goal(self, name: str, base: str, prices: Mapping[int, float]) -> None:
        """Another objective: an earlier one plus prices on columns (by position)."""
        cost, offset = self.costs[base]
        cost = cost.copy()
        for column, price in prices.items():
            cost[column] += price
        self.costs[name] = (cost, offset)

    def duals(self) -> dict[str, float]:
        """Shadow prices of the model's own rows after a solve of the relaxation, without zeros."""
        values = np.array(self.highs.getSolution().row_dual)[: len(self.row_names)]
        return {self.row_names[i]: float(values[i]) for i in np.flatnonzero(np.abs(values) > 1e-9)}

    def limit_goal(self, name: str, most: float) -> None:
        """Keep an objective at or below a value from now on (ordered goals)."""
        cost, offset = self.costs[name]
        index = np.flatnonzero(cost).astype(np.int32)
        self.highs.addRow(-highspy.kHighsInf, most - offset, len(index), index, cost[index])

    def value(self, name: str, values: np.ndarray) -> float:
        """An objective's value at a solution."""
        cost, offset = self.costs[name]
        return float(cost @ values + offset)

    def load(self, values: np.ndarray) -> None:
        """Write a solution into the Pyomo variables; whole ones are rounded."""
        for v, x, w in zip(self.columns, values, self.whole, strict=True):
            v.set_value(round(float(x)) if w else float(x), skip_validation=True)

    def clash(self) -> list[str]:
        """Names of the rows of an irreducible infeasible set of the relaxation; empty if feasible."""
        # one thread as in every solve: HiGHS refuses to run where its scheduler began with another number
        self._options({"iis_strategy": 2, "threads": 1, "parallel": "off"})
        self.highs.run()
        _, iis = self.highs.getIis()
        return [self.row_names[i] for i in iis.row_index_ if i < len(self.row_names)]

    @property
    def stopped(self) -> bool:
        """True once a stop was asked for (Ctrl-C): later goals are not begun."""
        return self._stop.is_set()

    def interrupt(self) -> None:
        """Stop the running solve at the next chance, keeping its best plan."""
        self._stop.set()

    def solve(
        self,
        objective: str,
        limits: Limits,
        start: np.ndarray | None = None,
        progress: Callable[[Progress], None] | None = None,
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

        Returns
        -------
        Answer
        """
        cost, offset = self.costs[objective]
        n = len(cost)
        self.highs.changeColsCost(n, np.arange(n, dtype=np.int32), cost)
        self.highs.changeObjectiveOffset(offset)
        self._options(
            {
                "mip_rel_gap": limits.gap, "time_limit": float(limits.seconds), "random_seed": limits.seed,
                "threads": limits.threads, "mip_max_nodes": 2**31 - 1 if limits.nodes is None else limits.nodes,
                "mip_feasibility_tolerance": 1e-7, "parallel": "off",
            }
        )  # fmt: skip
        if not self.relaxed:  # a relaxation goes on from its last basis
            self.highs.clearSolver()
        if start is not None:
            # whole columns only: HiGHS solves for the rest, so that rows added since do not matter
            index = np.flatnonzero(self.whole).astype(np.int32)
            self.highs.setSolution(len(index), index, np.round(start[index]))
        return self._run(time.monotonic(), progress)

    def _run(self, begun: float, progress: Callable[[Progress], None] | None) -> Answer:
        """Run in a thread of its own, so that Ctrl-C reaches Python and is passed on to HiGHS."""

        def watch(event: Any) -> None:
            if self._stop.is_set():
                event.interrupt()
            elif progress is not None:
                out = event.data_out
                progress(
                    Progress(
                        time.monotonic() - begun, out.mip_primal_bound, out.mip_dual_bound, out.mip_gap,
                        int(out.mip_node_count),
                    )
                )  # fmt: skip

        self.highs.cbMipInterrupt.subscribe(watch)
        self.highs.cbSimplexInterrupt.subscribe(lambda e: e.interrupt() if self._stop.is_set() else None)
        # an event, not the thread's own join: Python 3.11 takes a joined thread for ended after Ctrl-C
        done = threading.Event()

        def work() -> None:
            self.highs.run()
            done.set()

        threading.Thread(target=work, daemon=True).start()
        while not done.is_set():
            try:
                done.wait(0.1)
            except KeyboardInterrupt:
                self._stop.set()
        self.highs.cbMipInterrupt.clear()
        self.highs.cbSimplexInterrupt.clear()
        return self._answer(time.monotonic() - begun)

    def _answer(self, seconds: float) -> Answer:
        state = highspy.HighsModelStatus
        status = self.highs.getModelStatus()
        info = self.highs.getInfo()
        has_plan = info.primal_solution_status == 2
        objective = float(info.objective_function_value) if has_plan else float("nan")
        bound = objective if self.relaxed else float(info.mip_dual_bound)
        if status == state.kInfeasible:
            said: Status = "infeasible"
        elif status in (state.kUnbounded, state.kUnboundedOrInfeasible):
            said = "infeasible" if status == state.kUnboundedOrInfeasible else "unbounded"
        elif not has_plan:
            said = "no_plan"
        else:
            said = "proven" if status == state.kOptimal else "stopped"
        gap = (objective - bound) / max(abs(objective), 1e-9) if has_plan else float("inf")
        values = np.array(self.highs.getSolution().col_value) if has_plan else None
        clock = status == state.kTimeLimit
        return Answer(
            said, objective, bound, gap, seconds, max(0, int(info.mip_node_count)), clock, values, self.stopped
        )  # fmt: skip
