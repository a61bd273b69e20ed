"""What the parts of a frontier share: the models, the networks and the bounds found so far, the best plan at a budget."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import numpy as np

from models.formulation.goals import UPPER
from models.problem.request import Request
from optimizer.study.budget_grid import proven_bounds
from optimizer.study.splitter import Ranges, Splitter, WholePlan
from optimizer.study.study import EVERY, Network, Shared, Study, network_of

NETWORKS_TRIED = 3
"""At every budget at most."""
NEGLIGIBLE = 1e-6


@dataclass(eq=False)
class Candidate:
    """A network found by one of the solves, with the share of the budget that it was found for."""

    network: Network
    values: np.ndarray
    columns: dict[int, float]
    share: float


@dataclass
class Sweep:
    """The work of one frontier: the shared models, the networks and the bounds found so far.

    ``made`` holds the plan and the network of every share that was looked at, none where no plan was found.
    """

    study: Study
    shared: Shared
    splitter: Splitter
    earmark: str
    pool: dict[tuple[object, ...], Candidate] = field(default_factory=dict)
    lines: list[tuple[float, float]] = field(default_factory=list)
    own: dict[float, float] = field(default_factory=dict)
    relaxed: dict[float, float] = field(default_factory=dict)
    made: dict[float, WholePlan | None] = field(default_factory=dict)
    proven: float = 0.0
    interrupted: bool = False

    @property
    def halted(self) -> bool:
        """True while a stop is in force; `wind_up` lifts it."""
        return self.study.task.stop.is_set()

    def stop_asked(self) -> bool:
        """True once a stop was asked for."""
        return self.interrupted or self.halted

    def wind_up(self) -> None:
        """After a stop the networks found are still made into plans; a second one ends that too."""
        self.interrupted = self.stop_asked()
        self.study.task.stop.clear()

    def add(self, values: np.ndarray) -> Candidate:
        """Keep a solution's network."""
        network = network_of(self.shared.search, values)
        if network.key not in self.pool:
            share = float(values[self.shared.column])
            self.pool[network.key] = Candidate(network, values, network.columns(self.shared.bridge), share)
        return self.pool[network.key]

    @property
    def shares(self) -> list[float]:
        """Shares that were looked at, upwards."""
        return sorted(self.made)

    def bounds(self, shares: list[float]) -> list[float]:
        """What is proven at some shares, upwards."""
        if self.study.goal in UPPER:
            # the model holds more of it than there is: nothing is proven but that it is not below zero
            return [0.0] * len(shares)
        return proven_bounds(shares, self.lines, {**self.relaxed, **self.own})

    def request(self, share: float) -> Request:
        """What is asked for at a share."""
        return replace(self.study.scenario.request(), budget=budget_at(self.study, share, self.earmark))

    def best(self) -> list[tuple[float, WholePlan]]:
        """The best plan known at every share: a plan of a smaller budget is one of a larger; shares without any are left out."""
        kept: list[tuple[float, WholePlan]] = []
        for share in self.shares:
            own = self.made[share]
            last = kept[-1][1] if kept else None
            if last is not None and (own is None or own.made.objective > last.made.objective * (1 + 1e-9)):
                own = last
            if own is not None:
                kept.append((share, own))
        return kept


def budget_at(study: Study, share: float, earmark: str) -> dict[str, float]:
    """Yuan by earmark at a share."""
    return {e: v * (share if earmark in (EVERY, e) else 1.0) for e, v in study.instance.budget.items()}


