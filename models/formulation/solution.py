"""From a solved model to a `Plan`: whole numbers, school pairs instead of township flows."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyomo.environ as pyo
from scipy.optimize import linprog
from scipy.sparse import csr_array, vstack

from models.formulation.classes import taught_bands
from models.formulation.equipment import scale
from models.formulation.money import AREA_PARTS
from models.plan.decisions import Plan, make_plan
from models.problem.instance import Instance
from models.standards.norms import Resource

SMALLEST = 1e-6


def _number(variable: object) -> float:
    return float(pyo.value(variable))


def attendance(model: pyo.ConcreteModel, inst: Instance) -> pd.DataFrame:
    """Rows of ``plan.attendance``: groups by their chosen pair, the others as today."""
    chosen = [p for p in inst.pairs.index if _number(model.attend[p]) > 0.5]
    way = inst.pairs.loc[chosen].set_index("g")[["school_id", "mode"]]
    groups = inst.groups.copy()
    groups["school_id"] = way["school_id"].reindex(groups.index).fillna(groups["today_school_id"])
    groups["mode"] = way["mode"].reindex(groups.index).fillna(groups["today_mode"])
    return groups.reset_index(drop=True)


def _pair_up(sent: pd.DataFrame, come: pd.DataFrame, cost: np.ndarray) -> np.ndarray | None:
    """Whole transport plan of least cost between senders and receivers (a network, so whole), if any."""
    rows, cols = np.nonzero(np.isfinite(cost))
    if not len(rows):
        return None
    arcs = np.arange(len(rows))
    supply = csr_array((np.ones(len(rows)), (rows, arcs)), shape=(len(sent), len(rows)))
    demand = csr_array((np.ones(len(rows)), (cols, arcs)), shape=(len(come), len(rows)))
    answer = linprog(
        cost[rows, cols], A_eq=vstack([supply, demand]),
        b_eq=np.concatenate([sent["heads"].to_numpy(float), come["heads"].to_numpy(float)]), method="highs-ds",
    )  # fmt: skip
    if answer.x is None:
        return None
    heads = np.zeros(cost.shape)
    heads[rows, cols] = np.round(answer.x)
    return heads


def told_pairs(model: pyo.ConcreteModel) -> dict[tuple[str, str, str], int]:
    """Heads by (unit, category, unit) where the model itself has pairs of schools (`models.formulation.holding`)."""
    pairs = model.component("between")
    if pairs is None:
        return {}
    heads = {k: round(_number(pairs[k])) for k in pairs}
    fixed = {k for k, n in heads.items() if n and heads.get((k[2], k[1], k[0]), 0)}
    for u, c, v in fixed:  # there and back is no move
        both = min(heads[u, c, v], heads.get((v, c, u), 0))
        heads[u, c, v] -= both
        heads[v, c, u] -= both
    return {k: n for k, n in heads.items() if n}


def arriving_as(inst: Instance, unit: str, category: str, to_unit: str) -> str:
    """The category that heads have where they arrive: their own, or the one of the lower stage."""
    stage = inst.stage_of[to_unit]
    if stage == inst.stage_of[unit]:
        return category
    return next(
        str(low) for s, low in inst.categories.at[(inst.stage_of[unit], category), "down"] if s == stage
    )


def _ends_of_moves(
    model: pyo.ConcreteModel, inst: Instance, cancel: bool
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Whole heads leaving and arriving by unit and category, cancelled against each other or not."""
    keys = list(inst.stock.index)
    out = {k: round(_number(model.out[k])) if k in model.out else 0 for k in keys}
    into = {k: round(_number(model.into[k])) if k in model.into else 0 for k in keys}
    for (u, c, v), heads in told_pairs(model).items():
        out[u, c] -= heads
        into[v, arriving_as(inst, u, c, v)] -= heads
    same = {k: min(out[k], into[k]) if cancel else 0 for k in keys}
    table = pd.DataFrame(
        [(u, c, inst.units.at[u, "stage"], inst.units.at[u, "township"], out[u, c] - same[u, c], into[u, c] - same[u, c]) for u, c in keys],
        columns=["unit_id", "cat_id", "stage", "township", "out", "into"],
    )  # fmt: skip
    shut = {u for u in inst.units.index if _number(model.unit_open[u]) < 0.5}
    if inst.standards.kind("near_retirement_stays") not in ("hard", "soft"):
        shut = set()  # they may go as far as others
    near = [
        min(int(inst.stock.at[k, "near"]), n) if k[0] in shut else 0
        for k, n in zip(keys, table["out"], strict=True)
    ]
    free = table.assign(out=table["out"] - near, stays=False)
    sent = pd.concat([free, table.assign(out=near, stays=True)], ignore_index=True)
    sent = sent[sent["out"] > 0].rename(columns={"out": "heads"}).reset_index(drop=True)
    come = table[table["into"] > 0].rename(columns={"into": "heads"}).reset_index(drop=True)
    return sent, come


