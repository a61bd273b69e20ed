"""One network problem, stated four ways: with the project's model, spopt, linopy, and as arrays by hand.

All are the same rows over the same columns (`models.districting.single_source.single_source`); spopt, which states no
fixed costs and no room where none is asked for, has its own rows for the same problem. Everyone's plan is
judged by the project's referee, and its value is added up from the costs alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy.sparse import block_array, csr_array, eye_array, kron

from benchmarks.arrays import Arrays, handed, relaxed, shape, solved, through
from benchmarks.cases import Found, Setting
from models.districting.single_source import SingleSource, cost_of, faults, single_source


@dataclass(frozen=True)
class Network:
    """A single-source problem; ``many`` is how many sites are open, None leaves that to their fixed costs.

    With ``many`` every site has a fixed cost of 1, so that sites are located; the values leave it out.
    """

    problem: SingleSource
    many: int | None = None

    @property
    def free(self) -> float:
        """Constant part of the objective that is no cost of the problem."""
        return 0.0 if self.many is None else float(self.many)

    @cached_property
    def cost(self) -> np.ndarray:
        """Cost of serving a unit (row) from a site (column); every pair is allowed, in the order of units."""
        units, sites = list(self.problem.demand.index), list(self.problem.sites.index)
        pairs = self.problem.pairs
        if list(zip(pairs["unit"], pairs["site"], strict=True)) != [(u, j) for u in units for j in sites]:
            raise ValueError("the pairs are not every unit with every site, unit by unit")
        return pairs["cost"].to_numpy(float).reshape(len(units), len(sites))

    def without_free(self, found: Found) -> Found:
        """The same without the constant part."""
        value = None if found.value is None else found.value - self.free
        return replace(found, value=value, bound=None if found.bound is None else found.bound - self.free)

    def judged(self, serving: np.ndarray) -> Found:
        """The referee on a plan: the site (column) that serves each unit (row)."""
        problem = self.problem
        served_by = {u: problem.sites.index[j] for u, j in zip(problem.demand.index, serving, strict=True)}
        wrong = faults(problem, served_by)
        used = len(set(served_by.values()))
        if wrong or (self.many is not None and used > self.many):
            raise AssertionError(f"{used} sites, {wrong}")
        extra = 0.0 if self.many is None else float(used)
        return Found("referee", cost_of(problem, served_by) - extra, status="accepted")


Read = Callable[[], Network]


def _ready(read: Read) -> Network:
    """The problem with its costs laid out: both are data to every way."""
    net = read()
    assert net.cost.size
    return net


def with_pyomo(read: Read, setting: Setting) -> Iterator[Found]:
    """The project: stated in Pyomo, handed over by its bridge, and last its own method where it has one."""
    import pyomo.environ as pyo

    from optimizer.districting.districting import serve
    from optimizer.solver.bridge import Bridge
    from optimizer.solver.limits import Limits

    net = _ready(read)
    problem = net.problem
    yield Found("data")
    model = single_source(problem)
    if net.many is not None:
        model.many = pyo.Constraint(expr=sum(model.open.values()) == net.many)
    yield Found("build")
    bridge = Bridge(model, {"cost": model.goal_cost})
    yield Found("hand over", shape=shape(bridge.highs))
    yield net.without_free(through(bridge, "cost", setting, relaxed=True)[0])
    found, values = through(bridge, "cost", setting, relaxed=False)
    yield net.without_free(found)
    if values is not None:
        column = [bridge.column("attend", p) for p in problem.pairs.index]
        yield net.judged(values[column].reshape(net.cost.shape).argmax(axis=1))
    if net.many is None:
        done = serve(problem, limits=Limits(gap=setting.gap))
        if done.served_by and faults(problem, done.served_by):
            raise AssertionError("the referee rejects the method's plan")
        yield Found("method", done.answer.objective, done.answer.bound, done.answer.status)


def with_spopt(read: Read, setting: Setting) -> Iterator[Found]:
    """spopt's PMedian, with rooms where the problem has them, through PuLP to the same HiGHS."""
    import pulp
    from spopt.locate import PMedian

    net = _ready(read)
    problem, demand = net.problem, net.problem.demand.to_numpy(float)
    room = problem.sites["room"].to_numpy(float)
    tight = bool((room < demand.sum()).any())
    yield Found("data")
    stated = PMedian.from_cost_matrix(
        net.cost / demand[:, None], demand, net.many, facility_capacities=room if tight else None
    )
    yield Found("build")
    solver = pulp.HiGHS(msg=False)
    solver.createAndConfigureSolver(stated.problem)
    solver.buildSolverModel(stated.problem)
    highs = stated.problem.solverModel
    yield Found("hand over", shape=shape(highs))
    yield relaxed(highs, setting)
    found, values = solved(highs, setting)
    yield found
    if values is not None:
        column = np.array([[v.index for v in row] for row in stated.cli_assgn_vars])
        yield net.judged(values[column].argmax(axis=1))


