"""The method of every verb: relax, restrict, split, integrate, split; or goal by goal where imbalance is not first."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

from models.problem.instance import Instance
from optimizer.search.integration import solve_joint
from optimizer.search.ordered import Ordered
from optimizer.search.relaxation import relaxed_about, relaxed_county
from optimizer.search.restriction import solve_narrow
from optimizer.search.search import SOFTNESS, Search
from optimizer.search.solved import NoPlan, Solved, record
from optimizer.search.split import solve_split
from optimizer.search.start import first_plan, keeping
from optimizer.search.task import Target, Task
from optimizer.solver.limits import time_left

CLASSIC = ("travel", "disruption", "cost")
"""Goals after imbalance that the split knows how to hold; others are sought on the whole model."""


@dataclass(frozen=True)
class Found:
    """A plan and how it was proven.

    Parameters
    ----------
    county : Search
        Of all pairs; its relaxation holds for every plan.
    decided : Solved
        The step whose bound counts.
    final : Solved
        The plan; the same as ``decided`` where one model decides all.
    """

    county: Search
    decided: Solved
    final: Solved


def find_plan(inst: Instance, task: Task, settle: bool = True) -> Found:
    """The best plan of an instance within a task's limits.

    Parameters
    ----------
    inst : Instance
    task : Task
    settle : bool
        Whether the measure of imbalance is centred on the means of its relaxation first; False keeps the instance's.

    Returns
    -------
    Found

    Raises
    ------
    NoPlan
        Proven infeasible, or stopped before even a first plan was found.
    """
    begun = time.monotonic()
    held = inst.request.held
    if task.goals[0].name != "imbalance" or held or len(held.start):  # likely pairs know nothing of either
        return in_any_order(Search(inst, task), begun)
    limits = time_left(task.limits, begun, task.method.relax_share)
    county = relaxed_county(inst, task, limits) if settle else relaxed_about(inst, task, limits)
    return imbalance_first(county, begun)


def in_any_order(county: Search, begun: float) -> Found:
    """Goal by goal on the whole model, from the first plan on."""
    task = county.task
    if county.soft:
        county.task = task = replace(task, goals=(Target(SOFTNESS), *task.goals))
    limits = time_left(task.limits, begun)
    with task.stop.grace():
        start = first_plan(county, replace(limits, seconds=limits.seconds * task.method.start_share))
    if start is None:  # no plan near today's in time: the first goal has to find one
        start = county.minimise(task.goals[0].name, time_left(task.limits, begun, task.method.goal_share))
    if start.values is not None and county.measured:
        start = keeping(county, start, time_left(task.limits, begun, task.method.goal_share))
    if start.values is None:
        raise NoPlan(start.status, county.instance, county.bridge.stopped)
    proven = {} if county.relaxed is None else {"imbalance": county.relaxed.bound}
    solved = Ordered(county, start.values, proven).run(time_left(task.limits, begun))
    return Found(county, solved, solved)


def imbalance_first(county: Search, begun: float) -> Found:
    """Relaxation, network, split, both together, split again.

    The seconds are for all of them: the method's shares say up to when each may take its time.
    """
    task, method = county.task, county.task.method
    assert county.relaxed is not None
    if county.soft or county.measured:  # the steps know of tangents to a requirement, not of its own value
        return in_any_order(county, begun)
    if county.relaxed.values is None:
        return _without_relaxation(county, begun)
    classic = tuple(g for g in task.goals if g.name in ("imbalance", *CLASSIC))
    if classic != task.goals:
        return _then_others(county, begun)
    if len(county.instance.units) <= method.joint_units:
        return _in_one_model(county, begun)
    try:
        network, split = _first_plan(county, begun)
    except NoPlan as stop:  # whole heads do not fit a likely network: another may take them
        if stop.interrupted:
            return _without_relaxation(county, begun)
        return _in_one_model(county, begun)
    if _hurried(county, network):
        return Found(county, network, split)
    on_network = tuple(g for g in task.goals if g.name != "cost")
    joint = solve_joint(county, split, on_network, time_left(task.limits, begun, method.joint_share))
    first = joint.goals[0]
    first = replace(first, seconds=network.goals[0].seconds + first.seconds)
    clock = county.relaxed.clock or network.clock or split.clock or joint.clock
    joint = replace(joint, goals=(first, *joint.goals[1:]), clock=clock)
    exact = replace(time_left(task.limits, begun), gap=task.limits.gap / 10)
    try:
        final = solve_split(joint, task.goals, exact, least=first.objective, whole=True)
    except NoPlan:  # the clock left no time for it, and the joint step has a plan
        final = replace(joint, clock=True)
    return Found(county, joint, final)


def _hurried(county: Search, network: Solved) -> bool:
    """After a request to stop only what a plan needs is done."""
    return county.bridge.stopped or network.answer.interrupted


def _first_plan(county: Search, begun: float) -> tuple[Solved, Solved]:
    """A network among the likely pairs, with the relaxation's bound, and its whole split."""
    task, method = county.task, county.task.method
    assert county.relaxed is not None
    rough = time_left(task.limits, begun, method.network_share).fewer(method.rough_nodes)
    network = solve_narrow(county, replace(rough, gap=max(task.limits.gap, method.rough_gap)))
    first = replace(network.goals[0], bound=county.relaxed.bound)
    network = replace(network, goals=(first,))
    half = replace(time_left(task.limits, begun, method.split_share), gap=task.limits.gap / 2)
    goals = task.goals if _hurried(county, network) else task.goals[:1]
    return network, solve_split(network, goals, half)


