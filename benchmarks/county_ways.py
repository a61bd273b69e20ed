"""A county's planning model: in Pyomo as the project states it, and the very same rows through linopy and as arrays.

The model is the joint one (network and whole heads, `models.formulation.model.build_model`), its goal the imbalance
measured about today's means. linopy and HiGHS alone get it ready-made, block by block or as one matrix: what they
take is the floor of stating it, without the work of finding the coefficients in the county's tables.
The phase "method" is the project's own way to a plan, for means of its own, so its value is another than that of
the phase "solve".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from pyomo.repn.plugins.standard_form import LinearStandardFormCompiler
from scipy.sparse import csr_array

from benchmarks.arrays import Arrays, handed, handed_over, shape, through
from benchmarks.cases import Found, Setting
from geodata.contract.county import County
from geodata.travel.times import TravelTimes, travel_times
from models.formulation.model import build_model
from models.problem.building import build_instance
from models.problem.instance import Instance
from models.problem.request import Request
from models.standards.norms import load_standards

GOAL = "goal_imbalance"
Read = Callable[[], County]


def sets_and_data(read: Read) -> tuple[County, TravelTimes, Instance]:
    """A county, its travel times and the data of its model."""
    county = read()
    times = travel_times(county)
    return county, times, build_instance(county, load_standards(county), Request(), times)


def with_pyomo(read: Read, setting: Setting, method: bool = True) -> Iterator[Found]:
    """The project: stated in Pyomo, handed over by its bridge, and last its own method and referee."""
    from models.referee.verdict import judge
    from optimizer.scenario import Scenario
    from optimizer.search.search import bridge_of
    from optimizer.verbs.plan import plan

    county, times, inst = sets_and_data(read)
    yield Found("data")
    model = build_model(inst, whole=True)
    yield Found("build")
    bridge = bridge_of(model)
    yield Found("hand over", shape=shape(bridge.highs))
    yield through(bridge, "imbalance", setting, relaxed=True)[0]
    yield through(bridge, "imbalance", setting, relaxed=False)[0]
    if not method:
        return
    made = plan(county, Scenario(gap=setting.gap), times)
    yield Found("method", made.solve.objective, made.solve.bound, made.solve.status)
    verdict = judge(county, inst.standards, made.plan, times, inst.request)
    if not verdict.accepted:
        raise AssertionError("the referee rejects the plan")
    yield Found("referee", status="accepted")


@dataclass(frozen=True)
class Block:
    """Rows of one constraint or columns of one variable: a name and places in the `Arrays`."""

    name: str
    at: np.ndarray


@dataclass(frozen=True)
class Ready:
    """A county's model as arrays, with the blocks it is made of."""

    arrays: Arrays
    variables: list[Block]
    constraints: list[Block]


def _blocks(names: list[str]) -> list[Block]:
    label = np.array(names)
    return [Block(str(name), np.flatnonzero(label == name)) for name in dict.fromkeys(names)]


def _joint(inst: Instance) -> Any:
    """The joint model with its first goal in force."""
    model = build_model(inst, whole=True)
    model.component(GOAL).activate()
    return model


def ready(model: Any) -> Ready:
    """The rows and columns of a stated model, taken from Pyomo."""
    form = LinearStandardFormCompiler().write(model, mixed_form=True, set_sense=None)
    columns = list(form.columns)
    low = np.array([-np.inf if v.lb is None else v.lb for v in columns], dtype=float)
    high = np.array([np.inf if v.ub is None else v.ub for v in columns], dtype=float)
    kind, rhs = np.array([r[1] for r in form.rows]), np.asarray(form.rhs, dtype=float)
    arrays = Arrays(
        np.asarray(form.c.toarray()).ravel(), float(form.c_offset[0]), low, high,
        np.array([not v.is_continuous() for v in columns]), csr_array(form.A),
        np.where(kind == 1, -np.inf, rhs), np.where(kind == -1, np.inf, rhs),
    )  # fmt: skip

    def parent(part: Any) -> str:
        return str(part.parent_component().local_name)

    return Ready(arrays, _blocks([parent(v) for v in columns]), _blocks([parent(r[0]) for r in form.rows]))


def with_highspy(read: Read, setting: Setting) -> Iterator[Found]:
    """No modelling layer: the ready matrix, the floor of handing it over."""
    made = ready(_joint(sets_and_data(read)[2]))
    yield Found("data")
    yield from handed_over(handed(made.arrays), setting)


def with_linopy(read: Read, setting: Setting) -> Iterator[Found]:
    """The same rows through linopy: ready-made terms, one call a block, as its own expressions keep them."""
    import linopy

    made = ready(_joint(sets_and_data(read)[2]))
    yield Found("data")
    m = linopy.Model()
    labels = _variables(m, made)
    rows = made.arrays.rows
    for block in made.constraints:
        low, high = made.arrays.row_low[block.at], made.arrays.row_high[block.at]
        sign = np.where(low == high, "=", np.where(np.isinf(low), "<=", ">="))
        terms = _terms(m, rows[block.at], labels)
        m.add_constraints(
            terms, _over_rows(sign), _over_rows(np.where(np.isinf(low), high, low)), name=block.name
        )
    m.add_objective(_terms(m, csr_array(made.arrays.cost[None]), labels).sum())
    yield Found("build")
    highs = linopy.io.to_highspy(m)
    highs.changeObjectiveOffset(made.arrays.offset)  # linopy's objectives have no constant
    yield from handed_over(highs, setting)


def _variables(m: Any, made: Ready) -> np.ndarray:
    """Add every variable; the label that linopy gives each column."""
    import xarray as xr

    a = made.arrays
    labels = np.zeros(len(a.cost), dtype=np.int64)
    for block in made.variables:
        for whole in (False, True):
            at = block.at[a.whole[block.at] == whole]
            if len(at):
                low, high = (xr.DataArray(side[at], dims=["column"]) for side in (a.low, a.high))
                added = m.add_variables(
                    low, high, integer=whole, name=f"{block.name}{' whole' if whole else ''}"
                )
                labels[at] = added.labels.to_numpy()
    return labels


def _over_rows(values: np.ndarray) -> Any:
    import xarray as xr

    return xr.DataArray(values, dims=["row"])


def _terms(m: Any, rows: csr_array, labels: np.ndarray) -> Any:
    """Sparse rows as a linopy expression: one line a row, padded to the longest."""
    import linopy
    import xarray as xr

    count = np.diff(rows.indptr)
    at = np.repeat(np.arange(len(count)), count), np.arange(rows.nnz) - np.repeat(rows.indptr[:-1], count)
    columns = np.full((len(count), max(1, count.max(initial=0))), -1, dtype=np.int64)
    weights = np.full(columns.shape, np.nan)
    columns[at], weights[at] = labels[rows.indices], rows.data
    data = {"vars": (("row", "_term"), columns), "coeffs": (("row", "_term"), weights)}
    return linopy.LinearExpression(xr.Dataset(data), m)