def _pairing_cost(inst: Instance, sent: pd.DataFrame, come: pd.DataFrame, towns: pd.DataFrame) -> np.ndarray:
    """Minutes between townships for pairs that may exchange staff, infinite for the others."""
    minutes = {(r.from_township, r.to_township): float(r.minutes) for r in towns.itertuples()}
    links, down = set(inst.links), inst.categories["down"]
    cost = np.full((len(sent), len(come)), np.inf)
    for i, a in enumerate(sent.itertuples()):
        for j, b in enumerate(come.itertuples()):
            same = a.stage == b.stage and a.cat_id == b.cat_id
            fits = same or (b.stage, b.cat_id) in down[a.stage, a.cat_id]
            linked = (a.township, b.township) in links and (a.township == b.township or not a.stays)
            if fits and a.unit_id != b.unit_id and linked:
                # a tiny term by order makes the cheapest pairing unique
                order = 1e-4 * ((7 * i + 13 * j) % 97)
                cost[i, j] = minutes.get((a.township, b.township), 0.0) + (0 if same else 5) + order
    return cost


def staff_moves(model: pyo.ConcreteModel, inst: Instance, towns: pd.DataFrame) -> pd.DataFrame:
    """Rows of ``plan.staff_moves``: who goes where, nearest first, within linked townships.

    Heads of one category that leave and reach the same unit cancel where the townships' links allow
    it (they need not: A to B and B to C may be linked when A to C is not).

    Raises
    ------
    ValueError
        When the heads cannot be paired: the model's flows and the links disagree.
    """
    columns = ["from_school_id", "from_stage", "to_school_id", "to_stage", "cat_id", "heads"]
    told = [(*_ends(u), *_ends(v), c, n) for (u, c, v), n in told_pairs(model).items()]
    for cancel in (True, False):
        sent, come = _ends_of_moves(model, inst, cancel)
        if sent.empty:
            return pd.DataFrame(told, columns=columns)
        heads = _pair_up(sent, come, _pairing_cost(inst, sent, come, towns))
        if heads is not None:
            break
    else:
        raise ValueError("transfers cannot be paired within the linked townships")
    rows = [
        (*_ends(sent.at[i, "unit_id"]), *_ends(come.at[j, "unit_id"]), sent.at[i, "cat_id"], int(heads[i, j]))
        for i, j in zip(*np.nonzero(heads), strict=True)
    ]
    moves = pd.DataFrame([*told, *rows], columns=columns)
    return moves.groupby(columns[:-1], as_index=False)["heads"].sum()  # those near retirement with the others


def _ends(unit_id: str) -> tuple[str, str]:
    school_id, stage = unit_id.rsplit("/", 1)
    return school_id, stage


def _quantities(
    model: pyo.ConcreteModel, inst: Instance, name: str, kinds: tuple[str, ...]
) -> dict[tuple[str, str], float]:
    """Bought or got quantities in their own units: whole rooms, money and hundredths of a m2."""
    found = {}
    variable = getattr(model, name)
    for u in inst.units.index:
        for k in kinds:
            exact = _number(variable[u, k]) * scale(inst, u, k)
            found[u, k] = _rounded(exact, inst.standards.resources[k], up=name == "buy")
    return found


def _rounded(exact: float, one: Resource, up: bool) -> float:
    """A quantity as it is written: what is bought is rounded up, so that a threshold reached stays reached.

    The budget leaves so much room (`models.formulation.money.rounding_share`).
    """
    if one.whole:
        return float(round(exact))
    part = AREA_PARTS if one.kind == "area" else 1.0
    if not up:
        return float(np.floor(exact * part + 1e-4)) / part
    return float(np.ceil(exact * part - 1e-3)) / part if exact > 0.5 / part else 0.0


def bought_range(inst: Instance, unit: str, resource: str, value: float) -> tuple[float, float]:
    """Values of ``buy`` that are written as the same quantity as this one, without the borders of rounding.

    Parameters
    ----------
    inst : Instance
    unit : str
        Of ``inst.units``.
    resource : str
        Of ``inst.items``.
    value : float
        In the model's units.

    Returns
    -------
    (float, float)
        Half a unit of what is written below the quantity, and the quantity; in the model's units.
    """
    one, size = inst.standards.resources[resource], scale(inst, unit, resource)
    part = AREA_PARTS if one.kind == "area" and not one.whole else 1.0
    written = _rounded(value * size, one, up=True)
    return max(0.0, written - 0.5 / part) / size, written / size


