"""The referee: recomputes every rule, cost and measure of a plan from the raw tables, without a solver."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from geodata.contract.county import County
from geodata.travel.times import TravelTimes
from models.plan.costs import budget_table, cost_table
from models.plan.decisions import Plan, Verdict
from models.plan.outcome import After, settle, site_pupils
from models.problem.indicators import cv_table
from models.problem.request import Request
from models.referee.goals import goal_values
from models.rules.record import BINDING, Rule
from models.rules.registry import NETWORK_FAMILIES, every_rule
from models.standards.norms import Standards

MEASURES = (
    ("imbalance", "1", "low"), ("cv_ok", "indicators", "high"), ("cv_assessed", "indicators", ""), ("worst_cv_ratio", "1", "low"),
    ("units_passing", "units", "high"), ("units_assessed", "units", ""), ("cells_met", "cells", "high"),
    ("cells_assessed", "cells", ""), ("sites", "sites", ""),
    ("closures", "sites", ""), ("bands_closed", "bands", ""), ("mean_minutes", "minutes", "low"),
    ("max_minutes", "minutes", "low"), ("pupils_over_limit", "pupils", "low"), ("pupils_changed", "pupils", ""),
    ("riders", "pupils", ""), ("staff", "heads", ""), ("staff_moved", "heads", ""), ("hires", "heads", ""),
    ("largest_school", "pupils", "low"), ("largest_class", "pupils", "low"), ("cost", "yuan", ""),
)  # fmt: skip
"""Headline measures: id, unit, which way is better."""


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


def _checked(after: After) -> Iterator[tuple[Rule, list[str], pd.DataFrame]]:
    """Every rule that is not off, in order, with the kinds that it binds in and where it does not hold."""
    for rule in every_rule():
        kinds = {n: rule.kind(after.standards, n) for n in rule.norm_ids(after.standards)} or {
            rule.id: "hard"
        }
        if set(kinds.values()) <= {"off"}:
            continue
        found = _found(rule, after)
        told = sorted(set(kinds.values()) - {"off"}, key=BINDING.index)
        if len(found):  # most rules hold most of the time
            kind = found["norm"].map(kinds).where(found["norm"] != "", rule.kind(after.standards))
            found = found.assign(rule=rule.id, kind=kind.astype(str))
            found = found[found["kind"] != "off"]
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
    new = cv_table(after.assessed_plan, after.standards, after.new["assessed"])
    return old.merge(new, on=["stage", "indicator", "limit"], suffixes=("_today", "_plan"))


def _largest_class(units: pd.DataFrame) -> float:
    people, classes = units["pupils"].to_numpy(float), units["classes"].to_numpy(float)
    some = classes > 0
    return float(np.ceil((people[some] / classes[some]).max())) if some.any() else 0.0


def _imbalance(cvs: pd.Series) -> float:
    """Sum of the squared CVs; of nothing assessed: none."""
    return float((cvs**2).sum(min_count=1))


def _side(after: After, verdict: dict[str, pd.DataFrame], end: str) -> dict[str, float]:
    """The measures that stand for today or for the plan alike."""
    units = after.units if end == "today" else after.new
    cv, travel, indicators = verdict["cv"], verdict["travel"], verdict["indicators"]
    ways = {"today": travel["minutes_today"].to_numpy(float), "plan": travel["minutes"].to_numpy(float)}
    minutes = ways[end]
    # a mean or a longest way compares only over pupils whose way is known on both sides
    both = ~np.isnan(ways["today"]) & ~np.isnan(ways["plan"])
    people = travel["pupils"].to_numpy(float)
    shared = float(np.nansum(people[both]))
    counted, met = indicators[f"assessed_{end}"], indicators[f"met_{end}"]
    limit = travel["limit_today" if end == "today" else "limit"].to_numpy(float)
    mode = travel["today_mode" if end == "today" else "mode"].to_numpy(object)
    return {
        "imbalance": _imbalance(cv[f"cv_{end}"]),
        "cv_ok": float(cv[f"ok_{end}"].sum()),
        "cv_assessed": float(cv[f"ok_{end}"].notna().sum()),
        "worst_cv_ratio": float((cv[f"cv_{end}"] / cv["limit"]).max()),
        "units_passing": float(verdict["units"][f"passes_{end}"].sum()),
        "units_assessed": float(verdict["units"][f"passes_{end}"].notna().sum()),
        "cells_met": float(met[counted].sum()),
        "cells_assessed": float(met[counted].notna().sum()),
        "mean_minutes": float(np.nansum((minutes * people)[both]) / shared) if shared > 0 else float("nan"),
        "max_minutes": float(minutes[both].max()) if both.any() else float("nan"),
        "pupils_over_limit": float(np.nansum(people[minutes > limit])),
        "riders": float(np.nansum(people[mode == "bus"])),
        "staff": float(units["staff"].sum(min_count=1)),
        "largest_school": float(site_pupils(units).max()) if len(units) else float("nan"),
        "largest_class": _largest_class(units),
    }


def _measures(after: After, verdict: dict[str, pd.DataFrame]) -> pd.DataFrame:
    today, plan = _side(after, verdict, "today"), _side(after, verdict, "plan")
    is_open = after.site_open
    costs = verdict["costs"]
    today.update(
        sites=len(is_open), closures=0, bands_closed=0, pupils_changed=0, staff_moved=0, hires=0, cost=0
    )
    plan.update(
        sites=int(is_open.sum()), closures=int((~is_open).sum()), bands_closed=int((~after.bands["open"]).sum()),
        pupils_changed=int(after.moved_pupils),
        staff_moved=int(after.plan.staff_moves["heads"].sum()), hires=int(after.plan.hires["heads"].sum()),
        cost=float(costs.loc[costs["charged"], "yuan"].sum(skipna=False)),  # no part of it is taken for nothing
    )  # fmt: skip
    rows = [(m, unit, float(today[m]), float(plan[m]), better) for m, unit, better in MEASURES]
    return pd.DataFrame(rows, columns=["measure", "unit", "today", "plan", "better"])


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
        cvs = cv_table(self.after.assessed_plan, self.after.standards, self.after.new["assessed"])
        return pd.concat([goals, pd.Series({"imbalance": _imbalance(cvs["cv"])})])

    def but(self, plan: Plan) -> Trial:
        """Another plan of the same county and request; bands and ways that both have are not reckoned again."""
        one = self.after
        return Trial(settle(one.county, one.standards, plan, one.times, one.request, one))

    def violations(self) -> pd.DataFrame:
        """Only where rules do not hold (`Verdict.violations`), in half the time of a verdict."""
        return _rules(self.after)[1]

    def verdict(self) -> Verdict:
        """All that the referee says."""
        return _verdict(self.after)


def try_plan(
    county: County, standards: Standards, plan: Plan, times: TravelTimes, request: Request | None = None
) -> Trial:
    """A plan to be looked at; parameters as of `judge`."""
    return Trial(settle(county, standards, plan, times, request or Request()))


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
        measures=_measures(after, parts),
        goals=goal_values(after),
        **parts,
    )
