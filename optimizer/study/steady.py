"""Frontiers whose plans follow from each other, and what that steadiness costs.

The plan of the scenario's own budget is the anchor (of the smallest budget where the range does not hold it). From there the
walk goes to the next larger budgets, and then from the anchor to the next smaller ones.

| mode | a larger budget's plan | a smaller budget's plan |
|---|---|---|
| ``nested`` | keeps every band given up or taken up, and at least every amount, of the one before | undoes some of it, and adds nothing |
| ``least_change`` | differs as little as may be from the one before, its goal at most (1 + give) times the free plan's | likewise |

With f the free frontier's plan, F the steady one, b the bound of all plans at the budget and L that of steady ones, the price of
stability between the best steady and the best free plan is proven to lie within

    max(0, L - f)  <=  price  <=  F - b            (of the plans found it is F - f)
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

from models.formulation.goals import UPPER
from models.formulation.solution import bought_range
from models.plan.differences.comparison import plan_changes
from models.problem.instance import Instance
from models.referee.verdict import judge
from models.study.analysis import SteadyPoint
from models.study.budgets import DECIDED
from optimizer.solver.bridge import Bridge
from optimizer.study.splitter import DECIDED_COLUMNS, NearPlan, WholePlan
from optimizer.study.study import Made, Network
from optimizer.study.sweep import NEGLIGIBLE, Candidate, Sweep, crossed

NESTED, LEAST_CHANGE = "nested", "least_change"
STEADY_MODES = (NESTED, LEAST_CHANGE)
ROOM = 1e-6
OWN = 1.0
"""The scenario's own budget, as a share."""


@dataclass(frozen=True)
class Steadily:
    """How plans of neighbouring budgets hang together.

    Parameters
    ----------
    mode : {"nested", "least_change"}
    give : float
        Share of the goal that least change may give up at every budget.
    """

    mode: str
    give: float = 0.01


@dataclass(frozen=True, eq=False)
class _Step:
    """A budget on the walk: its free plan, its bound, the plan that it follows from and which way the walk goes."""

    share: float
    free: WholePlan
    bound: float
    before: WholePlan
    free_before: WholePlan
    up: bool


def steady_points(sweep: Sweep, asked: Steadily) -> tuple[SteadyPoint, ...]:
    """Steady plans at every budget that has a free one, by share upwards.

    Parameters
    ----------
    sweep : Sweep
        After its plans are made.
    asked : Steadily
    """
    free = dict(sweep.best())
    if not free:
        return ()
    shares = sorted(free)
    bounds = dict(zip(shares, sweep.bounds(shares), strict=True))
    anchor = OWN if OWN in free else shares[0]
    at = free[anchor]
    found = {anchor: _point(sweep, anchor, "anchor", at.made, at, bounds[anchor], 0.0, 0, 0)}
    for way in ([s for s in shares if s > anchor], [s for s in reversed(shares) if s < anchor]):
        before = free_before = at
        for share in way:
            step = _Step(share, free[share], bounds[share], before, free_before, share > anchor)
            found[share], before = _stepped(sweep, asked, step)
            free_before = free[share]
    return tuple(found[s] for s in shares)


def _stepped(sweep: Sweep, asked: Steadily, step: _Step) -> tuple[SteadyPoint, WholePlan]:
    """The point of a budget and the plan that the next one follows from."""
    nested = asked.mode == NESTED
    split, least = _nested(sweep, step) if nested else _least_changed(sweep, step, asked.give)
    status = "plan"
    if split is None or (
        step.up and nested and split.made.objective > step.before.made.objective + NEGLIGIBLE
    ):
        # a plan of a smaller budget is one of a larger: nothing of it has to change
        split, status = (step.before, "carried") if step.up else (None, "no_plan")
    elif split is step.before:
        status = "carried"
    changed_free = _changed(sweep, step.free_before, step.free)
    if split is None:
        return _point(
            sweep, step.share, status, None, step.free, step.bound, least, 0, changed_free
        ), step.before
    made = split.made
    if status == "carried":
        study = sweep.study
        made = replace(
            made,
            verdict=judge(study.county, study.standards, made.plan, study.times, sweep.request(step.share)),
        )
    changed = _changed(sweep, step.before, split)
    return _point(sweep, step.share, status, made, step.free, step.bound, least, changed, changed_free), split


def _point(
    sweep: Sweep, share: float, status: str, made: Made | None, free: WholePlan, bound: float, least: float, changed: int, changed_free: int
) -> SteadyPoint:  # fmt: skip
    """The figures of a point; ``least`` is what no plan that follows goes below."""
    best = free.made.objective
    value = math.nan if made is None else made.objective
    proven = 0.0 if sweep.study.goal in UPPER else max(0.0, least - best)
    if status == "anchor":
        proven = 0.0
    return SteadyPoint(
        share, status, value, best, bound, value - best, proven, value - bound, changed, changed_free,
        None if made is None else made.plan, None if made is None else made.verdict,
    )  # fmt: skip


