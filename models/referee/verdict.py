"""The referee: recomputes every rule, cost and measure of a plan from the raw tables, without a solver."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pandas as pd

from geodata.contract.county import County
from geodata.travel.times import TravelTimes
from models.plan.before import Before
from models.plan.costs import budget_table, cost_table
from models.plan.decisions import Plan, Verdict
from models.plan.outcome import After
from models.plan.settling import settle
from models.problem.request import Request
from models.referee.goals import goal_values
from models.referee.measures import MEASURES, headline_measures, plan_measures, squared_cvs
from models.rules.record import BINDING, Rule
from models.rules.registry import NETWORK_FAMILIES, every_rule
from models.standards.norms import Standards


def _worst(bad: pd.DataFrame) -> str:
    """The place furthest beyond its limit."""
    if bad.empty:
        return ""
    excess = (pd.to_numeric(bad["amount"], errors="coerce") - bad["limit"].astype(float)).abs().fillna(np.inf)
    one = bad.iloc[int(excess.to_numpy().argmax())]
    return f"{one['place']}: {one['amount']:g} / {one['limit']:g} {one['unit']}"


def _found(rule: Rule, after: After) -> pd.DataFrame:
    """Where a rule does not hold; rules of the network are asked once for plans that share it."""
    if rule.family not in NETWORK_FAMILIES:
        return rule.check(after)
    if rule.id not in after.network:
        after.network[rule.id] = rule.check(after)
    return after.network[rule.id]


@lru_cache(maxsize=4)
def _binding(standards: Standards) -> tuple[tuple[Rule, dict[str, str], list[str]], ...]:
    """Every rule that is not off, in order: how each of its norms binds, and the kinds that it binds in."""
    found = []
    for rule in every_rule():
        kinds = {n: rule.kind(standards, n) for n in rule.norm_ids(standards)} or {rule.id: "hard"}
        told = sorted(set(kinds.values()) - {"off"}, key=BINDING.index)
        if told:
            found.append((rule, kinds, told))
    return tuple(found)


def _checked(after: After) -> Iterator[tuple[Rule, list[str], pd.DataFrame]]:
    """Every rule that is not off, in order, with the kinds that it binds in and where it does not hold."""
    for rule, kinds, told in _binding(after.standards):
        found = _found(rule, after)
        if len(found):  # most rules hold most of the time
            own = rule.kind(after.standards)
            kind = [kinds.get(n, own) if n else own for n in found["norm"].tolist()]
            found = found.assign(rule=rule.id, kind=pd.array(kind, dtype="str"))
            found = _with_names(found[found["kind"] != "off"] if "off" in kind else found, after.county)
        yield rule, told, found


def _rules(after: After) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Every rule that is not off, judged; a rule whose norms bind differently has a line for each kind."""
    rows: list[tuple[object, ...]] = []
    parts = []
    for rule, told, found in _checked(after):
        if found.empty:
            rows.extend((rule.id, one, True, len(after.units), 0, "") for one in told)
            continue
        eased = found["grandfathered"].astype(bool)
        for one in told:
            bad = found[~eased & (found["kind"] == one)]
            rows.append((rule.id, one, bad.empty, len(after.units), len(bad), _worst(bad)))
        parts.append(found)
    table = pd.DataFrame(rows, columns=["rule", "kind", "ok", "checked", "broken", "worst"])
    columns = ["rule", "norm", "kind", "place_id", "place", "amount", "limit", "unit", "grandfathered"]
    violations = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)
    return table, violations[columns]


def _with_names(violations: pd.DataFrame, county: County) -> pd.DataFrame:
    """Places that name a thing or band alone, or an id, with the school's or village's name before it."""
    if violations.empty:
        return violations
    named = {
        **dict(zip(county.villages["village_id"], county.villages["name"], strict=True)),
        **dict(zip(county.schools["school_id"], county.schools["name"], strict=True)),
    }
    shown = []
    for key, place in zip(violations["place_id"], violations["place"], strict=True):
        inner = str(key).partition("/")[0]
        name = str(named.get(inner, inner))
        alone = str(place) in ("", "nan", inner)
        whole = name in str(place) or (inner not in named and not alone)
        shown.append(str(place) if whole else name if alone else f"{name} {place}")
    return violations.assign(place=pd.array(shown, dtype="str"))


def _indicators(after: After) -> pd.DataFrame:
    """Cells of today and of the plan side by side: they stand in one order."""
    old, new, at = after.cells_today, after.cells_plan, after.today.unit_of_cell
    both = old[["unit_id", "stage", "indicator", "resource", "threshold"]].copy()
    for end, cells in (("today", old), ("plan", new)):
        for column in ("pupils", "amount", "ratio", "met", "gap"):
            both[f"{column}_{end}"] = cells[column]
        both[f"pupils_{end}"] = both[f"pupils_{end}"].astype(int)
    for column in ("school_id", "name", "township", "zone"):
        both[column] = after.units[column].array[at]
    both["assessed_today"] = after.units["assessed"].to_numpy(bool)[at]
    both["assessed_plan"] = after.new["assessed"].to_numpy(bool)[at]
    return both.sort_values(["unit_id", "stage"], kind="stable").reset_index(drop=True)


