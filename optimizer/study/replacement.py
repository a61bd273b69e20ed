"""What the other decision about a school would cost: proven at least, and at most by a plan found.

A school either keeps all its free bands or gives something up; where both are a school's plans, forcing
the one that the best plan does not take is the other decision. Its cost is the rise of imbalance over the
best plan's bands, in the model of `optimizer.study.nearby.Nearby.part`.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import pandas as pd

from optimizer.solver.limits import Answer, Progress
from optimizer.study.nearby import Nearby, bounds_of, stated_value, villages_for

COLUMNS = [
    "school_id", "school", "township", "best", "closes", "of", "recurs", "other", "cost_most", "cost_least",
]  # fmt: skip


@dataclass
class Forced:
    """One school's other decision, and what imbalance is proven and found with it.

    ``least`` is infinite where no plan exists; ``most`` where none was found, NaN where none was looked for.
    """

    school_id: str
    keys: list[tuple[str, str]]
    keeps: bool
    least: float = 0.0
    most: float = math.nan
    values: np.ndarray | None = None

    def rise(self, own: float) -> tuple[float, float]:
        """At most and at least over the best plan's bands, never below zero."""
        least = self.least if math.isinf(self.least) else max(0.0, self.least - own)
        most = math.inf if math.isinf(least) else self.most - own
        if math.isnan(most):
            return most, 0.0 if math.isnan(least) else least
        return max(0.0, most), min(least, max(0.0, most))  # the bound has a tolerance of its own


def decisions(search: Nearby) -> pd.DataFrame:
    """How often each free school gives something up, and what the other decision would cost.

    ``cost_most`` is infinite where no plan was found and NaN where none was looked for (stopped).
    """
    states = [f.state for f in search.found]
    about = search.study.county.schools.set_index("school_id")
    bands = search.study.instance.bands
    asked = []
    for school_id in sorted({j for j, _ in search.free}):
        keys = [k for k in search.free if k[0] == school_id]
        asked.append(Forced(school_id, keys, not all(states[0][k] for k in keys)))
    own = math.nan
    base = None if search.stop_asked() or not asked else _base(search)
    if base is not None:
        own = base[0]
        _price(search, asked, own, base[1])
    rows = []
    for a in asked:
        gone = [any(not s[k] for k in a.keys) for s in states]
        every = len(a.keys) == int((bands.index.get_level_values("school_id") == a.school_id).sum())
        shut = "close" if every and not any(states[0][k] for k in a.keys) else "reduce"
        state = shut if a.keeps else "keep"
        other = "keep" if a.keeps else "close" if every and len(a.keys) == 1 else "reduce"
        recurs = "always" if all(gone) else "sometimes" if any(gone) else "never"
        rows.append(
            (
                a.school_id, about.at[a.school_id, "name"], about.at[a.school_id, "township"], state, sum(gone), len(gone), recurs,
                other, *a.rise(own),
            )
        )  # fmt: skip
    return pd.DataFrame(rows, columns=COLUMNS)


def _price(search: Nearby, asked: list[Forced], own: float, values: np.ndarray) -> None:
    """Fill in the figures: by relaxation for every school, by a small solve, by a tree where it can say more."""
    begun = time.monotonic()
    report, method = search.study.task.report, search.study.task.method
    root = _relaxed(search, asked)
    possible = [a for a in asked if not math.isinf(a.least)]
    for done, a in enumerate(possible):
        if report is not None:
            seconds, share = time.monotonic() - begun, done / len(possible)
            report("sites_priced", Progress(seconds, done, len(possible), 1 - share, 0))
        most = [f.value for f in search.found[1:] if all(f.state[k] for k in a.keys) == a.keeps]
        if not search.study.whole and not search.stop_asked():
            most.append(_local(search, a, values))
        deep = (
            search.study.whole or a.least - root >= method.worth_a_tree * own or not np.isfinite(most).any()
        )
        if deep and not search.stop_asked():
            bound, found = _tree(search, a)
            a.least = max(a.least, bound)
            most.append(found)
        known = [m for m in most if math.isfinite(m)]
        if known or not search.stop_asked():
            a.most = min(known, default=math.inf)
        if (
            not search.study.whole
        ):  # a solution in fractions that came before some planes were added is no value of the model
            a.most = max(a.most, a.least)


