"""The county's linear relaxation: it settles the planned means, bounds every plan and names the likely pairs."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np

from models.problem.instance import Instance
from optimizer.search.search import Search
from optimizer.search.solved import NoPlan
from optimizer.search.task import Task
from optimizer.solver.limits import Answer, Limits, time_left


def recentred(search: Search, values: np.ndarray) -> Instance:
    """The instance about the mean ratios and counted pupils of a solution."""
    inst = search.instance
    means, pupils = search.spreads.means(values)
    population = {k: pupils[k] if pupils.get(k, 0.0) > 0 else n for k, n in inst.population.items()}
    return inst.centred({**inst.centres, **means}, population)


def near_pairs(search: Search, relaxed: Answer) -> tuple[int, ...]:
    """Pairs that a relaxation uses, some of the least reduced cost for every group, and today's."""
    if relaxed.values is None:
        return ()
    inst, method = search.instance, search.task.method
    at = search.bridge.at("attend")
    columns = [at[p] for p in inst.pairs.index]
    used = relaxed.values[columns] > 1e-4
    price = np.where(used, 0.0, np.array(search.bridge.highs.getSolution().col_dual)[columns])
    most = int(used.sum() + min(method.most_near, method.near_pairs * inst.pairs["g"].nunique()))
    order = np.argsort(price, kind="stable")[:most]
    chosen = set(inst.pairs.index.to_numpy()[order]) | set(inst.pairs.index[inst.pairs["stay"]])
    return tuple(sorted(int(p) for p in chosen))


def among(inst: Instance, pairs: set[int]) -> Instance:
    """The instance with some of its pairs only: a sub-model by the same functions."""
    return replace(
        inst, pairs=inst.pairs.loc[sorted(pairs)], past=inst.past[inst.past["p"].isin(pairs)],
        softened=inst.softened[inst.softened["p"].isin(pairs)],
    )  # fmt: skip


def settled(inst: Instance, task: Task, limits: Limits) -> tuple[Instance, bool]:
    """The instance about the means of its relaxation (docs/model/imbalance.md, re-centring); True where the clock ended that.

    Where pairs are many, the relaxation among today's and each group's nearest settles them; where that has no
    solution, all of them do. Where the clock, or a request to stop, ends even the first solve, today's means stay:
    any means make a measure.

    Raises
    ------
    NoPlan
        Proven infeasible.
    """
    begun = time.monotonic()
    pairs, method = inst.pairs, task.method
    nearest = pairs.groupby("g")["minutes"].rank(method="first") <= method.settle_nearest
    few = among(inst, set(pairs.index[nearest | pairs["stay"]]))
    answer = None
    for some in (few, inst) if len(few.pairs) < len(pairs) else (inst,):
        search = Search(some, task, whole=False)
        answer = search.relax(method.settle_rounds, time_left(limits, begun))
        if answer.values is not None:
            middle = recentred(search, answer.values)
            return inst.centred(middle.centres, middle.population), answer.clock
        if answer.status != "infeasible":
            return inst, True
    raise NoPlan("infeasible", inst)


def relaxed_county(inst: Instance, task: Task, limits: Limits) -> Search:
    """State a county about its planned means and solve its relaxation.

    Parameters
    ----------
    inst : Instance
        Centred on today's means.
    task : Task
    limits : Limits

    Returns
    -------
    Search
        In whole heads and rooms; the relaxation has fractions. Stopped before it was solved, its ``relaxed`` has no
        values and proves nothing.

    Raises
    ------
    NoPlan
        Proven infeasible.
    """
    begun = time.monotonic()
    inst, clock = settled(inst, task, limits)
    return relaxed_about(inst, task, time_left(limits, begun), clock)


def relaxed_about(inst: Instance, task: Task, limits: Limits, clock: bool = False) -> Search:
    """`relaxed_county` about the instance's own means; ``clock`` where these were cut short."""
    stated = time.monotonic()
    search = Search(inst, task)
    answer = search.relax(task.method.relax_rounds, limits, hulls=True)
    if answer.status == "infeasible":
        raise NoPlan(answer.status, inst)
    search.relaxed = replace(answer, clock=answer.clock or clock)
    search.near = near_pairs(search, answer)
    search.seconds = time.monotonic() - stated
    return search
