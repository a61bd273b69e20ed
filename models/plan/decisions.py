"""`Plan`: what is decided, as tables; `PlanResult`: the one object every output is made from."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import pandas as pd

from geodata.contract.county import County
from geodata.contract.findings import Finding
from geodata.travel.times import TravelTimes

PLAN_COLUMNS: dict[str, dict[str, str]] = {
    "bands": {"school_id": "str", "band": "str", "was_open": "bool", "open": "bool", "classes": "int64"},
    "attendance": {
        "village_id": "str", "band": "str", "group": "str", "today_school_id": "str", "school_id": "str",
        "mode": "str", "pupils": "int64",
    },
    "staff_moves": {
        "from_school_id": "str", "from_stage": "str", "to_school_id": "str", "to_stage": "str",
        "cat_id": "str", "heads": "int64",
    },
    "hires": {"school_id": "str", "stage": "str", "cat_id": "str", "heads": "int64"},
    "purchases": {"school_id": "str", "stage": "str", "kind": "str", "quantity": "float64"},
    "item_moves": {
        "from_school_id": "str", "from_stage": "str", "to_school_id": "str", "to_stage": "str",
        "kind": "str", "quantity": "float64",
    },
}  # fmt: skip
"""Columns and types of every table of a `Plan`."""

PLAN_KEYS: dict[str, list[str]] = {
    "bands": ["school_id", "band"],
    "attendance": ["village_id", "band", "group", "today_school_id", "school_id", "mode"],
    "staff_moves": ["from_school_id", "from_stage", "to_school_id", "to_stage", "cat_id"],
    "hires": ["school_id", "stage", "cat_id"],
    "purchases": ["school_id", "stage", "kind"],
    "item_moves": ["from_school_id", "from_stage", "to_school_id", "to_stage", "kind"],
}


@dataclass(frozen=True)
class Plan:
    """What is decided, and nothing that follows from it.

    Parameters
    ----------
    bands : DataFrame
        One row per site and grade band taught today or opened: is it open, with how many classes.
    attendance : DataFrame
        Who goes where. ``group`` is ``zone`` (the village's own pupils, kept together) or ``choice``
        (pupils who by-pass their zone today and stay while their school stays);
        ``today_school_id`` is where they go now; ``mode`` is walk or bus.
    staff_moves, hires : DataFrame
        Whole heads by joint category (T8).
    purchases : DataFrame
        ``kind`` is a resource of the county's standards that can be bought (`Standards.resources`), ``quantity``
        in its unit.
    item_moves : DataFrame
        What units that close leave of resources that move.
    """

    bands: pd.DataFrame
    attendance: pd.DataFrame
    staff_moves: pd.DataFrame
    hires: pd.DataFrame
    purchases: pd.DataFrame
    item_moves: pd.DataFrame

    def tables(self) -> dict[str, pd.DataFrame]:
        """The six tables by name."""
        return {name: getattr(self, name) for name in PLAN_COLUMNS}

    @property
    def plan_id(self) -> str:
        """Eight hex digits of the plan's content: two equal plans have the same id."""
        digest = hashlib.sha256()
        for name, table in self.tables().items():
            digest.update(name.encode() + table.to_csv(index=False, lineterminator="\n").encode())
        return digest.hexdigest()[:8]


def make_plan(**tables: pd.DataFrame) -> Plan:
    """A `Plan` with every table in its canonical columns, types and order.

    Parameters
    ----------
    **tables : DataFrame
        Any of the six tables; a missing one is empty.

    Raises
    ------
    KeyError
        For a table or column that a plan does not have.
    """
    done = {}
    for name, types in PLAN_COLUMNS.items():
        table = tables.pop(name, pd.DataFrame(columns=list(types)))
        table = table[list(types)].astype(types)
        done[name] = table.sort_values(PLAN_KEYS[name], kind="stable").reset_index(drop=True)
    if tables:
        raise KeyError(f"a plan has no table {sorted(tables)}")
    return Plan(**done)


@dataclass(frozen=True)
class GoalRecord:
    """How one goal of the ordered list was solved.

    ``gap`` is (objective - bound) / objective; ``status`` is ``proven`` (to the asked gap),
    ``stopped`` (limit or Ctrl-C, best plan kept).
    """

    goal: str
    objective: float
    bound: float
    gap: float
    seconds: float
    nodes: int
    status: str
    tolerance: float


@dataclass(frozen=True)
class SolveRecord:
    """Objective, bound, gap, seconds and versions of a plan's making.

    ``objective`` and ``bound`` are of the first goal; `goals` has all of them in order.
    """

    objective: float
    bound: float
    gap: float
    seconds: float
    status: str
    solver: str
    seed: int
    goals: tuple[GoalRecord, ...]
    notes: tuple[Finding, ...] = ()


@dataclass(frozen=True)
class Verdict:
    """What the referee recomputed from the raw tables, solver-free.

    Parameters
    ----------
    rules : DataFrame
        ``rule`` (id), ``kind`` (hard, soft, report), ``ok`` (bool), ``checked`` (places),
        ``broken`` (places), ``worst`` (text): one row per rule.
    violations : DataFrame
        ``rule, kind, place_id, place, amount, limit, unit, grandfathered``: one row per place where a
        rule does not hold (or holds only as "no worse than today": ``grandfathered``).
    measures : DataFrame
        ``measure`` (id), ``unit``, ``today``, ``plan``, ``better`` ("low", "high" or ""): the headline
        numbers: see `models.referee.verdict.MEASURES`.
    indicators : DataFrame
        One row per unit x indicator: ``unit_id, school_id, name, township, zone, stage, indicator,
        threshold, assessed_today, assessed_plan, pupils_today, pupils_plan, amount_today,
        amount_plan, ratio_today, ratio_plan, met_today, met_plan, gap_today, gap_plan``; gaps in heads,
        rooms, m2 or yuan; ratio is NaN where the unit has no pupils.
    units : DataFrame
        One row per unit: ``unit_id, school_id, name, township, zone, kind, stage, open_today, open_plan,
        pupils_today, pupils_plan, classes_today, classes_plan, staff_today, staff_plan, capacity,
        passes_today, passes_plan, indicators_met_today, indicators_met_plan``.
    cv : DataFrame
        ``stage, indicator, cv_today, cv_plan, unweighted_today, unweighted_plan, mean_today, mean_plan,
        limit, ok_today, ok_plan, hoover_today, hoover_plan`` for the 14.
    travel : DataFrame
        One row per row of ``plan.attendance``: its columns plus ``village, township, school,
        today_school, today_mode, minutes_today, minutes, limit, km, changed, grandfathered``.
    costs : DataFrame
        ``action`` (hire, transfer, purchase, item_move, bus, transition, closure, running),
        ``earmark``, ``school_id``, ``school``, ``item``, ``quantity``, ``unit``, ``unit_cost``, ``yuan``
        (negative is a saving), ``recurrent`` (bool), ``charged`` (bool: counts against the budget).
    budget : DataFrame
        ``earmark, available, spent, left``.
    """

    rules: pd.DataFrame
    violations: pd.DataFrame
    measures: pd.DataFrame
    indicators: pd.DataFrame
    units: pd.DataFrame
    cv: pd.DataFrame
    travel: pd.DataFrame
    costs: pd.DataFrame
    budget: pd.DataFrame

    @property
    def accepted(self) -> bool:
        """True when every hard rule holds."""
        hard = self.rules[self.rules["kind"] == "hard"]
        return bool(hard["ok"].all())


@dataclass(frozen=True)
class PlanResult:
    """The one result object: workbook, map, GeoPackage and run record are all made from it.

    Parameters
    ----------
    county : County
    scenario : dict
        What was asked for, as plain data (TOML-able): goals, budgets, limits, locks, seed.
    plan : Plan
    verdict : Verdict
    solve : SolveRecord
    times : TravelTimes
    actions : DataFrame
        The plan as a list a bureau could discuss: ``action`` (close, reduce, receive, transfer, hire,
        purchase, item_move, bus, itinerant), ``school_id, school, township, what, quantity, unit, yuan,
        earmark, reason_key, reason_fields`` - reasons are message keys under ``reasons.``.
    findings : tuple of Finding
        Everything imputed, snapped far, unreachable, relaxed, rounded or dropped on the way.
    """

    county: County
    scenario: dict[str, object]
    plan: Plan
    verdict: Verdict
    solve: SolveRecord
    times: TravelTimes
    actions: pd.DataFrame
    findings: tuple[Finding, ...]