def _in_one_model(county: Search, begun: float) -> Found:
    """A county whose relaxation is solved, searched as a whole goal by goal."""
    task, method = county.task, county.task.method
    assert county.relaxed is not None
    goals, limits = task.goals, time_left(task.limits, begun)
    share = method.first_share if len(goals) > 1 else 1.0
    # half of the gap is for the search, a quarter for what the tangents leave open
    half = replace(limits, seconds=limits.seconds * share, gap=limits.gap / 2)
    slack = min(method.cut_slack, limits.gap / 4)
    first = county.minimise("imbalance", half, slack=slack, enough=limits.gap, rounds=method.whole_rounds)
    if first.values is None:
        if first.status == "infeasible":
            raise NoPlan(first.status, county.instance)
        return _without_relaxation(county, begun)
    first = county.judged("imbalance", first, limits.gap)
    answer, later = county.in_order(first, goals, time_left(task.limits, begun))
    clock = county.relaxed.clock or answer.clock
    solved = Solved(county, (record(goals[0].name, first, goals[0].tolerance), *later), answer, clock)
    return Found(county, solved, solved)


def _then_others(county: Search, begun: float) -> Found:
    """Imbalance by its own steps, then goals that only the whole model has, from its plan on."""
    task, model = county.task, county
    half = replace(task.limits, seconds=task.limits.seconds * task.method.goal_share)
    county.task = replace(task, goals=task.goals[:1], limits=half)
    try:
        found = imbalance_first(county, begun)
    finally:
        county.task = task
    start = model.start_from(found.final.search, found.final.values, "imbalance")
    bounds = {"imbalance": found.decided.goals[0].bound}
    solved = Ordered(county, start, bounds).run(time_left(task.limits, begun))
    return Found(county, solved, solved)


def _without_relaxation(county: Search, begun: float) -> Found:
    """The clock, or a request to stop, left no time for a search: the first plan, with what is proven."""
    task, asked = county.task, county.task.stop.is_set()
    with task.stop.grace():
        start = first_plan(county, time_left(task.limits, begun))
    if start is None or start.values is None:
        raise NoPlan("no_plan" if start is None else start.status, county.instance, asked)
    bound = max(start.bound, county.relaxed.bound if county.relaxed is not None else start.bound)
    gap = max(0.0, start.objective - bound) / max(abs(start.objective), 1e-9)
    start = replace(start, bound=bound, gap=gap, clock=not asked, interrupted=asked)
    goal: Target = task.goals[0]
    solved = Solved(county, (record(goal.name, start, goal.tolerance),), start, not asked)
    return Found(county, solved, solved)
