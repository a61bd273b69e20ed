"""Decisions made by hand as rows of the model: equations that hold them, or distances from them.

| held | equation |
|---|---|
| who goes where | sum_m attend[g,j,m] = 1, one mode where the mode is held |
| a band | open[j,b] = 0 or 1; classes[j,b] = n |
| hires, purchases | hire[u,c] = n; buy[u,k] = q |
| a transfer | x[u,v,c] = n, sum_v x[u,v,c] = out[u,c], sum_u x[u,v,c] <= into[v,c], x by township = flow |
| a moved thing | y[u,v,k] = q, sum_v y[u,v,k] = freed[u,k], sum_u y[u,v,k] = got[v,k] |

Transfers and moved things have no pairs of schools in the model otherwise (`models.formulation.solution` makes them): x and y
are declared for the categories and things of which one is held.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import pyomo.environ as pyo

from models.formulation.equipment import scale
from models.formulation.rows import rows_by
from models.plan.keeping import Held
from models.problem.instance import Instance

Model: TypeAlias = Any  # Pyomo has no types
HEADS = 10.0
"""Pupils that a head or a class counts for in a distance."""


@dataclass(frozen=True)
class Wanted:
    """One quantity of the model that a held row is about.

    Parameters
    ----------
    row : int
        Position in `Held.rows`.
    body : expression or None
        None where the model has no such decision: it is impossible whatever else is decided.
    amount : float
        What it has to be.
    size : float
        What a difference of 1 counts, where distances are added up: about pupils.
    why : str
        Where there is none: no_way, no_school, no_category, no_thing, no_pair, no_more.
    counts : str
        ``classes`` where it is the classes of a band, which follow from its pupils.
    """

    row: int
    body: Any
    amount: float
    size: float = 1.0
    why: str = ""
    counts: str = ""


def wanted_amounts(model: Model, inst: Instance, held: Held) -> list[Wanted]:
    """Every quantity that held rows are about; pairs of schools are declared where they need them."""
    done: list[Wanted] = []
    for i, row in enumerate(held.rows.to_dict("records")):
        done += _WANTED[str(row["action"])](model, inst, i, row)
    return done


def hold(model: Model, inst: Instance, held: Held) -> None:
    """State ``model.held[i, n]``: the n-th quantity of row i is what it has to be; rows without one cannot hold."""
    pair_variables(model, inst, held)
    rows = wanted_amounts(model, inst, held)
    keys = {(w.row, n): w for n, w in enumerate(rows)}

    def stated(m: Any, i: int, n: int) -> Any:
        one = keys[i, n]
        if one.body is None or isinstance(one.body, (int, float)):
            same = one.body is not None and abs(one.body - one.amount) < 1e-9
            return pyo.Constraint.Feasible if same else m.unit_open[next(iter(m.unit_open))] >= 2
        return one.body == one.amount

    model.held = pyo.Constraint(list(keys), rule=stated)


def impossible(inst: Instance, model: Model, held: Held) -> list[Wanted]:
    """Held rows of which the model has no decision at all, or none so large; ``amount`` is then the most that it can be."""
    found = []
    for w in wanted_amounts(model, inst, held):
        most = getattr(w.body, "ub", None)
        if w.body is None:
            found.append(w)
        elif most is not None and w.amount > most + 1e-9:
            found.append(replace(w, amount=float(most), why="no_more"))
    return found


# --- by kind of decision


def _attend(model: Model, inst: Instance, i: int, row: dict[str, Any]) -> list[Wanted]:
    groups = inst.groups
    mine = (
        (groups["village_id"] == row["village_id"]) & (groups["band"] == row["band"])
        & (groups["group"] == row["group"]) & (groups["today_school_id"] == row["from_id"])
    )  # fmt: skip
    done = []
    for g in groups.index[mine]:
        pairs = inst.pairs[(inst.pairs["g"] == g) & (inst.pairs["school_id"] == row["to_id"])]
        if row["held_mode"]:
            pairs = pairs[pairs["mode"] == row["mode"]]
        size = float(groups.at[g, "pupils"])
        if len(pairs):
            done.append(Wanted(i, sum(model.attend[p] for p in pairs.index), 1.0, size))
        elif not (inst.pairs["g"] == g).any() and row["to_id"] == row["from_id"]:
            continue  # they stay for certain
        else:
            taught = (row["to_id"], row["band"]) in inst.bands.index
            done.append(Wanted(i, None, 1.0, size, "no_way" if taught else "no_school"))
    return done or [Wanted(i, None, 1.0, 1.0, "no_school")]


def _band(model: Model, inst: Instance, i: int, row: dict[str, Any]) -> list[Wanted]:
    key = (row["school_id"], row["band"])
    if key not in inst.bands.index:
        return [Wanted(i, None, 1.0, 1.0, "no_school")]
    is_open = row["state"] == "open"
    done = []
    if row["held_state"]:
        size = max(1.0, float(inst.bands.at[key, "pupils"]))
        done.append(Wanted(i, model.open[key], float(is_open), size))
    if row["held_quantity"] and is_open:
        done.append(Wanted(i, model.classes[key], float(row["quantity"]), HEADS, counts="classes"))
    return done


def _unit(row: dict[str, Any], school: str = "school_id", stage: str = "stage") -> str:
    return f"{row[school]}/{row[stage]}"


def _hire(model: Model, inst: Instance, i: int, row: dict[str, Any]) -> list[Wanted]:
    key, heads = (_unit(row), row["item"]), float(row["quantity"])
    if key in model.hire:
        return [Wanted(i, model.hire[key], heads, HEADS)]
    return [Wanted(i, None if heads else 0.0, heads, HEADS, "no_category")]


def _buy(model: Model, inst: Instance, i: int, row: dict[str, Any]) -> list[Wanted]:
    key, amount = (_unit(row), row["item"]), float(row["quantity"])
    if key in model.buy:
        per = scale(inst, *key)
        return [Wanted(i, model.buy[key], amount / per, 1.0)]
    return [Wanted(i, None if amount else 0.0, amount, 1.0, "no_thing")]


def _transfer(model: Model, inst: Instance, i: int, row: dict[str, Any]) -> list[Wanted]:
    key = (_unit(row, "from_id", "from_stage"), row["item"], _unit(row, "to_id", "to_stage"))
    heads = float(row["quantity"])
    if key in model.between:
        return [Wanted(i, model.between[key], heads, HEADS)]
    return [Wanted(i, None if heads else 0.0, heads, HEADS, "no_pair")]


def _move(model: Model, inst: Instance, i: int, row: dict[str, Any]) -> list[Wanted]:
    key = (_unit(row, "from_id", "from_stage"), row["item"], _unit(row, "to_id", "to_stage"))
    amount = float(row["quantity"])
    if key in model.carried:
        return [Wanted(i, model.carried[key], amount / scale(inst, key[2], key[1]), 1.0)]
    return [Wanted(i, None if amount else 0.0, amount, 1.0, "no_pair")]


_WANTED = {
    "attend": _attend, "band": _band, "hire": _hire, "buy": _buy, "transfer": _transfer, "move_item": _move,
}  # fmt: skip


# --- pairs of schools


def pair_variables(model: Model, inst: Instance, held: Held) -> None:
    """Declare ``between[u,c,v]`` and ``carried[u,k,v]`` for the categories and things of which a row is held."""
    rows = held.rows
    moves, things = rows[rows["action"] == "transfer"], rows[rows["action"] == "move_item"]
    hubs = sorted(set(zip(moves["from_stage"], moves["item"], strict=True)))
    whole = any(model.into[k].is_integer() for k in model.into)
    _between(model, inst, hubs, moves, whole)
    _carried(model, inst, sorted(set(zip(things["from_stage"], things["item"], strict=True))))


def _between(model: Model, inst: Instance, hubs: list[tuple[str, str]], moves: Any, whole: bool) -> None:
    town, links = inst.units["township"].to_dict(), set(inst.links)
    into: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for v, c in model.into:
        into.setdefault((inst.stage_of[v], c), []).append((v, c))
    keys: dict[tuple[str, str, str], tuple[str, str]] = {}
    for s, c in hubs:
        targets = [(s, c), *(inst.categories.at[(s, c), "down"] if (s, c) in inst.categories.index else ())]
        sent = [u for u, k in model.out if k == c and inst.stage_of[u] == s]
        for u in sent:
            for target in targets:
                for v, low in into.get(target, ()):
                    if v != u and (town[u], town[v]) in links:
                        keys[u, c, v] = (v, low)
    model.between = pyo.Var(
        list(keys), domain=pyo.NonNegativeIntegers if whole else pyo.NonNegativeReals,
        bounds=lambda m, u, c, v: (0, inst.heads_today[u, c]),
    )  # fmt: skip
    of_sender: dict[Any, list[Any]] = {}
    of_target: dict[Any, list[Any]] = {}
    of_flow: dict[Any, list[Any]] = {}
    for (u, c, v), (_, low) in keys.items():
        x = model.between[u, c, v]
        of_sender.setdefault((u, c), []).append(x)
        of_target.setdefault((v, low), []).append(x)
        of_flow.setdefault((inst.stage_of[u], c, inst.stage_of[v], low, town[u], town[v]), []).append(x)
    senders = [k for k in model.out if (inst.stage_of[k[0]], k[1]) in hubs]
    flows = [f for f in model.flow if (f[0], f[1]) in hubs]
    model.between_out = pyo.Constraint(
        senders, rule=lambda m, u, c: sum(of_sender.get((u, c), [])) + 0.0 == m.out[u, c]
    )
    model.between_in = pyo.Constraint(
        list(of_target), rule=lambda m, v, c: sum(of_target[v, c]) <= m.into[v, c]
    )
    model.between_flow = pyo.Constraint(flows, rule=lambda m, *f: sum(of_flow.get(f, [])) + 0.0 == m.flow[f])
    held = [
        (_unit(r, "from_id", "from_stage"), r["item"], _unit(r, "to_id", "to_stage"))
        for r in moves.to_dict("records")
        if r["quantity"] > 0
    ]
    back = [(v, c, u) for u, c, v in held if (v, c, u) in keys and (u, c, v) in keys]
    # there and back in one category is no move
    model.between_back = pyo.Constraint(sorted(set(back)), rule=lambda m, *k: m.between[k] == 0)


def _carried(model: Model, inst: Instance, things: list[tuple[str, str]]) -> None:
    of_stage = rows_by(inst.units, "stage")
    keys = []
    for s, k in things:
        units = of_stage.get(s, [])
        keys += [
            (u, k, v) for u in units if (u, k) in model.freed for v in units if v != u and (v, k) in model.got
        ]
    model.carried = pyo.Var(keys, domain=pyo.NonNegativeReals)
    of_source: dict[Any, list[Any]] = {}
    of_target: dict[Any, list[Any]] = {}
    for u, k, v in keys:
        ratio = scale(inst, v, k) / scale(inst, u, k)  # one where both are of one stage
        of_source.setdefault((u, k), []).append(ratio * model.carried[u, k, v])
        of_target.setdefault((v, k), []).append(model.carried[u, k, v])
    model.carried_out = pyo.Constraint(
        list(of_source), rule=lambda m, u, k: sum(of_source[u, k]) == m.freed[u, k]
    )
    model.carried_in = pyo.Constraint(
        list(of_target), rule=lambda m, v, k: sum(of_target[v, k]) == m.got[v, k]
    )
