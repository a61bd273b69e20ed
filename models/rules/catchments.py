"""Rules about who attends where as a whole.

| rule | equation |
|---|---|
| assignment | sum_{j,m} attend[g,j,m] = 1 (village groups); pupils who by-pass: attend[g,stay] = open[j0(g),b] |
| open_band | sum_m attend[g,j,m] <= open[j,b] |
| bands_together | abs(x[i,b,j] - x[i,b+1,j]) <= open[j0,b] - open[j0,b+1], neighbouring bands of a stage |
| no_exchange | x[g,k] <= sends[j,k,b] (j0(g) = j), x[g',j] <= 1 - sends[j,k,b] (j0(g') = k) |
| no_ring | to[j,k,b] + to[k,l,b] + to[l,j,b] <= 2, x[g,k] <= to[j,k,b] (j0(g) = j) |
| no_swap | x[i,b,k] + x[i,b',j] <= 1, bands b of j and b' of k of a village |
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import combinations, pairwise, product
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyomo.environ as pyo

from geodata.contract.groups import kind_in
from models.districting.assignment import only_if_open
from models.formulation.rows import rows_by
from models.problem.baseline import planning_demand
from models.rules.record import Rows, Rule, Slack, all_of, broken, none
from models.standards.norms import Standards

if TYPE_CHECKING:
    from models.plan.outcome import After

KEY = ["village_id", "band", "group", "today_school_id"]


def _assign(rows: Rows) -> None:
    inst, model = rows.inst, rows.model
    of_group = rows_by(inst.pairs, "g")
    main = inst.groups["main"].to_dict()
    rows.add(list(of_group), lambda m, g: sum(m.attend[p] for p in of_group[g]) == 1, part="once")
    stays = inst.pairs[inst.pairs["stay"] & ~inst.pairs["g"].map(main).astype(bool)]
    keys = {int(r.Index): (r.school_id, r.band) for r in stays.itertuples()}
    rows.add(list(keys), lambda m, p: m.attend[p] == m.open[keys[p]], part="stays")
    del model


def check_assignment(after: After) -> pd.DataFrame:
    """Pupils in = pupils assigned; groups as today and whole; who by-passes stays while the school teaches."""
    travel = after.travel
    keys = list(zip(*(travel[c] for c in KEY), strict=True))
    have: dict[tuple[str, ...], list[float]] = {}
    for key, n in zip(keys, travel["pupils"], strict=True):
        have.setdefault(key, []).append(n)
    groups = zip(*(after.groups[c] for c in (*KEY, "pupils")), strict=True)
    want: dict[tuple[str, ...], float] = {(v, b, g, j): n for v, b, g, j, n in groups}
    parts = []
    if have.keys() != want.keys() or any(len(n) > 1 or n[0] != want[k] for k, n in have.items()):
        parts.append(_not_as_today(after))
    choice = np.array([kind_in(g) == "choice" for g in travel["group"]], dtype=bool) & travel[
        "changed"
    ].to_numpy(bool)
    if choice.any():
        some, is_open = travel[choice], after.open_of
        stays = [is_open.get(k, False) for k in zip(some["today_school_id"], some["band"], strict=True)]
        off = some[np.array(stays, dtype=bool)]
        parts.append(broken(off, "village_id", "village", off["pupils"], 0, "pupils"))
    parts.append(_lost(after))
    return all_of(parts).drop_duplicates(["place_id", "place", "amount", "limit"], ignore_index=True)


def _not_as_today(after: After) -> pd.DataFrame:
    """Groups that are not whole, or not of today."""
    want = after.groups[[*KEY, "pupils"]].rename(columns={"pupils": "want"})
    have = after.travel.groupby(KEY, as_index=False).agg(pupils=("pupils", "sum"), rows=("pupils", "size"))
    both = want.merge(have, on=KEY, how="outer").fillna({"want": 0, "pupils": 0, "rows": 0})
    wrong = both[(both["want"] != both["pupils"]) | (both["rows"] > 1)]
    return broken(wrong, "village_id", "band", wrong["pupils"], wrong["want"], "pupils")


def _lost(after: After) -> pd.DataFrame:
    """Pupils of the planning demand who are placed nowhere or twice."""
    demand, travel = planning_demand(after.county), after.travel
    known = set(zip(after.groups["village_id"], after.groups["band"], strict=True))
    got: dict[tuple[str, str], float] = {}
    for v, b, n in zip(travel["village_id"], travel["band"], travel["pupils"], strict=True):
        if n == n:
            got[v, b] = got.get((v, b), 0) + n
    placed = [got.get(k, 0.0) for k in zip(demand["village_id"], demand["band"], strict=True)]
    # the unreachable are listed in the findings
    of_plan = [k in known for k in zip(demand["village_id"], demand["band"], strict=True)]
    wrong = (np.array(placed, dtype=float) != demand["total"].to_numpy(float)) & np.array(of_plan, dtype=bool)
    if not wrong.any():
        return none()
    lost = demand[wrong]
    return broken(lost, "village_id", "band", np.array(placed)[wrong], lost["total"], "pupils")


def _attend_open(rows: Rows) -> None:
    inst, model = rows.inst, rows.model
    lock = inst.bands["lock"].to_dict()
    of_place = {
        k: r
        for k, r in rows_by(inst.pairs, "g", "school_id", "band").items()
        if lock.get((k[1], k[2]), "open") != "open"
    }
    only_if_open(model, of_place, {(g, j, b): model.open[j, b] for g, j, b in of_place}, rows.rule.id)


def check_open_band(after: After) -> pd.DataFrame:
    """Nobody attends a band that is closed or that the site does not teach (fully, unless already there)."""
    travel = after.travel
    keys = list(zip(travel["school_id"], travel["band"], strict=True))
    is_open = after.open_of
    full = dict(zip(after.today.band, after.bands["full"].tolist(), strict=True))
    wrong = np.array(
        [
            not is_open.get(k, False) or (moved and not full.get(k, False))
            for k, moved in zip(keys, travel["changed"].to_numpy(), strict=True)
        ],
        dtype=bool,
    )
    rows = travel[wrong]
    return broken(rows, "school_id", "school", rows["pupils"], 0, "pupils")


def _neighbours(standards: Standards) -> list[tuple[str, str]]:
    """Neighbouring bands of one stage, lower first."""
    return [x for s in standards.scheme.stage_ids for x in pairwise(standards.scheme.bands_of(s))]


def _together(rows: Rows) -> None:
    """Groups of one village whose neighbouring bands of a stage attend one school today."""
    inst = rows.inst
    main = inst.groups[inst.groups["main"]].reset_index()
    of_place = rows_by(inst.pairs, "g", "school_id")
    reach = {g: set(some) for g, some in inst.pairs.groupby("g")["school_id"]}
    keys: dict[tuple[int, int, str], tuple[str, str, str]] = {}
    for low, high in _neighbours(inst.standards):
        both = main[main["band"] == low].merge(
            main[main["band"] == high],
            on=["village_id", "group", "today_school_id"],
            suffixes=("_low", "_high"),
        )
        for r in both.itertuples():
            home = str(r.today_school_id)
            if (home, low) in inst.bands.index and (home, high) in inst.bands.index:
                for j in sorted((reach.get(r.g_low, set()) | reach.get(r.g_high, set())) - {home}):
                    keys[int(r.g_low), int(r.g_high), str(j)] = home, low, high

    def apart(m: Any, g: int, h: int, j: str, sign: int) -> Any:
        home, low, high = keys[g, h, j]
        x = sum(m.attend[p] for p in of_place.get((g, j), []))
        y = sum(m.attend[p] for p in of_place.get((h, j), []))
        return sign * (x - y) <= m.open[home, low] - m.open[home, high]

    rows.add([(*k, s) for k in keys for s in (1, -1)], apart)


def check_together(after: After) -> pd.DataFrame:
    """Bands of a stage that attend one school today attend one in the plan, unless it gives up a band."""
    travel = after.travel
    rows: dict[tuple[str, str, str], list[int]] = {}
    for i, (v, g, b) in enumerate(zip(travel["village_id"], travel["group"], travel["band"], strict=True)):
        if kind_in(g) == "zone":
            rows.setdefault((v, g, b), []).append(i)
    was, now = travel["today_school_id"].tolist(), travel["school_id"].tolist()
    is_open, found = after.open_of, []
    for lower, upper in _neighbours(after.standards):
        for (v, g, b), some in rows.items():
            for i, k in product(some, rows.get((v, g, upper), ())) if b == lower else ():
                reduced = is_open.get((was[i], lower), True) and not is_open.get((was[i], upper), True)
                if was[i] == was[k] and now[i] != now[k] and not reduced:
                    found.append(i)
    wrong = travel.iloc[found]
    return broken(wrong, "village_id", "village", wrong["pupils"], 0, "pupils")


def _no_exchange(rows: Rows) -> None:
    inst, model = rows.inst, rows.model
    moves = inst.pairs[inst.pairs["changed"]].merge(
        inst.groups[["today_school_id"]], left_on="g", right_index=True
    )
    ends = list(zip(moves["today_school_id"], moves["school_id"], moves["band"], strict=True))
    there = set(ends)
    low_first = [(min(a, b), max(a, b), band) for a, b, band in ends]
    both = sorted({k for k in low_first if k in there and (k[1], k[0], k[2]) in there})
    if not both or not rows.binds("no_exchange"):
        return
    model.sends = pyo.Var(both, domain=pyo.Binary)
    wanted = set(both)
    keys = {
        int(p): (k, a < b)
        for p, a, b, k in zip(
            moves.index, moves["today_school_id"], moves["school_id"], low_first, strict=True
        )
        if k in wanted
    }

    def one_way(m: Any, p: int) -> Any:
        k, up = keys[p]
        return m.attend[p] <= (m.sends[k] if up else 1 - m.sends[k])

    rows.add(list(keys), one_way)


def check_no_exchange(after: After) -> pd.DataFrame:
    """No two schools send each other pupils of one band."""
    moved = after.travel[after.travel["changed"]]
    ends = set(zip(moved["today_school_id"], moved["school_id"], moved["band"], strict=True))
    if not any((j, k, b) in ends for k, j, b in ends):
        return none()
    flows = moved.groupby(["today_school_id", "school_id", "band"], as_index=False)["pupils"].sum()
    back = flows.rename(
        columns={"today_school_id": "school_id", "school_id": "today_school_id", "pupils": "back"}
    )
    both = flows.merge(back, on=["today_school_id", "school_id", "band"])
    both = both[both["today_school_id"] < both["school_id"]]
    if both.empty:
        return none()
    both["name"] = both["today_school_id"].map(after.county.schools.set_index("school_id")["name"])
    return broken(both, "today_school_id", "name", both[["pupils", "back"]].min(axis=1), 0, "pupils")


def _three(ends: Iterable[tuple[str, str, str]]) -> list[tuple[str, str, str, str]]:
    """Rings of three among (from, to, band): (j, k, l, band), the first of the three by id first."""
    after: dict[tuple[str, str], set[str]] = {}
    for j, k, b in ends:
        after.setdefault((j, b), set()).add(k)
    return sorted(
        (j, k, last, b)
        for (j, b), some in after.items()
        for k in some
        for last in after.get((k, b), ())
        if j < min(k, last) and k != last and j in after.get((last, b), ())
    )


def _no_ring(rows: Rows) -> None:
    inst, model = rows.inst, rows.model
    moves = inst.pairs[inst.pairs["changed"]].join(inst.groups["today_school_id"], on="g")
    ends = dict(
        zip(
            moves.index.tolist(),
            zip(moves["today_school_id"], moves["school_id"], moves["band"], strict=True),
            strict=True,
        )
    )
    rings = _three(ends.values())
    if not rings or not rows.binds("no_ring"):
        return
    sides = {r: [(r[i], r[(i + 1) % 3], r[3]) for i in range(3)] for r in rings}
    # follows from attend, so it need not be whole: at 1 where one is, and free to be so where none is
    model.goes_to = pyo.Var(sorted({e for some in sides.values() for e in some}), bounds=(0, 1))
    on = [p for p, end in ends.items() if end in model.goes_to]
    rows.add(on, lambda m, p: m.attend[p] <= m.goes_to[ends[p]], part="to", firm=True)
    rows.add(rings, lambda m, *r: sum(m.goes_to[e] for e in sides[r]) <= 2)


def check_no_ring(after: After) -> pd.DataFrame:
    """No three schools pass pupils of one band round: the first to the second, the second to the third, it to the first."""
    moved = after.travel[after.travel["changed"]]
    many: dict[tuple[str, str, str], float] = {}
    for j, k, b, n in zip(
        *(moved[c] for c in ("today_school_id", "school_id", "band", "pupils")), strict=True
    ):
        many[j, k, b] = many.get((j, k, b), 0.0) + n
    found = [
        (j, min(many[j, k, b], many[k, last, b], many[last, j, b]), f"{j} {k} {last}")
        for j, k, b in many
        for last in {y for x, y, c in many if (x, c) == (k, b)}
        if j < min(k, last) and (last, j, b) in many
    ]
    if not found:
        return none()
    name = after.today.schools["name"]
    wrong = pd.DataFrame(found, columns=["school_id", "least", "ring"])
    wrong["name"] = [" → ".join(str(name[j]) for j in ring.split()) for ring in wrong["ring"]]
    return broken(wrong, "school_id", "name", wrong["least"], 0, "pupils")


def _no_swap(rows: Rows) -> None:
    """Groups of one village that attend two schools today: not each to the other's."""
    inst = rows.inst
    main = inst.groups[inst.groups["main"]]
    home, of_place = main["today_school_id"].to_dict(), rows_by(inst.pairs, "g", "school_id")
    keys = [
        (g, h)
        for some in rows_by(main, "village_id", "group").values()
        for g, h in combinations(some, 2)
        if home[g] != home[h] and (g, home[h]) in of_place and (h, home[g]) in of_place
    ]
    rows.add(
        keys,
        lambda m, g, h: sum(m.attend[p] for p in [*of_place[g, home[h]], *of_place[h, home[g]]]) <= 1,
    )


