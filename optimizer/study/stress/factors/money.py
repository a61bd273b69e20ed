"""Money and rules set elsewhere: prices, salaries, cuts by earmark, limits of norms."""

from __future__ import annotations

import math
from dataclasses import replace

import pandas as pd

from geodata.contract.tables import EARMARKS, TABLES
from models.problem.request import budgets
from models.standards.norms import load_standards
from optimizer.study.stress.factors.record import Case, Factor

PEOPLE = ("teacher", "contract_teacher", "itinerant", "rotation_subsidy", "rural_allowance")
"""Items of T12 that are pay."""
GRANTS = "public_funds"
"""Begins the items of T12 that are money per pupil, no price."""
PRICED = ("building", "device", "transport")
"""Earmarks whose items can become dearer together."""


def _items(case: Case, of: str) -> set[str]:
    """Items of T12 that a price factor is about."""
    every = {str(i) for i in case.county.unit_costs["item"]}
    bought = {i for i in every if i not in PEOPLE and not i.startswith(GRANTS)}
    if not of:
        return bought
    if of == "transport":
        return {i for i in bought if i.startswith("bus")}
    if of in PRICED:
        kinds = [r for r in case.county.norms.resources.values() if r.earmark == of]
        return bought & {p for r in kinds for p in (*r.price, *([r.move_price] if r.move_price else []))}
    return {of} & bought


def _scaled(case: Case, items: set[str], value: float) -> pd.DataFrame:
    costs = case.county.unit_costs.copy()
    rows = costs["item"].isin(items)
    for c in ("low", "base", "high"):
        costs[c] = costs[c].astype(float).where(~rows, costs[c].astype(float) * value)
    return costs


def price(case: Case, value: float, of: str) -> Case:
    """What is bought costs this share: an item of T12, an earmark's items, or all of them without ``of``."""
    return case.but(unit_costs=_scaled(case, _items(case, of), value))


def _priced(case: Case) -> tuple[str, ...]:
    return (*PRICED, *sorted(_items(case, "")))


def _no_item(case: Case, of: str) -> str | None:
    return None if _items(case, of) else "cannot_no_item"


def salary(case: Case, value: float, of: str) -> Case:
    """Pay, allowances and subsidies cost this share, in T12 and in T8."""
    staff = case.county.staff_category
    return case.but(
        unit_costs=_scaled(case, set(PEOPLE), value),
        staff_category=staff.assign(annual_cost=staff["annual_cost"].astype(float) * value),
    )


def budget(case: Case, value: float, of: str) -> Case:
    """Only this share of the money of one earmark is there, of all earmarks without ``of``."""
    scenario, county = case.scenario, case.county
    if scenario.budget is not None:
        cut = {e: v * value if of in ("", e) else v for e, v in scenario.budget.items()}
        return replace(case, scenario=scenario.model_copy(update={"budget": cut}))
    rows = (county.budget["year"] == county.year) & ((county.budget["earmark"] == of) if of else True)
    amount = county.budget["amount"].astype(float)
    return case.but(budget=county.budget.assign(amount=amount.where(~rows, amount * value)))


def _earmarks(case: Case) -> tuple[str, ...]:
    return EARMARKS


def _no_money(case: Case, of: str) -> str | None:
    have = budgets(case.county, case.scenario.request())
    return None if sum(v for e, v in have.items() if of in ("", e)) > 0 else "cannot_no_money"


def norm(case: Case, value: float, of: str) -> Case:
    """The norm's number is this one, as a row of T14 would say."""
    county = case.county
    if (county.standards["id"] == of).any():
        said = county.standards["value"].astype(float)
        return case.but(
            standards=county.standards.assign(value=said.where(county.standards["id"] != of, value))
        )
    rule = county.norms.rules[of]
    row = {c.name: getattr(rule, c.name, c.default) for c in TABLES["standards"].columns}
    added = pd.DataFrame([{**row, "id": of, "value": value}], columns=list(county.standards.columns))
    rows = added if county.standards.empty else pd.concat([county.standards, added], ignore_index=True)
    return case.but(standards=rows)


def _norms(case: Case) -> tuple[str, ...]:
    return tuple(load_standards(case.county).rules)


def _off(case: Case, of: str) -> str | None:
    return "cannot_norm_off" if load_standards(case.county).kind(of) == "off" else None


FACTORS = (
    Factor("price", "share", 0.2, 5.0, 1.0, price, _priced, _no_item),
    Factor("salary", "share", 0.2, 5.0, 1.0, salary),
    Factor("budget", "share", 0.0, 5.0, 1.0, budget, _earmarks, _no_money),
    Factor("norm", "number", 0.0, 1e8, math.nan, norm, _norms, _off, asks_of=True),
)
