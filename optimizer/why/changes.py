"""Numbers that a decision rests on, and a county with one of them changed.

| number | changed |
|---|---|
| pupils | those who attend the school (or live in the village) today, by n: demand and attendance of their villages in proportion |
| places | of a school's stage |
| minutes | of the ways from some villages to a school, by every mode |
| money | for any purpose, or less of each earmark in proportion where it becomes less |
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from geodata.contract.county import County
from geodata.travel.times import TravelTimes
from models.problem.instance import Instance
from models.problem.request import budgets, money_known
from optimizer.scenario import Scenario
from optimizer.why.decisions import Decision

NUMBERS = ("pupils", "places", "minutes", "money")
SHARE = 0.5
"""Of a school's pupils or places: how far a change is looked at."""
LEAST_PUPILS, LEAST_PLACES = 10.0, 50.0
MONEY_STEPS = 64.0
"""Of the largest change of money that is looked at."""


@dataclass(frozen=True)
class Quantity:
    """One number and how far it is changed.

    Parameters
    ----------
    kind : {"pupils", "places", "minutes", "money"}
    place_id : str
        School whose pupils or places; village whose way; empty for money.
    other_id : str
        Stage of places; school at the end of the way.
    villages : tuple of str
        Whose pupils or ways.
    reach, step : float
        Largest change, signed; smallest, positive.
    corners : tuple of float
        Changes at which a rule's number is passed: looked at first.
    """

    kind: str
    place_id: str
    other_id: str
    villages: tuple[str, ...]
    reach: float
    step: float
    corners: tuple[float, ...] = ()


def quantities(
    inst: Instance, times: TravelTimes, one: Decision, next_id: str, sent_to: tuple[str, ...]
) -> list[Quantity]:
    """What could flip a decision.

    Parameters
    ----------
    inst : Instance
    times : TravelTimes
    one : Decision
    next_id : str
        School where those concerned would go with the decision turned round; empty where nobody knows.
    sent_to : tuple of str
        Schools that its pupils go to, or come from, in the plan.
    """
    found = [
        _pupils(inst, one),
        _places(inst, one, next_id, sent_to),
        _minutes(inst, times, one, next_id),
        _money(inst, one),
    ]
    return [q for q in found if q is not None and abs(q.reach) >= q.step]


def _pupils(inst: Instance, one: Decision) -> Quantity | None:
    more = one.kind in ("closes", "receives", "goes")
    groups = inst.groups
    if one.about_village:
        mine = groups[groups["village_id"] == one.village_id]
        have = float(mine["pupils"].sum())
        place = one.village_id
    else:
        mine = groups[groups["today_school_id"] == one.school_id]
        have = float(inst.units.loc[inst.units["school_id"] == one.school_id, "pupils"].sum())
        place = one.school_id
    villages = tuple(dict.fromkeys(map(str, mine["village_id"])))
    if not have or not villages:
        return None
    reach = max(LEAST_PUPILS, float(np.floor(SHARE * have)))
    reach = reach if more else -min(reach, have - 1)
    return Quantity("pupils", place, "", villages, reach, 1.0, _corners(inst, one, reach))


def _corners(inst: Instance, one: Decision, reach: float) -> tuple[float, ...]:
    """Changes of pupils by which a unit of the school passes the size that may close, the assessment or its floor."""
    if one.about_village:
        return ()
    norms = ("closure_max_pupils", "assessed_min", "assessed_floor")
    found = set()
    for have in inst.units.loc[inst.units["school_id"] == one.school_id, "pupils"]:
        for value in (inst.standards.limit(n, np.nan) for n in norms):
            change = value - float(have)
            for n in (change, change - 1):
                if value == value and n and abs(n) <= abs(reach) and (n > 0) == (reach > 0):
                    found.add(float(n))
    return tuple(sorted(found, key=abs))


def _places(inst: Instance, one: Decision, next_id: str, sent_to: tuple[str, ...]) -> Quantity | None:
    """At the school where the other decision would need them."""
    at = {"relieved": one.school_id, "receives": sent_to[0] if sent_to else ""}.get(one.kind, next_id)
    units = inst.units[inst.units["school_id"] == at]
    if one.kind in ("teachers", "hires", "buys", "closes") or units.empty:
        return None
    if one.about_village:
        taught = inst.groups.loc[inst.groups["village_id"] == one.village_id, "band"]
        stages = {inst.standards.scheme.band_stage[b] for b in taught}
        units = units[units["stage"].isin(stages)] if units["stage"].isin(stages).any() else units
    unit = units.sort_values("pupils", ascending=False, kind="stable").iloc[0]
    reach = max(LEAST_PLACES, float(np.floor(SHARE * unit["capacity"])))
    lacking = _coming(inst, one, str(unit["stage"])) - float(unit["capacity"] - unit["pupils"])
    corners = tuple(n for n in (lacking, lacking - 1) if 0 < n <= reach)
    return Quantity("places", str(at), str(unit["stage"]), (), reach, 1.0, corners)


