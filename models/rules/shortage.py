"""Schools short of a kind of teachers give none of it up.

| rule | equation |
|---|---|
| short_gives_none | f[u] >= today's (open[u] - enough[u,f]); x[u,f] >= th[f] P[u] / scale - M (1 - enough[u,f]) |

A unit is short where it stays below the indicator's threshold in the plan. f leaves out who is hired, as in `models.rules.guards`.
A place that is assessed with its parent counts there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
import pyomo.environ as pyo

from models.formulation.concession import judged_amount, judged_pupils
from models.formulation.staffing import counted_heads
from models.rules.guards import besides_hired
from models.rules.record import EPS, Rows, Rule, Slack, broken, looked_up, none

if TYPE_CHECKING:
    from models.plan.outcome import After
    from models.problem.instance import Instance

NORM = "short_gives_none"


def _needs(inst: Instance) -> dict[tuple[str, str], float]:
    """What a pupil needs of a kind of staff, in pupil-equivalents, by assessed unit that has such teachers today."""
    found: dict[tuple[str, str], float] = {}
    units = inst.units
    for one in (i for i in inst.standards.indicators if i.tested and i.resource in inst.standards.heads):
        rate = one.threshold / one.scale / inst.centres[one.stage, one.resource]
        mine = units.index[(units["stage"] == one.stage) & units["assessed"]]
        found |= {(str(u), one.resource): rate for u in mine if inst.known(u, one.resource)}
    return {(u, r): rate for (u, r), rate in found.items() if _today(inst, u, r) > 0}


def _today(inst: Instance, unit: str, resource: str) -> float:
    """Teachers of a kind in a unit and the places that are assessed with it."""
    return sum(float(inst.of_unit(k, resource)) for k in inst.with_guests(unit))


def _short(rows: Rows) -> None:
    inst, model = rows.inst, rows.model
    if not rows.binds():
        return
    need = _needs(inst)
    enough = pyo.Var(list(need), domain=pyo.Binary)
    model.add_component(f"{NORM}__enough", enough)

    def kept(m: Any, u: str, r: str) -> Any:
        here = sum(counted_heads(m, inst, k, r, hired=False) for k in inst.with_guests(u))
        return here >= _today(inst, u, r) * (m.unit_open[u] - enough[u, r])

    def met(m: Any, u: str, r: str) -> Any:
        most = need[u, r] * sum(float(inst.of_unit(k, "largest")) for k in inst.with_guests(u))
        asked = need[u, r] * judged_pupils(m, inst, u)
        return judged_amount(m, inst, u, r) >= asked - most * (1 - enough[u, r])

    rows.add(list(need), kept, part="kept")
    rows.add(list(need), met, part="met", firm=True)


def check_short(after: After) -> pd.DataFrame:
    """A unit that stays below an indicator's threshold has no fewer of its teachers than today, hired ones left out."""
    if not len(after.plan.staff_moves):
        return none()
    kinds = list(after.standards.heads)
    before, kept = after.units, besides_hired(after, kinds)
    where = before["assessed_as"].where(before["assessed_as"].ne(""), before.index.to_series())
    old, new = (t[kinds].astype(float).groupby(where.to_numpy()).sum(min_count=1) for t in (before, kept))
    stays = after.new["open"] & before["assessed"] & (after.assessed_plan["pupils"] > 0)
    cells = after.cells_plan
    cells = cells[
        cells["resource"].isin(kinds)
        & looked_up(cells["unit_id"], stays).to_numpy(bool)
        & ~cells["met"].fillna(True).astype(bool)  # not known: not short
    ]
    if cells.empty:
        return none()
    keys = list(zip(cells["unit_id"], cells["resource"], strict=True))
    had, has = ([float(t.at[k]) for k in keys] for t in (old, new))
    wrong = cells.assign(had=had, has=has)
    wrong = wrong[wrong["has"] < wrong["had"] - EPS]
    wrong["name"] = looked_up(wrong["unit_id"], before["name"]) + " " + wrong["indicator"]
    return broken(wrong, "unit_id", "name", wrong["has"], wrong["had"], "heads")


RULES = (Rule(NORM, "shortage", check_short, _short, (NORM,), Slack("heads", "floors")),)