def _base(search: Nearby) -> tuple[float, np.ndarray] | None:
    """The best plan's bands in the pricing model: their imbalance and a solution."""
    best = search.found[0]
    if search.study.whole:
        assert search.start is not None
        return best.made.objective, search.start
    part = search.part
    start = None if search.start is None else search.carried(search.start)
    found = villages_for(search.study, part, bounds_of(part, best.state), search.study.goals[:1], start)
    return None if found is None else (found.value, found.values)


def _forcing(search: Nearby, a: Forced) -> tuple[dict[int, float], list[object]]:
    """Columns to fix and rows to add for a decision: bands close from the top, so the top one tells."""
    if a.keeps:
        return bounds_of(search.part, dict.fromkeys(a.keys, True)), []
    scheme = search.study.instance.standards.scheme
    above = {low: up for s in scheme.stage_ids for low, up in pairwise(scheme.bands_of(s))}
    tops = [k for k in a.keys if (k[0], above.get(k[1])) not in a.keys]
    if len(tops) == 1:
        return bounds_of(search.part, {tops[0]: False}), []
    return {}, [len(tops) - 1 - sum(search.part.model.open[k] for k in tops) >= 0]


def _relaxed(search: Nearby, asked: list[Forced]) -> float:
    """The relaxation's value for every decision, infinite where it has none; returns the free one's."""
    bridge, limits, goal = search.part.bridge, search.study.limits, search.study.goal
    bridge.relax(True)
    root = bridge.solve(goal, limits).bound
    for a in asked:
        fixed, rows = _forcing(search, a)
        mark = bridge.rows
        bridge.fix(fixed)
        bridge.add_rows(rows)
        answer = bridge.solve(goal, limits)
        bridge.release(fixed)
        bridge.forget_rows(mark)
        if search.stop_asked():
            break
        a.least = math.inf if answer.status == "infeasible" else max(a.least, answer.bound)
    bridge.relax(False)
    return root


def _local(search: Nearby, a: Forced, values: np.ndarray) -> float:
    """Imbalance found with the other bands, and the villages that the school does not concern, as they are.

    First only the villages that could attend it may change, then those too that share a school with them.
    """
    part, pairs, method = search.part, search.study.instance.pairs, search.study.task.method
    attend = part.bridge.at("attend")
    fixed, rows = _forcing(search, a)
    bands = bounds_of(part, {k: v for k, v in search.found[0].state.items() if k not in a.keys})
    place = pd.MultiIndex.from_frame(pairs[["school_id", "band"]])
    here = place.isin(a.keys)
    for _ in range(method.local_rings):
        near = pairs["g"].isin(pairs.loc[here, "g"])
        kept = {attend[p] for p in pairs.index[~near]}
        rest = {i: float(round(values[i])) for i in sorted(kept)}
        found = _solved(search, a, bands | rest | fixed, rows, method.local_nodes)[1]
        if math.isfinite(found) or search.stop_asked():
            return found
        here = place.isin(place[near])
    return math.inf


def _tree(search: Nearby, a: Forced) -> tuple[float, float]:
    """Bound and imbalance found with everything else free."""
    fixed, rows = _forcing(search, a)
    study = search.study
    nodes = study.limits.nodes if study.whole else study.task.method.tree_nodes
    return _solved(search, a, fixed, rows, nodes)


def _solved(
    search: Nearby, a: Forced, fixed: dict[int, float], rows: list[object], nodes: int | None
) -> tuple[float, float]:
    """One forced solve: its bound, and the first goal of its solution without tangents (infinite: none)."""
    part, study = search.part, search.study
    bridge, goal = part.bridge, study.goal
    mark = bridge.rows
    bridge.fix(fixed)
    bridge.add_rows(rows)
    limits = replace(study.limits, nodes=nodes)
    if study.whole:  # quick, so solved until no tangent is missing
        answer: Answer = part.minimise(goal, limits)
    else:
        answer = bridge.solve(goal, limits, start=a.values, progress=study.task.watch("replacement"))
    bridge.release(fixed)
    bridge.forget_rows(mark)
    if answer.status == "infeasible":
        return math.inf, math.inf
    if answer.values is None:
        return answer.bound if math.isfinite(answer.bound) else 0.0, math.inf
    a.values = answer.values
    found = stated_value(part, goal, answer.values)
    part.tighten(goal, answer.values, study.task.method.cut_slack)
    return answer.bound, found