def purchases(model: pyo.ConcreteModel, inst: Instance) -> pd.DataFrame:
    """Rows of ``plan.purchases``; rounded up to a unit of money or a hundredth of a m2."""
    rows = [(*_ends(u), k, q) for (u, k), q in _quantities(model, inst, "buy", inst.items).items() if q > 0]
    return pd.DataFrame(rows, columns=["school_id", "stage", "kind", "quantity"])


def item_moves(model: pyo.ConcreteModel, inst: Instance) -> pd.DataFrame:
    """Rows of ``plan.item_moves``: all that closing units free, to the units that take it."""
    got = _quantities(model, inst, "got", inst.movable_items)
    rows, left = _carried(model, inst, got)
    for stage in sorted(inst.units["stage"].unique()):
        units = inst.units.index[inst.units["stage"] == stage]
        shut = [u for u in units if _number(model.unit_open[u]) < 0.5]
        stay = [u for u in units if _number(model.unit_open[u]) >= 0.5]
        for kind in inst.movable_items:
            need = {u: got[u, kind] for u in stay if got[u, kind] > 0}
            for u in shut:
                rows += _deal(u, left.get((u, kind), float(inst.units.at[u, kind])), kind, need, stay)
    columns = ["from_school_id", "from_stage", "to_school_id", "to_stage", "kind", "quantity"]
    return pd.DataFrame(rows, columns=columns)


def _carried(
    model: pyo.ConcreteModel, inst: Instance, got: dict[tuple[str, str], float]
) -> tuple[list[tuple[object, ...]], dict[tuple[str, str], float]]:
    """What the model itself says goes from school to school, taken off ``got``; what is left of their stock."""
    pairs = model.component("carried")
    rows: list[tuple[object, ...]] = []
    left: dict[tuple[str, str], float] = {}
    for u, k, v in pairs if pairs is not None else ():
        amount = _rounded(_number(pairs[u, k, v]) * scale(inst, v, k), inst.standards.resources[k], up=False)
        left.setdefault((u, k), float(inst.units.at[u, k]))
        if amount > 0 and _number(model.unit_open[u]) < 0.5:
            rows.append((*_ends(u), *_ends(v), k, amount))
            left[u, k] -= amount
            got[v, k] -= amount
    return rows, left


def _deal(
    unit: str, left: float, kind: str, need: dict[str, float], stay: list[str]
) -> list[tuple[object, ...]]:
    """Give one closing unit's stock to those that take it, in order; the last one takes a remainder."""
    rows: list[tuple[object, ...]] = []
    while left > 0 and stay:
        target = next(iter(need), stay[0])
        part = min(left, need.get(target, left))
        if target in need:
            need[target] -= part
            if need[target] <= 0 and len(need) > 1:
                del need[target]
            elif need[target] <= 0:
                part = left  # rounding left something over: it goes to the last receiver
        if part > 0:
            rows.append((*_ends(unit), *_ends(target), kind, part))
        left -= part
    return rows


def _held_classes(inst: Instance, table: pd.DataFrame) -> pd.DataFrame:
    """Classes of bands whose number is held: as many as that, needed or not."""
    rows = inst.request.held.rows
    rows = rows[(rows["action"] == "band") & rows["held_quantity"].eq(True)]
    classes = dict(zip(zip(rows["school_id"], rows["band"], strict=True), rows["quantity"], strict=True))
    told = [classes.get(k) for k in zip(table["school_id"], table["band"], strict=True)]
    held = [
        n if t is None or not o else int(t)
        for n, t, o in zip(table["classes"], told, table["open"], strict=True)
    ]
    return table.assign(classes=held)


def unpack(model: pyo.ConcreteModel, inst: Instance, towns: pd.DataFrame) -> Plan:
    """The plan that a solved model states.

    Parameters
    ----------
    model : ConcreteModel
        With values loaded; heads and rooms whole.
    inst : Instance
    towns : DataFrame
        `TravelTimes.towns`, for pairing transfers by nearness.

    Returns
    -------
    Plan
    """
    going = attendance(model, inst)
    taught = _held_classes(inst, taught_bands(model, inst, going))
    hires = [
        (*_ends(u), c, round(_number(model.hire[u, c])))
        for u, c in model.hire
        if _number(model.hire[u, c]) > 0.5
    ]
    return make_plan(
        inst.county.year,
        bands=taught,
        attendance=going,
        staff_moves=staff_moves(model, inst, towns),
        hires=pd.DataFrame(hires, columns=["school_id", "stage", "cat_id", "heads"]),
        purchases=purchases(model, inst),
        item_moves=item_moves(model, inst),
    )
