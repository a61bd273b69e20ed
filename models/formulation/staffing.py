"""Staff after the plan: variables and what defines them; the rules stand in `models.rules.staffing`, `floors` and `guards`.

| symbol | component | source |
|---|---|---|
| heads[u,c] | ``model.heads`` | follows |
| out[u,c], into[u,c] | ``model.out``, ``model.into`` | decision |
| flow[c,t,t'] | ``model.flow`` | decision |
| hire[u,c] | ``model.hire`` | decision |

Transfers run from a unit to its township and from there to a linked one, so that the model grows with
townships squared and not with schools squared; `models.formulation.solution` turns them into school pairs.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import pyomo.environ as pyo

from models.problem.instance import Instance

Model: TypeAlias = Any  # Pyomo has no types


def staff_variables(model: Model, inst: Instance, whole: bool) -> None:
    """Declare heads, transfers and hires; whole heads only where asked for."""
    keys = [k for k in inst.stock.index if k[0] not in inst.unstaffed]
    domain = pyo.NonNegativeIntegers if whole else pyo.NonNegativeReals
    stage = inst.units["stage"]
    hireable = inst.categories["hireable"]
    model.out = pyo.Var(
        [k for k in keys if inst.heads_today[k] > 0],
        domain=domain,
        bounds=lambda m, u, c: (0, inst.heads_today[u, c]),
    )
    # teachers who are not to be moved leave a school that closes, so they too arrive somewhere
    model.into = pyo.Var(keys, domain=domain)
    model.hire = pyo.Var([(u, c) for u, c in keys if inst.hires and hireable[stage[u], c]], domain=domain)
    hubs = sorted({(stage[u], c) for u, c in keys})
    flows = [(s, c, s, c, a, b) for s, c in hubs for a, b in inst.links]
    flows += [
        (s, c, low, cat, a, b)
        for s, c in hubs
        for low, cat in inst.categories.at[(s, c), "down"]
        if (low, cat) in hubs
        for a, b in inst.links
    ]
    model.flow = pyo.Var(flows, domain=pyo.NonNegativeReals)


def heads(model: Model, inst: Instance, unit: str, category: str, hired: bool = True) -> Any:
    """heads[u,c] = today - out + into + hire, as an expression; without who is hired where asked."""
    key = (unit, category)
    total: Any = inst.heads_today[key]
    if key in model.out:
        total = total - model.out[key]
    if key in model.into:
        total = total + model.into[key]
    if hired and key in model.hire:
        total = total + model.hire[key]
    return total


def counted_heads(model: Model, inst: Instance, unit: str, flag: str, hired: bool = True) -> Any:
    """Heads of a unit that count for a resource (or all of them: flag "all"), as an expression."""
    return sum(heads(model, inst, unit, c, hired) for c in inst.counting[inst.stage_of[unit], flag])


def class_staff(inst: Instance) -> tuple[dict[str, float], dict[str, float]]:
    """The county's staff a class by stage, and what each unit that is not assessed has beyond it today.

    Units whose staff is not known, and counties where nobody's is, are left out.
    """
    units = inst.units
    have = inst.stock["heads"].groupby(level="unit_id").sum().reindex(units.index).fillna(0)
    told = ~units.index.isin(inst.unstaffed)
    rate = {
        s: float(have[units["stage"] == s].sum())
        / max(1.0, float(units.loc[told & (units["stage"] == s), "classes"].sum()))
        for s in inst.standards.scheme.stage_ids
    }
    taught = set(inst.bands["unit_id"])
    some = [u for u in units.index[told & ~units["assessed"]] if u in taught and have.sum() > 0]
    return rate, {
        u: max(0.0, float(have[u]) - rate[units.at[u, "stage"]] * float(units.at[u, "classes"])) for u in some
    }


def closable_units(inst: Instance) -> set[str]:
    """Units that may close: not all of their bands are locked open."""
    locked = inst.bands["lock"].eq("open").groupby(inst.bands["unit_id"]).all()
    return {str(u) for u in locked.index[~locked]}


def staff_moved(model: Model) -> Any:
    """Heads that change school, as an expression."""
    return sum(model.into[k] for k in model.into)