def _coming(inst: Instance, one: Decision, stage: str) -> float:
    """Pupils of a stage who would come with the decision turned round; nobody where they are there already."""
    groups, scheme = inst.groups, inst.standards.scheme
    mine = groups[groups["band"].map(scheme.band_stage) == stage]
    if one.kind == "goes":
        mine = mine[(mine["village_id"] == one.village_id) & (mine["today_school_id"] == one.school_id)]
    elif one.kind == "stays":
        mine = mine[mine["today_school_id"] == one.school_id]
    else:
        mine = mine.iloc[:0]
    return float(mine["pupils"].sum())


def _minutes(inst: Instance, times: TravelTimes, one: Decision, next_id: str) -> Quantity | None:
    """Of the ways to the school where the other decision would lead."""
    if one.kind not in ("goes", "stays") or not next_id:
        return None
    groups = inst.groups
    mine = (
        groups["village_id"] == one.village_id
        if one.about_village
        else groups["today_school_id"] == one.school_id
    )
    villages = tuple(dict.fromkeys(map(str, groups.loc[mine, "village_id"])))
    ways = times.pairs[times.pairs["village_id"].isin(villages) & (times.pairs["school_id"] == next_id)]
    if ways.empty:
        return None
    place = one.village_id or one.school_id
    return Quantity("minutes", place, next_id, villages, -float(np.floor(ways["minutes"].max() - 1.0)), 1.0)


def _money(inst: Instance, one: Decision) -> Quantity | None:
    if not money_known(inst.county, inst.request):
        return None
    have = sum(inst.budget.values())
    reach = -have if one.kind in ("buys", "hires") else (have or 100 * inst.large)
    return Quantity("money", "", "", (), reach, abs(reach) / MONEY_STEPS or 1.0)


def changed(
    county: County, times: TravelTimes, scenario: Scenario, what: Quantity, amount: float
) -> tuple[County, TravelTimes, Scenario]:
    """The county, its times and the scenario with a number changed by an amount."""
    if what.kind == "pupils":
        return _other_pupils(county, what, int(amount)), times, scenario
    if what.kind == "places":
        stage = county.school_stage.copy()
        here = (stage["school_id"] == what.place_id) & (stage["stage"] == what.other_id)
        stage.loc[here, "capacity_pupils"] = stage.loc[here, "capacity_pupils"] + int(amount)
        return replace(county, school_stage=stage), times, scenario
    if what.kind == "minutes":
        pairs = times.pairs.copy()
        here = pairs["village_id"].isin(what.villages) & (pairs["school_id"] == what.other_id)
        pairs.loc[here, "minutes"] = (pairs.loc[here, "minutes"] + amount).clip(lower=1.0)
        return county, replace(times, pairs=pairs), scenario
    return county, times, _other_money(county, scenario, amount)


def _other_money(county: County, scenario: Scenario, amount: float) -> Scenario:
    have = budgets(county, scenario.request())
    if amount >= 0:
        money = {**have, "any": have.get("any", 0.0) + amount}
    else:
        whole = sum(have.values())
        money = {e: max(0.0, y * (1 + amount / whole)) for e, y in have.items()} if whole else have
    return scenario.model_copy(update={"budget": money})


def _other_pupils(county: County, what: Quantity, amount: int) -> County:
    """Demand and attendance of the catchment with so many pupils more or fewer, in proportion to those there are."""
    going, demand = county.attendance.copy(), county.demand.copy()
    this_year = demand["year"] == county.year
    if len(going):
        mine = going["village_id"].isin(what.villages)
        if what.place_id not in what.villages:
            mine &= going["school_id"] == what.place_id
        more = _shares(going.loc[mine, "pupils"], amount)
        going.loc[mine, "pupils"] = going.loc[mine, "pupils"] + more
        by_place = more.groupby([going.loc[mine, "village_id"], going.loc[mine, "band"]]).sum()
    else:
        rows = demand[this_year & demand["village_id"].isin(what.villages)]
        more = _shares(rows["pupils_base"], amount)
        by_place = more.groupby([rows["village_id"], rows["band"]]).sum()
    keys = pd.MultiIndex.from_frame(demand[["village_id", "band"]])
    extra = pd.Series(by_place.reindex(keys).fillna(0).to_numpy(int), index=demand.index).where(this_year, 0)
    demand["pupils_base"] = (demand["pupils_base"] + extra).clip(lower=0)
    return replace(county, attendance=going, demand=demand)


def _shares(pupils: pd.Series, amount: int) -> pd.Series:
    """An amount divided over rows in proportion to their pupils, whole, largest remainders first."""
    total = float(pupils.sum())
    exact = pupils.astype(float) * (abs(amount) / total if total else 0.0)
    whole = np.floor(exact).astype(int)
    left = abs(amount) - int(whole.sum()) if total else 0
    order = (exact - whole).sort_values(ascending=False, kind="stable").index[:left]
    whole.loc[order] += 1
    return whole * (1 if amount >= 0 else -1)
