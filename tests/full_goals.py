"""Every goal of the second statement (`tests.full_milp`), after docs/model/goals.md and nothing else."""

from __future__ import annotations

import math
from itertools import product

import numpy as np

from tests.full_milp import STEP, Expr, Tables, add, minus, no, number, sums, times
from tests.full_rules import Unit, Whole

MUCH = 100.0
"""More than any squared CV about a total that is not the plan's own."""


def least(t: Tables, goal: str, **at_most: float) -> float | None:
    """The least value of a goal over all plans, of those that have others at most at a value; None where there is no plan."""
    whole = Whole(t)
    for one, value in at_most.items():
        whole.lp.least(number(value), GOALS[one](whole))
    return whole.lp.minimum(GOALS[goal](whole))


def _cells(w: Whole, u: Unit) -> list[tuple[str, float]]:
    """Resource of each indicator and what of it a pupil needs."""
    return [(str(i["resource"]), float(i["threshold"]) / float(i["scale"])) for i in w.t.of_stage(u[1])]


def _positive(w: Whole, x: Expr) -> Expr:
    column = w.lp.column()
    w.lp.least(column, x)
    return column


def over_cap(w: Whole) -> Expr:
    t, parts = w.t, []
    for u in w.units:
        cap = t.norm.get(f"class_cap_{u[1]}", math.inf)
        parts.append(_positive(w, minus(w.n[u], number(t.units[u]["capacity_pupils"]))))
        if not math.isfinite(cap):
            continue
        if w.mixed(u):
            parts.append(_positive(w, minus(w.n[u], times(cap, w.in_unit[u]))))
            continue
        for (j, b, _), x in w.classes.items():
            if (j, b) in w.bands_of[u]:
                parts.append(_positive(w, minus(w.grade(j, b), times(cap, x))))
    for j in t.schools:
        if math.isfinite(t.site_cap(j)):
            parts.append(
                _positive(w, minus(add(*(w.n[u] for u in w.units if u[0] == j)), number(t.site_cap(j))))
            )
    return add(*parts)


def _counted(w: Whole, u: Unit) -> Expr:
    """Whether a unit is assessed in the plan."""
    floor, yes = w.t.norm["assessed_min"], w.lp.yes()
    w.lp.least(w.n[u], times(floor, yes))
    w.lp.least(add(number(floor - 1), times(w.everybody, yes)), w.n[u])
    return yes


def _bad(w: Whole, u: Unit, said: Expr, today: bool) -> Expr:
    """1 where a unit counts and is not good: a closed one keeps today's word, a new one earns nothing."""
    if w.t.assessed(u):
        w.lp.least(add(w.up[u], number(float(today))), said)
        for k in (k for k in w.bands_of[u] if w.before[k]):  # one that gives up a band wins nothing
            w.lp.least(add(w.open[k], number(float(today))), said)
        return no(said)
    count = _counted(w, u)
    w.lp.least(count, said)
    return minus(count, said)


def _good(w: Whole, u: Unit, resource: str, need: float) -> Expr:
    """1 only where what is there is enough; a closed unit with (0, 0) has enough."""
    yes = w.lp.yes()
    w.lp.least(w.amount(u, resource), minus(times(need, w.n[u]), times(need * w.everybody, no(yes))))
    return yes


def _had(w: Whole, u: Unit, resource: str, need: float) -> bool:
    n = w.t.units[u]["n"]
    return bool(n > 0 and w.t.today(u, resource) / n >= need - 1e-11)


def failing(w: Whole) -> Expr:
    parts = []
    for u in w.units:
        met = {r: _good(w, u, r, need) for r, need in _cells(w, u)}
        passes, k = w.lp.yes(), w.t.norm["k_of_n"]
        w.lp.least(add(*met.values()), times(k, passes))
        for r, need in _cells(w, u):
            w.lp.least(_good(w, u, r, 0.85 * need), passes)
        had = sum(_had(w, u, r, need) for r, need in _cells(w, u)) >= k and all(
            _had(w, u, r, 0.85 * need) for r, need in _cells(w, u)
        )
        parts.append(_bad(w, u, passes, had))
    return add(*parts)