def _units(after: After) -> pd.DataFrame:
    table = after.units[["school_id", "name", "township", "zone", "kind", "stage", "capacity"]].copy()
    for end, source, told in (("today", after.units, after.said_today), ("plan", after.new, after.said_plan)):
        table[f"open_{end}"] = True if end == "today" else after.new["open"]
        for column in ("pupils", "classes"):
            table[f"{column}_{end}"] = source[column].round().astype(int)
        heads = source["staff"].astype(float).round()
        table[f"staff_{end}"] = heads if heads.isna().any() else heads.astype(int)
        said = told.reindex(table.index)
        table[f"passes_{end}"] = said["passes"].astype("boolean").where(source["assessed"])
        for column in ("indicators_met", "indicators_tested"):
            table[f"{column}_{end}"] = said[column].fillna(0).astype(int)
    return table.rename_axis("unit_id").reset_index()


def _cv(after: After) -> pd.DataFrame:
    old = after.today.cvs
    new = after.cvs
    return old.merge(new, on=["stage", "indicator", "limit"], suffixes=("_today", "_plan"))


@dataclass(frozen=True)
class Figures:
    """A verdict's numbers about the plan, without its tables.

    Parameters
    ----------
    broken : dict of str to int
        Hard rules that do not hold, and at how many places.
    measures, goals : dict of str to float
        As ``plan`` of the verdict's tables has them.
    """

    broken: dict[str, int]
    measures: dict[str, float]
    goals: dict[str, float]

    @classmethod
    def of(cls, verdict: Verdict) -> Figures:
        """The numbers of a verdict."""
        bad = verdict.rules[(verdict.rules["kind"] == "hard") & ~verdict.rules["ok"].astype(bool)]
        measures, goals = (
            dict(zip(t.iloc[:, 0], t["plan"].tolist(), strict=True))
            for t in (verdict.measures, verdict.goals)
        )
        return cls(dict(zip(bad["rule"], bad["broken"].tolist(), strict=True)), measures, goals)


@dataclass(frozen=True, eq=False)
class Trial:
    """A plan recomputed, and judged only as far as it is asked: most plans that are tried are not kept."""

    after: After

    def broken(self) -> tuple[str, str] | None:
        """The first hard rule that does not hold and the first place where it does not; None where all hold."""
        for rule, _, found in _checked(self.after):
            if found.empty:
                continue
            bad = found[~found["grandfathered"].astype(bool)]
            if (bad["kind"] == "hard").any():
                return rule.id, str(bad["place"].iloc[0])
        return None

    def worth(self) -> pd.Series:
        """Every goal's value and the imbalance, by name: as ``goals`` and ``measures`` of the verdict have them."""
        goals = goal_values(self.after).set_index("goal")["plan"]
        return pd.concat([goals, pd.Series({"imbalance": squared_cvs(self.after.cvs["cv"])})])

    def but(self, plan: Plan) -> Trial:
        """Another plan of the same county and request; bands and ways that both have are not reckoned again."""
        one = self.after
        return Trial(settle(one.county, one.standards, plan, one.times, one.request, one))

    def violations(self) -> pd.DataFrame:
        """Only where rules do not hold (`Verdict.violations`), in half the time of a verdict."""
        return _rules(self.after)[1]

    def figures(self) -> Figures:
        """What the referee says in numbers, in two thirds of the time of a verdict."""
        broken = {}
        for rule, told, found in _checked(self.after):
            if "hard" in told and len(found):
                bad = ~found["grandfathered"].to_numpy(bool) & (found["kind"] == "hard").to_numpy(bool)
                broken[rule.id] = int(bad.sum())
        goals = goal_values(self.after)
        return Figures(
            {rule: n for rule, n in broken.items() if n},
            plan_measures(self.after),
            dict(zip(goals["goal"], goals["plan"].tolist(), strict=True)),
        )

    def verdict(self) -> Verdict:
        """All that the referee says."""
        return _verdict(self.after)


def try_plan(
    county: County,
    standards: Standards,
    plan: Plan,
    times: TravelTimes,
    request: Request | None = None,
    today: Before | None = None,
) -> Trial:
    """A plan to be looked at; parameters as of `judge`.

    Parameters
    ----------
    today : Before or None
        `models.plan.before.before` of this county, standards and times, where it is at hand.
    """
    return Trial(settle(county, standards, plan, times, request or Request(), today=today))


def judge(
    county: County, standards: Standards, plan: Plan, times: TravelTimes, request: Request | None = None
) -> Verdict:
    """Recompute a plan: optimised, edited by hand or published.

    Parameters
    ----------
    county : County
    standards : Standards
    plan : Plan
    times : TravelTimes
    request : Request or None
        Budgets and locks that the plan was asked to keep; None takes the county's own.

    Returns
    -------
    Verdict
    """
    return try_plan(county, standards, plan, times, request).verdict()


def _verdict(after: After) -> Verdict:
    judged, violations = _rules(after)
    costs = cost_table(after)
    parts = {
        "indicators": _indicators(after), "units": _units(after), "cv": _cv(after), "travel": after.travel, "costs": costs,
        "budget": budget_table(after, costs),
    }  # fmt: skip
    return Verdict(
        rules=judged,
        violations=violations,
        measures=headline_measures(after),
        goals=goal_values(after),
        **parts,
    )


__all__ = ["MEASURES", "Figures", "Trial", "judge", "try_plan"]
