"""The bridge from a Pyomo model to HiGHS, without going through files.

A `Bridge` is an `optimizer.solver.engine.Engine` that knows which column is which Pyomo variable: rows may be added,
objectives and right-hand sides changed and the model solved again without building it anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import highspy
import numpy as np
import pyomo.environ as pyo
from pyomo.repn.linear import LinearRepnVisitor
from pyomo.repn.plugins.standard_form import LinearStandardFormCompiler

from optimizer.solver.engine import Engine
from optimizer.solver.stopping import Stop


class Bridge(Engine):
    """One model inside HiGHS.

    Parameters
    ----------
    model : ConcreteModel
        Linear, with any number of objectives; none need be active.
    objectives : mapping of str to Objective
        Objectives by name; `solve` takes one of the names.
    stop : Stop or None

    Columns are found by component and key: ``bridge.column("attend", 17)``, ``bridge.at("open")[key]``.
    """

    def __init__(self, model: pyo.ConcreteModel, objectives: Mapping[str, Any], stop: Stop | None = None):
        for objective in objectives.values():
            objective.activate()
        form = LinearStandardFormCompiler().write(model, mixed_form=True, set_sense=None)
        for objective in objectives.values():
            objective.deactivate()
        self.columns = list(form.columns)
        self.keys = [(v.parent_component().local_name, v.index()) for v in self.columns]
        self._table: dict[str, dict[Any, int]] = {}
        for i, (component, key) in enumerate(self.keys):
            self._table.setdefault(component, {})[key] = i
        names = {o.local_name: name for name, o in objectives.items()}
        dense = form.c.toarray()
        costs = {
            names[o.local_name]: (np.asarray(dense[k]).ravel(), float(form.c_offset[k]))
            for k, o in enumerate(form.objectives)
        }
        self._rows = form.rows
        inf = highspy.kHighsInf
        kinds = np.array([r[1] for r in form.rows], dtype=int)  # <= (1), >= (-1) or = (0)
        rhs = np.asarray(form.rhs, dtype=float)
        super().__init__(
            form.A.tocsc(),
            np.where(kinds == 1, -inf, rhs),
            np.where(kinds == -1, inf, rhs),
            np.array([v.lb if v.lb is not None else -inf for v in self.columns], dtype=float),
            np.array([v.ub if v.ub is not None else inf for v in self.columns], dtype=float),
            np.array([not v.is_continuous() for v in self.columns], dtype=bool),
            costs,
            stop,
        )

    def at(self, component: str) -> Mapping[Any, int]:
        """Columns of a variable's component by key; without those that are fixed or in no row."""
        return self._table.get(component, {})

    def column(self, component: str, key: Any = None) -> int:
        """The column of one variable.

        Raises
        ------
        KeyError
            It is fixed in the model, or in no row of it.
        """
        return self._table[component][key]

    def column_of(self, variable: Any) -> int:
        """The column of a Pyomo variable; errors as of `column`."""
        return self.column(variable.parent_component().local_name, variable.index())

    def rows_of(self, component: str) -> list[int]:
        """Positions of a constraint component's rows among the model's own."""
        return [k for k, r in enumerate(self._rows) if r[0].parent_component().local_name == component]

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

    def _column(self, visitor: LinearRepnVisitor, key: int) -> int:
        return self.column_of(visitor.var_recorder.var_map[key])

    def duals(self) -> list[tuple[str, Any, float]]:
        """Component, key and shadow price of the model's own rows after a solve of the relaxation, without zeros."""
        values = np.array(self.highs.getSolution().row_dual)[: len(self._rows)]
        found = []
        for i in np.flatnonzero(np.abs(values) > 1e-9):
            row = self._rows[i][0]
            found.append((row.parent_component().local_name, row.index(), float(values[i])))
        return found

    def load(self, values: np.ndarray) -> None:
        """Write a solution into the Pyomo variables; whole ones are rounded."""
        for v, x, w in zip(self.columns, values, self.whole, strict=True):
            v.set_value(round(float(x)) if w else float(x), skip_validation=True)

    def clash(self) -> list[tuple[str, Any]]:
        """Component and key of the rows of an irreducible infeasible set of the relaxation; empty if feasible."""
        return self.named_rows(self.clashing())

    def named_rows(self, positions: Iterable[int]) -> list[tuple[str, Any]]:
        """Component and key of rows of the model's own; rows added since are left out."""
        rows = [self._rows[i][0] for i in positions if i < len(self._rows)]
        return [(r.parent_component().local_name, r.index()) for r in rows]

    @property
    def stated(self) -> int:
        """How many rows the model itself has; those added since come after them."""
        return len(self._rows)

    def shift_row(self, component: str, key: Any, more: float) -> None:
        """Add to the right-hand side of one of the model's own rows, in force from the next solve."""
        row = next(
            i for i, (c, k) in enumerate(self.named_rows(range(self.stated))) if (c, k) == (component, key)
        )
        lp = self.highs.getLp()
        self.highs.changeRowBounds(row, lp.row_lower_[row] + more, lp.row_upper_[row] + more)