def check_no_swap(after: After) -> pd.DataFrame:
    """No two bands of a village that are apart today go each to the school of the other."""
    moved = after.travel[after.travel["changed"]]
    rows = [
        (v, g, str(was), str(now), i)
        for i, (v, g, was, now) in enumerate(
            zip(*(moved[c] for c in ("village_id", "group", "today_school_id", "school_id")), strict=True)
        )
        if kind_in(g) == "zone"
    ]
    at = {(v, g, was, now): i for v, g, was, now, i in rows}
    found = [(i, at[v, g, now, was]) for v, g, was, now, i in rows if was < now and (v, g, now, was) in at]
    if not found:
        return none()
    wrong = moved.iloc[[i for i, _ in found]]
    both = moved["pupils"].to_numpy(float)[np.array(found)].min(axis=1)
    return broken(wrong, "village_id", "village", pd.Series(both, index=wrong.index), 0, "pupils")


RULES = (
    Rule("assignment", "catchments", check_assignment, _assign),
    Rule("open_band", "catchments", check_open_band, _attend_open),
    Rule("bands_together", "catchments", check_together, _together, ("bands_together",), Slack("groups", "minutes", 30.0)),
    Rule("no_exchange", "catchments", check_no_exchange, _no_exchange, ("no_exchange",), Slack("groups", "minutes", 30.0)),
    Rule("no_ring", "catchments", check_no_ring, _no_ring, ("no_ring",), Slack("groups", "minutes", 30.0)),
    Rule("no_swap", "catchments", check_no_swap, _no_swap, ("no_swap",), Slack("groups", "minutes", 30.0)),
)  # fmt: skip