def crossed(
    sweep: Sweep, share: float, near: list[Candidate], start: np.ndarray | None, ranges: Ranges | None = None
) -> Candidate | None:
    """A network between others: what they agree on is kept, the rest decided for a share of the budget.

    Buses and closures make networks lumpy: one that suits a budget may not fit the next smaller one. The
    solve is small, since neighbours agree on most villages.

    Parameters
    ----------
    sweep : Sweep
    share : float
    near : list of Candidate
    start : ndarray or None
    ranges : mapping or None
        Bounds of columns besides the model's own.

    Returns
    -------
    Candidate or None
        None where they agree on all, or none was found.
    """
    if not near:
        return None
    same = {i: v for i, v in near[0].columns.items() if all(c.columns[i] == v for c in near[1:])}
    if len(same) == len(near[0].columns):
        return None
    bridge = sweep.shared.bridge
    sweep.shared.at(share)
    for column, (low, high) in (ranges or {}).items():
        bridge.bound(column, low, high)
    bridge.fix(same)
    answer = bridge.solve(sweep.study.goal, sweep.study.limits, start=start)
    bridge.release({*same, *(ranges or {})})
    return None if answer.values is None else sweep.add(answer.values)


def _cross(sweep: Sweep, share: float) -> None:
    """A network between the nearest ones below and above a share."""
    by_share = sorted(sweep.pool.values(), key=lambda c: c.share)
    most = sweep.study.task.method.frontier_crossed
    below = [c for c in by_share if c.share <= share][-most:]
    near = below + [c for c in by_share if c.share > share][:most]
    crossed(sweep, share, near, below[-1].values if below else None)


def suited(sweep: Sweep, share: float) -> list[tuple[float, Candidate]]:
    """The networks by the relaxation's value at a share, best first; those that do not fit left out."""
    bridge, found = sweep.shared.bridge, []
    sweep.shared.at(share)
    bridge.relax(True)
    for candidate in sweep.pool.values():
        bridge.fix(candidate.columns)
        answer = bridge.solve(sweep.study.goal, sweep.study.limits)
        bridge.release(candidate.columns)
        if answer.values is not None:
            found.append((answer.objective, candidate))
    bridge.relax(False)
    return sorted(found, key=lambda f: f[0])


def plans_at(sweep: Sweep, shares: Iterable[float]) -> None:
    """A whole plan at every one of some shares, upwards; a stop leaves the others without."""
    wanted = sorted(shares)
    for share, bound in zip(wanted, sweep.bounds(wanted), strict=True):
        below = [s for s in sweep.shares if s < share and sweep.made[s] is not None]
        last = sweep.made[below[-1]] if below else None
        found = None
        if share >= sweep.proven - 1e-9 and not sweep.halted:
            found = plan_at(sweep, share, None if last is None else last.network, bound)
        sweep.made[share] = found


def plan_at(sweep: Sweep, share: float, last: Network | None, bound: float) -> WholePlan | None:
    """A share's plan: the neighbour's network, ``last``, is kept where it is as good.

    The relaxation says which network to try first. Where it is far below the plan that comes of it (whole heads and
    places, counts of units) it tells networks apart badly: the next ones are tried as well.
    """
    study, tolerance = sweep.study, sweep.study.goals[0].tolerance
    if not study.whole and not sweep.interrupted:
        _cross(sweep, share)
    ranked = suited(sweep, share)
    same = None if last is None else last.key
    kept = [f for f in ranked if f[1].network.key == same and f[0] <= ranked[0][0] * (1 + tolerance)]
    tried = kept + [f for f in ranked if f[1].network.key != same or not kept]
    enough = bound * (1 + max(study.limits.gap, tolerance)) + NEGLIGIBLE
    best: WholePlan | None = None
    for least, candidate in tried[:NETWORKS_TRIED]:
        if best is not None and (
            sweep.interrupted or best.made.objective <= max(enough, least * (1 + tolerance))
        ):
            continue
        # a network is worth its later goals only where its first is better than what there is
        below = math.inf if best is None else (best.made.objective - NEGLIGIBLE) / (1 + tolerance)
        found = sweep.splitter.split(candidate.network, share, sweep.request(share), below=below)
        if found is not None and (
            best is None or found.made.objective * (1 + tolerance) < best.made.objective - NEGLIGIBLE
        ):
            best = found
    return best