def _changed(sweep: Sweep, before: WholePlan, after: WholePlan) -> int:
    """Decided amounts that differ between two plans."""
    if before is after:
        return 0
    changes = plan_changes(sweep.study.county, before.made.plan, after.made.plan)
    return int(changes["change"].isin(DECIDED).sum())


# --- nested


def _nested(sweep: Sweep, step: _Step) -> tuple[WholePlan | None, float]:
    """The best plan found that keeps to its neighbour, and what none goes below."""
    ranges = _ranges(sweep.study.instance, sweep.shared.bridge, step) | _bands(sweep, step)
    least, own = _bounded(sweep, step.share, ranges)
    best: WholePlan | None = None
    within = _ranges(sweep.study.instance, sweep.splitter.shared.bridge, step)
    for network in _networks(sweep, step, ranges, own):
        if not _keeps_bands(step, network):
            continue
        found = sweep.splitter.split(network, step.share, sweep.request(step.share), within)
        if found is None or not found.made.verdict.accepted:
            continue
        if best is None or found.made.objective < best.made.objective - NEGLIGIBLE:
            best = found
    return best, least


def _ranges(inst: Instance, bridge: Bridge, step: _Step) -> dict[int, tuple[float, float]]:
    """Bounds of decided amounts: at least those of the plan before, or at most."""
    low, high = bridge.low, bridge.high
    found = {}
    for component in DECIDED_COLUMNS:
        for key, column in bridge.at(component).items():
            value = step.before.amounts.get((component, key), 0.0)
            least, most = value - ROOM, value + ROOM if value else 0.0
            if component == "buy" and value > ROOM:
                least, most = bought_range(inst, key[0], key[1], value)
            if step.up and value > ROOM:
                found[column] = max(low[column], min(least, high[column])), high[column]
            elif not step.up:
                found[column] = low[column], min(high[column], max(most, low[column]))
    return found


def _bands(sweep: Sweep, step: _Step) -> dict[int, tuple[float, float]]:
    """Bounds of bands: what is decided stays decided upwards, and downwards nothing more is."""
    opens = sweep.shared.bridge.at("open")
    return {opens[k]: (v, v) for k, v in _settled(step).items() if k in opens}


def _settled(step: _Step) -> dict[tuple[str, str], float]:
    """Bands that may not be decided otherwise: upwards those given up, downwards those kept (all are taught today)."""
    return {k: v for k, v in step.before.network.bands.items() if (v < 0.5) == step.up}


def _keeps_bands(step: _Step, network: Network) -> bool:
    """Whether a network keeps to its neighbour's bands."""
    return all(network.bands.get(k) == v for k, v in _settled(step).items())


def _bounded(
    sweep: Sweep, share: float, ranges: dict[int, tuple[float, float]]
) -> tuple[float, Candidate | None]:
    """What no plan within ranges goes below; in small counties its network, too."""
    study, bridge = sweep.study, sweep.shared.bridge
    sweep.shared.at(share)
    for column, (low, high) in ranges.items():
        bridge.bound(column, low, high)
    if study.whole:
        answer = sweep.shared.search.minimise(study.goal, study.limits)
    else:
        answer = sweep.shared.search.relax(study.task.method.study_rounds, study.limits, goal=study.goal)
    bridge.release(ranges)
    own = sweep.add(answer.values) if study.whole and answer.values is not None else None
    if answer.status == "infeasible":
        return math.inf, None
    return (answer.bound if math.isfinite(answer.bound) else 0.0), own


def _networks(
    sweep: Sweep, step: _Step, ranges: dict[int, tuple[float, float]], own: Candidate | None
) -> Iterator[Network]:
    """Networks to try: the neighbour's, the free plan's, one between them, and the model's own."""
    seen = set()
    between = None
    if not sweep.study.whole and not sweep.interrupted:
        ends = [sweep.pool[n.key] for n in (step.before.network, step.free.network) if n.key in sweep.pool]
        between = crossed(sweep, step.share, ends, None, ranges) if len(ends) > 1 else None
    others = [c.network for c in (between, own) if c is not None]
    for network in (step.before.network, step.free.network, *others):
        if network.key not in seen:
            seen.add(network.key)
            yield network


# --- least change


def _least_changed(sweep: Sweep, step: _Step, give: float) -> tuple[WholePlan, float]:
    """The plan nearest to its neighbour whose goal is within a share of the free plan's."""
    most = step.free.made.objective + give * abs(step.free.made.objective) + NEGLIGIBLE
    if step.up and step.before.made.objective <= most:
        return step.before, 0.0
    best = step.free
    near = NearPlan(step.before.amounts, most)
    for network in _networks(sweep, step, {}, None):
        found = sweep.splitter.split(network, step.share, sweep.request(step.share), near=near)
        if found is None or not found.made.verdict.accepted or found.made.objective > most + NEGLIGIBLE:
            continue
        if _changed(sweep, step.before, found) < _changed(sweep, step.before, best):
            best = found
    return best, 0.0