def with_linopy(read: Read, setting: Setting) -> Iterator[Found]:
    """The project's rows in linopy's own manner: whole blocks over labelled dimensions."""
    import linopy
    import pandas as pd
    import xarray as xr

    net = _ready(read)
    problem = net.problem
    units, sites = (
        pd.RangeIndex(len(problem.demand), name="unit"),
        pd.RangeIndex(len(problem.sites), name="site"),
    )
    cost = xr.DataArray(net.cost, coords=[units, sites])
    demand = xr.DataArray(problem.demand.to_numpy(float), coords=[units])
    room = xr.DataArray(problem.sites["room"].to_numpy(float), coords=[sites])
    fixed = xr.DataArray(problem.sites["fixed"].to_numpy(float), coords=[sites])
    yield Found("data")
    m = linopy.Model()
    attend = m.add_variables(binary=True, coords=[units, sites], name="attend")
    opened = m.add_variables(binary=True, coords=[sites], name="open")
    m.add_constraints(attend.sum("site") == 1, name="assign")
    m.add_constraints(attend - opened <= 0, name="attend_open")
    m.add_constraints((room * opened).sum() >= float(demand.sum()), name="enough_room")
    m.add_constraints((demand * attend).sum("unit") - room * opened <= 0, name="capacity")
    if net.many is not None:
        m.add_constraints(opened.sum() == net.many, name="many")
    m.add_objective((cost * attend).sum() + (fixed * opened).sum())
    yield Found("build")
    highs = linopy.io.to_highspy(m)
    yield Found("hand over", shape=shape(highs))
    yield net.without_free(relaxed(highs, setting))
    found, values = solved(highs, setting)
    yield net.without_free(found)
    if values is not None:
        yield net.judged(values[attend.labels.to_numpy()].argmax(axis=1))


def arrays(net: Network) -> Arrays:
    """The project's rows by hand: attend[u,j] unit by unit, then open[j]."""
    units, sites = net.cost.shape
    room, demand = net.problem.sites["room"].to_numpy(float), net.problem.demand.to_numpy(float)
    one_unit, one_site = np.ones((1, units)), np.ones((1, sites))
    blocks = [
        [kron(eye_array(units), one_site), None],
        [eye_array(units * sites), -kron(one_unit.T, eye_array(sites))],
        [None, csr_array(room[None])],
        [kron(demand[None], eye_array(sites)), -csr_array(np.diag(room))],
    ]
    low = [np.ones(units), np.full(units * sites, -np.inf), [demand.sum()], np.full(sites, -np.inf)]
    high = [np.ones(units), np.zeros(units * sites), [np.inf], np.zeros(sites)]
    if net.many is not None:
        blocks.append([None, csr_array(one_site)])
        low.append([net.many])
        high.append([net.many])
    n = units * sites + sites
    return Arrays(
        np.concatenate([net.cost.ravel(), net.problem.sites["fixed"].to_numpy(float)]), 0.0, np.zeros(n), np.ones(n),
        np.ones(n, dtype=bool), block_array(blocks, format="csr"), np.concatenate(low), np.concatenate(high),
    )  # fmt: skip


def with_highspy(read: Read, setting: Setting) -> Iterator[Found]:
    """No modelling layer: arrays by hand, the floor of what stating the model can take."""
    net = _ready(read)
    yield Found("data")
    by_hand = arrays(net)
    yield Found("build")
    highs = handed(by_hand)
    yield Found("hand over", shape=shape(highs))
    yield net.without_free(relaxed(highs, setting))
    found, values = solved(highs, setting)
    yield net.without_free(found)
    if values is not None:
        yield net.judged(values[: net.cost.size].reshape(net.cost.shape).argmax(axis=1))
