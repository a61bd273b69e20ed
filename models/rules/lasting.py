"""What recurs every year is paid from money that lasts.

| rule | equation |
|---|---|
| recurrent_lasting | yearly[e] <= L[e] + lent[e]; lent[e] <= spill[e]; sum_e lent[e] <= L[any] |

L[e] is the budget without what the table `budget` marks as one-off. Hired teachers, rotation subsidies and bus places
recur; buildings, devices, grants and moves do not. A run with a budget of its own says nothing about what lasts, and
nothing is asked of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import pyomo.environ as pyo

from models.formulation.money import recurrent_costs
from models.plan.costs import budget_table, cost_table
from models.problem.request import ANY, lasting_money
from models.rules.record import Rows, Rule, Slack, broken, none

if TYPE_CHECKING:
    from models.plan.outcome import After

NORM = "recurrent_lasting"
SHORT_BY = 4.0
"""Yuan by which a county may be short through rounding, as for the budget."""


def _lasting(rows: Rows) -> None:
    money = lasting_money(rows.inst.county, rows.inst.request)
    if money is None or not rows.binds():
        return
    yearly = {e: x / rows.inst.large for e, x in recurrent_costs(rows.model, rows.inst).items()}
    have = {e: n / rows.inst.large for e, n in money.items()}
    lent = pyo.Var(list(yearly), domain=pyo.NonNegativeReals)
    rows.model.add_component(f"{NORM}__lent", lent)
    rows.add(list(yearly), lambda m, e: yearly[e] <= have[e] + lent[e], part="earmark")
    # what "any" lends to yearly costs is part of what it lends: the same money is not spent twice
    rows.add(list(yearly), lambda m, e: lent[e] <= m.spill[e], part="within", firm=True)
    rows.add([ANY], lambda m, k: sum(lent[e] for e in yearly) <= have[ANY], part=ANY, firm=True)


def check_lasting(after: After) -> pd.DataFrame:
    """Yearly costs beyond an earmark's lasting money fit what "any" has left that lasts."""
    money = lasting_money(after.county, after.request)
    if money is None:
        return none()
    costs = cost_table(after)
    costs = costs[costs["charged"]]
    yearly = costs[costs["recurrent"]].groupby("earmark")["yuan"].sum()
    table = budget_table(after, costs).set_index("earmark").drop(index=ANY)
    table["yearly"] = yearly.reindex(table.index).fillna(0.0)
    table["lasting"] = pd.Series(money).reindex(table.index).fillna(0.0)
    lack = (table["yearly"] - table["lasting"]).clip(lower=0.0)
    # what things bought once take from "any" besides
    once = ((-table["left"]).clip(lower=0.0) - lack).clip(lower=0.0).sum()
    lent = max(0.0, min(money[ANY], after.budget.get(ANY, 0.0) - float(once)))
    if float(lack.sum()) <= lent + SHORT_BY:
        return none()
    short = table.assign(name=table.index, lack=lack)[lack > 0].reset_index()
    before = short["lack"].cumsum() - short["lack"]
    given = (lent - before).clip(lower=0.0)
    short["most"] = short["lasting"] + given.where(given < short["lack"], short["lack"])
    short = short[short["yearly"] > short["most"]]
    return broken(short, "earmark", "name", short["yearly"], short["most"], "yuan")


RULES = (Rule(NORM, "lasting", check_lasting, _lasting, (NORM,), Slack("large", "budget")),)