def cells(w: Whole) -> Expr:
    return add(
        *(_bad(w, u, _good(w, u, r, need), _had(w, u, r, need)) for u in w.units for r, need in _cells(w, u))
    )


def shortfall(w: Whole) -> Expr:
    parts = []
    for u in (u for u in w.units if w.t.assessed(u)):
        for r, need in _cells(w, u):
            left = max(0.0, w.t.units[u]["n"] - w.t.today(u, r) / need)
            missing = minus(w.n[u], times(1.0 / need, w.amount(u, r)))
            parts.append(_positive(w, add(missing, times(left, no(w.up[u])))))
    return add(*parts)


def _people(w: Whole, u: Unit) -> list[int]:
    """Every number of pupils that a unit may have."""
    mine = {(g, j) for g, j, _ in w.attend if (j, w.t.bands[str(w.t.groups[g]["band"])][0]) == u}
    found = sums(int(str(w.t.groups[g]["n"])) for g, _ in mine)
    return sorted(n for n in found if 0 < n <= max(w.t.units[u]["capacity_pupils"], w.t.units[u]["n"]))


def _ratios(w: Whole, u: Unit, resource: str, scale: float) -> list[float]:
    """Ratios of amount to pupils, over a scale, at which a tangent is laid: every one that can be, for heads."""
    people = _people(w, u)
    if resource in ("q", "b", "a"):
        heads = range(sum(w.t.staff(v) for v in w.units if v[1] in (u[1], "jun")) + 1)
        return sorted({round(x / n / scale, 9) for x in heads for n in people if x / n / scale < 5})
    stock = {w.t.today(u, resource) / n / scale for n in people}
    return sorted({*np.arange(0, 2 + STEP, STEP).round(9).tolist(), *stock})


def deficit(w: Whole) -> Expr:
    t, parts = w.t, []
    for u in w.units:
        size = sum(t.units[v]["n"] for v in w.units if v[1] == u[1])
        mine = [v for v in w.units if v[1] == u[1] and t.assessed(v)]
        for r, need in _cells(w, u):
            aim = max(need, sum(t.today(v, r) for v in mine) / max(1, sum(t.units[v]["n"] for v in mine)))
            lack, x = w.lp.column(), times(1.0 / aim, w.amount(u, r))
            for a in [a for a in _ratios(w, u, r, aim) if a <= 1]:
                w.lp.least(lack, add(times(2 * (a - 1), x), times(1 - a * a, w.n[u])))
            parts.append(times(1000 / size, lack))
    return add(*parts)


def _squared_cvs(w: Whole) -> list[tuple[Expr, float]]:
    """Squared CV of each indicator from below, exact at whole plans, with its limit; nothing is bought, and a unit is closed or counts.

    CV^2 = N sum x^2 / P / X^2 - 1: the sum by tangents, N and X each one of the totals that they can have.
    """
    t, found = w.t, []
    for x in w.buy.values():
        w.lp.equal(x, number(0))
    for s in sorted({u[1] for u in w.units}):
        mine = [u for u in w.units if u[1] == s]
        sure, rest = [u for u in mine if t.assessed(u)], [u for u in mine if not t.assessed(u)]
        if not sure:
            continue
        assert t.norm.get("assessed_floor") and len(rest) <= 1
        whole = sum(t.units[u]["n"] for u in mine)
        count = {u: _counted(w, u) for u in rest}
        people = {u: _product(w, count[u], w.n[u], whole) if u in count else w.n[u] for u in mine}
        sizes = sorted({whole, *(whole - n for u in rest for n in _people(w, u))})
        n_is = _one_of(w, add(*people.values()), sizes)
        for i in t.of_stage(s):
            r = str(i["resource"])
            base, heads = sum(t.today(u, r) for u in mine), r in ("q", "b", "a")
            if not base:
                continue
            share = {
                u: times(100 / base, w.amount(u, r)) for u in mine
            }  # per cent of all that there is: near one
            amount = {u: _product(w, count[u], x, 100) if u in count else x for u, x in share.items()}
            apart = sum(t.today(u, r) for u in rest)
            levels = np.arange(base - apart, base + 1).tolist() if heads else sorted({base, base - apart})
            x_is = _one_of(w, add(*amount.values()), [100 * x / base for x in levels])
            spread = []
            for u in mine:
                one = w.lp.column()
                stock = {round(t.today(v, r) / n, 9) for v in mine for n in _people(w, u)}
                for a in _ratios(w, u, r, 1.0) if heads else sorted(stock):
                    ratio = a * 100 / base
                    w.lp.least(one, minus(times(2 * ratio, amount[u]), times(ratio**2, people[u])))
                spread.append(one)
            cv2 = w.lp.column()
            for (size, at), (total, is_so) in product(n_is.items(), x_is.items()):
                off = times(MUCH, minus(number(2), add(at, is_so)))
                w.lp.least(add(cv2, off), minus(times(size / total**2, add(*spread)), number(1)))
            found.append((cv2, float(str(i["cv_limit"]))))
    return found


def _product(w: Whole, yes: Expr, x: Expr, most: float) -> Expr:
    """yes times x."""
    column = w.lp.column()
    w.lp.least(times(most, yes), column)
    w.lp.least(x, column)
    w.lp.least(column, minus(x, times(most, no(yes))))
    return column


def _one_of(w: Whole, x: Expr, values: list[float]) -> dict[float, Expr]:
    """A binary for each value that x may have."""
    found = {v: w.lp.yes() for v in values}
    w.lp.equal(add(*found.values()), number(1))
    w.lp.equal(x, add(*(times(v, z) for v, z in found.items())))
    return found


def cv_excess(w: Whole) -> Expr:
    return add(*(_positive(w, minus(cv2, number(limit**2))) for cv2, limit in _squared_cvs(w)))


def imbalance(w: Whole) -> Expr:
    return add(*(cv2 for cv2, _ in _squared_cvs(w)))


def beyond_limit(w: Whole) -> Expr:
    t = w.t
    far = [
        (g, x)
        for (g, j, m), x in w.attend.items()
        if _minutes(w, g, j, m) > t.limit(m, str(t.groups[g]["band"])) + 1e-9
        or (
            not t.groups[g]["own"]
            and t.groups[g]["was"] > t.limit(t.groups[g]["mode"], str(t.groups[g]["band"])) + 1e-9
        )
    ]
    return add({}, *(times(float(str(t.groups[g]["n"])), x) for g, x in far))


def _minutes(w: Whole, g: int, j: str, mode: str) -> float:
    one = w.t.groups[g]
    took = w.t.way.get((str(one["v"]), j, str(one["band"]), mode), math.nan)
    return took if one["own"] else max(took, float(one["was"]))  # by choice: nothing is gained by ending it


def travel(w: Whole) -> Expr:
    return add(
        *(
            times(float(str(w.t.groups[g]["n"])) * _minutes(w, g, j, m) / w.everybody, x)
            for (g, j, m), x in w.attend.items()
        )
    )


def disruption(w: Whole) -> Expr:
    staff = sum(n for n, _, _ in w.t.heads.values())
    return add(times(100 / w.everybody, w.moved), *(times(100 / staff, x) for x in w.move.values()))


def cost(w: Whole) -> Expr:
    return times(1e-4, add({}, *(x for parts in w.charge.values() for x in parts)))


GOALS = {f.__name__: f for f in (
    over_cap, failing, cells, shortfall, deficit, cv_excess, imbalance, beyond_limit, travel, disruption, cost)}  # fmt: skip
